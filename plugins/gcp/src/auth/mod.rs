//! Access tokens: from where they come, and how long one serves.
//!
//! ```text
//!  keyfile, or Application Default Credentials ──► source ──► Tokens ──► every request of a plugin
//!                                                    ▲
//!          token endpoint, STS, IAM, metadata server ┘
//! ```
//!
//! All requests of a plugin share one token. It is fetched when the first one needs it, again when it has
//! less than a minute left, and again when a service refuses it; however many wait for it, it is fetched once
//! for all of them.

mod secret;
mod token;
mod scopes;
mod asking;
mod service_account;
mod user;
mod subject;
mod federation;
mod impersonation;
mod metadata;
mod source;
mod address;
mod file;
mod key_file;
mod places;
mod fault;
mod advice;

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use janitor_plugin_api::{Error, Host};
use tokio::sync::Mutex;

pub(crate) use self::fault::TokenFault;
use self::places::World;
use self::scopes::Scopes;
pub(crate) use self::secret::Secret;
use self::source::{Credentials, Source};
use self::token::SPARE;
pub(crate) use self::token::Token;
use crate::http::{Exchange, Fault};
use crate::settings::GoogleSettings;

/// The token that all requests of a plugin share.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// None: requests carry no token.
    source: Option<Source>,
    held: Mutex<Held>,
    /// How many fetches have ended.
    ended: AtomicU64,
    quota_project: Option<String>,
}

/// What the last fetch came to.
#[derive(Debug, Default)]
struct Held {
    token: Option<Token>,
    fault: Option<Arc<TokenFault>>,
}

/// A token as a request carries it.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    text: Secret,
    fetched: bool,
}

impl Access {
    pub(crate) fn as_str(&self) -> &str {
        self.text.reveal()
    }

    /// Whether it was fetched while this request waited for it, by whomever.
    pub(crate) const fn was_fetched(&self) -> bool {
        self.fetched
    }
}

impl Tokens {
    /// Finds the credentials; asks nobody for a token yet.
    ///
    /// # Errors
    ///
    /// [`Error::config`] if those that were found cannot be used, or `scopes` cannot.
    pub(crate) fn new(
        settings: &GoogleSettings,
        exchange: Exchange,
        host: &Host,
    ) -> Result<Self, Error> {
        let world = World {
            variable: &|name| env::var_os(name),
            resolve: &|path| host.resolve(path),
        };
        Self::find(settings, exchange, &world)
    }

    fn find(
        settings: &GoogleSettings,
        exchange: Exchange,
        world: &World<'_>,
    ) -> Result<Self, Error> {
        let scopes = Scopes::new(&settings.scopes)?;
        let found = places::find(settings.keyfile.as_deref(), world)?;
        found.check_universe(&settings.endpoints)?;
        found.tell();
        let credentials = Credentials {
            name: found.name().into(),
            kind: found.kind,
            scopes,
            exchange,
        };
        let source = Source::Credentials(Box::new(credentials));
        Ok(Self::from(Some(source), found.quota_project))
    }

    /// No token for any request.
    pub(crate) fn none() -> Self {
        Self::from(None, None)
    }

    fn from(source: Option<Source>, quota_project: Option<String>) -> Self {
        Self {
            source,
            held: Mutex::default(),
            ended: AtomicU64::new(0),
            quota_project,
        }
    }

    /// The project that requests are counted for, if the credentials name one: `X-Goog-User-Project`.
    pub(crate) fn quota_project(&self) -> Option<&str> {
        self.quota_project.as_deref()
    }

    /// A token that serves for another minute at least, unless there is none but shorter ones; None where no
    /// credentials are used.
    ///
    /// # Errors
    ///
    /// [`Fault::Token`]. The next call tries again.
    pub(crate) async fn current(&self) -> Result<Option<Access>, Fault> {
        self.get(None).await
    }

    /// A token in the place of `refused`, which a service answered with 401. If it was renewed already on
    /// behalf of another request, then without fetching one.
    ///
    /// # Errors
    ///
    /// As [`Self::current`].
    pub(crate) async fn renew(&self, refused: &str) -> Result<Option<Access>, Fault> {
        self.get(Some(refused)).await
    }

    async fn get(&self, refused: Option<&str>) -> Result<Option<Access>, Fault> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let ended = self.ended.load(Ordering::Relaxed);
        let mut held = self.held.lock().await;
        // Then what the others got is for this one too, even if it is a fault, or lives only for seconds.
        let waited = self.ended.load(Ordering::Relaxed) != ended;
        if waited && let Some(fault) = &held.fault {
            return Err(Fault::Token(Arc::clone(fault)));
        }
        let serves = |token: &&Token| {
            waited || (token.left() >= SPARE && Some(token.text().reveal()) != refused)
        };
        if let Some(token) = held.token.as_ref().filter(serves) {
            return Ok(Some(Access {
                text: token.text().clone(),
                fetched: waited,
            }));
        }
        let fetched = source.fetch().await;
        // Of no use to others, who are cancelled as well.
        if fetched.as_ref().is_err_and(TokenFault::is_cancelled) {
            return Err(Fault::Cancelled);
        }
        self.ended.fetch_add(1, Ordering::Relaxed);
        match fetched {
            Ok(token) => {
                let text = token.text().clone();
                *held = Held {
                    token: Some(token),
                    fault: None,
                };
                Ok(Some(Access {
                    text,
                    fetched: true,
                }))
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                *held = Held {
                    token: None,
                    fault: Some(Arc::clone(&fault)),
                };
                Err(Fault::Token(fault))
            }
        }
    }
}

#[cfg(test)]
impl Tokens {
    /// Tokens as a test gives them: `held` from the start, then what `fetch` returns.
    pub(crate) fn given(
        held: Option<Token>,
        fetch: impl FnMut() -> Result<Token, TokenFault> + Send + 'static,
    ) -> Self {
        let mut tokens = Self::from(Some(Source::given(fetch)), None);
        tokens.held.get_mut().token = held;
        tokens
    }
}

#[cfg(test)]
mod tests;
