//! A secret is in nothing that the program says, whether the configuration is right or wrong.

use insta::assert_snapshot;

use crate::janitor::{DNS, FILES, Janitor};
use crate::settings::{CHOOSY, choosy};

/// Everything that the program says, whatever it is asked.
fn everything(janitor: &Janitor) -> String {
    let commands: [&[&str]; 7] = [
        &["run"],
        &["plan", "--format", "json"],
        &["config"],
        &["config", "--json"],
        &["config", CHOOSY],
        &["config", CHOOSY, "--json"],
        &["plugins", "show", CHOOSY],
    ];
    let said = commands.map(|command| {
        let run = janitor.command(command);
        run.stdout() + &run.stderr()
    });
    said.concat()
}

#[test]
fn a_secret_is_repeated_by_nothing() {
    let secret = "hunter2";
    for settings in [
        // Good; of the wrong type; beside a fault; and told by the plugin itself.
        "tea = 'green'",
        "tea = 3",
        "tea = 'green'\nfoo = 1",
        "tea = 'green'\nblab = true",
        "tea = 'green'\nphrse = 'hunter2'\ntray = { phrase = 'hunter2', x = ['hunter2'] }",
    ] {
        for spelling in [
            "villain.authority.is-choosy",
            "'villain.authority.is-choosy'",
            "villain",
        ] {
            let own = "[villain.authority.is-choosy]\ncups = 2\n";
            let settings = match spelling {
                "villain" => format!("{own}{settings}\n[villain]\nphrase = '{secret}'"),
                _ => format!("[{spelling}]\ncups = 2\nphrase = '{secret}'\n{settings}"),
            };
            let janitor = Janitor::new().authorities(&[CHOOSY]).settings(&settings);
            let said = everything(&janitor);
            assert!(!said.contains(secret), "{settings}:\n{said}");
            assert!(said.contains("phrase = \"***\""), "{settings}:\n{said}");
        }
    }
}

#[test]
fn a_secret_of_the_wrong_type_is_covered_in_its_line() {
    assert_snapshot!(choosy("cups = 2\ntea = 'green'\nphrase = ['hunter2', { a = 'hunter2' }]"), @r#"
    error[GJ403]: villain.authority.is-choosy.phrase must be a text, not a list
      where: <root>/gordon-janitor-user.toml:4:10, villain.authority.is-choosy.phrase
      4 | phrase = "***"
        |          ^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(choosy("cups = 2\ntea = 'green'\npassword = 'hunter2'"), @r#"
    error[GJ403]: villain.authority.is-choosy.password must be a whole number, 0 or more, not a text
      where: <root>/gordon-janitor-user.toml:4:12, villain.authority.is-choosy.password
      4 | password = "***"
        |            ^^^^^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(choosy("tray = { material = 3, phrase = 'hunter2' }\ncups = 2\ntea = 'green'\nphrase = 'hunter2'"), @r#"
    error[GJ403]: villain.authority.is-choosy.tray.material must be a text, not a whole number
      where: <root>/gordon-janitor-user.toml:2:21, villain.authority.is-choosy.tray.material
      2 | tray = { material = 3, phrase = "***" }
        |                     ^
      help: gordon-janitor plugins show villain.authority.is-choosy
    error[GJ401]: [villain.authority.is-choosy.tray] has no setting "phrase"
      where: <root>/gordon-janitor-user.toml:2:24, [villain.authority.is-choosy.tray]
      2 | tray = { material = 3, phrase = "***" }
        |                        ^^^^^^
      found: settings of [villain.authority.is-choosy.tray]: material (text, required), bearers (table of whole numbers, 0 to 255)
      help: gordon-janitor plugins show villain.authority.is-choosy
    error: 2 errors; nothing was run
    "#);
}

#[test]
fn a_secret_in_the_plugins_own_words_is_covered() {
    let told = choosy("cups = 2\ntea = 'green'\nphrase = 'hunter2'\nblab = true");
    assert!(!told.contains("hunter2"), "{told}");
    assert_snapshot!(told, @r#"
    error[GJ409]: plugin "villain.authority.is-choosy" does not accept its configuration: cannot keep a secret: ***
      where: <root>/gordon-janitor.toml:9:20, [villain.authority.is-choosy]
      9 | [villain.authority.is-choosy]
        |                    ^^^^^^^^^
      because: the phrase is ***
    error: 1 error; nothing was run
    "#);
}

/// The settings of a key for name servers, whose table has the name of a secret and says which of its
/// settings are some.
fn with_key(settings: &str) -> Janitor {
    Janitor::new()
        .libraries(&[FILES, DNS])
        .reconcilers(&["dns.axfr"])
        .settings(&format!("[dns]\nservers = ['192.0.2.1']\n{settings}"))
}

#[test]
fn what_a_plugin_says_of_a_table_counts_more_than_its_name() {
    let key = "{ file = 'janitor.key', name = 'janitor', algorithm = 'hmac-sha512', secret_env = 'NOT_SHOWN' }";
    let zones = "zones = { \"token.example\" = { servers = ['192.0.2.2'] } }";
    let janitor = with_key(&format!("tsig_key = {key}\n{zones}"));
    let said = janitor.command(&["config", "dns.axfr"]).stdout();
    for shown in ["janitor.key", "'janitor'", "hmac-sha512", "192.0.2.2"] {
        let shown = shown.replace('\'', "\"");
        assert!(said.contains(&shown), "{shown}:\n{said}");
    }
    assert!(!said.contains("NOT_SHOWN"), "{said}");
}

#[test]
fn a_secret_in_a_table_that_is_shown_is_not() {
    for secret in [
        "secret = 'hunter2'",
        "file = 'x'\nsecret = ['hunter2']",
        "phrase = 'hunter2'",
        "name = { a = 'hunter2' }",
    ] {
        let janitor = with_key(&format!("[dns.tsig_key]\n{secret}"));
        for command in [&["run"][..], &["config"], &["config", "dns.axfr", "--json"]] {
            let run = janitor.command(command);
            let said = run.stdout() + &run.stderr();
            assert!(!said.contains("hunter2"), "{secret}, {command:?}:\n{said}");
        }
    }
}
