//! Makes RRs out of octets, so that the fuzzer reaches what lies behind the checks.

mod library;

use janitor_plugin_api::dns::{Name, Rtype, Ttl, ZoneBuilder};

pub use library::library;

/// The zone of all targets.
pub fn apex() -> Name {
    "example.test".parse().expect("it is a name")
}

/// A builder that was given the RRs that `data` spells, as far as it takes them.
pub fn builder(data: &[u8], reversed: bool) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new(apex());
    let mut rrs = rrs(data);
    if reversed {
        rrs.reverse();
    }
    for rr in rrs {
        // Most are refused; the builder must be as it was before.
        drop(builder.push_wire(&rr.owner, rr.rtype, rr.ttl, rr.rdata));
    }
    builder
}

struct Rr<'a> {
    owner: Vec<u8>,
    rtype: Rtype,
    ttl: Ttl,
    rdata: &'a [u8],
}

/// Each RR is: octets of the owner, type, TTL, octets of rdata; owner; rdata.
fn rrs(mut data: &[u8]) -> Vec<Rr<'_>> {
    let mut rrs = Vec::new();
    while let [owner_octets, rtype, ttl, rdata_octets, rest @ ..] = data {
        let (owner, rest) = rest.split_at(rest.len().min(usize::from(*owner_octets)));
        let (rdata, rest) = rest.split_at(rest.len().min(usize::from(*rdata_octets)));
        let mut owner = owner.to_vec();
        owner.extend_from_slice(apex().as_wire());
        rrs.push(Rr {
            owner,
            rtype: Rtype(u16::from(*rtype)),
            ttl: Ttl::from_secs(u32::from(*ttl)).expect("it is short"),
            rdata,
        });
        data = rest;
    }
    rrs
}
