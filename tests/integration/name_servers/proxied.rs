//! The proxy does to a transfer what it is told to, seen by a client that trusts what arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::janitor::HEAD;
use crate::peers::dns_client;
use crate::peers::name_server::{Access, Kind, NameServer, Options};
use crate::peers::proxy::{Exchange, Fault, Proxy, Spot};

const APEX: &str = "example.com";

/// A server that transfers a zone of several messages to anybody.
fn server() -> Option<NameServer> {
    let options = Options {
        transfer: Access::Anyone,
        ..Options::default()
    };
    let records = (0..3000).map(|n| format!("host-{n} TXT \"{}\"\n", "x".repeat(40)));
    let text = format!("{HEAD}{}", records.collect::<String>());
    NameServer::start(Kind::Knot, &[(APEX, text)], &options)
}

/// How many records arrive, or why none do.
fn through(proxy: &Proxy) -> Result<usize, String> {
    match dns_client::transfer(proxy.address(), APEX) {
        Ok(records) => Ok(records.len()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn without_a_fault_everything_passes_and_requests_are_counted() {
    let Some(server) = server() else { return };
    let proxy = Proxy::before(server.address());
    assert_eq!(through(&proxy), Ok(3002));
    assert_eq!(dns_client::serial(proxy.address(), APEX).ok(), Some(1));
    assert_eq!(proxy.requests(Exchange::Axfr), 1);
    assert_eq!(proxy.requests(Exchange::Soa), 1);
    assert_eq!(proxy.requests(Exchange::Update), 0);
}

#[test]
fn messages_are_cut_lost_doubled_swapped_and_changed() {
    let Some(server) = server() else { return };
    let second = Spot::answer(Exchange::Axfr, 2);
    let of_second = |fault| {
        let proxy = Proxy::before(server.address());
        proxy.once(second, fault);
        let first = through(&proxy);
        // The next transfer is as it should be.
        assert_eq!(through(&proxy), Ok(3002));
        first
    };
    let whole = 3002;
    assert_eq!(
        of_second(Fault::Cut(1000)),
        Err("failed to fill whole buffer".to_owned())
    );
    assert!(of_second(Fault::Drop).is_ok_and(|records| records < whole));
    assert!(of_second(Fault::Twice).is_ok_and(|records| records > whole));
    assert_eq!(of_second(Fault::Swap), Ok(whole));
    assert_eq!(of_second(Fault::Trickle(Duration::ZERO)), Ok(whole));
    let shortened = of_second(Fault::change(|message| message.truncate(11)));
    assert!(shortened.is_err_and(|error| error.contains("short")));
    let refused = of_second(Fault::change(|message| message[3] |= 5));
    assert_eq!(refused, Err("REFUSED".to_owned()));
}

#[test]
fn something_happens_before_a_message_arrives() {
    let Some(server) = server() else { return };
    let proxy = Proxy::before(server.address());
    let happened = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&happened);
    proxy.always(
        Spot::request(Exchange::Axfr),
        Fault::first(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }),
    );
    assert_eq!(through(&proxy), Ok(3002));
    assert_eq!(happened.load(Ordering::Relaxed), 1);
    proxy.heal();
    assert_eq!(through(&proxy), Ok(3002));
    assert_eq!(happened.load(Ordering::Relaxed), 1);
}

#[test]
fn requests_are_told_apart() {
    let Some(server) = server() else { return };
    let proxy = Proxy::before(server.address());
    proxy.always(Spot::request(Exchange::Axfr), Fault::Cut(0));
    assert!(through(&proxy).is_err());
    assert_eq!(dns_client::serial(proxy.address(), APEX).ok(), Some(1));
}
