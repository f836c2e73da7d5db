//! The client against servers that answer well, badly, late and not at all.

pub(crate) mod log;
pub(crate) mod server;
mod child;
mod connections;
mod tls;
mod addresses;
mod answering;
mod paging;
mod texts;
mod vectors;
mod pauses;
mod repeating;

use std::time::Duration;

use super::{Google, Policy, Service, Url};
use crate::auth::Tokens;
use server::Server;

/// A client without credentials that asks `server` for everything.
fn client(server: &Server) -> Google {
    Google::testing(&server.url(), Tokens::none())
}

/// Something to ask for.
fn address(google: &Google) -> Url {
    google
        .url(Service::Dns, &["dns", "v1", "projects", "p-1"])
        .unwrap()
}

/// Runs a test's exchanges on a thread of their own, as plugins do.
fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

/// A fault with all its causes.
fn text(fault: &dyn std::error::Error) -> String {
    let links = std::iter::successors(Some(fault), |link| link.source());
    links
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Time for one attempt: the pause behind it is longer than what is left.
const fn once() -> Policy {
    Policy::longest_pauses(Duration::from_secs(60), Duration::from_secs(30))
}
