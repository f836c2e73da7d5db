use domain::base::iana::{Class, Rcode, TsigRcode};
use domain::base::message_builder::AdditionalBuilder;
use domain::base::{Message, MessageBuilder};
use domain::rdata::tsig::{Time48, Tsig};
use domain::tsig::ServerSequence;
use janitor_plugin_api::dns::Name;
use proptest::prelude::*;

use super::{SignatureFault, Signing};
use crate::fault::Fault;
use crate::key::{Key, KeyAlgorithm};
use crate::message::{Request, wire_name};

fn key(name: &str, secret: &[u8]) -> Key {
    Key::new(&name.parse().unwrap(), KeyAlgorithm::HmacSha256, secret)
}

fn apex() -> Name {
    "example.com".parse().unwrap()
}

/// A signed request, and what is to be verified of its answer.
fn request() -> (Signing, Message<Vec<u8>>) {
    let mut message = Request::Axfr(apex()).build(0x1234).unwrap();
    let signing = Signing::start(Some(&key("janitor", b"secret")), &mut message).unwrap();
    (signing, Message::from_octets(message.finish()).unwrap())
}

/// A server's side of the exchange, and the request without its signature.
fn server(mut request: Message<Vec<u8>>) -> (ServerSequence<Key>, Message<Vec<u8>>) {
    let key = key("janitor", b"secret");
    let sequence = ServerSequence::request(&key, &mut request, Time48::now());
    (sequence.unwrap().unwrap(), request)
}

fn answer(request: &Message<Vec<u8>>, rcode: Rcode) -> AdditionalBuilder<Vec<u8>> {
    let answer = MessageBuilder::new_vec().start_answer(request, rcode);
    answer.unwrap().additional()
}

/// An answer with a TSIG that says `error`, with this MAC.
fn refusal(rcode: Rcode, error: TsigRcode, mac: &[u8], other: &[u8]) -> Vec<u8> {
    let (_, request) = request();
    let mut answer = answer(&request, rcode);
    let (key, time) = (key("janitor", b"secret"), Time48::from_u64(1_800_000_000));
    let algorithm = key.as_ref().algorithm().to_name();
    let tsig = Tsig::new(algorithm, time, 300, mac, 0x1234, error, other).unwrap();
    let name = "janitor".parse::<Name>().unwrap();
    answer
        .push((wire_name(name.as_ref()), Class::ANY, 0, tsig))
        .unwrap();
    answer.finish()
}

fn fault(mut octets: Vec<u8>) -> SignatureFault {
    request().0.verify(&mut octets).unwrap_err()
}

#[test]
fn what_a_server_says_of_our_signature_is_told_with_the_next_step() {
    let time = Time48::from_u64(1_800_000_901).into_octets();
    for (octets, text, hint) in [
        (
            refusal(Rcode::NOTAUTH, TsigRcode::BADKEY, b"", b""),
            "the server does not know the key `janitor`",
            "name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so \
             where no `acl` allows this to the key",
        ),
        (
            refusal(Rcode::NOTAUTH, TsigRcode::BADSIG, b"", b""),
            "the server finds our signature with the key `janitor` wrong",
            "the secret of `tsig_key` has to be that of the key at the server",
        ),
        (
            refusal(Rcode::NOTAUTH, TsigRcode::BADTIME, &[7; 32], &time),
            "the server refuses the time of our signature: its clock reads 2027-01-15T08:15:01Z, \
             ours 2027-01-15T08:00:00Z; it is 901 s ahead",
            "set the clocks of both machines; signatures hold for five minutes",
        ),
        (
            refusal(Rcode::NOTAUTH, TsigRcode::BADTRUNC, &[7; 32], b""),
            "the server refuses our signature with the TSIG error BADTRUNC(22)",
            "",
        ),
    ] {
        let fault = fault(octets);
        assert_eq!(fault.to_string(), text);
        assert_eq!(fault.hint().unwrap_or_default(), hint);
        // Anybody can say so.
        assert!(Fault::from(fault).may_have_been_done(), "{text}");
    }
}

#[test]
fn an_answer_that_is_not_the_servers_own_is_refused() {
    let (_, asked) = request();
    let unsigned = |rcode| fault(answer(&asked, rcode).finish());
    assert_eq!(
        unsigned(Rcode::NOERROR),
        SignatureFault::Unsigned {
            rcode: Rcode::NOERROR
        }
    );
    assert_eq!(
        unsigned(Rcode::REFUSED),
        SignatureFault::Unsigned {
            rcode: Rcode::REFUSED
        }
    );
    let forged = refusal(Rcode::NOERROR, TsigRcode::NOERROR, &[7; 32], b"");
    assert_eq!(fault(forged), SignatureFault::Wrong);
    let short = refusal(Rcode::NOERROR, TsigRcode::NOERROR, &[7; 16], b"");
    assert_eq!(fault(short), SignatureFault::Short);
    // Of another request: its signature is part of the answer's.
    let (mut sequence, other) = server(request().1);
    let mut replayed = answer(&other, Rcode::NOERROR);
    let mut later = Request::Soa(apex()).build(0x1234).unwrap();
    let mut signing = Signing::start(Some(&key("janitor", b"secret")), &mut later).unwrap();
    sequence.answer(&mut replayed, Time48::now()).unwrap();
    assert_eq!(
        signing.verify(&mut replayed.finish()),
        Err(SignatureFault::Wrong)
    );
    let mut other_key = Request::Soa(apex()).build(0x1234).unwrap();
    let mut signing = Signing::start(Some(&key("other", b"secret")), &mut other_key).unwrap();
    let mut octets = refusal(Rcode::NOERROR, TsigRcode::NOERROR, &[7; 32], b"");
    let fault = SignatureFault::OtherKey {
        key: "other".to_owned(),
    };
    assert_eq!(signing.verify(&mut octets), Err(fault));
    let mut octets = refusal(Rcode::NOERROR, TsigRcode::NOERROR, &[7; 32], b"");
    assert_eq!(
        Signing::Unsigned.verify(&mut octets),
        Err(SignatureFault::NotAsked)
    );
}

#[test]
fn an_answer_from_another_time_is_refused_with_both_clocks() {
    let (mut signing, asked) = request();
    let (mut sequence, asked) = server(asked);
    let mut late = answer(&asked, Rcode::NOERROR);
    let now = u64::from(Time48::now());
    sequence
        .answer(&mut late, Time48::from_u64(now - 400))
        .unwrap();
    let fault = signing.verify(&mut late.finish()).unwrap_err();
    let SignatureFault::Time { now: then, signed } = fault else {
        panic!("{fault}");
    };
    assert!(then >= now && signed == now - 400);
}

#[test]
fn up_to_99_messages_in_a_row_may_lack_a_signature_but_not_the_last_one() {
    let exchange = |signed: &dyn Fn(usize) -> bool, count| {
        let (mut signing, asked) = request();
        let (mut sequence, asked) = server(asked);
        // The library's server signs everything, so what it would not sign stays out of its digest:
        // messages that are not signed have to be the last ones.
        for number in 0..count {
            let mut answer = answer(&asked, Rcode::NOERROR);
            if signed(number) {
                sequence.answer(&mut answer, Time48::now()).unwrap();
            }
            signing.verify(&mut answer.finish())?;
        }
        signing.done()
    };
    assert_eq!(exchange(&|_| true, 300), Ok(()));
    assert_eq!(
        exchange(&|number| number == 0, 100),
        Err(SignatureFault::LastUnsigned)
    );
    assert_eq!(
        exchange(&|number| number == 0, 101),
        Err(SignatureFault::TooManyUnsigned)
    );
}

proptest! {
    /// Whatever is changed in a signed answer, it is refused or none of its content has changed.
    #[test]
    fn no_change_of_a_signed_answer_goes_unseen(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        behind in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let (mut signing, asked) = request();
        let (mut sequence, asked) = server(asked);
        let mut signed = answer(&asked, Rcode::NOERROR);
        let content = signed.as_slice().to_vec();
        sequence.answer(&mut signed, Time48::now()).unwrap();
        let mut octets = signed.finish();
        if let Some(cut) = cut {
            octets.truncate(cut.index(octets.len() - 12) + 12);
        }
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets.extend(behind);
        if let Ok(length) = signing.verify(&mut octets) {
            prop_assert_eq!(&octets[..length], content);
        }
    }

    #[test]
    fn no_octets_make_verifying_panic(octets in prop::collection::vec(any::<u8>(), 12..300)) {
        let (mut signing, _) = request();
        let mut octets = octets;
        prop_assert!(signing.verify(&mut octets).is_err());
    }
}
