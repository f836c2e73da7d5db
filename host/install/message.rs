//! What was done, for people.

use std::path::Path;

use super::{Present, previous};
use crate::discovery::{Build, Entry};
use crate::manifest::Manifest;
use crate::problem::escape;

const NEXT: &str = "what runs now is not touched; the next run takes the new one\n";

pub(super) fn installed(
    directory: &Path,
    name: &str,
    entry: &Entry,
    manifest: &Manifest,
    present: Option<&Present>,
) -> String {
    let mut out = placed("installed", directory, name, entry, manifest);
    match present {
        None => return out,
        Some(Present {
            build: Some(build), ..
        }) => out.push_str(&replaced(build, name, manifest)),
        Some(Present { build: None, .. }) => out
            .push_str("  replaces: a file that could not be loaded, and was therefore not kept\n"),
    }
    out.push_str(&lost(manifest, present));
    out.push_str(NEXT);
    out
}

pub(super) fn confirmed(
    directory: &Path,
    name: &str,
    entry: &Entry,
    manifest: &Manifest,
    was_recorded: bool,
) -> String {
    let what = if was_recorded {
        "nothing to do"
    } else {
        "recorded its sha256"
    };
    format!(
        "{} is already in {}: {}; {what}\n{}",
        escape(name),
        escape(&directory.display().to_string()),
        shown(&entry.current),
        plugins(manifest)
    )
}

pub(super) fn rolled_back(
    directory: &Path,
    name: &str,
    entry: &Entry,
    manifest: &Manifest,
    present: Option<&Present>,
) -> String {
    let mut out = placed("rolled back", directory, name, entry, manifest);
    match present {
        None => {}
        Some(Present {
            build: Some(build), ..
        }) => out.push_str(&replaced(build, name, manifest)),
        Some(Present { build: None, .. }) => {
            out.push_str("  replaces: a file that could not be loaded\n");
        }
    }
    out.push_str(&lost(manifest, present));
    out.push_str(NEXT);
    out
}

fn shown(build: &Build) -> String {
    format!(
        "{} {}, sha256 {}",
        escape(&build.package),
        escape(&build.version),
        build.sha256.short()
    )
}

fn plugins(manifest: &Manifest) -> String {
    let plugins = manifest.plugins.iter();
    let plugins = plugins.map(|plugin| format!("{} ({})", plugin.key, plugin.role));
    format!("  plugins: {}\n", plugins.collect::<Vec<_>>().join(", "))
}

/// What is in its place now, and what it offers.
fn placed(deed: &str, directory: &Path, name: &str, entry: &Entry, manifest: &Manifest) -> String {
    format!(
        "{deed} {} in {}: {}\n{}",
        escape(name),
        escape(&directory.display().to_string()),
        shown(&entry.current),
        plugins(manifest)
    )
}

/// What was in its place before, and how to go back to it.
fn replaced(build: &Build, name: &str, manifest: &Manifest) -> String {
    let file = previous::path(Path::new(""), name);
    let key = manifest.plugins.first().map_or("", |plugin| &plugin.key);
    format!(
        "  replaces: {}\n  kept: {}; back to it: gordon-janitor plugins rollback {key}\n",
        shown(build),
        escape(&file.display().to_string())
    )
}

/// Plugins that the library before had, and this one has not.
fn lost(manifest: &Manifest, present: Option<&Present>) -> String {
    let before = present.and_then(|present| present.manifest.as_ref());
    let before = before.iter().flat_map(|before| &before.plugins);
    let is_lost = |key: &&str| manifest.plugins.iter().all(|plugin| plugin.key != **key);
    let lost = before.map(|plugin| plugin.key.as_str()).filter(is_lost);
    let lost = lost.collect::<Vec<_>>().join(", ");
    if lost.is_empty() {
        lost
    } else {
        format!("  note: no longer there: {lost}\n")
    }
}
