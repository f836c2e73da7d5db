//! How messages get to the system log.

use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use crate::config::{Protocol, Receiver, Syslog, SyslogForm};

/// How long connecting, and sending one message, may take.
const LIMIT: Duration = Duration::from_secs(2);

/// What the system answers to a datagram when nobody takes them: not to the one that was refused, but to
/// the next one, which is not sent for it. Another socket would not know, and lose every message.
const REFUSED: Errno = Errno::CONNREFUSED;

/// The way to one receiver.
pub(super) struct Transport {
    receiver: Receiver,
    protocol: Protocol,
    form: SyslogForm,
    connection: Option<Connection>,
    /// Datagrams that were sent, and that nobody took.
    refused: usize,
}

enum Connection {
    Datagram(UnixDatagram),
    Stream(UnixStream),
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// What messages are sent to, in words.
pub(super) fn name(settings: &Syslog) -> String {
    match (&settings.receiver, settings.protocol) {
        (Receiver::Socket(path), _) => format!("syslog at {}", path.display()),
        (Receiver::Host(host, port), Protocol::Udp) => {
            format!("syslog at {host} port {port} (UDP)")
        }
        (Receiver::Host(host, port), Protocol::Tcp) => {
            format!("syslog at {host} port {port} (TCP)")
        }
    }
}

impl Transport {
    pub(super) fn new(settings: &Syslog) -> Self {
        Self {
            receiver: settings.receiver.clone(),
            protocol: settings.protocol,
            form: settings.form,
            connection: None,
            refused: 0,
        }
    }

    /// How many messages were sent in vain, as far as that is known.
    pub(super) fn refused(&self) -> usize {
        self.refused
    }

    /// Connects where that cannot take time; elsewhere it happens with the first message.
    pub(super) fn connect_at_once(&mut self) -> io::Result<()> {
        if let Receiver::Socket(path) = &self.receiver {
            match datagram(path) {
                // A socket of another type, which only the thread may wait for.
                Err(error) if is_another_type(&error) => {}
                connected => self.connection = Some(Connection::Datagram(connected?)),
            }
        }
        Ok(())
    }

    /// Sends a datagram if that is possible without waiting; false if it is not.
    ///
    /// # Errors
    ///
    /// That nobody takes datagrams there.
    pub(super) fn send_at_once(&mut self, message: &[u8]) -> io::Result<bool> {
        let sent = match &self.connection {
            Some(Connection::Datagram(socket)) => {
                rustix::net::send(socket, message, SendFlags::DONTWAIT)
            }
            Some(Connection::Udp(socket)) => {
                let sent = rustix::net::send(socket, message, SendFlags::DONTWAIT);
                if sent == Err(REFUSED) {
                    self.connection = None;
                    self.refused += 1;
                    return Err(REFUSED.into());
                }
                sent
            }
            _ => return Ok(false),
        };
        Ok(sent.is_ok())
    }

    /// Sends a message, in a new connection if that from before is gone.
    ///
    /// # Errors
    ///
    /// The system's error when the new one does not take it either.
    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        if let Some(mut connection) = self.connection.take() {
            match connection.send(message, self.form) {
                Ok(()) => {
                    self.connection = Some(connection);
                    return Ok(());
                }
                Err(error) if connection.is_refused(&error) => {
                    self.refused += 1;
                    return Err(error);
                }
                Err(_gone) => {}
            }
        }
        let mut connection = self.connect()?;
        connection.send(message, self.form)?;
        self.connection = Some(connection);
        Ok(())
    }

    fn connect(&self) -> io::Result<Connection> {
        match (&self.receiver, self.protocol) {
            (Receiver::Socket(path), _) => match datagram(path) {
                Err(error) if is_another_type(&error) => {
                    let stream = UnixStream::connect(path)?;
                    stream.set_write_timeout(Some(LIMIT))?;
                    Ok(Connection::Stream(stream))
                }
                connected => connected.map(Connection::Datagram),
            },
            (Receiver::Host(host, port), Protocol::Udp) => each(host, *port, |address| {
                let any = if address.is_ipv4() {
                    "0.0.0.0:0"
                } else {
                    "[::]:0"
                };
                let socket = UdpSocket::bind(any)?;
                socket.connect(address)?;
                socket.set_write_timeout(Some(LIMIT))?;
                Ok(Connection::Udp(socket))
            }),
            (Receiver::Host(host, port), Protocol::Tcp) => each(host, *port, |address| {
                let stream = TcpStream::connect_timeout(&address, LIMIT)?;
                stream.set_write_timeout(Some(LIMIT))?;
                stream.set_nodelay(true)?;
                Ok(Connection::Tcp(stream))
            }),
        }
    }
}

fn datagram(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(LIMIT))?;
    Ok(socket)
}

fn is_another_type(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::PROTOTYPE)
}

/// The first address of `host` that `connect` takes, or why the last one does not.
fn each(
    host: &str,
    port: u16,
    connect: impl Fn(std::net::SocketAddr) -> io::Result<Connection>,
) -> io::Result<Connection> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match connect(address) {
            Ok(connection) => return Ok(connection),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

impl Connection {
    /// Whether `error` is the answer that nobody takes datagrams there.
    fn is_refused(&self, error: &io::Error) -> bool {
        matches!(self, Self::Udp(_)) && Errno::from_io_error(error) == Some(REFUSED)
    }

    fn send(&mut self, message: &[u8], form: SyslogForm) -> io::Result<()> {
        match self {
            // The end of a datagram ends the message. The NUL that the original added is not sent:
            // it says nothing, and receivers that do not drop it show it as `#000`.
            Self::Datagram(socket) => socket.send(message).map(drop),
            Self::Udp(socket) => socket.send(message).map(drop),
            // As the C library does: on a local stream, NUL ends a message.
            Self::Stream(stream) => {
                still_open(&*stream)?;
                stream.write_all(&[message, b"\0"].concat())
            }
            Self::Tcp(stream) => {
                still_open(&*stream)?;
                stream.write_all(&framed(message, form))
            }
        }
    }
}

/// A message in a TCP connection (RFC 6587): its octets are counted before it, or it ends with its
/// line where a receiver of the older form expects that. The original sent neither, only a NUL, which
/// receivers take for a part of one endless message.
fn framed(message: &[u8], form: SyslogForm) -> Vec<u8> {
    match form {
        SyslogForm::Rfc5424 => [format!("{} ", message.len()).as_bytes(), message].concat(),
        SyslogForm::Rfc3164 => [message, b"\n"].concat(),
    }
}

/// Fails when the other side has closed the connection: the first write after that would seem to
/// succeed, and be lost.
fn still_open(socket: impl AsFd) -> io::Result<()> {
    let mut octet = [0_u8; 1];
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match rustix::net::recv(socket, &mut octet[..], flags) {
        Ok((_, 0)) => Err(io::ErrorKind::ConnectionAborted.into()),
        Ok(_) | Err(Errno::AGAIN) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_or_end_with_their_line() {
        assert_eq!(
            framed("<1>é".as_bytes(), SyslogForm::Rfc5424),
            "5 <1>é".as_bytes()
        );
        assert_eq!(framed(b"<1>a", SyslogForm::Rfc3164), b"<1>a\n");
    }
}
