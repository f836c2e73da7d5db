//! Says what a file is that is not ELF, so that its owner recognises it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// What a file looks like.
pub(super) struct Sniffed {
    /// In words: `an HTML page of 1247 octets`.
    pub(super) what: String,
    /// Its first octets, as text or in hexadecimal; `None` if it has none.
    pub(super) first: Option<String>,
    /// What may have happened, and what to do.
    pub(super) help: &'static str,
}

const DOWNLOAD: &str =
    "the download probably failed; fetch it again and compare its sha256 with the publisher's";
const UNPACK: &str = "unpack it, and put the library inside it here";
const ANOTHER_SYSTEM: &str = "install the build for this system";
const MOVE: &str =
    "move it out of the plugin directory, or install the library that should be here";
const BUILD: &str = "a plugin is built with crate-type = [\"cdylib\"]";

/// Looks at the first octets of `file`, which has `octets` in all.
pub(super) fn sniff(file: &File, octets: u64) -> Sniffed {
    let mut buffer = [0; 512];
    // What cannot be read looks empty, and is called so only if it is.
    let read = file.read_at(&mut buffer, 0).unwrap_or(0);
    let head = &buffer[..read];
    let (what, help) = classify(head);
    let what = match head {
        [] if octets == 0 => "empty".to_owned(),
        _ => format!("{what} of {octets} octets"),
    };
    Sniffed {
        what,
        first: (!head.is_empty()).then(|| first(head)),
        help,
    }
}

fn classify(head: &[u8]) -> (&'static str, &'static str) {
    let is_text = std::str::from_utf8(head).is_ok_and(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace()))
        // A character may be cut in two at the end.
        || std::str::from_utf8(head).is_err_and(|error| error.error_len().is_none() && !head[..error.valid_up_to()].contains(&0));
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let start = text.trim_start();
    match head {
        [] => ("a file", DOWNLOAD),
        [0x1f, 0x8b, ..] => ("a gzip archive", UNPACK),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => ("a zip archive", UNPACK),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ("an xz archive", UNPACK),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ("a zstd archive", UNPACK),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => {
            ("a static library or a package (ar archive)", BUILD)
        }
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..]
        | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..]
        | [0xca, 0xfe, 0xba, 0xbe, ..] => ("a Mach-O file, built for macOS", ANOTHER_SYSTEM),
        [b'M', b'Z', ..] => ("a PE file, built for Windows", ANOTHER_SYSTEM),
        [0, ..] if head.iter().all(|octet| *octet == 0) => {
            ("a file that begins with nothing but zeros", DOWNLOAD)
        }
        _ if start.starts_with("<!doctype html") || start.starts_with("<html") => {
            ("an HTML page", DOWNLOAD)
        }
        _ if start.starts_with("#!") => ("a script", MOVE),
        _ if is_text
            && ["/* gnu ld script", "input(", "group(", "output_format("]
                .iter()
                .any(|word| start.contains(word)) =>
        {
            ("a linker script", MOVE)
        }
        _ if is_text => ("a text", MOVE),
        _ => ("a file of unknown kind", MOVE),
    }
}

fn first(head: &[u8]) -> String {
    let head = &head[..head.len().min(16)];
    match std::str::from_utf8(head) {
        Ok(text) if !text.contains(char::is_control) => format!("{text:?}"),
        _ => head
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect::<Vec<_>>()
            .join(" "),
    }
}
