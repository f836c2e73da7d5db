//! What ends the process.

use std::hint::black_box;
use std::process;
use std::ptr;
use std::thread;

use janitor_plugin_api::Host;

pub(crate) const READS_NULL: u8 = 0;
pub(crate) const READS_NULL_IN_NEW: u8 = 1;
pub(crate) const READS_NULL_ON_A_THREAD: u8 = 2;
pub(crate) const ABORTS: u8 = 3;
pub(crate) const IS_ILLEGAL: u8 = 4;
pub(crate) const OVERFLOWS: u8 = 5;
pub(crate) const OVERFLOWS_ON_A_THREAD: u8 = 6;
pub(crate) const FREES_WHAT_IS_NOT_ITS_OWN: u8 = 7;
pub(crate) const EXITS_WITH_0: u8 = 8;
pub(crate) const EXITS_WITH_42_IN_NEW: u8 = 9;
pub(crate) const EXITS_UNHEARD: u8 = 10;
pub(crate) const KILLS: u8 = 11;
pub(crate) const CLOSES_ALL: u8 = 12;
pub(crate) const STOPS: u8 = 13;
pub(crate) const WANTS_ALL_MEMORY: u8 = 14;

pub(crate) fn in_new(trick: u8) {
    match trick {
        READS_NULL_IN_NEW => read_null(),
        EXITS_WITH_42_IN_NEW => process::exit(42),
        _ => {}
    }
}

pub(crate) fn in_run(trick: u8, host: &Host) {
    match trick {
        READS_NULL => read_null(),
        READS_NULL_ON_A_THREAD => on_a_thread(read_null),
        ABORTS => process::abort(),
        IS_ILLEGAL => illegal(),
        OVERFLOWS => {
            black_box(overflow(0));
        }
        OVERFLOWS_ON_A_THREAD => on_a_thread(|| {
            black_box(overflow(0));
        }),
        FREES_WHAT_IS_NOT_ITS_OWN => free(host),
        WANTS_ALL_MEMORY => drop(black_box(Vec::<u8>::with_capacity(isize::MAX as usize))),
        EXITS_WITH_0 => process::exit(0),
        // SAFETY: nothing of this process is needed any more.
        EXITS_UNHEARD => unsafe { libc::_exit(0) },
        KILLS => {
            // SAFETY: the signal ends the process.
            unsafe { libc::raise(libc::SIGKILL) };
        }
        STOPS => {
            // SAFETY: the process stops where it is.
            unsafe { libc::raise(libc::SIGSTOP) };
        }
        CLOSES_ALL => {
            // SAFETY: not safe at all: the host's descriptors are among them, which is the misdeed.
            unsafe { libc::close_range(3, libc::c_uint::MAX, 0) };
        }
        _ => {}
    }
}

fn on_a_thread(work: fn()) {
    // It does not come back.
    let _ended = thread::spawn(work).join().is_ok();
}

fn read_null() {
    // SAFETY: not safe at all, which is the misdeed. Volatile, so that it is not optimised away.
    unsafe { ptr::read_volatile(black_box(ptr::without_provenance::<u8>(16))) };
}

fn illegal() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the system ends the process.
    unsafe {
        std::arch::asm!("ud2");
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the system ends the process.
    unsafe {
        std::arch::asm!("udf #0");
    }
}

#[expect(unconditional_recursion, reason = "the misdeed")]
fn overflow(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    overflow(depth + 1) + room[0]
}

fn free(host: &Host) {
    let memory = host.config_root().as_os_str().as_encoded_bytes().as_ptr();
    // SAFETY: not safe at all: it is not the start of anything that was allocated.
    unsafe { libc::free(memory.wrapping_add(1).cast_mut().cast()) };
}
