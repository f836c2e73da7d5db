//! Scope: what is set aside is told and measured, and a zone that is left out keeps its names.

use insta::assert_snapshot;

use crate::janitor::Janitor;

const MARKER: &str = "TXT \"heritage=external-dns,external-dns/owner=k8s\"";

#[test]
fn what_is_set_aside_is_counted_by_rule_and_changes_no_exit_code() {
    let served = format!("shop A 192.0.2.1\na-shop {MARKER}\nvpn A 192.0.2.1\nold A 192.0.2.1");
    let janitor = Janitor::new()
        .settings("[core.scope]\nexclude = ['x.a.test']\nprotect = ['vpn.a.test']\n[core.logging]\nlevel = 'debug'")
        .desired("a.test", "new A 192.0.2.1\nx A 192.0.2.1")
        .served("a.test", &served);
    let plan = janitor.plan(&[]);
    assert_eq!(plan.exit_code(), 0);
    assert_snapshot!(plan.stdout(), @r"
    a.test. 1 addition, 1 deletion
      ! 1 change set aside (scope): core.scope.exclude has `x.a.test`
      ! 1 change set aside (protected): core.scope.protect has `vpn.a.test`
      ! 2 changes set aside (owned): a marker of external-dns with the owner `k8s` has it
      + new.a.test.  300  A  192.0.2.1
      - old.a.test.  300  A  192.0.2.1
    desired by files.zones, compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 addition, 1 deletion
    4 changes in 1 zone set aside
    ");

    let run = janitor.run();
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
    let mut measured = run
        .log_with("[zone-set-aside]")
        .iter()
        .filter_map(|line| Some(line.split_once("value: ")?.1.to_owned()))
        .collect::<Vec<_>>();
    measured.sort();
    assert_snapshot!(measured.join("\n"), @r"
    1 context: {'zone': 'a.test.', 'rule': 'protected'}
    1 context: {'zone': 'a.test.', 'rule': 'scope'}
    2 context: {'zone': 'a.test.', 'rule': 'owned'}
    ");
    let after = janitor.served_file("a.test");
    for stays in ["shop.a.test.", "a-shop.a.test.", "vpn.a.test."] {
        assert!(after.contains(stays), "{after}");
    }
    assert!(!after.contains("old.a.test."), "{after}");
}

#[test]
fn a_marker_with_an_unknown_affix_is_told_and_its_name_stays() {
    let served = format!("shop A 192.0.2.1\n_k8s.shop {MARKER}");
    let janitor = || {
        Janitor::new()
            .desired("a.test", "new A 192.0.2.1")
            .served("a.test", &served)
    };
    let doubtful = janitor();
    let run = doubtful.run();
    assert_eq!(run.exit_code(), 0);
    assert_snapshot!(run.errors(), @r"
    warning[GJ841]: external-dns has marked names of zone `a.test.` in a way that was not told
      found: the marker is at `_k8s.shop.a.test.`, and taken for one of `shop.a.test.`, which is left alone
      help: name its --txt-prefix or --txt-suffix in [core.scope.external_dns]; delete markers that are left over from names that are no more
    ");
    assert!(
        doubtful
            .served_file("a.test")
            .contains("shop.a.test. 300 IN A")
    );

    let told = janitor().settings("[core.scope.external_dns]\nprefix = ['_k8s.']");
    let run = told.run();
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
    assert!(told.served_file("a.test").contains("shop.a.test. 300 IN A"));
}

#[test]
fn a_zone_that_is_left_out_keeps_its_names_from_the_zone_above() {
    let janitor = Janitor::new()
        .desired(
            "test",
            "www A 192.0.2.1\nsub NS ns.example.net.\nwww.sub A 192.0.2.1",
        )
        .served("test", "old.sub A 192.0.2.1\nkeep A 192.0.2.1")
        .file("desired/sub.test.zone", "this is no zone file\n");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    let after = janitor.served_file("test");
    for (text, is_there) in [
        ("\nwww.test.", true),
        ("\nsub.test.", true),
        ("www.sub.test.", false),
        ("old.sub.test.", true),
        ("keep.test.", false),
    ] {
        assert_eq!(after.contains(text), is_there, "{text}: {after}");
    }
}
