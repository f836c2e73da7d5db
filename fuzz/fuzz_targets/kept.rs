//! No octets in the place of a kept copy make the reading of it panic, and whatever was damaged, nothing is read
//! but the zone as it was once.

#![no_main]

use std::io::{Cursor, Read};

use gordon_janitor_fuzz::{apex, builder};
use janitor_plugin_api::dns::{ActualZone, Edits, Rr, RrsetRef, Rtype, Ttl, ZoneBuilder};
use libfuzzer_sys::fuzz_target;

#[path = "../../plugins/dns/src/kept/fault.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod fault;
#[path = "../../plugins/dns/src/kept/journal.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod journal;
#[path = "../../plugins/dns/src/kept/layout.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod layout;

use fault::KeptFault;
use journal::Journal;
use layout::Head;

const IDENTITY: &str = "192.0.2.1:53";

fuzz_target!(|data: &[u8]| {
    drop(read(data));
    // The same with a digest that fits, so that more than the digest is looked at.
    let mut head = [b"gj zone\n\0\x01", &length(data)[..], data].concat();
    head.extend_from_slice(&layout::digest(&head));
    drop(read(&head));

    let [damage, cut, piece, data @ ..] = data else {
        return;
    };
    let (one, other) = data.split_at(data.len() / 2);
    let states = [zone(1, one), zone(2, other)];
    let copy = copy(&states, usize::from(*piece));
    assert_eq!(read(&copy).ok().as_ref(), Some(&states[1]));

    let part = |of: u8| copy.len() * usize::from(of) / 256;
    let mut damaged = copy.clone();
    damaged[part(*damage)] ^= damage | 1;
    for damaged in [&damaged, &copy[..part(*cut)], &damaged[..part(*cut)]] {
        if let Ok(read) = read(damaged) {
            assert!(states.contains(&read), "a zone that never was: {}", *read);
        }
    }
});

fn length(octets: &[u8]) -> [u8; 4] {
    let length = u32::try_from(octets.len());
    length.expect("inputs are short").to_be_bytes()
}

/// What can be taken out of the octets of a file.
fn read(file: &[u8]) -> Result<ActualZone, KeptFault> {
    let mut cursor = Cursor::new(file);
    let head = Head::read(&mut cursor, file.len() as u64)?;
    head.check(apex().as_ref(), IDENTITY)?;
    let mut rest = Vec::new();
    let mut journal = Cursor::new(file);
    journal.set_position(head.base_octets());
    journal.read_to_end(&mut rest)?;
    let journal = Journal::parse(rest, head.digest);
    let mut edits = Edits::new(head.apex());
    journal.repeat(&mut edits);
    Ok(head.revise(&mut cursor, edits)?.zone)
}

/// The zone of the RRs that `data` spells, each RRset with one TTL, and a SOA.
fn zone(serial: u8, data: &[u8]) -> ActualZone {
    let spelled = builder(data, false).build_actual().expect("it is small");
    let mut zone = ZoneBuilder::new(apex());
    let soa = [&b"\0\0\0\0\0"[..], &[serial], &[0; 16]].concat();
    let ttl = Ttl::from_secs(1).expect("it is short");
    let pushed = zone.push_wire(apex().as_wire(), Rtype::SOA, ttl, &soa);
    pushed.expect("it is a SOA");
    let is_kept = |rrset: &RrsetRef<'_>| ![Rtype::SOA, Rtype::RRSIG].contains(&rrset.rtype());
    for rrset in spelled.rrsets().filter(is_kept) {
        zone.push_ref(rrset).expect("it was checked");
    }
    zone.build_actual().expect("it is small")
}

/// The file of a copy of the first state with a journal that leads to the second.
fn copy(states: &[ActualZone; 2], piece: usize) -> Vec<u8> {
    let [first, second] = states;
    let head = Head::of(IDENTITY, first, 0, piece).expect("it is small");
    let mut copy = head.to_octets().expect("it is small");
    copy.extend_from_slice(first.octets());
    let old: Vec<Rr<'_>> = first.rrsets().flat_map(RrsetRef::rrs).collect();
    let new: Vec<Rr<'_>> = second.rrsets().flat_map(RrsetRef::rrs).collect();
    let mut edits = Edits::new(head.apex());
    for rr in &old {
        edits.delete(*rr).expect("it is in the zone");
    }
    for rr in &new {
        edits.add(*rr).expect("it is in the zone");
    }
    let revised = head.revise(&mut first.octets(), edits);
    let revised = revised.expect("the edits fit");
    assert_eq!(&revised.zone, second);
    let journal = Journal::parse(Vec::new(), head.digest);
    let soa = second.soa().and_then(|soa| soa.rdatas().next());
    let record = journal.record(soa.expect("there is a SOA"), &revised.images);
    copy.extend_from_slice(&record.expect("it is small"));
    copy
}
