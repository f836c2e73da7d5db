use std::collections::BTreeSet;

use domain::base::iana::Rcode;
use janitor_plugin_api::dns::{Rtype, Serial, rdata};
use proptest::prelude::*;

use super::super::samples::{
    self, Rr, answer, any_rrs, apex, message, messages, rr, rrs, soa, told, zone,
};
use super::super::{Differences, Progress, TransferFault, Transferred};
use super::{Increment, Ixfr};

/// More octets than most differences of these tests take.
const MOST: usize = 1 << 20;

/// Reads an answer that ends with the last of the messages.
fn increment<M: AsRef<[u8]>>(have: u32, messages: &[M]) -> Result<Increment, TransferFault> {
    let mut ixfr = Ixfr::new(apex(), Serial(have), MOST);
    for (index, message) in messages.iter().enumerate() {
        let progress = ixfr.take(message.as_ref())?;
        let is_last = index + 1 == messages.len();
        assert_eq!(progress == Progress::Done, is_last, "message {index}");
    }
    ixfr.finish()
}

fn differences(have: u32, rrs: &[Rr]) -> Differences {
    match increment(have, &[message(rrs)]).unwrap() {
        Increment::Differences(differences) => differences,
        other => panic!("{other:?}"),
    }
}

fn whole<M: AsRef<[u8]>>(have: u32, messages: &[M]) -> Transferred {
    match increment(have, messages).unwrap() {
        Increment::Whole(transferred) => transferred,
        other => panic!("{other:?}"),
    }
}

fn fault<M: AsRef<[u8]>>(have: u32, messages: &[M]) -> String {
    let mut ixfr = Ixfr::new(apex(), Serial(have), MOST);
    let taken = messages
        .iter()
        .try_for_each(|message| ixfr.take(message.as_ref()).map(drop));
    told(&match taken {
        Ok(()) => ixfr.finish().unwrap_err(),
        Err(fault) => fault,
    })
}

/// One line for each record: the step, `-` or `+`, and the record.
fn listing(differences: &Differences) -> String {
    let mut text = String::new();
    for step in differences.steps() {
        text += &format!("{} to {}\n", step.from, step.to);
        step.deleted().for_each(|rr| text += &format!("- {rr}\n"));
        step.added().for_each(|rr| text += &format!("+ {rr}\n"));
    }
    text
}

#[test]
fn steps_are_read_in_their_order_with_their_soa() {
    let read = differences(
        1,
        &[
            soa(3),
            soa(1),
            rr("WWW 300 A 192.0.2.1"),
            soa(2),
            rr("www 300 MX 10 Mail"),
            soa(2),
            soa(3),
            soa(3),
        ],
    );
    assert_eq!((read.from(), read.to()), (Serial(1), Serial(3)));
    assert_eq!(
        listing(&read),
        "1 to 2\n\
         - example.test. 3600 IN SOA ns.example.test. hostmaster.example.test. 1 7200 3600 1209600 300\n\
         - www.example.test. 300 IN A 192.0.2.1\n\
         + example.test. 3600 IN SOA ns.example.test. hostmaster.example.test. 2 7200 3600 1209600 300\n\
         + www.example.test. 300 IN MX 10 mail.example.test.\n\
         2 to 3\n\
         - example.test. 3600 IN SOA ns.example.test. hostmaster.example.test. 2 7200 3600 1209600 300\n\
         + example.test. 3600 IN SOA ns.example.test. hostmaster.example.test. 3 7200 3600 1209600 300\n",
    );
}

#[test]
fn serials_may_wrap() {
    let last = u32::MAX;
    let read = differences(last, &[soa(1), soa(last), soa(1), soa(1)]);
    assert_eq!((read.from(), read.to()), (Serial(last), Serial(1)));
}

#[test]
fn a_lone_soa_of_our_serial_says_that_nothing_changed() {
    let read = increment(7, &[message(&[soa(7)])]).unwrap();
    assert!(matches!(read, Increment::UpToDate(Serial(7))));
}

#[test]
fn a_whole_zone_is_taken_as_one() {
    let all = [&[soa(8)], &rrs("www 300 A 192.0.2.1\n@ 300 NS ns")[..]].concat();
    let sent = answer(&all);
    // PowerDNS sends the first SOA in a message of its own.
    for cuts in [&[255][..], &[0, 255], &[0]] {
        let read = whole(7, &messages(&sent, cuts));
        assert_eq!(read.zone, zone(&all), "divided by {cuts:?}");
        assert_eq!((read.serial, read.records), (Serial(8), 3));
    }
    // Also one that is older than ours, or as old: that is what the server has.
    assert_eq!(whole(9, &[message(&sent)]).serial, Serial(8));
    assert_eq!(whole(8, &[message(&sent)]).serial, Serial(8));
}

#[test]
fn a_zone_of_nothing_but_its_soa_is_a_whole_zone() {
    assert_eq!(
        whole(1, &[message(&[soa(2), soa(2)])]).zone,
        zone(&[soa(2)])
    );
    let divided = messages(&[soa(2), soa(2)], &[0]);
    assert_eq!(whole(1, &divided).zone, zone(&[soa(2)]));
}

#[test]
fn answers_that_are_no_increment_are_refused_with_their_reason() {
    let a = || rr("www 1 A 192.0.2.1");
    let mut other_soa = soa(2);
    *other_soa.rdata.last_mut().unwrap() += 1;
    let mut meta = a();
    meta.rtype = 255;
    let mut short = a();
    short.rdata.pop();
    short.rtype = 28;
    let outside = rr("elsewhere.test. 1 A 192.0.2.1");
    let mut soa_elsewhere = soa(1);
    soa_elsewhere.owner = a().owner;
    let faults = [
        (
            vec![samples::refusal(Rcode::NOTIMP)],
            "the server answered NOTIMP (after 1 message and 0 records)",
        ),
        (
            vec![],
            "the answer ends without the SOA that it began with (after 0 messages and 0 records)",
        ),
        (
            vec![message(&[a()])],
            "the answer begins with A of `www.example.test.`, not with the SOA of the zone (after 1 message and 1 record)",
        ),
        (
            vec![message(&[soa(2)])],
            "the answer ends without the SOA that it began with (after 1 message and 1 record)",
        ),
        (
            vec![message(&[soa(0)])],
            "the server is at serial 0, not after 1, which it had before (after 1 message and 1 record)",
        ),
        (
            vec![message(&[soa(1)]), message(&[a()])],
            "the answer goes on after the SOA that ends it (after 2 messages and 2 records)",
        ),
        (
            vec![message(&[soa(3), soa(2), soa(3), soa(3)])],
            "the answer has differences from serial 2, where those from 1 must follow (after 1 message and 2 records)",
        ),
        (
            vec![message(&[soa(3), soa(1), soa(2), soa(1), soa(3), soa(3)])],
            "the answer has differences from serial 1, where those from 2 must follow (after 1 message and 4 records)",
        ),
        (
            vec![message(&[soa(3), soa(1), soa(2), soa(3)])],
            "the answer has differences from serial 3, where those from 2 must follow (after 1 message and 4 records)",
        ),
        (
            vec![message(&[soa(2), soa(1), soa(2)])],
            "the answer ends without the SOA that it began with (after 1 message and 3 records)",
        ),
        (
            vec![message(&[soa(2), soa(1), a()])],
            "the answer ends without the SOA that it began with (after 1 message and 3 records)",
        ),
        (
            vec![message(&[soa(2), soa(1), soa(2), other_soa.clone()])],
            "the zone changed during its transfer: the SOA at its end has serial 2 as at its beginning, but another content (after 1 message and 4 records)",
        ),
        (
            vec![message(&[soa(2), soa(1), other_soa.clone(), other_soa])],
            "the zone changed during its transfer: the SOA at its end has serial 2 as at its beginning, but another content (after 1 message and 4 records)",
        ),
        (
            vec![message(&[soa(2), soa(1), soa(2), soa(2), a()])],
            "the answer goes on after the SOA that ends it (after 1 message and 5 records)",
        ),
        (
            vec![message(&[soa(2), soa(1), outside])],
            "a record cannot be part of the zone (after 1 message and 3 records): cannot take `elsewhere.test.` into zone `example.test.`: it is not at or below the apex",
        ),
        (
            vec![message(&[soa(2), soa(1), meta])],
            "a record cannot be part of the zone (after 1 message and 3 records): cannot take ANY of `www.example.test.`: the type is never zone data",
        ),
        (
            vec![message(&[soa(2), soa(1), short])],
            "a record cannot be part of the zone (after 1 message and 3 records): cannot take AAAA of `www.example.test.`: the rdata ends too early",
        ),
        (
            vec![message(&[soa(2), soa_elsewhere])],
            "there is a SOA of `www.example.test.`, which is not the apex of the zone (after 1 message and 2 records)",
        ),
    ];
    for (messages, expected) in faults {
        assert_eq!(fault(1, &messages), expected);
    }
}

#[test]
fn differences_beyond_the_limit_are_refused() {
    let octets = message(&[soa(2), soa(1), rr("www 1 A 192.0.2.1"), soa(2), soa(2)]);
    let size = differences(
        1,
        &[soa(2), soa(1), rr("www 1 A 192.0.2.1"), soa(2), soa(2)],
    )
    .octets();
    let take = |most| Ixfr::new(apex(), Serial(1), most).take(&octets);
    assert_eq!(take(size), Ok(Progress::Done));
    assert_eq!(
        told(&take(size - 1).unwrap_err()),
        format!(
            "the differences have more than {} octets; the whole zone is less work (after 1 message and 4 records)",
            size - 1,
        ),
    );
}

#[test]
fn no_octet_changed_and_no_end_cut_off_makes_it_panic() {
    let octets = message(&[
        soa(3),
        soa(1),
        rr("www 1 A 192.0.2.1"),
        soa(2),
        soa(2),
        soa(3),
        soa(3),
    ]);
    for at in 0..octets.len() {
        for change in 1..=255 {
            let mut changed = octets.clone();
            changed[at] ^= change;
            let mut ixfr = Ixfr::new(apex(), Serial(1), MOST);
            if ixfr.take(&changed).is_ok() {
                drop(ixfr.finish());
            }
        }
        assert!(
            Ixfr::new(apex(), Serial(1), MOST)
                .take(&octets[..at])
                .is_err()
        );
    }
}

type Record = (Vec<u8>, u16, u32, Vec<u8>);

/// A zone as a set of records in canonical form.
fn records<'a>(rrs: impl IntoIterator<Item = &'a Rr>) -> BTreeSet<Record> {
    rrs.into_iter()
        .map(|rr| {
            let mut data = rr.rdata.clone();
            rdata::canonicalise(Rtype(rr.rtype), &mut data).unwrap();
            (rr.owner.to_ascii_lowercase(), rr.rtype, rr.ttl, data)
        })
        .collect()
}

fn of_record((owner, rtype, ttl, rdata): &Record) -> Rr {
    Rr {
        owner: owner.clone(),
        rtype: *rtype,
        ttl: *ttl,
        rdata: rdata.clone(),
    }
}

fn set<'a>(rrs: impl Iterator<Item = janitor_plugin_api::dns::Rr<'a>>) -> BTreeSet<Record> {
    let of = |rr: janitor_plugin_api::dns::Rr<'_>| {
        let owner = rr.owner.as_wire().to_vec();
        (owner, rr.rtype.0, rr.ttl.as_secs(), rr.rdata.to_vec())
    };
    rrs.map(of).collect()
}

proptest! {
    #[test]
    fn differences_lead_from_any_zone_to_any_other(
        zones in prop::collection::vec(any_rrs(12), 2..5),
        cuts in prop::collection::vec(any::<u8>(), 1..6),
        start in any::<u32>(),
    ) {
        let serial = |index: usize| start.wrapping_add(u32::try_from(index).unwrap());
        let versions: Vec<_> = zones
            .iter()
            .enumerate()
            .map(|(index, rrs)| records(rrs.iter().chain([&soa(serial(index))])))
            .collect();
        let last = soa(serial(zones.len() - 1));
        let mut sent = vec![last.clone()];
        for (index, pair) in versions.windows(2).enumerate() {
            let is_other = |record: &&Record| record.1 != Rtype::SOA.0;
            sent.push(soa(serial(index)));
            sent.extend(pair[0].difference(&pair[1]).filter(is_other).map(of_record));
            sent.push(soa(serial(index + 1)));
            sent.extend(pair[1].difference(&pair[0]).filter(is_other).map(of_record));
        }
        sent.push(last);

        let Increment::Differences(read) = increment(start, &messages(&sent, &cuts)).unwrap() else {
            panic!("these are differences");
        };
        let mut zone = versions[0].clone();
        for (step, version) in read.steps().zip(&versions[1..]) {
            for record in set(step.deleted()) {
                prop_assert!(zone.remove(&record));
            }
            for record in set(step.added()) {
                prop_assert!(zone.insert(record));
            }
            prop_assert_eq!(&zone, version);
        }
        prop_assert_eq!(read.steps().len(), versions.len() - 1);
    }

    #[test]
    fn no_octets_make_it_panic(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..3)) {
        prop_assert!(increment(1, &messages).is_err());
    }
}
