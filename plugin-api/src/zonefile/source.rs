//! One zone file, read piece by piece.

use std::io::{self, Read};

/// Octets asked for at once, and the smallest buffer.
const PIECE: usize = 128 * 1024;

/// A zone file of which one piece at a time is in memory.
///
/// The piece grows as long as one entry does not fit, by doubling.
pub(super) struct Source<'r> {
    name: Box<str>,
    input: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    whole: bool,
    /// Line feeds before the buffer.
    lines: u64,
    /// Octets between the last of them and the buffer.
    columns: u64,
}

/// A line and a column, both from 1; columns count octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl<'r> Source<'r> {
    /// Reads `input`, called `name` in errors.
    pub(super) fn new(name: &str, input: Box<dyn Read + 'r>) -> Self {
        Self {
            name: name.into(),
            input,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            whole: false,
            lines: 0,
            columns: 0,
        }
    }

    /// Returns what the file is called in errors.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the octets that are at hand and not consumed.
    pub(super) fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Returns whether the pending octets reach to the end of the file.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Takes `count` octets off the front of what is pending.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Reads on: afterwards more is pending, or [`Source::is_whole`].
    ///
    /// The pending octets grow at least by half of what they were, unless the
    /// file ends before that; so scanning them again stays linear.
    ///
    /// # Errors
    ///
    /// What `read` reports.
    pub(super) fn more(&mut self) -> io::Result<()> {
        self.forget();
        let wanted = (self.end * 2).max(PIECE);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let least = self.end + (self.end / 2).max(1);
        while !self.whole && self.end < least {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.whole = true,
                Ok(count) => self.end += count.min(self.buffer.len() - self.end),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Moves what is pending to the front of the buffer.
    fn forget(&mut self) {
        let gone = &self.buffer[..self.start];
        match memchr::memrchr(b'\n', gone) {
            Some(last) => {
                self.lines += line_feeds(gone);
                self.columns = octets(gone.len() - last - 1);
            }
            None => self.columns += octets(gone.len()),
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }

    /// Returns the position of the octet at `offset` of what is pending.
    pub(super) fn position(&self, offset: usize) -> Position {
        let at = (self.start + offset).min(self.end);
        let before = &self.buffer[..at];
        let column = match memchr::memrchr(b'\n', before) {
            Some(last) => octets(at - last),
            None => self.columns + octets(at) + 1,
        };
        Position {
            line: self.lines + line_feeds(before) + 1,
            column,
        }
    }
}

fn line_feeds(octets: &[u8]) -> u64 {
    self::octets(memchr::memchr_iter(b'\n', octets).count())
}

fn octets(count: usize) -> u64 {
    // A usize has at most 64 bits on every target of Rust.
    u64::try_from(count).unwrap_or(u64::MAX)
}
