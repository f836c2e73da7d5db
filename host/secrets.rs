//! The secret values of a configuration, and how they are covered in any text.
//!
//! A plugin may repeat what it was given: in a log line, an error, a panic, the reason why a zone is
//! left out. The host gave it the secrets, so it knows what to look for.

mod spellings;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use memchr::memmem::Finder;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Octets that a secret has at least to be looked for: everything shorter is a part of ordinary words.
const LEAST_OCTETS: usize = 4;

/// Texts that must not be shown.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The longest first: one may be a part of another.
    finders: Vec<Finder<'static>>,
}

impl Secrets {
    /// Those of `values` that are long enough to be told from ordinary words.
    #[must_use]
    pub fn new<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Self {
        let mut all = BTreeSet::new();
        for value in values {
            let value = value.as_ref();
            if value.trim().len() < LEAST_OCTETS {
                continue;
            }
            for spelling in spellings::of(value) {
                if spelling.len() >= LEAST_OCTETS {
                    all.insert(spelling);
                }
            }
        }
        let mut all = all.into_iter().collect::<Vec<_>>();
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self {
            finders: all
                .iter()
                .map(|secret| Finder::new(secret.as_bytes()).into_owned())
                .collect(),
        }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.finders.is_empty()
    }

    /// Puts [`MASK`] in the place of every secret in `text`.
    pub fn cover(&self, text: &mut String) {
        for finder in &self.finders {
            if finder.find(text.as_bytes()).is_none() {
                continue;
            }
            let mut out = String::with_capacity(text.len());
            let mut shown = 0;
            for at in finder.find_iter(text.as_bytes()) {
                out.push_str(&text[shown..at]);
                out.push_str(MASK);
                shown = at + finder.needle().len();
            }
            out.push_str(&text[shown..]);
            *text = out;
        }
    }
}

/// Secrets by the key of the plugin that they were given to.
static KNOWN: LazyLock<RwLock<BTreeMap<String, Arc<Secrets>>>> = LazyLock::new(RwLock::default);

/// Remembers what the plugin `key` is about to be given, for the rest of the process.
pub fn protect(key: &str, secrets: Secrets) {
    if !secrets.is_empty() {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(key.to_owned(), Arc::new(secrets));
    }
}

/// The secrets of the plugin `key`, if it has any.
#[must_use]
pub fn of(key: &str) -> Option<Arc<Secrets>> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.get(key).cloned()
}

/// The secrets of all plugins: for what comes from a thread that nobody can name.
#[must_use]
pub fn of_all() -> Vec<Arc<Secrets>> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.values().cloned().collect()
}

/// What the plugin `key` says, without its secrets.
#[must_use]
pub fn covered<'a>(key: &str, text: impl Into<Cow<'a, str>>) -> String {
    let mut text = text.into().into_owned();
    if let Some(secrets) = of(key) {
        secrets.cover(&mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(secrets: &[&str], text: &str) -> String {
        let mut text = text.to_owned();
        Secrets::new(secrets).cover(&mut text);
        text
    }

    #[test]
    fn every_occurrence_is_covered_and_nothing_else() {
        assert_eq!(
            cover(&["hunter2"], "hunter2, hunter and hunter2hunter2"),
            "***, hunter and ******"
        );
        assert_eq!(
            cover(&["hunter", "hunter2"], "hunter2 hunter"),
            "*** ***",
            "the longer one first"
        );
    }

    #[test]
    fn what_is_too_short_is_no_secret() {
        assert!(Secrets::new(["", "abc", "a c"]).is_empty());
    }
}
