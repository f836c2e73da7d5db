//! Points in time of signatures (RFC 4034, section 3.2).

use std::fmt;

use super::number::decimal;

const DAY: u64 = 86_400;

/// Reads `YYYYMMDDHHmmSS` or a number of seconds since 1970, both UTC.
///
/// The result is the number of seconds modulo 2³²: signature times are serial
/// numbers (RFC 1982).
pub(super) fn parse(word: &[u8]) -> Option<u32> {
    if word.len() <= 10 {
        return decimal(word);
    }
    if word.len() != 14 {
        return None;
    }
    let number = |range: std::ops::Range<usize>| decimal(&word[range]).map(u64::from);
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(8..10)?, number(10..12)?, number(12..14)?);
    // The second 60 is a leap second.
    let is_valid = year >= 1970
        && (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !is_valid {
        return None;
    }
    let days = (1970..year).map(days_of_year).sum::<u64>()
        + (1..month)
            .map(|month| days_of_month(year, month))
            .sum::<u64>()
        + day
        - 1;
    let seconds = days * DAY + hour * 3_600 + minute * 60 + second;
    u32::try_from(seconds & u64::from(u32::MAX)).ok()
}

/// Writes seconds since 1970 as `YYYYMMDDHHmmSS`.
pub(super) fn write(time: u32, f: &mut impl fmt::Write) -> fmt::Result {
    let time = u64::from(time);
    let mut days = time / DAY;
    let mut year = 1970;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    let (day, second) = (days + 1, time % DAY);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    let second = second % 60;
    write!(
        f,
        "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"
    )
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
