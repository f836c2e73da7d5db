use domain::base::iana::{Class, Opcode, Rcode};
use domain::base::{Message, MessageBuilder, Rtype as WireRtype};
use janitor_plugin_api::dns::{Name, Rtype};
use proptest::prelude::*;

use super::{Expected, Record, Request, last_additional, wire_name};
use crate::fault::Unfit;

fn apex() -> Name {
    "example.com".parse().unwrap()
}

fn built(request: &Request) -> Vec<u8> {
    request.build(0x1234).unwrap().finish()
}

#[test]
fn requests_are_the_octets_of_their_rfcs() {
    let name = b"\x07example\x03com\x00";
    let question = |rtype: u8| [&name[..], &[0, rtype, 0, 1]].concat();
    let header = |counts: [u8; 4]| {
        let [questions, answers, authorities, additionals] = counts;
        let counts = [0, questions, 0, answers, 0, authorities, 0, additionals];
        [&[0x12, 0x34, 0, 0][..], &counts].concat()
    };
    let soa = Request::Soa(apex());
    assert_eq!(built(&soa), [header([1, 0, 0, 0]), question(6)].concat());
    let axfr = Request::Axfr(apex());
    assert_eq!(built(&axfr), [header([1, 0, 0, 0]), question(252)].concat());
    let query = Request::Query {
        owner: apex(),
        rtype: Rtype(15),
    };
    assert_eq!(built(&query), [header([1, 0, 0, 0]), question(15)].concat());
    let signatures = Request::Signatures {
        owner: apex(),
        rtype: Rtype(15),
    };
    // An OPT with the DO bit (RFC 6891, section 6.1.3; RFC 3225, section 3).
    let opt = [0, 0, 41, 0, 0, 0, 0, 0x80, 0, 0, 0].to_vec();
    assert_eq!(
        built(&signatures),
        [header([1, 0, 0, 1]), question(15), opt].concat()
    );
    let soa =
        b"\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    let ixfr = Request::Ixfr {
        apex: apex(),
        soa: soa.to_vec(),
    };
    let record = [name, &[0, 6, 0, 1, 0, 0, 0, 0, 0, 22][..], soa].concat();
    assert_eq!(
        built(&ixfr),
        [header([1, 0, 1, 0]), question(251), record].concat()
    );
}

/// An answer to the question for the SOA with what `change` makes of it.
fn judged(is_first: bool, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), Unfit> {
    let request = built(&Request::Soa(apex()));
    let asked = Message::from_octets(&request).unwrap();
    let answer = MessageBuilder::new_vec().start_answer(&asked, Rcode::NOERROR);
    let mut answer = answer.unwrap().finish();
    change(&mut answer);
    Expected::of(&request).unwrap().check(&answer, is_first)
}

#[test]
fn an_answer_fits_the_request_in_id_opcode_and_question() {
    assert_eq!(judged(true, |_| {}), Ok(()));
    assert_eq!(judged(true, |answer| answer[13] = b'E'), Ok(()));
    let id = Unfit::Id {
        expected: 0x1234,
        found: 0x1235,
    };
    assert_eq!(judged(true, |answer| answer[1] = 0x35), Err(id));
    assert_eq!(judged(true, |answer| answer[2] = 0), Err(Unfit::Request));
    assert_eq!(
        judged(true, |answer| answer[2] |= 0x28),
        Err(Unfit::Opcode(Opcode::UPDATE))
    );
    assert_eq!(
        judged(true, |answer| answer[2] |= 0x02),
        Err(Unfit::Truncated)
    );
    assert_eq!(
        judged(true, |answer| answer[13] = b'f'),
        Err(Unfit::Question)
    );
    assert_eq!(judged(true, |answer| answer[26] = 7), Err(Unfit::Question));
    assert_eq!(judged(true, |answer| answer[28] = 3), Err(Unfit::Question));
    assert_eq!(judged(true, |answer| answer[5] = 2), Err(Unfit::Question));
    assert_eq!(
        judged(true, |answer| answer.truncate(28)),
        Err(Unfit::Malformed)
    );
    assert_eq!(
        judged(true, |answer| answer.truncate(11)),
        Err(Unfit::Short(11))
    );
    assert_eq!(
        judged(true, |answer| answer[12] = 0xc0),
        Err(Unfit::Question)
    );
}

#[test]
fn types_that_differ_like_letters_in_case_are_two() {
    let ask = |rtype: u16| {
        built(&Request::Query {
            owner: apex(),
            rtype: Rtype(rtype),
        })
    };
    let mut answer = ask(97);
    answer[2] |= 0x80;
    let expected = Expected::of(&ask(65)).unwrap();
    assert_eq!(expected.check(&answer, true), Err(Unfit::Question));
}

#[test]
fn the_question_may_be_missing_where_the_rfcs_let_it() {
    let without = |answer: &mut Vec<u8>| {
        answer[5] = 0;
        answer.truncate(12);
    };
    assert_eq!(judged(true, without), Err(Unfit::NoQuestion));
    assert_eq!(judged(false, without), Ok(()));
    let format_error = |answer: &mut Vec<u8>| {
        without(answer);
        answer[3] |= 1;
    };
    assert_eq!(judged(true, format_error), Ok(()));
    let mut update = MessageBuilder::new_vec();
    update.header_mut().set_opcode(Opcode::UPDATE);
    let mut update = update.question();
    let apex = apex();
    update
        .push((wire_name(apex.as_ref()), WireRtype::SOA, Class::IN))
        .unwrap();
    let update = built(&Request::Update(update.additional()));
    let mut answer = update.clone();
    answer[2] |= 0x80;
    without(&mut answer);
    assert_eq!(Expected::of(&update).unwrap().check(&answer, true), Ok(()));
}

#[test]
fn the_last_record_is_found_behind_compressed_names() {
    let question = b"\x01a\x00\x00\x06\x00\x01";
    let answer = b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x00\x00\x02\xc0\x0c";
    let additional = b"\x01b\xc0\x0c\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x01\x07";
    let header = [0, 0, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 1];
    let message = [&header[..], question, answer, additional].concat();
    let found = Record {
        start: 33,
        rtype: 250,
        rdata: 47,
        end: 48,
    };
    assert_eq!(last_additional(&message), Some(found));
    for end in 0..message.len() {
        assert_eq!(last_additional(&message[..end]), None, "{end}");
    }
}

proptest! {
    #[test]
    fn no_octets_make_the_checks_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let expected = Expected::of(&built(&Request::Soa(apex()))).unwrap();
        let _fits = expected.check(&octets, true);
        if let Some(record) = last_additional(&octets) {
            prop_assert!(record.start < record.rdata && record.rdata <= record.end);
            prop_assert!(record.end <= octets.len());
        }
        let _expected = Expected::of(&octets);
    }
}
