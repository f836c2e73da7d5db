//! Several authorities speak of one zone, several reconcilers compare, several publishers apply.

use insta::assert_snapshot;

use crate::janitor::{Janitor, Run};

/// What the villain desires of `example.com`: an address of `www`.
const VILLAIN: &str = "villain.authority.behaves";

/// `files.zones` desires `records` of `example.com`, and the villain speaks of it, too.
fn two(records: &str, settings: &str) -> Janitor {
    Janitor::new()
        .authorities(&["files.zones", VILLAIN])
        .desired("example.com", records)
        .served("example.com", "old A 192.0.2.1\nwww A 192.0.2.9")
        .settings(&format!("[villain]\nzones = ['example.com']\n{settings}"))
}

fn refused(janitor: Janitor) -> String {
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2, "{}", run.stderr());
    run.errors()
}

/// Lines of the log about measurements of RRsets.
fn measured(run: &Run) -> String {
    let lines = run.log();
    let lines = lines
        .iter()
        .filter_map(|line| line.strip_prefix("INFO: [rrsets"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn by_priority_the_first_counts_and_the_plan_says_who_lost() {
    let janitor = two(
        "www A 192.0.2.2\nnew A 192.0.2.3",
        "[core.merge]\npolicy = 'priority'",
    );
    let plan = janitor.plan(&[]);
    assert_eq!(plan.exit_code(), 0);
    assert_snapshot!(plan.stdout(), @"
    example.com. 1 addition, 1 update, 1 deletion
      ! www.example.com. A of `villain.authority.behaves` does not count: `files.zones` comes first and has another
      + new.example.com.  300  A  192.0.2.3
      ~ www.example.com.  300  A  192.0.2.9 → 192.0.2.2
      - old.example.com.  300  A  192.0.2.1
    desired by files.zones and villain.authority.behaves, compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 addition, 1 update, 1 deletion
    ");
    assert_snapshot!(plan.log_with("RRset does not count").join("\n"), @r#"INFO: RRset does not count zone=example.com. owner=www.example.com. rtype=A authority=villain.authority.behaves why="`files.zones` comes first and has another""#);
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    assert_snapshot!(measured(&run), @"
    ] value: 4 context: {'plugin': 'files.zones', 'zone': 'example.com.'}
    ] value: 0 context: {'plugin': 'villain.authority.behaves', 'zone': 'example.com.'}
    -handled] value: 2 context: {'plugin': 'files.served', 'action': 'additions', 'source': 'files.zones'}
    -handled] value: 2 context: {'plugin': 'files.served', 'action': 'deletions', 'source': 'files.served'}
    ");
    let again = janitor.plan(&["--exit-code"]);
    assert_eq!(again.exit_code(), 0, "{}", again.stdout());
}

#[test]
fn the_order_may_be_another_than_that_of_the_plugins() {
    let settings = format!("[core.merge]\npolicy = 'priority'\norder = ['{VILLAIN}']");
    let plan = two("www A 192.0.2.2\nnew A 192.0.2.3", &settings).plan(&["--format", "json"]);
    let stdout = plan.stdout();
    let zone = stdout.lines().find(|line| line.starts_with("{\"zone\""));
    assert_snapshot!(zone.unwrap_or_default(), @r#"{"zone":"example.com.","authority":null,"authorities":["villain.authority.behaves","files.zones"],"reconciler":"files.served","publishers":["files.apply"],"complete":true,"desired":4,"actual":4,"comparable":2,"serial":1,"additions":1,"updates":1,"deletions":1,"held_back":0,"left_alone":0,"set_aside":[],"lost":[{"owner":"www.example.com.","type":"A","authority":"files.zones","winner":"villain.authority.behaves","why":"order"}],"verdict":{"guard":"passed","reasons":[]},"not_sticking":{"sent_again":0,"set_aside":0,"changes":[]},"changes":[{"action":"addition","owner":"new.example.com.","type":"A","deletion":null,"addition":{"ttl":300,"rdata":["192.0.2.3"]},"sources":["files.zones"]},{"action":"update","owner":"www.example.com.","type":"A","deletion":{"ttl":300,"rdata":["192.0.2.9"]},"addition":{"ttl":300,"rdata":["192.0.2.1"]},"sources":["villain.authority.behaves"]},{"action":"deletion","owner":"old.example.com.","type":"A","deletion":{"ttl":300,"rdata":["192.0.2.1"]},"addition":null,"sources":null}]}"#);
}

#[test]
fn in_a_union_all_values_count() {
    let janitor = two(
        "www 60 A 192.0.2.2\nnew A 192.0.2.3",
        "[core.merge]\npolicy = 'union'",
    );
    assert_snapshot!(janitor.plan(&[]).stdout(), @"
    example.com. 1 addition, 1 update, 1 deletion
      ! www.example.com. A of `villain.authority.behaves` does not count: `files.zones` has a lower TTL; the values count
      + new.example.com.  300       A  192.0.2.3
      ~ www.example.com.  300 → 60  A
      -                                192.0.2.9
      +                                192.0.2.1
      +                                192.0.2.2
      - old.example.com.  300       A  192.0.2.1
    desired by files.zones and villain.authority.behaves, compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 addition, 1 update, 1 deletion
    ");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0);
    assert_snapshot!(measured(&run), @"
    ] value: 4 context: {'plugin': 'files.zones', 'zone': 'example.com.'}
    ] value: 0 context: {'plugin': 'villain.authority.behaves', 'zone': 'example.com.'}
    -handled] value: 2 context: {'plugin': 'files.served', 'action': 'additions', 'source': 'files.zones'}
    -handled] value: 2 context: {'plugin': 'files.served', 'action': 'deletions', 'source': 'files.served'}
    ");
}

#[test]
fn in_a_union_a_name_that_cannot_be_both_stays_as_it_is() {
    let janitor = two(
        "www CNAME new\nnew A 192.0.2.3",
        "[core.merge]\npolicy = 'union'",
    );
    // A plan that is applied ends as the run does.
    let path = janitor.path("plan").display().to_string();
    assert_eq!(janitor.plan(&["--out", &path]).exit_code(), 3);
    let run = janitor.command(&["apply", &path]);
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    let served = janitor.served_file("example.com");
    assert!(
        served.contains("www.example.com. 300 IN A 192.0.2.9\n"),
        "{served}"
    );
    assert!(
        served.contains("new.example.com. 300 IN A 192.0.2.3\n"),
        "{served}"
    );
    assert!(!served.contains("old"), "{served}");
    assert_snapshot!(run.log_with("WARNING").join("\n"), @r#"
    WARNING: differences are left as they are: the desired zone is incomplete, or their owners are held zone=example.com. held_back=1 complete=true
    WARNING: RRset does not count zone=example.com. owner=www.example.com. rtype=CNAME authority=files.zones why="a CNAME and other data exclude each other; the name stays as it is"
    WARNING: RRset does not count zone=example.com. owner=www.example.com. rtype=A authority=villain.authority.behaves why="a CNAME and other data exclude each other; the name stays as it is"
    WARNING: names stay as they are: authorities contradict each other there names=1
    "#);
    let plan = janitor.plan(&[]);
    assert_eq!(plan.exit_code(), 3);
    assert_snapshot!(plan.stdout(), @"
    example.com. no changes
      ! authorities contradict each other at some owners: 1 difference stays as it is
      ! www.example.com. CNAME of `files.zones` does not count: a CNAME and other data exclude each other; the name stays as it is
      ! www.example.com. A of `villain.authority.behaves` does not count: a CNAME and other data exclude each other; the name stays as it is
    1 zone compared, 0 to change, 0 as desired, 0 left out: no changes
    1 difference in 1 zone left as they are: what is desired or served there is not fully known
    ");
    let told = janitor.command(&["why", "www.example.com", "A", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout()).expect("it is JSON");
    assert_snapshot!(told["lost"].to_string(), @r#"[{"authority":"villain.authority.behaves","owner":"www.example.com.","type":"A","why":"alias","winner":null}]"#);
}

#[test]
fn who_agrees_is_joined_and_who_contradicts_is_left_out() {
    let settings = "[core.merge]\npolicy = 'agree'";
    let run = two("www A 192.0.2.1\nnew A 192.0.2.3", settings).run();
    assert_eq!(run.exit_code(), 0);
    let plan = two("www CNAME new\nnew A 192.0.2.3", settings).plan(&[]);
    assert_eq!(plan.exit_code(), 3);
    assert_snapshot!(plan.stdout(), @r#"
    example.com. left out: `files.zones` and `villain.authority.behaves` contradict each other: `www.example.com.` has CNAME and A
      hint: mend one of the two, or say whose word counts: [core.merge] policy = "priority" or "union"
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes
    "#);
}

#[test]
fn without_a_policy_nothing_is_joined() {
    let plan = two("www A 192.0.2.1", "").plan(&[]);
    assert_eq!(plan.exit_code(), 3);
    assert_snapshot!(plan.stdout(), @r#"
    example.com. left out: both `files.zones` and `villain.authority.behaves` speak for the zone
      hint: say how they are joined: [core.merge] policy = "agree", "priority" or "union"; or which zones each speaks for: [core.plugin."KEY"] zones = […]
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes
    "#);
}

#[test]
fn what_an_authority_does_not_speak_for_is_passed_over() {
    let janitor = two(
        "new A 192.0.2.3\nold A 192.0.2.1\nwww A 192.0.2.9",
        "[core.plugin.'villain.authority.behaves']\nzones = ['other.test', '*.example.net']",
    )
    .settings("[villain.authority.behaves]\nzones = ['example.com', 'other.test']")
    .served("other.test", "www A 192.0.2.1");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    assert_snapshot!(run.errors(), @r#"
    warning[GJ833]: authority "villain.authority.behaves" named a zone that it does not speak for: passed over
      where: <root>/gordon-janitor-user.toml:3:14, core.plugin."villain.authority.behaves".zones
      3 | [core.plugin.'villain.authority.behaves']
        |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      found: the first is example.com.
    warning[GJ834]: authority "villain.authority.behaves" named no zone that "*.example.net" stands for
      where: <root>/gordon-janitor-user.toml:4:24, core.plugin."villain.authority.behaves".zones
      4 | zones = ['other.test', '*.example.net']
        |                        ^^^^^^^^^^^^^^^
      help: mend the pattern, or remove it
    "#);
    let plan = janitor.plan(&[]);
    assert_snapshot!(plan.stdout(), @r#"
    2 zones compared, 0 to change, 2 as desired, 0 left out: no changes
    authority "villain.authority.behaves" named a zone that it does not speak for: passed over
    authority "villain.authority.behaves" named no zone that "*.example.net" stands for
    "#);
}

#[test]
fn what_an_authority_cannot_read_and_does_not_speak_for_is_passed_over() {
    let janitor = two(
        "new A 192.0.2.3",
        "[core.plugin.'files.zones']\nzones = ['example.com']\n[core.merge]\npolicy = 'union'",
    )
    .file("desired/broken.test.zone", "@ A 192.0.2\n");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(run.left_out(), [""; 0]);
}

#[test]
fn only_the_zones_of_an_authority_that_fails_only_gain() {
    let settings =
        |zones: &str| format!("[core.plugin.'liar.authority.breaks-off']\nzones = ['{zones}']");
    let janitor = |zones| {
        Janitor::new()
            .authorities(&["files.zones", "liar.authority.breaks-off"])
            .desired("example.com", "new A 192.0.2.3")
            .served("example.com", "old A 192.0.2.1")
            .settings(&settings(zones))
    };
    for (zones, keeps_old) in [("*.com", true), ("*.org", false)] {
        let janitor = janitor(zones);
        let run = janitor.run();
        assert_eq!(run.exit_code(), 1);
        let served = janitor.served_file("example.com");
        assert!(served.contains("new.example.com."), "{served}");
        assert_eq!(served.contains("old"), keeps_old, "{served}");
    }
}

#[test]
fn names_of_a_zone_that_a_missing_authority_may_name_are_not_taken_away() {
    let janitor = |guard: &str| {
        Janitor::new()
        .authorities(&["files.zones", "gone.authority"])
        .desired("example.com", "new.sub A 192.0.2.3\nwww.sub A 192.0.2.3")
        .served(
            "example.com",
            "www.sub A 192.0.2.1\nold.sub A 192.0.2.1\nold A 192.0.2.1",
        )
        .settings(&format!(
            "[core]\ndebug = true\n[core.plugin.'gone.authority']\nzones = ['sub.example.com']\n{guard}",
        ))
    };
    // Limits count what it might have deleted: nothing is written.
    let limited = janitor("[core.guard]\ndeletions = 1");
    assert_eq!(limited.run().exit_code(), 3);
    let served = limited.served_file("example.com");
    assert!(served.contains("old A 192.0.2.1"), "{served}");

    let janitor = janitor("[core.guard]\ndeletions = 2");
    let plan = janitor.plan(&[]);
    assert_eq!(plan.exit_code(), 3);
    assert_snapshot!(plan.stdout(), @"
    example.com. 1 addition, 1 deletion
      ! 2 changes set aside (other-zone): it may belong to a zone of `gone.authority`, which was not heard to the end
      + new.sub.example.com.  300  A  192.0.2.3
      - old.example.com.      300  A  192.0.2.1
    desired by files.zones, compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 addition, 1 deletion
    2 changes in 1 zone set aside
    ");
    assert_eq!(janitor.run().exit_code(), 3);
    let served = janitor.served_file("example.com");
    for (line, is_there) in [
        ("new.sub.example.com. 300 IN A 192.0.2.3\n", true),
        ("www.sub.example.com. 300 IN A 192.0.2.1\n", true),
        ("old.sub.example.com. 300 IN A 192.0.2.1\n", true),
        ("old.example.com.", false),
    ] {
        assert_eq!(served.contains(line), is_there, "{line}: {served}");
    }
}

#[test]
fn only_the_zones_of_an_authority_that_is_not_installed_only_gain() {
    let deployment = |zones: &str| {
        Janitor::new()
            .authorities(&["files.zones", "gone.authority"])
            .desired("example.com", "new A 192.0.2.3")
            .served("example.com", "old A 192.0.2.1")
            .settings(&format!(
                "[core]\ndebug = true\n[core.plugin.'gone.authority']\nzones = ['{zones}']"
            ))
    };
    let janitor = deployment("example.net");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    assert!(!janitor.served_file("example.com").contains("old"));
    assert_snapshot!(
        run.errors().lines().filter(|line| line.contains("deleted")).collect::<String>(),
        @r#"  note: nothing is deleted in the zones of core.plugin."gone.authority".zones in this run: it may be an authority"#
    );
    let janitor = deployment("example.com");
    assert_eq!(janitor.run().exit_code(), 3);
    assert!(janitor.served_file("example.com").contains("old"));
}

#[test]
fn only_the_zones_of_an_authority_that_cannot_be_created_only_gain() {
    for (zones, keeps_old) in [("example.com", true), ("example.net", false)] {
        let janitor = Janitor::new()
            .authorities(&["files.zones", "villain.authority.panics-in-new"])
            .desired("example.com", "new A 192.0.2.3")
            .served("example.com", "old A 192.0.2.1")
            .settings(&format!(
                "[core]\ndebug = true\n[core.plugin.'villain.authority.panics-in-new']\nzones = ['{zones}']"
            ));
        assert_eq!(janitor.run().exit_code(), 3);
        let served = janitor.served_file("example.com");
        assert_eq!(served.contains("old"), keeps_old, "{served}");
    }
}

/// A deployment with two reconcilers and two publishers. The villain takes every zone for empty.
fn routed(routes: &str) -> Janitor {
    Janitor::new()
        .reconcilers(&["files.served", "villain.reconciler.behaves"])
        .publishers(&["files.apply", "villain.publisher.behaves"])
        .desired("a.example.com", "www A 192.0.2.1")
        .desired("b.example.com", "www A 192.0.2.2")
        .desired("example.net", "www A 192.0.2.3")
        .served("a.example.com", "old A 192.0.2.1")
        .served("b.example.com", "www A 192.0.2.2")
        .served("example.net", "")
        .settings(&format!("[core.routes]\n{routes}"))
}

const ROUTES: &str = "\
'*' = { reconciler = 'villain.reconciler.behaves', publishers = ['villain.publisher.behaves'] }
'*.example.com' = { reconciler = 'files.served', publishers = ['files.apply'] }
'a.example.com' = { reconciler = 'files.served' }";

#[test]
fn every_zone_takes_its_route() {
    let janitor = routed(ROUTES);
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    assert_eq!(
        run.given(),
        [
            "+ www.a.example.com. 300 IN A 192.0.2.1",
            "- old.a.example.com. 300 IN A 192.0.2.1",
            // The villain looks at nothing that is served, and nobody else was given it.
            "+ www.example.net. 300 IN A 192.0.2.3",
        ]
    );
    assert!(janitor.served_file("a.example.com").contains("192.0.2.1"));
    assert!(!janitor.served_file("example.net").contains("192.0.2.3"));
    let published = run.log_with("[change-message]");
    assert_eq!(published.len(), 4, "{published:#?}");
}

#[test]
fn a_zone_without_a_route_is_left_out() {
    let run = routed(
        "'*.example.com' = { reconciler = 'files.served' }
        'x.test' = { reconciler = 'villain.reconciler.behaves' }",
    )
    .plan(&[]);
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert_snapshot!(run.stdout(), @r#"
    a.example.com. 1 addition, 1 deletion
      + www.a.example.com.  300  A  192.0.2.1
      - old.a.example.com.  300  A  192.0.2.1
    example.net. left out: no pattern in core.routes stands for the zone
      hint: add a route for it; the pattern "*" stands for all zones that no other does
    desired by files.zones, compared by files.served, published by files.apply and villain.publisher.behaves (not conditional)
    2 zones compared, 1 to change, 1 as desired, 1 left out: 1 addition, 1 deletion
    "#);
}

#[test]
fn when_one_reconciler_fails_nothing_is_published() {
    for villain in ["villain.reconciler.fails", "liar.reconciler.breaks-off"] {
        let routes = ROUTES.replace("villain.reconciler.behaves", villain);
        let janitor = routed(&routes).reconcilers(&["files.served", villain]);
        let run = janitor.run();
        assert_eq!(
            (run.exit_code(), run.status().as_str()),
            (1, "unexpected-error")
        );
        let failures = run.failures();
        assert_eq!(failures.len(), 1, "{failures:#?}");
        assert!(failures[0].contains(villain), "{failures:#?}");
        assert_eq!(run.given(), [""; 0]);
        assert!(janitor.served_file("a.example.com").contains("old"));
    }
}

#[test]
fn with_debug_a_reconciler_that_is_not_there_leaves_its_zones_out() {
    // Of one that is not installed nobody knows that it is no authority.
    for (villain, keeps_old) in [
        ("villain.reconciler.panics-in-new", false),
        ("gone.reconciler", true),
    ] {
        let routes = ROUTES.replace("villain.reconciler.behaves", villain);
        let janitor = routed(&routes)
            .settings("[core]\ndebug = true")
            .reconcilers(&["files.served", villain]);
        let run = janitor.run();
        assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
        assert_eq!(
            run.left_out(),
            [format!(
                "example.net. reason=\"`{villain}`, which ought to compare it, takes no part in this run\" hint=\"mend what the warnings say of it\""
            )]
        );
        let served = janitor.served_file("a.example.com");
        assert!(served.contains("www.a.example.com."), "{served}");
        assert_eq!(served.contains("old"), keeps_old, "{served}");
    }
}

#[test]
fn with_debug_a_zone_whose_publishers_are_not_there_is_left_out() {
    let janitor = routed(&ROUTES.replace(
        "villain.publisher.behaves",
        "villain.publisher.trips-in-new",
    ))
    .settings("[core]\ndebug = true")
    .publishers(&["files.apply", "villain.publisher.trips-in-new"]);
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert_snapshot!(run.left_out().join("\n"), @r#"example.net. reason="none of the publishers of its route takes part in this run" hint="mend what the warnings say of it""#);
    assert!(!janitor.served_file("a.example.com").contains("old"));
}

#[test]
fn routes_lead_to_plugins_that_are_listed() {
    let told = refused(routed(
        "'*' = { reconciler = 'villain.reconcilers.behaves', publishers = ['files.served', 'x.y'] }
        'example.net' = { reconciler = 'files.apply' }",
    ));
    assert_snapshot!(told, @r#"
    error[GJ831]: core.routes."example.net".reconciler names "files.apply", which is a publisher, not a reconciler
      where: <root>/gordon-janitor-user.toml:3:40, core.routes."example.net".reconciler
      3 |         'example.net' = { reconciler = 'files.apply' }
        |                                        ^^^^^^^^^^^^^
      help: core.plugins lists files.served, villain.reconciler.behaves
    error[GJ831]: core.routes."*".reconciler names "villain.reconcilers.behaves", which core.plugins does not list
      where: <root>/gordon-janitor-user.toml:2:22, core.routes."*".reconciler
      2 | '*' = { reconciler = 'villain.reconcilers.behaves', publishers = ['files.served', 'x.y'] }
        |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: write "villain.reconciler.behaves"
    error[GJ831]: core.routes."*".publishers names "files.served", which is a reconciler, not a publisher
      where: <root>/gordon-janitor-user.toml:2:67, core.routes."*".publishers
      2 | '*' = { reconciler = 'villain.reconcilers.behaves', publishers = ['files.served', 'x.y'] }
        |                                                                   ^^^^^^^^^^^^^^
      help: core.plugins lists files.apply, villain.publisher.behaves
    error[GJ831]: core.routes."*".publishers names "x.y", which core.plugins does not list
      where: <root>/gordon-janitor-user.toml:2:83, core.routes."*".publishers
      2 | '*' = { reconciler = 'villain.reconcilers.behaves', publishers = ['files.served', 'x.y'] }
        |                                                                                   ^^^^^
      help: list it in core.plugins, or name another publisher
    error: 4 errors; nothing was run
    "#);
}

#[test]
fn plugins_that_no_route_leads_to_are_an_error() {
    let told = refused(routed(
        "'*' = { reconciler = 'files.served', publishers = ['files.apply'] }",
    ));
    assert_snapshot!(told, @r#"
    error[GJ832]: no route leads to the publisher "villain.publisher.behaves"
      where: <root>/gordon-janitor.toml:2:27, core.plugins
      2 | plugins = ["files.apply", "villain.publisher.behaves", "files.served", "villain.reconciler.behaves", "files.zones"]
        |                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      found: core.routes is at <root>/gordon-janitor-user.toml:1:7
      because: it would have nothing to do
      help: name it in a route, or remove it from core.plugins
    error[GJ832]: no route leads to the reconciler "villain.reconciler.behaves"
      where: <root>/gordon-janitor.toml:2:72, core.plugins
      2 | plugins = ["files.apply", "villain.publisher.behaves", "files.served", "villain.reconciler.behaves", "files.zones"]
        |                                                                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      found: core.routes is at <root>/gordon-janitor-user.toml:1:7
      because: it would have nothing to do
      help: name it in a route, or remove it from core.plugins
    error: 2 errors; nothing was run
    "#);
}

#[test]
fn only_authorities_speak_for_zones_and_stand_in_an_order() {
    let told = refused(two(
        "",
        "[core.plugin.'files.served']
zones = ['example.com']
[core.merge]
order = ['files.zone', 'files.served']
[core.merge.zones.'example.com']
order = ['nobody']
[core.merge.zones.'example.net']
policy = 'union'",
    ));
    assert_snapshot!(told, @r#"
    error[GJ836]: core.merge.order names "files.zone", which core.plugins does not list
      where: <root>/gordon-janitor-user.toml:6:10, core.merge.order
      6 | order = ['files.zone', 'files.served']
        |          ^^^^^^^^^^^^
      help: write "files.zones"
    error[GJ836]: core.merge.order names "files.served", which is a reconciler, not an authority
      where: <root>/gordon-janitor-user.toml:6:24, core.merge.order
      6 | order = ['files.zone', 'files.served']
        |                        ^^^^^^^^^^^^^^
      help: core.plugins lists files.zones, villain.authority.behaves
    error[GJ836]: core.merge.zones."example.com".order names "nobody", which core.plugins does not list
      where: <root>/gordon-janitor-user.toml:8:10, core.merge.zones."example.com".order
      8 | order = ['nobody']
        |          ^^^^^^^^
      help: list it in core.plugins, or name another authority
    error[GJ835]: core.plugin."files.served".zones has no meaning: "files.served" is a reconciler
      where: <root>/gordon-janitor-user.toml:4:10, core.plugin."files.served".zones
      4 | zones = ['example.com']
        |          ^^^^^^^^^^^^^
      because: only authorities speak for zones
      help: which zones it gets is said in [core.routes]
    error: 4 errors; nothing was run
    "#);
}

#[test]
fn what_is_wrong_with_patterns_and_their_tables_is_told() {
    let told = refused(two(
        "",
        "[core.plugin.'files.zones']
zones = ['a..b', 3]
[core.merge]
policy = 'onion'
order = 'files.zones'
[core.merge.zones.example.com]
policy = 'union'
[core.merge.zones.'*.Example.com']
policy = 'union'
[core.merge.zones.'*.example.com.']
policies = 'union'
[core.routes]
'x..y' = { reconciler = 'files.served' }
'a.test' = 'files.served'
'b.test' = { publishers = [] }
'c.test' = { reconciler = ['files.served'], colour = 'red' }",
    ));
    assert_snapshot!(told, @r#"
    error[GJ403]: core.routes."a.test" must be a table, not a text
      where: <root>/gordon-janitor-user.toml:16:12, core.routes."a.test"
      16 | 'a.test' = 'files.served'
         |            ^^^^^^^^^^^^^^
    error[GJ410]: [core.routes."b.test"] has no reconciler
      where: <root>/gordon-janitor-user.toml:17:1, core.routes."b.test"
      17 | 'b.test' = { publishers = [] }
         | ^^^^^^^^
      because: every zone is compared by one reconciler
      help: write reconciler = "…", the key of one in core.plugins
    error[GJ404]: core.routes."b.test".publishers must be a list with at least one key; without it every publisher gets the changes
      where: <root>/gordon-janitor-user.toml:17:27, core.routes."b.test".publishers
      17 | 'b.test' = { publishers = [] }
         |                           ^^
    error[GJ403]: core.routes."c.test".reconciler must be a text, not a list
      where: <root>/gordon-janitor-user.toml:18:27, core.routes."c.test".reconciler
      18 | 'c.test' = { reconciler = ['files.served'], colour = 'red' }
         |                           ^^^^^^^^^^^^^^^^
    error[GJ401]: [core.routes."c.test"] has no setting "colour"
      where: <root>/gordon-janitor-user.toml:18:45, [core.routes."c.test"]
      18 | 'c.test' = { reconciler = ['files.served'], colour = 'red' }
         |                                             ^^^^^^
      found: settings of [core.routes."c.test"]: publishers, reconciler
    error[GJ404]: core.routes: "x..y" is no pattern of names
      where: <root>/gordon-janitor-user.toml:15:1, core.routes
      15 | 'x..y' = { reconciler = 'files.served' }
         | ^^^^^^
      because: a label of the name is empty
      help: write a name, such as "example.com", or one with asterisks, such as "*.example.com"
    error[GJ404]: core.merge.policy must be one of error, agree, priority, union, not "onion"
      where: <root>/gordon-janitor-user.toml:6:10, core.merge.policy
      6 | policy = 'onion'
        |          ^^^^^^^
    error[GJ403]: core.merge.order must be a list of texts, in brackets, not a text
      where: <root>/gordon-janitor-user.toml:7:9, core.merge.order
      7 | order = 'files.zones'
        |         ^^^^^^^^^^^^^
    error[GJ412]: [core.merge.zones] has the pattern "*.example.com." twice
      where: <root>/gordon-janitor-user.toml:12:19, core.merge.zones
      12 | [core.merge.zones.'*.example.com.']
         |                   ^^^^^^^^^^^^^^^^
      found: the first time at <root>/gordon-janitor-user.toml:10:19
      because: letter case and a final dot make no difference
      help: remove one of the two
    error[GJ401]: [core.merge.zones."*.example.com."] has no setting "policies"
      where: <root>/gordon-janitor-user.toml:13:1, [core.merge.zones."*.example.com."]
      13 | policies = 'union'
         | ^^^^^^^^
      found: settings of [core.merge.zones."*.example.com."]: order, policy
    error[GJ401]: [core.merge.zones."example"] has no setting "com"
      where: <root>/gordon-janitor-user.toml:8:27, [core.merge.zones.example.com]
      8 | [core.merge.zones.example.com]
        |                           ^^^
      help: a pattern with dots stands in quotes: [core.merge.zones."example.com"]
    error[GJ403]: core.plugin."files.zones".zones must be a list of texts, in brackets, not a whole number
      where: <root>/gordon-janitor-user.toml:4:18, core.plugin."files.zones".zones
      4 | zones = ['a..b', 3]
        |                  ^
    error[GJ404]: core.plugin."files.zones".zones: "a..b" is no pattern of names
      where: <root>/gordon-janitor-user.toml:4:10, core.plugin."files.zones".zones
      4 | zones = ['a..b', 3]
        |          ^^^^^^
      because: a label of the name is empty
      help: write a name, such as "example.com", or one with asterisks, such as "*.example.com"
    error: 13 errors; nothing was run
    "#);
}
