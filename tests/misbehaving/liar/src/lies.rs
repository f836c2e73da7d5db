//! The lies: what is done to a well formed buffer.
//!
//! Offsets are those of the formats in `janitor_plugin_api::dns`: a header of 20 octets for a zone,
//! then entries of 16 octets, the owner, and the rdata behind their lengths.

use janitor_plugin_api::Error;
use janitor_plugin_api::dns::{ActualZone, Changes, ChangesBuilder, Name, Ttl, ZoneBuilder};

use crate::tell::unexpected;

/// A name, and what it does to the octets of a buffer.
pub(crate) type Lie = (&'static str, fn(&mut Vec<u8>));

/// Where the first entry of a zone starts, and parts of it.
const ENTRY: usize = 20;
const RTYPE: usize = ENTRY + 4;
const RESERVED: usize = ENTRY + 6;
const TTL: usize = ENTRY + 8;
const RDATA_COUNT: usize = ENTRY + 12;
const OWNER: usize = ENTRY + 16;

/// What can be wrong with a zone.
pub(crate) const ZONES: &[Lie] = &[
    ("empty", Vec::clear),
    ("half-a-header", |octets| octets.truncate(10)),
    ("another-format", |octets| octets[1] = 2),
    ("unknown-flags", |octets| octets[2] = 0x80),
    ("too-many-rrsets", |octets| octets[7] += 1),
    ("too-few-rrs", |octets| octets[11] -= 1),
    ("held-without-a-name", |octets| octets[15] = 1),
    ("entries-past-the-end", |octets| octets[16..20].fill(0xff)),
    ("cut-off", |octets| octets.truncate(octets.len() - 3)),
    ("something-behind", |octets| octets.push(0)),
    ("entry-of-nothing", |octets| {
        octets[ENTRY..ENTRY + 4].fill(0);
    }),
    ("entry-without-end", |octets| {
        octets[ENTRY..ENTRY + 4].fill(0xff);
    }),
    ("entry-too-short", |octets| octets[ENTRY + 3] -= 1),
    ("a-question", |octets| octets[RTYPE + 1] = 255),
    ("something-reserved", |octets| octets[RESERVED] = 1),
    ("a-negative-ttl", |octets| octets[TTL] = 0x80),
    ("no-rdata", |octets| {
        octets[RDATA_COUNT..RDATA_COUNT + 4].fill(0);
    }),
    ("endless-rdata", |octets| {
        octets[RDATA_COUNT..RDATA_COUNT + 4].fill(0xff);
    }),
    ("a-pointer", |octets| octets[OWNER..OWNER + 2].fill(0xc0)),
    ("a-label-of-64", |octets| octets[OWNER] = 64),
    ("upper-case", |octets| {
        octets[OWNER + 1].make_ascii_uppercase();
    }),
    ("somebody-elses", |octets| octets[OWNER + 6] ^= 1),
    ("an-address-of-text", |octets| octets[RTYPE + 1] = 28),
    ("rdata-in-disorder", |octets| {
        let end = octets.len();
        // The last two rdata of the zone, of six octets each with their lengths.
        octets[end - 12..].rotate_left(6);
    }),
    ("rrsets-in-disorder", |octets| {
        let first = usize::from(octets[ENTRY + 3]);
        octets[ENTRY..].rotate_left(first);
    }),
];

/// What can be wrong with changes; their header has 8 octets and 13 numbers.
pub(crate) const CHANGES: &[Lie] = &[
    ("changes-empty", Vec::clear),
    ("changes-of-another-format", |octets| octets[1] = 2),
    ("changes-with-flags", |octets| octets[3] = 1),
    ("changes-uncounted", |octets| octets[7] += 1),
    ("changes-cut-off", |octets| {
        octets.truncate(octets.len() - 1);
    }),
    ("changes-with-more", |octets| octets.push(0)),
    ("changes-of-a-new-kind", |octets| octets[CHANGE] = 9),
    ("changes-said-to-delete", |octets| octets[CHANGE] = 2),
    ("changes-of-half-an-update", |octets| octets[CHANGE] = 3),
    ("changes-counted-wrongly", |octets| octets[8] = 0xff),
];

const CHANGE: usize = 8 + 4 * 13;

/// Other lies of a reconciler.
pub(crate) const ANSWERS: &[&str] = &["unknown-status", "without-a-reason", "two-answers-in-one"];

/// The apex that a lie is told about.
pub(crate) fn apex(lie: &str) -> Result<Name, Error> {
    format!("{lie}.test.").parse().map_err(unexpected)
}

/// A well formed zone: a text at `mail`, then two addresses at `www`.
pub(crate) fn builder(apex: Name) -> Result<ZoneBuilder, Error> {
    let mut builder = ZoneBuilder::new(apex);
    for (owner, rtype, rdata) in [
        ("mail", "TXT", "\"a text\""),
        ("www", "A", "192.0.2.1"),
        ("www", "A", "192.0.2.2"),
    ] {
        builder
            .push_text(owner, Ttl::default(), rtype, rdata)
            .map_err(unexpected)?;
    }
    builder.set_complete();
    Ok(builder)
}

/// What the reconciler says is served.
pub(crate) fn actual(apex: Name) -> Result<ActualZone, Error> {
    builder(apex)?.build_actual().map_err(unexpected)
}

/// Well formed changes: one addition.
pub(crate) fn changes(apex: Name) -> Result<Changes, Error> {
    let mut builder = ChangesBuilder::new(apex);
    builder
        .additions()
        .push_text("added", Ttl::default(), "A", "192.0.2.3")
        .map_err(unexpected)?;
    builder.build().map_err(unexpected)
}

/// The octets of a well formed buffer with the lie `name` told about them.
pub(crate) fn told(name: &str, lies: &[Lie], octets: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    if let Some((_, lie)) = lies.iter().find(|(known, _)| *known == name) {
        lie(&mut octets);
    }
    octets
}
