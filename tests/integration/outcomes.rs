//! Exit codes with their causes, the log, and the metrics.

use crate::janitor::Janitor;

fn deployment() -> Janitor {
    Janitor::new()
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
}

#[test]
fn every_exit_code_has_its_causes_and_its_status() {
    let causes = [
        ("all is done", deployment(), 0, "success"),
        (
            "nothing is to do",
            deployment().served("a.test", "new A 192.0.2.1"),
            0,
            "success",
        ),
        (
            "an authority fails",
            deployment().authorities(&["files.zones", "villain.authority.fails"]),
            1,
            "unexpected-error",
        ),
        (
            "a change is refused",
            deployment().publishers(&["villain.publisher.refuses"]),
            1,
            "unexpected-error",
        ),
        (
            "nobody knows what became of a change",
            deployment().publishers(&["villain.publisher.is-silent"]),
            1,
            "unexpected-error",
        ),
        (
            "a plugin does not accept its configuration",
            deployment().authorities(&["villain.authority.refuses-to-start"]),
            2,
            "unexpected-error",
        ),
        (
            "a plugin is not installed",
            deployment().authorities(&["gcp.gce"]),
            2,
            "unexpected-error",
        ),
        (
            "a zone is left out",
            deployment().desired("b.test", ""),
            3,
            "incomplete",
        ),
        (
            "a zone is left out and an authority fails",
            deployment()
                .desired("b.test", "")
                .authorities(&["files.zones", "villain.authority.fails"]),
            1,
            "unexpected-error",
        ),
    ];
    for (cause, janitor, code, status) in causes {
        let run = janitor.run();
        assert_eq!(
            (run.exit_code(), run.status().as_str()),
            (code, status),
            "{cause}"
        );
        let complete = run.log_with("INFO: Gordon-janitor run complete.").len();
        assert_eq!(complete, usize::from(code == 0 || code == 3), "{cause}");
    }
}

#[test]
fn usage_that_is_wrong_exits_with_2() {
    let janitor = deployment();
    for arguments in [
        &["--colour"][..],
        &["plan", "--format", "yaml"],
        &["runn"],
        &["plan", "--dry-run"],
    ] {
        let run = janitor.command(arguments);
        assert_eq!(
            (run.exit_code(), run.stdout().as_str()),
            (2, ""),
            "{arguments:?}"
        );
        assert!(run.errors().starts_with("error: "), "{}", run.errors());
    }
}

#[test]
fn plugins_are_started_from_the_publisher_to_the_authority() {
    let run = Janitor::new()
        .authorities(&["villain.authority.behaves"])
        .reconcilers(&["villain.reconciler.behaves"])
        .publishers(&["villain.publisher.behaves"])
        .settings("[core.logging]\nlevel = 'debug'")
        .run();
    let order = ["publisher", "reconciler", "authority"];
    assert_eq!(
        run.log_with("DEBUG: plugin starts to run"),
        order.map(|role| format!("DEBUG: plugin starts to run plugin=villain.{role}.behaves"))
    );
    // Every one of them has come to its end before the run has.
    let log = run.log();
    let ended = log.iter().position(|line| line.contains("[run-ended]"));
    for role in order {
        let dropped = format!("INFO: dropped plugin=villain.{role}.behaves");
        let dropped = log.iter().position(|line| *line == dropped);
        assert!(dropped.is_some() && dropped < ended, "{log:#?}");
    }
}

#[test]
fn what_a_plugin_logs_has_its_level_its_fields_and_its_name() {
    let run = deployment()
        .authorities(&["files.zones", "villain.authority.talks"])
        .run();
    let said = run.log_with("plugin=villain.authority.talks");
    assert_eq!(
        said[2..5],
        [
            "INFO: a sentence cups=2 plugin=villain.authority.talks",
            "WARNING: a call cup=\"two words\" is_full=false plugin=villain.authority.talks",
            "ERROR: a cry\\n1970-01-01T00:00:00.000Z forged\\x1b[2J level=1.5 plugin=villain.authority.talks",
        ],
        "{said:#?}"
    );
}

#[test]
fn a_plugin_has_a_level_of_its_own() {
    let said = |settings: &str| {
        let janitor = deployment()
            .authorities(&["villain.authority.talks", "villain.authority.behaves"])
            .settings(settings);
        let lines = janitor.run().log();
        let said = lines
            .iter()
            .filter_map(|line| line.strip_suffix(" plugin=villain.authority.talks"));
        let levels = said.filter_map(|line| line.split(':').next());
        let count = |level: &str| levels.clone().filter(|found| *found == level).count();
        // The other plugin keeps the general level.
        let other = lines
            .iter()
            .filter(|line| line.ends_with(" plugin=villain.authority.behaves"));
        (
            ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"].map(count),
            other.count(),
        )
    };
    let own = |level: &str| format!("[core.plugin.'villain.authority.talks']\nlevel = '{level}'");
    assert_eq!(said(""), ([0, 0, 5, 1, 1], 4));
    assert_eq!(said(&own("debug")), ([0, 1, 5, 1, 1], 4));
    assert_eq!(said(&own("notset")), ([1, 1, 5, 1, 1], 4));
    assert_eq!(said(&own("error")), ([0, 0, 0, 0, 1], 4));
    assert_eq!(said(&own("critical")), ([0, 0, 0, 0, 0], 4));
    let general = "[core.logging]\nlevel = 'warning'\n";
    assert_eq!(
        said(&format!("{general}{}", own("info"))),
        ([0, 0, 5, 1, 1], 0)
    );
}

#[test]
fn the_error_that_ends_the_program_is_told_whatever_the_log() {
    let janitor = deployment()
        .authorities(&["files.zones", "villain.authority.fails"])
        .settings("[core.logging]\nlevel = 'critical'");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.log()), (1, vec![]));
    assert_eq!(
        run.errors(),
        "error: plugin `villain.authority.fails` failed: cannot reach the moon: no rocket\nhint: build a rocket\n"
    );

    let janitor = deployment()
        .publishers(&["villain.publisher.refuses"])
        .settings("[core.logging]\nlevel = 'critical'");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.log()), (1, vec![]));
    assert_eq!(
        run.errors(),
        "error: changes of `a.test.` were not applied by `villain.publisher.refuses` (2 refused, 0 unknown): the servers are asleep\n"
    );
}

#[test]
fn what_is_measured() {
    let run = deployment()
        .authorities(&["files.zones", "villain.authority.measures"])
        .settings("[metrics-logger]\ntime_unit = 0")
        .run();
    let mut measured = run.log_with("INFO: [");
    measured.sort();
    assert_eq!(
        measured,
        [
            "INFO: [change-message] value: 1 context: {'plugin': 'files.apply', 'action': 'deletions', 'result': 'published'}",
            "INFO: [change-message] value: 2 context: {'plugin': 'files.apply', 'action': 'additions', 'result': 'published'}",
            "INFO: [cups] value: 1 context: {'cup': 'blue', 'full': True} plugin=villain.authority.measures",
            "INFO: [cups] value: 3 plugin=villain.authority.measures",
            "INFO: [plugin-runtime] value: 0.0 context: {'plugin': 'files.apply'}",
            "INFO: [plugin-runtime] value: 0.0 context: {'plugin': 'files.served'}",
            "INFO: [plugin-runtime] value: 0.0 context: {'plugin': 'files.zones'}",
            "INFO: [plugin-runtime] value: 0.0 context: {'plugin': 'villain.authority.measures'}",
            "INFO: [rrsets-handled] value: 1 context: {'plugin': 'files.served', 'action': 'additions', 'source': 'files.zones'}",
            "INFO: [rrsets-handled] value: 1 context: {'plugin': 'files.served', 'action': 'deletions', 'source': 'files.served'}",
            "INFO: [rrsets] value: 3 context: {'plugin': 'files.zones', 'zone': 'a.test.'}",
            "INFO: [run-ended] value: 1 context: {'status': 'success'}",
            "INFO: [sugar] value: 2.5 context: {'lumps': 3} plugin=villain.authority.measures",
            "INFO: [tea-time] value: 0.0 plugin=villain.authority.measures",
        ]
    );
}

#[test]
fn metrics_have_a_level_too() {
    let run = deployment()
        .settings("[metrics-logger]\nlog_level = 'debug'")
        .run();
    assert_eq!(run.log_with("[run-ended]"), [""; 0]);
    let run = deployment()
        .settings("[metrics-logger]\nlog_level = 'error'")
        .run();
    assert_eq!(
        run.log_with("[run-ended]"),
        ["ERROR: [run-ended] value: 1 context: {'status': 'success'}"]
    );
}
