//! Synthetic accidents, sent through the limits that are configured.

use janitor_plugin_api::dns::Name;
use serde_json::json;

use crate::config::Guard;
use crate::show::pretty;
use crate::stations::guard::{Finding, probe_run, probe_zone};
use crate::table::columns;

/// What became of the accidents.
pub(super) struct Trial {
    sections: Vec<(String, Vec<Finding>)>,
}

impl Trial {
    /// Tries every set of limits, or those of one zone, then those of the run.
    pub(super) fn of(guard: &Guard, zone: Option<&Name>) -> Self {
        let sets: Vec<_> = match zone {
            Some(zone) => vec![(zone.to_string(), guard.limits_of(zone.as_ref()))],
            None => guard.sets().collect(),
        };
        let sets = sets.into_iter();
        let mut sections: Vec<_> = sets
            .map(|(name, limits)| (name, probe_zone(&limits)))
            .collect();
        sections.push(("all zones together".to_owned(), probe_run(guard.run())));
        Self { sections }
    }

    /// Whether every limit does what it says, and no zone can lose everything.
    pub(super) fn is_safe(&self) -> bool {
        let mut findings = self.sections.iter().flat_map(|(_, findings)| findings);
        findings.all(|finding| finding.is_right && !finding.loses_everything())
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, findings) in &self.sections {
            text.push_str(&format!("{name}\n"));
            let rows: Vec<_> = findings.iter().map(row).collect();
            for line in columns(&rows).lines() {
                text.push_str(&format!("  {line}\n"));
            }
        }
        let unsafe_ones = self
            .sections
            .iter()
            .filter(|(_, findings)| findings.iter().any(Finding::loses_everything));
        let unsafe_ones: Vec<_> = unsafe_ones.map(|(name, _)| name.as_str()).collect();
        text.push_str(&match unsafe_ones.is_empty() {
            true => "No zone can lose everything.\n".to_owned(),
            false => format!(
                "A zone can lose everything under the limits of {}\n",
                unsafe_ones.join(", ")
            ),
        });
        text
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let sections = self.sections.iter().map(|(name, findings)| {
            let findings = findings.iter().map(|finding| {
                let caught = finding.caught.iter().map(|reason| {
                    json!({
                        "rule": reason.rule.word(),
                        "setting": reason.setting,
                        "place": reason.place,
                    })
                });
                json!({
                    "accident": finding.probe.to_string(),
                    "caught_by": caught.collect::<Vec<_>>(),
                    "as_configured": finding.is_right,
                })
            });
            json!({ "limits": name, "findings": findings.collect::<Vec<_>>() })
        });
        pretty(&json!({
            "format": 1,
            "safe": self.is_safe(),
            "sections": sections.collect::<Vec<_>>(),
        }))
    }
}

fn row(finding: &Finding) -> [String; 3] {
    let (fate, by) = match finding.caught_by() {
        None => ("passes", String::new()),
        Some(reason) => {
            let place = reason.place.as_deref().unwrap_or("default");
            ("withheld", format!("by {} ({place})", reason.setting))
        }
    };
    let by = match finding.is_right {
        true => by,
        false => format!("{by} which is not as configured")
            .trim_start()
            .to_owned(),
    };
    [finding.probe.to_string(), fate.to_owned(), by]
}
