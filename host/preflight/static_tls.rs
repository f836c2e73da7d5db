//! Whether the libraries that are loaded together fit into the room for static thread-locals.
//!
//! The loader sets it aside when the process starts, and a library that insists on it (the initial-exec
//! model) cannot be loaded once it is used up. Rust libraries do not insist; jemalloc in them does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::problem::{Code, Problem};

/// What glibc keeps for its own libraries in each of its name spaces, and for those of others.
const OWN: u64 = 192;
const OTHERS: u64 = 144;
/// How many name spaces there are, and what is kept beyond them, unless somebody tunes it.
const SPACES: u64 = 4;
const OPTIONAL: u64 = 512;
/// Libraries that are named at most.
const NAMED: usize = 24;

/// Warns if `takers`, paths with octets, take more than there is.
pub(crate) fn judge<'a>(takers: impl Iterator<Item = &'a (PathBuf, u64)>) -> Option<Problem> {
    let tunables = std::env::var("GLIBC_TUNABLES").unwrap_or_default();
    warning(takers, &tunables)
}

fn warning<'a>(
    takers: impl Iterator<Item = &'a (PathBuf, u64)>,
    tunables: &str,
) -> Option<Problem> {
    let takers: BTreeMap<&PathBuf, u64> = takers.map(|(path, octets)| (path, *octets)).collect();
    let sum = takers.values().copied().fold(0, u64::saturating_add);
    let spaces = tunable(tunables, "glibc.rtld.nns").unwrap_or(SPACES);
    let spaces = spaces.clamp(1, 16);
    let fixed = (spaces - 1) * OWN + spaces * OTHERS;
    let optional = tunable(tunables, "glibc.rtld.optional_static_tls").unwrap_or(OPTIONAL);
    let room = fixed.saturating_add(optional);
    if sum <= room {
        return None;
    }
    let count = match takers.len() {
        1 => "1 library needs".to_owned(),
        many => format!("{many} libraries need"),
    };
    let mut names = takers
        .iter()
        .take(NAMED)
        .map(|(path, octets)| format!("{} {octets}", super::file_name(path)))
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more @ 1..) = takers.len().checked_sub(NAMED) {
        names.push_str(&format!(" and {more} more"));
    }
    let summary = format!(
        "{count} {sum} octets of static thread-local storage; the loader keeps {room} for them"
    );
    let enough = sum.saturating_sub(fixed).next_multiple_of(512);
    let problem = Problem::warning(Code::StaticTls, summary)
        .found(names)
        .because("the loader cannot enlarge it in a process that runs, and will refuse the last of them")
        .help(format!(
            "start gordon-janitor with GLIBC_TUNABLES=glibc.rtld.optional_static_tls={enough}, or ask for builds without the initial-exec model"
        ));
    Some(problem)
}

fn tunable(tunables: &str, name: &str) -> Option<u64> {
    let settings = tunables
        .split(':')
        .filter_map(|setting| setting.split_once('='));
    let mut set = settings.filter(|(found, _)| *found == name);
    let (_, value) = set.next_back()?;
    match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_compared_with_what_glibc_keeps() {
        let takers = |count: u64| {
            let takers = (0..count).map(|index| (PathBuf::from(format!("/p/l{index}.so")), 128));
            takers.collect::<Vec<_>>()
        };
        assert!(warning(takers(13).iter(), "").is_none());
        let problem = warning(takers(14).iter(), "").unwrap();
        assert_eq!(
            problem.summary(),
            "14 libraries need 1792 octets of static thread-local storage; the loader keeps 1664 for them"
        );
        let tuned = "glibc.malloc.check=1:glibc.rtld.optional_static_tls=0x400";
        assert!(warning(takers(14).iter(), tuned).is_none());
    }

    #[test]
    fn what_two_plugins_need_counts_once() {
        let shared = (PathBuf::from("/lib/libjemalloc.so.2"), 1000);
        assert!(warning([shared.clone(), shared].iter(), "").is_none());
    }
}
