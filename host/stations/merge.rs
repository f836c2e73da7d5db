//! Several authorities' words on one zone become one.
//!
//! A run with one authority passes its zones through; if another one is missing from the start, they
//! are incomplete. With several, any of them may still name a
//! zone, so all zones are held until every authority has ended: only then is it known that nobody
//! contradicts and that nothing is missing. Where an authority failed, or left out something that
//! could have been any zone, the zones of the others are incomplete and only add.

use std::collections::BTreeMap;
use std::sync::Arc;

use janitor_plugin_api::abi::values::AbiZone;
use janitor_plugin_api::dns::{DesiredZone, Name, NameRef};

use crate::report::{LeftOut, LeftOutKind, links};

/// The station between the authorities and the reconciler.
pub struct Merge {
    authorities: Vec<Arc<str>>,
    /// What was said of each zone.
    zones: BTreeMap<Name, Word>,
    /// Whether an authority's stream ended before it was complete.
    incomplete: bool,
}

/// What the authorities have said of a zone so far.
enum Word {
    /// One authority named it; the zone itself is here if it is held.
    Said {
        authority: usize,
        held: Option<DesiredZone>,
    },
    /// It is left out whatever else is said.
    LeftOut,
}

/// What becomes of a message.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on now.
    Forward(DesiredZone),
    /// It waits for the other authorities.
    Hold,
    /// It is left out. If the zone has gone on before, what was planned for it must not be used.
    LeaveOut(LeftOut),
}

impl Merge {
    /// A station for `authorities`, which are named by their positions from here on.
    #[must_use]
    pub fn new(authorities: Vec<Arc<str>>) -> Self {
        Self {
            authorities,
            zones: BTreeMap::new(),
            incomplete: false,
        }
    }

    /// Takes one message of `authority`.
    pub fn take(&mut self, authority: usize, message: AbiZone) -> Verdict {
        let plugin = Arc::clone(&self.authorities[authority]);
        let apex = match Name::from_wire(&message.apex) {
            Ok(apex) => apex,
            Err(fault) => {
                self.incomplete = true;
                let mut reason = vec!["the authority sent a malformed message".to_owned()];
                reason.extend(links(&fault));
                return Verdict::LeaveOut(LeftOut {
                    zone: None,
                    what: "a zone without a valid name".to_owned(),
                    plugin: Some(plugin),
                    kind: LeftOutKind::Fault,
                    reason,
                    hint: None,
                });
            }
        };
        if let Some(word) = self.zones.get_mut(&apex) {
            let other = match word {
                Word::Said {
                    authority: other, ..
                } if *other != authority => *other,
                Word::Said { .. } | Word::LeftOut => authority,
            };
            let reason = if other == authority {
                format!("`{plugin}` sent the zone twice")
            } else {
                format!(
                    "both `{}` and `{plugin}` speak for the zone",
                    self.authorities[other]
                )
            };
            *word = Word::LeftOut;
            let kind = LeftOutKind::Contradiction;
            return Verdict::LeaveOut(LeftOut::zone(apex.as_ref(), &plugin, kind, reason));
        }
        match DesiredZone::check(apex.clone(), message.octets) {
            Err(fault) => {
                let mut left_out = LeftOut::zone(
                    apex.as_ref(),
                    &plugin,
                    LeftOutKind::Fault,
                    "the authority sent a malformed zone",
                );
                left_out.reason.extend(links(&fault));
                self.zones.insert(apex, Word::LeftOut);
                Verdict::LeaveOut(left_out)
            }
            Ok(mut zone) if self.authorities.len() == 1 => {
                if self.incomplete {
                    zone.mark_incomplete();
                }
                let held = None;
                self.zones.insert(apex, Word::Said { authority, held });
                Verdict::Forward(zone)
            }
            Ok(zone) => {
                let held = Some(zone);
                self.zones.insert(apex, Word::Said { authority, held });
                Verdict::Hold
            }
        }
    }

    /// Notes that an authority's stream has ended.
    pub fn ended(&mut self, complete: bool) {
        self.incomplete |= !complete;
    }

    /// The held zones in canonical order, once every authority has ended. `left_out` is what the
    /// authorities themselves left out: such a zone does not go on in the words of another.
    pub fn rest(&mut self, left_out: &[LeftOut]) -> Vec<DesiredZone> {
        let mut incomplete = self.incomplete;
        for left_out in left_out {
            match &left_out.zone {
                Some(apex) => {
                    self.zones.insert(apex.clone(), Word::LeftOut);
                }
                None => incomplete = true,
            }
        }
        let held = self.zones.values_mut().filter_map(|word| match word {
            Word::Said { held, .. } => held.take(),
            Word::LeftOut => None,
        });
        held.map(|mut zone| {
            if incomplete {
                zone.mark_incomplete();
            }
            zone
        })
        .collect()
    }

    /// Every zone that was named, also if it is left out.
    pub fn names(&self) -> impl Iterator<Item = NameRef<'_>> {
        self.zones.keys().map(Name::as_ref)
    }

    /// The authority that spoke for a zone which was not left out.
    #[must_use]
    pub fn authority_of(&self, apex: NameRef<'_>) -> Option<&Arc<str>> {
        match self.zones.get(&apex.to_owned())? {
            Word::Said { authority, .. } => self.authorities.get(*authority),
            Word::LeftOut => None,
        }
    }
}

#[cfg(test)]
mod tests;
