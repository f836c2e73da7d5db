//! A Cloud DNS that does what Google's pages say of `changes.create`, as slowly and plainly.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use janitor_plugin_api::dns::text::{parse_rdata, rdata_display};
use janitor_plugin_api::dns::{ActualZone, Name, Rtype, Ttl, ZoneBuilder};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::apply::served::{Place, Served};
use crate::apply::verdict::Refusal;
use crate::apply::work::Reply;
use crate::http::Part;
use crate::limits::Quota;

/// What goes wrong with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// It goes well.
    None,
    /// The connection ends before Cloud DNS has got it.
    LostBefore,
    /// The connection ends after it was made.
    LostAfter,
    /// It cannot be sent.
    NotSent,
    /// Cloud DNS does nothing, and answers this: status, reason, message.
    Says(u16, &'static str, &'static str),
    /// Somebody else sets a record set first: owner, type, TTL and rdata; none takes it away.
    Overtaken(&'static str, &'static str, Option<(u32, &'static str)>),
    /// The same, and the connection ends before Cloud DNS has got the change.
    LostWhile(&'static str, &'static str, Option<(u32, &'static str)>),
}

/// A record set, in the text that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct RecordSet {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    ttl: u32,
    rrdatas: Vec<String>,
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    additions: Vec<RecordSet>,
    deletions: Vec<RecordSet>,
}

pub(super) struct Model {
    apex: Name,
    /// By name in lower case and type.
    sets: BTreeMap<(String, String), RecordSet>,
    pub(super) quota: Quota,
    /// What goes wrong with the next changes.
    pub(super) mishaps: VecDeque<Mishap>,
    /// Record sets that are wrong by themselves.
    pub(super) denied: BTreeSet<(Name, Rtype)>,
    /// Whether parts are named by what is there, not by their numbers.
    pub(super) names_places: bool,
    /// Whether an answer has the first thing that is wrong alone.
    pub(super) tells_first_only: bool,
    /// Whether what is served cannot be read.
    pub(super) is_blind: bool,
    /// Changes that were made, as numbers of additions and deletions.
    pub(super) made: Vec<(usize, usize)>,
}

impl Model {
    pub(super) fn serving(zone: &ActualZone) -> Self {
        let mut model = Self {
            apex: zone.apex().to_owned(),
            sets: BTreeMap::new(),
            quota: Quota::DOCUMENTED,
            mishaps: VecDeque::new(),
            denied: BTreeSet::new(),
            names_places: false,
            tells_first_only: false,
            is_blind: false,
            made: Vec::new(),
        };
        for rrset in zone.rrsets() {
            let rrdatas = rrset
                .rdatas()
                .map(|it| rdata_display(rrset.rtype(), it).to_string());
            model.set(RecordSet {
                name: rrset.owner().to_string(),
                rtype: rrset.rtype().to_string(),
                ttl: rrset.ttl().as_secs(),
                rrdatas: rrdatas.collect(),
                kind: String::new(),
            });
        }
        model
    }

    fn set(&mut self, set: RecordSet) {
        self.sets.insert(key(&set), set);
    }

    /// Writes everything otherwise than anybody would: letters in upper case where that means nothing,
    /// the last value first, texts in pieces.
    pub(super) fn spell_otherwise(&mut self) {
        for set in self.sets.values_mut() {
            set.name = set.name.to_ascii_uppercase();
            set.rrdatas.reverse();
            for rdata in &mut set.rrdatas {
                *rdata = match set.rtype.as_str() {
                    "TXT" => rdata.replacen(" \"", "   \"", 1).replace('x', "\\120"),
                    _ => rdata.to_ascii_uppercase(),
                };
            }
        }
    }

    /// What is served.
    pub(super) fn zone(&self) -> ActualZone {
        let mut builder = ZoneBuilder::new(self.apex.clone());
        for set in self.sets.values() {
            for rdata in &set.rrdatas {
                let ttl = Ttl::from_secs(set.ttl).unwrap();
                builder
                    .push_text(&set.name, ttl, &set.rtype, rdata)
                    .unwrap();
            }
        }
        builder.build_actual().unwrap()
    }

    /// `changes.create`.
    pub(super) fn create(&mut self, body: &[u8]) -> Reply {
        let body: Body = serde_json::from_slice(body).unwrap();
        match self.mishaps.pop_front().unwrap_or(Mishap::None) {
            Mishap::None => self.answer(&body),
            Mishap::LostBefore => Reply::Lost("connection reset".to_owned()),
            Mishap::LostAfter => {
                self.answer(&body);
                Reply::Lost("connection reset".to_owned())
            }
            Mishap::NotSent => Reply::NotSent("connection refused".to_owned()),
            Mishap::Says(status, reason, message) => Reply::Refused(Refusal {
                status,
                parts: vec![part(reason, message.to_owned())],
                hint: None,
            }),
            Mishap::Overtaken(name, rtype, content) => {
                self.overtake(name, rtype, content);
                self.answer(&body)
            }
            Mishap::LostWhile(name, rtype, content) => {
                self.overtake(name, rtype, content);
                Reply::Lost("connection reset".to_owned())
            }
        }
    }

    /// Somebody else sets a record set.
    fn overtake(&mut self, name: &str, rtype: &str, content: Option<(u32, &str)>) {
        let name = Name::from_text(name, self.apex.as_ref())
            .unwrap()
            .to_string();
        let at = (name.clone(), rtype.to_owned());
        self.sets.remove(&at);
        if let Some((ttl, rdata)) = content {
            self.set(RecordSet {
                name,
                rtype: rtype.to_owned(),
                ttl,
                rrdatas: vec![rdata.to_owned()],
                kind: String::new(),
            });
        }
    }

    fn answer(&mut self, body: &Body) -> Reply {
        match self.apply(body) {
            Ok(()) => {
                self.made.push((body.additions.len(), body.deletions.len()));
                let id = self.made.len().to_string();
                Reply::Made { id, is_done: false }
            }
            Err((status, mut parts)) => {
                if self.tells_first_only {
                    parts.truncate(1);
                }
                Reply::Refused(Refusal {
                    status,
                    parts,
                    hint: None,
                })
            }
        }
    }

    fn apply(&mut self, body: &Body) -> Result<(), (u16, Vec<Part>)> {
        self.within_quota(body)?;
        self.is_valid(body)?;
        self.holds(body)?;
        let mut sets = self.sets.clone();
        for set in &body.deletions {
            sets.remove(&key(set));
        }
        for set in &body.additions {
            sets.insert(key(set), set.clone());
        }
        for (at, set) in body.additions.iter().enumerate() {
            let here = sets.range((key(set).0, String::new())..);
            let here: Vec<_> = here
                .take_while(|((name, _), _)| *name == key(set).0)
                .collect();
            if here.len() > 1 && here.iter().any(|((_, rtype), _)| rtype == "CNAME") {
                let what = self.path("additions", at, set);
                let text = format!("The resource record set '{what}' is invalid");
                return Err((400, vec![part("cnameResourceRecordSetConflict", text)]));
            }
        }
        self.sets = sets;
        Ok(())
    }

    fn within_quota(&self, body: &Body) -> Result<(), (u16, Vec<Part>)> {
        let octets = body.additions.iter().chain(&body.deletions);
        let octets = octets.flat_map(|set| &set.rrdatas).map(String::len).sum();
        let limits = [
            ("additions", body.additions.len(), self.quota.additions),
            ("deletions", body.deletions.len(), self.quota.deletions),
            ("total rrdata size", octets, self.quota.rdata_octets),
        ];
        let parts = limits
            .into_iter()
            .filter(|(_, has, most)| has > most)
            .map(|(what, ..)| {
                let text = format!("The change would exceed quota for {what} per change.");
                part("quotaExceeded", text)
            });
        let parts: Vec<_> = parts.collect();
        if parts.is_empty() {
            Ok(())
        } else {
            Err((403, parts))
        }
    }

    fn is_valid(&self, body: &Body) -> Result<(), (u16, Vec<Part>)> {
        let mut parts = Vec::new();
        for (at, set) in body.additions.iter().enumerate() {
            let place = (set.name.parse().unwrap(), set.rtype.parse().unwrap());
            let is_read = set
                .rrdatas
                .iter()
                .all(|it| parse_rdata(place.1, it, Name::root().as_ref()).is_ok());
            assert!(is_read && !set.rrdatas.is_empty() && set.kind == "dns#resourceRecordSet");
            if self.denied.contains(&place) {
                let what = self.path("additions", at, set);
                let text = format!("Invalid value for '{what}.rrdata[0]': 'x'");
                parts.push(part("invalid", text));
            }
        }
        if parts.is_empty() {
            Ok(())
        } else {
            Err((400, parts))
        }
    }

    fn holds(&self, body: &Body) -> Result<(), (u16, Vec<Part>)> {
        let mut wrong = Vec::new();
        for (at, set) in body.deletions.iter().enumerate() {
            let what = self.path("deletions", at, set);
            let served = self.sets.get(&key(set));
            match served {
                None => wrong.push((
                    404,
                    part("notFound", format!("The '{what}' resource does not exist.")),
                )),
                Some(served) => {
                    let is_same = |served: &RecordSet| {
                        (&served.name, served.ttl, &served.rrdatas)
                            == (&set.name, set.ttl, &set.rrdatas)
                    };
                    if !is_same(served) {
                        let text = format!("Precondition not met for '{what}'");
                        wrong.push((412, part("conditionNotMet", text)));
                    }
                }
            }
        }
        let deleted: BTreeSet<_> = body.deletions.iter().map(key).collect();
        for (at, set) in body.additions.iter().enumerate() {
            if self.sets.contains_key(&key(set)) && !deleted.contains(&key(set)) {
                let what = self.path("additions", at, set);
                let text = format!("The resource '{what}' already exists");
                wrong.push((409, part("alreadyExists", text)));
            }
        }
        match wrong.first() {
            None => Ok(()),
            Some((status, _)) => Err((*status, wrong.into_iter().map(|(_, part)| part).collect())),
        }
    }

    fn path(&self, list: &str, at: usize, set: &RecordSet) -> String {
        match self.names_places {
            true => format!("entity.change.{list}[{}][{}]", set.name, set.rtype),
            false => format!("entity.change.{list}[{at}]"),
        }
    }

    /// `resourceRecordSets.list`, two to a page.
    pub(super) fn look(&self, places: BTreeSet<Place>) -> Reply {
        if self.is_blind {
            return Reply::NotSent("connection refused".to_owned());
        }
        let mut served = Served::at(places);
        for page in self.sets.values().collect::<Vec<_>>().chunks(2) {
            let page = json!({"kind": "dns#resourceRecordSetsListResponse", "rrsets": page});
            served.take(page.to_string().as_bytes()).unwrap();
        }
        Reply::Served(served)
    }
}

fn key(set: &RecordSet) -> (String, String) {
    (set.name.to_ascii_lowercase(), set.rtype.clone())
}

fn part(reason: &str, message: String) -> Part {
    let reason = reason.to_owned();
    Part { reason, message }
}
