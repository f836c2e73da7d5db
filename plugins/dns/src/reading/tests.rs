//! Servers that do as a test says: what they are asked, in which order, and what comes of it.

mod scripted;

use std::time::Duration;

use janitor_plugin_api::Error;
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::sync::Notify;

use super::*;
use scripted::{Asked, Reply, Scripted, apex, zone};

/// Nothing here takes as long.
const ENOUGH: Duration = Duration::from_secs(30);
/// What is waited for in vain here; everything else is done by then, also where the machine is busy.
const SHORT: Duration = Duration::from_secs(1);

fn reader(servers: &[&Scripted]) -> Reader {
    reader_within(ENOUGH, servers.iter().map(|server| server.server(ENOUGH)))
}

fn reader_within(deadline: Duration, servers: impl IntoIterator<Item = Arc<Server>>) -> Reader {
    Reader {
        network: Network::of(servers.into_iter().collect()),
        store: None,
        deadline,
        at_once: 1,
        tally: Tally::default(),
    }
}

/// A reader that keeps copies in `directory`.
fn keeping(directory: &TempDir, servers: &[&Scripted]) -> Reader {
    Reader {
        store: Some(Store::new(directory.path().to_owned(), ENOUGH)),
        ..reader(servers)
    }
}

fn read(reader: &Reader) -> Result<ActualZone, Error> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(reader.read(apex().as_ref()))
}

/// The records of the zone, but for its SOA.
fn records(reader: &Reader) -> String {
    let zone = read(reader).unwrap_or_else(|error| panic!("{}", in_one_line(&error)));
    let lines = zone.to_string();
    let lines = lines.lines().filter(|line| !line.contains(" SOA "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Why the zone is not read, with the addresses of `servers` as S1, S2 and so on.
fn told(reader: &Reader, servers: &[&Scripted]) -> String {
    let error = read(reader).expect_err("no server gives it");
    let links = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
    let mut text = links.map(|link| format!("{link}\n")).collect::<String>();
    for (number, server) in (1..).zip(servers) {
        text = text.replace(&server.shown(), &format!("S{number}"));
    }
    text
}

/// A server of `www A 192.0.2.1` with serial 1.
fn good() -> Scripted {
    Scripted::new(|_| Reply::Zone(zone(1, "www A 192.0.2.1")))
}

const WWW_1: &str = "www.example.com. 300 IN A 192.0.2.1";
const WWW_2: &str = "www.example.com. 300 IN A 192.0.2.2";

#[test]
fn the_first_server_that_gives_the_zone_is_the_last_that_is_asked() {
    let (first, second) = (good(), good());
    assert_eq!(records(&reader(&[&first, &second])), WWW_1);
    assert_eq!(
        (first.asked(), second.asked()),
        (vec!["AXFR".to_owned()], vec![])
    );
}

#[test]
fn whatever_is_wrong_with_a_server_the_next_one_is_asked() {
    let with = |reply: fn() -> Reply| Scripted::new(move |_| reply());
    let faulty = [
        with(|| Reply::Rcode(5)),
        with(|| Reply::Rcode(9)),
        with(|| Reply::Rcode(2)),
        with(|| Reply::Close),
        with(|| Reply::Octets(vec![1, 2, 3])),
        with(|| Reply::Records(vec![])),
        with(|| Reply::Records(zone(1, "www A 192.0.2.1")[1..].to_vec())),
        // It ends before its last SOA.
        with(|| Reply::Broken(zone(1, "www A 192.0.2.1"))),
        // It changes on the way.
        with(|| Reply::Records([zone(1, "www A 192.0.2.1"), zone(2, "")].concat())),
        // It has somebody else's records.
        with(|| Reply::Zone(zone(1, "www.example.org. A 192.0.2.1"))),
        Scripted::nowhere(),
    ];
    for server in &faulty {
        let second = good();
        assert_eq!(records(&reader(&[server, &second])), WWW_1);
        assert_eq!(second.asked(), ["AXFR"]);
    }
}

#[test]
fn a_zone_that_nobody_gives_is_left_out_with_what_came_of_every_server() {
    let refusing = Scripted::new(|_| Reply::Rcode(5));
    let closing = Scripted::new(|_| Reply::Close);
    let changing =
        Scripted::new(|_| Reply::Records([zone(1, "www A 192.0.2.1"), zone(2, "")].concat()));
    let breaking = Scripted::new(|_| Reply::Broken(zone(1, "www A 192.0.2.1")));
    let absent = Scripted::nowhere();
    let servers = [&refusing, &closing, &changing, &breaking, &absent];
    insta::assert_snapshot!(told(&reader(&servers), &servers), @"
    cannot transfer the zone
    S1: the server answers REFUSED
    S2: the server closed the connection before it answered
    S3: the zone changed during its transfer: it began at serial 1 and ended at 2 (after 1 message and 3 records)
    S4: the server closed the connection before the answer was complete
    S5: cannot connect to S5: Connection refused (os error 111)
    ");
}

#[test]
fn a_silent_server_costs_its_timeout_and_a_slow_search_ends_at_the_deadline() {
    let (silent, second) = (Scripted::new(|_| Reply::Silence), good());
    let servers = [silent.server(SHORT), second.server(ENOUGH)];
    assert_eq!(records(&reader_within(ENOUGH, servers)), WWW_1);

    let (first, third) = (Scripted::new(|_| Reply::Rcode(5)), good());
    let servers = [&first, &silent, &third];
    let slow = reader_within(SHORT, servers.map(|server| server.server(ENOUGH)));
    insta::assert_snapshot!(told(&slow, &servers), @"
    cannot transfer the zone
    S1: the server answers REFUSED
    S2: not done within the 1 s for one zone (`deadline`)
    S3: not asked
    ");
    let failures = [first.shown(), silent.shown()].map(|server| (server, 1));
    assert_eq!(slow.tally.failures(), failures.into());
    assert_eq!(third.asked(), [""; 0]);
}

#[test]
fn the_hint_is_that_of_the_first_server_that_has_one() {
    let closing = Scripted::new(|_| Reply::Close);
    let refusing = Scripted::new(|_| Reply::Rcode(5));
    let changing =
        Scripted::new(|_| Reply::Records([zone(1, "www A 192.0.2.1"), zone(2, "")].concat()));
    let hint = |servers: &[&Scripted]| {
        let error = read(&reader(servers)).expect_err("no server gives it");
        format!("{error:?}")
    };
    assert!(hint(&[&closing, &refusing, &changing]).contains("allow-transfer"));
    assert!(hint(&[&closing, &changing, &refusing]).contains("a later run"));
    assert!(hint(&[&closing]).contains("hint: None"));
}

#[test]
fn a_transfer_of_many_messages_lets_others_have_their_turn() {
    // The messages are so large that the server writes them faster than anybody reads them, and by the
    // time the small zone is asked for there are always some.
    let line = |number| format!("www TXT {} {number}", "x".repeat(200));
    let lines = (0..200).map(line).collect::<Vec<_>>().join("\n");
    let flowing = Arc::new(Notify::new());
    let flows = Arc::clone(&flowing);
    let large = Scripted::new(move |_| Reply::Flood(zone(1, &lines), Arc::clone(&flows)));
    let small = good();
    let (large, small) = (reader(&[&large]), reader(&[&small]));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let apex = apex();
    let read = runtime.block_on(async {
        let small = async {
            flowing.notified().await;
            small.read(apex.as_ref()).await
        };
        tokio::select! {
            biased;
            large = large.read(apex.as_ref()) => panic!("it was alone to the end: {large:?}"),
            read = small => read,
        }
    });
    assert_eq!(read.unwrap().rrset_count(), 2);
}

/// A server at `serial` whose only record is `record`; it sends `differences` when it is asked for them.
fn versioned(serial: u32, record: &'static str, differences: fn() -> Reply) -> Scripted {
    Scripted::new(move |asked| match asked {
        Asked::Soa => Reply::Records(zone(serial, "")),
        Asked::Ixfr(_) => differences(),
        Asked::Axfr => Reply::Zone(zone(serial, record)),
    })
}

/// From serial 1 with `www A 192.0.2.1` to serial 2 with `www A 192.0.2.2`.
fn from_1_to_2() -> Reply {
    let (one, two) = (zone(1, "www A 192.0.2.1"), zone(2, "www A 192.0.2.2"));
    Reply::Records([&two[..1], &one, &two, &two[..1]].concat())
}

/// Keeps serial 1 as `server` has it now, moves the server, reads again; what was read, and what was
/// asked the second time.
fn after(
    server: &Scripted,
    script: impl Fn(Asked) -> Reply + Send + Sync + 'static,
) -> (String, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(records(&keeping(&directory, &[server])), WWW_1);
    assert_eq!(server.asked(), ["AXFR"]);
    server.becomes(script);
    (records(&keeping(&directory, &[server])), server.asked())
}

fn at_1() -> Scripted {
    versioned(1, "www A 192.0.2.1", || Reply::Close)
}

fn at_2(differences: fn() -> Reply) -> impl Fn(Asked) -> Reply + Send + Sync + 'static {
    move |asked| match asked {
        Asked::Soa => Reply::Records(zone(2, "")),
        Asked::Ixfr(_) => differences(),
        Asked::Axfr => Reply::Zone(zone(2, "www A 192.0.2.2")),
    }
}

#[test]
fn a_zone_that_has_not_moved_costs_one_question() {
    let script = |asked| match asked {
        Asked::Soa => Reply::Records(zone(1, "")),
        _ => Reply::Close,
    };
    let (read, asked) = after(&at_1(), script);
    assert_eq!((read.as_str(), asked), (WWW_1, vec!["SOA".to_owned()]));
}

#[test]
fn a_zone_that_has_moved_costs_its_differences_and_is_kept_with_them() {
    let directory = tempfile::tempdir().unwrap();
    let server = at_1();
    records(&keeping(&directory, &[&server]));
    server.becomes(at_2(from_1_to_2));
    assert_eq!(records(&keeping(&directory, &[&server])), WWW_2);
    assert_eq!(server.asked(), ["AXFR", "SOA", "IXFR 1"]);
    assert_eq!(records(&keeping(&directory, &[&server])), WWW_2);
    assert_eq!(server.asked(), ["SOA"]);
}

#[test]
fn any_doubt_about_the_differences_costs_a_whole_transfer() {
    let doubts: [fn() -> Reply; 9] = [
        || Reply::Rcode(4),
        || Reply::Rcode(1),
        || Reply::Rcode(5),
        || Reply::Close,
        // It says that nothing has changed, and said that it has.
        || Reply::Records(zone(1, "")),
        // They start elsewhere.
        || {
            let (one, two) = (zone(3, "www A 192.0.2.1"), zone(2, "www A 192.0.2.2"));
            Reply::Records([&two[..1], &one, &two, &two[..1]].concat())
        },
        // They delete what is not there.
        || {
            let (one, two) = (zone(1, "www A 192.0.2.9"), zone(2, "www A 192.0.2.2"));
            Reply::Records([&two[..1], &one, &two, &two[..1]].concat())
        },
        // They break off.
        || {
            let (one, two) = (zone(1, "www A 192.0.2.1"), zone(2, "www A 192.0.2.2"));
            Reply::Broken([&two[..1], &one, &two[..1]].concat())
        },
        || Reply::Octets(vec![0; 12]),
    ];
    for differences in doubts {
        let (read, mut asked) = after(&at_1(), at_2(differences));
        // A connection that had served before and is closed then costs a second try on a new one.
        asked.dedup();
        assert_eq!(
            (read.as_str(), asked),
            (
                WWW_2,
                vec!["SOA".to_owned(), "IXFR 1".to_owned(), "AXFR".to_owned()]
            )
        );
    }
}

#[test]
fn the_whole_zone_in_place_of_differences_is_taken_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let server = at_1();
    records(&keeping(&directory, &[&server]));
    server.becomes(at_2(|| Reply::Zone(zone(2, "www A 192.0.2.2"))));
    for asked in [&["AXFR", "SOA", "IXFR 1"][..], &["SOA"]] {
        assert_eq!(records(&keeping(&directory, &[&server])), WWW_2);
        assert_eq!(server.asked(), asked);
    }
}

#[test]
fn a_soa_that_leaves_doubt_costs_a_whole_transfer() {
    let answers: [fn() -> Reply; 7] = [
        // It went backwards, and by so much that nobody can tell (RFC 1982).
        || Reply::Records(zone(0, "")),
        || Reply::Records(zone((1 << 31) + 1, "")),
        // It was written anew and kept its serial.
        || {
            let mut soa = zone(1, "");
            *soa[0].rdata.last_mut().unwrap() += 1;
            Reply::Records(soa)
        },
        || Reply::Rcode(5),
        || Reply::Records(vec![]),
        || Reply::NotAuthoritative(zone(1, "")),
        || Reply::Octets(vec![0; 12]),
    ];
    for soa in answers {
        let (read, asked) = after(&at_1(), move |asked| match asked {
            Asked::Soa => soa(),
            _ => Reply::Zone(zone(1, "www A 192.0.2.2")),
        });
        assert_eq!(
            (read.as_str(), asked),
            (WWW_2, vec!["SOA".to_owned(), "AXFR".to_owned()])
        );
    }
}

#[test]
fn a_copy_that_was_doubted_once_is_never_used_again() {
    for served in [0, 2] {
        let directory = tempfile::tempdir().unwrap();
        let server = at_1();
        records(&keeping(&directory, &[&server]));
        // A backup is loaded, say, and just then nobody may transfer.
        server.becomes(move |asked| match asked {
            Asked::Soa => Reply::Records(zone(served, "")),
            Asked::Ixfr(_) => Reply::Records(zone(1, "")),
            Asked::Axfr => Reply::Rcode(5),
        });
        assert!(read(&keeping(&directory, &[&server])).is_err());
        // What was changed since then has brought the serial back to that of the copy.
        server.becomes(|asked| match asked {
            Asked::Soa => Reply::Records(zone(1, "")),
            _ => Reply::Zone(zone(1, "www A 192.0.2.2")),
        });
        server.asked();
        assert_eq!(records(&keeping(&directory, &[&server])), WWW_2);
        assert_eq!(server.asked(), ["AXFR"]);
    }
}

#[test]
fn an_answer_that_is_older_than_the_soa_just_told_is_no_zone() {
    // Two servers behind one address, one of which is behind or has lost the zone.
    let older: [fn() -> Reply; 2] = [
        || Reply::Zone(zone(1, "")),
        || {
            let (one, two) = (zone(1, "www A 192.0.2.1"), zone(2, ""));
            Reply::Records([&two[..1], &one, &two, &two[..1]].concat())
        },
    ];
    for answer in older {
        let (read, asked) = after(&at_1(), move |asked| match asked {
            Asked::Soa => Reply::Records(zone(3, "")),
            Asked::Ixfr(_) => answer(),
            Asked::Axfr => Reply::Zone(zone(3, "www A 192.0.2.2")),
        });
        assert_eq!(
            (read.as_str(), asked.join(" ").as_str()),
            (WWW_2, "SOA IXFR 1 AXFR")
        );
    }
}

#[test]
fn a_server_that_does_not_answer_at_all_is_asked_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (at_1(), good());
    records(&keeping(&directory, &[&first, &second]));
    first.becomes(|_| Reply::Silence);
    let silent = Reader {
        store: Some(Store::new(directory.path().to_owned(), ENOUGH)),
        ..reader_within(ENOUGH, [first.server(SHORT), second.server(ENOUGH)])
    };
    assert_eq!(records(&silent), WWW_1);
    assert_eq!(first.asked(), ["AXFR", "SOA"]);
    assert_eq!(second.asked(), ["AXFR"]);
}

#[test]
fn what_one_server_gave_is_no_kept_copy_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (at_1(), at_1());
    records(&keeping(&directory, &[&first]));
    records(&keeping(&directory, &[&second]));
    assert_eq!(second.asked(), ["AXFR"]);
}

#[test]
fn what_one_address_of_a_server_gave_is_no_kept_copy_of_another() {
    let script = |record: &'static str| {
        move |asked| match asked {
            Asked::Soa => Reply::Records(zone(1, "")),
            _ => Reply::Zone(zone(1, record)),
        }
    };
    // The name is looked up anew for a new run, and when a connection was closed between two zones.
    for is_same_run in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let first = Scripted::new(script("www A 192.0.2.1"));
        let second = Scripted::elsewhere(script("www A 192.0.2.2"));
        let mut server = first.server(ENOUGH);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let read = |server: &Arc<Server>| {
            let reader = Reader {
                store: Some(Store::new(directory.path().to_owned(), ENOUGH)),
                ..reader_within(ENOUGH, [Arc::clone(server)])
            };
            let zone = runtime.block_on(reader.read(apex().as_ref())).unwrap();
            zone.to_string()
        };
        assert!(read(&server).contains("192.0.2.1"));
        first.becomes(|_| Reply::Close);
        if !is_same_run {
            server = first.server(ENOUGH);
        }
        server.resolves_to(second.address());
        assert!(read(&server).contains("192.0.2.2"));
        let asked = if is_same_run {
            &["SOA", "AXFR"][..]
        } else {
            &["AXFR"]
        };
        assert_eq!(second.asked(), asked);
        assert!(read(&server).contains("192.0.2.2"));
        assert_eq!(second.asked(), ["SOA"]);
    }
}

#[test]
fn a_damaged_copy_costs_a_whole_transfer() {
    for position in [10, 40, 120] {
        let directory = tempfile::tempdir().unwrap();
        let server = at_1();
        records(&keeping(&directory, &[&server]));
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let path = entry.unwrap().path();
            let mut octets = std::fs::read(&path).unwrap();
            let length = octets.len();
            octets[position % length] ^= 1;
            std::fs::write(&path, octets).unwrap();
        }
        assert_eq!(records(&keeping(&directory, &[&server])), WWW_1);
        let asked = server.asked();
        assert_eq!(asked.last().map(String::as_str), Some("AXFR"), "{asked:?}");
        assert_eq!(asked.iter().filter(|asked| *asked == "AXFR").count(), 2);
        // What was thrown away is kept again.
        records(&keeping(&directory, &[&server]));
        assert_eq!(server.asked(), ["SOA"]);
    }
}
