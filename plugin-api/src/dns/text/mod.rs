//! Presentation format of rdata (RFC 1035, section 5), both ways.
//!
//! One table, `field.rs`, says which fields the rdata of each type has. Reading
//! and writing walk the same table, so what one writes the other reads back.
//! The zone file reader and [`parse_rdata`] share the code for one entry.
//!
//! The reader takes the words that BIND takes: decimal numbers, mnemonics of
//! algorithms, TTL units in SOA, times as dates. Every type may also be written
//! as `\# <octets> <hex digits>` (RFC 3597, section 5), and a type without a
//! row in the table must be.

use std::fmt;

use super::name::NameRef;
use super::rtype::Rtype;

mod fault;
mod swar;
mod scan;
mod name;
mod number;
mod address;
mod binary;
mod time;
mod mnemonic;
mod bitmap;
mod location;
mod gateway;
mod service;
mod legacy;
mod field;
mod read;
mod write;

pub use fault::{Fault, NameFault};

pub(crate) use fault::{Stop, shown};
pub(crate) use mnemonic::class;
pub(crate) use name::parse as parse_name;
pub(crate) use number::{decimal, seconds};
pub(crate) use read::rdata;
pub(crate) use scan::{Next, Scan};

/// Reads the rdata of one RR; relative names are completed with `origin`, a
/// name in wire form.
///
/// The result is wire form with uncompressed names in the letter case of the
/// text, not canonical form.
///
/// # Errors
///
/// [`TextError`] if the text is not rdata of that type and nothing else.
pub fn parse_rdata(rtype: Rtype, text: &str, origin: NameRef<'_>) -> Result<Vec<u8>, TextError> {
    let mut octets = Vec::new();
    let mut scan = Scan::new(text.as_bytes(), true);
    let read = rdata(&mut scan, rtype, origin.as_wire(), &mut octets).and_then(|()| {
        scan.finish()?;
        // A second line would be a second entry.
        match scan.peek() {
            None => Ok(()),
            Some(_) => Err(Stop::fault(
                scan.at(),
                Fault::Trailing {
                    found: shown(&text.as_bytes()[scan.at()..]),
                },
            )),
        }
    });
    match read {
        Ok(()) => Ok(octets),
        Err(Stop::Fault(found)) => Err(TextError {
            rtype,
            column: found.0 + 1,
            fault: found.1,
        }),
        Err(Stop::More) => unreachable!("the scanner was told that this is the whole text"),
    }
}

/// Returns a value that displays rdata of type `rtype` in presentation format.
///
/// Rdata of types without a text form, or that does not fit its type, is
/// displayed in the form of RFC 3597, section 5. What is displayed reads back
/// to the same octets, unless the rdata is such that BIND reads it in no form,
/// as an IPSECKEY without a key is.
pub fn rdata_display(rtype: Rtype, octets: &[u8]) -> impl fmt::Display {
    RdataDisplay { rtype, octets }
}

struct RdataDisplay<'a> {
    rtype: Rtype,
    octets: &'a [u8],
}

impl fmt::Display for RdataDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::write(self.rtype, self.octets, f)
    }
}

/// The text is not rdata of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the rdata of {rtype} at column {column}")]
pub struct TextError {
    rtype: Rtype,
    column: usize,
    #[source]
    fault: Fault,
}

impl TextError {
    /// Returns the place of the fault in the text, in octets from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// Returns what is wrong there.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

#[cfg(test)]
mod tests;
