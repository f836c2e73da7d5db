//! Requests, and what makes a message the answer to one.

use domain::base::iana::{Class, Opcode, Rcode};
use domain::base::message_builder::{AdditionalBuilder, PushError, QuestionBuilder};
use domain::base::name::Name as WireName;
use domain::base::rdata::UnknownRecordData;
use domain::base::{Message, MessageBuilder, Rtype as WireRtype};
use janitor_plugin_api::dns::{Name, NameRef, Rtype};

use crate::fault::{Fault, Unfit};

const HEADER: usize = 12;

/// What a server is asked.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// The SOA of the zone.
    Soa(Name),
    /// The whole zone (RFC 5936).
    Axfr(Name),
    /// What has changed in the zone since `soa`, the rdata of the SOA that is known, its names
    /// uncompressed (RFC 1995, section 3).
    Ixfr { apex: Name, soa: Vec<u8> },
    /// One RRset.
    Query { owner: Name, rtype: Rtype },
    /// One RRset, with what signs it (RFC 4035, section 3.2.1).
    Signatures { owner: Name, rtype: Rtype },
    /// An UPDATE (RFC 2136), complete but for its ID and its signature.
    Update(AdditionalBuilder<Vec<u8>>),
}

impl Request {
    /// The message with `id`, not signed yet.
    ///
    /// # Errors
    ///
    /// If the rdata of a SOA is longer than a record can hold.
    pub(crate) fn build(&self, id: u16) -> Result<AdditionalBuilder<Vec<u8>>, PushError> {
        let mut message = match self {
            Self::Soa(apex) => query(apex.as_ref(), Rtype::SOA)?.additional(),
            Self::Axfr(apex) => query(apex.as_ref(), Rtype::AXFR)?.additional(),
            Self::Query { owner, rtype } => query(owner.as_ref(), *rtype)?.additional(),
            Self::Signatures { owner, rtype } => {
                let mut message = query(owner.as_ref(), *rtype)?.additional();
                message.opt(|opt| {
                    opt.set_dnssec_ok(true);
                    Ok(())
                })?;
                message
            }
            Self::Ixfr { apex, soa } => {
                let mut message = query(apex.as_ref(), Rtype::IXFR)?.authority();
                let soa = UnknownRecordData::from_octets(WireRtype::SOA, soa.as_slice())
                    .or(Err(PushError::ShortBuf))?;
                message.push((wire_name(apex.as_ref()), Class::IN, 0, soa))?;
                message.additional()
            }
            Self::Update(message) => message.clone(),
        };
        message.header_mut().set_id(id);
        Ok(message)
    }

    /// Whether the request changes anything, so that it must not be sent twice unseen.
    pub(crate) fn is_update(&self) -> bool {
        matches!(self, Self::Update(_))
    }
}

/// A message that asks for `rtype` at `owner`, of a server that has the answer itself: recursion is not
/// desired.
fn query(owner: NameRef<'_>, rtype: Rtype) -> Result<QuestionBuilder<Vec<u8>>, PushError> {
    let mut message = MessageBuilder::new_vec().question();
    message.push((wire_name(owner), WireRtype::from_int(rtype.0), Class::IN))?;
    Ok(message)
}

/// The name as the library for messages wants it.
pub(crate) fn wire_name(name: NameRef<'_>) -> &WireName<[u8]> {
    WireName::from_slice(name.as_wire()).expect("a canonical name is a name")
}

/// What a message needs to be an answer to a request.
#[derive(Debug)]
pub(crate) struct Expected {
    id: u16,
    opcode: Opcode,
    /// The name, type and class asked for.
    question: Vec<u8>,
}

impl Expected {
    /// What answers to `request` have in common.
    pub(crate) fn of(request: &[u8]) -> Option<Self> {
        let header = Message::from_slice(request).ok()?.header();
        let end = skip_question(request, HEADER)?;
        Some(Self {
            id: header.id(),
            opcode: header.opcode(),
            question: request[HEADER..end].to_owned(),
        })
    }

    /// Checks that `octets` are a message that answers the request.
    ///
    /// The question has to be repeated, except in later messages of a transfer (RFC 5936, section
    /// 2.2.1), in answers to an UPDATE (RFC 2136, section 3.8) and by a server that did not come as far
    /// as reading it.
    ///
    /// # Errors
    ///
    /// The first thing that does not fit. Over TCP nobody else can have sent the message, so another one
    /// is not worth waiting for.
    pub(crate) fn check(&self, octets: &[u8], is_first: bool) -> Result<(), Unfit> {
        let message = Message::from_slice(octets).or(Err(Unfit::Short(octets.len())))?;
        let header = message.header();
        if header.id() != self.id {
            let (expected, found) = (self.id, header.id());
            return Err(Unfit::Id { expected, found });
        }
        if !header.qr() {
            return Err(Unfit::Request);
        }
        if header.opcode() != self.opcode {
            return Err(Unfit::Opcode(header.opcode()));
        }
        if header.tc() {
            return Err(Unfit::Truncated);
        }
        match message.header_counts().qdcount() {
            0 if !is_first || self.opcode != Opcode::QUERY || header.rcode() != Rcode::NOERROR => {
                Ok(())
            }
            0 => Err(Unfit::NoQuestion),
            1 => {
                let end = skip_question(octets, HEADER).ok_or(Unfit::Malformed)?;
                let is_same = is_same_question(&octets[HEADER..end], &self.question);
                is_same.then_some(()).ok_or(Unfit::Question)
            }
            _ => Err(Unfit::Question),
        }
    }
}

/// Whether two questions are the same but for the letter case of their names.
fn is_same_question(one: &[u8], other: &[u8]) -> bool {
    // The lengths of labels are below all letters, so the octets of the name can be compared blindly.
    // Types and classes are not: 65 and 97 are two of them, and `A` and `a`.
    match (one.split_last_chunk::<4>(), other.split_last_chunk::<4>()) {
        (Some((name, of_type)), Some((other_name, other_type))) => {
            of_type == other_type && name.eq_ignore_ascii_case(other_name)
        }
        _ => false,
    }
}

/// Where the last record of a message begins, its type, and where it ends.
///
/// `None` if there is no record in the additional section, or the octets end before it does. Nothing but
/// lengths is looked at.
pub(crate) fn last_additional(octets: &[u8]) -> Option<Record> {
    let counts = Message::from_slice(octets).ok()?.header_counts();
    if counts.arcount() == 0 {
        return None;
    }
    let mut at = HEADER;
    for _ in 0..counts.qdcount() {
        at = skip_question(octets, at)?;
    }
    let before = usize::from(counts.ancount())
        + usize::from(counts.nscount())
        + usize::from(counts.arcount() - 1);
    for _ in 0..before {
        at = record(octets, at)?.end;
    }
    record(octets, at)
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) start: usize,
    pub(crate) rtype: u16,
    pub(crate) rdata: usize,
    pub(crate) end: usize,
}

fn record(octets: &[u8], start: usize) -> Option<Record> {
    let fixed = skip_name(octets, start)?;
    let &[t0, t1, _, _, _, _, _, _, l0, l1] = octets.get(fixed..)?.first_chunk::<10>()?;
    let rdata = fixed + 10;
    let end = rdata + usize::from(u16::from_be_bytes([l0, l1]));
    let rtype = u16::from_be_bytes([t0, t1]);
    (end <= octets.len()).then_some(Record {
        start,
        rtype,
        rdata,
        end,
    })
}

fn skip_question(octets: &[u8], at: usize) -> Option<usize> {
    let end = skip_name(octets, at)? + 4;
    (end <= octets.len()).then_some(end)
}

/// Where the name at `at` ends; a compression pointer ends it (RFC 1035, section 4.1.4).
pub(crate) fn skip_name(octets: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *octets.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            192.. => return (at + 2 <= octets.len()).then_some(at + 2),
            64..=191 => return None,
        }
    }
}

/// A message of an answer: verified, and without its signature.
#[derive(Clone, Copy)]
pub(crate) struct Answer<'a>(&'a [u8]);

impl<'a> Answer<'a> {
    /// The octets of a header, which every message has.
    pub(crate) const LEAST: usize = HEADER;

    /// The ID of a message that has a header.
    pub(crate) fn id_of(octets: &[u8]) -> u16 {
        octets.first_chunk().map_or(0, |id| u16::from_be_bytes(*id))
    }

    /// Takes octets that [`Expected::check`] has seen.
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        debug_assert!(octets.len() >= HEADER);
        Self(octets)
    }

    /// The whole message.
    pub(crate) fn octets(self) -> &'a [u8] {
        self.0
    }

    /// The message as the library for messages wants it.
    pub(crate) fn message(self) -> &'a Message<[u8]> {
        Message::from_slice(self.0).expect("a message has a header")
    }

    /// What the server says of the request as a whole.
    pub(crate) fn rcode(self) -> Rcode {
        self.message().header().rcode()
    }

    /// The answer, if its RCODE is NOERROR.
    ///
    /// # Errors
    ///
    /// [`Fault::Rcode`] with any other.
    pub(crate) fn no_error(self) -> Result<Self, Fault> {
        match self.rcode() {
            Rcode::NOERROR => Ok(self),
            rcode => Err(Fault::Rcode(rcode)),
        }
    }
}

#[cfg(test)]
mod tests;
