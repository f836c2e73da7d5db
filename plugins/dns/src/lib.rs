//! Name servers: zones are read by transfer and changed by update.
//!
//! - the reconciler `dns.axfr` reads the served zones from name servers (RFC 5936, RFC 1995);
//! - the authority `dns.primary` takes the desired state of zones from a primary, in the same way;
//! - the publisher `dns.update` changes zones at their primary (RFC 2136).

mod settings;
mod file;
mod key;
mod tls;
mod fault;
mod message;
mod signing;
mod connection;
mod server;
mod transfer;
mod kept;
mod reading;
mod axfr;
mod catalog;
mod primary;
mod update;
mod read_back;

janitor_plugin_api::export! {
    /// Reads the served zones from name servers, by zone transfer.
    reconciler "dns.axfr" => axfr::Axfr;
    /// Takes the desired state of zones from a name server, by zone transfer.
    authority "dns.primary" => primary::Primary;
    /// Changes zones at their primary by UPDATE, each RRset only if it is as it was planned from.
    publisher "dns.update" => update::Update;
}
