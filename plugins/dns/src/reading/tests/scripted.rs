//! A server on the loopback that answers as it is told.

use std::io::{Read as _, Write as _};
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use janitor_plugin_api::dns::{Name, Rtype, text};
use tokio::sync::Notify;

use crate::server::Server;

/// The zone of all scripts.
pub(super) fn apex() -> Name {
    "example.com".parse().unwrap()
}

/// A record as a message has it, its names uncompressed.
#[derive(Clone, Debug)]
pub(super) struct Record {
    owner: Name,
    rtype: Rtype,
    pub(super) rdata: Vec<u8>,
}

/// The SOA with `serial`, and a record from each line `owner TYPE rdata`.
pub(super) fn zone(serial: u32, lines: &str) -> Vec<Record> {
    let soa = format!("@ SOA ns hostmaster {serial} 3600 600 86400 60");
    let lines = std::iter::once(soa.as_str()).chain(lines.lines());
    let record = |line: &str| {
        let mut fields = line.splitn(3, ' ');
        let mut field = || fields.next().unwrap();
        let (owner, rtype, rdata) = (field(), field(), field());
        let (apex, rtype) = (apex(), rtype.parse().unwrap());
        Record {
            owner: Name::from_text(owner, apex.as_ref()).unwrap(),
            rtype,
            rdata: text::parse_rdata(rtype, rdata, apex.as_ref()).unwrap(),
        }
    };
    lines.map(record).collect()
}

/// What a server is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Soa,
    Axfr,
    /// With the serial of the SOA that it says is there.
    Ixfr(u32),
}

/// What it does then.
pub(super) enum Reply {
    /// The records, the first of them once more at the end.
    Zone(Vec<Record>),
    /// One message with these records.
    Records(Vec<Record>),
    /// The same, without the bit that says that the server is responsible.
    NotAuthoritative(Vec<Record>),
    /// A message of these records, and the end of the connection.
    Broken(Vec<Record>),
    /// The first record, and then the others again and again, which is told after a hundred times, and the
    /// end of the connection after two thousand.
    Flood(Vec<Record>, Arc<Notify>),
    Rcode(u8),
    /// A frame with these octets.
    Octets(Vec<u8>),
    Close,
    /// Nothing, and the connection stays.
    Silence,
}

type Script = Box<dyn Fn(Asked) -> Reply + Send + Sync>;

/// A server; its threads end with the process.
pub(super) struct Scripted {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(super) fn new(script: impl Fn(Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listening("127.0.0.1:0", script)
    }

    fn listening(address: &str, script: impl Fn(Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let scripted = Self {
            address: listener.local_addr().unwrap(),
            script: Arc::new(Mutex::new(Box::new(script))),
            asked: Arc::default(),
        };
        let (script, asked) = (Arc::clone(&scripted.script), Arc::clone(&scripted.asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
                // Whoever hangs up ends the connection.
                thread::spawn(move || serve(stream.unwrap(), &script, &asked));
            }
        });
        scripted
    }

    /// The same at another address.
    pub(super) fn elsewhere(script: impl Fn(Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listening("127.0.0.2:0", script)
    }

    /// An address at which nobody listens.
    pub(super) fn nowhere() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            script: Arc::new(Mutex::new(Box::new(|_| Reply::Close))),
            asked: Arc::default(),
        }
    }

    /// Answers otherwise from now on.
    pub(super) fn becomes(&self, script: impl Fn(Asked) -> Reply + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn server(&self, timeout: Duration) -> Arc<Server> {
        Server::at(self.address, None, timeout)
    }

    pub(super) fn shown(&self) -> String {
        self.address.to_string()
    }

    /// What it was asked since the last time this was called.
    pub(super) fn asked(&self) -> Vec<String> {
        mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Answers requests until somebody hangs up.
fn serve(mut stream: TcpStream, script: &Mutex<Script>, asked: &Mutex<Vec<String>>) -> Option<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut request = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut request).ok()?;
        let what = asked_in(&request);
        asked.lock().unwrap().push(match what {
            Asked::Soa => "SOA".to_owned(),
            Asked::Axfr => "AXFR".to_owned(),
            Asked::Ixfr(serial) => format!("IXFR {serial}"),
        });
        let reply = script.lock().unwrap()(what);
        let mut send = |message: &[u8]| {
            let length = u16::try_from(message.len()).unwrap();
            let sent = stream.write_all(&[&length.to_be_bytes(), message].concat());
            sent.ok()
        };
        match reply {
            Reply::Zone(zone) => {
                send(&message(
                    &request,
                    0x84,
                    0,
                    &[&zone[..], &zone[..1]].concat(),
                ))?;
            }
            Reply::Records(records) => send(&message(&request, 0x84, 0, &records))?,
            Reply::NotAuthoritative(records) => send(&message(&request, 0x80, 0, &records))?,
            Reply::Broken(records) => return send(&message(&request, 0x84, 0, &records)),
            Reply::Flood(zone, flowing) => {
                send(&message(&request, 0x84, 0, &zone[..1]))?;
                let message = message(&request, 0x84, 0, &zone[1..]);
                for count in 0..2_000 {
                    send(&message)?;
                    if count == 100 {
                        flowing.notify_one();
                    }
                }
                return None;
            }
            Reply::Rcode(rcode) => send(&message(&request, 0x84, rcode, &[]))?,
            Reply::Octets(octets) => send(&octets)?,
            Reply::Close => return None,
            Reply::Silence => {}
        }
    }
}

const HEADER: usize = 12;

fn asked_in(request: &[u8]) -> Asked {
    let end = question_end();
    match request[end - 3] {
        6 => Asked::Soa,
        252 => Asked::Axfr,
        251 => {
            // The SOA in the authority section ends with five numbers, the serial first.
            let numbers = request.last_chunk::<20>().unwrap();
            Asked::Ixfr(u32::from_be_bytes(*numbers.first_chunk().unwrap()))
        }
        other => panic!("asked for type {other}"),
    }
}

/// Where the question ends: the name of the zone, type, class.
fn question_end() -> usize {
    HEADER + apex().as_wire().len() + 4
}

fn message(request: &[u8], flags: u8, rcode: u8, records: &[Record]) -> Vec<u8> {
    let count = u16::try_from(records.len()).unwrap().to_be_bytes();
    let mut message = request[..2].to_vec();
    message.extend([flags, rcode, 0, 1, count[0], count[1], 0, 0, 0, 0]);
    message.extend(&request[HEADER..question_end()]);
    for Record {
        owner,
        rtype,
        rdata,
    } in records
    {
        message.extend(owner.as_wire());
        message.extend(rtype.0.to_be_bytes());
        message.extend([0, 1, 0, 0, 1, 44]);
        message.extend(u16::try_from(rdata.len()).unwrap().to_be_bytes());
        message.extend(rdata);
    }
    message
}
