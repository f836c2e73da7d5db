//! What a plugin changed that belongs to the whole process.
//!
//! A library can ignore signals, move the working directory or close standard error for everybody.
//! The host takes a picture before and after each step in which plugin code runs, says what is
//! different, and puts back what can be put back safely.
//!
//! Not looked at: the locale (asking for it is unsafe while other threads run), resource limits, and
//! what is set and set back in between.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::Mode;

use crate::crash;
use crate::problem::{Code, Problem};

/// Signals whose handling everybody in the process depends on.
const WATCHED: [i32; 11] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGPIPE,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGABRT,
    libc::SIGCHLD,
];

/// Threads above those of the host and one for each plugin that a plugin may leave behind unnoticed:
/// one that has just ended is counted for a moment longer.
const TOLERATED_THREADS: usize = 4;

/// A set of signals, as the kernel shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SignalSet(u64);

impl SignalSet {
    /// Whether `signal` is in it.
    pub(crate) fn contains(self, signal: i32) -> bool {
        u32::try_from(signal - 1).is_ok_and(|bit| bit < 64 && self.0 >> bit & 1 == 1)
    }
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.strip_prefix(':')?.trim())
}

fn signals(status: &str, name: &str) -> Option<SignalSet> {
    u64::from_str_radix(field(status, name)?, 16)
        .ok()
        .map(SignalSet)
}

/// A picture of what all of a process shares.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Picture {
    dispositions: [Option<usize>; WATCHED.len()],
    /// Signals that the thread that takes the picture blocks.
    blocked: SignalSet,
    umask: Option<u32>,
    directory: Option<PathBuf>,
    /// Device and inode of standard input, output and error; none of what is closed.
    streams: [Option<(u64, u64)>; 3],
    time_zone: Option<std::ffi::OsString>,
}

impl Picture {
    fn take() -> Self {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        Self {
            dispositions: WATCHED.map(crash::disposition),
            blocked: signals(&status, "SigBlk").unwrap_or_default(),
            umask: field(&status, "Umask").and_then(|mask| u32::from_str_radix(mask, 8).ok()),
            directory: std::env::current_dir().ok(),
            streams: [
                stream(rustix::stdio::stdin()),
                stream(rustix::stdio::stdout()),
                stream(rustix::stdio::stderr()),
            ],
            // No plugin is called while this is read. One that changes the environment on a thread of
            // its own all the same would not be safe for anybody who ever reads it.
            time_zone: std::env::var_os("TZ"),
        }
    }
}

fn stream(fd: impl AsFd) -> Option<(u64, u64)> {
    let stat = rustix::fs::fstat(fd).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

/// How many threads this process has.
fn threads() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    field(&status, "Threads")?.parse().ok()
}

/// Compares the process with what it was, step by step.
#[derive(Debug)]
pub struct Audit {
    known: Picture,
    threads: Option<usize>,
    /// Copies of the standard streams, to put them back.
    streams: [Option<OwnedFd>; 3],
}

impl Audit {
    /// Takes the first picture.
    pub(crate) fn begin() -> Self {
        let copy = |fd| rustix::io::fcntl_dupfd_cloexec(fd, 3).ok();
        Self {
            known: Picture::take(),
            threads: threads(),
            streams: [
                copy(rustix::stdio::stdin()),
                copy(rustix::stdio::stdout()),
                copy(rustix::stdio::stderr()),
            ],
        }
    }

    /// What `suspects` have changed since the last look, for people; what is safe is put back.
    pub(crate) fn look(&mut self, suspects: &[&str], after: &str) -> Option<Problem> {
        let now = Picture::take();
        let changes = self.known.changes_to(&now);
        if changes.is_empty() {
            return None;
        }
        self.put_back(&now);
        // What stays changed is told once.
        self.known = Picture::take();
        Some(report(suspects, after, changes))
    }

    /// As [`Audit::look`], and what threads the `suspects` have left behind now that all have ended.
    pub(crate) fn end(&mut self, suspects: &[&str]) -> Option<Problem> {
        let now = Picture::take();
        let mut changes = self.known.changes_to(&now);
        self.put_back(&now);
        if let (Some(before), Some(now)) = (self.threads, threads())
            && now > before + suspects.len() + TOLERATED_THREADS
        {
            changes.push(format!("{} threads were left behind", now - before));
        }
        (!changes.is_empty()).then(|| report(suspects, "run", changes))
    }

    fn put_back(&self, now: &Picture) {
        if let Some(mask) = self.known.umask
            && now.umask != self.known.umask
        {
            rustix::process::umask(Mode::from_raw_mode(mask));
        }
        if let Some(directory) = &self.known.directory
            && now.directory != self.known.directory
            && let Err(error) = std::env::set_current_dir(directory)
        {
            tracing::warn!(%error, "the working directory cannot be put back");
        }
        let was = self.known.streams;
        let is_other = |stream: usize| was[stream].is_some() && was[stream] != now.streams[stream];
        let [stdin, stdout, stderr] = &self.streams;
        let restored = [
            stdin
                .as_ref()
                .filter(|_| is_other(0))
                .map(rustix::stdio::dup2_stdin),
            stdout
                .as_ref()
                .filter(|_| is_other(1))
                .map(rustix::stdio::dup2_stdout),
            stderr
                .as_ref()
                .filter(|_| is_other(2))
                .map(rustix::stdio::dup2_stderr),
        ];
        for error in restored.into_iter().flatten().filter_map(Result::err) {
            tracing::warn!(%error, "a standard stream cannot be put back");
        }
    }
}

fn report(suspects: &[&str], after: &str, changes: Vec<String>) -> Problem {
    let who = match suspects {
        [one] => format!("\"{one}\""),
        many => {
            let names = many.iter().map(|key| format!("\"{key}\""));
            format!("one of {}", names.collect::<Vec<_>>().join(", "))
        }
    };
    let problem = Problem::warning(
        Code::ProcessState,
        format!(
            "{who} changed what belongs to the whole process, in {after}: {}",
            changes.join("; ")
        ),
    );
    problem
        .because("gordon-janitor and every other plugin live in the same process")
        .help("report it to whoever made the plugin")
}

impl Picture {
    /// What is different in `now`, for people.
    fn changes_to(&self, now: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        let signals = WATCHED.into_iter().zip(self.dispositions);
        for ((signal, before), after) in signals.zip(now.dispositions) {
            if before == after {
                continue;
            }
            let what = match after {
                Some(libc::SIG_IGN) => "is ignored",
                Some(libc::SIG_DFL) => "has its default effect",
                _ => "has another handler",
            };
            changes.push(format!("{} {what}", crash::name_of(signal)));
        }
        if self.blocked != now.blocked {
            let newly = WATCHED
                .into_iter()
                .filter(|signal| now.blocked.contains(*signal) && !self.blocked.contains(*signal));
            let names = newly.map(crash::name_of).collect::<Vec<_>>();
            if !names.is_empty() {
                changes.push(format!("{} blocked", is_or_are(&names)));
            }
        }
        if let (Some(before), Some(after)) = (self.umask, now.umask)
            && before != after
        {
            changes.push(format!(
                "the umask was {after:04o} (put back to {before:04o})"
            ));
        }
        if self.directory != now.directory {
            let after = now.directory.as_ref();
            let after = after.map_or_else(
                || "one that is gone".to_owned(),
                |path| path.display().to_string(),
            );
            changes.push(format!("the working directory was {after} (put back)"));
        }
        let streams = ["standard input", "standard output", "standard error"];
        for (name, (before, after)) in streams
            .into_iter()
            .zip(self.streams.into_iter().zip(now.streams))
        {
            match (before, after) {
                (Some(_), None) => changes.push(format!("{name} was closed (put back)")),
                (Some(before), Some(after)) if before != after => {
                    changes.push(format!("{name} was replaced (put back)"));
                }
                _ => {}
            }
        }
        if self.time_zone != now.time_zone {
            changes.push("the environment variable TZ has another value".to_owned());
        }
        changes
    }
}

fn is_or_are(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_sets_of_signals_are_read() {
        let status =
            "Name:\tx\nSigIgn:\t0000000000001000\nSigBlk:\t0000000000004001\nUmask:\t0022\n";
        let ignored = signals(status, "SigIgn").unwrap();
        assert!(ignored.contains(libc::SIGPIPE));
        assert!(!ignored.contains(libc::SIGTERM));
        let blocked = signals(status, "SigBlk").unwrap();
        assert!(blocked.contains(libc::SIGTERM) && blocked.contains(libc::SIGHUP));
        assert_eq!(field(status, "Umask"), Some("0022"));
        assert_eq!(signals(status, "SigCgt"), None);
        assert!(!ignored.contains(0) && !ignored.contains(65) && !ignored.contains(-1));
    }

    #[test]
    fn every_change_is_told() {
        let before = Picture {
            dispositions: [Some(4711); WATCHED.len()],
            blocked: SignalSet(0),
            umask: Some(0o22),
            directory: Some("/".into()),
            streams: [Some((1, 1)); 3],
            time_zone: None,
        };
        assert_eq!(before.changes_to(&before.clone()), [""; 0]);
        let mut after = Picture {
            blocked: SignalSet(1 << (libc::SIGTERM - 1)),
            umask: Some(0),
            directory: Some("/tmp".into()),
            streams: [Some((1, 1)), Some((1, 2)), None],
            time_zone: Some("UTC".into()),
            ..before.clone()
        };
        after.dispositions[0] = Some(libc::SIG_IGN);
        after.dispositions[4] = Some(libc::SIG_DFL);
        after.dispositions[5] = Some(1234);
        assert_eq!(
            before.changes_to(&after),
            [
                "SIGTERM is ignored",
                "SIGPIPE has its default effect",
                "SIGSEGV has another handler",
                "SIGTERM is blocked",
                "the umask was 0000 (put back to 0022)",
                "the working directory was /tmp (put back)",
                "standard output was replaced (put back)",
                "standard error was closed (put back)",
                "the environment variable TZ has another value",
            ]
        );
    }

    #[test]
    fn a_process_that_is_left_alone_has_no_changes() {
        let picture = Picture::take();
        assert!(picture.umask.is_some() && picture.directory.is_some());
        assert_eq!(picture.changes_to(&Picture::take()), [""; 0]);
    }
}
