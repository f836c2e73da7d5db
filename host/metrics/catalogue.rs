//! Everything that the host measures: names, kinds, units and what they mean.
//!
//! The table in `docs/metrics.md` is compared with this one.

use super::Kind;

/// What is known of one name.
#[derive(Debug)]
pub struct Described {
    /// The name.
    pub name: &'static str,
    /// How it counts.
    pub kind: Kind,
    /// What is counted, or the unit of a time.
    pub unit: &'static str,
    /// The names of its context, in order.
    pub context: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
    /// Whether the Python original measured it too.
    pub original: bool,
}

/// Looks a name up.
#[must_use]
pub(super) fn find(name: &str) -> Option<&'static Described> {
    CATALOGUE.iter().find(|described| described.name == name)
}

macro_rules! catalogue {
    ($($original:ident $kind:ident $name:literal [$($context:literal),*] $unit:literal: $help:literal;)+) => {
        /// All of them: what the original measured, then the rest, each in the order of a run.
        pub static CATALOGUE: &[Described] = &[$(Described {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            context: &[$($context),*],
            help: $help,
            original: catalogue!(@ $original),
        },)+];
    };
    (@ original) => { true };
    (@ added) => { false };
}

catalogue! {
    original Value "rrsets" ["plugin", "zone"] "RRsets":
        "RRsets of a desired zone that went to the reconciler.";
    original Value "rrsets-handled" ["plugin", "action", "source"] "RRsets":
        "RRsets that the reconciler found to change in one zone.";
    original Increment "change-message" ["plugin", "action", "result"] "RRsets":
        "RRsets by what became of their changes at one publisher.";
    original Timer "plugin-runtime" ["plugin"] "seconds":
        "Time from the start of a plugin's work to its end.";
    original Increment "run-ended" ["status"] "runs":
        "Runs by how they ended.";

    added Value "libraries" ["state"] "files":
        "Plugin libraries that were loaded for this run, and files of the plugin directory that were refused.";
    added Timer "channel-wait" ["plugin", "direction"] "seconds":
        "Time that a plugin waited for others, to send or to receive.";
    added Value "zone-rrsets" ["zone", "state"] "RRsets":
        "RRsets that a zone ought to hold, and that it was found to hold.";
    added Value "zone-drift" ["zone", "kind"] "RRsets":
        "Differences between the desired and the actual zone.";
    added Value "zone-set-aside" ["zone", "rule"] "RRsets":
        "Differences of a zone that rules of the host left as they are.";
    added Value "zone-changes" ["zone", "plugin", "outcome"] "changes":
        "Changes of a zone by what became of them at one publisher.";
    added Increment "guard-trips" ["zone", "rule"] "limits":
        "Limits that the changes of a zone broke, by which one it was; also where it was lifted.";
    added Value "changes-not-sticking" ["zone", "state"] "changes":
        "Changes of a zone that were applied before and are planned again.";
    added Value "zones" ["outcome"] "zones":
        "Zones by what became of them.";
    added Value "zones-left-out" ["plugin", "kind"] "zones":
        "Zones, and what might have been one, that were left out, by who is behind it and why.";
    added Timer "run-duration" [] "seconds":
        "Time from the start of the run to its end.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_there_twice() {
        for (index, described) in CATALOGUE.iter().enumerate() {
            let found = find(described.name).unwrap();
            assert!(std::ptr::eq(found, &CATALOGUE[index]), "{}", described.name);
        }
    }
}
