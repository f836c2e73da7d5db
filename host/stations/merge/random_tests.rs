//! Authorities that say anything in any order.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{left_out_by, merge, message, message_of, told, zone};
use super::*;

/// What an authority does, one after the other, and whether it is heard to the end.
#[derive(Clone, Debug)]
struct Script {
    steps: Vec<Step>,
    is_complete: bool,
}

#[derive(Clone, Debug)]
enum Step {
    /// Sends the zone of this number with one record, which is complete or not.
    Sends(usize, usize, bool),
    /// Sends what is no zone.
    Mumbles,
    /// Leaves the zone of this number out, or something without a name.
    LeavesOut(Option<usize>),
}

const APEXES: [&str; 3] = ["a.com", "b.com", "c.org"];
const RECORDS: [&str; 3] = ["www A 192.0.2.1", "www A 192.0.2.2", "www CNAME x"];

fn script() -> impl Strategy<Value = Script> {
    let step = prop_oneof![
        8 => (0..APEXES.len(), 0..RECORDS.len(), prop::bool::weighted(0.8))
            .prop_map(|(zone, record, complete)| Step::Sends(zone, record, complete)),
        1 => Just(Step::Mumbles),
        1 => prop::option::of(0..APEXES.len()).prop_map(Step::LeavesOut),
    ];
    (vec(step, 0..4), prop::bool::weighted(0.8))
        .prop_map(|(steps, is_complete)| Script { steps, is_complete })
}

/// What becomes of each zone when the authorities of `scripts` take their turns as `order` says.
fn played(scripts: &[Script], order: &[usize], core: &str) -> BTreeMap<String, String> {
    let keys = &["a", "b", "c"][..scripts.len()];
    let mut merge = merge(keys, &[], core);
    let mut left_out = Vec::new();
    let mut fates = BTreeMap::new();
    let mut steps = scripts
        .iter()
        .map(|script| script.steps.iter())
        .collect::<Vec<_>>();
    let mut running = (0..scripts.len()).collect::<Vec<_>>();
    let mut turns = order.iter().cycle();
    while let Some(turn) = turns.next().filter(|_| !running.is_empty()) {
        let place = turn % running.len();
        let authority = running[place];
        let mut verdicts = Vec::new();
        match steps[authority].next() {
            Some(Step::Sends(zone_at, record, complete)) => {
                let mut zone = zone(APEXES[*zone_at], &[RECORDS[*record]]);
                if !complete {
                    zone.mark_incomplete();
                }
                let opened = merge.open(authority, message_of(zone));
                verdicts.push(
                    opened.map_or_else(|verdict| verdict, |zone| merge.take(authority, zone)),
                );
            }
            Some(Step::Mumbles) => {
                let mut message = message(APEXES[0]);
                message.apex.clear();
                verdicts.push(merge.open(authority, message).expect_err("it has no name"));
            }
            Some(Step::LeavesOut(zone)) => {
                left_out.push(left_out_by(keys[authority], zone.map(|zone| APEXES[zone])));
            }
            None => {
                running.remove(place);
                merge.ended(authority, scripts[authority].is_complete, &left_out);
                verdicts.extend(std::iter::from_fn(|| merge.next_ready()));
            }
        }
        for verdict in verdicts {
            match &verdict {
                Verdict::Forward(merged) => {
                    let zone = merged.zone.apex().to_string();
                    let gone_before =
                        fates.insert(zone, format!("{} {}", told(&verdict), *merged.zone));
                    assert_eq!(gone_before, None, "a zone goes on once");
                }
                Verdict::LeaveOut(left_out) => {
                    if let Some(zone) = &left_out.zone {
                        // Of several reasons the first that is met is told.
                        fates.insert(zone.to_string(), "left out".to_owned());
                    }
                }
                Verdict::Hold | Verdict::PassOver => {}
            }
        }
    }
    assert!(
        !merge
            .zones
            .values()
            .any(|word| matches!(word, Word::Held { .. }))
    );
    // The pipeline withdraws them whenever that was said.
    for left_out in left_out {
        if let Some(zone) = left_out.zone {
            fates.insert(zone.to_string(), "left out".to_owned());
        }
    }
    fates
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_becomes_of_a_zone_does_not_depend_on_who_is_faster(
        scripts in vec(script(), 1..4),
        one in vec(0..6_usize, 1..20),
        other in vec(0..6_usize, 1..20),
        policy in prop::sample::select(&["error", "agree", "priority", "union"]),
        filter in any::<bool>(),
    ) {
        let filter = if filter { "\n[core.plugin.b]\nzones = ['*.com']" } else { "" };
        let core = format!("[core.merge]\npolicy = '{policy}'{filter}");
        prop_assert_eq!(played(&scripts, &one, &core), played(&scripts, &other, &core));
    }

    #[test]
    fn nothing_is_complete_that_an_authority_might_have_said_more_of(
        scripts in vec(script(), 1..4),
        order in vec(0..6_usize, 1..20),
    ) {
        let fates = played(&scripts, &order, "[core.merge]\npolicy = 'union'");
        for (zone, fate) in fates.iter().filter(|(_, fate)| fate.contains(": www")) {
            let at = APEXES.iter().position(|apex| format!("{apex}.") == *zone);
            let sent = |script: &Script| script.steps.iter().find_map(|step| match step {
                Step::Sends(zone, _, complete) if Some(*zone) == at => Some(*complete),
                _ => None,
            });
            let is_doubtful = |script: &Script| match sent(script) {
                Some(complete) => !complete,
                None => {
                    let names_all = |step: &Step| matches!(step, Step::Sends(..) | Step::LeavesOut(Some(_)));
                    !script.is_complete || !script.steps.iter().all(names_all)
                }
            };
            if scripts.iter().any(is_doubtful) {
                prop_assert!(fate.contains("only adds"), "{}", fate);
            }
        }
    }
}
