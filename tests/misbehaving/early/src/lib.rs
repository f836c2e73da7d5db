//! A library that does something while it is opened: what the environment variable `JANITOR_EARLY`
//! says. Without it nothing happens, so that it can lie among the others.

#![expect(
    unsafe_code,
    clippy::exit,
    clippy::panic,
    reason = "an initialiser is written into a section of its own, and misbehaves there"
)]

use std::hint::black_box;
use std::{env, process, ptr, thread};

use janitor_plugin_api::{Authority, Error, Host, RrsetSender};

janitor_plugin_api::export! {
    /// An authority without zones.
    authority "early.zones" => Early;
}

// SAFETY: the section holds pointers to functions of this type, which the loader calls.
#[used]
#[unsafe(link_section = ".init_array")]
static INITIALISER: extern "C" fn() = initialise;

extern "C" fn initialise() {
    match env::var("JANITOR_EARLY").as_deref() {
        Ok("sleeps") => loop {
            thread::park();
        },
        Ok("exits") => process::exit(42),
        Ok("aborts") => process::abort(),
        Ok("panics") => panic!("on purpose, before anything else"),
        Ok("crashes") => {
            // SAFETY: not safe at all, which is the misdeed. Volatile, so that it is not optimised away.
            unsafe { ptr::read_volatile(black_box(ptr::without_provenance::<u8>(16))) };
        }
        _ => {}
    }
}

#[janitor_plugin_api::settings]
#[derive(Debug)]
struct Settings {}

struct Early;

impl Authority for Early {
    type Config = Settings;

    fn new(Settings {}: Settings, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    async fn run(&mut self, _: &mut RrsetSender) -> Result<(), Error> {
        Ok(())
    }
}
