//! What a service answers, and what it says when it refuses.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;

use super::text::shown;

/// An answer, whole.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer may be an access token, so its body is not shown.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("octets", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Answer {
    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    pub(crate) const fn is_redirect(&self) -> bool {
        matches!(self.status, 300..=399)
    }

    /// What it says it is; empty if it does not.
    pub(crate) fn content_type(&self) -> String {
        let value = self.headers.get(CONTENT_TYPE);
        let value = value.and_then(|value| value.to_str().ok()).unwrap_or("");
        shown(value, &[])
    }

    /// Where a redirect points to.
    pub(crate) fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION)?.to_str().ok()
    }

    /// Whether it can be the JSON object that every call of Google's answers with. A page of HTML that
    /// calls itself JSON is none, and JSON without a name is.
    pub(crate) fn looks_like_an_object(&self) -> bool {
        let first = self.body.iter().find(|octet| !octet.is_ascii_whitespace());
        first == Some(&b'{')
    }

    /// The beginning of the body.
    pub(crate) fn beginning(&self, secrets: &[&str]) -> String {
        let length = self.body.len().min(4096);
        shown(&String::from_utf8_lossy(&self.body[..length]), secrets)
    }

    /// How long the service wants to be left alone: `Retry-After` (RFC 9110, section 10.2.3), or
    /// `google.rpc.RetryInfo` among the details of its error.
    pub(crate) fn asks_for(&self) -> Option<Duration> {
        self.retry_after().or_else(|| Refusal::of(self).pause)
    }

    fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        Some(self.until(http_date(text)?))
    }

    /// How long it is until a time that it names: by the clock that it was written by, where that is told.
    pub(crate) fn until(&self, time: Timestamp) -> Duration {
        let date = self.headers.get(DATE).and_then(|date| date.to_str().ok());
        let now = date.and_then(http_date).unwrap_or_else(Timestamp::now);
        Duration::try_from(time.duration_since(now)).unwrap_or_default()
    }
}

/// A date in any of the three forms that a recipient has to know (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    let forms = [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ];
    forms.iter().find_map(|form| {
        let time = strtime::parse(form, text.trim()).ok()?;
        let time = time.to_datetime().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

/// What Google says when it refuses, in any of its forms:
/// `{"error": {"code", "message", "status", "errors": [{"reason"}], "details": [{"reason"}]}}`, and
/// `{"error": "…", "error_description": "…"}` (RFC 6749, section 5.2).
///
/// Read leniently: whatever is missing or of another type is as if it were not there.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    /// The reason in one word; empty if there is none.
    pub(crate) reason: String,
    /// The message; empty if there is none.
    pub(crate) message: String,
    /// Everything that is wrong, where it is told piece by piece.
    pub(crate) parts: Vec<Part>,
    pause: Option<Duration>,
}

/// One thing that is wrong: an element of `error.errors[]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn of(answer: &Answer) -> Self {
        let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(&answer.body) else {
            return Self::default();
        };
        let text = |value: Option<&Value>| {
            value?
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let Some(error) = object.get("error") else {
            return Self::default();
        };
        if error.is_string() {
            return Self {
                reason: text(Some(error)).unwrap_or_default(),
                message: text(object.get("error_description")).unwrap_or_default(),
                parts: Vec::new(),
                pause: None,
            };
        }
        let list = |key: &str| {
            error
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        let reason = list("errors")
            .chain(list("details"))
            .find_map(|item| text(item.get("reason")))
            .or_else(|| text(error.get("status")));
        let message = text(error.get("message"))
            .or_else(|| list("errors").find_map(|item| text(item.get("message"))));
        // `"retryDelay": "3.5s"`: a duration as JSON has it (google.protobuf.Duration).
        let pause = list("details").find_map(|item| {
            let delay = item.get("retryDelay")?.as_str()?.strip_suffix('s')?;
            Duration::try_from_secs_f64(delay.parse().ok()?).ok()
        });
        let parts = list("errors").map(|item| Part {
            reason: text(item.get("reason")).unwrap_or_default(),
            message: text(item.get("message")).unwrap_or_default(),
        });
        Self {
            reason: reason.unwrap_or_default(),
            message: message.unwrap_or_default(),
            parts: parts.collect(),
            pause,
        }
    }

    /// Whether it is the rate of requests that was too high. Compute Engine and Cloud DNS say that with
    /// 403 and a reason. `quotaExceeded` is also what they say when there would be too much of
    /// something, which waiting does not mend; the message tells which one it is.
    pub(crate) fn is_about_rate(&self) -> bool {
        match self.reason.as_str() {
            "rateLimitExceeded" | "userRateLimitExceeded" | "RATE_LIMIT_EXCEEDED" => true,
            "quotaExceeded" => {
                let message = self.message.to_ascii_lowercase();
                ["per minute", "per second", "per 100 seconds"]
                    .iter()
                    .any(|rate| message.contains(rate))
            }
            _ => false,
        }
    }
}
