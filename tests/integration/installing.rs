//! Libraries that are installed and rolled back, and what becomes of those that change otherwise.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, c, library};

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
fn a_directory_that_is_not_safe_fails_the_list_as_json_too() {
    let janitor = janitor();
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(janitor.path("plugins"), open).expect("a mode can be set");
    let run = janitor.command(&["plugins", "list", "--json"]);
    assert_eq!(run.exit_code(), 2);
    let json: serde_json::Value = serde_json::from_str(&run.stdout()).expect("it is JSON");
    assert_eq!(json["problem"]["code"], "GJ301");
    assert!(
        run.errors().starts_with("error[GJ301]: "),
        "{}",
        run.errors()
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
    let start = || janitor.start(&["plugins", "install", &from, "--as", "libfiles.so"]);
    // Whoever is killed while it waits leaves nothing behind.
    let before = names(&janitor);
    let mut killed = start();
    killed.wait_for("waiting for another installation in the same directory");
    killed.signal(rustix::process::Signal::KILL);
    drop(killed.finish());
    assert_eq!(names(&janitor), before);
    let mut second = start();
    second.wait_for("waiting for another installation in the same directory");
    drop(lock);
    assert_eq!(second.finish().exit_code(), 0);
}

/// Everything in the plugin directory, ascending.
fn names(janitor: &Janitor) -> Vec<String> {
    let entries = fs::read_dir(janitor.path("plugins")).expect("the directory can be listed");
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut names = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn an_installation_that_is_killed_while_it_writes_leaves_no_half_library_to_be_seen() {
    let janitor = janitor();
    let mut source = fs::read(library(FILES)).expect("the library can be read");
    source.extend([0; 16]);
    let janitor = janitor.file("libfiles.so", &source);
    // The system ends a process that writes more than it may: 32 KiB are written of some more.
    let status = Command::new("sh")
        .args(["-c", "ulimit -c 0; ulimit -f 64; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_gordon-janitor"))
        .args([
            "plugins",
            "install",
            "libfiles.so",
            "--plugin-dir",
            "plugins",
        ])
        .current_dir(janitor.path(""))
        .stdin(Stdio::null())
        .status()
        .expect("a shell can be started");
    assert_eq!(
        status.signal(),
        Some(rustix::process::Signal::XFSZ.as_raw()),
        "{status}"
    );
    let half = fs::metadata(janitor.path("plugins/.libfiles.so.staged"));
    let half = half.expect("the half library is there").len();
    assert!(half > 0 && half < source.len() as u64, "{half}");

    let run = janitor.command(&["check"]);
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
    assert!(!run.stdout().contains("refused"), "{}", run.stdout());
    let from = janitor.path("libfiles.so").display().to_string();
    let again = janitor.command(&["plugins", "install", &from]);
    assert_eq!(again.exit_code(), 0, "{}", again.errors());
    assert!(!names(&janitor).iter().any(|name| name.ends_with(".staged")));
    assert_eq!(janitor.run().exit_code(), 0);
}

#[test]
fn what_a_library_needs_has_to_be_beside_its_target_and_not_beside_its_source() {
    let janitor = Janitor::new().libraries(&[FILES]);
    let private = janitor.path("plugins/acme.d");
    fs::create_dir(&private).expect("a directory can be made");
    let needed = private.join("libacme-core.so.5");
    let (flags, code) = (
        "-Wl,-soname,libacme-core.so.5",
        "int acme_core(void) { return 5; }",
    );
    if !c::compile(code, &needed, &[flags]) {
        return;
    }
    let path = janitor.path("libacme.so");
    let source = "int acme_core(void); int acme(void) { return acme_core(); }";
    let flags = [
        "-Wl,--enable-new-dtags,-rpath,$ORIGIN/acme.d",
        &needed.display().to_string(),
    ];
    assert!(c::compile(&c::plugin("acme.a", source), &path, &flags));
    let install = || janitor.command(&["plugins", "install", &path.display().to_string()]);
    assert_eq!(install().exit_code(), 0, "{}", install().errors());

    fs::remove_file(&needed).expect("a file can be removed");
    let before = names(&janitor);
    let run = install();
    assert_eq!(run.exit_code(), 2);
    assert_snapshot!(run.errors(), @"
    error[GJ107]: libacme.so needs libacme-core.so.5, which was not found
      where: <root>/libacme.so (acme.a; c 0.1.0, rustc none)
      found: looked in its RUNPATH ($ORIGIN/acme.d), the system's library path
      help: install the package that provides libacme-core.so.5
    error: 1 error; nothing was run
    ");
    assert_eq!(names(&janitor), before);
}
