//! What earlier runs did at a name.

use std::path::Path;

use janitor_plugin_api::abi::values::OutcomeCode;
use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{Action, Change, Name, NameRef, RrsetRef, Rtype};
use jiff::Timestamp;

use crate::problem::Problem;
use crate::record::{Access, Record};

/// Changes that are told, the newest first.
const TOLD: usize = 3;

/// How far back they are looked for: findings of the zone that differ from each other.
const FINDINGS: usize = 200;

/// A change at the name that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PastChange {
    pub(super) run: u64,
    pub(super) at: Option<Timestamp>,
    pub(super) rtype: Rtype,
    pub(super) action: Action,
    /// TTL and values before and after.
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) outcome: &'static str,
}

/// The latest changes at `name`; none if there is no history.
pub(super) fn past(
    state_root: &Path,
    apex: &Name,
    name: NameRef<'_>,
    rtype: Option<Rtype>,
) -> Result<Option<Vec<PastChange>>, Problem> {
    let Some(record) = Record::open(state_root, Access::Read)? else {
        return Ok(None);
    };
    let mut found = Vec::new();
    for zone in record.history_of(apex, FINDINGS)? {
        if zone.outcomes.is_empty() || zone.changes.total() == 0 {
            continue;
        }
        let Some(changes) = record.changes(&zone)? else {
            continue;
        };
        let is_asked = |change: &Change<'_>| {
            change.owner() == name && rtype.is_none_or(|rtype| change.rtype() == rtype)
        };
        let here = changes.iter().enumerate();
        let here: Vec<_> = here.filter(|(_, change)| is_asked(change)).collect();
        if here.is_empty() {
            continue;
        }
        let at = record.run(zone.last)?.map(|run| run.started);
        found.extend(here.into_iter().map(|(place, change)| PastChange {
            run: zone.last,
            at,
            rtype: change.rtype(),
            action: change.action(),
            before: change.deletion().map(text),
            after: change.addition().map(text),
            outcome: match zone.outcome(place) {
                Some(OutcomeCode::APPLIED) => "applied",
                Some(OutcomeCode::ACCEPTED) => "accepted",
                Some(OutcomeCode::REFUSED) => "refused",
                _ => "unknown",
            },
        }));
        if found.len() >= TOLD {
            break;
        }
    }
    found.truncate(TOLD);
    Ok(Some(found))
}

/// `300 192.0.2.1 192.0.2.2`
fn text(rrset: RrsetRef<'_>) -> String {
    let mut text = rrset.ttl().to_string();
    for rdata in rrset.rdatas() {
        text.push(' ');
        text.push_str(&rdata_display(rrset.rtype(), rdata).to_string());
    }
    text
}
