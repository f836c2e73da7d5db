//! Directories of the sources, copied to where a test may change them.

use std::fs;
use std::path::Path;

/// Copies `from` with everything below it.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("the sources can be listed") {
        let entry = entry.expect("the sources can be listed");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_tree(&from, &to);
        } else {
            fs::copy(from, to).expect("a file can be copied");
        }
    }
}
