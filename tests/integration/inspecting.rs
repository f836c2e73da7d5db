//! What can be learned of plugins without running them: `plugins show`, `sample` and `schema`.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::janitor::{FILES, Janitor, library};
use crate::peers::fit_schema;
use crate::settings::CHOOSY;

/// What a command prints that succeeds.
fn printed(janitor: &Janitor, arguments: &[&str]) -> String {
    let run = janitor.command(arguments);
    assert_eq!((run.exit_code(), run.stderr().as_str()), (0, ""));
    let stdout = run.stdout();
    match stdout.split_once("offers 1.0.0), ") {
        Some((before, after)) => {
            let rest = after.split_once('\n').map_or("", |(_, rest)| rest);
            format!("{before}offers 1.0.0), <rustc>\n{rest}")
        }
        None => stdout,
    }
}

#[test]
fn a_plugin_is_shown_with_its_settings() {
    let janitor = Janitor::new();
    assert_snapshot!(printed(&janitor, &["plugins", "show", "files.zones"]), @r#"
    files.zones  authority  enabled
    Takes the desired state of zones from zone files in a directory.

    library  <root>/plugins/libjanitor_plugin_files.so
    package  janitor-plugin-files 0.1.0
    built    with plugin API 1.0.0 (this host offers 1.0.0), <rustc>

    Settings of [files.zones]; what several plugins share may stand in [files]:

      directory  path; required
          Directory of the zone files; a relative path starts at the configuration root.

      file_names  text; default "{zone}.zone"
          How zone files are named; {zone} stands for the zone without its final dot, and has to be there once.
          For example: "db.{zone}"

      max_octets  whole number of octets, 0 or more; default 1073741824
          Largest zone file that is read.

    gordon-janitor plugins sample files.zones prints a table to begin with.
    "#);
    assert_snapshot!(printed(&janitor, &["plugins", "show", CHOOSY]), @r#"
    villain.authority.is-choosy  authority  available
    Wants settings of several types.

    library  <root>/plugins/libjanitor_misbehaving_villain.so
    package  janitor-misbehaving-villain 0.0.0
    built    with plugin API 1.0.0 (this host offers 1.0.0), <rustc>

    Settings of [villain.authority.is-choosy]; what several plugins share may stand in [villain] and [villain.authority]:

      cups  whole number of cups, 1 to 60000; required
          Cups in the pot.
          Once called mugs.

      tea  one of "green", "black"; required
          What is in them.

      leaves  list of tables; default []
          What it was made of.

          length  number of millimetres, 0 or more; required
              From stem to tip.

      tray  table; optional
          How it is served.

          material  text; required
              What it is made of.

          bearers  table of whole numbers, 0 to 255; default {}
              Who carries it.

      phrase  text; optional; secret
          Whoever knows it may drink. Its name does not say that it is a secret.

      password  whole number, 0 or more; optional
          A secret by its name.

      blab  boolean; default false
          Refuses its configuration, and says what it was given.

    gordon-janitor plugins sample villain.authority.is-choosy prints a table to begin with.
    "#);
}

#[test]
fn a_plugin_without_settings_is_shown() {
    let janitor = Janitor::new();
    let shown = printed(&janitor, &["plugins", "show", "liar.authority.goes-on"]);
    assert_snapshot!(shown, @"
    liar.authority.goes-on  authority  available
    Sends a zone after it has finished its stream.

    library  <root>/plugins/libjanitor_misbehaving_liar.so
    package  janitor-misbehaving-liar 0.0.0
    built    with plugin API 1.0.0 (this host offers 1.0.0), <rustc>

    It has no settings; the table has to be there all the same.

      [liar.authority.goes-on]
    ");
}

#[test]
fn a_plugin_is_shown_as_json() {
    let shown = printed(&Janitor::new(), &["plugins", "show", CHOOSY, "--json"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["state"], "available");
    assert_eq!(shown["reason"], Value::Null);
    let phrase = shown["settings"]
        .as_array()
        .and_then(|settings| settings.iter().find(|setting| setting["name"] == "phrase"))
        .expect("a setting");
    assert_snapshot!(format!("{phrase:#}"), @r#"
    {
      "aliases": [],
      "default": null,
      "deprecated_aliases": [],
      "description": "Whoever knows it may drink. Its name does not say that it is a secret.",
      "example": null,
      "name": "phrase",
      "required": false,
      "secret": true,
      "type": "text",
      "unit": null
    }
    "#);
}

#[test]
fn a_plugin_of_a_refused_library_is_shown_with_the_reason() {
    let janitor = Janitor::new().libraries(&[]);
    let mut octets = fs::read(library(FILES)).expect("a library can be read");
    // The machine, of which this is none.
    octets[18..20].copy_from_slice(&[8, 0]);
    let janitor = janitor.file("plugins/libforeign.so", octets);
    let shown = printed(&janitor, &["plugins", "show", "files.changes"]);
    let host = std::env::consts::ARCH;
    assert_snapshot!(shown.replace(host, "<this machine>"), @r#"
    files.changes  publisher  refused
    Writes every change as a line of JSON to a file or to standard output.
    GJ106: libforeign.so is built for mips; this machine is <this machine>

    library  <root>/plugins/libforeign.so
    package  janitor-plugin-files 0.1.0
    built    with plugin API 1.0.0 (this host offers 1.0.0), <rustc>
    writes   without looking at what is there (not conditional)

    Settings of [files.changes]; what several plugins share may stand in [files]:

      path  path; required
          File that lines are appended to; "-" is standard output.
          For example: "-"

    gordon-janitor plugins sample files.changes prints a table to begin with.
    "#);
}

#[test]
fn a_plugin_that_is_not_installed_is_not_shown() {
    for (key, help) in [
        (
            "files.zone",
            "help: gordon-janitor plugins show files.zones",
        ),
        (
            "gcp.gce",
            "help: gordon-janitor plugins list shows what is installed",
        ),
    ] {
        for command in ["show", "sample"] {
            let run = Janitor::new().command(&["plugins", command, key]);
            assert_eq!((run.exit_code(), run.stdout().as_str()), (2, ""));
            assert!(run.errors().contains(help), "{}", run.errors());
        }
    }
}

#[test]
fn a_sample_says_what_can_be_written() {
    let janitor = Janitor::new();
    assert_snapshot!(printed(&janitor, &["plugins", "sample", "files.zones"]), @r#"
    # Takes the desired state of zones from zone files in a directory.
    [files.zones]

    # Directory of the zone files; a relative path starts at the configuration root.
    # path; required
    directory = "…"

    # How zone files are named; {zone} stands for the zone without its final dot, and has to be there once.
    # text
    # for example: "db.{zone}"
    # file_names = "{zone}.zone"

    # Largest zone file that is read.
    # whole number of octets, 0 or more
    # max_octets = 1073741824
    "#);
    assert_snapshot!(printed(&janitor, &["plugins", "sample", CHOOSY]), @r#"
    # Wants settings of several types.
    [villain.authority.is-choosy]

    # Cups in the pot.
    # whole number of cups, 1 to 60000; required
    cups = 1

    # What is in them.
    # one of "green", "black"; required
    tea = "green"

    # What it was made of.
    # list of tables
    # in each: length (number of millimetres, 0 or more, required)
    # leaves = []

    # How it is served.
    # table
    # in it: material (text, required), bearers (table of whole numbers, 0 to 255)
    # tray = { material = "…" }

    # Whoever knows it may drink. Its name does not say that it is a secret.
    # text; secret
    # phrase = "…"

    # A secret by its name.
    # whole number, 0 or more
    # password = 0

    # Refuses its configuration, and says what it was given.
    # boolean
    # blab = false
    "#);
}

/// The samples of all plugins of the library `files`, and of the choosy one, filled in.
fn samples(janitor: &Janitor) -> String {
    let keys = [
        "files.zones",
        "files.served",
        "files.apply",
        "files.changes",
        CHOOSY,
    ];
    let samples = keys.map(|key| printed(janitor, &["plugins", "sample", key]));
    samples
        .join("\n")
        .replace("directory = \"…\"", "directory = \"served\"")
}

#[test]
fn samples_are_accepted_once_they_are_filled_in() {
    let core = "[core]\nplugins = ['files.zones', 'files.served', 'files.apply', 'files.changes', 'villain.authority.is-choosy']\n[core.logging]\nhandlers = ['stream']\n";
    let samples = samples(&Janitor::new());
    // The settings in comments are at what they are without them, or at an example.
    let all: String = samples
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(setting)
                if setting
                    .split_once(" = ")
                    .is_some_and(|(name, _)| !name.contains(' ')) =>
            {
                format!("{setting}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    assert_ne!(samples, all);
    for tables in [samples, all] {
        let janitor = Janitor::new()
            .config(&format!("{core}{tables}"))
            .served("example.com", "");
        let run = janitor.run();
        assert_eq!(
            (run.exit_code(), run.errors().as_str()),
            (0, ""),
            "{tables}"
        );
    }
}

#[test]
fn a_library_names_its_package_as_systemd_has_it() {
    let octets = fs::read(library(FILES)).expect("a library can be read");
    let package = format!(
        "{{\"type\":\"gordon-janitor-plugin\",\"name\":\"janitor-plugin-files\",\"version\":\"{}\"}}\0",
        env!("CARGO_PKG_VERSION")
    );
    // The header of an ELF note: lengths of owner and descriptor, type, owner.
    let length = u32::try_from(package.len()).expect("a short text");
    let mut note = [4, length, 0xcafe_1a7e].map(u32::to_ne_bytes).concat();
    note.extend(b"FDO\0");
    note.extend(package.as_bytes());
    assert!(memchr::memmem::find(&octets, &note).is_some(), "{package}");
}

#[test]
fn the_schema_of_the_configuration_is_json_schema_and_tells_right_from_wrong() {
    let janitor = Janitor::new();
    let schema = printed(&janitor, &["plugins", "schema"]);
    let janitor = janitor.file("schema.json", schema);
    let good = [
        "[core]\nplugins = ['files.zones']\n[core.logging]\nlevel = 'debug'\n[files]\nmax_octets = 3",
        "[core.plugin.'files.zones']\nlevel = 'info'\n[metrics-logger]\ntime_unit = 1000",
        "[villain.authority.is-choosy]\nmugs = 3",
        "[other]\nx = 1",
        &samples(&janitor),
    ];
    let bad = [
        "[core]\ndebug = 'false'",
        "[core]\nchannel_capacity = 0",
        "[core]\nplugin = 'x'",
        "[core.logging]\nlevel = 'loud'",
        "[core.plugin.'files.zones']\nlevels = 'info'",
        "[metrics-logger]\ntime_units = 1",
        "[files]\nmax_octet = 3",
        "[files.zones]\ndirecotry = 'x'",
        "[files.zones]\nmax_octets = -1",
        "[villain.authority.is-choosy]\ncups = 70000",
        "[villain.authority.is-choosy]\ntea = 'red'",
        "[villain.authority.is-choosy]\nleaves = [{ lenght = 1 }]",
        "[villain.authority.is-choosy]\nleaves = [{}]",
        "[villain.authority.is-choosy]\ntray = { material = 'x', bearers = { left = 300 } }",
    ];
    let instances = good.iter().chain(&bad);
    let instances = instances.map(|config| {
        let shown = Janitor::new().config(config);
        shown.command(&["config", "--json"]).stdout()
    });
    let instances = instances.collect::<Vec<_>>();
    let schema = janitor.path("schema.json");
    let Some(verdicts) = fit_schema(&schema, &janitor.path(""), &instances) else {
        return;
    };
    for ((fits, config), number) in verdicts.into_iter().zip(good.iter().chain(&bad)).zip(0..) {
        assert_eq!(fits, number < good.len(), "{config}");
    }
}
