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
    let janitor = deployment().settings("[core.logging]\nlevel = 'debug'");
    let before = janitor.served_file("a.test");
    let run = janitor.run();
    assert_eq!(outcome(&run), (3, "incomplete".to_owned()));
    assert_eq!(janitor.served_file("a.test"), before);
    assert!(janitor.served_file("b.test").contains("new.b.test."));
    insta::assert_snapshot!(run.errors(), @r"
    warning[GJ822]: nothing of `a.test.` is published: 4 deletions of 10 RRsets; 3 are allowed by core.guard.deletions_percent = 30 (default)
      help: look at the changes with gordon-janitor plan; if they are meant, gordon-janitor run --force a.test
    ");
    let trips = run.log_with("[guard-trips]");
    assert_eq!(
        trips,
        ["DEBUG: [guard-trips] value: 1 context: {'zone': 'a.test.', 'rule': 'deletions-percent'}"]
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
    insta::assert_snapshot!(run.errors(), @r"
    warning[GJ822]: nothing of `a.test.` is published: 4 deletions of 10 RRsets; 3 are allowed by core.guard.deletions_percent = 30 (default)
      help: look at the changes with gordon-janitor plan; if they are meant, gordon-janitor run --force a.test
    error[GJ821]: --force names `a.tset.`, which is not in the run; nothing is published
      because: no authority named it
      help: write --force a.test
    ");
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
    assert!(janitor.served_file("a.test").contains("www A"));
}

#[test]
fn a_limit_of_the_run_withholds_every_zone_with_changes_but_those_forced() {
    let janitor = deployment().settings(
        "[core.guard]\ndeletions_percent = 40\n[core.guard.run]\ndeletions_percent = 40\nzones = 0",
    );
    let before = ["a.test", "b.test"].map(|zone| janitor.served_file(zone));
    let run = janitor.run();
    assert_eq!(outcome(&run), (3, "incomplete".to_owned()));
    let after = ["a.test", "b.test"].map(|zone| janitor.served_file(zone));
    assert_eq!(before, after);
    insta::assert_snapshot!(run.errors(), @r"
    warning[GJ823]: nothing of 2 zones with changes is published: deletions or updates in 1 zone; none is allowed by core.guard.run.zones = 0 (<root>/gordon-janitor-user.toml:5)
      help: look at the changes with gordon-janitor plan; if they are meant, name zones with --force, or raise the limit
    ");

    let run = janitor.command(&["run", "--force", "a.test"]);
    assert_eq!(run.exit_code(), 0);
}

#[test]
fn a_share_is_one_of_what_the_scope_takes_in() {
    let records = |names: &str, number: usize| {
        let record = |at| format!("{names}{at} A 192.0.2.{at}\n");
        (0..number).map(record).collect::<String>()
    };
    let deployment = |kept: usize| {
        Janitor::new()
            .desired("a.test", &(records("other", 1) + &records("dyn", kept)))
            .served("a.test", &(records("other", 100) + &records("dyn", 10)))
            .settings("[core.scope]\ninclude = ['dyn*.a.test']")
    };
    // All that this janitor manages there is a tenth of the zone.
    let lost = deployment(0).run();
    assert_eq!(lost.exit_code(), 3);
    assert!(
        lost.errors().contains("10 deletions of 10 RRsets"),
        "{}",
        lost.errors()
    );
    assert_eq!(deployment(6).run().exit_code(), 3);
    assert_eq!(deployment(7).run().exit_code(), 0);
}

#[test]
fn deletions_are_withheld_where_nobody_says_what_is_served() {
    let run = deployment()
        .reconcilers(&["villain.reconciler.hides-what-is-served"])
        .settings("[villain.reconciler.hides-what-is-served]")
        .plan(&[]);
    assert_eq!(run.exit_code(), 3);
    let stdout = run.stdout();
    assert!(
        stdout.contains("1 deletion of nobody knows how many RRsets"),
        "{stdout}"
    );
}

#[test]
fn limits_that_are_off_are_told_in_every_run_with_their_places() {
    let run = deployment()
        .settings(
            "[core.guard]\ndeletions_percent = 'off'\n[core.guard.run]\ndeletions_percent = false",
        )
        .run();
    assert_eq!(run.exit_code(), 0);
    insta::assert_snapshot!(run.errors(), @r"
    warning[GJ824]: 2 limits on changes are off: core.guard.deletions_percent, core.guard.run.deletions_percent
      where: <root>/gordon-janitor-user.toml:2
      where: <root>/gordon-janitor-user.toml:4
      help: gordon-janitor guard test shows what passes
    ");
}

#[test]
fn explain_tells_where_each_limit_comes_from() {
    let janitor = Janitor::new().settings(
        "[core.guard]\nupdates = 'off'\n[core.guard.zones.\"*.a.test\"]\ndeletions_percent = 5",
    );
    let run = janitor.command(&["guard", "explain"]);
    assert_eq!(run.exit_code(), 0);
    insta::assert_snapshot!(run.stdout(), @r#"
    every zone without limits of its own
      at most 1000 deletions                                           core.guard.deletions = 1000        default
      at most 30 % of its RRsets deleted, and not all unless replaced  core.guard.deletions_percent = 30  default
      any number of updates                                            core.guard.updates = "off"         <root>/gordon-janitor-user.toml:2
      at most 50 % of its RRsets updated                               core.guard.updates_percent = 50    default
      shares are those of at least 10 RRsets                           core.guard.min_existing = 10       default
      at most 30 % of what was desired in the last good run gone       core.guard.shrunk_percent = 30     default
      what is desired and incomplete only adds                         core.guard.incomplete = "add"      default
    zones that *.a.test stands for
      at most 1000 deletions                                          core.guard.deletions = 1000                        default
      at most 5 % of its RRsets deleted, and not all unless replaced  core.guard.zones."*.a.test".deletions_percent = 5  <root>/gordon-janitor-user.toml:4
      any number of updates                                           core.guard.updates = "off"                         <root>/gordon-janitor-user.toml:2
      at most 50 % of its RRsets updated                              core.guard.updates_percent = 50                    default
      shares are those of at least 10 RRsets                          core.guard.min_existing = 10                       default
      at most 30 % of what was desired in the last good run gone      core.guard.shrunk_percent = 30                     default
      what is desired and incomplete only adds                        core.guard.incomplete = "add"                      default
    all zones together
      at most 5000 deletions                               core.guard.run.deletions = 5000        default
      at most 30 % of all RRsets deleted                   core.guard.run.deletions_percent = 30  default
      at most 50000 updates                                core.guard.run.updates = 50000         default
      at most 50 % of all RRsets updated                   core.guard.run.updates_percent = 50    default
      shares are those of at least 10 RRsets               core.guard.run.min_existing = 10       default
      at most 1000 zones with deletions or updates         core.guard.run.zones = 1000            default
      at most 50 % of the zones with deletions or updates  core.guard.run.zones_percent = 50      default
      shares are those of at least 10 zones                core.guard.run.min_zones = 10          default
    Additions have no limit. A zone for which nothing is desired is left out, whatever the limits.
    "#);
    let run = janitor.command(&["guard", "explain", "b.a.test"]);
    let first = run
        .stdout()
        .lines()
        .take(4)
        .map(str::to_owned)
        .collect::<Vec<_>>();
    insta::assert_snapshot!(first.join("\n"), @r#"
    b.a.test.
      at most 1000 deletions                                          core.guard.deletions = 1000                        default
      at most 5 % of its RRsets deleted, and not all unless replaced  core.guard.zones."*.a.test".deletions_percent = 5  <root>/gordon-janitor-user.toml:4
      any number of updates                                           core.guard.updates = "off"                         <root>/gordon-janitor-user.toml:2
    "#);
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
    insta::assert_snapshot!(run.stdout(), @r"
    [core.guard]
      all 1000 RRsets are deleted                withheld  by core.guard.deletions_percent = 30 (default)
      1 deletion in a zone of unknown size       withheld  by core.guard.deletions_percent = 30 (default)
      1000 deletions                             passes
      1001 deletions                             withheld  by core.guard.deletions = 1000 (default)
      300 deletions of 1000 RRsets               passes
      301 deletions of 1000 RRsets               withheld  by core.guard.deletions_percent = 30 (default)
      10000 updates                              passes
      10001 updates                              withheld  by core.guard.updates = 10000 (default)
      500 updates of 1000 RRsets                 passes
      501 updates of 1000 RRsets                 withheld  by core.guard.updates_percent = 50 (default)
      300 RRsets fewer desired than 1000 before  passes
      301 RRsets fewer desired than 1000 before  withheld  by core.guard.shrunk_percent = 30 (default)
      the desired zone is incomplete             passes
    all zones together
      5000 deletions in all zones                passes
      5001 deletions in all zones                withheld  by core.guard.run.deletions = 5000 (default)
      300 deletions of 1000 RRsets in all zones  passes
      301 deletions of 1000 RRsets in all zones  withheld  by core.guard.run.deletions_percent = 30 (default)
      50000 updates in all zones                 passes
      50001 updates in all zones                 withheld  by core.guard.run.updates = 50000 (default)
      500 updates of 1000 RRsets in all zones    passes
      501 updates of 1000 RRsets in all zones    withheld  by core.guard.run.updates_percent = 50 (default)
      1000 zones with deletions                  passes
      1001 zones with deletions                  withheld  by core.guard.run.zones = 1000 (default)
      500 zones with deletions, of 1000          passes
      501 zones with deletions, of 1000          withheld  by core.guard.run.zones_percent = 50 (default)
    No zone can lose everything.
    ");
}

#[test]
fn test_names_the_limit_that_it_tries_where_several_catch_an_accident() {
    let run = Janitor::new()
        .settings(
            "[core.guard]\ndeletions = 0\ndeletions_percent = 0.1\nmin_existing = 0\n\
             [core.guard.run]\ndeletions_percent = 0.1\nzones = 1",
        )
        .command(&["guard", "test"]);
    assert_eq!(run.exit_code(), 0);
    let stdout = run.stdout();
    let about = stdout.lines().filter(|line| line.contains("deletion"));
    insta::assert_snapshot!(about.collect::<Vec<_>>().join("\n"), @r"
    all 1000 RRsets are deleted                withheld  by core.guard.deletions = 0 (<root>/gordon-janitor-user.toml:2)
    1 deletion in a zone of unknown size       withheld  by core.guard.deletions_percent = 0.1 (<root>/gordon-janitor-user.toml:3)
    1 deletion                                 withheld  by core.guard.deletions = 0 (<root>/gordon-janitor-user.toml:2)
    1 deletion of 1000 RRsets                  withheld  by core.guard.deletions = 0 (<root>/gordon-janitor-user.toml:2)
    2 deletions of 1000 RRsets                 withheld  by core.guard.deletions_percent = 0.1 (<root>/gordon-janitor-user.toml:3)
    5000 deletions in all zones              passes
    5001 deletions in all zones              withheld  by core.guard.run.deletions = 5000 (default)
    1 deletion of 1000 RRsets in all zones   passes
    2 deletions of 1000 RRsets in all zones  withheld  by core.guard.run.deletions_percent = 0.1 (<root>/gordon-janitor-user.toml:6)
    1 zone with deletions                    passes
    2 zones with deletions                   withheld  by core.guard.run.zones = 1 (<root>/gordon-janitor-user.toml:7)
    500 zones with deletions, of 1000        withheld  by core.guard.run.zones = 1 (<root>/gordon-janitor-user.toml:7)
    501 zones with deletions, of 1000        withheld  by core.guard.run.zones_percent = 50 (default)
    ");
}

#[test]
fn test_fails_where_a_zone_could_lose_everything() {
    let janitor =
        Janitor::new().settings("[core.guard.zones.\"a.test\"]\ndeletions_percent = 'off'");
    let run = janitor.command(&["guard", "test", "a.test"]);
    assert_eq!(run.exit_code(), 1);
    let stdout = run.stdout();
    let last = stdout.lines().last().unwrap_or_default();
    insta::assert_snapshot!(last, @"A zone can lose everything under the limits of a.test.");
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
