//! A change as Cloud DNS takes it: `changes.create`.

use std::fmt::Display;

use janitor_plugin_api::dns::RrsetRef;
use janitor_plugin_api::dns::text::rdata_display;
use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use super::served::Text;

/// The body of a request.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) additions: Vec<RecordSet<'a>>,
    pub(super) deletions: Vec<RecordSet<'a>>,
}

/// A record set of a body.
#[derive(Clone, Copy)]
pub(super) struct RecordSet<'a> {
    pub(super) rrset: RrsetRef<'a>,
    /// Its name and rdata as they are listed, where they are to be repeated to the letter.
    pub(super) text: Option<&'a Text>,
}

impl Serialize for RecordSet<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rrset = self.rrset;
        let mut set = serializer.serialize_struct("RecordSet", 5)?;
        match self.text {
            Some(text) => set.serialize_field("name", &text.name)?,
            None => set.serialize_field("name", &Shown(rrset.owner()))?,
        }
        set.serialize_field("type", &Shown(rrset.rtype()))?;
        set.serialize_field("ttl", &rrset.ttl().as_secs())?;
        match self.text {
            Some(text) => set.serialize_field("rrdatas", &text.rrdatas)?,
            None => set.serialize_field("rrdatas", &Rdatas(rrset))?,
        }
        set.serialize_field("kind", "dns#resourceRecordSet")?;
        set.end()
    }
}

struct Rdatas<'a>(RrsetRef<'a>);

impl Serialize for Rdatas<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rtype = self.0.rtype();
        let rdatas = self.0.rdatas();
        serializer.collect_seq(rdatas.map(|rdata| Shown(rdata_display(rtype, rdata))))
    }
}

struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
