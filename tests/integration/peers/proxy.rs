//! What can happen between the program and a name server over TCP: a proxy that does it on purpose.
//!
//! Messages pass as they are, until one comes to a [`Spot`] for which there is a [`Fault`].

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use domain::base::Message;
use domain::base::iana::{Opcode, Rtype};

/// What a request asks for. Answers belong to the latest request of their connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    Soa,
    Axfr,
    Ixfr,
    Update,
    /// Any other query.
    Query,
}

impl Exchange {
    fn of(request: &[u8]) -> Self {
        let Ok(message) = Message::from_slice(request) else {
            return Self::Query;
        };
        if message.header().opcode() == Opcode::UPDATE {
            return Self::Update;
        }
        match message.sole_question().map(|question| question.qtype()) {
            Ok(Rtype::SOA) => Self::Soa,
            Ok(Rtype::AXFR) => Self::Axfr,
            Ok(Rtype::IXFR) => Self::Ixfr,
            _ => Self::Query,
        }
    }
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Towards {
    Server,
    Janitor,
}

/// A message of some exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) exchange: Exchange,
    pub(crate) towards: Towards,
    /// Which message of the exchange in that direction, from 1.
    pub(crate) nth: usize,
}

impl Spot {
    /// The request itself.
    pub(crate) const fn request(exchange: Exchange) -> Self {
        Self {
            exchange,
            towards: Towards::Server,
            nth: 1,
        }
    }

    /// A message of the answer, from 1.
    pub(crate) const fn answer(exchange: Exchange, nth: usize) -> Self {
        Self {
            exchange,
            towards: Towards::Janitor,
            nth,
        }
    }
}

/// What changes a message.
type Edit = dyn Fn(&mut Vec<u8>) + Send + Sync;

/// What happens to a message.
#[derive(Clone)]
pub(crate) enum Fault {
    /// So many octets of it, with the two of its length, arrive; then both sides are hung up on.
    Cut(usize),
    /// So many octets arrive, and nothing more.
    Stall(usize),
    /// One octet at a time, with a pause after each.
    Trickle(Duration),
    /// It does not arrive.
    Drop,
    /// It arrives twice.
    Twice,
    /// It arrives after the next.
    Swap,
    /// It arrives changed.
    Change(Arc<Edit>),
    /// Something happens before it arrives.
    First(Arc<dyn Fn() + Send + Sync>),
    /// Something happens in its place, and both sides are hung up on.
    Instead(Arc<dyn Fn() + Send + Sync>),
}

impl Fault {
    pub(crate) fn change(change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        Self::Change(Arc::new(change))
    }

    pub(crate) fn instead(act: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Instead(Arc::new(act))
    }

    pub(crate) fn first(act: impl Fn() + Send + Sync + 'static) -> Self {
        Self::First(Arc::new(act))
    }
}

/// A fault at a spot, a number of times.
struct Rule {
    spot: Spot,
    fault: Fault,
    left: AtomicUsize,
}

/// A proxy in front of one server, gone when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    rules: Mutex<Vec<Arc<Rule>>>,
    requests: Mutex<Vec<Exchange>>,
    is_over: AtomicBool,
}

impl Proxy {
    /// A proxy that passes everything on.
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared {
            server,
            rules: Mutex::default(),
            requests: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if of_thread.is_over.load(Ordering::Relaxed) {
                    break;
                }
                of_thread.serve(client);
            }
        });
        Self { address, shared }
    }

    /// Has something happen at every such spot from now on.
    pub(crate) fn always(&self, spot: Spot, fault: Fault) {
        self.times(usize::MAX, spot, fault);
    }

    /// Has something happen the next time.
    pub(crate) fn once(&self, spot: Spot, fault: Fault) {
        self.times(1, spot, fault);
    }

    pub(crate) fn times(&self, times: usize, spot: Spot, fault: Fault) {
        let left = AtomicUsize::new(times);
        let rule = Arc::new(Rule { spot, fault, left });
        lock(&self.shared.rules).push(rule);
    }

    /// Passes everything on again.
    pub(crate) fn heal(&self) {
        lock(&self.shared.rules).clear();
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests of a kind have come so far.
    pub(crate) fn requests(&self, exchange: Exchange) -> usize {
        let requests = lock(&self.shared.requests);
        requests.iter().filter(|seen| **seen == exchange).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // So that it notices.
        let _woken = TcpStream::connect(self.address).is_ok();
    }
}

impl Shared {
    fn serve(self: &Arc<Self>, client: TcpStream) {
        // The server is gone: so is the client, as if it had asked in vain.
        let Ok(server) = TcpStream::connect(self.server) else {
            return;
        };
        let current = Arc::new(Mutex::new((Exchange::Query, 0)));
        for towards in [Towards::Server, Towards::Janitor] {
            let (from, to) = match towards {
                Towards::Server => (&client, &server),
                Towards::Janitor => (&server, &client),
            };
            let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
                return;
            };
            let (shared, current) = (Arc::clone(self), Arc::clone(&current));
            thread::spawn(move || {
                let mut pipe = Pipe {
                    from,
                    to,
                    held: None,
                };
                // Whichever side is gone, the other one hears of it.
                let _passed = shared.pass(&mut pipe, towards, &current).is_ok();
                pipe.hang_up();
            });
        }
    }

    /// Passes messages on until there are no more.
    fn pass(
        &self,
        pipe: &mut Pipe,
        towards: Towards,
        current: &Mutex<(Exchange, usize)>,
    ) -> io::Result<()> {
        loop {
            let message = pipe.read()?;
            let spot = {
                let mut current = lock(current);
                if towards == Towards::Server {
                    *current = (Exchange::of(&message), 0);
                    lock(&self.requests).push(current.0);
                } else {
                    current.1 += 1;
                }
                let (exchange, answers) = *current;
                let nth = answers.max(1);
                Spot {
                    exchange,
                    towards,
                    nth,
                }
            };
            match self.fault(spot) {
                Some(fault) => pipe.fail(message, fault)?,
                None => pipe.write(&message)?,
            }
        }
    }

    fn fault(&self, spot: Spot) -> Option<Fault> {
        let rules = lock(&self.rules);
        let mut rules = rules.iter().filter(|rule| rule.spot == spot);
        let less = |left: usize| left.checked_sub(1);
        let rule = rules.find(|rule| {
            let order = Ordering::Relaxed;
            rule.left.fetch_update(order, order, less).is_ok()
        })?;
        Some(rule.fault.clone())
    }
}

/// One direction of a connection.
struct Pipe {
    from: TcpStream,
    to: TcpStream,
    /// What is to arrive after the next message.
    held: Option<Vec<u8>>,
}

impl Pipe {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.from.read_exact(&mut length)?;
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        self.from.read_exact(&mut message)?;
        Ok(message)
    }

    fn write(&mut self, message: &[u8]) -> io::Result<()> {
        self.to.write_all(&frame(message))?;
        match self.held.take() {
            Some(held) => self.to.write_all(&frame(&held)),
            None => Ok(()),
        }
    }

    fn fail(&mut self, mut message: Vec<u8>, fault: Fault) -> io::Result<()> {
        match fault {
            Fault::Cut(octets) => {
                self.to.write_all(&frame(&message)[..octets])?;
                self.hang_up();
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Fault::Stall(octets) => {
                self.to.write_all(&frame(&message)[..octets])?;
                // Until the other side has had enough.
                while self.read().is_ok() {}
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Fault::Trickle(pause) => {
                self.to.set_nodelay(true)?;
                for octet in frame(&message) {
                    self.to.write_all(&[octet])?;
                    thread::park_timeout(pause);
                }
                Ok(())
            }
            Fault::Drop => Ok(()),
            Fault::Twice => {
                self.write(&message)?;
                self.write(&message)
            }
            Fault::Swap => {
                self.held = Some(message);
                Ok(())
            }
            Fault::Change(change) => {
                change(&mut message);
                self.write(&message)
            }
            Fault::First(act) => {
                act();
                self.write(&message)
            }
            Fault::Instead(act) => {
                act();
                self.hang_up();
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    fn hang_up(&self) {
        for stream in [&self.from, &self.to] {
            // It may be gone already.
            let _hung_up = stream.shutdown(Shutdown::Both).is_ok();
        }
    }
}

/// A message with its length before it (RFC 1035, section 4.2.2).
fn frame(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).expect("messages have 65535 octets at most");
    [&length.to_be_bytes(), message].concat()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
