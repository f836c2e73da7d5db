//! No octets from a server make the checking of answers panic; without the key nothing passes for signed; and
//! whatever is changed in a signed answer, it is refused or none of its content has changed.
//!
//! Input is: an octet whose lowest bit says whether the server has made the answer; four changes of an octet each, by
//! place and difference; the answer.

#![no_main]

use std::sync::{Arc, LazyLock};

use domain::base::iana::{Class, Rcode};
use domain::base::rdata::UnknownRecordData;
use domain::base::{Message, MessageBuilder, Rtype};
use domain::rdata::tsig::Time48;
use domain::tsig::{self, ServerSequence};
use janitor_plugin_api::dns::Name;
use libfuzzer_sys::fuzz_target;

use self::key::Key;
use self::message::{Answer, Expected, Request};
use self::signing::Signing;

#[path = "../../plugins/dns/src/fault.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod fault;
#[path = "../../plugins/dns/src/message.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod message;
#[path = "../../plugins/dns/src/signing.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod signing;

/// Keys without the files that they come from.
mod key {
    use std::sync::Arc;

    use domain::tsig;

    #[derive(Clone)]
    pub(crate) struct Key(pub(crate) Arc<tsig::Key>);

    impl AsRef<tsig::Key> for Key {
        fn as_ref(&self) -> &tsig::Key {
            &self.0
        }
    }

    impl std::fmt::Debug for Key {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Key")
        }
    }
}

/// There is no TLS.
mod tls {
    #[derive(Debug, thiserror::Error)]
    pub(crate) enum TlsFault {}

    impl TlsFault {
        pub(crate) fn of(_error: &std::io::Error) -> Option<Self> {
            None
        }

        pub(crate) fn hint(&self) -> Option<&'static str> {
            match *self {}
        }
    }
}

static APEX: LazyLock<Name> = LazyLock::new(|| "open.test".parse().expect("it is a name"));

static KEY: LazyLock<Key> = LazyLock::new(|| {
    let name = "janitor".parse().expect("it is a name");
    let key = tsig::Key::new(tsig::Algorithm::Sha256, b"secret", name, None, None);
    Key(Arc::new(key.expect("it has the usual length")))
});

fuzz_target!(|data: &[u8]| {
    let Some((&[is_own, changes @ ..], rest)) = data.split_first_chunk::<13>() else {
        return;
    };
    let mut request = Request::Axfr(APEX.clone()).build(0x1234).expect("it fits");
    let mut signing = Signing::start(Some(&KEY), &mut request).expect("it fits");
    let request = request.finish();
    let expected = Expected::of(&request).expect("it has a question");
    if is_own & 1 == 0 {
        arrives(&expected, &mut signing, rest);
    } else {
        is_changed(&mut signing, request, &changes, rest);
    }
});

/// Octets that nobody with the key has made.
fn arrives(expected: &Expected, signing: &mut Signing, octets: &[u8]) {
    for is_first in [true, false] {
        if expected.check(octets, is_first).is_ok() {
            let mut unsigned = octets.to_vec();
            if let Ok(length) = Signing::Unsigned.verify(&mut unsigned) {
                assert_eq!(unsigned[..length], *octets);
                let answer = Answer::new(octets);
                assert_eq!(answer.octets().len(), length);
                assert_eq!(answer.no_error().is_ok(), answer.rcode().to_int() == 0);
            }
        }
    }
    if octets.len() >= Answer::LEAST {
        assert!(signing.verify(&mut octets.to_vec()).is_err());
    }
}

/// An answer of a server with the key, changed on its way.
fn is_changed(signing: &mut Signing, request: Vec<u8>, changes: &[u8; 12], rest: &[u8]) {
    let mut request = Message::from_octets(request).expect("it has a header");
    let Ok(Some(mut server)) = ServerSequence::request(&*KEY, &mut request, Time48::now()) else {
        unreachable!("it was signed with the same key");
    };
    let answer = MessageBuilder::new_vec().start_answer(&request, Rcode::NOERROR);
    let mut answer = answer.expect("it is short");
    for rdata in rest.chunks(200) {
        let rdata = UnknownRecordData::from_octets(Rtype::from_int(65_400), rdata);
        let owner = message::wire_name(APEX.as_ref());
        let class = Class::IN;
        if answer
            .push((owner, class, 0, rdata.expect("it is short")))
            .is_err()
        {
            return;
        }
    }
    let mut answer = answer.additional();
    let content = answer.as_slice().to_vec();
    if server.answer(&mut answer, Time48::now()).is_err() {
        return;
    }
    let mut octets = answer.finish();
    // It may be longer than a message over TCP.
    if octets.len() > usize::from(u16::MAX) {
        return;
    }
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % octets.len();
        octets[at] ^= change[2];
    }
    if let Ok(length) = signing.verify(&mut octets) {
        assert_eq!(octets[..length], content);
    }
}
