//! Reads zone files with the crate `domain` and drops the records: what reading alone costs with the
//! library that most Rust programs would use.
//!
//! `domain_parse APEX FILE…` prints the octets that all records take in uncompressed wire form.

#![expect(
    clippy::print_stdout,
    reason = "the script that runs it reads it there"
)]

use std::env;
use std::error::Error;
use std::fs;

use bytes::Bytes;
use domain::base::Name;
use domain::base::iana::Class;
use domain::base::name::ToLabelIter;
use domain::base::rdata::ComposeRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let apex: Name<Bytes> = arguments.next().ok_or("an apex is missing")?.parse()?;
    let mut octets = 0;
    for path in arguments {
        octets += read(&apex, &path)?;
    }
    println!("{octets}");
    Ok(())
}

fn read(apex: &Name<Bytes>, path: &str) -> Result<usize, Box<dyn Error>> {
    /// Type, class, TTL and the length of the rdata.
    const FIXED: usize = 10;

    let mut zone = Zonefile::from(fs::read(path)?.as_slice());
    zone.set_origin(apex.clone());
    zone.set_default_class(Class::IN);
    let mut octets = 0;
    while let Some(entry) = zone.next_entry()? {
        if let Entry::Record(record) = entry {
            let rdata = record.data().rdlen(false).unwrap_or_default();
            octets += usize::from(record.owner().compose_len()) + FIXED + usize::from(rdata);
        }
    }
    Ok(octets)
}
