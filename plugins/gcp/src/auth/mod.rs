//! Access tokens: from where they come, and how long one serves.

use janitor_plugin_api::{Error, Host};
use zeroize::Zeroizing;

use crate::http::Fault;
use crate::settings::GoogleSettings;

/// The token that all requests of a plugin share.
pub(crate) struct Tokens {}

impl Tokens {
    /// Finds the credentials; asks nobody for a token yet.
    ///
    /// # Errors
    ///
    /// [`Error::config`] if there are none, or they cannot be read.
    pub(crate) fn new(
        _settings: &GoogleSettings,
        _http: reqwest::Client,
        _host: &Host,
    ) -> Result<Self, Error> {
        Ok(Self {})
    }

    /// A token that serves for another minute at least; none where no credentials are used.
    ///
    /// # Errors
    ///
    /// [`Fault::Token`].
    pub(crate) async fn current(&self) -> Result<Option<Zeroizing<String>>, Fault> {
        Ok(None)
    }
}
