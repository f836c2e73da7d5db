//! Several questions on one connection at once (RFC 7766, section 6.2.1.1).

use super::{Connection, GONE, random_id};
use crate::fault::{Fault, Unfit};
use crate::message::{Answer, Expected, Request};
use crate::signing::Signing;

/// Questions that were sent together, and their answers, which may come in any order.
///
/// Each answer is one message: transfers are no questions of this kind.
pub(crate) struct Several<'a> {
    connection: &'a mut Connection,
    first_id: u16,
    /// By the distance of its ID from the first: what is expected of an answer that has not come.
    waiting: Vec<Option<(Expected, Signing)>>,
}

impl Connection {
    /// Sends `requests`, of which there are at most [`Several::MOST`], at once.
    ///
    /// # Errors
    ///
    /// They did not leave as a whole. A connection that its server had closed while it was idle is such an
    /// error, too: unlike [`ask`](Connection::ask), this does not try again.
    pub(crate) async fn ask_several(&mut self, requests: &[Request]) -> Result<Several<'_>, Fault> {
        debug_assert!(requests.len() <= Several::MOST);
        let first_id = random_id();
        let mut frames = Vec::new();
        let mut waiting = Vec::with_capacity(requests.len());
        for (number, request) in (0..).zip(requests) {
            let id = first_id.wrapping_add(number);
            let (expected, signing) = self.frame(request, id, &mut frames)?;
            waiting.push(Some((expected, signing)));
        }
        if !self.is_settled {
            self.connect_anew().await?;
        }
        self.is_settled = false;
        self.send(&frames).await?;
        Ok(Several {
            connection: self,
            first_id,
            waiting,
        })
    }
}

impl Several<'_> {
    /// Questions that no server holds back: their answers fit into the buffers on the way.
    pub(crate) const MOST: usize = 64;

    /// The next answer, with the number of its question; none when all have been answered.
    ///
    /// # Errors
    ///
    /// As [`Exchange::next`](super::Exchange::next); all questions are over then.
    pub(crate) async fn next(&mut self) -> Result<Option<(usize, Answer<'_>)>, Fault> {
        if self.waiting.iter().all(Option::is_none) {
            self.connection.is_reused = true;
            // Whatever comes behind the last answer belongs to nothing that was asked.
            let idle = self.connection.idle.as_ref();
            self.connection.is_settled = idle.is_some_and(|idle| idle.buffer.is_empty());
            return Ok(None);
        }
        let range = self.connection.receive(true).await?;
        let buffer = &mut self.connection.idle.as_mut().ok_or(GONE)?.buffer;
        let octets = &mut buffer.octets[range];
        let id = Answer::id_of(octets);
        let number = usize::from(id.wrapping_sub(self.first_id));
        let waiting = self.waiting.get_mut(number).and_then(Option::take);
        let (expected, mut signing) = waiting.ok_or(Unfit::Id {
            expected: self.first_id,
            found: id,
        })?;
        expected.check(octets, true)?;
        let length = signing.verify(octets)?;
        signing.done()?;
        Ok(Some((number, Answer::new(&octets[..length]))))
    }
}
