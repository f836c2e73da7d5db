//! Configurations that cannot be run: each says what, where and what next, and nothing runs.

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, library};

/// What a run says that is refused: with exit code 2, and with everything left as it was.
pub(crate) fn refused(janitor: Janitor) -> String {
    let janitor = janitor
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "");
    let served = janitor.served_file("example.com");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2, "{}", run.errors());
    assert_eq!(janitor.served_file("example.com"), served);
    assert_eq!(run.stdout(), "");
    run.errors()
}

#[test]
fn no_configuration() {
    assert_snapshot!(refused(Janitor::new().config("")), @r#"
    error[GJ400]: Cannot load Gordon configuration file from "<root>".
      found: neither gordon-janitor.toml nor gordon-janitor-user.toml
      help: name the directory that holds them: gordon-janitor --config-root DIR
    error: 1 error; nothing was run
    "#);
}

#[test]
fn toml_that_cannot_be_read() {
    assert_snapshot!(refused(Janitor::new().config("[core]\nplugins = ['files.zones'\ndebug = true\n")), @"
    error[GJ407]: <root>/gordon-janitor.toml is not valid TOML: missing comma between array elements, expected `,`
      where: <root>/gordon-janitor.toml:3:1
      3 | debug = true
        | ^
    error: 1 error; nothing was run
    ");
}

#[test]
fn a_table_that_stands_twice() {
    let config = "[core]\nplugins = ['files.zones']\n[files.zones]\n[files.zones]\n";
    assert_snapshot!(refused(Janitor::new().config(config)), @"
    error[GJ407]: <root>/gordon-janitor.toml is not valid TOML: a key or a table stands twice
      where: <root>/gordon-janitor.toml:4:8
      4 | [files.zones]
        |        ^^^^^
      help: keep one of them; what gordon-janitor-user.toml says replaces what gordon-janitor.toml says
    error: 1 error; nothing was run
    ");
}

#[test]
fn plugins_as_a_text() {
    assert_snapshot!(refused(Janitor::new().config("[core]\nplugins = 'files.zones'\n")), @"
    error[GJ403]: core.plugins must be a list of texts, in brackets, not a text
      where: <root>/gordon-janitor.toml:2:11, core.plugins
      2 | plugins = 'files.zones'
        |           ^^^^^^^^^^^^^
    error: 1 error; nothing was run
    ");
}

#[test]
fn nothing_to_run() {
    let janitor =
        Janitor::new().config("[core]\nplugins = []\n[core.logging]\nhandlers = ['stream']\n");
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (2, "no-plugin-error")
    );
    assert_snapshot!(run.errors(), @r#"
    error: No plugins to run, exiting.
    hint: name them: core.plugins = ["files.zones", …]; gordon-janitor plugins list shows what is installed
    "#);
    assert_eq!(
        run.log_with("ERROR"),
        ["ERROR: No plugins to run, exiting."]
    );
}

#[test]
fn a_plugin_that_is_almost_installed() {
    assert_snapshot!(refused(Janitor::new().authorities(&["files.zone"]).libraries(&[FILES])), @r#"
    error[GJ201]: Plugin "files.zone" not installed
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zone"]
        |                                           ^^^^^^^^^^^^
      found: 4 keys in <root>/plugins; the nearest is "files.zones" (authority, libjanitor_plugin_files.so)
      help: write "files.zones"
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_plugin_that_nothing_resembles() {
    assert_snapshot!(refused(Janitor::new().authorities(&["gcp.gce"]).libraries(&[FILES])), @r#"
    error[GJ202]: Plugin "gcp.gce" not installed
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "gcp.gce"]
        |                                           ^^^^^^^^^
      found: plugins in <root>/plugins: files.apply, files.changes, files.served, files.zones; nothing resembles "gcp.gce"
      help: gordon-janitor plugins list; another directory: --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_directory_of_zone_files_that_is_not_there() {
    assert_snapshot!(refused(Janitor::new().settings("[files.zones]\ndirectory = 'nowhere'")), @r#"
    error[GJ409]: plugin "files.zones" does not accept its configuration: cannot use `<root>/nowhere` as the directory of zone files
      where: <root>/gordon-janitor.toml:9:8, [files.zones]
      9 | [files.zones]
        |        ^^^^^
      because: No such file or directory (os error 2)
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_plugin_in_other_letter_case() {
    let janitor = Janitor::new().authorities(&["Files.Zones"]);
    assert_snapshot!(refused(janitor.libraries(&[FILES])), @r#"
    error[GJ201]: Plugin "Files.Zones" not installed
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "Files.Zones"]
        |                                           ^^^^^^^^^^^^^
      because: a key is 1 to 64 of a-z, 0-9, `.`, `_` and `-`
      found: 4 keys in <root>/plugins; the nearest is "files.zones" (authority, libjanitor_plugin_files.so)
      help: write "files.zones"
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_plugin_without_a_name() {
    let config = "[core]\nplugins = ['', 'files zones']\n";
    assert_snapshot!(refused(Janitor::new().config(config).libraries(&[FILES])), @r#"
    error[GJ202]: Plugin "" not installed
      where: <root>/gordon-janitor.toml:2:12, core.plugins
      2 | plugins = ['', 'files zones']
        |            ^^
      because: a key is 1 to 64 of a-z, 0-9, `.`, `_` and `-`
      found: plugins in <root>/plugins: files.apply, files.changes, files.served, files.zones; nothing resembles ""
      help: gordon-janitor plugins list; another directory: --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
    error[GJ201]: Plugin "files zones" not installed
      where: <root>/gordon-janitor.toml:2:16, core.plugins
      2 | plugins = ['', 'files zones']
        |                ^^^^^^^^^^^^^
      because: a key is 1 to 64 of a-z, 0-9, `.`, `_` and `-`
      found: 4 keys in <root>/plugins; the nearest is "files.zones" (authority, libjanitor_plugin_files.so)
      help: write "files.zones"
    error: 2 errors; nothing was run
    "#);
}

#[test]
fn ten_thousand_plugins_that_are_not_installed() {
    let keys: Vec<_> = (0..10_000)
        .map(|number| format!("acme.p{number}"))
        .collect();
    let told = refused(Janitor::new().config(&format!("[core]\nplugins = {keys:?}\n")));
    assert_eq!(
        told.matches("error[GJ202]: Plugin \"acme.p").count(),
        10_000
    );
    assert!(told.ends_with("\nerror: 10000 errors; nothing was run\n"));
}

#[test]
fn a_file_without_permission_to_read_it() {
    // A link that leads nowhere is unreadable for everybody, root included.
    let janitor = Janitor::new();
    let link = janitor.path("gordon-janitor-user.toml");
    std::os::unix::fs::symlink("nowhere", link).expect("a link can be made");
    assert_snapshot!(refused(janitor), @"
    error[GJ408]: cannot read <root>/gordon-janitor-user.toml: No such file or directory (os error 2)
      because: a configuration file that is there counts; passed over, it would change what runs without a word
      help: make it readable for the user that runs gordon-janitor, or move it away
    error: 1 error; nothing was run
    ");
}

#[test]
fn a_file_that_is_far_too_large() {
    let janitor = Janitor::new();
    let path = janitor.path("gordon-janitor-user.toml");
    let file = std::fs::File::create(path).expect("a file can be made");
    file.set_len(50 << 20).expect("a file can be extended");
    assert_snapshot!(refused(janitor), @"
    error[GJ411]: <root>/gordon-janitor-user.toml is larger than 16 MiB, which no configuration is
      help: was it written over by something else? restore it
    error: 1 error; nothing was run
    ");
}

#[test]
fn a_byte_order_mark_takes_no_column() {
    let config = "\u{feff}core.debug = 1\n";
    assert_snapshot!(refused(Janitor::new().config(config)), @"
    error[GJ403]: core.debug must be true or false, not a whole number
      where: <root>/gordon-janitor.toml:1:14, core.debug
      1 | core.debug = 1
        |              ^
    error: 1 error; nothing was run
    ");
}

#[test]
fn the_file_that_won_is_the_one_that_is_shown() {
    let config =
        "[core]\nplugins = ['files.zones']\ngrace = 5\n[files.zones]\ndirectory = 'desired'\n";
    let janitor = Janitor::new().config(config);
    let told = refused(janitor.settings("[core]\ngrace = 'soon'\n[files]\nzones = 'desired'"));
    assert_snapshot!(told, @r#"
    error[GJ403]: core.grace must be a number of seconds, not a text
      where: <root>/gordon-janitor-user.toml:2:9, core.grace
      2 | grace = 'soon'
        |         ^^^^^^
    error[GJ403]: the configuration of plugin "files.zones" must be a table, not a text
      where: <root>/gordon-janitor-user.toml:4:9, files.zones
      4 | zones = 'desired'
        |         ^^^^^^^^^
      help: write its settings below a line [files.zones]
    error: 2 errors; nothing was run
    "#);
}

#[test]
fn a_role_without_a_plugin() {
    assert_snapshot!(refused(Janitor::new().publishers(&[]).libraries(&[FILES])), @r#"
error[GJ204]: A provider for "publisher" interface is not configured for the Janitor service or is not implemented.
  where: <root>/gordon-janitor.toml:2:11, core.plugins
  2 | plugins = ["files.served", "files.zones"]
    |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  found: core.plugins gives reconciler (files.served), authority (files.zones)
  found: installed, but not listed: files.apply (libjanitor_plugin_files.so), files.changes (libjanitor_plugin_files.so)
  help: add one of them to core.plugins
error: 1 error; nothing was run
"#);
}

#[test]
fn two_reconcilers() {
    let janitor = Janitor::new().reconcilers(&["files.served", "villain.reconciler.behaves"]);
    assert_snapshot!(refused(janitor), @r#"
    error[GJ205]: two plugins for the one place of "reconciler": files.served and villain.reconciler.behaves, both in core.plugins
      where: <root>/gordon-janitor.toml:2:11, core.plugins
      2 | plugins = ["files.apply", "files.served", "villain.reconciler.behaves", "files.zones"]
        |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      because: every zone is compared once, with what one reconciler reads
      help: keep one of them
      help: or say which of them compares which zones: [core.routes] "*.example.com" = { reconciler = "…" }
    error: 1 error; nothing was run
    "#);
}

#[test]
fn one_key_in_two_libraries() {
    let janitor = Janitor::new().libraries(&[FILES]);
    let copy = janitor.path("plugins/libfiles-2.so");
    let octets = std::fs::read(library(FILES)).expect("a library can be read");
    std::fs::write(copy, octets).expect("a library can be written");
    assert_snapshot!(without_digests(&refused(janitor)), @r#"
    error[GJ203]: key "files.apply" is exported by two libraries; none was loaded
      found: <root>/plugins/libfiles-2.so               files.apply 0.1.0  sha256 <8>  <date>
      found: <root>/plugins/libjanitor_plugin_files.so  files.apply 0.1.0  sha256 <8>  <date>
      note: they are copies of one another
      because: which one runs must not depend on the order of the directory
      help: move one away; backups belong outside this directory or under a name that starts with a dot
    error[GJ203]: key "files.served" is exported by two libraries; none was loaded
      found: <root>/plugins/libfiles-2.so               files.served 0.1.0  sha256 <8>  <date>
      found: <root>/plugins/libjanitor_plugin_files.so  files.served 0.1.0  sha256 <8>  <date>
      note: they are copies of one another
      because: which one runs must not depend on the order of the directory
      help: move one away; backups belong outside this directory or under a name that starts with a dot
    error[GJ203]: key "files.zones" is exported by two libraries; none was loaded
      found: <root>/plugins/libfiles-2.so               files.zones 0.1.0  sha256 <8>  <date>
      found: <root>/plugins/libjanitor_plugin_files.so  files.zones 0.1.0  sha256 <8>  <date>
      note: they are copies of one another
      because: which one runs must not depend on the order of the directory
      help: move one away; backups belong outside this directory or under a name that starts with a dot
    error: 3 errors; nothing was run
    "#);
}

/// Digests and dates of files as `<8>` and `<date>`.
fn without_digests(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("sha256 ") {
        Some((before, rest)) if rest.ends_with(" UTC") => format!("{before}sha256 <8>  <date>\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn everything_wrong_is_told_at_once() {
    let janitor = Janitor::new()
        .libraries(&[FILES])
        .authorities(&["files.zone", "files.zones", "files.zones"])
        .settings("[core]\ngrase = 1\n[core.plugin.'files.serve']\nlevel = 'loud'");
    assert_snapshot!(refused(janitor), @r#"
    error[GJ401]: [core] has no setting "grase"; did you mean "grace"?
      where: <root>/gordon-janitor-user.toml:2:1, [core]
      2 | grase = 1
        | ^^^^^
      found: settings of [core]: after_crash, channel_capacity, convergence, deadline, debug, grace, guard, history, logging, merge, metrics, plugin, plugin_dir, plugins, routes, scope, state_dir
    error[GJ404]: core.plugin."files.serve".level must be one of notset, debug, info, warning, warn, error, critical, fatal, not "loud"
      where: <root>/gordon-janitor-user.toml:4:9, core.plugin."files.serve".level
      4 | level = 'loud'
        |         ^^^^^^
    error[GJ406]: plugin "files.zones" is listed twice in core.plugins
      where: <root>/gordon-janitor.toml:2:72, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zone", "files.zones", "files.zones"]
        |                                                                        ^^^^^^^^^^^^^
      found: the first time at <root>/gordon-janitor.toml:2:57
      help: remove one of the two
    error[GJ201]: Plugin "files.zone" not installed
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zone", "files.zones", "files.zones"]
        |                                           ^^^^^^^^^^^^
      found: 4 keys in <root>/plugins; the nearest is "files.zones" (authority, libjanitor_plugin_files.so)
      help: write "files.zones"; a table [files.zones] is already there, at <root>/gordon-janitor.toml:11:8
    warning[GJ401]: [core.plugin."files.serve"] has no effect: no plugin of this key is installed or listed
      where: <root>/gordon-janitor-user.toml:3:14, [core.plugin]
      3 | [core.plugin.'files.serve']
        |              ^^^^^^^^^^^^^
      help: write [core.plugin."files.served"]
    error: 4 errors; nothing was run
    "#);
}

#[test]
fn a_plugin_directory_that_is_not_there() {
    let janitor = Janitor::new();
    std::fs::remove_dir_all(janitor.path("plugins")).expect("a directory can be removed");
    assert_snapshot!(refused(janitor), @"
    error[GJ206]: the plugin directory <root>/plugins does not exist
      found: chosen by --plugin-dir
      help: name another with --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
    error: 1 error; nothing was run
    ");
}
