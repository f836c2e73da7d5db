//! What decided about one name.

use std::collections::BTreeSet;
use std::fmt;

use janitor_plugin_api::dns::{Action, Change, LeftAlone, Name, NameRef, Rrset, RrsetRef, Rtype};

use super::inquiry::{Content, Inquiry, Seen};
use super::past::PastChange;
use crate::pipeline::Outcome;
use crate::problem::Problem;
use crate::report::{LeftOut, exit};
use crate::stations::guard::Verdict;
use crate::stations::losers::Loser;
use crate::stations::planned::{PlannedZone, Rule};

/// All that is to be said of a name.
pub(super) struct Answer<'a> {
    pub(super) name: NameRef<'a>,
    pub(super) rtype: Option<Rtype>,
    pub(super) place: Place<'a>,
    pub(super) seen: Seen,
    /// For each type that somebody wants or that is served, or for the one that is asked for.
    pub(super) decisions: Vec<Decided<'a>>,
    pub(super) way: Option<String>,
    /// What earlier runs did, if there is a history and it can be read.
    pub(super) past: Result<Option<Vec<PastChange>>, Problem>,
    /// Whether the run came to its end.
    pub(super) is_whole: bool,
}

/// Where a name belongs.
pub(super) enum Place<'a> {
    /// Into a zone that was compared.
    Zone(&'a PlannedZone),
    /// Into a zone that takes no part.
    LeftOut(NameRef<'a>, Vec<&'a LeftOut>),
    /// Into no zone of the run; the one that is closest, if there is any.
    Nowhere(Option<NameRef<'a>>),
}

/// What is decided about the RRset of one type.
pub(super) struct Decided<'a> {
    pub(super) rtype: Rtype,
    pub(super) decision: Decision<'a>,
}

/// What happens to one RRset, and why.
pub(super) enum Decision<'a> {
    Made(Change<'a>),
    Withheld(Change<'a>, &'a Verdict),
    Aside(Change<'a>, &'a Rule),
    AsDesired,
    Absent,
    Held,
    HeldByActual,
    Incomplete,
    LeftAlone,
    Unknown,
    NoDifference,
    LeftOut,
}

impl<'a> Answer<'a> {
    pub(super) fn new(outcome: &'a Outcome, inquiry: &'a Inquiry, rtype: Option<Rtype>) -> Self {
        let name = inquiry.name();
        let place = place(outcome, name, rtype);
        let apex = place.apex();
        let seen = apex.map(|apex| inquiry.seen(apex)).unwrap_or_default();
        let way = match &place {
            Place::Zone(zone) => crate::plan::way_of(outcome, zone),
            _ => None,
        };
        let mut answer = Self {
            name,
            rtype,
            place,
            seen,
            decisions: Vec::new(),
            way,
            past: Ok(None),
            is_whole: outcome.report.exit_code() != exit::FAILED,
        };
        answer.decisions = answer.decide();
        answer
    }

    fn decide(&self) -> Vec<Decided<'a>> {
        let decide = |rtype| Decided {
            rtype,
            decision: match self.place {
                Place::Zone(zone) => decision(zone, &self.seen, self.name, rtype),
                Place::LeftOut(..) | Place::Nowhere(_) => Decision::LeftOut,
            },
        };
        if let Place::Nowhere(_) = self.place {
            return Vec::new();
        }
        self.types().into_iter().map(decide).collect()
    }

    fn types(&self) -> BTreeSet<Rtype> {
        if let Some(rtype) = self.rtype {
            return BTreeSet::from([rtype]);
        }
        let Seen {
            wanted,
            desired,
            served,
        } = &self.seen;
        let wanted = wanted.iter().map(|wanted| &wanted.content);
        let contents = wanted.chain(desired).chain(served);
        let mut types: BTreeSet<_> = contents
            .flat_map(|content| &content.rrsets)
            .map(Rrset::rtype)
            .collect();
        if let Place::Zone(zone) = self.place {
            // A reconciler that cannot tell what is served plans changes all the same.
            let (_, changes) = zone.found_changes();
            let here = changes.filter(|(change, _)| change.owner() == self.name);
            types.extend(here.map(|(change, _)| change.rtype()));
        }
        types
    }

    /// What of one authority's words does not count because of another's.
    pub(super) fn lost(&self) -> impl Iterator<Item = Loser<'_>> {
        let zone = match self.place {
            Place::Zone(zone) => Some(zone),
            _ => None,
        };
        let losers = zone.into_iter().flat_map(|zone| zone.losers.iter());
        losers.filter(|loser| {
            let is_asked = self.rtype.is_none_or(|rtype| rtype == loser.rtype);
            loser.owner == self.name && is_asked
        })
    }

    /// The RRsets of `content` that were asked for.
    pub(super) fn asked<'c>(&self, content: &'c Content) -> impl Iterator<Item = &'c Rrset> {
        let rtype = self.rtype;
        let rrsets = content.rrsets.iter();
        rrsets.filter(move |rrset| rtype.is_none_or(|rtype| rrset.rtype() == rtype))
    }
}

impl<'a> Place<'a> {
    pub(super) fn apex(&self) -> Option<NameRef<'a>> {
        match self {
            Self::Zone(zone) => Some(zone.apex()),
            Self::LeftOut(apex, _) => Some(*apex),
            Self::Nowhere(_) => None,
        }
    }
}

/// The closest zone of the run at or above `name`. A DS RRset at an apex belongs to the zone above
/// (RFC 4035, section 2.4).
fn place<'a>(outcome: &'a Outcome, name: NameRef<'_>, rtype: Option<Rtype>) -> Place<'a> {
    let compared = outcome.plan.iter().map(PlannedZone::apex);
    let left_out = outcome.report.left_out.iter();
    let left_out = left_out.filter_map(|left_out| left_out.zone.as_ref().map(Name::as_ref));
    let zones: Vec<_> = compared.chain(left_out).collect();
    let holds = |apex: &&NameRef<'a>| name.is_at_or_below(**apex);
    let length = |apex: &&NameRef<'a>| apex.labels().count();
    let is_below = |apex: &&NameRef<'a>| rtype != Some(Rtype::DS) || **apex != name;
    let above = zones.iter().filter(holds);
    let found = above.clone().filter(is_below).max_by_key(length);
    let Some(&apex) = found.or_else(|| above.max_by_key(length)) else {
        let common = |apex: &&NameRef<'a>| {
            let ours = name.labels().collect::<Vec<_>>();
            let theirs = apex.labels().collect::<Vec<_>>();
            let both = ours.iter().rev().zip(theirs.iter().rev());
            both.take_while(|(ours, theirs)| ours == theirs).count()
        };
        let nearest = zones.iter().filter(|apex| common(apex) > 0);
        // Of equally close ones the first.
        return Place::Nowhere(nearest.rev().max_by_key(common).copied());
    };
    match outcome.plan.iter().find(|zone| zone.apex() == apex) {
        Some(zone) => Place::Zone(zone),
        None => {
            let left_out = outcome.report.left_out.iter();
            let reasons = left_out.filter(|left_out| {
                let zone = left_out.zone.as_ref().map(Name::as_ref);
                zone == Some(apex)
            });
            Place::LeftOut(apex, reasons.collect())
        }
    }
}

fn decision<'a>(
    zone: &'a PlannedZone,
    seen: &Seen,
    name: NameRef<'_>,
    rtype: Rtype,
) -> Decision<'a> {
    let (_, mut changes) = zone.found_changes();
    let found = changes.find(|(change, _)| change.owner() == name && change.rtype() == rtype);
    if let Some((change, rule)) = found {
        return match rule {
            Some(rule) => Decision::Aside(change, rule),
            None if zone.verdict.is_withheld() => Decision::Withheld(change, &zone.verdict),
            None => Decision::Made(change),
        };
    }
    let of_type = |content: &Content| {
        let rrset = content.rrsets.iter().find(|rrset| rrset.rtype() == rtype);
        rrset.cloned()
    };
    let desired = seen.desired.as_ref().and_then(of_type);
    let Some(served) = seen.served.as_ref().map(of_type) else {
        return Decision::Unknown;
    };
    if LeftAlone::default().contains(name, rtype, zone.apex())
        && (desired.is_some() || served.is_some())
    {
        return Decision::LeftAlone;
    }
    match (&desired, &served) {
        (Some(desired), Some(served)) if desired == served => Decision::AsDesired,
        _ if seen.served.as_ref().is_some_and(|served| served.is_held) => Decision::HeldByActual,
        (None, None) => Decision::Absent,
        _ if seen.desired.as_ref().is_some_and(|desired| desired.is_held) => Decision::Held,
        _ if !zone.complete => Decision::Incomplete,
        _ => Decision::NoDifference,
    }
}

impl Decision<'_> {
    /// One word, for programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Made(_) => "made",
            Self::Withheld(..) => "withheld",
            Self::Aside(..) => "set-aside",
            Self::AsDesired => "as-desired",
            Self::Absent => "absent",
            Self::Held | Self::HeldByActual => "held",
            Self::Incomplete => "incomplete",
            Self::LeftAlone => "left-alone",
            Self::Unknown => "unknown",
            Self::NoDifference => "no-difference",
            Self::LeftOut => "left-out",
        }
    }

    /// The change that is planned, made or not.
    pub(super) fn change(&self) -> Option<Change<'_>> {
        match self {
            Self::Made(change) | Self::Withheld(change, _) | Self::Aside(change, _) => {
                Some(*change)
            }
            _ => None,
        }
    }
}

/// The sentence, which begins behind the type.
impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(change) => write!(f, "the next run {}", does(*change)),
            Self::Withheld(change, verdict) => {
                write!(f, "the next run would have {} it, but", done(*change))?;
                let mut word = " the zone is withheld: ";
                for reason in verdict.reasons() {
                    write!(f, "{word}{reason}")?;
                    word = "; ";
                }
                Ok(())
            }
            Self::Aside(change, Rule { kind, text }) => {
                let (done, kind) = (done(*change), kind.word());
                write!(f, "it would have to be {done}, and stays as it is ({kind}): {text}")
            }
            Self::AsDesired => f.write_str("it is served as it is desired"),
            Self::Absent => f.write_str("nobody wants it, and it is not served"),
            Self::Held => f.write_str(
                "an authority knows of the name and could not read it, so nothing at it is updated or deleted",
            ),
            Self::HeldByActual => f.write_str(
                "the reconciler knows of the name and could not read all that is served there, so nothing at it is changed",
            ),
            Self::Incomplete => f.write_str(
                "the desired zone is incomplete, because an authority failed or could not read everything: \
                 nothing is updated or deleted until it is whole",
            ),
            Self::LeftAlone => f.write_str("it belongs to the primary or its signer, and is left alone"),
            Self::Unknown => {
                f.write_str("the reconciler does not tell what is served, and plans no change")
            }
            Self::NoDifference => f.write_str("the reconciler plans no change"),
            Self::LeftOut => f.write_str("the zone is left out, so it stays as it is"),
        }
    }
}

fn done(change: Change<'_>) -> &'static str {
    past_of(change.action())
}

/// What was done to an RRset.
pub(super) fn past_of(action: Action) -> &'static str {
    match action {
        Action::Addition => "added",
        Action::Deletion => "deleted",
        Action::Update => "updated",
    }
}

fn does(change: Change<'_>) -> String {
    let (deletion, addition) = match change {
        Change::Addition(_) => return "adds it: it is desired, and not served".to_owned(),
        Change::Deletion(_) => {
            return "deletes it: it is served, and nobody wants it".to_owned();
        }
        Change::Update { deletion, addition } => (deletion, addition),
    };
    let ttl = |rrset: RrsetRef<'_>| rrset.ttl();
    let same_values = deletion.rdatas().eq(addition.rdatas());
    let what = match (same_values, ttl(deletion) == ttl(addition)) {
        (true, _) => format!("TTL {} → {}", ttl(deletion), ttl(addition)),
        (false, true) => "other values are desired than are served".to_owned(),
        (false, false) => format!(
            "other values are desired than are served, and TTL {} → {}",
            ttl(deletion),
            ttl(addition)
        ),
    };
    format!("updates it: {what}")
}
