//! What servers answered: Knot DNS 3.2.6, BIND 9.18.49, NSD 4.6.1 and PowerDNS 4.7.3, asked over TCP on 2026-11-23.
//!
//! All of them served `testdata/open.test.zone`; then Knot and BIND were sent UPDATE, and NSD read other zone files.

use janitor_plugin_api::dns::{Name, Serial};

use super::samples::{messages_of, told};
use super::{Axfr, Increment, Ixfr, Progress, TransferFault, Transferred};

const KNOT: &[u8] = include_bytes!("../../testdata/knot-axfr.stream");
const BIND: &[u8] = include_bytes!("../../testdata/bind-axfr.stream");
const NSD: &[u8] = include_bytes!("../../testdata/nsd-axfr.stream");
const POWERDNS: &[u8] = include_bytes!("../../testdata/pdns-axfr.stream");
const KNOT_IXFR: &[u8] = include_bytes!("../../testdata/knot-ixfr.stream");
const BIND_IXFR: &[u8] = include_bytes!("../../testdata/bind-ixfr.stream");
const NSD_IXFR: &[u8] = include_bytes!("../../testdata/nsd-ixfr.stream");
const POWERDNS_IXFR: &[u8] = include_bytes!("../../testdata/pdns-ixfr.stream");
const UP_TO_DATE: [&[u8]; 4] = [
    include_bytes!("../../testdata/knot-uptodate.stream"),
    include_bytes!("../../testdata/bind-uptodate.stream"),
    include_bytes!("../../testdata/nsd-uptodate.stream"),
    include_bytes!("../../testdata/pdns-uptodate.stream"),
];
const SERIAL: Serial = Serial(2_026_110_100);

/// More octets than any of the differences take.
const MOST: usize = 1 << 16;

fn apex() -> Name {
    "open.test".parse().unwrap()
}

fn axfr(stream: &[u8]) -> Transferred {
    let mut axfr = Axfr::new(apex());
    let last = messages_of(stream).fold(Progress::More, |_, message| axfr.take(message).unwrap());
    assert_eq!(last, Progress::Done);
    axfr.finish().unwrap()
}

fn ixfr(have: Serial, stream: &[u8]) -> Result<Increment, TransferFault> {
    let mut ixfr = Ixfr::new(apex(), have, MOST);
    for message in messages_of(stream) {
        ixfr.take(message)?;
    }
    ixfr.finish()
}

/// One line for each record that is not a SOA, `-` or `+` before it.
fn listing(have: Serial, stream: &[u8]) -> String {
    let Increment::Differences(differences) = ixfr(have, stream).unwrap() else {
        panic!("these are differences");
    };
    let mut text = String::new();
    for step in differences.steps() {
        text += &format!("{} to {}\n", step.from, step.to);
        step.deleted()
            .skip(1)
            .for_each(|rr| text += &format!("- {rr}\n"));
        step.added()
            .skip(1)
            .for_each(|rr| text += &format!("+ {rr}\n"));
    }
    text
}

#[test]
fn all_servers_are_read_to_the_same_zone() {
    for (server, stream, messages) in [
        ("Knot", KNOT, 1),
        ("BIND", BIND, 1),
        ("NSD", NSD, 1),
        ("PowerDNS", POWERDNS, 3),
    ] {
        let transferred = axfr(stream);
        let expected = include_str!("../../testdata/open.test.zone");
        assert_eq!(transferred.zone.to_string(), expected, "{server}");
        assert_eq!(transferred.messages, messages, "{server}");
        assert_eq!((transferred.records, transferred.duplicates()), (30, 0));
    }
}

#[test]
fn differences_of_knot() {
    assert_eq!(
        listing(SERIAL, KNOT_IXFR),
        "2026110100 to 2026110101\n\
         - www.open.test. 300 IN A 192.0.2.10\n\
         + new.open.test. 300 IN MX 10 mail.open.test.\n\
         2026110101 to 2026110102\n\
         - ns.sub.open.test. 300 IN A 192.0.2.54\n\
         + new.open.test. 60 IN A 192.0.2.99\n",
    );
}

#[test]
fn differences_of_bind() {
    assert_eq!(
        listing(SERIAL, BIND_IXFR),
        "2026110100 to 2026110101\n\
         - ns.sub.open.test. 300 IN A 192.0.2.54\n\
         + new.open.test. 60 IN A 192.0.2.99\n",
    );
}

/// NSD adds records at the apex that were there before and are not deleted: whoever applies its differences
/// must bear additions of what is there.
#[test]
fn differences_of_nsd() {
    assert_eq!(
        listing(SERIAL, NSD_IXFR),
        "2026110100 to 2026110101\n\
         - ns.sub.open.test. 300 IN A 192.0.2.54\n\
         - www.open.test. 300 IN A 192.0.2.10\n\
         - www.open.test. 300 IN HTTPS 1 . alpn=\"h2,h3\" ipv4hint=192.0.2.10\n\
         + open.test. 300 IN MX 10 mail.open.test.\n\
         + open.test. 300 IN CAA 0 issue \"ca.test\"\n\
         + open.test. 300 IN TXT \"v=test\" \"second string; with \\\"quotes\\\"\"\n\
         + new.open.test. 300 IN MX 10 mail.open.test.\n\
         2026110101 to 2026110102\n\
         + open.test. 300 IN MX 10 mail.open.test.\n\
         + open.test. 300 IN CAA 0 issue \"ca.test\"\n\
         + open.test. 300 IN TXT \"v=test\" \"second string; with \\\"quotes\\\"\"\n\
         + new.open.test. 60 IN A 192.0.2.99\n",
    );
}

#[test]
fn powerdns_answers_an_increment_with_the_whole_zone() {
    let Increment::Whole(transferred) = ixfr(Serial(SERIAL.0 - 1), POWERDNS_IXFR).unwrap() else {
        panic!("it is a whole zone");
    };
    assert_eq!(transferred.zone, axfr(POWERDNS).zone);
}

#[test]
fn all_servers_say_in_the_same_way_that_nothing_changed() {
    for stream in UP_TO_DATE {
        let read = ixfr(SERIAL, stream).unwrap();
        assert!(matches!(read, Increment::UpToDate(SERIAL)), "{read:?}");
    }
}

#[test]
fn differences_from_another_serial_than_asked_for_are_refused() {
    let fault = ixfr(Serial(SERIAL.0 - 1), KNOT_IXFR).unwrap_err();
    assert_eq!(
        told(&fault),
        "the answer has differences from serial 2026110100, where those from 2026110099 must follow (after 1 message and 2 records)",
    );
}

#[test]
fn no_octet_changed_makes_a_transfer_panic() {
    let answers = [KNOT, BIND, NSD, POWERDNS, KNOT_IXFR, BIND_IXFR, NSD_IXFR];
    for stream in answers {
        for at in 0..stream.len() {
            for change in [1, 2, 0x3f, 0x80, 0xc0, 0xff] {
                let mut changed = stream.to_vec();
                changed[at] ^= change;
                // A changed length divides the stream into other messages.
                let whole = |stream: &[u8]| {
                    let (length, rest) = stream.split_first_chunk()?;
                    let length = usize::from(u16::from_be_bytes(*length));
                    Some(rest.get(..length).unwrap_or(rest).to_vec())
                };
                let mut axfr = Axfr::new(apex());
                let mut ixfr = Ixfr::new(apex(), SERIAL, MOST);
                let mut rest = &changed[..];
                let (mut axfr_goes_on, mut ixfr_goes_on) = (true, true);
                while let Some(message) = whole(rest) {
                    rest = rest.get(2 + message.len()..).unwrap_or_default();
                    axfr_goes_on = axfr_goes_on && axfr.take(&message).is_ok();
                    ixfr_goes_on = ixfr_goes_on && ixfr.take(&message).is_ok();
                }
                drop((axfr.finish(), ixfr.finish()));
            }
        }
    }
}
