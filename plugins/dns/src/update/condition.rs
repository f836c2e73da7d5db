//! What has to be true of a zone for a change to be made, and what is true after it.

use janitor_plugin_api::dns::{Change, NameRef, Rrset, RrsetRef, Rtype};

use super::plan::Item;

/// A prerequisite (RFC 2136, section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// Nothing at all is served at the owner (section 2.4.5).
    Unused(NameRef<'a>),
    /// There is no RRset of this type (section 2.4.3).
    Absent(NameRef<'a>, Rtype),
    /// The RRset has exactly these rdata (section 2.4.2). TTLs are not compared.
    Exactly(RrsetRef<'a>),
    /// The signatures at the name are these and no others, as one RRset (sections 2.4.1 and 2.4.2).
    Signed(&'a Rrset),
}

/// What could stand where a CNAME is to take the place of other data.
///
/// "No other type" is not among the conditions that a server knows, so each is asked for by itself. What
/// is not listed is as rare at a name of its own as it would have to be for this: the server would delete
/// what the plan deletes, and nothing else, pass over the CNAME, and reading back would tell.
const RIVALS: [Rtype; 24] = [
    Rtype::A,
    Rtype::NS,
    Rtype::PTR,
    Rtype::HINFO,
    Rtype::MX,
    Rtype::TXT,
    Rtype::RP,
    Rtype::AFSDB,
    Rtype::AAAA,
    Rtype::LOC,
    Rtype::SRV,
    Rtype::NAPTR,
    Rtype::CERT,
    Rtype::DNAME,
    Rtype::DS,
    Rtype::SSHFP,
    Rtype::TLSA,
    Rtype::SMIMEA,
    Rtype::OPENPGPKEY,
    Rtype::SVCB,
    Rtype::HTTPS,
    Rtype::SPF,
    Rtype::URI,
    Rtype::CAA,
];

/// Appends what has to be true for the changes of a bundle to be made.
///
/// What is deleted or replaced is there as planned, and what is added is not. A server says nothing where
/// it passes over an addition because of a CNAME (RFC 2136, section 3.4.2.2), so that nothing stands in
/// the way is a condition too.
pub(super) fn before<'a>(bundle: &[Item<'a>], conditions: &mut Vec<Condition<'a>>) {
    let goes = |rtype| {
        let mut deletions = bundle.iter().filter_map(|item| item.change.deletion());
        deletions.any(|rrset| rrset.rtype() == rtype)
    };
    let mut cname_is_absent = goes(Rtype::CNAME);
    for item in bundle {
        let (owner, rtype) = (item.change.owner(), item.change.rtype());
        if let Some(deletion) = item.change.deletion() {
            conditions.push(Condition::Exactly(deletion));
            continue;
        }
        if rtype == Rtype::CNAME {
            if bundle.iter().all(|item| item.change.deletion().is_none()) {
                conditions.push(Condition::Unused(owner));
                continue;
            }
            for rival in RIVALS {
                if !goes(rival) {
                    conditions.push(Condition::Absent(owner, rival));
                }
            }
            cname_is_absent = true;
        } else if !cname_is_absent && !rtype.may_stand_beside_cname() {
            conditions.push(Condition::Absent(owner, Rtype::CNAME));
            cname_is_absent = true;
        }
        conditions.push(Condition::Absent(owner, rtype));
    }
}

/// Appends what has to be true of signatures where a CNAME takes the place of other data.
///
/// Most servers do not count their own RRSIG and NSEC as data that a CNAME cannot stand beside (RFC 4034,
/// section 2.5), and some that sign do not have an RRset of all RRSIG at a name either: for both there is
/// none. Knot 3.2 has one, and passes over a CNAME beside it without a word. There the name has to be
/// deleted whole, and what else is at it has to be known: each RRset has a signature, so nothing else is
/// there as long as the signatures are those of what is deleted.
pub(super) fn of_signatures<'a>(
    bundle: &[Item<'a>],
    signatures: Option<&'a Rrset>,
    conditions: &mut Vec<Condition<'a>>,
) {
    match (signatures, cname_in_place_of_others(bundle)) {
        (_, None) => {}
        (Some(signatures), Some(_)) => conditions.push(Condition::Signed(signatures)),
        (None, Some(cname)) => conditions.push(Condition::Absent(cname.owner(), Rtype::RRSIG)),
    }
}

/// The CNAME that takes the place of other data, if that is what a bundle does.
pub(super) fn cname_in_place_of_others<'a>(bundle: &[Item<'a>]) -> Option<RrsetRef<'a>> {
    let comes = bundle.iter().find_map(|item| match item.change {
        Change::Addition(addition) if addition.rtype() == Rtype::CNAME => Some(addition),
        _ => None,
    });
    comes.filter(|_| bundle.len() > 1)
}

/// Appends what is true when the changes have been made.
pub(super) fn after<'a>(bundle: &[Item<'a>], conditions: &mut Vec<Condition<'a>>) {
    for item in bundle {
        conditions.push(match item.change.addition() {
            Some(addition) => Condition::Exactly(addition),
            None => Condition::Absent(item.change.owner(), item.change.rtype()),
        });
    }
}

/// Whether the change leaves the rdata as they are, so that no condition tells before from after.
pub(super) fn is_ttl_only(change: Change<'_>) -> bool {
    match change {
        Change::Update { deletion, addition } => deletion.rdatas().eq(addition.rdatas()),
        Change::Addition(_) | Change::Deletion(_) => false,
    }
}
