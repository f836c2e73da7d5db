//! What kind of difference does not go away.

use std::fmt;

use janitor_plugin_api::dns::{NameRef, RrsetRef, Rtype};

/// What is served in the place of what is desired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Nothing.
    Missing,
    /// What ought to be gone.
    StillThere,
    /// The same values with another TTL.
    Ttl,
    /// The same values in other letters.
    LetterCase,
    /// The same text, cut into strings elsewhere.
    TextStrings,
    /// The same values with octets behind them on one side.
    TrailingData,
    /// The same names, on one side with the zone's name behind them.
    ZoneAppended,
    /// Not all values.
    ValuesMissing,
    /// More values.
    ValuesLeft,
    /// Other values.
    Values,
}

impl Difference {
    /// Tells what is between what is `served` and what is `desired`, both of type `rtype` in the zone
    /// `apex`.
    pub(super) fn between(
        served: Option<RrsetRef<'_>>,
        desired: Option<RrsetRef<'_>>,
        rtype: Rtype,
        apex: NameRef<'_>,
    ) -> Self {
        let (served, desired) = match (served, desired) {
            (Some(served), Some(desired)) => (served, desired),
            (None, _) => return Self::Missing,
            (_, None) => return Self::StillThere,
        };
        let ours: Vec<_> = desired.rdatas().collect();
        let theirs: Vec<_> = served.rdatas().collect();
        // Both are sorted, each value once.
        let is_there = |values: &[&[u8]], value: &&[u8]| values.binary_search(value).is_ok();
        let lacks = ours.iter().filter(|value| !is_there(&theirs, value));
        let lacks: Vec<_> = lacks.copied().collect();
        let beyond = theirs.iter().filter(|value| !is_there(&ours, value));
        let beyond: Vec<_> = beyond.copied().collect();
        match (lacks.is_empty(), beyond.is_empty()) {
            (true, true) => return Self::Ttl,
            (true, false) => return Self::ValuesLeft,
            (false, true) => return Self::ValuesMissing,
            (false, false) => {}
        }
        if pairs(&lacks, &beyond, <[u8]>::to_ascii_lowercase) {
            return Self::LetterCase;
        }
        let is_text = matches!(rtype, Rtype::TXT | Rtype::SPF);
        if is_text && pairs(&lacks, &beyond, joined) {
            return Self::TextStrings;
        }
        let with_zone = |rdata: &[u8]| with_zone(rdata, apex);
        if ends_with_a_name(rtype)
            && (each(&lacks, with_zone) == each(&beyond, <[u8]>::to_vec)
                || each(&beyond, with_zone) == each(&lacks, <[u8]>::to_vec))
        {
            return Self::ZoneAppended;
        }
        let (lacks, beyond) = match is_text {
            true => (each(&lacks, joined), each(&beyond, joined)),
            false => (each(&lacks, <[u8]>::to_vec), each(&beyond, <[u8]>::to_vec)),
        };
        if has_tails(&lacks, &beyond) || has_tails(&beyond, &lacks) {
            return Self::TrailingData;
        }
        Self::Values
    }

    /// One word, for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::StillThere => "still-there",
            Self::Ttl => "ttl",
            Self::LetterCase => "letter-case",
            Self::TextStrings => "text-strings",
            Self::TrailingData => "trailing-data",
            Self::ZoneAppended => "zone-appended",
            Self::ValuesMissing => "values-missing",
            Self::ValuesLeft => "values-left",
            Self::Values => "values",
        }
    }
}

/// For people: what is wrong with what is served.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is still not served",
            Self::StillThere => "it is still served",
            Self::Ttl => "only the TTL differs",
            Self::LetterCase => "only letter case differs",
            Self::TextStrings => "only the division into strings differs",
            Self::TrailingData => "one side has more octets behind the same value",
            Self::ZoneAppended => "one side has the name of the zone once more behind a name",
            Self::ValuesMissing => "some values are not served",
            Self::ValuesLeft => "some values are served still",
            Self::Values => "the values differ",
        })
    }
}

fn each(values: &[&[u8]], change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut values: Vec<_> = values.iter().map(|value| change(value)).collect();
    values.sort_unstable();
    values
}

/// Whether both sides are the same once every value is changed.
fn pairs(left: &[&[u8]], right: &[&[u8]], change: impl Fn(&[u8]) -> Vec<u8>) -> bool {
    each(left, &change) == each(right, &change)
}

fn ends_with_a_name(rtype: Rtype) -> bool {
    matches!(
        rtype,
        Rtype::CNAME | Rtype::DNAME | Rtype::NS | Rtype::PTR | Rtype::MX | Rtype::SRV
    )
}

/// The rdata with the name of the zone behind the name at its end.
fn with_zone(rdata: &[u8], apex: NameRef<'_>) -> Vec<u8> {
    let without_root = rdata.split_last().map_or(rdata, |(_, rest)| rest);
    [without_root, apex.as_wire()].concat()
}

/// The strings of a text, one behind the other.
fn joined(mut rdata: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(rdata.len());
    while let Some((&length, rest)) = rdata.split_first() {
        let (string, after) = rest.split_at(usize::from(length).min(rest.len()));
        text.extend_from_slice(string);
        rdata = after;
    }
    text
}

/// Whether every value of `longer` is one of `shorter` with something behind it, in the same order.
fn has_tails(shorter: &[Vec<u8>], longer: &[Vec<u8>]) -> bool {
    let mut both = shorter.iter().zip(longer);
    shorter.len() == longer.len()
        && both.all(|(short, long)| !short.is_empty() && long.starts_with(short))
}
