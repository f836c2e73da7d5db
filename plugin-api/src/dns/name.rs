//! Domain names: owned and borrowed, in canonical wire form.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::labels::{self, LabelStarts};

/// A domain name in canonical wire form: uncompressed, ASCII lower case, absolute.
///
/// Letter case is not kept, so two names are equal exactly when their octets
/// are (RFC 4343). The order is the canonical one of RFC 4034, section 6.1.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Box<[u8]>);

/// A [`Name`] that borrows its octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameRef<'a>(&'a [u8]);

impl Name {
    /// Returns the name of the root zone.
    #[must_use]
    pub fn root() -> Self {
        Self(Box::new([0]))
    }

    /// Reads an uncompressed name that fills `octets`, in any letter case.
    ///
    /// # Errors
    ///
    /// [`NameError`] if `octets` is not one name of RFC 1035, section 3.1.
    pub fn from_wire(octets: &[u8]) -> Result<Self, NameError> {
        labels::scan_whole(octets)?;
        Ok(Self(octets.to_ascii_lowercase().into()))
    }

    /// Reads presentation format, relative names being relative to `origin`.
    ///
    /// `@` is the origin itself, as in a zone file.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the text is not a name or the whole is too long.
    pub fn from_text(text: &str, origin: NameRef<'_>) -> Result<Self, NameError> {
        if text == "@" {
            return Ok(origin.to_owned());
        }
        let mut octets = Vec::with_capacity(text.len() + 2);
        if !labels::parse(text, &mut octets)? {
            octets.extend_from_slice(origin.as_wire());
            labels::scan_whole(&octets)?;
        }
        Ok(Self(octets.into()))
    }

    /// Returns the octets of the name, the root label included.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Borrows the name.
    #[must_use]
    pub fn as_ref(&self) -> NameRef<'_> {
        NameRef(&self.0)
    }
}

/// Reads presentation format; a name without final dot is taken as absolute.
impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let mut octets = Vec::with_capacity(text.len() + 2);
        if !labels::parse(text, &mut octets)? {
            octets.push(0);
            labels::scan_whole(&octets)?;
        }
        Ok(Self(octets.into()))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl<'a> NameRef<'a> {
    /// Takes octets that are a name in canonical wire form.
    ///
    /// # Errors
    ///
    /// [`NameError`] if `octets` is not one name, or not in lower case.
    pub fn from_canonical_wire(octets: &'a [u8]) -> Result<Self, NameError> {
        labels::scan_whole(octets)?;
        if labels::has_upper_case(octets) {
            return Err(NameError::UpperCase);
        }
        Ok(Self(octets))
    }

    /// Takes the name at the beginning of octets known to begin with one.
    pub(crate) fn trusted_prefix(octets: &'a [u8]) -> Self {
        Self(&octets[..labels::trusted_len(octets)])
    }

    /// Returns the octets of the name, the root label included.
    #[must_use]
    pub const fn as_wire(self) -> &'a [u8] {
        self.0
    }

    /// Returns the labels, leftmost first, without the root label.
    pub fn labels(self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first()?;
            let (label, tail) = tail.split_at(usize::from(length));
            rest = tail;
            (length > 0).then_some(label)
        })
    }

    /// Returns whether this is the root.
    #[must_use]
    pub const fn is_root(self) -> bool {
        self.0.len() == 1
    }

    /// Returns whether the leftmost label is the asterisk (RFC 4592).
    #[must_use]
    pub fn is_wildcard(self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// Returns the name without its leftmost label; the root has none.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let (&length, tail) = self.0.split_first()?;
        (length > 0).then(|| Self(&tail[usize::from(length)..]))
    }

    /// Returns whether this name is `ancestor` or a name below it.
    #[must_use]
    pub fn is_at_or_below(self, ancestor: NameRef<'_>) -> bool {
        let mut name = self;
        while name.0.len() > ancestor.0.len() {
            let Some(parent) = name.parent() else {
                return false;
            };
            name = parent;
        }
        name.0 == ancestor.0
    }

    /// Copies the name.
    #[must_use]
    pub fn to_owned(self) -> Name {
        Name(self.0.into())
    }
}

impl Ord for NameRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0 == other.0 {
            return Ordering::Equal;
        }
        let (ours, theirs) = (LabelStarts::trusted(self.0), LabelStarts::trusted(other.0));
        labels::compare((self.0, &ours), (other.0, &theirs), 0).0
    }
}

impl PartialOrd for NameRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Writes presentation format with the final dot; what a zone file could take
/// for something else is escaped (RFC 1035, section 5.1).
impl fmt::Display for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        self.labels().try_for_each(|label| labels::write(label, f))
    }
}

impl fmt::Debug for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why text or octets are not a domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is nothing; the root is written as a dot.
    #[error("the name is empty; the root zone is written `.`")]
    Empty,
    /// Two dots in a row, or a dot at the beginning.
    #[error("a label of the name is empty")]
    EmptyLabel,
    /// A label longer than 63 octets.
    #[error("a label of the name has more than 63 octets")]
    LongLabel,
    /// A name longer than 255 octets in wire form.
    #[error("the name has more than 255 octets in wire form")]
    LongName,
    /// A character outside ASCII.
    #[error("the name contains `{0}`; write internationalised labels as A-labels (`xn--…`)")]
    NonAscii(char),
    /// A character that presentation format gives another meaning.
    #[error("the name contains {0:?}, which needs a backslash")]
    Unescaped(char),
    /// A backslash that is followed by neither a character nor `DDD` up to 255.
    #[error("a backslash in the name is not followed by a character or by three digits up to 255")]
    BadEscape,
    /// The octets end inside the name.
    #[error("the octets end inside the name")]
    Truncated,
    /// A compression pointer or another label type of RFC 6891, section 5.
    #[error("the name is compressed or has a label of unknown type")]
    LabelType,
    /// Octets follow the root label.
    #[error("octets follow the name")]
    TrailingOctets,
    /// Canonical form is lower case.
    #[error("the name has upper-case letters")]
    UpperCase,
}

#[cfg(test)]
mod tests;
