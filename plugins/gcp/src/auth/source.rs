//! Where tokens come from.

use super::fault::TokenFault;
use super::token::Token;

/// Credentials of any kind.
#[derive(Debug)]
pub(super) enum Source {
    #[cfg(test)]
    Given(given::Given),
}

impl Source {
    /// Fetches a token.
    pub(super) async fn fetch(&self) -> Result<Token, TokenFault> {
        match *self {
            #[cfg(test)]
            Self::Given(ref given) => given.fetch().await,
        }
    }
}

#[cfg(test)]
mod given {
    use std::fmt;
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

    impl fmt::Debug for Given {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Given")
        }
    }
}
