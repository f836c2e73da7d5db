//! What reconcilers can answer, and what the host believes of it.

use insta::assert_snapshot;

use crate::janitor::{Janitor, Run};

/// Three desired zones, compared by `reconciler`. The villains say that `old` is served in each.
fn run_with(reconciler: &str) -> Run {
    Janitor::new()
        .reconcilers(&[reconciler])
        .publishers(&["villain.publisher.behaves"])
        .desired("a.test", "www A 192.0.2.1")
        .desired("b.test", "www A 192.0.2.1")
        .desired("c.test", "www A 192.0.2.1")
        .run()
}

fn outcome(run: &Run) -> (i32, String, Vec<String>) {
    (run.exit_code(), run.status(), run.given())
}

const A: &str = "+ www.a.test. 300 IN A 192.0.2.1";
const B: &str = "+ www.b.test. 300 IN A 192.0.2.1";
const C: &str = "+ www.c.test. 300 IN A 192.0.2.1";

fn given(lines: &[&str]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

#[test]
fn one_that_behaves_is_believed() {
    let run = run_with("villain.reconciler.behaves");
    assert_eq!(outcome(&run), (0, "success".to_owned(), given(&[A, B, C])));
    assert_eq!(
        run.log_with("cleaned up plugin=villain.reconciler.behaves")
            .len(),
        1
    );
}

#[test]
fn a_zone_without_an_answer_is_left_out() {
    let run = run_with("villain.reconciler.is-silent");
    assert_eq!(outcome(&run), (3, "incomplete".to_owned(), vec![]));
    assert_eq!(
        run.left_out(),
        ["a.test.", "b.test.", "c.test."].map(|zone| format!(
            "{zone} plugin=villain.reconciler.is-silent reason=\"the reconciler did not answer\""
        ))
    );
}

#[test]
fn one_that_returns_early_leaves_the_rest_out() {
    let run = run_with("villain.reconciler.leaves-early");
    assert_eq!(outcome(&run), (3, "incomplete".to_owned(), given(&[A])));
    assert_eq!(run.left_out().len(), 2);
}

#[test]
fn an_answer_that_nobody_asked_for_changes_nothing() {
    let run = run_with("villain.reconciler.answers-unasked");
    assert_eq!(
        outcome(&run),
        (3, "incomplete".to_owned(), given(&[A, B, C]))
    );
    assert_eq!(
        run.left_out(),
        [
            "unasked.test. plugin=villain.reconciler.answers-unasked reason=\"the reconciler answered a zone that it was not asked for\""
        ]
    );
}

#[test]
fn a_zone_answered_twice_is_left_out() {
    let run = run_with("villain.reconciler.repeats-itself");
    assert_eq!(outcome(&run), (3, "incomplete".to_owned(), vec![]));
    assert_eq!(
        run.left_out()[0],
        "a.test. plugin=villain.reconciler.repeats-itself reason=\"the reconciler answered it twice\""
    );
    assert_eq!(run.left_out().len(), 3);
}

#[test]
fn a_deletion_of_what_is_not_served_leaves_the_zone_out() {
    let run = run_with("villain.reconciler.invents");
    assert_eq!(outcome(&run), (3, "incomplete".to_owned(), vec![]));
    assert_snapshot!(run.left_out()[0], @r#"a.test. plugin=villain.reconciler.invents reason="the reconciler's changes do not fit the actual zone: the change deletes A of `gone.a.test.` in a form that is not served""#);
}

#[test]
fn the_soa_is_not_touched() {
    let run = run_with("villain.reconciler.touches-the-soa");
    assert_eq!(outcome(&run), (3, "incomplete".to_owned(), vec![]));
    assert_snapshot!(run.left_out()[0], @r#"a.test. plugin=villain.reconciler.touches-the-soa reason="the reconciler's changes do not fit the desired zone: SOA of `a.test.` belongs to the primary""#);
}

#[test]
fn one_that_leaves_zones_out_says_why() {
    let run = run_with("villain.reconciler.leaves-out");
    assert_eq!(outcome(&run), (3, "incomplete".to_owned(), vec![]));
    assert_eq!(
        run.left_out()[0],
        "a.test. plugin=villain.reconciler.leaves-out reason=\"cannot ask the servers: they are asleep\""
    );
}

#[test]
fn one_that_fails_leaves_no_plan() {
    let run = run_with("villain.reconciler.fails");
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned(), vec![]));
    assert_eq!(
        run.failures(),
        ["plugin `villain.reconciler.fails` failed: cannot reach the moon: no rocket"]
    );
    assert_eq!(run.log_with("cleaned up").len(), 2);
}

#[test]
fn one_that_breaks_off_leaves_no_plan() {
    let run = run_with("liar.reconciler.breaks-off");
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned(), vec![]));
    assert_eq!(
        run.failures(),
        ["plugin `liar.reconciler.breaks-off` failed: it ended without finishing its stream"]
    );
}

#[test]
fn one_that_does_not_give_the_actual_zone_is_seen_in_the_plan() {
    let janitor = Janitor::new()
        .reconcilers(&["villain.reconciler.hides-what-is-served"])
        .desired("a.test", "www A 192.0.2.1");
    let plan = janitor.plan(&["--format", "json"]);
    // A share of what nobody knows is too much.
    assert_eq!(plan.exit_code(), 3);
    let stdout = plan.stdout();
    let lines = stdout
        .lines()
        .map(serde_json::from_str::<serde_json::Value>);
    let mut lines = lines.map(|line| line.expect("every line is JSON"));
    let zone = lines
        .find(|line| line["zone"] == "a.test.")
        .expect("the zone has a line");
    assert_eq!(zone["actual"], serde_json::Value::Null);
    assert_eq!(
        (&zone["additions"], &zone["deletions"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn an_incomplete_zone_only_gains_whatever_the_reconciler_says() {
    for reconciler in [
        "villain.reconciler.hides-what-is-served",
        "villain.reconciler.behaves",
    ] {
        let run = Janitor::new()
            .authorities(&["villain.authority.is-unsure"])
            .reconcilers(&[reconciler])
            .publishers(&["villain.publisher.behaves"])
            .settings("[villain]\nzones = ['a.test']")
            .run();
        assert_eq!(run.given(), [A]);
    }
}

#[test]
fn every_malformed_answer_leaves_its_zone_out_and_the_honest_one_goes_on() {
    let run = Janitor::new()
        .authorities(&["liar.authority.asks-for-lies"])
        .reconcilers(&["liar.reconciler.answers-nonsense"])
        .publishers(&["villain.publisher.behaves"])
        .run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    let plugin = " plugin=liar.reconciler.answers-nonsense reason=";
    assert_snapshot!(run.left_out().join("\n").replace(plugin, " "), @r#"
    a-label-of-64.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 36 is wrong: the owner is not a name in canonical form: the name is compressed or has a label of unknown type"
    a-negative-ttl.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 28 is wrong: the TTL 2147483648 is above 2147483647 seconds"
    a-pointer.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 36 is wrong: the owner is not a name in canonical form: the name is compressed or has a label of unknown type"
    a-question.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 24 is wrong: ANY is never zone data"
    an-address-of-text.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 68 is wrong: the rdata of an RR of type AAAA is not in canonical form: the rdata ends too early"
    another-format.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 0 is wrong: unknown format 2"
    changes-counted-wrongly.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 8 is wrong: the header counts 4278190081 additions, there are 1"
    changes-cut-off.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 61 is wrong: the buffer ends too early"
    changes-empty.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 0 is wrong: the buffer ends too early"
    changes-of-a-new-kind.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 60 is wrong: unknown kind of change 9"
    changes-of-another-format.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 0 is wrong: unknown format 2"
    changes-of-half-an-update.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 121 is wrong: the buffer ends too early"
    changes-said-to-delete.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 8 is wrong: the header counts 1 additions, there are 0"
    changes-uncounted.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 4 is wrong: the header counts 2 changes, there are 1"
    changes-with-flags.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 2 is wrong: unknown flags 0x0001"
    changes-with-more.test. "the reconciler sent malformed changes: cannot accept the buffer: octet 113 is wrong: unknown kind of change 0"
    cut-off.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 16 is wrong: the buffer ends too early"
    empty.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 0 is wrong: the buffer ends too early"
    endless-rdata.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 70 is wrong: an RRset does not fill its entry"
    entries-past-the-end.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 16 is wrong: the buffer ends too early"
    entry-of-nothing.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 20 is wrong: an RRset does not fill its entry"
    entry-too-short.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 63 is wrong: an RRset does not fill its entry"
    entry-without-end.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 20 is wrong: the buffer ends too early"
    half-a-header.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 0 is wrong: the buffer ends too early"
    held-without-a-name.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 134 is wrong: the owner is not a name in canonical form: the octets end inside the name"
    no-rdata.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 32 is wrong: the RRset has no rdata"
    rdata-in-disorder.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 126 is wrong: the rdata does not come after the one before it"
    rrsets-in-disorder.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 77 is wrong: what is there does not come after what is before it"
    somebody-elses.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 36 is wrong: the owner is not at or below the apex"
    something-behind.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 128 is wrong: octets follow the last part"
    something-reserved.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 26 is wrong: reserved octets are set"
    too-few-rrs.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 8 is wrong: the header counts 2 RRs, there are 3"
    too-many-rrsets.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 4 is wrong: the header counts 3 RRsets, there are 2"
    two-answers-in-one.test. "said to be left out"
    unknown-flags.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 2 is wrong: unknown flags 0x8001"
    unknown-status.test. "the reconciler answered with the unknown status 7"
    upper-case.test. "the reconciler sent a malformed actual zone: cannot accept the buffer: octet 36 is wrong: the owner is not a name in canonical form: the name has upper-case letters"
    without-a-reason.test. "the reconciler gave no reason"
    "#);
    assert_snapshot!(run.given().join("\n"), @"+ added.honest.test. 0 IN A 192.0.2.3");
}
