//! The work on a zone against a Cloud DNS written from Google's pages.

use janitor_plugin_api::dns::{ActualZone, Changes, LeftAlone, Name, Ttl, ZoneBuilder, diff};

use self::model::{Mishap, Model};
use super::work::{Fate, Reply, Step, Tally, Work};
use crate::limits::Quota;

mod answers;
mod model;
mod random;
mod splits;
mod turns;

const APEX: &str = "example.com.";
/// What every zone has.
const APEX_RRSETS: &str = "example.com. 21600 SOA ns1.example.net. hostmaster 7 3600 600 604800 300
example.com. 21600 NS ns1.example.net.
";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A builder that has taken lines `owner TTL TYPE rdata`, names relative to the zone.
fn builder(lines: &str) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new(name(APEX));
    let lines = APEX_RRSETS.lines().chain(lines.lines().map(str::trim));
    for line in lines.filter(|line| !line.is_empty()) {
        let fields: Vec<_> = line.splitn(4, ' ').collect();
        let ttl = Ttl::from_secs(fields[1].parse().unwrap()).unwrap();
        builder
            .push_text(fields[0], ttl, fields[2], fields[3])
            .unwrap_or_else(|error| panic!("{line}: {error:?}"));
    }
    builder
}

fn actual(lines: &str) -> ActualZone {
    builder(lines).build_actual().unwrap()
}

/// The changes that lead from one zone to the other.
fn changes(served: &str, wanted: &str) -> Changes {
    let mut desired = builder(wanted);
    desired.set_complete();
    let desired = desired.build_desired().unwrap();
    diff(&desired, &actual(served), &LeftAlone::default()).unwrap()
}

/// What became of the work.
struct Outcome {
    fates: Vec<Option<Fate>>,
    tally: Tally,
    /// What was done in turn, a word each.
    turns: Vec<&'static str>,
}

/// Has Cloud DNS do what the work asks for.
fn drive(changes: &Changes, quota: Quota, model: &mut Model) -> Outcome {
    let mut work = Work::new(changes, quota);
    let mut fates = vec![None; changes.len()];
    let mut turns = Vec::new();
    let mut in_doubt = vec![false; changes.len()];
    loop {
        let turn = work.next();
        for (index, fate) in work.news() {
            let index = index as usize;
            // If the run ended now, it would be said to be refused.
            assert!(!in_doubt[index] || fate != Fate::Waiting, "{changes}");
            fates[index] = Some(fate);
        }
        let (word, reply) = match turn.step {
            Step::Done => break,
            Step::Send(body) => ("send", model.create(&body)),
            Step::Look(places) => ("look", model.look(places)),
        };
        turns.push(word);
        assert!(turns.len() < 10_000, "the work does not end");
        if matches!(reply, Reply::Lost(_)) {
            let sent = fates.iter().map(|fate| *fate == Some(Fate::Sent));
            in_doubt
                .iter_mut()
                .zip(sent)
                .for_each(|(it, is_sent)| *it |= is_sent);
        }
        work.answer(reply);
    }
    let tally = work.tally();
    let mut made: Vec<_> = work
        .into_made()
        .into_iter()
        .flat_map(|made| made.changes)
        .collect();
    made.sort_unstable();
    let fates_made = (0..)
        .zip(&fates)
        .filter(|(_, fate)| **fate == Some(Fate::Made));
    assert_eq!(made, fates_made.map(|(index, _)| index).collect::<Vec<_>>());
    Outcome {
        fates,
        tally,
        turns,
    }
}

impl Outcome {
    fn all_made(&self) -> bool {
        self.fates.iter().all(|fate| *fate == Some(Fate::Made))
    }

    /// What was done in turn, then a line a change, or one for all.
    fn text(&self, changes: &Changes) -> String {
        let fates = self.fates.iter().map(|fate| match fate {
            Some(Fate::Made) => "made".to_owned(),
            Some(Fate::Refused(reason)) => format!("refused: {reason}"),
            Some(Fate::Unknown(reason)) => format!("unknown: {reason}"),
            fate => format!("{fate:?}"),
        });
        let fates: Vec<_> = fates.collect();
        let turns = self.turns.join(" ");
        if let Some(first) = fates.first()
            && fates.iter().all(|fate| fate == first)
        {
            return format!("{turns}\nall {first}");
        }
        let lines = changes.iter().zip(fates);
        let lines =
            lines.map(|(change, fate)| format!("{} {} {fate}", change.owner(), change.rtype()));
        let lines: Vec<_> = std::iter::once(turns).chain(lines).collect();
        lines.join("\n")
    }
}
