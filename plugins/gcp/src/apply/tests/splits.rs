use std::fmt::Write as _;

use super::*;
use crate::apply::plan::Plan;
use crate::apply::split::{self, next};

/// A quota of so many additions and deletions.
fn quota(additions: usize, deletions: usize) -> Quota {
    Quota {
        additions,
        deletions,
        ..Quota::DOCUMENTED
    }
}

/// The splits of a plan, a line each; or why there are no more.
fn splits(changes: &Changes, quota: &Quota) -> String {
    let plan = Plan::new(changes);
    let (mut start, mut lines) = (0, String::new());
    while start < plan.len() {
        let range = match next(&plan, start, quota) {
            Ok(range) => {
                let shown = plan.items(range.clone()).iter().map(|item| {
                    let sign = match (item.change.deletion(), item.change.addition()) {
                        (Some(_), Some(_)) => "~",
                        (Some(_), None) => "-",
                        _ => "+",
                    };
                    let owner = item.change.owner().to_string();
                    let owner = owner.trim_end_matches(".example.com.");
                    format!("{sign}{owner}/{}", item.change.rtype())
                });
                lines.push_str(&shown.collect::<Vec<_>>().join(" "));
                range
            }
            Err(error) => {
                write!(lines, "{error}").unwrap();
                error.owner
            }
        };
        lines.push('\n');
        start = range.end;
    }
    lines
}

#[test]
fn what_fits_is_one_change() {
    let changes = changes(
        "a 60 A 192.0.2.1\nb 60 A 192.0.2.1",
        "a 60 A 192.0.2.2\nc 60 A 192.0.2.1",
    );

    insta::assert_snapshot!(splits(&changes, &quota(2, 2)), @"~a/A +c/A -b/A");
}

#[test]
fn the_changes_at_one_owner_are_never_split() {
    let changes = changes(
        "a 60 A 192.0.2.1\nc 60 CNAME x",
        "a 60 A 192.0.2.2\nb 60 A 192.0.2.1\nb 60 AAAA 2001:db8::1\nc 60 A 192.0.2.1\nc 60 TXT x",
    );

    insta::assert_snapshot!(splits(&changes, &quota(3, 3)), @r"
    ~a/A +b/A +b/AAAA
    -c/CNAME +c/A +c/TXT
    ");
    insta::assert_snapshot!(splits(&changes, &quota(2, 3)), @r"
    ~a/A
    +b/A +b/AAAA
    -c/CNAME +c/A +c/TXT
    ");
    insta::assert_snapshot!(splits(&changes, &quota(1, 1)), @r"
    ~a/A
    the changes at its owner, which have to be made at once, have 2 additions, and the quota of the project is 1 (rrsetAdditionsPerChange)
    the changes at its owner, which have to be made at once, have 2 additions, and the quota of the project is 1 (rrsetAdditionsPerChange)
    ");
}

#[test]
fn a_delegation_and_what_is_below_it_stay_together_where_there_is_room() {
    let changes = changes(
        "",
        "a 60 A 192.0.2.1
        sub 60 NS ns1.sub
        sub 60 DS 1 13 2 abababababababababababababababababababababababababababababababab
        ns1.sub 60 A 192.0.2.1
        ns2.sub 60 A 192.0.2.1
        z 60 A 192.0.2.1",
    );

    insta::assert_snapshot!(splits(&changes, &quota(4, 9)), @r"
    +a/A
    +sub/NS +sub/DS +ns1.sub/A +ns2.sub/A
    +z/A
    ");
    insta::assert_snapshot!(splits(&changes, &quota(3, 9)), @r"
    +a/A
    +sub/NS +sub/DS +ns1.sub/A
    +ns2.sub/A +z/A
    ");
}

#[test]
fn octets_of_both_sides_count_in_the_longer_form() {
    // 9 octets of text each way; the wire form of an AAAA has 16, whatever its text.
    let changes = changes("a 60 A 192.0.2.1", "a 60 A 192.0.2.2\nb 60 AAAA ::1");
    let quota = |rdata_octets| Quota {
        rdata_octets,
        ..Quota::DOCUMENTED
    };

    insta::assert_snapshot!(splits(&changes, &quota(34)), @"~a/A +b/AAAA");
    insta::assert_snapshot!(splits(&changes, &quota(33)), @r"
    ~a/A
    +b/AAAA
    ");
    insta::assert_snapshot!(splits(&changes, &quota(17)), @r"
    the changes at its owner, which have to be made at once, have 18 octets of rdata, and the quota of the project is 17 (totalRrdataSizePerChange)
    +b/AAAA
    ");
}

#[test]
fn halves_are_cut_between_owners() {
    let changes = changes(
        "",
        "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\nb 60 TXT x\nb 60 MX 1 m",
    );
    let plan = Plan::new(&changes);

    assert_eq!(
        split::halves(&plan, &[0, 1, 2, 3]),
        Some((vec![0], vec![1, 2, 3]))
    );
    assert_eq!(split::halves(&plan, &[1, 2, 3]), None);
    assert_eq!(split::halves(&plan, &[0]), None);
}
