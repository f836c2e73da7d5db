//! Why a zone is left out that several authorities speak for.

use std::sync::Arc;

use janitor_plugin_api::dns::{JoinError, Name};

use crate::report::{LeftOut, LeftOutKind};

/// What to do where nothing says how authorities are joined.
const EXPLICIT: &str = "say how they are joined: [core.merge] policy = \"agree\", \"priority\" or \"union\"; or which zones each speaks for: [core.plugin.\"KEY\"] zones = […]";

/// A zone that several authorities speak for, and nothing says how they are joined.
pub(super) fn spoken_for_by(apex: &Name, keys: &[Arc<str>]) -> LeftOut {
    let quoted = keys
        .iter()
        .map(|key| format!("`{key}`"))
        .collect::<Vec<_>>();
    let reason = match quoted.as_slice() {
        [first, second] => format!("both {first} and {second} speak for the zone"),
        [rest @ .., last] => format!("{} and {last} all speak for the zone", rest.join(", ")),
        [] => String::new(),
    };
    LeftOut {
        hint: Some(EXPLICIT.to_owned()),
        ..contradiction(apex, keys, keys.len() - 1, reason)
    }
}

/// A zone of which authorities say what cannot be joined.
pub(super) fn cannot_join(apex: &Name, keys: &[Arc<str>], error: &JoinError) -> LeftOut {
    let JoinError::Contradiction {
        owner,
        rtypes: [first, second],
        sources,
    } = error
    else {
        let mut left_out =
            contradiction(apex, keys, 0, "what the authorities say cannot be joined");
        left_out.reason.push(error.to_string());
        return left_out;
    };
    let [one, other] = sources.map(|at| &keys[at]);
    let reason = if first == second {
        format!("`{one}` and `{other}` contradict each other: the {first} of `{owner}` differs")
    } else {
        format!("`{one}` and `{other}` contradict each other: `{owner}` has {first} and {second}")
    };
    LeftOut {
        hint: Some("mend one of the two, or say whose word counts: [core.merge] policy = \"priority\" or \"union\"".to_owned()),
        ..contradiction(apex, keys, sources[1], reason)
    }
}

fn contradiction(
    apex: &Name,
    keys: &[Arc<str>],
    at: usize,
    reason: impl std::fmt::Display,
) -> LeftOut {
    LeftOut::zone(apex.as_ref(), &keys[at], LeftOutKind::Contradiction, reason)
}
