//! What this machine offers a library: the libraries it needs, and their versions.
//!
//! The loader's search is followed as far as it decides: what this process has mapped, then
//! `DT_RPATH`, `LD_LIBRARY_PATH`, `DT_RUNPATH`, the loader's cache and its standard directories.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use object::ReadCache;

use super::linkage::{self, Linkage};
use super::{elf, open};

/// Octets of the loader's cache at most; it has some 100 KiB.
const MAX_CACHE: u64 = 16 << 20;
/// How deep a missing library is looked for: among the plugin's, and theirs.
const DEPTH: usize = 2;

/// Something that this machine does not offer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// A newer glibc: the release needed, and the one that is here.
    Glibc { needed: String, here: String },
    /// A version of a library that was found.
    Version {
        library: String,
        version: String,
        found: PathBuf,
    },
    /// A library.
    Library {
        library: String,
        needed_by: Option<String>,
        looked_in: String,
    },
}

/// The libraries of this machine, read as they are asked for.
#[derive(Debug, Default)]
pub(super) struct System {
    mapped: OnceCell<BTreeMap<String, PathBuf>>,
    cache: OnceCell<HashMap<String, Vec<PathBuf>>>,
    read: RefCell<HashMap<PathBuf, Option<Rc<Linkage>>>>,
}

impl System {
    /// What is missing for the library at `path`, which is resolved; the first of it.
    pub(super) fn missing(&self, path: &Path, linkage: &Linkage) -> Option<Missing> {
        self.missing_for(path, linkage, None, DEPTH)
    }

    /// What the library at `path` and those that it needs take of the room for static thread-locals.
    pub(super) fn static_tls(&self, path: &Path, linkage: &Rc<Linkage>) -> Vec<(PathBuf, u64)> {
        let own = linkage.static_tls.map(|octets| (path.to_owned(), octets));
        let others = self.companions(path, linkage).into_iter();
        let others = others.filter_map(|path| {
            let (path, library) = self.at(&path)?;
            Some((path, library.static_tls?))
        });
        own.into_iter().chain(others).collect()
    }

    /// The libraries that come into this process with the one at `path`, however deep they are needed.
    pub(super) fn companions(&self, path: &Path, linkage: &Rc<Linkage>) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = Vec::new();
        let mut left = vec![(path.to_owned(), Rc::clone(linkage))];
        while let Some((by, linkage)) = left.pop() {
            for name in &linkage.needed {
                // What is in this process already came in with the program itself.
                if self.mapped().contains_key(name) {
                    continue;
                }
                let Some((path, library)) = self.find(name, &by, &linkage) else {
                    continue;
                };
                if !found.contains(&path) {
                    found.push(path.clone());
                    left.push((path, library));
                }
            }
        }
        found
    }

    fn missing_for(
        &self,
        path: &Path,
        linkage: &Linkage,
        needed_by: Option<&str>,
        depth: usize,
    ) -> Option<Missing> {
        let mut found = Vec::new();
        let mut missing = None;
        for name in &linkage.needed {
            match self.find(name, path, linkage) {
                Some((library, of)) => found.push((name, library, of)),
                None => missing = missing.or(Some(name)),
            }
        }
        // An old glibc explains more than a library that is not there.
        let versions = linkage.requires.iter().filter_map(|(library, version)| {
            let (_, path, offered) = found.iter().find(|(name, ..)| *name == library)?;
            let is_there = offered.offers.is_empty() || offered.offers.contains(version);
            (!is_there).then_some((library, version, path, offered))
        });
        let versions = versions.collect::<Vec<_>>();
        let newest = versions
            .iter()
            .filter_map(|(_, version, _, offered)| {
                let needed = glibc_release(version)?;
                let here = offered.offers.iter().filter_map(|name| glibc_release(name));
                Some((needed, here.max()?))
            })
            .max();
        if let Some((needed, here)) = newest {
            let shown = |(major, minor): (u32, u32)| format!("{major}.{minor}");
            return Some(Missing::Glibc {
                needed: shown(needed),
                here: shown(here),
            });
        }
        if let Some((library, version, path, _)) = versions.first() {
            return Some(Missing::Version {
                library: (*library).clone(),
                version: (*version).clone(),
                found: (*path).clone(),
            });
        }
        if let Some(name) = missing {
            return Some(Missing::Library {
                library: name.clone(),
                needed_by: needed_by.map(str::to_owned),
                looked_in: looked_in(linkage),
            });
        }
        if depth <= 1 {
            return None;
        }
        let mut deeper = found
            .iter()
            .map(|(name, path, of)| self.missing_for(path, of, Some(name), depth - 1));
        deeper.find_map(|missing| missing)
    }

    /// The library that the loader would take for `name`.
    fn find(&self, name: &str, by: &Path, linkage: &Linkage) -> Option<(PathBuf, Rc<Linkage>)> {
        if name.contains('/') {
            return self.at(&expand(name, by));
        }
        let mapped = self.mapped().get(name).cloned();
        let library_path = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let library_path = parts(library_path.as_bytes(), |octet| {
            matches!(octet, b':' | b';')
        });
        let library_path = library_path.map(|part| PathBuf::from(OsStr::from_bytes(part)));
        let own = |list: &str| {
            let parts = parts(list.as_bytes(), |octet| *octet == b':');
            let parts = parts.map(String::from_utf8_lossy);
            parts.map(|part| expand(&part, by)).collect::<Vec<_>>()
        };
        let directories = own(&linkage.rpath)
            .into_iter()
            .chain(library_path)
            .chain(own(&linkage.runpath))
            .map(|directory| directory.join(name));
        let cached = self.cache().get(name).into_iter().flatten().cloned();
        let standard = standard_directories().map(|directory| directory.join(name));
        let mut candidates = mapped
            .into_iter()
            .chain(directories)
            .chain(cached)
            .chain(standard);
        candidates.find_map(|path| self.at(&path))
    }

    /// The library at `path`, if there is one for this machine.
    fn at(&self, path: &Path) -> Option<(PathBuf, Rc<Linkage>)> {
        let known = self.read.borrow().get(path).cloned();
        let linkage = known.unwrap_or_else(|| {
            let linkage = read(path).map(Rc::new);
            let mut known = self.read.borrow_mut();
            known.insert(path.to_owned(), linkage.clone());
            linkage
        });
        linkage.map(|linkage| (path.to_owned(), linkage))
    }

    /// The libraries in this process, by file name: the loader takes them whatever the search says.
    fn mapped(&self) -> &BTreeMap<String, PathBuf> {
        self.mapped.get_or_init(|| {
            let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
            let paths = maps
                .lines()
                .filter_map(|line| Some(&line[line.find('/')?..]));
            let libraries = paths.filter(|path| path.contains(".so"));
            let named = libraries.filter_map(|path| Some((Path::new(path).file_name()?, path)));
            named
                .map(|(name, path)| (name.to_string_lossy().into_owned(), path.into()))
                .collect()
        })
    }

    fn cache(&self) -> &HashMap<String, Vec<PathBuf>> {
        self.cache.get_or_init(|| {
            let mut octets = Vec::new();
            let read = File::open("/etc/ld.so.cache")
                .and_then(|file| file.take(MAX_CACHE).read_to_end(&mut octets));
            read.ok()
                .and_then(|_| parse_cache(&octets))
                .unwrap_or_default()
        })
    }
}

/// `GLIBC_2.34` as numbers. What stands for relative relocations came with 2.36.
fn glibc_release(version: &str) -> Option<(u32, u32)> {
    let release = match version.strip_prefix("GLIBC_")? {
        "ABI_DT_RELR" => "2.36",
        release => release,
    };
    let mut numbers = release.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn looked_in(linkage: &Linkage) -> String {
    let own = [("RPATH", &linkage.rpath), ("RUNPATH", &linkage.runpath)];
    let own = own.iter().filter(|(_, list)| !list.is_empty());
    let mut places = own
        .map(|(name, list)| format!("its {name} ({list})"))
        .collect::<Vec<_>>();
    if let Some(path) = std::env::var_os("LD_LIBRARY_PATH").filter(|path| !path.is_empty()) {
        places.push(format!("LD_LIBRARY_PATH ({})", path.to_string_lossy()));
    }
    places.push("the system's library path".to_owned());
    places.join(", ")
}

/// The parts of a list of directories. An empty list has none, and an empty part of another is the
/// working directory.
fn parts(list: &[u8], is_separator: impl Fn(&u8) -> bool) -> impl Iterator<Item = &[u8]> {
    let parts = list.split(move |octet| is_separator(octet));
    parts.filter(move |_| !list.is_empty())
}

/// Replaces what the loader replaces in the paths of a library at `by`.
fn expand(path: &str, by: &Path) -> PathBuf {
    let origin = by.parent().unwrap_or(by).to_string_lossy();
    let arch = std::env::consts::ARCH;
    let mut path = path.to_owned();
    for (word, value) in [
        ("ORIGIN", &*origin),
        ("LIB", &format!("lib/{arch}-linux-gnu")),
        ("PLATFORM", arch),
    ] {
        path = path
            .replace(&format!("${{{word}}}"), value)
            .replace(&format!("${word}"), value);
    }
    path.into()
}

fn standard_directories() -> impl Iterator<Item = PathBuf> {
    let arch = std::env::consts::ARCH;
    let several = [
        format!("/lib/{arch}-linux-gnu"),
        format!("/usr/lib/{arch}-linux-gnu"),
    ];
    let plain = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(str::to_owned);
    several.into_iter().chain(plain).map(PathBuf::from)
}

fn read(path: &Path) -> Option<Linkage> {
    let path = fs::canonicalize(path).ok()?;
    let (file, metadata) = open(&path).ok()?;
    let data = ReadCache::new(&file);
    let library = elf::read(&data, metadata.len()).ok()?;
    if library.foreign.is_some() {
        return None;
    }
    // The loader may know better than we do; what cannot be read offers no versions.
    Some(linkage::read(&library.layout, &data).unwrap_or_default())
}

/// Reads the loader's cache, `glibc-ld.so.cache1.1`; an older one may stand before it.
fn parse_cache(octets: &[u8]) -> Option<HashMap<String, Vec<PathBuf>>> {
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    const HEADER: usize = 48;
    const ENTRY: usize = 24;
    let start = memchr::memmem::find(octets, MAGIC)?;
    let octets = &octets[start..];
    let number = |at: usize| {
        let octets = octets.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_ne_bytes(octets.try_into().ok()?)).ok()
    };
    let text = |at: usize| {
        let rest = octets.get(at..)?;
        Some(&rest[..memchr::memchr(0, rest)?])
    };
    let mut libraries: HashMap<String, Vec<PathBuf>> = HashMap::new();
    for index in 0..number(20)? {
        let at = HEADER.checked_add(index.checked_mul(ENTRY)?)?;
        let (name, path) = (text(number(at + 4)?)?, text(number(at + 8)?)?);
        let paths = libraries.entry(String::from_utf8_lossy(name).into_owned());
        paths.or_default().push(OsStr::from_bytes(path).into());
    }
    Some(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_glibc_are_compared_as_numbers() {
        assert!(glibc_release("GLIBC_2.4") < glibc_release("GLIBC_2.38"));
        assert_eq!(glibc_release("GLIBC_2.3.4"), Some((2, 3)));
        assert_eq!(glibc_release("GLIBC_ABI_DT_RELR"), Some((2, 36)));
        assert_eq!(glibc_release("GLIBC_PRIVATE"), None);
        assert_eq!(glibc_release("OPENSSL_3.0.0"), None);
    }

    #[test]
    fn an_empty_part_of_a_list_of_directories_is_the_working_directory() {
        // As glibc's loader has it: whoever is left out here is not judged, and loaded all the same.
        let listed = |list: &'static str| {
            let parts = parts(list.as_bytes(), |octet| *octet == b':');
            parts.map(String::from_utf8_lossy).collect::<Vec<_>>()
        };
        assert_eq!(listed(""), [""; 0]);
        assert_eq!(listed("/a:/b"), ["/a", "/b"]);
        assert_eq!(listed("/a:"), ["/a", ""]);
    }

    #[test]
    fn the_c_library_of_this_machine_is_found_with_its_versions() {
        let system = System::default();
        let (path, linkage) = system
            .find("libc.so.6", Path::new("/x/y.so"), &Linkage::default())
            .unwrap();
        assert!(path.is_absolute());
        assert!(
            linkage.offers.contains(&"GLIBC_2.4".to_owned()),
            "{linkage:?}"
        );
    }

    #[test]
    fn a_cache_of_any_octets_is_no_harm() {
        let mut octets = fs::read("/etc/ld.so.cache").unwrap_or_default();
        for length in 0..octets.len().min(400) {
            drop(parse_cache(&octets[..length]));
        }
        if octets.len() > 30 {
            octets[20..24].fill(0xff);
            drop(parse_cache(&octets));
        }
    }
}
