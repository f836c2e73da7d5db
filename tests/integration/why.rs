//! `why`: one name explained.

use insta::assert_snapshot;

use crate::janitor::Janitor;

fn deployment() -> Janitor {
    Janitor::new()
        .desired(
            "a.test",
            "www 600 A 192.0.2.1\nwww TXT same\nnew A 192.0.2.1\n* TXT wild\nsub NS ns.sub\nns.sub A 192.0.2.9",
        )
        .served(
            "a.test",
            "www A 192.0.2.1\nwww TXT same\nold A 192.0.2.1\n* TXT wild\nsub NS ns.sub\nns.sub A 192.0.2.9",
        )
        .desired("b.a.test", "www A 192.0.2.1")
        .served("b.a.test", "www A 192.0.2.1")
        .desired("missing.test", "www A 192.0.2.1")
}

/// What is told of a name, and of no other.
fn why(janitor: &Janitor, arguments: &[&str]) -> String {
    let run = janitor.command(&[&["why"], arguments].concat());
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    run.stdout()
}

#[test]
fn says_who_wants_what_is_served_and_what_the_next_run_does() {
    let janitor = deployment();
    assert_snapshot!(why(&janitor, &["WWW.a.test"]), @r#"
    www.a.test. belongs to a.test., the closest zone above it in this run
      desired by files.zones, compared by files.served, published by files.apply

    desired
      files.zones wants
        www.a.test. 600 IN A 192.0.2.1
        www.a.test. 300 IN TXT "same"

    served
      www.a.test. 300 IN A 192.0.2.1
      www.a.test. 300 IN TXT "same"

    decided
      A: the next run updates it: TTL 300 → 600
      TXT: it is served as it is desired
    "#);
    assert_snapshot!(why(&janitor, &["www.a.test.", "a"]), @"
    www.a.test. belongs to a.test., the closest zone above it in this run
      desired by files.zones, compared by files.served, published by files.apply

    desired
      files.zones wants
        www.a.test. 600 IN A 192.0.2.1

    served
      www.a.test. 300 IN A 192.0.2.1

    decided
      A: the next run updates it: TTL 300 → 600
    ");
    assert_snapshot!(why(&janitor, &["old.a.test"]), @"
    old.a.test. belongs to a.test., the closest zone above it in this run
      desired by files.zones, compared by files.served, published by files.apply

    desired
      files.zones wants
        nothing
        the wildcard *.a.test. answers in its place, with TXT

    served
      old.a.test. 300 IN A 192.0.2.1

    decided
      A: the next run deletes it: it is served, and nobody wants it
    ");
    assert_snapshot!(why(&janitor, &["a.test", "SOA"]), @"
    a.test. is a zone of this run
      desired by files.zones, compared by files.served, published by files.apply

    desired
      files.zones wants
        a.test. 300 IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 60

    served
      a.test. 300 IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 60

    decided
      SOA: it belongs to the primary or its signer, and is left alone
    ");
}

#[test]
fn says_what_answers_for_a_name_that_is_not_there() {
    let janitor = deployment();
    assert_snapshot!(why(&janitor, &["x.y.a.test"]), @"
    x.y.a.test. belongs to a.test., the closest zone above it in this run
      desired by files.zones, compared by files.served, published by files.apply

    desired
      files.zones wants
        nothing
        the wildcard *.a.test. answers in its place, with TXT

    served
      nothing
      the wildcard *.a.test. answers in its place, with TXT

    decided
      nobody wants anything at the name, and nothing is served at it
    ");
    assert_snapshot!(why(&janitor, &["x.sub.a.test", "A"]), @"
    x.sub.a.test. belongs to a.test., the closest zone above it in this run
      desired by files.zones, compared by files.served, published by files.apply

    desired
      files.zones wants
        nothing
        it is below the zone cut sub.a.test.: servers of another zone answer for it

    served
      nothing
      it is below the zone cut sub.a.test.: servers of another zone answer for it

    decided
      A: nobody wants it, and it is not served
    ");
}

#[test]
fn says_where_a_name_belongs() {
    let janitor = deployment();
    let first = |arguments: &[&str]| {
        let told = why(&janitor, arguments);
        told.lines().next().unwrap_or_default().to_owned()
    };
    let lines = [
        first(&["b.a.test"]),
        first(&["x.b.a.test"]),
        // It is the zone above that has them.
        first(&["b.a.test", "DS"]),
        first(&["x.missing.test"]),
        first(&["x.c.test"]),
        first(&["example.org"]),
    ];
    assert_snapshot!(lines.join("\n"), @"
    b.a.test. is a zone of this run
    x.b.a.test. belongs to b.a.test., the closest zone above it in this run
    b.a.test. DS belongs to a.test.: what delegates a name is in the zone above it
    x.missing.test. belongs to missing.test., which is left out of this run
    x.c.test. belongs to no zone of this run: no authority names one at or above it
    example.org. belongs to no zone of this run: no authority names one at or above it
    ");
    assert_snapshot!(why(&janitor, &["x.missing.test"]), @"
    x.missing.test. belongs to missing.test., which is left out of this run
      cannot read the served zone: `<root>/served` holds no file for it, so it is not served there

    desired
      by nobody

    served
      nobody can tell

    decided
      the zone is left out, so everything in it stays as it is
    ");
    assert_snapshot!(why(&janitor, &["x.c.test"]), @"
    x.c.test. belongs to no zone of this run: no authority names one at or above it
      the nearest is a.test.
    ");
}

#[test]
fn names_the_limit_that_withholds_a_zone() {
    let janitor = deployment().settings("[core.guard]\ndeletions = 0");
    let told = why(&janitor, &["old.a.test"]);
    let (_, decided) = told.split_once("\ndecided\n").expect("it is decided");
    assert_snapshot!(decided, @"  A: the next run would have deleted it, but the zone is withheld: 1 deletion; none is allowed by core.guard.deletions = 0 (<root>/gordon-janitor-user.toml:2)");
}

#[test]
fn says_that_a_source_is_missing() {
    let janitor = deployment().authorities(&["files.zones", "villain.authority.fails"]);
    let run = janitor.command(&["why", "old.a.test"]);
    assert_eq!(run.exit_code(), 1);
    let told = run.stdout();
    let (_, decided) = told.split_once("\ndecided\n").expect("it is decided");
    assert_snapshot!(decided, @"
      A: the desired zone is incomplete, because an authority failed or could not read everything: nothing is updated or deleted until it is whole

    The run failed or was cancelled, so this is not the whole truth.
    ");
}

#[test]
fn remembers_what_was_done_and_changes_nothing_itself() {
    let janitor = deployment();
    let before = janitor.served_file("a.test");
    let told = why(&janitor, &["old.a.test"]);
    assert!(!told.contains("history"), "{told}");
    assert_eq!(janitor.served_file("a.test"), before);
    assert_eq!(janitor.run().exit_code(), 3);
    let told = why(&janitor, &["old.a.test"]);
    let (_, history) = told.split_once("\nhistory\n").expect("there is a history");
    let (number, rest) = history.trim().split_once(" of ").expect("a run has a time");
    let (_, what) = rest.split_once(' ').expect("something was done");
    assert_eq!(
        (number, what),
        ("run 1", "(applied): A deleted: 300 192.0.2.1")
    );
    let told = why(&janitor, &["ns.sub.a.test"]);
    assert!(
        told.ends_with("\nhistory\n  no recorded run has changed it\n"),
        "{told}"
    );
}

#[test]
fn tells_programs_the_same() {
    let told = why(&deployment(), &["www.a.test", "A", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!(told["zone"], "a.test.");
    assert_eq!(told["verdict"], "passed");
    assert_eq!(told["wanted"][0]["authority"], "files.zones");
    assert_eq!(told["served"]["rrsets"][0]["rdata"][0], "192.0.2.1");
    assert_eq!(told["history"], serde_json::Value::Null);
    assert_snapshot!(told["decisions"].to_string(), @r#"[{"action":"update","addition":{"rdata":["192.0.2.1"],"ttl":600,"type":"A"},"decision":"made","deletion":{"rdata":["192.0.2.1"],"ttl":300,"type":"A"},"text":"the next run updates it: TTL 300 → 600","type":"A"}]"#);
    let told = why(&deployment(), &["x.c.test", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!(told["zone"], serde_json::Value::Null);
    assert_eq!(told["nearest"], "a.test.");
}

#[test]
fn what_is_no_name_or_type_is_refused_before_anything_runs() {
    for arguments in [&["why", "a..b"][..], &["why", "a.test", "NONE"], &["why"]] {
        let run = deployment().command(arguments);
        assert_eq!(
            (run.exit_code(), run.stdout().as_str()),
            (2, ""),
            "{arguments:?}"
        );
    }
}
