//! No octets from Google's services make the reading of pages panic; what was listed twice, or after something that was
//! not understood, is no zone; and nothing that is shown of an answer has a secret in it or what a terminal obeys.
//!
//! Input is: an octet with which members of instances are wanted; the pages, an octet of 0xff between them.

#![no_main]

use gordon_janitor_fuzz::apex;
use janitor_plugin_api::dns::Rtype;
use libfuzzer_sys::fuzz_target;

use self::instances::instance::Wanted;
use self::record_sets::reading::Listing;

mod http {
    pub(crate) use crate::page::{Next, PageFault};
}
#[path = "../../plugins/gcp/src/http/page.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod page;
#[path = "../../plugins/gcp/src/http/text.rs"]
mod text;
#[path = "../../plugins/gcp/src/instances"]
mod instances {
    #[expect(dead_code, reason = "the library uses the rest")]
    pub(crate) mod instance;
    pub(crate) mod page;
    #[expect(dead_code, reason = "the library uses the rest")]
    mod shape;
}
#[path = "../../plugins/gcp/src/record_sets"]
mod record_sets {
    pub(crate) mod page;
    #[expect(dead_code, reason = "the library uses the rest")]
    pub(crate) mod reading;
}

/// What no text may have in it.
const SECRET: &str = "secret";

fuzz_target!(|data: &[u8]| {
    let Some((&wanted, data)) = data.split_first() else {
        return;
    };
    let pages = data.split(|octet| *octet == 0xff).collect::<Vec<_>>();
    let wanted = Wanted {
        tags: wanted & 1 != 0,
        metadata: wanted & 2 != 0,
        labels: wanted & 4 != 0,
    };
    for body in &pages {
        let read = instances::page::read_page(body, wanted, |_, instance| drop(instance));
        assert!(read.is_err() || body.contains(&b'{'));
        drop(read.map_err(|fault| fault.to_string()));
        let shown = text::shown(&String::from_utf8_lossy(body), &[SECRET]);
        assert!(!shown.contains(SECRET) && !shown.contains(char::is_control));
    }
    are_a_zone(&pages);
});

/// The pages as those of a managed zone, once and twice.
fn are_a_zone(pages: &[&[u8]]) {
    let apex = apex();
    let mut listing = Listing::new(apex.as_ref());
    if !pages.iter().all(|page| listing.read_page(page).is_ok()) {
        return;
    }
    if let Ok(read) = listing.finish() {
        let rrsets = read.zone.rrsets();
        let (mut count, mut soa) = (0, 0);
        for rrset in rrsets {
            assert!(rrset.owner().is_at_or_below(apex.as_ref()));
            soa += usize::from(rrset.rtype() == Rtype::SOA);
            count += 1;
        }
        assert!(soa <= 1 && count <= read.listed);
        let again = pages.iter().chain(pages);
        let mut listing = Listing::new(apex.as_ref());
        for page in again {
            listing.read_page(page).expect("it was read before");
        }
        assert!(listing.finish().is_err(), "a listing twice is a zone");
    }
}
