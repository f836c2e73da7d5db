//! Makes a part of a set of changes.

use super::change::{Action, Change};
use super::changes::{Changes, ChangesWriter};
use super::diff::Served;

impl Changes {
    /// Returns the changes that `wanted` wants, in order.
    ///
    /// `wanted` is asked once for each change. An addition that waits for a deletion which is
    /// not wanted would conflict with what stays, a CNAME with other data: it is left out too,
    /// and `blocked` is told of it.
    ///
    /// Additions, updates and deletions are counted anew; the other counts stay.
    #[must_use]
    pub fn keep<'a>(
        &'a self,
        wanted: impl FnMut(Change<'a>) -> bool,
        blocked: impl FnMut(Change<'a>),
    ) -> Self {
        // A part of a buffer fits into a buffer.
        self.select(wanted, blocked).finish(self.apex().to_owned())
    }

    /// Returns what is left of the changes when the desired zone turns out to be
    /// incomplete: the additions that do not wait for a deletion at their owner.
    ///
    /// What is left out is counted as it is when an incomplete zone is compared.
    #[must_use]
    pub fn additions_only(&self) -> Self {
        let mut left_out = [0_u32; 2];
        let mut blocked = 0_u32;
        let mut writer = self.select(
            |change| {
                match change.action() {
                    Action::Addition => return true,
                    Action::Update => left_out[0] += 1,
                    Action::Deletion => left_out[1] += 1,
                }
                false
            },
            |_| blocked += 1,
        );
        let counts = &mut writer.counts;
        for (count, more) in [
            (&mut counts.incomplete_additions, blocked),
            (&mut counts.incomplete_updates, left_out[0]),
            (&mut counts.incomplete_deletions, left_out[1]),
        ] {
            // It starts at what whoever made the changes says, which may be anything.
            *count = count.saturating_add(more);
        }
        writer.finish(self.apex().to_owned())
    }

    fn select<'a>(
        &'a self,
        mut wanted: impl FnMut(Change<'a>) -> bool,
        mut blocked: impl FnMut(Change<'a>),
    ) -> ChangesWriter {
        let mut writer = ChangesWriter::new();
        writer.counts = self.counts().without_changes();
        let mut kept: Vec<Change<'a>> = Vec::new();
        // What gained something may only lose from here on, and comes among the others that do.
        let mut losses: Vec<Change<'a>> = Vec::new();
        let mut owners = self.owners().peekable();
        while let Some(owner) = owners.next_if(|owner| !owner.only_loses()) {
            let at_apex = owner.owner == self.apex();
            let mut stays = Served::default();
            kept.clear();
            for change in owner.changes {
                if wanted(change) {
                    kept.push(change);
                } else if change.deletion().is_some() {
                    stays.note(change.rtype(), at_apex);
                }
            }
            kept.retain(|change| {
                let conflicts =
                    change.action() == Action::Addition && stays.conflicts_with(change.rtype());
                if conflicts {
                    blocked(*change);
                }
                !conflicts
            });
            if kept
                .iter()
                .all(|change| change.action() == Action::Deletion)
            {
                losses.append(&mut kept);
            } else {
                writer.push_owner(&kept);
            }
        }
        let mut losses = losses
            .chunk_by(|one, next| one.owner() == next.owner())
            .peekable();
        for owner in owners {
            while let Some(before) = losses.next_if(|loss| loss[0].owner() < owner.owner) {
                writer.push_owner(before);
            }
            kept.clear();
            kept.extend(owner.changes.filter(|change| wanted(*change)));
            writer.push_owner(&kept);
        }
        losses.for_each(|loss| writer.push_owner(loss));
        writer
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{actual, desired};
    use super::super::{LeftAlone, Rtype, diff};
    use super::*;

    fn changes(wanted: &str, served: &str) -> Changes {
        diff(&desired(wanted), &actual(served), &LeftAlone::default()).unwrap()
    }

    #[test]
    fn a_part_is_in_order_and_counted_anew() {
        let all = changes(
            "a 1 A 192.0.2.2\n b 1 A 192.0.2.1\n c 1 TXT x",
            "a 1 A 192.0.2.1\n d 1 A 192.0.2.1",
        );
        let part = all.keep(|change| change.rtype() == Rtype::A, |_| panic!("blocked"));
        assert!(Changes::check(part.apex().to_owned(), part.octets().into()).is_ok());
        let counts = part.counts();
        assert_eq!(
            (counts.additions, counts.updates, counts.deletions),
            (1, 1, 1)
        );
        assert_eq!(
            all.keep(|_| true, |_| panic!("blocked")).octets(),
            all.octets()
        );
        assert!(all.keep(|_| false, |_| panic!("blocked")).is_empty());
    }

    #[test]
    fn an_owner_that_only_loses_now_comes_where_it_belongs() {
        let all = changes(
            "c 1 A 192.0.2.1\n d 1 A 192.0.2.1",
            "a 1 A 192.0.2.1\n c 1 TXT x\n d 1 TXT x\n e 1 A 192.0.2.1",
        );
        let part = all.keep(
            |change| change.action() == Action::Deletion,
            |_| panic!("blocked"),
        );
        assert_eq!(
            part.iter()
                .map(|change| change.owner().to_string())
                .collect::<Vec<_>>(),
            [
                "a.example.test.",
                "c.example.test.",
                "d.example.test.",
                "e.example.test."
            ]
        );
        assert!(Changes::check(part.apex().to_owned(), part.octets().into()).is_ok());
    }

    #[test]
    fn an_addition_waits_for_the_deletion_that_makes_room_for_it() {
        for (wanted, served) in [
            ("a 1 A 192.0.2.1", "a 1 CNAME b"),
            ("a 1 CNAME b", "a 1 A 192.0.2.1"),
        ] {
            let all = changes(
                &format!("{wanted}\n z 1 A 192.0.2.9"),
                &format!("{served}\n z 1 A 192.0.2.9"),
            );
            let mut blocked = 0;
            let part = all.keep(
                |change| change.action() != Action::Deletion,
                |_| blocked += 1,
            );
            assert_eq!((part.len(), blocked), (0, 1), "{wanted}");
        }
    }

    #[test]
    fn an_addition_that_nothing_is_in_the_way_of_does_not_wait() {
        let all = changes("a 1 A 192.0.2.1", "a 1 TXT x");
        let part = all.keep(
            |change| change.action() != Action::Deletion,
            |_| panic!("blocked"),
        );
        assert_eq!(part.len(), 1);
    }
}
