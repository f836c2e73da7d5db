//! The worker process: signals, progress, what plugins change that belongs to all of it.

use std::fs;

use insta::assert_snapshot;
use rustix::process::Signal;

use crate::janitor::{FILES, Janitor, Run, VILLAIN, WRECKER};

fn deployment() -> Janitor {
    Janitor::new()
        .libraries(&[FILES, VILLAIN, WRECKER])
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
}

fn with(key: &str) -> Janitor {
    deployment().authorities(&["files.zones", key])
}

/// `text` with every number of seconds as `_s`.
fn timeless(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(|word| {
            let bare = word.trim_end_matches([';', ',', ':']);
            let is_time = bare.ends_with('s') && bare.starts_with(|c: char| c.is_ascii_digit());
            if is_time {
                word.replace(bare, "_s")
            } else {
                word.to_owned()
            }
        });
        words.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_goes_the_same_way_with_and_without_a_worker() {
    let shown = [&["run"][..], &["run", "--in-process"]].map(|arguments| {
        let janitor = deployment();
        let run = janitor.command(arguments);
        assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
        assert_eq!(run.errors(), "");
        janitor.served_file("a.test")
    });
    assert_eq!(shown[0], shown[1]);
    let planned = [&["plan"][..], &["plan", "--in-process"]].map(|arguments| {
        let run = deployment().command(&[arguments, &["--exit-code"]].concat());
        assert_eq!(run.exit_code(), 4);
        run.stdout()
    });
    assert_eq!(planned[0], planned[1]);
}

#[test]
fn errors_keep_their_exit_codes() {
    let run = deployment().authorities(&["no.such"]).run();
    assert_eq!(run.exit_code(), 2);
    let run = with("villain.authority.fails").run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    let run = with("villain.authority.leaves-out")
        .settings("[villain]\nzones = ['a.test']")
        .run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
}

#[test]
fn a_worker_started_by_hand_says_what_to_do() {
    let run = deployment().command(&["--worker-of", "1", "run"]);
    assert_eq!(run.exit_code(), 1);
    let told = run.errors();
    assert!(
        told.starts_with("error: cannot work for a parent process\n"),
        "{told}"
    );
    assert!(
        told.ends_with("hint: --worker-of is how gordon-janitor starts itself; leave it out\n"),
        "{told}"
    );
}

#[test]
fn sigterm_works_although_a_plugin_ignores_it() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let janitor = with("wrecker.ignores-signals");
        let mut running = janitor.start(&["run"]);
        running.wait_for("waiting plugin=wrecker");
        running.signal(signal);
        let run = running.finish();
        assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
        assert_eq!(run.abandoned(), [""; 0]);
    }
}

#[test]
fn a_signal_while_a_library_is_opened_ends_the_run() {
    let janitor = Janitor::new()
        .libraries(&[FILES, crate::janitor::EARLY])
        .authorities(&["files.zones", "early.zones"])
        .settings("[core.logging]\nlevel = 'debug'")
        .environment("JANITOR_EARLY", "sleeps");
    let mut running = janitor.start(&["run"]);
    running.wait_for("opening library");
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    assert_eq!(
        run.log_with("ERROR"),
        ["ERROR: the run was cancelled by a signal before any plugin ran"]
    );
}

#[test]
fn a_signal_to_the_whole_group_counts_once() {
    for signal in [Signal::INT, Signal::TERM] {
        let janitor = with("villain.authority.waits").settings("[core]\ngrace = 3600");
        let mut running = janitor.start_group(&["run"]);
        running.wait_for("waiting plugin=villain");
        running.signal_group(signal);
        let run = running.finish();
        assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
        assert_eq!(run.log_with("the run is cancelled").len(), 1);
        assert_eq!(run.log_with("the grace is over"), [""; 0]);
        assert_eq!(run.log_with("cleaned up plugin=villain").len(), 1);
    }
}

#[test]
fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    let janitor = with("villain.authority.waits");
    let mut running = janitor.start_without_hangups(&["run"]);
    running.wait_for("waiting plugin=villain");
    assert!(running.ignores(Signal::HUP) && !running.ignores(Signal::TERM));
    running.signal(Signal::HUP);
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!(
        run.log_with("the run is cancelled"),
        ["WARNING: the run is cancelled; plugins have the grace to end signal=SIGTERM"]
    );
    assert_eq!(run.abandoned(), [""; 0]);
}

#[test]
fn a_worker_that_cannot_end_is_killed() {
    let janitor = with("wrecker.stops").settings("[core]\ngrace = 0");
    let mut running = janitor.start(&["run"]);
    running.wait_for("running plugin=wrecker.stops");
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    let told = run.errors();
    let first = "error[GJ506]: the worker process did not end when it had to, and was killed\n";
    assert!(told.contains(first), "{told}");
}

#[test]
fn the_host_may_be_called_from_any_thread_at_any_time() {
    let janitor = with("wrecker.uses-many-threads")
        .settings("[core.logging]\nlevel = 'warning'\n[core.plugin.'wrecker.uses-many-threads']\nlevel = 'info'");
    let mut running = janitor.start(&["run"]);
    running.wait_for("called is_cancelled=false");
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(run.log_with("called is_cancelled=true").len(), 1);
    let calls = run.log_with("WARNING: zone left out");
    assert_eq!(calls.len(), 2 * 16 * 100, "{:?}", calls.first());
    assert_eq!(run.failures(), [""; 0]);
}

#[test]
fn a_worker_whose_parent_is_gone_cancels_the_run() {
    let janitor = with("villain.authority.waits");
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting plugin=villain");
    running.signal(Signal::KILL);
    let run = running.finish();
    assert_eq!(run.status(), "cancelled");
    assert_eq!(run.log_with("cleaned up plugin=villain").len(), 1);
}

#[test]
fn a_process_that_a_plugin_leaves_behind_holds_up_nobody() {
    let run = with("wrecker.leaves-a-child").run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (0, "success"),
        "{}",
        run.errors()
    );
}

#[test]
fn a_plugin_that_cuts_the_line_to_the_parent_does_not_end_well() {
    let run = with("wrecker.closes-all").run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    // What the host does with descriptors that are gone depends on which it needs first.
    let told = run.errors();
    let is_told = told.contains("error[GJ506]: ") || told.contains("error[GJ504]: ");
    assert!(is_told, "{told}");
}

#[test]
fn a_progress_report_says_what_every_plugin_does() {
    let blocks = [&["run"][..], &["run", "--in-process"]].map(|arguments| {
        let janitor = deployment()
            .authorities(&["villain.authority.waits"])
            .settings("[villain]\nzones = ['a.test']");
        let mut running = janitor.start(&[&["--stall-limit", "0.5"], arguments].concat());
        // By now everything there is to plan is planned, and everybody waits.
        running.wait_for("warning[GJ602]");
        running.signal(Signal::USR1);
        running.wait_for("progress: zones desired: 1");
        running.signal(Signal::TERM);
        let run = running.finish();
        let told = run.errors();
        let (_, report) = told.split_once("progress report\n").expect("there is one");
        let lines = report.lines().map_while(|line| line.strip_prefix("  "));
        let block = lines.map(timeless).collect::<Vec<_>>().join("\n");
        let logged = run.log_with("INFO: progress: ");
        let logged = logged
            .iter()
            .map(|line| timeless(line).replace("INFO: progress: ", ""));
        assert_eq!(logged.collect::<Vec<_>>().join("\n"), block);
        block
    });
    assert_snapshot!(blocks[0], @"
    villain.authority.waits (authority): running for _s; sent 1, the last _s ago; waiting at no channel
    files.served (reconciler): running for _s; received 1, the last _s ago; sent 1, the last _s ago; waiting to receive for _s, for villain.authority.waits
    files.apply (publisher): running for _s; received nothing; waiting to receive for _s, for villain.authority.waits, files.served
    zones desired: 1, of 1 RRsets; compared or left out: 1; sets of changes sent: 0
    ");
    assert_eq!(blocks[0], blocks[1]);
}

#[test]
fn a_stall_is_told_once_and_names_who_holds_up_whom() {
    let janitor = with("villain.authority.waits");
    let mut running = janitor.start(&["--stall-limit", "0.3", "run"]);
    running.wait_for("warning[GJ602]");
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    assert_snapshot!(timeless(&run.errors()), @r#"
    warning[GJ602]: plugin "villain.authority.waits" stalls: nothing has moved for _s, and it neither sends nor waits
      found: "files.served" waits to receive, for villain.authority.waits
      found: "files.apply" waits to receive, for villain.authority.waits, files.served
      because: it may work on something large, or wait for a server that does not answer
      help: kill -USR1 shows what every plugin is doing; core.deadline limits how long a run may take
    "#);
}

#[test]
fn a_plugin_that_did_not_stop_is_told_with_what_it_did_last() {
    let run = with("villain.authority.blocks")
        .settings("[core]\ndeadline = 1\ngrace = 0.1\n[villain]\nzones = ['a.test']")
        .run();
    assert_eq!(run.abandoned(), ["villain.authority.blocks"]);
    let told = run.errors();
    let from = told
        .find("error[GJ601]")
        .unwrap_or_else(|| panic!("{told}"));
    let mut told = timeless(&told[from..]);
    let (begin, end) = (told.find("where: /"), told.find("/libjanitor"));
    told.replace_range(begin.expect("a place") + 7..end.expect("a library"), "[…]");
    let (begin, end) = (told.find("(tid "), told.find("\n  found"));
    told.replace_range(
        begin.expect("a thread") + 5..end.expect("more"),
        "…), asked at …",
    );
    assert_snapshot!(told, @r#"
    error[GJ601]: plugin "villain.authority.blocks" did not stop within _s of being asked; ending the process without it
      where: […]/libjanitor_misbehaving_villain.so 0.0.0, thread "villain.authority.blocks" (tid …), asked at …
      found: running for _s; sent 1, the last _s ago; waiting at no channel
      found: every other plugin has stopped
      because: a thread cannot be stopped from outside; a plugin has to wait for host.cancelled(), and limit how long it waits for servers
      help: raise core.grace (now 100ms) if it only needs longer; else report it to whoever made the plugin
    "#);
}

#[test]
fn how_long_plugins_wait_for_each_other_is_measured() {
    let run = deployment()
        .settings("[core.logging]\nlevel = 'debug'")
        .run();
    for lane in [
        "{'plugin': 'files.zones', 'direction': 'send'}",
        "{'plugin': 'files.served', 'direction': 'receive'}",
        "{'plugin': 'files.served', 'direction': 'send'}",
        "{'plugin': 'files.apply', 'direction': 'receive'}",
    ] {
        let measured = run.log_with("DEBUG: [channel-wait]");
        let of_lane = measured.iter().filter(|line| line.ends_with(lane));
        assert_eq!(of_lane.count(), 1, "{lane}: {measured:#?}");
    }
}

/// The warnings that a plugin has changed what belongs to all.
fn changes(run: &Run) -> Vec<String> {
    let told = run.errors();
    let warnings = told.lines().filter(|line| line.contains("[GJ603]"));
    warnings.map(str::to_owned).collect()
}

#[test]
fn what_a_plugin_changes_for_everybody_is_told_and_put_back() {
    let janitor = deployment()
        .authorities(&["wrecker.moves-in"])
        .publishers(&["files.changes"]);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    assert_eq!(
        changes(&run),
        [
            "warning[GJ603]: one of \"wrecker.moves-in\", \"files.served\", \"files.changes\" changed what belongs to the whole process, in being created: SIGTERM is ignored; SIGPIPE has its default effect; SIGCHLD is ignored; the umask was 0000 (put back to 0022); the working directory was / (put back); the environment variable TZ has another value"
        ]
    );
}

#[test]
fn standard_error_that_a_plugin_closes_is_put_back() {
    let run = with("wrecker.closes-standard-error").run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    let [warning] = changes(&run).try_into().expect("one warning");
    assert!(
        warning.ends_with("standard error was closed (put back)"),
        "{warning}"
    );
}

#[test]
fn threads_that_a_plugin_leaves_behind_are_counted() {
    let run = with("wrecker.leaves-threads").run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    let [warning] = changes(&run).try_into().expect("one warning");
    assert!(warning.contains(" threads were left behind"), "{warning}");
    let run = with("villain.authority.behaves").run();
    assert_eq!(changes(&run), [""; 0]);
}

/// Writes over the library of the villains, in a way that does no harm to whoever runs it.
fn write_over(janitor: &Janitor) {
    let path = janitor.path(&format!("plugins/lib{VILLAIN}.so"));
    let file = fs::File::options().append(true).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, b"more"));
    written.expect("the copy of a library can be written to");
}

#[test]
fn a_library_that_is_written_over_while_zones_are_planned_publishes_nothing() {
    let janitor = with("villain.authority.waits-in-new")
        .with_copy_of(VILLAIN)
        .gate();
    let served = janitor.served_file("a.test");
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting at the gate");
    write_over(&janitor);
    janitor.open_gate();
    let run = running.finish();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(janitor.served_file("a.test"), served);
    let told = run.errors();
    let first =
        "error[GJ303]: libjanitor_misbehaving_villain.so was written over while it was loaded\n";
    assert!(told.starts_with(first), "{told}");
    assert_eq!(
        run.errors().matches("[GJ303]").count(),
        1,
        "{}",
        run.errors()
    );
}

#[test]
fn a_library_that_is_written_over_while_changes_are_published_fails_the_run() {
    let janitor = deployment()
        .publishers(&["villain.publisher.waits-after-the-first"])
        .with_copy_of(VILLAIN)
        .gate();
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting at the gate");
    write_over(&janitor);
    janitor.open_gate();
    let run = running.finish();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        run.errors().matches("[GJ303]").count(),
        1,
        "{}",
        run.errors()
    );
}

#[test]
fn a_library_that_is_removed_or_replaced_goes_on_as_it_was() {
    for is_removed in [true, false] {
        let janitor = with("villain.authority.waits-in-new")
            .with_copy_of(VILLAIN)
            .gate();
        let mut running = janitor.start(&["run"]);
        running.wait_for("waiting at the gate");
        let path = janitor.path(&format!("plugins/lib{VILLAIN}.so"));
        fs::remove_file(&path).expect("a library can be removed");
        if !is_removed {
            fs::write(&path, "another").expect("a file can be written");
        }
        janitor.open_gate();
        let run = running.finish();
        assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
        let expected = if is_removed {
            "WARNING: library was removed while it is in use"
        } else {
            "INFO: library was replaced"
        };
        assert_eq!(run.log_with(expected).len(), 1, "{:#?}", run.log());
        assert!(janitor.served_file("a.test").contains("new."));
    }
}
