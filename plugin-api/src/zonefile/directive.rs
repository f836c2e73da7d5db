//! Directives: `$ORIGIN`, `$TTL`, `$INCLUDE`, `$GENERATE`, `$DATE`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::dns::text::{Fault, Next, Scan, shown};

use super::error::EntryFault;
use super::generate::Generator;
use super::reader::Record;
use super::record::{Entries, Halt, explicit_ttl};

/// An `$INCLUDE` that was read.
pub(super) struct Inclusion {
    /// The offset at which the path stands.
    pub(super) at: usize,
    /// The offset behind the directive.
    pub(super) end: usize,
    /// The path as written.
    pub(super) path: PathBuf,
    /// The first origin in that file, if it differs.
    pub(super) origin: Option<Vec<u8>>,
}

impl Entries {
    /// Reads the directive that starts here.
    pub(super) fn directive<E>(
        &mut self,
        scan: &mut Scan<'_>,
        generator: &mut Generator,
        sink: &mut impl FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<Option<Inclusion>, Halt<E>> {
        let start = scan.at();
        let word = scan.word("a directive")?;
        if word.eq_ignore_ascii_case(b"$INCLUDE") {
            return self.inclusion(scan).map(Some);
        }
        if word.eq_ignore_ascii_case(b"$ORIGIN") {
            let mut origin = Vec::new();
            scan.name(&self.scope.origin, &mut origin, "a domain name")?;
            scan.finish()?;
            self.set_origin(origin);
        } else if word.eq_ignore_ascii_case(b"$TTL") {
            let word = scan.word("a TTL")?;
            let ttl = explicit_ttl(scan, word)?;
            scan.finish()?;
            self.ttls.default = Some(ttl);
        } else if word.eq_ignore_ascii_case(b"$GENERATE") {
            generator.directive(self, start, scan, sink)?;
        } else if word.eq_ignore_ascii_case(b"$DATE") {
            // Written by BIND when it dumps a cache; it has no bearing on a zone.
            let expected = "a date as YYYYMMDDHHmmSS";
            let word = scan.word(expected)?;
            if word.len() != 14 || !word.iter().all(u8::is_ascii_digit) {
                let found = shown(word);
                let at = scan.at() - word.len();
                return Err(Halt::fault(at, Fault::Unexpected { expected, found }));
            }
            scan.finish()?;
        } else {
            let found = shown(word);
            return Err(Halt::fault(start, EntryFault::UnknownDirective { found }));
        }
        Ok(None)
    }

    fn inclusion<E>(&mut self, scan: &mut Scan<'_>) -> Result<Inclusion, Halt<E>> {
        let text = scan.text("the path of a file")?;
        let path = text.unquoted();
        if path.is_empty() {
            let expected = "the path of a file";
            return Err(Halt::fault(text.at, Fault::End { expected }));
        }
        let origin = match scan.next()? {
            Next::End => None,
            Next::Word | Next::Quote => {
                let mut origin = Vec::new();
                scan.name(&self.scope.origin, &mut origin, "a domain name")?;
                Some(origin)
            }
        };
        scan.finish()?;
        Ok(Inclusion {
            at: text.at,
            end: scan.at(),
            path: OsStr::from_bytes(&path).into(),
            origin,
        })
    }
}
