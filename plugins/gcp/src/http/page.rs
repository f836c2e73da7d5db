//! Where a listing goes on.

/// What comes behind a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The page with this token.
    Page(String),
    End,
}

impl Next {
    /// As in an answer, where an empty token is none.
    pub(crate) fn from_token(token: Option<impl Into<String>>) -> Self {
        match token.map(Into::into) {
            Some(token) if !token.is_empty() => Self::Page(token),
            _ => Self::End,
        }
    }
}

/// Why a page is not understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageFault {
    #[error("the answer is not the JSON that was expected")]
    Json(#[from] serde_json::Error),
    /// One that was there before: the listing would never end.
    #[error("the listing leads back to a page that it already had")]
    Again,
    #[error("{0}")]
    Unfit(String),
}
