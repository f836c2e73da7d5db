//! The last words of a process that crashes, and its end without a farewell.
//!
//! A fault of memory or an abort in a plugin ends the whole process. Before it does, a handler says
//! which signal it was and on which thread, and the parent makes a report of it. The handler may
//! interrupt anything, so it only reads atomics and makes system calls; it allocates nothing, takes no
//! lock and formats no text. Then it lets happen what would have happened without it.
//!
//! A plugin that calls `exit` is caught in the same way, by a function that `exit` calls.

#![expect(
    unsafe_code,
    reason = "signal handlers, `atexit` and `_exit` are the C library's, and unsafe by nature"
)]

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use libc::{c_int, c_void, siginfo_t};

use crate::report::exit;

/// Signals by which the system ends a process for a fault of its own code.
pub(crate) const SIGNALS: [c_int; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGABRT,
];

/// Where the record goes; -1 for nowhere.
static REPORT_TO: AtomicI32 = AtomicI32::new(-1);
/// Whether a record is for a parent, or a line for people.
static FOR_PARENT: AtomicBool = AtomicBool::new(false);
/// The first crash is the one that matters; what follows comes of it.
static REPORTED: AtomicBool = AtomicBool::new(false);
/// Whether the first crash is told.
static TOLD: AtomicBool = AtomicBool::new(false);
/// What handled [`SIGNALS`] before: the standard library's, which knows a stack overflow.
static PREVIOUS: OnceLock<[libc::sigaction; SIGNALS.len()]> = OnceLock::new();

/// Whom a crash is told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The parent: a [`Record`].
    Parent,
    /// Whoever reads standard error: one line.
    People,
}

/// From now on a crash of this process is told to `to`, which stays open as long as the process.
///
/// # Errors
///
/// The system's error if it takes no handler.
pub(crate) fn tell_to(to: &'static impl AsFd, audience: Audience) -> std::io::Result<()> {
    FOR_PARENT.store(audience == Audience::Parent, Ordering::Relaxed);
    REPORT_TO.store(to.as_fd().as_raw_fd(), Ordering::Release);
    let mut previous = [default_action(); SIGNALS.len()];
    for (signal, previous) in SIGNALS.into_iter().zip(&mut previous) {
        *previous = action(signal)?;
    }
    if PREVIOUS.set(previous).is_err() {
        // Our own handlers are in place already.
        return Ok(());
    }
    let mut ours = default_action();
    ours.sa_sigaction = on_signal as *const () as usize;
    // On a stack of its own: the thread's may be what has run out. Threads of the standard library
    // have one; a thread that a plugin made by other means dies without a record.
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    for signal in SIGNALS {
        // SAFETY: `ours` is a whole action with a handler of the type that SA_SIGINFO asks for.
        check(unsafe { libc::sigaction(signal, &raw const ours, ptr::null_mut()) })?;
    }
    // SAFETY: `on_exit` is safe to call at any time.
    let registered = unsafe { libc::atexit(on_exit) };
    if registered != 0 {
        return Err(std::io::ErrorKind::OutOfMemory.into());
    }
    Ok(())
}

/// Ends the process at once: no `atexit` handler and no destructor of a library runs.
///
/// Everything that has to be written is written before.
pub(crate) fn end_process(code: u8) -> ! {
    // SAFETY: `_exit` has no preconditions. It is wanted here instead of `exit`: what plugins have
    // registered for the end of the process could block it, or crash.
    unsafe { libc::_exit(i32::from(code)) }
}

/// What the process does about `signal` now: 0 the default, 1 nothing, else some handler.
pub(crate) fn disposition(signal: c_int) -> Option<usize> {
    action(signal).ok().map(|action| action.sa_sigaction)
}

fn action(signal: c_int) -> std::io::Result<libc::sigaction> {
    let mut action = default_action();
    // SAFETY: a null pointer for the new action changes nothing; the old one is written to a whole
    // action of ours.
    check(unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) })?;
    Ok(action)
}

fn default_action() -> libc::sigaction {
    // SAFETY: `sigaction` is plain data, and all zeroes are one: the default, no flags, no mask.
    unsafe { std::mem::zeroed() }
}

fn check(result: c_int) -> std::io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

extern "C" fn on_signal(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a whole `siginfo_t` to a handler with SA_SIGINFO.
    let told = unsafe { &*info };
    let code = told.si_code;
    // SAFETY: the field is part of the structure in any case; where a signal was sent it holds
    // something else than an address, which is why the code goes with it.
    let address = unsafe { told.si_addr() } as usize as u64;
    tell(Kind::Signal, signal, code, address);
    go_on(signal, code, info, context);
}

/// Does what would have been done without us, which is the end of the process.
fn go_on(signal: c_int, code: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let position = SIGNALS.iter().position(|known| *known == signal);
    let previous = PREVIOUS
        .get()
        .zip(position)
        .and_then(|(previous, position)| previous.get(position));
    match previous {
        Some(previous) if previous.sa_sigaction > libc::SIG_IGN => {
            let handler = previous.sa_sigaction;
            if previous.sa_flags & libc::SA_SIGINFO == 0 {
                // SAFETY: an action without SA_SIGINFO that is neither the default nor to ignore is a
                // function of this type.
                let handler =
                    unsafe { std::mem::transmute::<usize, extern "C" fn(c_int)>(handler) };
                handler(signal);
            } else {
                // SAFETY: an action with SA_SIGINFO is a function of this type.
                let handler = unsafe {
                    std::mem::transmute::<usize, extern "C" fn(c_int, *mut siginfo_t, *mut c_void)>(
                        handler,
                    )
                };
                handler(signal, info, context);
            }
        }
        _ => restore_default(signal),
    }
    // A fault happens again as soon as this handler returns; what was sent does not. The standard
    // library's handler would let the process live then, after it has told of its end.
    if code <= 0 {
        restore_default(signal);
        // SAFETY: `raise` may be called in a handler; the signal waits until it returns.
        unsafe { libc::raise(signal) };
    }
}

/// From here on `signal` ends the process.
fn restore_default(signal: c_int) {
    let default = default_action();
    // SAFETY: the default action is whole.
    unsafe { libc::sigaction(signal, &raw const default, ptr::null_mut()) };
}

extern "C" fn on_exit() {
    tell(Kind::Exit, 0, 0, 0);
    if !FOR_PARENT.load(Ordering::Relaxed) {
        // The status is all that whoever started this process gets: it must not be a plugin's 0.
        end_process(exit::FAILED);
    }
}

/// Writes the record or the line, once in the life of the process.
fn tell(kind: Kind, signal: c_int, code: c_int, address: u64) {
    if REPORTED.swap(true, Ordering::AcqRel) {
        return wait_until_told();
    }
    write(kind, signal, code, address);
    TOLD.store(true, Ordering::Release);
}

/// Waits until another thread has written what it has begun to: this one may be about to end the
/// process. Not for ever, for the other thread may be this one.
fn wait_until_told() {
    let moment = libc::timespec {
        tv_sec: 0,
        tv_nsec: 1_000_000,
    };
    for _ in 0..100 {
        if TOLD.load(Ordering::Acquire) {
            return;
        }
        // SAFETY: the time is whole, and what is left of it is not asked for.
        unsafe { libc::nanosleep(&raw const moment, ptr::null_mut()) };
    }
}

fn write(kind: Kind, signal: c_int, code: c_int, address: u64) {
    let to = REPORT_TO.load(Ordering::Acquire);
    let mut name = [0_u8; NAME];
    // SAFETY: PR_GET_NAME writes at most 16 octets, the last of them NUL.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    // SAFETY: `gettid` has no preconditions.
    let thread = unsafe { libc::gettid() };
    if FOR_PARENT.load(Ordering::Relaxed) {
        let octets = encode(kind, signal, code, address, thread, name);
        // SAFETY: the buffer is as long as is said. A full socket is not waited for: the thread may
        // hold what the other side waits for.
        unsafe {
            libc::send(
                to,
                octets.as_ptr().cast(),
                octets.len(),
                libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
            )
        };
    } else {
        let (line, length) = Line::of(kind, signal, thread, &name);
        // SAFETY: the buffer is at least as long as is said.
        unsafe { libc::write(to, line.as_ptr().cast(), length) };
    }
}

/// Octets of a thread's name, the final NUL among them.
const NAME: usize = 16;
/// What a record starts with.
const MAGIC: [u8; 4] = *b"\0GJ1";
/// Octets of a record.
const RECORD: usize = 4 + 4 + 4 + 4 + 8 + 4 + NAME;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Signal,
    Exit,
}

fn encode(
    kind: Kind,
    signal: c_int,
    code: c_int,
    address: u64,
    thread: i32,
    name: [u8; NAME],
) -> [u8; RECORD] {
    let kind = i32::from(kind == Kind::Exit);
    let mut octets = [0; RECORD];
    octets[0..4].copy_from_slice(&MAGIC);
    octets[4..8].copy_from_slice(&kind.to_ne_bytes());
    octets[8..12].copy_from_slice(&signal.to_ne_bytes());
    octets[12..16].copy_from_slice(&code.to_ne_bytes());
    octets[16..24].copy_from_slice(&address.to_ne_bytes());
    octets[24..28].copy_from_slice(&thread.to_ne_bytes());
    octets[28..].copy_from_slice(&name);
    octets
}

/// What the kernel keeps of the name of a thread that is called `name`.
pub(crate) fn thread_name(name: &str) -> Cow<'_, str> {
    let kept = name.as_bytes();
    String::from_utf8_lossy(kept.get(..NAME - 1).unwrap_or(kept))
}

/// What a process says of its crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// What happened.
    pub(crate) event: Event,
    /// The kernel's number of the thread it happened on.
    pub(crate) thread: i32,
    /// The first octets of that thread's name.
    pub(crate) name: String,
}

/// What ended a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// One of [`SIGNALS`], and for a fault the address it is about.
    Signal { number: i32, address: Option<u64> },
    /// Somebody called `exit`.
    Exit,
}

impl Record {
    /// The record in a message; none if the message is another.
    pub(crate) fn decode(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; RECORD] = octets.try_into().ok()?;
        if octets[0..4] != MAGIC {
            return None;
        }
        let number = |at: usize| {
            let octets = octets.get(at..at + 4)?;
            Some(i32::from_ne_bytes(octets.try_into().ok()?))
        };
        let (kind, signal, code) = (number(4)?, number(8)?, number(12)?);
        let address = u64::from_ne_bytes(octets[16..24].try_into().ok()?);
        let name = octets[28..]
            .split(|octet| *octet == 0)
            .next()
            .unwrap_or_default();
        let event = if kind == 0 {
            Event::Signal {
                number: signal,
                // What was sent is about no address.
                address: (code > 0 && signal != libc::SIGABRT).then_some(address),
            }
        } else {
            Event::Exit
        };
        Some(Self {
            event,
            thread: number(24)?,
            name: String::from_utf8_lossy(name).into_owned(),
        })
    }
}

/// A line for people, put together without allocating.
struct Line {
    octets: [u8; 192],
    length: usize,
}

impl Line {
    fn of(kind: Kind, signal: c_int, thread: i32, name: &[u8]) -> ([u8; 192], usize) {
        let mut line = Self {
            octets: [0; 192],
            length: 0,
        };
        match kind {
            Kind::Signal => {
                line.push(b"error[GJ504]: gordon-janitor crashed with ");
                line.push(name_of(signal).as_bytes());
            }
            Kind::Exit => line.push(b"error[GJ505]: a plugin called exit"),
        }
        line.push(b" in thread \"");
        let end = name.iter().position(|octet| *octet == 0);
        line.push(name.get(..end.unwrap_or(NAME)).unwrap_or_default());
        line.push(b"\" (tid ");
        line.push_number(thread);
        line.push(b"), which is named after its plugin\n");
        (line.octets, line.length)
    }

    fn push(&mut self, text: &[u8]) {
        for octet in text {
            if let Some(place) = self.octets.get_mut(self.length) {
                *place = *octet;
                self.length += 1;
            }
        }
    }

    fn push_number(&mut self, number: i32) {
        let mut digits = [0_u8; 10];
        let mut rest = number.unsigned_abs();
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push(digits.get(first..).unwrap_or_default());
    }
}

/// The name of a signal that can end a process.
pub(crate) fn name_of(signal: c_int) -> &'static str {
    match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        libc::SIGABRT => "SIGABRT",
        libc::SIGKILL => "SIGKILL",
        libc::SIGTERM => "SIGTERM",
        libc::SIGINT => "SIGINT",
        libc::SIGHUP => "SIGHUP",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGCHLD => "SIGCHLD",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGSYS => "SIGSYS",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGALRM => "SIGALRM",
        _ => "a signal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> [u8; NAME] {
        let mut name = [0; NAME];
        name[..text.len()].copy_from_slice(text.as_bytes());
        name
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let octets = encode(Kind::Signal, libc::SIGSEGV, 1, 0x10, 4711, name("a.b"));
        let record = Record::decode(&octets).unwrap();
        let event = Event::Signal {
            number: libc::SIGSEGV,
            address: Some(0x10),
        };
        assert_eq!((record.event, record.thread), (event, 4711));
        assert_eq!(record.name, "a.b");

        let octets = encode(Kind::Exit, 0, 0, 0, 7, name("exactly-fifteen"));
        let record = Record::decode(&octets).unwrap();
        assert_eq!((record.event, record.thread), (Event::Exit, 7));
        assert_eq!(record.name, "exactly-fifteen");
    }

    #[test]
    fn an_abort_is_about_no_address() {
        let octets = encode(Kind::Signal, libc::SIGABRT, -6, 0x3e8, 1, name("a"));
        let event = Event::Signal {
            number: libc::SIGABRT,
            address: None,
        };
        assert_eq!(Record::decode(&octets).unwrap().event, event);
    }

    #[test]
    fn other_octets_are_no_record() {
        assert_eq!(Record::decode(b"{}"), None);
        assert_eq!(Record::decode(&[0; RECORD]), None);
        assert_eq!(Record::decode(&[]), None);
    }

    #[test]
    fn the_line_for_people_names_signal_and_thread() {
        let (line, length) = Line::of(Kind::Signal, libc::SIGBUS, 90_210, &name("gcp.gce"));
        assert_eq!(
            std::str::from_utf8(&line[..length]).unwrap(),
            "error[GJ504]: gordon-janitor crashed with SIGBUS in thread \"gcp.gce\" (tid 90210), \
             which is named after its plugin\n"
        );
    }
}
