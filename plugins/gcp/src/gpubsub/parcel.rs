//! The messages of one owner.
//!
//! They stay together, in the order of the changes, a deletion before the addition that takes its place:
//! no batch ends between them, so none of them can overtake another, and what fails, fails for the owner
//! as a whole.

use std::collections::HashSet;
use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use janitor_plugin_api::dns::{Action, Change, Changes, Name, NameRef, RrsetRef, Rtype};
use janitor_plugin_api::event::{self, Direction, Unfit};

/// The largest request that Pub/Sub takes, in octets; the largest message has the same size (Google's
/// page "Pub/Sub quotas and limits"). What can be served as DNS at all, and every RRset of an owner
/// beside it, stays below it.
pub(super) const MOST_OCTETS: usize = 10_000_000;

/// What becomes of the changes at one owner.
#[derive(Debug)]
pub(super) struct Sorted {
    /// What is sent of them.
    pub(super) parcel: Option<Parcel>,
    /// What is not, with its reason.
    pub(super) left_out: Vec<(u32, Reason)>,
}

/// The messages of one owner.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) owner: Name,
    /// The ordering key of its messages.
    pub(super) key: Option<String>,
    /// For each message the number of its change, and which half of it the message is.
    pub(super) messages: Vec<(u32, Direction)>,
    /// The messages as JSON, with commas between them.
    pub(super) json: Vec<u8>,
}

impl Parcel {
    /// The numbers of its changes, each once.
    pub(super) fn changes(&self) -> impl Iterator<Item = u32> {
        let mut numbers = self.messages.iter().map(|(number, _)| *number).peekable();
        std::iter::from_fn(move || {
            let number = numbers.next()?;
            // The two messages of an update follow each other.
            while numbers.next_if_eq(&number).is_some() {}
            Some(number)
        })
    }
}

/// Why a change is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// The service would drop it.
    Unfit(Unfit),
    /// Something of the kind `stays` that the service would not delete cannot stand beside what is
    /// added.
    Conflict { stays: Rtype },
    /// Something of the kind `missing` that the service would not add is to take the place of what would
    /// be deleted.
    NotReplaced { missing: Rtype },
    /// It belongs to a delegation that the service would not change.
    Delegation,
    /// Pub/Sub takes no such message.
    TooLarge,
}

impl Reason {
    /// A word for what is counted.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unfit(Unfit::Type(_)) => "type",
            Self::Unfit(Unfit::Apex) => "apex",
            Self::Unfit(Unfit::Ttl(_)) => "ttl",
            Self::Conflict { .. } | Self::NotReplaced { .. } => "conflict",
            Self::Delegation => "delegation",
            Self::TooLarge => "size",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Conflict { stays } => write!(
                f,
                "the Gordon service would not delete the {stays} that is in its way"
            ),
            Self::NotReplaced { missing } => write!(
                f,
                "the Gordon service would not add the {missing} that is to take its place"
            ),
            Self::Delegation => f.write_str(
                "the Gordon service would not change the delegation that takes it over, or needs it",
            ),
            Self::TooLarge => write!(f, "Pub/Sub takes no more than {MOST_OCTETS} octets at once"),
        }
    }
}

/// Makes messages of the changes of a zone, owner by owner.
#[derive(Debug)]
pub(super) struct Sorter<'a> {
    apex: NameRef<'a>,
    has_ordering_keys: bool,
    /// Where the service would not change a delegation that is to come, to go, or to be another one.
    kept_cuts: HashSet<NameRef<'a>>,
}

impl<'a> Sorter<'a> {
    pub(super) fn of(changes: &'a Changes, has_ordering_keys: bool) -> Self {
        let apex = changes.apex();
        let cuts = changes.iter().filter(|change| {
            change.rtype() == Rtype::NS && change.owner() != apex && halves(apex, *change).is_err()
        });
        Self {
            apex,
            has_ordering_keys,
            kept_cuts: cuts.map(Change::owner).collect(),
        }
    }

    /// Makes messages of the changes at one owner, given with their numbers.
    ///
    /// A change is sent whole or not at all, with one exception: where only what is served has a TTL that
    /// the service does not take, the addition goes alone. The service replaces what it finds at the
    /// owner with it, which a deletion that it drops could not have prevented.
    ///
    /// What cannot be made must not cost a name what it has now. So nothing of an owner is sent where one
    /// half of a replacement would be missing that a CNAME makes necessary (RFC 1034, section 3.6.2),
    /// and nothing is deleted at or below a delegation that is not made as it was planned: not what the
    /// delegation would take over, and not the addresses of the name servers that it keeps.
    pub(super) fn sort(&self, changes: &[(u32, Change<'_>)], now: SystemTime) -> Sorted {
        let mut left_out = Vec::new();
        let mut sent = Vec::new();
        let owner = changes.first().map(|(_, change)| change.owner());
        let keeps = owner.is_some_and(|owner| self.keeps(owner));
        let (mut missing, mut unmade) = (Vec::new(), Vec::new());
        for &(number, change) in changes {
            let halves = halves(self.apex, change).map_err(Reason::Unfit);
            let is_deletion = change.action() == Action::Deletion;
            match halves {
                Ok(_) if keeps && is_deletion => {
                    left_out.push((number, Reason::Delegation));
                    unmade.push(change.rtype());
                }
                Ok(halves) => sent.push((number, change, halves)),
                Err(reason) => {
                    left_out.push((number, reason));
                    match change.action() {
                        Action::Deletion => unmade.push(change.rtype()),
                        Action::Addition => missing.push(change.rtype()),
                        // The type stays.
                        Action::Update => {}
                    }
                }
            }
        }
        let sent_types = |action| {
            let of_action = sent
                .iter()
                .filter(move |(_, change, _)| change.action() == action);
            of_action
                .map(|(_, change, _)| change.rtype())
                .collect::<Vec<_>>()
        };
        let reason = if let Some(stays) = conflict(&unmade, &sent_types(Action::Addition)) {
            Some(Reason::Conflict { stays })
        } else {
            let missing = conflict(&missing, &sent_types(Action::Deletion));
            missing.map(|missing| Reason::NotReplaced { missing })
        };
        if let Some(reason) = reason {
            left_out.extend(sent.drain(..).map(|(number, ..)| (number, reason)));
        }
        let Some(owner) = owner.filter(|_| !sent.is_empty()) else {
            return Sorted {
                parcel: None,
                left_out,
            };
        };
        let key = self
            .has_ordering_keys
            .then(|| ordering_key(self.apex, owner));
        let sent = sent.into_iter().map(|(number, _, halves)| (number, halves));
        let parcel = pack(owner, sent, key, now);
        if parcel.json.len() > MOST_OCTETS {
            left_out.extend(parcel.changes().map(|number| (number, Reason::TooLarge)));
            return Sorted {
                parcel: None,
                left_out,
            };
        }
        Sorted {
            parcel: Some(parcel),
            left_out,
        }
    }

    /// Whether an owner is at or below a delegation that is not changed as it was planned.
    fn keeps(&self, owner: NameRef<'_>) -> bool {
        let mut names = std::iter::successors(Some(owner), |name| name.parent());
        !self.kept_cuts.is_empty() && names.any(|name| self.kept_cuts.contains(&name))
    }
}

/// The messages of a change, in order.
type Halves<'a> = [Option<(Direction, RrsetRef<'a>)>; 2];

fn halves<'a>(apex: NameRef<'_>, change: Change<'a>) -> Result<Halves<'a>, Unfit> {
    let addition = change.addition();
    if let Some(addition) = addition {
        event::fitness(apex, addition)?;
    }
    let deletion = match change.deletion() {
        None => None,
        Some(deletion) => match event::fitness(apex, deletion) {
            Ok(()) => Some(deletion),
            Err(Unfit::Ttl(_)) if addition.is_some() => None,
            Err(unfit) => return Err(unfit),
        },
    };
    Ok([
        deletion.map(|rrset| (Direction::Deletion, rrset)),
        addition.map(|rrset| (Direction::Addition, rrset)),
    ])
}

/// The first of some types that cannot stand at one owner with one of others, if there is one. Those that
/// may stand beside a CNAME are none that the service takes, and all are the signer's.
fn conflict(ones: &[Rtype], others: &[Rtype]) -> Option<Rtype> {
    let is_cname = |rtype: &Rtype| *rtype == Rtype::CNAME;
    let may_stand = |rtype: &Rtype| rtype.may_stand_beside_cname();
    let counts = |rtypes: &[Rtype]| -> (bool, bool) {
        let others = |rtype: &Rtype| !is_cname(rtype) && !may_stand(rtype);
        (rtypes.iter().any(is_cname), rtypes.iter().any(others))
    };
    let (is_there, has_others) = counts(others);
    ones.iter().copied().find(|one| match is_cname(one) {
        true => has_others,
        false => is_there && !may_stand(one),
    })
}

fn pack<'a>(
    owner: NameRef<'_>,
    sent: impl Iterator<Item = (u32, Halves<'a>)>,
    key: Option<String>,
    now: SystemTime,
) -> Parcel {
    let key_as_json = key
        .as_deref()
        .map(|key| serde_json::Value::from(key).to_string());
    let mut parcel = Parcel {
        owner: owner.to_owned(),
        key,
        messages: Vec::new(),
        json: Vec::new(),
    };
    let mut data = Vec::new();
    for (number, halves) in sent {
        for (direction, rrset) in halves.into_iter().flatten() {
            data.clear();
            event::write(&mut data, direction, rrset, now)
                .expect("memory takes all, and our clock is a calendar's");
            if !parcel.json.is_empty() {
                parcel.json.push(b',');
            }
            push_message(&mut parcel.json, &data, key_as_json.as_deref());
            parcel.messages.push((number, direction));
        }
    }
    parcel
}

/// Appends a `PubsubMessage` with these octets, and with this text, which is JSON, as its ordering key.
fn push_message(json: &mut Vec<u8>, data: &[u8], key: Option<&str>) {
    json.extend_from_slice(br#"{"data":""#);
    json.extend_from_slice(STANDARD.encode(data).as_bytes());
    json.push(b'"');
    if let Some(key) = key {
        json.extend_from_slice(br#","orderingKey":"#);
        json.extend_from_slice(key.as_bytes());
    }
    json.push(b'}');
}

/// The zone, a space, and the owner without the zone: `example.com. www`. There is no space in the text of
/// a name, and the longest such text has 1,004 octets, where Pub/Sub takes 1,024.
fn ordering_key(apex: NameRef<'_>, owner: NameRef<'_>) -> String {
    let (apex, owner) = (apex.to_string(), owner.to_string());
    let below = owner.strip_suffix(&apex).unwrap_or(&owner);
    let below = below.strip_suffix('.').unwrap_or(below);
    format!("{apex} {below}")
}

#[cfg(test)]
mod tests;
