//! What came of every server, as one error.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use janitor_plugin_api::{Error, in_one_line};

use super::Unread;
use crate::server::Server;

/// The servers of a zone, as far as they were tried.
pub(super) struct Attempts<'a> {
    servers: &'a [Arc<Server>],
    reasons: Vec<String>,
    hint: Option<String>,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(servers: &'a [Arc<Server>]) -> Self {
        Self {
            servers,
            reasons: Vec::new(),
            hint: None,
        }
    }

    /// Notes why the next server did not give the zone, and returns it in one line.
    pub(super) fn failed(&mut self, reason: &Unread) -> &str {
        self.hint = self.hint.take().or_else(|| hint(reason));
        self.reasons.push(in_one_line(reason));
        self.reasons.last().map_or("", String::as_str)
    }

    /// Returns the server that is tried now.
    pub(super) fn next(&self) -> Option<&'a Server> {
        self.servers.get(self.reasons.len()).map(|server| &**server)
    }

    /// Notes that there was no time left for the next server, and none for those after it.
    pub(super) fn out_of_time(mut self, deadline: Duration) -> Self {
        let seconds = deadline.as_secs_f64();
        self.reasons.push(format!(
            "not done within the {seconds} s for one zone (`deadline`)"
        ));
        self
    }

    /// The error that `make` makes of one link for each server, in the order in which they were tried.
    ///
    /// # Panics
    ///
    /// If there are no servers, which is an error of its own.
    pub(super) fn into_error(self, make: impl FnOnce(Link) -> Error) -> Error {
        let Self {
            servers,
            reasons,
            hint,
        } = self;
        let untried = servers.get(reasons.len()..).unwrap_or_default();
        let tried = servers.iter().zip(&reasons);
        let tried = tried.map(|(server, reason)| format!("{}: {reason}", server.shown()));
        let untried = untried
            .iter()
            .map(|server| format!("{}: not asked", server.shown()));
        let mut links = None;
        for link in tried.chain(untried).collect::<Vec<_>>().into_iter().rev() {
            let next = links.take().map(Box::new);
            links = Some(Link { link, next });
        }
        let error = make(links.expect("a zone without servers is an error of its own"));
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

fn hint(reason: &Unread) -> Option<String> {
    match reason {
        Unread::Fault(fault) => fault.hint(),
        Unread::Transfer(fault) if fault.is_change() => Some(
            "the zone changes faster than it is transferred; a later run may find it at rest"
                .to_owned(),
        ),
        Unread::Transfer(_) => None,
    }
}

/// What came of one server, and of those after it.
#[derive(Debug)]
pub(super) struct Link {
    link: String,
    next: Option<Box<Self>>,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.link)
    }
}

impl StdError for Link {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.next
            .as_deref()
            .map(|next| next as &(dyn StdError + 'static))
    }
}
