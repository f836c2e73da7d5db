//! What only an authority can do.

use std::collections::BTreeMap;
use std::io;
use std::thread;
use std::time::Instant;

use janitor_plugin_api::{Authority as Role, Error, Host, RrsetSender, Scalar};

use crate::life::{Settings, name, wait_at_the_gate, zone};

pub(crate) const BEHAVES: u8 = 0;
pub(crate) const IS_UNSURE: u8 = 1;
pub(crate) const REPEATS_ITSELF: u8 = 2;
pub(crate) const LEAVES_OUT: u8 = 3;
pub(crate) const TALKS: u8 = 4;
pub(crate) const MEASURES: u8 = 5;
pub(crate) const MEASURES_A_LOT: u8 = 6;
pub(crate) const TALKS_WITHOUT_END: u8 = 8;
pub(crate) const TELLS_SECRETS: u8 = 9;
pub(crate) const PANICS_WITH_SECRETS: u8 = 10;
pub(crate) const REFUSES_SECRETS: u8 = 11;
pub(crate) const TALKS_AT_THE_GATE: u8 = 12;
pub(crate) const SHOUTS: u8 = 13;
pub(crate) const SPENDS_ITS_LIST: u8 = 14;

/// An authority that does what `TRICK` says.
pub(crate) struct Authority<const TRICK: u8> {
    settings: Settings,
    host: Host,
}

impl<const TRICK: u8> Role for Authority<TRICK> {
    type Config = Settings;

    fn new(mut settings: Settings, host: Host) -> Result<Self, Error> {
        if TRICK == REFUSES_SECRETS {
            let secrets = secrets(&settings);
            let error = Error::config(
                format!("cannot log in with {secrets}"),
                io::Error::other(format!("{secrets} is refused")),
            );
            return Err(error.hint(format!("try another than {secrets}")));
        }
        if TRICK == SPENDS_ITS_LIST {
            settings.zones.clear();
        }
        tracing::info!("created");
        Ok(Self { settings, host })
    }

    async fn run(&mut self, rrsets: &mut RrsetSender) -> Result<(), Error> {
        tracing::info!("running");
        match TRICK {
            LEAVES_OUT => return self.leave_out(),
            TALKS => talk(),
            MEASURES => measure(&self.host),
            SHOUTS => tracing::info!("{}", "A".repeat(1 << 20)),
            TALKS_WITHOUT_END => talk_without_end(),
            TELLS_SECRETS => return self.tell_secrets(),
            PANICS_WITH_SECRETS => self.panic_with_secrets(),
            TALKS_AT_THE_GATE => {
                tracing::info!("before the gate");
                wait_at_the_gate(&self.settings, &self.host)?;
                tracing::info!("behind the gate");
            }
            MEASURES_A_LOT => measure_a_lot(&self.host),
            _ => {}
        }
        for apex in &self.settings.zones {
            rrsets.send(zone(apex, TRICK != IS_UNSURE)?).await?;
        }
        if TRICK == REPEATS_ITSELF {
            for apex in &self.settings.zones {
                rrsets.send(zone(apex, true)?).await?;
            }
        }
        Ok(())
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        tracing::info!("cleaned up");
        Ok(())
    }
}

impl<const TRICK: u8> Drop for Authority<TRICK> {
    fn drop(&mut self) {
        tracing::info!("dropped");
    }
}

impl<const TRICK: u8> Authority<TRICK> {
    fn leave_out(&self) -> Result<(), Error> {
        for apex in &self.settings.zones {
            let reason = Error::zone("cannot read the tea leaves", "the cup is empty");
            self.host.leave_out(name(apex)?.as_ref(), &reason);
        }
        let reason = Error::zone("cannot tell whose it is", "the label is torn");
        self.host.leave_out_unnamed(&"a cup", &reason);
        Ok(())
    }

    fn tell_secrets(&self) -> Result<(), Error> {
        let secrets = secrets(&self.settings);
        tracing::debug!(settings = ?self.settings, "logs in with {secrets}");
        tracing::error!(secrets, "cannot log in");
        let told = secrets.clone();
        let thread = thread::spawn(move || tracing::warn!("{told} is known to threads"));
        drop(thread.join());
        let reason = Error::zone(format!("cannot log in with {secrets}"), "it is refused")
            .hint(format!("try another than {secrets}"));
        self.host.leave_out_unnamed(&secrets, &reason);
        let context = [("secrets", Scalar::Text(&secrets))];
        self.host.increment("attempts", 1_i64, &context);
        let source = io::Error::other(format!("{secrets} is refused"));
        let error = Error::retry(format!("cannot log in with {secrets}"), source);
        Err(error.hint(format!("try another than {secrets}")))
    }

    #[expect(clippy::panic, reason = "the misdeed")]
    fn panic_with_secrets(&self) {
        panic!("cannot log in with {}", secrets(&self.settings));
    }
}

/// All secrets in one sentence.
fn secrets(settings: &Settings) -> String {
    let secret = |secret: &Option<String>| secret.clone().unwrap_or_default();
    format!(
        "{} at {}",
        secret(&settings.password),
        secret(&settings.url)
    )
}

/// Lines of each thread.
const LINES: usize = 4_000;

fn talk_without_end() {
    let threads = (0..64).map(|number| {
        thread::spawn(move || {
            for line in 0..LINES {
                tracing::info!(number, line, "bla");
            }
        })
    });
    let threads = threads.collect::<Vec<_>>();
    for line in 0..64 * LINES {
        tracing::debug!(line, "bla of its own");
    }
    for thread in threads {
        drop(thread.join());
    }
    tracing::warn!("this matters");
}

fn talk() {
    tracing::trace!("a whisper");
    tracing::debug!("a word");
    tracing::info!(cups = 2, "a sentence");
    tracing::warn!(cup = "two words", is_full = false, "a call");
    tracing::error!(
        level = 1.5,
        "a cry\n1970-01-01T00:00:00.000Z forged\u{1b}[2J"
    );
}

fn measure(host: &Host) {
    let context = [("cup", Scalar::Text("blue")), ("full", true.into())];
    host.increment("cups", 1_i64, &context);
    host.increment("cups", 2_i64, &[]);
    host.set("sugar", 2.5, &[("lumps", 3_i64.into())]);
    host.timer("tea-time", Instant::now(), &[]);
}

/// More than waits for a relay that takes nothing, and one that is larger than any is allowed to be.
fn measure_a_lot(host: &Host) {
    for _ in 0..70_000 {
        host.increment("cups", 1_i64, &[]);
    }
    host.increment(&"cup".repeat(2_000), 1_i64, &[]);
}

/// An authority without zones that is particular about its settings.
pub(crate) struct Choosy;

/// The table of `villain.authority.is-choosy`.
#[janitor_plugin_api::settings]
#[derive(Debug)]
#[expect(dead_code, reason = "what matters is that they can be read")]
pub(crate) struct ChoosySettings {
    /// Cups in the pot.
    #[setting(min = 1, max = 60_000, unit = "cups", deprecated_alias = "mugs")]
    cups: u16,
    /// What is in them.
    tea: Tea,
    /// What it was made of.
    #[setting(default)]
    leaves: Vec<Leaf>,
    /// How it is served.
    tray: Option<Tray>,
    /// Whoever knows it may drink. Its name does not say that it is a secret.
    #[setting(secret)]
    phrase: Option<String>,
    /// A secret by its name.
    password: Option<u64>,
    /// Refuses its configuration, and says what it was given.
    #[setting(default = false)]
    blab: bool,
}

#[janitor_plugin_api::settings]
#[derive(Debug)]
enum Tea {
    Green,
    Black,
}

#[janitor_plugin_api::settings]
#[derive(Debug)]
#[expect(dead_code, reason = "what matters is that they can be read")]
struct Leaf {
    /// From stem to tip.
    #[setting(unit = "millimetres", min = 0)]
    length: f64,
}

#[janitor_plugin_api::settings]
#[derive(Debug)]
#[expect(dead_code, reason = "what matters is that they can be read")]
struct Tray {
    /// What it is made of.
    material: String,
    /// Who carries it.
    #[setting(default)]
    bearers: BTreeMap<String, u8>,
}

impl Role for Choosy {
    type Config = ChoosySettings;

    fn new(settings: ChoosySettings, _: Host) -> Result<Self, Error> {
        if settings.blab {
            let phrase = settings.phrase.unwrap_or_default();
            let said = format!("the phrase is {phrase}");
            return Err(Error::config(
                format!("cannot keep a secret: {phrase}"),
                said,
            ));
        }
        Ok(Self)
    }

    async fn run(&mut self, _: &mut RrsetSender) -> Result<(), Error> {
        Ok(())
    }
}
