//! The parts of an ELF file that decide whether it can be loaded.
//!
//! Everything is read through a [`ReadCache`]: nothing is mapped, so a file
//! that shrinks meanwhile is an error and not a signal.

use std::fmt;

use object::elf;
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, ReadCache, ReadCacheOps, ReadRef as _};

use janitor_plugin_api::manifest::{KIND, MAX_OCTETS, OWNER};

/// Program headers of a library at most; linkers write about ten.
const MAX_SEGMENTS: u64 = 256;
/// Octets of all notes, or of the dynamic section, that are read at most.
const MAX_SEGMENT_OCTETS: u64 = 1 << 20;

/// What is known of a shared library.
#[derive(Debug)]
pub(super) struct Library {
    /// The descriptor of our note, if there is one.
    pub(super) note: Option<Vec<u8>>,
    /// The machine, if it is not this one.
    pub(super) foreign: Option<Machine>,
    /// Where the parts of the file go, and what its linker wrote for the loader.
    pub(super) layout: Layout,
}

/// What the loader looks at.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) segments: Vec<Segment>,
    pub(super) endian: Endianness,
    /// The entries of the dynamic section, up to the one that ends it.
    pub(super) dynamic: Vec<(elf::DynamicTag, u64)>,
}

impl Layout {
    /// The first value of a tag of the dynamic section.
    pub(super) fn value(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.values(tag).next()
    }

    /// All values of a tag of the dynamic section.
    pub(super) fn values(&self, tag: elf::DynamicTag) -> impl Iterator<Item = u64> {
        let of_tag = self.dynamic.iter().filter(move |(found, _)| *found == tag);
        of_tag.map(|(_, value)| *value)
    }
}

/// Why a file is not a library that could be loaded.
#[derive(Debug)]
pub(super) enum Fault {
    NotElf,
    /// A program, an object file or a core dump.
    Kind(&'static str),
    /// Built for a machine of another word size or byte order: its headers are not read.
    Machine(Machine),
    /// The headers describe more octets than there are.
    Incomplete {
        described: u64,
    },
    Malformed(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => f.write_str("no ELF header"),
            Self::Kind(kind) => f.write_str(kind),
            Self::Machine(machine) => write!(f, "built for {machine}"),
            Self::Incomplete { described } => write!(f, "{described} octets are described"),
            Self::Malformed(what) => f.write_str(what),
        }
    }
}

impl From<object::read::Error> for Fault {
    fn from(error: object::read::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// What machine code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    number: u16,
    is_64: bool,
    is_big: bool,
}

impl Machine {
    /// The machine that this program was built for.
    pub(super) fn of_host() -> Self {
        let number = NAMES
            .iter()
            .find(|(_, name)| *name == std::env::consts::ARCH)
            .map_or(0, |(number, _)| *number);
        Self {
            number,
            is_64: cfg!(target_pointer_width = "64"),
            is_big: cfg!(target_endian = "big"),
        }
    }
}

/// `e_machine` and the name that `std::env::consts::ARCH` has for it.
const NAMES: [(u16, &str); 9] = [
    (62, "x86_64"),
    (3, "x86"),
    (183, "aarch64"),
    (40, "arm"),
    (243, "riscv64"),
    (21, "powerpc64"),
    (22, "s390x"),
    (258, "loongarch64"),
    (8, "mips"),
];

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.number) {
            Some((_, name)) => f.write_str(name)?,
            None => write!(f, "machine {}", self.number)?,
        }
        let host = Self::of_host();
        if self.is_64 != host.is_64 {
            f.write_str(if self.is_64 { ", 64-bit" } else { ", 32-bit" })?;
        }
        if self.is_big != host.is_big {
            f.write_str(if self.is_big {
                ", big-endian"
            } else {
                ", little-endian"
            })?;
        }
        Ok(())
    }
}

type Header = elf::FileHeader64<Endianness>;

/// Reads the headers and our note of a file of `length` octets.
pub(super) fn read<R: ReadCacheOps>(data: &ReadCache<R>, length: u64) -> Result<Library, Fault> {
    let Ok(ident) = data.read_bytes_at(0, 4) else {
        return Err(Fault::NotElf);
    };
    if ident != elf::ELFMAG {
        return Err(Fault::NotElf);
    }
    let incomplete = |described| Err(Fault::Incomplete { described });
    let Ok(start) = data.read_bytes_at(0, 20) else {
        return incomplete(64);
    };
    let (is_64, is_big) = match (start[4], start[5]) {
        (class @ (1 | 2), order @ (1 | 2)) => (class == 2, order == 2),
        (class, order) => {
            return Err(Fault::Malformed(format!(
                "class {class}, byte order {order}"
            )));
        }
    };
    let half = |at: usize| {
        let octets = [start[at], start[at + 1]];
        if is_big {
            u16::from_be_bytes(octets)
        } else {
            u16::from_le_bytes(octets)
        }
    };
    let machine = Machine {
        number: half(18),
        is_64,
        is_big,
    };
    let host = Machine::of_host();
    if (machine.is_64, machine.is_big) != (host.is_64, host.is_big) {
        return Err(Fault::Machine(machine));
    }
    match half(16) {
        3 => {}
        1 => return Err(Fault::Kind("an object file, not yet linked")),
        2 => return Err(Fault::Kind("a program")),
        4 => return Err(Fault::Kind("a core dump")),
        other => return Err(Fault::Malformed(format!("type {other}"))),
    }
    if length < 64 {
        return incomplete(64);
    }
    let header = Header::parse(data)?;
    let endian = header.endian()?;
    let count = u64::from(header.e_phnum.get(endian));
    let described = described(header, endian, count);
    if count > MAX_SEGMENTS {
        return Err(Fault::Malformed(format!("{count} program headers")));
    }
    let table = header.e_phoff.get(endian).saturating_add(count * 56);
    if table > length {
        return incomplete(described.max(table));
    }
    let segments = header.program_headers(endian, data)?;
    let ends = segments.iter().map(|segment| {
        segment
            .p_offset(endian)
            .saturating_add(segment.p_filesz(endian))
    });
    let described = ends.fold(described, u64::max);
    if described > length {
        return incomplete(described);
    }
    let layout = Layout {
        segments: segments.to_vec(),
        endian,
        dynamic: dynamic(segments, endian, data)?,
    };
    // A position-independent program is a shared object in all but a flag.
    let is_program = |flags: u64| flags & elf::DF_1_PIE.0 != 0;
    if layout.values(elf::DT_FLAGS_1).any(is_program) {
        return Err(Fault::Kind("a program"));
    }
    let foreign = Some(machine).filter(|machine| *machine != host);
    Ok(Library {
        note: note(segments, endian, data)?,
        foreign,
        layout,
    })
}

/// The end of the section table, which linkers write last; of the file header at least.
fn described(header: &Header, endian: Endianness, program_headers: u64) -> u64 {
    let sections = header.e_shoff.get(endian);
    let octets = u64::from(header.e_shnum.get(endian)) * u64::from(header.e_shentsize.get(endian));
    let programs = if program_headers == 0 {
        0
    } else {
        header.e_phoff.get(endian)
    };
    let end = if sections == 0 {
        0
    } else {
        sections.saturating_add(octets)
    };
    end.max(programs).max(64)
}

pub(super) type Segment = elf::ProgramHeader64<Endianness>;

fn dynamic<R: ReadCacheOps>(
    segments: &[Segment],
    endian: Endianness,
    data: &ReadCache<R>,
) -> Result<Vec<(elf::DynamicTag, u64)>, Fault> {
    let mut left = MAX_SEGMENT_OCTETS;
    let mut entries = Vec::new();
    for segment in segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_DYNAMIC)
    {
        let Some(rest) = left.checked_sub(segment.p_filesz(endian)) else {
            return Err(Fault::Malformed(format!(
                "more than {MAX_SEGMENT_OCTETS} octets of dynamic sections"
            )));
        };
        left = rest;
        let section = segment.dynamic(endian, data)?.into_iter().flatten();
        let section = section.map(|entry| (entry.d_tag.get(endian), entry.d_val.get(endian)));
        entries.extend(section.take_while(|(tag, _)| *tag != elf::DT_NULL));
    }
    Ok(entries)
}

/// Finds our note. The segments are walked, because sections can be stripped.
fn note<R: ReadCacheOps>(
    segments: &[Segment],
    endian: Endianness,
    data: &ReadCache<R>,
) -> Result<Option<Vec<u8>>, Fault> {
    let mut left = MAX_SEGMENT_OCTETS;
    for segment in segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_NOTE)
    {
        let Some(rest) = left.checked_sub(segment.p_filesz(endian)) else {
            return Err(Fault::Malformed(format!(
                "more than {MAX_SEGMENT_OCTETS} octets of notes"
            )));
        };
        left = rest;
        let Some(mut notes) = segment.notes(endian, data)? else {
            continue;
        };
        while let Some(note) = notes.next()? {
            if note.name() == OWNER.as_bytes() && note.n_type(endian).0 == KIND {
                // One octet more than allowed is enough to be refused as too long.
                let descriptor = note.desc();
                return Ok(Some(
                    descriptor[..descriptor.len().min(MAX_OCTETS + 1)].to_vec(),
                ));
            }
        }
    }
    Ok(None)
}
