//! Configurations that cannot be run: each says what, where and what next, and nothing runs.

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, library};

/// What a run says that is refused: with exit code 2, and with everything left as it was.
fn refused(janitor: Janitor) -> String {
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
fn a_plugin_without_a_table() {
    let config = "\
[core]
plugins = ['files.zones', 'files.served', 'files.apply']
[files.zones]
directory = 'desired'
[files.serve]
directory = 'served'
[files.apply]
directory = 'served'
";
    assert_snapshot!(refused(Janitor::new().config(config)), @r#"
    error[GJ402]: plugin "files.served" is listed in core.plugins but no configuration was found for it
      where: <root>/gordon-janitor.toml:2:27, core.plugins
      2 | plugins = ['files.zones', 'files.served', 'files.apply']
        |                           ^^^^^^^^^^^^^^
      found: no table [files.served] in gordon-janitor.toml or gordon-janitor-user.toml
      help: is the table [files.serve] at <root>/gordon-janitor.toml:5:8 meant for it? then write [files.served] there
    error: 1 error; nothing was run
    "#);
}

#[test]
fn settings_that_a_plugin_does_not_know_or_cannot_read_are_shown_in_the_users_file() {
    let settings = "\
# Overrides of this machine.
[files.zones]
direcotry = 'elsewhere'
[files.served]
max_octets = 'many'
[files.apply]
file_names = 'zone'
";
    assert_snapshot!(refused(Janitor::new().settings("[files.zones]\ndirecotry = 'elsewhere'")), @r#"
    error[GJ401]: [files.zones] has no setting "direcotry"; did you mean "directory"?
      where: <root>/gordon-janitor-user.toml:2:1, [files.zones]
      2 | direcotry = 'elsewhere'
        | ^^^^^^^^^
      found: settings of [files.zones]: directory, file_names, max_octets
    error: 1 error; nothing was run
    "#);
    let settings = settings.replace("direcotry = 'elsewhere'", "directory = 3");
    assert_snapshot!(refused(Janitor::new().settings(&settings)), @r#"
    error[GJ409]: plugin "files.zones" does not accept its configuration: invalid type: integer `3`, expected path string
      where: <root>/gordon-janitor-user.toml:3:13, [files.zones]
      3 | directory = 3
        |             ^
    error[GJ409]: plugin "files.served" does not accept its configuration: invalid type: string "many", expected u64
      where: <root>/gordon-janitor-user.toml:5:14, [files.served]
      5 | max_octets = 'many'
        |              ^^^^^^
    error[GJ409]: plugin "files.apply" does not accept its configuration: file_names must contain `{zone}`, as in "{zone}.zone" or "db.{zone}"
      where: <root>/gordon-janitor-user.toml:7:14, [files.apply]
      7 | file_names = 'zone'
        |              ^^^^^^
    error: 3 errors; nothing was run
    "#);
}

#[test]
fn a_setting_that_is_missing() {
    let config = "\
[core]
plugins = ['files.zones', 'files.served', 'files.apply']
[files.zones]
[files.served]
directory = 'served'
[files.apply]
directory = 'served'
";
    assert_snapshot!(refused(Janitor::new().config(config)), @r#"
    error[GJ409]: [files.zones] lacks the setting "directory"
      where: <root>/gordon-janitor.toml:3:8, [files.zones]
      3 | [files.zones]
        |        ^^^^^
      help: add directory = … to [files.zones]
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
fn values_deep_inside_a_table_are_found_again() {
    let choosy = |settings: &str| {
        let janitor = Janitor::new().authorities(&["villain.authority.is-choosy"]);
        refused(janitor.settings(&format!("[villain.authority.is-choosy]\n{settings}")))
    };
    assert_snapshot!(choosy("cups = 70000\ntea = 'green'"), @r#"
    error[GJ409]: plugin "villain.authority.is-choosy" does not accept its configuration: invalid value: integer `70000`, expected u16
      where: <root>/gordon-janitor-user.toml:2:8, [villain.authority.is-choosy]
      2 | cups = 70000
        |        ^^^^^
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(choosy("cups = 2\ntea = 'red'"), @r#"
    error[GJ409]: plugin "villain.authority.is-choosy" does not accept its configuration: unknown variant `red`, expected `green` or `black`
      where: <root>/gordon-janitor-user.toml:3:7, [villain.authority.is-choosy]
      3 | tea = 'red'
        |       ^^^^^
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(choosy("cups = 2\ntea = 'green'\nleaves = [\n  { length = 1 },\n  { lenght = 1 },\n]"), @r#"
    error[GJ401]: [villain.authority.is-choosy] has no setting "lenght"; did you mean "length"?
      where: <root>/gordon-janitor-user.toml:6:5, [villain.authority.is-choosy]
      6 |   { lenght = 1 },
        |     ^^^^^^
      found: settings of [villain.authority.is-choosy]: length
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_secret_is_not_repeated_when_it_is_wrong() {
    let janitor = Janitor::new()
        .authorities(&["villain.authority.is-choosy"])
        .settings("[villain.authority.is-choosy]\ncups = 2\ntea = 'green'\npassword = 'hunter2'");
    let log = janitor.run().log().join("\n");
    assert!(log.contains("Plugin was not loaded"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
    let told = refused(janitor);
    assert!(!told.contains("hunter2"), "{told}");
    assert_snapshot!(told, @r#"
    error[GJ409]: plugin "villain.authority.is-choosy" does not accept its configuration: invalid type: string "***", expected u64
      where: <root>/gordon-janitor-user.toml:4:12, [villain.authority.is-choosy]
      4 | password = "***"
        |            ^^^^^
    error: 1 error; nothing was run
    "#);
}

#[test]
fn an_inherited_setting_that_nobody_knows() {
    // All of the family run, so no idle sibling can be meant.
    let janitor = Janitor::new()
        .publishers(&["files.apply", "files.changes"])
        .settings("[files]\nmax_octet = 3");
    assert_snapshot!(refused(janitor), @r#"
    error[GJ401]: no plugin below [files] has a setting "max_octet"; did you mean "max_octets"?
      where: <root>/gordon-janitor-user.toml:2:1, inherited by [files.zones]
      2 | max_octet = 3
        | ^^^^^^^^^
      help: correct its name, or remove it
    error: 1 error; nothing was run
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
    error: 1 error; nothing was run
    "#);
}

#[test]
fn one_key_in_two_libraries() {
    let janitor = Janitor::new().libraries(&[FILES]);
    let copy = janitor.path("plugins/libfiles-2.so");
    std::fs::copy(library(FILES), copy).expect("a library can be copied");
    assert_snapshot!(refused(janitor), @r#"
    error[GJ203]: key "files.apply" is exported by two libraries; none was loaded
      found: <root>/plugins/libfiles-2.so  files.apply 0.1.0
      found: <root>/plugins/libjanitor_plugin_files.so  files.apply 0.1.0
      because: which one runs must not depend on the order of the directory
      help: move one away; backups belong outside this directory or under a name that starts with a dot
    error[GJ203]: key "files.served" is exported by two libraries; none was loaded
      found: <root>/plugins/libfiles-2.so  files.served 0.1.0
      found: <root>/plugins/libjanitor_plugin_files.so  files.served 0.1.0
      because: which one runs must not depend on the order of the directory
      help: move one away; backups belong outside this directory or under a name that starts with a dot
    error[GJ203]: key "files.zones" is exported by two libraries; none was loaded
      found: <root>/plugins/libfiles-2.so  files.zones 0.1.0
      found: <root>/plugins/libjanitor_plugin_files.so  files.zones 0.1.0
      because: which one runs must not depend on the order of the directory
      help: move one away; backups belong outside this directory or under a name that starts with a dot
    error: 3 errors; nothing was run
    "#);
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
      found: settings of [core]: channel_capacity, deadline, debug, grace, logging, metrics, plugin, plugin_dir, plugins
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
