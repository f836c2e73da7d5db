//! What parent and worker tell each other, and how it gets across.
//!
//! One message is one packet of a `SOCK_SEQPACKET` pair: it arrives whole or not at all, whichever
//! thread has sent it. Messages are JSON, but for the record that a crash leaves behind
//! ([`crate::crash`]), which is written where nothing can be allocated; it never starts with `{`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, recv, send, socketpair,
    sockopt,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::crash;

/// Which messages both sides know. They are of one binary, unless somebody starts a worker by hand.
pub(super) const PROTOCOL: u32 = 1;

/// Octets of a message at most; more than a socket takes by default.
const MAX_OCTETS: usize = 256 << 10;

/// What the worker tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FromWorker {
    /// The first message.
    Hello { protocol: u32 },
    /// The configuration is read: how long plugins may take once they were asked to end, and when
    /// they are asked to without a signal.
    Limits {
        grace: f64,
        deadline_in: Option<f64>,
    },
    /// A thread begins something; it does nothing else until it says so.
    Began(Operation),
    /// A thread is done with what it began.
    Done { thread: i32 },
    /// From now on changes go to publishers.
    Publishing,
    /// The last message: everything is told and written.
    Report { code: u8 },
}

/// What the parent tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FromParent {
    /// So many signals have asked for the end by now; the last of them was `signal`.
    Cancel { count: u32, signal: i32 },
    /// So many signals have asked for a progress report by now.
    Progress { count: u32 },
}

/// Something during which code of a library runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// What is being done.
    pub doing: Doing,
    /// The plugins in question: one, or while a library is opened all that are wanted of it.
    pub plugins: Vec<String>,
    /// Version of the library's package.
    pub version: String,
    /// The library's file.
    pub library: String,
    /// Which file that was when it was opened.
    pub identity: Option<String>,
    /// The kernel's number of the thread.
    pub thread: i32,
}

/// What a library's code is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Its initialisers run.
    Opening,
    /// A plugin is created.
    Creating,
    /// A plugin runs, cleans up and is dropped.
    Running,
    /// A plugin that never ran is dropped.
    Dropping,
}

impl Doing {
    /// As the end of "crashed while it was …".
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Opening => "being opened",
            Self::Creating => "being created",
            Self::Running => "running",
            Self::Dropping => "being dropped",
        }
    }
}

/// What arrives at the parent.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    Message(FromWorker),
    Crash(crash::Record),
}

/// One end of the pair.
#[derive(Debug)]
pub(super) struct Link(OwnedFd);

impl Link {
    /// Both ends. A program that is started inherits neither, unless it is given one.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (here, there) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(here), there))
    }

    /// The end that somebody has passed on; an error if it is something else.
    pub(super) fn from_fd(fd: OwnedFd) -> io::Result<Self> {
        let kind = sockopt::socket_type(&fd)?;
        if kind == SocketType::SEQPACKET {
            Ok(Self(fd))
        } else {
            Err(io::ErrorKind::InvalidInput.into())
        }
    }

    /// Sends one message; waits while the other side is behind.
    pub(super) fn send(&self, message: &impl Serialize) -> io::Result<()> {
        let octets = serde_json::to_vec(message)?;
        // A side that is gone is an error here, and no SIGPIPE.
        send(&self.0, &octets, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for the next message of the parent; none when it is gone.
    pub(super) fn hear_parent(&self) -> Option<FromParent> {
        let mut buffer = vec![0; 1024];
        let octets = self.receive(&mut buffer)?;
        read(octets)
    }

    /// Waits for the next message of the worker; none when it is gone. What cannot be read counts as
    /// its end too: from there on nothing could be trusted.
    pub(super) fn hear_worker(&self, buffer: &mut Vec<u8>) -> Option<Told> {
        buffer.resize(MAX_OCTETS, 0);
        let octets = self.receive(buffer)?;
        match crash::Record::decode(octets) {
            Some(record) => Some(Told::Crash(record)),
            None => read(octets).map(Told::Message),
        }
    }

    /// What has been sent by now can be received still; behind it is the end.
    pub(super) fn hear_no_more(&self) {
        if let Err(error) = rustix::net::shutdown(&self.0, Shutdown::Read) {
            tracing::debug!(%error, "the link between parent and worker cannot be shut");
        }
    }

    fn receive<'a>(&self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        loop {
            match recv(&self.0, &mut *buffer, RecvFlags::empty()) {
                Ok((_, 0)) => return None,
                Ok((_, octets)) => return buffer.get(..octets),
                Err(rustix::io::Errno::INTR) => {}
                Err(_gone) => return None,
            }
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn read<T: DeserializeOwned>(octets: &[u8]) -> Option<T> {
    match serde_json::from_slice(octets) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::debug!(%error, "a message between parent and worker cannot be read");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_cross_whole_and_in_order_until_the_other_side_is_gone() {
        let (parent, there) = Link::pair().unwrap();
        let worker = Link::from_fd(there).unwrap();
        let long = Operation {
            doing: Doing::Opening,
            plugins: vec!["a.b".repeat(1000)],
            version: "1.2.3".to_owned(),
            library: "/p/liba.so".to_owned(),
            identity: None,
            thread: 7,
        };
        let sent = [
            FromWorker::Hello { protocol: PROTOCOL },
            FromWorker::Began(long),
            FromWorker::Report { code: 3 },
        ];
        for message in &sent {
            worker.send(message).unwrap();
        }
        drop(worker);
        let mut buffer = Vec::new();
        for message in sent {
            assert_eq!(
                parent.hear_worker(&mut buffer),
                Some(Told::Message(message))
            );
        }
        assert_eq!(parent.hear_worker(&mut buffer), None);
        assert!(parent.send(&FromParent::Progress { count: 1 }).is_err());
    }

    #[test]
    fn what_was_sent_is_heard_although_somebody_holds_the_other_side_open() {
        let (parent, there) = Link::pair().unwrap();
        let worker = Link::from_fd(there).unwrap();
        let report = FromWorker::Report { code: 0 };
        worker.send(&report).unwrap();
        parent.hear_no_more();
        let mut buffer = Vec::new();
        assert_eq!(parent.hear_worker(&mut buffer), Some(Told::Message(report)));
        assert_eq!(parent.hear_worker(&mut buffer), None);
        drop(worker);
    }

    #[test]
    fn what_is_no_message_is_the_end() {
        let (parent, there) = Link::pair().unwrap();
        send(&there, b"{\"nonsense\":1}", SendFlags::empty()).unwrap();
        assert_eq!(parent.hear_worker(&mut Vec::new()), None);
    }

    #[test]
    fn a_file_is_no_link() {
        let null = std::fs::File::open("/dev/null").unwrap();
        assert!(Link::from_fd(null.into()).is_err());
    }
}
