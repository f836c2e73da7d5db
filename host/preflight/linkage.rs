//! What a library wants of the system's loader: other libraries, versions of them, room for thread-locals.

use object::elf::{self, DynamicTag};
use object::read::elf::ProgramHeader as _;
use object::{Pod, ReadCache, ReadCacheOps, ReadRef as _};

use super::elf::{Fault, Layout};

/// Octets of one string at most: paths and names of libraries and versions.
const MAX_STRING: u64 = 4096;
/// Entries of one kind at most; libraries need some ten, glibc defines some fifty versions.
const MAX_ENTRIES: usize = 4096;

/// What a library needs, and what it offers others.
#[derive(Debug, Default)]
pub(super) struct Linkage {
    /// The name that others need it by.
    pub(super) soname: Option<String>,
    /// The names of the libraries it needs, in its order.
    pub(super) needed: Vec<String>,
    /// Where its needed libraries are looked for first; empty if it has a `runpath`.
    pub(super) rpath: String,
    /// Where its needed libraries are looked for after `LD_LIBRARY_PATH`.
    pub(super) runpath: String,
    /// The versions that it needs, with the library that has to offer them.
    pub(super) requires: Vec<(String, String)>,
    /// The versions that it offers.
    pub(super) offers: Vec<String>,
    /// Octets of the static thread-local block that it takes, if it does.
    pub(super) static_tls: Option<u64>,
}

/// Reads what the loader will read.
pub(super) fn read<R: ReadCacheOps>(
    layout: &Layout,
    data: &ReadCache<R>,
) -> Result<Linkage, Fault> {
    let reader = Reader { layout, data };
    let runpath = reader.text_of(elf::DT_RUNPATH)?.unwrap_or_default();
    let rpath = match layout.value(elf::DT_RUNPATH) {
        // The loader does not look at it then.
        Some(_) => String::new(),
        None => reader.text_of(elf::DT_RPATH)?.unwrap_or_default(),
    };
    let needed = layout.values(elf::DT_NEEDED).take(MAX_ENTRIES);
    Ok(Linkage {
        soname: reader.text_of(elf::DT_SONAME)?,
        needed: needed.map(|at| reader.text(at)).collect::<Result<_, _>>()?,
        rpath,
        runpath,
        requires: reader.requires()?,
        offers: reader.offers()?,
        static_tls: static_tls(layout),
    })
}

/// What a library that insists on static thread-locals takes of the room for them.
fn static_tls(layout: &Layout) -> Option<u64> {
    let insists = |flags: u64| flags & elf::DF_STATIC_TLS.0 != 0;
    if !layout.values(elf::DT_FLAGS).any(insists) {
        return None;
    }
    let endian = layout.endian;
    let segments = layout.segments.iter();
    let locals = segments.filter(|segment| segment.p_type(endian) == elf::PT_TLS);
    let room = locals.map(|segment| {
        let alignment = segment.p_align(endian).clamp(1, 4096);
        let octets = segment.p_memsz(endian);
        octets.saturating_add((alignment - octets % alignment) % alignment)
    });
    Some(room.fold(0, u64::saturating_add))
}

struct Reader<'a, R: ReadCacheOps> {
    layout: &'a Layout,
    data: &'a ReadCache<R>,
}

impl<R: ReadCacheOps> Reader<'_, R> {
    /// The place in the file of what is loaded at `address`.
    fn offset(&self, address: u64) -> Result<u64, Fault> {
        let endian = self.layout.endian;
        let segments = self.layout.segments.iter();
        let mut loaded = segments.filter(|segment| segment.p_type(endian) == elf::PT_LOAD);
        let found = loaded.find_map(|segment| {
            let within = address.checked_sub(segment.p_vaddr(endian))?;
            let is_there = within < segment.p_filesz(endian);
            is_there.then(|| segment.p_offset(endian).saturating_add(within))
        });
        found.ok_or_else(|| Fault::Malformed(format!("nothing is loaded at {address:#x}")))
    }

    /// The string at `at` in the string table.
    fn text(&self, at: u64) -> Result<String, Fault> {
        let table = self.layout.value(elf::DT_STRTAB);
        let size = self.layout.value(elf::DT_STRSZ).unwrap_or(u64::MAX);
        let Some(table) = table.filter(|_| at < size) else {
            return Err(Fault::Malformed("a name outside its table".to_owned()));
        };
        let from = self.offset(table.saturating_add(at))?;
        let to = from.saturating_add(MAX_STRING.min(size - at));
        // What is behind the end of the file holds no string either.
        let to = to.min(self.data.len().unwrap_or(to));
        match self.data.read_bytes_at_until(from..to, 0) {
            Ok(octets) => Ok(String::from_utf8_lossy(octets).into_owned()),
            Err(()) => Err(Fault::Malformed("a name without an end".to_owned())),
        }
    }

    fn text_of(&self, tag: DynamicTag) -> Result<Option<String>, Fault> {
        self.layout.value(tag).map(|at| self.text(at)).transpose()
    }

    fn entry<T: Pod>(&self, at: u64) -> Result<&T, Fault> {
        let read = self.data.read_at::<T>(at);
        read.map_err(|()| Fault::Malformed("a table of versions that is cut off".to_owned()))
    }

    /// The versions in `.gnu.version_r`, apart from those that may be missing.
    fn requires(&self) -> Result<Vec<(String, String)>, Fault> {
        let endian = self.layout.endian;
        let mut requires = Vec::new();
        let Some(table) = self.layout.value(elf::DT_VERNEED) else {
            return Ok(requires);
        };
        // Of versions in all: counts in a file can be anything.
        let mut left = MAX_ENTRIES;
        let mut at = self.offset(table)?;
        for _ in 0..self.count(elf::DT_VERNEEDNUM) {
            let need: &elf::Verneed<_> = self.entry(at)?;
            let library = self.text(need.vn_file.get(endian).into())?;
            let mut version_at = at.saturating_add(need.vn_aux.get(endian).into());
            for _ in 0..left.min(need.vn_cnt.get(endian).into()) {
                left -= 1;
                let version: &elf::Vernaux<_> = self.entry(version_at)?;
                let flags = version.vna_flags.get(endian);
                if flags.0 & elf::VER_FLG_WEAK.0 == 0 {
                    let name = self.text(version.vna_name.get(endian).into())?;
                    requires.push((library.clone(), name));
                }
                let next = version.vna_next.get(endian);
                if next == 0 {
                    break;
                }
                version_at = version_at.saturating_add(next.into());
            }
            let next = need.vn_next.get(endian);
            if next == 0 {
                break;
            }
            at = at.saturating_add(next.into());
        }
        Ok(requires)
    }

    /// The versions in `.gnu.version_d`.
    fn offers(&self) -> Result<Vec<String>, Fault> {
        let endian = self.layout.endian;
        let mut offers = Vec::new();
        let Some(table) = self.layout.value(elf::DT_VERDEF) else {
            return Ok(offers);
        };
        let mut at = self.offset(table)?;
        for _ in 0..self.count(elf::DT_VERDEFNUM) {
            let definition: &elf::Verdef<_> = self.entry(at)?;
            // The first name is the version's own, the others those it builds on.
            let name_at = at.saturating_add(definition.vd_aux.get(endian).into());
            let name: &elf::Verdaux<_> = self.entry(name_at)?;
            offers.push(self.text(name.vda_name.get(endian).into())?);
            let next = definition.vd_next.get(endian);
            if next == 0 {
                break;
            }
            at = at.saturating_add(next.into());
        }
        Ok(offers)
    }

    fn count(&self, tag: DynamicTag) -> usize {
        let stated = self.layout.value(tag).unwrap_or(u64::MAX);
        usize::try_from(stated).map_or(MAX_ENTRIES, |stated| stated.min(MAX_ENTRIES))
    }
}
