//! No octets make the reader of zone files panic, where a piece of the file
//! ends makes no difference, what it reads a zone can hold and reads back from
//! its own text, and `domain` reads the same where it reads at all.

#![no_main]

use std::convert::Infallible;
use std::io::{self, Read};
use std::path::Path;

use domain::base::iana::Class;
use domain::base::rdata::ComposeRecordData;
use domain::base::{Name, ToName};
use domain::zonefile::inplace::{Entry, Zonefile};
use gordon_janitor_fuzz::apex;
use janitor_plugin_api::dns::{Rtype, Ttl, Zone, ZoneBuilder};
use janitor_plugin_api::zonefile;
use libfuzzer_sys::fuzz_target;

/// Owner, type, TTL and rdata as read.
type Record = (Vec<u8>, Rtype, Ttl, Vec<u8>);

fuzz_target!(|data: &[u8]| {
    let whole = read(data);
    assert_eq!(whole, read(OneByOne(data)));
    let Some(records) = whole else {
        return;
    };
    let zone = built(&records);
    let text = zone.to_string();
    let again = read(text.as_bytes()).expect("a zone reads back from its own text");
    assert_eq!(built(&again).octets(), zone.octets(), "{text}");

    // `domain` 0.12 takes other octets for blanks and ends of lines, does not
    // know `@` in rdata, has an idea of its own of records without any TTL, and
    // panics at the end of a file inside a word.
    let is_plain = |octet: &u8| matches!(octet, b'\n' | b'\t' | b' '..=b'~') && *octet != b'@';
    let text = [b"$TTL 300\n", data, b"\n"].concat();
    if data.iter().all(is_plain)
        && let (Some(ours), Some(theirs)) = (read(&text[..]), by_domain(&text))
    {
        assert_eq!(ours, theirs);
    }
});

/// Hands out one octet at a time.
struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let one = buffer.len().min(1);
        self.0.read(&mut buffer[..one])
    }
}

fn read(input: impl Read) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    let mut open = |_: &Path| Err(io::Error::other("there is no other file"));
    let read = zonefile::read(apex().as_ref(), "zone", input, &mut open, |record| {
        // $GENERATE makes much out of little.
        if records.len() < 1_000 {
            records.push((record.owner.to_vec(), record.rtype, record.ttl, record.rdata.to_vec()));
        }
        Ok::<_, Infallible>(())
    });
    read.is_ok().then_some(records)
}

fn built(records: &[Record]) -> Zone {
    let mut builder = ZoneBuilder::new(apex());
    for (owner, rtype, ttl, rdata) in records {
        builder.push_wire(owner, *rtype, *ttl, rdata).expect("what is read can be zone data");
    }
    Zone::clone(&builder.build_actual().expect("it is small"))
}

fn by_domain(text: &[u8]) -> Option<Vec<Record>> {
    let mut reader = Zonefile::from(text);
    reader.set_default_class(Class::IN);
    reader.set_origin(Name::from_octets(apex().as_wire().to_vec().into()).expect("it is a name"));
    let mut records = Vec::new();
    while let Some(entry) = reader.next_entry().ok()? {
        let Entry::Record(record) = entry else {
            return None;
        };
        let mut rdata = Vec::new();
        record.data().compose_rdata(&mut rdata).ok()?;
        let owner = record.owner().to_vec();
        records.push((
            owner.as_slice().to_vec(),
            Rtype(record.rtype().to_int()),
            Ttl::from_secs(record.ttl().as_secs()).ok()?,
            rdata,
        ));
    }
    Some(records)
}
