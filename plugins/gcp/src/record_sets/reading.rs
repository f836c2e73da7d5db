//! Record sets of a managed zone, page by page, become the zone.

use janitor_plugin_api::dns::{
    ActualZone, BuildError, Name, NameError, NameRef, Rtype, TextError, Ttl, TtlError, ZoneBuilder,
    text,
};
use janitor_plugin_api::in_one_line;

use super::page::{Listed, Page, Seconds, Text};
use crate::http::{Next, PageFault};

/// What is taken where a record set says no TTL, as the original janitor did.
pub(crate) const USUAL_TTL: Seconds = Seconds(300);

/// A zone of which pages are still to come.
///
/// What a managed zone holds is not always the zone alone: reverse zones may share one that is above
/// them all. Only what is at or below the apex is the zone's.
pub(crate) struct Listing {
    zone: ZoneBuilder,
    /// Record sets that went into the zone.
    taken: usize,
    /// Record sets that were listed, those of other zones included.
    listed: usize,
    /// Owners of SOA: the top of the managed zone, once.
    tops: Vec<Name>,
    /// The lowest name that the apex and all owners are at or below.
    reach: Name,
    /// The owner that had it be as high as it is.
    farthest: Option<Name>,
    /// Owners of NS from the apex upwards.
    cuts: Vec<Name>,
    held: Vec<Held>,
    rdatas: Vec<Vec<u8>>,
}

/// A zone that was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) zone: ActualZone,
    /// Record sets that were listed, those of other zones included.
    pub(crate) listed: usize,
    /// In the order in which they were listed.
    pub(crate) held: Vec<Held>,
}

/// A record set that no zone can hold as it is: nothing is changed at its owner.
#[derive(Debug, thiserror::Error)]
#[error("`{owner}` {rtype}")]
pub(crate) struct Held {
    owner: Name,
    rtype: String,
    #[source]
    reason: HeldReason,
}

impl Held {
    /// Whether it is as somebody wanted it, and not something that was not understood.
    pub(crate) const fn is_intended(&self) -> bool {
        matches!(self.reason, HeldReason::RoutingPolicy | HeldReason::Alias)
    }

    /// Owner, type and all causes.
    pub(crate) fn told(&self) -> String {
        in_one_line(self)
    }
}

/// Why a record set cannot be taken into a zone.
#[derive(Debug, thiserror::Error)]
enum HeldReason {
    /// Only they have no rdata; what they answer depends on who asks.
    #[error("a routing policy answers for it")]
    RoutingPolicy,
    /// Which only Cloud DNS has: it answers with the addresses of another name.
    #[error("DNS has no such type")]
    Alias,
    #[error("its type is not known")]
    Rtype,
    #[error("its TTL cannot be read")]
    Ttl(#[source] TtlError),
    #[error("its rdata cannot be read")]
    Text(#[source] TextError),
    #[error("its rdata cannot be taken")]
    Rdata(#[source] BuildError),
}

impl Listing {
    /// Nothing of the zone at `apex` yet.
    pub(crate) fn new(apex: NameRef<'_>) -> Self {
        Self {
            zone: ZoneBuilder::new(apex.to_owned()),
            taken: 0,
            listed: 0,
            tops: Vec::new(),
            reach: apex.to_owned(),
            farthest: None,
            cuts: Vec::new(),
            held: Vec::new(),
            rdatas: Vec::new(),
        }
    }

    /// Takes a page and says where the next one is.
    ///
    /// # Errors
    ///
    /// [`PageFault`] if the page is not what it should be.
    pub(crate) fn read_page(&mut self, page: &[u8]) -> Result<Next, PageFault> {
        let page: Page<'_> = serde_json::from_slice(page)?;
        for listed in &page.rrsets {
            self.take(listed)
                .map_err(|fault| PageFault::Unfit(in_one_line(&fault)))?;
        }
        let token = page.next_page_token.as_ref();
        Ok(Next::from_token(token.map(Text::as_str)))
    }

    /// Makes the zone of all that was listed.
    ///
    /// # Errors
    ///
    /// [`ListingFault`] if what was listed is not the whole of a managed zone that the zone is in.
    pub(crate) fn finish(mut self) -> Result<Read, ListingFault> {
        let apex = self.zone.apex();
        let top = match &self.tops[..] {
            [] => return Err(ListingFault::NoSoa),
            [top] => top,
            [one, .., other] => {
                return Err(ListingFault::SeveralSoa {
                    one: one.clone(),
                    other: other.clone(),
                });
            }
        };
        if !apex.is_at_or_below(top.as_ref()) {
            return Err(ListingFault::OtherZone { top: top.clone() });
        }
        if let Some(owner) = self.farthest
            && !self.reach.as_ref().is_at_or_below(top.as_ref())
        {
            let top = top.clone();
            return Err(ListingFault::Elsewhere { top, owner });
        }
        // What is below a delegation is glue, whatever the managed zone is shared by.
        if let Some(cut) = self.cuts.iter().find(|cut| *cut != top) {
            return Err(ListingFault::Delegated {
                top: top.clone(),
                cut: cut.clone(),
            });
        }
        for held in &self.held {
            self.zone.hold(held.owner.clone())?;
        }
        let zone = self.zone.build_actual()?;
        if zone.rrset_count() != self.taken {
            return Err(ListingFault::Twice);
        }
        Ok(Read {
            zone,
            listed: self.listed,
            held: self.held,
        })
    }

    fn take(&mut self, listed: &Listed<'_>) -> Result<(), ListingFault> {
        self.listed += 1;
        let text = listed.name.as_str();
        let owner: Name = text.parse().map_err(|source| ListingFault::Owner {
            owner: text.to_owned(),
            source,
        })?;
        let apex = self.zone.apex();
        let rtype = listed.rtype.as_str();
        if rtype == "SOA" {
            self.tops.push(owner.clone());
        }
        if rtype == "NS" && apex.is_at_or_below(owner.as_ref()) {
            self.cuts.push(owner.clone());
        }
        if !owner.as_ref().is_at_or_below(apex) {
            self.reach_out_to(owner);
            return Ok(());
        }
        match self.push(owner.as_ref(), listed) {
            Ok(()) => Ok(()),
            Err(HeldReason::Rdata(fault @ BuildError::TooLarge { .. })) => Err(fault.into()),
            Err(reason) => {
                let rtype = rtype.to_owned();
                self.held.push(Held {
                    owner,
                    rtype,
                    reason,
                });
                Ok(())
            }
        }
    }

    /// Notes an owner that is not the zone's.
    fn reach_out_to(&mut self, owner: Name) {
        let reach = self.reach.as_ref();
        let mut names = std::iter::successors(Some(reach), |name| name.parent());
        let above_both = names.find(|name| owner.as_ref().is_at_or_below(*name));
        match above_both {
            Some(name) if name != reach => {
                self.reach = name.to_owned();
                self.farthest = Some(owner);
            }
            _ => {}
        }
    }

    /// Adds a record set to the zone, whole or not at all.
    fn push(&mut self, owner: NameRef<'_>, listed: &Listed<'_>) -> Result<(), HeldReason> {
        if listed.rrdatas.is_empty() {
            return Err(HeldReason::RoutingPolicy);
        }
        if listed.rtype.as_str() == "ALIAS" {
            return Err(HeldReason::Alias);
        }
        let rtype: Rtype = listed
            .rtype
            .as_str()
            .parse()
            .ok()
            .ok_or(HeldReason::Rtype)?;
        let Seconds(seconds) = listed.ttl.unwrap_or(USUAL_TTL);
        let ttl = Ttl::from_secs(seconds).map_err(HeldReason::Ttl)?;
        self.rdatas.clear();
        for rdata in &listed.rrdatas {
            // Names are absolute, with or without their final dot.
            let octets = text::parse_rdata(rtype, rdata.as_str(), Name::root().as_ref());
            self.rdatas.push(octets.map_err(HeldReason::Text)?);
        }
        let mut is_new = 1;
        for octets in &self.rdatas {
            self.zone
                .push_wire(owner.as_wire(), rtype, ttl, octets)
                .map_err(HeldReason::Rdata)?;
            self.taken += std::mem::take(&mut is_new);
        }
        Ok(())
    }
}

/// Why what was listed cannot be made into the zone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListingFault {
    #[error("the name of the record set `{owner}` cannot be read")]
    Owner {
        owner: String,
        #[source]
        source: NameError,
    },
    #[error("it was listed without a SOA, which every managed zone has")]
    NoSoa,
    #[error("it was listed with several SOA, at `{one}` and at `{other}`")]
    SeveralSoa { one: Name, other: Name },
    #[error("it holds the zone `{top}`, as its SOA says")]
    OtherZone { top: Name },
    #[error("it holds the zone `{top}`, which delegates `{cut}` to other name servers")]
    Delegated { top: Name, cut: Name },
    #[error("it holds the zone `{top}`, and `{owner}` was listed, which is not in it")]
    Elsewhere { top: Name, owner: Name },
    #[error("a record set was listed twice: the managed zone was changed meanwhile")]
    Twice,
    #[error("its record sets are no zone")]
    Build(#[from] BuildError),
}

#[cfg(test)]
mod tests;
