//! What belongs to the whole process.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "a child after a fork makes system calls and nothing else"
)]

use std::env;
use std::thread;

pub(crate) const WANTS_A_FAREWELL: u8 = 100;
pub(crate) const IGNORES_SIGNALS: u8 = 101;
pub(crate) const MOVES_IN: u8 = 102;
pub(crate) const CLOSES_STANDARD_ERROR: u8 = 103;
pub(crate) const LEAVES_THREADS: u8 = 104;
pub(crate) const USES_MANY_THREADS: u8 = 105;
pub(crate) const LEAVES_A_CHILD: u8 = 106;

pub(crate) fn in_new(trick: u8) {
    match trick {
        WANTS_A_FAREWELL => {
            // SAFETY: the function lives as long as the library, which is never closed.
            unsafe { libc::atexit(farewell) };
        }
        MOVES_IN => move_in(),
        CLOSES_STANDARD_ERROR => {
            // SAFETY: not safe at all: it is not this library's, which is the misdeed.
            unsafe { libc::close(2) };
        }
        _ => {}
    }
}

pub(crate) fn in_run(trick: u8) {
    match trick {
        IGNORES_SIGNALS => ignore_signals(),
        LEAVES_A_CHILD => leave_a_child(),
        LEAVES_THREADS => {
            for _ in 0..500 {
                thread::spawn(|| {
                    loop {
                        thread::park();
                    }
                });
            }
        }
        _ => {}
    }
}

extern "C" fn farewell() {
    eprintln_raw("the farewell was held\n");
    loop {
        thread::park();
    }
}

fn eprintln_raw(text: &str) {
    // SAFETY: the text is as long as it says.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

fn move_in() {
    for (signal, handler) in [
        (libc::SIGTERM, libc::SIG_IGN),
        (libc::SIGPIPE, libc::SIG_DFL),
        (libc::SIGCHLD, libc::SIG_IGN),
    ] {
        // SAFETY: neither is a function.
        unsafe { libc::signal(signal, handler) };
    }
    // SAFETY: it only changes a number.
    unsafe { libc::umask(0) };
    // SAFETY: no other thread reads the environment now: the others are not created yet, or wait.
    unsafe { env::set_var("TZ", "Antarctica/Troll") };
    let _moved = env::set_current_dir("/").is_ok();
}

fn ignore_signals() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1] {
        // SAFETY: to ignore is no function.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

fn leave_a_child() {
    // SAFETY: what the child calls is safe after a fork.
    unsafe {
        let host = libc::getppid();
        if libc::fork() == 0 {
            outlive(host);
        }
    }
}

/// Holds every socket, and nothing else, until the process `host` is gone; a minute at most.
unsafe fn outlive(host: libc::pid_t) -> ! {
    // SAFETY: `stat` is plain data; nobody else uses the descriptors of this process.
    unsafe {
        let mut stat = std::mem::zeroed::<libc::stat>();
        for fd in 0..1024 {
            let is_socket = libc::fstat(fd, &raw mut stat) == 0
                && stat.st_mode & libc::S_IFMT == libc::S_IFSOCK;
            if !is_socket {
                libc::close(fd);
            }
        }
        let moment = libc::timespec {
            tv_sec: 0,
            tv_nsec: 10_000_000,
        };
        for _ in 0..6000 {
            if libc::kill(host, 0) != 0 {
                break;
            }
            libc::nanosleep(&raw const moment, std::ptr::null_mut());
        }
        libc::_exit(0)
    }
}
