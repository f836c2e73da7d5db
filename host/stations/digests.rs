//! Digests of what a plan was made from, so that it can be told later whether that is still so.
//!
//! They are taken only for a plan that is sealed or applied.

use janitor_plugin_api::dns::{ActualZone, DesiredZone, LeftAlone};
use sha2::{Digest as _, Sha256};

use crate::preflight::Digest;

/// The digests of both sides of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of the desired zone, whether complete or not.
    pub desired: Digest,
    /// Of the actual zone as far as it is compared; none if the reconciler did not give it.
    pub actual: Option<Digest>,
}

/// The digest of a desired zone: its apex, and its buffer.
#[must_use]
pub fn of_desired(zone: &DesiredZone) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(zone.apex().as_wire());
    hasher.update(zone.octets());
    Digest::new(hasher.finalize().into())
}

/// The digest of what a comparison looks at in an actual zone: everything but the SOA and the NS at the
/// apex, and what a signer makes; and the owners held. A zone that is signed anew, or whose serial
/// advances, keeps it.
#[must_use]
pub fn of_actual(zone: &ActualZone) -> Digest {
    let left_alone = LeftAlone::default();
    let mut hasher = Sha256::new();
    hasher.update(zone.apex().as_wire());
    for rrset in zone.rrsets() {
        // An entry begins with its length, so that none can be read as a part of another.
        if !left_alone.contains(rrset.owner(), rrset.rtype(), zone.apex()) {
            hasher.update(rrset.octets());
        }
    }
    for owner in zone.held() {
        // No entry has the length 0.
        hasher.update([0; 4]);
        hasher.update(owner.as_wire());
    }
    Digest::new(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use janitor_plugin_api::dns::{Ttl, ZoneBuilder};

    use super::*;

    fn zone(rrsets: &[(&str, &str, &str)]) -> ActualZone {
        let mut builder = ZoneBuilder::new("a.test".parse().unwrap());
        for (owner, rtype, rdata) in rrsets {
            builder
                .push_text(owner, Ttl::default(), rtype, rdata)
                .unwrap();
        }
        builder.build_actual().unwrap()
    }

    const SOA: &str = "ns hostmaster 1 3600 600 86400 60";

    #[test]
    fn what_the_primary_and_its_signer_write_is_not_part_of_it() {
        let plain = [("@", "SOA", SOA), ("www", "A", "192.0.2.1")];
        let signed = [
            ("@", "SOA", "ns hostmaster 2 3600 600 86400 60"),
            ("@", "NS", "ns2"),
            ("@", "DNSKEY", "257 3 13 AAAA"),
            ("www", "A", "192.0.2.1"),
            (
                "www",
                "RRSIG",
                "A 13 3 300 20300101000000 20200101000000 1 a.test. AAAA",
            ),
        ];
        assert_eq!(of_actual(&zone(&plain)), of_actual(&zone(&signed)));
    }

    #[test]
    fn everything_else_is() {
        let digest = |rrsets: &[_]| of_actual(&zone(rrsets));
        let base = digest(&[("www", "A", "192.0.2.1")]);
        for other in [
            &[("www", "A", "192.0.2.2")][..],
            &[("ww", "A", "192.0.2.1")],
            &[("www", "AAAA", "2001:db8::1")],
            &[("www", "A", "192.0.2.1"), ("www", "A", "192.0.2.2")],
            &[("www", "A", "192.0.2.1"), ("sub", "NS", "ns")],
            &[],
        ] {
            assert_ne!(digest(other), base, "{other:?}");
        }
    }

    #[test]
    fn owners_held_are_part_of_it() {
        let holding = |owners: &[&str]| {
            let mut builder = ZoneBuilder::new("a.test".parse().unwrap());
            for owner in owners {
                builder.hold(owner.parse().unwrap()).unwrap();
            }
            of_actual(&builder.build_actual().unwrap())
        };
        let digests = [
            of_actual(&zone(&[])),
            holding(&["x.a.test"]),
            holding(&["y.a.test"]),
            holding(&["x.a.test", "y.a.test"]),
            holding(&["x.y.a.test"]),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }
}
