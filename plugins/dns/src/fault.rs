//! What goes wrong between us and a server.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use domain::base::iana::{Opcode, Rcode};

use crate::signing::SignatureFault;
use crate::tls::TlsFault;

/// Why a server did not give what it was asked for.
///
/// A fault does not name the server; whoever reports it does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("cannot find the address of `{host}`")]
    Resolve {
        host: String,
        #[source]
        error: io::Error,
    },
    #[error("cannot connect{}", Attempts(.0))]
    Connect(Vec<(SocketAddr, ConnectFault)>),
    #[error("no {doing} within {} s (`timeout`)", .limit.as_secs_f64())]
    Timeout { doing: Doing, limit: Duration },
    #[error("the server closed the connection {0}")]
    Closed(Moment),
    #[error("the connection broke {0}")]
    Broken(Moment, #[source] io::Error),
    #[error("the request has {octets} octets, more than the 65535 of a message")]
    TooLarge { octets: usize },
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    #[error("the server answers {0}")]
    Rcode(Rcode),
}

/// Why one address of a server is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFault {
    #[error("no connection within {} s (`timeout`)", .0.as_secs_f64())]
    Timeout(Duration),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Tls(#[from] TlsFault),
}

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Resolving,
    Sending,
    /// The first message of an answer.
    Answering,
    /// A message after the first one.
    GoingOn,
}

/// When a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The request did not leave as a whole, so nobody can have acted on it.
    Sending,
    /// Nothing of the answer had arrived.
    BeforeAnswer,
    /// Between two messages of the answer.
    BetweenMessages,
    WithinMessage,
}

/// Why octets that came as an answer are none to what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the answer has {0} octets, less than the header of a message")]
    Short(usize),
    #[error("the answer has the ID {found}, the request had {expected}")]
    Id { expected: u16, found: u16 },
    #[error("the server sends a request in place of an answer")]
    Request,
    #[error("the answer has the opcode {0}, another one than the request")]
    Opcode(Opcode),
    #[error("the answer is truncated, which has no place in TCP")]
    Truncated,
    #[error("the answer is to another question")]
    Question,
    #[error("the answer does not say to which question")]
    NoQuestion,
    #[error("the answer breaks off within its question")]
    Malformed,
    #[error("the server speaks TLS there")]
    Tls,
}

impl Fault {
    /// Whether the server may have acted on the request although nobody can tell.
    ///
    /// An answer that cannot be trusted counts as none, also where it says that the signature was refused and
    /// so nothing done: whoever is on the path can say that in place of the answer.
    pub(crate) fn may_have_been_done(&self) -> bool {
        match self {
            Self::Resolve { .. } | Self::Connect(_) | Self::TooLarge { .. } | Self::Rcode(_) => {
                false
            }
            Self::Timeout { doing, .. } => matches!(doing, Doing::Answering | Doing::GoingOn),
            Self::Closed(moment) | Self::Broken(moment, _) => *moment != Moment::Sending,
            Self::Unfit(_) | Self::Signature(_) => true,
        }
    }

    /// Whether the same server may answer the same request a moment later.
    ///
    /// Whoever repeats an update asks [`may_have_been_done`](Self::may_have_been_done) first.
    pub(crate) fn is_worth_repeating(&self) -> bool {
        match self {
            Self::Resolve { .. }
            | Self::Connect(_)
            | Self::Timeout { .. }
            | Self::Closed(_)
            | Self::Broken(..) => true,
            Self::Rcode(rcode) => *rcode == Rcode::SERVFAIL,
            Self::TooLarge { .. } | Self::Unfit(_) | Self::Signature(_) => false,
        }
    }

    /// What an operator can do about it, where that is not plain.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Signature(fault) => fault.hint(),
            // With TLS 1.3 a server judges our certificate when we believe to be connected already.
            Self::Broken(_, error) => TlsFault::of(error)?.hint().map(ToOwned::to_owned),
            Self::Connect(attempts) => attempts.iter().find_map(|(_, fault)| match fault {
                ConnectFault::Tls(fault) => fault.hint().map(ToOwned::to_owned),
                ConnectFault::Timeout(_) | ConnectFault::Io(_) => None,
            }),
            Self::Rcode(Rcode::REFUSED) => Some(
                "the server has to allow this to the key, or to the address of this machine: \
                 BIND `allow-transfer` and `allow-update`, Knot `acl`, NSD `provide-xfr`, PowerDNS \
                 `allow-axfr-ips`, `TSIG-ALLOW-AXFR` and `TSIG-ALLOW-DNSUPDATE`"
                    .to_owned(),
            ),
            Self::Rcode(Rcode::NOTAUTH) => Some(
                "the server does not serve this zone, or only in another view; Knot and PowerDNS \
                 also say so where they do not allow this to the key, or to the address of this machine"
                    .to_owned(),
            ),
            Self::Unfit(Unfit::Tls) => Some("set `tls`, or the port of plain TCP".to_owned()),
            _ => None,
        }
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolving => "address of the server",
            Self::Sending => "room for the request",
            Self::Answering => "answer",
            Self::GoingOn => "further message of the answer",
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sending => "while the request was sent",
            Self::BeforeAnswer => "before it answered",
            Self::BetweenMessages => "before the answer was complete",
            Self::WithinMessage => "in the middle of a message",
        })
    }
}

/// The addresses that were tried, each with what came of it.
struct Attempts<'a>(&'a [(SocketAddr, ConnectFault)]);

impl fmt::Display for Attempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = " to";
        for (address, fault) in self.0 {
            write!(f, "{separator} {address}: {fault}")?;
            separator = ";";
        }
        Ok(())
    }
}
