//! What a name server says, asked by nobody's code under test: queries over TCP without a key.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use domain::base::iana::{Class, Opcode, Rcode, Rtype};
use domain::base::name::{FlattenInto, ToName};
use domain::base::rdata::ComposeRecordData;
use domain::base::{Message, MessageBuilder, Name};
use domain::rdata::{AllRecordData, Soa};
use rustix::net::{AddressFamily, SocketType};

/// The address that tests look from. Servers here show it everything.
pub(crate) const INSPECTOR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How long a server may be silent.
const LIMIT: Duration = Duration::from_secs(20);

/// A record in canonical form (RFC 4034, section 6.2): two are equal when their octets are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    /// Labels from the root, so that the order is the canonical one.
    order: Vec<Vec<u8>>,
    owner: Name<Vec<u8>>,
    pub(crate) rtype: Rtype,
    pub(crate) ttl: u32,
    pub(crate) rdata: Vec<u8>,
    shown: String,
}

impl Record {
    pub(crate) fn owner(&self) -> String {
        format!("{}.", self.owner).replace("..", ".")
    }

    /// A line of a zone file that everybody reads, whatever types they know (RFC 3597, section 5).
    pub(crate) fn generic(&self) -> String {
        let octets = self.rdata.iter().map(|octet| format!("{octet:02x}"));
        // Escapes that every reader takes for the same.
        let labels = self.owner.iter().filter(|label| !label.is_root());
        let owner = labels.map(|label| {
            let octets = label.as_slice().iter().map(|octet| match octet {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'*' => char::from(*octet).to_string(),
                octet => format!("\\{octet:03}"),
            });
            format!("{}.", octets.collect::<String>())
        });
        format!(
            "{} {} IN TYPE{} \\# {} {}",
            owner.collect::<String>(),
            self.ttl,
            self.rtype.to_int(),
            self.rdata.len(),
            octets.collect::<String>()
        )
    }

    /// Whether it is the SOA or an NS record of the zone itself, which belong to the primary.
    pub(crate) fn is_of_apex(&self, apex: &str) -> bool {
        let owner = self.owner();
        owner.trim_end_matches('.') == apex && matches!(self.rtype, Rtype::SOA | Rtype::NS)
    }
}

impl Record {
    /// Whether whoever signs the zone has made it.
    pub(crate) fn is_signers(&self, apex: &str) -> bool {
        const EVERYWHERE: [Rtype; 4] = [Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3, Rtype::NSEC3PARAM];
        // The last is where BIND notes how far it has signed.
        const AT_APEX: [Rtype; 5] = [
            Rtype::DNSKEY,
            Rtype::CDS,
            Rtype::CDNSKEY,
            Rtype::ZONEMD,
            Rtype::from_int(65534),
        ];
        let is_at_apex = self.owner().trim_end_matches('.') == apex;
        EVERYWHERE.contains(&self.rtype) || is_at_apex && AT_APEX.contains(&self.rtype)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.owner(), self.ttl, self.shown)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// All records of a zone, its SOA once, in canonical order.
pub(crate) fn transfer(server: SocketAddr, apex: &str) -> io::Result<Vec<Record>> {
    let mut stream = connect(server)?;
    send(&mut stream, &question(apex, Rtype::AXFR, Opcode::QUERY))?;
    let mut records = Vec::new();
    let mut soas = 0;
    while soas < 2 {
        let message = receive(&mut stream)?;
        if message.header().rcode() != Rcode::NOERROR {
            return Err(io::Error::other(message.header().rcode().to_string()));
        }
        for record in message.answer().map_err(io::Error::other)? {
            let record = record.map_err(io::Error::other)?;
            soas += usize::from(record.rtype() == Rtype::SOA);
            records.push(canonical(&record)?);
        }
    }
    let last = records.pop();
    if last.as_ref() != records.first() {
        return Err(io::Error::other("the last record is not the first"));
    }
    records.sort();
    Ok(records)
}

/// The serial of a zone.
pub(crate) fn serial(server: SocketAddr, apex: &str) -> io::Result<u32> {
    let message = ask(server, &question(apex, Rtype::SOA, Opcode::QUERY))?;
    let answers = message.answer().map_err(io::Error::other)?;
    let soa = answers.limit_to::<Soa<_>>().next();
    let soa = soa.ok_or_else(|| io::Error::other(message.header().rcode().to_string()))?;
    Ok(soa.map_err(io::Error::other)?.data().serial().into_int())
}

/// Whether a zone is signed, to its end.
pub(crate) fn is_signed(server: SocketAddr, apex: &str) -> bool {
    /// What BIND has in a record of its own about a key that it is done with.
    const DONE: u8 = 1;
    transfer(server, apex).is_ok_and(|records| {
        let mut of_bind = records
            .iter()
            .filter(|record| record.rtype == Rtype::from_int(65534));
        let is_done = of_bind.all(|record| record.rdata.len() == 5 && record.rdata[4] == DONE);
        let of_apex = records.iter().filter(|record| record.rtype == Rtype::RRSIG);
        let covered = of_apex.map(|record| u16::from_be_bytes([record.rdata[0], record.rdata[1]]));
        let covered = covered.collect::<Vec<_>>();
        let has = |rtype: Rtype| covered.contains(&rtype.to_int());
        is_done && has(Rtype::SOA) && has(Rtype::DNSKEY) && (has(Rtype::NSEC) || has(Rtype::NSEC3))
    })
}

/// Tells a secondary that a zone has changed (RFC 1996).
pub(crate) fn notify(server: SocketAddr, apex: &str) -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.send_to(&question(apex, Rtype::SOA, Opcode::NOTIFY), server)?;
    socket.recv(&mut [0; 512]).map(|_| ())
}

/// The message of a question.
pub(crate) fn question(owner: &str, rtype: Rtype, opcode: Opcode) -> Vec<u8> {
    let mut message = MessageBuilder::new_vec();
    message.header_mut().set_id(4711);
    message.header_mut().set_opcode(opcode);
    if opcode == Opcode::NOTIFY {
        message.header_mut().set_aa(true);
    }
    let mut message = message.question();
    let owner: Name<Vec<u8>> = owner.parse().expect("the name is one");
    let pushed = message.push((owner, rtype, Class::IN));
    pushed.expect("a question fits into a message");
    message.finish()
}

fn ask(server: SocketAddr, question: &[u8]) -> io::Result<Message<Vec<u8>>> {
    let mut stream = connect(server)?;
    send(&mut stream, question)?;
    receive(&mut stream)
}

/// A connection from [`INSPECTOR`].
fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let IpAddr::V4(_) = server.ip() else {
        unreachable!("tests look over IPv4");
    };
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddr::from((INSPECTOR, 0)))?;
    rustix::net::connect(&socket, &server)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn send(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())
}

fn receive(stream: &mut TcpStream) -> io::Result<Message<Vec<u8>>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message)?;
    Message::from_octets(message).map_err(io::Error::other)
}

fn canonical(record: &domain::base::ParsedRecord<'_, Vec<u8>>) -> io::Result<Record> {
    let data = record.to_any_record::<AllRecordData<_, _>>();
    let data = data.map_err(io::Error::other)?.into_data();
    let mut rdata = Vec::new();
    data.compose_canonical_rdata(&mut rdata)
        .map_err(io::Error::other)?;
    let mut owner = record.owner().to_vec();
    owner.make_canonical();
    let mut order: Vec<_> = owner
        .iter()
        .map(|label| label.as_slice().to_vec())
        .collect();
    order.reverse();
    let owner: Name<Vec<u8>> = owner.flatten_into();
    Ok(Record {
        order,
        owner,
        rtype: record.rtype(),
        ttl: record.ttl().as_secs(),
        shown: format!("{} {data}", record.rtype()),
        rdata,
    })
}
