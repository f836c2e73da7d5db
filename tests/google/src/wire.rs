//! HTTP/1.1 on a blocking socket: requests as they came, answers as octets.
//!
//! No library writes the answers, so that a test can cut one at any octet.

use std::io::{self, Read};

use bytes::Bytes;
use percent_encoding::percent_decode_str;

/// More than any request has that is made here.
const LARGEST: usize = 64 << 20;

/// A request, as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// Everything before the question mark, still encoded.
    pub path: String,
    /// Names and values behind the question mark, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Bytes,
    /// Which of the server's connections it came over, counted from 0.
    pub connection: usize,
}

impl Request {
    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(parameter, _)| parameter == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// `GET /v1/projects?pageSize=1000`, with the query in its order and decoded.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!("{} {}", self.method, self.path);
        for (number, (name, value)) in self.query.iter().enumerate() {
            let mark = if number == 0 { '?' } else { '&' };
            line.push_str(&format!("{mark}{name}={value}"));
        }
        line
    }

    /// The parts of the path, decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path
            .trim_start_matches('/')
            .split('/')
            .map(decoded)
            .collect()
    }

    /// The body as a form (WHATWG URL, section 5.1).
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }
}

/// An answer before anything is done to it.
#[derive(Clone, Debug)]
pub struct Response {
    /// 200 and so on.
    pub status: u16,
    /// In the order in which they are written; length and encoding are added.
    pub headers: Vec<(String, String)>,
    /// Unencoded.
    pub body: Bytes,
}

impl Response {
    /// An answer of this content type.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Status line and headers, of a body with this length and encoding.
    pub(crate) fn head(&self, length: usize, encoding: Option<&str>) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(encoding) = encoding {
            head.push_str(&format!("Content-Encoding: {encoding}\r\n"));
        }
        head.push_str(&format!("Content-Length: {length}\r\n\r\n"));
        head.into_bytes()
    }
}

/// The requests of one connection.
pub(crate) struct Requests<R> {
    stream: R,
    number: usize,
    /// Octets that were read and not used.
    held: Vec<u8>,
}

impl<R: Read> Requests<R> {
    pub(crate) fn new(stream: R, number: usize) -> Self {
        Self {
            stream,
            number,
            held: Vec::new(),
        }
    }

    /// The next request; none when the client has closed the connection.
    ///
    /// # Errors
    ///
    /// What the socket says, and `InvalidData` for what is no HTTP.
    pub(crate) fn next(&mut self) -> io::Result<Option<Request>> {
        loop {
            if let Some((mut request, head, length)) = parsed(&self.held)? {
                while self.held.len() < head + length {
                    if self.read_more()? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                let rest = self.held.split_off(head + length);
                let whole = std::mem::replace(&mut self.held, rest);
                request.body = Bytes::from(whole).slice(head..);
                request.connection = self.number;
                return Ok(Some(request));
            }
            if self.read_more()? == 0 {
                return match self.held.len() {
                    0 => Ok(None),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut octets = [0; 16 << 10];
        let read = self.stream.read(&mut octets)?;
        self.held.extend_from_slice(&octets[..read]);
        if self.held.len() > LARGEST {
            return Err(invalid("the request is too large"));
        }
        Ok(read)
    }
}

/// The request at the start of `octets` without its body, where its body starts, and how long that is.
fn parsed(octets: &[u8]) -> io::Result<Option<(Request, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(octets).map_err(invalid)? else {
        return Ok(None);
    };
    let headers = request.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_ascii_lowercase(), value)
    });
    let headers = headers.collect::<Vec<_>>();
    let value = |name: &str| {
        let found = headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    };
    if value("transfer-encoding").is_some() {
        return Err(invalid("nobody here sends a body in chunks"));
    }
    let length = value("content-length").map_or(Ok(0), str::parse);
    let target = request.path.unwrap_or_default();
    // What is sent to a proxy names the host, too (RFC 9112, section 3.2.2).
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let found = Request {
        method: request.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: pairs(query),
        headers: headers.clone(),
        body: Bytes::new(),
        connection: 0,
    };
    Ok(Some((found, head, length.map_err(invalid)?)))
}

/// Names and values of a query or a form.
fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    let pairs = parts.map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (
            decoded(&name.replace('+', " ")),
            decoded(&value.replace('+', " ")),
        )
    });
    pairs.collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The words behind a status (RFC 9110, section 15).
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
