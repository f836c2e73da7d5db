//! What instances are named, by pages that were made for it and by those of the original's tests.

mod log;
mod vectors;
mod naming;
mod doubles;
mod lacking;
mod hostile;

use janitor_plugin_api::Error;
use serde_json::{Value, json};

use self::log::Log;
use super::rule::Rules;
use super::survey::Survey;
use super::{Findings, Settings};

/// Zones as text, and what was logged.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    zones: String,
    log: Vec<String>,
    left_to_others: usize,
}

fn settings(toml: &str) -> Settings {
    toml::from_str(toml).unwrap()
}

/// Why the settings are refused.
fn refused(toml: &str) -> String {
    match toml::from_str::<Settings>(toml) {
        Err(error) => error.message().to_owned(),
        Ok(settings) => links(&Rules::new(&settings).unwrap_err()),
    }
}

fn links(error: &Error) -> String {
    let links = std::iter::successors(Some(error as &dyn std::error::Error), |link| link.source());
    links
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// What is said of the pages of projects, which arrive in this order.
fn said(settings: &Settings, pages: &[(&str, Value)]) -> Said {
    let rules = Rules::new(settings).unwrap();
    let mut projects: Vec<_> = pages
        .iter()
        .map(|(project, _)| (*project).to_owned())
        .collect();
    projects.sort_unstable();
    projects.dedup();
    let (findings, log) = Log::of(|| {
        let mut survey = Survey::new(&rules, &projects);
        for (project, page) in pages {
            let number = projects.iter().position(|known| known == project).unwrap();
            match page {
                Value::Null => survey.lacks(project),
                page => drop(survey.page(number, page.to_string().as_bytes()).unwrap()),
            }
        }
        survey.settle()
    });
    Said {
        zones: text(&rules, &findings),
        log,
        left_to_others: findings.left_to_others,
    }
}

/// What is said of instances of one project, in one zone of Compute Engine.
fn said_of(toml: &str, instances: Value) -> Said {
    said(&settings(toml), &[("p-1", page("us-east1-b", instances))])
}

fn page(zone: &str, instances: Value) -> Value {
    json!({ "items": { format!("zones/{zone}"): { "instances": instances } } })
}

/// An instance that runs, with these addresses.
fn instance(name: &str, external: &str, internal: &str) -> Value {
    json!({
        "name": name,
        "status": "RUNNING",
        "networkInterfaces": [{
            "networkIP": internal,
            "accessConfigs": [{ "natIP": external }],
        }],
    })
}

/// `instance` with other members.
fn with(mut instance: Value, members: Value) -> Value {
    let (all, members) = (instance.as_object_mut().unwrap(), members);
    all.extend(members.as_object().unwrap().clone());
    instance
}

fn text(rules: &Rules, findings: &Findings) -> String {
    let mut text = String::new();
    for (zone, finding) in rules.zones.iter().zip(&findings.zones) {
        let built = finding.zone.as_ref().unwrap();
        let complete = if built.is_complete() {
            ""
        } else {
            ", incomplete"
        };
        text += &format!("{} {}{complete}\n", zone.text, finding.rrsets);
        for rrset in built.rrsets() {
            text += &format!("{rrset}\n");
        }
        for held in built.held() {
            text += &format!("{held} is held\n");
        }
    }
    text
}
