use janitor_plugin_api::abi::abi_stable::std_types::ROption;
use janitor_plugin_api::dns::{LeftAlone, Ttl, ZoneBuilder, diff};

use super::*;
use crate::report::ChangeCounts;

const APEX: &str = "example.com";

fn name(text: &str) -> Name {
    text.parse().expect("the text is a name")
}

fn builder(addresses: &[(&str, &str)]) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new(name(APEX));
    let ttl = Ttl::from_secs(300).expect("the TTL is in range");
    for (owner, address) in addresses {
        builder
            .push_text(owner, ttl, "A", address)
            .expect("the record is good");
    }
    builder
}

fn desired(addresses: &[(&str, &str)]) -> DesiredZone {
    let mut builder = builder(addresses);
    builder.set_complete();
    builder.build_desired().expect("the zone is good")
}

fn actual(addresses: &[(&str, &str)]) -> ActualZone {
    builder(addresses).build_actual().expect("the zone is good")
}

/// What an honest reconciler answers.
fn answer(desired: &DesiredZone, actual: &ActualZone) -> AbiAnswer {
    let changes = diff(desired, actual, &LeftAlone::default()).expect("one zone");
    AbiAnswer {
        apex: desired.apex().as_wire().into(),
        status: AnswerStatus::COMPARED,
        changes: changes.into_octets(),
        actual: ROption::RSome(actual.octets().into()),
        reason: RVec::new(),
        hint: ROption::RNone,
    }
}

/// Asks for what one authority desires.
fn ask(station: &mut Answers, desired: &DesiredZone) {
    let merged = Merged::from_one(desired.clone(), "a".into());
    let route = Arc::new(Route::to_all("r".into()));
    assert_eq!(station.asked(merged, &route), *desired);
}

fn station() -> Answers {
    Answers::new("r".into(), Arc::default())
}

const OLD: &[(&str, &str)] = &[("www", "192.0.2.1"), ("old", "192.0.2.9")];
const NEW: &[(&str, &str)] = &[("www", "192.0.2.2"), ("new", "192.0.2.3")];

#[test]
fn a_zone_that_is_only_read_is_not_planned() {
    let (desired, actual) = (desired(NEW), actual(OLD));
    let mut answer = answer(&desired, &actual);
    answer.status = AnswerStatus::READ;
    assert_eq!(
        refused(&desired, answer),
        "example.com.: the reconciler was asked to compare the zone, and only read it"
    );
}

#[test]
fn an_honest_answer_becomes_the_plan_of_the_zone() {
    let (desired, actual) = (desired(NEW), actual(OLD));
    let mut station = station();
    ask(&mut station, &desired);
    let planned = station.take(answer(&desired, &actual));
    let planned = planned.expect("the answer holds").expect("and is planned");
    let counts = ChangeCounts {
        additions: 1,
        deletions: 1,
        updates: 1,
    };
    assert_eq!(planned.counts(), counts);
    assert_eq!(
        (
            planned.desired,
            planned.actual.as_ref().map(|actual| actual.rrsets)
        ),
        (2, Some(2))
    );
    let (plan, left_out) = station.finish();
    assert_eq!((plan.len(), left_out.len()), (1, 0));
}

/// Asks for `desired` and returns why the answer leaves the zone out.
fn refused(desired: &DesiredZone, answer: AbiAnswer) -> String {
    let mut station = station();
    ask(&mut station, desired);
    let left_out = station.take(answer).expect_err("the answer is refused");
    let (plan, _) = station.finish();
    assert!(plan.is_empty());
    left_out.to_string()
}

#[test]
fn deletions_of_what_is_not_served_leave_the_zone_out() {
    let (desired, served) = (desired(NEW), actual(OLD));
    let mut lie = answer(&desired, &served);
    lie.actual = ROption::RSome(actual(&[("www", "192.0.2.1")]).into_octets());
    assert_eq!(
        refused(&desired, lie),
        "example.com.: the reconciler's changes do not fit the actual zone: \
         the change deletes A of `old.example.com.` in a form that is not served"
    );
}

#[test]
fn malformed_buffers_leave_the_zone_out() {
    let (desired, actual) = (desired(NEW), actual(OLD));
    let mut cut = answer(&desired, &actual);
    cut.changes.truncate(60);
    assert!(refused(&desired, cut).contains("the reconciler sent malformed changes: "));
    let mut cut = answer(&desired, &actual);
    cut.actual = ROption::RSome(vec![0, 1, 0, 1].into());
    assert!(refused(&desired, cut).contains("the reconciler sent a malformed actual zone: "));
}

#[test]
fn nothing_desired_deletes_nothing_whatever_the_reconciler_says() {
    let (nothing, actual) = (desired(&[]), actual(OLD));
    let mut greedy = answer(&desired(&[("www", "192.0.2.1")]), &actual);
    greedy.apex = nothing.apex().as_wire().into();
    assert_eq!(
        refused(&nothing, greedy),
        "example.com.: the reconciler's changes do not fit the desired zone: \
         nothing is desired, and A of `old.example.com.` would be deleted"
    );
}

#[test]
fn nothing_is_changed_at_an_owner_that_the_actual_zone_holds() {
    let desired = desired(NEW);
    for (owner, fault) in [
        (
            "old",
            "the change touches A of `old.example.com.`, an owner that the actual zone holds",
        ),
        (
            "www",
            "the change touches A of `www.example.com.`, an owner that the actual zone holds",
        ),
        (
            "new",
            "the change touches A of `new.example.com.`, an owner that the actual zone holds",
        ),
    ] {
        let mut holding = builder(OLD);
        holding
            .hold(name(&format!("{owner}.{APEX}")))
            .expect("in the zone");
        let holding = holding.build_actual().expect("the zone is good");
        let honest = answer(&desired, &holding);
        let mut greedy = answer(&desired, &actual(OLD));
        greedy.actual = ROption::RSome(holding.into_octets());
        assert_eq!(
            refused(&desired, greedy),
            format!("example.com.: the reconciler's changes do not fit the actual zone: {fault}")
        );

        let mut station = station();
        ask(&mut station, &desired);
        let planned = station.take(honest).expect("the answer holds");
        let planned = planned.expect("and is planned");
        assert_eq!(
            (planned.changes().len(), planned.held_back),
            (2, 1),
            "{owner}"
        );
    }
}

#[test]
fn nothing_is_deleted_at_an_owner_that_is_held() {
    let mut holding = builder(NEW);
    holding.set_complete();
    holding.hold(name("old.example.com")).expect("in the zone");
    let holding = holding.build_desired().expect("the zone is good");
    let greedy = answer(&desired(NEW), &actual(OLD));
    assert_eq!(
        refused(&holding, greedy),
        "example.com.: the reconciler's changes do not fit the desired zone: \
         `old.example.com.` is held, and its A would be deleted"
    );
}

#[test]
fn an_incomplete_zone_only_adds_whatever_the_reconciler_says() {
    let mut incomplete = desired(NEW);
    incomplete.mark_incomplete();
    let mut station = station();
    ask(&mut station, &incomplete);
    let greedy = answer(&desired(NEW), &actual(OLD));
    let planned = station.take(greedy).expect("the answer holds");
    let counts = planned.expect("and is planned").counts();
    assert_eq!(
        (counts.additions, counts.deletions, counts.updates),
        (1, 0, 0)
    );
}

#[test]
fn a_second_answer_leaves_the_zone_out() {
    let (desired, actual) = (desired(NEW), actual(OLD));
    let mut station = station();
    ask(&mut station, &desired);
    station
        .take(answer(&desired, &actual))
        .expect("the first holds");
    let left_out = station
        .take(answer(&desired, &actual))
        .expect_err("the second does not");
    assert_eq!(
        left_out.to_string(),
        "example.com.: the reconciler answered it twice"
    );
    assert!(station.finish().0.is_empty());
}

#[test]
fn an_answer_that_nobody_asked_for_is_refused() {
    let (desired, actual) = (desired(NEW), actual(OLD));
    let left_out = station()
        .take(answer(&desired, &actual))
        .expect_err("not asked");
    assert_eq!(
        left_out.to_string(),
        "example.com.: the reconciler answered a zone that it was not asked for"
    );
}

#[test]
fn a_zone_without_an_answer_is_left_out() {
    let mut station = station();
    ask(&mut station, &desired(NEW));
    let (plan, left_out) = station.finish();
    assert!(plan.is_empty());
    assert_eq!(
        left_out[0].to_string(),
        "example.com.: the reconciler did not answer"
    );
}

#[test]
fn a_reason_to_leave_out_is_passed_on() {
    let desired = desired(NEW);
    let mut answer = answer(&desired, &actual(OLD));
    answer.status = AnswerStatus::LEFT_OUT;
    answer.reason = vec!["cannot transfer the zone".into(), "REFUSED".into()].into();
    assert_eq!(
        refused(&desired, answer),
        "example.com.: cannot transfer the zone: REFUSED"
    );
}

#[test]
fn a_zone_that_was_withdrawn_is_not_planned() {
    let (desired, actual) = (desired(NEW), actual(OLD));
    let mut station = station();
    ask(&mut station, &desired);
    station.withdraw(&name(APEX));
    let taken = station
        .take(answer(&desired, &actual))
        .expect("no new fault");
    assert!(taken.is_none());
    assert!(station.finish().0.is_empty());
}
