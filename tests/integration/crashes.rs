//! Plugins that crash or end the process: the run says who it was and what it was doing, and the next
//! run knows.

use std::fs;

use insta::assert_snapshot;
use rustix::process::Signal;

use crate::janitor::{EARLY, FILES, Janitor, Run, VILLAIN, WRECKER};

/// A deployment with something to change, and the wrecker `key` beside an authority that behaves.
fn deployment(key: &str) -> Janitor {
    Janitor::new()
        .libraries(&[FILES, VILLAIN, WRECKER, EARLY])
        .authorities(&["files.zones", key])
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
}

/// What the run says of its end, with what is another on every machine left out.
fn told(run: &Run) -> String {
    let told = run.errors();
    let from = told.find("error[").unwrap_or_else(|| panic!("{told}"));
    let mut lines = Vec::new();
    for line in told[from..].lines() {
        let mut line = line.to_owned();
        if let Some((_, file)) = line.split_once("/libjanitor")
            && let Some((label, _)) = line.split_once(": /")
        {
            line = format!("{label}: […]/libjanitor{file}");
        }
        if let Some((before, _)) = line.split_once("(tid ") {
            line = format!("{before}(tid …)");
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// Carries out a run that crashes and checks what is always so.
fn crash(janitor: &Janitor) -> Run {
    let served = janitor.served_file("a.test");
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(janitor.served_file("a.test"), served);
    assert_eq!(run.log_with("run complete"), [""; 0]);
    run
}

/// The first line of what a run with the wrecker `key` says.
fn first_line(key: &str) -> String {
    let run = crash(&deployment(key));
    told(&run).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_fault_of_memory_names_plugin_place_and_address() {
    let run = crash(&deployment("wrecker.reads-null"));
    assert_snapshot!(told(&run), @r#"
    error[GJ504]: plugin "wrecker.reads-null" crashed while it was running: SIGSEGV
      where: […]/libjanitor_misbehaving_wrecker.so 0.0.0, thread "wrecker.reads-null" (tid …)
      found: it touched the address 0x10, which is a null pointer or close to one
      because: this is a fault in the plugin; it ended the worker process, and with it the run
      note: nothing had been published: every zone stays as it is
      help: report it to whoever made libjanitor_misbehaving_wrecker.so; gordon-janitor run --in-process in a debugger shows the place
    "#);
    let logged = run.log_with("ERROR: plugin \"wrecker.reads-null\" crashed");
    assert_eq!(logged.len(), 1, "{:#?}", run.log());
    for field in ["code=GJ504", "cause=SIGSEGV", "plugins=wrecker.reads-null"] {
        assert!(logged[0].contains(field), "{logged:?}");
    }
}

#[test]
fn every_way_to_crash_is_told_apart() {
    for (key, expected) in [
        (
            "wrecker.reads-null-in-new",
            "error[GJ504]: plugin \"wrecker.reads-null-in-new\" crashed while it was being created: SIGSEGV",
        ),
        (
            "wrecker.reads-null-on-a-thread",
            "error[GJ504]: plugin \"wrecker.reads-null-on-a-thread\" crashed while it was running: SIGSEGV",
        ),
        (
            "wrecker.aborts",
            "error[GJ504]: plugin \"wrecker.aborts\" crashed while it was running: SIGABRT",
        ),
        (
            "wrecker.wants-all-memory",
            "error[GJ504]: plugin \"wrecker.wants-all-memory\" crashed while it was running: SIGABRT",
        ),
        (
            "wrecker.is-illegal",
            "error[GJ504]: plugin \"wrecker.is-illegal\" crashed while it was running: SIGILL",
        ),
        (
            "wrecker.overflows",
            "error[GJ504]: plugin \"wrecker.overflows\" crashed while it was running: SIGSEGV, a stack overflow",
        ),
        (
            "wrecker.frees-what-is-not-its-own",
            "error[GJ504]: plugin \"wrecker.frees-what-is-not-its-own\" crashed while it was running: SIGABRT",
        ),
    ] {
        assert_eq!(first_line(key), expected);
    }
}

#[test]
fn a_stack_overflow_on_a_thread_of_the_plugins_own_leaves_those_at_work() {
    let run = crash(&deployment("wrecker.overflows-on-a-thread"));
    let told = told(&run);
    let first = "error[GJ504]: the worker process crashed: SIGSEGV\n";
    assert!(told.starts_with(first), "{told}");
    let found = "  found: plugin \"wrecker.overflows-on-a-thread\" was running";
    assert!(told.contains(found), "{told}");
}

#[test]
fn a_stack_overflow_is_known_to_the_next_run() {
    let janitor = deployment("wrecker.overflows");
    assert_eq!(warning(&crash(&janitor)), None);
    let again = warning(&crash(&janitor)).expect("the crash is remembered");
    let start = "warning[GJ502]: the previous run ended by SIGSEGV inside plugin \"wrecker.overflows\" 0.0.0 (running, ";
    assert!(again.starts_with(start), "{again}");
}

#[test]
fn exit_is_no_successful_run() {
    let run = crash(&deployment("wrecker.exits-with-0"));
    assert_snapshot!(told(&run), @r#"
    error[GJ505]: plugin "wrecker.exits-with-0" called exit(0) while it was running
      where: […]/libjanitor_misbehaving_wrecker.so 0.0.0, thread "wrecker.exits-with-0" (tid …)
      because: only gordon-janitor may end its process: the run is not over, whatever the status says
      note: nothing had been published: every zone stays as it is
      help: report it to whoever made libjanitor_misbehaving_wrecker.so; gordon-janitor run --in-process in a debugger shows the place
    "#);
    assert_eq!(
        first_line("wrecker.exits-with-42-in-new"),
        "error[GJ505]: plugin \"wrecker.exits-with-42-in-new\" called exit(42) while it was being created"
    );
}

#[test]
fn an_end_that_nobody_hears_is_no_successful_run() {
    let told_of = |key| told(&crash(&deployment(key)));
    let told = told_of("wrecker.exits-unheard");
    let first = "error[GJ505]: the worker process was ended by exit(0) before the run was over\n";
    assert!(told.starts_with(first), "{told}");
    assert!(
        told.contains("found: plugin \"wrecker.exits-unheard\" was running"),
        "{told}"
    );
    let told = told_of("wrecker.kills");
    let first = "error[GJ506]: the worker process was killed by SIGKILL before it had reported\n";
    assert!(told.starts_with(first), "{told}");
}

#[test]
fn what_happens_while_a_library_is_opened_names_the_file() {
    for (misdeed, expected) in [
        ("aborts", "crashed while it was being opened: SIGABRT"),
        ("panics", "crashed while it was being opened: SIGABRT"),
        ("crashes", "crashed while it was being opened: SIGSEGV"),
        ("exits", "called exit(42) while it was being opened"),
    ] {
        let janitor = deployment("early.zones").environment("JANITOR_EARLY", misdeed);
        let told = told(&crash(&janitor));
        let first = format!("libjanitor_misbehaving_early.so {expected}\n");
        assert!(told.contains(&first), "{told}");
    }
    let run = deployment("early.zones").run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
}

#[test]
fn a_library_that_does_not_come_to_its_end_being_opened_is_given_up() {
    let janitor = deployment("early.zones").environment("JANITOR_EARLY", "sleeps");
    let run = janitor.command(&["--opening-limit", "0.5", "run"]);
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_snapshot!(told(&run), @r#"
    error[GJ507]: libjanitor_misbehaving_early.so was not open after 500ms; the worker process was ended
      where: […]/libjanitor_misbehaving_early.so 0.0.0
      because: its initialisers run while it is opened, and nothing can interrupt them
      help: take early.zones out of core.plugins, and report it to whoever made the library
    "#);
}

#[test]
fn without_a_worker_the_last_words_are_a_line() {
    let janitor = deployment("wrecker.aborts");
    let run = janitor.command(&["run", "--in-process"]);
    assert_eq!(run.signal(), Some(Signal::ABORT));
    let told = told(&run);
    let line =
        "error[GJ504]: gordon-janitor crashed with SIGABRT in thread \"wrecker.aborts\" (tid …)";
    assert_eq!(told.lines().next(), Some(line));
}

#[test]
fn without_a_worker_exit_is_no_successful_run_either() {
    let janitor = deployment("wrecker.exits-with-0");
    let run = janitor.command(&["run", "--in-process"]);
    assert_eq!(run.exit_code(), 1);
    let told = told(&run);
    let line = "error[GJ505]: a plugin called exit in thread \"wrecker.exits-w\" (tid …)";
    assert_eq!(told.lines().next(), Some(line));
}

#[test]
fn a_fault_that_was_sent_ends_the_worker_as_one_of_its_own_does() {
    for signal in [Signal::SEGV, Signal::BUS, Signal::ABORT] {
        let janitor = deployment("villain.authority.waits");
        let mut running = janitor.start(&["run"]);
        running.wait_for("waiting plugin=villain");
        running.signal_worker(signal);
        let run = running.finish();
        assert_eq!(run.exit_code(), 1);
        let told = told(&run);
        let first = "error[GJ504]: the worker process crashed: SIG";
        assert!(told.starts_with(first), "{told}");
    }
}

#[test]
fn what_was_to_be_done_at_exit_is_not_waited_for() {
    for arguments in [&["run"][..], &["run", "--in-process"]] {
        let janitor = deployment("wrecker.wants-a-farewell");
        let run = janitor.command(arguments);
        assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
        assert_eq!(run.errors(), "");
    }
}

/// The warning of the run after one that crashed.
fn warning(run: &Run) -> Option<String> {
    let told = run.errors();
    let line = told.lines().find(|line| line.contains("[GJ502]"))?;
    Some(line.to_owned())
}

#[test]
fn the_next_run_knows_of_the_crash_and_the_one_after_it_does_not() {
    let janitor = deployment("early.zones").environment("JANITOR_EARLY", "aborts");
    crash(&janitor);
    let janitor = janitor.environment("JANITOR_EARLY", "");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0);
    let warning_text = warning(&run).expect("the crash is remembered");
    let start = "warning[GJ502]: the previous run ended by SIGABRT while the library of plugin \"early.zones\" 0.0.0 (being opened, ";
    assert!(warning_text.starts_with(start), "{warning_text}");
    assert!(run.errors().contains(
        "  note: it is loaded again; with core.after_crash = \"skip\" it would be left out after 3 crashes in an hour\n"
    ));
    assert_eq!(
        run.errors().matches("[GJ502]").count(),
        1,
        "{}",
        run.errors()
    );
    assert_eq!(warning(&janitor.run()), None);
}

#[test]
fn a_plugin_that_crashes_again_and_again_is_run_skipped_or_stops_everything() {
    for (after_crash, expected) in [("run", 1), ("skip", 3), ("stop", 2)] {
        let janitor = deployment("wrecker.reads-null")
            .settings(&format!("[core]\nafter_crash = '{after_crash}'"));
        for _ in 0..3 {
            crash(&janitor);
        }
        let run = janitor.run();
        assert_eq!(run.exit_code(), expected, "{after_crash}: {}", run.errors());
        let served = janitor.served_file("a.test");
        match after_crash {
            "skip" => {
                assert_eq!(run.status(), "incomplete");
                assert!(
                    run.errors()
                        .contains("  note: nothing is deleted in this run: it is an authority\n"),
                    "{}",
                    run.errors()
                );
                assert_eq!(
                    warning(&run).as_deref(),
                    Some(
                        "warning[GJ502]: plugin \"wrecker.reads-null\" has crashed 3 times in an hour; going on without it"
                    )
                );
                // What it would have said is unknown.
                assert!(
                    served.contains("new.") && served.contains("old."),
                    "{served}"
                );
            }
            "stop" => {
                assert!(run.errors().starts_with(
                    "error[GJ502]: plugin \"wrecker.reads-null\" has crashed 3 times in an hour; nothing is run\n"
                ));
                assert_eq!(run.log_with("created"), [""; 0]);
            }
            _ => assert!(!served.contains("new."), "{served}"),
        }
    }
}

#[test]
fn skipping_the_only_plugin_of_a_role_is_an_error() {
    let janitor = deployment("wrecker.reads-null")
        .authorities(&["wrecker.reads-null"])
        .settings("[core]\nafter_crash = 'skip'");
    for _ in 0..3 {
        crash(&janitor);
    }
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2);
    assert!(
        run.errors()
            .contains("error[GJ204]: no authority is left without the plugins that crash\n"),
        "{}",
        run.errors()
    );
}

#[test]
fn another_build_of_the_library_starts_with_a_clean_sheet() {
    let janitor = deployment("early.zones")
        .with_copy_of(EARLY)
        .environment("JANITOR_EARLY", "aborts")
        .settings("[core]\nafter_crash = 'stop'");
    for _ in 0..3 {
        crash(&janitor);
    }
    assert_eq!(janitor.run().exit_code(), 2);
    let janitor = janitor.with_copy_of(EARLY).environment("JANITOR_EARLY", "");
    let run = janitor.run();
    assert_eq!((run.exit_code(), warning(&run)), (0, None));
}

#[test]
fn what_is_remembered_is_a_help_and_never_an_obstacle() {
    for (text, reason) in [
        ("{", "it is damaged"),
        ("{\"version\":99}", "it is of version 99"),
        ("\0", "it is damaged"),
    ] {
        let janitor = deployment("early.zones").file("state/crashes.json", text);
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{}", run.errors());
        let warnings = run.log_with("cannot read what is remembered of crashes");
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains(reason), "{warnings:?}");
    }
    // A directory that is not there is only a matter when there is something to write.
    let janitor = deployment("wrecker.reads-null");
    fs::remove_dir(janitor.path("state")).expect("it is empty");
    // It would be made.
    fs::write(janitor.path("state"), "").expect("a file can be written");
    let run = crash(&janitor);
    let note = "  note: the next run will not know of it: cannot write <root>/state/crashes.json: ";
    assert!(run.errors().contains(note), "{}", run.errors());
}
