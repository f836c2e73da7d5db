//! Every limit, and where it comes from.

use janitor_plugin_api::dns::Name;
use serde_json::{Map, Value, json};

use crate::config::Guard;
use crate::show::pretty;
use crate::stations::guard::{
    Given, GivenLimit, Limit, OnIncomplete, Percent, RunLimits, ZoneLimits,
};
use crate::table::columns;

/// Zones that are named in one heading.
const MAX_NAMED: usize = 8;

/// For people. Zones with the same limits stand together; if `asked` is not set, limits of the zones
/// that have none of their own come first.
pub(super) fn text(guard: &Guard, zones: &[Name], asked: bool) -> String {
    let mut sections: Vec<(String, Vec<[String; 3]>)> = Vec::new();
    let mut groups = grouped(guard, zones);
    if !asked {
        let others = groups.extract_if(.., |(limits, _)| limits == guard.all());
        let others: Vec<_> = others.flat_map(|(_, names)| names).collect();
        sections.push((every_zone(guard, &others), zone_rows(guard.all())));
        let patterns = guard
            .patterns()
            .filter(|(pattern, _)| pattern.name().is_none());
        let patterns = patterns.map(|(pattern, limits)| {
            (
                format!("zones that {pattern} stands for"),
                zone_rows(&limits),
            )
        });
        sections.extend(patterns);
    }
    for (limits, names) in groups {
        sections.push((heading(&names), zone_rows(&limits)));
    }
    sections.push(("all zones together".to_owned(), run_rows(guard.run())));
    let mut text = String::new();
    for (heading, rows) in sections {
        text.push_str(&format!("{heading}\n"));
        for line in columns(&rows).lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text.push_str("Additions have no limit. A zone for which nothing is desired is left out, whatever the limits.\n");
    text
}

/// The zones without limits of their own; `known` are those of earlier runs.
fn every_zone(guard: &Guard, known: &[&Name]) -> String {
    let every = match guard.patterns().next() {
        None => "every zone",
        Some(_) => "every zone without limits of its own",
    };
    match known {
        [] => every.to_owned(),
        known => format!("{every}: {}", heading(known)),
    }
}

fn grouped<'a>(guard: &Guard, zones: &'a [Name]) -> Vec<(ZoneLimits, Vec<&'a Name>)> {
    let mut groups: Vec<(ZoneLimits, Vec<&Name>)> = Vec::new();
    for zone in zones {
        let limits = guard.limits_of(zone.as_ref());
        match groups.iter_mut().find(|(known, _)| *known == limits) {
            Some((_, names)) => names.push(zone),
            None => groups.push((limits, vec![zone])),
        }
    }
    groups
}

fn heading(names: &[&Name]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(MAX_NAMED)
        .map(ToString::to_string)
        .collect();
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn zone_rows(limits: &ZoneLimits) -> Vec<[String; 3]> {
    let least = limits.min_existing.value;
    vec![
        row(&limits.deletions, "deletions"),
        share_row(
            &limits.deletions_percent,
            "of its RRsets deleted, and not all unless replaced",
        ),
        row(&limits.updates, "updates"),
        share_row(&limits.updates_percent, "of its RRsets updated"),
        with_setting(
            &limits.min_existing,
            format!("shares are those of at least {least} RRsets"),
        ),
        share_row(
            &limits.shrunk_percent,
            "of what was desired in the last good run gone",
        ),
        with_setting(
            &limits.incomplete,
            match limits.incomplete.value {
                OnIncomplete::Add => "what is desired and incomplete only adds".to_owned(),
                OnIncomplete::Withhold => "what is desired and incomplete is withheld".to_owned(),
            },
        ),
    ]
}

fn run_rows(limits: &RunLimits) -> Vec<[String; 3]> {
    let (rrsets, zones) = (limits.min_existing.value, limits.min_zones.value);
    vec![
        row(&limits.deletions, "deletions"),
        share_row(&limits.deletions_percent, "of all RRsets deleted"),
        row(&limits.updates, "updates"),
        share_row(&limits.updates_percent, "of all RRsets updated"),
        with_setting(
            &limits.min_existing,
            format!("shares are those of at least {rrsets} RRsets"),
        ),
        row(&limits.zones, "zones with deletions or updates"),
        share_row(
            &limits.zones_percent,
            "of the zones with deletions or updates",
        ),
        with_setting(
            &limits.min_zones,
            format!("shares are those of at least {zones} zones"),
        ),
    ]
}

fn row(limit: &GivenLimit<u64>, what: &str) -> [String; 3] {
    let meaning = match limit.value {
        Limit::Off => format!("any number of {what}"),
        Limit::AtMost(most) => format!("at most {most} {what}"),
    };
    with_setting(limit, meaning)
}

fn share_row(limit: &GivenLimit<Percent>, what: &str) -> [String; 3] {
    let meaning = match limit.value {
        Limit::Off => format!("any share of {}", what.trim_start_matches("of ")),
        Limit::AtMost(most) => format!("at most {most} % {what}"),
    };
    with_setting(limit, meaning)
}

fn with_setting<T: std::fmt::Display>(given: &Given<T>, meaning: String) -> [String; 3] {
    [
        meaning,
        format!("{} = {}", given.name, given.value),
        given.place().to_owned(),
    ]
}

/// For programs.
pub(super) fn json(guard: &Guard, zones: &[Name]) -> String {
    let named = zones.iter().map(|zone| {
        json!({
            "zone": zone.to_string(),
            "limits": zone_json(&guard.limits_of(zone.as_ref())),
        })
    });
    let patterns = guard.sets().skip(1);
    let patterns =
        patterns.map(|(name, limits)| json!({ "pattern": name, "limits": zone_json(&limits) }));
    pretty(&json!({
        "format": 1,
        "default": zone_json(guard.all()),
        "patterns": patterns.collect::<Vec<_>>(),
        "zones": named.collect::<Vec<_>>(),
        "run": run_json(guard.run()),
    }))
}

fn zone_json(limits: &ZoneLimits) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("deletions", number_json(&limits.deletions));
    put("deletions_percent", percent_json(&limits.deletions_percent));
    put("updates", number_json(&limits.updates));
    put("updates_percent", percent_json(&limits.updates_percent));
    put(
        "min_existing",
        given_json(&limits.min_existing, json!(limits.min_existing.value)),
    );
    put("shrunk_percent", percent_json(&limits.shrunk_percent));
    let incomplete = match limits.incomplete.value {
        OnIncomplete::Add => "add",
        OnIncomplete::Withhold => "withhold",
    };
    put(
        "incomplete",
        given_json(&limits.incomplete, json!(incomplete)),
    );
    Value::Object(object)
}

fn run_json(limits: &RunLimits) -> Value {
    json!({
        "deletions": number_json(&limits.deletions),
        "deletions_percent": percent_json(&limits.deletions_percent),
        "updates": number_json(&limits.updates),
        "updates_percent": percent_json(&limits.updates_percent),
        "min_existing": given_json(&limits.min_existing, json!(limits.min_existing.value)),
        "zones": number_json(&limits.zones),
        "zones_percent": percent_json(&limits.zones_percent),
        "min_zones": given_json(&limits.min_zones, json!(limits.min_zones.value)),
    })
}

fn number_json(limit: &GivenLimit<u64>) -> Value {
    given_json(limit, json!(limit.value.at_most()))
}

fn percent_json(limit: &GivenLimit<Percent>) -> Value {
    given_json(limit, json!(limit.value.at_most().map(Percent::as_float)))
}

fn given_json<T>(given: &Given<T>, value: Value) -> Value {
    json!({ "value": value, "setting": &*given.name, "place": given.place.as_deref() })
}
