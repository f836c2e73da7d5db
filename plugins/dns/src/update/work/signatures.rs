//! What to do where the signatures of a server stand in the way of a CNAME.

use std::ops::Range;

use domain::base::iana::Rcode;
use janitor_plugin_api::dns::{NameRef, Rrset, Rtype, Ttl};

use super::{Reply, Stage, Task, Work};
use crate::update::condition;
use crate::update::plan::Item;
use crate::update::verdict::text;

impl Work<'_> {
    /// Whether the signatures of the server itself may be what stands in the way of a CNAME: certainly
    /// nothing else does where nothing but that is sent.
    pub(super) fn may_be_signed(&self, task: &Task) -> bool {
        let is_alone = task.bundles.len() == 1;
        !task.has_signatures
            && (self.is_signed || is_alone)
            && self.next_in_place_of_others(task, 0).is_some()
    }

    /// The first bundle of a task, from `at` on, with a CNAME that takes the place of other data.
    fn next_in_place_of_others(&self, task: &Task, at: usize) -> Option<usize> {
        let Range { start, end } = task.bundles;
        (start.max(at)..end).find(|&at| {
            let items = self.plan.items(self.plan.bundle_at(at));
            condition::cname_in_place_of_others(items).is_some()
        })
    }

    /// Asks for what signs the next name at or behind `at` that a CNAME is to have; then it is written.
    pub(super) fn ask_for_signatures(&mut self, mut task: Task, at: usize) {
        task.has_signatures = true;
        let next = self.next_in_place_of_others(&task, at);
        let stage = next.map_or(Stage::Write, |bundle| Stage::AskSignatures(bundle, 0));
        self.go_on(task, stage);
    }

    pub(super) fn looked_for_signatures(
        &mut self,
        mut task: Task,
        reply: Reply,
        bundle: usize,
        nth: usize,
    ) {
        match reply {
            Reply::Signatures(found) => {
                self.signatures.extend(found);
                let items = self.plan.items(self.plan.bundle_at(bundle));
                if nth + 1 < signed(items).count() {
                    self.go_on(task, Stage::AskSignatures(bundle, nth + 1));
                    return;
                }
                let owner = items.first().map(|item| item.change.owner().to_owned());
                let all = std::mem::take(&mut self.signatures);
                if let Some(owner) = owner.filter(|_| !all.is_empty()) {
                    let mut rrset = Rrset::new(owner, Rtype::RRSIG, Ttl::default());
                    // One that is none makes the condition fail, as it should.
                    let _pushed = all.iter().try_for_each(|rdata| rrset.push_rdata(rdata));
                    self.plan.send_signed(bundle, rrset);
                    self.is_signed = true;
                }
                self.ask_for_signatures(task, bundle + 1);
            }
            Reply::NotSent(_) | Reply::Lost(_) if task.looks + 1 < self.rules.attempts => {
                task.looks += 1;
                self.tasks.push(task);
            }
            _ => {
                self.signatures.clear();
                task.stage = Stage::Write;
                self.take_apart(task, &text(Rcode::YXRRSET), true);
            }
        }
    }
}

/// The RRsets at the owner of a bundle that have signatures of their own, if nothing is there that the
/// bundle does not delete.
pub(super) fn signed<'a>(bundle: &[Item<'a>]) -> impl Iterator<Item = (NameRef<'a>, Rtype)> {
    let deletions = bundle.iter().filter_map(|item| item.change.deletion());
    let deletions = deletions.map(|rrset| (rrset.owner(), rrset.rtype()));
    let owner = bundle.first().map(|item| item.change.owner());
    deletions.chain(owner.map(|owner| (owner, Rtype::NSEC)))
}
