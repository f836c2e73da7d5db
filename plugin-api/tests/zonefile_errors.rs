//! What the reader of zone files says when it refuses one, word by word.
//!
//! `testdata/zonefile-errors` has the entries, each with what is said of it
//! below. To see a change in review, set `JANITOR_BLESS=1`: the test then
//! rewrites the file.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use janitor_plugin_api::dns::Name;
use janitor_plugin_api::zonefile::{self, Include, ReadError, Summary};

/// Lines of the data that say something start with this; others are entries.
const SAID: &str = "    ";

#[test]
fn every_refusal_says_what_where_and_what_else() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/zonefile-errors");
    let expected = fs::read_to_string(&path).unwrap();
    let entries = expected.lines().filter(|line| !line.starts_with(SAID));
    let found: String = entries
        .map(|entry| {
            let text = format!("$TTL 300\n{entry}\n");
            match read(text.as_bytes()) {
                Ok(summary) => panic!("{entry}: {summary:?}"),
                Err(error) => format!("{entry}\n{}", said(&error)),
            }
        })
        .collect();
    if std::env::var_os("JANITOR_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

#[test]
fn a_missing_ttl_is_refused_unless_a_soa_has_a_minimum() {
    let error = read(b"www A 192.0.2.1\n".as_slice()).unwrap_err();
    let expected = "    cannot read `example.com.zone`, line 1, column 1\n    \
         expected a TTL: there is no `$TTL` and no record with a TTL before this one\n";
    assert_eq!(said(&error), expected);
    assert!(read(b"@ SOA ns hostmaster 1 2 3 4 5\nwww A 192.0.2.1\n".as_slice()).is_ok());
}

#[test]
fn an_octet_of_value_zero_is_refused_outside_of_strings() {
    let error = read(b"$TTL 1\nww\0w A 192.0.2.1\n".as_slice()).unwrap_err();
    let expected = "    cannot read `example.com.zone`, line 2, column 3\n    \
         found an octet of value zero outside of a quoted string; is this a text file?\n";
    assert_eq!(said(&error), expected);
}

#[test]
fn nothing_is_lost_behind_a_carriage_return_in_a_comment() {
    let text = b"$TTL 1\na A 192.0.2.1 ; c\rb A 192.0.2.2\r\nc A 192.0.2.3\r\n";
    let error = read(text.as_slice()).unwrap_err();
    let expected = "    cannot read `example.com.zone`, line 2, column 18\n    \
         expected a line feed after the carriage return of a comment, found `b A 192.0.2.2\\013`\n";
    assert_eq!(said(&error), expected);
    assert!(read(b"$TTL 1 ; c\r\na A 192.0.2.1 ; c\r".as_slice()).is_ok());
}

#[test]
fn an_entry_without_end_is_refused_before_memory_is_used_up() {
    let text = b"$TTL 1\nwww TXT (\n".chain(io::repeat(b'\n'));
    let error = read(text).unwrap_err();
    let expected = "    cannot read `example.com.zone`, line 2, column 1\n    \
         the entry that starts here has more than 16777216 octets; is a parenthesis or a quote not closed?\n";
    assert_eq!(said(&error), expected);
}

#[test]
fn an_error_of_the_file_says_how_far_reading_came() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    let error = read((&b"$TTL 1\nwww A 192.0.2.1\nmail"[..]).chain(Broken)).unwrap_err();
    let expected =
        "    cannot read on after `example.com.zone`, line 3, column 1\n    the disk is on fire\n";
    assert_eq!(said(&error), expected);
}

#[test]
fn an_error_of_the_sink_says_which_record_it_is_about() {
    let apex: Name = "example.com.".parse().unwrap();
    let text = b"$TTL 1\n\nwww A 192.0.2.1\n    A 192.0.2.2\n";
    let mut open = |_: &Path| unreachable!("there is no $INCLUDE");
    let mut count = 0;
    let error = zonefile::read(
        apex.as_ref(),
        "example.com.zone",
        &text[..],
        &mut open,
        |_| {
            count += 1;
            match count {
                1 => Ok(()),
                _ => Err(io::Error::other("no more room")),
            }
        },
    );
    let expected =
        "    cannot take the record of `example.com.zone`, line 4, column 1\n    no more room\n";
    assert_eq!(said(&error.unwrap_err()), expected);
}

fn read(input: impl Read) -> Result<Summary, ReadError<Infallible>> {
    let apex: Name = "example.com.".parse().unwrap();
    let mut open = |path: &Path| {
        let text = match path.to_str() {
            Some("self.inc") => "\n$INCLUDE self.inc\n",
            Some("bad.inc") => "a A 192.0.2.1\nb A bad",
            _ => return Err(io::Error::other("it is not there")),
        };
        Ok(Include {
            name: path.display().to_string(),
            input: Box::new(text.as_bytes()),
        })
    };
    let name = "example.com.zone";
    zonefile::read(apex.as_ref(), name, input, &mut open, |_| Ok(()))
}

/// The links of an error, one a line.
fn said(error: &dyn Error) -> String {
    let mut text = format!("{SAID}{error}\n");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}{SAID}{cause}\n");
        source = cause.source();
    }
    text
}
