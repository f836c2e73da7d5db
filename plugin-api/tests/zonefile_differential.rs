//! The reader of zone files beside that of the crate `domain`: whatever text
//! both read, they read to the same records.
//!
//! The sample is the same every time; `JANITOR_DIFFERENTIAL_CASES` asks for a
//! larger one. What only one of the two reads is not compared here: the corpus
//! and `named-compilezone` decide about that.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::cell::Cell;
use std::convert::Infallible;
use std::io::Read;
use std::path::Path;

use domain::base::iana::Class;
use domain::base::rdata::ComposeRecordData;
use domain::base::{ToName, name};
use domain::zonefile::inplace::{Entry, Zonefile};
use janitor_plugin_api::dns::{NameRef, Rtype, text};
use janitor_plugin_api::zonefile;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const APEX: &[u8] = b"\x07example\x03com\x00";
const HEAD: &str = "$ORIGIN example.com.\n$TTL 300\n@ IN SOA ns hostmaster 1 2 3 4 5\n";

/// Owner, type, TTL and rdata as read.
type Record = (Vec<u8>, u16, u32, Vec<u8>);

#[test]
fn domain_and_we_read_the_same_records() {
    let both = Cell::new(0_u32);
    let all = Cell::new(0_u32);
    let checked = runner().run(&zone(), |text| {
        all.set(all.get() + 1);
        let (ours, theirs) = (ours(text.as_bytes()), by_domain(text.as_bytes()));
        if let (Ok(ours), Ok(theirs)) = (&ours, &theirs) {
            both.set(both.get() + 1);
            prop_assert_eq!(ours, theirs, "{}", text);
        }
        Ok(())
    });
    checked.unwrap();
    // Else the comparison would show little.
    let (both, all) = (both.get(), all.get());
    assert!(both > all / 3, "both read {both} of {all} zones");
}

#[test]
fn where_a_piece_of_the_file_ends_makes_no_difference() {
    let checked = runner().run(&(zone(), 1..200_usize), |(text, step)| {
        let whole = ours(text.as_bytes());
        let pieces = Pieces {
            text: text.as_bytes(),
            step,
        };
        prop_assert_eq!(whole, ours(pieces), "{}", text);
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn any_text_is_read_or_refused() {
    let words = prop::sample::select(vec![
        "$ORIGIN",
        "$TTL",
        "$GENERATE",
        "1-3",
        "a$",
        "${0,3,n}",
        "IN",
        "A",
        "TXT",
        "MX",
        "SOA",
        "HTTPS",
        "LOC",
        "\\#",
        "(",
        ")",
        "\"",
        ";",
        "\n",
        " ",
        "\t",
        "\r",
        "\\",
        "\\0",
        "@",
        ".",
        "..",
        "1",
        "300",
        "1h",
        "192.0.2.1",
        "::",
        "alpn=h2",
        "key",
        "=",
        "\0",
        "é",
        "N",
        "E",
    ]);
    let text = prop::collection::vec((words, prop::sample::select(vec!["", " "])), 0..60);
    let checked = runner().run(&text, |words| {
        let text: String = words
            .iter()
            .flat_map(|(word, blank)| [*word, *blank])
            .collect();
        let pieces = Pieces {
            text: text.as_bytes(),
            step: 1,
        };
        prop_assert_eq!(ours(text.as_bytes()), ours(pieces), "{:?}", text);
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn rdata_reads_back_from_what_is_displayed() {
    let origin = NameRef::from_canonical_wire(APEX).unwrap();
    let known = (1..110_u16)
        .chain(256..263)
        .chain(32_768..32_770)
        .map(Rtype)
        .filter(|rtype| !rtype.is_meta());
    let rtypes = prop::sample::select(known.collect::<Vec<_>>());
    let octets = prop::collection::vec(octet(), 0..40);
    let with_text_form = Cell::new(0_u32);
    let checked = runner().run(&(rtypes, octets), |(rtype, octets)| {
        let shown = text::rdata_display(rtype, &octets).to_string();
        let has_text_form = !shown.starts_with("\\#");
        with_text_form.set(with_text_form.get() + u32::from(has_text_form));
        match text::parse_rdata(rtype, &shown, origin) {
            Ok(again) => prop_assert_eq!(again, octets, "{} {}", rtype, shown),
            // Octets that are not of their type can be shown, but not read.
            Err(error) => prop_assert!(shown.starts_with("\\#"), "{rtype} {shown}: {error}"),
        }
        Ok(())
    });
    checked.unwrap();
    let with_text_form = with_text_form.get();
    assert!(with_text_form > 10, "{with_text_form} had a text form");
}

fn runner() -> TestRunner {
    let cases =
        std::env::var("JANITOR_DIFFERENTIAL_CASES").map_or(400, |cases| cases.parse().unwrap());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Hands out a text in small pieces.
struct Pieces<'a> {
    text: &'a [u8],
    step: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.step.min(self.text.len()).min(buffer.len());
        let (head, tail) = self.text.split_at(count);
        buffer[..count].copy_from_slice(head);
        self.text = tail;
        Ok(count)
    }
}

fn ours(input: impl Read) -> Result<Vec<Record>, String> {
    let apex = NameRef::from_canonical_wire(APEX).unwrap();
    let mut records = Vec::new();
    let mut open = |_: &Path| Err(std::io::Error::other("there is no $INCLUDE"));
    let read = zonefile::read(apex, "zone", input, &mut open, |record| {
        records.push((
            record.owner.to_vec(),
            record.rtype.0,
            record.ttl.as_secs(),
            record.rdata.to_vec(),
        ));
        Ok::<_, Infallible>(())
    });
    match read {
        Ok(_) => Ok(records),
        Err(error) => Err(format!("{error:?}")),
    }
}

fn by_domain(text: &[u8]) -> Result<Vec<Record>, String> {
    let mut reader = Zonefile::from(text);
    reader.set_default_class(Class::IN);
    reader.set_origin(name::Name::from_octets(APEX.into()).unwrap());
    let mut records = Vec::new();
    while let Some(entry) = reader.next_entry().map_err(|error| error.to_string())? {
        let Entry::Record(record) = entry else {
            return Err("an $INCLUDE".to_owned());
        };
        let owner = record.owner().to_vec().as_slice().to_vec();
        let mut rdata = Vec::new();
        record.data().compose_rdata(&mut rdata).unwrap();
        records.push((
            owner,
            record.rtype().to_int(),
            record.ttl().as_secs(),
            rdata,
        ));
    }
    Ok(records)
}

/// A zone file of a few entries, most of them right.
fn zone() -> impl Strategy<Value = String> {
    prop::collection::vec(entry(), 1..12).prop_map(|entries| format!("{HEAD}{}", entries.concat()))
}

fn entry() -> impl Strategy<Value = String> {
    let owner = prop_oneof![
        1 => Just(String::new()),
        1 => Just("@".to_owned()),
        1 => Just("*".to_owned()),
        6 => name(),
        1 => "[a-z]{1,3}(\\\\[0-2][0-5][0-5]|\\\\[.@;\"]|\\\\ ){1,3}",
    ];
    let header = prop_oneof![
        Just(""),
        Just("60"),
        Just("IN"),
        Just("60 IN"),
        Just("IN 7"),
        Just("in 0")
    ];
    let end = prop_oneof![8 => Just("\n"), 1 => Just(" ; comment ( \"\n"), 1 => Just("\r\n"), 1 => Just("\n\n ; x\n")];
    let blank =
        prop_oneof![8 => Just(" "), 1 => Just("\t"), 1 => Just(" (\n "), 1 => Just(" ( ; x\n\t")];
    (owner, header, rdata(), end, blank).prop_map(|(owner, header, rdata, end, blank)| {
        let close = if blank.contains('(') { " )" } else { "" };
        format!("{owner} {header}{blank}{rdata}{close}{end}")
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9_-]{1,8}(\\.[a-z0-9-]{1,8}){0,3}",
        1 => "[a-z]{1,63}",
        3 => "([a-z0-9-]{1,8}\\.){0,3}[eE]xample\\.com\\.",
    ]
}

fn rdata() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z0-9=;:/.+]{0,20}".prop_map(|text| format!("\"{text}\"")),
        "[a-zA-Z0-9=:/.+]{1,20}",
        "([ -!#-\\[\\]-~]|\\\\[0-2][0-5][0-5]|\\\\[\"\\\\a-z]){0,20}"
            .prop_map(|text| format!("\"{text}\"")),
    ];
    let texts = prop::collection::vec(text, 1..4).prop_map(|texts| texts.join(" "));
    let number = || prop_oneof![Just(0_u16), Just(u16::MAX), any::<u16>()];
    let hex = |octets: usize| {
        prop::collection::vec(any::<u8>(), octets).prop_map(|octets| {
            octets
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect::<String>()
        })
    };
    let address =
        || any::<[u8; 4]>().prop_map(|octets| std::net::Ipv4Addr::from(octets).to_string());
    let address6 =
        || any::<[u16; 8]>().prop_map(|groups| std::net::Ipv6Addr::from(groups).to_string());
    prop_oneof![
        address().prop_map(|address| format!("A {address}")),
        address6().prop_map(|address| format!("aaaa {address}")),
        (
            prop::sample::select(vec!["CNAME", "NS", "PTR", "DNAME", "MB"]),
            name()
        )
            .prop_map(|(rtype, name)| format!("{rtype} {name}")),
        (number(), name()).prop_map(|(preference, name)| format!("MX {preference} {name}")),
        ([number(), number(), number()], name())
            .prop_map(|([a, b, c], name)| format!("SRV {a} {b} {c} {name}")),
        texts.clone().prop_map(|texts| format!("TXT {texts}")),
        ("[a-z]{1,5}", name())
            .prop_map(|(flags, name)| format!("NAPTR 1 2 \"{flags}\" \"\" \"!^.*$!x!\" {name}")),
        (any::<u8>(), "[a-z]{1,9}", "[ -!#-\\[\\]-~]{0,20}")
            .prop_map(|(flags, tag, value)| format!("CAA {flags} {tag} \"{value}\"")),
        (number(), hex(32)).prop_map(|(tag, digest)| format!("DS {tag} 8 2 {digest}")),
        (number(), "([A-Za-z0-9+/]{4} ?){1,6}")
            .prop_map(|(flags, key)| format!("DNSKEY {flags} 3 13 {key}")),
        hex(20).prop_map(|digest| format!("SSHFP 1 1 {digest}")),
        hex(5).prop_map(|data| format!("TLSA 3 1 0 {data}")),
        (name(), "( (A|MX|RRSIG|TYPE[1-9][0-9]{0,3}|CAA)){1,5}")
            .prop_map(|(next, types)| format!("NSEC {next}{types}")),
        ("[0-9a-v]{32}", "( (A|NS|DS|TYPE300)){0,3}")
            .prop_map(|(hash, types)| format!("NSEC3 1 0 5 aabb {hash}{types}")),
        (name(), any::<u32>()).prop_map(|(signer, time)| format!(
            "RRSIG A 8 2 300 {time} 20240229235959 7 {signer} AQID"
        )),
        (number(), address(), address6()).prop_map(|(port, a, b)| format!(
            "HTTPS 1 . alpn=h2,h3 port={port} ipv4hint={a} ipv6hint={b}"
        )),
        (any::<u16>(), hex(4)).prop_map(|(rtype, octets)| format!("TYPE{rtype} \\# 4 {octets}")),
        (name(), name()).prop_map(|(a, b)| format!("RP {a} {b}")),
        (name(), any::<[u32; 5]>())
            .prop_map(|(name, [a, b, c, d, e])| format!("SOA {name} . {a} {b} {c} {d} {e}")),
    ]
}

/// Octets as they are in rdata: small numbers, letters, anything.
fn octet() -> impl Strategy<Value = u8> {
    prop_oneof![3 => 0..8_u8, 1 => b'a'..=b'z', 1 => any::<u8>()]
}
