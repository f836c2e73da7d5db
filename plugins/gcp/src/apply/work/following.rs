//! What follows from an answer, and from what is served.

use super::{Stage, Task, Work};
use crate::apply::served::{Served, State, place};
use crate::apply::split;
use crate::apply::verdict::{At, Element, Refusal, Side, Verdict};

/// How often a change is sent that nobody answers.
const MOST_LOST: u32 = 3;
/// How often a change is sent that Cloud DNS finds not to fit although what is served fits.
const MOST_CONDITIONS: u32 = 2;
/// How often a part of a change is left out because it was named as wrong, before the rest is refused too.
const MOST_CONTENTS: u32 = 10;

impl Work<'_> {
    /// What follows from an answer by which nothing was made.
    pub(super) fn judge(&mut self, mut task: Task, refusal: &Refusal) {
        let told = refusal.told();
        match refusal.verdict() {
            Verdict::Condition => {
                task.conditions += 1;
                task.is_extra = true;
                task.stage = Stage::LookAfterRefusal(told);
                self.await_turn(&task);
                self.tasks.push(task);
            }
            Verdict::Moved => self.abandon(&task, &moved(&told)),
            Verdict::Content(elements) => self.leave_out(task, &elements, &told),
            Verdict::TooMuch => match split::halves(&self.plan, &task.places) {
                Some((first, second)) => {
                    self.await_turn(&task);
                    for places in [second, first] {
                        let (is_extra, task) = (true, task.clone());
                        self.tasks.push(Task {
                            places,
                            is_extra,
                            ..task
                        });
                    }
                }
                None => self.refuse(&task, &told),
            },
            Verdict::This => self.refuse(&task, &told),
            Verdict::Everything => self.abandon(&task, &told),
        }
    }

    /// Refuses what an answer names, and sends the rest again.
    fn leave_out(&mut self, mut task: Task, elements: &[(Element, String)], told: &str) {
        task.contents += 1;
        let named = elements.iter().filter_map(|(element, reason)| {
            let at = self.find(&task, element)?;
            let change = self.plan.item(at).change;
            let (owner, rtype) = (change.owner(), change.rtype());
            let reason = format!("Cloud DNS does not take `{owner} {rtype}`: {reason}");
            Some((at, reason))
        });
        let named: Vec<_> = named.collect();
        if named.is_empty() || task.contents > MOST_CONTENTS {
            self.refuse(&task, told);
            return;
        }
        self.await_turn(&task);
        for (at, reason) in named {
            let places = vec![at];
            let alone = Task {
                places,
                ..task.clone()
            };
            self.refuse(&alone, &reason);
        }
        task.is_extra = true;
        self.tasks.push(task);
    }

    /// The place in the plan of a part of a request.
    fn find(&self, task: &Task, element: &Element) -> Option<usize> {
        let mut on_side = task.places.iter().copied().filter(|&at| {
            let change = self.plan.item(at).change;
            match element.side {
                Side::Additions => change.addition().is_some(),
                Side::Deletions => change.deletion().is_some(),
            }
        });
        match &element.at {
            At::Number(number) => on_side.nth(*number),
            At::Place(wanted) => on_side.find(|&at| place(self.plan.item(at).change) == *wanted),
        }
    }

    /// Compares what is served with what is to be made.
    pub(super) fn compare(&mut self, mut task: Task, stage: &Stage, served: &Served) {
        let (mut before, mut after, mut other) = (Vec::new(), Vec::new(), Vec::new());
        for &at in &task.places {
            match served.state(self.plan.item(at).change) {
                State::Before(text) => {
                    before.push(at);
                    if let Some(text) = text {
                        self.texts.insert(at, text);
                    }
                }
                State::After => after.push(at),
                State::Else => other.push(at),
            }
        }
        if !after.is_empty() {
            self.settle(&after, None, false);
        }
        task.places.retain(|at| after.binary_search(at).is_err());
        if let Some(&first) = other.first() {
            let change = self.plan.item(first).change;
            let what = format!(
                "`{} {}` {}",
                change.owner(),
                change.rtype(),
                served.told(change)
            );
            let reason = match stage {
                Stage::LookAfterLoss => format!(
                    "{what}, which is neither what was planned from nor what was planned; plan again"
                ),
                _ => moved(&what),
            };
            self.abandon(&task, &reason);
        } else if before.is_empty() {
            // All of it is as it should be.
        } else if task.losses >= MOST_LOST && *stage == Stage::LookAfterLoss {
            self.abandon(&task, "what is served is still as before");
        } else if task.conditions >= MOST_CONDITIONS
            && let Stage::LookAfterRefusal(refusal) = stage
        {
            let reason = format!("{refusal}; but what is served is listed as it was planned from");
            self.abandon(&task, &reason);
        } else {
            task.stage = Stage::Send;
            self.tasks.push(task);
        }
    }
}

/// What is said where something is served that nobody has planned for.
fn moved(what: &str) -> String {
    format!("somebody else has changed the zone since it was planned: {what}; plan again")
}
