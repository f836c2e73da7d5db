//! What each line of a plan as JSON holds. `docs/plan-json.md` documents it.
//!
//! The same types are written and read: a sealed plan is read by writing it once more and comparing
//! the octets, so that nothing in a line can say another thing than what is applied.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use janitor_plugin_api::dns::{Change, Changes, RrsetRef};
use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::rdatas;
use crate::stations::convergence::{Form, NotSticking};
use crate::stations::guard::{GuardRule, Reason, Verdict};
use crate::stations::losers::Loser;
use crate::stations::planned::PlannedZone;
use crate::stations::provenance::Provenance;

/// The only version there is.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, serde::Serialize, Deserialize)]
pub struct HeaderLine {
    /// The version of the format.
    pub plan: u32,
    /// Whether the plan can be applied.
    pub sealed: bool,
    /// When it was made, in UTC.
    pub made_at: jiff::Timestamp,
    /// The version of the program.
    pub host: String,
    /// What the configuration said.
    pub policy: Policy,
    /// The run that the plan takes back, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
    /// The plugins that the configuration lists, in its order.
    pub plugins: Vec<PluginEntry>,
}

/// Digests of the configuration, as far as it decides about a plan.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Policy {
    /// Over all sections.
    pub sha256: String,
    /// Of each section, by the name of its table or setting.
    pub sections: BTreeMap<String, String>,
}

/// One plugin of the plan.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct PluginEntry {
    /// Its key.
    pub key: String,
    /// Its role.
    pub role: String,
    /// The version of its package.
    pub version: String,
    /// The digest of its library, if the file could be read.
    pub sha256: Option<String>,
    /// For a publisher: whether its writes are conditional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditional: Option<bool>,
}

/// A line for a zone that was compared; `C` is the list of changes, `S` the same sealed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct ZoneLine<C, S> {
    /// The apex.
    pub zone: String,
    /// The authority that spoke for it; none if several did.
    pub authority: Option<String>,
    /// Those that spoke for it, the one that counts most first; not in a sealed plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorities: Option<Vec<String>>,
    /// The reconciler that compared it.
    pub reconciler: String,
    /// The publishers that its changes go to.
    pub publishers: Vec<String>,
    /// Whether the desired zone was complete.
    pub complete: bool,
    /// RRsets desired.
    pub desired: usize,
    /// RRsets served, unless the reconciler cannot tell.
    pub actual: Option<usize>,
    /// Those of them that may be compared: without what belongs to the primary and its signer.
    pub comparable: Option<usize>,
    /// The serial of the SOA that is served.
    pub serial: Option<u32>,
    /// RRsets to add.
    pub additions: usize,
    /// RRsets to replace.
    pub updates: usize,
    /// RRsets to delete.
    pub deletions: usize,
    /// Differences that stay because what is desired is incomplete.
    pub held_back: usize,
    /// Differences that stay because they belong to the primary or its signer.
    pub left_alone: u64,
    /// Changes that rules took out of the plan.
    pub set_aside: Vec<AsideEntry>,
    /// What of one authority's words does not count because of another's; not in a sealed plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<Vec<LostEntry>>,
    /// Whether the changes may be published.
    pub verdict: VerdictEntry,
    /// Changes that were sent before and did not come about.
    pub not_sticking: NotStickingEntry,
    /// The changes.
    pub changes: C,
    /// What `apply` needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealEntry<S>>,
}

/// An RRset of one authority that does not count because of another's.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct LostEntry {
    /// Its owner.
    pub owner: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// The authority that has it.
    pub authority: String,
    /// The authority whose word counts, if anybody's does.
    pub winner: Option<String>,
    /// Why, in a word.
    pub why: String,
}

impl LostEntry {
    pub(crate) fn of(loser: &Loser<'_>) -> Self {
        Self {
            owner: loser.owner.to_string(),
            rtype: loser.rtype.to_string(),
            authority: loser.authority.to_owned(),
            winner: loser.winner.map(str::to_owned),
            why: loser.word().to_owned(),
        }
    }
}

/// The changes that one rule took out of a zone's plan.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct AsideEntry {
    /// The kind of the rule.
    pub kind: String,
    /// The rule, for people.
    pub rule: String,
    /// How many changes.
    pub changes: usize,
}

/// What the guard says of a zone's changes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct VerdictEntry {
    /// `passed`, `forced` or `withheld`.
    pub guard: String,
    /// The limits that the changes break.
    pub reasons: Vec<ReasonEntry>,
}

/// A limit that changes break.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct ReasonEntry {
    /// Which limit it is.
    pub rule: String,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
    /// The limit as it is written.
    pub setting: String,
    /// Where that stands; null if it is the default.
    pub place: Option<String>,
}

impl From<&Reason> for ReasonEntry {
    fn from(reason: &Reason) -> Self {
        Self {
            rule: reason.rule.word().to_owned(),
            found: reason.found.clone(),
            allowed: reason.allowed.clone(),
            setting: reason.setting.clone(),
            place: reason.place.clone(),
        }
    }
}

impl ReasonEntry {
    /// What it was made from; none if there is no such limit.
    pub(super) fn reason(&self) -> Option<Reason> {
        Some(Reason {
            rule: GuardRule::from_word(&self.rule)?,
            found: self.found.clone(),
            allowed: self.allowed.clone(),
            setting: self.setting.clone(),
            place: self.place.clone(),
        })
    }
}

impl VerdictEntry {
    pub(super) fn of(verdict: &Verdict) -> Self {
        Self {
            guard: verdict.word().to_owned(),
            reasons: verdict.reasons().iter().map(ReasonEntry::from).collect(),
        }
    }

    /// What it was made from; none if there is no such verdict.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let reasons = self.reasons.iter().map(ReasonEntry::reason);
        let reasons = reasons.collect::<Option<Vec<_>>>()?;
        let verdict = match self.guard.as_str() {
            "passed" => Verdict::Passed,
            "forced" => Verdict::Forced(reasons),
            "withheld" => Verdict::Withheld(reasons),
            _ => return None,
        };
        // Whoever passed has no reasons.
        (Self::of(&verdict) == *self).then_some(verdict)
    }
}

/// Changes of a zone that do not stick.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct NotStickingEntry {
    /// Those that are sent again.
    pub sent_again: usize,
    /// Those that are not sent any more; they are among those set aside.
    pub set_aside: usize,
    /// The first of them in detail.
    pub changes: Vec<StuckEntry>,
}

/// A change that does not stick.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct StuckEntry {
    /// Its owner.
    pub owner: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// What kind of difference there is between what is served and what is desired.
    pub difference: String,
    /// TTL and rdata as served.
    pub served: Option<FormEntry>,
    /// TTL and rdata as desired.
    pub desired: Option<FormEntry>,
    /// How often it was sent.
    pub times: u32,
    /// When it was sent first.
    pub since: jiff::Timestamp,
    /// Whether it is not sent any more.
    pub set_aside: bool,
}

/// An RRset in both forms.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct FormEntry {
    /// TTL and rdata in presentation format.
    pub text: String,
    /// The same as octets, in hexadecimal.
    pub hex: String,
}

impl NotStickingEntry {
    pub(super) fn of(not_sticking: &NotSticking) -> Self {
        let form = |form: &Form| FormEntry {
            text: form.text.clone(),
            hex: form.hex.clone(),
        };
        let changes = not_sticking.shown.iter().map(|stuck| StuckEntry {
            owner: stuck.owner.to_string(),
            rtype: stuck.rtype.to_string(),
            difference: stuck.difference.word().to_owned(),
            served: stuck.served.as_ref().map(form),
            desired: stuck.desired.as_ref().map(form),
            times: stuck.times,
            since: stuck.since,
            set_aside: stuck.set_aside,
        });
        Self {
            sent_again: not_sticking.sent_again,
            set_aside: not_sticking.set_aside,
            changes: changes.collect(),
        }
    }
}

/// What a zone's line has beyond what people read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct SealEntry<S> {
    /// The digest of the desired zone.
    pub desired: String,
    /// The digest of what is compared in the actual zone, if the reconciler gave it.
    pub actual: Option<String>,
    /// The buffer of the changes, in base64.
    pub changes: S,
}

/// A line for what was left out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct LeftOutLine {
    /// Why: the error and its causes.
    pub left_out: Vec<String>,
    /// The zone, if it can be named.
    pub zone: Option<String>,
    /// The same for people.
    pub what: String,
    /// The kind of reason.
    pub kind: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The plugin that left it out.
    pub plugin: Option<String>,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct EndLine {
    /// Sums over all lines.
    pub end: Totals,
    /// Limits of the run as a whole that its changes break.
    pub run_limits: Vec<ReasonEntry>,
    /// Zones of earlier runs that no authority names any more.
    pub unnamed: Vec<String>,
    /// Names that stay as they are because authorities contradict each other there.
    pub undecided: usize,
    /// The digest of every octet before the comma in front of it; it is the last field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Sums over the lines of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Totals {
    /// Zones that were compared.
    pub zones: usize,
    /// Those of them with changes.
    pub changed: usize,
    /// Things that were left out.
    pub left_out: usize,
    /// RRsets to add.
    pub additions: usize,
    /// RRsets to replace.
    pub updates: usize,
    /// RRsets to delete.
    pub deletions: usize,
}

impl Totals {
    /// Counts a zone with so many changes of each kind.
    pub fn add(&mut self, additions: usize, updates: usize, deletions: usize) {
        self.zones += 1;
        self.changed += usize::from(additions + updates + deletions > 0);
        self.additions += additions;
        self.updates += updates;
        self.deletions += deletions;
    }
}

/// Differences that belong to the primary or its signer.
pub(super) fn left_alone(zone: &PlannedZone) -> u64 {
    // Whoever made the changes says these, and they may be anything.
    u64::from(zone.found.left_alone_at_apex) + u64::from(zone.found.left_alone_signer_made)
}

/// The changes of a zone as a list.
#[derive(Clone, Copy, Debug)]
pub struct ChangeObjects<'a> {
    /// The changes.
    pub changes: &'a Changes,
    /// Where what is added comes from; not in a sealed plan.
    pub provenance: Option<&'a Provenance>,
}

impl Serialize for ChangeObjects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            changes,
            provenance,
        } = *self;
        serializer.collect_seq(
            changes
                .iter()
                .map(|change| ChangeObject { change, provenance }),
        )
    }
}

struct ChangeObject<'a> {
    change: Change<'a>,
    provenance: Option<&'a Provenance>,
}

impl Serialize for ChangeObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (action, deletion, addition) = match self.change {
            Change::Addition(rrset) => ("addition", None, Some(rrset)),
            Change::Deletion(rrset) => ("deletion", Some(rrset), None),
            Change::Update { deletion, addition } => ("update", Some(deletion), Some(addition)),
        };
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("action", action)?;
        if let Some(rrset) = addition.or(deletion) {
            object.serialize_entry("owner", &Text(rrset.owner()))?;
            object.serialize_entry("type", &Text(rrset.rtype()))?;
        }
        object.serialize_entry("deletion", &deletion.map(RrsetObject))?;
        object.serialize_entry("addition", &addition.map(RrsetObject))?;
        if let Some(provenance) = self.provenance {
            let sources = addition.map(|rrset| provenance.of(rrset.owner(), rrset.rtype()));
            object.serialize_entry("sources", &sources.map(Keys))?;
        }
        object.end()
    }
}

/// Keys of plugins.
struct Keys<'a>(&'a [Arc<str>]);

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|key| &**key))
    }
}

struct RrsetObject<'a>(RrsetRef<'a>);

impl Serialize for RrsetObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(2))?;
        object.serialize_entry("ttl", &self.0.ttl().as_secs())?;
        object.serialize_entry("rdata", &Rdatas(self.0))?;
        object.end()
    }
}

struct Rdatas<'a>(RrsetRef<'a>);

impl Serialize for Rdatas<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(rdatas(self.0).map(Text))
    }
}

/// Something with a text form, as a JSON string.
#[derive(Clone, Copy, Debug)]
pub struct Text<T>(pub T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
