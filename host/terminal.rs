//! Standard error, shared by log lines, errors and the progress line.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use clap::ValueEnum;
use rustix::event::{PollFd, PollFlags, poll};

/// Characters of a progress line that are shown: one that wraps cannot be cleared.
const WIDTH: usize = 79;

static TERMINAL: LazyLock<Mutex<Terminal<io::Stderr>>> = LazyLock::new(|| {
    let usable =
        io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    Mutex::new(Terminal::new(io::stderr(), wait_for_room, usable))
});

/// How log lines and errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    Text,
    /// One JSON object on each line
    Json,
}

static FORM: OnceLock<Form> = OnceLock::new();

/// Chooses the form for the rest of the process; the first call counts.
pub fn set_form(form: Form) {
    FORM.get_or_init(|| form);
}

/// The form that was chosen; text if none was.
#[must_use]
pub fn form() -> Form {
    FORM.get().copied().unwrap_or(Form::Text)
}

/// Writes whole lines; the progress line moves below them.
pub fn write(lines: &str) {
    TERMINAL
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .write(lines);
}

/// Writes whole lines that hold styles; they are dropped where the terminal,
/// or `NO_COLOR`, does not want them.
pub fn write_styled(lines: &str) {
    match anstream::AutoStream::choice(&io::stderr()) {
        anstream::ColorChoice::Never => write(&anstream::adapter::strip_str(lines).to_string()),
        _ => write(lines),
    }
}

/// Shows `line` as the progress line, or none. Does nothing when standard
/// error is not a terminal, or holds JSON.
pub fn progress(line: Option<&str>) {
    if form() == Form::Json {
        return;
    }
    TERMINAL
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .progress(line);
}

/// Whether somebody sees a progress line.
pub(crate) fn is_watched() -> bool {
    TERMINAL
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .watched
}

/// Clears what another process may have left as its progress line.
pub(crate) fn clear() {
    // A line that differs from none is written, and takes the place of the one that is there.
    progress(Some(" "));
    progress(None);
}

/// Lines going up, and one line that stays at the bottom.
struct Terminal<W> {
    out: W,
    /// Waits until `out` takes something again.
    wait: fn(),
    /// Whether there is somebody to look at the progress line.
    watched: bool,
    progress: String,
}

impl<W: Write> Terminal<W> {
    fn new(out: W, wait: fn(), watched: bool) -> Self {
        Self {
            out,
            wait,
            watched,
            progress: String::new(),
        }
    }

    fn write(&mut self, lines: &str) {
        if self.progress.is_empty() {
            self.send(lines);
        } else {
            let text = format!("\r\x1b[2K{lines}{}", self.progress);
            self.send(&text);
        }
    }

    fn progress(&mut self, line: Option<&str>) {
        let line: String = line
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .take(WIDTH)
            .collect();
        if !self.watched || line == self.progress {
            return;
        }
        self.send(&format!("\r\x1b[2K{line}"));
        self.progress = line;
    }

    fn send(&mut self, text: &str) {
        if self.write_all(text.as_bytes()).is_err() {
            // Standard error is closed, or its disk full: there is nobody to tell it to.
            self.watched = false;
        }
    }

    /// In one write where that is possible, so that lines of other processes do not come in between.
    fn write_all(&mut self, mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            match self.out.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(octets) => rest = &rest[octets..],
                // Whoever shares this pipe or terminal with us has made it so that it does not wait. What
                // is said here is worth waiting for.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (self.wait)(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.flush()
    }
}

/// Waits until standard error takes something, or nobody reads it any more.
fn wait_for_room() {
    let stderr = io::stderr();
    let mut wanted = [PollFd::new(&stderr, PollFlags::OUT)];
    // Interrupted, or not possible: then writing is tried again, and says so.
    let _ready = poll(&mut wanted, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(act: impl FnOnce(&mut Terminal<Vec<u8>>), watched: bool) -> String {
        let mut terminal = Terminal::new(Vec::new(), || (), watched);
        act(&mut terminal);
        String::from_utf8(terminal.out).unwrap()
    }

    #[test]
    fn lines_appear_above_the_progress_line() {
        let written = text(
            |terminal| {
                terminal.progress(Some("1 of 2"));
                terminal.write("a\n");
                terminal.progress(None);
                terminal.write("b\n");
            },
            true,
        );
        assert_eq!(written, "\r\x1b[2K1 of 2\r\x1b[2Ka\n1 of 2\r\x1b[2Kb\n");
    }

    #[test]
    fn a_line_is_whole_where_writing_does_not_wait() {
        /// Takes three octets at a time, and none every other time.
        #[derive(Default)]
        struct Reluctant {
            taken: Vec<u8>,
            is_full: bool,
        }
        impl Write for Reluctant {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                self.is_full = !self.is_full;
                if self.is_full {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                let some = octets.len().min(3);
                self.taken.extend_from_slice(&octets[..some]);
                Ok(some)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let mut terminal = Terminal::new(Reluctant::default(), || (), false);
        terminal.write("a whole line\n");
        assert_eq!(terminal.out.taken, b"a whole line\n");
    }

    #[test]
    fn a_pipe_gets_no_progress() {
        let written = text(
            |terminal| {
                terminal.progress(Some("1 of 2"));
                terminal.write("a\n");
                terminal.progress(None);
            },
            false,
        );
        assert_eq!(written, "a\n");
    }

    #[test]
    fn a_long_progress_line_is_cut() {
        let written = text(|terminal| terminal.progress(Some(&"x".repeat(200))), true);
        assert_eq!(written.matches('x').count(), WIDTH);
    }
}
