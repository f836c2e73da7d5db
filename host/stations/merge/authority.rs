//! Who speaks, and for which zones.

use std::sync::Arc;

use janitor_plugin_api::dns::{Name, NameRef};

use crate::config::{Origin, PatternList};

/// One of those that speak.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// Its key.
    pub key: Arc<str>,
    /// The zones that it speaks for; whatever it names without them.
    pub zones: Option<Arc<PatternList>>,
}

impl Speaker {
    /// Whether it may speak of `apex`.
    #[must_use]
    pub fn may_name(&self, apex: NameRef<'_>) -> bool {
        let zones = self.zones.as_ref();
        zones.is_none_or(|zones| zones.contain(apex))
    }
}

/// What the station knows of one authority.
pub(super) struct Authority {
    pub(super) speaker: Speaker,
    pub(super) has_ended: bool,
    /// Whether it may not have said all that it had to say.
    pub(super) is_unsure: bool,
    /// Which of its patterns stand for a zone that it named.
    matched: Vec<bool>,
    pub(super) passed_over: PassedOver,
}

/// What an authority named that it does not speak for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// How many zones.
    pub zones: usize,
    /// The first of them.
    pub first: Option<Name>,
}

impl Authority {
    /// One that is heard in this run.
    pub(super) fn speaking(speaker: Speaker) -> Self {
        Self::new(speaker, false)
    }

    /// One that ought to be heard, and is not there.
    pub(super) fn missing(speaker: Speaker) -> Self {
        Self::new(speaker, true)
    }

    fn new(speaker: Speaker, is_missing: bool) -> Self {
        let zones = speaker.zones.as_ref();
        Self {
            matched: vec![false; zones.map_or(0, |zones| zones.listed().len())],
            speaker,
            has_ended: is_missing,
            is_unsure: is_missing,
            passed_over: PassedOver::default(),
        }
    }

    /// Its patterns that stand for none of the zones that it named.
    pub(super) fn idle_patterns(&self) -> impl Iterator<Item = &(String, Origin)> {
        let zones = self.speaker.zones.iter();
        let listed = zones.flat_map(|zones| zones.listed());
        let idle = listed.zip(&self.matched).filter(|(_, matched)| !**matched);
        idle.map(|(pattern, _)| pattern)
    }

    /// Whether it may speak of `apex`.
    pub(super) fn may_name(&self, apex: NameRef<'_>) -> bool {
        self.speaker.may_name(apex)
    }

    /// Whether it may speak of `apex`, as it does.
    pub(super) fn names(&mut self, apex: &Name) -> bool {
        let Some(zones) = &self.speaker.zones else {
            return true;
        };
        let mut may_name = false;
        for at in zones.matching(apex.as_ref()) {
            self.matched[at] = true;
            may_name = true;
        }
        may_name
    }
}
