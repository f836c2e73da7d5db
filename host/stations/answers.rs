//! Judges the reconciler's answers and keeps the plan.
//!
//! Nothing in an answer is believed: both buffers are checked, the counts are taken again, and every
//! deletion has to exist in the actual zone that came with it. A zone that went in and did not come
//! out is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use janitor_plugin_api::abi::abi_stable::std_types::{RString, RVec};
use janitor_plugin_api::abi::values::{AbiAnswer, AnswerStatus};
use janitor_plugin_api::dns::{ActualZone, Changes, DesiredZone, LeftAlone, Name, NameRef};

use super::digests::{self, Digests};
use super::losers::Losers;
use super::merge::Merged;
use super::planned::PlannedZone;
use super::provenance::Provenance;
use super::route::Route;
use super::scope::ZoneScope;
use super::survey::Survey;
use crate::config::scope::Scope;
use crate::preflight::Digest;
use crate::report::{LeftOut, LeftOutKind, links};
use crate::secrets;

/// The station behind the reconciler.
pub struct Answers {
    reconciler: Arc<str>,
    scope: Arc<Scope>,
    zones: BTreeMap<Name, State>,
    /// Whether digests are taken of what is compared.
    digests: bool,
}

enum State {
    /// Sent to the reconciler, not answered yet.
    Asked(Box<Asked>),
    Planned(Box<PlannedZone>),
    LeftOut,
}

/// What the host remembers of a desired zone while the reconciler has it.
struct Asked {
    route: Arc<Route>,
    provenance: Provenance,
    losers: Losers,
    rrsets: usize,
    /// Whether anything is desired that is not left alone anyway.
    wants_something: bool,
    complete: bool,
    held: BTreeSet<Name>,
    /// Owners at which it has markers of its own, in canonical order.
    markers: Vec<Name>,
    /// Its digest, if one is wanted.
    digest: Option<Digest>,
}

impl Answers {
    /// A station for the answers of `reconciler`, of which `scope` leaves some to others.
    #[must_use]
    pub fn new(reconciler: Arc<str>, scope: Arc<Scope>) -> Self {
        Self {
            reconciler,
            scope,
            zones: BTreeMap::new(),
            digests: false,
        }
    }

    /// The same station, taking digests of what is compared if `wanted`.
    #[must_use]
    pub fn with_digests(self, wanted: bool) -> Self {
        Self {
            digests: wanted,
            ..self
        }
    }

    /// Notes that a zone is sent to the reconciler, on the way `route`, and returns it.
    pub fn asked(&mut self, merged: Merged, route: &Arc<Route>) -> DesiredZone {
        let Merged {
            zone,
            provenance,
            losers,
        } = merged;
        let left_alone = LeftAlone::default();
        let asked = Asked {
            route: Arc::clone(route),
            provenance,
            losers,
            rrsets: zone.rrset_count(),
            wants_something: zone
                .rrsets()
                .any(|rrset| !left_alone.contains(rrset.owner(), rrset.rtype(), zone.apex())),
            complete: zone.is_complete(),
            held: zone.held().map(NameRef::to_owned).collect(),
            markers: ZoneScope::new(&self.scope, zone.apex()).own_markers(&zone),
            digest: self.digests.then(|| digests::of_desired(&zone)),
        };
        let asked = State::Asked(Box::new(asked));
        self.zones.insert(zone.apex().to_owned(), asked);
        zone
    }

    /// Withdraws a zone that turned out to be left out after it was sent.
    pub fn withdraw(&mut self, apex: &Name) {
        if let Some(state) = self.zones.get_mut(apex) {
            *state = State::LeftOut;
        }
    }

    /// Takes one answer: the plan of a zone, or nothing if it was left out before.
    ///
    /// # Errors
    ///
    /// Why the zone is left out.
    pub fn take(&mut self, answer: AbiAnswer) -> Result<Option<&PlannedZone>, LeftOut> {
        let Ok(apex) = Name::from_wire(&answer.apex) else {
            return Err(self.unasked("a zone without a valid name".to_owned()));
        };
        let Some(state) = self.zones.get_mut(&apex) else {
            return Err(self.unasked(apex.to_string()));
        };
        // Unless the answer holds, that is what is left of it.
        let asked = match std::mem::replace(state, State::LeftOut) {
            State::Asked(asked) => asked,
            State::LeftOut => return Ok(None),
            State::Planned(_) => {
                let reason = "the reconciler answered it twice";
                let (reconciler, kind) = (&self.reconciler, LeftOutKind::Fault);
                return Err(LeftOut::zone(apex.as_ref(), reconciler, kind, reason));
            }
        };
        let hint = answer.hint.clone().into_option().map(RString::into_string);
        let scope = Arc::clone(&self.scope);
        let scope = ZoneScope::new(&scope, apex.as_ref());
        match judge(&apex, answer, &asked, &scope) {
            Ok(Judged {
                changes,
                actual,
                digest,
            }) => {
                let mut planned = PlannedZone::new(changes, asked.route);
                planned.provenance = asked.provenance;
                planned.losers = asked.losers;
                planned.desired = asked.rrsets;
                planned.complete = asked.complete;
                planned.actual = actual;
                planned.digests = asked.digest.map(|desired| Digests {
                    desired,
                    actual: digest,
                });
                scope.limit(&mut planned);
                let planned = State::Planned(Box::new(planned));
                self.zones.insert(apex.clone(), planned);
                match self.zones.get(&apex) {
                    Some(State::Planned(planned)) => Ok(Some(planned)),
                    _ => Ok(None),
                }
            }
            Err((kind, reason)) => Err(LeftOut {
                kind,
                zone: Some(apex.clone()),
                what: apex.to_string(),
                plugin: Some(Arc::clone(&self.reconciler)),
                reason: reason
                    .into_iter()
                    .map(|link| secrets::covered(&self.reconciler, link))
                    .collect(),
                hint: hint.map(|hint| secrets::covered(&self.reconciler, hint)),
            }),
        }
    }

    /// The plan in canonical order of the apexes, and the zones that were asked for in vain.
    #[must_use]
    pub fn finish(self) -> (Vec<PlannedZone>, Vec<LeftOut>) {
        let mut planned = Vec::new();
        let mut left_out = Vec::new();
        for (apex, state) in self.zones {
            match state {
                State::Planned(zone) => planned.push(*zone),
                State::LeftOut => {}
                State::Asked(_) => left_out.push(LeftOut::zone(
                    apex.as_ref(),
                    &self.reconciler,
                    LeftOutKind::Unanswered,
                    "the reconciler did not answer",
                )),
            }
        }
        (planned, left_out)
    }

    fn unasked(&self, what: String) -> LeftOut {
        LeftOut {
            zone: None,
            what,
            plugin: Some(Arc::clone(&self.reconciler)),
            kind: LeftOutKind::Fault,
            reason: vec!["the reconciler answered a zone that it was not asked for".to_owned()],
            hint: None,
        }
    }
}

/// What no reconciler may touch: it belongs to the primary. Whether what a signer makes is left alone
/// is the reconciler's own policy.
pub(crate) const PRIMARYS: LeftAlone = LeftAlone {
    apex_soa: true,
    apex_ns: true,
    signer_made: false,
};

/// An answer that holds together.
struct Judged {
    changes: Changes,
    actual: Option<Survey>,
    digest: Option<Digest>,
}

/// The changes of an answer and what is served, if all of it holds together.
fn judge(
    apex: &Name,
    answer: AbiAnswer,
    asked: &Asked,
    scope: &ZoneScope<'_>,
) -> Result<Judged, (LeftOutKind, Vec<String>)> {
    match answer.status {
        AnswerStatus::COMPARED => {}
        AnswerStatus::LEFT_OUT => return Err((LeftOutKind::Reported, reason(answer.reason))),
        AnswerStatus::READ => {
            let text = "the reconciler was asked to compare the zone, and only read it";
            return Err((LeftOutKind::Fault, vec![text.to_owned()]));
        }
        AnswerStatus(other) => {
            let text = format!("the reconciler answered with the unknown status {other}");
            return Err((LeftOutKind::Fault, vec![text]));
        }
    }
    let wrong = |what: &str, fault: Vec<String>| {
        let reason = [vec![what.to_owned()], fault].concat();
        (LeftOutKind::Fault, reason)
    };
    let changes = Changes::check(apex.clone(), answer.changes)
        .map_err(|e| wrong("the reconciler sent malformed changes", links(&e)))?;
    respects(&changes, asked).map_err(|fault| {
        wrong(
            "the reconciler's changes do not fit the desired zone",
            vec![fault],
        )
    })?;
    let actual = answer.actual.into_option();
    let Some(actual) = actual else {
        return Ok(Judged {
            changes: within(changes, asked),
            actual: None,
            digest: None,
        });
    };
    let actual = ActualZone::check(apex.clone(), actual)
        .map_err(|e| wrong("the reconciler sent a malformed actual zone", links(&e)))?;
    let nothing = changes.counts().nothing_desired;
    if nothing > 0 {
        return Err((LeftOutKind::NothingDesired, nothing_desired(nothing)));
    }
    changes.verify(&actual, &PRIMARYS).map_err(|e| {
        wrong(
            "the reconciler's changes do not fit the actual zone",
            links(&e),
        )
    })?;
    let changes = within(changes, asked);
    let survey = Survey::of(&actual, &changes, scope, &asked.markers);
    Ok(Judged {
        changes,
        actual: Some(survey),
        digest: asked.digest.map(|_| digests::of_actual(&actual)),
    })
}

/// What the desired zone allows of `changes`: one that is incomplete only adds.
fn within(changes: Changes, asked: &Asked) -> Changes {
    if asked.complete {
        changes
    } else {
        changes.additions_only()
    }
}

fn reason(reason: RVec<RString>) -> Vec<String> {
    if reason.is_empty() {
        return vec!["the reconciler gave no reason".to_owned()];
    }
    reason.into_iter().map(RString::into_string).collect()
}

/// Whether the changes keep to what the desired zone and the primary leave to them.
fn respects(changes: &Changes, asked: &Asked) -> Result<(), String> {
    for change in changes {
        let (owner, rtype) = (change.owner(), change.rtype());
        if PRIMARYS.contains(owner, rtype, changes.apex()) {
            return Err(format!("{rtype} of `{owner}` belongs to the primary"));
        }
        if change.deletion().is_none() {
            continue;
        }
        if !asked.wants_something {
            return Err(format!(
                "nothing is desired, and {rtype} of `{owner}` would be deleted"
            ));
        }
        if !asked.held.is_empty() && asked.held.contains(&owner.to_owned()) {
            return Err(format!(
                "`{owner}` is held, and its {rtype} would be deleted"
            ));
        }
    }
    Ok(())
}

/// What an operator has to know of a comparison that found nothing desired.
fn nothing_desired(served: u32) -> Vec<String> {
    vec![
        "No desired rrsets for zone; refusing to delete all records".to_owned(),
        format!("{served} RRsets are served, and stay"),
    ]
}

#[cfg(test)]
mod tests;
