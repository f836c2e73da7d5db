//! Configuration and plugin directory together.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::discovery::PluginDirectory;
use crate::preflight::tests::Elf;

const FILES: (&str, &[(&str, &str)]) = (
    "libfiles.so",
    &[
        ("files.zones", "authority"),
        ("files.served", "reconciler"),
        ("files.changes", "publisher"),
        ("files.apply", "publisher"),
    ],
);
const TABLES: &str =
    "[files]\nroot = 'x'\n[files.zones]\n[files.served]\n[files.changes]\n[files.apply]\n";

struct Setup {
    root: TempDir,
    result: Result<Deployment, Error>,
}

/// Resolves `config` against the library `files` and `more`.
fn setup(config: &str, purpose: Purpose, more: &[(&str, Vec<u8>)]) -> Setup {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("gordon-janitor.toml"), config).unwrap();
    let plugins = root.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    fs::write(
        plugins.join(FILES.0),
        Elf::plugin("files", FILES.1).octets(),
    )
    .unwrap();
    for (name, octets) in more {
        fs::write(plugins.join(name), octets).unwrap();
    }
    let config = Config::load(root.path()).unwrap();
    let discovery = Discovery::scan(PluginDirectory::choose(Some(&plugins), Some(&config)));
    Setup {
        result: resolve(&config, &discovery, purpose),
        root,
    }
}

fn keys(setup: &Setup) -> Vec<&str> {
    setup
        .result
        .as_ref()
        .unwrap()
        .plugins
        .iter()
        .map(|plugin| plugin.key.as_str())
        .collect()
}

fn text(setup: &Setup, problems: &[Problem]) -> String {
    let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
    text.join("\n")
        .replace(&setup.root.path().display().to_string(), "/etc/gj")
        .replace(std::env::consts::ARCH, "ARCH")
}

fn errors(setup: &Setup) -> String {
    match setup.result.as_ref().unwrap_err() {
        Error::Problems(problems) => without_digests(&text(setup, problems.list())),
        other => panic!("{other}"),
    }
}

/// Digests and dates of files as `<8>` and `<date>`.
fn without_digests(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("sha256 ") {
        Some((before, rest)) if rest.ends_with(" UTC") => format!("{before}sha256 <8>  <date>"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn plugins_come_in_the_order_of_a_run_with_what_they_receive() {
    let config = format!(
        "[core]\nplugins = ['files.apply', 'files.served', 'files.changes', 'files.zones']\n{TABLES}"
    );
    let setup = setup(&config, Purpose::Publish, &[]);
    assert_eq!(
        keys(&setup),
        [
            "files.zones",
            "files.served",
            "files.apply",
            "files.changes"
        ]
    );
    let deployment = setup.result.as_ref().unwrap();
    assert!(deployment.warnings.is_empty());
    for plugin in &deployment.plugins {
        assert_eq!(
            plugin.table.shown().text(),
            "root = \"x\"\n",
            "{}",
            plugin.key
        );
        assert!(plugin.library.ends_with("plugins/libfiles.so") && plugin.identity.is_some());
    }
}

#[test]
fn showing_needs_and_keeps_no_publisher() {
    for plugins in [
        "['files.served', 'files.zones']",
        "['files.apply', 'files.served', 'files.zones']",
        "['files.served', 'files.zones', 'no.table']",
    ] {
        let setup = setup(
            &format!("[core]\nplugins = {plugins}\n{TABLES}"),
            Purpose::Show,
            &[(
                "libno.so",
                Elf::plugin("no", &[("no.table", "publisher")]).octets(),
            )],
        );
        assert_eq!(keys(&setup), ["files.zones", "files.served"], "{plugins}");
    }
}

#[test]
fn everything_in_the_way_is_reported_at_once() {
    let config = format!(
        "[core]\nplugins = ['files.zone', 'gcp.gce', 'files.served', 'old.one', 'twin', 'acme.x', 'files.served']\n\
         grase = 1\n{TABLES}[acme.y]\n[core.plugin.'files.serve']\nlevel = 'debug'\n"
    );
    let old = Elf {
        machine: 8,
        ..Elf::plugin("old", &[("old.one", "publisher")])
    };
    let twin = || Elf::plugin("twin", &[("twin", "publisher")]).octets();
    let setup = setup(
        &config,
        Purpose::Publish,
        &[
            (
                "libacme.so",
                Elf::plugin("acme", &[("acme.x", "publisher")]).octets(),
            ),
            ("libold.so", old.octets()),
            ("libpage.so", b"<html>".to_vec()),
            ("libtwin.so", twin()),
            ("libtwin2.so", twin()),
        ],
    );
    insta::assert_snapshot!(errors(&setup));
}

#[test]
fn a_library_with_one_key_twice_is_refused_and_named_where_it_is_listed() {
    let config =
        format!("[core]\nplugins = ['files.served', 'files.apply', 'acme.x']\n{TABLES}[acme.x]\n");
    let twice = Elf::plugin("acme", &[("acme.x", "authority"), ("acme.x", "publisher")]);
    let setup = setup(&config, Purpose::Publish, &[("libacme.so", twice.octets())]);
    insta::assert_snapshot!(errors(&setup), @r#"
    error[GJ202]: Plugin "acme.x" not installed
      where: /etc/gj/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ['files.served', 'files.apply', 'acme.x']
        |                                           ^^^^^^^^
      found: plugins in /etc/gj/plugins: files.apply, files.changes, files.served, files.zones; nothing resembles "acme.x"
      help: gordon-janitor plugins list; another directory: --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
      note: libacme.so was refused and may hold it: GJ203 the manifest of libacme.so cannot be used: it holds the key `acme.x` twice
    "#);
}

#[test]
fn a_role_without_plugin_is_an_error() {
    let config = format!("[core]\nplugins = ['files.zones', 'files.served']\n{TABLES}");
    let setup = setup(&config, Purpose::Publish, &[]);
    insta::assert_snapshot!("a_role_without_plugin", errors(&setup));
}

#[test]
fn debug_goes_on_without_a_publisher_and_with_nothing_less() {
    let config = |plugins: &str| format!("[core]\ndebug = true\nplugins = {plugins}\n{TABLES}");
    let shown = setup(
        &config("['files.zones', 'files.served']"),
        Purpose::Publish,
        &[],
    );
    assert_eq!(keys(&shown), ["files.zones", "files.served"]);
    insta::assert_snapshot!(text(&shown, &shown.result.as_ref().unwrap().warnings), @r#"
    warning[GJ204]: A provider for "publisher" interface is not configured for the Janitor service or is not implemented.
      where: /etc/gj/gordon-janitor.toml:3:11, core.plugins
      3 | plugins = ['files.zones', 'files.served']
        |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      found: core.plugins gives authority (files.zones), reconciler (files.served)
      found: installed, but not listed: files.apply (libfiles.so), files.changes (libfiles.so)
      help: add one of them to core.plugins
      note: continuing without it because core.debug = true
      note: the changes are shown as with --dry-run; nothing is published
    "#);
    let refused = setup(&config("['files.apply']"), Purpose::Publish, &[]);
    insta::assert_snapshot!(errors(&refused), @r#"
    error[GJ204]: A provider for "authority" interface is not configured for the Janitor service or is not implemented.
      where: /etc/gj/gordon-janitor.toml:3:11, core.plugins
      3 | plugins = ['files.apply']
        |           ^^^^^^^^^^^^^^^
      because: without an authority nothing is desired, with core.debug or without
      found: core.plugins gives publisher (files.apply)
      found: installed, but not listed: files.zones (libfiles.so)
      help: add one of them to core.plugins
    error[GJ204]: A provider for "reconciler" interface is not configured for the Janitor service or is not implemented.
      where: /etc/gj/gordon-janitor.toml:3:11, core.plugins
      3 | plugins = ['files.apply']
        |           ^^^^^^^^^^^^^^^
      because: without a reconciler nothing can be compared, with core.debug or without
      found: core.plugins gives publisher (files.apply)
      found: installed, but not listed: files.served (libfiles.so)
      help: add one of them to core.plugins
    "#);
}

#[test]
fn a_role_whose_plugin_is_passed_over_is_not_said_to_be_unlisted() {
    let config = "[core]\ndebug = true\nplugins = ['files.zones', 'files.served', 'files.apply', 'gone']\n\
                  [files.zones]\n[files.served]\n";
    let setup = setup(config, Purpose::Publish, &[]);
    let deployment = setup.result.as_ref().unwrap();
    assert_eq!(deployment.passed_over, ["files.apply", "gone"]);
    let told = text(&setup, &deployment.warnings);
    let found = "  found: listed, but of no use: files.apply, gone\n";
    assert!(told.contains(found), "{told}");
}

#[test]
fn two_reconcilers_are_an_error() {
    let config = format!(
        "[core]\nplugins = ['files.zones', 'files.served', 'files.apply', 'other']\n{TABLES}[other]\n"
    );
    let other = (
        "libother.so",
        Elf::plugin("other", &[("other", "reconciler")]).octets(),
    );
    insta::assert_snapshot!(errors(&setup(&config, Purpose::Publish, &[other])));
}

#[test]
fn debug_goes_on_without_what_cannot_be_used_and_says_so() {
    let config = "[core]\ndebug = true\nplugins = ['files.zones', 'files.served', 'files.apply', 'files.changes', 'gone']\n\
                  [files.zones]\n[files.served]\n[files.apply]\n";
    let setup = setup(config, Purpose::Publish, &[]);
    assert_eq!(keys(&setup), ["files.zones", "files.served", "files.apply"]);
    insta::assert_snapshot!(text(&setup, &setup.result.as_ref().unwrap().warnings));
}

#[test]
fn nothing_listed_is_no_plugins_whatever_the_directory() {
    for config in ["[core]\n", "[core]\nplugins = []\n", "a = 1\n"] {
        let setup = setup(config, Purpose::Publish, &[]);
        assert!(
            matches!(setup.result, Err(Error::NoPlugins { .. })),
            "{config}"
        );
    }
    let setup = setup(
        "[core]\ndebug = true\nplugins = ['gone']\n",
        Purpose::Publish,
        &[],
    );
    let Err(Error::NoPlugins { warnings }) = &setup.result else {
        panic!("{:?}", setup.result)
    };
    assert_eq!(warnings.len(), 1);
}

#[test]
fn a_metrics_relay_has_no_place_among_the_plugins() {
    let config = format!(
        "[core]\nplugins = ['files.zones', 'files.served', 'files.apply', 'm']\n{TABLES}[m]\n"
    );
    let relay = (
        "libm.so",
        Elf::plugin("m", &[("m", "metrics-relay")]).octets(),
    );
    assert!(
        errors(&setup(&config, Purpose::Publish, &[relay]))
            .starts_with("error[GJ207]: plugin \"m\" is a metrics relay")
    );
}

#[test]
fn an_unknown_key_of_the_config_command_gets_the_nearest_one() {
    let root = tempfile::tempdir().unwrap();
    fs::write(
        root.path().join("gordon-janitor.toml"),
        format!("[core]\nplugins = ['files.zones']\n{TABLES}"),
    )
    .unwrap();
    fs::write(
        root.path().join(FILES.0),
        Elf::plugin("files", FILES.1).octets(),
    )
    .unwrap();
    let config = Config::load(root.path()).unwrap();
    let discovery = Discovery::scan(PluginDirectory::choose(Some(root.path()), None));
    assert_eq!(
        plugin_table(&config, &discovery, "files.zones")
            .unwrap()
            .shown()
            .text(),
        "root = \"x\"\n"
    );
    let error = plugin_table(&config, &discovery, "files.zone").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("help: gordon-janitor config files.zones"),
        "{error}"
    );
}

#[test]
fn what_stands_on_the_top_level_and_is_nearly_right_is_told() {
    let config = format!(
        "debug = true\nnumber = 1\n[Core]\ngrace = 1\n[metrics_logger]\ntime_unit = 1\n[other]\nx = 1\n\
         [core]\nplugins = ['files.zones', 'files.served', 'files.changes']\n{TABLES}"
    );
    let setup = setup(&config, Purpose::Publish, &[]);
    let warnings = &setup.result.as_ref().unwrap().warnings;
    insta::assert_snapshot!(text(&setup, warnings));
}
