//! What is asked of one server about one zone, and what its answers are.

use domain::base::name::ToName as _;
use domain::base::rdata::ComposeRecordData as _;
use domain::rdata::Soa as WireSoa;
use janitor_plugin_api::dns::{Name, Serial};

use super::Unread;
use crate::connection::Connection;
use crate::fault::{Fault, Unfit};
use crate::kept::Kept;
use crate::message::{Answer, Request, wire_name};
use crate::transfer::{Axfr, Increment, Ixfr, Progress, TransferFault, Transferred};

/// Octets of a transfer after which other zones have their turn: reads take turns on one thread, and
/// what has arrived already waits for nothing.
const TURN: usize = 256 << 10;

/// The SOA of a zone as its server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Soa {
    pub(super) serial: Serial,
    /// In canonical form.
    pub(super) rdata: Vec<u8>,
}

/// Asks for the SOA of the zone at `apex`; none if the server does not say that it serves the zone.
pub(super) async fn soa(connection: &mut Connection, apex: &Name) -> Result<Option<Soa>, Fault> {
    let mut exchange = connection.ask(Request::Soa(apex.clone())).await?;
    let soa = soa_in(exchange.next().await?.no_error()?, apex)?;
    exchange.done()?;
    Ok(soa)
}

fn soa_in(answer: Answer<'_>, apex: &Name) -> Result<Option<Soa>, Unfit> {
    let message = answer.message();
    if !message.header().aa() {
        return Ok(None);
    }
    let answer = message.answer().or(Err(Unfit::Malformed))?;
    for record in answer.limit_to_in::<WireSoa<_>>() {
        let record = record.or(Err(Unfit::Malformed))?;
        if record.owner().name_eq(wire_name(apex.as_ref())) {
            let mut rdata = Vec::new();
            let written = record.data().compose_canonical_rdata(&mut rdata);
            written.or(Err(Unfit::Malformed))?;
            let serial = Serial(record.data().serial().into_int());
            return Ok(Some(Soa { serial, rdata }));
        }
    }
    Ok(None)
}

/// Transfers the zone at `apex` whole (RFC 5936).
pub(super) async fn whole(connection: &mut Connection, apex: &Name) -> Result<Transferred, Unread> {
    let mut axfr = Axfr::new(apex.clone());
    let request = Request::Axfr(apex.clone());
    receive(connection, request, |message| axfr.take(message)).await?;
    Ok(axfr.finish()?)
}

/// Octets that differences may have whatever the zone has; beyond both, the whole zone is less work.
const SMALL: usize = 1 << 20;

/// Asks for what changed in the zone at `apex` since it was kept (RFC 1995), and returns it with the
/// number of octets of the answer.
pub(super) async fn since(
    connection: &mut Connection,
    apex: &Name,
    kept: &Kept,
) -> Result<(Increment, u64), Unread> {
    let most = kept.zone_octets().max(SMALL);
    let mut ixfr = Ixfr::new(apex.clone(), kept.serial(), most);
    let request = Request::Ixfr {
        apex: apex.clone(),
        soa: kept.soa().to_owned(),
    };
    let octets = receive(connection, request, |message| ixfr.take(message)).await?;
    Ok((ixfr.finish()?, octets))
}

/// Gives every message of the answer to `take` until it has the last, and returns their octets.
async fn receive(
    connection: &mut Connection,
    request: Request,
    mut take: impl FnMut(&[u8]) -> Result<Progress, TransferFault>,
) -> Result<u64, Unread> {
    let mut exchange = connection.ask(request).await?;
    let (mut octets, mut turn) = (0, 0);
    loop {
        let message = exchange.next().await?.no_error()?.octets();
        octets += message.len() as u64;
        turn += message.len();
        if take(message)? == Progress::Done {
            break;
        }
        if turn >= TURN {
            turn = 0;
            tokio::task::yield_now().await;
        }
    }
    // Nothing of an answer counts before its last signature does.
    exchange.done()?;
    Ok(octets)
}
