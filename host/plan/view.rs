//! What people are shown of a plan, whatever the form.
//!
//! The zones in canonical order, each with what is to change, what stands in the way, and what was set
//! aside; then the sums. Nothing is copied: whoever writes a form walks the plan through these views.

use std::fmt;
use std::iter::Peekable;

use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{Action, Change, NameRef, Rdatas, RrsetRef, Rtype, Ttl};

use super::merged;
use super::{plural, summary};
use crate::pipeline::Outcome;
use crate::report::{ChangeCounts, LeftOut, ZoneReport, exit};
use crate::stations::guard::{Unnamed, Verdict};
use crate::stations::planned::{PlannedZone, Rule};
use crate::stations::route::ListedPublisher;

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Whether what stays as it is is shown, too: zones as desired, changes set aside, values that stay.
    pub all: bool,
    /// The most changes that are shown of one zone; the rest is counted.
    pub changes: Option<usize>,
}

/// Values that stay while others of their RRset change are shown up to this number.
const STAYING_SHOWN: usize = 3;

/// A plan as it is shown.
pub(super) struct View<'a> {
    outcome: &'a Outcome,
    pub(super) extent: Extent,
    /// The way that every zone takes, if there is but one.
    pub(super) way: Option<String>,
}

impl<'a> View<'a> {
    pub(super) fn new(outcome: &'a Outcome, extent: Extent) -> Self {
        let mut ways = outcome.plan.iter().map(|zone| Way {
            zone,
            publishers: &outcome.publishers,
        });
        let first = ways.next();
        let way = first
            .filter(|first| ways.all(|way| way == *first))
            .map(|way| way.to_string());
        Self {
            outcome,
            extent,
            way,
        }
    }

    /// The zones that there is something to be said of.
    pub(super) fn zones(&self) -> impl Iterator<Item = ZoneView<'a>> {
        let Self { extent, .. } = *self;
        let has_one_way = self.way.is_some();
        let publishers = &self.outcome.publishers;
        self.outcome.plan.iter().filter_map(move |planned| {
            let remarks = remarks(planned, extent);
            let is_shown = extent.all || planned.counts().total() > 0 || !remarks.is_empty();
            is_shown.then(|| ZoneView {
                planned,
                counts: planned.counts(),
                way: (!has_one_way).then(|| {
                    Way {
                        zone: planned,
                        publishers,
                    }
                    .to_string()
                }),
                remarks,
                extent,
            })
        })
    }

    /// What takes no part.
    pub(super) fn left_out(&self) -> &'a [LeftOut] {
        &self.outcome.report.left_out
    }

    /// All changes that would be made.
    pub(super) fn counts(&self) -> ChangeCounts {
        let mut sum = ChangeCounts::default();
        for zone in self.outcome.plan.iter().filter(|zone| zone.goes_out()) {
            sum.add(zone.counts());
        }
        sum
    }

    /// Whether there is any change, made or withheld.
    pub(super) fn has_changes(&self) -> bool {
        self.outcome.report.pending() > 0
    }

    /// How many zones there are of each kind.
    pub(super) fn sums(&self) -> String {
        let zones = &self.outcome.plan;
        let changed = zones.iter().filter(|zone| zone.goes_out()).count();
        let withheld = zones.iter().filter(|zone| zone.verdict.is_withheld());
        let withheld = match withheld.count() {
            0 => String::new(),
            number => format!(", {number} withheld"),
        };
        let as_desired = zones.iter().filter(|zone| is_as_desired(zone)).count();
        format!(
            "{} compared, {changed} to change{withheld}, {as_desired} as desired, {} left out",
            plural(zones.len(), "zone"),
            self.left_out().len(),
        )
    }

    /// What has to be known of the plan as a whole, the worst first.
    pub(super) fn remarks(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        if self.outcome.report.exit_code() == exit::FAILED {
            remarks.push(Remark::grave(
                "the plan is not whole: the run failed or was cancelled".to_owned(),
            ));
        }
        let report = &self.outcome.report;
        for reason in &report.run_limits {
            remarks.push(Remark::grave(format!(
                "all changes are withheld because of a limit of the run: {reason}"
            )));
        }
        for Unnamed {
            zone,
            desired,
            run,
            at,
        } in &report.unnamed
        {
            remarks.push(Remark::grave(format!(
                "no authority names {zone} any more, which had {} in run {run} of {at}; it stays as it is. \
                 If that is meant: gordon-janitor history forget {zone}",
                plural(*desired, "RRset")
            )));
        }
        let withheld = self.outcome.plan.iter();
        let withheld = withheld.filter(|zone| zone.verdict.is_withheld());
        let (zones, changes) = withheld.fold((0, 0), |(zones, changes), zone| {
            (zones + 1, changes + zone.counts().total())
        });
        if zones > 0 {
            remarks.push(Remark::grave(format!(
                "{} in {} withheld by the guard: nothing of {} is published",
                plural(changes, "change"),
                plural(zones, "zone"),
                if zones == 1 { "it" } else { "them" }
            )));
        }
        let held_back = |zone: &&ZoneReport| zone.held_back > 0;
        let zones = report.zones.iter().filter(held_back);
        let (zones, differences) = zones.fold((0, 0), |(zones, differences), zone| {
            (zones + 1, differences + zone.held_back)
        });
        if zones > 0 {
            remarks.push(Remark::notice(format!(
                "{} in {} left as they are: what is desired or served there is not fully known",
                plural(differences, "difference"),
                plural(zones, "zone")
            )));
        }
        let aside = self.outcome.plan.iter().map(|zone| zone.aside().count());
        let aside = aside.filter(|number| *number > 0);
        let (zones, changes) = aside.fold((0, 0), |(zones, all), here| (zones + 1, all + here));
        if zones > 0 {
            remarks.push(Remark::notice(format!(
                "{} in {} set aside",
                plural(changes, "change"),
                plural(zones, "zone")
            )));
        }
        let others = report.remarks.iter();
        remarks.extend(others.map(|remark| Remark::notice(remark.summary().to_owned())));
        remarks
    }
}

fn is_as_desired(zone: &PlannedZone) -> bool {
    zone.counts().total() == 0 && zone.held_back == 0 && zone.aside().next().is_none()
}

/// One zone as it is shown.
pub(super) struct ZoneView<'a> {
    pub(super) planned: &'a PlannedZone,
    pub(super) counts: ChangeCounts,
    /// Who is at work on it, unless that is the same for all zones.
    pub(super) way: Option<String>,
    pub(super) remarks: Vec<Remark>,
    extent: Extent,
}

impl<'a> ZoneView<'a> {
    pub(super) fn apex(&self) -> NameRef<'a> {
        self.planned.apex()
    }

    /// What would be done, in a line.
    pub(super) fn summary(&self) -> String {
        let withheld = if self.planned.verdict.is_withheld() {
            ", withheld"
        } else {
            ""
        };
        format!("{}{withheld}", summary(self.counts))
    }

    /// The changes, those at one owner behind each other. Those set aside follow where all is shown.
    pub(super) fn rows<'c>(
        &'c self,
        changes: impl Iterator<Item = Change<'c>>,
    ) -> impl Iterator<Item = Row<'c>> {
        let shown = self.extent.changes.unwrap_or(usize::MAX);
        let made = changes.take(shown).map(|change| (change, None));
        let aside = self.planned.aside().take(match self.extent.all {
            true => usize::MAX,
            false => 0,
        });
        let aside = aside.map(|(change, rule)| (change, Some(rule)));
        rows(made.chain(aside), self.extent.all)
    }

    /// How many changes are not among the rows.
    pub(super) fn not_shown(&self) -> usize {
        let shown = self.extent.changes.unwrap_or(usize::MAX);
        self.counts.total().saturating_sub(shown)
    }
}

/// Who wants a zone of a plan, compares it and publishes its changes.
pub(crate) fn way_of(outcome: &Outcome, zone: &PlannedZone) -> Option<String> {
    let publishers = &outcome.publishers;
    let zone = outcome
        .plan
        .iter()
        .find(|known| known.apex() == zone.apex())?;
    let way = Way { zone, publishers };
    Some(way.to_string())
}

/// Who wants a zone, compares it and publishes its changes.
struct Way<'a> {
    zone: &'a PlannedZone,
    publishers: &'a [ListedPublisher],
}

impl PartialEq for Way<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.zone.provenance, &other.zone.provenance);
        ours.authorities() == theirs.authorities() && self.zone.route == other.zone.route
    }
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authorities = self.zone.provenance.authorities();
        if !authorities.is_empty() {
            write!(f, "desired by {}, ", authorities.join(" and "))?;
        }
        let route = &self.zone.route;
        write!(f, "compared by {}", route.reconciler)?;
        let publishers = self.publishers.iter();
        let publishers = publishers.filter(|publisher| route.publishers.contain(&publisher.key));
        let mut word = ", published by";
        for ListedPublisher { key, conditional } in publishers {
            let remark = if *conditional {
                ""
            } else {
                " (not conditional)"
            };
            write!(f, "{word} {key}{remark}")?;
            word = " and";
        }
        if word != " and" {
            f.write_str(", published by nobody")?;
        }
        Ok(())
    }
}

/// Something to be known of a zone or of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) weight: Weight,
    pub(super) text: String,
}

/// How much a [`Remark`] weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Somebody has to act.
    Grave,
    /// Something is not as somebody might expect.
    Notice,
    /// For those who ask.
    Quiet,
}

impl Remark {
    fn grave(text: String) -> Self {
        let weight = Weight::Grave;
        Self { weight, text }
    }

    fn notice(text: String) -> Self {
        let weight = Weight::Notice;
        Self { weight, text }
    }

    fn quiet(text: String) -> Self {
        let weight = Weight::Quiet;
        Self { weight, text }
    }
}

fn remarks(zone: &PlannedZone, extent: Extent) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for reason in zone.verdict.reasons() {
        remarks.push(match zone.verdict {
            Verdict::Withheld(_) => Remark::grave(format!("withheld: {reason}")),
            _ => Remark::notice(format!("forced: {reason}")),
        });
    }
    let stay = match zone.held_back {
        0 => String::new(),
        1 => ": 1 difference stays as it is".to_owned(),
        more => format!(": {more} differences stay as they are"),
    };
    if !zone.complete {
        remarks.push(Remark::notice(format!(
            "only additions because the desired zone is incomplete{stay}"
        )));
    } else if zone.held_back > 0 {
        let why = match zone.losers.undecided() {
            0 => "some owners could not be read",
            _ => "authorities contradict each other at some owners",
        };
        remarks.push(Remark::notice(format!("{why}{stay}")));
    }
    for (Rule { kind, text }, number) in zone.aside_by_rule() {
        let changes = plural(number, "change");
        let kind = kind.word();
        remarks.push(Remark::notice(format!(
            "{changes} set aside ({kind}): {text}"
        )));
    }
    remarks.extend(merged::lost(zone, extent.all).map(Remark::notice));
    let stuck = &zone.not_sticking;
    for change in &stuck.shown {
        let what = if change.set_aside {
            "not sent any more"
        } else {
            "sent again"
        };
        let times = plural(change.times as usize, "time");
        let since = change.since;
        remarks.push(Remark::notice(format!(
            "does not stick: {change}; sent {times} since {since}, {what}"
        )));
        for (side, form) in [("served", &change.served), ("desired", &change.desired)] {
            if extent.all
                && let Some(form) = form
            {
                remarks.push(Remark::quiet(format!("{side} on the wire: {}", form.hex)));
            }
        }
    }
    if stuck.total() > stuck.shown.len() {
        let more = plural(stuck.total() - stuck.shown.len(), "more change");
        remarks.push(Remark::notice(format!("does not stick: {more}")));
    }
    let found = &zone.found;
    // Whoever made the changes says these, and they may be anything.
    let left_alone = u64::from(found.left_alone_at_apex) + u64::from(found.left_alone_signer_made);
    if extent.all && left_alone > 0 {
        remarks.push(Remark::quiet(format!(
            "differences that belong to the primary or its signer, left alone: {left_alone}"
        )));
    }
    remarks
}

/// One change as it is shown.
pub(super) struct Row<'a> {
    change: Change<'a>,
    /// Whether the row before is at another owner.
    pub(super) begins_owner: bool,
    /// Why it is not made, if it is not.
    pub(super) rule: Option<&'a Rule>,
    all: bool,
}

/// The changes row by row.
pub(super) fn rows<'a>(
    changes: impl Iterator<Item = (Change<'a>, Option<&'a Rule>)>,
    all: bool,
) -> impl Iterator<Item = Row<'a>> {
    let mut before = None;
    changes.map(move |(change, rule)| {
        let here = (change.owner(), rule.is_some());
        let begins_owner = before.replace(here) != Some(here);
        Row {
            change,
            begins_owner,
            rule,
            all,
        }
    })
}

impl<'a> Row<'a> {
    pub(super) fn owner(&self) -> NameRef<'a> {
        self.change.owner()
    }

    pub(super) fn rtype(&self) -> Rtype {
        self.change.rtype()
    }

    pub(super) fn action(&self) -> Action {
        self.change.action()
    }

    pub(super) fn ttls(&self) -> Ttls {
        let ttl = |side: Option<RrsetRef<'_>>| side.map(RrsetRef::ttl);
        match (ttl(self.change.deletion()), ttl(self.change.addition())) {
            (Some(before), Some(after)) if before != after => Ttls::Changed(before, after),
            (one, other) => Ttls::Same(one.or(other).unwrap_or_default()),
        }
    }

    /// The values that stay, go and come, in this order, each in canonical order. Where many stay, they
    /// are left to [`Self::staying_hidden`].
    pub(super) fn values(&self) -> impl Iterator<Item = Value<'a>> {
        let fates = match self.staying_hidden() {
            0 => &[Fate::Stays, Fate::Goes, Fate::Comes][..],
            _ => &[Fate::Goes, Fate::Comes],
        };
        let rtype = self.rtype();
        let merged = self.merged();
        fates.iter().flat_map(move |wanted| {
            let values = merged.clone().filter(move |(fate, _)| fate == wanted);
            values.map(move |(fate, octets)| Value {
                fate,
                rtype,
                octets,
            })
        })
    }

    /// How many values stay and are not shown.
    pub(super) fn staying_hidden(&self) -> usize {
        if self.all || self.action() != Action::Update {
            return 0;
        }
        let staying = self.merged().filter(|(fate, _)| *fate == Fate::Stays);
        match staying.count() {
            ..=STAYING_SHOWN => 0,
            more => more,
        }
    }

    /// The value that goes and the one that takes its place, if there are no others.
    pub(super) fn exchange(&self) -> Option<(Value<'a>, Value<'a>)> {
        let mut values = self.values();
        let (before, after) = (values.next()?, values.next()?);
        let is_exchange = before.fate == Fate::Goes
            && after.fate == Fate::Comes
            && values.next().is_none()
            && self.staying_hidden() == 0;
        is_exchange.then_some((before, after))
    }

    fn merged(&self) -> Merged<'a> {
        let values = |side: Option<RrsetRef<'a>>| side.map(|rrset| rrset.rdatas().peekable());
        Merged {
            before: values(self.change.deletion()),
            after: values(self.change.addition()),
        }
    }
}

/// The TTL before and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ttls {
    Same(Ttl),
    Changed(Ttl, Ttl),
}

impl fmt::Display for Ttls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(ttl) => ttl.fmt(f),
            Self::Changed(before, after) => write!(f, "{before} → {after}"),
        }
    }
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Goes,
    Comes,
}

/// One value, in presentation format.
pub(super) struct Value<'a> {
    pub(super) fate: Fate,
    rtype: Rtype,
    octets: &'a [u8],
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        rdata_display(self.rtype, self.octets).fmt(f)
    }
}

/// Two RRsets' values side by side.
#[derive(Clone)]
struct Merged<'a> {
    before: Option<Peekable<Rdatas<'a>>>,
    after: Option<Peekable<Rdatas<'a>>>,
}

impl<'a> Iterator for Merged<'a> {
    type Item = (Fate, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let peek = |side: &mut Option<Peekable<Rdatas<'a>>>| side.as_mut()?.peek().copied();
        let (before, after) = (peek(&mut self.before), peek(&mut self.after));
        let fate = match (before, after) {
            (None, None) => return None,
            (Some(_), None) => Fate::Goes,
            (None, Some(_)) => Fate::Comes,
            (Some(before), Some(after)) => match before.cmp(after) {
                std::cmp::Ordering::Less => Fate::Goes,
                std::cmp::Ordering::Equal => Fate::Stays,
                std::cmp::Ordering::Greater => Fate::Comes,
            },
        };
        if fate != Fate::Comes {
            self.before.as_mut()?.next();
        }
        if fate != Fate::Goes {
            self.after.as_mut()?.next();
        }
        Some((fate, before.filter(|_| fate != Fate::Comes).or(after)?))
    }
}
