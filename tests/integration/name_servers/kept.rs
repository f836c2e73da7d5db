//! Zones of which copies are kept: what a run transfers, and that it sees what a whole transfer shows.

use super::deployment::janitor_for;
use crate::janitor::{HEAD, Janitor, Run};
use crate::peers::name_server::{Access, Kind, NameServer, Options, Signing};

const APEX: &str = "example.com";

/// The same deployment, which keeps copies and says what it transfers.
fn keeping(janitor: Janitor) -> Janitor {
    janitor.settings("keep = true\n[core.plugin.'dns.axfr']\nlevel = 'debug'")
}

fn zone() -> String {
    let records = (0..200).map(|n| format!("host-{n} A 192.0.2.{n}\nhost-{n} TXT \"{n}\"\n"));
    format!("{HEAD}{}", records.collect::<String>())
}

/// What is desired: what is served at first, without one name.
fn desired(janitor: Janitor) -> Janitor {
    let zone = zone().replace("host-7 TXT \"7\"\n", "");
    janitor.file(&format!("desired/{APEX}.zone"), zone)
}

/// How the zone was read.
fn way(run: &Run) -> &'static str {
    let ways = [
        ("DEBUG: zone is as it was kept ", "kept"),
        ("DEBUG: differences of the zone transferred ", "ixfr"),
        ("DEBUG: zone transferred ", "axfr"),
    ];
    let mut found = ways
        .iter()
        .filter(|(line, _)| !run.log_with(line).is_empty());
    match (found.next(), found.next()) {
        (Some((_, way)), None) => way,
        _ => panic!("read in one way:\n{}", run.stderr()),
    }
}

fn plan(janitor: &Janitor, told: &str) -> Run {
    let plan = janitor.plan(&["--exit-code"]);
    assert_eq!(plan.exit_code(), 4, "{told}: {}", plan.stderr());
    plan
}

#[test]
fn a_copy_that_is_kept_shows_what_a_whole_transfer_shows() {
    for (kind, sign, differences) in [
        (Kind::Knot, Signing::No, "ixfr"),
        (Kind::Bind, Signing::No, "ixfr"),
        (Kind::Knot, Signing::Nsec3, "ixfr"),
        (Kind::Bind, Signing::Nsec, "ixfr"),
        // It answers IXFR with the whole zone.
        (Kind::PowerDns, Signing::No, "axfr"),
    ] {
        let options = Options {
            sign,
            ..Options::default()
        };
        let Some(server) = NameServer::start(kind, &[(APEX, zone())], &options) else {
            continue;
        };
        let told = format!("{kind:?}, {sign:?}");
        let whole = desired(janitor_for(&server));
        let kept = desired(keeping(janitor_for(&server)));
        let first = plan(&kept, &told);
        assert_eq!(way(&first), "axfr", "{told}");
        let second = plan(&kept, &told);
        // A signer may have gone on signing in between.
        if sign == Signing::No {
            assert_eq!(way(&second), "kept", "{told}");
        }
        assert_eq!(first.stdout(), second.stdout(), "{told}");
        for round in 0..5 {
            let (gone, new, other) = (round * 3 + 20, round + 10, round * 2 + 100);
            let commands = format!(
                "update delete host-{gone}.{APEX}.\n\
                 update add new-{new}.{APEX}. 60 AAAA 2001:db8::{new}\n\
                 update delete host-{other}.{APEX}. A\n\
                 update add host-{other}.{APEX}. 300 A 198.51.100.{new}\n\
                 update add host-{other}.{APEX}. 300 A 198.51.100.{gone}"
            );
            server.update(APEX, &commands);
            let seen = plan(&kept, &told);
            assert_eq!(way(&seen), differences, "{told}, round {round}");
            assert_eq!(
                seen.stdout(),
                plan(&whole, &told).stdout(),
                "{told}, round {round}"
            );
        }
    }
}

#[test]
fn a_copy_is_good_for_the_server_and_the_key_that_it_came_from() {
    let options = Options {
        transfer: Access::Anyone,
        ..Options::default()
    };
    let start = || NameServer::start(Kind::Knot, &[(APEX, zone())], &options);
    let (Some(first), Some(second)) = (start(), start()) else {
        return;
    };
    let mut kept = desired(keeping(janitor_for(&first)));
    assert_eq!(way(&plan(&kept, "first")), "axfr");
    assert_eq!(way(&plan(&kept, "first again")), "kept");
    let debug = "[core.plugin.'dns.axfr']\nlevel = 'debug'";
    let (one, other) = (first.address(), second.address());
    for servers in [
        format!("servers = ['{one}']"),
        format!("servers = ['{other}']"),
    ] {
        kept.rewrite_settings(&format!("[dns]\n{servers}\nkeep = true\n{debug}"));
        assert_eq!(way(&plan(&kept, &servers)), "axfr", "{servers}");
        assert_eq!(way(&plan(&kept, &servers)), "kept", "{servers}");
    }
}

#[test]
fn a_zone_that_is_loaded_anew_is_seen_by_its_serial() {
    let options = Options {
        update: Access::Nobody,
        ..Options::default()
    };
    for kind in [Kind::Knot, Kind::Bind, Kind::Nsd] {
        let Some(mut server) = NameServer::start(kind, &[(APEX, zone())], &options) else {
            continue;
        };
        let kept = desired(keeping(janitor_for(&server)));
        let told = format!("{kind:?}");
        assert_eq!(way(&plan(&kept, &told)), "axfr");
        assert_eq!(way(&plan(&kept, &told)), "kept");
        let later = zone().replace(" 1 3600", " 5 3600") + "later A 192.0.2.1\n";
        server.reload(APEX, &later);
        server.wait_for_serial(APEX, 5);
        let seen = plan(&kept, &told);
        assert_ne!(way(&seen), "kept", "{told}");
        assert!(seen.stdout().contains("later.example.com."), "{told}");
        assert_eq!(way(&plan(&kept, &told)), "kept", "{told}");
    }
}

#[test]
fn a_server_that_was_restored_from_a_backup_is_not_taken_for_what_it_was() {
    let options = Options {
        update: Access::Nobody,
        ..Options::default()
    };
    // Knot loads no zone whose serial went backwards.
    for kind in [Kind::Bind, Kind::Nsd] {
        let Some(mut server) = NameServer::start(kind, &[(APEX, at(5, "lost"))], &options) else {
            continue;
        };
        let whole = desired(janitor_for(&server));
        let kept = desired(keeping(janitor_for(&server)));
        let told = format!("{kind:?}");
        assert_eq!(way(&plan(&kept, &told)), "axfr", "{told}");
        assert_eq!(way(&plan(&kept, &told)), "kept", "{told}");
        // Then it is changed until its serial is again what it was when the first copy was made.
        for (serial, name) in [(3, "restored"), (5, "changed")] {
            server.reload(APEX, &at(serial, name));
            server.wait_for_serial(APEX, serial);
            let seen = plan(&kept, &told);
            assert_ne!(way(&seen), "kept", "{told}, serial {serial}");
            assert!(
                seen.stdout().contains(&format!("- {name}.example.com.")),
                "{told}: {}",
                seen.stdout()
            );
            assert_eq!(seen.stdout(), plan(&whole, &told).stdout(), "{told}");
        }
    }
}

/// The zone at `serial`, and `name` in it that is not desired.
fn at(serial: u32, name: &str) -> String {
    zone().replace(" 1 3600", &format!(" {serial} 3600")) + name + " A 192.0.2.1\n"
}
