//! Installations that end well, badly, or in the middle.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::*;
use crate::discovery::RECORD;
use crate::preflight::tests::{Elf, manifest};

/// A plugin directory, and a place where libraries come from.
pub(super) struct Site {
    root: TempDir,
}

impl Site {
    pub(super) fn new() -> Self {
        rustix::process::umask(0o022.into());
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("plugins")).unwrap();
        fs::create_dir(root.path().join("from")).unwrap();
        Self { root }
    }

    pub(super) fn directory(&self) -> PathBuf {
        self.root.path().join("plugins")
    }

    pub(super) fn choose(&self) -> PluginDirectory {
        PluginDirectory::choose(Some(&self.directory()), None)
    }

    /// A build of `libacme.so` with a version and keys.
    pub(super) fn build(&self, version: &str, keys: &[&str]) -> PathBuf {
        let plugins = keys.iter().map(|key| (*key, "authority"));
        let text = manifest("acme", &plugins.collect::<Vec<_>>());
        let text = text.replace("version = \"0.1.0\"", &format!("version = \"{version}\""));
        let path = self.root.path().join("from/libacme.so");
        fs::write(&path, Elf::with_manifest(&text).octets()).unwrap();
        path
    }

    pub(super) fn install(&self, version: &str, keys: &[&str]) -> Result<String, Error> {
        install(self.choose(), &self.build(version, keys), None)
    }

    pub(super) fn rollback(&self) -> Result<String, Error> {
        rollback(self.choose(), "acme.a")
    }

    /// The version that a run would take.
    pub(super) fn version(&self) -> String {
        let discovery = Discovery::scan(self.choose());
        assert!(discovery.fault().is_none(), "{:?}", discovery.fault());
        let found = discovery.find("acme.a").unwrap();
        let (_, manifest, _) = found.unwrap_or_else(|| panic!("{:?}", discovery.files()));
        manifest.version.clone()
    }

    pub(super) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names = names.collect::<Vec<_>>();
        names.sort();
        names
    }

    /// What was done, without what differs each time.
    fn shown(&self, result: Result<String, Error>) -> String {
        let text = match result {
            Ok(text) => text,
            Err(error) => {
                let mut text = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(link) = cause {
                    text.push_str(&format!(": {link}"));
                    cause = link.source();
                }
                text
            }
        };
        let text = text.replace(&self.root.path().display().to_string(), "<root>");
        let mut words = text.split("sha256 ");
        let mut shown = words.next().unwrap().to_owned();
        words.for_each(|rest| {
            shown.push_str(&format!("sha256 <8>{}", rest.get(8..).unwrap_or_default()));
        });
        shown
    }
}

#[test]
fn a_library_is_installed_replaced_and_rolled_back() {
    let site = Site::new();
    let told = [
        site.install("1.0", &["acme.a", "acme.old"]),
        site.install("2.0", &["acme.a", "acme.new"]),
        site.rollback(),
        site.rollback(),
    ];
    assert_eq!(site.version(), "2.0");
    let told = told.map(|result| site.shown(result)).join("\n");
    insta::assert_snapshot!(told);
    assert_eq!(
        site.files(),
        [
            ".gordon-janitor-installed.lock",
            RECORD,
            ".libacme.so.previous",
            "libacme.so"
        ]
    );
    let mode = fs::metadata(site.directory().join("libacme.so")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o7777, 0o644);
}

#[test]
fn rolling_back_twice_is_doing_nothing() {
    let site = Site::new();
    site.install("1.0", &["acme.a"]).unwrap();
    site.install("2.0", &["acme.a"]).unwrap();
    for expected in ["1.0", "2.0", "1.0"] {
        site.rollback().unwrap();
        assert_eq!(site.version(), expected);
    }
}

#[test]
fn a_replaced_library_is_another_file() {
    // Whoever has the old one loaded keeps it.
    let site = Site::new();
    let inode = || {
        let path = site.directory().join("libacme.so");
        fs::metadata(path).unwrap().ino()
    };
    site.install("1.0", &["acme.a"]).unwrap();
    let before = inode();
    site.install("2.0", &["acme.a"]).unwrap();
    assert_ne!(inode(), before);
}

#[test]
fn whoever_looks_while_libraries_are_installed_finds_one() {
    let site = Site::new();
    site.install("0", &["acme.a"]).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut looks = 0;
            while !is_over.load(Ordering::Relaxed) {
                site.version();
                looks += 1;
            }
            looks
        });
        for version in 1..=40 {
            site.install(&version.to_string(), &["acme.a"]).unwrap();
            if version % 4 == 0 {
                site.rollback().unwrap();
            }
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(looking.join().unwrap() > 0);
    });
}

#[test]
fn what_preflight_refuses_is_not_installed() {
    let site = Site::new();
    site.install("1.0", &["acme.a"]).unwrap();
    let before = site.files();
    let path = site.build("2.0", &["acme.a"]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let told = site.shown(install(site.choose(), &path, None));
    assert!(
        told.starts_with("error[GJ102]: libacme.so is incomplete"),
        "{told}"
    );
    let stranger = Elf {
        note_name: b"GNU\0",
        ..Elf::plugin("x", &[])
    };
    fs::write(&path, stranger.octets()).unwrap();
    let told = site.shown(install(site.choose(), &path, None));
    assert!(
        told.starts_with("error[GJ109]: libacme.so is not a gordon-janitor plugin"),
        "{told}"
    );
    assert_eq!((site.version(), site.files()), ("1.0".to_owned(), before));
}

#[test]
fn a_key_that_another_library_has_is_refused() {
    let site = Site::new();
    site.install("1.0", &["acme.a"]).unwrap();
    let path = site.build("2.0", &["acme.a", "acme.b"]);
    let told = site.shown(install(site.choose(), &path, Some("libother.so")));
    insta::assert_snapshot!(told, @r#"
    error[GJ203]: key "acme.a" would be exported by two libraries; libother.so was not installed
      found: <root>/plugins/libacme.so  acme 1.0
      because: which one runs must not depend on the order of the directory
      help: to replace it: --as libacme.so; or move it away first
    1 error; nothing was run
    "#);
    assert_eq!(site.version(), "1.0");
}

#[test]
fn a_second_name_for_what_is_replaced_would_keep_its_keys() {
    // A hard link stays with the old library; so does what a link in the place of the target led to.
    let told = [("libz.so", "libacme.so"), ("libacme.so", "liba.so")].map(|(first, second)| {
        let site = Site::new();
        site.install("1.0", &["acme.a"]).unwrap();
        let directory = site.directory();
        if second == "libacme.so" {
            fs::hard_link(directory.join(second), directory.join(first)).unwrap();
        } else {
            fs::rename(directory.join("libacme.so"), directory.join(second)).unwrap();
            std::os::unix::fs::symlink(second, directory.join(first)).unwrap();
        }
        let told = site.shown(site.install("2.0", &["acme.a"]));
        assert_eq!(site.version(), "1.0");
        told.lines().take(2).collect::<Vec<_>>().join("\n")
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    error[GJ203]: key "acme.a" would be exported by two libraries; libacme.so was not installed
      found: <root>/plugins/libz.so  acme 1.0
    error[GJ203]: key "acme.a" would be exported by two libraries; libacme.so was not installed
      found: <root>/plugins/liba.so  acme 1.0
    "#);
}

#[test]
fn a_link_to_what_is_replaced_leads_to_what_replaces_it() {
    let site = Site::new();
    site.install("1.0", &["acme.a"]).unwrap();
    for link in ["a.so", "z.so"] {
        std::os::unix::fs::symlink("libacme.so", site.directory().join(link)).unwrap();
    }
    site.install("2.0", &["acme.a"]).unwrap();
    assert_eq!(site.version(), "2.0");
}

#[test]
fn names_that_would_not_be_looked_at_are_refused() {
    let site = Site::new();
    let path = site.build("1.0", &["acme.a"]);
    for name in ["libacme.so.1", ".libacme.so", "../libacme.so", "acme"] {
        let error = install(site.choose(), &path, Some(name)).unwrap_err();
        let expected = format!("cannot install a library as `{name}`");
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(site.files(), [""; 0]);
}

#[test]
fn a_name_reaches_no_terminal_as_it_is() {
    let site = Site::new();
    for version in ["1.0", "1.0", "2.0"] {
        let path = site.build(version, &["acme.a"]);
        let told = install(site.choose(), &path, Some("lib\u{1b}[2J.so")).unwrap();
        assert!(
            told.contains("lib\\x1b[2J.so") && !told.contains('\u{1b}'),
            "{told:?}"
        );
    }
    let told = site.rollback().unwrap();
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn a_library_that_is_there_already_is_recorded() {
    let site = Site::new();
    let path = site.directory().join("libacme.so");
    fs::copy(site.build("1.0", &["acme.a"]), &path).unwrap();
    let told = site.shown(install(site.choose(), &path, None));
    insta::assert_snapshot!(told, @"
    libacme.so is already in <root>/plugins: acme 1.0, sha256 <8>; recorded its sha256
      plugins: acme.a (authority)
    ");
    let told = site.shown(install(site.choose(), &path, None));
    assert!(told.contains("nothing to do"), "{told}");
}

#[test]
fn a_library_that_changed_is_refused_and_neither_kept_nor_trusted() {
    let site = Site::new();
    site.install("1.0", &["acme.a"]).unwrap();
    site.install("2.0", &["acme.a"]).unwrap();
    let path = site.directory().join("libacme.so");
    let changed =
        Elf::with_manifest(&manifest("acme", &[("acme.a", "authority")]).replace("0.1.0", "6.6.6"));
    fs::write(&path, changed.octets()).unwrap();
    let discovery = Discovery::scan(site.choose());
    assert!(discovery.find("acme.a").unwrap().is_none());
    let Verdict::Refused(problem, _) = &discovery.files()[0].judged.verdict else {
        panic!("accepted")
    };
    let text = problem.to_string();
    let text = text.replace(&site.root.path().display().to_string(), "<root>");
    let mut lines = text.lines().filter(|line| !line.starts_with("  found:"));
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("error[GJ302]: libacme.so changed since it was installed: sha256 "),
        "{first}"
    );
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
      where: <root>/plugins/libacme.so
      because: its octets are not those that were judged then
      help: if you changed it: gordon-janitor plugins install <root>/plugins/libacme.so
      help: if you did not: install it anew from where it came from, and find out who did
    ");
    // The one before is still the one before.
    site.install("3.0", &["acme.a"]).unwrap();
    site.rollback().unwrap();
    assert_eq!(site.version(), "1.0");
}

#[test]
fn a_link_to_a_library_that_changed_is_no_way_around() {
    let site = Site::new();
    site.install("1.0", &["acme.a"]).unwrap();
    let path = site.directory().join("libacme.so");
    std::os::unix::fs::symlink("libacme.so", site.directory().join("a.so")).unwrap();
    fs::hard_link(&path, site.directory().join("b.so")).unwrap();
    assert_eq!(site.version(), "1.0");
    let changed = Elf::with_manifest(&manifest("acme", &[("acme.a", "authority")]));
    fs::write(&path, changed.octets()).unwrap();
    let discovery = Discovery::scan(site.choose());
    assert!(discovery.find("acme.a").unwrap().is_none());
}

#[test]
fn there_is_nothing_to_go_back_to_at_first() {
    let site = Site::new();
    let missing = site.shown(site.rollback());
    assert!(
        missing.starts_with("error[GJ202]: Plugin \"acme.a\" not installed"),
        "{missing}"
    );
    site.install("1.0", &["acme.a"]).unwrap();
    assert_eq!(
        site.shown(site.rollback()),
        "cannot roll back `acme.a`: of libacme.so, no earlier version was kept"
    );
}

#[test]
fn a_version_that_lost_the_plugin_can_be_rolled_back() {
    let site = Site::new();
    site.install("1.0", &["acme.a"]).unwrap();
    site.install("2.0", &["acme.b"]).unwrap();
    site.rollback().unwrap();
    assert_eq!(site.version(), "1.0");
}

#[test]
fn a_kept_version_that_changed_is_not_taken() {
    let site = Site::new();
    site.install("1.0", &["acme.a"]).unwrap();
    site.install("2.0", &["acme.a"]).unwrap();
    let kept = site.directory().join(".libacme.so.previous");
    let changed = Elf::with_manifest(&manifest("acme", &[("acme.a", "authority")]));
    fs::write(&kept, changed.octets()).unwrap();
    let told = site.shown(site.rollback());
    assert!(
        told.starts_with("error[GJ302]: the version of libacme.so that was kept is not the one that was installed"),
        "{told}"
    );
    assert_eq!(site.version(), "2.0");
}
