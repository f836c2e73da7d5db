//! Changes that `gcp.apply` makes in Cloud DNS.

mod losing;

use janitor_test_google::{Fault, Google, ManagedZone, Pages, Quota, World};
use serde_json::json;

use super::{deployment, google};
use crate::janitor::{Janitor, Run};

const ZONE: &str = "example-com";
const CHANGES: &str = "POST /dns/v1/projects/dns/managedZones/example-com/changes";

/// A managed zone with something to change, to keep, and to take away.
fn served() -> ManagedZone {
    ManagedZone::public("example.com.")
        .with("www.example.com.", "A", 300, &["192.0.2.1"])
        .with("stay.example.com.", "TXT", 300, &["\"a b\""])
        .with("old.example.com.", "A", 300, &["192.0.2.9"])
}

const DESIRED: &str = "www A 192.0.2.2\nstay TXT \"a b\"\nnew A 192.0.2.3";
/// What is served after that.
const MADE: &str = "\
new.example.com. 300 A 192.0.2.3
stay.example.com. 300 TXT \"a b\"
www.example.com. 300 A 192.0.2.2
";
/// What is served before.
const BEFORE: &str = "\
old.example.com. 300 A 192.0.2.9
stay.example.com. 300 TXT \"a b\"
www.example.com. 300 A 192.0.2.1
";

fn world() -> World {
    World::new().managed_zone("dns", served())
}

/// Zone files are what is desired of the zones of project `dns`.
fn janitor(google: &Google) -> Janitor {
    janitor_that_waits(google, "5.0")
}

/// As [`janitor`], with this many seconds of `settle`.
fn janitor_that_waits(google: &Google, settle: &str) -> Janitor {
    deployment(google)
        .reconcilers(&["gcp.gdns"])
        .publishers(&["gcp.apply"])
        .desired("example.com", DESIRED)
        .settings(&format!(
            "[gcp.gdns]\nproject = 'dns'\n[gcp.apply]\nproject = 'dns'\nsettle = {settle}\n\
             [core.guard]\ndeletions_percent = 'off'\nupdates_percent = 'off'\n\
             [core.guard.run]\ndeletions_percent = 'off'\nupdates_percent = 'off'\n\
             zones_percent = 'off'\n"
        ))
}

/// What is served, apart from SOA and NS of the zone.
fn now(google: &Google) -> String {
    let text = google.world(|world| world.served("dns", ZONE));
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("example.com. "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// How many changes of Cloud DNS were made.
fn changes_made(google: &Google) -> usize {
    google.world(|world| world.zone("dns", ZONE).changes_made())
}

/// What became of the changes, as the history tells it.
fn outcomes(janitor: &Janitor) -> String {
    let run = janitor.command(&["history", "1"]);
    let lines = run.stdout();
    let from = lines.lines().skip_while(|line| *line != "example.com.");
    from.map(|line| format!("{line}\n")).collect()
}

/// What was refused or is unknown, and why.
fn reasons(run: &Run) -> String {
    let mut lines = run.log();
    lines.retain(|line| line.starts_with("ERROR") || line.starts_with("WARNING"));
    lines.join("\n")
}

#[test]
fn what_is_desired_is_made_at_once_and_a_second_run_has_nothing_to_do() {
    let google = google(world());
    let janitor = janitor(&google);

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(now(&google), MADE);
    assert_eq!(changes_made(&google), 1);
    insta::assert_snapshot!(outcomes(&janitor), @r"
    example.com.
      1 addition, 1 update, 1 deletion (5 RRsets desired, 5 served, serial 1)
      gcp.apply: 3 applied
      + new.example.com. 300 IN A 192.0.2.3
      - www.example.com. 300 IN A 192.0.2.1
      + www.example.com. 300 IN A 192.0.2.2
      - old.example.com. 300 IN A 192.0.2.9
    ");
    insta::assert_snapshot!(
        google.world(|world| {
            let change = world.zone("dns", ZONE).change_made(1).expect("it was made");
            serde_json::to_string(&json!([change["additions"], change["deletions"]]))
                .expect("it is JSON")
        }),
        @r#"[[{"kind":"dns#resourceRecordSet","name":"new.example.com.","rrdatas":["192.0.2.3"],"signatureRrdatas":[],"ttl":300,"type":"A"},{"kind":"dns#resourceRecordSet","name":"www.example.com.","rrdatas":["192.0.2.2"],"signatureRrdatas":[],"ttl":300,"type":"A"}],[{"kind":"dns#resourceRecordSet","name":"www.example.com.","rrdatas":["192.0.2.1"],"signatureRrdatas":[],"ttl":300,"type":"A"},{"kind":"dns#resourceRecordSet","name":"old.example.com.","rrdatas":["192.0.2.9"],"signatureRrdatas":[],"ttl":300,"type":"A"}]]"#
    );
    let again = janitor.run();
    assert_eq!(again.exit_code(), 0, "{}", again.stderr());
    assert_eq!(google.requests_like("POST /dns/").len(), 1);
}

#[test]
fn what_does_not_go_into_one_change_goes_into_several_in_order() {
    let google = google(World::new().managed_zone("dns", served()).pages(Pages {
        record_sets: 1000,
        ..Pages::default()
    }));
    let records = |range: std::ops::Range<u32>| -> String {
        range
            .map(|at| format!("h{at} A 192.0.2.{}\n", at % 256))
            .collect()
    };
    let janitor = janitor(&google).desired("example.com", &records(0..2500));

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let sizes = google.world(|world| {
        let zone = world.zone("dns", ZONE);
        let of = |at: usize, field: &str| {
            let change = zone.change_made(at).expect("it was made");
            change[field].as_array().map_or(0, Vec::len)
        };
        let made = 1..=zone.changes_made();
        made.map(|at| (of(at, "additions"), of(at, "deletions")))
            .collect::<Vec<_>>()
    });
    // What is taken away comes last.
    assert_eq!(sizes, [(1000, 0), (1000, 0), (500, 3)]);
    assert_eq!(run.log_with("split over").len(), 1, "{}", run.stderr());
    assert_eq!(janitor.plan(&["--exit-code"]).exit_code(), 0);
}

#[test]
fn the_quota_of_the_project_counts_and_who_may_not_know_it_goes_by_what_is_usual() {
    let quota = Quota {
        additions: 1,
        ..Quota::default()
    };
    let google = google(world().quota("dns", quota));
    let run = janitor(&google).run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!((now(&google).as_str(), changes_made(&google)), (MADE, 2));
    assert_eq!(google.requests_like(CHANGES).len(), 2);

    let google = super::google(world().quota("dns", quota));
    // After managed zone and record sets, and the managed zone once more.
    google
        .fault("GET /dns/v1/projects/dns", Fault::status(403, "forbidden"))
        .nth(4);
    let run = janitor(&google).run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(
        run.log_with("quota of the project is not known").len(),
        1,
        "{}",
        run.stderr()
    );
    assert_eq!((now(&google).as_str(), changes_made(&google)), (MADE, 2));
    // One that was too large, and its halves.
    assert_eq!(google.requests_like(CHANGES).len(), 3);
}

#[test]
fn what_is_served_in_another_spelling_is_changed_as_well() {
    let zone = ManagedZone::public("example.com.")
        .with("www.example.com.", "CNAME", 300, &["Old.Example.NET."])
        .with("six.example.com.", "AAAA", 300, &["2001:DB8:0:0::1"])
        .with("text.example.com.", "TXT", 300, &["\"a\"   \"\\098\"", "z"])
        .with(
            "mail.example.com.",
            "MX",
            300,
            &["020 MX2.example.net.", "10 mx1.example.net."],
        );
    let google = google(World::new().managed_zone("dns", zone));
    let janitor = janitor(&google).desired("example.com", "www CNAME new.example.net.\ntext TXT n");

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(
        now(&google),
        "text.example.com. 300 TXT \"n\"\nwww.example.com. 300 CNAME new.example.net.\n"
    );
    assert_eq!(changes_made(&google), 1);
    assert_eq!(google.requests_like(CHANGES).len(), 2);
}

/// What the reconciler sees is not what is there: somebody else writes right after it has read.
fn overtaken(google: &Google, somebody: impl Fn(&mut serde_json::Value) + Send + Sync + 'static) {
    google
        .fault(
            "GET /dns/v1/projects/dns/managedZones/example-com/rrsets",
            Fault::edited(move |page| {
                let sets = page["rrsets"].as_array_mut();
                sets.expect("a page has record sets")
                    .iter_mut()
                    .for_each(&somebody);
            }),
        )
        .once();
}

#[test]
fn what_somebody_else_changes_between_reading_and_change_is_left_as_it_is() {
    let google = google(world());
    overtaken(&google, |set| {
        if set["name"] == "www.example.com." {
            set["rrdatas"] = json!(["192.0.2.77"]);
        }
    });
    let janitor = janitor(&google);

    let run = janitor.run();

    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert_eq!((now(&google).as_str(), changes_made(&google)), (BEFORE, 0));
    insta::assert_snapshot!(outcomes(&janitor), @r"
    example.com.
      1 addition, 1 update, 1 deletion (5 RRsets desired, 5 served, serial 1)
      gcp.apply: 3 refused
        because somebody else has changed the zone since it was planned: `www.example.com. A` is served with TTL 300 and `192.0.2.1`; plan again
      + new.example.com. 300 IN A 192.0.2.3
      - www.example.com. 300 IN A 192.0.2.77
      + www.example.com. 300 IN A 192.0.2.2
      - old.example.com. 300 IN A 192.0.2.9
    ");
    insta::assert_snapshot!(reasons(&run), @r#"ERROR: changes were not applied zone=example.com. publisher=gcp.apply refused=3 unknown=0 reason="somebody else has changed the zone since it was planned: `www.example.com. A` is served with TTL 300 and `192.0.2.1`; plan again""#);
    // Planned again, it is made.
    assert_eq!(janitor.run().exit_code(), 0);
    assert_eq!(now(&google), MADE);
}

#[test]
fn what_another_janitor_has_made_meanwhile_counts_as_made() {
    let google = google(world());
    google.world(|world| {
        let zone = world.zone_mut("dns", ZONE);
        zone.put("new.example.com.", "A", 300, &["192.0.2.3"]);
        zone.put("www.example.com.", "A", 300, &["192.0.2.2"]);
        zone.remove("old.example.com.", "A");
    });
    google
        .fault(
            "GET /dns/v1/projects/dns/managedZones/example-com/rrsets",
            Fault::edited(|page| {
                let sets = page["rrsets"]
                    .as_array_mut()
                    .expect("a page has record sets");
                sets.retain(|set| {
                    set["name"] != "new.example.com." && set["name"] != "www.example.com."
                });
                for (name, address) in [("old", "192.0.2.9"), ("www", "192.0.2.1")] {
                    sets.push(json!({
                        "name": format!("{name}.example.com."), "type": "A", "ttl": 300,
                        "rrdatas": [address], "kind": "dns#resourceRecordSet",
                    }));
                }
            }),
        )
        .once();
    let janitor = janitor(&google);

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!((now(&google).as_str(), changes_made(&google)), (MADE, 0));
    insta::assert_snapshot!(outcomes(&janitor), @r"
    example.com.
      1 addition, 1 update, 1 deletion (5 RRsets desired, 5 served, serial 1)
      gcp.apply: 3 applied
      + new.example.com. 300 IN A 192.0.2.3
      - www.example.com. 300 IN A 192.0.2.1
      + www.example.com. 300 IN A 192.0.2.2
      - old.example.com. 300 IN A 192.0.2.9
    ");
}

#[test]
fn a_stored_plan_is_not_applied_to_what_somebody_else_has_changed() {
    let google = google(world());
    let janitor = janitor(&google);
    let plan = janitor.path("plan").display().to_string();
    assert_eq!(janitor.plan(&["--out", &plan]).exit_code(), 0);
    google.world(|world| {
        let zone = world.zone_mut("dns", ZONE);
        zone.put("www.example.com.", "A", 300, &["192.0.2.77"]);
    });

    let run = janitor.command(&["apply", &plan]);

    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert_eq!(changes_made(&google), 0);
    assert_eq!(google.requests_like("POST /dns/").len(), 0);
}

#[test]
fn of_two_janitors_with_one_plan_the_second_has_nothing_left_to_do() {
    let google = google(world());
    let janitors = [janitor(&google), janitor(&google)];
    let plans = janitors
        .each_ref()
        .map(|it| it.path("plan").display().to_string());
    for (janitor, plan) in janitors.iter().zip(&plans) {
        assert_eq!(janitor.plan(&["--out", plan]).exit_code(), 0);
    }
    let ends = janitors
        .iter()
        .zip(&plans)
        .map(|(it, plan)| it.command(&["apply", plan]).exit_code());
    // What is served is another zone by then.
    assert_eq!(ends.collect::<Vec<_>>(), [0, 1]);
    assert_eq!((now(&google).as_str(), changes_made(&google)), (MADE, 1));
}

#[test]
fn a_change_that_takes_its_time_is_waited_for_and_one_that_never_ends_is_accepted() {
    let google = google(world().changes_take(Some(3)));
    let janitor = janitor(&google);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert!(
        outcomes(&janitor).contains("gcp.apply: 3 applied"),
        "{}",
        outcomes(&janitor)
    );
    assert_eq!(
        google
            .requests_like("GET /dns/v1/projects/dns/managedZones/example-com/changes/1")
            .len(),
        3
    );

    for (settle, warnings) in [("0.1", 1), ("0", 0)] {
        let google = super::google(world().changes_take(None));
        let janitor = janitor_that_waits(&google, settle);
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{}", run.stderr());
        assert!(
            outcomes(&janitor).contains("gcp.apply: 3 accepted"),
            "{}",
            outcomes(&janitor)
        );
        assert_eq!(
            run.log_with("may not be visible yet").len(),
            warnings,
            "{}",
            run.stderr()
        );
    }
}

#[test]
fn what_cloud_dns_cannot_have_is_refused_and_the_rest_is_made() {
    let google = google(world());
    let janitor = janitor(&google).desired(
        "example.com",
        &format!("{DESIRED}\nnew LOC 1 N 1 E 0m\n*.sub NS ns.example.net."),
    );

    let run = janitor.run();

    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert_eq!(now(&google), MADE);
    insta::assert_snapshot!(outcomes(&janitor), @r"
    example.com.
      3 additions, 1 update, 1 deletion (7 RRsets desired, 5 served, serial 1)
      gcp.apply: 3 applied, 2 refused
        because Cloud DNS has no record sets of type LOC
        because Cloud DNS has no NS record sets at wildcards
      + new.example.com. 300 IN A 192.0.2.3
          applied
      + new.example.com. 300 IN LOC 1 0 0.000 N 1 0 0.000 E 0.00m 1.00m 10000.00m 10.00m
          refused
      + *.sub.example.com. 300 IN NS ns.example.net.
          refused
      - www.example.com. 300 IN A 192.0.2.1
      + www.example.com. 300 IN A 192.0.2.2
          applied
      - old.example.com. 300 IN A 192.0.2.9
          applied
    ");
}

#[test]
fn who_may_not_make_changes_is_told_what_is_missing() {
    let google = google(world());
    google.fault(CHANGES, Fault::status(403, "forbidden"));
    let janitor = janitor(&google);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert_eq!(google.requests_like(CHANGES).len(), 1);
    insta::assert_snapshot!(outcomes(&janitor), @r"
    example.com.
      1 addition, 1 update, 1 deletion (5 RRsets desired, 5 served, serial 1)
      gcp.apply: 3 refused
        because Cloud DNS answers 403: Required permission is missing for the caller. (forbidden); the account needs the role `roles/dns.admin` in project `dns` (permission `dns.changes.create`), and the token the scope `ndev.clouddns.readwrite` or `cloud-platform`
      + new.example.com. 300 IN A 192.0.2.3
      - www.example.com. 300 IN A 192.0.2.1
      + www.example.com. 300 IN A 192.0.2.2
      - old.example.com. 300 IN A 192.0.2.9
    ");

    let google = super::google(world());
    let mut janitor = self::janitor(&google);
    janitor.rewrite_settings(&format!(
        "[gcp]\nkeyfile = 'service-account.json'\nscopes = ['ndev.clouddns.readonly']\n{}\
         [gcp.gdns]\nproject = 'dns'\n[gcp.apply]\nproject = 'dns'\n",
        google.endpoints()
    ));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert_eq!(
        run.log_with("do not allow changes").len(),
        1,
        "{}",
        run.stderr()
    );
    insta::assert_snapshot!(outcomes(&janitor), @r"
    example.com.
      1 addition, 1 update, 1 deletion (5 RRsets desired, 5 served, serial 1)
      gcp.apply: 3 refused
        because Cloud DNS answers 403: Request had insufficient authentication scopes. (insufficientPermissions); the token allows less than this: look at `scopes`, and on a machine of Google's at its access scopes
      + new.example.com. 300 IN A 192.0.2.3
      - www.example.com. 300 IN A 192.0.2.1
      + www.example.com. 300 IN A 192.0.2.2
      - old.example.com. 300 IN A 192.0.2.9
    ");
}

#[test]
fn zones_that_share_a_managed_zone_are_changed_each_by_itself() {
    let zone = ManagedZone::public("20.10.in-addr.arpa.")
        .named("reverse-20-10")
        .with("1.30.20.10.in-addr.arpa.", "PTR", 300, &["a.example.com."])
        .with("1.40.20.10.in-addr.arpa.", "PTR", 300, &["b.example.com."])
        .with("1.50.20.10.in-addr.arpa.", "PTR", 300, &["c.example.com."]);
    let google = google(world().managed_zone("dns", zone));
    let zones = ["30.20.10.in-addr.arpa", "40.20.10.in-addr.arpa"];
    let janitor = zones.into_iter().fold(janitor(&google), |janitor, zone| {
        janitor.desired(zone, "1 PTR new.example.com.\n2 PTR more.example.com.")
    });

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let served = google.world(|world| world.served("dns", "reverse-20-10"));
    let served: Vec<_> = served.lines().filter(|line| line.contains("PTR")).collect();
    assert_eq!(
        served,
        [
            "1.30.20.10.in-addr.arpa. 300 PTR new.example.com.",
            "1.40.20.10.in-addr.arpa. 300 PTR new.example.com.",
            "1.50.20.10.in-addr.arpa. 300 PTR c.example.com.",
            "2.30.20.10.in-addr.arpa. 300 PTR more.example.com.",
            "2.40.20.10.in-addr.arpa. 300 PTR more.example.com.",
        ]
    );
}
