//! What a run knows of the runs before it: changes that do not stick, zones that shrank or are gone.

use std::fs;

use crate::janitor::{HEAD, Janitor, Run};

/// Says that everything is applied, and does nothing.
const IDLE: &str = "villain.publisher.behaves";

fn deployment(publisher: &str) -> Janitor {
    Janitor::new()
        .publishers(&[publisher])
        .desired("a.test", "www TXT \"Abc\"\nold A 192.0.2.1")
        .served("a.test", "www TXT \"abc\"\nold A 192.0.2.1")
}

/// The code of a run, what was given to its publisher, and the codes of what people are told.
fn seen(run: &Run) -> (i32, usize, Vec<String>) {
    let told = run.errors();
    let codes = told.lines().filter_map(|line| {
        let (_, rest) = line.split_once("warning[")?;
        Some(rest.split_once(']')?.0.to_owned())
    });
    (run.exit_code(), run.given().len(), codes.collect())
}

/// What people are told, without what comes behind `time` in a line.
fn without_time(run: &Run, time: &str) -> String {
    let told = run.errors();
    let lines = told.lines().map(|line| match line.split_once(time) {
        Some((before, _)) => format!("{before}{time}<time>"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn told(codes: &[&str]) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_change_that_is_applied_and_does_not_come_about_is_told_and_at_last_not_sent() {
    let janitor = deployment(IDLE);
    assert_eq!(seen(&janitor.run()), (0, 2, told(&[])));
    let second = janitor.run();
    assert_eq!(seen(&second), (0, 2, told(&["GJ851"])));
    insta::assert_snapshot!(without_time(&second, "first at "), @r#"
    warning[GJ851]: `www.a.test.` TXT does not stick: planned again although it was applied
      found: www.a.test. TXT: only letter case differs; sent once, first at <time>
      note: served 300 "abc", on the wire 0000012c 03616263
      note: desired 300 "Abc", on the wire 0000012c 03416263
      help: docs/guard.md says what each kind of difference mostly comes from
    "#);
    assert_eq!(seen(&janitor.run()), (0, 2, told(&["GJ851"])));

    let plan = janitor.plan(&[]);
    assert_eq!(plan.exit_code(), 3);
    let fourth = janitor.run();
    assert_eq!(seen(&fourth), (3, 0, told(&["GJ852"])));
    insta::assert_snapshot!(without_time(&fourth, "first at "), @r#"
    warning[GJ852]: `www.a.test.` TXT does not stick: not sent any more
      found: www.a.test. TXT: only letter case differs; sent 3 times, first at <time>
      note: served 300 "abc", on the wire 0000012c 03616263
      note: desired 300 "Abc", on the wire 0000012c 03416263
      help: docs/guard.md says what each kind of difference mostly comes from
      help: once the cause is gone, gordon-janitor history forget a.test has it sent again
    "#);
    assert_eq!(seen(&janitor.run()), (3, 0, told(&["GJ852"])));

    // Something else is desired.
    let zone = janitor.path("desired/a.test.zone");
    fs::write(zone, format!("{HEAD}www TXT \"ABC\"\nold A 192.0.2.1\n"))
        .expect("it can be written");
    assert_eq!(seen(&janitor.run()), (0, 2, told(&[])));
}

#[test]
fn a_plan_tells_of_it_and_counts_for_nothing() {
    let janitor = deployment(IDLE);
    janitor.run();
    for _ in 0..4 {
        let plan = janitor.plan(&[]);
        assert_eq!(plan.exit_code(), 0);
        assert!(plan.stdout().contains("letter case"), "{}", plan.stdout());
    }
    assert_eq!(seen(&janitor.run()), (0, 2, told(&["GJ851"])));
}

#[test]
fn what_came_about_and_was_undone_is_drift() {
    let janitor = deployment("files.apply");
    let before = janitor.served_file("a.test");
    for _ in 0..3 {
        let run = janitor.run();
        assert_eq!((run.exit_code(), run.errors()), (0, String::new()));
        assert!(janitor.served_file("a.test").contains("\"Abc\""));
        // In between it is seen to be right.
        assert_eq!(janitor.run().exit_code(), 0);
        fs::write(janitor.path("served/a.test.zone"), &before).expect("it can be written");
    }
}

#[test]
fn what_is_only_accepted_has_time_to_settle() {
    let janitor = deployment("villain.publisher.accepts");
    for _ in 0..5 {
        assert_eq!(seen(&janitor.run()).2, told(&[]));
    }
    let janitor =
        deployment("villain.publisher.accepts").settings("[core.convergence]\nsettle = 0");
    assert_eq!(seen(&janitor.run()).2, told(&[]));
    let second = janitor.run();
    assert_eq!(seen(&second).2, told(&["GJ851"]));
    let text = second.errors();
    assert!(
        text.contains("planned again although it was accepted long enough ago"),
        "{text}"
    );
}

#[test]
fn a_zone_that_nobody_names_any_more_is_told_until_it_is_forgotten() {
    let janitor = deployment("files.apply")
        .desired("gone.test", "www A 192.0.2.1")
        .served("gone.test", "");
    assert_eq!(janitor.run().exit_code(), 0);
    let explained = janitor.command(&["guard", "explain"]).stdout();
    assert!(
        explained.starts_with("every zone: a.test., gone.test.\n"),
        "{explained}"
    );
    fs::remove_file(janitor.path("desired/gone.test.zone")).expect("it can be removed");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    insta::assert_snapshot!(without_time(&run, " of "), @r"
    warning[GJ826]: no authority names `gone.test.` any more; it stays as it is
      found: run 1 of <time>
      help: if it is not this janitor's any more: gordon-janitor history forget gone.test
    ");
    assert!(janitor.served_file("gone.test").contains("www.gone.test."));
    assert_eq!(janitor.plan(&[]).exit_code(), 3);

    assert_eq!(
        janitor
            .command(&["history", "forget", "gone.test"])
            .exit_code(),
        0
    );
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.errors()), (0, String::new()));
}

#[test]
fn a_desired_zone_that_shrank_is_withheld_even_where_deletions_are_allowed() {
    let records = |number: usize| {
        let record = |at| format!("n{at} A 192.0.2.{at}\n");
        (0..number).map(record).collect::<String>()
    };
    let janitor = Janitor::new()
        .desired("a.test", &records(20))
        .served("a.test", "")
        .settings(
            "[core.guard]\ndeletions_percent = 100\n[core.guard.run]\ndeletions_percent = 100",
        );
    assert_eq!(janitor.run().exit_code(), 0);
    let desire = |number| {
        let zone = janitor.path("desired/a.test.zone");
        fs::write(zone, format!("{HEAD}{}", records(number))).expect("it can be written");
    };
    // Of 22 with SOA and NS, 30 % are 6.
    desire(13);
    let run = janitor.run();
    assert_eq!((run.exit_code(), seen(&run).2), (3, told(&["GJ822"])));
    assert!(
        run.errors()
            .contains("15 RRsets desired, 7 fewer than the 22 of the last good run"),
        "{}",
        run.errors()
    );
    assert!(janitor.served_file("a.test").contains("n19.a.test."));

    desire(14);
    assert_eq!(janitor.run().exit_code(), 0);
    assert!(!janitor.served_file("a.test").contains("n19.a.test."));
    desire(13);
    assert_eq!(janitor.run().exit_code(), 0);
}

#[test]
fn what_is_not_sent_any_more_stays_so_when_stored_plans_are_applied() {
    let janitor = deployment(IDLE);
    for _ in 0..3 {
        janitor.run();
    }
    for _ in 0..2 {
        let file = janitor.path("plan");
        let file = file.to_str().expect("it is text");
        let plan = janitor.plan(&["--out", file]);
        assert_eq!(plan.exit_code(), 3, "{}", plan.errors());
        let applied = janitor.command(&["apply", file]);
        assert_eq!((applied.exit_code(), applied.given().len()), (3, 0));
    }
}

#[test]
fn a_source_that_shrank_is_told_although_nothing_can_be_deleted_for_it() {
    let names = |number: usize| {
        let record = |at| format!("n{at} A 192.0.2.{at}\n");
        (0..number).map(record).collect::<String>()
    };
    let janitor = Janitor::new()
        .desired("a.test", &names(20))
        .served("a.test", "")
        .settings("[core.scope]\nprotect = ['n*.a.test']");
    assert_eq!(janitor.run().exit_code(), 0);
    let zone = janitor.path("desired/a.test.zone");
    fs::write(zone, format!("{HEAD}{}", names(5))).expect("it can be written");
    for _ in 0..2 {
        assert_eq!(seen(&janitor.run()), (3, 0, told(&["GJ822"])));
    }
    assert_eq!(
        janitor.command(&["run", "--force", "a.test"]).exit_code(),
        0
    );
    assert_eq!(janitor.run().exit_code(), 0);
}
