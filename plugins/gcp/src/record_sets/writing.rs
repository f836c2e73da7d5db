//! RRsets as record sets.

use janitor_plugin_api::dns::RrsetRef;
use janitor_plugin_api::dns::text::rdata_display;
use serde::Serialize;

const KIND: &str = "dns#resourceRecordSet";

/// A record set as Cloud DNS takes and gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RecordSet {
    kind: &'static str,
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    ttl: u32,
    rrdatas: Vec<String>,
}

impl RecordSet {
    /// A record set in the very words in which it is listed, which are those to delete it with.
    pub(crate) fn listed(name: &str, rtype: &str, ttl: u32, rrdatas: Vec<String>) -> Self {
        Self {
            kind: KIND,
            name: name.to_owned(),
            rtype: rtype.to_owned(),
            ttl,
            rrdatas,
        }
    }

    /// Its rdata, in the order in which they are listed.
    pub(crate) fn rrdatas(&self) -> &[String] {
        &self.rrdatas
    }
}

/// Writes an RRset as a record set: names absolute, texts in quotes, everything else in presentation
/// format (RFC 1035, section 5.1).
pub(crate) fn to_json(rrset: RrsetRef<'_>) -> RecordSet {
    let rtype = rrset.rtype();
    RecordSet {
        kind: KIND,
        name: rrset.owner().to_string(),
        rtype: rtype.to_string(),
        ttl: rrset.ttl().as_secs(),
        rrdatas: rrset
            .rdatas()
            .map(|rdata| rdata_display(rtype, rdata).to_string())
            .collect(),
    }
}

#[cfg(test)]
mod tests;
