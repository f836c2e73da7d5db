//! Record sets of Cloud DNS and RRsets: from the one to the other and back.

mod page;
mod reading;
mod writing;

pub(crate) use page::{Listed, Page, Seconds, Text};
pub(crate) use reading::{Held, Listing, USUAL_TTL};
pub(crate) use writing::{RecordSet, to_json};

/// What is asked for of each record set, as the original janitor did.
///
/// Of one that is answered by a routing policy this leaves no `rrdatas`, which is how it is known.
pub(crate) const FIELDS: &str =
    "rrsets/name,rrsets/kind,rrsets/rrdatas,rrsets/type,rrsets/ttl,nextPageToken";
