//! What goes wrong, and when.

use std::fmt;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use serde_json::Value;

use crate::answer::{Wrong, canonical, classic};
use crate::server::Google;
use crate::tokens::{is_classic, refused};
use crate::wire::{Request, Response};

/// What becomes of a request.
#[derive(Clone)]
pub enum Fault {
    /// Nothing is done; the answer says why, in the form of the service.
    Status {
        /// 403 and so on.
        status: u16,
        /// `rateLimitExceeded`; of the token's endpoint, `error`.
        reason: String,
        /// What people read.
        message: String,
        /// The header `Retry-After`.
        retry_after: Option<String>,
    },
    /// Nothing is done; the answer is this.
    Answer(Response),
    /// Done and answered, but for what is made of the answer.
    Edited(Arc<dyn Fn(&mut Value) + Send + Sync>),
    /// Every page says that there is another one, which is the first again.
    Endless,
    /// Done; the answer ends with this many octets of its head.
    CutHead(usize),
    /// Done; the answer ends with this many octets of its body.
    CutBody(usize),
    /// Done; the answer comes octet by octet, each by itself.
    Trickle,
    /// Done; the answer says that it is compressed, and cannot be uncompressed.
    BrokenGzip,
    /// Done; the answer says that it is longer than it is.
    TooShort,
    /// Done; the connection is closed without an answer.
    Unanswered,
    /// Nothing is done; the connection is closed without an answer.
    Unheard,
    /// Nothing is done; the connection is reset.
    Reset,
    /// Nothing is done; no answer comes, and the connection stays.
    Silence,
    /// Done; no answer comes, and the connection stays.
    SilenceAfter,
    /// Done and answered, later.
    Late(Duration),
    /// The token of the request is taken back, and the answer says so.
    Revoked,
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { status, reason, .. } => write!(f, "{status} {reason}"),
            Self::Answer(response) => write!(f, "answer {}", response.status),
            Self::Edited(_) => f.write_str("an edited answer"),
            Self::Endless => f.write_str("pages without end"),
            Self::CutHead(octets) => write!(f, "cut after {octets} octets of the head"),
            Self::CutBody(octets) => write!(f, "cut after {octets} octets of the body"),
            Self::Late(time) => write!(f, "late by {time:?}"),
            Self::Trickle => f.write_str("a trickle"),
            Self::BrokenGzip => f.write_str("broken gzip"),
            Self::TooShort => f.write_str("too short"),
            Self::Unanswered => f.write_str("unanswered"),
            Self::Unheard => f.write_str("unheard"),
            Self::Reset => f.write_str("reset"),
            Self::Silence => f.write_str("silence"),
            Self::SilenceAfter => f.write_str("silence after it was done"),
            Self::Revoked => f.write_str("the token is revoked"),
        }
    }
}

impl Fault {
    /// A refusal as Google's services write it.
    #[must_use]
    pub fn status(status: u16, reason: &str) -> Self {
        let message = match status {
            403 if reason.ends_with("Exceeded") => {
                "Quota exceeded for quota metric 'Queries' and limit 'Queries \
                per minute' of service for consumer 'project_number:123456789012'."
            }
            403 => "Required permission is missing for the caller.",
            401 => "Request had invalid authentication credentials.",
            404 => "The resource was not found",
            429 => "Quota exceeded.",
            503 => "Service unavailable. Please try again.",
            _ => "Backend Error",
        };
        Self::Status {
            status,
            reason: reason.to_owned(),
            message: message.to_owned(),
            retry_after: None,
        }
    }

    /// A refusal of the token's endpoint (RFC 6749, section 5.2).
    #[must_use]
    pub fn grant(status: u16, error: &str, description: &str) -> Self {
        Self::Status {
            status,
            reason: error.to_owned(),
            message: description.to_owned(),
            retry_after: None,
        }
    }

    /// With the header `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, value: &str) -> Self {
        if let Self::Status { retry_after, .. } = &mut self {
            *retry_after = Some(value.to_owned());
        }
        self
    }

    /// With another text for people.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        if let Self::Status { message, .. } = &mut self {
            text.clone_into(message);
        }
        self
    }

    /// The answer with whatever `edit` makes of its JSON.
    #[must_use]
    pub fn edited(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Edited(Arc::new(edit))
    }

    /// Pages that go on and on.
    #[must_use]
    pub const fn endless() -> Self {
        Self::Endless
    }

    /// The answer 200 with this body, whatever it is.
    #[must_use]
    pub fn body(content_type: &str, body: &str) -> Self {
        Self::Answer(Response::new(200, content_type, body.to_owned()))
    }

    /// An answer that points elsewhere.
    #[must_use]
    pub fn redirect(status: u16, to: &str) -> Self {
        let response = Response::new(status, "text/html; charset=UTF-8", "<html>Moved</html>");
        Self::Answer(response.with("Location", to))
    }

    /// Whether the service does what it is asked before something goes wrong.
    pub(crate) const fn comes_after(&self) -> bool {
        !matches!(
            self,
            Self::Status { .. }
                | Self::Answer(_)
                | Self::Unheard
                | Self::Reset
                | Self::Silence
                | Self::Revoked
        )
    }

    /// The answer of a fault that is one.
    pub(crate) fn refusal(&self, request: &Request) -> Option<Response> {
        match self {
            Self::Status {
                status,
                reason,
                message,
                retry_after,
            } => {
                let response = if matches!(request.path.as_str(), "/token" | "/v1/token") {
                    refused(*status, reason, message)
                } else if is_classic(request) {
                    classic(&[Wrong::new(*status, reason, message.as_str())])
                } else {
                    canonical(*status, message)
                };
                Some(match retry_after {
                    Some(value) => response.with("Retry-After", value),
                    None => response,
                })
            }
            Self::Answer(response) => Some(response.clone()),
            _ => None,
        }
    }
}

/// A fault and the requests that it meets.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pattern: String,
    fault: Fault,
    /// How many requests of the pattern are let through first.
    spares: usize,
    /// How many it meets then.
    times: usize,
    seen: usize,
    pub(crate) met: usize,
}

impl Rule {
    pub(crate) fn new(pattern: &str, fault: Fault) -> Self {
        Self {
            pattern: pattern.to_owned(),
            fault,
            spares: 0,
            times: usize::MAX,
            seen: 0,
            met: 0,
        }
    }

    /// The fault, if it meets this request, which is thereby counted.
    pub(crate) fn meets(&mut self, request: &Request) -> Option<Fault> {
        if !matches(&self.pattern, &request.line()) {
            return None;
        }
        self.seen += 1;
        let is_met = self.seen > self.spares && self.met < self.times;
        self.met += usize::from(is_met);
        is_met.then(|| self.fault.clone())
    }
}

/// Whether `line` is `pattern`, where `*` stands for anything, and whatever stands behind the pattern does
/// not count unless that ends with `$`.
pub(crate) fn matches(pattern: &str, line: &str) -> bool {
    let (pattern, is_whole) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    !is_whole || rest.is_empty()
}

/// A fault that was asked for: says more of when it comes. Without a word it always does.
pub struct Faulty<'a> {
    pub(crate) google: &'a Google,
    pub(crate) number: usize,
}

impl Faulty<'_> {
    /// The first such request only.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// This many of such requests.
    pub fn times(self, times: usize) -> Self {
        self.rule(|rule| rule.times = times);
        self
    }

    /// Such requests once this many were answered as they should be.
    pub fn after(self, spared: usize) -> Self {
        self.rule(|rule| rule.spares = spared);
        self
    }

    /// The nth such request only, counted from 1.
    pub fn nth(self, number: usize) -> Self {
        self.after(number - 1).times(1)
    }

    fn rule(&self, change: impl FnOnce(&mut Rule)) {
        let mut rules: MutexGuard<'_, Vec<Rule>> = self.google.rules();
        if let Some(rule) = rules.get_mut(self.number) {
            change(rule);
        }
    }
}

impl fmt::Debug for Faulty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        let line = "GET /dns/v1/projects/p/managedZones/z/rrsets?pageToken=t";
        for pattern in [
            "GET /dns/",
            "GET *rrsets",
            "GET *pageToken=",
            "*",
            "* /dns/v1/projects/*/managedZones",
            "GET *pageToken=t$",
        ] {
            assert!(matches(pattern, line), "{pattern}");
        }
        for pattern in ["POST *", "GET *changes", "/dns/", "GET *rrsets$"] {
            assert!(!matches(pattern, line), "{pattern}");
        }
    }
}
