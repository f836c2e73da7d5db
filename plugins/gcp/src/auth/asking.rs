//! Questions to those who give tokens.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::address;
use super::fault::{AnswerFault, Cause, Refused};
use super::secret::Secret;
use super::token::{Grant, Token};
use crate::http::{Answer, Deadline, Exchange, Fault, Refusal, Repeat, Request, Url, shown};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The questions that one token takes: all of them have to be answered by one time.
pub(super) struct Asking<'a> {
    exchange: &'a Exchange,
    deadline: Deadline,
}

/// A question. Asking it twice does no harm: who is given two tokens uses one.
pub(super) struct Question<'a> {
    request: Request,
    place: &'a Url,
}

impl<'a> Question<'a> {
    pub(super) fn get(place: &'a Url) -> Self {
        Self::new(Method::GET, place)
    }

    pub(super) fn form(place: &'a Url, fields: &[(&str, &str)]) -> Self {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let mut question = Self::new(Method::POST, place);
        question.request = question.request.body(FORM, body.finish().into());
        question
    }

    pub(super) fn json(place: &'a Url, body: Vec<u8>) -> Self {
        let mut question = Self::new(Method::POST, place);
        question.request = question.request.body(JSON, body.into());
        question
    }

    fn new(method: Method, place: &'a Url) -> Self {
        Self {
            request: Request::new(method, place.clone(), Repeat::Always),
            place,
        }
    }

    /// Past any proxy.
    pub(super) fn direct(mut self) -> Self {
        self.request = self.request.direct();
        self
    }

    pub(super) fn headers(mut self, headers: &HeaderMap) -> Self {
        for (name, value) in headers {
            self.request = self.request.header(name.clone(), value.clone());
        }
        self
    }

    /// With a header that says who asks.
    pub(super) fn authorized(mut self, scheme: &str, credentials: &Secret) -> Self {
        let value = Zeroizing::new(format!("{scheme} {}", credentials.reveal()));
        // What cannot stand in a header is no token, and was refused as one.
        if let Ok(mut value) = HeaderValue::from_str(&value) {
            value.set_sensitive(true);
            self.request = self.request.header(AUTHORIZATION, value);
        }
        self.hiding(credentials)
    }

    /// With `secret` in it, which no text about the answer may show.
    pub(super) fn hiding(mut self, secret: &Secret) -> Self {
        self.request = self.request.hiding(secret);
        self
    }
}

impl<'a> Asking<'a> {
    pub(super) fn new(exchange: &'a Exchange) -> Self {
        Self {
            exchange,
            // Whoever waits for the token would else give up first, and could not tell who was asked in vain.
            deadline: exchange.deadline().sooner(),
        }
    }

    /// Asks, as often as it takes, and returns the answer if it is not a refusal.
    pub(super) async fn ask(&self, question: &Question<'_>) -> Result<Answer, Cause> {
        let place = || address::shown(question.place);
        let sent = self.exchange.send(&question.request, self.deadline).await;
        let answer = sent.map_err(|source| Cause::Asking {
            place: place(),
            source: Box::new(source),
        })?;
        if answer.is_success() {
            return Ok(answer);
        }
        let secrets = question.request.secrets();
        let refusal = Refusal::of(&answer);
        let mut description = shown(&refusal.message, &secrets);
        let reason = shown(&refusal.reason, &secrets);
        if reason.is_empty() && description.is_empty() {
            description = answer.beginning(&secrets);
        }
        Err(Cause::Refused(Refused {
            place: place(),
            status: answer.status,
            reason,
            description,
        }))
    }

    /// The same questions, to be answered by `deadline`.
    pub(super) fn until(&self, deadline: Deadline) -> Self {
        Self {
            exchange: self.exchange,
            deadline,
        }
    }

    /// Asks for a token as OAuth 2.0 has it.
    pub(super) async fn grant(&self, question: &Question<'_>) -> Result<Token, Cause> {
        let answer = self.ask(question).await?;
        let grant: Grant = json(question.place, &answer)?;
        grant
            .token()
            .map_err(|fault| unusable(question.place, fault.into()))
    }
}

/// What `answer` has in JSON.
pub(super) fn json<T: DeserializeOwned>(place: &Url, answer: &Answer) -> Result<T, Cause> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        // The library's own text may show a value, and a value may be a token.
        let (line, column) = (error.line(), error.column());
        unusable(place, AnswerFault::Json { line, column })
    })
}

pub(super) fn unusable(place: &Url, source: AnswerFault) -> Cause {
    Cause::Answer {
        place: address::shown(place),
        source,
    }
}

impl Cause {
    /// Whether nothing is wrong but that nobody wants it any more.
    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Asking { source, .. } if matches!(**source, Fault::Cancelled))
    }
}
