//! How a line looks: the patterns of Python's `logging`, which the original passed on.
//!
//! A pattern is text with places such as `%(levelname)-8s`: an attribute of the event, and how to
//! write it. It is read once, with the configuration, so that a mistake is found before anything runs.

mod number;

use std::sync::{LazyLock, OnceLock};
use std::thread;

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use self::number::Number;
use super::entry::Entry;
use crate::config::nearest;
use crate::problem::escape;

/// The name under which the lines appear.
pub(super) const PROGRAM: &str = "gordon-janitor";

/// Characters that a place may be wide at most, and digits that it may have.
const MOST: usize = 1000;

/// How a line looks that nobody has configured: as in the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Default {
    /// `<time>.<ms>Z gordon-janitor (<pid>) <LEVEL>: <message>`
    Stream,
    /// The same without the level: the priority of the message has it.
    Syslog,
}

impl Default {
    fn pattern(self) -> &'static str {
        match self {
            Self::Stream => {
                "%(asctime)s.%(msecs)03dZ gordon-janitor (%(process)d) %(levelname)s: %(message)s"
            }
            Self::Syslog => "%(asctime)s.%(msecs)03dZ gordon-janitor (%(process)d): %(message)s",
        }
    }
}

/// A pattern that was read, and how it writes times.
#[derive(Clone, Debug)]
pub(super) struct Format {
    parts: Vec<Part>,
    dates: DateFormat,
}

impl Format {
    /// What is configured, or the default.
    pub(super) fn new(
        pattern: Option<&Pattern>,
        dates: Option<&DateFormat>,
        default: Default,
    ) -> Self {
        let parts = pattern.map(|pattern| pattern.0.clone());
        Self {
            parts: parts.unwrap_or_else(|| {
                let read = Pattern::read(default.pattern());
                read.expect("the default patterns are sound").0
            }),
            dates: dates.cloned().unwrap_or_default(),
        }
    }

    /// The text of `entry`, without an end of line.
    pub(super) fn text(&self, entry: &Entry<'_>) -> String {
        let mut out = String::with_capacity(128 + entry.message.len());
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Place(place) => place.write(&mut out, entry, &self.dates),
            }
        }
        out
    }
}

/// A configured `fmt`.
#[derive(Clone, Debug)]
pub struct Pattern(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Place(Place),
}

/// An attribute and how it is written.
#[derive(Clone, Debug)]
struct Place {
    attribute: Attribute,
    left: bool,
    zero: bool,
    /// `+`, a space or nothing before a number that is not negative.
    sign: &'static str,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

/// What Python has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Asctime,
    Created,
    Filename,
    FuncName,
    Levelname,
    Levelno,
    Lineno,
    Message,
    Module,
    Msecs,
    Name,
    Pathname,
    Process,
    ProcessName,
    RelativeCreated,
    Thread,
    ThreadName,
}

const ATTRIBUTES: [(&str, Attribute); 17] = [
    ("asctime", Attribute::Asctime),
    ("created", Attribute::Created),
    ("filename", Attribute::Filename),
    ("funcName", Attribute::FuncName),
    ("levelname", Attribute::Levelname),
    ("levelno", Attribute::Levelno),
    ("lineno", Attribute::Lineno),
    ("message", Attribute::Message),
    ("module", Attribute::Module),
    ("msecs", Attribute::Msecs),
    ("name", Attribute::Name),
    ("pathname", Attribute::Pathname),
    ("process", Attribute::Process),
    ("processName", Attribute::ProcessName),
    ("relativeCreated", Attribute::RelativeCreated),
    ("thread", Attribute::Thread),
    ("threadName", Attribute::ThreadName),
];

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// An attribute that Python has not, and perhaps one that is meant.
    #[error("it has no attribute `{0}`{1}")]
    Unknown(String, String),
    /// A `%` that begins nothing.
    #[error("behind `%` stands neither `(` with the name of an attribute nor another `%`")]
    Nameless,
    /// A place that ends too early.
    #[error("`{0}` ends before it says how the attribute is written, as `s` does in `%(message)s`")]
    Unfinished(String),
    /// A place, its conversion, and those that can write its attribute.
    #[error("`{0}` asks for {1:?}, which cannot write this attribute; write one of {2}")]
    Conversion(String, char, &'static str),
    /// A place that asks for more than a line should hold.
    #[error("`{0}` is wider than {MOST} characters")]
    Wide(String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// The first thing in it that Python would not take, or for which it has no value.
    pub fn read(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                literal.push('%');
                rest = after;
                continue;
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            let (place, after) = Place::read(after)?;
            parts.push(Part::Place(place));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }
}

impl Place {
    /// Reads what stands behind `%`; returns what stands behind the place.
    fn read(text: &str) -> Result<(Self, &str), PatternError> {
        let inner = text.strip_prefix('(').ok_or(PatternError::Nameless)?;
        let unfinished = || PatternError::Unfinished(format!("%{text}"));
        let (name, mut rest) = inner.split_once(')').ok_or_else(unfinished)?;
        let known = ATTRIBUTES.iter().find(|(known, _)| *known == name);
        let Some((_, attribute)) = known else {
            let near = nearest(name, ATTRIBUTES.iter().map(|(known, _)| *known));
            let suggestion = near.map(|near| format!("; did you mean `{near}`?"));
            let suggestion = suggestion.unwrap_or_default();
            return Err(PatternError::Unknown(name.to_owned(), suggestion));
        };
        let mut place = Self {
            attribute: *attribute,
            left: false,
            zero: false,
            sign: "",
            alternate: false,
            width: 0,
            precision: None,
            conversion: 's',
        };
        loop {
            match rest.as_bytes().first() {
                Some(b'-') => place.left = true,
                Some(b'0') => place.zero = true,
                Some(b'+') => place.sign = "+",
                Some(b' ') if place.sign.is_empty() => place.sign = " ",
                Some(b' ') => {}
                Some(b'#') => place.alternate = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        let here = |rest: &str| format!("%{}", &text[..text.len() - rest.len()]);
        let wide = |rest: &str| PatternError::Wide(here(rest));
        (place.width, rest) = digits(rest).ok_or_else(|| wide(rest))?;
        if let Some(after) = rest.strip_prefix('.') {
            let (precision, after) = digits(after).ok_or_else(|| wide(after))?;
            (place.precision, rest) = (Some(precision), after);
        }
        // Sizes of C, which Python passes over.
        rest = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest);
        let mut characters = rest.chars();
        place.conversion = characters.next().ok_or_else(unfinished)?;
        rest = characters.as_str();
        let allowed = place.attribute.conversions();
        if !allowed.contains(place.conversion) {
            let conversion = place.conversion;
            return Err(PatternError::Conversion(here(rest), conversion, allowed));
        }
        Ok((place, rest))
    }

    fn write(&self, out: &mut String, entry: &Entry<'_>, dates: &DateFormat) {
        let text = match self.attribute.value(entry, dates) {
            Value::Text(text) => self.cut(text),
            Value::Number(number) if self.conversion == 's' => self.cut(number.to_string()),
            Value::Number(number) => {
                let digits = number.written(self.conversion, self.precision, self.alternate);
                let (sign, digits) = match digits.strip_prefix('-') {
                    Some(digits) => ("-", digits),
                    None => (self.sign, digits.as_str()),
                };
                // Zeros stand behind the sign and behind `0x`.
                let base = if self.alternate && "xXo".contains(self.conversion) {
                    2
                } else {
                    0
                };
                let (base, digits) = digits.split_at(base);
                let zeros = if self.zero && !self.left {
                    let taken = sign.len() + base.len() + digits.len();
                    self.width.saturating_sub(taken)
                } else {
                    0
                };
                format!("{sign}{base}{}{digits}", "0".repeat(zeros))
            }
        };
        let padding = self.width.saturating_sub(text.chars().count());
        if self.left {
            out.push_str(&text);
        }
        out.extend(std::iter::repeat_n(' ', padding));
        if !self.left {
            out.push_str(&text);
        }
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        }
    }
}

/// The number that `text` begins with, and the rest; none if it is too large.
fn digits(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    if digits.is_empty() {
        return Some((0, rest));
    }
    let number = digits.parse().ok().filter(|number| *number <= MOST)?;
    Some((number, rest))
}

enum Value {
    Text(String),
    Number(Number),
}

impl Attribute {
    /// The conversions that can write it.
    fn conversions(self) -> &'static str {
        match self {
            Self::Levelno | Self::Lineno | Self::Process | Self::Thread => "sdiufFeEgGxXo",
            Self::Created | Self::Msecs | Self::RelativeCreated => "sdiufFeEgG",
            _ => "s",
        }
    }

    fn value(self, entry: &Entry<'_>, dates: &DateFormat) -> Value {
        let path = entry.file.unwrap_or("(unknown file)");
        let file = path.rsplit('/').next().unwrap_or(path);
        let text = match self {
            Self::Asctime => dates.text(entry.time),
            Self::Filename => file.to_owned(),
            // Events do not know their function; so says Python where it cannot tell.
            Self::FuncName => "(unknown function)".to_owned(),
            Self::Levelname => entry.severity.name().to_owned(),
            Self::Message => entry.text(),
            Self::Module => file.split('.').next().unwrap_or(file).to_owned(),
            Self::Name => entry.target.clone().into_owned(),
            Self::Pathname => path.to_owned(),
            Self::ProcessName => "MainProcess".to_owned(),
            Self::ThreadName => thread::current().name().unwrap_or("Thread").to_owned(),
            number => return Value::Number(number.number(entry)),
        };
        Value::Text(match self {
            // An author of patterns may want a line break in it.
            Self::Asctime => text,
            // Also what is no message comes from plugins: targets, paths, the names of their threads.
            _ => escape(&text),
        })
    }

    fn number(self, entry: &Entry<'_>) -> Number {
        let seconds = |time: Timestamp| time.as_duration().as_secs_f64();
        match self {
            Self::Created => Number::Float(seconds(entry.time)),
            Self::Msecs => Number::Float(entry.time.subsec_millisecond().into()),
            Self::RelativeCreated => {
                let since = entry.time.as_duration() - started().as_duration();
                Number::Float(since.as_secs_f64() * 1000.0)
            }
            Self::Levelno => Number::Integer(entry.severity.python().into()),
            Self::Lineno => Number::Integer(entry.line.unwrap_or(0).into()),
            Self::Process => Number::Integer(process().into()),
            _ => Number::Integer(rustix::thread::gettid().as_raw_pid().into()),
        }
    }
}

/// When the log was set up: what `relativeCreated` counts from.
pub(super) fn started() -> Timestamp {
    static STARTED: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);
    *STARTED
}

/// The number of this process, as its lines have it.
pub(super) fn process() -> u32 {
    *PROCESS.get_or_init(std::process::id)
}

static PROCESS: OnceLock<u32> = OnceLock::new();

/// A configured `datefmt`. Times are in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormat(String);

impl std::default::Default for DateFormat {
    fn default() -> Self {
        Self("%Y-%m-%dT%H:%M:%S".to_owned())
    }
}

impl DateFormat {
    /// Reads what `strftime` would take.
    ///
    /// # Errors
    ///
    /// What it has no meaning for.
    pub fn read(text: &str) -> Result<Self, jiff::Error> {
        let format = Self(text.to_owned());
        format.try_text(Timestamp::UNIX_EPOCH)?;
        Ok(format)
    }

    fn try_text(&self, time: Timestamp) -> Result<String, jiff::Error> {
        BrokenDownTime::from(&time.to_zoned(TimeZone::UTC)).to_string(&self.0)
    }

    fn text(&self, time: Timestamp) -> String {
        // It was tried with another time when it was read.
        self.try_text(time).unwrap_or_else(|_| time.to_string())
    }
}

#[cfg(test)]
mod tests;
