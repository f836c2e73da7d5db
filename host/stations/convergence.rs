//! Changes that were applied and are planned again.

/// Changes of a zone that were sent and may not have come about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsettled(Vec<u8>);

impl Unsettled {
    /// As it is kept.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// As it was kept.
    ///
    /// # Errors
    ///
    /// None.
    pub fn from_octets(octets: &[u8]) -> Result<Self, String> {
        Ok(Self(octets.to_vec()))
    }
}
