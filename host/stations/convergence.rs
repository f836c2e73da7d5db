//! Notices changes that do not stick.
//!
//! A change that was applied and is planned again, with the same RRset served and the same desired,
//! did not come about, whatever its publisher said: the provider keeps TTLs of its own, joins texts,
//! folds letters, or did nothing. It is told, sent again a few times, and then no longer: sent for ever
//! it would hide every real difference, and cost as much as one.
//!
//! ```text
//!            sent and applied                   planned again, nothing else changed
//! planned ──────────────────────► remembered ──────────────────────────────────────► does not stick
//!            sent and accepted        │            (accepted: and settled)              │ sent again,
//!                                     │                                                 │ `attempts` times
//!                                     │ not planned again: it stuck                     ▼
//!                                     ▼                                              set aside
//!                                 forgotten ◄──────── desired or served RRset changed ──┘
//! ```
//!
//! What stuck and was undone later is drift: in between it was not planned, and so forgotten. Pure:
//! time and memory come in as values, and only a run that publishes changes the memory.

mod join;
mod unsettled;
mod difference;

use std::fmt;
use std::time::Duration;

use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{Action, Change, Name, NameRef, RrsetRef, Rtype};
use jiff::Timestamp;

pub use self::difference::Difference;
pub use self::unsettled::{Attempt, Sent, Unsettled, UnsettledFault};
use super::planned::{PlannedZone, Rule, RuleKind};

/// What is done about changes that do not stick: the `[core.convergence]` table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often a change is sent that does not stick.
    pub attempts: u32,
    /// How long a change that was only accepted has time to come about.
    pub settle: Duration,
}

/// As when nothing is configured.
impl Default for Settings {
    fn default() -> Self {
        Self {
            attempts: 3,
            settle: Duration::from_secs(900),
        }
    }
}

/// The changes of one zone that do not stick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotSticking {
    /// Those that are sent again.
    pub sent_again: usize,
    /// Those that are not sent any more.
    pub set_aside: usize,
    /// The first of them in detail.
    pub shown: Vec<Stuck>,
}

impl NotSticking {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> usize {
        // A plan that was read from a file may say anything.
        self.sent_again.saturating_add(self.set_aside)
    }
}

/// Changes of one zone that are kept in detail: one cause mostly makes many of them.
const MAX_SHOWN: usize = 20;

/// A change that does not stick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Its owner.
    pub owner: Name,
    /// Its type.
    pub rtype: Rtype,
    /// What it does.
    pub action: Action,
    /// What is served in the place of what is desired.
    pub difference: Difference,
    /// The RRset as it is served, if any is.
    pub served: Option<Form>,
    /// The RRset as it ought to be, if there ought to be one.
    pub desired: Option<Form>,
    /// What the publishers said of it.
    pub sent: Sent,
    /// How often it was sent.
    pub times: u32,
    /// When it was sent first.
    pub since: Timestamp,
    /// Whether it is not sent any more.
    pub set_aside: bool,
}

/// An RRset in both forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// TTL and rdata in presentation format, one behind the other.
    pub text: String,
    /// The same as octets on the wire, in hexadecimal.
    pub hex: String,
}

/// Octets of rdata that are shown of one RRset: a key or a text may be of any length.
const MAX_OCTETS: usize = 512;

impl Form {
    fn of(rrset: RrsetRef<'_>) -> Self {
        let ttl = rrset.ttl().as_secs();
        let mut form = Self {
            text: format!("{ttl}"),
            hex: format!("{ttl:08x}"),
        };
        let mut octets = 0;
        for rdata in rrset.rdatas() {
            octets += rdata.len();
            if octets > MAX_OCTETS {
                form.text.push_str(" …");
                form.hex.push_str(" …");
                break;
            }
            form.text
                .push_str(&format!(" {}", rdata_display(rrset.rtype(), rdata)));
            form.hex.push(' ');
            for octet in rdata {
                form.hex.push_str(&format!("{octet:02x}"));
            }
        }
        form
    }
}

/// `www.example.com. A: values (served 300 192.0.2.1, desired 300 192.0.2.2)`
impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn text(form: &Option<Form>) -> &str {
            form.as_ref().map_or("nothing", |form| &form.text)
        }
        write!(
            f,
            "{} {}: {} (served {}, desired {})",
            self.owner,
            self.rtype,
            self.difference,
            text(&self.served),
            text(&self.desired)
        )
    }
}

/// Finds the changes of a plan that do not stick, and sets aside those that were sent often enough.
pub fn judge(
    zone: &mut PlannedZone,
    memory: Option<&Unsettled>,
    now: Timestamp,
    settings: &Settings,
) -> NotSticking {
    let mut found = NotSticking::default();
    let Some(memory) = memory.filter(|_| !zone.changes().is_empty()) else {
        return found;
    };
    // For each change of the plan, whether it is to be set aside.
    let mut aside = vec![false; zone.changes().len()];
    for (at, change, attempt) in memory.planned_again(zone.changes()) {
        if !attempt.is_over(now, settings.settle) {
            continue;
        }
        let set_aside = attempt.times >= settings.attempts;
        aside[at] = set_aside;
        match set_aside {
            true => found.set_aside += 1,
            false => found.sent_again += 1,
        }
        if found.shown.len() < MAX_SHOWN {
            found
                .shown
                .push(stuck(zone.apex(), change, attempt, set_aside));
        }
    }
    if found.set_aside > 0 {
        let text = format!(
            "it was sent {} times and is not served (core.convergence.attempts)",
            settings.attempts
        );
        let rule = Rule {
            kind: RuleKind::DoesNotStick,
            text: text.into(),
        };
        let mut each = aside.into_iter();
        zone.set_aside(|_| each.next()?.then(|| rule.clone()));
    }
    found
}

fn stuck(apex: NameRef<'_>, change: Change<'_>, attempt: Attempt, set_aside: bool) -> Stuck {
    let (served, desired) = (change.deletion(), change.addition());
    Stuck {
        owner: change.owner().to_owned(),
        rtype: change.rtype(),
        action: change.action(),
        difference: Difference::between(served, desired, change.rtype(), apex),
        served: served.map(Form::of),
        desired: desired.map(Form::of),
        sent: attempt.sent,
        times: attempt.times,
        since: attempt.first,
        set_aside,
    }
}

#[cfg(test)]
mod tests;
