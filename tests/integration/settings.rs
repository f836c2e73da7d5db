//! Settings of plugins that are wrong: each is told with its place, all of them together, and nothing
//! of a plugin runs.

use insta::assert_snapshot;

use crate::configuration::refused;
use crate::janitor::{DNS, FILES, Janitor};

pub(crate) const CHOOSY: &str = "villain.authority.is-choosy";

/// What is said about `[villain.authority.is-choosy]` with these settings.
pub(crate) fn choosy(settings: &str) -> String {
    let janitor = Janitor::new().authorities(&[CHOOSY]);
    refused(janitor.settings(&format!("[{CHOOSY}]\n{settings}")))
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
      found: settings of files.zones 0.1.0: directory (path, required), file_names (text), max_octets (whole number of octets, 0 or more)
      help: gordon-janitor plugins show files.zones
    error: 1 error; nothing was run
    "#);
    let settings = settings.replace("direcotry = 'elsewhere'", "directory = 3");
    assert_snapshot!(refused(Janitor::new().settings(&settings)), @"
    error[GJ403]: files.served.max_octets must be a whole number of octets, 0 or more, not a text
      where: <root>/gordon-janitor-user.toml:5:14, files.served.max_octets
      5 | max_octets = 'many'
        |              ^^^^^^
      help: gordon-janitor plugins show files.served
    error[GJ403]: files.zones.directory must be a path, not a whole number
      where: <root>/gordon-janitor-user.toml:3:13, files.zones.directory
      3 | directory = 3
        |             ^
      help: gordon-janitor plugins show files.zones
    error: 2 errors; nothing was run
    ");
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
    error[GJ410]: [files.zones] lacks the required setting "directory" (path)
      where: <root>/gordon-janitor.toml:3:8, [files.zones]
      3 | [files.zones]
        |        ^^^^^
      help: add:  directory = "…"   # Directory of the zone files; a relative path starts at the configuration root.
    error: 1 error; nothing was run
    "#);
}

#[test]
fn several_that_are_missing_are_told_together() {
    assert_snapshot!(choosy("[villain.authority.is-choosy.tray]"), @r#"
    error[GJ410]: [villain.authority.is-choosy.tray] lacks the required setting "material" (text)
      where: <root>/gordon-janitor-user.toml:2:30, [villain.authority.is-choosy.tray]
      2 | [villain.authority.is-choosy.tray]
        |                              ^^^^
      help: add:  material = "…"   # What it is made of.
    error[GJ410]: [villain.authority.is-choosy] lacks the required settings "cups" (whole number of cups, 1 to 60000), "tea" (one of "green", "black")
      where: <root>/gordon-janitor.toml:9:20, [villain.authority.is-choosy]
      9 | [villain.authority.is-choosy]
        |                    ^^^^^^^^^
      help: add:  cups = 1   # Cups in the pot.
      help: add:  tea = "green"   # What is in them.
    error: 2 errors; nothing was run
    "#);
}

#[test]
fn a_misspelt_name_explains_what_is_missing() {
    assert_snapshot!(choosy("cup = 2\ntea = 'green'"), @r#"
    error[GJ401]: [villain.authority.is-choosy] has no setting "cup"; did you mean "cups"?
      where: <root>/gordon-janitor-user.toml:2:1, [villain.authority.is-choosy]
      2 | cup = "***"
        | ^^^
      also: the required setting "cups" (whole number of cups, 1 to 60000) is missing, which this spelling mistake explains
      found: settings of villain.authority.is-choosy 0.0.0: cups (whole number of cups, 1 to 60000, required), tea (one of "green", "black", required), leaves (list of tables), tray (table), phrase (text, secret), password (whole number, 0 or more), blab (boolean)
      help: gordon-janitor plugins show villain.authority.is-choosy
    error: 1 error; nothing was run
    "#);
}

#[test]
fn values_of_another_type() {
    assert_snapshot!(choosy("cups = 'two'\ntea = true\nleaves = { length = 1 }\ntray = 'silver'\nblab = 0"), @r#"
    error[GJ403]: villain.authority.is-choosy.cups must be a whole number of cups from 1 to 60000, not a text
      where: <root>/gordon-janitor-user.toml:2:8, villain.authority.is-choosy.cups
      2 | cups = 'two'
        |        ^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ403]: villain.authority.is-choosy.tea must be one of "green", "black", not a boolean
      where: <root>/gordon-janitor-user.toml:3:7, villain.authority.is-choosy.tea
      3 | tea = true
        |       ^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ403]: villain.authority.is-choosy.leaves must be a list of tables, in brackets, not a table
      where: <root>/gordon-janitor-user.toml:4:1, villain.authority.is-choosy.leaves
      4 | leaves = { length = 1 }
        | ^^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ403]: villain.authority.is-choosy.tray must be a table, not a text
      where: <root>/gordon-janitor-user.toml:5:8, villain.authority.is-choosy.tray
      5 | tray = 'silver'
        |        ^^^^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ403]: villain.authority.is-choosy.blab must be true or false, not a whole number
      where: <root>/gordon-janitor-user.toml:6:8, villain.authority.is-choosy.blab
      6 | blab = 0
        |        ^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error: 5 errors; nothing was run
    "#);
}

#[test]
fn values_out_of_range_and_out_of_the_list() {
    assert_snapshot!(choosy("cups = 70000\ntea = 'gren'\nleaves = [{ length = -0.5 }]"), @r#"
    error[GJ404]: villain.authority.is-choosy.cups must be a whole number of cups from 1 to 60000, not 70000
      where: <root>/gordon-janitor-user.toml:2:8, villain.authority.is-choosy.cups
      2 | cups = 70000
        |        ^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ404]: villain.authority.is-choosy.tea must be one of "green", "black", not "gren"; did you mean "green"?
      where: <root>/gordon-janitor-user.toml:3:7, villain.authority.is-choosy.tea
      3 | tea = 'gren'
        |       ^^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ404]: villain.authority.is-choosy.leaves[0].length must be a number of millimetres, 0 or more, not -0.5
      where: <root>/gordon-janitor-user.toml:4:22, villain.authority.is-choosy.leaves[0].length
      4 | leaves = [{ length = -0.5 }]
        |                      ^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error: 3 errors; nothing was run
    "#);
    assert_snapshot!(choosy("cups = 0\ntea = 'espresso'\nleaves = [{ length = nan }]"), @r#"
    error[GJ404]: villain.authority.is-choosy.cups must be a whole number of cups from 1 to 60000, not 0
      where: <root>/gordon-janitor-user.toml:2:8, villain.authority.is-choosy.cups
      2 | cups = 0
        |        ^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ404]: villain.authority.is-choosy.tea must be one of "green", "black", not "espresso"
      where: <root>/gordon-janitor-user.toml:3:7, villain.authority.is-choosy.tea
      3 | tea = 'espresso'
        |       ^^^^^^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ404]: villain.authority.is-choosy.leaves[0].length must be a number of millimetres, 0 or more, not NaN
      where: <root>/gordon-janitor-user.toml:4:22, villain.authority.is-choosy.leaves[0].length
      4 | leaves = [{ length = nan }]
        |                      ^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error: 3 errors; nothing was run
    "#);
}

#[test]
fn values_deep_inside_a_table_are_found_again() {
    let settings = "\
cups = 2
tea = 'green'
leaves = [
  { length = 1 },
  { lenght = 1 },
]
tray = { material = 'tin', bearers = { left = 1, 'the right' = 300 } }
";
    assert_snapshot!(choosy(settings), @r#"
    error[GJ401]: villain.authority.is-choosy.leaves[1] has no setting "lenght"; did you mean "length"?
      where: <root>/gordon-janitor-user.toml:6:5, villain.authority.is-choosy.leaves[1]
      6 |   { lenght = "***" },
        |     ^^^^^^
      also: the required setting "length" (number of millimetres, 0 or more) is missing, which this spelling mistake explains
      found: settings of villain.authority.is-choosy.leaves[1]: length (number of millimetres, 0 or more, required)
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ404]: villain.authority.is-choosy.tray.bearers."the right" must be a whole number from 0 to 255, not 300
      where: <root>/gordon-janitor-user.toml:8:64, villain.authority.is-choosy.tray.bearers."the right"
      8 | tray = { material = 'tin', bearers = { left = 1, 'the right' = 300 } }
        |                                                                ^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error: 2 errors; nothing was run
    "#);
}

#[test]
fn a_value_that_only_the_plugin_can_judge() {
    let janitor = Janitor::new().settings("[files.zones]\nfile_names = 'zone'");
    assert_snapshot!(refused(janitor), @r#"
    error[GJ409]: plugin "files.zones" does not accept its configuration: file_names must contain `{zone}`, as in "{zone}.zone" or "db.{zone}"
      where: <root>/gordon-janitor-user.toml:2:14, [files.zones]
      2 | file_names = 'zone'
        |              ^^^^^^
    error: 1 error; nothing was run
    "#);
}

#[test]
fn an_old_name_is_understood_with_a_warning() {
    let janitor = Janitor::new()
        .authorities(&[CHOOSY])
        .settings("[villain.authority.is-choosy]\nmugs = 2\ntea = 'black'");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    assert_snapshot!(run.errors(), @"
    warning[GJ401]: villain.authority.is-choosy.mugs is an old name of cups
      where: <root>/gordon-janitor-user.toml:2:1, [villain.authority.is-choosy]
      2 | mugs = 2
        | ^^^^
      help: write cups in its place
    ");
}

#[test]
fn two_names_of_one_setting_exclude_each_other() {
    assert_snapshot!(choosy("cups = 2\nmugs = 3\ntea = 'black'"), @r#"
    error[GJ412]: [villain.authority.is-choosy] has both "cups" and "mugs", which are one setting
      where: <root>/gordon-janitor-user.toml:3:1, [villain.authority.is-choosy]
      3 | mugs = 3
        | ^^^^
      found: "cups" at <root>/gordon-janitor-user.toml:2:1
      help: keep cups
    error: 1 error; nothing was run
    "#);
}

#[test]
fn the_nearest_table_wins_whatever_the_name() {
    // Inherited under its old name, it gives way to the plugin's own.
    let janitor = Janitor::new()
        .authorities(&[CHOOSY])
        .settings("[villain]\nmugs = 3\n[villain.authority.is-choosy]\ncups = 2\ntea = 'black'");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
    let given = janitor.command(&["config", CHOOSY]);
    assert_eq!(given.stdout(), "cups = 2\ntea = \"black\"\n");
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
fn a_plugin_without_a_table_is_told_what_it_requires() {
    let config = "\
[core]
plugins = ['files.zones', 'files.served', 'villain.publisher.behaves']
[files]
directory = 'desired'
[files.zones]
";
    assert_snapshot!(refused(Janitor::new().config(config)), @r#"
    error[GJ402]: plugin "files.served" is listed in core.plugins but no configuration was found for it
      where: <root>/gordon-janitor.toml:2:27, core.plugins
      2 | plugins = ['files.zones', 'files.served', 'villain.publisher.behaves']
        |                           ^^^^^^^^^^^^^^
      found: no table [files.served] in gordon-janitor.toml or gordon-janitor-user.toml
      because: it inherits what it requires, but runs only if it has a table of its own
      help: add:  [files.served]
    error[GJ402]: plugin "villain.publisher.behaves" is listed in core.plugins but no configuration was found for it
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ['files.zones', 'files.served', 'villain.publisher.behaves']
        |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      found: no table [villain.publisher.behaves] in gordon-janitor.toml or gordon-janitor-user.toml
      because: it requires nothing, but runs only if it has a table
      help: add:  [villain.publisher.behaves]
    error: 2 errors; nothing was run
    "#);
    let config = "[core]\nplugins = ['villain.authority.is-choosy']\n";
    assert_snapshot!(refused(Janitor::new().config(config)), @r#"
    error[GJ402]: plugin "villain.authority.is-choosy" is listed in core.plugins but no configuration was found for it
      where: <root>/gordon-janitor.toml:2:12, core.plugins
      2 | plugins = ['villain.authority.is-choosy']
        |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      found: no table [villain.authority.is-choosy] in gordon-janitor.toml or gordon-janitor-user.toml
      because: it requires "cups" (whole number of cups, 1 to 60000), "tea" (one of "green", "black")
      help: add:  [villain.authority.is-choosy]
      help: add:  cups = 1   # Cups in the pot.
      help: add:  tea = "green"   # What is in them.
    error: 1 error; nothing was run
    "#);
}

#[test]
fn both_spellings_of_a_table() {
    let config = "[core]\nplugins = ['files.changes']\n[files.changes]\npath = '-'\n[\"files.changes\"]\npath = 'x'\n";
    assert_snapshot!(refused(Janitor::new().config(config)), @r#"
    error[GJ405]: the table of "files.changes" is written in two spellings, which gives it two meanings
      where: <root>/gordon-janitor.toml:3:8, files.changes
      3 | [files.changes]
        |        ^^^^^^^
      found: the other one: <root>/gordon-janitor.toml:5:2
      help: write all of it below [files.changes]
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_scalar_where_a_table_is_expected() {
    let config = "[core]\nplugins = ['files.changes']\n[files]\nchanges = 'x'\n";
    assert_snapshot!(refused(Janitor::new().config(config)), @r#"
    error[GJ403]: the configuration of plugin "files.changes" must be a table, not a text
      where: <root>/gordon-janitor.toml:4:11, files.changes
      4 | changes = 'x'
        |           ^^^
      help: write its settings below a line [files.changes]
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_table_that_is_only_inherited_is_enough_for_its_settings() {
    let config = "\
[core]
plugins = ['files.zones', 'files.served', 'files.changes']
[core.logging]
handlers = ['stream']
[files]
directory = 'served'
path = '-'
[files.zones]
[files.served]
[files.changes]
";
    let janitor = Janitor::new().config(config).served("example.com", "");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
}

#[test]
fn an_inherited_setting_that_nobody_knows() {
    let janitor = Janitor::new().settings("[files]\nmax_octet = 3");
    assert_snapshot!(refused(janitor), @r#"
    error[GJ401]: no plugin below [files] has a setting "max_octet"; did you mean "max_octets"?
      where: <root>/gordon-janitor-user.toml:2:1, [files], inherited by files.apply
      2 | max_octet = 3
        | ^^^^^^^^^
      help: correct its name, or remove it
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_misspelt_table_is_no_reason_to_go_on_without_what_it_says() {
    let config = "\
[core]
plugins = ['files.zones', 'dns.axfr', 'dns.update']
[files.zones]
directory = 'desired'
[dns]
servers = ['192.0.2.53']
tsigkey = { file = 'janitor.key' }
tsl = {}
[dns.zone.'example.com']
servers = ['192.0.2.54']
[dns.axfr]
[dns.update]
";
    let janitor = Janitor::new().libraries(&[FILES, DNS]).config(config);
    assert_snapshot!(refused(janitor), @r#"
    error[GJ401]: no plugin below [dns] has a setting "tsigkey"; did you mean "tsig_key"?
      where: <root>/gordon-janitor.toml:7:1, [dns], inherited by dns.axfr
      7 | tsigkey = { file = "***" }
        | ^^^^^^^
      help: correct its name, or remove it
    error[GJ401]: no plugin below [dns] has a setting "tsl"; did you mean "tls"?
      where: <root>/gordon-janitor.toml:8:1, [dns], inherited by dns.axfr
      8 | tsl = {}
        | ^^^
      help: correct its name, or remove it
    error[GJ401]: no plugin below [dns] has a setting "zone"; did you mean "zones"?
      where: <root>/gordon-janitor.toml:9:6, [dns], inherited by dns.axfr
      9 | [dns.zone.'example.com']
        |      ^^^^
      help: correct its name, or remove it
    error: 3 errors; nothing was run
    "#);
}

#[test]
fn an_inherited_setting_that_only_an_idle_sibling_knows() {
    // `path` is that of files.changes, which does not run.
    let janitor = Janitor::new()
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "")
        .settings("[files]\npath = 'changes'");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
}

#[test]
fn an_inherited_setting_that_a_refused_library_may_know() {
    let janitor = Janitor::new()
        .libraries(&[FILES])
        .file("plugins/libmore.so", "half a libr")
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "")
        .settings("[files]\nregion = 'north'\n[files.mroe]\nx = 1");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    assert_snapshot!(run.errors(), @r#"
    warning[GJ401]: [files.mroe] has no effect: no plugin of this key is installed, and no plugin below [files] has such a setting
      where: <root>/gordon-janitor-user.toml:3:8, [files.mroe]
      3 | [files.mroe]
        |        ^^^^
      help: write [files.served], or remove it
    warning[GJ401]: no plugin below [files] has a setting "region"
      where: <root>/gordon-janitor-user.toml:2:1, [files], inherited by files.apply
      2 | region = 'north'
        | ^^^^^^
      note: libmore.so was refused and may hold one that does
      help: correct its name, or remove it
    "#);
}

#[test]
fn an_inherited_value_that_is_wrong_is_told_once() {
    assert_snapshot!(refused(Janitor::new().settings("[files]\nmax_octets = 'many'")), @"
    error[GJ403]: files.max_octets must be a whole number of octets, 0 or more, not a text
      where: <root>/gordon-janitor-user.toml:2:14, files.max_octets
      2 | max_octets = 'many'
        |              ^^^^^^
      note: it is inherited from [files]; a plugin's own table can have another value
      help: gordon-janitor plugins show files.apply
      help: gordon-janitor plugins show files.served
      help: gordon-janitor plugins show files.zones
    error: 1 error; nothing was run
    ");
}

#[test]
fn with_debug_a_plugin_with_wrong_settings_is_passed_over() {
    let janitor = Janitor::new()
        .authorities(&["files.zones", CHOOSY])
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "old A 192.0.2.1")
        .settings(
            "[core]\ndebug = true\n[villain.authority.is-choosy]\ncups = 'two'\ntea = 'green'",
        );
    let run = janitor.run();
    assert_snapshot!(run.errors(), @"
    warning[GJ403]: villain.authority.is-choosy.cups must be a whole number of cups from 1 to 60000, not a text
      where: <root>/gordon-janitor-user.toml:4:8, villain.authority.is-choosy.cups
      4 | cups = 'two'
        |        ^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
      note: continuing without it because core.debug = true
      note: nothing is deleted in this run: it is an authority
    ");
    // Nothing is deleted: what is missing might have spoken for it.
    assert_eq!(run.exit_code(), 3);
    let served = janitor.served_file("example.com");
    assert!(served.contains("www.example.com.") && served.contains("old.example.com."));
}
