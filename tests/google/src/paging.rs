//! Where a listing goes on.
//!
//! Page tokens are opaque (<https://google.aip.dev/158>): ours belong to one listing, and one that was made
//! for another, or by a client, is refused.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// A part of a listing.
pub(crate) struct Page<'a, T> {
    pub(crate) items: &'a [T],
    pub(crate) next: Option<String>,
}

/// The part of `items` that `token` asks for, at most `limit` of them. `listing` is what all pages of one
/// listing have in common.
///
/// None if the token is not one of this listing.
pub(crate) fn page<'a, T>(
    items: &'a [T],
    listing: &str,
    token: Option<&str>,
    limit: usize,
) -> Option<Page<'a, T>> {
    let start = match token {
        None | Some("") => 0,
        Some(token) => start(listing, token)?,
    };
    let rest = items.get(start..)?;
    let end = start + rest.len().min(limit.max(1));
    let next = (end < items.len()).then(|| token_for(listing, end));
    Some(Page {
        items: &items[start..end],
        next,
    })
}

fn token_for(listing: &str, start: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{start}@{listing}"))
}

fn start(listing: &str, token: &str) -> Option<usize> {
    let text = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (start, of) = text.split_once('@')?;
    (of == listing).then(|| start.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_listing_is_had_whole_and_once() {
        let items = (0..7).collect::<Vec<_>>();
        let mut had = Vec::new();
        let mut token = None;
        loop {
            let page = page(&items, "l", token.as_deref(), 3).unwrap();
            had.extend_from_slice(page.items);
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(had, items);
    }

    #[test]
    fn a_token_of_another_listing_is_refused() {
        let items = [1, 2];
        let token = page(&items, "one", None, 1).unwrap().next.unwrap();
        assert!(page(&items, "one", Some(&token), 1).is_some());
        assert!(page(&items, "other", Some(&token), 1).is_none());
        assert!(page(&items, "one", Some("made up"), 1).is_none());
    }
}
