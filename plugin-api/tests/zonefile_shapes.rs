//! Zone files of unusual shape. Each would take hours, or all memory, if the
//! reader went over anything more often than a few times.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;

use janitor_plugin_api::dns::{Name, Rtype, Ttl};
use janitor_plugin_api::zonefile::{self, Include, Record, Summary};

#[test]
fn an_entry_of_100_000_lines_is_read_octet_by_octet() {
    let mut text = "$TTL 1\nwww TXT (\n".to_owned();
    for line in 0..100_000 {
        let word = if line % 1_000 == 0 { "word" } else { "" };
        writeln!(text, "  {word} ; line {line}").unwrap();
    }
    text.push_str(")\nlast A 192.0.2.1\n");
    let mut lengths = Vec::new();
    let summary = read(OneByOne(text.as_bytes()), |record| {
        lengths.push(record.rdata.len());
    });
    assert_eq!(summary.records, 2);
    assert_eq!(lengths, [500, 4]);
}

#[test]
fn rdata_of_64_kib_is_read_octet_by_octet() {
    let mut text = "$TTL 1\nwww TXT".to_owned();
    for _ in 0..255 {
        write!(text, " \"{}\"", r"\120".repeat(255)).unwrap();
    }
    text.push_str(&format!(" {}", "y".repeat(254)));
    let mut octets = 0;
    read(OneByOne(text.as_bytes()), |record| {
        octets += record.rdata.len();
    });
    assert_eq!(octets, 65_535);
}

#[test]
fn generate_makes_65_535_records() {
    let mut sum = 0_u64;
    let mut last = Vec::new();
    let summary = read(&b"$TTL 1\n$GENERATE 1-65535 h$ MX \"$ .\""[..], |record| {
        sum += u64::from(u16::from_be_bytes([record.rdata[0], record.rdata[1]]));
        last = record.owner.to_vec();
    });
    assert_eq!(summary.records, 65_535);
    assert_eq!(sum, 65_535 * 65_536 / 2);
    assert_eq!(last, b"\x06h65535\x07example\x03com\0");
}

#[test]
fn long_lines_and_long_files_of_nothing_are_read() {
    let comment = format!("; {}\n", "x".repeat(10 << 20));
    let blanks = " \t".repeat(1 << 20);
    let lines = "\n \n\r\n;\n".repeat(1 << 18);
    let text = format!("$TTL 1\n{comment}{blanks}\n{lines}www A 192.0.2.1{blanks};{comment}");
    let summary = read(text.as_bytes(), |record| {
        assert_eq!(record.rdata, [192, 0, 2, 1]);
    });
    assert_eq!(summary.records, 1);
}

#[test]
fn thousands_of_parentheses_are_only_counted() {
    let depth = 1 << 20;
    let text = format!(
        "$TTL 1\nwww A {}192.0.2.1{}\n",
        "(".repeat(depth),
        ")".repeat(depth)
    );
    assert_eq!(read(text.as_bytes(), |_| {}).records, 1);
}

#[test]
fn a_chain_of_includes_ends_where_memory_would() {
    // Each file includes another one, without end.
    let apex: Name = "example.com".parse().unwrap();
    let mut opened = 0;
    let mut open = |_: &Path| {
        opened += 1;
        Ok(Include {
            name: opened.to_string(),
            input: Box::new(&b"$INCLUDE next"[..]),
        })
    };
    let read = zonefile::read(apex.as_ref(), "0", &b"$INCLUDE next"[..], &mut open, |_| {
        Ok::<_, Infallible>(())
    });
    let error = read.unwrap_err();
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "the files include each other more than 32 deep"
    );
    assert_eq!(opened, 31);
}

#[test]
fn ttl_owner_and_type_reach_the_sink_as_written() {
    let mut seen = Vec::new();
    read(&b"WWW 1h TYPE65280 \\# 1 ff\n"[..], |record| {
        seen.push((record.owner.to_vec(), record.ttl, record.rtype));
    });
    let ttl = Ttl::from_secs(3_600).unwrap();
    assert_eq!(
        seen,
        [(b"\x03WWW\x07example\x03com\0".to_vec(), ttl, Rtype(65_280))]
    );
}

/// Hands out one octet at a time.
struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let one = buffer.len().min(1);
        self.0.read(&mut buffer[..one])
    }
}

fn read(input: impl Read, mut sink: impl FnMut(Record<'_>)) -> Summary {
    let apex: Name = "example.com".parse().unwrap();
    let mut open = |_: &Path| unreachable!("there is no $INCLUDE");
    zonefile::read(apex.as_ref(), "zone", input, &mut open, |record| {
        sink(record);
        Ok::<_, Infallible>(())
    })
    .unwrap()
}
