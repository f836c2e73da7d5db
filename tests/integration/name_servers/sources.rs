//! Zones from where they are: several servers, IPv6, TLS, and a primary as the source of truth.

use rustix::process::Signal;

use super::deployment::{janitor, janitor_for};
use crate::janitor::{DNS, FILES, HEAD, Janitor};
use crate::peers::name_server::{Access, Kind, NameServer, Options, Signing};
use crate::peers::proxy::{Exchange, Fault, Proxy, Spot};

const APEX: &str = "example.com";

fn text(records: &str) -> String {
    format!("{HEAD}{records}\n")
}

#[test]
fn a_zone_comes_from_whichever_server_has_it() {
    let start = |zones: &[(&str, String)], transfer| {
        let options = Options {
            transfer,
            ..Options::default()
        };
        NameServer::start(Kind::Knot, zones, &options)
    };
    let both = [
        ("a.test", text("old A 192.0.2.1")),
        ("b.test", text("old A 192.0.2.1")),
    ];
    let (Some(refusing), Some(first), Some(second)) = (
        start(&both, Access::Nobody),
        start(&both[..1], Access::Key),
        start(&both, Access::Key),
    ) else {
        return;
    };
    let servers = [refusing.address(), first.address(), second.address()];
    let run = janitor(&servers, first.key())
        .desired("a.test", "new A 192.0.2.1\nold A 192.0.2.1")
        .desired("b.test", "new A 192.0.2.1\nold A 192.0.2.1")
        .settings("[core.plugin.'dns.axfr']\nlevel = 'debug'")
        .plan(&["--exit-code"]);
    assert_eq!(run.exit_code(), 4, "{}", run.stderr());
    let by = |zone: &str, server: &NameServer| {
        let lines = run.log_with("zone transferred zone=");
        let read = format!("zone={zone}. server={} ", server.address());
        assert!(
            lines.iter().any(|line| line.contains(&read)),
            "{read}: {lines:?}"
        );
    };
    by("a.test", &first);
    by("b.test", &second);
}

#[test]
fn servers_are_reached_by_ipv6() {
    for kind in Kind::ALL {
        let Some(server) = NameServer::of(kind, APEX, &text("www A 192.0.2.1")) else {
            continue;
        };
        let Some(address) = server.address_of_ipv6() else {
            return;
        };
        let plan = janitor(&[address], server.key())
            .desired(APEX, "www A 192.0.2.1")
            .plan(&["--exit-code"]);
        assert_eq!(plan.exit_code(), 0, "{kind:?}: {}", plan.stderr());
    }
}

#[test]
fn servers_are_reached_by_tls_and_known_by_their_certificate() {
    let options = Options {
        tls: true,
        ..Options::default()
    };
    for kind in [Kind::Bind, Kind::Nsd] {
        let zones = [(APEX, text("www A 192.0.2.1"))];
        let Some(server) = NameServer::start(kind, &zones, &options) else {
            continue;
        };
        let authority = server.certificate_authority();
        let plan = |name: &str| {
            janitor(&[server.address_of_tls()], server.key())
                .desired(APEX, "www A 192.0.2.1")
                .settings(&format!(
                    "tls = {{ ca_file = '{}', server_name = '{name}' }}",
                    authority.display()
                ))
                .plan(&["--exit-code"])
        };
        let good = plan("ns.test");
        assert_eq!(good.exit_code(), 0, "{kind:?}: {}", good.stderr());
        let bad = plan("other.test");
        assert_eq!(bad.exit_code(), 3, "{kind:?}: {}", bad.stderr());
        assert!(
            bad.left_out()[0].contains("certificate"),
            "{:?}",
            bad.left_out()
        );
    }
}

#[test]
fn a_stored_plan_of_served_zones_is_applied_as_long_as_they_are_as_they_were() {
    for kind in Kind::UPDATED {
        let Some(server) = NameServer::of(kind, APEX, &text("www A 192.0.2.1\nstays A 192.0.2.9"))
        else {
            continue;
        };
        let janitor = janitor_for(&server)
            .desired(APEX, "www A 192.0.2.1\nstays A 192.0.2.9\nnew A 192.0.2.2")
            .settings("keep = true");
        let plan = janitor.path("plan").display().to_string();
        let why = || janitor.command(&["why", "new.example.com", "A"]);
        let before = why();
        assert!(before.stdout().contains("dns.axfr"), "{}", before.stdout());
        let sealed = janitor.plan(&["--out", &plan]);
        assert_eq!(sealed.exit_code(), 0, "{kind:?}: {}", sealed.stderr());
        server.update(APEX, "update add drift.example.com. 60 A 192.0.2.3");
        let refused = janitor.command(&["apply", &plan]);
        assert_eq!(refused.exit_code(), 1, "{kind:?}");
        assert!(
            refused
                .errors()
                .contains("is not as it was when the plan was made")
        );
        server.update(APEX, "update delete drift.example.com.");
        let applied = janitor.command(&["apply", &plan]);
        assert_eq!(applied.exit_code(), 0, "{kind:?}: {}", applied.stderr());
        assert!(
            server
                .lines(APEX)
                .contains(&"new.example.com. 300 A 192.0.2.2".to_owned())
        );
        let clean = janitor.plan(&["--exit-code"]);
        assert_eq!(clean.exit_code(), 0, "{kind:?}: {}", clean.stdout());
    }
}

#[test]
fn a_run_that_is_cancelled_waits_for_no_server() {
    let Some(server) = NameServer::of(Kind::Knot, APEX, &text("www A 192.0.2.1")) else {
        return;
    };
    let proxy = Proxy::before(server.address());
    proxy.always(Spot::request(Exchange::Axfr), Fault::Stall(0));
    let debug =
        |key| format!("timeout = 600\n[core]\ngrace = 600\n[core.plugin.'{key}']\nlevel = 'debug'");
    let reconciler = janitor(&[proxy.address()], server.key())
        .desired(APEX, "www A 192.0.2.2")
        .settings(&debug("dns.axfr"));
    let authority = Janitor::new()
        .libraries(&[FILES, DNS])
        .authorities(&["dns.primary"])
        .served(APEX, "www A 192.0.2.2")
        .file("janitor.key", server.key().file())
        .settings(&format!("[dns.primary]\nnames = ['{APEX}']"))
        .settings(&format!("[dns]\nservers = ['{}']", proxy.address()))
        .settings("tsig_key = { file = 'janitor.key' }")
        .settings(&debug("dns.primary"));
    for janitor in [reconciler, authority] {
        // Nothing here ends by itself in less than ten minutes.
        let mut running = janitor.start(&["run"]);
        running.wait_for("zone asked for");
        running.signal(Signal::TERM);
        let run = running.finish();
        assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
        assert_eq!(run.abandoned(), [""; 0]);
        assert_eq!(run.failures(), [""; 0]);
    }
}

/// Zone files that are to become what a primary has.
fn from_primary(server: &NameServer, names: &str) -> Janitor {
    Janitor::new()
        .libraries(&[FILES, DNS])
        .authorities(&["dns.primary"])
        .file("janitor.key", server.key().file())
        .settings(&format!(
            "[dns]\nservers = ['{}']\ntsig_key = {{ file = 'janitor.key' }}\n[dns.primary]\nnames = {names}",
            server.address()
        ))
}

#[test]
fn a_hidden_primary_is_the_source_of_truth_but_for_what_its_signer_makes() {
    let records = "www A 192.0.2.1\nwww TXT \"a b\"\nsub NS ns.sub\nsub DS 1 13 2 {digest}\nns.sub A 192.0.2.53\n*.wild MX 10 mail\nmail A 192.0.2.2\nodd TYPE65400 \\# 2 beef";
    let records = records.replace("{digest}", &"ab".repeat(32));
    for (kind, sign) in [
        (Kind::Knot, Signing::Nsec),
        (Kind::Bind, Signing::Nsec3),
        (Kind::Nsd, Signing::No),
        (Kind::PowerDns, Signing::Nsec),
    ] {
        let options = Options {
            sign,
            ..Options::default()
        };
        let Some(server) = NameServer::start(kind, &[(APEX, text(&records))], &options) else {
            continue;
        };
        let janitor = from_primary(&server, "['example.com']")
            .served(APEX, "www A 192.0.2.1\nstays.gone A 192.0.2.9")
            .settings("[core.guard]\ndeletions_percent = 'off'");
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{kind:?}: {}", run.stderr());
        let served = janitor.served_file(APEX);
        let mut lines = served
            .lines()
            .filter(|line| !line.contains(" SOA ") && !line.starts_with("example.com."))
            .collect::<Vec<_>>();
        lines.sort_unstable();
        assert_eq!(
            lines.join("\n").to_lowercase(),
            format!(
                "*.wild.example.com. 300 in mx 10 mail.example.com.\n\
                 mail.example.com. 300 in a 192.0.2.2\n\
                 ns.sub.example.com. 300 in a 192.0.2.53\n\
                 odd.example.com. 300 in type65400 \\# 2 beef\n\
                 sub.example.com. 300 in ds 1 13 2 {}\n\
                 sub.example.com. 300 in ns ns.sub.example.com.\n\
                 www.example.com. 300 in a 192.0.2.1\n\
                 www.example.com. 300 in txt \"a b\"",
                "ab".repeat(32)
            ),
            "{kind:?}"
        );
        let again = janitor.plan(&["--exit-code"]);
        assert_eq!(again.exit_code(), 0, "{kind:?}: {}", again.stdout());
    }
}

#[test]
fn a_zone_that_the_primary_does_not_give_is_left_out_by_name_and_the_others_go_on() {
    let Some(server) = NameServer::of(Kind::Knot, APEX, &text("www A 192.0.2.1")) else {
        return;
    };
    let janitor = from_primary(&server, "['example.net', 'example.com']")
        .served(APEX, "")
        .served("example.net", "stays A 192.0.2.1");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    let [left_out] = run.left_out().try_into().expect("one zone is left out");
    assert!(
        left_out.starts_with("example.net. plugin=dns.primary"),
        "{left_out}"
    );
    assert!(janitor.served_file(APEX).contains("192.0.2.1"));
    assert!(janitor.served_file("example.net").contains("stays"));
}

#[test]
fn a_catalog_says_which_zones_a_primary_has() {
    let catalog = |members: &str| format!("{HEAD}version TXT 2\n{members}\n");
    let zones = [
        (
            "catalog.test",
            catalog("x.zones PTR a.test.\ny.zones PTR b.test."),
        ),
        (
            "broken.test",
            catalog("x.zones PTR a.test.\ny.zones PTR a.test."),
        ),
        ("a.test", text("www A 192.0.2.1")),
        ("b.test", text("www A 192.0.2.2")),
        ("c.test", text("www A 192.0.2.3")),
    ];
    let Some(server) = NameServer::start(Kind::Knot, &zones, &Options::default()) else {
        return;
    };
    let with = |catalog: &str| {
        let janitor = from_primary(&server, &format!("[]\ncatalog = '{catalog}'"));
        ["a.test", "b.test", "c.test"]
            .into_iter()
            .fold(janitor, |janitor, zone| janitor.served(zone, ""))
    };
    let janitor = with("catalog.test");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let changed = ["a.test", "b.test", "c.test"].map(|zone| {
        janitor
            .served_file(zone)
            .contains(".test. 300 IN A 192.0.2.")
    });
    assert_eq!(changed, [true, true, false]);

    for (name, why) in [
        ("broken.test", "`a.test.` is a member twice"),
        ("a.test", "it has no TXT record at `version`"),
        ("nowhere.test", "NOTAUTH"),
    ] {
        let run = with(name).run();
        assert_eq!(run.exit_code(), 1, "{name}: {}", run.stderr());
        let failures = run.failures();
        assert!(failures[0].contains(why), "{name}: {failures:?}");
        let cannot = format!("cannot take zones from the catalog `{name}.`");
        assert!(failures[0].contains(&cannot), "{name}: {failures:?}");
    }
}

#[test]
fn what_a_primary_has_lost_is_not_lost_elsewhere() {
    let options = Options {
        update: Access::Nobody,
        ..Options::default()
    };
    let catalog = |serial: &str, members: &str| {
        format!("{HEAD}version TXT 2\n{members}\n").replace(" 1 3600", serial)
    };
    let both = catalog(" 1 3600", "x.zones PTR a.test.\ny.zones PTR b.test.");
    let zones = [
        ("catalog.test", both),
        ("a.test", text("www A 192.0.2.1")),
        ("b.test", text("www A 192.0.2.2")),
    ];
    for keep in [false, true] {
        let Some(mut server) = NameServer::start(Kind::Knot, &zones, &options) else {
            return;
        };
        let janitor = from_primary(&server, "[]\ncatalog = 'catalog.test'")
            .settings(&format!("keep = {keep}"))
            .served("a.test", "")
            .served("b.test", "");
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{}", run.stderr());
        let served = ["a.test", "b.test"].map(|zone| janitor.served_file(zone));
        assert!(served.iter().all(|zone| zone.contains("www")), "{served:?}");

        // One zone has nothing but its SOA and NS any more, of the other the catalog says nothing.
        server.reload("a.test", &HEAD.replace(" 1 3600", " 2 3600"));
        server.wait_for_serial("a.test", 2);
        server.reload("catalog.test", &catalog(" 2 3600", "x.zones PTR a.test."));
        server.wait_for_serial("catalog.test", 2);
        let run = janitor.run();
        assert_eq!(run.exit_code(), 3, "{}{}", run.stdout(), run.stderr());
        let after = ["a.test", "b.test"].map(|zone| janitor.served_file(zone));
        assert_eq!(after, served);
    }
}

#[test]
fn what_cannot_work_is_told_before_anything_runs() {
    let told = |settings: &str| {
        let run = Janitor::new()
            .libraries(&[FILES, DNS])
            .authorities(&["dns.primary"])
            .settings(settings)
            .run();
        assert_eq!(run.exit_code(), 2, "{}", run.stderr());
        run.errors()
    };
    let without_servers = told("[dns.primary]\nnames = ['example.com']");
    let no_name = told("[dns]\nservers = ['192.0.2.1']\n[dns.primary]\nnames = ['a..b']");
    let nothing = told("[dns]\nservers = ['192.0.2.1']");
    let twice =
        told("[dns]\nservers = ['192.0.2.1']\n[dns.primary]\nnames = ['a.test', 'A.test.']");
    insta::assert_snapshot!([without_servers, nothing, no_name, twice].join("\n"), @r#"
    error[GJ409]: plugin "dns.primary" does not accept its configuration: cannot read `example.com.`
      where: <root>/gordon-janitor.toml:5:6, [dns.primary]
      5 | [dns.primary]
        |      ^^^^^^^
      because: no name server is configured for it
      help: set `servers` in `[dns]`, or for this zone in `[dns.zones]`
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.primary" does not accept its configuration: cannot desire anything
      where: <root>/gordon-janitor.toml:5:6, [dns.primary]
      5 | [dns.primary]
        |      ^^^^^^^
      because: neither `names` nor `catalog` names a zone
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.primary" does not accept its configuration: cannot use `a..b` of `names`
      where: <root>/gordon-janitor.toml:5:6, [dns.primary]
      5 | [dns.primary]
        |      ^^^^^^^
      because: a label of the name is empty
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.primary" does not accept its configuration: cannot use `A.test.` of `names`
      where: <root>/gordon-janitor.toml:5:6, [dns.primary]
      5 | [dns.primary]
        |      ^^^^^^^
      because: the zone is there twice
    error: 1 error; nothing was run
    "#);
}
