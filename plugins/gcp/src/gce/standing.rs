//! How instances stand beside each other, where only one of them can have a name or an address.

use jiff::Timestamp;

use crate::instances::{Instance, text};

/// How an instance stands beside others of its name or address; the best is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    pub(super) state: State,
    /// Microseconds since 1970, if it is known.
    created: Option<i64>,
}

/// What the status of an instance comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Stopped or suspended, or on its way there.
    Down,
    /// None, or one that is not known here.
    Unknown,
    /// Running, or on its way there.
    Up,
}

impl Standing {
    /// By status and age.
    ///
    /// <https://docs.cloud.google.com/compute/docs/instances/instance-lifecycle>
    pub(super) fn of(instance: &Instance<'_>) -> Self {
        let state = match text(&instance.status) {
            Some("PENDING" | "PROVISIONING" | "STAGING" | "RUNNING" | "REPAIRING") => State::Up,
            Some(
                "PENDING_STOP" | "STOPPING" | "STOPPED" | "SUSPENDING" | "SUSPENDED" | "TERMINATED"
                | "DEPROVISIONING",
            ) => State::Down,
            _ => State::Unknown,
        };
        let created = text(&instance.created).and_then(|text| text.parse::<Timestamp>().ok());
        Self {
            state,
            created: created.map(Timestamp::as_microsecond),
        }
    }

    /// Whether it is certain that this instance counts and `other` does not: it is the one that runs,
    /// or else the newer one.
    pub(super) fn beats(self, other: Self) -> bool {
        match (self.state, other.state) {
            (State::Up, State::Down) => true,
            (State::Up, State::Up) | (State::Down, State::Down) => {
                other.created.is_some() && self.created > other.created
            }
            _ => false,
        }
    }
}
