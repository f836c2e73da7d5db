//! Plugins that crash, or change what belongs to the whole process: one key per misdeed.
//!
//! All are authorities without zones, written with the SDK. What they do no SDK can keep from
//! happening, so what they show is what the host makes of it. One only looks as if it did wrong.

#![expect(
    unsafe_code,
    clippy::exit,
    reason = "crashing takes unsafe code, or what nobody but the host may do"
)]

mod calls;
mod crash;
mod state;

use janitor_plugin_api::{Authority, Error, Host, RrsetSender};

janitor_plugin_api::export! {
    /// Reads at a null pointer.
    authority "wrecker.reads-null" => Wrecker<{ crash::READS_NULL }>;
    /// Reads at a null pointer while it is created.
    authority "wrecker.reads-null-in-new" => Wrecker<{ crash::READS_NULL_IN_NEW }>;
    /// Reads at a null pointer on a thread that it has made.
    authority "wrecker.reads-null-on-a-thread" => Wrecker<{ crash::READS_NULL_ON_A_THREAD }>;
    /// Aborts.
    authority "wrecker.aborts" => Wrecker<{ crash::ABORTS }>;
    /// Executes what is no instruction.
    authority "wrecker.is-illegal" => Wrecker<{ crash::IS_ILLEGAL }>;
    /// Calls itself for ever, on the thread that the host gave it.
    authority "wrecker.overflows" => Wrecker<{ crash::OVERFLOWS }>;
    /// Calls itself for ever on a thread that it has made.
    authority "wrecker.overflows-on-a-thread" => Wrecker<{ crash::OVERFLOWS_ON_A_THREAD }>;
    /// Frees memory that is not its own.
    authority "wrecker.frees-what-is-not-its-own" => Wrecker<{ crash::FREES_WHAT_IS_NOT_ITS_OWN }>;
    /// Asks for more memory than there is.
    authority "wrecker.wants-all-memory" => Wrecker<{ crash::WANTS_ALL_MEMORY }>;
    /// Calls `exit(0)`.
    authority "wrecker.exits-with-0" => Wrecker<{ crash::EXITS_WITH_0 }>;
    /// Calls `exit(42)` while it is created.
    authority "wrecker.exits-with-42-in-new" => Wrecker<{ crash::EXITS_WITH_42_IN_NEW }>;
    /// Calls `_exit(0)`, which nobody hears.
    authority "wrecker.exits-unheard" => Wrecker<{ crash::EXITS_UNHEARD }>;
    /// Kills the process.
    authority "wrecker.kills" => Wrecker<{ crash::KILLS }>;
    /// Stops the process, so that it does not even die of SIGTERM.
    authority "wrecker.stops" => Wrecker<{ crash::STOPS }>;
    /// Closes every descriptor above standard error and goes on.
    authority "wrecker.closes-all" => Wrecker<{ crash::CLOSES_ALL }>;

    /// Calls the host from many threads at once, from within calls of its own, and after the end.
    authority "wrecker.uses-many-threads" => Wrecker<{ state::USES_MANY_THREADS }>;
    /// Wants something to be done when the process exits.
    authority "wrecker.wants-a-farewell" => Wrecker<{ state::WANTS_A_FAREWELL }>;
    /// Ignores, blocks and replaces signals, and waits for the cancellation.
    authority "wrecker.ignores-signals" => Wrecker<{ state::IGNORES_SIGNALS }>;
    /// Changes signals, umask, working directory and time zone while it is created.
    authority "wrecker.moves-in" => Wrecker<{ state::MOVES_IN }>;
    /// Closes standard error while it is created.
    authority "wrecker.closes-standard-error" => Wrecker<{ state::CLOSES_STANDARD_ERROR }>;
    /// Leaves 500 threads behind.
    authority "wrecker.leaves-threads" => Wrecker<{ state::LEAVES_THREADS }>;
    /// Leaves a process behind that holds every socket of this one.
    authority "wrecker.leaves-a-child" => Wrecker<{ state::LEAVES_A_CHILD }>;
}

/// The table of every wrecker; `[wrecker]` will do for all of them.
#[janitor_plugin_api::settings]
#[derive(Debug)]
struct Settings {}

/// A plugin that does what `TRICK` says.
struct Wrecker<const TRICK: u8> {
    host: Host,
}

impl<const TRICK: u8> Authority for Wrecker<TRICK> {
    type Config = Settings;

    fn new(Settings {}: Settings, host: Host) -> Result<Self, Error> {
        tracing::info!("created");
        crash::in_new(TRICK);
        state::in_new(TRICK);
        Ok(Self { host })
    }

    async fn run(&mut self, _: &mut RrsetSender) -> Result<(), Error> {
        tracing::info!("running");
        crash::in_run(TRICK, &self.host);
        state::in_run(TRICK);
        if TRICK == state::IGNORES_SIGNALS || TRICK == crash::CLOSES_ALL {
            tracing::info!("waiting");
            self.host.cancelled().await;
        }
        if TRICK == state::USES_MANY_THREADS {
            calls::from_many_threads(&self.host);
            self.host.cancelled().await;
            // Nothing is any different once the run is cancelled.
            calls::from_many_threads(&self.host);
        }
        Ok(())
    }
}
