//! Which names of a zone belong to other programs, by their markers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use janitor_plugin_api::dns::{ActualZone, Name, NameRef, Rtype};

use super::markers::Marker;
use crate::config::scope::Registry;

/// What other programs own in one zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// In canonical order of the names.
    owned: Vec<Owned>,
    /// Markers of which only a guess says what they mark.
    pub guesses: Option<Guesses>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    name: Name,
    /// Every type, if none is given.
    rtype: Option<Rtype>,
    /// Who owns it, for people.
    told: Arc<str>,
}

/// Markers of which only a guess says what they mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guesses {
    /// How many there are.
    pub number: usize,
    /// The first of them.
    pub marker: Name,
    /// What it is taken to mark.
    pub marked: Name,
}

/// Different owners that are told by name; they come out of a zone, so there may be any number.
const MAX_TOLD: usize = 100;
/// The longest owner that is told by name.
const MAX_ID: usize = 64;

impl Ownership {
    /// What `markers`, each with the name it stands at, say of a zone.
    pub(super) fn new(markers: Vec<(Name, Marker)>, actual: Option<&ActualZone>) -> Self {
        let mut tellers = Tellers::default();
        let guessed = actual.map_or_else(Vec::new, |actual| guess(&markers, actual));
        let mut unclear = guessed.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        unclear.dedup();
        let guesses = guessed.first().map(|(at, marked)| Guesses {
            number: unclear.len(),
            marker: markers[*at].0.clone(),
            marked: marked.clone(),
        });
        let mut owned = Vec::new();
        for (at, name) in guessed {
            let told = tellers.tell(&markers[at].1);
            owned.push(Owned {
                name,
                rtype: None,
                told,
            });
        }
        for (name, marker) in markers {
            let told = tellers.tell(&marker);
            let itself = (name, Some(Rtype::TXT));
            let all = marker.marked.into_iter().chain([itself]);
            owned.extend(all.map(|(name, rtype)| Owned {
                name,
                rtype,
                told: Arc::clone(&told),
            }));
        }
        owned.sort_by(|left, right| left.name.cmp(&right.name));
        Self { owned, guesses }
    }

    /// Whether nothing is owned by others.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owned.is_empty()
    }

    /// Who else owns RRsets of this name and type, for people.
    #[must_use]
    pub fn owner_of(&self, name: NameRef<'_>, rtype: Rtype) -> Option<&Arc<str>> {
        let start = self
            .owned
            .partition_point(|owned| owned.name.as_ref() < name);
        let here = self.owned[start..].iter();
        let mut here = here.take_while(|owned| owned.name.as_ref() == name);
        let found = here.find(|owned| covers(owned.rtype, rtype));
        found.map(|owned| &owned.told)
    }
}

/// Whether somebody who owns an RRset of type `owned`, or of any, owns one of type `rtype`.
fn covers(owned: Option<Rtype>, rtype: Rtype) -> bool {
    match owned {
        None => true,
        Some(owned) if owned == rtype => true,
        // Aliases of Route 53 are marked as CNAME and served as addresses.
        Some(Rtype::CNAME) => matches!(rtype, Rtype::A | Rtype::AAAA),
        // Nothing that they add could stand beside it.
        Some(_) => rtype == Rtype::CNAME,
    }
}

/// Makes few texts for many markers.
#[derive(Default)]
struct Tellers {
    known: BTreeMap<(&'static str, Option<String>), Arc<str>>,
}

impl Tellers {
    fn tell(&mut self, marker: &Marker) -> Arc<str> {
        let program = match marker.registry {
            Registry::ExternalDns => "external-dns",
            Registry::Octodns => "octoDNS",
        };
        let may_be_told = |id: &&str| {
            id.len() <= MAX_ID
                && id
                    .bytes()
                    .all(|octet| octet.is_ascii_graphic() && octet != b'`')
        };
        let id = marker.owner_id.as_deref().filter(may_be_told);
        let mut key = (program, id.map(str::to_owned));
        if self.known.len() >= MAX_TOLD && !self.known.contains_key(&key) {
            key.1 = None;
        }
        let told = self.known.entry(key).or_insert_with_key(|(program, id)| {
            let id = id.as_deref().map(|id| format!(" with the owner `{id}`"));
            let id = id.unwrap_or_default();
            format!("a marker of {program}{id} has it").into()
        });
        Arc::clone(told)
    }
}

/// For markers of external-dns whose names fit no form that is known here, and mark nothing that is
/// served: the served names that theirs are most likely made from.
///
/// An affix that nobody told us of would else have all that external-dns made deleted.
fn guess(markers: &[(Name, Marker)], actual: &ActualZone) -> Vec<(usize, Name)> {
    let mut unclear = Vec::new();
    for (at, (_, marker)) in markers.iter().enumerate() {
        let is_typed = marker.marked.iter().any(|(_, rtype)| rtype.is_some());
        if marker.registry == Registry::ExternalDns && !is_typed {
            unclear.push(at);
        }
    }
    let marked = |at: &usize| markers[*at].1.marked.iter().map(|(name, _)| name.as_ref());
    let names = unclear.iter().flat_map(marked).collect::<HashSet<_>>();
    let served = served(actual, &names);
    unclear.retain(|at| !marked(at).any(|name| served.contains(&name)));

    let candidates = unclear.iter().map(|at| candidates(&markers[*at].0, actual));
    let candidates = candidates.collect::<Vec<_>>();
    let names = candidates.iter().flatten().map(Name::as_ref);
    let served = self::served(actual, &names.collect());
    let mut guessed = Vec::new();
    for (at, candidates) in unclear.into_iter().zip(&candidates) {
        let mut found = candidates
            .iter()
            .filter(|name| served.contains(&name.as_ref()))
            .peekable();
        // Which part of a label is the affix, nobody can tell: `web-txt` may be made from either.
        let labels = |name: &Name| name.as_ref().labels().count();
        let most = found.peek().map(|name| labels(name));
        let likely = found.filter(|name| Some(labels(name)) == most);
        guessed.extend(likely.map(|name| (at, name.clone())));
    }
    guessed
}

/// Those of `names` that hold something external-dns could have made.
fn served<'a>(actual: &'a ActualZone, names: &HashSet<NameRef<'a>>) -> HashSet<NameRef<'a>> {
    let mut served = HashSet::new();
    if names.is_empty() {
        return served;
    }
    for rrset in actual.rrsets() {
        let (owner, rtype) = (rrset.owner(), rrset.rtype());
        let is_made = match rtype {
            Rtype::A | Rtype::AAAA | Rtype::CNAME | Rtype::MX | Rtype::PTR => true,
            Rtype::SRV | Rtype::NAPTR | Rtype::DNAME => true,
            Rtype::NS => owner != actual.apex(),
            _ => false,
        };
        if is_made && names.contains(&owner) {
            served.insert(owner);
        }
    }
    served
}

/// The names that a marker at `marker` may be made from, whatever the affix, those with most labels
/// first.
fn candidates(marker: &Name, actual: &ActualZone) -> Vec<Name> {
    let apex = actual.apex();
    let text = marker.to_string();
    let first = text.split('.').next().unwrap_or_default();
    let is_joint = |octet: u8| matches!(octet, b'.' | b'-' | b'_');
    let joints = |text: &str| {
        let octets = text.bytes().enumerate();
        let joints = octets.filter(|(_, octet)| is_joint(*octet));
        joints.map(|(at, _)| at).collect::<Vec<_>>()
    };
    let behind_prefix = joints(&text)
        .into_iter()
        .map(|at| text[at + 1..].to_owned());
    let mut texts = behind_prefix.collect::<Vec<_>>();
    let untyped = first.split_once('-').map(|(_, rest)| rest);
    for label in [Some(first), untyped].into_iter().flatten() {
        let ends = joints(label).into_iter().chain([label.len()]);
        for end in ends.filter(|end| *end > 0) {
            let tails = text.match_indices('.').map(|(at, _)| &text[at..]);
            texts.extend(tails.map(|tail| format!("{}{tail}", &label[..end])));
        }
    }
    texts.retain(|candidate| *candidate != text);
    texts.sort_by_key(|text| Reverse((text.matches('.').count(), text.len())));
    texts.dedup();
    // Any name ends with that of the apex.
    let says_so = first.starts_with('_') || first.contains("dns") || first.contains("txt");
    let names = texts.iter().filter_map(|text| text.parse::<Name>().ok());
    let inside = names.filter(|name| name.as_ref().is_at_or_below(apex));
    inside
        .filter(|name| says_so || name.as_ref() != apex)
        .collect()
}
