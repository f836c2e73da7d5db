//! Reads served zones, several at once, and answers each as soon as it is there.
//!
//! Everything happens on the plugin's own thread and in one future, so that whoever drops that future
//! drops every read. A zone counts as being read until its answer was taken: a host that is behind
//! slows down the asking, and never makes zones pile up.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use abi_stable::std_types::ROption;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{ActualReader, ChangeSender, Question, RrsetReceiver};
use super::{answer_compared, answer_left_out, answer_read};
use crate::abi::values::AbiAnswer;
use crate::dns::{LeftAlone, diff};
use crate::error::Error;

/// Answers every question of `questions` with what `reader` reads.
pub(super) async fn answer_all<P: ActualReader>(
    reader: &P,
    questions: &mut RrsetReceiver,
    answers: &mut ChangeSender,
) -> Result<(), Error> {
    let left_alone = reader.left_alone();
    let host = questions.host.clone();
    let mut cancelled = pin!(host.cancelled());
    let mut reads = Reads {
        at_once: reader.at_once().max(1),
        running: FuturesUnordered::new(),
        read: VecDeque::new(),
        leaving: ROption::RNone,
        more_may_come: true,
    };
    poll_fn(|cx| {
        loop {
            if reads.in_flight() > 0 && cancelled.as_mut().poll(cx).is_ready() {
                let unread = reads.in_flight();
                let noun = if unread == 1 {
                    "zone was"
                } else {
                    "zones were"
                };
                let text = format!("{unread} {noun} not read to the end");
                return Poll::Ready(Err(Error::cancelled(text)));
            }
            match reads.poll_answers(cx, answers) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if !reads.more_may_come => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            if !reads.more_may_come || reads.in_flight() >= reads.at_once {
                return Poll::Pending;
            }
            // A question that has not come yet is not lost with the future that waits for it.
            match pin!(questions.receive()).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(question)) => {
                    let answer = answer(reader, question, &left_alone);
                    reads.running.push(answer);
                }
                Poll::Ready(None) => reads.more_may_come = false,
            }
        }
    })
    .await
}

/// What is being read, what was read, and what is on its way to the host.
struct Reads<F> {
    at_once: usize,
    running: FuturesUnordered<F>,
    read: VecDeque<AbiAnswer>,
    leaving: ROption<AbiAnswer>,
    more_may_come: bool,
}

impl<F: Future<Output = Result<AbiAnswer, Error>>> Reads<F> {
    /// Zones that were asked for and whose answers were not taken.
    fn in_flight(&self) -> usize {
        self.running.len() + self.read.len() + usize::from(self.leaving.is_some())
    }

    /// Reads on, also while the host takes no answers. Ready when nothing is in flight any more.
    fn poll_answers(
        &mut self,
        cx: &mut Context<'_>,
        answers: &mut ChangeSender,
    ) -> Poll<Result<(), Error>> {
        while let Poll::Ready(Some(answer)) = self.running.poll_next_unpin(cx) {
            self.read.push_back(answer?);
        }
        loop {
            if self.leaving.is_none() {
                self.leaving = self.read.pop_front().into();
            }
            if self.leaving.is_none() {
                break;
            }
            match answers.0.poll_send(cx, &mut self.leaving) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(sent) => sent?,
            }
        }
        if self.running.is_empty() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}

/// Reads the zone of one question, and compares it where that is asked.
async fn answer<P: ActualReader>(
    reader: &P,
    question: Question,
    left_alone: &LeftAlone,
) -> Result<AbiAnswer, Error> {
    let actual = match reader.read(question.apex()).await {
        Ok(actual) => actual,
        Err(error) if error.ends_the_run() => return Err(error),
        Err(error) => return Ok(answer_left_out(question.apex(), &error)),
    };
    let Question::Compare(desired) = question else {
        return Ok(answer_read(actual));
    };
    let changes = diff(&desired, &actual, left_alone)
        .map_err(|e| Error::bug(format!("cannot compare `{}`: {e}", desired.apex())))?;
    Ok(answer_compared(changes, Some(actual)))
}
