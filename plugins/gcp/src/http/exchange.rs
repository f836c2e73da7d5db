//! Requests and their answers, whoever is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::future::LocalBoxFuture;
use janitor_plugin_api::{Error, Host, in_one_line};
use tokio::time::Instant;
#[cfg(test)]
use tokio_rustls::rustls::RootCertStore;
use tracing::{debug, warn};

use super::answer::{Answer, Refusal};
use super::connect::Connections;
use super::endpoints::is_loopback;
use super::fault::Fault;
use super::request::{Repeat, Request};
use super::retry::{Deadline, Policy};
use super::tally::Tally;
use super::transport::TransportFault;

/// The most that an answer may have, uncompressed. An instance with all the metadata that Compute Engine lets
/// it have takes half a MiB, so that the hundred of them that are asked for at once fit.
const LARGEST: usize = 64 << 20;

/// What is read of an answer that refuses. Cloud DNS names everything that is wrong with a change, which may
/// be 2,000 record sets, each in some hundred octets.
const LARGEST_REFUSAL: usize = 1 << 20;

/// Becomes ready when the run is cancelled.
type Cancelled = dyn Fn() -> LocalBoxFuture<'static, ()> + Send + Sync;

/// Sends requests, again where that may help, and gets their answers, whole. Cheap to clone; all clones share
/// connections and counts.
#[derive(Clone)]
pub(crate) struct Exchange {
    connections: Connections,
    policy: Policy,
    timeout: Duration,
    largest: usize,
    cancelled: Arc<Cancelled>,
    numbers: Arc<AtomicU64>,
    tally: Arc<Tally>,
}

impl Exchange {
    /// # Errors
    ///
    /// [`Error::config`] if TLS cannot be used on this machine, unless `is_plain`: whoever is asked is on this
    /// machine, or an emulator.
    pub(crate) fn new(
        timeout: Duration,
        policy: Policy,
        host: &Host,
        is_plain: bool,
    ) -> Result<Self, Error> {
        let host = host.clone();
        let cancelled = move || -> LocalBoxFuture<'static, ()> {
            let host = host.clone();
            Box::pin(async move { host.cancelled().await })
        };
        let connections = Connections::new(timeout, is_plain)?;
        Ok(Self::over(
            connections,
            timeout,
            policy,
            Arc::new(cancelled),
        ))
    }

    fn over(
        connections: Connections,
        timeout: Duration,
        policy: Policy,
        cancelled: Arc<Cancelled>,
    ) -> Self {
        Self {
            connections,
            policy,
            timeout,
            largest: LARGEST,
            cancelled,
            numbers: Arc::default(),
            tally: Arc::default(),
        }
    }

    /// When a request that begins now has to be over, with all that belongs to it.
    pub(crate) fn deadline(&self) -> Deadline {
        self.policy.deadline()
    }

    /// Sends `request`, as often as it takes and `deadline` allows. An answer is an answer, whatever its
    /// status; a status that a repetition might have mended comes back as [`Fault::GivenUp`].
    ///
    /// # Errors
    ///
    /// [`Fault`] once repeating it no longer helps. None of its texts shows anything of the request but
    /// its host.
    pub(crate) async fn send(
        &self,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Answer, Fault> {
        let mut attempts = self.policy.attempts(deadline);
        let mut before = None;
        loop {
            attempts.begin();
            let outcome = self.attempt(request, deadline).await;
            let (asked, last) = match (outcome, before.take()) {
                (Ok(answer), _) if is_worth_repeating(request.repeat, &answer) => {
                    (answer.asks_for(), Fault::of(&answer, &request.secrets()))
                }
                (Err(Fault::Transport(fault)), _) if may_be_repeated(request.repeat, &fault) => {
                    (None, fault.into())
                }
                // That the time ran out just then says less than what had gone wrong until then.
                (Err(late @ Fault::Transport(TransportFault::Late { .. })), Some(last)) => {
                    request.doubt(&late);
                    (None, last)
                }
                (outcome, _) => return outcome,
            };
            request.doubt(&last);
            let Some(pause) = attempts.pause(asked) else {
                return Err(Fault::GivenUp {
                    attempts: attempts.made(),
                    asked,
                    deadline: deadline.of(),
                    last: Box::new(last),
                });
            };
            warn!(
                method = %request.method, host = request.host(), reason = in_one_line(&last),
                attempts = attempts.made(), pause_milliseconds = pause.as_millis(),
                "request is repeated after a pause"
            );
            before = Some(last);
            self.tally.repeated(request.host());
            self.or_cancelled(tokio::time::sleep(pause)).await?;
        }
    }

    /// What `future` comes to, unless the run is cancelled first.
    pub(crate) async fn or_cancelled<T>(
        &self,
        future: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = (self.cancelled)() => Err(Fault::Cancelled),
        }
    }

    /// Sends `request` once. What changes nothing is given up when the run is cancelled; whatever may
    /// change something is not, since how it went has to be known.
    async fn attempt(&self, request: &Request, deadline: Deadline) -> Result<Answer, Fault> {
        if request.method.is_safe() {
            self.or_cancelled(self.answer(request, deadline)).await?
        } else {
            self.answer(request, deadline).await
        }
    }

    async fn answer(&self, request: &Request, deadline: Deadline) -> Result<Answer, Fault> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let url = request.shown_url();
        debug!(request = number, method = %request.method, url, "request");
        let began = Instant::now();
        let outcome = self.one(request, deadline).await;
        let milliseconds = began.elapsed().as_millis();
        match &outcome {
            Ok(answer) => {
                let octets = answer.body.len();
                debug!(
                    request = number,
                    status = answer.status,
                    octets,
                    milliseconds,
                    "answer"
                );
                self.tally.answered(request.host(), octets);
            }
            Err(fault) => {
                debug!(
                    request = number,
                    reason = in_one_line(fault),
                    milliseconds,
                    "no answer"
                );
                self.tally.answered(request.host(), 0);
            }
        }
        outcome
    }

    async fn one(&self, request: &Request, deadline: Deadline) -> Result<Answer, Fault> {
        let host = request.host();
        let is_direct = request.is_direct || is_loopback(&request.url);
        let client = if is_direct {
            &self.connections.direct
        } else {
            &self.connections.general
        };
        let mut sent = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        let mut response = self.patiently(sent.send(), host, deadline).await?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        let limit = if status.is_success() {
            self.largest
        } else {
            LARGEST_REFUSAL
        };
        loop {
            match self.patiently(response.chunk(), host, deadline).await {
                Ok(Some(part)) if body.len().saturating_add(part.len()) <= limit => {
                    body.extend_from_slice(&part);
                }
                Ok(Some(_)) if status.is_success() => {
                    let host = host.to_owned();
                    return Err(TransportFault::Large { host, limit }.into());
                }
                Err(fault) if status.is_success() => return Err(fault.into()),
                // What is missing are but words: the status has been said.
                Ok(_) | Err(_) => break,
            }
        }
        Ok(Answer {
            status: status.as_u16(),
            headers,
            body: body.freeze(),
        })
    }

    /// What a step of an exchange comes to, if it comes in time.
    async fn patiently<T>(
        &self,
        step: impl Future<Output = reqwest::Result<T>>,
        host: &str,
        deadline: Deadline,
    ) -> Result<T, TransportFault> {
        let left = deadline.left();
        match tokio::time::timeout(self.timeout.min(left), step).await {
            Ok(outcome) => outcome.map_err(|error| TransportFault::of(&error, host)),
            Err(_elapsed) if left <= self.timeout => Err(TransportFault::Late {
                host: host.to_owned(),
                limit: deadline.of(),
            }),
            Err(_elapsed) => Err(TransportFault::Silence {
                host: host.to_owned(),
                limit: self.timeout,
            }),
        }
    }

    /// Hands on what was counted.
    pub(crate) fn measure(&self, host: &Host) {
        self.tally.measure(host);
    }
}

#[cfg(test)]
impl Exchange {
    /// For tests: without certificates, with pauses that nobody notices.
    pub(crate) fn testing() -> Self {
        let policy = Policy::hurried(Duration::from_secs(20));
        Self::with(policy, Duration::from_secs(10))
    }

    /// For tests, with their own time.
    pub(crate) fn with(policy: Policy, timeout: Duration) -> Self {
        Self::trusting(RootCertStore::empty(), policy, timeout)
    }

    /// For tests, with their own authorities.
    pub(crate) fn trusting(authorities: RootCertStore, policy: Policy, timeout: Duration) -> Self {
        let connections = Connections::trusting(authorities, timeout).unwrap();
        let never = || -> LocalBoxFuture<'static, ()> { Box::pin(std::future::pending()) };
        Self::over(connections, timeout, policy, Arc::new(never))
    }

    /// For tests: one that reads less than others.
    pub(crate) const fn with_largest(mut self, largest: usize) -> Self {
        self.largest = largest;
        self
    }

    /// For tests: one that is cancelled when told to.
    pub(crate) fn cancelled_by(mut self, notify: Arc<tokio::sync::Notify>) -> Self {
        self.cancelled = Arc::new(move || -> LocalBoxFuture<'static, ()> {
            let notify = Arc::clone(&notify);
            Box::pin(async move { notify.notified().await })
        });
        self
    }
}

/// Whether an answer is one that another attempt may better.
fn is_worth_repeating(repeat: Repeat, answer: &Answer) -> bool {
    match answer.status {
        // Turned away before anything was done.
        429 => true,
        403 => Refusal::of(answer).is_about_rate(),
        // It may come from somewhere behind what did the work ("it is not always safe to retry non-idempotent
        // operations", says google.rpc.Code of UNAVAILABLE). Who says when to come again has turned us
        // away (RFC 9110, section 15.6.4).
        503 if repeat == Repeat::Undone => answer.asks_for().is_some(),
        408 | 500 | 502 | 503 | 504 => repeat == Repeat::Always,
        _ => false,
    }
}

/// Whether another attempt may go better, and would not do a thing twice.
fn may_be_repeated(repeat: Repeat, fault: &TransportFault) -> bool {
    fault.may_pass() && (repeat == Repeat::Always || !fault.may_have_been_sent())
}
