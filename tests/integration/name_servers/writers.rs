//! Others who change the zone at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use super::deployment::{janitor, janitor_for, steady};
use crate::janitor::{HEAD, Run, WITHOUT_LIMITS};
use crate::peers::name_server::{Kind, NameServer, Options, Signing};
use crate::peers::proxy::{Exchange, Fault, Proxy, Spot};

const APEX: &str = "example.com";

/// The name servers that take updates, each in all ways in which it signs.
fn servers(zone: &str) -> impl Iterator<Item = (Kind, Signing, NameServer)> {
    let ways = [Signing::No, Signing::Nsec, Signing::Nsec3];
    let all = Kind::UPDATED
        .into_iter()
        .flat_map(move |kind| ways.map(|sign| (kind, sign)));
    all.filter_map(move |(kind, sign)| {
        let options = Options {
            sign,
            ..Options::default()
        };
        let zones = [(APEX, format!("{HEAD}{zone}"))];
        let server = NameServer::start(kind, &zones, &options)?;
        Some((kind, sign, server))
    })
}

/// What is served but what a signer makes.
fn unsigned(server: &NameServer) -> Vec<String> {
    let made = [
        "RRSIG",
        "NSEC",
        "NSEC3",
        "NSEC3PARAM",
        "DNSKEY",
        "CDS",
        "CDNSKEY",
        "ZONEMD",
        "TYPE65534",
    ];
    let rtype = |line: &str| line.split(' ').nth(2).map(str::to_owned);
    let lines = server.lines(APEX).into_iter();
    let ours =
        lines.filter(|line| !rtype(line).is_some_and(|rtype| made.contains(&rtype.as_str())));
    ours.collect()
}

const SERVED: &str = "swap A 192.0.2.1\nswap TXT \"a\"\nwww A 192.0.2.2\n";
const DESIRED: &str = "swap CNAME www\nwww A 192.0.2.3\n";

#[test]
fn a_cname_takes_the_place_of_other_data_wherever_the_server_signs() {
    for (kind, sign, server) in servers(SERVED) {
        let janitor = janitor_for(&server).settings(WITHOUT_LIMITS);
        let run = janitor.desired(APEX, DESIRED).run();
        assert_eq!(run.exit_code(), 0, "{kind:?}, {sign:?}: {}", run.stderr());
        assert_eq!(
            unsigned(&server),
            [
                "swap.example.com. 300 CNAME www.example.com.",
                "www.example.com. 300 A 192.0.2.3"
            ],
            "{kind:?}, {sign:?}"
        );
    }
}

#[test]
fn what_another_writer_adds_where_a_cname_is_to_come_is_never_deleted() {
    for (kind, sign, server) in servers(SERVED) {
        let is_signed_apart = kind == Kind::Knot && sign != Signing::No;
        // A type that conditions know, and one that is so rare that they do not.
        for (rtype, rdata) in [
            ("MX", "10 www.example.com."),
            ("EUI48", "00-00-5e-00-53-2a"),
        ] {
            let proxy = Proxy::before(server.address());
            let janitor = janitor(&[proxy.address()], server.key())
                .settings("[dns.update]\nif_moved = 'compare'\nsettle = 1")
                .settings(WITHOUT_LIMITS)
                .desired(APEX, DESIRED);
            // Just before the message that would have done it.
            let last = if is_signed_apart { 3 } else { 1 };
            let add = format!("update add swap.example.com. 300 {rtype} {rdata}");
            let writer = server.by_hand(APEX, &add);
            let seen = AtomicUsize::new(0);
            let act = move || {
                if seen.fetch_add(1, Ordering::Relaxed) + 1 == last {
                    writer();
                }
            };
            proxy.always(Spot::request(Exchange::Update), Fault::first(act));
            let run = janitor.run();
            let context = format!("{kind:?}, {sign:?}, {rtype}: {}", run.stderr());
            assert_eq!(run.exit_code(), 1, "{context}");
            let served = unsigned(&server);
            let has = |rtype: &str| {
                let start = format!("swap.example.com. 300 {rtype} ");
                served.iter().any(|line| line.starts_with(&start))
            };
            assert!(has(rtype) && !has("CNAME"), "{context}{served:#?}");
            // Where nothing tells of the rare one, what was to go goes.
            let is_known = rtype == "MX" || is_signed_apart || kind == Kind::PowerDns;
            assert_eq!(has("A") && has("TXT"), is_known, "{context}{served:#?}");
            server.update(
                APEX,
                "update delete swap.example.com.\n\
                 update add swap.example.com. 300 A 192.0.2.1\n\
                 update add swap.example.com. 300 TXT \"a\"\n\
                 update delete www.example.com. A\n\
                 update add www.example.com. 300 A 192.0.2.2",
            );
        }
    }
}

#[test]
fn two_janitors_at_once_make_each_change_once() {
    let names = |address: &str| -> String {
        let lines = (0..300).map(|at| format!("n{at} A {address}\n"));
        lines.collect()
    };
    for kind in Kind::UPDATED {
        let zone = format!("{HEAD}{}", names("192.0.2.1"));
        let Some(server) = NameServer::of(kind, APEX, &zone) else {
            continue;
        };
        let proxy = Proxy::before(server.address());
        let together = Arc::new(Barrier::new(2));
        // Both have planned when either begins to write.
        let meet = move || {
            together.wait();
        };
        proxy.times(2, Spot::request(Exchange::Update), Fault::first(meet));
        let runs = [(); 2].map(|()| {
            let janitor = janitor(&[proxy.address()], server.key())
                .settings(WITHOUT_LIMITS)
                .desired(APEX, &names("192.0.2.2"));
            thread::spawn(move || janitor.run())
        });
        let runs = runs.map(|run| run.join().expect("a run ends"));
        let mut codes = runs.each_ref().map(Run::exit_code);
        codes.sort_unstable();
        assert_eq!(codes, [0, 1], "{kind:?}");
        let lines = server.lines(APEX);
        assert_eq!(lines.len(), 300, "{kind:?}");
        assert!(lines.iter().all(|line| line.ends_with(" A 192.0.2.2")));
        assert_eq!(server.serial(APEX), 2, "{kind:?}");
        let told = runs
            .iter()
            .flat_map(|run| run.log_with("changes were not applied"));
        let told: Vec<_> = told.map(|line| steady(&line)).collect();
        assert_eq!(told.len(), 1, "{kind:?}");
        assert!(
            told[0].contains("refused=300 unknown=0 reason=\"the zone has serial 2 by now"),
            "{told:?}"
        );
    }
}
