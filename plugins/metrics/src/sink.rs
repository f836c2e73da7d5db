//! Where datagrams go.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

/// Where a statsd listens.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// `HOST:PORT`, over UDP.
    Address(String),
    /// A Unix datagram socket.
    Socket(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// How long a statsd may keep its socket full before it counts as gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// A socket towards a target, connected when the first datagram goes out.
pub(crate) struct Sink {
    target: Target,
    socket: Option<Socket>,
    /// Why there is no use in trying further.
    gone: Option<(io::ErrorKind, String)>,
}

enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

impl Sink {
    pub(crate) fn new(target: Target) -> Self {
        Self {
            target,
            socket: None,
            gone: None,
        }
    }

    /// Sends one datagram. Waits a second at most, and never again after it has waited in vain.
    pub(crate) fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        if let Some((kind, text)) = &self.gone {
            return Err(io::Error::new(*kind, text.clone()));
        }
        let socket = match &self.socket {
            Some(socket) => socket,
            None => match connect(&self.target) {
                Ok(socket) => self.socket.insert(socket),
                Err(error) => {
                    self.gone = Some((error.kind(), error.to_string()));
                    return Err(error);
                }
            },
        };
        let sent = match socket {
            Socket::Unix(socket) => socket.send(datagram),
            Socket::Udp(socket) => match socket.send(datagram) {
                // The answer to an earlier datagram: this one was not sent for it, and goes after it.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    socket.send(datagram).and(Err(error))
                }
                sent => sent,
            },
        };
        if let Err(error) = &sent
            && matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            )
        {
            let text = format!("it takes nothing for {} s", PATIENCE.as_secs());
            self.gone = Some((error.kind(), text.clone()));
            return Err(io::Error::new(error.kind(), text));
        }
        sent.map(drop)
    }
}

fn connect(target: &Target) -> io::Result<Socket> {
    match target {
        Target::Socket(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.connect(path)?;
            socket.set_write_timeout(Some(PATIENCE))?;
            Ok(Socket::Unix(socket))
        }
        Target::Address(address) => {
            let address = address.to_socket_addrs()?.next().ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotFound, "its name has no address")
            })?;
            let socket = match address {
                SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
                SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)),
            }?;
            socket.connect(address)?;
            socket.set_write_timeout(Some(PATIENCE))?;
            Ok(Socket::Udp(socket))
        }
    }
}
