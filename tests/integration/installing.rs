//! Libraries that are installed and rolled back, and what becomes of those that change otherwise.

use std::fs;

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, library};

/// A deployment whose only library was installed by command.
fn janitor() -> Janitor {
    let janitor = Janitor::new()
        .libraries(&[])
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "");
    let from = library(FILES).display().to_string();
    let run = janitor.command(&["plugins", "install", &from, "--as", "libfiles.so"]);
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    janitor
}

/// Digests as `<8>`.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256 ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(&format!("sha256 <8>{}", part.get(8..).unwrap_or_default()));
    }
    out
}

#[test]
fn an_installed_library_runs() {
    let janitor = janitor();
    assert_eq!(janitor.run().exit_code(), 0);
    assert!(janitor.served_file("example.com").contains("192.0.2.1"));
}

#[test]
fn a_library_that_changed_after_it_was_installed_is_refused() {
    let janitor = janitor();
    let path = janitor.path("plugins/libfiles.so");
    let mut octets = fs::read(&path).expect("the library can be read");
    if let Some(last) = octets.last_mut() {
        *last ^= 1;
    }
    fs::write(&path, octets).expect("a file can be written");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2);
    let told = without_digests(&run.errors());
    let first = told.split("error[").nth(1).unwrap_or_default();
    let lines = first
        .lines()
        .map(|line| match line.split_once("… expected, ") {
            Some((before, _)) => format!("{before}… expected, …"),
            None => line
                .split(", installed ")
                .next()
                .unwrap_or_default()
                .to_owned(),
        });
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    GJ302]: libfiles.so changed since it was installed: sha256 <8>… expected, …
      where: <root>/gordon-janitor.toml:2:12, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zones"]
        |            ^^^^^^^^^^^^^
      where: <root>/plugins/libfiles.so
      found: the record of janitor-plugin-files 0.1.0
      because: its octets are not those that were judged then
      help: if you changed it: gordon-janitor plugins install <root>/plugins/libfiles.so
      help: if you did not: install it anew from where it came from, and find out who did
      note: plugin "files.apply" is in libfiles.so
      note: plugin "files.served" is in libfiles.so
      note: plugin "files.zones" is in libfiles.so
    error: 1 error; nothing was run
    "#);
    // Whoever meant it says so.
    let installed = janitor.command(&["plugins", "install", &path.display().to_string()]);
    assert_eq!(installed.exit_code(), 0, "{}", installed.errors());
    assert_eq!(janitor.run().exit_code(), 0);
}

#[test]
fn a_record_that_cannot_be_read_stops_everything() {
    let janitor = janitor().file(
        "plugins/.gordon-janitor-installed.toml",
        "format = 1\nlibrary = 3\n",
    );
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2);
    assert_snapshot!(run.errors(), @"
    error[GJ302]: the record of installed plugins cannot be used: line 2: invalid type: integer `3`, expected a map
      where: <root>/plugins/.gordon-janitor-installed.toml
      because: without it nobody can tell whether libraries are those that were installed; none was loaded
      help: restore it; or remove it, and record what is there anew: gordon-janitor plugins install FILE, for each library that is meant to be there
    error: 1 error; nothing was run
    ");
}

#[test]
fn the_list_as_json_has_every_file() {
    let janitor = janitor().file("plugins/libpage.so", "<html>");
    std::os::unix::fs::symlink("libfiles.so", janitor.path("plugins/liblink.so"))
        .expect("a link can be made");
    let run = janitor.command(&["plugins", "list", "--json", "--sha256"]);
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    let json: serde_json::Value = serde_json::from_str(&run.stdout()).expect("it is JSON");
    assert_eq!(json["format"], 1);
    let files = json["files"].as_array().expect("files are a list");
    let short = files.iter().map(|file| {
        let digest = file["sha256"].as_str().map_or(0, str::len);
        let plugins = file["plugins"].as_array().map_or(0, Vec::len);
        let (name, state, code) = (&file["file"], &file["state"], &file["problem"]["code"]);
        format!(
            "{name} {state} {} {digest} {plugins} {code}",
            file["recorded"]
        )
    });
    assert_snapshot!(short.collect::<Vec<_>>().join("\n"), @r#"
    "libfiles.so" "plugins" true 64 4 null
    "liblink.so" "link" false 64 4 null
    "libpage.so" "refused" false 64 0 "GJ101"
    "#);
    let first = &files[0]["plugins"][0];
    assert_eq!(
        (first["key"].as_str(), first["state"].as_str()),
        (Some("files.apply"), Some("enabled"))
    );
}

#[test]
fn two_installations_at_once_wait_for_each_other() {
    let janitor = janitor();
    let lock = fs::File::options()
        .write(true)
        .open(janitor.path("plugins/.gordon-janitor-installed.lock"))
        .expect("the lock is there");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("it can be locked");
    let from = library(FILES).display().to_string();
    let mut second = janitor.start(&["plugins", "install", &from, "--as", "libfiles.so"]);
    second.wait_for("waiting for another installation in the same directory");
    drop(lock);
    assert_eq!(second.finish().exit_code(), 0);
}
