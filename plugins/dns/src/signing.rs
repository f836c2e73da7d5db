//! Signatures of requests and answers (TSIG, RFC 8945).

use std::fmt;
use std::ops::RangeBounds;

use domain::base::Message;
use domain::base::iana::{Rcode, TsigRcode};
use domain::base::message_builder::{AdditionalBuilder, PushError};
use domain::dep::octseq::Octets;
use domain::rdata::tsig::Time48;
use domain::tsig::{ClientSequence, ValidationError};
use jiff::Timestamp;

use crate::key::Key;
use crate::message::{last_additional, skip_name};

const TSIG: u16 = 250;

/// What is still to be verified of one exchange.
#[derive(Debug)]
pub(crate) enum Signing {
    /// Signed with a key: so is the answer.
    Signed(Box<ClientSequence<Key>>),
    /// Without a key nothing is verified.
    Unsigned,
}

impl Signing {
    /// Signs `request` with `key`, if there is one.
    ///
    /// # Errors
    ///
    /// If the signature does not fit into the message.
    pub(crate) fn start(
        key: Option<&Key>,
        request: &mut AdditionalBuilder<Vec<u8>>,
    ) -> Result<Self, PushError> {
        match key {
            None => Ok(Self::Unsigned),
            Some(key) => ClientSequence::request(key.clone(), request, Time48::now())
                .map(|sequence| Self::Signed(Box::new(sequence))),
        }
    }

    /// Verifies the next message of the answer and returns how many of its octets are left without the
    /// signature.
    ///
    /// The message has at least a header.
    ///
    /// # Errors
    ///
    /// Why nobody can tell that the message is the server's; nothing in it counts then.
    pub(crate) fn verify(&mut self, octets: &mut [u8]) -> Result<usize, SignatureFault> {
        let signature = last_additional(octets).filter(|record| record.rtype == TSIG);
        let sequence = match (self, signature) {
            (Self::Unsigned, None) => return Ok(octets.len()),
            (Self::Unsigned, Some(_)) => return Err(SignatureFault::NotAsked),
            (Self::Signed(sequence), _) => sequence,
        };
        // What the server says of our clock comes first: `domain` 0.12.3 takes eight octets of the time
        // in such an answer into its digest, not six, and would find every one of them badly signed. Like
        // BADKEY and BADSIG, which are never signed, it is a text for operators, and proves nothing.
        if let Some(record) = signature
            && let Some(told) = Told::read(octets, record.rdata)
            && told.error == TsigRcode::BADTIME
            && let Some(theirs) = told.other
        {
            let ours = told.signed;
            return Err(SignatureFault::Clock { ours, theirs });
        }
        let rcode = Message::from_slice(octets).map_or(Rcode::FORMERR, |m| m.header().rcode());
        let mut message = Message::from_octets(InPlace(octets)).or(Err(SignatureFault::Form))?;
        match sequence.answer(&mut message, Time48::now()) {
            Ok(()) => Ok(signature.map_or(octets.len(), |record| record.start)),
            Err(error) => {
                let told = signature.and_then(|record| Told::read(octets, record.rdata));
                let key = sequence.key().name().to_string();
                Err(SignatureFault::new(error, &key, rcode, told.as_ref()))
            }
        }
    }

    /// Ends the exchange: its last message has to have been signed (RFC 8945, section 5.3.1).
    ///
    /// # Errors
    ///
    /// [`SignatureFault::LastUnsigned`] if it was not.
    pub(crate) fn done(self) -> Result<(), SignatureFault> {
        match self {
            Self::Unsigned => Ok(()),
            Self::Signed(sequence) => sequence.done().or(Err(SignatureFault::LastUnsigned)),
        }
    }
}

/// Why nobody can tell whether an answer is the server's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureFault {
    #[error("the server does not know the key `{key}`")]
    UnknownKey { key: String },
    #[error("the server finds our signature with the key `{key}` wrong")]
    Refused { key: String },
    #[error("the server refuses the time of our signature: {}", Clocks(.ours, .theirs))]
    Clock { ours: u64, theirs: u64 },
    #[error("the server refuses our signature with the TSIG error {error}")]
    Other { error: TsigRcode },
    #[error("the answer was not signed at the time it arrived: {}", Clocks(.now, .signed))]
    Time { now: u64, signed: u64 },
    #[error("the answer is not signed ({rcode}), the request was")]
    Unsigned { rcode: Rcode },
    #[error("the answer is signed although the request was not")]
    NotAsked,
    #[error("the answer is signed with another key than `{key}`, or with another algorithm")]
    OtherKey { key: String },
    #[error(
        "the signature of the answer is wrong: it was changed on its way, or signed with another secret"
    )]
    Wrong,
    #[error("the signature of the answer is shorter than its algorithm makes it")]
    Short,
    #[error("the signature of the answer is not where RFC 8945 wants it, or makes no sense")]
    Form,
    #[error("a hundred messages of the answer in a row are not signed")]
    TooManyUnsigned,
    #[error("the last message of the answer is not signed")]
    LastUnsigned,
}

impl SignatureFault {
    fn new(error: ValidationError, key: &str, rcode: Rcode, told: Option<&Told>) -> Self {
        let key = key.to_owned();
        match error {
            ValidationError::ServerBadKey => Self::UnknownKey { key },
            ValidationError::ServerBadSig => Self::Refused { key },
            ValidationError::ServerBadTime { client, server } => Self::Clock {
                ours: client.into(),
                theirs: server.into(),
            },
            ValidationError::ServerUnsigned => Self::Unsigned { rcode },
            ValidationError::BadKey | ValidationError::BadAlg => Self::OtherKey { key },
            ValidationError::TooManyUnsigned => Self::TooManyUnsigned,
            ValidationError::FormErr | ValidationError::BadOther => Self::Form,
            ValidationError::BadTime => Self::Time {
                now: Time48::now().into(),
                signed: told.map_or(0, |told| told.signed),
            },
            ValidationError::BadSig | ValidationError::BadTrunc => match told {
                Some(told) if told.error != TsigRcode::NOERROR => Self::Other { error: told.error },
                _ if matches!(error, ValidationError::BadTrunc) => Self::Short,
                _ => Self::Wrong,
            },
        }
    }

    /// What an operator can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownKey { .. } => {
                "name and algorithm in `tsig_key` have to be those of the key at the server; Knot also \
                 says so where no `acl` allows this to the key"
            }
            Self::OtherKey { .. } => {
                "name and algorithm in `tsig_key` have to be those of the key at the server"
            }
            Self::Refused { .. } | Self::Wrong => {
                "the secret of `tsig_key` has to be that of the key at the server"
            }
            Self::Clock { .. } | Self::Time { .. } => {
                "set the clocks of both machines; signatures hold for five minutes"
            }
            Self::Unsigned { rcode } if *rcode == Rcode::NOERROR => {
                "give the server the key of `tsig_key`, or take `tsig_key` away"
            }
            Self::Unsigned { .. } => {
                "the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
            }
            Self::NotAsked
            | Self::Other { .. }
            | Self::Short
            | Self::Form
            | Self::TooManyUnsigned
            | Self::LastUnsigned => return None,
        };
        Some(hint.to_owned())
    }
}

/// Our clock and another one, as an operator reads them.
struct Clocks<'a>(&'a u64, &'a u64);

impl fmt::Display for Clocks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(&ours, &theirs) = *self;
        let side = if theirs > ours { "ahead" } else { "behind" };
        write!(
            f,
            "its clock reads {}, ours {}; it is {} s {side}",
            Clock(theirs),
            Clock(ours),
            ours.abs_diff(theirs)
        )
    }
}

/// A time of a signature: seconds since 1970.
struct Clock(u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = i64::try_from(self.0)
            .ok()
            .and_then(|s| Timestamp::from_second(s).ok());
        match stamp {
            Some(stamp) => stamp.fmt(f),
            // 48 bits reach far beyond the years that calendars have.
            None => write!(f, "{} s", self.0),
        }
    }
}

/// What the signature of an answer says of the request's, read without believing it.
#[derive(Debug)]
struct Told {
    signed: u64,
    error: TsigRcode,
    /// The server's time, in an answer with the error BADTIME.
    other: Option<u64>,
}

impl Told {
    /// Reads the rdata of a TSIG at `at` (RFC 8945, section 4.2).
    fn read(octets: &[u8], at: usize) -> Option<Self> {
        let at = skip_name(octets, at)?;
        let (signed, rest) = octets.get(at..)?.split_first_chunk::<6>()?;
        let (_fudge, rest) = rest.split_first_chunk::<2>()?;
        let (mac, rest) = rest.split_first_chunk::<2>()?;
        let rest = rest.get(usize::from(u16::from_be_bytes(*mac))..)?;
        let (_id, rest) = rest.split_first_chunk::<2>()?;
        let (error, rest) = rest.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let other = rest.first_chunk::<6>();
        Some(Self {
            signed: seconds(signed),
            error: TsigRcode::from_int(u16::from_be_bytes(*error)),
            other: other.filter(|_| *length == [0, 6]).map(seconds),
        })
    }
}

/// A time of 48 bits.
fn seconds(time: &[u8; 6]) -> u64 {
    time.iter()
        .fold(0, |seconds, octet| seconds << 8 | u64::from(*octet))
}

/// A message that is verified where it lies in the buffer.
struct InPlace<'a>(&'a mut [u8]);

impl AsRef<[u8]> for InPlace<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl AsMut<[u8]> for InPlace<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        self.0
    }
}

impl Octets for InPlace<'_> {
    type Range<'a>
        = &'a [u8]
    where
        Self: 'a;

    fn range(&self, range: impl RangeBounds<usize>) -> Self::Range<'_> {
        Octets::range(&*self.0, range)
    }
}

#[cfg(test)]
mod tests;
