//! What only an authority can do.

use std::time::Instant;

use janitor_plugin_api::{Authority as Role, Error, Host, RrsetSender, Scalar};
use serde::Deserialize;

use crate::life::{Settings, name, zone};

pub(crate) const BEHAVES: u8 = 0;
pub(crate) const IS_UNSURE: u8 = 1;
pub(crate) const REPEATS_ITSELF: u8 = 2;
pub(crate) const LEAVES_OUT: u8 = 3;
pub(crate) const TALKS: u8 = 4;
pub(crate) const MEASURES: u8 = 5;
pub(crate) const SPENDS_ITS_LIST: u8 = 6;

/// An authority that does what `TRICK` says.
pub(crate) struct Authority<const TRICK: u8> {
    settings: Settings,
    host: Host,
}

impl<const TRICK: u8> Role for Authority<TRICK> {
    type Config = Settings;

    fn new(mut settings: Settings, host: Host) -> Result<Self, Error> {
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

/// An authority without zones that is particular about its settings.
pub(crate) struct Choosy;

/// The table of `villain.authority.is-choosy`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what matters is that they can be read")]
pub(crate) struct ChoosySettings {
    cups: u16,
    tea: Tea,
    #[serde(default)]
    leaves: Vec<Leaf>,
    #[serde(default)]
    password: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tea {
    Green,
    Black,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what matters is that they can be read")]
struct Leaf {
    length: f64,
}

impl Role for Choosy {
    type Config = ChoosySettings;

    fn new(_: ChoosySettings, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    async fn run(&mut self, _: &mut RrsetSender) -> Result<(), Error> {
        Ok(())
    }
}
