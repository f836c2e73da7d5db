//! Several authorities' words on one zone become one.
//!
//! A zone goes on as soon as every authority that may name it has sent it or ended; until then it is
//! held. Which authorities may name it is said in `[core.plugin."key"] zones`, and without that all may:
//! where one authority alone may name a zone, it passes through.
//!
//! An authority that ended without having been heard to the end, or that is not there although it is
//! listed, might have said something of every zone that it may name and did not send. Those zones are
//! incomplete, and only add. What it did send stands.

mod authority;
mod contradiction;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use janitor_plugin_api::abi::values::AbiZone;
use janitor_plugin_api::dns::{DesiredZone, JoinPolicy, Name, NameRef, join};

use self::authority::Authority;
pub use self::authority::{PassedOver, Speaker};
use self::contradiction::{cannot_join, spoken_for_by};
use super::losers::Losers;
use super::provenance::Provenance;
use crate::config::{MergeSettings, Origin, Policy};
use crate::report::{LeftOut, LeftOutKind, links};

/// The station between the authorities and the reconcilers.
pub struct Merge {
    settings: MergeSettings,
    authorities: Vec<Authority>,
    /// What was said of each zone.
    zones: BTreeMap<Name, Word>,
    /// Zones that nobody else has a word to say on any more, and that have not gone on.
    ready: VecDeque<Name>,
}

/// What the authorities have said of a zone so far.
enum Word {
    /// It is held.
    Held {
        said: Vec<Said>,
        /// How many authorities may still name it.
        waits_for: usize,
    },
    /// It went on, or is about to.
    Gone,
    /// It is left out whatever else is said.
    LeftOut,
}

struct Said {
    authority: usize,
    /// None if it will be left out in any case.
    zone: Option<DesiredZone>,
}

/// A zone as its reconciler gets it, and what is known of where it comes from.
#[derive(Debug)]
pub struct Merged {
    /// The zone.
    pub zone: DesiredZone,
    /// Which authorities its RRsets come from.
    pub provenance: Provenance,
    /// What lost.
    pub losers: Losers,
}

impl Merged {
    /// A zone that `authority` alone speaks of.
    #[must_use]
    pub fn from_one(zone: DesiredZone, authority: Arc<str>) -> Self {
        Self {
            provenance: Provenance::only(authority, zone.rrset_count()),
            losers: Losers::default(),
            zone,
        }
    }
}

/// What becomes of a message.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on now.
    Forward(Box<Merged>),
    /// It waits for other authorities.
    Hold,
    /// Nobody asked for it, or it was left out before.
    PassOver,
    /// It is left out. If the zone has gone on before, what was planned for it must not be used.
    LeaveOut(LeftOut),
}

impl Merge {
    /// A station for `speakers`, which are named by their positions from here on. The `missing` ought
    /// to speak, too, and are not there.
    #[must_use]
    pub fn new(settings: MergeSettings, speakers: Vec<Speaker>, missing: Vec<Speaker>) -> Self {
        let speakers = speakers.into_iter().map(Authority::speaking);
        let missing = missing.into_iter().map(Authority::missing);
        Self {
            settings,
            authorities: speakers.chain(missing).collect(),
            zones: BTreeMap::new(),
            ready: VecDeque::new(),
        }
    }

    /// The key of `authority`.
    #[must_use]
    pub fn key_of(&self, authority: usize) -> &Arc<str> {
        &self.authorities[authority].speaker.key
    }

    /// Opens one message of `authority`: the zone as this one alone has it, which is for
    /// [`Merge::take`] then.
    ///
    /// # Errors
    ///
    /// What becomes of a message that is not taken.
    pub fn open(&mut self, authority: usize, message: AbiZone) -> Result<DesiredZone, Verdict> {
        let speaker = &mut self.authorities[authority];
        let plugin = Arc::clone(&speaker.speaker.key);
        let apex = match Name::from_wire(&message.apex) {
            Ok(apex) => apex,
            Err(fault) => {
                speaker.is_unsure = true;
                let mut reason = vec!["the authority sent a malformed message".to_owned()];
                reason.extend(links(&fault));
                return Err(Verdict::LeaveOut(LeftOut {
                    zone: None,
                    what: "a zone without a valid name".to_owned(),
                    plugin: Some(plugin),
                    kind: LeftOutKind::Fault,
                    reason,
                    hint: None,
                }));
            }
        };
        if !speaker.names(&apex) {
            speaker.passed_over.zones += 1;
            speaker.passed_over.first.get_or_insert(apex);
            return Err(Verdict::PassOver);
        }
        let has_said = match self.zones.get(&apex) {
            None => false,
            Some(Word::LeftOut) => return Err(Verdict::PassOver),
            Some(Word::Held { said, .. }) => said.iter().any(|said| said.authority == authority),
            // Whoever may name it has sent it or ended.
            Some(Word::Gone) => true,
        };
        if has_said {
            let reason = format!("`{plugin}` sent the zone twice");
            let kind = LeftOutKind::Contradiction;
            let left_out = LeftOut::zone(apex.as_ref(), &plugin, kind, reason);
            self.zones.insert(apex, Word::LeftOut);
            return Err(Verdict::LeaveOut(left_out));
        }
        DesiredZone::check(apex.clone(), message.octets).map_err(|fault| {
            let kind = LeftOutKind::Fault;
            let reason = "the authority sent a malformed zone";
            let mut left_out = LeftOut::zone(apex.as_ref(), &plugin, kind, reason);
            left_out.reason.extend(links(&fault));
            self.zones.insert(apex, Word::LeftOut);
            Verdict::LeaveOut(left_out)
        })
    }

    /// Takes a zone as `authority` alone has it, which [`Merge::open`] has given out.
    pub fn take(&mut self, authority: usize, mut zone: DesiredZone) -> Verdict {
        if self.authorities[authority].is_unsure {
            zone.mark_incomplete();
        }
        let apex = zone.apex().to_owned();
        let joins = self.settings.of(apex.as_ref()).policy != Policy::Error;
        let word = self.zones.entry(apex.clone()).or_insert_with(|| {
            let others = self.authorities.iter().enumerate();
            let waits_for = others.filter(|(at, other)| {
                *at != authority && !other.has_ended && other.may_name(apex.as_ref())
            });
            Word::Held {
                said: Vec::new(),
                // This one is still counted: it is about to have spoken.
                waits_for: waits_for.count() + 1,
            }
        });
        let Word::Held { said, waits_for } = word else {
            return Verdict::PassOver;
        };
        said.push(Said {
            authority,
            zone: Some(zone),
        });
        if !joins && said.len() > 1 {
            for said in said {
                said.zone = None;
            }
        }
        *waits_for -= 1;
        match *waits_for {
            0 => self.settle(&apex),
            _ => Verdict::Hold,
        }
    }

    /// Notes that the stream of `authority` has ended. `left_out` is what all authorities themselves left
    /// out: such a zone does not go on in the words of another.
    pub fn ended(&mut self, authority: usize, complete: bool, left_out: &[LeftOut]) {
        let speaker = &mut self.authorities[authority];
        speaker.has_ended = true;
        speaker.is_unsure |= !complete;
        let key = Arc::clone(&speaker.speaker.key);
        for left_out in left_out {
            if left_out.plugin.as_ref() != Some(&key) {
                continue;
            }
            match &left_out.zone {
                Some(apex) => {
                    speaker.names(apex);
                    self.zones.insert(apex.clone(), Word::LeftOut);
                }
                // It may be any zone.
                None => speaker.is_unsure = true,
            }
        }
        for (apex, word) in &mut self.zones {
            let Word::Held { said, waits_for } = word else {
                continue;
            };
            let has_said = said.iter().any(|said| said.authority == authority);
            if !has_said && speaker.may_name(apex.as_ref()) {
                *waits_for -= 1;
                if *waits_for == 0 {
                    self.ready.push_back(apex.clone());
                }
            }
        }
    }

    /// What becomes of the next zone that waits for nobody any more.
    pub fn next_ready(&mut self) -> Option<Verdict> {
        let apex = self.ready.pop_front()?;
        Some(self.settle(&apex))
    }

    /// Decides on a zone that nobody else has a word to say on.
    fn settle(&mut self, apex: &Name) -> Verdict {
        let Some(Word::Held { said, .. }) = self.zones.get_mut(apex) else {
            return Verdict::PassOver;
        };
        let mut said = std::mem::take(said);
        let has_spoken = |at: usize| said.iter().any(|said| said.authority == at);
        let is_incomplete =
            self.authorities.iter().enumerate().any(|(at, other)| {
                other.is_unsure && !has_spoken(at) && other.may_name(apex.as_ref())
            });
        if is_incomplete {
            let zones = said.iter_mut().filter_map(|said| said.zone.as_mut());
            zones.for_each(DesiredZone::mark_incomplete);
        }
        match self.joined(apex, said) {
            Ok(merged) => {
                self.zones.insert(apex.clone(), Word::Gone);
                Verdict::Forward(Box::new(merged))
            }
            Err(left_out) => {
                self.zones.insert(apex.clone(), Word::LeftOut);
                Verdict::LeaveOut(left_out)
            }
        }
    }

    /// One zone out of what was said, or why it is left out.
    fn joined(&self, apex: &Name, mut said: Vec<Said>) -> Result<Merged, LeftOut> {
        let rule = self.settings.of(apex.as_ref());
        let key = |said: &Said| &self.authorities[said.authority].speaker.key;
        said.sort_by_key(|said| (rule.place(key(said)), said.authority));
        let keys = said.iter().map(key).map(Arc::clone).collect::<Arc<[_]>>();
        let mut zones = said.into_iter().filter_map(|said| said.zone);
        if let [alone] = &*keys
            && let Some(zone) = zones.next()
        {
            return Ok(Merged::from_one(zone, Arc::clone(alone)));
        }
        let policy = match rule.policy {
            Policy::Error => return Err(spoken_for_by(apex, &keys)),
            Policy::Agree => JoinPolicy::Agreement,
            Policy::Priority => JoinPolicy::Priority,
            Policy::Union => JoinPolicy::Union,
        };
        let zones = zones.collect::<Vec<_>>();
        let joined = join(&zones.iter().collect::<Vec<_>>(), policy);
        let joined = joined.map_err(|error| cannot_join(apex, &keys, &error))?;
        let losers = Losers::new(&joined.lost, Arc::clone(&keys));
        Ok(Merged {
            provenance: Provenance::of_joined(&joined.zone, &joined.origins, keys),
            losers,
            zone: joined.zone,
        })
    }

    /// Every zone that was named, also if it is left out.
    pub fn names(&self) -> impl Iterator<Item = NameRef<'_>> {
        self.zones.keys().map(Name::as_ref)
    }

    /// Those that were not heard to the end, or not at all: they might have named more zones.
    pub fn unheard(&self) -> impl Iterator<Item = &Speaker> {
        let authorities = self.authorities.iter();
        let unheard = authorities.filter(|authority| authority.is_unsure);
        unheard.map(|authority| &authority.speaker)
    }

    /// Each authority that named zones which it does not speak for.
    pub fn passed_over(&self) -> impl Iterator<Item = (&Arc<str>, &PassedOver)> {
        let authorities = self.authorities.iter();
        let told = authorities.filter(|authority| authority.passed_over.zones > 0);
        told.map(|authority| (&authority.speaker.key, &authority.passed_over))
    }

    /// Each pattern that stands for none of the zones that its authority named, as it is written. An
    /// authority that was not heard to the end might have named one.
    pub fn idle_patterns(&self) -> impl Iterator<Item = (&Arc<str>, &(String, Origin))> {
        let sure = self
            .authorities
            .iter()
            .filter(|authority| !authority.is_unsure);
        sure.flat_map(|authority| {
            let idle = authority.idle_patterns();
            idle.map(|pattern| (&authority.speaker.key, pattern))
        })
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod random_tests;
