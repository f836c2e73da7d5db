//! The RRs of one message's answer section, names uncompressed.

use std::ops::Range;

use janitor_plugin_api::dns::{Rtype, Ttl};

use super::name::{self, Extent, NameFault};

const HEADER: usize = 12;
const CLASS_IN: u16 = 1;

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MessageFault {
    #[error("it is shorter than the header of a message")]
    Header,
    #[error("it says of itself that it is truncated")]
    Truncated,
    #[error("it ends before the records that it announces")]
    EndsEarly,
    #[error("octets follow its last record")]
    TrailingOctets,
    #[error("it has {0} questions, not one or none")]
    Questions(u16),
    #[error("it has no records in its answer section")]
    Empty,
    #[error("it has a record of class {0}, not IN")]
    Class(u16),
    #[error("it has a name that is not valid")]
    Name(#[from] NameFault),
}

/// One RR of a message, as it is there; only its names are uncompressed.
pub(super) struct Record<'a> {
    pub(super) owner: &'a [u8],
    pub(super) rtype: Rtype,
    pub(super) ttl: Ttl,
    pub(super) rdata: &'a [u8],
}

/// Room for what one RR uncompresses to, used again for the next.
#[derive(Default)]
pub(super) struct Scratch {
    owner: Vec<u8>,
    rdata: Vec<u8>,
}

/// The answer section of a message.
pub(super) struct Answer<'m> {
    message: &'m [u8],
    at: usize,
    left: u16,
    /// RRs of the other sections.
    others: u32,
    /// Where the owner of the last RR starts, which is still in the scratch buffer.
    last_owner: Option<usize>,
}

impl<'m> Answer<'m> {
    /// Reads header and question.
    pub(super) fn new(message: &'m [u8]) -> Result<Self, MessageFault> {
        let header = message.get(..HEADER).ok_or(MessageFault::Header)?;
        if header[2] & 0x02 != 0 {
            return Err(MessageFault::Truncated);
        }
        let count = |at| u16::from_be_bytes([header[at], header[at + 1]]);
        let (questions, answers) = (count(4), count(6));
        let at = match questions {
            0 => HEADER,
            // Its name is followed by type and class.
            1 => name::skip(message, HEADER)? + 4,
            _ => return Err(MessageFault::Questions(questions)),
        };
        if answers == 0 {
            return Err(MessageFault::Empty);
        }
        Ok(Self {
            message,
            at,
            left: answers,
            others: u32::from(count(8)) + u32::from(count(10)),
            last_owner: None,
        })
    }

    /// Returns the RCODE of a message's header, without the bits that EDNS adds.
    pub(super) fn rcode(message: &[u8]) -> Option<u8> {
        message.get(3).map(|octet| octet & 0x0f)
    }

    /// Reads the next RR of the answer section.
    ///
    /// A TTL above 2³¹ − 1 is taken for 0 (RFC 2181, section 8).
    #[inline]
    pub(super) fn next<'a>(
        &mut self,
        scratch: &'a mut Scratch,
    ) -> Result<Option<Record<'a>>, MessageFault>
    where
        'm: 'a,
    {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let end = self.owner(&mut scratch.owner)?;
        let fixed = self.message.get(end..).and_then(<[u8]>::first_chunk);
        let &[t0, t1, c0, c1, s0, s1, s2, s3, l0, l1] = fixed.ok_or(MessageFault::EndsEarly)?;
        let class = u16::from_be_bytes([c0, c1]);
        if class != CLASS_IN {
            return Err(MessageFault::Class(class));
        }
        let rtype = Rtype(u16::from_be_bytes([t0, t1]));
        let start = end + 10;
        self.at = start + usize::from(u16::from_be_bytes([l0, l1]));
        if self.at > self.message.len() {
            return Err(MessageFault::EndsEarly);
        }
        Ok(Some(Record {
            owner: &scratch.owner,
            rtype,
            ttl: Ttl::from_secs(u32::from_be_bytes([s0, s1, s2, s3])).unwrap_or_default(),
            rdata: rdata(self.message, start..self.at, rtype, &mut scratch.rdata)?,
        }))
    }

    /// Checks what follows the answer section, once all of it was read.
    ///
    /// RRs of other sections are no part of a transfer (RFC 5936, sections 2.2.4 and 2.2.5) and passed over.
    pub(super) fn finish(mut self) -> Result<(), MessageFault> {
        for _ in 0..self.others {
            let fixed = name::skip(self.message, self.at)?;
            let length = self.message.get(fixed + 8..).and_then(<[u8]>::first_chunk);
            let length = u16::from_be_bytes(*length.ok_or(MessageFault::EndsEarly)?);
            self.at = fixed + 10 + usize::from(length);
        }
        match self.at.cmp(&self.message.len()) {
            std::cmp::Ordering::Less => Err(MessageFault::TrailingOctets),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(MessageFault::EndsEarly),
        }
    }

    /// Reads the owner of the next RR, and returns where what follows it begins.
    #[inline]
    fn owner(&mut self, owner: &mut Vec<u8>) -> Result<usize, MessageFault> {
        // Servers write the owner of several RRs once, and point to it from the others.
        if let Some(&[high @ 192..=255, low]) = self.message.get(self.at..self.at + 2)
            && self.last_owner == Some(usize::from(u16::from_be_bytes([high & 63, low])))
        {
            return Ok(self.at + 2);
        }
        owner.clear();
        let Extent { first_label, end } = name::decompress(self.message, self.at, owner)?;
        self.last_owner = Some(first_label);
        Ok(end)
    }
}

/// Returns the rdata in `range`, uncompressed into `scratch` if the type may have compressed names.
///
/// What is too short for its type is returned as it is: whoever takes the RR says so, and of which RR.
#[inline]
fn rdata<'a>(
    message: &'a [u8],
    range: Range<usize>,
    rtype: Rtype,
    scratch: &'a mut Vec<u8>,
) -> Result<&'a [u8], MessageFault> {
    let octets = &message[range.clone()];
    let Some((before, names)) = names(rtype, octets).filter(|&(before, _)| before <= octets.len())
    else {
        return Ok(octets);
    };
    scratch.clear();
    scratch.extend_from_slice(&octets[..before]);
    let message = &message[..range.end];
    let mut at = range.start + before;
    for _ in 0..names {
        if at == range.end {
            return Ok(octets);
        }
        at = name::decompress(message, at, scratch)?.end;
    }
    scratch.extend_from_slice(&message[at..]);
    Ok(scratch)
}

/// Returns how many octets of the rdata stand before its names, and how many names there are, for a type whose
/// names may be compressed.
///
/// These are the types of RFC 1035, those that RFC 3597, section 4, wants receivers to uncompress as well,
/// and DNAME and KX, for which older specifications allowed it. In all others, names are not compressed.
#[inline]
fn names(rtype: Rtype, rdata: &[u8]) -> Option<(usize, usize)> {
    match rtype {
        Rtype::A | Rtype::AAAA | Rtype::TXT => None,
        Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::DNAME => Some((0, 1)),
        Rtype::MD | Rtype::MF | Rtype::MB | Rtype::MG | Rtype::MR | Rtype::NXT => Some((0, 1)),
        Rtype::SOA | Rtype::MINFO | Rtype::RP => Some((0, 2)),
        Rtype::MX | Rtype::AFSDB | Rtype::RT | Rtype::KX => Some((2, 1)),
        Rtype::PX => Some((2, 2)),
        Rtype::SRV => Some((6, 1)),
        Rtype::SIG => Some((18, 1)),
        Rtype::NAPTR => {
            // Order and preference, then flags, services and a regular expression as character strings.
            let strings = (0..3).try_fold(4, |at, _| {
                rdata.get(at).map(|&length| at + 1 + usize::from(length))
            });
            Some((strings?, 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
