//! No secret of a configuration is ever printed, wherever somebody repeats it.

use crate::janitor::{Janitor, SystemLog};

const PASSWORD: &str = "hunter2-sesame";
const TOKEN: &str = "tok-0123456789";
const LOGIN: &str = "pw-in-a-url";

fn deployment(authority: &str, settings: &str) -> Janitor {
    Janitor::new()
        .authorities(&["files.zones", authority])
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
        .settings(&format!(
            "[{authority}]\npassword = '{PASSWORD}'\nurl = 'https://user:{LOGIN}@example.com/?access_token={TOKEN}&x=1'\n\
             [core.logging]\nlevel = 'notset'\n{settings}"
        ))
}

/// Everything that was printed or sent holds no secret, and something stands in their place.
fn assert_secret_free(what: &str, texts: &[&str]) {
    let all = texts.concat();
    for secret in [PASSWORD, TOKEN, LOGIN] {
        let lines = all.lines().filter(|line| line.contains(secret));
        let lines = lines.collect::<Vec<_>>();
        assert!(lines.is_empty(), "{what}: {secret} in {lines:#?}");
    }
    assert!(all.contains("***"), "{what} covers nothing:\n{all}");
}

#[test]
fn nothing_that_is_printed_or_sent_holds_a_secret() {
    let villains = [
        "villain.authority.tells-secrets",
        "villain.authority.panics-with-secrets",
        "villain.authority.refuses-secrets",
    ];
    let commands = [
        ["run"].as_slice(),
        &["run", "--log-format=json"],
        &["run", "--dry-run"],
        &["plan", "--format=json"],
    ];
    let handlers = [
        "handlers = ['stream']",
        "handlers = ['stackdriver']",
        "handlers = ['syslog', 'syslog']\naddress = './log'",
        "handlers = ['syslog', 'syslog']\naddress = './log'\nsyslog_format = 'rfc5424'",
    ];
    for villain in villains {
        for command in commands {
            for handler in handlers {
                let janitor = deployment(villain, handler);
                let log = SystemLog::start(&janitor.path("log"));
                let run = janitor.command(command);
                assert_ne!(run.exit_code(), 0, "{villain} gets along: {}", run.stderr());
                let sent = log.finish().join("\n");
                assert_eq!(sent.is_empty(), !handler.contains("syslog"), "{handler}");
                let what = format!("{villain} {command:?} {handler}");
                assert_secret_free(&what, &[&run.stdout(), &run.stderr(), &sent]);
            }
        }
    }
}

#[test]
fn a_configuration_is_shown_without_its_secrets() {
    let villain = "villain.authority.tells-secrets";
    for command in [
        ["config"].as_slice(),
        &["config", villain],
        &["config", "--json"],
    ] {
        let run = deployment(villain, "").command(command);
        assert_eq!(run.exit_code(), 0, "{}", run.stderr());
        assert_secret_free(&command.join(" "), &[&run.stdout(), &run.stderr()]);
    }
}

#[test]
fn commands_that_only_look_repeat_no_secret() {
    let villain = "villain.authority.tells-secrets";
    for command in [
        ["check"].as_slice(),
        &["plugins", "list"],
        &["plugins", "show", villain],
        &["plugins", "sample", villain],
        &["check", "--log-format=json"],
    ] {
        let run = deployment(villain, "handlers = ['stream']").command(command);
        assert!(!(run.stdout() + &run.stderr()).is_empty(), "{command:?}");
        for secret in [PASSWORD, TOKEN, LOGIN] {
            assert!(!run.stdout().contains(secret), "{}", run.stdout());
            assert!(!run.stderr().contains(secret), "{}", run.stderr());
        }
    }
}

#[test]
fn a_faulty_configuration_is_shown_without_its_secrets() {
    let villain = "villain.authority.tells-secrets";
    for fault in [
        "zones = 3",
        "zoness = []",
        "zones = [",
        "password = 'again'",
    ] {
        let janitor = Janitor::new()
            .authorities(&["files.zones", villain])
            .settings(&format!(
                "[{villain}]\n{fault}\npassword = '{PASSWORD}'\nurl = 'https://u:{LOGIN}@h/?token={TOKEN}'\n"
            ));
        let run = janitor.run();
        assert_eq!(run.exit_code(), 2, "{fault}");
        for secret in [PASSWORD, TOKEN, LOGIN] {
            assert!(!run.stderr().contains(secret), "{fault}: {}", run.stderr());
        }
    }
}
