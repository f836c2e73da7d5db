//! The server: a thread for the listener, one for each connection.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::answer::json;
use crate::judge::Judge;
use crate::routes;
use crate::script::{Fault, Faulty, Rule, matches};
use crate::tokens::{self, bearer, files};
use crate::wire::{Request, Requests, Response};
use crate::world::World;

/// Google, for as long as this lives.
///
/// # Panics
///
/// When it is dropped after a request or an answer that Google's discovery documents do not allow.
pub struct Google {
    shared: Arc<Shared>,
    port: u16,
    listener: Option<JoinHandle<()>>,
}

struct Shared {
    world: Mutex<World>,
    rules: Mutex<Vec<Rule>>,
    requests: Mutex<Vec<Request>>,
    streams: Mutex<Vec<TcpStream>>,
    violations: Mutex<Vec<String>>,
    judge: Option<Arc<Judge>>,
    is_over: AtomicBool,
}

impl Google {
    /// Starts it, with nobody to judge.
    ///
    /// # Panics
    ///
    /// If the loopback has no port left.
    #[must_use]
    pub fn start(world: World) -> Self {
        Self::start_judged(world, None)
    }

    /// Starts it; requests and answers are judged where there is a judge.
    ///
    /// # Panics
    ///
    /// If the loopback has no port left.
    #[must_use]
    pub fn start_judged(world: World, judge: Option<Arc<Judge>>) -> Self {
        Self::listen(world, judge, 0)
    }

    /// Starts it at a port of the caller's choice.
    ///
    /// # Panics
    ///
    /// If the port is taken.
    #[must_use]
    pub fn listen(mut world: World, judge: Option<Arc<Judge>>, port: u16) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the loopback has ports");
        let port = listener
            .local_addr()
            .expect("a listener has an address")
            .port();
        world.url = format!("http://127.0.0.1:{port}");
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            rules: Mutex::default(),
            requests: Mutex::default(),
            streams: Mutex::default(),
            violations: Mutex::default(),
            judge,
            is_over: AtomicBool::new(false),
        });
        let its = Arc::clone(&shared);
        let listener = thread::spawn(move || its.listen(&listener));
        Self {
            shared,
            port,
            listener: Some(listener),
        }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `127.0.0.1:PORT`, as `GCE_METADATA_HOST` wants it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The table `[gcp.endpoints]`.
    #[must_use]
    pub fn endpoints(&self) -> String {
        let url = self.url();
        format!(
            "[gcp.endpoints]\ndns = '{url}/'\ncompute = '{url}/'\nresource_manager = '{url}/'\n\
             pubsub = '{url}/'\n"
        )
    }

    /// Writes the key file of a service account to `directory`, for its owner alone.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[must_use]
    pub fn key_file(&self, directory: &Path) -> PathBuf {
        self.write(
            directory,
            "service-account.json",
            &files::service_account(&self.url()),
        )
    }

    /// Writes the file of a user's credentials.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[must_use]
    pub fn user_file(&self, directory: &Path) -> PathBuf {
        let name = "application_default_credentials.json";
        self.write(directory, name, &files::authorized_user(&self.url()))
    }

    /// Writes the file of a federation and the subject token that it names. With `impersonates` a service
    /// account is asked for in its name.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[must_use]
    pub fn federation_file(&self, directory: &Path, impersonates: bool) -> PathBuf {
        let subject = directory.join("subject-token");
        fs::write(&subject, tokens::SUBJECT_TOKEN).expect("a file can be written");
        let value = files::external_account(&self.url(), &subject.to_string_lossy(), impersonates);
        self.write(directory, "federation.json", &value)
    }

    #[expect(clippy::unused_self, reason = "it is a file for this server")]
    fn write(&self, directory: &Path, name: &str, value: &Value) -> PathBuf {
        let path = directory.join(name);
        fs::write(&path, format!("{value:#}\n")).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
            .expect("a file can be kept to oneself");
        path
    }

    /// What no output may hold: tokens that were given out, keys, and the credentials that were written.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = files::secrets();
        secrets.extend(self.world(|world| world.tokens()));
        let assertions = self
            .requests()
            .into_iter()
            .flat_map(|request| request.form());
        secrets.extend(
            assertions
                .filter(|(name, _)| name == "assertion")
                .map(|(_, value)| value),
        );
        secrets
    }

    /// Lets requests fail that are like `pattern`: `GET /compute/*/aggregated/instances`. A star stands for
    /// anything, and so does the end. Of several faults the one comes true that was asked for first.
    pub fn fault(&self, pattern: &str, fault: Fault) -> Faulty<'_> {
        let mut rules = self.rules();
        rules.push(Rule::new(pattern, fault));
        Faulty {
            google: self,
            number: rules.len() - 1,
        }
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        self.rules().clear();
    }

    /// How often a fault came true, in the order in which they were asked for.
    #[must_use]
    pub fn met(&self) -> Vec<usize> {
        self.rules().iter().map(|rule| rule.met).collect()
    }

    pub(crate) fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        lock(&self.shared.rules)
    }

    /// All requests until now, in the order in which they arrived.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The requests that are like `pattern`, as in [`Self::fault`].
    #[must_use]
    pub fn requests_like(&self, pattern: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| matches(pattern, &request.line()));
        requests
    }

    /// Forgets the requests until now.
    pub fn forget_requests(&self) {
        lock(&self.shared.requests).clear();
    }

    /// As [`Self::requests`], and forgets them.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *lock(&self.shared.requests))
    }

    /// Looks at the world, or changes it.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut lock(&self.shared.world))
    }

    /// What was wrong with requests and answers, for a test of that; it is forgotten thereby.
    #[must_use]
    pub fn take_violations(&self) -> Vec<String> {
        let mut violations = std::mem::take(&mut *lock(&self.shared.violations));
        violations.append(&mut lock(&self.shared.world).offences);
        violations
    }
}

impl std::fmt::Debug for Google {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Google")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Drop for Google {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // The listener looks up when somebody knocks.
        let _knocked = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        if let Some(listener) = self.listener.take() {
            let _ended = listener.join().is_ok();
        }
        for stream in lock(&self.shared.streams).drain(..) {
            // It may be closed already.
            let _closed = stream.shutdown(Shutdown::Both).is_ok();
        }
        let violations = self.take_violations();
        assert!(
            thread::panicking() || violations.is_empty(),
            "not as Google documents it:\n{}",
            violations.join("\n")
        );
    }
}

impl Shared {
    fn listen(self: Arc<Self>, listener: &TcpListener) {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            if let Ok(copy) = stream.try_clone() {
                lock(&self.streams).push(copy);
            }
            let its = Arc::clone(&self);
            thread::spawn(move || {
                // A client may go away at any moment.
                let _served = its.serve(&stream, number).is_ok();
                let _closed = stream.shutdown(Shutdown::Both).is_ok();
            });
            number += 1;
        }
    }

    fn serve(&self, stream: &TcpStream, number: usize) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut requests = Requests::new(stream, number);
        while let Some(request) = requests.next()? {
            if !self.answer(stream, &request)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers a request; false if the connection is over.
    fn answer(&self, mut stream: &TcpStream, request: &Request) -> io::Result<bool> {
        let bulk = lock(&self.world).bulk.clone();
        if let Some((response, is_compressed)) = bulk.and_then(|bulk| bulk.page(request)) {
            let encoding = is_compressed.then_some("gzip");
            stream.write_all(&response.head(response.body.len(), encoding))?;
            stream.write_all(&response.body)?;
            return Ok(true);
        }
        lock(&self.requests).push(request.clone());
        let fault = lock(&self.rules)
            .iter_mut()
            .find_map(|rule| rule.meets(request));
        if let Some(judge) = &self.judge {
            self.judged(judge.request(request));
        }
        let mut first = request.clone();
        let request = match &fault {
            Some(Fault::Endless) => {
                first.query.retain(|(name, _)| name != "pageToken");
                &first
            }
            _ => request,
        };
        let does_it = fault.as_ref().is_none_or(Fault::comes_after);
        let response = does_it.then(|| {
            let response = routes::answered(&mut lock(&self.world), request);
            if let Some(judge) = &self.judge {
                self.judged(judge.answer(request, &response));
            }
            response
        });
        match (fault, response) {
            (None, Some(response)) => write(stream, request, &response),
            (Some(fault), response) => self.spoil(stream, request, &fault, response),
            (None, None) => Ok(false),
        }
    }

    fn judged(&self, verdict: Result<(), String>) {
        if let Err(violation) = verdict {
            lock(&self.violations).push(violation);
        }
    }

    /// What a fault makes of a request and its answer.
    fn spoil(
        &self,
        mut stream: &TcpStream,
        request: &Request,
        fault: &Fault,
        response: Option<Response>,
    ) -> io::Result<bool> {
        if let Some(refusal) = fault.refusal(request) {
            return write(stream, request, &refusal);
        }
        match (fault, response) {
            (Fault::Revoked, _) => {
                if let Some(token) = bearer(request) {
                    lock(&self.world).tokens.revoke_one(token);
                }
                write(stream, request, &tokens::unauthenticated(request))
            }
            (Fault::Silence | Fault::SilenceAfter, _) => {
                // Until the client gives up, or the test is over.
                let mut octets = [0; 1024];
                while stream.read(&mut octets)? > 0 {}
                Ok(false)
            }
            (Fault::Reset, _) => {
                rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
                Ok(false)
            }
            (Fault::Late(time), Some(response)) => {
                thread::sleep(*time);
                write(stream, request, &response)
            }
            (Fault::Edited(edit), Some(mut response)) => {
                let mut body = serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
                edit(&mut body);
                response.body = Bytes::from(body.to_string());
                write(stream, request, &response)
            }
            (Fault::Endless, Some(response)) => {
                let mut body = serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
                body["nextPageToken"] = "again".into();
                write(stream, request, &json(response.status, &body))
            }
            (Fault::CutHead(octets), Some(response)) => {
                let head = response.head(response.body.len(), None);
                stream.write_all(&head[..head.len().min(*octets)])?;
                Ok(false)
            }
            (Fault::CutBody(octets), Some(response)) => {
                stream.write_all(&response.head(response.body.len(), None))?;
                stream.write_all(&response.body[..response.body.len().min(*octets)])?;
                Ok(false)
            }
            (Fault::Trickle, Some(response)) => {
                let mut whole = response.head(response.body.len(), None);
                whole.extend_from_slice(&response.body);
                for octet in whole {
                    stream.write_all(&[octet])?;
                }
                Ok(true)
            }
            (Fault::BrokenGzip, Some(response)) => {
                let mut octets = gzipped(&response.body)?;
                octets.truncate(octets.len() / 2);
                stream.write_all(&response.head(octets.len(), Some("gzip")))?;
                stream.write_all(&octets)?;
                Ok(true)
            }
            (Fault::TooShort, Some(response)) => {
                stream.write_all(&response.head(response.body.len() + 1, None))?;
                stream.write_all(&response.body)?;
                Ok(false)
            }
            _ => Ok(false),
        }
    }
}

/// Writes an answer as it should be; whether the connection goes on.
fn write(mut stream: &TcpStream, request: &Request, response: &Response) -> io::Result<bool> {
    let encoded = if wants_gzip(request) && response.body.len() > 256 {
        Some(gzipped(&response.body)?)
    } else {
        None
    };
    let (body, encoding) = match &encoded {
        Some(octets) => (octets.as_slice(), Some("gzip")),
        None => (response.body.as_ref(), None),
    };
    let mut whole = response.head(body.len(), encoding);
    whole.extend_from_slice(body);
    stream.write_all(&whole)?;
    Ok(request
        .header("connection")
        .is_none_or(|value| !value.eq_ignore_ascii_case("close")))
}

/// "To receive a gzip-encoded response you must do two things: set an `Accept-Encoding` header, and modify
/// your user agent to contain the string `gzip`" (the pages "Performance tips" of Google's APIs:
/// <https://developers.google.com/workspace/drive/api/guides/performance#gzip>).
pub(crate) fn wants_gzip(request: &Request) -> bool {
    let has = |header: &str| {
        request
            .header(header)
            .is_some_and(|value| value.contains("gzip"))
    };
    has("accept-encoding") && has("user-agent")
}

pub(crate) fn gzipped(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
