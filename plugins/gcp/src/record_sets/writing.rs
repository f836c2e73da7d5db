//! RRsets as record sets.

use janitor_plugin_api::dns::RrsetRef;
use janitor_plugin_api::dns::text::rdata_display;
use serde::Serialize;

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

/// Writes an RRset as a record set: names absolute, texts in quotes, everything else in presentation
/// format (RFC 1035, section 5.1).
pub(crate) fn to_json(rrset: RrsetRef<'_>) -> RecordSet {
    let rtype = rrset.rtype();
    RecordSet {
        kind: "dns#resourceRecordSet",
        name: rrset.owner().to_string(),
        rtype: rtype.to_string(),
        ttl: rrset.ttl().as_secs(),
        rrdatas: rrset
            .rdatas()
            .map(|rdata| rdata_display(rtype, rdata).to_string())
            .collect(),
    }
}
