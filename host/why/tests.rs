//! Which decision follows from what was seen and what is planned.

use std::sync::Arc;

use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RVec};
use janitor_plugin_api::abi::values::{AbiAnswer, AnswerStatus};
use janitor_plugin_api::dns::{
    ActualZone, DesiredZone, LeftAlone, Name, Rtype, Ttl, ZoneBuilder, diff,
};

use super::answer::Decision;
use super::*;
use crate::pipeline::Outcome;
use crate::report::ZoneReport;
use crate::stations::guard::{GuardRule, Reason, Verdict};
use crate::stations::planned::{PlannedZone, Rule, RuleKind};
use crate::stations::route::Route;

const APEX: &str = "a.test";

fn builder(records: &str) -> ZoneBuilder {
    let mut zone = ZoneBuilder::new(APEX.parse().unwrap());
    for record in records.split(';').filter(|record| !record.is_empty()) {
        let words: Vec<_> = record.trim().splitn(3, ' ').collect();
        let [owner, rtype, rdata] = words[..] else {
            panic!("{record}");
        };
        let ttl = Ttl::from_secs(300).unwrap();
        zone.push_text(owner, ttl, rtype, rdata).unwrap();
    }
    zone
}

fn desired(records: &str) -> DesiredZone {
    let mut zone = builder(records);
    zone.set_complete();
    zone.build_desired().unwrap()
}

fn served(records: &str) -> ActualZone {
    builder(records).build_actual().unwrap()
}

/// A run over one zone, with a look at one name.
struct Case {
    inquiry: Inquiry,
    plan: PlannedZone,
}

impl Case {
    fn new(name: &str, desired: &DesiredZone, served: &ActualZone) -> Self {
        let inquiry = Inquiry::new(name.parse().unwrap());
        let changes = diff(desired, served, &LeftAlone::default()).unwrap();
        let mut plan = PlannedZone::new(changes, Arc::new(Route::to_all("r".into())));
        plan.complete = desired.is_complete();
        inquiry.forwarded(desired);
        inquiry.heard(&"first".into(), desired);
        Self { inquiry, plan }.answered(Some(served))
    }

    fn answered(self, served: Option<&ActualZone>) -> Self {
        self.inquiry.answered(&AbiAnswer {
            apex: self.plan.apex().as_wire().into(),
            status: AnswerStatus::COMPARED,
            changes: self.plan.changes().octets().into(),
            actual: served.map(|zone| RVec::from(zone.octets())).into(),
            reason: RVec::new(),
            hint: ROption::RNone,
        });
        self
    }

    /// The decisions as words, and the text that people read.
    fn told(self, rtype: Option<Rtype>) -> (Vec<String>, String) {
        let mut outcome = Outcome::default();
        outcome.report.zones.push(ZoneReport::of(&self.plan, None));
        outcome.plan.push(self.plan);
        let answer = Answer::new(&outcome, &self.inquiry, rtype);
        let words = answer.decisions.iter();
        let words = words.map(|decided| format!("{} {}", decided.rtype, decided.decision.word()));
        let words = words.collect();
        let mut text = Vec::new();
        text::write(&answer, &mut text).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(text).unwrap()).to_string();
        (words, text)
    }
}

fn rule() -> Rule {
    Rule {
        kind: RuleKind::Owned,
        text: "TXT at x.a.test. says that external-dns owns it".into(),
    }
}

#[test]
fn what_a_rule_sets_aside_names_the_rule() {
    let mut case = Case::new(
        "x.a.test",
        &desired("y A 192.0.2.1"),
        &served("x A 192.0.2.1"),
    );
    case.plan.set_aside(|_| Some(rule()));
    let (words, text) = case.told(None);
    assert_eq!(words, ["A set-aside"]);
    assert!(
        text.contains(
            "A: it would have to be deleted, and stays as it is (owned): TXT at x.a.test. says that external-dns owns it\n"
        ),
        "{text}"
    );
}

#[test]
fn where_more_is_served_than_can_be_told_that_is_why_nothing_happens() {
    let holding = || {
        let mut zone = builder("x A 192.0.2.1;x MX 1 m;x TXT t");
        zone.hold("x.a.test".parse().unwrap()).unwrap();
        zone.build_actual().unwrap()
    };
    let wanted = desired("x A 192.0.2.2;x TXT t;x AAAA 2001:db8::1");
    let (words, text) = Case::new("x.a.test", &wanted, &holding()).told(None);
    assert_eq!(words, ["A held", "MX held", "TXT as-desired", "AAAA held"]);
    assert!(
        text.contains("served\n  more than can be told as RRsets, so nothing is changed here\n"),
        "{text}"
    );
    assert!(
        text.contains(
            "A: the reconciler knows of the name and could not read all that is served there, so nothing at it is changed\n"
        ),
        "{text}"
    );

    let mut unread = builder("");
    unread.hold("x.a.test".parse().unwrap()).unwrap();
    let unread = unread.build_actual().unwrap();
    let (words, text) = Case::new("x.a.test", &desired("y A 192.0.2.1"), &unread).told(None);
    assert!(words.is_empty());
    assert!(
        text.contains(
            "decided\n  nobody wants anything at the name, and what is served at it stays as it is\n"
        ),
        "{text}"
    );
}

#[test]
fn a_limit_that_is_lifted_does_not_withhold() {
    let reason = || {
        vec![Reason {
            rule: GuardRule::Updates,
            found: "1 update".to_owned(),
            allowed: "none is allowed".to_owned(),
            setting: "core.guard.updates = 0".to_owned(),
            place: None,
        }]
    };
    for (verdict, expected) in [
        (Verdict::Passed, "A made"),
        (Verdict::Forced(reason()), "A made"),
        (Verdict::Withheld(reason()), "A withheld"),
    ] {
        let mut case = Case::new(
            "x.a.test",
            &desired("x A 192.0.2.1"),
            &served("x A 192.0.2.2"),
        );
        case.plan.verdict = verdict;
        assert_eq!(case.told(None).0, [expected]);
    }
}

#[test]
fn what_stays_although_it_differs_has_a_reason() {
    let served = served(
        "x A 192.0.2.1; same A 192.0.2.1; @ NS ns; s RRSIG A 8 2 300 20300101000000 20200101000000 1 a.test. AAAA",
    );
    let incomplete = || builder("y A 192.0.2.1").build_desired().unwrap();
    assert_eq!(
        Case::new("x.a.test", &incomplete(), &served).told(None).0,
        ["A incomplete"]
    );
    let mut held = builder("y A 192.0.2.1");
    held.set_complete();
    held.hold("x.a.test".parse().unwrap()).unwrap();
    let held = held.build_desired().unwrap();
    let (words, text) = Case::new("x.a.test", &held, &served).told(None);
    assert_eq!(words, ["A held"]);
    assert!(
        text.contains("first wants (knows of the name, and could not read it)"),
        "{text}"
    );
    let case = |name| Case::new(name, &desired("same A 192.0.2.1; @ NS other"), &served);
    assert_eq!(case("same.a.test").told(None).0, ["A as-desired"]);
    assert_eq!(case("a.test").told(None).0, ["NS left-alone"]);
    assert_eq!(case("s.a.test").told(None).0, ["RRSIG left-alone"]);
    assert_eq!(case("same.a.test").told(Some(Rtype::TXT)).0, ["TXT absent"]);
}

#[test]
fn what_a_reconciler_cannot_tell_is_not_made_up() {
    let name: Name = "x.a.test".parse().unwrap();
    let inquiry = Inquiry::new(name);
    let zone = desired("x A 192.0.2.1");
    let changes = diff(&zone, &served("x A 192.0.2.1"), &LeftAlone::default()).unwrap();
    inquiry.forwarded(&zone);
    let plan = PlannedZone::new(changes, Arc::new(Route::to_all("r".into())));
    let (words, text) = Case { inquiry, plan }.answered(None).told(None);
    assert_eq!(words, ["A unknown"]);
    assert!(text.contains("\nserved\n  nobody can tell\n"), "{text}");
}

#[test]
fn several_authorities_are_told_one_by_one_and_together() {
    let case = Case::new(
        "x.a.test",
        &desired("x A 192.0.2.1; x A 192.0.2.2"),
        &served("x A 192.0.2.1"),
    );
    case.inquiry
        .heard(&"second".into(), &desired("x A 192.0.2.2"));
    let (words, text) = case.told(None);
    assert_eq!(words, ["A made"]);
    let wanted = text.split("\nserved\n").next().unwrap();
    assert_eq!(wanted.matches("192.0.2.2").count(), 3, "{text}");
    assert!(
        wanted.contains("  second wants\n") && wanted.contains("  together\n"),
        "{text}"
    );
}

#[test]
fn what_is_desired_beside_the_question_is_told() {
    let wanted = |name, records, rtype| {
        let case = Case::new(name, &desired(records), &served("x A 192.0.2.1"));
        let (_, text) = case.told(rtype);
        let (_, wanted) = text.split_once("\ndesired\n").unwrap();
        wanted.split("\nserved\n").next().unwrap().to_owned()
    };
    let alias = wanted("x.a.test", "x CNAME y", Some(Rtype::A));
    assert!(
        alias.contains("nothing of this type; there is CNAME"),
        "{alias}"
    );
    let wildcard = wanted("z.a.test", "* A 192.0.2.1", None);
    assert!(
        wildcard.contains("the wildcard *.a.test. answers in its place, with A"),
        "{wildcard}"
    );
    let below = wanted("z.sub.a.test", "sub NS ns.test.", None);
    assert!(
        below.contains("it is below the zone cut sub.a.test."),
        "{below}"
    );
}

#[test]
fn an_answer_that_is_malformed_tells_nothing() {
    let zone = desired("x A 192.0.2.1");
    let case = Case::new("x.a.test", &zone, &served("x A 192.0.2.1"));
    let before = case.inquiry.seen(zone.apex()).served;
    for (apex, octets) in [(&b"\x01"[..], &b""[..]), (b"\x01a\x04test\0", b"nonsense")] {
        case.inquiry.answered(&AbiAnswer {
            apex: apex.into(),
            status: AnswerStatus::COMPARED,
            changes: RVec::new(),
            actual: ROption::RSome(octets.into()),
            reason: RVec::new(),
            hint: ROption::RNone,
        });
    }
    assert_eq!(case.inquiry.seen(zone.apex()).served, before);
}

#[test]
fn every_decision_has_a_sentence_of_its_own() {
    let sentences = [
        Decision::AsDesired,
        Decision::Absent,
        Decision::Held,
        Decision::Incomplete,
        Decision::LeftAlone,
        Decision::Unknown,
        Decision::NoDifference,
        Decision::LeftOut,
    ];
    let sentences = sentences.map(|decision| (decision.word(), decision.to_string()));
    for (at, (word, sentence)) in sentences.iter().enumerate() {
        let others = sentences.iter().skip(at + 1);
        assert!(others.clone().all(|(other, _)| other != word), "{word}");
        assert!(
            others.clone().all(|(_, other)| other != sentence),
            "{sentence}"
        );
    }
}
