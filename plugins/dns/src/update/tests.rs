//! The work on a zone against a server written from the text of RFC 2136.

use janitor_plugin_api::dns::{
    ActualZone, Changes, LeftAlone, Name, Rtype, Serial, Ttl, ZoneBuilder, diff,
};

use self::model::{Mishap, Model};
use super::work::{Fate, Reply, Rules, Step, Tally, Work};

mod model;
mod random;
mod sizes;
mod turns;

const APEX: &str = "example.com.";
/// What every zone has; its serial is 7.
const APEX_RRSETS: &str = "example.com. 3600 SOA ns1 hostmaster 7 3600 600 604800 300
example.com. 3600 NS ns1
";

const RULES: Rules = Rules {
    limit: 65_535,
    attempts: 3,
    serial_decides: true,
};

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

/// Has a server do what the work asks for.
fn drive(changes: &Changes, planned: Option<Serial>, rules: Rules, server: &mut Model) -> Outcome {
    let mut work = Work::new(changes, planned, rules);
    let mut fates = vec![None; changes.len()];
    let mut turns = Vec::new();
    loop {
        let turn = work.next();
        for (index, fate) in work.news() {
            fates[index as usize] = Some(fate);
        }
        let (word, reply) = match turn.step {
            Step::Done => break,
            Step::AskSoa => ("soa", server.soa()),
            Step::AskTtl(owner, rtype) => ("ttl", Reply::Ttl(server.ttl(owner, rtype))),
            Step::AskSignatures(owner, rtype) => (
                "signatures",
                Reply::Signatures(server.signatures(owner, rtype)),
            ),
            Step::Send(message) => {
                let octets = message.as_slice();
                assert!(octets.len() <= rules.limit, "{} octets", octets.len());
                let word = if server.has_updates(octets) {
                    "write"
                } else {
                    "look"
                };
                (word, server.update(octets))
            }
        };
        turns.push(word);
        assert!(turns.len() < 10_000, "the work does not end");
        work.answer(reply);
    }
    let tally = work.tally();
    Outcome {
        fates,
        tally,
        turns,
    }
}

impl Outcome {
    fn all_taken(&self) -> bool {
        self.fates.iter().all(|fate| *fate == Some(Fate::Taken))
    }

    /// What was done in turn, then a line a change, or one for all.
    fn text(&self, changes: &Changes) -> String {
        let fates = self.fates.iter().map(|fate| match fate {
            Some(Fate::Taken) => "taken".to_owned(),
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
