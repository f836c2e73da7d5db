//! Libraries that no author would build with the SDK, written in C.

use std::fs;
use std::path::Path;
use std::process::Command;

use janitor_plugin_api::manifest::API_VERSION;

use crate::peers::skipped;

/// The C source of a library with a manifest that lists the authority `key`, and `code` behind it.
pub(crate) fn plugin(key: &str, code: &str) -> String {
    let manifest = format!(
        "format = 1\napi = \"{API_VERSION}\"\nrustc = \"none\"\npanic = \"unwind\"\npackage = \"c\"\n\
         version = \"0.1.0\"\n[[plugin]]\nkey = \"{key}\"\nrole = \"authority\"\nsummary = \"\"\n"
    );
    let octets = manifest.len();
    format!(
        "static const struct {{ unsigned owner_octets, octets, kind; char owner[16], text[{octets}]; }} note\n\
         __attribute__((section(\".note.gordon-janitor\"), aligned(4), used)) =\n\
         {{ 14, {octets}, 1, \"GordonJanitor\", {manifest:?} }};\n{code}\n"
    )
}

/// Compiles a shared library; false, and said loudly, if there is no compiler.
pub(crate) fn compile(source: &str, library: &Path, flags: &[&str]) -> bool {
    let file = library.with_extension("c");
    fs::write(&file, source).expect("a file can be written");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(library)
        .arg(&file)
        .args(flags)
        .output();
    fs::remove_file(&file).expect("a file can be removed");
    let Ok(output) = compiled else {
        skipped("needs cc (Debian: gcc libc6-dev)");
        return false;
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}\n{source}");
    true
}
