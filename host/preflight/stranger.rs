//! What a shared library is that is no plugin, so that its owner recognises it.

use std::fs::{self, File};
use std::path::Path;

use object::read::elf::{FileHeader as _, SectionHeader as _, Sym as _};
use object::{Endianness, ReadCache, elf as format};

use super::refusal::file_name;
use super::{elf, linkage, open};
use crate::problem::{Code, Problem};

/// Octets of a symbol table that are counted at most.
const MAX_SYMBOLS: u64 = 16 << 20;

/// Says of the library at `path`, which has no manifest, what it is instead.
#[must_use]
pub fn stranger(path: &Path) -> Problem {
    let (exports, name) = look(path).unwrap_or_default();
    let exports = match exports {
        None => String::new(),
        Some(1) => "; it exports 1 symbol".to_owned(),
        Some(exports) => format!("; it exports {exports} symbols"),
    };
    let name = match (name, exports.is_empty()) {
        (None, _) => String::new(),
        (Some(name), true) => format!("; it looks like {name}"),
        (Some(name), false) => format!(" and looks like {name}"),
    };
    let summary = format!(
        "{} is not a gordon-janitor plugin (no manifest note){exports}{name}",
        file_name(path)
    );
    Problem::error(Code::Manifest, summary)
        .place(path.display())
        .help(
            "a plugin is built with the SDK's export!; private libraries belong in a sub-directory",
        )
}

/// The number of exported symbols, if it can be counted, and the name the library goes by.
fn look(path: &Path) -> Option<(Option<usize>, Option<String>)> {
    let (file, metadata) = open(&fs::canonicalize(path).ok()?).ok()?;
    let data = ReadCache::new(&file);
    let library = elf::read(&data, metadata.len()).ok()?;
    let linkage = linkage::read(&library.layout, &data).ok();
    Some((exports(&data), linkage.and_then(|linkage| linkage.soname)))
}

/// Sections can be stripped, and then nothing says how many symbols there are.
fn exports(data: &ReadCache<&File>) -> Option<usize> {
    let header = format::FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.section_headers(endian, data).ok()?;
    let mut tables = sections.iter();
    let table = tables.find(|section| section.sh_type(endian) == format::SHT_DYNSYM)?;
    if table.sh_size(endian) > MAX_SYMBOLS {
        return None;
    }
    let symbols = table
        .data_as_array::<format::Sym64<Endianness>, _>(endian, data)
        .ok()?;
    let exported = symbols
        .iter()
        .filter(|symbol| !symbol.is_undefined(endian) && !symbol.is_local());
    Some(exported.count())
}
