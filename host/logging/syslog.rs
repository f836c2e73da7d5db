//! The handler `syslog`.
//!
//! No line of a run waits for the system log. Datagrams are sent at once by whoever logs; what would
//! block, and everything that travels in a connection, is taken from a bounded queue by a thread of
//! its own. When nobody can be reached, one warning says so, and the lines go to standard error.

mod message;
mod transport;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use self::message::Messages;
use self::transport::Transport;
use super::entry::Entry;
use crate::config::{self, Logging};
use crate::error;
use crate::problem::{Code, Problem};
use crate::terminal;

/// Octets that wait to be delivered at most.
const MOST_WAITING: usize = 4 << 20;
/// How long the end of the program waits for what is not delivered yet.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long lines go to standard error before the system log is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// What becomes of a line that the system log does not take.
pub(super) type Fallback = Box<dyn Fn(&Entry<'_>) -> String + Send + Sync>;

/// One system log.
pub(super) struct Syslog {
    messages: Messages,
    fallback: Option<Fallback>,
    shared: Arc<Shared>,
}

struct Shared {
    settings: config::Syslog,
    queue: Mutex<Queue>,
    /// Told whenever there is something to do for the thread, or nothing left to wait for.
    news: Condvar,
    transport: Mutex<Transport>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    octets: usize,
    /// Whether the thread has a message in its hands.
    busy: bool,
    unreachable: Option<Unreachable>,
    /// Whether the warning was given.
    warned: bool,
    /// Messages that there was no room for.
    lost: usize,
}

/// Nobody takes messages.
#[derive(Clone)]
struct Unreachable {
    /// Until when nothing is tried.
    until: Instant,
    reason: Arc<io::Error>,
}

impl Unreachable {
    fn new(reason: io::Error) -> Self {
        Self {
            until: Instant::now() + RETRY,
            reason: Arc::new(reason),
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// A message, and what happens when it cannot be delivered.
struct Waiting {
    message: String,
    instead: Instead,
}

/// What takes the place of a message that cannot be delivered.
enum Instead {
    /// Nothing: standard error has it already, as what it is.
    Told,
    /// Nothing: the handler `stream` has written the line.
    Written,
    /// This line on standard error.
    Line(String),
}

impl Syslog {
    /// Starts to deliver as `logging` says. `fallback` makes the lines for standard error; without
    /// it they are there already.
    ///
    /// # Errors
    ///
    /// The system's error if it has no more threads.
    pub(super) fn start(logging: &Logging, fallback: Option<Fallback>) -> io::Result<Self> {
        let settings = logging.syslog.clone();
        let mut transport = Transport::new(&settings);
        let reached = transport.connect_at_once();
        let queue = Queue {
            unreachable: reached.err().map(Unreachable::new),
            ..Queue::default()
        };
        let shared = Arc::new(Shared {
            transport: Mutex::new(transport),
            queue: Mutex::new(queue),
            news: Condvar::new(),
            settings,
        });
        let worker = Arc::clone(&shared);
        thread::Builder::new()
            .name("syslog".to_owned())
            .spawn(move || worker.deliver())?;
        Ok(Self {
            messages: Messages::new(logging),
            fallback,
            shared,
        })
    }

    /// Delivers `entry`, now or soon. What was told on standard error already `is_told` there.
    pub(super) fn send(&self, entry: &Entry<'_>, is_told: bool) {
        let instead = || match &self.fallback {
            _ if is_told => Instead::Told,
            Some(fallback) => Instead::Line(fallback(entry)),
            None => Instead::Written,
        };
        let mut queue = self.shared.queue();
        let is_idle = queue.waiting.is_empty() && !queue.busy;
        if is_idle
            && let Some(unreachable) = queue.unreachable.clone()
            && !unreachable.is_over()
        {
            drop(queue);
            return self.shared.give_up(instead(), &unreachable.reason);
        }
        let message = self.messages.message(entry);
        if is_idle && queue.unreachable.is_none() {
            // The thread has nothing in its hands, so nobody else holds the transport.
            let sent = self.shared.transport().send_at_once(message.as_bytes());
            match sent {
                Ok(true) => return,
                Ok(false) => {}
                Err(refused) => {
                    let unreachable = Unreachable::new(refused);
                    queue.unreachable = Some(unreachable.clone());
                    drop(queue);
                    return self.shared.give_up(instead(), &unreachable.reason);
                }
            }
        }
        if queue.octets + message.len() > MOST_WAITING {
            queue.lost += 1;
            return;
        }
        queue.octets += message.len();
        queue.waiting.push_back(Waiting {
            message,
            instead: instead(),
        });
        self.shared.news.notify_all();
    }

    /// Waits until everything is delivered, but not for ever; says how much is not.
    pub(super) fn finish(&self) {
        let limit = Instant::now() + PATIENCE;
        let mut queue = self.shared.queue();
        while !queue.waiting.is_empty() || queue.busy {
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.news.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let refused = match self.shared.transport.try_lock() {
            Ok(transport) => transport.refused(),
            // In the hands of a thread that waits: there is no time to wait for it as well.
            Err(_taken) => 0,
        };
        let lost = queue.lost + queue.waiting.len() + usize::from(queue.busy) + refused;
        queue.lost = 0;
        queue.octets = 0;
        queue.waiting.clear();
        drop(queue);
        if lost > 0 {
            let lines = if lost == 1 { "line" } else { "lines" };
            let summary = format!(
                "{lost} log {lines} did not reach {}",
                transport::name(&self.shared.settings)
            );
            let problem = Problem::warning(Code::LogUnreachable, summary).because(
                "nobody took them, or not as fast as they came, and the program did not wait for it",
            );
            error::say(&self.shared.placed(problem));
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transport(&self) -> MutexGuard<'_, Transport> {
        self.transport
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The work of the thread; it ends with the process.
    fn deliver(&self) {
        loop {
            let mut queue = self.queue();
            let next = loop {
                match queue.waiting.pop_front() {
                    Some(next) => break next,
                    None => {
                        let waited = self.news.wait(queue);
                        queue = waited.unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            queue.octets = queue.octets.saturating_sub(next.message.len());
            queue.busy = true;
            let known = queue.unreachable.clone();
            drop(queue);
            let failed = match known {
                Some(unreachable) if !unreachable.is_over() => Some(unreachable),
                _ => {
                    let sent = self.transport().send(next.message.as_bytes());
                    let failed = sent.err().map(Unreachable::new);
                    self.queue().unreachable.clone_from(&failed);
                    failed
                }
            };
            if let Some(unreachable) = failed {
                self.give_up(next.instead, &unreachable.reason);
            }
            self.queue().busy = false;
            self.news.notify_all();
        }
    }

    /// Writes what takes the place of a message; the first time, says why.
    fn give_up(&self, instead: Instead, reason: &io::Error) {
        let (line, consequence) = match instead {
            Instead::Told => return,
            Instead::Line(line) => (line, "its log lines go to standard error"),
            Instead::Written => (String::new(), "its log lines are on standard error only"),
        };
        let warned = std::mem::replace(&mut self.queue().warned, true);
        if !warned {
            let name = transport::name(&self.settings);
            let summary = format!("{name} cannot be reached; {consequence}");
            let problem = Problem::warning(Code::LogUnreachable, summary).because(reason);
            error::say(&self.placed(problem).help(
                "start the system log there, name another with core.logging.address, or write \
                 core.logging.handlers = [\"stream\"]",
            ));
        }
        terminal::write(&line);
    }

    /// Adds who chose the address.
    fn placed(&self, problem: Problem) -> Problem {
        match &self.settings.origin {
            Some(origin) => problem.at(origin, "core.logging.address"),
            None => problem.found(format!("address chosen by: {}", self.settings.chosen_by)),
        }
    }
}
