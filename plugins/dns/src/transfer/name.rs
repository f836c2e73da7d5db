//! Compressed names (RFC 1035, section 4.1.4).

/// Most octets a name has in wire form (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 255;

/// Most pointers of one name. Each may lead to a label, of which a name has 127 at most; without
/// a limit, a message of nothing but pointers would take time that grows with its square.
const MAX_POINTERS: usize = 127;

/// Why the octets at a place in a message are not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameFault {
    #[error("a name runs beyond the end of the octets it is in")]
    Truncated,
    #[error("a name has more than 255 octets")]
    TooLong,
    #[error("a name has a label of a type that does not exist")]
    LabelType,
    #[error("a compressed name points at itself, or ahead")]
    PointsAhead,
    #[error("a compressed name has more than {MAX_POINTERS} pointers")]
    TooManyPointers,
}

/// Where a name in a message starts in truth, and where what follows it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The first label: behind the pointer, if the name begins with one.
    pub(super) first_label: usize,
    /// The first octet after the name.
    pub(super) end: usize,
}

/// Appends the name at `at` in `message` to `name`, uncompressed, letter case kept.
///
/// A pointer leads to before the octets it ends (RFC 1035: "a prior occurrence"), so this comes to an end.
///
/// # Errors
///
/// [`NameFault`]; `name` may then have grown.
#[inline]
pub(super) fn decompress(
    message: &[u8],
    at: usize,
    name: &mut Vec<u8>,
) -> Result<Extent, NameFault> {
    let start = name.len();
    let mut extent = None;
    let mut first_label = at;
    let mut pointers = 0;
    // The octets between two pointers are copied in one go.
    let mut run = at;
    loop {
        let mut end = run;
        let target = loop {
            let length = *message.get(end).ok_or(NameFault::Truncated)?;
            match length {
                0 => {
                    end += 1;
                    break None;
                }
                1..=63 => end += usize::from(length) + 1,
                192.. => {
                    let low = *message.get(end + 1).ok_or(NameFault::Truncated)?;
                    break Some(usize::from(u16::from_be_bytes([length & 63, low])));
                }
                _ => return Err(NameFault::LabelType),
            }
            if end - run >= MAX_NAME {
                return Err(NameFault::TooLong);
            }
        };
        name.extend_from_slice(message.get(run..end).ok_or(NameFault::Truncated)?);
        if name.len() - start + usize::from(target.is_some()) > MAX_NAME {
            return Err(NameFault::TooLong);
        }
        let Some(target) = target else {
            let end = extent.unwrap_or(end);
            return Ok(Extent { first_label, end });
        };
        if target >= run {
            return Err(NameFault::PointsAhead);
        }
        pointers += 1;
        if pointers > MAX_POINTERS {
            return Err(NameFault::TooManyPointers);
        }
        extent.get_or_insert(end + 2);
        if name.len() == start {
            first_label = target;
        }
        run = target;
    }
}

/// Returns where what follows the name at `at` begins, without looking where pointers lead.
///
/// # Errors
///
/// [`NameFault`] of the octets there.
pub(super) fn skip(message: &[u8], at: usize) -> Result<usize, NameFault> {
    let mut end = at;
    loop {
        match *message.get(end).ok_or(NameFault::Truncated)? {
            0 => return Ok(end + 1),
            length @ 1..=63 => end += usize::from(length) + 1,
            192.. => return Ok(end + 2),
            _ => return Err(NameFault::LabelType),
        }
        if end - at >= MAX_NAME {
            return Err(NameFault::TooLong);
        }
    }
}

#[cfg(test)]
mod tests;
