//! Requests to Google's services.
//!
//! ```text
//!  a plugin ──► Google: token, address, pages ──► Exchange: attempts, pauses, deadline ──► connections
//!                 ▲                                   ▲
//!               Tokens ──── fetches its tokens ───────┘
//! ```
//!
//! What a service says becomes a [`Fault`] here, and nothing of a request but its address is in any text.

mod endpoints;
mod connect;
mod request;
mod answer;
mod retry;
mod exchange;
mod page;
mod client;
mod text;
mod transport;
mod fault;
mod tally;

pub(crate) use answer::{Answer, Part, Refusal};
pub(crate) use client::Google;
pub(crate) use endpoints::{Service, is_loopback};
pub(crate) use exchange::Exchange;
pub(crate) use fault::Fault;
pub(crate) use page::{Next, PageFault};
pub(crate) use request::{Repeat, Request};
pub(crate) use reqwest::Url;
pub(crate) use retry::{Deadline, Policy, up_to};
pub(crate) use text::shown;
pub(crate) use transport::TransportFault;

#[cfg(test)]
pub(crate) mod tests;
