//! A server that answers as a test says, octet by octet.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a server received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The how-manieth connection of the server it came by, from nought.
    pub(crate) connection: usize,
    pub(crate) method: String,
    /// Path and query, as they stand in the request.
    pub(crate) target: String,
    /// By names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn query(&self) -> BTreeMap<String, String> {
        let url = reqwest::Url::parse("http://server.test").unwrap();
        url.join(&self.target)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// How a server answers a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These octets; the connection is kept.
    Octets(Vec<u8>),
    /// These octets; the connection is closed.
    Last(Vec<u8>),
    /// These octets, one at a time.
    Trickle(Vec<u8>),
    /// These octets, and then silence for as long as the client waits.
    Silence(Vec<u8>),
    /// An answer by which the connection becomes a tunnel to another server.
    Tunnel(SocketAddr),
}

impl Reply {
    pub(crate) fn json(body: impl AsRef<str>) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: impl AsRef<str>) -> Self {
        Self::with(
            status,
            &[("Content-Type", "application/json")],
            body.as_ref(),
        )
    }

    pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut octets = format!(
            "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            octets += &format!("{name}: {value}\r\n");
        }
        octets += "\r\n";
        Self::Octets([octets.as_bytes(), body].concat())
    }
}

/// A server on a port of its own. Its threads end with the process, or when nobody is connected.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Answers the requests, numbered from nought, as `reply` has it.
    pub(crate) fn start(reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let received = Arc::clone(&server.received);
        let reply = Arc::new(reply);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (received, reply) = (Arc::clone(&received), Arc::clone(&reply));
                let stream = stream.unwrap();
                thread::spawn(move || {
                    // How it ends is the client's affair.
                    let _ended = serve(connection, &stream, &stream, &received, &*reply);
                });
            }
        });
        server
    }

    /// Answers with these in turn, and with the last one from then on.
    pub(crate) fn in_turn(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = replies.into_iter().collect::<Vec<_>>();
        Self::start(move |number, _| replies[number.min(replies.len() - 1)].clone())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

/// Serves one connection until somebody closes it.
pub(super) fn serve(
    connection: usize,
    from: impl Read + Send,
    mut to: impl Write,
    received: &Mutex<Vec<Received>>,
    reply: &dyn Fn(usize, &Received) -> Reply,
) -> io::Result<()> {
    let mut from = BufReader::new(from);
    loop {
        let request = match read(connection, &mut from) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            // What is no text is answered like any other nonsense.
            Err(_) => return to.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        };
        let number = {
            let mut received = received.lock().unwrap();
            received.push(request.clone());
            received.len() - 1
        };
        match reply(number, &request) {
            Reply::Octets(octets) => to.write_all(&octets)?,
            Reply::Last(octets) => {
                to.write_all(&octets)?;
                return Ok(());
            }
            Reply::Trickle(octets) => {
                for octet in octets {
                    to.write_all(&[octet])?;
                    to.flush()?;
                    thread::yield_now();
                }
            }
            Reply::Silence(octets) => {
                to.write_all(&octets)?;
                to.flush()?;
                io::copy(&mut from, &mut io::sink())?;
                return Ok(());
            }
            Reply::Tunnel(address) => {
                to.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
                let mut there = TcpStream::connect(address)?;
                let mut back = there.try_clone()?;
                return thread::scope(|scope| {
                    scope.spawn(move || {
                        let _ended = io::copy(&mut from, &mut there);
                        let _ended = there.shutdown(std::net::Shutdown::Write);
                    });
                    io::copy(&mut back, &mut to).map(|_| ())
                });
            }
        }
        to.flush()?;
    }
}

fn read(connection: usize, from: &mut impl io::BufRead) -> io::Result<Option<Received>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let headers = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect::<BTreeMap<_, _>>();
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some(Received {
        connection,
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body,
    }))
}
