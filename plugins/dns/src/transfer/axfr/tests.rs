use domain::base::iana::Rcode;
use proptest::prelude::*;

use super::super::samples::{
    self, answer, any_rrs, apex, message, message_with, messages, rr, rrs, soa, told, zone,
};
use super::super::{Progress, TransferFault, Transferred};
use super::Axfr;

fn transfer<M: AsRef<[u8]>>(messages: &[M]) -> Result<Transferred, TransferFault> {
    let mut axfr = Axfr::new(apex());
    for (index, message) in messages.iter().enumerate() {
        let progress = axfr.take(message.as_ref())?;
        let is_last = index + 1 == messages.len();
        assert_eq!(progress == Progress::Done, is_last, "message {index}");
    }
    axfr.finish()
}

/// What is wrong with messages, with its causes.
fn fault<M: AsRef<[u8]>>(messages: &[M]) -> String {
    let mut axfr = Axfr::new(apex());
    let taken = messages
        .iter()
        .try_for_each(|message| axfr.take(message.as_ref()).map(drop));
    let fault = match taken {
        Ok(()) => axfr.finish().unwrap_err(),
        Err(fault) => fault,
    };
    told(&fault)
}

fn small_zone() -> Vec<samples::Rr> {
    let mut all = vec![soa(7)];
    all.extend(rrs("www 300 A 192.0.2.1
         @ 300 NS ns
         www 300 AAAA 2001:db8::1
         ns 300 A 192.0.2.53
         www 300 A 192.0.2.2"));
    all
}

#[test]
fn zone_is_read_whatever_its_division_into_messages() {
    let all = small_zone();
    let expected = zone(&all);
    let answer = answer(&all);
    for cuts in [&[255_u8][..], &[0], &[0, 255], &[1], &[5, 0]] {
        let messages = messages(&answer, cuts);
        let transferred = transfer(&messages).unwrap();
        assert_eq!(transferred.zone, expected, "divided by {cuts:?}");
        assert_eq!(transferred.serial.0, 7);
        assert_eq!(transferred.records, 6);
        assert_eq!(transferred.duplicates(), 0);
        assert_eq!(transferred.messages as usize, messages.len());
        let octets: usize = messages.iter().map(Vec::len).sum();
        assert_eq!(transferred.octets, octets as u64);
    }
}

#[test]
fn several_ttls_in_an_rrset_and_repeated_records_are_counted() {
    let mut all = small_zone();
    all.extend(rrs("www 60 A 192.0.2.3\nWWW 300 A 192.0.2.1"));
    let transferred = transfer(&[message(&answer(&all))]).unwrap();
    assert_eq!(transferred.zone, zone(&all));
    assert_eq!((transferred.records, transferred.duplicates()), (8, 1));
    assert_eq!(transferred.ttl_conflicts, 1);
}

#[test]
fn zone_of_nothing_but_its_soa_is_read() {
    let transferred = transfer(&[message(&[soa(1), soa(1)])]).unwrap();
    assert_eq!(transferred.zone, zone(&[soa(1)]));
}

#[test]
fn letter_case_of_the_last_soa_does_not_matter() {
    let mut last = soa(7);
    last.owner.make_ascii_uppercase();
    last.rdata[..20].make_ascii_uppercase();
    assert_eq!(transfer(&[message(&[soa(7), last])]).unwrap().serial.0, 7);
}

#[test]
fn ttl_above_31_bits_counts_as_none() {
    let mut all = small_zone();
    all[1].ttl = 0x8000_0000;
    all[5].ttl = 0;
    let read = transfer(&[message(&answer(&all))]).unwrap().zone;
    all[1].ttl = 0;
    assert_eq!(read, zone(&all));
}

#[test]
fn records_of_other_sections_are_passed_over() {
    let mut octets = message(&answer(&small_zone()));
    octets[11] = 1;
    // An OPT record (RFC 6891, section 6.1.2).
    octets.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 3, 1, 2, 3]);
    assert_eq!(transfer(&[octets]).unwrap().records, 6);
}

#[test]
fn answers_that_are_no_transfer_are_refused_with_their_reason() {
    let all = small_zone();
    let whole = answer(&all);
    let with = |line: &str| message(&[&all[..], &[rr(line), soa(7)]].concat());
    let mut minimum = soa(7);
    *minimum.rdata.last_mut().unwrap() += 1;
    let mut elsewhere = soa(7);
    elsewhere.owner = rr("www 1 A 192.0.2.1").owner;
    let mut meta = rr("www 1 A 192.0.2.1");
    meta.rtype = 252;
    let mut chaos = message(&whole);
    chaos[12 + 14 + 4 + 2 + 3] = 3;
    let mut truncated = message(&whole);
    truncated[2] |= 2;
    let mut two_questions = message(&whole);
    two_questions[5] = 2;
    let mut trailing = message(&whole);
    trailing.push(0);
    let mut more_announced = message(&whole);
    more_announced[7] += 1;
    let good = message(&whole);

    let faults = [
        (
            vec![samples::refusal(Rcode::REFUSED)],
            "the server answered REFUSED (after 1 message and 0 records)",
        ),
        (
            vec![message(&whole[..4]), samples::refusal(Rcode::SERVFAIL)],
            "the server answered SERVFAIL (after 2 messages and 4 records)",
        ),
        (
            vec![],
            "the answer ends without the SOA that it began with (after 0 messages and 0 records)",
        ),
        (
            vec![message(&all)],
            "the answer ends without the SOA that it began with (after 1 message and 6 records)",
        ),
        (
            vec![message(&[])],
            "a message of the answer cannot be read (after 1 message and 0 records): it has no records in its answer section",
        ),
        (
            vec![message(&all), message(&[])],
            "a message of the answer cannot be read (after 2 messages and 6 records): it has no records in its answer section",
        ),
        (
            vec![message(&all[1..])],
            "the answer begins with A of `www.example.test.`, not with the SOA of the zone (after 1 message and 1 record)",
        ),
        (
            vec![message(&[elsewhere.clone()])],
            "the answer begins with SOA of `www.example.test.`, not with the SOA of the zone (after 1 message and 1 record)",
        ),
        (
            vec![message(&[soa(7), elsewhere])],
            "there is a SOA of `www.example.test.`, which is not the apex of the zone (after 1 message and 2 records)",
        ),
        (
            vec![message(&[soa(7), soa(8)])],
            "the zone changed during its transfer: it began at serial 7 and ended at 8 (after 1 message and 2 records)",
        ),
        (
            vec![message(&[soa(7), minimum])],
            "the zone changed during its transfer: the SOA at its end has serial 7 as at its beginning, but another content (after 1 message and 2 records)",
        ),
        (
            vec![message(&[&whole[..], &all[1..2]].concat())],
            "the answer goes on after the SOA that ends it (after 1 message and 8 records)",
        ),
        (
            vec![good.clone(), good.clone()],
            "the answer goes on after the SOA that ends it (after 2 messages and 8 records)",
        ),
        (
            vec![with("www.elsewhere.test. 1 A 192.0.2.1")],
            "a record cannot be part of the zone (after 1 message and 7 records): cannot take `www.elsewhere.test.` into zone `example.test.`: it is not at or below the apex",
        ),
        (
            vec![message(&[soa(7), meta])],
            "a record cannot be part of the zone (after 1 message and 2 records): cannot take AXFR of `www.example.test.`: the type is never zone data",
        ),
        (
            vec![chaos],
            "a message of the answer cannot be read (after 1 message and 0 records): it has a record of class 3, not IN",
        ),
        (
            vec![truncated],
            "a message of the answer cannot be read (after 1 message and 0 records): it says of itself that it is truncated",
        ),
        (
            vec![two_questions],
            "a message of the answer cannot be read (after 1 message and 0 records): it has 2 questions, not one or none",
        ),
        (
            vec![trailing],
            "a message of the answer cannot be read (after 1 message and 7 records): octets follow its last record",
        ),
        (
            vec![more_announced],
            "a message of the answer cannot be read (after 1 message and 7 records): it has a name that is not valid: a name runs beyond the end of the octets it is in",
        ),
        (
            vec![good[..11].to_vec()],
            "a message of the answer cannot be read (after 1 message and 0 records): it is shorter than the header of a message",
        ),
        (
            vec![good[..good.len() - 1].to_vec()],
            "a message of the answer cannot be read (after 1 message and 6 records): it ends before the records that it announces",
        ),
    ];
    for (messages, expected) in faults {
        assert_eq!(fault(&messages), expected);
    }
}

#[test]
fn a_fault_stays() {
    let answer = answer(&small_zone());
    let mut axfr = Axfr::new(apex());
    assert_eq!(axfr.take(&message(&answer)), Ok(Progress::Done));
    let fault = axfr.take(&message(&answer[..1])).unwrap_err();
    assert_eq!(axfr.take(&message(&answer)).as_ref(), Err(&fault));
    assert_eq!(axfr.finish().unwrap_err(), fault);
}

#[test]
fn only_a_zone_that_changed_meanwhile_is_worth_another_transfer() {
    let is_change = |messages: &[Vec<u8>]| transfer(messages).unwrap_err().is_change();
    assert!(is_change(&[message(&[soa(7), soa(8)])]));
    assert!(!is_change(&[samples::refusal(Rcode::REFUSED)]));
}

#[test]
fn any_single_octet_changed_is_either_noticed_or_is_the_only_difference() {
    let all = small_zone();
    let octets = message_with(true, &answer(&all));
    let records = transfer(&[&octets]).unwrap().records;
    for at in 0..octets.len() {
        for change in [1, 0x20, 0x80, 0xff] {
            let mut changed = octets.clone();
            changed[at] ^= change;
            let mut axfr = Axfr::new(apex());
            if axfr.take(&changed) == Ok(Progress::Done) {
                assert_eq!(
                    axfr.finish().unwrap().records,
                    records,
                    "octet {at} ^ {change}"
                );
            }
        }
        let mut axfr = Axfr::new(apex());
        assert!(
            axfr.take(&octets[..at]).is_err(),
            "{at} octets of {}",
            octets.len()
        );
    }
}

proptest! {
    #[test]
    fn every_zone_is_read_in_any_order_and_any_division(
        rrs in any_rrs(60).prop_shuffle(),
        cuts in prop::collection::vec(any::<u8>(), 1..6),
    ) {
        let all = [&[soa(4_294_967_295)], &rrs[..]].concat();
        let transferred = transfer(&messages(&answer(&all), &cuts)).unwrap();
        prop_assert_eq!(&transferred.zone, &zone(&all));
        prop_assert_eq!(transferred.records, all.len() as u64);
    }

    #[test]
    fn no_octets_make_it_panic(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..3)) {
        prop_assert!(transfer(&messages).is_err());
    }
}
