//! What is served where changes are to be made: as it is listed, and what it means.

use std::collections::{BTreeMap, BTreeSet};

use janitor_plugin_api::dns::text::parse_rdata;
use janitor_plugin_api::dns::{Change, Name, Rrset, RrsetRef, Rtype, Ttl};
use serde::Deserialize;

use crate::http::{Next, PageFault};

/// An owner and a type.
pub(super) type Place = (Name, Rtype);

/// A record set as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) name: String,
    pub(super) rrdatas: Vec<String>,
}

/// What is at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    RecordSet(Rrset, Text),
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
    Before(Option<Text>),
    /// It is as after the change.
    After,
    /// It is neither.
    Else,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    rrsets: Vec<Listed>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    ttl: Option<u32>,
    #[serde(default)]
    rrdatas: Vec<String>,
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
        let page: Page = serde_json::from_slice(page)?;
        for listed in page.rrsets {
            // What has no name or no type of DNS is not among the places.
            let (Ok(owner), Ok(rtype)) = (listed.name.parse(), listed.rtype.parse()) else {
                continue;
            };
            let place = (owner, rtype);
            if self.places.contains(&place) {
                let found = listed.read(&place);
                self.found.insert(place, found);
            }
        }
        Ok(Next::from_token(page.next_page_token))
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
                let (ttl, values) = (rrset.ttl(), few(&text.rrdatas));
                format!("is served with TTL {ttl} and {values}")
            }
        }
    }
}

impl Listed {
    fn read(self, (owner, rtype): &Place) -> Found {
        let rrset = || {
            let ttl = Ttl::from_secs(self.ttl?).ok()?;
            let mut rrset = Rrset::new(owner.clone(), *rtype, ttl);
            for rdata in &self.rrdatas {
                let octets = parse_rdata(*rtype, rdata, Name::root().as_ref()).ok()?;
                rrset.push_rdata(&octets).ok()?;
            }
            (!self.rrdatas.is_empty()).then_some(rrset)
        };
        match rrset() {
            Some(rrset) => Found::RecordSet(
                rrset,
                Text {
                    name: self.name,
                    rrdatas: self.rrdatas,
                },
            ),
            None => Found::Other,
        }
    }
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
