//! The messages of one owner.
//!
//! They stay together, in the order of the changes, a deletion before the addition that takes its place:
//! no batch ends between them, so none of them can overtake another, and what fails, fails for the owner
//! as a whole.

use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use janitor_plugin_api::dns::{Action, Change, Name, NameRef, RrsetRef, Rtype};
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
            Self::Conflict { .. } => "conflict",
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
            Self::TooLarge => write!(f, "Pub/Sub takes no more than {MOST_OCTETS} octets at once"),
        }
    }
}

/// Makes messages of the changes at one owner, given with their numbers.
///
/// A change is sent whole or not at all, with one exception: where only what is served has a TTL that the
/// service does not take, the addition goes alone. The service replaces what it finds at the owner with
/// it, which a deletion that it drops could not have prevented.
///
/// Nothing of the owner is sent if something stays that what is added cannot stand beside (RFC 1034,
/// section 3.6.2): deleting the rest would leave a name that has lost something for nothing.
pub(super) fn sort(
    apex: NameRef<'_>,
    changes: &[(u32, Change<'_>)],
    has_ordering_key: bool,
    now: SystemTime,
) -> Sorted {
    let mut left_out = Vec::new();
    let mut sent = Vec::new();
    for &(number, change) in changes {
        match halves(apex, change) {
            Ok(halves) => sent.push((number, halves)),
            Err(unfit) => left_out.push((number, Reason::Unfit(unfit))),
        }
    }
    let at = |number: u32| changes.iter().find(|(other, _)| *other == number);
    let stay = left_out.iter().filter_map(|(number, _)| at(*number));
    let in_the_way = stay
        .filter(|(_, change)| change.action() == Action::Deletion)
        .find(|(_, stays)| {
            let added = sent.iter().filter_map(|(number, _)| at(*number));
            let mut added = added.filter(|(_, change)| change.action() == Action::Addition);
            added.any(|(_, added)| is_conflict(stays.rtype(), added.rtype()))
        });
    if let Some((_, change)) = in_the_way {
        let reason = Reason::Conflict {
            stays: change.rtype(),
        };
        left_out.extend(sent.drain(..).map(|(number, _)| (number, reason)));
    }
    let Some((_, first)) = changes.first().filter(|_| !sent.is_empty()) else {
        return Sorted {
            parcel: None,
            left_out,
        };
    };
    let owner = first.owner();
    let key = has_ordering_key.then(|| ordering_key(apex, owner));
    let parcel = pack(owner, &sent, key, now);
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

/// Whether two types cannot stand at one owner. Those that may stand beside a CNAME are none that the
/// service takes, and all are the signer's.
fn is_conflict(one: Rtype, other: Rtype) -> bool {
    let is_cname = |rtype| rtype == Rtype::CNAME;
    let may_stand = one.may_stand_beside_cname() || other.may_stand_beside_cname();
    is_cname(one) != is_cname(other) && !may_stand
}

fn pack(
    owner: NameRef<'_>,
    sent: &[(u32, Halves<'_>)],
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
    for &(number, halves) in sent {
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
