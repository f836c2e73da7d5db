//! Patterns of names, as the configuration has them: which zones, which owners.
//!
//! | pattern | names |
//! | --- | --- |
//! | `example.com` | this one |
//! | `*.example.com` | every name below it, at any depth, and not itself |
//! | `_acme-challenge.*` | every name that begins with these labels and goes on |
//! | `*._domainkey.*` | both: every name below one that begins with these labels and goes on |
//! | `web-*.example.com` | an asterisk in a label stands for any octets of this label |
//! | `a.*.example.com` | a label that is an asterisk, in the middle: any one label |
//! | `\*.example.com` | the wildcard owner itself |
//! | `*` | every name, the root too |
//!
//! Names are absolute with and without final dot, and letter case does not matter.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use janitor_plugin_api::dns::{Name, NameError, NameRef};

/// A pattern that stands for names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Leftmost first; empty for the root.
    labels: Vec<Label>,
    /// Whether any name is matched.
    all: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Label {
    /// One label or more.
    Several,
    /// The parts between the asterisks; one part is the label itself.
    Parts(Vec<Box<[u8]>>),
}

/// How closely a pattern describes what it matches: labels, then octets that are no asterisks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closeness {
    labels: usize,
    octets: usize,
    exact: bool,
}

impl Pattern {
    /// Returns whether `name` is one of those that the pattern stands for.
    #[must_use]
    pub fn matches(&self, name: NameRef<'_>) -> bool {
        if self.all {
            return true;
        }
        let (goes_on, labels) = match self.labels.split_last() {
            Some((Label::Several, labels)) => (true, labels),
            _ => (false, &*self.labels),
        };
        let begins = |name: NameRef<'_>| {
            let mut octets = name.labels();
            let mut labels = labels.iter().filter(|label| **label != Label::Several);
            labels.all(|label| octets.next().is_some_and(|octets| label.matches(octets)))
                && octets.next().is_some() == goes_on
        };
        if labels.first() != Some(&Label::Several) {
            return begins(name);
        }
        std::iter::successors(name.parent(), |name| name.parent()).any(begins)
    }

    /// How closely the pattern describes what it matches.
    #[must_use]
    pub fn closeness(&self) -> Closeness {
        let parts = self.labels.iter().filter_map(|label| match label {
            Label::Several => None,
            Label::Parts(parts) => Some(parts),
        });
        Closeness {
            labels: parts.clone().count(),
            octets: parts.clone().flatten().map(|part| part.len()).sum(),
            exact: !self.all
                && parts.clone().count() == self.labels.len()
                && parts.clone().all(|parts| parts.len() == 1),
        }
    }

    /// The name, if the pattern stands for one alone.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        if !self.closeness().exact {
            return None;
        }
        let mut wire = Vec::new();
        for label in &self.labels {
            if let Label::Parts(parts) = label {
                wire.push(u8::try_from(parts[0].len()).ok()?);
                wire.extend_from_slice(&parts[0]);
            }
        }
        wire.push(0);
        Name::from_wire(&wire).ok()
    }

    /// A name that the pattern stands for, and no pattern that stands for less; none if none fits.
    ///
    /// Where the pattern has an asterisk, the name has an octet that nobody writes down.
    #[must_use]
    pub fn any_name(&self) -> Option<Name> {
        const ANY: &[u8] = &[0xff];
        let mut wire = Vec::new();
        for label in &self.labels {
            let label = match label {
                Label::Several => ANY.to_vec(),
                Label::Parts(parts) => parts.join(ANY),
            };
            wire.push(u8::try_from(label.len()).ok()?);
            wire.extend_from_slice(&label);
        }
        wire.push(0);
        Name::from_wire(&wire).ok()
    }

    /// The pattern that stands for `name` alone.
    #[must_use]
    pub fn exactly(name: NameRef<'_>) -> Self {
        Self {
            text: name.to_string(),
            labels: name
                .labels()
                .map(|label| Label::Parts(vec![label.into()]))
                .collect(),
            all: false,
        }
    }
}

impl Label {
    fn matches(&self, octets: &[u8]) -> bool {
        let Self::Parts(parts) = self else {
            return true;
        };
        let [first, rest @ ..] = parts.as_slice() else {
            return false;
        };
        let Some(mut octets) = octets.strip_prefix(&**first) else {
            return false;
        };
        let [middle @ .., last] = rest else {
            return octets.is_empty();
        };
        for part in middle {
            let Some(at) = find(octets, part) else {
                return false;
            };
            octets = &octets[at + part.len()..];
        }
        octets.ends_with(last)
    }
}

fn find(octets: &[u8], part: &[u8]) -> Option<usize> {
    (0..=octets.len().checked_sub(part.len())?).find(|&at| octets[at..].starts_with(part))
}

/// What stands for an asterisk that is meant literally, until the name is read: to whoever reads names
/// it is the same with and without a backslash.
const LITERAL: u8 = 0;

fn shielded(text: &str) -> String {
    let mut shielded = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        shielded.push(character);
        if character == '\\' {
            match rest.next() {
                Some('*') => shielded.push_str("000"),
                next => shielded.extend(next),
            }
        }
    }
    shielded
}

/// Reads a pattern.
impl FromStr for Pattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let all = text == "*";
        let name: Name = shielded(text).parse()?;
        let count = name.as_ref().labels().count();
        let labels = name.as_ref().labels().enumerate().map(|(at, label)| {
            let at_an_end = at == 0 || at + 1 == count;
            if label == b"*" && at_an_end {
                return Label::Several;
            }
            let parts = label.split(|&octet| octet == b'*');
            let literal = |part: &[u8]| {
                part.iter()
                    .map(|&octet| if octet == LITERAL { b'*' } else { octet })
                    .collect()
            };
            Label::Parts(parts.map(literal).collect())
        });
        Ok(Self {
            text: text.to_owned(),
            labels: labels.collect(),
            all,
        })
    }
}

/// As it was written.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Values by pattern, of which the closest counts.
#[derive(Clone, Debug)]
pub struct Patterns<T> {
    /// The closest first, and of equally close ones the first written.
    entries: Vec<(Pattern, T)>,
    /// Where those are that stand for one name. There may be thousands of them, and several for
    /// one name.
    exact: HashMap<Name, Vec<usize>>,
    /// Where the others begin.
    others: usize,
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self::from_iter([])
    }
}

impl<T> FromIterator<(Pattern, T)> for Patterns<T> {
    fn from_iter<I: IntoIterator<Item = (Pattern, T)>>(entries: I) -> Self {
        let mut entries = entries.into_iter().collect::<Vec<_>>();
        entries.sort_by(|(left, _), (right, _)| closest_first(left, right));
        let names = entries.iter().map_while(|(pattern, _)| pattern.name());
        let mut exact = HashMap::<_, Vec<_>>::new();
        let mut others = 0;
        for (at, name) in names.enumerate() {
            exact.entry(name).or_default().push(at);
            others = at + 1;
        }
        Self {
            entries,
            exact,
            others,
        }
    }
}

fn closest_first(left: &Pattern, right: &Pattern) -> Ordering {
    let (left, right) = (left.closeness(), right.closeness());
    (right.exact, right).cmp(&(left.exact, left))
}

impl<T> Patterns<T> {
    /// The closest pattern that stands for `name`, and its value.
    #[must_use]
    pub fn find(&self, name: NameRef<'_>) -> Option<(&Pattern, &T)> {
        self.matching(name).next()
    }

    /// Every pattern that stands for `name`, the closest first.
    pub fn matching(&self, name: NameRef<'_>) -> impl Iterator<Item = (&Pattern, &T)> {
        let exact = match self.exact.is_empty() {
            true => None,
            false => self.exact.get(&name.to_owned()),
        };
        let exact = exact.into_iter().flatten();
        let exact = exact.filter_map(|&at| self.entries.get(at));
        let others = self.entries[self.others..].iter();
        let others = others.filter(move |(pattern, _)| pattern.matches(name));
        let both = exact.chain(others);
        both.map(|(pattern, value)| (pattern, value))
    }

    /// Every pattern, the closest first.
    pub fn iter(&self) -> impl Iterator<Item = (&Pattern, &T)> {
        self.entries.iter().map(|(pattern, value)| (pattern, value))
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        let name: Name = name.parse().unwrap();
        pattern.parse::<Pattern>().unwrap().matches(name.as_ref())
    }

    #[test]
    fn a_pattern_stands_for_the_names_that_the_table_says() {
        for (pattern, yes, no) in [
            (
                "Example.com",
                &["example.COM.", "example.com"][..],
                &["a.example.com", "com", "."][..],
            ),
            (
                "*.example.com",
                &["a.example.com", "b.a.example.com", "\\*.example.com"],
                &["example.com", "aexample.com", "example.com.a"],
            ),
            (
                "_acme-challenge.*",
                &["_acme-challenge.com", "_acme-challenge.www.example.com"],
                &["_acme-challenge", "x._acme-challenge.com"],
            ),
            (
                "web-*.example.com",
                &["web-.example.com", "web-12.example.com"],
                &[
                    "web.example.com",
                    "a.web-1.example.com",
                    "web-1.a.example.com",
                ],
            ),
            (
                "*-*-z.com",
                &["--z.com", "a-b-z.com", "a-b-c-z.com"],
                &["a-z.com", "a-b-zz.com"],
            ),
            (
                "*._domainkey.*",
                &[
                    "s1._domainkey.com",
                    "s1._domainkey.example.com",
                    "a.b._domainkey.a.example.com",
                ],
                &["_domainkey.example.com", "s1._domainkey", "s1.example.com"],
            ),
            ("*.*", &["a.b", "a.b.c"], &["a", "."]),
            ("*.", &["a", "a.b"], &["."]),
            ("a.*.com", &["a.b.com"], &["a.com", "a.b.c.com"]),
            (
                "\\*.example.com",
                &["*.example.com"],
                &["a.example.com", "example.com"],
            ),
            (
                "\\\\*.example.com",
                &["\\\\a.example.com"],
                &["*.example.com"],
            ),
            ("*", &[".", "com", "a.b.c"], &[]),
            (".", &["."], &["com"]),
            ("*.com.", &["a.com", "c.b.a.com"], &["com", "."]),
        ] {
            for name in yes {
                assert!(matches(pattern, name), "{pattern} {name}");
            }
            for name in no {
                assert!(!matches(pattern, name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn what_is_no_name_is_no_pattern() {
        for text in ["", "a..b", "é.com", "*..com"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_closest_pattern_counts() {
        let patterns = [
            "*",
            "*.com",
            "*.example.com",
            "w*.example.com",
            "*w.example.com",
            "www.example.com",
        ];
        let patterns: Patterns<usize> = patterns
            .iter()
            .enumerate()
            .map(|(at, text)| (text.parse().unwrap(), at))
            .collect();
        for (name, expected) in [
            ("org", 0),
            ("com", 0),
            ("example.com", 1),
            ("a.b.example.com", 2),
            ("w1.example.com", 3),
            // Equally close: the first that was written.
            ("wow.example.com", 3),
            ("www.example.com", 5),
        ] {
            let name: Name = name.parse().unwrap();
            assert_eq!(*patterns.find(name.as_ref()).unwrap().1, expected, "{name}");
        }
    }

    #[test]
    fn every_pattern_for_a_name_is_found_in_the_order_written() {
        let patterns = ["www.example.com", "*.com", "WWW.example.com."];
        let patterns: Patterns<usize> = patterns
            .iter()
            .enumerate()
            .map(|(at, text)| (text.parse().unwrap(), at))
            .collect();
        let name: Name = "www.example.com".parse().unwrap();
        let found = patterns.matching(name.as_ref()).map(|(_, at)| *at);
        assert_eq!(found.collect::<Vec<_>>(), [0, 2, 1]);
    }

    #[test]
    fn a_name_of_a_pattern_is_one_of_every_pattern_that_stands_for_more() {
        let patterns = ["*", "*.com", "*.a.com", "w*.a.com", "w*b.a.com", "wb.a.com"];
        let patterns = patterns.map(|text| text.parse::<Pattern>().unwrap());
        for (at, pattern) in patterns.iter().enumerate() {
            let name = pattern.any_name().unwrap();
            for (other_at, other) in patterns.iter().enumerate() {
                let stands = other.matches(name.as_ref());
                assert_eq!(stands, other_at <= at, "{pattern} {other}");
            }
        }
    }

    #[test]
    fn a_pattern_for_one_name_stands_for_it_alone() {
        for text in ["*.example.com", "example.com", "."] {
            let name: Name = text.parse().unwrap();
            let pattern = Pattern::exactly(name.as_ref());
            assert!(pattern.matches(name.as_ref()), "{text}");
            assert!(
                pattern.closeness().exact || name.as_ref().is_root(),
                "{text}"
            );
            assert!(!pattern.matches("a.example.com".parse::<Name>().unwrap().as_ref()));
        }
    }
}
