//! Where a server listens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Whether this machine has IPv6.
pub(super) fn has_ipv6() -> bool {
    UdpSocket::bind("[::1]:0").is_ok()
}

/// Whether a server complains that somebody else has its port.
pub(super) fn is_of_a_taken_port(said: &str) -> bool {
    let said = said.to_lowercase();
    said.contains("address already in use") || said.contains("address in use")
}

/// A port that nobody has, over UDP and TCP, IPv4 and IPv6; for a moment at least.
///
/// It is below those that systems give to whoever does not ask for one, such as every client, and no two
/// servers of these tests are ever given the same.
pub(super) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const PORTS: u32 = 20_000;
    static NEXT: OnceLock<AtomicU32> = OnceLock::new();
    // So that tests that run beside these begin elsewhere.
    let next = NEXT.get_or_init(|| AtomicU32::new(std::process::id().wrapping_mul(7919)));
    for _ in 0..PORTS {
        let port = FIRST + next.fetch_add(1, Ordering::Relaxed) % PORTS;
        let port = u16::try_from(port).expect("ports have 16 bits");
        let is_free = |address: IpAddr| {
            let address = SocketAddr::from((address, port));
            TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
        };
        if is_free(Ipv4Addr::LOCALHOST.into())
            && (!has_ipv6() || is_free(Ipv6Addr::LOCALHOST.into()))
        {
            return port;
        }
    }
    panic!("there is no port that is free over UDP and TCP");
}
