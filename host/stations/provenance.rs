//! Which authorities each RRset of a desired zone comes from.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use janitor_plugin_api::dns::{NameRef, Origins, Rtype, Zone};

/// Which authorities each RRset of a desired zone comes from.
///
/// The zone itself goes on to its reconciler, and this stays. It remembers eight octets for each
/// RRset that does not come from where most do: two of one zone are mistaken for each other only if
/// their hashes of 64 bits are the same.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// The first is the one that most RRsets have, and has no members.
    sets: Vec<Set>,
    authorities: Arc<[Arc<str>]>,
}

#[derive(Clone, Debug)]
struct Set {
    sources: Arc<[Arc<str>]>,
    rrsets: usize,
    /// What hashes the RRsets have that come from these sources, ascending.
    members: Vec<u64>,
}

impl Provenance {
    /// Everything comes from `authority`, `rrsets` RRsets.
    #[must_use]
    pub fn only(authority: Arc<str>, rrsets: usize) -> Self {
        let sources = Arc::from([authority]);
        Self {
            authorities: Arc::clone(&sources),
            sets: vec![Set {
                sources,
                rrsets,
                members: Vec::new(),
            }],
        }
    }

    /// That of the joined `zone`, whose `origins` are positions in `authorities`.
    #[must_use]
    pub fn of_joined(zone: &Zone, origins: &Origins, authorities: Arc<[Arc<str>]>) -> Self {
        let mut sets = origins
            .sets()
            .iter()
            .map(|set| Set {
                sources: set.iter().map(|&at| Arc::clone(&authorities[at])).collect(),
                rrsets: 0,
                members: Vec::new(),
            })
            .collect::<Vec<_>>();
        for set in origins.each() {
            sets[set].rrsets += 1;
        }
        let most = (0..sets.len()).max_by_key(|&set| sets[set].rrsets);
        for (rrset, set) in zone.rrsets().zip(origins.each()) {
            if Some(set) != most {
                sets[set].members.push(hash(rrset.owner(), rrset.rtype()));
            }
        }
        for set in &mut sets {
            set.members.sort_unstable();
        }
        if let Some(most) = most {
            sets.swap(0, most);
        }
        Self { sets, authorities }
    }

    /// The authorities that an RRset of the desired zone comes from, the best first. What they say
    /// of an RRset that is not in that zone means nothing.
    #[must_use]
    pub fn of(&self, owner: NameRef<'_>, rtype: Rtype) -> &[Arc<str>] {
        let Some((most, others)) = self.sets.split_first() else {
            return &[];
        };
        if others.is_empty() {
            return &most.sources;
        }
        let hash = hash(owner, rtype);
        let set = others
            .iter()
            .find(|set| set.members.binary_search(&hash).is_ok());
        &set.unwrap_or(most).sources
    }

    /// The authorities that spoke of the zone, the best first.
    #[must_use]
    pub fn authorities(&self) -> &[Arc<str>] {
        &self.authorities
    }

    /// For each authority the RRsets of which it is the best source.
    pub fn best(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.authorities.iter().map(|authority| {
            let its = self.sets.iter();
            let its = its.filter(|set| set.sources.first() == Some(authority));
            (authority, its.map(|set| set.rrsets).sum())
        })
    }
}

fn hash(owner: NameRef<'_>, rtype: Rtype) -> u64 {
    let mut hasher = DefaultHasher::new();
    owner.as_wire().hash(&mut hasher);
    rtype.0.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use janitor_plugin_api::dns::{JoinPolicy, Name, Ttl, ZoneBuilder, join};

    use super::*;

    fn zone(owners: &[&str]) -> janitor_plugin_api::dns::DesiredZone {
        let mut builder = ZoneBuilder::new("a.test".parse().unwrap());
        for owner in owners {
            builder
                .push_text(owner, Ttl::default(), "A", "192.0.2.1")
                .unwrap();
        }
        builder.build_desired().unwrap()
    }

    #[test]
    fn every_rrset_of_a_joined_zone_has_its_sources() {
        let zones = [zone(&["a", "b", "c"]), zone(&["c", "d"]), zone(&["d", "c"])];
        let joined = join(&zones.each_ref(), JoinPolicy::Union).unwrap();
        let keys = ["x", "y", "z"].map(Arc::from);
        let provenance = Provenance::of_joined(&joined.zone, &joined.origins, keys.into());
        for (owner, expected) in [("a", "x"), ("b", "x"), ("c", "x y z"), ("d", "y z")] {
            let owner: Name = format!("{owner}.a.test").parse().unwrap();
            let sources = provenance.of(owner.as_ref(), Rtype::A).join(" ");
            assert_eq!(sources, expected, "{owner}");
        }
        let best = provenance.best().map(|(key, number)| (&**key, number));
        assert_eq!(best.collect::<Vec<_>>(), [("x", 3), ("y", 1), ("z", 0)]);
    }

    #[test]
    fn what_one_authority_says_comes_from_it() {
        let provenance = Provenance::only("x".into(), 3);
        let owner: Name = "a.test".parse().unwrap();
        assert_eq!(provenance.of(owner.as_ref(), Rtype::A), ["x".into()]);
        assert_eq!(Provenance::default().of(owner.as_ref(), Rtype::A), []);
    }
}
