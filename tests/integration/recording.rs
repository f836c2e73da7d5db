//! What is kept of runs: the history, whose turn it is, and what is done without a history.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::{Pid, Signal, kill_process};

use crate::janitor::{Janitor, Run, with_mount};

fn deployment() -> Janitor {
    Janitor::new()
        .desired("a.test", "new A 192.0.2.1\nttl 60 A 192.0.2.2")
        .served("a.test", "old A 192.0.2.1\nttl 90 A 192.0.2.2")
        .desired("b.test", "same A 192.0.2.1")
        .served("b.test", "same A 192.0.2.1")
}

/// Standard output without what differs from run to run: times, processes, versions, digests.
fn told(run: &Run) -> String {
    let lines = run.stdout();
    let lines = lines.lines().map(|line| {
        let words = line.split(' ').map(|word| {
            let bare = word.trim_end_matches([',', ':']);
            let rest = &word[bare.len()..];
            let is_time = bare.len() == "1970-01-01T00:00:00Z".len() && bare.ends_with('Z');
            let is_digest = bare.len() == 64 && bare.bytes().all(|octet| octet.is_ascii_hexdigit());
            match bare {
                _ if is_time => format!("<time>{rest}"),
                _ if is_digest => "<sha256>".to_owned(),
                _ if bare.ends_with(".so") => "<library>".to_owned(),
                bare => format!("{bare}{rest}"),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    });
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    // Numbers behind these words.
    ["process ", "took ", " by "]
        .iter()
        .fold(text, |text, word| hidden(&text, word))
}

/// `text` with the word behind each `before` replaced, unless that is a plugin.
fn hidden(text: &str, before: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find([',', ' ', '\n', ')']).unwrap_or(part.len());
        out.push_str(before);
        out.push('#');
        out.push_str(&part[end..]);
    }
    out
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout()).expect("it is JSON")
}

#[test]
fn the_history_shows_what_a_run_did_and_to_what_it_led() {
    let janitor = deployment();
    assert_eq!(janitor.run().exit_code(), 0);
    assert_eq!(janitor.run().exit_code(), 0);

    let run = janitor.command(&["history", "1"]);
    assert_eq!(run.errors(), "");
    insta::assert_snapshot!(told(&run), @r"
    run 1: done
      began <time>, took # s
      run by #, gordon-janitor 0.1.0, process #
      policy <sha256>
    plugins
      files.zones   authority   0.1.0  sha256 <sha256>  <library>
      files.served  reconciler  0.1.0  sha256 <sha256>  <library>
      files.apply   publisher   0.1.0  sha256 <sha256>  <library>
    zones
    a.test.
      1 addition, 1 update, 1 deletion (4 RRsets desired, 4 served, serial 1)
      files.apply: 3 applied
      + new.a.test. 300 IN A 192.0.2.1
      - ttl.a.test. 90 IN A 192.0.2.2
      + ttl.a.test. 60 IN A 192.0.2.2
      - old.a.test. 300 IN A 192.0.2.1
    1 as desired:
      b.test. (3 RRsets desired, 3 served, serial 1)
    ");
    insta::assert_snapshot!(told(&janitor.command(&["history", "b.test"])), @r"
    b.test.
      last good in run 2, <time>: 3 RRsets desired, 3 served
    runs 1 to 2, until <time>
      as desired (3 RRsets desired, 3 served, serial 1)
    ");
    let list = janitor.command(&["history", "--json", "--limit", "1"]);
    let list = json(&list);
    assert_eq!(
        (&list["run"], &list["state"], &list["exit_code"]),
        (&2.into(), &"ended".into(), &0.into())
    );
    let second = json(&janitor.command(&["history", "2", "--json"]));
    assert_eq!(second["found"].as_array().map(Vec::len), Some(2));
    assert_eq!(second["published"], false);
}

#[test]
fn a_plan_looks_at_the_history_and_leaves_no_trace() {
    let janitor = deployment();
    assert_eq!(janitor.plan(&[]).exit_code(), 0);
    assert_eq!(janitor.command(&["run", "--dry-run"]).exit_code(), 0);
    assert_eq!(
        fs::read_dir(janitor.path("state"))
            .expect("it is there")
            .count(),
        0
    );
    assert_eq!(janitor.run().exit_code(), 0);
    let file = || fs::read(janitor.path("state/history.sqlite")).expect("it is written");
    let before = file();
    assert_eq!(janitor.plan(&[]).exit_code(), 0);
    assert_eq!(file(), before);
    assert!(janitor.command(&["history"]).stdout().lines().count() == 2);
}

#[test]
fn what_the_history_does_not_know_is_told_with_what_is_near() {
    let janitor = deployment();
    let none = janitor.command(&["history"]);
    assert_eq!(
        (none.exit_code(), &*none.stdout()),
        (0, "no run is recorded in <root>/state/history.sqlite\n")
    );
    assert_eq!(janitor.run().exit_code(), 0);
    let texts = [
        ["history", "17"],
        ["history", "aa.test"],
        ["history", "no name"],
    ]
    .map(|arguments| janitor.command(&arguments))
    .map(|run| (run.exit_code(), run.errors()));
    assert!(texts.iter().all(|(code, _)| *code == 2));
    let texts = texts.map(|(_, text)| text).concat();
    insta::assert_snapshot!(texts, @r"
    error[GJ807]: there is no run 17
      where: <root>/state/history.sqlite
      found: only run 1
    error: 1 error; nothing was run
    error[GJ807]: the history knows nothing of aa.test.
      where: <root>/state/history.sqlite
      help: gordon-janitor history a.test.
    error: 1 error; nothing was run
    error[GJ807]: `no name` is neither the number of a run nor a zone
      found: the name contains ' ', which needs a backslash
    error: 1 error; nothing was run
    ");
}

#[test]
fn a_zone_is_forgotten_when_somebody_says_so() {
    let janitor = deployment();
    assert_eq!(janitor.run().exit_code(), 0);
    let good =
        || json(&janitor.command(&["history", "b.test", "--json"]))["last_good"]["desired"].clone();
    assert_eq!(good(), 3);
    let forget = janitor.command(&["history", "forget", "b.test"]);
    assert_eq!(
        forget.stdout(),
        "forgot b.test.: the next run takes what it finds for good; past runs stay\n"
    );
    assert!(good().is_null());
    let texts = ["b.test", "bb.test"].map(|zone| janitor.command(&["history", "forget", zone]));
    assert!(texts.iter().all(|run| run.exit_code() == 2));
    insta::assert_snapshot!(texts.map(|run| run.errors()).concat(), @r"
    error[GJ807]: there is nothing to forget of b.test.
      where: <root>/state/history.sqlite
      found: it was never good, or that is forgotten; past runs stay
      help: gordon-janitor history b.test.
    error: 1 error; nothing was run
    error[GJ807]: the history knows nothing of bb.test.
      where: <root>/state/history.sqlite
      help: gordon-janitor history forget b.test.
    error: 1 error; nothing was run
    ");
}

/// A run whose publisher has reported on its first zone and goes on when the gate is opened.
fn at_the_gate(janitor: &Janitor) -> crate::janitor::Running {
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting at the gate");
    running
}

fn gated() -> Janitor {
    deployment()
        .gate()
        .publishers(&["villain.publisher.waits-after-the-first"])
}

#[test]
fn a_run_that_is_killed_while_it_publishes_has_told_what_it_was_about_to_do() {
    let janitor = gated()
        .desired("c.test", "new A 192.0.2.1")
        .served("c.test", "");
    let running = at_the_gate(&janitor);
    // It can be looked at meanwhile.
    let meanwhile = json(&janitor.command(&["history", "1", "--json"]));
    let state = (&meanwhile["state"], &meanwhile["published"]);
    assert_eq!(state, (&"running".into(), &true.into()));
    let worker = i32::try_from(running.worker()).ok().and_then(Pid::from_raw);
    kill_process(worker.expect("a process"), Signal::KILL).expect("it can be killed");
    assert_eq!(running.finish().exit_code(), 1);

    let run = janitor.command(&["history", "1"]);
    assert!(
        run.stdout()
            .starts_with("run 1: never: it died while it published\n"),
        "{}",
        run.stdout()
    );
    insta::assert_snapshot!(told(&janitor.command(&["history", "c.test"])), @r"
    c.test.
      it was never good, or that is forgotten
    run 1, <time>
      1 addition (3 RRsets desired, 2 served, serial 1)
      villain.publisher.waits-after-the-first: intended, outcome not known
      + new.c.test. 300 IN A 192.0.2.1
    ");
    // The turn went with the process, and the next run goes on where nobody knows what became of it.
    let next = janitor.publishers(&["files.apply"]).run();
    assert_eq!((next.exit_code(), &*next.errors()), (0, ""));
}

#[test]
fn a_second_run_waits_and_then_refuses() {
    let janitor = gated().settings("[core.history]\nwait = 0.2");
    let running = at_the_gate(&janitor);
    let worker = running.worker().to_string();

    let second = janitor.run();
    assert_eq!(second.exit_code(), 1);
    let text = second.errors().replace(&worker, "<worker>");
    insta::assert_snapshot!(hidden(&text, "since "), @r"
    warning[GJ803]: another run (process <worker>, since #) has the state directory; waiting for it, at most 0.2 seconds
      where: <root>/state
    error[GJ803]: another run (process <worker>, since #) has the state directory
      where: <root>/state
      found: it has not ended within core.history.wait = 0.2 seconds
      because: two runs at once would publish from what the other one changes
      help: run again when it has ended; SIGUSR1 makes it tell what it is doing
    error: 1 error; nothing was run
    ");
    // Who changes what it remembers waits as well, and says so.
    let forget = janitor.command(&["history", "forget", "b.test"]);
    assert_eq!(forget.exit_code(), 2);
    let told = forget
        .errors()
        .lines()
        .filter(|line| line.contains("[GJ803]"))
        .count();
    assert_eq!(told, 2, "{}", forget.errors());

    // Who only looks waits for nobody.
    assert_eq!(janitor.plan(&[]).exit_code(), 0);

    through_the_gate(&janitor, running);
}

/// Lets a run that waits at the gate go on to its end.
fn through_the_gate(janitor: &Janitor, running: crate::janitor::Running) {
    janitor.open_gate();
    assert_eq!(running.finish().exit_code(), 0);
}

#[test]
fn a_second_run_that_waits_long_enough_runs() {
    let janitor = gated();
    let first = at_the_gate(&janitor);
    let mut second = janitor.start(&["run"]);
    second.wait_for("warning[GJ803]");
    through_the_gate(&janitor, first);
    second.wait_for("waiting at the gate");
    through_the_gate(&janitor, second);
    let list = janitor.command(&["history", "--json"]).stdout();
    assert_eq!(list.lines().count(), 2);
}

#[test]
fn without_a_place_for_it_a_run_goes_on_with_one_warning() {
    let janitor = deployment().settings("[core]\nstate_dir = 'nowhere/at/all'");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0);
    insta::assert_snapshot!(run.errors(), @r"
    warning[GJ801]: cannot keep a history
      where: <root>/nowhere/at/all
      found: No such file or directory (os error 2)
      help: a directory that this user can write to: core.state_dir, or StateDirectory= of the service manager
      help: [core.history] enabled = false does without a history
      note: this run is not recorded, nothing is remembered of earlier ones, and no other run is kept from running at once
    ");
    assert!(janitor.served_file("a.test").contains("new."));
    // Nobody misses it where nothing is published.
    assert_eq!(janitor.plan(&[]).errors(), "");

    let without = deployment()
        .settings("[core]\nstate_dir = 'nowhere/at/all'\n[core.history]\nenabled = false");
    assert_eq!(without.run().errors(), "");
}

#[test]
fn the_state_directory_is_made_where_its_parent_is_there() {
    let janitor = deployment().settings("[core]\nstate_dir = 'kept'");
    let run = janitor.run();
    assert_eq!((run.exit_code(), &*run.errors()), (0, ""));
    let mode = fs::metadata(janitor.path("kept"))
        .expect("it is made")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o750);
    assert!(janitor.path("kept/history.sqlite").exists());
    assert!(!janitor.path("state/history.sqlite").exists());
}

#[test]
fn a_history_that_cannot_be_trusted_stops_the_run_and_not_the_plan() {
    let janitor = deployment().file("state/history.sqlite", "what is this? ".repeat(999));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1);
    insta::assert_snapshot!(run.errors(), @r"
    error[GJ804]: the history is damaged
      where: <root>/state/history.sqlite
      found: file is not a database
      because: what it remembers of the zones cannot be trusted, and limits would compare with nothing
      help: move the file away to begin a new history, or put a copy back
      help: sqlite3 can often save most of what a damaged file holds: .recover
    error: 1 error; nothing was run
    ");
    assert!(!janitor.served_file("a.test").contains("new."));
    let check = janitor.command(&["check"]);
    assert_eq!(check.exit_code(), 2);
    let told = "error[GJ804]: the history is damaged\n";
    assert!(check.errors().starts_with(told), "{}", check.errors());
    let plan = janitor.plan(&[]);
    assert_eq!(plan.exit_code(), 0);
    assert!(
        plan.errors()
            .starts_with("warning[GJ804]: the history is damaged\n"),
        "{}",
        plan.errors()
    );
    assert!(plan.stdout().contains("new.a.test."));
}

#[test]
fn a_full_disk_publishes_nothing_once_there_is_a_history() {
    let fill =
        "cp ../history.sqlite .; while head -c 4096 /dev/zero >>rest 2>/dev/null; do :; done";
    // Full from the beginning, and full when what is to be published has to be written down.
    for (room, code) in [("", "GJ801"), ("; truncate -s -204800 rest", "GJ805")] {
        let janitor = deployment();
        assert_eq!(janitor.run().exit_code(), 0);
        fs::copy(
            janitor.path("state/history.sqlite"),
            janitor.path("history.sqlite"),
        )
        .expect("it can be copied");
        let many = (0..20_000)
            .map(|n| format!("n{n} A 192.0.2.1\n"))
            .collect::<String>();
        let janitor = janitor.desired("a.test", &many);
        let served = janitor.served_file("a.test");
        let Some(output) = with_mount(
            &janitor,
            "state",
            "size=1m",
            &format!("{fill}{room}"),
            &["run"],
        ) else {
            return;
        };
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(&format!("error[{code}]")), "{told}");
        assert!(told.contains("found: the disk is full\n"), "{told}");
        assert_eq!(janitor.served_file("a.test"), served);
    }
}
