//! What a token is to allow.

use janitor_plugin_api::Error;

/// Where Google's scopes are; their short names are what follows.
const PREFIX: &str = "https://www.googleapis.com/auth/";

/// Scopes of OAuth 2.0 as they are sent, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scopes(Vec<String>);

impl Scopes {
    /// As in the setting `scopes`: short names, or whole URLs.
    ///
    /// # Errors
    ///
    /// [`Error::config`] if there is none, or one that cannot be sent.
    pub(super) fn new(setting: &[String]) -> Result<Self, Error> {
        if setting.is_empty() {
            return Err(Error::config("cannot use `scopes`", ScopeFault::None)
                .hint("leave `scopes` out for `[\"cloud-platform\"]`"));
        }
        let scopes = setting.iter().map(|scope| match checked(scope) {
            Ok(()) if scope.contains("://") => Ok(scope.clone()),
            Ok(()) => Ok(format!("{PREFIX}{scope}")),
            Err(fault) => Err(Error::config("cannot use `scopes`", fault)),
        });
        scopes.collect::<Result<_, _>>().map(Self)
    }

    /// What IAM wants of a token that another account is to be impersonated with (AIP-4117). All kinds of
    /// credentials can have it: it is among what `gcloud auth application-default login` asks for.
    pub(super) fn for_impersonation() -> Self {
        Self(vec![format!("{PREFIX}cloud-platform")])
    }

    pub(super) fn all(&self) -> &[String] {
        &self.0
    }

    pub(super) fn joined(&self, by: &str) -> String {
        self.0.join(by)
    }
}

/// RFC 6749, section 3.3. A comma is what the metadata server separates scopes with.
fn checked(scope: &str) -> Result<(), ScopeFault> {
    let is_of_scope = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b'"' | b'\\' | b',');
    if scope.is_empty() || !scope.bytes().all(is_of_scope) {
        return Err(ScopeFault::Form(scope.to_owned()));
    }
    Ok(())
}

/// Why a list is none of scopes.
#[derive(Debug, thiserror::Error)]
enum ScopeFault {
    #[error("the list is empty, and a token without scopes allows nothing")]
    None,
    #[error("`{0}` is no scope: one such as `cloud-platform`, or a whole URL, is")]
    Form(String),
}

#[cfg(test)]
mod tests;
