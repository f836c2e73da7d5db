use domain::base::iana::{Class, Rcode};
use domain::base::rdata::UnknownRecordData;
use domain::base::{Message, MessageBuilder, Rtype as WireRtype};
use janitor_plugin_api::dns::{ActualZone, Name, Rtype, Serial, Ttl, ZoneBuilder};
use proptest::prelude::*;

use super::{Obstacle, Sight, is_cut, judge, rrset, serial};
use crate::message::{Answer, Request, wire_name};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// RRs, one a line: owner, TTL, type, rdata.
pub(crate) fn rrs(text: &str) -> ActualZone {
    let mut zone = ZoneBuilder::new(Name::root());
    for line in text.lines() {
        let mut words = line.trim().splitn(4, ' ');
        let mut word = || words.next().unwrap();
        let (owner, ttl, rtype) = (word(), word().parse().unwrap(), word());
        zone.push_text(owner, Ttl::from_secs(ttl).unwrap(), rtype, word())
            .unwrap();
    }
    zone.build_actual().unwrap()
}

/// An answer as it is written in tests: flags and RCODE, then the RRs of its sections.
pub(crate) fn answer(
    request: &Message<Vec<u8>>,
    (is_authoritative, rcode): (bool, Rcode),
    [answer, authority]: [&str; 2],
) -> Vec<u8> {
    let mut message = MessageBuilder::new_vec()
        .start_answer(request, rcode)
        .unwrap();
    message.header_mut().set_aa(is_authoritative);
    macro_rules! push {
        ($message:ident, $rrs:expr) => {
            for rrset in rrs($rrs).rrsets() {
                for rr in rrset.rrs() {
                    let rtype = WireRtype::from_int(rr.rtype.0);
                    let rdata = UnknownRecordData::from_octets(rtype, rr.rdata).unwrap();
                    let ttl = rr.ttl.as_secs();
                    $message
                        .push((wire_name(rr.owner), Class::IN, ttl, rdata))
                        .unwrap();
                }
            }
        };
    }
    push!(message, answer);
    let mut message = message.authority();
    push!(message, authority);
    message.finish()
}

/// What an answer to the question for `rtype` at `owner` in `example.com` says, where `wanted` ought to be.
fn sight(
    (owner, rtype): (&str, &str),
    wanted: &str,
    header: (bool, Rcode),
    sections: [&str; 2],
) -> Sight {
    let (owner, rtype): (Name, Rtype) = (name(owner), rtype.parse().unwrap());
    let request = Request::Query {
        owner: owner.clone(),
        rtype,
    };
    let request = Message::from_octets(request.build(7).unwrap().finish()).unwrap();
    let octets = answer(&request, header, sections);
    let wanted = rrs(wanted);
    let wanted = wanted.rrsets().next();
    let apex = name("example.com");
    judge(
        Answer::new(&octets),
        apex.as_ref(),
        owner.as_ref(),
        rtype,
        wanted,
    )
}

const YES: (bool, Rcode) = (true, Rcode::NOERROR);
const NO: (bool, Rcode) = (true, Rcode::NXDOMAIN);
const REFERRAL: (bool, Rcode) = (false, Rcode::NOERROR);
const SOA: &str = "example.com. 60 SOA a. b. 1 2 3 4 5";
const CHILD_SOA: &str = "sub.example.com. 60 SOA a. b. 1 2 3 4 5";

#[test]
fn what_is_there_is_compared_with_its_ttl() {
    let wanted = "a.example.com. 300 A 192.0.2.1\na.example.com. 300 A 192.0.2.2";
    let a = ("a.example.com", "A");
    let reversed = "A.example.com. 300 A 192.0.2.2\na.EXAMPLE.com. 300 A 192.0.2.1";
    assert_eq!(sight(a, wanted, YES, [reversed, ""]), Sight::AsWanted);
    for other in [
        "a.example.com. 301 A 192.0.2.1\na.example.com. 301 A 192.0.2.2",
        "a.example.com. 300 A 192.0.2.1",
    ] {
        let sight = sight(a, wanted, YES, [other, ""]);
        assert!(matches!(sight, Sight::Another(_)), "{sight:?}");
    }
    let missing = Sight::Otherwise(Obstacle::Missing);
    assert_eq!(sight(a, wanted, YES, ["", SOA]), missing);
    assert_eq!(sight(a, wanted, NO, ["", SOA]), missing);
    assert_eq!(sight(a, wanted, YES, ["", ""]), missing);
    let cname = "a.example.com. 300 CNAME b.example.com.\nb.example.com. 300 A 192.0.2.1";
    assert_eq!(
        sight(a, wanted, YES, [cname, ""]),
        Sight::Otherwise(Obstacle::Cname)
    );
    // RFC 6604: the RCODE is that of the end of the chain.
    let as_alias = "a.example.com. 300 CNAME gone.example.com.";
    let alias = ("a.example.com", "CNAME");
    assert_eq!(sight(alias, as_alias, NO, [as_alias, SOA]), Sight::AsWanted);
}

#[test]
fn what_is_gone_is_not_there() {
    let a = ("a.example.com", "A");
    assert_eq!(sight(a, "", NO, ["", SOA]), Sight::AsWanted);
    assert_eq!(sight(a, "", YES, ["", SOA]), Sight::AsWanted);
    let alias = "a.example.com. 300 CNAME b.example.com.";
    assert_eq!(sight(a, "", YES, [alias, ""]), Sight::AsWanted);
    let there = sight(a, "", YES, ["a.example.com. 300 A 192.0.2.1", ""]);
    assert!(matches!(there, Sight::Another(_)), "{there:?}");
}

#[test]
fn what_is_hidden_is_neither_there_nor_gone() {
    let a = ("a.sub.example.com", "A");
    let wanted = "a.sub.example.com. 300 A 192.0.2.1";
    let cut = "sub.example.com. 300 NS ns.example.net.";
    let dname =
        "sub.example.com. 300 DNAME example.net.\na.sub.example.com. 300 CNAME a.example.net.";
    for wanted in [wanted, ""] {
        assert_eq!(sight(a, wanted, REFERRAL, ["", cut]), Sight::Hidden);
        assert_eq!(sight(a, wanted, YES, [dname, ""]), Sight::Hidden);
        assert_eq!(sight(a, wanted, NO, ["", CHILD_SOA]), Sight::Hidden);
    }
    let soa = sight(("example.com", "SOA"), SOA, YES, [SOA, ""]);
    assert_eq!(soa, Sight::Hidden);
}

#[test]
fn a_delegation_is_seen_in_its_referral() {
    let ns = ("sub.example.com", "NS");
    let wanted = "sub.example.com. 300 NS ns.example.net.\nsub.example.com. 300 NS ns.example.org.";
    assert_eq!(sight(ns, wanted, REFERRAL, ["", wanted]), Sight::AsWanted);
    let one = "sub.example.com. 300 NS ns.example.net.";
    let other = sight(ns, wanted, REFERRAL, ["", one]);
    assert!(matches!(other, Sight::Another(_)), "{other:?}");
    let still = Sight::Otherwise(Obstacle::Delegated);
    assert_eq!(sight(ns, "", REFERRAL, ["", one]), still);
    // The parent answers for DS with authority (RFC 4035, section 3.1.4.1).
    let ds = ("sub.example.com", "DS");
    assert_eq!(sight(ds, "", YES, ["", SOA]), Sight::AsWanted);
}

#[test]
fn a_server_without_authority_is_no_witness() {
    let a = ("a.example.com", "A");
    let wanted = "a.example.com. 300 A 192.0.2.1";
    let not = Sight::Otherwise(Obstacle::NotAuthoritative);
    assert_eq!(sight(a, wanted, REFERRAL, [wanted, ""]), not);
    assert_eq!(sight(a, wanted, REFERRAL, ["", ""]), not);
    assert_eq!(sight(a, "", REFERRAL, ["", ""]), not);
    assert_eq!(sight(a, wanted, REFERRAL, ["", "com. 300 NS a.gtld."]), not);
    assert_eq!(
        sight(a, wanted, REFERRAL, ["", "example.com. 300 NS ns."]),
        not
    );
    let failed = Sight::Otherwise(Obstacle::Rcode(Rcode::SERVFAIL));
    assert_eq!(sight(a, wanted, (true, Rcode::SERVFAIL), ["", ""]), failed);
}

#[test]
fn serials_cuts_and_rrsets_are_taken_from_authoritative_answers() {
    let apex = name("example.com");
    let request = Request::Soa(apex.clone()).build(7).unwrap().finish();
    let request = Message::from_octets(request).unwrap();
    let soa = "example.com. 60 SOA a. b. 4294967295 2 3 4 5";
    let octets = answer(&request, YES, [soa, ""]);
    assert_eq!(
        serial(Answer::new(&octets), apex.as_ref()),
        Ok(Serial(u32::MAX))
    );
    let octets = answer(&request, REFERRAL, [soa, ""]);
    let not = Err(Obstacle::NotAuthoritative);
    assert_eq!(serial(Answer::new(&octets), apex.as_ref()), not);

    let sub = name("sub.example.com");
    let ns = "sub.example.com. 60 NS ns.";
    for (header, sections, expected) in [
        (YES, [ns, ""], true),
        (REFERRAL, ["", ns], true),
        (REFERRAL, ["", "example.com. 60 NS ns."], false),
        (YES, ["", SOA], false),
        (YES, ["sub.example.com. 60 CNAME ns.", ""], false),
    ] {
        let octets = answer(&request, header, sections);
        assert_eq!(
            is_cut(Answer::new(&octets), sub.as_ref()),
            expected,
            "{sections:?}"
        );
    }
    let octets = answer(&request, YES, [ns, ""]);
    let found = rrset(Answer::new(&octets), sub.as_ref(), Rtype::NS).unwrap();
    assert_eq!(found.rdatas().collect::<Vec<_>>(), [b"\x02ns\x00"]);
}

#[test]
fn compressed_names_in_rdata_are_uncompressed_before_they_are_compared() {
    let octets = b"\0\0\x84\0\0\x01\0\x01\0\0\0\0\
        \x07example\x03com\0\0\x0f\0\x01\
        \xc0\x0c\0\x0f\0\x01\0\0\x01\x2c\0\x09\0\x0a\x04MAIL\xc0\x0c";
    let wanted = rrs("example.com. 300 MX 10 mail.example.com.");
    let apex = name("example.com");
    let wanted = wanted.rrsets().next();
    let seen = judge(
        Answer::new(octets),
        apex.as_ref(),
        apex.as_ref(),
        Rtype::MX,
        wanted,
    );
    assert_eq!(seen, Sight::AsWanted);
}

proptest! {
    #[test]
    fn no_octets_make_judging_panic(
        octets in prop::collection::vec(any::<u8>(), 12..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let apex = name("example.com");
        let request = Request::Soa(apex.clone()).build(7).unwrap().finish();
        let request = Message::from_octets(request).unwrap();
        let mut near = answer(&request, YES, ["example.com. 60 MX 5 mail.example.com.", SOA]);
        for (at, octet) in changes {
            let at = at.index(near.len());
            near[at] = octet;
        }
        for octets in [&octets, &near] {
            let answer = Answer::new(octets);
            for rtype in [Rtype::MX, Rtype::NS, Rtype::SOA, Rtype(65_280)] {
                let _sight = judge(answer, apex.as_ref(), apex.as_ref(), rtype, None);
            }
            let _serial = serial(answer, apex.as_ref());
            let _cut = is_cut(answer, apex.as_ref());
        }
    }
}
