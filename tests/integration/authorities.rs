//! What authorities can do to a run, and what becomes of their zones.

use insta::assert_snapshot;

use crate::janitor::Janitor;

/// `example.com` comes from a file, whatever the villain says speaks of `other.test`.
fn deployment(villain: &str) -> Janitor {
    Janitor::new()
        .authorities(&["files.zones", villain])
        .publishers(&["villain.publisher.behaves"])
        .desired("example.com", "new A 192.0.2.1\nwww A 192.0.2.2")
        .served("example.com", "old A 192.0.2.1\nwww A 192.0.2.1")
        .served("other.test", "old A 192.0.2.1")
        .settings("[villain]\nzones = ['other.test']")
}

const NEW: &str = "+ new.example.com. 300 IN A 192.0.2.1";
const WWW: [&str; 2] = [
    "- www.example.com. 300 IN A 192.0.2.1",
    "+ www.example.com. 300 IN A 192.0.2.2",
];
const OLD: &str = "- old.example.com. 300 IN A 192.0.2.1";
const OTHER_NEW: &str = "+ www.other.test. 300 IN A 192.0.2.1";
const OTHER_OLD: &str = "- old.other.test. 300 IN A 192.0.2.1";

#[test]
fn two_that_behave_are_joined() {
    let run = deployment("villain.authority.behaves").run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    assert_eq!(
        run.given(),
        [NEW, WWW[0], WWW[1], OLD, OTHER_NEW, OTHER_OLD]
    );
    assert_eq!(
        run.log_with("cleaned up plugin=villain.authority.behaves")
            .len(),
        1
    );
}

#[test]
fn one_that_fails_makes_the_zones_of_the_other_only_gain() {
    let run = deployment("villain.authority.fails").run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    // What it has sent stands. It may name any zone, also one that has these names.
    assert_eq!(run.given(), [NEW, OTHER_NEW]);
    assert_eq!(
        run.failures(),
        ["plugin `villain.authority.fails` failed: cannot reach the moon: no rocket"]
    );
    assert_eq!(
        run.log_with("build a rocket"),
        ["ERROR: build a rocket plugin=villain.authority.fails"]
    );
    assert_eq!(
        run.log_with("cleaned up plugin=villain.authority.fails")
            .len(),
        1
    );
}

#[test]
fn one_that_fails_after_its_zones_are_sent_still_counts() {
    let janitor = || deployment("").authorities(&["villain.authority.fails"]);
    let run = janitor().run();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(run.given(), [OTHER_NEW]);
    // It cannot have had a zone below this one in mind.
    let told = janitor()
        .settings("[core.plugin.'villain.authority.fails']\nzones = ['other.test', '*.com']");
    let run = told.run();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(run.given(), [OTHER_NEW, OTHER_OLD]);
}

#[test]
fn one_that_does_not_say_that_its_zones_are_complete_only_adds() {
    let run = deployment("villain.authority.is-unsure").run();
    assert_eq!(run.exit_code(), 0);
    assert_eq!(run.given(), [NEW, WWW[0], WWW[1], OLD, OTHER_NEW]);
    let plan = deployment("villain.authority.is-unsure").plan(&[]);
    assert!(
        plan.stdout().contains(
            "! only additions because the desired zone is incomplete: 1 difference stays as it is\n"
        ),
        "{}",
        plan.stdout()
    );
}

#[test]
fn a_zone_sent_twice_is_left_out() {
    for authorities in [
        &["files.zones", "villain.authority.repeats-itself"][..],
        &["villain.authority.repeats-itself"],
    ] {
        let run = deployment("").authorities(authorities).run();
        assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
        assert_eq!(
            run.left_out(),
            [
                "other.test. plugin=villain.authority.repeats-itself reason=\"`villain.authority.repeats-itself` sent the zone twice\""
            ]
        );
        assert!(!run.given().iter().any(|line| line.contains("other.test.")));
    }
}

#[test]
fn a_zone_that_two_speak_for_is_left_out() {
    let run = deployment("villain.authority.behaves")
        .settings("[villain.authority.behaves]\nzones = ['EXAMPLE.com.', 'other.test']")
        .run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert_snapshot!(run.left_out().join("\n"), @r#"example.com. plugin=villain.authority.behaves reason="both `files.zones` and `villain.authority.behaves` speak for the zone" hint="say how they are joined: [core.merge] policy = \"agree\", \"priority\" or \"union\"; or which zones each speaks for: [core.plugin.\"KEY\"] zones = […]""#);
    assert_eq!(run.given(), [OTHER_NEW, OTHER_OLD]);
}

#[test]
fn what_one_leaves_out_is_not_taken_from_another() {
    let run = deployment("villain.authority.leaves-out")
        .settings("[villain.authority.leaves-out]\nzones = ['example.com']")
        .run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert_eq!(
        run.left_out(),
        [
            "\"a cup\" plugin=villain.authority.leaves-out reason=\"cannot tell whose it is: the label is torn\"",
            "example.com. plugin=villain.authority.leaves-out reason=\"cannot read the tea leaves: the cup is empty\"",
        ]
    );
    assert_eq!(run.given(), [""; 0]);
}

#[test]
fn something_that_cannot_be_named_might_be_any_zone() {
    let run = deployment("villain.authority.leaves-out").run();
    assert_eq!(run.exit_code(), 3);
    assert_eq!(run.given(), [NEW]);
}

#[test]
fn one_without_zones_is_no_fault() {
    let janitor = deployment("").authorities(&["villain.authority.behaves"]);
    let janitor = janitor.settings("[villain.authority.behaves]\nzones = []");
    let run = janitor.plan(&[]);
    assert_eq!(run.exit_code(), 0);
    assert_eq!(
        run.stdout(),
        "0 zones compared, 0 to change, 0 as desired, 0 left out: no changes\n"
    );
}

#[test]
fn one_that_breaks_off_is_named_and_the_others_only_gain() {
    let run = deployment("liar.authority.breaks-off").run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        run.failures(),
        ["plugin `liar.authority.breaks-off` failed: it ended without finishing its stream"]
    );
    assert_eq!(run.given(), [NEW]);
}

#[test]
fn what_is_sent_after_the_end_of_the_stream_does_not_arrive() {
    let run = deployment("liar.authority.goes-on")
        .served("late.test", "")
        .run();
    assert_eq!(run.exit_code(), 3, "honest.test is not served");
    assert_eq!(run.given(), [NEW, WWW[0], WWW[1], OLD]);
    assert_eq!(run.log_with("late.test"), [""; 0]);
}

#[test]
fn an_error_without_a_word_is_given_one() {
    let run = deployment("liar.authority.mumbles").run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        run.failures(),
        ["plugin `liar.authority.mumbles` failed: it did not say why"]
    );
}

#[test]
fn every_malformed_zone_is_left_out_and_the_honest_one_goes_on() {
    let janitor = Janitor::new()
        .authorities(&["liar.authority.sends-nonsense"])
        .publishers(&["villain.publisher.behaves"])
        .served("honest.test", "");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert_eq!(
        run.given(),
        [
            "+ mail.honest.test. 0 IN TXT \"a text\"",
            "+ www.honest.test. 0 IN A 192.0.2.1",
            "+ www.honest.test. 0 IN A 192.0.2.2",
        ]
    );
    let plugin = " plugin=liar.authority.sends-nonsense reason=";
    assert_snapshot!(run.left_out().join("\n").replace(plugin, " "), @r#"
    "a zone without a valid name" "the authority sent a malformed message: the name has more than 255 octets in wire form"
    "a zone without a valid name" "the authority sent a malformed message: the name is compressed or has a label of unknown type"
    "a zone without a valid name" "the authority sent a malformed message: the name is empty; the root zone is written `.`"
    "a zone without a valid name" "the authority sent a malformed message: the octets end inside the name"
    a-label-of-64.test. "the authority sent a malformed zone: cannot accept the buffer: octet 36 is wrong: the owner is not a name in canonical form: the name is compressed or has a label of unknown type"
    a-negative-ttl.test. "the authority sent a malformed zone: cannot accept the buffer: octet 28 is wrong: the TTL 2147483648 is above 2147483647 seconds"
    a-pointer.test. "the authority sent a malformed zone: cannot accept the buffer: octet 36 is wrong: the owner is not a name in canonical form: the name is compressed or has a label of unknown type"
    a-question.test. "the authority sent a malformed zone: cannot accept the buffer: octet 24 is wrong: ANY is never zone data"
    an-address-of-text.test. "the authority sent a malformed zone: cannot accept the buffer: octet 68 is wrong: the rdata of an RR of type AAAA is not in canonical form: the rdata ends too early"
    another-format.test. "the authority sent a malformed zone: cannot accept the buffer: octet 0 is wrong: unknown format 2"
    crowded.test. "the authority sent a malformed zone: cannot accept the buffer: octet 110 is wrong: an owner has a CNAME and A beside it"
    cut-off.test. "the authority sent a malformed zone: cannot accept the buffer: octet 16 is wrong: the buffer ends too early"
    empty.test. "the authority sent a malformed zone: cannot accept the buffer: octet 0 is wrong: the buffer ends too early"
    endless-rdata.test. "the authority sent a malformed zone: cannot accept the buffer: octet 70 is wrong: an RRset does not fill its entry"
    entries-past-the-end.test. "the authority sent a malformed zone: cannot accept the buffer: octet 16 is wrong: the buffer ends too early"
    entry-of-nothing.test. "the authority sent a malformed zone: cannot accept the buffer: octet 20 is wrong: an RRset does not fill its entry"
    entry-too-short.test. "the authority sent a malformed zone: cannot accept the buffer: octet 63 is wrong: an RRset does not fill its entry"
    entry-without-end.test. "the authority sent a malformed zone: cannot accept the buffer: octet 20 is wrong: the buffer ends too early"
    half-a-header.test. "the authority sent a malformed zone: cannot accept the buffer: octet 0 is wrong: the buffer ends too early"
    held-without-a-name.test. "the authority sent a malformed zone: cannot accept the buffer: octet 134 is wrong: the owner is not a name in canonical form: the octets end inside the name"
    no-rdata.test. "the authority sent a malformed zone: cannot accept the buffer: octet 32 is wrong: the RRset has no rdata"
    rdata-in-disorder.test. "the authority sent a malformed zone: cannot accept the buffer: octet 126 is wrong: the rdata does not come after the one before it"
    rrsets-in-disorder.test. "the authority sent a malformed zone: cannot accept the buffer: octet 77 is wrong: what is there does not come after what is before it"
    somebody-elses.test. "the authority sent a malformed zone: cannot accept the buffer: octet 36 is wrong: the owner is not at or below the apex"
    something-behind.test. "the authority sent a malformed zone: cannot accept the buffer: octet 128 is wrong: octets follow the last part"
    something-reserved.test. "the authority sent a malformed zone: cannot accept the buffer: octet 26 is wrong: reserved octets are set"
    too-few-rrs.test. "the authority sent a malformed zone: cannot accept the buffer: octet 8 is wrong: the header counts 2 RRs, there are 3"
    too-many-rrsets.test. "the authority sent a malformed zone: cannot accept the buffer: octet 4 is wrong: the header counts 3 RRsets, there are 2"
    unknown-flags.test. "the authority sent a malformed zone: cannot accept the buffer: octet 2 is wrong: unknown flags 0x8001"
    upper-case.test. "the authority sent a malformed zone: cannot accept the buffer: octet 36 is wrong: the owner is not a name in canonical form: the name has upper-case letters"
    "#);
}
