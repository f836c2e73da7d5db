use std::fs;
use std::path::PathBuf;

use janitor_plugin_api::dns::{LeftAlone, Ttl, ZoneBuilder, diff};
use tempfile::TempDir;

use super::super::write_sealed;
use super::*;
use crate::pipeline::Outcome;
use crate::plan::schema::{PluginEntry, Policy};
use crate::report::{LeftOutKind, ZoneReport};
use crate::stations::guard::{GuardRule, Reason, Unnamed, Verdict};
use crate::stations::planned::{Rule, RuleKind};

/// A zone with changes of every kind, judged as `verdict`.
fn zone(apex: &str, verdict: Verdict) -> (PlannedZone, ZoneReport) {
    let apex: Name = apex.parse().unwrap();
    let build = |rrsets: &[(&str, &str, &str)]| {
        let mut builder = ZoneBuilder::new(apex.clone());
        for (owner, rtype, rdata) in rrsets {
            builder
                .push_text(owner, Ttl::default(), rtype, rdata)
                .unwrap();
        }
        builder.set_complete();
        builder
    };
    let mut desired = build(&[
        ("new", "TXT", "\"a \\\"text\\\"\" \"\\200\""),
        ("www", "A", "192.0.2.1"),
        ("aside", "A", "192.0.2.1"),
    ]);
    let desired = desired.build_desired().unwrap();
    let mut actual = build(&[("www", "A", "192.0.2.2"), ("old", "MX", "10 mail")]);
    let actual = actual.build_actual().unwrap();
    let changes = diff(&desired, &actual, &LeftAlone::default()).unwrap();
    let route = Route {
        reconciler: "r".into(),
        publishers: Publishers::All,
    };
    let mut planned = PlannedZone::new(changes, Arc::new(route));
    planned.set_aside(|change| {
        change
            .owner()
            .to_string()
            .starts_with("aside")
            .then(|| Rule {
                kind: RuleKind::Scope,
                text: "core.scope.exclude = [\"aside\"]".into(),
            })
    });
    planned.desired = desired.rrset_count();
    planned.actual = Some(Survey {
        rrsets: actual.rrset_count(),
        comparable: actual.rrset_count(),
        serial: actual.serial(),
        ..Survey::default()
    });
    planned.digests = Some(Digests {
        desired: crate::stations::digests::of_desired(&desired),
        actual: Some(crate::stations::digests::of_actual(&actual)),
    });
    planned.verdict = verdict;
    let report = ZoneReport::of(&planned, Some("z".into()));
    (planned, report)
}

fn header() -> HeaderLine {
    let policy = Policy {
        // Of no section at all.
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        sections: std::collections::BTreeMap::new(),
    };
    HeaderLine {
        plan: VERSION,
        sealed: true,
        made_at: "2026-01-02T03:04:05.678901234Z".parse().unwrap(),
        host: "1.2.3".to_owned(),
        policy,
        undoes: Some(7),
        plugins: vec![PluginEntry {
            key: "p".to_owned(),
            role: "publisher".to_owned(),
            version: "0.1.0".to_owned(),
            sha256: None,
            conditional: Some(true),
        }],
    }
}

/// A reason that would move the cursor and turn the direction of writing.
const HIDDEN: &str = "no \u{9b}2J \u{202e} \u{200b} file";

/// A plan with everything that a plan can hold, and where it lies.
fn sealed() -> (TempDir, PathBuf) {
    let withheld = Verdict::Withheld(vec![Reason {
        rule: GuardRule::DeletionsPercent,
        found: "1 of 2 RRsets (50 %) would be deleted".to_owned(),
        allowed: "0 are allowed".to_owned(),
        setting: "core.guard.deletions_percent = 30".to_owned(),
        place: None,
    }]);
    let mut outcome = Outcome::default();
    outcome.report.run_limits = withheld.reasons().to_vec();
    outcome.report.undecided = 2;
    outcome.report.unnamed.push(Unnamed {
        zone: "gone.test".parse().unwrap(),
        desired: 3,
        run: 1,
        at: jiff::Timestamp::UNIX_EPOCH,
    });
    for (apex, verdict) in [("a.test", Verdict::Passed), ("b.test", withheld)] {
        let (planned, report) = zone(apex, verdict);
        outcome.plan.push(planned);
        outcome.report.zones.push(report);
    }
    outcome.report.left_out.push(LeftOut {
        zone: Some("c.test".parse().unwrap()),
        what: "c.test.".to_owned(),
        plugin: Some("r".into()),
        kind: LeftOutKind::Reported,
        reason: vec!["cannot be read".to_owned(), HIDDEN.to_owned()],
        hint: None,
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plan");
    write_sealed(&header(), &outcome, &path).unwrap();
    (directory, path)
}

#[test]
fn a_plan_is_read_as_it_was_sealed() {
    let (_directory, path) = sealed();
    let plan = read_sealed(&path).unwrap();
    assert_eq!(plan.header, header());
    let (planned, _) = zone("a.test", Verdict::Passed);
    let [read, withheld] = plan.zones.as_slice() else {
        panic!("{:?}", plan.zones);
    };
    assert_eq!(read.planned.changes().octets(), planned.changes().octets());
    assert_eq!(read.planned.digests, planned.digests);
    assert_eq!(read.planned.actual, planned.actual);
    assert_eq!(read.authority.as_deref(), Some("z"));
    assert_eq!(
        read.planned.route.publishers,
        Publishers::Only(["p".into()].into())
    );
    assert!(read.planned.goes_out());
    assert!(withheld.planned.verdict.is_withheld());
    assert!(!withheld.planned.goes_out());
    assert_eq!(plan.left_out[0].reason[1], HIDDEN);
    let written = fs::read_to_string(&path).unwrap();
    let hidden = |c: char| c != '\n' && crate::problem::is_hidden(c);
    assert!(!written.contains(hidden), "{written}");
    assert_eq!(plan.run_limits, withheld.planned.verdict.reasons());
    assert_eq!(plan.unnamed, ["gone.test".parse().unwrap()]);
    assert_eq!(plan.undecided, 2);
}

/// The code of what is wrong with `octets`.
fn fault(path: &Path, octets: &[u8]) -> Option<Code> {
    fs::write(path, octets).unwrap();
    read_sealed(path).err().map(|problem| problem.code())
}

#[test]
fn no_bit_can_be_changed() {
    let (_directory, path) = sealed();
    let plan = fs::read(&path).unwrap();
    let mut edited = plan.clone();
    for at in 0..plan.len() {
        let bit = 1 << (at % 8);
        edited[at] ^= bit;
        let code = fault(&path, &edited);
        let expected = [Code::NotAPlan, Code::DamagedPlan];
        assert!(
            code.is_some_and(|code| expected.contains(&code)),
            "octet {at} of {}: {code:?}",
            plan.len()
        );
        edited[at] ^= bit;
    }
}

#[test]
fn nothing_can_be_cut_off_or_added() {
    let (_directory, path) = sealed();
    let plan = fs::read(&path).unwrap();
    for octets in 0..plan.len() {
        assert!(fault(&path, &plan[..octets]).is_some(), "{octets} octets");
    }
    for more in [&b"\n"[..], b" ", b"{}\n", b"\0"] {
        let longer = [&plan, more].concat();
        assert_eq!(fault(&path, &longer), Some(Code::DamagedPlan), "{more:?}");
    }
    assert_eq!(fault(&path, &plan), None);
}

#[test]
fn a_file_that_is_not_one_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
    let problem = read_sealed(&path).unwrap_err();
    assert_eq!(problem.code(), Code::UnreadablePlan);
    let problem = read_sealed(directory.path()).unwrap_err();
    assert_eq!(problem.code(), Code::UnreadablePlan);
}
