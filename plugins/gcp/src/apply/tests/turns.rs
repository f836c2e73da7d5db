use super::*;

const SERVED: &str = "a 60 A 192.0.2.1\nb 60 TXT \"x y\" \"z\"\nold 60 A 192.0.2.9";
const WANTED: &str = "a 60 A 192.0.2.2\nb 60 TXT new\nc 60 A 192.0.2.3";

fn model() -> Model {
    Model::serving(&actual(SERVED))
}

fn run(model: &mut Model) -> String {
    let changes = changes(SERVED, WANTED);
    drive(&changes, Quota::DOCUMENTED, model).text(&changes)
}

/// What happens if this goes wrong with the first changes that are sent.
fn after(mishaps: &[Mishap]) -> String {
    let mut model = model();
    model.mishaps = mishaps.to_vec().into();
    run(&mut model)
}

#[test]
fn all_of_a_zone_is_one_change() {
    let mut model = model();

    insta::assert_snapshot!(run(&mut model), @r"
    send
    all made
    ");
    assert_eq!(model.made, [(3, 3)]);
    assert_eq!(model.zone(), actual(WANTED));
}

#[test]
fn what_is_listed_in_another_spelling_is_deleted_as_it_is_listed() {
    for tells_first_only in [false, true] {
        let mut model = model();
        model.spell_otherwise();
        model.tells_first_only = tells_first_only;

        insta::allow_duplicates! {
            insta::assert_snapshot!(run(&mut model), @r"
            send look send
            all made
            ");
        }
        assert_eq!(model.zone(), actual(WANTED));
    }
}

#[test]
fn what_somebody_else_has_changed_means_plan_again_and_nothing_is_made() {
    for names_places in [false, true] {
        let mut model = model();
        model.names_places = names_places;
        model.mishaps = [Mishap::Overtaken("a", "A", Some((60, "192.0.2.77")))].into();

        insta::allow_duplicates! {
            insta::assert_snapshot!(run(&mut model), @r"
            send look
            all refused: somebody else has changed the zone since it was planned: `a.example.com. A` is served with TTL 60 and `192.0.2.77`; plan again
            ");
        }
        assert_eq!(model.made, []);
    }
    insta::assert_snapshot!(after(&[Mishap::Overtaken("a", "A", Some((61, "192.0.2.1")))]), @r"
    send look
    all refused: somebody else has changed the zone since it was planned: `a.example.com. A` is served with TTL 61 and `192.0.2.1`; plan again
    ");
    insta::assert_snapshot!(after(&[Mishap::Overtaken("a", "A", None)]), @r"
    send look
    all refused: somebody else has changed the zone since it was planned: `a.example.com. A` is not served; plan again
    ");
    insta::assert_snapshot!(after(&[Mishap::Overtaken("c", "A", Some((60, "192.0.2.4")))]), @r"
    send look
    all refused: somebody else has changed the zone since it was planned: `c.example.com. A` is served with TTL 60 and `192.0.2.4`; plan again
    ");
}

#[test]
fn what_somebody_else_has_made_already_counts_as_made_and_the_rest_is_sent() {
    insta::assert_snapshot!(after(&[Mishap::Overtaken("c", "A", Some((60, "192.0.2.3")))]), @r"
    send look send
    all made
    ");
    insta::assert_snapshot!(after(&[Mishap::Overtaken("old", "A", None)]), @r"
    send look send
    all made
    ");
    insta::assert_snapshot!(after(&[Mishap::Overtaken("a", "A", Some((60, "192.0.2.2")))]), @r"
    send look send
    all made
    ");
}

#[test]
fn a_cname_that_somebody_else_has_put_in_the_way_means_plan_again() {
    insta::assert_snapshot!(after(&[Mishap::Overtaken("c", "CNAME", Some((60, "x.example.com.")))]), @r"
    send
    all refused: somebody else has changed the zone since it was planned: Cloud DNS answers 400: The resource record set 'entity.change.additions[2]' is invalid (cnameResourceRecordSetConflict); plan again
    ");
}

#[test]
fn a_lost_answer_is_looked_after() {
    use Mishap::{LostAfter, LostBefore};
    insta::assert_snapshot!(after(&[LostAfter]), @r"
    send look
    all made
    ");
    insta::assert_snapshot!(after(&[LostBefore]), @r"
    send look send
    all made
    ");
    insta::assert_snapshot!(after(&[LostBefore, LostBefore]), @r"
    send look send look send
    all made
    ");
    insta::assert_snapshot!(after(&[LostBefore, LostAfter]), @r"
    send look send look
    all made
    ");
    insta::assert_snapshot!(after(&[LostBefore, LostBefore, LostBefore]), @r"
    send look send look send look
    all unknown: it was sent, and there is no answer (connection reset); what is served is still as before
    ");
}

#[test]
fn where_somebody_else_writes_while_an_answer_gets_lost_nobody_can_tell() {
    use Mishap::LostWhile;
    insta::assert_snapshot!(after(&[LostWhile("a", "A", Some((60, "192.0.2.77")))]), @r"
    send look
    all unknown: it was sent, and there is no answer (connection reset); `a.example.com. A` is served with TTL 60 and `192.0.2.77`, which is neither what was planned from nor what was planned; plan again
    ");
    // What is as it should be is, whoever did it.
    insta::assert_snapshot!(after(&[LostWhile("a", "A", Some((60, "192.0.2.2")))]), @r"
    send look send
    all made
    ");
}

#[test]
fn a_lost_answer_that_cannot_be_looked_after_is_unknown() {
    let mut model = model();
    model.is_blind = true;
    model.mishaps = [Mishap::LostAfter].into();

    insta::assert_snapshot!(run(&mut model), @r"
    send look
    all unknown: it was sent, and there is no answer (connection reset); what is served cannot be read: connection refused
    ");
}

#[test]
fn what_was_lost_once_is_never_said_to_be_refused() {
    use Mishap::{LostBefore, NotSent, Overtaken, Says};
    insta::assert_snapshot!(after(&[LostBefore, Says(403, "forbidden", "Forbidden")]), @r"
    send look send
    all unknown: it was sent, and there is no answer (connection reset); Cloud DNS answers 403: Forbidden (forbidden)
    ");
    insta::assert_snapshot!(after(&[LostBefore, NotSent]), @r"
    send look send
    all unknown: it was sent, and there is no answer (connection reset); connection refused
    ");
    insta::assert_snapshot!(after(&[LostBefore, Overtaken("a", "A", Some((60, "192.0.2.77")))]), @r"
    send look send look
    all unknown: it was sent, and there is no answer (connection reset); somebody else has changed the zone since it was planned: `a.example.com. A` is served with TTL 60 and `192.0.2.77`; plan again
    ");
    insta::assert_snapshot!(
        after(&[LostBefore, Says(400, "invalid", "Invalid value for 'entity.change.additions[0]'")]),
        @r"
    send look send send
    a.example.com. A unknown: it was sent, and there is no answer (connection reset); Cloud DNS does not take `a.example.com. A`: Invalid value for 'entity.change.additions[0]' (invalid)
    b.example.com. TXT made
    c.example.com. A made
    old.example.com. A made
    "
    );
}

#[test]
fn what_nobody_may_do_is_refused_for_the_zone() {
    insta::assert_snapshot!(after(&[Mishap::Says(403, "forbidden", "Forbidden")]), @r"
    send
    all refused: Cloud DNS answers 403: Forbidden (forbidden)
    ");
    insta::assert_snapshot!(after(&[Mishap::NotSent]), @r"
    send
    all refused: connection refused
    ");
}

#[test]
fn a_condition_that_fails_without_a_reason_is_not_tried_for_ever() {
    let says = || {
        Mishap::Says(
            412,
            "conditionNotMet",
            "Precondition not met for 'entity.change.deletions[0]'",
        )
    };
    insta::assert_snapshot!(after(&[says()]), @r"
    send look send
    all made
    ");
    insta::assert_snapshot!(after(&[says(), says()]), @r"
    send look send look
    all refused: Cloud DNS answers 412: Precondition not met for 'entity.change.deletions[0]' (conditionNotMet); but what is served is listed as it was planned from
    ");
}

#[test]
fn a_condition_that_fails_and_cannot_be_looked_at_is_refused() {
    let mut model = model();
    model.is_blind = true;
    model.spell_otherwise();

    insta::assert_snapshot!(run(&mut model), @r"
    send look
    all refused: Cloud DNS answers 412: Precondition not met for 'entity.change.deletions[0]' (conditionNotMet); Precondition not met for 'entity.change.deletions[1]' (conditionNotMet); Precondition not met for 'entity.change.deletions[2]' (conditionNotMet); and what is served cannot be read: connection refused
    ");
}

#[test]
fn what_is_wrong_by_itself_is_refused_alone() {
    for (names_places, tells_first_only) in [(false, false), (true, true)] {
        let mut model = model();
        model.names_places = names_places;
        model.tells_first_only = tells_first_only;
        model.denied = [(name("a.example.com."), "A".parse().unwrap())].into();

        insta::allow_duplicates! {
            // By its number, or by what it is.
            let text = run(&mut model).replace("[a.example.com.][A]", "[0]");
            insta::assert_snapshot!(text, @r"
            send send
            a.example.com. A refused: Cloud DNS does not take `a.example.com. A`: Invalid value for 'entity.change.additions[0].rrdata[0]': 'x' (invalid)
            b.example.com. TXT made
            c.example.com. A made
            old.example.com. A made
            ");
        }
    }
    insta::assert_snapshot!(after(&[Mishap::Says(400, "invalid", "Bad Request")]), @r"
    send
    all refused: Cloud DNS answers 400: Bad Request (invalid)
    ");
}

#[test]
fn what_goes_with_something_wrong_is_refused_with_it() {
    let served = "www 60 A 192.0.2.1\nsub 60 NS ns1.sub\nns1.sub 60 A 192.0.2.1\nx 60 A 192.0.2.1";
    let wanted = "www 60 CNAME x\nsub 60 NS ns2.sub\nns2.sub 60 A 192.0.2.1\nx 60 A 192.0.2.2\nx 60 LOC 1 N 1 E 0m";
    let changes = changes(served, wanted);
    let mut model = Model::serving(&actual(served));
    model.denied = [
        (name("www.example.com."), "CNAME".parse().unwrap()),
        (name("ns2.sub.example.com."), "A".parse().unwrap()),
    ]
    .into();

    let outcome = drive(&changes, Quota::DOCUMENTED, &mut model);

    insta::assert_snapshot!(outcome.text(&changes), @r"
    send send
    sub.example.com. NS refused: not without the addition of `ns2.sub.example.com. A`: Cloud DNS does not take `ns2.sub.example.com. A`: Invalid value for 'entity.change.additions[1].rrdata[0]': 'x' (invalid)
    ns2.sub.example.com. A refused: Cloud DNS does not take `ns2.sub.example.com. A`: Invalid value for 'entity.change.additions[1].rrdata[0]': 'x' (invalid)
    www.example.com. A refused: not without the addition of `www.example.com. CNAME`: Cloud DNS does not take `www.example.com. CNAME`: Invalid value for 'entity.change.additions[2].rrdata[0]': 'x' (invalid)
    www.example.com. CNAME refused: Cloud DNS does not take `www.example.com. CNAME`: Invalid value for 'entity.change.additions[2].rrdata[0]': 'x' (invalid)
    x.example.com. A made
    x.example.com. LOC refused: Cloud DNS has no record sets of type LOC
    ns1.sub.example.com. A refused: not without the addition of `ns2.sub.example.com. A`: Cloud DNS does not take `ns2.sub.example.com. A`: Invalid value for 'entity.change.additions[1].rrdata[0]': 'x' (invalid)
    ");
}

#[test]
fn a_quota_that_is_lower_than_known_cuts_changes_in_halves() {
    let mut model = model();
    model.quota.additions = 1;

    insta::assert_snapshot!(run(&mut model), @r"
    send send send send send
    all made
    ");
    assert_eq!(model.made, [(1, 1), (1, 1), (1, 1)]);

    insta::assert_snapshot!(
        after(&[Mishap::Says(403, "quotaExceeded", "The change would exceed quota for resource record sets per managed zone.")]),
        @r"
    send
    all refused: Cloud DNS answers 403: The change would exceed quota for resource record sets per managed zone. (quotaExceeded)
    "
    );
}

#[test]
fn what_comes_after_a_split_that_fails_is_not_sent() {
    let changes = changes(SERVED, WANTED);
    let mut model = model();
    let quota = Quota {
        additions: 1,
        ..Quota::DOCUMENTED
    };
    model.mishaps = [
        Mishap::None,
        Mishap::Overtaken("b", "TXT", Some((60, "other"))),
    ]
    .into();

    let outcome = drive(&changes, quota, &mut model);

    insta::assert_snapshot!(outcome.text(&changes), @r"
    send send look
    a.example.com. A made
    b.example.com. TXT refused: somebody else has changed the zone since it was planned: `b.example.com. TXT` is served with TTL 60 and `other`; plan again
    c.example.com. A refused: not sent, because of what comes before it in the zone: somebody else has changed the zone since it was planned: `b.example.com. TXT` is served with TTL 60 and `other`; plan again
    old.example.com. A refused: not sent, because of what comes before it in the zone: somebody else has changed the zone since it was planned: `b.example.com. TXT` is served with TTL 60 and `other`; plan again
    ");
}

#[test]
fn a_delegation_that_is_not_changed_keeps_the_addresses_that_come_last_in_the_plan() {
    let changes = changes(
        "sub 60 NS ns1.sub\nns1.sub 60 A 192.0.2.1\nold 60 A 192.0.2.1",
        "sub 60 NS ns2.sub\nns2.sub 60 A 192.0.2.1",
    );
    let mut model = Model::serving(&actual(
        "sub 60 NS ns1.sub\nns1.sub 60 A 192.0.2.1\nold 60 A 192.0.2.1",
    ));
    model.denied = [(name("sub.example.com."), "NS".parse().unwrap())].into();
    // One owner to a split.
    let quota = Quota {
        additions: 1,
        deletions: 1,
        ..Quota::DOCUMENTED
    };

    let outcome = drive(&changes, quota, &mut model);

    insta::assert_snapshot!(outcome.text(&changes), @r"
    send send
    sub.example.com. NS refused: Cloud DNS does not take `sub.example.com. NS`: Invalid value for 'entity.change.additions[0].rrdata[0]': 'x' (invalid)
    ns2.sub.example.com. A refused: not without the update of `sub.example.com. NS`: Cloud DNS does not take `sub.example.com. NS`: Invalid value for 'entity.change.additions[0].rrdata[0]': 'x' (invalid)
    old.example.com. A made
    ns1.sub.example.com. A refused: not without the update of `sub.example.com. NS`: Cloud DNS does not take `sub.example.com. NS`: Invalid value for 'entity.change.additions[0].rrdata[0]': 'x' (invalid)
    ");
}
