//! Presentation format of rdata.

use std::fmt;

use bytes::Bytes;
use domain::base::rdata::{ComposeRecordData, ParseRecordData};
use domain::base::{ParsedName, iana};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};

use super::name::NameRef;
use super::rtype::Rtype;

/// Reads the rdata of one RR; relative names are relative to `origin`.
///
/// The result is wire form with uncompressed names in the letter case of the
/// text, not canonical form.
///
/// # Errors
///
/// [`TextError`] if the text is not rdata of that type.
pub fn parse_rdata(rtype: Rtype, text: &str, origin: NameRef<'_>) -> Result<Vec<u8>, TextError> {
    let error = |reason: String| TextError {
        rtype,
        text: text.to_owned(),
        reason,
    };
    let mut zonefile = Zonefile::new();
    zonefile.extend_from_slice(format!(". 0 IN {rtype} {text}\n").as_bytes());
    let origin = domain::base::Name::from_octets(Bytes::copy_from_slice(origin.as_wire()))
        .map_err(|cause| error(cause.to_string()))?;
    zonefile.set_origin(origin);
    let entry = zonefile
        .next_entry()
        .map_err(|cause| error(cause.to_string()))?;
    let Some(Entry::Record(record)) = entry else {
        return Err(error("there is no rdata".to_owned()));
    };
    let mut octets = Vec::new();
    if record.data().compose_rdata(&mut octets).is_err() {
        return Err(error("it is too long".to_owned()));
    }
    match zonefile.next_entry() {
        Ok(None) => Ok(octets),
        _ => Err(error("more than one RR".to_owned())),
    }
}

/// Returns a value that displays `octets`, rdata of type `rtype`, in presentation format.
///
/// Rdata of types without a presentation format, or that does not fit its type,
/// is displayed in the generic form of RFC 3597, section 5.
pub fn rdata_display(rtype: Rtype, octets: &[u8]) -> impl fmt::Display {
    RdataDisplay { rtype, octets }
}

struct RdataDisplay<'a> {
    rtype: Rtype,
    octets: &'a [u8],
}

impl fmt::Display for RdataDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        type Data<'a> = ZoneRecordData<&'a [u8], ParsedName<&'a [u8]>>;

        let mut parser = Parser::from_ref(self.octets);
        let rtype = iana::Rtype::from_int(self.rtype.0);
        match Data::parse_rdata(rtype, &mut parser) {
            Ok(Some(data)) if parser.remaining() == 0 && !matches!(data, Data::Unknown(_)) => {
                data.fmt(f)
            }
            _ => {
                write!(f, "\\# {}", self.octets.len())?;
                if !self.octets.is_empty() {
                    f.write_str(" ")?;
                }
                self.octets
                    .iter()
                    .try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

/// Why text is not the rdata of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read `{text}` as {rtype} rdata: {reason}")]
pub struct TextError {
    rtype: Rtype,
    text: String,
    reason: String,
}
