//! What follows from the answers of a primary.

use std::ops::Range;

use domain::base::iana::Rcode;
use janitor_plugin_api::dns::{Change, Serial};

use super::{Again, Fate, Opening, Reply, Stage, Task, Work};
use crate::update::verdict::{Verdict, text, verdict};

/// Owners refused alone, and none taken, before the others are no longer taken apart.
const ENOUGH_REFUSED: u32 = 4;

impl Work<'_> {
    /// Takes what came of the last step.
    pub(in crate::update) fn answer(&mut self, reply: Reply) {
        match (self.current.take(), &self.opening) {
            (None, Opening::Ask(failures)) => {
                let failures = failures + 1;
                self.opened(reply, failures);
            }
            (None, _) => {}
            (Some(task), _) => match task.stage {
                Stage::Write => self.written(task, reply),
                Stage::AskSoa => self.asked_again(task, reply),
                Stage::LookAfter | Stage::LookBefore => self.looked(task, reply),
                Stage::LookTtl => self.looked_for_ttl(task, reply),
                Stage::LookSerial => self.looked_for_serial(&task, reply),
                Stage::AskSignatures(bundle, nth) => {
                    self.looked_for_signatures(task, reply, bundle, nth);
                }
            },
        }
    }

    /// The first answer: whether there is anything to begin with.
    fn opened(&mut self, reply: Reply, failures: u32) {
        let reason = match reply {
            Reply::Soa(Some((_, serial))) if self.has_moved(serial) => self.moved(serial),
            Reply::Soa(Some((rdata, serial))) => {
                self.served = Some(serial);
                self.opening = Opening::Known(rdata, serial);
                return;
            }
            // Nothing hangs on it then.
            Reply::Soa(None) | Reply::Rcode(_) if !self.rules.serial_decides => {
                self.opening = Opening::Over;
                return;
            }
            Reply::NotSent(_) | Reply::Lost(_) if failures < self.rules.attempts => {
                self.opening = Opening::Ask(failures);
                return;
            }
            Reply::NotSent(reason)
            | Reply::Lost(reason)
            | Reply::Doubtful(reason)
            | Reply::Rejected(reason) => reason,
            Reply::Rcode(rcode) => format!("cannot ask for the serial: the server answers {rcode}"),
            Reply::Soa(None) | Reply::Ttl(_) | Reply::Signatures(_) => {
                "the server has no SOA for the zone".to_owned()
            }
        };
        self.give_up(&reason);
    }

    fn has_moved(&self, serial: Serial) -> bool {
        self.rules.serial_decides && self.planned.is_some_and(|planned| planned != serial)
    }

    /// The zone is another one by now.
    fn moved(&self, now: Serial) -> String {
        let planned = self.planned.unwrap_or(now);
        format!(
            "the zone has serial {now} by now, and the changes were planned from serial {planned}; run \
             again, or set `if_moved = \"compare\"` to let each RRset decide for itself"
        )
    }

    fn written(&mut self, mut task: Task, reply: Reply) {
        match reply {
            Reply::Rcode(rcode) => match verdict(rcode) {
                Verdict::Done => self.done(&task),
                Verdict::Moved if task.with_soa => {
                    task.stage = Stage::AskSoa;
                    self.tasks.push(task);
                }
                // The write before it may have come through late.
                Verdict::Moved if task.lost.is_some() && !task.was_late => {
                    task.was_late = true;
                    self.look(task);
                }
                Verdict::Moved if rcode == Rcode::YXRRSET && self.may_be_signed(&task) => {
                    self.ask_for_signatures(task, 0);
                }
                Verdict::Moved => self.take_apart(task, &text(rcode), true),
                Verdict::Later if task.writes + 1 < self.rules.attempts => {
                    task.writes += 1;
                    self.tasks.push(task);
                }
                Verdict::Later | Verdict::Refused => self.take_apart(task, &text(rcode), false),
                Verdict::Never => self.abandon(&task, &text(rcode)),
            },
            Reply::NotSent(_) if task.writes + 1 < self.rules.attempts => {
                task.writes += 1;
                self.tasks.push(task);
            }
            Reply::NotSent(reason) | Reply::Rejected(reason) => self.abandon(&task, &reason),
            Reply::Lost(reason) | Reply::Doubtful(reason) => {
                task.lost = Some(reason);
                task.with_soa = false;
                task.writes += 1;
                self.look(task);
            }
            Reply::Soa(_) | Reply::Ttl(_) | Reply::Signatures(_) => {
                self.cannot_tell(&task, "an answer to something else");
            }
        }
    }

    /// Asks whether it has been done.
    fn look(&mut self, mut task: Task) {
        task.stage = Stage::LookAfter;
        task.looks = 0;
        self.tasks.push(task);
    }

    /// A condition did not hold, and one was that the SOA is as it was. Where a server signs a copy of the
    /// zone, what is updated has another serial than what is served (BIND, `inline-signing`): if the
    /// serial has not moved, the RRsets decide.
    fn asked_again(&mut self, mut task: Task, reply: Reply) {
        match reply {
            Reply::Soa(Some((_, serial))) if self.has_moved(serial) => {
                let reason = self.moved(serial);
                self.abandon(&task, &reason);
            }
            Reply::Soa(Some(_)) => {
                task.with_soa = false;
                task.stage = Stage::Write;
                task.looks = 0;
                self.tasks.push(task);
            }
            Reply::NotSent(_) | Reply::Lost(_) if task.looks + 1 < self.rules.attempts => {
                task.looks += 1;
                self.tasks.push(task);
            }
            Reply::NotSent(reason)
            | Reply::Lost(reason)
            | Reply::Doubtful(reason)
            | Reply::Rejected(reason) => self.abandon(&task, &reason),
            Reply::Rcode(_) | Reply::Soa(None) | Reply::Ttl(_) | Reply::Signatures(_) => {
                self.abandon(
                    &task,
                    "the server does not say any more which serial the zone has",
                );
            }
        }
    }

    fn looked(&mut self, mut task: Task, reply: Reply) {
        let after = task.stage == Stage::LookAfter;
        match reply {
            Reply::Rcode(rcode) => match (verdict(rcode), after) {
                // Conditions say nothing of TTLs, so what else there is may have been made by somebody else.
                (Verdict::Done, true) if self.ttl_only(&task.bundles).is_some() => {
                    self.go_on(task, Stage::LookTtl);
                }
                (Verdict::Done, true) => self.done(&task),
                (Verdict::Done, false) => self.not_done(task),
                (Verdict::Moved, true) => self.go_on(task, Stage::LookBefore),
                (Verdict::Moved, false) => {
                    let lost = task.lost.as_deref().unwrap_or_default();
                    let reason = format!(
                        "{lost}; what is served now is neither what was planned from nor what was planned"
                    );
                    task.stage = Stage::LookAfter;
                    self.take_apart(task, &reason, true);
                }
                (Verdict::Later, _) if task.looks + 1 < self.rules.attempts => {
                    task.looks += 1;
                    self.tasks.push(task);
                }
                _ => self.go_on(task, Stage::LookSerial),
            },
            Reply::NotSent(_) | Reply::Lost(_) if task.looks + 1 < self.rules.attempts => {
                task.looks += 1;
                self.tasks.push(task);
            }
            Reply::Doubtful(_) => self.go_on(task, Stage::LookSerial),
            Reply::NotSent(reason) | Reply::Lost(reason) | Reply::Rejected(reason) => {
                self.cannot_tell(&task, &reason);
            }
            Reply::Soa(_) | Reply::Ttl(_) | Reply::Signatures(_) => {
                self.cannot_tell(&task, "an answer to something else");
            }
        }
    }

    fn looked_for_ttl(&mut self, mut task: Task, reply: Reply) {
        let wanted = self.ttl_only(&task.bundles).and_then(Change::addition);
        match reply {
            Reply::Ttl(Some(ttl)) if wanted.is_some_and(|rrset| rrset.ttl() == ttl) => {
                self.done(&task);
            }
            Reply::Ttl(Some(_)) => self.not_done(task),
            Reply::NotSent(_) | Reply::Lost(_) if task.looks + 1 < self.rules.attempts => {
                task.looks += 1;
                self.tasks.push(task);
            }
            _ => self.cannot_tell(&task, "the server does not say which TTL it has"),
        }
    }

    /// A server that does not tell about conditions may tell its serial.
    fn looked_for_serial(&mut self, task: &Task, reply: Reply) {
        match (reply, &self.opening) {
            (Reply::Soa(Some((_, now))), Opening::Known(_, before)) if now == *before => {
                let lost = task.lost.as_deref().unwrap_or_default();
                let reason = format!("{lost}; the serial is still {now}, so it was not done");
                self.abandon(task, &reason);
            }
            _ => self.cannot_tell(task, "the server does not say what it serves"),
        }
    }

    pub(super) fn go_on(&mut self, mut task: Task, stage: Stage) {
        task.stage = stage;
        task.looks = 0;
        self.tasks.push(task);
    }

    fn done(&mut self, task: &Task) {
        self.opening = Opening::Over;
        self.tally.taken += 1;
        self.settle(&task.bundles, &Fate::Taken);
    }

    /// It is certain that the write without an answer has not been done.
    fn not_done(&mut self, task: Task) {
        if task.writes < self.rules.attempts {
            self.go_on(task, Stage::Write);
            return;
        }
        let lost = task.lost.as_deref().unwrap_or_default();
        let reason = format!("{lost}, {} times; it was not done", task.writes);
        self.abandon(&task, &reason);
    }

    /// Nobody answers who could tell.
    fn cannot_tell(&mut self, task: &Task, reason: &str) {
        let lost = task.lost.as_deref().unwrap_or_default();
        let unknown = format!("{lost}; cannot ask whether it was done: {reason}");
        let not_sent = format!("not sent, because of what was sent before: {lost}");
        self.settle(&task.bundles, &Fate::Unknown(unknown));
        self.give_up(&not_sent);
    }

    /// Goes on with the halves of what cannot be done as a whole.
    pub(super) fn take_apart(&mut self, task: Task, reason: &str, moved: bool) {
        let Range { start, end } = task.bundles;
        if end - start > 1 && (moved || !self.is_hopeless()) {
            let cut = self.middle(start..end);
            for bundles in [cut..end, start..cut] {
                self.tasks.push(Task {
                    bundles,
                    writes: 0,
                    looks: 0,
                    was_late: false,
                    ..task.clone()
                });
            }
            return;
        }
        let begins_owner = self.plan.bundle_at(start).begins_owner;
        self.tally.refused_owners += u32::from(!moved && begins_owner);
        let reason = self.named(&task.bundles, reason);
        // A server may refuse what refers to something that is still to come: BIND a MX before the address
        // it names.
        if !moved && end - start == 1 && !task.is_last_try {
            self.again.push_back(Again {
                bundle: start,
                reason,
                taken: self.tally.taken,
            });
            return;
        }
        let fate = match task.stage {
            Stage::Write => Fate::Refused(reason),
            _ => Fate::Unknown(reason),
        };
        self.settle(&task.bundles, &fate);
    }

    /// Whether so much was refused alone, and nothing taken, that it seems to be about the whole zone. The
    /// parts that are left are then sent once each.
    const fn is_hopeless(&self) -> bool {
        self.tally.taken == 0 && self.tally.refused_owners >= ENOUGH_REFUSED
    }

    /// Where to cut: between two owners, as near to the middle as can be; else within one.
    fn middle(&self, Range { start, end }: Range<usize>) -> usize {
        let middle = start.midpoint(end);
        let cuts = (start + 1..end).filter(|&at| self.plan.bundle_at(at).begins_owner);
        cuts.min_by_key(|&at| at.abs_diff(middle)).unwrap_or(middle)
    }

    /// Refuses what a task is about, and everything that has not been sent.
    pub(super) fn abandon(&mut self, task: &Task, reason: &str) {
        self.settle(&task.bundles, &Fate::Refused(reason.to_owned()));
        self.give_up(reason);
    }

    /// Refuses everything that has not been sent, or was sent and refused as a part of more.
    fn give_up(&mut self, reason: &str) {
        let fate = Fate::Refused(reason.to_owned());
        for task in std::mem::take(&mut self.tasks) {
            self.settle(&task.bundles, &fate);
        }
        for again in std::mem::take(&mut self.again) {
            self.settle(
                &(again.bundle..again.bundle + 1),
                &Fate::Refused(again.reason),
            );
        }
        self.settle(&(self.next..self.plan.len()), &fate);
        self.next = self.plan.len();
        self.opening = Opening::Over;
    }
}
