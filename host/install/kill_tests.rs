//! Installations whose process is killed, as the system does it, at every step of the way.

use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use super::step::ending::END;
use super::tests::Site;
use super::*;
use crate::discovery::Discovered;

/// What a child of these tests does, where, and the step at which it is killed.
const CHILD: [&str; 4] = ["ACTION", "DIRECTORY", "SOURCE", "STEP"];

const STEPS: [Step; 6] = [
    Step::Begun,
    Step::Staged,
    Step::Linked,
    Step::Kept,
    Step::Recorded,
    Step::Renamed,
];

fn variable(name: &str) -> String {
    format!("JANITOR_TESTS_KILLED_{name}")
}

/// A child that installs a library, or rolls it back, and is killed at `step`.
fn killed(site: &Site, action: &str, source: &Path, step: Step) {
    let directory = site.directory();
    let step = format!("{step:?}");
    let values = [
        action.as_ref(),
        directory.as_os_str(),
        source.as_os_str(),
        step.as_ref(),
    ];
    let status = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "install::kill_tests::a_child_installs_until_it_is_killed",
        ])
        .envs(CHILD.map(variable).into_iter().zip(values))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(9), "{action} at {step}: {status}");
}

#[test]
fn a_child_installs_until_it_is_killed() {
    let [Some(action), Some(directory), Some(source), Some(step)] =
        CHILD.map(variable).map(env::var_os)
    else {
        return;
    };
    END.set(
        STEPS
            .into_iter()
            .find(|known| step == *format!("{known:?}")),
    );
    let directory = PluginDirectory::choose(Some(directory.as_ref()), None);
    let done = if action == "install" {
        install(directory, source.as_ref(), None)
    } else {
        rollback(directory, "acme.a")
    };
    panic!("nobody killed it: {done:?}");
}

/// Everything that a run would look at is whole, and one of it holds the plugin.
fn usable(site: &Site) -> String {
    let discovery = Discovery::scan(site.choose());
    assert_eq!(discovery.refusals(), 0, "{:?}", discovery.files());
    let names = discovery.files().iter().map(Discovered::name);
    assert_eq!(names.collect::<Vec<_>>(), ["libacme.so"]);
    site.version()
}

#[test]
fn an_installation_that_is_killed_leaves_a_directory_that_can_be_used() {
    for step in STEPS {
        let site = Site::new();
        site.install("1.0", &["acme.a"]).unwrap();
        site.install("2.0", &["acme.a"]).unwrap();
        killed(&site, "install", &site.build("3.0", &["acme.a"]), step);
        let expected = if step == Step::Renamed { "3.0" } else { "2.0" };
        assert_eq!(usable(&site), expected, "{step:?}");
        // Going back works, or says that there is nothing to go back to.
        match site.rollback() {
            Ok(_) => drop(site.rollback().unwrap()),
            Err(error) => assert_eq!(error.to_string(), "cannot roll back `acme.a`"),
        }
        assert_eq!(usable(&site), expected, "{step:?}");
        site.install("3.0", &["acme.a"]).unwrap();
        assert_eq!(usable(&site), "3.0", "{step:?}");
        site.install("4.0", &["acme.a"]).unwrap();
        site.rollback().unwrap();
        assert_eq!(usable(&site), "3.0", "{step:?}");
        assert!(!site.files().iter().any(|name| name.ends_with(".staged")));
    }
}

#[test]
fn a_first_installation_that_is_killed_leaves_nothing_or_all_of_it() {
    for step in [Step::Begun, Step::Staged, Step::Recorded, Step::Renamed] {
        let site = Site::new();
        killed(&site, "install", &site.build("1.0", &["acme.a"]), step);
        let discovery = Discovery::scan(site.choose());
        assert!(discovery.fault().is_none());
        let found = discovery.files().len();
        assert_eq!(found, usize::from(step == Step::Renamed), "{step:?}");
        site.install("1.0", &["acme.a"]).unwrap();
        assert_eq!(usable(&site), "1.0", "{step:?}");
    }
}

#[test]
fn a_rollback_that_is_killed_leaves_a_directory_that_can_be_used() {
    for (step, before, after) in [
        (Step::Recorded, "2.0", "1.0"),
        (Step::Renamed, "1.0", "2.0"),
    ] {
        let site = Site::new();
        site.install("1.0", &["acme.a"]).unwrap();
        site.install("2.0", &["acme.a"]).unwrap();
        killed(&site, "rollback", Path::new(""), step);
        assert_eq!(usable(&site), before, "{step:?}");
        site.rollback().unwrap();
        assert_eq!(usable(&site), after, "{step:?}");
    }
}
