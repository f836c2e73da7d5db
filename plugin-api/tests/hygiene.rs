//! The macros work where nothing has its usual name.

#![no_implicit_prelude]
#![expect(dead_code, reason = "names that a macro must not stumble over")]

use ::janitor_plugin_api::settings::{SettingType, Settings};
use ::janitor_plugin_api::{Authority, Error, Host, RrsetSender};
use ::std::assert_eq;

struct Option;
struct Result;
struct Vec;
struct String;
struct Default;
struct Literal;
struct Part;

::janitor_plugin_api::export! {
    /// Does "nothing" with \ at all.
    authority "hygiene.nothing" => Nothing;
}

/// What it is told.
#[::janitor_plugin_api::settings]
struct Config {
    /// A number.
    #[setting(default = 5, unit = "seconds", min = 1, max = 9, example = 7)]
    wait: u8,
    #[setting(default = ["calm"])]
    moods: ::std::vec::Vec<Mood>,
    #[setting(default = [])]
    names: ::std::vec::Vec<::std::string::String>,
    #[setting(default = "::1")]
    address: ::std::net::IpAddr,
    #[setting(default)]
    inner: ::std::vec::Vec<Inner>,
    #[setting(secret, alias = "token", deprecated_alias = "pass")]
    password: ::std::option::Option<::std::string::String>,
}

#[::janitor_plugin_api::settings]
struct Inner {
    #[setting(default)]
    r#type: bool,
}

#[::janitor_plugin_api::settings]
enum Mood {
    Calm,
}

struct Nothing(u8);

impl Authority for Nothing {
    type Config = Config;

    fn new(config: Config, _: Host) -> ::std::result::Result<Self, Error> {
        ::std::result::Result::Ok(Self(config.wait))
    }

    async fn run(&mut self, _: &mut RrsetSender) -> ::std::result::Result<(), Error> {
        assert_eq!(self.0, 5);
        ::std::result::Result::Ok(())
    }
}

#[test]
fn a_crate_with_names_of_its_own_describes_and_exports_as_any_other() {
    let text = ::janitor_plugin_api::manifest::text(<Config as Settings>::SCHEMA);
    let again = ::janitor_plugin_api::manifest::text(<Config as SettingType>::SCHEMA);
    assert_eq!(text, again);
    let wait =
        "wait = { type = \"integer\", format = \"uint8\", description = \"A number.\", default = 5";
    ::std::assert!(text.contains(wait), "{text}");
}
