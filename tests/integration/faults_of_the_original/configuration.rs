//! What the configuration means, and what each plugin receives of it.

use serde_json::{Value, json};

use super::{deployment, is_corrected, received};
use crate::janitor::Janitor;

/// B1: the prefix was cut off letter by letter. `[gcp.gce.eggs]` leaked, and the option `s` was lost.
#[test]
fn a_table_of_a_sibling_stays_with_it_and_an_option_that_resembles_its_end_is_kept() {
    let config = "
        [core]
        plugins = ['gcp.gce.a', 'gcp.gce.eggs']
        [gcp.gce]
        s = 'kept'
        [gcp.gce.a]
        own = 1
        [gcp.gce.eggs]
        yolk = 2
    ";
    let a = received(config, "gcp.gce.a");
    assert_eq!(a, json!({ "own": 1, "s": "kept" }));
    let eggs = received(config, "gcp.gce.eggs");
    assert_eq!(eggs, json!({ "yolk": 2, "s": "kept" }));
}

/// B2: `gcpx.foo` was taken for a child of `gcp`, whose options `x` and `foo` vanished.
#[test]
fn a_key_that_begins_with_the_same_letters_is_no_child() {
    let config = "
        [core]
        plugins = ['gcp', 'gcpx.foo']
        [gcp]
        x = 1
        foo = 2
        [gcpx.foo]
    ";
    assert_eq!(received(config, "gcp"), json!({ "x": 1, "foo": 2 }));
}

/// B2a: every part of a deeper key was removed from the parent.
#[test]
fn an_option_may_be_called_like_the_last_part_of_another_plugins_key() {
    let config = "
        [core]
        plugins = ['gcp.gce', 'gcp.tools.project']
        [gcp]
        project = 'p'
        [gcp.gce]
        [gcp.tools.project]
    ";
    assert_eq!(received(config, "gcp.gce"), json!({ "project": "p" }));
}

/// B5: a plugin without a table crashed with an unrelated error; the words for it were never reached.
#[test]
fn a_plugin_without_a_table_is_named_or_skipped() {
    let janitor = |debug: bool| {
        deployment().config(&format!(
            "[core]\nplugins = ['files.zones', 'files.served', 'files.apply', 'files.changes']\ndebug = {debug}\n\
             [core.logging]\nhandlers = ['stream']\n\
             [files]\n[files.zones]\ndirectory = 'desired'\n[files.served]\ndirectory = 'served'\n[files.apply]\ndirectory = 'served'\n"
        ))
    };
    let run = janitor(false).run();
    let told = "error[GJ402]: plugin \"files.changes\" is listed in core.plugins but no configuration was found for it\n";
    assert_eq!(run.exit_code(), 2);
    assert!(run.errors().starts_with(told), "{}", run.errors());

    let janitor = janitor(true);
    let run = janitor.run();
    let told = "warning[GJ402]: Skipped loading plugin \"files.changes\" because no configuration was found.\n";
    assert_eq!(run.exit_code(), 3);
    assert!(run.errors().starts_with(told), "{}", run.errors());
    assert!(is_corrected(&janitor));
}

/// B9: configuration files were read in the encoding of the locale.
#[test]
fn configuration_files_are_utf8_whatever_the_locale() {
    for locale in ["C", "POSIX", "en_US.ISO-8859-1"] {
        let run = Janitor::new()
            .config("[core]\nplugins = []\n[a]\nb = 'Zürich'\n")
            .environment("LC_ALL", locale)
            .command(&["config"]);
        assert!(
            run.stdout().contains("b = \"Zürich\"\n"),
            "{}",
            run.stdout()
        );
    }
    let run = Janitor::new()
        .file(
            "gordon-janitor.toml",
            b"[core]\nplugins = []\n# Z\xfcrich\n",
        )
        .config("")
        .run();
    assert_eq!(run.exit_code(), 2);
    assert!(
        run.errors().contains(": line 3 is not UTF-8\n"),
        "{}",
        run.errors()
    );
}

/// B10: a text in the place of a list was taken letter by letter: `Plugin "p" not installed`.
#[test]
fn a_text_in_the_place_of_a_list_is_named_as_what_it_is() {
    let run = Janitor::new()
        .config("[core]\nplugins = 'plugin'\n[core.logging]\nhandlers = 'stream'\n")
        .run();
    assert_eq!(run.exit_code(), 2);
    let errors = run.errors();
    for setting in ["core.plugins", "core.logging.handlers"] {
        let told =
            format!("error[GJ403]: {setting} must be a list of texts, in brackets, not a text\n");
        assert!(errors.contains(&told), "{errors}");
    }
    assert!(
        !errors.contains("\"p\"") && !errors.contains("\"s\""),
        "{errors}"
    );
}

/// B14: plugins shared the lists and tables that they inherited; one that changed them changed them
/// for all.
#[test]
fn what_one_plugin_does_to_an_inherited_list_no_other_plugin_sees() {
    let janitor = deployment()
        .authorities(&[
            "villain.authority.spends-its-list",
            "villain.authority.behaves",
        ])
        .settings("[villain]\nzones = ['example.com']");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    assert_eq!(run.log_with("[rrsets] value: 1 ").len(), 1);
    assert!(!janitor.served_file("example.com").contains("old."));
}

/// B15: the table of a plugin that is not listed reached its siblings.
#[test]
fn the_table_of_a_sibling_that_is_switched_off_stays_with_it() {
    let janitor = deployment().settings("[files.changes]\npath = 'changes.jsonl'");
    let run = janitor.command(&["config", "files.zones", "--json"]);
    let received: Value = serde_json::from_str(&run.stdout()).expect("it is JSON");
    assert_eq!(received, json!({ "directory": "desired" }));
    assert_eq!(janitor.run().exit_code(), 0);
}

/// B16: the tables of its documentation crashed, and its example was no TOML.
#[test]
fn a_quoted_table_is_the_same_and_the_example_can_be_read() {
    let janitor = deployment().config(
        "[core]\nplugins = ['files.zones', 'files.served', 'files.apply']\n\
         [core.logging]\nhandlers = ['stream']\n\
         ['files.zones']\ndirectory = 'desired'\n[\"files.served\"]\ndirectory = 'served'\n\
         [files.apply]\ndirectory = 'served'\n",
    );
    assert_eq!(janitor.run().exit_code(), 0);
    assert!(is_corrected(&janitor));

    let example = include_str!("../../../gordon-janitor.toml.example");
    let janitor = deployment()
        .config(example)
        .settings("[core.logging]\nhandlers = ['stream']");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
    assert!(is_corrected(&janitor));
}
