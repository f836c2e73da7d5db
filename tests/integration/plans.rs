//! Plans: what they show, and that nothing of a publisher runs for them.

use insta::assert_snapshot;

use crate::janitor::Janitor;

/// One zone of every kind.
fn deployment() -> Janitor {
    Janitor::new()
        .desired(
            "a.test",
            "new A 192.0.2.1\nnew TXT \"a \\\"text\\\"\"\nttl 600 A 192.0.2.1\nwww A 192.0.2.2\nwww A 192.0.2.1\nboth 60 A 192.0.2.1",
        )
        .served(
            "a.test",
            "old A 192.0.2.1\nttl A 192.0.2.1\nwww A 192.0.2.1\nboth 30 A 192.0.2.3",
        )
        .desired("same.test", "www A 192.0.2.1")
        .served("same.test", "WWW 300 IN A 192.0.2.1")
        .desired("missing.test", "www A 192.0.2.1")
        .file("desired/broken.test.zone", "www A 192.0.2\n")
        .served("broken.test", "")
}

#[test]
fn as_text() {
    let run = deployment().plan(&[]);
    assert_eq!((run.exit_code(), run.errors().as_str()), (3, ""));
    assert_snapshot!(run.stdout(), @r#"
    a.test. 2 additions, 3 updates, 1 deletion
      ~ both.a.test.  30 → 60    A    192.0.2.3 → 192.0.2.1
      + new.a.test.   300        A    192.0.2.1
      +               300        TXT  "a \"text\""
      ~ ttl.a.test.   300 → 600  A    192.0.2.1
      ~ www.a.test.   300        A    192.0.2.1
      +                               192.0.2.2
      - old.a.test.   300        A    192.0.2.1
    broken.test. left out: cannot read `<root>/desired/broken.test.zone`, line 1, column 7: expected an IPv4 address, found `192.0.2`
    missing.test. left out: cannot read the served zone: `<root>/served` holds no file for it, so it is not served there
    desired by files.zones, compared by files.served, published by files.apply
    2 zones compared, 1 to change, 1 as desired, 2 left out: 2 additions, 3 updates, 1 deletion
    "#);
}

#[test]
fn as_json() {
    let run = deployment().plan(&["--format", "json"]);
    assert_eq!(run.exit_code(), 3);
    let stdout = run.stdout();
    for line in stdout.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("every line is JSON");
        assert!(object.is_object());
    }
    assert_snapshot!(without_what_differs(&stdout), @r#"
    {"plan":1,"sealed":false,"made_at":"<time>","host":"0.1.0","policy":{"sha256":"<sha256>","sections":{"core.plugins":"<sha256>","files.apply":"<sha256>","files.served":"<sha256>","files.zones":"<sha256>"}},"plugins":[{"key":"files.apply","role":"publisher","version":"0.1.0","sha256":"<sha256>","conditional":true},{"key":"files.served","role":"reconciler","version":"0.1.0","sha256":"<sha256>"},{"key":"files.zones","role":"authority","version":"0.1.0","sha256":"<sha256>"}]}
    {"zone":"a.test.","authority":"files.zones","authorities":["files.zones"],"reconciler":"files.served","publishers":["files.apply"],"complete":true,"desired":7,"actual":6,"comparable":4,"serial":1,"additions":2,"updates":3,"deletions":1,"held_back":0,"left_alone":0,"set_aside":[],"lost":[],"verdict":{"guard":"passed","reasons":[]},"not_sticking":{"sent_again":0,"set_aside":0,"changes":[]},"changes":[{"action":"update","owner":"both.a.test.","type":"A","deletion":{"ttl":30,"rdata":["192.0.2.3"]},"addition":{"ttl":60,"rdata":["192.0.2.1"]},"sources":["files.zones"]},{"action":"addition","owner":"new.a.test.","type":"A","deletion":null,"addition":{"ttl":300,"rdata":["192.0.2.1"]},"sources":["files.zones"]},{"action":"addition","owner":"new.a.test.","type":"TXT","deletion":null,"addition":{"ttl":300,"rdata":["\"a \\\"text\\\"\""]},"sources":["files.zones"]},{"action":"update","owner":"ttl.a.test.","type":"A","deletion":{"ttl":300,"rdata":["192.0.2.1"]},"addition":{"ttl":600,"rdata":["192.0.2.1"]},"sources":["files.zones"]},{"action":"update","owner":"www.a.test.","type":"A","deletion":{"ttl":300,"rdata":["192.0.2.1"]},"addition":{"ttl":300,"rdata":["192.0.2.1","192.0.2.2"]},"sources":["files.zones"]},{"action":"deletion","owner":"old.a.test.","type":"A","deletion":{"ttl":300,"rdata":["192.0.2.1"]},"addition":null,"sources":null}]}
    {"zone":"same.test.","authority":"files.zones","authorities":["files.zones"],"reconciler":"files.served","publishers":["files.apply"],"complete":true,"desired":3,"actual":3,"comparable":1,"serial":1,"additions":0,"updates":0,"deletions":0,"held_back":0,"left_alone":0,"set_aside":[],"lost":[],"verdict":{"guard":"passed","reasons":[]},"not_sticking":{"sent_again":0,"set_aside":0,"changes":[]},"changes":[]}
    {"left_out":["cannot read `<root>/desired/broken.test.zone`, line 1, column 7","expected an IPv4 address, found `192.0.2`"],"zone":"broken.test.","what":"broken.test.","kind":"reported","hint":null,"plugin":"files.zones"}
    {"left_out":["cannot read the served zone","`<root>/served` holds no file for it, so it is not served there"],"zone":"missing.test.","what":"missing.test.","kind":"reported","hint":null,"plugin":"files.served"}
    {"end":{"zones":2,"changed":1,"left_out":2,"additions":2,"updates":3,"deletions":1},"run_limits":[],"unnamed":[],"undecided":0}
    "#);
}

/// The text of a plan without times and digests.
fn without_what_differs(plan: &str) -> String {
    let mut out = String::new();
    for (index, text) in plan.split('"').enumerate() {
        let is_digest = text.len() == 64 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
        let is_time = text.len() > 20 && text.starts_with("20") && text.ends_with('Z');
        out.push_str(if index > 0 { "\"" } else { "" });
        out.push_str(match (is_digest, is_time) {
            (true, _) => "<sha256>",
            (_, true) => "<time>",
            _ => text,
        });
    }
    out
}

#[test]
fn of_a_run_that_fails_says_what_is_known() {
    let run = deployment()
        .authorities(&["files.zones", "villain.authority.fails"])
        .plan(&[]);
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert!(
        run.stdout()
            .contains("only additions because the desired zone is incomplete")
    );
}

#[test]
fn no_publisher_is_started_or_needed() {
    let with = |keys: &[&str]| {
        Janitor::new()
            .publishers(keys)
            .desired("a.test", "new A 192.0.2.1")
            .served("a.test", "old A 192.0.2.1")
    };
    let publishers: [&[&str]; 3] = [
        &[],
        &["villain.publisher.panics-in-new"],
        &["files.apply", "villain.publisher.behaves"],
    ];
    for keys in publishers {
        for arguments in [&["plan"][..], &["run", "--dry-run"], &["--dry-run"]] {
            let janitor = with(keys);
            let before = janitor.served_file("a.test");
            let run = janitor.command(arguments);
            assert_eq!(
                (run.exit_code(), run.status().as_str()),
                (0, "success"),
                "{arguments:?}"
            );
            assert_eq!(run.log_with("villain"), [""; 0]);
            assert_eq!(run.log_with("change-message"), [""; 0]);
            assert_eq!(janitor.served_file("a.test"), before);
            assert!(run.stdout().starts_with("a.test. 1 addition, 1 deletion\n"));
        }
    }
}

#[test]
fn exit_with_4_when_asked_to_tell_that_changes_are_pending() {
    let pending = || {
        Janitor::new()
            .desired("a.test", "new A 192.0.2.1")
            .served("a.test", "")
    };
    let code = |janitor: Janitor| janitor.plan(&["--exit-code"]).exit_code();
    assert_eq!(code(pending()), 4);
    assert_eq!(pending().plan(&[]).exit_code(), 0);
    assert_eq!(code(pending().served("a.test", "new A 192.0.2.1")), 0);
    // Others come first: 2, 1, 3, 4.
    assert_eq!(code(pending().desired("gone.test", "")), 3);
    assert_eq!(
        code(pending().authorities(&["files.zones", "villain.authority.fails"])),
        1
    );
    assert_eq!(code(pending().settings("[core]\ngrase = 1")), 2);
    let run = pending().plan(&["--exit-code"]);
    assert_eq!(run.status(), "success");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for arguments in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["plugins", "list"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        drop(reader);
        let run = deployment_in_sync().start_into(arguments, writer).finish();
        assert_eq!(
            (run.exit_code(), run.errors().as_str()),
            (0, ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_output_that_takes_nothing_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let run = deployment_in_sync()
        .start_into(&["plan"], full.expect("the device is there"))
        .finish();
    assert_eq!(run.exit_code(), 1);
    assert_snapshot!(run.errors(), @"
    error: cannot write the plan to standard output
      caused by: No space left on device (os error 28)
    ");
}

fn deployment_in_sync() -> Janitor {
    Janitor::new().desired("a.test", "").served("a.test", "")
}
