use insta::assert_snapshot;

use super::*;

fn operation(key: &str, doing: Doing, thread: i32) -> Operation {
    Operation {
        doing,
        plugins: vec![key.to_owned()],
        version: "1.2.3".to_owned(),
        library: "/p/libacme.so".to_owned(),
        identity: None,
        thread,
    }
}

fn remains(operations: &[Operation], status: i32) -> Remains {
    Remains {
        under_way: operations
            .iter()
            .map(|operation| (operation.thread, operation.clone()))
            .collect(),
        written_over: Vec::new(),
        record: None,
        publishing: false,
        cancelled: false,
        ended_by_us: None,
        status: ExitStatus::from_raw(status),
    }
}

fn record(event: Event, thread: i32, name: &str) -> Option<Record> {
    let name = name.to_owned();
    Some(Record {
        event,
        thread,
        name,
    })
}

fn text(remains: Remains) -> String {
    remains.judge().problem.to_string()
}

const SEGMENTATION: Event = Event::Signal {
    number: libc::SIGSEGV,
    address: Some(0x10),
};

#[test]
fn a_crash_is_the_fault_of_the_thread_it_happened_on() {
    let both = [
        operation("acme.a", Doing::Running, 11),
        operation("acme.b", Doing::Running, 12),
    ];
    let crash = Remains {
        record: record(SEGMENTATION, 12, "acme.b"),
        ..remains(&both, libc::SIGSEGV)
    };
    assert_snapshot!(text(crash), @r#"
    error[GJ504]: plugin "acme.b" crashed while it was running: SIGSEGV
      where: /p/libacme.so 1.2.3, thread "acme.b" (tid 12)
      found: it touched the address 0x10, which is a null pointer or close to one
      because: this is a fault in the plugin; it ended the worker process, and with it the run
      note: nothing had been published: every zone stays as it is
      help: report it to whoever made libacme.so; gordon-janitor run --in-process in a debugger shows the place
    "#);
}

#[test]
fn a_thread_that_a_plugin_made_is_known_by_the_name_it_inherited() {
    let both = [
        operation("acme.long-name-of-a", Doing::Running, 11),
        operation("acme.b", Doing::Running, 12),
    ];
    let crash = Remains {
        record: record(SEGMENTATION, 99, "acme.long-name-"),
        ..remains(&both, libc::SIGABRT)
    };
    let text = text(crash);
    assert!(
        text.starts_with(
            "error[GJ504]: plugin \"acme.long-name-of-a\" crashed while it was running: \
             SIGSEGV, a stack overflow\n"
        ),
        "{text}"
    );
}

#[test]
fn a_thread_whose_name_only_begins_alike_may_be_anybodys() {
    let both = [
        operation("dns.axfr", Doing::Running, 11),
        operation("acme.b", Doing::Running, 12),
    ];
    for name in ["dns", "d", "", "dns.axfr2"] {
        let crash = Remains {
            record: record(SEGMENTATION, 99, name),
            ..remains(&both, libc::SIGSEGV)
        };
        assert!(crash.judge().culprit.is_none(), "{name}");
    }
}

#[test]
fn a_crash_without_last_words_may_be_anybodys() {
    let both = [
        operation("acme.a", Doing::Running, 11),
        operation("acme.b", Doing::Creating, 12),
    ];
    let crash = Remains {
        publishing: true,
        ..remains(&both, libc::SIGSEGV)
    };
    assert!(remains(&both, libc::SIGSEGV).judge().culprit.is_none());
    assert_snapshot!(text(crash), @r#"
    error[GJ504]: the worker process crashed: SIGSEGV
      found: plugin "acme.a" was running (/p/libacme.so 1.2.3)
      found: plugin "acme.b" was being created (/p/libacme.so 1.2.3)
      because: a plugin, or a library that it uses, has a fault; which one is not certain
      note: changes were being published: nobody can tell which of them were applied; look at the servers, or at gordon-janitor plan
    "#);
}

#[test]
fn exit_is_told_apart_from_the_end_of_a_run() {
    let opening = [operation("acme.a", Doing::Opening, 11)];
    let exit = Remains {
        record: record(Event::Exit, 11, "gordon-janitor"),
        ..remains(&opening, 42 << 8)
    };
    assert_snapshot!(text(exit), @r#"
    error[GJ505]: libacme.so called exit(42) while it was being opened
      where: /p/libacme.so 1.2.3
      because: only gordon-janitor may end its process: the run is not over, whatever the status says
      note: nothing had been published: every zone stays as it is
      help: report it to whoever made libacme.so; gordon-janitor run --in-process in a debugger shows the place
    "#);
}

#[test]
fn an_end_by_nobody_known_is_no_success() {
    assert_snapshot!(text(remains(&[], 0)), @"
    error[GJ506]: the worker process ended with 0 and did not report
      because: this is a fault in gordon-janitor, or a plugin closed what they talk over
      note: nothing had been published: every zone stays as it is
    ");
    assert_snapshot!(text(remains(&[], libc::SIGKILL)), @"
    error[GJ506]: the worker process was killed by SIGKILL before it had reported
      because: somebody sent it, or the system ran out of memory
      help: the system's log tells; with systemd: journalctl -k | grep -i oom
      note: nothing had been published: every zone stays as it is
    ");
}

#[test]
fn what_takes_too_long_to_open_is_named() {
    let opening = operation("acme.a", Doing::Opening, 11);
    let limit = Duration::from_secs(30);
    let slow = Remains {
        ended_by_us: Some(Overdue::Opening(opening.clone(), limit)),
        ..remains(&[opening], libc::SIGKILL)
    };
    assert_snapshot!(text(slow), @"
    error[GJ507]: libacme.so was not open after 30s; the worker process was ended
      where: /p/libacme.so 1.2.3
      because: its initialisers run while it is opened, and nothing can interrupt them
      help: take acme.a out of core.plugins, and report it to whoever made the library
    ");
}

#[test]
fn a_library_that_was_written_over_is_no_fault_of_its_author() {
    let crash = Remains {
        written_over: vec!["libacme.so".to_owned()],
        record: record(SEGMENTATION, 11, "acme.a"),
        ..remains(&[operation("acme.a", Doing::Running, 11)], libc::SIGSEGV)
    };
    assert_snapshot!(text(crash), @r#"
    error[GJ504]: plugin "acme.a" crashed while it was running: SIGSEGV
      where: /p/libacme.so 1.2.3, thread "acme.a" (tid 11)
      found: libacme.so was written over while it was loaded
      found: it touched the address 0x10, which is a null pointer or close to one
      because: the code of libacme.so is read from its file while it runs, and was another one all of a sudden (GJ303)
      note: nothing had been published: every zone stays as it is
      help: put another file in its place, as gordon-janitor plugins install, mv and install(1) do; cp and > write over it
    "#);
}

#[test]
fn a_signal_that_was_asked_for_is_a_cancellation() {
    let asked = Remains {
        cancelled: true,
        ..remains(&[], libc::SIGTERM)
    };
    assert!(asked.judge().cancelled);
    assert!(!remains(&[], libc::SIGTERM).judge().cancelled);
}
