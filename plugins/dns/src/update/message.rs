//! UPDATE messages (RFC 2136, section 2).

use std::cell::RefCell;
use std::ops::Range;

use domain::base::MessageBuilder;
use domain::base::iana::{Class, Opcode};
use domain::base::message_builder::{AdditionalBuilder, PushError};
use domain::base::question::ComposeQuestion;
use domain::base::record::ComposeRecord;
use domain::base::wire::Composer;
use janitor_plugin_api::dns::{Change, NameRef, RrsetRef, Rtype, Ttl};

use super::condition::{self, Condition};
use super::names::Names;
use super::plan::{Bundle, Item, Plan};

/// Most octets of a message over TCP, signature included (RFC 1035, section 4.2.2).
pub(super) const MAX_OCTETS: usize = 65_535;

/// An UPDATE, complete but for its ID and its signature.
pub(super) type Update = AdditionalBuilder<Vec<u8>>;

/// What a message is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Make the changes if the zone is as planned.
    Write,
    /// Change nothing, and say whether the zone is as planned (RFC 2136, section 2.4).
    LookBefore,
    /// Change nothing, and say whether the zone is as it will be after the changes.
    LookAfter,
}

/// Writes a message for a range of bundles, in at most `limit` octets.
///
/// `soa` is the rdata of the SOA that has to be served for the message to do anything.
///
/// # Errors
///
/// [`NoRoom`] if it has no room in one message.
pub(super) fn compose(
    plan: &Plan<'_>,
    bundles: Range<usize>,
    purpose: Purpose,
    soa: Option<&[u8]>,
    limit: usize,
) -> Result<Update, NoRoom> {
    let names = RefCell::default();
    let rr = |owner, rtype, class, ttl, rdata| Rr {
        names: &names,
        owner,
        rtype,
        class,
        ttl,
        rdata,
    };
    let mut message = MessageBuilder::new_vec();
    message.header_mut().set_opcode(Opcode::UPDATE);
    // The limit of the library is the first length that is too much.
    message.set_push_limit(limit.saturating_add(1));
    let mut message = message.question();
    message.push(rr(plan.apex, Rtype::SOA, Class::IN, Ttl::default(), &[]))?;

    let mut prerequisites = message.answer();
    if let Some(soa) = soa {
        prerequisites.push(rr(plan.apex, Rtype::SOA, Class::IN, Ttl::default(), soa))?;
    }
    let mut conditions = Vec::new();
    let mut without_cname = None;
    for (bundle, items) in plan.iter(bundles.clone()) {
        match purpose {
            Purpose::Write => {
                condition::before(items, &mut conditions);
                condition::of_signatures(items, bundle.signatures.as_ref(), &mut conditions);
            }
            Purpose::LookBefore => condition::before(items, &mut conditions),
            Purpose::LookAfter => condition::after(items, &mut conditions),
        }
        for condition in conditions.drain(..) {
            let (owner, rtype) = match condition {
                Condition::Unused(owner) => (owner, Rtype::ANY),
                // Every addition at an owner asks for this.
                Condition::Absent(owner, Rtype::CNAME) if without_cname == Some(owner) => continue,
                Condition::Absent(owner, rtype) => (owner, rtype),
                Condition::Exactly(rrset) => {
                    for it in rrset.rrs() {
                        let (class, ttl) = (Class::IN, Ttl::default());
                        prerequisites.push(rr(it.owner, it.rtype, class, ttl, it.rdata))?;
                    }
                    continue;
                }
                Condition::Signed(signatures) => {
                    let (owner, rtype) = (signatures.owner(), signatures.rtype());
                    let ttl = Ttl::default();
                    prerequisites.push(rr(owner, rtype, Class::ANY, ttl, &[]))?;
                    for rdata in signatures.rdatas() {
                        prerequisites.push(rr(owner, rtype, Class::IN, ttl, rdata))?;
                    }
                    continue;
                }
            };
            if rtype == Rtype::CNAME {
                without_cname = Some(owner);
            }
            prerequisites.push(rr(owner, rtype, Class::NONE, Ttl::default(), &[]))?;
        }
    }

    let mut updates = prerequisites.authority();
    if purpose == Purpose::Write {
        let mut edits = Vec::new();
        for (bundle, items) in plan.iter(bundles) {
            edit_all(items, bundle, plan.apex, &mut edits);
            for it in edits.drain(..) {
                updates.push(rr(it.owner, it.rtype, it.class, it.ttl, it.rdata))?;
            }
        }
    }
    let mut message = updates.additional();
    // The signature comes into the room that was left for it.
    message.clear_push_limit();
    Ok(message)
}

/// The octets that a bundle takes in a message that writes it: at least, with all owners compressed to
/// pointers, and at most, with none.
pub(super) fn octets(plan: &Plan<'_>, bundle: &Bundle) -> (usize, usize) {
    const POINTER: usize = 2;
    /// Type, class, TTL and length of the rdata.
    const FIXED: usize = 10;
    let items = plan.items(bundle);
    let (mut least, mut most) = (0, 0);
    let mut count = |owner: NameRef<'_>, rdata: &[u8]| {
        least += POINTER + FIXED + rdata.len();
        most += owner.as_wire().len() + FIXED + rdata.len();
    };
    let mut edits = Vec::new();
    edit_all(items, bundle, plan.apex, &mut edits);
    edits.iter().for_each(|it| count(it.owner, it.rdata));
    let mut conditions = Vec::new();
    condition::before(items, &mut conditions);
    condition::of_signatures(items, bundle.signatures.as_ref(), &mut conditions);
    let mut shared = 0;
    for condition in conditions {
        match condition {
            Condition::Exactly(rrset) => rrset.rrs().for_each(|rr| count(rr.owner, rr.rdata)),
            Condition::Unused(owner) => count(owner, &[]),
            Condition::Signed(signatures) => {
                count(signatures.owner(), &[]);
                let rdatas = signatures.rdatas();
                rdatas.for_each(|rdata| count(signatures.owner(), rdata));
            }
            Condition::Absent(owner, rtype) => {
                count(owner, &[]);
                // Stands once for all bundles of an owner.
                shared += usize::from(rtype == Rtype::CNAME) * (POINTER + FIXED);
            }
        }
    }
    (least - shared, most)
}

/// One RR of the update section (RFC 2136, section 2.5).
struct Edit<'a> {
    owner: NameRef<'a>,
    rtype: Rtype,
    class: Class,
    ttl: Ttl,
    rdata: &'a [u8],
}

/// Appends what makes the changes of a bundle.
///
/// A name is deleted whole (section 2.5.3) only where a CNAME could not come otherwise, and everything at
/// the name is known ([`condition::of_signatures`]).
fn edit_all<'a>(items: &[Item<'a>], bundle: &Bundle, apex: NameRef<'_>, edits: &mut Vec<Edit<'a>>) {
    match condition::cname_in_place_of_others(items) {
        Some(cname) if bundle.signatures.is_some() => {
            edits.push(Edit {
                owner: cname.owner(),
                rtype: Rtype::ANY,
                class: Class::ANY,
                ttl: Ttl::default(),
                rdata: &[],
            });
            add(cname, |_| true, edits);
        }
        // At one owner what goes stands before what comes, as the changes are in order.
        _ => {
            for item in items {
                edit(item.change, bundle, apex, edits);
            }
        }
    }
}

/// Appends what makes a change.
fn edit<'a>(change: Change<'a>, bundle: &Bundle, apex: NameRef<'_>, edits: &mut Vec<Edit<'a>>) {
    let at_apex = change.owner() == apex;
    match change {
        Change::Addition(addition) => add(addition, |_| true, edits),
        Change::Deletion(deletion) => delete_all(deletion, edits),
        // Takes the place of the one there is (section 3.4.2.2).
        Change::Update { addition, .. }
            if addition.rtype() == Rtype::CNAME || at_apex && addition.rtype() == Rtype::SOA =>
        {
            add(addition, |_| true, edits);
        }
        // The NS at the apex cannot be deleted as a whole, nor the last one of them (sections 3.4.2.3 and
        // 3.4.2.4): what comes has to be there before anything goes.
        Change::Update { deletion, addition } if at_apex && addition.rtype() == Rtype::NS => {
            add(addition, |_| true, edits);
            delete_each(deletion, addition, edits);
        }
        // What stays has its TTL, so it need not be sent.
        Change::Update { deletion, addition }
            if bundle.rr_by_rr && deletion.ttl() == addition.ttl() =>
        {
            delete_each(deletion, addition, edits);
            add(addition, is_not_in(deletion), edits);
        }
        Change::Update { deletion, addition } => {
            delete_all(deletion, edits);
            add(addition, |_| true, edits);
        }
    }
}

/// Adds RRs (section 2.5.1).
fn add<'a>(rrset: RrsetRef<'a>, wanted: impl Fn(&[u8]) -> bool, edits: &mut Vec<Edit<'a>>) {
    let wanted = rrset.rrs().filter(|rr| wanted(rr.rdata));
    edits.extend(wanted.map(|rr| Edit {
        owner: rr.owner,
        rtype: rr.rtype,
        class: Class::IN,
        ttl: rr.ttl,
        rdata: rr.rdata,
    }));
}

/// Deletes an RRset (section 2.5.2).
fn delete_all<'a>(rrset: RrsetRef<'a>, edits: &mut Vec<Edit<'a>>) {
    edits.push(Edit {
        owner: rrset.owner(),
        rtype: rrset.rtype(),
        class: Class::ANY,
        ttl: Ttl::default(),
        rdata: &[],
    });
}

/// Deletes the RRs that do not stay (section 2.5.4).
fn delete_each<'a>(rrset: RrsetRef<'a>, stays: RrsetRef<'_>, edits: &mut Vec<Edit<'a>>) {
    let goes = is_not_in(stays);
    let goes = rrset.rrs().filter(|rr| goes(rr.rdata));
    edits.extend(goes.map(|rr| Edit {
        owner: rr.owner,
        rtype: rr.rtype,
        class: Class::NONE,
        ttl: Ttl::default(),
        rdata: rr.rdata,
    }));
}

/// Whether rdata are not among those of an RRset.
fn is_not_in<'a>(rrset: RrsetRef<'a>) -> impl Fn(&[u8]) -> bool + use<'a> {
    // In canonical order, which is that of their octets (RFC 4034, section 6.3).
    let rdatas: Vec<&[u8]> = rrset.rdatas().collect();
    move |rdata| rdatas.binary_search(&rdata).is_err()
}

/// A record, or a question, as it is written: its owner compressed, its rdata as they are.
///
/// Servers must not compress names in rdata of types that RFC 1035 does not have (RFC 3597, section 4),
/// and need not understand it in UPDATE for any.
struct Rr<'r, 'a> {
    names: &'r RefCell<Names<'a>>,
    owner: NameRef<'a>,
    rtype: Rtype,
    class: Class,
    ttl: Ttl,
    rdata: &'a [u8],
}

impl ComposeQuestion for Rr<'_, '_> {
    fn compose_question<Target: Composer + ?Sized>(
        &self,
        target: &mut Target,
    ) -> Result<(), Target::AppendError> {
        self.names.borrow_mut().append(self.owner, target)?;
        target.append_slice(&self.rtype.0.to_be_bytes())?;
        target.append_slice(&self.class.to_int().to_be_bytes())
    }
}

impl ComposeRecord for Rr<'_, '_> {
    fn compose_record<Target: Composer + ?Sized>(
        &self,
        target: &mut Target,
    ) -> Result<(), Target::AppendError> {
        self.compose_question(target)?;
        target.append_slice(&self.ttl.as_secs().to_be_bytes())?;
        let length = u16::try_from(self.rdata.len()).expect("rdata have at most 65535 octets");
        target.append_slice(&length.to_be_bytes())?;
        target.append_slice(self.rdata)
    }
}

/// The changes have no room in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

impl From<PushError> for NoRoom {
    fn from(_: PushError) -> Self {
        Self
    }
}
