//! No octets from a server make the reading of transfers panic, and what it lets pass is a zone, or differences, in
//! canonical form.
//!
//! Input is what a server sends over TCP: messages behind their lengths. `plugins/dns/testdata/*.stream` are good
//! beginnings.

#![no_main]

use janitor_plugin_api::dns::{ActualZone, Name, NameRef, Rtype, Serial, rdata};
use libfuzzer_sys::fuzz_target;
use transfer::{Axfr, Differences, Increment, Ixfr, Progress, Transferred};

#[path = "../../plugins/dns/src/transfer/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the library uses the rest")]
mod transfer;

/// The serial of the recorded streams.
const HAVE: Serial = Serial(2_026_110_100);

/// Octets that differences may take.
const MOST: usize = 1 << 16;

fn apex() -> Name {
    "open.test".parse().expect("it is a name")
}

fuzz_target!(|data: &[u8]| {
    let mut axfr = Axfr::new(apex());
    if messages(data, |message| axfr.take(message)) == Some(Progress::Done) {
        check_zone(&axfr.finish().expect("it is small"));
    } else {
        assert!(axfr.finish().is_err());
    }

    let mut ixfr = Ixfr::new(apex(), HAVE, MOST);
    if messages(data, |message| ixfr.take(message)) == Some(Progress::Done) {
        match ixfr.finish().expect("it is small") {
            Increment::UpToDate(serial) => assert_eq!(serial, HAVE),
            Increment::Differences(differences) => check_differences(&differences),
            Increment::Whole(transferred) => check_zone(&transferred),
        }
    } else {
        assert!(ixfr.finish().is_err());
    }
});

/// Gives messages to `take` for as long as they are a transfer.
fn messages<E>(
    mut stream: &[u8],
    mut take: impl FnMut(&[u8]) -> Result<Progress, E>,
) -> Option<Progress> {
    let mut last = None;
    while let Some((length, rest)) = stream.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (message, rest) = rest.split_at(length.min(rest.len()));
        last = Some(take(message).ok()?);
        stream = rest;
    }
    last
}

fn check_zone(transferred: &Transferred) {
    let zone = &transferred.zone;
    let checked = ActualZone::check(apex(), zone.octets().into());
    assert_eq!(checked.as_ref(), Ok(zone));
    assert_eq!(zone.serial(), Some(transferred.serial));
    assert_eq!(
        transferred.records,
        transferred.duplicates() + zone.rr_count() as u64,
    );
}

fn check_differences(differences: &Differences) {
    assert_eq!(differences.from(), HAVE);
    assert!(differences.octets() <= MOST);
    let mut serial = HAVE;
    for step in differences.steps() {
        assert_eq!(step.from, serial);
        serial = step.to;
        for (mut rrs, expected) in [
            (step.deleted().collect::<Vec<_>>(), step.from),
            (step.added().collect(), step.to),
        ] {
            for rr in &rrs {
                assert!(rr.owner.is_at_or_below(apex().as_ref()));
                assert_eq!(
                    NameRef::from_canonical_wire(rr.owner.as_wire()),
                    Ok(rr.owner)
                );
                assert_eq!(rdata::check(rr.rtype, rr.rdata), Ok(()));
                assert!(!rr.rtype.is_meta());
            }
            let soa = rrs.remove(0);
            assert_eq!(soa.rtype, Rtype::SOA);
            let numbers = soa.rdata.last_chunk::<20>().expect("it was checked");
            let serial = u32::from_be_bytes([numbers[0], numbers[1], numbers[2], numbers[3]]);
            assert_eq!(Serial(serial), expected);
            assert!(rrs.iter().all(|rr| rr.rtype != Rtype::SOA));
        }
    }
    assert_eq!(serial, differences.to());
}
