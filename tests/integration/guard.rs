//! Limits: what is withheld, what is forced, and what people are told.

use crate::janitor::{Janitor, Run};

/// A zone of ten names that is to lose four of them, and one that gains a name.
fn deployment() -> Janitor {
    let records = |count: usize| {
        let record = |at| format!("n{at} A 192.0.2.{at}");
        (0..count).map(record).collect::<Vec<_>>().join("\n")
    };
    Janitor::new()
        .desired("a.test", &records(6))
        .served("a.test", &records(10))
        .desired("b.test", "new A 192.0.2.1")
        .served("b.test", "")
}

fn outcome(run: &Run) -> (i32, String) {
    (run.exit_code(), run.status())
}

#[test]
fn a_zone_that_would_lose_too_much_is_withheld_and_the_others_go_on() {
    let janitor = deployment();
    let before = janitor.served_file("a.test");
    let run = janitor.run();
    assert_eq!(outcome(&run), (3, "incomplete".to_owned()));
    assert_eq!(janitor.served_file("a.test"), before);
    assert!(janitor.served_file("b.test").contains("new.b.test."));
    insta::assert_snapshot!(run.errors(), @"");
    let trips = run.log_with("[guard-trips]");
    assert_eq!(
        trips,
        ["INFO: [guard-trips] value: 1 context: {'zone': 'a.test.', 'rule': 'deletions-percent'}"]
    );
}

#[test]
fn a_plan_shows_what_is_withheld_and_exits_as_the_run_would() {
    let run = deployment().plan(&["--exit-code"]);
    assert_eq!(run.exit_code(), 3);
    let stdout = run.stdout();
    assert!(
        stdout.contains("withheld: 4 deletions of 10 RRsets; 3 are allowed by core.guard.deletions_percent = 30 (default)"),
        "{stdout}"
    );
}

#[test]
fn one_less_is_not_withheld() {
    let janitor = deployment()
        .settings("[core.guard]\ndeletions_percent = 40\n[core.guard.run]\ndeletions_percent = 40");
    assert_eq!(outcome(&janitor.run()), (0, "success".to_owned()));
    assert!(!janitor.served_file("a.test").contains("n9.a.test."));
}

#[test]
fn force_lifts_the_limits_of_one_zone_for_one_run() {
    let janitor = deployment();
    let plan = janitor.plan(&["--force", "a.test"]);
    assert_eq!(plan.exit_code(), 0);
    assert!(
        plan.stdout().contains("forced: 4 deletions of 10 RRsets"),
        "{}",
        plan.stdout()
    );

    let run = janitor.command(&["run", "--force", "A.test."]);
    assert_eq!(outcome(&run), (0, "success".to_owned()));
    assert!(!janitor.served_file("a.test").contains("n9.a.test."));
    assert_eq!(
        run.log_with("limits lifted by --force").len(),
        1,
        "{:#?}",
        run.log()
    );
}

#[test]
fn force_lifts_nothing_for_other_zones() {
    let janitor = deployment();
    let before = janitor.served_file("a.test");
    let run = janitor.command(&["--force", "b.test"]);
    assert_eq!(run.exit_code(), 3);
    assert_eq!(janitor.served_file("a.test"), before);
}

#[test]
fn a_forced_zone_that_is_not_in_the_run_stops_it_before_anything_is_published() {
    let janitor = deployment();
    let before = janitor.served_file("b.test");
    let run = janitor.command(&["run", "--force", "a.tset"]);
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned()));
    assert_eq!(janitor.served_file("b.test"), before);
    insta::assert_snapshot!(run.errors(), @"");
}

#[test]
fn what_is_forced_and_no_name_is_a_usage_error() {
    let run = deployment().command(&["run", "--force", "a..test"]);
    assert_eq!(run.exit_code(), 2);
}

#[test]
fn force_does_not_fill_in_what_nobody_desires() {
    let janitor = Janitor::new()
        .desired("a.test", "")
        .served("a.test", "www A 192.0.2.1");
    let run = janitor.command(&["run", "--force", "a.test"]);
    assert_eq!(run.exit_code(), 3);
    assert!(janitor.served_file("a.test").contains("www.a.test."));
}

#[test]
fn a_limit_of_the_run_withholds_every_zone_with_changes_but_those_forced() {
    let janitor =
        deployment().settings("[core.guard]\ndeletions_percent = 40\n[core.guard.run]\nzones = 0");
    let before = ["a.test", "b.test"].map(|zone| janitor.served_file(zone));
    let run = janitor.run();
    assert_eq!(outcome(&run), (3, "incomplete".to_owned()));
    let after = ["a.test", "b.test"].map(|zone| janitor.served_file(zone));
    assert_eq!(before, after);
    insta::assert_snapshot!(run.errors(), @"");

    let run = janitor.command(&["run", "--force", "a.test"]);
    assert_eq!(run.exit_code(), 0);
}

#[test]
fn deletions_are_withheld_where_nobody_says_what_is_served() {
    let run = deployment()
        .reconcilers(&["villain.reconciler.hides-what-is-served"])
        .settings("[villain.reconciler.hides-what-is-served]")
        .plan(&[]);
    // It takes every zone for empty, and only adds.
    assert_eq!(run.exit_code(), 0);
}

#[test]
fn limits_that_are_off_are_told_in_every_run_with_their_places() {
    let run = deployment()
        .settings(
            "[core.guard]\ndeletions_percent = 'off'\n[core.guard.run]\ndeletions_percent = false",
        )
        .run();
    assert_eq!(run.exit_code(), 0);
    insta::assert_snapshot!(run.errors(), @"");
}

#[test]
fn explain_tells_where_each_limit_comes_from() {
    let janitor = Janitor::new().settings(
        "[core.guard]\nupdates = 'off'\n[core.guard.zones.\"*.a.test\"]\ndeletions_percent = 5",
    );
    let run = janitor.command(&["guard", "explain"]);
    assert_eq!(run.exit_code(), 0);
    insta::assert_snapshot!(run.stdout(), @"");
    let run = janitor.command(&["guard", "explain", "b.a.test"]);
    let first = run
        .stdout()
        .lines()
        .take(4)
        .map(str::to_owned)
        .collect::<Vec<_>>();
    insta::assert_snapshot!(first.join("\n"), @"");
    let run = janitor.command(&["guard", "explain", "b.a.test", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout()).expect("it is JSON");
    let zone = &json["zones"][0];
    assert_eq!(zone["zone"], "b.a.test.");
    assert_eq!(zone["limits"]["deletions_percent"]["value"], 5.0);
    assert_eq!(zone["limits"]["updates"]["value"], serde_json::Value::Null);
}

#[test]
fn test_tells_which_limit_catches_which_accident() {
    let run = Janitor::new().command(&["guard", "test"]);
    assert_eq!(run.exit_code(), 0);
    insta::assert_snapshot!(run.stdout(), @"");
}

#[test]
fn test_fails_where_a_zone_could_lose_everything() {
    let janitor =
        Janitor::new().settings("[core.guard.zones.\"a.test\"]\ndeletions_percent = 'off'");
    let run = janitor.command(&["guard", "test", "a.test"]);
    assert_eq!(run.exit_code(), 1);
    let stdout = run.stdout();
    let last = stdout.lines().last().unwrap_or_default();
    insta::assert_snapshot!(last, @"");
    let run = janitor.command(&["guard", "test", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout()).expect("it is JSON");
    assert_eq!(
        (run.exit_code(), &json["safe"]),
        (1, &serde_json::Value::Bool(false))
    );
}

#[test]
fn a_configuration_with_faults_is_not_explained() {
    let run = Janitor::new()
        .settings("[core.guard]\ndeletions = 'many'")
        .command(&["guard", "explain"]);
    assert_eq!(run.exit_code(), 2);
}
