use std::fs;

use super::*;
use crate::config::{Config, FILES};

fn load(toml: &str) -> Config {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILES[0]), toml).unwrap();
    Config::load(directory.path()).unwrap()
}

fn guard(toml: &str) -> Guard {
    let config = load(toml);
    assert_eq!(config.problems().len(), 0, "{:?}", config.problems());
    config.core().guard.clone()
}

/// What is wrong with a configuration, without the directory.
fn problems(toml: &str) -> Vec<String> {
    let config = load(toml);
    let problems = config.problems().iter();
    problems
        .map(|problem| problem.summary().to_owned())
        .collect()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn every_limit_has_a_default_and_none_is_off() {
    let guard = Guard::default();
    assert_eq!(guard.off(), []);
    let ZoneLimits {
        deletions,
        deletions_percent,
        updates,
        updates_percent,
        min_existing,
        shrunk_percent,
        incomplete,
    } = guard.all();
    let all = [
        deletions.value.to_string(),
        deletions_percent.value.to_string(),
        updates.value.to_string(),
        updates_percent.value.to_string(),
        min_existing.value.to_string(),
        shrunk_percent.value.to_string(),
        incomplete.value.to_string(),
    ];
    assert_eq!(all, ["1000", "30", "10000", "50", "10", "30", "\"add\""]);
    assert_eq!(&*deletions.name, "core.guard.deletions");
    assert_eq!(deletions.place(), "default");
    assert_eq!(&*guard.run().zones.name, "core.guard.run.zones");
}

#[test]
fn each_limit_comes_from_the_closest_pattern_that_sets_it() {
    let guard = guard(
        "[core.guard]\nupdates = 7\n\
         [core.guard.zones.\"*.example.com\"]\ndeletions = 1\nupdates_percent = 0.25\n\
         [core.guard.zones.\"a.example.com\"]\ndeletions = 2\nincomplete = 'withhold'\n",
    );
    for (zone, deletions, updates, share, incomplete) in [
        ("org", "1000", "7", "50", "\"add\""),
        ("b.example.com", "1", "7", "0.25", "\"add\""),
        ("a.example.com", "2", "7", "0.25", "\"withhold\""),
    ] {
        let limits = guard.limits_of(name(zone).as_ref());
        assert_eq!(limits.deletions.value.to_string(), deletions, "{zone}");
        assert_eq!(limits.updates.value.to_string(), updates, "{zone}");
        assert_eq!(limits.updates_percent.value.to_string(), share, "{zone}");
        assert_eq!(limits.incomplete.value.to_string(), incomplete, "{zone}");
    }
    let limits = guard.limits_of(name("a.example.com").as_ref());
    let given = &limits.updates_percent;
    assert_eq!(
        &*given.name,
        "core.guard.zones.\"*.example.com\".updates_percent"
    );
    assert!(
        given.place().ends_with("/gordon-janitor.toml:5"),
        "{}",
        given.place()
    );
}

#[test]
fn a_limit_is_off_only_where_that_is_written_and_each_is_known() {
    let guard = guard(
        "[core.guard]\ndeletions = 'off'\n\
         [core.guard.run]\nzones = false\n\
         [core.guard.zones.\"a.test\"]\nshrunk_percent = 'off'\n",
    );
    let off: Vec<_> = guard.off().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        off,
        [
            "core.guard.deletions",
            "core.guard.zones.\"a.test\".shrunk_percent",
            "core.guard.run.zones"
        ]
    );
    let limits = guard.limits_of(name("a.test").as_ref());
    assert_eq!(limits.shrunk_percent.value, Limit::Off);
    assert_eq!(guard.all().shrunk_percent.value.to_string(), "30");
}

#[test]
fn what_is_no_limit_is_refused_and_lets_nothing_pass() {
    let share = "a percentage from 0 to 100 with at most two decimals, or \"off\"";
    let number = "a whole number from 0 on, or \"off\"";
    for (line, expected) in [
        ("deletions = -1", format!("deletions must be {number}")),
        ("deletions = true", format!("deletions must be {number}")),
        ("updates = 'none'", format!("updates must be {number}")),
        (
            "deletions_percent = 101",
            format!("deletions_percent must be {share}"),
        ),
        (
            "deletions_percent = 0.125",
            format!("deletions_percent must be {share}"),
        ),
        (
            "updates_percent = nan",
            format!("updates_percent must be {share}"),
        ),
        (
            "shrunk_percent = -0.5",
            format!("shrunk_percent must be {share}"),
        ),
        (
            "min_existing = 'off'",
            "min_existing must be a whole number from 0 to 1000000".to_owned(),
        ),
        (
            "incomplete = 'keep'",
            "incomplete must be one of \"add\", \"withhold\"".to_owned(),
        ),
    ] {
        let toml = format!("[core.guard]\n{line}\n");
        assert_eq!(problems(&toml), [format!("core.guard.{expected}")]);
    }
    let config = load("[core.guard]\ndeletions = -1\ndeletions_percent = 101\n");
    let limits = config.core().guard.all();
    assert_eq!(limits.deletions.value, Limit::AtMost(0));
    assert_eq!(limits.deletions_percent.value, Limit::AtMost(Percent::NONE));
}

#[test]
fn what_is_no_zone_or_no_option_is_told() {
    assert_eq!(
        problems("[core.guard.zones.\"a..b\"]\ndeletions = 1\n")[0],
        "core.guard.zones: \"a..b\" is no pattern of names"
    );
    assert_eq!(
        problems("[core.guard.zones.\"a.b\"]\ndeletion = 1\n")[0],
        "[core.guard.zones.\"a.b\"] has no setting \"deletion\"; did you mean \"deletions\"?"
    );
    assert_eq!(
        problems("[core.guard.zones.a.b]\ndeletions = 1\n")[0],
        "[core.guard.zones.\"a\"] has no setting \"b\""
    );
    assert_eq!(
        problems("[core.guard.zones]\n'a.b' = {}\n'A.b.' = { deletions = 'off' }\n")[0],
        "[core.guard.zones] has the pattern \"a.b\" twice"
    );
    assert_eq!(
        problems("[core.guard]\nzones = 1\n")[0],
        "core.guard.zones must be a table, not a whole number"
    );
}

#[test]
fn a_pattern_is_shown_with_what_broader_patterns_say_of_all_its_zones() {
    let guard = guard(
        "[core.guard.zones.\"*.test\"]\ndeletions_percent = 'off'\n\
         [core.guard.zones.\"*.a.test\"]\ndeletions = 5\n\
         [core.guard.zones.\"b.a.test\"]\nupdates = 5",
    );
    let shown = guard.patterns().map(|(pattern, limits)| {
        let limits = [
            &limits.deletions_percent.value.to_string(),
            &limits.deletions.value.to_string(),
        ]
        .map(String::as_str)
        .join(" ");
        (pattern.to_string(), limits)
    });
    let shown: Vec<_> = shown.collect();
    let shown: Vec<_> = shown
        .iter()
        .map(|(pattern, limits)| (&**pattern, &**limits))
        .collect();
    assert_eq!(
        shown,
        [
            ("b.a.test", "\"off\" 5"),
            ("*.a.test", "\"off\" 5"),
            ("*.test", "\"off\" 1000")
        ]
    );
    let (_, limits) = guard.patterns().nth(1).unwrap();
    assert_eq!(limits, guard.limits_of(name("x.y.a.test").as_ref()));
}

#[test]
fn two_tables_for_the_same_zones_are_refused_however_they_are_spelled() {
    for (one, other) in [("A.Test.", "a.test"), ("*.a.test", "*.a.test.")] {
        let toml = format!(
            "[core.guard.zones.\"{one}\"]\ndeletions = 5\n\
             [core.guard.zones.\"{other}\"]\ndeletions = 500000"
        );
        assert_eq!(
            problems(&toml),
            [format!(
                "[core.guard.zones] has the pattern \"{other}\" twice"
            )]
        );
    }
    let different = "[core.guard.zones.\"*.a.test\"]\n[core.guard.zones.\"a.test\"]";
    assert_eq!(problems(different), [""; 0]);
}
