//! Where tokens come from.

use std::fmt;
use std::sync::Arc;

use super::advice;
use super::asking::Asking;
use super::fault::{Cause, TokenFault};
use super::federation::Federation;
use super::impersonation::Impersonation;
use super::metadata::Metadata;
use super::scopes::Scopes;
use super::service_account::ServiceAccount;
use super::token::Token;
use super::user::User;
use crate::http::Exchange;

/// Who is asked for tokens.
pub(super) enum Source {
    Credentials(Box<Credentials>),
    #[cfg(test)]
    Given(given::Given),
}

/// Credentials, and all that it takes to get tokens by them.
pub(super) struct Credentials {
    pub(super) kind: Kind,
    /// What they are called in messages.
    pub(super) name: Arc<str>,
    pub(super) scopes: Scopes,
    pub(super) exchange: Exchange,
}

/// The kinds of credentials.
#[derive(Debug)]
pub(super) enum Kind {
    Own(Key),
    Impersonated { by: Key, account: Impersonation },
    Metadata(Metadata),
}

/// Credentials that speak for themselves.
#[derive(Debug)]
pub(super) enum Key {
    ServiceAccount(ServiceAccount),
    User(User),
    Federation(Federation),
}

impl Source {
    /// Fetches a token.
    pub(super) async fn fetch(&self) -> Result<Token, TokenFault> {
        match self {
            Self::Credentials(credentials) => credentials.fetch().await,
            #[cfg(test)]
            Self::Given(given) => given.fetch().await,
        }
    }
}

impl Credentials {
    async fn fetch(&self) -> Result<Token, TokenFault> {
        let asking = Asking::new(&self.exchange);
        let token = self.kind.fetch(&asking, &self.scopes).await;
        token.map_err(|cause| {
            let hint = advice::on(&self.kind, &cause);
            TokenFault::new(Arc::clone(&self.name), cause, hint)
        })
    }
}

impl Kind {
    async fn fetch(&self, asking: &Asking<'_>, scopes: &Scopes) -> Result<Token, Cause> {
        match self {
            Self::Own(key) => key.fetch(asking, scopes).await,
            Self::Impersonated { by, account } => {
                let by = by.fetch(asking, &Scopes::for_impersonation()).await?;
                account.fetch(asking, &by, scopes).await
            }
            Self::Metadata(metadata) => metadata.fetch(asking, scopes).await,
        }
    }

    /// The account that tokens are of, as far as one can know before there is one.
    pub(super) fn account(&self) -> Option<String> {
        match self {
            Self::Own(Key::ServiceAccount(account)) => Some(account.email.clone()),
            Self::Own(Key::Federation(federation)) => federation.impersonation.as_ref()?.account(),
            Self::Impersonated { account, .. } => account.account(),
            Self::Own(Key::User(_)) | Self::Metadata(_) => None,
        }
    }

    /// What such credentials are called.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Own(Key::ServiceAccount(_)) => "service account",
            Self::Own(Key::User(_)) => "user login",
            Self::Own(Key::Federation(_)) => "federated identity",
            Self::Impersonated { .. } => "impersonated service account",
            Self::Metadata(_) => "service account of this machine",
        }
    }

    /// Whether whoever reads the file can get tokens.
    pub(super) const fn has_secret(&self) -> bool {
        match self {
            Self::Own(key) | Self::Impersonated { by: key, .. } => match key {
                Key::ServiceAccount(_) | Key::User(_) => true,
                Key::Federation(federation) => federation.client.is_some(),
            },
            Self::Metadata(_) => false,
        }
    }
}

impl Key {
    async fn fetch(&self, asking: &Asking<'_>, scopes: &Scopes) -> Result<Token, Cause> {
        match self {
            Self::ServiceAccount(account) => account.fetch(asking, scopes).await,
            Self::User(user) => user.fetch(asking, scopes).await,
            Self::Federation(federation) => federation.fetch(asking, scopes).await,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials(credentials) => write!(f, "Source({})", credentials.name),
            #[cfg(test)]
            Self::Given(_) => f.write_str("Source(given)"),
        }
    }
}

#[cfg(test)]
mod given {
    use std::sync::Mutex;

    use super::{Source, Token, TokenFault};

    type Fetch = dyn FnMut() -> Result<Token, TokenFault> + Send;

    /// What a test says is fetched.
    pub(in super::super) struct Given(Mutex<Box<Fetch>>);

    impl Source {
        pub(in super::super) fn given(
            fetch: impl FnMut() -> Result<Token, TokenFault> + Send + 'static,
        ) -> Self {
            Self::Given(Given(Mutex::new(Box::new(fetch))))
        }
    }

    impl Given {
        pub(super) async fn fetch(&self) -> Result<Token, TokenFault> {
            // Whoever else wants a token gets to ask for it meanwhile.
            tokio::task::yield_now().await;
            (self.0.lock().unwrap())()
        }
    }
}
