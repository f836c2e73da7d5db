//! The sha256 of a library, as it is recorded when it is installed.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::Expected;
use super::refusal::{cannot_open, file_name};
use crate::problem::{Code, Problem};

/// A sha256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest that was computed as `octets`.
    #[must_use]
    pub(crate) const fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The digest of everything in `file`, from its beginning.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of(file: &File) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let mut at = 0;
        loop {
            match file.read_at(&mut buffer, at) {
                Ok(0) => return Ok(Self(hasher.finalize().into())),
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    at += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of the regular file at `path`, without waiting for anything.
    ///
    /// # Errors
    ///
    /// When it is none, or cannot be read.
    pub fn at(path: &Path) -> io::Result<Self> {
        let (file, _) = super::reopen(&std::fs::canonicalize(path)?)?;
        Self::of(&file)
    }

    /// Enough of it for people to tell files apart: 8 hexadecimal digits.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sha256 has 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(NotADigest);
        }
        let mut octets = [0; 32];
        for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).ok();
            *octet = pair
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or(NotADigest)?;
        }
        Ok(Self(octets))
    }
}

/// What is wrong with a library that is not the one that was installed.
pub(super) fn judge(path: &Path, file: &File, expected: &Expected) -> Option<Problem> {
    let found = match Digest::of(file) {
        Ok(found) => found,
        Err(error) => return Some(cannot_open(path, &error)),
    };
    if expected.digests.contains(&found) {
        return None;
    }
    let wanted = expected
        .digests
        .first()
        .map_or_else(|| "another".to_owned(), Digest::short);
    let summary = format!(
        "{} changed since it was installed: sha256 {wanted}… expected, {}… found",
        file_name(path),
        found.short()
    );
    let problem = Problem::error(Code::Changed, summary)
        .place(path.display())
        .found(format!("the record of {}", expected.what))
        .because("its octets are not those that were judged then")
        .help(format!(
            "if you changed it: gordon-janitor plugins install {}",
            path.display()
        ))
        .help("if you did not: install it anew from where it came from, and find out who did");
    Some(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_and_read_as_sha256sum_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let digest = Digest::at(&path).unwrap();
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(digest.short(), "ba7816bf");
        assert_eq!(text[1..].parse::<Digest>(), Err(NotADigest));
        assert_eq!(text.replace('b', "g").parse::<Digest>(), Err(NotADigest));
    }
}
