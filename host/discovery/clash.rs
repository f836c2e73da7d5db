//! Several libraries with one key.

use jiff::Timestamp;

use super::Discovered;
use crate::preflight::Identity;
use crate::problem::{Code, Problem};

/// Files that are named; more would hide the rest of the report.
const NAMED: usize = 8;

/// What to say when `files` all offer `key`: how to tell them apart.
pub(super) fn clash(key: &str, files: &[&Discovered]) -> Problem {
    let count = match files.len() {
        2 => "two".to_owned(),
        many => many.to_string(),
    };
    let summary = format!("key \"{key}\" is exported by {count} libraries; none was loaded");
    let problem = Problem::error(Code::DuplicateKey, summary);
    let named = &files[..files.len().min(NAMED)];
    let paths = named.iter().map(|file| file.path.display().to_string());
    let width = paths.clone().map(|path| path.chars().count()).max();
    let width = width.unwrap_or_default();
    let problem = named
        .iter()
        .zip(paths)
        .fold(problem, |problem, (file, path)| {
            let version = file.manifest().map_or("", |manifest| &manifest.version);
            let digest = file
                .digest()
                .map_or_else(|| "unknown".to_owned(), |digest| digest.short());
            let written = file.judged.identity.map(written).unwrap_or_default();
            problem.found(format!(
                "{path:width$}  {key} {version}  sha256 {digest}  {written}"
            ))
        });
    let problem = match files.len().checked_sub(NAMED) {
        None | Some(0) => problem,
        Some(more) => problem.found(format!("and {more} more")),
    };
    let first = named.first().and_then(|file| file.digest());
    let are_copies = first.is_some() && named.iter().all(|file| file.digest() == first);
    let problem = if are_copies && named.len() == files.len() {
        problem.note("they are copies of one another")
    } else {
        problem
    };
    problem
        .because("which one runs must not depend on the order of the directory")
        .help("move one away; backups belong outside this directory or under a name that starts with a dot")
}

/// When a file was last written to: `2026-03-02 10:11 UTC`.
pub(super) fn written(identity: Identity) -> String {
    let (seconds, _) = identity.written;
    Timestamp::from_second(seconds)
        .map(|moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}
