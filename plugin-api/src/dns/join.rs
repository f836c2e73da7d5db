//! Joins what several sources say of one zone.

use super::name::{Name, NameRef};
use super::origins::Origins;
use super::rrset::{Rdatas, RrsetRef};
use super::rtype::Rtype;
use super::succession::Search;
use super::zone::{DesiredZone, Rrsets};
use super::zone_writer::ZoneWriter;

/// What becomes of RRsets that several zones have, and have differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinPolicy {
    /// They are an error.
    Agreement,
    /// The first zone that has an RRset of an owner and type has it as a whole.
    Priority,
    /// All rdata count. What there may be one of only, and differs, is held.
    Union,
}

/// Several zones made one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined<'a> {
    /// The zone. It is complete if all of them are.
    pub zone: DesiredZone,
    /// Where its RRsets come from.
    pub origins: Origins,
    /// What is not in it as one of the zones has it, in canonical order of the owners.
    pub lost: Vec<Lost<'a>>,
}

/// An RRset of one zone that is not in the joined zone as it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost<'a> {
    /// The RRset.
    pub rrset: RrsetRef<'a>,
    /// The position of the zone that has it.
    pub source: usize,
    /// The position of the zone whose word counts; none if nobody's does.
    pub winner: Option<usize>,
    /// Why.
    pub reason: LossReason,
}

/// Why an RRset is not in a joined zone as one of the zones has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossReason {
    /// An earlier zone has another RRset of this owner and type.
    Order,
    /// A CNAME and other data cannot be at one owner (RFC 1034, section 3.6.2).
    Alias,
    /// There may be one rdata only, and another zone has another.
    Single,
    /// Another zone has a lower TTL. The rdata are in the joined zone.
    Ttl,
}

/// Why zones cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// There is nothing to join.
    #[error("no zone is given")]
    NoZones,
    /// The zones are not the same.
    #[error("zone `{other}` is not zone `{first}`")]
    Apex {
        /// The apex of the first zone.
        first: Name,
        /// Another.
        other: Name,
    },
    /// Two zones contradict each other, and [`JoinPolicy::Agreement`] was asked for.
    #[error("they contradict each other at `{owner}`: {} and {}", .rtypes[0], .rtypes[1])]
    Contradiction {
        /// Where.
        owner: Name,
        /// The types of the two RRsets; two different ones are a CNAME and other data.
        rtypes: [Rtype; 2],
        /// The positions of the zones that have them.
        sources: [usize; 2],
    },
    /// A zone is one buffer of at most 4 GiB.
    #[error("the joined zone has more than 4294967295 octets")]
    TooLarge,
}

/// Joins `zones`, of which the first counts most.
///
/// What only one zone has, or all that have it have alike, is taken as it is. The rest is decided as
/// `policy` says:
///
/// - Of SOA and NS at the apex the first zone's are taken, and that is no loss: they are the
///   primary's anyway.
/// - A CNAME in one zone and other data at its owner in another contradict each other. With
///   [`Priority`](JoinPolicy::Priority) the first zone with either decides which of them it is. With
///   [`Union`](JoinPolicy::Union) the owner is held, and nothing is desired there; the same if two
///   CNAME or two DNAME differ.
/// - The TTL of an RRset that is a union is the lowest of them (RFC 2181, section 5.2, has them equal).
///
/// The owners that any zone holds are held. Takes one pass over all zones and does not allocate for
/// each RRset.
///
/// # Errors
///
/// [`JoinError`], if the zones are not of one apex, contradict each other where they must not, or do
/// not fit into one buffer.
pub fn join<'a>(zones: &[&'a DesiredZone], policy: JoinPolicy) -> Result<Joined<'a>, JoinError> {
    let Some(first) = zones.first() else {
        return Err(JoinError::NoZones);
    };
    if let Some(other) = zones.iter().find(|zone| zone.apex() != first.apex()) {
        return Err(JoinError::Apex {
            first: first.apex().to_owned(),
            other: other.apex().to_owned(),
        });
    }
    let octets = zones.iter().map(|zone| zone.octets().len());
    let mut pass = Pass {
        apex: first.apex(),
        policy,
        sides: zones.iter().map(|zone| zone.rrsets()).collect(),
        search: Search::new(),
        here: Vec::new(),
        same: Vec::new(),
        rdatas: Vec::new(),
        set: Vec::new(),
        // Mostly zones have different owners.
        writer: ZoneWriter::with_capacity(octets.sum()),
        origins: Origins::default(),
        lost: Vec::new(),
        held: zones.iter().flat_map(|zone| zone.held()).collect(),
    };
    while pass.step()? {
        if pass.writer.is_too_large() {
            return Err(JoinError::TooLarge);
        }
    }
    let Pass {
        writer,
        origins,
        lost,
        mut held,
        ..
    } = pass;
    held.sort_unstable();
    held.dedup();
    let complete = zones.iter().all(|zone| zone.is_complete());
    let zone = writer.finish_desired(first.apex().to_owned(), complete, &held);
    Ok(Joined {
        zone: zone.ok_or(JoinError::TooLarge)?,
        origins,
        lost,
    })
}

/// What a zone has at one owner.
struct Here<'a> {
    source: usize,
    rrsets: Rrsets<'a>,
    kind: Kind,
    /// Whether what is of its kind lost.
    has_lost: bool,
}

impl<'a> Here<'a> {
    /// The next RRset that counts.
    fn peek(&mut self) -> Option<RrsetRef<'a>> {
        while let Some(rrset) = self.rrsets.peek() {
            if !(self.has_lost && Kind::of(rrset.rtype()) == self.kind) {
                return Some(rrset);
            }
            self.rrsets.pass(rrset);
        }
        None
    }

    /// Its RRsets that exclude those of another kind.
    fn of_its_kind(&self) -> impl Iterator<Item = RrsetRef<'a>> + use<'a> {
        let kind = self.kind;
        let rrsets = self.rrsets.clone();
        rrsets.filter(move |rrset| Kind::of(rrset.rtype()) == kind)
    }
}

/// What is at an owner, as far as a CNAME and other data exclude each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alias,
    Data,
    /// Nothing that could not stand beside the other.
    Neither,
}

impl Kind {
    fn of(rtype: Rtype) -> Self {
        match rtype {
            Rtype::CNAME => Self::Alias,
            _ if rtype.may_stand_beside_cname() => Self::Neither,
            _ => Self::Data,
        }
    }

    fn excludes(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Alias, Self::Data) | (Self::Data, Self::Alias)
        )
    }
}

struct Pass<'a> {
    apex: NameRef<'a>,
    policy: JoinPolicy,
    /// What is left of each zone.
    sides: Vec<Rrsets<'a>>,
    search: Search<'a>,
    here: Vec<Here<'a>>,
    /// The RRsets of one owner and type, each with the position of its zone.
    same: Vec<(usize, RrsetRef<'a>)>,
    rdatas: Vec<Rdatas<'a>>,
    set: Vec<usize>,
    writer: ZoneWriter,
    origins: Origins,
    lost: Vec<Lost<'a>>,
    held: Vec<NameRef<'a>>,
}

impl<'a> Pass<'a> {
    /// Passes the next owner, or all owners up to one that two zones may have. False at the end.
    fn step(&mut self) -> Result<bool, JoinError> {
        let mut least: Option<(NameRef<'a>, usize)> = None;
        let mut shared = false;
        // The first owner after the least that another zone has.
        let mut limit: Option<NameRef<'a>> = None;
        for (source, side) in self.sides.iter().enumerate() {
            let Some(owner) = side.peek().map(RrsetRef::owner) else {
                continue;
            };
            match least {
                Some((known, _)) if owner == known => shared = true,
                Some((known, _)) if owner > known => {
                    limit = Some(limit.map_or(owner, |limit| limit.min(owner)));
                }
                Some((known, _)) => {
                    limit = Some(limit.map_or(known, |limit| limit.min(known)));
                    least = Some((owner, source));
                    shared = false;
                }
                None => least = Some((owner, source)),
            }
        }
        let Some((owner, source)) = least else {
            return Ok(false);
        };
        if shared {
            self.owner(owner)?;
        } else {
            self.pass_alone(source, limit);
        }
        Ok(true)
    }

    /// Takes what the zone `source` has before `limit`: nobody else says anything there.
    fn pass_alone(&mut self, source: usize, limit: Option<NameRef<'a>>) {
        let side = &mut self.sides[source];
        let run = match limit {
            None => side.pass_while(|_| true),
            Some(limit) => {
                let search = &mut self.search;
                search.aim(limit.as_wire());
                side.pass_while(|rrset| search.is_before(rrset.owner_and_rdata()))
            }
        };
        self.origins.push(run.len(), &[source]);
        self.writer.push_all(run);
    }

    /// Joins what several zones have at one owner.
    fn owner(&mut self, owner: NameRef<'a>) -> Result<(), JoinError> {
        self.here.clear();
        for (source, side) in self.sides.iter_mut().enumerate() {
            let rrsets = side.pass_while(|rrset| rrset.is_owned_by(owner.as_wire()));
            let kinds = rrsets.clone().map(|rrset| Kind::of(rrset.rtype()));
            let kind = kinds.fold(Kind::Neither, |known, kind| match kind {
                Kind::Neither => known,
                kind => kind,
            });
            if rrsets.len() > 0 {
                self.here.push(Here {
                    source,
                    rrsets,
                    kind,
                    has_lost: false,
                });
            }
        }
        if self.settle_kinds(owner)? || self.settle_singles(owner) {
            return Ok(());
        }
        while self.next_type(owner)? {}
        Ok(())
    }

    /// Decides between a CNAME and other data. True if nobody does, and the owner is held.
    fn settle_kinds(&mut self, owner: NameRef<'a>) -> Result<bool, JoinError> {
        let mut decided = self.here.iter().filter(|here| here.kind != Kind::Neither);
        let Some(leader) = decided.next() else {
            return Ok(false);
        };
        let Some(rival) = decided.find(|here| here.kind.excludes(leader.kind)) else {
            return Ok(false);
        };
        let (kind, winner) = match self.policy {
            JoinPolicy::Agreement => {
                return match (leader.of_its_kind().next(), rival.of_its_kind().next()) {
                    (Some(first), Some(second)) => Err(contradiction(
                        owner,
                        (leader.source, first),
                        (rival.source, second),
                    )),
                    _ => Ok(false),
                };
            }
            JoinPolicy::Priority => (Some(leader.kind), Some(leader.source)),
            JoinPolicy::Union => (None, None),
        };
        for here in &mut self.here {
            here.has_lost = here.kind != Kind::Neither && Some(here.kind) != kind;
            if here.has_lost {
                self.lost.extend(here.of_its_kind().map(|rrset| Lost {
                    rrset,
                    source: here.source,
                    winner,
                    reason: LossReason::Alias,
                }));
            }
        }
        if kind.is_none() {
            self.held.push(owner);
        }
        Ok(kind.is_none())
    }

    /// Looks for different rdata of a type that may have one only, where a union would have both. True
    /// if there are, and the owner is held.
    fn settle_singles(&mut self, owner: NameRef<'a>) -> bool {
        if self.policy != JoinPolicy::Union {
            return false;
        }
        let singles = |here: &Here<'a>| {
            let rrsets = here.rrsets.clone();
            // The SOA is the only one at the apex that is nobody's loss.
            rrsets.filter(|rrset| rrset.rtype().is_singleton() && rrset.rtype() != Rtype::SOA)
        };
        let first_lost = self.lost.len();
        for here in &self.here {
            for rrset in singles(here) {
                let differs = |other: RrsetRef<'a>| {
                    other.rtype() == rrset.rtype() && !other.rdatas().eq(rrset.rdatas())
                };
                if self.here.iter().flat_map(singles).any(differs) {
                    self.lost.push(Lost {
                        rrset,
                        source: here.source,
                        winner: None,
                        reason: LossReason::Single,
                    });
                }
            }
        }
        let found = self.lost.len() > first_lost;
        if found {
            self.held.push(owner);
        }
        found
    }

    /// Joins the RRsets of the type that comes next at an owner. False if there is none.
    fn next_type(&mut self, owner: NameRef<'a>) -> Result<bool, JoinError> {
        let ahead = self.here.iter_mut().filter_map(Here::peek);
        let Some(rtype) = ahead.map(RrsetRef::rtype).min() else {
            return Ok(false);
        };
        self.same.clear();
        for here in &mut self.here {
            if let Some(rrset) = here.peek().filter(|rrset| rrset.rtype() == rtype) {
                here.rrsets.pass(rrset);
                self.same.push((here.source, rrset));
            }
        }
        let first = self.same[0];
        let differs = |(_, rrset): &&(usize, RrsetRef<'a>)| *rrset != first.1;
        let is_primarys = owner == self.apex && matches!(rtype, Rtype::SOA | Rtype::NS);
        if let Some(second) = self.same.iter().find(differs).filter(|_| !is_primarys) {
            match self.policy {
                JoinPolicy::Agreement => return Err(contradiction(owner, first, *second)),
                JoinPolicy::Union => {
                    self.union();
                    return Ok(true);
                }
                JoinPolicy::Priority => {
                    let others = self.same.iter().filter(differs);
                    self.lost.extend(others.map(|&(source, rrset)| Lost {
                        rrset,
                        source,
                        winner: Some(first.0),
                        reason: LossReason::Order,
                    }));
                }
            }
        }
        let alike = self.same.iter().filter(|(_, rrset)| *rrset == first.1);
        self.set.clear();
        self.set.extend(alike.map(|(source, _)| *source));
        self.origins.push(1, &self.set);
        self.writer.push(first.1);
        Ok(true)
    }

    /// Takes all rdata of RRsets of one owner and type.
    fn union(&mut self) {
        let lowest = self.same.iter().min_by_key(|(_, rrset)| rrset.ttl());
        let Some(&(winner, lowest)) = lowest else {
            return;
        };
        let ttl = lowest.ttl();
        for &(source, rrset) in &self.same {
            if rrset.ttl() > ttl {
                self.lost.push(Lost {
                    rrset,
                    source,
                    winner: Some(winner),
                    reason: LossReason::Ttl,
                });
            }
        }
        self.rdatas.clear();
        self.rdatas
            .extend(self.same.iter().map(|(_, rrset)| rrset.rdatas()));
        self.writer.push_union(lowest, &mut self.rdatas);
        self.set.clear();
        self.set.extend(self.same.iter().map(|(source, _)| *source));
        self.origins.push(1, &self.set);
    }
}

fn contradiction(
    owner: NameRef<'_>,
    first: (usize, RrsetRef<'_>),
    second: (usize, RrsetRef<'_>),
) -> JoinError {
    JoinError::Contradiction {
        owner: owner.to_owned(),
        rtypes: [first.1.rtype(), second.1.rtype()],
        sources: [first.0, second.0],
    }
}

#[cfg(test)]
mod tests;
