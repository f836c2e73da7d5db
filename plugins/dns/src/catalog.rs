//! Catalog zones (RFC 9432): which zones a primary has, in a zone.
//!
//! ```text
//! version.catalog.example.          TXT "2"
//! <anything>.zones.catalog.example. PTR member.example.
//! ```
//!
//! Whatever else a catalog says, about groups or who takes a zone over, is for servers.

use std::collections::BTreeSet;

use janitor_plugin_api::dns::{ActualZone, Name, NameError, NameRef, Rtype};

/// The rdata of the one version that there is: the text "2".
const VERSION: &[u8] = b"\x012";

/// The member zones of a catalog, in canonical order.
///
/// # Errors
///
/// [`CatalogFault`] if the catalog is broken: then nothing in it counts (section 4.1).
pub(crate) fn members(catalog: &ActualZone) -> Result<BTreeSet<Name>, CatalogFault> {
    let apex = catalog.apex();
    let (mut members, mut version) = (BTreeSet::new(), Err(CatalogFault::NoVersion));
    for rrset in catalog.rrsets() {
        let owner = rrset.owner();
        let mut above = std::iter::successors(Some(owner), |name| name.parent());
        let is_below = |name: Option<NameRef<'_>>, label: &[u8]| {
            name.is_some_and(|name| {
                name.parent() == Some(apex) && name.labels().next() == Some(label)
            })
        };
        match rrset.rtype() {
            Rtype::TXT if is_below(above.next(), b"version") => {
                let mut texts = rrset.rdatas();
                version = match (texts.next(), texts.next()) {
                    (Some(VERSION), None) => Ok(()),
                    _ => Err(CatalogFault::Version),
                };
            }
            // Deeper than a member are its properties, such as who takes it over.
            Rtype::PTR if is_below(above.nth(1), b"zones") => {
                let mut names = rrset.rdatas();
                let (Some(name), None) = (names.next(), names.next()) else {
                    let owner = owner.to_owned();
                    return Err(CatalogFault::SeveralNames { owner });
                };
                let name = Name::from_wire(name).map_err(|source| {
                    let owner = owner.to_owned();
                    CatalogFault::Name { owner, source }
                })?;
                if let Some(name) = members.replace(name) {
                    return Err(CatalogFault::Twice { name });
                }
            }
            _ => {}
        }
    }
    version.map(|()| members)
}

/// What is wrong with a catalog.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CatalogFault {
    #[error("it has no TXT record at `version`, so it is no catalog (RFC 9432, section 4.2.1)")]
    NoVersion,
    #[error("its version is not the single text \"2\" (RFC 9432, section 4.2.1)")]
    Version,
    #[error("`{owner}` names several zones (RFC 9432, section 4.1)")]
    SeveralNames { owner: Name },
    #[error("`{owner}` names no zone")]
    Name {
        owner: Name,
        #[source]
        source: NameError,
    },
    #[error("`{name}` is a member twice (RFC 9432, section 4.1)")]
    Twice { name: Name },
}

#[cfg(test)]
mod tests {
    use janitor_plugin_api::dns::{Ttl, ZoneBuilder};

    use super::*;

    /// The members of a catalog with these records, or what is wrong with it.
    fn said(lines: &str) -> String {
        let mut catalog = ZoneBuilder::new("catalog.example".parse().unwrap());
        for line in lines.lines() {
            let mut fields = line.trim().splitn(3, ' ');
            let mut field = || fields.next().unwrap();
            let (owner, rtype, rdata) = (field(), field(), field());
            catalog
                .push_text(owner, Ttl::default(), rtype, rdata)
                .unwrap();
        }
        match members(&catalog.build_actual().unwrap()) {
            Ok(members) => {
                let members = members.iter().map(ToString::to_string);
                members.collect::<Vec<_>>().join(" ")
            }
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn members_are_what_names_below_zones_point_to() {
        let catalog = "@ SOA invalid. invalid. 1 3600 600 86400 60
            @ NS invalid.
            version TXT 2
            a1.zones PTR B.example.
            a2.zones PTR a.example.
            group.a2.zones TXT nodnssec
            coo.a2.zones PTR other.example.
            a3.zones TXT \"not a member\"
            other.ext PTR c.example.
            zones PTR d.example.
            version.a1.zones TXT 9
            e PTR e.example.";
        assert_eq!(said(catalog), "a.example. b.example.");
        assert_eq!(said("version TXT 2"), "", "a catalog may be empty");
    }

    #[test]
    fn a_broken_catalog_has_no_members_at_all() {
        let broken = [
            "a.zones PTR a.example.",
            "version TXT 1\na.zones PTR a.example.",
            "version TXT 2\nversion TXT 3",
            "version TXT 2 2",
            "version PTR 2\na.zones PTR a.example.",
            "version TXT 2\na.zones PTR a.example.\na.zones PTR b.example.",
            "version TXT 2\na.zones PTR a.example.\nb.zones PTR A.example.",
        ];
        let faults = broken.map(said).join("\n");
        insta::assert_snapshot!(faults, @r#"
        it has no TXT record at `version`, so it is no catalog (RFC 9432, section 4.2.1)
        its version is not the single text "2" (RFC 9432, section 4.2.1)
        its version is not the single text "2" (RFC 9432, section 4.2.1)
        its version is not the single text "2" (RFC 9432, section 4.2.1)
        it has no TXT record at `version`, so it is no catalog (RFC 9432, section 4.2.1)
        `a.zones.catalog.example.` names several zones (RFC 9432, section 4.1)
        `a.example.` is a member twice (RFC 9432, section 4.1)
        "#);
    }
}
