use std::cmp::Ordering;

use domain::base::name::ToName;
use proptest::prelude::*;

use super::{Name, NameError, NameRef};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn letter_case_and_final_dot_do_not_matter() {
    assert_eq!(name("WWW.Example.COM"), name("www.example.com."));
    assert_eq!(name("www").as_wire(), b"\x03www\0");
}

#[test]
fn escapes_are_read_and_written() {
    for (text, wire, display) in [
        (r"a\.b.test", &b"\x03a.b\x04test\0"[..], r"a\.b.test."),
        (r"\000\255.test", b"\x02\0\xff\x04test\0", r"\000\255.test."),
        (r"\065\\.test", b"\x02a\\\x04test\0", r"a\\.test."),
        (r"a\ b\@.test", b"\x04a b@\x04test\0", r"a\032b\@.test."),
        (r"*.test", b"\x01*\x04test\0", r"*.test."),
        (".", b"\0", "."),
    ] {
        assert_eq!(name(text).as_wire(), wire, "{text}");
        assert_eq!(name(text).to_string(), display);
    }
}

#[test]
fn what_is_no_name_is_refused_with_the_reason() {
    let long_label = "a".repeat(64);
    let long_name = format!("{}a", "aaaaaaa.".repeat(31) + "aaaaa.");
    for (text, error) in [
        ("", NameError::Empty),
        ("a..b", NameError::EmptyLabel),
        (".a", NameError::EmptyLabel),
        ("..", NameError::EmptyLabel),
        (&long_label, NameError::LongLabel),
        (&long_name, NameError::LongName),
        ("bücher.test", NameError::NonAscii('ü')),
        (r"a\", NameError::BadEscape),
        (r"a\25", NameError::BadEscape),
        (r"a\256", NameError::BadEscape),
        ("a b", NameError::Unescaped(' ')),
    ] {
        assert_eq!(text.parse::<Name>(), Err(error), "{text}");
    }
}

#[test]
fn names_of_63_and_255_octets_are_the_longest() {
    let label = "a".repeat(63);
    let text = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(name(&text).as_wire().len(), 255);
    assert_eq!(name(&format!("{text}.")).as_wire().len(), 255);
    for longer in [format!("{text}a"), format!("{text}a.")] {
        assert_eq!(longer.parse::<Name>(), Err(NameError::LongName));
    }
    let labels = "a.".repeat(127);
    assert_eq!(name(&labels).as_ref().labels().count(), 127);
    assert_eq!(
        format!("a.{labels}").parse::<Name>(),
        Err(NameError::LongName)
    );
}

#[test]
fn relative_names_are_below_the_origin() {
    let origin = name("example.com");
    let read = |text| Name::from_text(text, origin.as_ref()).map(|name| name.to_string());
    assert_eq!(read("www").as_deref(), Ok("www.example.com."));
    assert_eq!(read("www.").as_deref(), Ok("www."));
    assert_eq!(read("@").as_deref(), Ok("example.com."));
    assert_eq!(read(r"\@").as_deref(), Ok(r"\@.example.com."));
    assert_eq!(read(&"aaa.".repeat(62)[..247]), Err(NameError::LongName));
}

#[test]
fn wire_form_is_checked_to_the_last_octet() {
    for (wire, error) in [
        (&b""[..], NameError::Empty),
        (b"\x03ab", NameError::Truncated),
        (b"\x01a", NameError::Truncated),
        (b"\x01a\0\0", NameError::TrailingOctets),
        (b"\xc0\x0c", NameError::LabelType),
        (b"\x41a\0", NameError::LabelType),
        (&[1; 300], NameError::LongName),
    ] {
        assert_eq!(Name::from_wire(wire), Err(error), "{wire:?}");
    }
    assert_eq!(Name::from_wire(b"\x01A\0"), Ok(name("a")));
    let canonical = NameRef::from_canonical_wire(b"\x01A\0");
    assert_eq!(canonical, Err(NameError::UpperCase));
}

#[test]
fn a_name_is_below_another_at_label_borders_only() {
    let below = |name_: &str, apex: &str| name(name_).as_ref().is_at_or_below(name(apex).as_ref());
    assert!(below("example.com", "example.com"));
    assert!(below("a.b.example.com", "example.com"));
    assert!(below("example.com", "."));
    assert!(!below("badexample.com", "example.com"));
    assert!(!below("com", "example.com"));
    // The octets of the apex, inside a label.
    assert!(!below(r"a\007example\003com", "example.com"));
}

#[test]
fn canonical_order_is_that_of_rfc_4034() {
    let sorted = [
        "example",
        "a.example",
        "yljkjljk.a.example",
        "Z.a.example",
        "zABC.a.EXAMPLE",
        "z.example",
        r"\001.z.example",
        "*.z.example",
        r"\200.z.example",
    ];
    for pair in sorted.windows(2) {
        assert!(name(pair[0]) < name(pair[1]), "{pair:?}");
    }
}

fn any_name() -> impl Strategy<Value = Name> {
    let label = proptest::collection::vec(
        prop_oneof![Just(0), Just(1), b'a'..=b'd', any::<u8>()],
        1..4,
    );
    proptest::collection::vec(label, 0..5).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label);
        }
        wire.push(0);
        Name::from_wire(&wire).unwrap()
    })
}

proptest! {
    #[test]
    fn order_equals_that_of_domain(left in any_name(), right in any_name()) {
        let theirs = |name: &Name| domain::base::Name::from_octets(name.as_wire().to_vec()).unwrap();
        let expected: Ordering = theirs(&left).name_cmp(&theirs(&right));
        prop_assert_eq!(left.cmp(&right), expected);
    }

    #[test]
    fn text_is_read_back_to_the_same_octets(name in any_name()) {
        prop_assert_eq!(name.to_string().parse::<Name>(), Ok(name));
    }

    #[test]
    fn any_text_and_any_octets_are_read_or_refused(text in ".{0,80}", octets: Vec<u8>) {
        if let Ok(name) = text.parse::<Name>() {
            prop_assert!(NameRef::from_canonical_wire(name.as_wire()).is_ok());
        }
        if let Ok(name) = Name::from_wire(&octets) {
            prop_assert_eq!(name.as_wire(), octets.to_ascii_lowercase());
        }
    }
}
