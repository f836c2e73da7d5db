//! Where the names of a message stand, so that they need not be written again.

use std::collections::HashMap;

use domain::base::wire::Composer;
use janitor_plugin_api::dns::NameRef;

/// Positions a pointer reaches: it has 14 bits (RFC 1035, section 4.1.4).
const REACH: usize = 1 << 14;

/// The names of one message, each by its octets, with all names above them.
///
/// The compressors of `domain` are targets to build a message on; what signs messages takes one that was
/// built on plain octets, so that the name of the key is not compressed.
#[derive(Default)]
pub(super) struct Names<'a>(HashMap<&'a [u8], u16>);

impl<'a> Names<'a> {
    /// Appends a name: the labels that do not stand anywhere yet, then a pointer to the others.
    pub(super) fn append<Target: Composer + ?Sized>(
        &mut self,
        name: NameRef<'a>,
        target: &mut Target,
    ) -> Result<(), Target::AppendError> {
        let mut rest = name;
        loop {
            if let Some(at) = self.0.get(rest.as_wire()) {
                return target.append_slice(&(0xc000 | at).to_be_bytes());
            }
            let Some(parent) = rest.parent() else {
                return target.append_slice(&[0]);
            };
            self.remember(rest, target.as_ref().len());
            let label = rest.as_wire().len() - parent.as_wire().len();
            target.append_slice(&rest.as_wire()[..label])?;
            rest = parent;
        }
    }

    fn remember(&mut self, name: NameRef<'a>, at: usize) {
        if let Some(at) = u16::try_from(at).ok().filter(|&at| usize::from(at) < REACH) {
            self.0.entry(name.as_wire()).or_insert(at);
        }
    }
}
