//! LOC: a place on earth (RFC 1876).

use std::fmt;

use super::fault::Stop;
use super::number::decimal;
use super::read::{parsed, unexpected};
use super::scan::{Next, Scan};

/// Latitude and longitude of 0°, in thousandths of a second of arc.
const MERIDIAN: u32 = 1 << 31;

/// Thousandths of a second of arc in a degree.
const DEGREE: u32 = 3_600_000;

/// Altitudes count centimetres from this far below the ellipsoid.
const DEEPEST: u32 = 10_000_000;

/// Reads latitude, longitude, altitude and up to three sizes.
pub(super) fn read(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let latitude = angle(scan, 90, b'N', b'S')?;
    let longitude = angle(scan, 180, b'E', b'W')?;
    let expected = "an altitude in metres, from -100000.00 to 42849672.95";
    let altitude = parsed(scan, expected, altitude)?;
    // One metre wide, known to ten kilometres across and ten metres up.
    let mut sizes = [0x12, 0x16, 0x13];
    for size in &mut sizes {
        if scan.next()? == Next::End {
            break;
        }
        *size = parsed(scan, "a size in metres, at most 90000000.00", size_octet)?;
    }
    out.push(0);
    out.extend_from_slice(&sizes);
    out.extend_from_slice(&latitude.to_be_bytes());
    out.extend_from_slice(&longitude.to_be_bytes());
    out.extend_from_slice(&altitude.to_be_bytes());
    Ok(())
}

/// Reads degrees, minutes, seconds and a direction; minutes and seconds may be missing.
fn angle(scan: &mut Scan<'_>, most: u32, plus: u8, minus: u8) -> Result<u32, Stop> {
    let (degrees_of, direction_of) = match plus {
        b'N' => ("degrees of latitude", "`N` or `S`"),
        _ => ("degrees of longitude", "`E` or `W`"),
    };
    let mut angle = scan.number(most, degrees_of)? * DEGREE;
    let mut parts = 0;
    loop {
        let word = scan.word(direction_of)?;
        match *word {
            [direction] if direction == plus => return Ok(MERIDIAN + angle),
            [direction] if direction == minus => return Ok(MERIDIAN - angle),
            _ => {}
        }
        let part = match parts {
            0 => decimal(word)
                .filter(|&minutes| minutes < 60)
                .map(|minutes| minutes * 60_000),
            1 => fixed_point(word, 3)
                .filter(|&seconds| seconds < 60_000)
                .and_then(|seconds| u32::try_from(seconds).ok()),
            _ => None,
        };
        let expected = match parts {
            0 => "minutes below 60 or a direction",
            1 => "seconds below 60 or a direction",
            _ => direction_of,
        };
        match part {
            Some(part) if angle + part <= most * DEGREE => angle += part,
            _ => return Err(unexpected(scan, word, expected)),
        }
        parts += 1;
    }
}

/// Reads a number with up to `places` digits behind the point, in units of the last one.
fn fixed_point(word: &[u8], places: usize) -> Option<u64> {
    let point = memchr::memchr(b'.', word);
    let (whole, fraction) = match point {
        Some(point) => (&word[..point], &word[point + 1..]),
        None => (word, [].as_slice()),
    };
    if whole.is_empty() && fraction.is_empty() || fraction.len() > places {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { decimal(whole)? };
    let mut value = u64::from(whole);
    for place in 0..places {
        let digit = fraction
            .get(place)
            .copied()
            .unwrap_or(b'0')
            .wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

fn without_unit(word: &[u8]) -> &[u8] {
    word.strip_suffix(b"m").unwrap_or(word)
}

fn altitude(word: &[u8]) -> Option<u32> {
    let word = without_unit(word);
    match word.strip_prefix(b"-") {
        Some(depth) => DEEPEST.checked_sub(u32::try_from(fixed_point(depth, 2)?).ok()?),
        None => DEEPEST.checked_add(u32::try_from(fixed_point(word, 2)?).ok()?),
    }
}

/// Returns a size in metres as one digit and a power of ten, in centimetres;
/// further digits are cut off.
fn size_octet(word: &[u8]) -> Option<u8> {
    let mut mantissa = fixed_point(without_unit(word), 2)?;
    if mantissa > 9_000_000_099 {
        return None;
    }
    let mut exponent = 0;
    while mantissa > 9 {
        mantissa /= 10;
        exponent += 1;
    }
    u8::try_from(mantissa << 4 | exponent).ok()
}

/// Returns whether `octets` is a location of version 0 with all its values in range.
pub(super) fn fits(octets: &[u8]) -> bool {
    let Some((sizes, [latitude, longitude, _])) = split(octets) else {
        return false;
    };
    let is_size = |size: u8| size == 0 || matches!((size >> 4, size & 0xf), (1..=9, 0..=9));
    sizes.into_iter().all(is_size)
        && latitude.abs_diff(MERIDIAN) <= 90 * DEGREE
        && longitude.abs_diff(MERIDIAN) <= 180 * DEGREE
}

/// Splits rdata into sizes and latitude, longitude and altitude.
fn split(octets: &[u8]) -> Option<([u8; 3], [u32; 3])> {
    let [0, size, across, up, rest @ ..] = octets else {
        return None;
    };
    let (numbers, []) = rest.as_chunks::<4>() else {
        return None;
    };
    let &[latitude, longitude, altitude] = numbers else {
        return None;
    };
    let numbers = [latitude, longitude, altitude].map(u32::from_be_bytes);
    Some(([*size, *across, *up], numbers))
}

/// Writes a location that [`fits`].
pub(super) fn write(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let Some((sizes, [latitude, longitude, altitude])) = split(octets) else {
        return Err(fmt::Error);
    };
    write_angle(latitude, "N", "S", f)?;
    f.write_char(' ')?;
    write_angle(longitude, "E", "W", f)?;
    let sign = if altitude < DEEPEST { "-" } else { "" };
    let centimetres = altitude.abs_diff(DEEPEST);
    write!(f, " {sign}{}.{:02}m", centimetres / 100, centimetres % 100)?;
    for size in sizes {
        let centimetres = u64::from(size >> 4) * 10_u64.pow(u32::from(size & 0xf));
        write!(f, " {}.{:02}m", centimetres / 100, centimetres % 100)?;
    }
    Ok(())
}

fn write_angle(angle: u32, plus: &str, minus: &str, f: &mut impl fmt::Write) -> fmt::Result {
    let direction = if angle < MERIDIAN { minus } else { plus };
    let angle = angle.abs_diff(MERIDIAN);
    let (degrees, minutes) = (angle / DEGREE, angle / 60_000 % 60);
    let (seconds, thousandths) = (angle / 1_000 % 60, angle % 1_000);
    write!(
        f,
        "{degrees} {minutes} {seconds}.{thousandths:03} {direction}"
    )
}
