//! Whole plugin directories.

use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::preflight::tests::Elf;

fn directory(libraries: &[(&str, &[(&str, &str)])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, plugins) in libraries {
        fs::write(
            directory.path().join(name),
            Elf::plugin(name.trim_end_matches(".so"), plugins).octets(),
        )
        .unwrap();
    }
    directory
}

fn scan(directory: &TempDir) -> Discovery {
    Discovery::scan(PluginDirectory::choose(Some(directory.path()), None))
}

#[test]
fn only_libraries_directly_in_the_directory_are_judged() {
    let directory = directory(&[
        ("b.so", &[("b", "authority")]),
        ("a.so", &[("a", "publisher")]),
        (".a.so", &[]),
    ]);
    fs::create_dir(directory.path().join("private.so")).unwrap();
    fs::write(directory.path().join("a.so.1"), "").unwrap();
    fs::write(directory.path().join("readme.txt"), "").unwrap();
    let discovery = scan(&directory);
    assert_eq!(
        discovery
            .files()
            .iter()
            .map(Discovered::name)
            .collect::<Vec<_>>(),
        ["a.so", "b.so"]
    );
    assert_eq!(discovery.keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn links_to_one_library_are_one_library_and_copies_are_two() {
    let directory = directory(&[("a.so", &[("a", "authority")])]);
    symlink("a.so", directory.path().join("b.so")).unwrap();
    fs::hard_link(directory.path().join("a.so"), directory.path().join("c.so")).unwrap();
    let discovery = scan(&directory);
    assert!(discovery.clashes().is_empty());
    assert_eq!(discovery.find("a").unwrap().unwrap().0.name(), "a.so");

    fs::copy(directory.path().join("a.so"), directory.path().join("d.so")).unwrap();
    for (name, day) in [("a.so", 0), ("d.so", 400)] {
        let path = directory.path().join(name);
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + day * 86_400);
        fs::File::options()
            .append(true)
            .open(path)
            .unwrap()
            .set_modified(written)
            .unwrap();
    }
    let problem = scan(&directory).find("a").unwrap_err().to_string();
    let text = problem.replace(&directory.path().display().to_string(), "/p");
    let digest = Digest::at(&directory.path().join("a.so")).unwrap().short();
    insta::assert_snapshot!(text.replace(&digest, "<8>"), @r#"
    error[GJ203]: key "a" is exported by two libraries; none was loaded
      found: /p/a.so  a 0.1.0  sha256 <8>  2023-11-14 22:13 UTC
      found: /p/d.so  a 0.1.0  sha256 <8>  2024-12-18 22:13 UTC
      note: they are copies of one another
      because: which one runs must not depend on the order of the directory
      help: move one away; backups belong outside this directory or under a name that starts with a dot
    "#);
}

#[test]
fn a_missing_directory_is_explained_with_how_to_name_another() {
    let discovery = Discovery::scan(PluginDirectory::choose(
        Some(Path::new("/does/not/exist")),
        None,
    ));
    assert_eq!(
        discovery.fault().unwrap().to_string(),
        "error[GJ206]: the plugin directory /does/not/exist does not exist\n  found: chosen by --plugin-dir\n  \
         help: name another with --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir"
    );
}

#[test]
fn the_list_shows_every_plugin_and_why_a_library_was_refused() {
    let directory = directory(&[
        (
            "libgood.so",
            &[("files.served", "reconciler"), ("files.zones", "authority")],
        ),
        ("libone.so", &[("twin", "publisher")]),
        ("libtwo.so", &[("twin", "publisher")]),
    ]);
    let foreign = Elf {
        machine: 8,
        ..Elf::plugin("old", &[("old.one", "publisher")])
    };
    fs::write(directory.path().join("libold.so"), foreign.octets()).unwrap();
    fs::write(directory.path().join("libpage.so"), "<html>").unwrap();
    let stranger = Elf {
        note_name: b"GNU\0",
        ..Elf::plugin("x", &[])
    };
    fs::write(directory.path().join("libx.so"), stranger.octets()).unwrap();
    symlink("libgood.so", directory.path().join("liblink.so")).unwrap();
    let text = list(&scan(&directory), &["files.zones"], false);
    let text = text
        .replace(&directory.path().display().to_string(), "/p")
        .replace(std::env::consts::ARCH, "ARCH");
    insta::assert_snapshot!(text);
}

#[test]
fn an_empty_directory_says_who_chose_it() {
    let directory = tempfile::tempdir().unwrap();
    let text = list(&scan(&directory), &[], false);
    assert_eq!(
        text,
        format!(
            "no plugins in {} (chosen by --plugin-dir)\n",
            directory.path().display()
        )
    );
}

#[test]
fn a_record_that_is_replaced_while_somebody_looks_is_read_again() {
    let directory = directory(&[("a.so", &[("a", "authority")])]);
    let path = directory.path().join("a.so");
    let of = |sha256| {
        let mut installed = Installed::default();
        let current = Build {
            sha256,
            package: "a".to_owned(),
            version: "0.1.0".to_owned(),
            installed: "2026-11-22T19:10:00Z".to_owned(),
        };
        let entry = Entry {
            current,
            previous: None,
        };
        installed.set("a.so", entry);
        installed
    };
    let (right, wrong) = (
        of(Digest::at(&path).unwrap()),
        of("0".repeat(64).parse().unwrap()),
    );
    let found = |records: &[&Installed]| {
        let reads = std::cell::Cell::new(0);
        let record = || {
            let read = reads.replace(reads.get() + 1).min(records.len() - 1);
            Ok(records[read].clone())
        };
        let choice = PluginDirectory::choose(Some(directory.path()), None);
        let preflight = Preflight::new(Trust::of_process());
        let found = Discovery::with_record(
            choice,
            None,
            &preflight,
            std::slice::from_ref(&path),
            record,
        );
        (found.find("a").unwrap().is_some(), reads.get())
    };
    assert_eq!(found(&[&right]), (true, 1));
    assert_eq!(found(&[&wrong, &right]), (true, 2));
    assert_eq!(found(&[&wrong]), (false, 2));
}

#[test]
fn a_link_that_leads_there_by_an_unsafe_way_hides_no_library() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = directory(&[("z.so", &[("z", "authority")])]);
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(directory.path().join("z.so"), elsewhere.path().join("z.so")).unwrap();
    symlink(elsewhere.path().join("z.so"), directory.path().join("a.so")).unwrap();
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let discovery = scan(&directory);
    assert_eq!(discovery.refusals(), 1);
    assert_eq!(discovery.find("z").unwrap().unwrap().0.name(), "z.so");
}
