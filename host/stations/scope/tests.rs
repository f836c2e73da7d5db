use std::fs;

use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RVec};
use janitor_plugin_api::abi::values::{AbiAnswer, AnswerStatus};
use janitor_plugin_api::dns::{ActualZone, LeftAlone, Ttl, ZoneBuilder, diff};
use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::stations::answers::Answers;
use crate::stations::merge::Merged;
use crate::stations::route::Route;

const APEX: &str = "example.com";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The scope of a configuration.
fn configured(toml: &str) -> Arc<Scope> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("gordon-janitor.toml");
    fs::write(file, format!("unrelated = 1\n{toml}")).unwrap();
    let config = Config::load(directory.path()).unwrap();
    let errors = config.problems().iter();
    let errors = errors.filter(|problem| problem.code() != Code::ScopeOfNothing);
    assert_eq!(errors.count(), 0, "{:?}", config.problems());
    Arc::clone(&config.core().scope)
}

/// A zone of lines `owner TYPE rdata`, with the owners relative to the apex.
fn builder(lines: &str) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new(name(APEX));
    for line in lines.split('\n').map(str::trim).filter(|l| !l.is_empty()) {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap();
        builder
            .push_text(word(), Ttl::default(), word(), word())
            .unwrap();
    }
    builder
}

fn desired(lines: &str) -> DesiredZone {
    let mut builder = builder(lines);
    builder.set_complete();
    builder.build_desired().unwrap()
}

/// What is to be done so that `actual` becomes `desired`, as far as the scope goes.
fn planned(scope: &Arc<Scope>, desired: &DesiredZone, actual: &ActualZone) -> PlannedZone {
    planned_from(scope, desired, actual, true)
}

fn planned_from(
    scope: &Arc<Scope>,
    desired: &DesiredZone,
    actual: &ActualZone,
    is_told: bool,
) -> PlannedZone {
    let changes = diff(desired, actual, &LeftAlone::default()).unwrap();
    let mut station = Answers::new("r".into(), Arc::clone(scope));
    let merged = Merged::from_one(desired.clone(), "a".into());
    station.asked(merged, &Arc::new(Route::to_all("r".into())));
    let told = is_told.then(|| actual.octets().into());
    let answer = AbiAnswer {
        apex: desired.apex().as_wire().into(),
        status: AnswerStatus::COMPARED,
        changes: changes.into_octets(),
        actual: told.map_or(ROption::RNone, ROption::RSome),
        reason: RVec::new(),
        hint: ROption::RNone,
    };
    station.take(answer).unwrap();
    let (mut plan, left_out) = station.finish();
    assert!(left_out.is_empty());
    plan.remove(0)
}

fn place(change: Change<'_>) -> String {
    let sign = match change.action() {
        Action::Addition => '+',
        Action::Deletion => '-',
        Action::Update => '~',
    };
    let owner = change.owner().to_string();
    let owner = owner.trim_end_matches('.').trim_end_matches(APEX);
    let owner = owner.trim_end_matches('.');
    format!(
        "{sign}{} {}",
        if owner.is_empty() { "@" } else { owner },
        change.rtype()
    )
}

/// What is made, and what is set aside by which kind of rule.
fn decided(scope: &Arc<Scope>, desired_lines: &str, actual_lines: &str) -> (String, String) {
    let actual = builder(actual_lines).build_actual().unwrap();
    let zone = planned(scope, &desired(desired_lines), &actual);
    shown(&zone)
}

fn shown(zone: &PlannedZone) -> (String, String) {
    let made = zone.changes().iter().map(place).collect::<Vec<_>>();
    let aside = zone
        .aside()
        .map(|(change, rule)| format!("{} {}", place(change), rule.kind.word()));
    (made.join(", "), aside.collect::<Vec<_>>().join(", "))
}

const HEAD: &str = "@ SOA ns m 1 2 3 4 5\n@ NS ns.example.net.\n";

#[test]
fn only_what_is_included_changes() {
    let (wanted, served) = (
        "a A 192.0.2.1\na TXT x\nb A 192.0.2.1\n@ MX 1 mail",
        "c A 192.0.2.1\nd.a A 192.0.2.1\n@ TXT x",
    );
    for (settings, made, aside) in [
        ("", "+@ MX, -@ TXT, +a A, +a TXT, +b A, -d.a A, -c A", ""),
        (
            "include = ['a.example.com', '*.a.example.com', '@ TXT']",
            "+a A, +a TXT, -@ TXT, -d.a A",
            "+@ MX scope, +b A scope, -c A scope",
        ),
        (
            "include = ['*.example.com A', 'example.com MX TYPE16']",
            "+@ MX, -@ TXT, +a A, +b A, -d.a A, -c A",
            "+a TXT scope",
        ),
    ] {
        let scope = configured(&format!("[core.scope]\n{settings}"));
        let mut expected = (made.to_owned(), aside.to_owned());
        let mut found = decided(&scope, wanted, served);
        for text in [&mut expected.0, &mut expected.1, &mut found.0, &mut found.1] {
            let mut parts = text.split(", ").collect::<Vec<_>>();
            parts.sort_unstable();
            *text = parts.join(", ");
        }
        assert_eq!(found, expected, "{settings}");
    }
}

#[test]
fn what_is_excluded_stays_and_what_is_protected_is_only_added_to() {
    let scope = configured(
        "[core.scope]\nexclude = ['_acme-challenge.* TXT', 'b.example.com']\n\
         protect = ['vpn.example.com', '@ MX']",
    );
    let (made, aside) = decided(
        &scope,
        "b A 192.0.2.1\nvpn A 192.0.2.2\nvpn AAAA 2001:db8::1\n@ MX 2 mail\n_acme-challenge A 192.0.2.1",
        "_acme-challenge TXT token\n_acme-challenge.www TXT token\nvpn A 192.0.2.1\nvpn TXT x\n@ MX 1 mail\nb TXT x",
    );
    assert_eq!(made, "+_acme-challenge A, +vpn AAAA");
    assert_eq!(
        aside,
        "~@ MX protected, -_acme-challenge TXT scope, -b TXT scope, +b A scope, \
         -vpn TXT protected, ~vpn A protected, -_acme-challenge.www TXT scope"
    );
}

#[test]
fn what_takes_the_place_of_something_protected_waits() {
    let scope = configured("[core.scope]\nprotect = ['a.example.com A', 'b.example.com CNAME']");
    let (made, aside) = decided(
        &scope,
        "a CNAME x\nb A 192.0.2.1\nc CNAME x",
        "a A 192.0.2.1\nb CNAME x\nc A 192.0.2.1",
    );
    assert_eq!(made, "-c A, +c CNAME");
    assert_eq!(
        aside,
        "-a A protected, +a CNAME waits, -b CNAME protected, +b A waits"
    );
}

#[test]
fn the_closest_table_of_a_zone_counts_and_what_holds_for_all_holds_there_too() {
    let (wanted, served) = (
        "a A 192.0.2.1\nkeep A 192.0.2.1",
        "z A 192.0.2.1\nold A 192.0.2.1",
    );
    let general = "[core.scope]\ninclude = ['a.example.com']\nexclude = ['z.example.com']\n";
    for (table, made) in [
        // Of another zone.
        ("\"example.net\"]\ninclude = []", "+a A"),
        // What is included is said anew, what is excluded is added.
        ("\"example.com\"]\ninclude = []", "+a A, +keep A, -old A"),
        ("\"example.com\"]\nexclude = ['a.example.com']", ""),
        (
            "\"*.com\"]\ninclude = ['*']\nprotect = ['old.example.com']",
            "+a A, +keep A",
        ),
        (
            "\"*.com\"]\ninclude = ['keep.example.com']\n[core.scope.zones.\"example.com\"]\n",
            "+a A",
        ),
    ] {
        let scope = configured(&format!("{general}[core.scope.zones.{table}"));
        assert_eq!(decided(&scope, wanted, served).0, made, "{table}");
    }
}

const EXTERNAL_DNS: &str = "\"heritage=external-dns,external-dns/owner=k8s\"";

#[test]
fn what_another_program_has_marked_is_not_touched() {
    let served = format!(
        "a-web TXT {EXTERNAL_DNS}\nweb A 192.0.2.1\nweb TXT x\nold TXT {EXTERNAL_DNS}\nold A 192.0.2.1\n\
         a-soon TXT {EXTERNAL_DNS}\n_owner.a.octo TXT *octodns*\nocto A 192.0.2.1\nocto AAAA 2001:db8::1\n\
         ours A 192.0.2.1"
    );
    let wanted =
        "web A 192.0.2.9\nsoon A 192.0.2.1\nsoon CAA 0 issue x\nocto A 192.0.2.9\nnew A 192.0.2.1";
    let (made, aside) = decided(&Arc::default(), wanted, &served);
    assert_eq!(made, "+new A, +soon CAA, -octo AAAA, -ours A, -web TXT");
    assert_eq!(
        aside,
        "~octo A owned, +soon A owned, ~web A owned, -a-soon TXT owned, -a-web TXT owned, \
         -_owner.a.octo TXT owned, -old A owned, -old TXT owned"
    );
    let scope = configured("[core.scope]\nhonour = []");
    let (_, aside) = decided(&scope, wanted, &served);
    assert_eq!(aside, "");
    let scope = configured("[core.scope]\nhonour = ['octodns']");
    let (_, aside) = decided(&scope, wanted, &served);
    assert_eq!(aside, "~octo A owned, -_owner.a.octo TXT owned");
    let scope = configured("[core.scope.zones.\"example.com\"]\nhonour = []");
    let (_, aside) = decided(&scope, wanted, &served);
    assert_eq!(aside, "");
}

#[test]
fn a_marker_tells_whose_it_is() {
    let served =
        format!("a-web TXT {EXTERNAL_DNS}\nweb A 192.0.2.1\n_owner.a.b TXT x\nb A 192.0.2.1");
    let actual = builder(&served).build_actual().unwrap();
    let zone = planned(&Arc::default(), &desired("new A 192.0.2.1"), &actual);
    let by_rule = zone.aside_by_rule();
    let by_rule = by_rule
        .iter()
        .map(|(rule, number)| format!("{} {}", rule.text, number));
    assert_eq!(
        by_rule.collect::<Vec<_>>(),
        [
            "a marker of external-dns with the owner `k8s` has it 2",
            "a marker of octoDNS has it 2"
        ]
    );
}

#[test]
fn a_marker_that_is_desired_is_ours() {
    let served = format!("a-web TXT {EXTERNAL_DNS}\nweb A 192.0.2.1");
    let (made, aside) = decided(
        &Arc::default(),
        &format!("a-web TXT {EXTERNAL_DNS}\nweb A 192.0.2.9"),
        &served,
    );
    assert_eq!((&*made, &*aside), ("~web A", ""));
    // Another text at its place is none.
    let (made, aside) = decided(&Arc::default(), "a-web TXT x\nweb A 192.0.2.9", &served);
    assert_eq!((&*made, &*aside), ("", "~a-web TXT owned, ~web A owned"));
}

#[test]
fn an_incomplete_zone_adds_nothing_at_a_name_of_others() {
    let served = format!("aaaa-web TXT {EXTERNAL_DNS}");
    let actual = builder(&served).build_actual().unwrap();
    let wanted = "web AAAA 2001:db8::1\nnew A 192.0.2.1";
    let incomplete = builder(wanted).build_desired().unwrap();
    let zone = planned(&Arc::default(), &incomplete, &actual);
    assert_eq!(shown(&zone), ("+new A".into(), "+web AAAA owned".into()));
}

#[test]
fn of_a_zone_that_nobody_shows_the_markers_that_would_be_deleted_are_known() {
    let served = format!("a-web TXT {EXTERNAL_DNS}\nweb A 192.0.2.1\nold A 192.0.2.1");
    let actual = builder(&served).build_actual().unwrap();
    let zone = planned_from(&Arc::default(), &desired("new A 192.0.2.1"), &actual, false);
    assert!(zone.actual.is_none());
    assert_eq!(
        shown(&zone),
        (
            "+new A, -old A".into(),
            "-a-web TXT owned, -web A owned".into()
        )
    );
}

#[test]
fn an_affix_that_nobody_told_of_is_guessed_and_doubted() {
    for (marker, marked, others) in [
        ("_ext.web", "web", "b"),
        ("_ext.a-web", "web", "b"),
        ("k8s-web.sub", "web.sub", "web"),
        ("xdns-cname-web", "web", "b"),
        ("web-txt", "web", "b"),
        ("web-.cname.sub", "web.sub", "sub"),
        ("_ext", "@", "b"),
    ] {
        let served = format!(
            "{marker} TXT {EXTERNAL_DNS}\n{marked} A 192.0.2.1\n{others} A 192.0.2.1\n{HEAD}"
        );
        let actual = builder(&served).build_actual().unwrap();
        let zone = planned(&Arc::default(), &desired("new A 192.0.2.1"), &actual);
        assert_eq!(shown(&zone).0, format!("+new A, -{others} A"), "{marker}");
        let aside = shown(&zone).1;
        assert!(aside.contains(&format!("-{marked} A owned")), "{aside}");
        let doubt = doubts(&zone).unwrap();
        assert_eq!(doubt.code(), Code::UnknownMarkers);
    }
}

#[test]
fn where_several_names_may_be_meant_all_are_left_alone() {
    let served =
        format!("web-txt TXT {EXTERNAL_DNS}\nweb A 192.0.2.1\ntxt A 192.0.2.1\n@ A 192.0.2.1");
    let (made, aside) = decided(&Arc::default(), "new A 192.0.2.1", &served);
    assert_eq!(made, "+new A, -@ A");
    assert_eq!(aside, "-txt A owned, -web A owned, -web-txt TXT owned");
}

#[test]
fn a_marker_that_is_left_over_takes_nothing_else_along() {
    for marker in ["gone", "a-gone", "cname-gone.sub"] {
        let served = format!("{marker} TXT {EXTERNAL_DNS}\n@ A 192.0.2.1\ne A 192.0.2.1\n{HEAD}");
        let actual = builder(&served).build_actual().unwrap();
        let zone = planned(&Arc::default(), &desired("new A 192.0.2.1"), &actual);
        assert_eq!(
            shown(&zone),
            ("+new A, -@ A, -e A".into(), format!("-{marker} TXT owned"))
        );
        assert!(doubts(&zone).is_none());
    }
}

#[test]
fn what_is_told_of_doubtful_markers_says_what_to_do() {
    let served = format!(
        "_x.web TXT {EXTERNAL_DNS}\nweb A 192.0.2.1\n_x.b TXT {EXTERNAL_DNS}\nb A 192.0.2.1"
    );
    let actual = builder(&served).build_actual().unwrap();
    let zone = planned(&Arc::default(), &desired("new A 192.0.2.1"), &actual);
    insta::assert_snapshot!(doubts(&zone).unwrap(), @r"
    warning[GJ841]: external-dns has marked names of zone `example.com.` in a way that was not told
      found: the first of 2 markers is at `_x.b.example.com.`, and taken for one of `b.example.com.`, which is left alone
      help: name its --txt-prefix or --txt-suffix in [core.scope.external_dns]; delete markers that are left over from names that are no more
    ");
    let scope = configured("[core.scope.external_dns]\nprefix = ['_X.']");
    let zone = planned(&scope, &desired("new A 192.0.2.1"), &actual);
    assert!(doubts(&zone).is_none());
    assert_eq!(shown(&zone).0, "+new A");
}

#[test]
fn the_last_address_of_a_name_server_stays() {
    let head = "@ SOA ns m 1 2 3 4 5\n@ NS ns1\n@ NS ns2\n@ NS ns.example.net.\n";
    for (served, wanted, made, aside) in [
        // Both go, or the only one.
        (
            "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\nns2 A 192.0.2.2\nwww A 192.0.2.3",
            "x A 192.0.2.1",
            "+x A, -www A",
            "-ns1 A name-server, -ns1 AAAA name-server, -ns2 A name-server",
        ),
        // One stays.
        (
            "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1",
            "ns1 A 192.0.2.1",
            "-ns1 AAAA",
            "",
        ),
        // It is replaced at once.
        ("ns1 A 192.0.2.1", "ns1 A 192.0.2.2", "~ns1 A", ""),
        // It is replaced by one that is not served yet.
        (
            "ns1 A 192.0.2.1",
            "ns1 AAAA 2001:db8::1",
            "+ns1 AAAA",
            "-ns1 A name-server",
        ),
        (
            "ns1 A 192.0.2.1",
            "ns1 CNAME x\nx A 192.0.2.1",
            "+x A",
            "-ns1 A name-server, +ns1 CNAME waits",
        ),
    ] {
        let (found, set_aside) = decided(&Arc::default(), wanted, &format!("{head}{served}"));
        assert_eq!((&*found, &*set_aside), (made, aside), "{served} / {wanted}");
        let scope = configured("[core.scope]\nname_servers = false");
        let (_, set_aside) = decided(&scope, wanted, &format!("{head}{served}"));
        assert_eq!(set_aside, "", "{served} / {wanted}");
    }
}

/// Owners, types, settings and markers that meet often.
fn lines() -> impl Strategy<Value = Vec<(usize, usize, u8)>> {
    prop::collection::vec((0..OWNERS.len(), 0..TYPES.len(), 1..4_u8), 0..12)
}

const OWNERS: [&str; 6] = ["a", "b.a", "c", "d.c", "@", "e"];
const TYPES: [&str; 4] = ["A", "TXT", "MX", "CNAME"];

/// The records as lines, without those that would stand beside a CNAME.
fn zone_of(records: &[(usize, usize, u8)]) -> String {
    let is_cname = |owner: usize| {
        owner != 4
            && records
                .iter()
                .find(|(other, ..)| *other == owner)
                .is_some_and(|(_, rtype, _)| TYPES[*rtype] == "CNAME")
    };
    let mut lines = String::from("@ CAA 0 issue always\n");
    for (at, (owner, rtype, value)) in records.iter().enumerate() {
        let first = records.iter().position(|(other, ..)| other == owner) == Some(at);
        let line = match TYPES[*rtype] {
            "CNAME" if is_cname(*owner) && first => format!("CNAME t{value}.example.net."),
            "CNAME" => continue,
            _ if is_cname(*owner) => continue,
            "A" => format!("A 192.0.2.{value}"),
            "TXT" => format!("TXT x{value}"),
            _ => format!("MX {value} mail.example.net."),
        };
        lines.push_str(&format!("{} {line}\n", OWNERS[*owner]));
    }
    lines
}

/// The served RRsets, each as text.
fn rrsets(zone: &ActualZone) -> Vec<(String, String, String)> {
    let all = zone.rrsets();
    let texts = all.map(|rrset| {
        let (owner, rtype) = (rrset.owner().to_string(), rrset.rtype().to_string());
        (owner, rtype, rrset.to_string())
    });
    texts.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn nothing_out_of_scope_changes_and_nothing_conflicts(
        wanted in lines(),
        served in lines(),
        excluded in prop::collection::vec((0..OWNERS.len(), prop::option::of(0..TYPES.len())), 0..3),
        protected in prop::collection::vec(0..OWNERS.len(), 0..2),
        included in prop::option::of(0..3_usize),
        marked in prop::option::of(0..4_usize),
    ) {
        let owner = |at: usize| match OWNERS[at] {
            "@" => APEX.to_owned(),
            owner => format!("{owner}.{APEX}"),
        };
        let include = ["*.a.example.com", "*.example.com", "* A"];
        let exclude = excluded.iter().map(|(at, rtype)| {
            let rtype = rtype.map_or("", |at| TYPES[at]);
            format!("{} {rtype}", owner(*at))
        });
        let exclude = exclude.collect::<Vec<_>>();
        let protect = protected.iter().map(|at| owner(*at)).collect::<Vec<_>>();
        let include = included.map(|at| include[at]).into_iter().collect::<Vec<_>>();
        let scope = configured(&format!(
            "[core.scope]\nexclude = {exclude:?}\nprotect = {protect:?}\ninclude = {include:?}"
        ));
        let mut served = zone_of(&served);
        if let Some(at) = marked {
            // `c` and `d.c` may be marked in both ways.
            let (marker, text) = [
                ("a-a", EXTERNAL_DNS),
                ("_owner.txt.c", "x"),
                ("cname-d.c", EXTERNAL_DNS),
                ("_owner.mx", "x"),
            ][at];
            served.push_str(&format!("{marker} TXT {text}\n"));
        }
        let desired = desired(&zone_of(&wanted));
        let actual = builder(&served).build_actual().unwrap();
        let zone = planned(&scope, &desired, &actual);

        // Everything that differs is either made or set aside.
        let all = diff(&desired, &actual, &LeftAlone::default()).unwrap();
        prop_assert_eq!(all.len(), zone.changes().len() + zone.aside().count());

        let after = zone.changes().apply(&actual).unwrap();
        let (before, after) = (rrsets(&actual), rrsets(&after));
        for (owner_text, rtype, text) in &before {
            let bare = owner_text.trim_end_matches('.');
            let is_excluded = excluded.iter().any(|(at, only)| {
                owner(*at) == bare && only.is_none_or(|at| TYPES[at] == rtype)
            });
            let is_protected = protected.iter().any(|at| owner(*at) == bare);
            let is_included = match included {
                Some(0) => bare.ends_with(".a.example.com"),
                Some(1) => bare.ends_with(".example.com"),
                Some(2) => rtype == "A",
                _ => true,
            };
            let is_owned = match marked {
                Some(0) => bare == "a-a.example.com" || (bare == "a.example.com" && rtype == "A"),
                Some(1) => bare == "_owner.txt.c.example.com" || (bare == "c.example.com" && rtype == "TXT"),
                Some(2) => bare == "cname-d.c.example.com"
                    || (bare == "d.c.example.com" && (rtype == "CNAME" || rtype == "A")),
                Some(3) => bare == "_owner.mx.example.com" || (bare == APEX && rtype == "MX"),
                _ => false,
            };
            if is_excluded || is_protected || !is_included || is_owned {
                let stays = after.contains(&(owner_text.clone(), rtype.clone(), text.clone()));
                prop_assert!(stays, "{} changed", text);
            }
        }
        // No CNAME stands beside other data.
        for (owner, rtype, text) in &after {
            let beside = after.iter().filter(|(other, ..)| other == owner).count();
            prop_assert!(rtype != "CNAME" || beside == 1, "{} is not alone", text);
        }
    }
}

#[test]
fn the_size_of_a_zone_is_what_may_be_changed_there() {
    const SERVED: &str = "@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n@ TXT \"x\"\n\
         ns A 192.0.2.1\na.dyn A 192.0.2.1\nb.dyn A 192.0.2.1\nb.dyn TXT \"x\"";
    const OWNED: &str = "\nc.dyn A 192.0.2.1\n_owner.a.c.dyn TXT *octodns*";
    let size = |toml: &str, served: &str| {
        let actual = builder(served).build_actual().unwrap();
        let zone = planned(&configured(toml), &desired("a.dyn A 192.0.2.1"), &actual);
        zone.actual.unwrap().comparable
    };
    for (toml, expected) in [
        ("", 5),
        ("[core.scope]\ninclude = ['*.dyn.example.com']", 3),
        ("[core.scope]\ninclude = ['*.dyn.example.com A']", 2),
        ("[core.scope]\nexclude = ['*.dyn.example.com']", 2),
        ("[core.scope]\nprotect = ['ns.example.com', '@']", 3),
        ("[core.scope.zones.\"example.com\"]\nexclude = ['* TXT']", 3),
        ("[core.scope.zones.\"example.org\"]\nexclude = ['* TXT']", 5),
    ] {
        assert_eq!(size(toml, SERVED), expected, "{toml}");
    }
    let with_others = [SERVED, OWNED].concat();
    assert_eq!(size("[core.scope]\nhonour = []", &with_others), 7);
    let without = size("", SERVED);
    assert_eq!(size("", &with_others), without);
}

/// Else many of them would let a limit in shares pass that the rest of the zone breaks.
#[test]
fn what_the_actual_zone_holds_is_no_part_of_the_size() {
    const SERVED: &str =
        "@ MX 1 m\na A 192.0.2.1\nb A 192.0.2.1\nb TXT \"x\"\nb.c A 192.0.2.1\nd A 192.0.2.1";
    for (toml, held, expected) in [
        ("", &["a", "b", "c", "e"][..], 3),
        ("", &["@", "d"], 4),
        ("[core.scope]\ninclude = ['* A']", &["b"], 3),
    ] {
        let mut served = builder(SERVED);
        for owner in held {
            let owner = match *owner {
                "@" => name(APEX),
                owner => name(&format!("{owner}.{APEX}")),
            };
            served.hold(owner).unwrap();
        }
        let served = served.build_actual().unwrap();
        let zone = planned(&configured(toml), &desired("x A 192.0.2.1"), &served);
        assert_eq!(zone.actual.unwrap().comparable, expected, "{toml} {held:?}");
    }
}
