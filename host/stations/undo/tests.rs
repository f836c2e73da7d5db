use janitor_plugin_api::dns::{LeftAlone, Ttl, ZoneBuilder, diff};
use proptest::prelude::*;

use super::*;

/// RRs as `owner type rdata`.
type Rr = (&'static str, &'static str, &'static str);

fn builder(rrs: &[Rr]) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new("a.test".parse().unwrap());
    for (owner, rtype, rdata) in rrs {
        builder
            .push_text(owner, Ttl::default(), rtype, rdata)
            .unwrap();
    }
    builder
}

fn actual(rrs: &[Rr]) -> ActualZone {
    builder(rrs).build_actual().unwrap()
}

fn run(desired: &[Rr], before: &ActualZone) -> Done {
    let mut desired = builder(desired);
    desired.set_complete();
    let desired = desired.build_desired().unwrap();
    let changes = diff(&desired, before, &LeftAlone::default()).unwrap();
    Done {
        made: vec![true; changes.len()],
        changes,
    }
}

fn told(way_back: &WayBack) -> (String, Vec<String>) {
    let changed = way_back.changed_since.iter();
    let changed = changed.map(|(owner, rtype)| format!("{owner} {rtype}"));
    (way_back.changes.to_string(), changed.collect())
}

const A: &str = "192.0.2.1";

#[test]
fn where_more_is_served_now_than_can_be_told_nothing_is_taken_back() {
    let done = run(&[("a", "A", A), ("b", "A", A), ("c", "A", A)], &actual(&[]));
    let mut now = builder(&[("a", "A", A), ("b", "A", A), ("c", "A", A)]);
    for owner in ["aa.a.test", "b.a.test"] {
        now.hold(owner.parse().unwrap()).unwrap();
    }
    let (changes, changed_since) = told(&done.way_back(&now.build_actual().unwrap()).unwrap());
    assert_eq!(
        changes,
        "- a.a.test. 0 IN A 192.0.2.1\n- c.a.test. 0 IN A 192.0.2.1\n"
    );
    assert_eq!(changed_since, ["b.a.test. A"]);
}

#[test]
fn what_the_run_left_is_taken_back_and_what_was_changed_since_stays() {
    let before = actual(&[("gone", "A", A), ("new", "TXT", "x"), ("other", "A", A)]);
    let desired = [
        ("added", "A", A),
        ("new", "TXT", "y"),
        ("other", "A", "192.0.2.7"),
    ];
    let done = run(&desired, &before);
    // Somebody has changed `other` since, and taken `added` away.
    let now = actual(&[("new", "TXT", "y"), ("other", "A", "192.0.2.9")]);

    let (changes, changed_since) = told(&done.way_back(&now).unwrap());
    assert_eq!(
        changes,
        "+ gone.a.test. 0 IN A 192.0.2.1\n- new.a.test. 0 IN TXT \"y\"\n+ new.a.test. 0 IN TXT \"x\"\n"
    );
    assert_eq!(changed_since, ["other.a.test. A"]);
}

#[test]
fn what_was_refused_is_not_taken_back() {
    let before = actual(&[]);
    let desired = [("a", "A", A), ("b", "A", A)];
    let mut done = run(&desired, &before);
    done.made[1] = false;
    // Somebody else has added the second since.
    let (changes, changed_since) = told(&done.way_back(&actual(&desired)).unwrap());
    assert_eq!(changes, "- a.a.test. 0 IN A 192.0.2.1\n");
    assert!(changed_since.is_empty());
}

#[test]
fn nothing_is_put_back_beside_what_it_conflicts_with() {
    let before = actual(&[("a", "A", A), ("b", "CNAME", "x"), ("z", "A", A)]);
    let done = run(&[("z", "A", A)], &before);
    let now = actual(&[
        ("a", "CNAME", "elsewhere"),
        ("b", "TXT", "new"),
        ("z", "A", A),
    ]);
    let (changes, changed_since) = told(&done.way_back(&now).unwrap());
    assert_eq!(changes, "");
    assert_eq!(changed_since, ["a.a.test. A", "b.a.test. CNAME"]);
}

#[test]
fn what_took_the_place_of_a_cname_gives_it_back() {
    let before = actual(&[("a", "CNAME", "x"), ("z", "A", A)]);
    let done = run(&[("a", "A", A), ("a", "TXT", "x"), ("z", "A", A)], &before);
    let after = done.changes.apply(&before).unwrap();
    let way_back = done.way_back(&after).unwrap();
    assert!(way_back.changed_since.is_empty());
    assert_eq!(way_back.changes.apply(&after).unwrap(), before);
    // One of the two was changed since: then the CNAME cannot come back.
    let now = actual(&[("a", "A", A), ("a", "TXT", "y"), ("z", "A", A)]);
    let way_back = done.way_back(&now).unwrap();
    assert!(way_back.changes.is_empty());
    assert_eq!(way_back.changed_since.len(), 3);
}

fn zone() -> impl Strategy<Value = Vec<Rr>> {
    let owner = prop::sample::select(vec!["@", "a", "b", "c", "*.c", "d"]);
    let data = prop::sample::select(vec![
        ("A", "192.0.2.1"),
        ("A", "192.0.2.2"),
        ("AAAA", "2001:db8::1"),
        ("TXT", "x"),
        ("TXT", "y"),
        ("CNAME", "b"),
    ]);
    let rrs = prop::collection::vec((owner, data), 1..12);
    rrs.prop_map(|rrs| {
        let mut kept: Vec<Rr> = Vec::new();
        for (owner, (rtype, rdata)) in rrs {
            // A CNAME stands alone, and not at the apex.
            let here = kept.iter().filter(|(other, ..)| *other == owner);
            let mut types = here.map(|(_, rtype, _)| *rtype);
            let fits = match rtype {
                "CNAME" => owner != "@" && types.next().is_none(),
                _ => types.all(|other| other != "CNAME"),
            };
            if fits {
                kept.push((owner, rtype, rdata));
            }
        }
        kept
    })
}

#[test]
fn what_a_signer_makes_is_not_taken_for_desired_by_later_runs() {
    let signature = "A 13 3 300 20300101000000 20200101000000 1 a.test. AAAA";
    let before = actual(&[("a", "A", A), ("b", "A", A)]);
    let done = run(&[("a", "A", A)], &before);
    let now = actual(&[
        ("a", "A", A),
        ("a", "RRSIG", signature),
        ("@", "DNSKEY", "257 3 13 AAAA"),
    ]);
    let way_back = done.way_back(&now).unwrap();
    let route = Arc::new(Route::to_all("r".into()));
    let plan = plan(&way_back, &now, &route, &Scope::default());
    assert_eq!((plan.desired, plan.counts().additions), (2, 1));
    assert_eq!(plan.route, route);
}

proptest! {
    #[test]
    fn the_way_back_from_a_run_leads_to_what_was_before(before in zone(), desired in zone()) {
        let before = actual(&before);
        let done = run(&desired, &before);
        let after = done.changes.apply(&before).unwrap();

        let way_back = done.way_back(&after).unwrap();
        prop_assert!(way_back.changed_since.is_empty());
        let again = way_back.changes.apply(&after).unwrap();
        prop_assert_eq!(again.octets(), before.octets());
        // Whoever goes back twice is where he was.
        prop_assert!(done.way_back(&before).unwrap().changes.is_empty());
        // And the way back has a way back.
        let back = Done { made: vec![true; way_back.changes.len()], changes: way_back.changes };
        let forth = back.way_back(&before).unwrap();
        prop_assert_eq!(forth.changes.apply(&before).unwrap(), after);
    }

    #[test]
    fn the_way_back_fits_whatever_is_served_now(before in zone(), desired in zone(), now in zone()) {
        let done = run(&desired, &actual(&before));
        let now = actual(&now);
        let way_back = done.way_back(&now).unwrap();
        let after = way_back.changes.apply(&now).unwrap();
        // What was changed since stays to the letter.
        for (owner, rtype) in &way_back.changed_since {
            let find = |zone: &ActualZone| {
                let mut rrsets = zone.rrsets();
                let found = rrsets.find(|rrset| rrset.owner() == owner.as_ref() && rrset.rtype() == *rtype);
                found.map(|rrset| rrset.to_string())
            };
            prop_assert_eq!(find(&now), find(&after));
        }
        // A CNAME stands alone.
        let cnames = after.rrsets().filter(|rrset| rrset.rtype() == Rtype::CNAME);
        for cname in cnames {
            prop_assert_eq!(after.rrsets().filter(|rrset| rrset.owner() == cname.owner()).count(), 1);
        }
    }
}
