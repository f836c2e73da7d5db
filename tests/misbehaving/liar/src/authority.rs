//! What an authority can lie about.

use std::thread;

use janitor_plugin_api::abi::abi_stable::erased_types::TD_Opaque;
use janitor_plugin_api::abi::abi_stable::std_types::RResult;
use janitor_plugin_api::abi::channel::Sink;
use janitor_plugin_api::abi::plugin::{AuthorityBox, RawAuthority, RawAuthority_TO};
use janitor_plugin_api::abi::values::{AbiError, AbiZone};
use janitor_plugin_api::export::Role;
use janitor_plugin_api::ffi::Sender;
use janitor_plugin_api::{Error, Host, NoSettings};

use crate::lies::{ANSWERS, CHANGES, ZONES, apex, builder, told};
use crate::tell::{block_on, silence, unexpected};

pub(crate) const SENDS_NONSENSE: u8 = 0;
pub(crate) const BREAKS_OFF: u8 = 1;
pub(crate) const GOES_ON: u8 = 2;
pub(crate) const STAYS: u8 = 3;
pub(crate) const MUMBLES: u8 = 4;
pub(crate) const ASKS_FOR_LIES: u8 = 5;

/// An authority that lies as `LIE` says. Whatever it does, it sends `honest.test` first.
pub(crate) struct Lying<const LIE: u8> {
    messages: Vec<AbiZone>,
}

impl<const LIE: u8> Role<AuthorityBox> for Lying<LIE> {
    type Config = NoSettings;

    fn create(_: NoSettings, _: Host) -> Result<AuthorityBox, Error> {
        let mut messages = vec![zone("honest")?];
        match LIE {
            SENDS_NONSENSE => messages.append(&mut nonsense()?),
            GOES_ON => messages.push(zone("late")?),
            ASKS_FOR_LIES => {
                let names = ZONES.iter().chain(CHANGES).map(|(name, _)| name);
                for name in names.chain(ANSWERS) {
                    messages.push(zone(name)?);
                }
            }
            _ => {}
        }
        Ok(RawAuthority_TO::from_value(Self { messages }, TD_Opaque))
    }
}

impl<const LIE: u8> RawAuthority for Lying<LIE> {
    fn run(&mut self, zones: Sink<AbiZone>) -> RResult<(), AbiError> {
        let mut zones = Sender::new(zones);
        let sent = block_on(async {
            for (index, message) in self.messages.drain(..).enumerate() {
                if LIE == GOES_ON && index == 1 {
                    zones.finish();
                }
                if zones.send(message).await.is_err() {
                    break;
                }
            }
        });
        match LIE {
            BREAKS_OFF => {}
            MUMBLES => return silence(),
            STAYS => {
                zones.finish();
                loop {
                    thread::park();
                }
            }
            _ => zones.finish(),
        }
        sent.map_or_else(silence, RResult::ROk)
    }
}

/// A well formed zone.
fn zone(name: &str) -> Result<AbiZone, Error> {
    let zone = builder(apex(name)?)?.build_desired().map_err(unexpected)?;
    Ok(AbiZone {
        apex: zone.apex().as_wire().into(),
        octets: zone.into_octets(),
    })
}

/// Every lie there is about zones and their names.
fn nonsense() -> Result<Vec<AbiZone>, Error> {
    let mut messages = Vec::new();
    for (name, _) in ZONES {
        let mut message = zone(name)?;
        message.octets = told(name, ZONES, &message.octets).into();
        messages.push(message);
    }
    let mut crowded = builder(apex("crowded")?)?;
    crowded
        .push_text("www", Default::default(), "CNAME", "mail")
        .map_err(unexpected)?;
    let crowded = crowded.build_actual().map_err(unexpected)?;
    messages.push(AbiZone {
        apex: crowded.apex().as_wire().into(),
        octets: crowded.into_octets(),
    });
    for apex in [&b""[..], b"\x04test", b"\xc0\x0c", &[1; 300]] {
        let mut message = zone("honest")?;
        message.apex = apex.into();
        messages.push(message);
    }
    Ok(messages)
}
