//! Files in the plugin directory that are not what they should be. None of them is opened.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use insta::assert_snapshot;
use janitor_plugin_api::manifest::{API_VERSION, RUSTC};
use memchr::memmem;

use crate::janitor::{FILES, Janitor, VILLAIN, library};

const KEY: &str = "villain.authority.behaves";

/// What a run says whose authority is in `plugins/libodd.so`, which `make` makes.
fn refused(make: impl FnOnce(&Path)) -> String {
    let janitor = Janitor::new().libraries(&[FILES]).authorities(&[KEY]);
    make(&janitor.path("plugins/libodd.so"));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2, "{}", run.errors());
    assert_eq!(run.log_with("plugin=villain"), [""; 0]);
    let told = run
        .errors()
        .replace(RUSTC.trim_start_matches("rustc "), "<rustc>");
    // A villain more or less is nothing to these tests.
    match told.split_once(" and ").zip(told.split_once(" more;")) {
        Some(((before, _), (_, after))) => format!("{before} and <n> more;{after}"),
        None => told,
    }
}

/// What is noted about the library in the error that its plugin is not installed.
fn noted(make: impl FnOnce(&Path)) -> String {
    let told = refused(make);
    let first = format!("error[GJ202]: Plugin \"{KEY}\" not installed\n");
    assert!(told.starts_with(&first), "{told}");
    let note = told
        .lines()
        .filter_map(|line| line.strip_prefix("  note: libodd.so was refused and may hold it: "));
    note.collect()
}

/// The octets of a good library with `old` replaced by `new`, of the same length.
fn patched(old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len(), "offsets stay as they are");
    let mut octets = good();
    let places = memmem::find_iter(&octets, old).collect::<Vec<_>>();
    assert!(!places.is_empty(), "`{old}` is not in the library");
    for at in places {
        octets[at..at + new.len()].copy_from_slice(new.as_bytes());
    }
    octets
}

fn good() -> Vec<u8> {
    fs::read(library(VILLAIN)).expect("the library can be read")
}

fn write(path: &Path, octets: impl AsRef<[u8]>) {
    fs::write(path, octets).expect("a file can be written");
}

#[test]
fn a_library_for_another_major_version_of_the_api() {
    let old = format!("api = \"{API_VERSION}\"");
    let octets = patched(&old, "api = \"2.0.0\"");
    assert_snapshot!(refused(|path| write(path, octets)), @r#"
    error[GJ104]: libodd.so needs plugin API 2.0.0; this gordon-janitor 0.1.0 offers 1.0.0
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "villain.authority.behaves"]
        |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      where: <root>/plugins/libodd.so (villain.authority.behaves, villain.authority.blocks, villain.authority.calls-from-everywhere, villain.authority.fails and <n> more; janitor-misbehaving-villain 0.0.0, rustc <rustc>)
      because: major versions must be equal; the compiler version plays no part
      help: install a build of this plugin made with SDK 1.x, or another gordon-janitor
      note: plugin "villain.authority.behaves" is in libodd.so
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_library_that_would_abort_the_process() {
    let octets = patched("panic = \"unwind\"\n", "panic = \"abort\" \n");
    assert_snapshot!(refused(|path| write(path, octets)), @r#"
    error[GJ108]: libodd.so was built with panic = "abort"; a fault in it would end the whole process
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "villain.authority.behaves"]
        |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      where: <root>/plugins/libodd.so (villain.authority.behaves, villain.authority.blocks, villain.authority.calls-from-everywhere, villain.authority.fails and <n> more; janitor-misbehaving-villain 0.0.0, rustc <rustc>)
      help: build it again with the default panic strategy, unwind
      note: plugin "villain.authority.behaves" is in libodd.so
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_manifest_of_a_format_to_come() {
    let octets = patched("format = 1\napi", "format = 9\napi");
    assert_snapshot!(noted(|path| write(path, octets)), @"GJ109 the manifest of libodd.so cannot be used: it has format 9, this host reads format 1");
}

#[test]
fn a_library_for_another_machine() {
    let mut octets = good();
    // e_machine: AArch64, or x86-64 there.
    octets[18] = if octets[18] == 183 { 62 } else { 183 };
    let told = refused(|path| write(path, octets));
    let first = told.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("error[GJ106]: libodd.so is built for ")
            && first.contains("; this machine is "),
        "{told}"
    );
}

#[test]
fn a_library_cut_off_anywhere() {
    let octets = good();
    for (length, code) in [
        (0, "GJ101"),
        (3, "GJ101"),
        (4, "GJ102"),
        (20, "GJ102"),
        (63, "GJ102"),
        (64, "GJ102"),
        (200, "GJ102"),
        (4096, "GJ102"),
        (octets.len() / 2, "GJ102"),
        (octets.len() - 1, "GJ102"),
    ] {
        let told = refused(|path| write(path, &octets[..length]));
        assert!(told.contains(code), "{length} octets: {told}");
    }
}

#[test]
fn a_page_of_text_or_markup() {
    assert_snapshot!(noted(|path| write(path, "<!doctype html>\n<title>404</title>\n")), @"GJ101 libodd.so is not a shared library: it is an HTML page of 35 octets");
    assert_snapshot!(noted(|path| write(path, "Not yet uploaded.\n")), @"GJ101 libodd.so is not a shared library: it is a text of 18 octets");
    assert_snapshot!(noted(|path| write(path, "")), @"GJ101 libodd.so is not a shared library: it is empty");
}

#[test]
fn a_fifo() {
    assert_snapshot!(noted(|path| {
        rustix::fs::mkfifoat(rustix::fs::CWD, path, 0o600.into()).expect("a FIFO can be made");
    }), @"GJ103 libodd.so is a named pipe (FIFO), not a library");
}

#[test]
fn a_link_that_leads_nowhere_or_in_circles() {
    assert_snapshot!(noted(|path| symlink("gone.so", path).expect("a link can be made")), @"GJ103 libodd.so is a link to gone.so, which does not exist");
    assert_snapshot!(noted(|path| symlink("libodd.so", path).expect("a link can be made")), @"GJ103 cannot open libodd.so, a link to libodd.so: Too many levels of symbolic links (os error 40)");
}

#[test]
fn a_directory_is_passed_over() {
    assert_snapshot!(noted(|path| fs::create_dir(path).expect("a directory can be made")), @"");
}

#[test]
fn a_program() {
    assert_snapshot!(noted(|path| {
        fs::copy(env!("CARGO_BIN_EXE_gordon-janitor"), path).expect("a program can be copied");
    }), @"GJ101 libodd.so is not a shared library: it is a program");
}

#[test]
fn a_manifest_that_promises_what_the_code_does_not_keep() {
    // Only the note: the code's own table of keys keeps the old one.
    let mut octets = good();
    let note = "\n[[plugin]]\nkey = \"villain.authority.behaves\"";
    let at = memmem::find(&octets, note.as_bytes()).expect("the manifest lists the plugin");
    octets[at + note.len() - 2] = b'd';
    let janitor = Janitor::new()
        .libraries(&[FILES])
        .authorities(&["villain.authority.behaved"])
        .file("plugins/libodd.so", &octets);
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (2, "unexpected-error")
    );
    assert_snapshot!(run.errors(), @r#"
    error[GJ109]: libodd.so says that it holds the authority "villain.authority.behaved", and does not
      where: <root>/plugins/libodd.so
      because: its manifest and its code are not of one build
      help: install the library anew
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_library_that_only_looks_good_until_it_is_opened() {
    // The name of a function it needs from the C library.
    let mut octets = good();
    let at = memmem::find(&octets, b"\0pthread_").expect("the library uses threads");
    octets[at + 1] = b'q';
    let told = refused(|path| write(path, octets));
    let first = told.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("error[GJ107]: libodd.so cannot be opened: the system's loader says: "),
        "{told}"
    );
}

#[test]
fn what_is_refused_is_in_nobodys_way() {
    let janitor = Janitor::new()
        .libraries(&[FILES])
        .file("plugins/libodd.so", "Not yet uploaded.\n")
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
}

#[test]
fn the_list_of_plugins_shows_what_was_refused() {
    let janitor = Janitor::new()
        .libraries(&[FILES])
        .file("plugins/libodd.so", "Not yet uploaded.\n");
    let run = janitor.command(&["plugins", "list"]);
    assert_eq!(run.exit_code(), 0);
    assert_snapshot!(run.stdout(), @"
    KEY            ROLE        VERSION  API    STATE      FILE
    files.apply    publisher   0.1.0    1.0.0  enabled    libjanitor_plugin_files.so
    files.changes  publisher   0.1.0    1.0.0  available  libjanitor_plugin_files.so
    files.served   reconciler  0.1.0    1.0.0  enabled    libjanitor_plugin_files.so
    files.zones    authority   0.1.0    1.0.0  enabled    libjanitor_plugin_files.so
    -              -           -        -      refused    libodd.so

    GJ101: libodd.so is not a shared library: it is a text of 18 octets
    ");
}

#[test]
fn no_code_of_a_plugin_that_is_not_listed_runs() {
    let janitor = Janitor::new()
        .desired("example.com", "")
        .served("example.com", "");
    let run = janitor.run();
    assert_eq!(run.log_with("villain"), [""; 0]);
    assert_eq!(run.exit_code(), 0);
}
