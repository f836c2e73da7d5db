//! The server that a zone's changes are sent to.

use std::sync::Arc;

use domain::base::Rtype as WireRtype;
use domain::base::iana::Rcode;
use domain::base::name::ToName;
use domain::base::rdata::{ComposeRecordData as _, UnknownRecordData};
use domain::rdata::Soa;
use janitor_plugin_api::dns::{NameRef, Rtype, Serial, Ttl};
use janitor_plugin_api::in_one_line;

use super::message;
use super::verdict;
use super::work::{Reply, Step};
use crate::fault::Fault;
use crate::message::{Answer, Request, wire_name};
use crate::server::Server;
use crate::signing::{SignatureFault, Signing};

/// Does what the work on one zone asks for.
///
/// The servers are tried in turn until one answers; from then on it is the one, so that whatever is asked
/// about an update is asked of the server that got it.
pub(super) struct Primary<'a> {
    apex: NameRef<'a>,
    servers: &'a [Arc<Server>],
    /// The one that answered.
    chosen: Option<&'a Arc<Server>>,
}

impl<'a> Primary<'a> {
    /// `servers` is not empty.
    pub(super) fn new(apex: NameRef<'a>, servers: &'a [Arc<Server>]) -> Self {
        Self {
            apex,
            servers,
            chosen: None,
        }
    }

    /// The server that has answered, or would be asked first.
    pub(super) fn server(&self) -> Option<&'a Arc<Server>> {
        self.chosen.or(self.servers.first())
    }

    /// Most octets of an UPDATE, without its signature, whichever of the servers it goes to.
    pub(super) fn limit(&self) -> usize {
        let signature = self.servers.iter().map(|server| signature_octets(server));
        message::MAX_OCTETS - signature.max().unwrap_or(0)
    }

    pub(super) async fn take(&mut self, step: Step<'_>) -> Option<Reply> {
        let request = match step {
            Step::AskSoa => Request::Soa(self.apex.to_owned()),
            Step::AskTtl(owner, rtype) => Request::Query {
                owner: owner.to_owned(),
                rtype,
            },
            Step::AskSignatures(owner, rtype) => Request::Signatures {
                owner: owner.to_owned(),
                rtype,
            },
            Step::Send(message) => Request::Update(message),
            Step::Done => return None,
        };
        let candidates = match &self.chosen {
            Some(server) => std::slice::from_ref(*server),
            None => self.servers,
        };
        let mut faults = Vec::new();
        let mut last = None;
        for server in candidates {
            match self.ask(server, request.clone()).await {
                Ok(reply) => {
                    self.chosen = Some(server);
                    return Some(reply);
                }
                Err(fault) => {
                    let may_have_been_done = fault.may_have_been_done();
                    faults.push(format!("`{}`: {}", server.shown(), told(&fault)));
                    let is_update = matches!(request, Request::Update(_));
                    if is_update && may_have_been_done {
                        self.chosen = Some(server);
                        last = Some(fault);
                        break;
                    }
                    last = Some(fault);
                }
            }
        }
        let text = faults.join("; ");
        Some(match last {
            Some(Fault::Unfit(_) | Fault::Signature(_)) => Reply::Doubtful(text),
            Some(fault) if fault.may_have_been_done() => Reply::Lost(text),
            Some(fault) if fault.is_worth_repeating() => Reply::NotSent(text),
            _ => Reply::Rejected(text),
        })
    }

    async fn ask(&self, server: &Arc<Server>, request: Request) -> Result<Reply, Fault> {
        let asked = request.clone();
        let mut connection = server.connection().await?;
        let mut exchange = connection.ask(request).await?;
        let answer = exchange.next().await?;
        let reply = match asked {
            Request::Soa(_) => soa(self.apex, answer),
            Request::Query { owner, rtype } => ttl(owner.as_ref(), rtype, answer),
            Request::Signatures { owner, rtype } => signatures(owner.as_ref(), rtype, answer),
            _ => Reply::Rcode(answer.rcode()),
        };
        exchange.done()?;
        Ok(reply)
    }
}

/// The octets that a signature for the server takes: those that signing a message adds.
fn signature_octets(server: &Server) -> usize {
    let mut message = domain::base::MessageBuilder::new_vec().additional();
    let before = message.as_slice().len();
    match Signing::start(server.key(), &mut message) {
        Ok(_) => message.as_slice().len() - before,
        Err(_) => 0,
    }
}

/// The SOA in the answer of a server that has the zone.
fn soa(apex: NameRef<'_>, answer: Answer<'_>) -> Reply {
    let message = answer.message();
    if let Err(fault) = answer.no_error() {
        return match fault {
            Fault::Rcode(rcode) => Reply::Rcode(rcode),
            fault => Reply::Doubtful(fault.to_string()),
        };
    }
    let found = message.answer().ok().and_then(|section| {
        let mut records = section.limit_to_in::<Soa<_>>().flatten();
        records.find(|record| record.owner().name_eq(wire_name(apex)))
    });
    let rdata = found.and_then(|record| {
        let mut rdata = Vec::new();
        record.data().compose_rdata(&mut rdata).ok()?;
        Some((rdata, Serial(record.data().serial().into_int())))
    });
    Reply::Soa(rdata.filter(|_| message.header().aa()))
}

fn ttl(owner: NameRef<'_>, rtype: Rtype, answer: Answer<'_>) -> Reply {
    let message = answer.message();
    let found = message.answer().ok().and_then(|section| {
        let mut records = section.flatten();
        records.find(|record| {
            record.rtype() == WireRtype::from_int(rtype.0)
                && record.owner().name_eq(wire_name(owner))
        })
    });
    let ttl = found.and_then(|record| Ttl::from_secs(record.ttl().as_secs()).ok());
    Reply::Ttl(ttl.filter(|_| message.header().aa()))
}

/// The signatures of an RRset, in the answer or, of the NSEC at a zone cut, in the authority section.
fn signatures(owner: NameRef<'_>, rtype: Rtype, answer: Answer<'_>) -> Reply {
    let message = answer.message();
    let sections = [message.answer(), message.authority()];
    let records = sections.into_iter().flatten().flatten().flatten();
    let ours = records.filter_map(|record| {
        let record = record.to_record::<UnknownRecordData<&[u8]>>().ok()??;
        let is_ours = record.rtype() == WireRtype::RRSIG
            && record.owner().name_eq(wire_name(owner))
            // The type covered is the first field (RFC 4034, section 3.1).
            && record.data().data().starts_with(&rtype.0.to_be_bytes());
        is_ours.then(|| record.data().data().to_vec())
    });
    Reply::Signatures(ours.collect())
}

/// The fault with its causes and, where there is one, the way out of it.
fn told(fault: &Fault) -> String {
    let text = in_one_line(fault);
    match fault {
        // NSD never signs its NOTIMP.
        Fault::Signature(SignatureFault::Unsigned { rcode }) if *rcode == Rcode::NOTIMP => {
            format!(
                "{text}; if it is the server's own, {}",
                verdict::text(*rcode)
            )
        }
        fault => match fault.hint() {
            Some(hint) => format!("{text}; {hint}"),
            None => text,
        },
    }
}
