//! Numbers as Python's `%` operator writes them.

use std::fmt;

use crate::metrics;

/// A number of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    Float(f64),
}

/// As Python's `str`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => metrics::Number::Float(number).fmt(f),
        }
    }
}

impl Number {
    /// The digits, with a minus sign if it is negative.
    pub(super) fn written(
        self,
        conversion: char,
        precision: Option<usize>,
        alternate: bool,
    ) -> String {
        let upper = conversion.is_ascii_uppercase();
        let text = match conversion.to_ascii_lowercase() {
            'x' => self.whole(precision, |number| format!("{number:x}"), "0x", alternate),
            'o' => self.whole(precision, |number| format!("{number:o}"), "0o", alternate),
            'f' => format!("{:.*}", precision.unwrap_or(6), self.float()),
            'e' => exponential(self.float(), precision.unwrap_or(6)),
            'g' => general(self.float(), precision.unwrap_or(6), alternate),
            _ => self.whole(precision, |number| number.to_string(), "", false),
        };
        if upper { text.to_uppercase() } else { text }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "Python rounds in the same way; numbers of events are small"
    )]
    fn float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// A whole number with at least `precision` digits; what stands behind the point is cut off.
    fn whole(
        self,
        precision: Option<usize>,
        digits: impl Fn(u64) -> String,
        prefix: &str,
        alternate: bool,
    ) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "Python cuts the fraction off as well"
        )]
        let number = match self {
            Self::Integer(number) => number,
            Self::Float(number) => number as i64,
        };
        let digits = digits(number.unsigned_abs());
        let sign = if number < 0 { "-" } else { "" };
        let prefix = if alternate { prefix } else { "" };
        format!("{sign}{prefix}{digits:0>0$}", precision.unwrap_or(0))
    }
}

/// `1.5e+09`: the exponent has a sign and at least two digits.
fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// The shorter of the two ways, with `precision` digits that count.
fn general(number: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let text = exponential(number, precision - 1);
    let exponent = text
        .split_once('e')
        .and_then(|(_, e)| e.parse::<i64>().ok());
    let without_zeros = |text: &str| {
        if keep_zeros || !text.contains('.') {
            return text.to_owned();
        }
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let most = i64::try_from(precision).unwrap_or(i64::MAX);
    match exponent {
        Some(exponent) if (-4..most).contains(&exponent) => {
            let decimals = usize::try_from(most - 1 - exponent).unwrap_or(0);
            without_zeros(&format!("{number:.decimals$}"))
        }
        _ => match text.split_once('e') {
            Some((digits, exponent)) => format!("{}e{exponent}", without_zeros(digits)),
            None => text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_python() {
        // Each was printed by Python's `%` operator.
        for (number, conversion, precision, expected) in [
            (
                Number::Float(1_510_000_000.968),
                'f',
                None,
                "1510000000.968000",
            ),
            (Number::Float(1_510_000_000.968), 'd', None, "1510000000"),
            (Number::Float(1_510_000_000.968), 'e', Some(2), "1.51e+09"),
            (Number::Float(1_510_000_000.968), 'g', None, "1.51e+09"),
            (
                Number::Float(1_510_000_000.968),
                'G',
                Some(12),
                "1510000000.97",
            ),
            (Number::Float(0.0001), 'g', None, "0.0001"),
            (Number::Float(0.00001), 'g', None, "1e-05"),
            (Number::Float(968.0), 'g', None, "968"),
            (Number::Float(2.5), 'f', Some(0), "2"),
            (Number::Integer(20), 'x', None, "14"),
            (Number::Integer(255), 'X', Some(4), "00FF"),
            (Number::Integer(20), 'o', None, "24"),
            (Number::Integer(20), 'd', Some(4), "0020"),
            (Number::Integer(-20), 'i', Some(4), "-0020"),
            (Number::Integer(20), 'f', Some(1), "20.0"),
            (Number::Integer(20), 'g', None, "20"),
        ] {
            assert_eq!(
                number.written(conversion, precision, false),
                expected,
                "{number:?} {conversion}"
            );
        }
        assert_eq!(
            Number::Float(1_510_000_000.968).to_string(),
            "1510000000.968"
        );
        assert_eq!(Number::Float(968.0).to_string(), "968.0");
        assert_eq!(Number::Integer(20).written('x', None, true), "0x14");
        assert_eq!(Number::Float(2.0).written('g', None, true), "2.00000");
    }
}
