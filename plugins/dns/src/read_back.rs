//! Whether every server serves what was changed.
//!
//! The primary says that it made the changes; the others get them from it, in their own time. Each server is
//! asked again and again, with growing pauses, until its serial is that of the primary after the changes, or a
//! later one, and no answer contradicts them.
//!
//! The serial alone says that a server has the zone of then or of later. The RRsets are asked for all the same:
//! there are primaries that do not raise the serial, and servers that were told to serve something else.

mod sight;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use janitor_plugin_api::dns::{Change, Changes, Name, NameRef, Rrset, Rtype, Serial};
use janitor_plugin_api::in_one_line;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

use self::sight::{Obstacle, Sight, judge};
use crate::connection::{Connection, Several};
use crate::fault::Fault;
use crate::message::{Answer, Request};
use crate::server::Server;

/// The first pause before a server is asked again. Each later one is twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How often a server is asked that has the zone and answers nothing but errors, which time does not heal:
/// PowerDNS says SERVFAIL to what it would have to look up elsewhere.
const MOST_FAILURES: u32 = 5;

/// What reading back has found of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Every server serves it.
    Everywhere,
    /// Every server has been asked, and what they say of this change proves nothing, nor does the serial,
    /// which is the one of before.
    CannotTell,
    /// These servers did not serve it in time: each with its reason, in one line.
    NotYet(String),
    /// The primary itself serves something else, whatever it said; as [`Self::NotYet`].
    NotAtPrimary(String),
}

/// What is to be read back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) apex: NameRef<'a>,
    /// Where the changes were made; asked first, for its serial.
    pub(crate) primary: &'a Arc<Server>,
    /// All servers of the zone, with or without the primary.
    pub(crate) servers: &'a [Arc<Server>],
    pub(crate) changes: &'a Changes,
    /// The changes that were made, by their index.
    pub(crate) made: &'a [u32],
    /// The serial of before the changes, if it is known.
    pub(crate) before: Option<Serial>,
}

/// Waits until every server serves what was changed, for `settle` at most.
///
/// Returns what was found of each change of `made`, in its order. May be dropped at any time.
pub(crate) async fn read_back(question: Question<'_>, settle: Duration) -> Vec<Seen> {
    let deadline = Instant::now() + settle;
    let all: BTreeMap<u32, Change<'_>> = (0..).zip(question.changes.iter()).collect();
    let pending: BTreeMap<u32, Change<'_>> = question
        .made
        .iter()
        .filter_map(|index| Some((*index, *all.get(index)?)))
        .collect();
    let mut primary = Watch::new(question.primary, question.apex, pending.clone());
    let serial = timeout_at(deadline, primary.serial()).await.ok();
    let Some(serial) = serial else {
        let text = primary.reason(None);
        return vec![Seen::NotYet(text); question.made.len()];
    };
    // A serial that stands still is reached by everyone, and says nothing.
    let is_telling = question.before.is_none_or(|before| serial.is_after(before));
    let others = question
        .servers
        .iter()
        .filter(|server| !Arc::ptr_eq(server, question.primary))
        .map(|server| Watch::new(server, question.apex, pending.clone()));
    let mut watches: Vec<_> = std::iter::once(primary).chain(others).collect();
    let asked = watches
        .iter_mut()
        .map(|watch| watch.until(deadline, serial));
    join_all(asked).await;
    let seen = question.made.iter().map(|index| {
        let mut missing = String::new();
        let mut is_hidden = false;
        let at_primary = watches.first().and_then(|watch| watch.left.get(index));
        let is_denied = at_primary.is_some_and(Left::is_otherwise);
        for watch in &watches {
            if let Some(left) = watch.left.get(index) {
                let separator = if missing.is_empty() { "" } else { "; " };
                let _written = write!(
                    missing,
                    "{separator}{}",
                    watch.reason(left.obstacle.as_ref())
                );
            }
            is_hidden |= watch.hidden.contains(index);
        }
        match missing.is_empty() {
            false if is_denied => Seen::NotAtPrimary(missing),
            false => Seen::NotYet(missing),
            true if is_hidden && !is_telling => Seen::CannotTell,
            true => Seen::Everywhere,
        }
    });
    seen.collect()
}

/// One server, and what it does not serve yet.
struct Watch<'a> {
    server: &'a Arc<Server>,
    apex: NameRef<'a>,
    left: BTreeMap<u32, Left<'a>>,
    /// Changes of which its answers say nothing.
    hidden: BTreeSet<u32>,
    /// Why the server could not be asked for RRsets, if that was so the last time.
    obstacle: Option<String>,
    /// How many questions it is asked at once.
    at_once: usize,
}

/// A change that has not been seen.
#[derive(Clone, Copy)]
struct Left<'a> {
    change: Change<'a>,
    /// Why not, if it was asked for.
    obstacle: Option<Obstacle>,
}

impl Left<'_> {
    /// Whether the server has said that it serves something else.
    fn is_otherwise(&self) -> bool {
        use Obstacle::{Another, Cname, Delegated, Missing};
        matches!(self.obstacle, Some(Another | Cname | Delegated | Missing))
    }
}

impl<'a> Watch<'a> {
    fn new(server: &'a Arc<Server>, apex: NameRef<'a>, pending: BTreeMap<u32, Change<'a>>) -> Self {
        let left = |change| Left {
            change,
            obstacle: None,
        };
        Self {
            server,
            apex,
            left: pending
                .into_iter()
                .map(|(index, change)| (index, left(change)))
                .collect(),
            hidden: BTreeSet::new(),
            obstacle: None,
            at_once: Several::MOST,
        }
    }

    /// Why a change has not been seen at the server.
    fn reason(&self, obstacle: Option<&Obstacle>) -> String {
        let server = self.server.shown();
        match (&self.obstacle, obstacle) {
            (Some(text), _) => format!("`{server}`: {text}"),
            (None, Some(obstacle)) => format!("`{server}`: {obstacle}"),
            (None, None) => format!("`{server}` was not asked in time"),
        }
    }

    /// The serial of the server, however long it takes.
    async fn serial(&mut self) -> Serial {
        let mut pause = PAUSE;
        loop {
            let asked = async {
                let mut connection = self.server.connection().await?;
                ask_serial(&mut connection, self.apex).await
            };
            match asked.await {
                Ok(Ok(serial)) => return serial,
                Ok(Err(obstacle)) => self.obstacle = Some(obstacle.to_string()),
                Err(fault) => self.obstacle = Some(in_one_line(&fault)),
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Asks until nothing is left, or until the deadline.
    async fn until(&mut self, deadline: Instant, serial: Serial) {
        let asking = async {
            let mut pause = PAUSE;
            let mut failures = 0;
            loop {
                match self.look(serial).await {
                    Ok(()) if self.left.is_empty() => return,
                    Ok(()) if self.fails_for_all() => {
                        failures += 1;
                        if failures == MOST_FAILURES {
                            return;
                        }
                    }
                    Ok(()) => failures = 0,
                    Err(fault) => {
                        self.obstacle = Some(in_one_line(&fault));
                        // There are servers that answer one question and close the connection.
                        self.at_once = (self.at_once / 8).max(1);
                    }
                }
                debug!(
                    server = self.server.shown(),
                    left = self.left.len(),
                    "not everything is served yet"
                );
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        };
        // What was seen until then stands in the fields.
        let _in_time = timeout_at(deadline, asking).await;
    }

    /// Whether the server has the zone, and answers nothing but errors to all questions that are left.
    fn fails_for_all(&self) -> bool {
        let fails = |left: &Left<'_>| matches!(left.obstacle, Some(Obstacle::Rcode(_)));
        self.obstacle.is_none() && self.left.values().all(fails)
    }

    /// Asks once for the serial, and if that is reached for everything that is left.
    async fn look(&mut self, wanted: Serial) -> Result<(), Fault> {
        let mut connection = self.server.connection().await?;
        match ask_serial(&mut connection, self.apex).await? {
            Ok(serial) if wanted.is_after(serial) => {
                self.obstacle = Some(format!(
                    "it serves the serial {serial}, the primary {wanted}"
                ));
                return Ok(());
            }
            Ok(_) => self.obstacle = None,
            Err(obstacle) => {
                self.obstacle = Some(obstacle.to_string());
                return Ok(());
            }
        }
        let left: Vec<_> = self
            .left
            .iter()
            .map(|(index, left)| (*index, left.change))
            .collect();
        for some in left.chunks(self.at_once) {
            self.look_at(&mut connection, some).await?;
        }
        Ok(())
    }

    async fn look_at(
        &mut self,
        connection: &mut Connection,
        some: &[(u32, Change<'a>)],
    ) -> Result<(), Fault> {
        let requests = some
            .iter()
            .map(|(_, change)| query(change.owner().to_owned(), change.rtype()));
        let requests: Vec<_> = requests.collect();
        let mut sights = vec![Sight::Otherwise(Obstacle::Broken); some.len()];
        let sight = |change: Change<'_>, answer: Answer<'_>| {
            let (owner, rtype, wanted) = (change.owner(), change.rtype(), change.addition());
            judge(answer, self.apex, owner, rtype, wanted)
        };
        if let [request] = requests.as_slice() {
            // Asked in the patient way, which connects anew if need be.
            let mut exchange = connection.ask(request.clone()).await?;
            sights[0] = sight(some[0].1, exchange.next().await?);
            exchange.done()?;
        } else {
            let mut answers = connection.ask_several(&requests).await?;
            while let Some((number, answer)) = answers.next().await? {
                sights[number] = sight(some[number].1, answer);
            }
        }
        for ((index, change), sight) in some.iter().zip(sights) {
            let obstacle = match sight {
                Sight::AsWanted => None,
                Sight::Hidden => {
                    self.hidden.insert(*index);
                    None
                }
                Sight::Otherwise(obstacle) => Some(obstacle),
                Sight::Another(found) => {
                    match self.is_made_up(connection, *change, &found).await? {
                        true => {
                            self.hidden.insert(*index);
                            None
                        }
                        false => Some(Obstacle::Another),
                    }
                }
            };
            match (obstacle, self.left.get_mut(index)) {
                (None, _) => drop(self.left.remove(index)),
                (obstacle, Some(left)) => left.obstacle = obstacle,
                (Some(_), None) => {}
            }
        }
        Ok(())
    }

    /// Whether an RRset that is served in place of the wanted one, or of none, need not be the zone's
    /// own: the name is behind a zone cut and another zone of the server has it, or nothing is wanted and
    /// a wildcard makes it.
    async fn is_made_up(
        &self,
        connection: &mut Connection,
        change: Change<'_>,
        found: &Rrset,
    ) -> Result<bool, Fault> {
        let (owner, rtype) = (change.owner(), change.rtype());
        let above = |name| {
            let names = std::iter::successors(Some(name), |name: &NameRef<'_>| name.parent());
            names.take_while(|name| *name != self.apex)
        };
        // DS alone is the parent's at the cut itself (RFC 4035, section 2.4).
        for name in above(owner).skip(usize::from(rtype == Rtype::DS)) {
            let mut exchange = connection.ask(query(name.to_owned(), Rtype::NS)).await?;
            let is_cut = sight::is_cut(exchange.next().await?, name);
            exchange.done()?;
            if is_cut {
                return Ok(true);
            }
        }
        if change.addition().is_some() {
            return Ok(false);
        }
        let wildcards = above(owner).filter_map(|name| wildcard(name.parent()?));
        for wildcard in wildcards.filter(|wildcard| wildcard.as_ref() != owner) {
            let mut exchange = connection.ask(query(wildcard.clone(), rtype)).await?;
            let made = sight::rrset(exchange.next().await?, wildcard.as_ref(), rtype);
            exchange.done()?;
            if made.is_some_and(|made| sight::is_same(&made, found)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The wildcard right below `name`, unless the name is too long for one.
fn wildcard(name: NameRef<'_>) -> Option<Name> {
    Name::from_wire(&[b"\x01*", name.as_wire()].concat()).ok()
}

fn query(owner: Name, rtype: Rtype) -> Request {
    Request::Query { owner, rtype }
}

async fn ask_serial(
    connection: &mut Connection,
    apex: NameRef<'_>,
) -> Result<Result<Serial, Obstacle>, Fault> {
    let mut exchange = connection.ask(Request::Soa(apex.to_owned())).await?;
    let serial = sight::serial(exchange.next().await?, apex);
    exchange.done()?;
    Ok(serial)
}

#[cfg(test)]
mod tests;
