//! Libraries with a few wrong octets: none of them harms the host that judges them. Those that pass are opened
//! in a child process, which some of them kill; with the digest of an installation none passes.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gordon_janitor::library::{Fault, Library};
use gordon_janitor::log_bridge;
use gordon_janitor::preflight::{Digest, Expected, Identity, Preflight, Trust, Verdict, judge};

const MUTANTS: u32 = 500;
/// How long one judgement may take before it is taken for a hang; they take milliseconds.
const LIMIT: Duration = Duration::from_secs(20);
/// Names the library that a child of this test opens.
const OPEN: &str = "JANITOR_TESTS_OPEN";

/// The smallest library of ours that cargo has built for the tests.
fn good() -> Vec<u8> {
    let executable = env::current_exe().unwrap();
    fs::read(executable.with_file_name("libjanitor_misbehaving_liar.so")).unwrap()
}

/// Numbers that look random and are the same each time: splitmix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}

/// Changes a few octets: half of the time among the headers and tables that the loader reads.
fn mutate(octets: &mut Vec<u8>, numbers: &mut Numbers) {
    match numbers.below(10) {
        0 => {
            let length = numbers.below(octets.len());
            octets.truncate(length);
        }
        1 => {
            let from = numbers.below(octets.len());
            let to = (from + 1 + numbers.below(4096)).min(octets.len());
            octets[from..to].fill(0);
        }
        kind => {
            let tables = octets.len().min(64 << 10);
            let reach = if kind < 6 { tables } else { octets.len() };
            for _ in 0..=numbers.below(8) {
                let at = numbers.below(reach);
                octets[at] = numbers.next().to_le_bytes()[0];
            }
        }
    }
}

#[test]
fn no_mutation_harms_the_host_and_none_passes_with_a_digest() {
    rustix::process::umask(0o022.into());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("libmutant.so");
    let good = good();
    fs::write(&path, &good).unwrap();
    let preflight = Preflight::new(Trust::of_process());
    let expected = Expected {
        digests: vec![Digest::at(&path).unwrap()],
        what: "liar 0.0.0".to_owned(),
    };
    let passes = |expected| matches!(preflight.judge(&path, expected).verdict, Verdict::Plugin(_));
    assert!(passes(Some(&expected)) && opens(&path) == Outcome::Opened);

    let mut numbers = Numbers(0x5eed);
    let (mut passed, mut refused_by_child, mut killed) = (0, 0, 0);
    for number in 0..MUTANTS {
        let mut mutant = good.clone();
        while mutant == good {
            mutate(&mut mutant, &mut numbers);
        }
        fs::write(&path, &mutant).unwrap();
        let began = Instant::now();
        let is_accepted = passes(None);
        assert!(began.elapsed() < LIMIT, "mutant {number} takes too long");
        assert!(
            !passes(Some(&expected)),
            "mutant {number} passes for the good one"
        );
        if is_accepted {
            passed += 1;
            match opens(&path) {
                Outcome::Opened => {}
                Outcome::Refused => refused_by_child += 1,
                Outcome::Killed => killed += 1,
            }
        }
    }
    eprintln!(
        "measured: of {MUTANTS} mutants preflight passed {passed}; {refused_by_child} of them the loader or the \
         comparison of types refused, {killed} killed the child that opened them; with a recorded digest 0 passed"
    );
    // Otherwise the mutations would show nothing.
    assert!(passed > 0 && passed < MUTANTS);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Opened,
    Refused,
    Killed,
}

/// What becomes of a child that opens the library at `path`.
fn opens(path: &Path) -> Outcome {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_child_opens_what_it_is_told_to", "--nocapture"])
        .env(OPEN, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    // It says what came of it last, so that one that ends early, or is ended by the library, does not count as well.
    let said = std::io::read_to_string(&mut output).unwrap_or_default();
    let status = child.wait().unwrap();
    match (
        status.success(),
        said.contains("opened: true"),
        said.contains("opened: false"),
    ) {
        (true, true, _) => Outcome::Opened,
        (true, _, true) => Outcome::Refused,
        _ => Outcome::Killed,
    }
}

#[test]
fn a_child_opens_what_it_is_told_to() {
    let Some(path) = env::var_os(OPEN).map(PathBuf::from) else {
        return;
    };
    // Hanging counts as dying.
    rustix::process::setrlimit(
        rustix::process::Resource::Cpu,
        rustix::process::Rlimit {
            current: Some(20),
            maximum: Some(20),
        },
    )
    .unwrap();
    let opened = Library::open(&path, None, log_bridge::functions()).is_ok();
    println!("opened: {opened}");
}

#[test]
fn a_library_that_is_not_the_one_that_was_judged_is_not_opened() {
    rustix::process::umask(0o022.into());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("libgood.so");
    fs::write(&path, good()).unwrap();
    let judged = judge(&path).identity;
    let open = |judged: Option<Identity>| {
        Library::open(&path, judged, log_bridge::functions())
            .map(drop)
            .map_err(|error| error.fault)
    };

    let other = directory.path().join("libother.so");
    fs::write(&other, good()).unwrap();
    fs::rename(&other, &path).unwrap();
    assert!(matches!(open(judged), Err(Fault::Replaced)));

    let judged = judge(&path).identity;
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert!(matches!(open(judged), Err(Fault::WrittenOver { .. })));

    let judged = judge(&path).identity;
    assert!(open(judged).is_ok());
    fs::remove_file(&path).unwrap();
    assert!(matches!(open(judged), Err(Fault::Gone(_))));
}
