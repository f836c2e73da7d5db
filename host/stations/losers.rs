//! What lost where several authorities speak of one zone.

use std::sync::Arc;

use janitor_plugin_api::dns::{LossReason, Lost, NameRef, Rtype};

/// What lost where several authorities speak of one zone, in canonical order of the owners.
///
/// One buffer: millions of RRsets may lose.
#[derive(Clone, Debug, Default)]
pub struct Losers {
    authorities: Arc<[Arc<str>]>,
    octets: Vec<u8>,
    number: usize,
    undecided: usize,
}

/// One RRset of one authority that is not desired as this one has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loser<'a> {
    /// Its owner.
    pub owner: NameRef<'a>,
    /// Its type.
    pub rtype: Rtype,
    /// The authority that has it.
    pub authority: &'a str,
    /// The authority whose word counts. If nobody's does, the owner stays as it is served.
    pub winner: Option<&'a str>,
    /// Why.
    pub reason: LossReason,
}

impl Losers {
    /// What `lost`, with positions in `authorities`.
    #[must_use]
    pub fn new(lost: &[Lost<'_>], authorities: Arc<[Arc<str>]>) -> Self {
        let mut losers = Self {
            authorities,
            ..Self::default()
        };
        let mut last = None;
        for lost in lost {
            let (owner, rtype) = (lost.rrset.owner(), lost.rrset.rtype());
            let position = |at: usize| u16::try_from(at).unwrap_or(NOBODY).to_be_bytes();
            losers.octets.extend_from_slice(&rtype.0.to_be_bytes());
            losers.octets.extend_from_slice(&position(lost.source));
            let winner = lost.winner.map_or(NOBODY.to_be_bytes(), position);
            losers.octets.extend_from_slice(&winner);
            losers.octets.push(number(lost.reason));
            losers.octets.extend_from_slice(owner.as_wire());
            losers.number += 1;
            if lost.winner.is_none() && last != Some(owner) {
                losers.undecided += 1;
                last = Some(owner);
            }
        }
        losers.octets.shrink_to_fit();
        losers
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.number
    }

    /// Whether nothing lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.number == 0
    }

    /// Owners that stay as they are because nobody's word counts there.
    #[must_use]
    pub fn undecided(&self) -> usize {
        self.undecided
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Loser<'_>> {
        let mut rest = &*self.octets;
        std::iter::from_fn(move || {
            let (head, tail) = rest.split_first_chunk::<HEAD>()?;
            let [
                high,
                low,
                source_high,
                source_low,
                winner_high,
                winner_low,
                reason,
            ] = *head;
            let authority = |high, low| {
                let at = u16::from_be_bytes([high, low]);
                self.authorities.get(usize::from(at)).map(|key| &**key)
            };
            let (owner, tail) = split_name(tail)?;
            rest = tail;
            Some(Loser {
                owner,
                rtype: Rtype(u16::from_be_bytes([high, low])),
                authority: authority(source_high, source_low).unwrap_or_default(),
                winner: authority(winner_high, winner_low),
                reason: REASONS[usize::from(reason)],
            })
        })
    }
}

impl Loser<'_> {
    /// Why it lost, for people.
    #[must_use]
    pub fn why(&self) -> String {
        let winner = self.winner.unwrap_or("nobody");
        match self.reason {
            LossReason::Order => format!("`{winner}` comes first and has another"),
            LossReason::Alias if self.winner.is_some() => {
                format!("`{winner}` comes first, and a CNAME and other data exclude each other")
            }
            LossReason::Alias => {
                "a CNAME and other data exclude each other; the name stays as it is".to_owned()
            }
            LossReason::Ttl => format!("`{winner}` has a lower TTL; the values count"),
            _ => format!(
                "there may be one {} only, and they differ; the name stays as it is",
                self.rtype
            ),
        }
    }

    /// Why it lost, in a word, for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.reason {
            LossReason::Order => "order",
            LossReason::Alias => "alias",
            LossReason::Ttl => "ttl",
            _ => "single",
        }
    }
}

const HEAD: usize = 7;
const NOBODY: u16 = u16::MAX;
const REASONS: [LossReason; 4] = [
    LossReason::Order,
    LossReason::Alias,
    LossReason::Single,
    LossReason::Ttl,
];

fn number(reason: LossReason) -> u8 {
    match reason {
        LossReason::Order => 0,
        LossReason::Alias => 1,
        LossReason::Ttl => 3,
        _ => 2,
    }
}

fn split_name(octets: &[u8]) -> Option<(NameRef<'_>, &[u8])> {
    let mut end = 0;
    while let length @ 1.. = *octets.get(end)? {
        end += usize::from(length) + 1;
    }
    let (name, rest) = octets.split_at_checked(end + 1)?;
    Some((NameRef::from_canonical_wire(name).ok()?, rest))
}
