//! `undo`: the way back from a run, and back again.

use std::fs;

use crate::janitor::{Janitor, Run};

fn deployment() -> Janitor {
    Janitor::new()
        .desired("a.test", "new A 192.0.2.1\nttl 60 A 192.0.2.2\nsame TXT x")
        .served("a.test", "old A 192.0.2.1\nttl 90 A 192.0.2.2\nsame TXT x")
        .desired("b.test", "web CNAME elsewhere.example.")
        .served("b.test", "web A 192.0.2.1\nweb TXT x")
        .settings("[core.guard]\ndeletions_percent = 'off'\nupdates_percent = 'off'")
}

/// The served zone file without its SOA, whose serial advances.
fn served(janitor: &Janitor, zone: &str) -> String {
    let text = janitor.served_file(zone);
    let lines = text.lines().filter(|line| !line.contains("SOA"));
    let mut lines = lines.map(str::to_owned).collect::<Vec<_>>();
    lines.sort();
    lines.join("\n")
}

fn done(run: &Run) {
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
}

fn apply(janitor: &Janitor, plan: &str) -> Run {
    let plan = janitor.path(plan);
    janitor.command(&["apply", plan.to_str().expect("a path")])
}

fn undo(janitor: &Janitor, run: &str, plan: &str) -> Run {
    let plan = janitor.path(plan);
    let out = plan.to_str().expect("a path");
    janitor.command(&["undo", run, "--out", out])
}

#[test]
fn what_a_run_did_is_taken_back_and_made_again() {
    let janitor = deployment();
    // As `files.apply` writes them, so that they can be compared later.
    let zones = ["a.test", "b.test"];
    let records = |janitor: &Janitor| zones.map(|zone| served(janitor, zone));
    done(&janitor.run());
    let after = records(&janitor);

    let way_back = undo(&janitor, "1", "back.plan");
    done(&way_back);
    assert_eq!(records(&janitor), after, "undo shows and does nothing");
    insta::assert_snapshot!(way_back.errors(), @r#"
    warning[GJ857]: the next run makes the changes of run 1 again
      because: what is desired still says so
      help: change what is desired first, or stop whatever starts runs
    warning[GJ824]: 2 limits on changes are off: core.guard.deletions_percent, core.guard.updates_percent
      where: <root>/gordon-janitor-user.toml:2
      where: <root>/gordon-janitor-user.toml:3
      help: gordon-janitor guard test shows what passes
    "#);
    insta::assert_snapshot!(way_back.stdout(), @r#"
    a.test. 1 addition, 1 update, 1 deletion
      + old.a.test.  300      A  192.0.2.1
      ~ ttl.a.test.  60 → 90  A  192.0.2.2
      - new.a.test.  300      A  192.0.2.1
    b.test. 2 additions, 1 deletion
      - web.b.test.  300  CNAME  elsewhere.example.
      +              300  A      192.0.2.1
      +              300  TXT    "x"
    compared by files.served, published by files.apply
    2 zones compared, 2 to change, 0 as desired, 0 left out: 3 additions, 1 update, 2 deletions
    "#);
    done(&apply(&janitor, "back.plan"));
    let before = records(&janitor);
    assert!(before[0].contains("old."), "{}", before[0]);
    assert!(before[1].contains("TXT"), "{}", before[1]);

    // That run is undone as any other, and says what it was.
    let list = janitor.command(&["history", "2", "--json"]).stdout();
    let list: serde_json::Value = serde_json::from_str(&list).expect("it is JSON");
    assert_eq!(
        (&list["kind"], &list["undoes"]),
        (&"apply".into(), &1.into())
    );
    done(&undo(&janitor, "2", "forth.plan"));
    done(&apply(&janitor, "forth.plan"));
    assert_eq!(records(&janitor), after);
    done(&undo(&janitor, "3", "back-again.plan"));
    done(&apply(&janitor, "back-again.plan"));
    assert_eq!(records(&janitor), before);
}

#[test]
fn what_was_changed_since_stays_and_is_told() {
    let janitor = deployment();
    done(&janitor.run());
    let path = janitor.path("served/a.test.zone");
    let text = fs::read_to_string(&path).expect("it is there");
    let changed = text.replace("192.0.2.2", "192.0.2.77");
    assert_ne!(text, changed);
    fs::write(path, changed).expect("it can be written");

    let run = janitor.command(&["undo", "1"]);
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    insta::assert_snapshot!(run.stdout(), @r#"
    a.test. 1 addition, 1 deletion
      + old.a.test.  300  A  192.0.2.1
      - new.a.test.  300  A  192.0.2.1
    b.test. 2 additions, 1 deletion
      - web.b.test.  300  CNAME  elsewhere.example.
      +              300  A      192.0.2.1
      +              300  TXT    "x"
    1 of 3 changes of a.test. left out: changed since, and stays as it is: ttl.a.test. A
    compared by files.served, published by files.apply
    2 zones compared, 2 to change, 0 as desired, 1 left out: 3 additions, 2 deletions
    "#);
    // The rest can be applied, and what stays is told once more.
    assert_eq!(undo(&janitor, "1", "back.plan").exit_code(), 3);
    let run = apply(&janitor, "back.plan");
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    assert!(run.stderr().contains("changed since"), "{}", run.stderr());
    let records = served(&janitor, "a.test");
    assert!(
        records.contains("old.") && records.contains("192.0.2.77"),
        "{records}"
    );
}

#[test]
fn a_way_back_is_judged_as_every_plan_is() {
    let janitor = deployment().settings("[core.guard.zones.\"b.test\"]\ndeletions = 0");
    assert_eq!(
        janitor.command(&["run", "--force", "b.test"]).exit_code(),
        0
    );
    let run = janitor.command(&["undo", "1"]);
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    assert!(
        run.stdout().contains("core.guard.zones"),
        "{}",
        run.stdout()
    );
    done(&janitor.command(&["undo", "1", "--force", "b.test"]));

    // Names that this janitor was told to leave alone are left alone on the way back, too.
    let janitor = deployment();
    done(&janitor.run());
    let janitor = janitor.settings("[core.scope]\nprotect = ['new.a.test']");
    let run = janitor.command(&["undo", "1"]);
    assert!(!run.stdout().contains("new.a.test."), "{}", run.stdout());
    assert!(run.stdout().contains("old.a.test."), "{}", run.stdout());
}

/// Two reconcilers and two publishers. The villain takes every zone for empty.
fn routed(routes: &str) -> Janitor {
    Janitor::new()
        .reconcilers(&["files.served", "villain.reconciler.behaves"])
        .publishers(&["files.apply", "villain.publisher.behaves"])
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
        .desired("b.test", "new A 192.0.2.2")
        .served("b.test", "")
        .settings(
            "[core.guard]\ndeletions_percent = 'off'\n[core.guard.run]\ndeletions_percent = 'off'",
        )
        .settings(&format!("[core.routes]\n{routes}"))
}

#[test]
fn the_way_back_is_the_route_that_there_is_now() {
    let mut janitor = routed(
        "'a.test' = { reconciler = 'files.served', publishers = ['files.apply'] }
        '*' = { reconciler = 'villain.reconciler.behaves', publishers = ['villain.publisher.behaves'] }",
    );
    assert_eq!(janitor.run().given(), ["+ new.b.test. 300 IN A 192.0.2.2"]);

    // Each zone is read where it is compared, and goes back to whom it went.
    let run = undo(&janitor, "1", "back.plan");
    done(&run);
    insta::assert_snapshot!(run.stdout(), @r#"
    a.test. 1 addition, 1 deletion
      compared by files.served, published by files.apply
      + old.a.test.  300  A  192.0.2.1
      - new.a.test.  300  A  192.0.2.1
    2 zones compared, 1 to change, 1 as desired, 0 left out: 1 addition, 1 deletion
    "#);
    let run = apply(&janitor, "back.plan");
    done(&run);
    assert_eq!(run.given(), [""; 0]);
    assert!(served(&janitor, "a.test").contains("old."));

    // Without a route there is no way back; the others are not kept from theirs.
    done(&janitor.run());
    janitor.rewrite_settings(
        "[core.guard]\ndeletions_percent = 'off'\n[core.guard.run]\ndeletions_percent = 'off'
        [core.routes]
        'a.test' = { reconciler = 'files.served', publishers = ['files.apply'] }
        'x.test' = { reconciler = 'villain.reconciler.behaves' }",
    );
    let run = undo(&janitor, "3", "part.plan");
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    insta::assert_snapshot!(run.stdout(), @r#"
    a.test. 1 addition, 1 deletion
      + old.a.test.  300  A  192.0.2.1
      - new.a.test.  300  A  192.0.2.1
    b.test. left out: no pattern in core.routes stands for the zone
      hint: add a route for it; the pattern "*" stands for all zones that no other does
    compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 1 left out: 1 addition, 1 deletion
    "#);
    // What was left out when it was planned is still left out when it is applied.
    let run = apply(&janitor, "part.plan");
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    assert!(served(&janitor, "a.test").contains("old."));
}

#[test]
fn without_anything_to_take_back_it_says_so() {
    let janitor = deployment();
    done(&janitor.run());
    done(&janitor.run());
    let texts = ["2", "9"].map(|run| janitor.command(&["undo", run]));
    assert!(texts.iter().all(|run| run.exit_code() == 2));
    let texts = texts.map(|run| run.errors()).concat();
    insta::assert_snapshot!(texts, @r"
    error[GJ856]: there is nothing to undo: run 2 published nothing
      where: <root>/state/history.sqlite
      help: gordon-janitor history 2
    error: 1 error; nothing was run
    error[GJ807]: there is no run 9
      where: <root>/state/history.sqlite
      found: runs 1 to 2
      help: gordon-janitor history 2
    error: 1 error; nothing was run
    ");
}

#[test]
fn a_name_that_belongs_to_a_zone_of_its_own_since_is_left_to_that_zone() {
    let mut janitor = Janitor::new()
        .desired("a.test", "www.sub A 192.0.2.1\nwww A 192.0.2.1")
        .served("a.test", "keep A 192.0.2.1")
        .settings("[core.guard]\ndeletions_percent = 'off'");
    done(&janitor.run());
    janitor = janitor
        .desired("sub.a.test", "www A 192.0.2.1")
        .served("sub.a.test", "www A 192.0.2.1");
    done(&janitor.run());

    let way_back = undo(&janitor, "1", "back.plan");
    done(&way_back);
    insta::assert_snapshot!(way_back.stdout(), @"
    a.test. 1 addition, 1 deletion
      ! 1 change set aside (other-zone): it belongs to zone `sub.a.test.`
      + keep.a.test.  300  A  192.0.2.1
      - www.a.test.   300  A  192.0.2.1
    compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 addition, 1 deletion
    1 change in 1 zone set aside
    ");
}
