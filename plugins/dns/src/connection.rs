//! One connection to a server, and the exchanges on it.
//!
//! Messages have two octets of length before them (RFC 1035, section 4.2.2). Octets are read into one
//! buffer, as many as there are, and messages are verified and handed out where they lie in it.
//!
//! ```text
//!              ask            next…            done
//!   settled ─────────► asked ─────────► asked ─────────► settled ──► idle, when dropped
//!                        │
//!                        └─► anything else: closed, when dropped or asked again
//! ```
//!
//! Every future of this module can be dropped at any time: the connection is then closed, not used again.

mod several;

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::fault::{Doing, Fault, Moment, Unfit};
use crate::message::{Answer, Expected, Request};
use crate::server::Server;
use crate::signing::Signing;

pub(crate) use self::several::Several;

/// What one system call can read: room for several of the largest messages.
const BUFFER: usize = 256 << 10;

/// Of how much room there has to be for reading on, or what is buffered is moved to the front.
const LEAST_ROOM: usize = 64 << 10;

/// A connection to a server. Dropped after the end of an exchange, it goes back to its server.
pub(crate) struct Connection {
    server: Arc<Server>,
    /// The other end.
    address: SocketAddr,
    /// Held for as long as the connection is in use.
    _permit: OwnedSemaphorePermit,
    /// Taken out only by `drop`, and while connecting anew.
    idle: Option<Idle>,
    /// Whether the connection was used before: the server may have closed it meanwhile.
    is_reused: bool,
    /// Whether no exchange is under way.
    is_settled: bool,
}

/// A connection that nobody uses, with its buffer.
pub(crate) struct Idle {
    stream: Stream,
    address: SocketAddr,
    buffer: Buffer,
}

pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Octets that have arrived: those at `start..end` have not been handed out.
struct Buffer {
    octets: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Connection {
    pub(crate) fn new(
        server: Arc<Server>,
        permit: OwnedSemaphorePermit,
        idle: Idle,
        is_reused: bool,
    ) -> Self {
        Self {
            server,
            address: idle.address,
            _permit: permit,
            idle: Some(idle),
            is_reused,
            is_settled: true,
        }
    }

    /// The server at the other end.
    pub(crate) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// [`Server::identity`] of the server at the address that the connection is to now.
    pub(crate) fn identity(&self) -> String {
        self.server.identity(self.address)
    }

    /// Signs and sends a request. What was left of an earlier exchange is dropped, with its connection.
    ///
    /// # Errors
    ///
    /// The request did not leave as a whole, so that nobody acts on it.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<Exchange<'_>, Fault> {
        let mut frame = Vec::new();
        let (expected, signing) = self.frame(&request, random_id(), &mut frame)?;
        if !self.is_settled {
            self.connect_anew().await?;
        }
        self.is_settled = false;
        if let Err(fault) = self.send(&frame).await {
            // The other end had closed an idle connection.
            if !self.is_reused || matches!(fault, Fault::Timeout { .. }) {
                return Err(fault);
            }
            self.connect_anew().await?;
            self.send(&frame).await?;
        }
        Ok(Exchange {
            connection: self,
            expected,
            signing,
            is_first: true,
            again: (!request.is_update()).then_some(frame),
        })
    }

    /// Appends a request, signed and behind its length, to `frame`.
    fn frame(
        &self,
        request: &Request,
        id: u16,
        frame: &mut Vec<u8>,
    ) -> Result<(Expected, Signing), Fault> {
        let mut message = request.build(id).or(Err(TOO_LARGE))?;
        let signing = Signing::start(self.server.key(), &mut message).or(Err(TOO_LARGE))?;
        let message = message.finish();
        let octets = message.len();
        let length = u16::try_from(octets).or(Err(Fault::TooLarge { octets }))?;
        let expected = Expected::of(&message).ok_or(Unfit::NoQuestion)?;
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&message);
        Ok((expected, signing))
    }

    async fn connect_anew(&mut self) -> Result<(), Fault> {
        self.idle = None;
        self.is_reused = false;
        let idle = self.server.connect().await?;
        self.address = idle.address;
        self.idle = Some(idle);
        Ok(())
    }

    async fn send(&mut self, frame: &[u8]) -> Result<(), Fault> {
        let limit = self.server.timeout();
        // Without a connection an attempt to make one was given up.
        let Some(idle) = &mut self.idle else {
            return Err(Fault::Closed(Moment::Sending));
        };
        let doing = Doing::Sending;
        timeout(limit, idle.stream.write_all(frame))
            .await
            .or(Err(Fault::Timeout { doing, limit }))?
            .map_err(|error| Fault::Broken(Moment::Sending, error))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The permit is given back after this, so whoever waits for it finds the idle connection.
        if let Some(idle) = self.idle.take()
            && self.is_settled
            && idle.buffer.is_empty()
        {
            self.server.keep(idle);
        }
    }
}

/// A request that was sent, and the answer to it.
pub(crate) struct Exchange<'a> {
    connection: &'a mut Connection,
    expected: Expected,
    signing: Signing,
    is_first: bool,
    /// The request, if it may be sent again on a new connection.
    again: Option<Vec<u8>>,
}

impl Exchange<'_> {
    /// The next message of the answer: verified, and without its signature.
    ///
    /// A request on a connection that the server had closed while it was idle is sent once more on a new
    /// one, unless it is an UPDATE.
    ///
    /// # Errors
    ///
    /// The message does not arrive within `timeout`, or is none of this answer; the exchange is over then.
    pub(crate) async fn next(&mut self) -> Result<Answer<'_>, Fault> {
        let range = match self.connection.receive(self.is_first).await {
            Ok(range) => range,
            Err(fault) => self.receive_again(fault).await?,
        };
        let buffer = &mut self.connection.idle.as_mut().ok_or(GONE)?.buffer;
        let octets = &mut buffer.octets[range];
        self.expected.check(octets, self.is_first)?;
        let length = self.signing.verify(octets)?;
        self.is_first = false;
        self.again = None;
        Ok(Answer::new(&octets[..length]))
    }

    async fn receive_again(&mut self, fault: Fault) -> Result<Range<usize>, Fault> {
        let is_stale = matches!(
            fault,
            Fault::Closed(Moment::BeforeAnswer) | Fault::Broken(Moment::BeforeAnswer, _)
        );
        match self.again.take() {
            Some(frame) if is_stale && self.connection.is_reused => {
                self.connection.connect_anew().await?;
                self.connection.send(&frame).await?;
                self.connection.receive(true).await
            }
            _ => Err(fault),
        }
    }

    /// Ends the exchange after the last message; the connection can be used again.
    ///
    /// # Errors
    ///
    /// If the request was signed and the last message was not (RFC 8945, section 5.3.1): then nothing of
    /// the answer counts.
    pub(crate) fn done(self) -> Result<(), Fault> {
        self.signing.done()?;
        self.connection.is_reused = true;
        // Whatever comes behind the end belongs to nothing that was asked.
        self.connection.is_settled = self
            .connection
            .idle
            .as_ref()
            .is_some_and(|idle| idle.buffer.is_empty());
        Ok(())
    }
}

const TOO_LARGE: Fault = Fault::TooLarge { octets: 65_536 };
const GONE: Fault = Fault::Closed(Moment::BeforeAnswer);

impl Connection {
    /// The next message: where it is in the buffer.
    async fn receive(&mut self, is_first: bool) -> Result<Range<usize>, Fault> {
        let Some(idle) = &mut self.idle else {
            return Err(GONE);
        };
        // Most messages of a transfer arrive with the one before them.
        if let Some(range) = idle.buffer.message()? {
            return Ok(range);
        }
        let limit = self.server.timeout();
        let doing = if is_first {
            Doing::Answering
        } else {
            Doing::GoingOn
        };
        let received = timeout(limit, idle.receive(is_first)).await;
        received.unwrap_or(Err(Fault::Timeout { doing, limit }))
    }
}

impl Idle {
    pub(crate) fn new(stream: Stream, address: SocketAddr) -> Self {
        Self {
            stream,
            address,
            buffer: Buffer::new(),
        }
    }

    /// Whether the server has neither closed the connection nor sent anything, as far as is known.
    pub(crate) fn is_open(&mut self) -> bool {
        self.stream.read(&mut [0]).now_or_never().is_none()
    }

    async fn receive(&mut self, is_first: bool) -> Result<Range<usize>, Fault> {
        loop {
            let room = self.buffer.room();
            let is_within = room.start != self.buffer.start;
            let moment = match (is_within, is_first) {
                (true, _) => Moment::WithinMessage,
                (false, true) => Moment::BeforeAnswer,
                (false, false) => Moment::BetweenMessages,
            };
            match self.stream.read(&mut self.buffer.octets[room]).await {
                Ok(0) if self.buffer.is_tls_alert() => return Err(Unfit::Tls.into()),
                Ok(0) => return Err(Fault::Closed(moment)),
                Ok(count) => self.buffer.end += count,
                Err(error) => return Err(Fault::Broken(moment, error)),
            }
            if let Some(range) = self.buffer.message()? {
                return Ok(range);
            }
        }
    }
}

impl Stream {
    /// Reads what has arrived; 0 octets if the other end has closed the connection.
    async fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(octets).await,
            Self::Tls(stream) => match stream.read(octets).await {
                // Closed without a word of TLS, as servers do that are in a hurry. Nothing is taken for
                // the end of an answer because of it: messages know their own lengths.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            },
        }
    }

    async fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(octets).await,
            Self::Tls(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
        }
    }
}

impl Buffer {
    fn new() -> Self {
        Self {
            octets: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Takes the message at the front, if all of it has arrived.
    fn message(&mut self) -> Result<Option<Range<usize>>, Unfit> {
        let arrived = &self.octets[self.start..self.end];
        let Some((length, rest)) = arrived.split_first_chunk::<2>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes(*length));
        if length < Answer::LEAST {
            return Err(Unfit::Short(length));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.start + 2;
        self.start = start + length;
        Ok(Some(start..self.start))
    }

    /// Whether what has arrived is an alert of TLS (RFC 8446, section 6), which a server of TLS sends that
    /// was sent something else.
    fn is_tls_alert(&self) -> bool {
        let arrived = &self.octets[self.start..self.end];
        arrived.len() == 7 && arrived.starts_with(&[21, 3]) && arrived[3..5] == [0, 2]
    }

    /// Where octets can be read to: enough for the rest of any message.
    fn room(&mut self) -> Range<usize> {
        if self.octets.len() - self.end < LEAST_ROOM + 2 {
            self.octets.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.end..self.octets.len()
    }
}

/// An ID that nobody can guess.
fn random_id() -> u16 {
    let mut id = [0; 2];
    // Over TCP an ID only tells answers apart, so one that can be guessed does no harm.
    let _filled = rustix::rand::getrandom(&mut id, rustix::rand::GetRandomFlags::empty());
    u16::from_ne_bytes(id)
}

#[cfg(test)]
mod tests;
