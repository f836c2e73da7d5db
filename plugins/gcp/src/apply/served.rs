//! What is served where changes are to be made: as it is listed, and what it means.

use std::collections::{BTreeMap, BTreeSet};

use janitor_plugin_api::dns::text::parse_rdata;
use janitor_plugin_api::dns::{Change, Name, Rrset, RrsetRef, Rtype, Ttl};

use crate::http::{Next, PageFault};
use crate::record_sets::{Listed, Page, RecordSet, Seconds, Text, USUAL_TTL};

/// An owner and a type.
pub(super) type Place = (Name, Rtype);

/// What is at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    RecordSet(Rrset, RecordSet),
    /// Something without rdata of its own, such as a record set that depends on who asks, or with rdata
    /// that cannot be read.
    Other,
}

/// The record sets at some places.
#[derive(Debug)]
pub(super) struct Served {
    places: BTreeSet<Place>,
    found: BTreeMap<Place, Found>,
}

/// How a change and what is served go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is as before the change. What the change deletes is listed so.
    Before(Option<RecordSet>),
    /// It is as after the change.
    After,
    /// It is neither.
    Else,
}

impl Served {
    /// Nothing yet, at these places.
    pub(super) const fn at(places: BTreeSet<Place>) -> Self {
        Self {
            places,
            found: BTreeMap::new(),
        }
    }

    /// Takes a page of `resourceRecordSets.list`, and returns where the next one is.
    ///
    /// # Errors
    ///
    /// [`PageFault`] if it is no such page. What is wrong with a single record set is not an error.
    pub(super) fn take(&mut self, page: &[u8]) -> Result<Next, PageFault> {
        let page: Page<'_> = serde_json::from_slice(page)?;
        for listed in &page.rrsets {
            // What has no name or no type of DNS is not among the places.
            let (Ok(owner), Ok(rtype)) =
                (listed.name.as_str().parse(), listed.rtype.as_str().parse())
            else {
                continue;
            };
            let place = (owner, rtype);
            if self.places.contains(&place) {
                let found = read(listed, &place);
                self.found.insert(place, found);
            }
        }
        let token = page.next_page_token.as_ref();
        Ok(Next::from_token(token.map(Text::as_str)))
    }

    /// Whether something is at every place.
    pub(super) fn is_everywhere(&self) -> bool {
        self.found.len() == self.places.len()
    }

    /// How a change, whose place is among those that were looked at, goes together with what is served.
    pub(super) fn state(&self, change: Change<'_>) -> State {
        let (rrset, text) = match self.found.get(&place(change)) {
            Some(Found::Other) => return State::Else,
            Some(Found::RecordSet(rrset, text)) => (Some(rrset), Some(text)),
            None => (None, None),
        };
        let is = |side: Option<RrsetRef<'_>>| side.map(RrsetRef::to_owned).as_ref() == rrset;
        if is(change.deletion()) {
            State::Before(text.cloned())
        } else if is(change.addition()) {
            State::After
        } else {
            State::Else
        }
    }

    /// What is served where a change is to be made, in words.
    pub(super) fn told(&self, change: Change<'_>) -> String {
        match self.found.get(&place(change)) {
            None => "is not served".to_owned(),
            Some(Found::Other) => {
                "is served with a routing policy, or with rdata that cannot be read".to_owned()
            }
            Some(Found::RecordSet(rrset, text)) => {
                let (ttl, values) = (rrset.ttl(), few(text.rrdatas()));
                format!("is served with TTL {ttl} and {values}")
            }
        }
    }
}

/// What is listed at a place.
fn read(listed: &Listed<'_>, (owner, rtype): &Place) -> Found {
    let Seconds(seconds) = listed.ttl.unwrap_or(USUAL_TTL);
    let rrset = || {
        let mut rrset = Rrset::new(owner.clone(), *rtype, Ttl::from_secs(seconds).ok()?);
        for rdata in &listed.rrdatas {
            let octets = parse_rdata(*rtype, rdata.as_str(), Name::root().as_ref()).ok()?;
            rrset.push_rdata(&octets).ok()?;
        }
        (!listed.rrdatas.is_empty()).then_some(rrset)
    };
    let rrdatas = listed.rrdatas.iter();
    let rrdatas = rrdatas.map(|rdata| rdata.as_str().to_owned()).collect();
    let (name, rtype) = (listed.name.as_str(), listed.rtype.as_str());
    rrset().map_or(Found::Other, |rrset| {
        Found::RecordSet(rrset, RecordSet::listed(name, rtype, seconds, rrdatas))
    })
}

/// Where a change is made.
pub(super) fn place(change: Change<'_>) -> Place {
    (change.owner().to_owned(), change.rtype())
}

/// The first values of several.
pub(super) fn few(values: &[String]) -> String {
    const FEW: usize = 3;
    let shown: Vec<_> = values
        .iter()
        .take(FEW)
        .map(|value| format!("`{value}`"))
        .collect();
    match values.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
