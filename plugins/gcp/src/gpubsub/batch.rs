//! What goes into one request.

use bytes::Bytes;

use super::parcel::{MOST_OCTETS, Parcel};

/// The octets at which a request is full. Larger ones take no fewer octets in all, and one that gets no
/// answer leaves more in doubt; Google's own clients stop at as many.
const FULL_OCTETS: usize = 1_000_000;

const HEAD: &[u8] = br#"{"messages":["#;
const TAIL: &[u8] = b"]}";

/// Parcels that are sent in one request, each with what it belongs to.
#[derive(Debug)]
pub(super) struct Batch<Z> {
    parcels: Vec<(Z, Parcel)>,
    messages: usize,
    octets: usize,
}

impl<Z> Batch<Z> {
    pub(super) const fn new() -> Self {
        Self {
            parcels: Vec::new(),
            messages: 0,
            octets: HEAD.len() + TAIL.len(),
        }
    }

    /// Whether `parcel` may be added, where there are to be `most` messages at most. A first one always
    /// may: it cannot be made smaller.
    ///
    /// "All `PubsubMessage`s published in a given `PublishRequest` must specify the same `orderingKey`
    /// value" (`PubsubMessage` in Google's reference): what has keys of its own goes alone.
    pub(super) fn has_room_for(&self, parcel: &Parcel, most: usize) -> bool {
        let Some((_, first)) = self.parcels.first() else {
            return true;
        };
        let octets = self.octets + parcel.json.len() + 1;
        let messages = self.messages + parcel.messages.len();
        messages <= most && octets <= FULL_OCTETS && first.key == parcel.key
    }

    pub(super) fn push(&mut self, whose: Z, parcel: Parcel) {
        self.messages += parcel.messages.len();
        self.octets += parcel.json.len() + 1;
        self.parcels.push((whose, parcel));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    pub(super) fn parcels(&self) -> &[(Z, Parcel)] {
        &self.parcels
    }

    /// The number of messages.
    pub(super) const fn messages(&self) -> usize {
        self.messages
    }

    /// The request: a `PublishRequest` as JSON.
    pub(super) fn body(&self) -> Bytes {
        let mut body = Vec::with_capacity(self.octets);
        body.extend_from_slice(HEAD);
        for (number, (_, parcel)) in self.parcels.iter().enumerate() {
            if number > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&parcel.json);
        }
        body.extend_from_slice(TAIL);
        body.into()
    }

    /// Two batches with half of the parcels each, in order; itself if it has but one.
    pub(super) fn split(mut self) -> Result<[Self; 2], Self> {
        if self.parcels.len() < 2 {
            return Err(self);
        }
        let second = self.parcels.split_off(self.parcels.len() / 2);
        Ok([self.parcels, second].map(|parcels| {
            let mut half = Self::new();
            for (whose, parcel) in parcels {
                half.push(whose, parcel);
            }
            half
        }))
    }
}

const _: () = assert!(FULL_OCTETS < MOST_OCTETS);
