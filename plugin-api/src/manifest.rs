//! What a library says of itself, readable without running it.
//!
//! [`export!`](crate::export!) places an ELF note into the library: owner [`OWNER`], type
//! [`KIND`], and as descriptor a TOML text. A note lies in a loaded segment, so stripping keeps it;
//! `readelf -n` shows it. The text is put together at compile time, hence the `const` functions.
//!
//! ```toml
//! format = 1
//! api = "1.0.0"
//! rustc = "rustc 1.95.0 (59807616e 2026-04-14)"
//! panic = "unwind"
//! package = "janitor-plugin-files"
//! version = "0.1.0"
//!
//! [[plugin]]
//! key = "files.zones"
//! role = "authority"
//! summary = "Takes the desired state of zones from zone files in a directory."
//! settings = { type = "object", additionalProperties = false, required = ["directory"], properties = { … } }
//! ```
//!
//! `settings` is a schema of the plugin's table (see [`mod@crate::settings`]). A publisher whose writes
//! are conditional also has `conditional = true` (see
//! [`Publisher::CONDITIONAL`](crate::Publisher::CONDITIONAL)). Readers accept fields and
//! keywords that they do not know and refuse formats that they do not know.
//!
//! A second note, of the owner `FDO`, is the one that systemd defines for packages: programs that
//! look at core dumps name the library and its version with it.

/// Version of the ABI and of this crate, which are one.
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The compiler that built the library: for people, never a condition.
pub const RUSTC: &str = env!("JANITOR_RUSTC");

/// How panics of the library end. The host refuses anything but `unwind`.
pub const PANIC: &str = if cfg!(panic = "abort") {
    "abort"
} else {
    "unwind"
};

/// The owner of the note.
pub const OWNER: &str = "GordonJanitor";

/// The type of the note.
pub const KIND: u32 = 1;

/// Most octets of a manifest that a host reads.
pub const MAX_OCTETS: usize = 64 * 1024;

/// Tables of the configuration that belong to the host, so that no plugin can have them.
pub const HOST_TABLES: [&str; 3] = ["core", "metrics-logger", "ffwd"];

/// The owner of the note that systemd defines, and its type.
/// <https://uapi-group.org/specifications/specs/package_metadata_for_executable_files/>
const PACKAGE: (&str, u32) = ("FDO", 0xcafe_1a7e);

/// An ELF note with the manifest as its descriptor.
pub type Note<const N: usize> = RawNote<16, N>;

/// An ELF note that says of which package the library is, in JSON.
pub type PackageNote<const N: usize> = RawNote<4, N>;

/// An ELF note with `N` octets; its owner has `O` with the NUL behind it, padded to a multiple of four.
#[repr(C, align(4))]
pub struct RawNote<const O: usize, const N: usize> {
    owner_octets: u32,
    descriptor_octets: u32,
    kind: u32,
    owner: [u8; O],
    descriptor: [u8; N],
}

impl<const N: usize> Note<N> {
    /// The note that holds `parts`, one behind the other; they have to be `N` octets together.
    ///
    /// # Panics
    ///
    /// At compile time: if the parts have another length, or more than [`MAX_OCTETS`].
    #[must_use]
    pub const fn new(parts: &[Part]) -> Self {
        assert!(N <= MAX_OCTETS, "the manifest is larger than 64 KiB");
        Self::of(OWNER, KIND, parts)
    }
}

impl<const N: usize> PackageNote<N> {
    /// The note that holds `parts`; they have to be `N` octets together.
    ///
    /// # Panics
    ///
    /// At compile time: if the parts have another length.
    #[must_use]
    pub const fn package(parts: &[Part]) -> Self {
        Self::of(PACKAGE.0, PACKAGE.1, parts)
    }
}

impl<const O: usize, const N: usize> RawNote<O, N> {
    const fn of(name: &str, kind: u32, parts: &[Part]) -> Self {
        let mut descriptor = [0; N];
        let at = write_all(parts, &mut descriptor, 0);
        assert!(at == N, "the parts have another length");
        let mut owner = [0; O];
        put(&mut owner, 0, name.as_bytes());
        #[allow(
            clippy::cast_possible_truncation,
            clippy::allow_attributes,
            reason = "MAX_OCTETS bounds it; `try_into` is not const"
        )]
        Self {
            // With the NUL that ends it.
            owner_octets: name.len() as u32 + 1,
            descriptor_octets: N as u32,
            kind,
            owner,
            descriptor,
        }
    }
}

/// A piece of the manifest.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// Stands there as it is.
    Plain(&'static str),
    /// The inside of a TOML basic string: quotes, backslashes and control characters are escaped.
    Quoted(&'static str),
    /// Pieces that another type or macro put together.
    Nested(&'static [Self]),
    /// Pieces that are there if something is so.
    When(bool, &'static [Self]),
}

impl Part {
    const fn write(self, into: &mut [u8], at: usize) -> usize {
        match self {
            Self::Plain(text) => put(into, at, text.as_bytes()),
            Self::Quoted(text) => quote(into, at, text.as_bytes()),
            Self::Nested(parts) | Self::When(true, parts) => write_all(parts, into, at),
            Self::When(false, _) => at,
        }
    }

    const fn octets(self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            Self::Quoted(text) => {
                let text = text.as_bytes();
                let mut octets = text.len();
                let mut i = 0;
                while i < text.len() {
                    if text[i] == b'"' || text[i] == b'\\' {
                        octets += 1;
                    }
                    i += 1;
                }
                octets
            }
            Self::Nested(parts) | Self::When(true, parts) => octets(parts),
            Self::When(false, _) => 0,
        }
    }
}

/// Writes `parts` from octet `at` on, and returns where they end.
const fn write_all(parts: &[Part], into: &mut [u8], mut at: usize) -> usize {
    let mut i = 0;
    while i < parts.len() {
        at = parts[i].write(into, at);
        i += 1;
    }
    at
}

/// Writes octets as they are. A loop over them would make evaluation at compile time slow.
const fn put(into: &mut [u8], at: usize, octets: &[u8]) -> usize {
    let (_, rest) = into.split_at_mut(at);
    let (place, _) = rest.split_at_mut(octets.len());
    place.copy_from_slice(octets);
    at + octets.len()
}

const fn quote(into: &mut [u8], mut at: usize, text: &[u8]) -> usize {
    let mut i = 0;
    while i < text.len() {
        let octet = text[i];
        if octet == b'"' || octet == b'\\' {
            into[at] = b'\\';
            at += 1;
        }
        // Doc comments hold no other control character than tabs; a space will do.
        into[at] = if octet < 0x20 { b' ' } else { octet };
        at += 1;
        i += 1;
    }
    at
}

/// Octets of all `parts` together.
#[must_use]
pub const fn octets(parts: &[Part]) -> usize {
    let mut octets = 0;
    let mut i = 0;
    while i < parts.len() {
        octets += parts[i].octets();
        i += 1;
    }
    octets
}

/// What `parts` say, one behind the other.
#[must_use]
pub fn text(parts: &[Part]) -> String {
    let mut text = vec![0; octets(parts)];
    let written = write_all(parts, &mut text, 0);
    debug_assert_eq!(written, text.len());
    // They are texts, and escaping adds nothing but ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// `summary` without the space that a doc comment begins with.
#[must_use]
pub const fn summary(summary: &'static str) -> &'static str {
    match summary.as_bytes() {
        [b' ', ..] => summary.split_at(1).1,
        _ => summary,
    }
}

/// `key` if it can be the key of a plugin.
///
/// # Panics
///
/// At compile time: unless it has 1 to 64 characters of `a-z`, `0-9`, `.`, `_` and `-`, begins and
/// ends with none of the last three, and has no two of them in a row. Its table is none of the
/// [host's own](HOST_TABLES), nor below one.
#[must_use]
pub const fn checked_key(key: &'static str) -> &'static str {
    let octets = key.as_bytes();
    assert!(
        !octets.is_empty() && octets.len() <= 64,
        "a plugin's key has 1 to 64 characters"
    );
    let mut i = 0;
    let mut after_letter = false;
    while i < octets.len() {
        let letter = matches!(octets[i], b'a'..=b'z' | b'0'..=b'9');
        assert!(
            letter || (after_letter && matches!(octets[i], b'.' | b'_' | b'-')),
            "a plugin's key is made of a-z and 0-9, with single `.`, `_` or `-` between them"
        );
        after_letter = letter;
        i += 1;
    }
    assert!(after_letter, "a plugin's key ends with a letter or digit");
    let mut i = 0;
    while i < HOST_TABLES.len() {
        assert!(
            !is_below(octets, HOST_TABLES[i].as_bytes()),
            "a plugin's key does not begin with the name of one of the host's own tables"
        );
        i += 1;
    }
    key
}

/// Whether `key` is `table`, or goes on behind it with a dot.
const fn is_below(key: &[u8], table: &[u8]) -> bool {
    let mut i = 0;
    while i < table.len() {
        if i >= key.len() || key[i] != table[i] {
            return false;
        }
        i += 1;
    }
    i == key.len() || key[i] == b'.'
}

#[cfg(test)]
mod tests {
    use super::{Note, PackageNote, Part, checked_key, octets, summary};

    const PARTS: &[Part] = &[
        Part::Plain("summary = \""),
        Part::Quoted(summary(" says \"a\\b\"\tand more")),
        Part::Plain("\"\n"),
    ];

    #[test]
    fn quotes_and_backslashes_of_a_summary_are_escaped() {
        let note = Note::<{ octets(PARTS) }>::new(PARTS);
        assert_eq!(
            String::from_utf8_lossy(&note.descriptor),
            "summary = \"says \\\"a\\\\b\\\" and more\"\n",
        );
        assert_eq!(note.descriptor_octets as usize, note.descriptor.len());
    }

    #[test]
    fn a_note_is_laid_out_as_elf_wants_it() {
        let note = Note::<{ octets(PARTS) }>::new(PARTS);
        assert_eq!((note.owner_octets, note.kind), (14, 1));
        assert_eq!(&note.owner, b"GordonJanitor\0\0\0");
        assert_eq!(std::mem::offset_of!(Note<8>, descriptor), 28);
    }

    #[test]
    fn the_note_of_the_package_has_the_owner_and_type_that_systemd_looks_for() {
        let note = PackageNote::<{ octets(PARTS) }>::package(PARTS);
        assert_eq!((note.owner_octets, note.kind), (4, 0xcafe_1a7e));
        assert_eq!(&note.owner, b"FDO\0");
        assert_eq!(std::mem::offset_of!(PackageNote<8>, descriptor), 16);
    }

    #[test]
    fn nested_parts_are_written_where_they_stand() {
        const NESTED: &[Part] = &[
            Part::Plain("{ "),
            Part::Nested(&[Part::Plain("a = 1"), Part::When(false, PARTS)]),
            Part::When(true, &[Part::Plain(", "), Part::Nested(PARTS)]),
            Part::Plain(" }"),
        ];
        let note = Note::<{ octets(NESTED) }>::new(NESTED);
        assert_eq!(
            String::from_utf8_lossy(&note.descriptor),
            "{ a = 1, summary = \"says \\\"a\\\\b\\\" and more\"\n }",
        );
    }

    #[test]
    fn keys_have_one_form() {
        assert_eq!(checked_key("gcp.gce-2.a_b"), "gcp.gce-2.a_b");
        assert_eq!(checked_key("corex.core.ffwd"), "corex.core.ffwd");
        for key in [
            "", ".a", "a.", "a..b", "A", "a b", "ä", "a._b", "core", "core.a", "ffwd.a",
        ] {
            assert!(
                std::panic::catch_unwind(|| checked_key(key)).is_err(),
                "{key:?} was accepted"
            );
        }
    }
}
