//! The `[core.merge]` table: what counts where several authorities speak of one zone.

use janitor_plugin_api::dns::NameRef;

use super::core::Listed;
use super::fields::Fields;
use super::patterns;
use super::value::Value;
use crate::pattern::Patterns;
use crate::problem::Problem;

/// The `[core.merge]` table.
#[derive(Clone, Debug, Default)]
pub struct MergeSettings {
    everywhere: MergeRule,
    zones: Patterns<MergeRule>,
}

/// How one zone is joined.
#[derive(Clone, Debug, Default)]
pub struct MergeRule {
    /// What becomes of contradictions.
    pub policy: Policy,
    /// The authorities that are named, the one that counts most first. The others follow in the
    /// order of `core.plugins`.
    pub order: Vec<Listed>,
    /// The setting that the order is from.
    order_path: String,
}

/// What becomes of a zone that several authorities speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// It is left out.
    #[default]
    Error,
    /// It is joined, and left out if they contradict each other.
    Agree,
    /// It is joined, and the first authority's RRsets count.
    Priority,
    /// It is joined, and all rdata count.
    Union,
}

impl Policy {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "error" => Some(Self::Error),
            "agree" => Some(Self::Agree),
            "priority" => Some(Self::Priority),
            "union" => Some(Self::Union),
            _ => None,
        }
    }
}

impl MergeSettings {
    /// The rule for the zone `apex`.
    #[must_use]
    pub fn of(&self, apex: NameRef<'_>) -> &MergeRule {
        let found = self.zones.find(apex);
        found.map_or(&self.everywhere, |(_, rule)| rule)
    }

    /// Every key that an order names, with the setting it stands in.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Listed)> {
        let rules = self.zones.iter().map(|(_, rule)| rule);
        let rules = std::iter::once(&self.everywhere).chain(rules);
        // What a zone's table does not say stands in the one for all zones.
        let own = rules
            .enumerate()
            .filter(|(at, rule)| *at == 0 || rule.order_path != self.everywhere.order_path);
        own.flat_map(|(_, rule)| rule.order.iter().map(|entry| (&*rule.order_path, entry)))
    }

    pub(super) fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, "core.merge", problems);
        let default = MergeRule {
            order_path: "core.merge.order".to_owned(),
            ..MergeRule::default()
        };
        let everywhere = MergeRule::read(&mut fields, "core.merge", &default);
        let zones = fields.any("zones");
        fields.finish();
        let zones = zones.map(|zones| {
            let path = "core.merge.zones";
            patterns::read_tables(zones, path, problems, |path, value, problems| {
                let mut fields =
                    Fields::described(Some(value), path, "core.merge.zones.*", problems);
                let rule = MergeRule::read(&mut fields, path, &everywhere);
                fields.finish();
                Some(rule)
            })
        });
        Self {
            zones: zones.unwrap_or_default(),
            everywhere,
        }
    }
}

impl MergeRule {
    fn read(fields: &mut Fields<'_, '_>, path: &str, default: &Self) -> Self {
        let policy = fields.text("policy").map(|name| {
            let known = Policy::from_name(name);
            if known.is_none() {
                let expected = "one of error, agree, priority, union";
                fields.refuse("policy", &format!("{expected}, not \"{name}\""));
            }
            known.unwrap_or_default()
        });
        let order = fields.texts("order").map(|keys| {
            let keys = keys.into_iter().map(|(key, value)| Listed {
                key: key.to_owned(),
                origin: value.origin.clone(),
            });
            (keys.collect(), format!("{path}.order"))
        });
        let (order, order_path) =
            order.unwrap_or_else(|| (default.order.clone(), default.order_path.clone()));
        Self {
            policy: policy.unwrap_or(default.policy),
            order,
            order_path,
        }
    }

    /// The place of the authority `key` in the order; one that is not named comes last.
    #[must_use]
    pub fn place(&self, key: &str) -> usize {
        let place = self.order.iter().position(|entry| entry.key == key);
        place.unwrap_or(usize::MAX)
    }
}
