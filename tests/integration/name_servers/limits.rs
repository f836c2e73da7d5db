//! RRsets that a message has just room for, and those that it has not.

use std::fmt::Write as _;

use super::deployment::{janitor_for, steady};
use crate::janitor::{HEAD, WITHOUT_LIMITS};
use crate::peers::name_server::{Kind, NameServer};

const APEX: &str = "example.com";

/// An RRset of texts: `rrs` of them with so many `strings` of 255 octets each, and one with a string of `last`
/// octets.
fn texts(rrs: usize, strings: usize, last: usize) -> String {
    let mut records = String::new();
    for rr in 0..rrs {
        let first = format!("\"{rr:0>255}\"");
        let others = format!(" \"{}\"", "x".repeat(255)).repeat(strings - 1);
        writeln!(records, "big TXT {first}{others}").expect("a text grows");
    }
    format!("{records}big TXT \"{}\"\n", "y".repeat(last))
}

/// What a refusal says of sizes: of the message, and of the room there is.
fn sizes(reason: &str) -> Option<(usize, usize)> {
    let (_, rest) = reason.split_once("conditional on have ")?;
    let (octets, rest) = rest.split_once(" octets, more than the ")?;
    let (room, _) = rest.split_once(" there is room for")?;
    Some((octets.parse().ok()?, room.parse().ok()?))
}

#[test]
fn an_rrset_that_a_message_just_has_room_for_is_added_and_one_octet_more_is_refused() {
    // RRs by the hundred, and one that is almost as long as an RR can be.
    for (rrs, strings) in [(243, 1), (1, 255)] {
        for kind in Kind::UPDATED {
            let Some(server) = NameServer::of(kind, APEX, HEAD) else {
                continue;
            };
            let run = |last: usize| {
                let records = format!("{}other A 192.0.2.1\n", texts(rrs, strings, last));
                let janitor = janitor_for(&server).settings(WITHOUT_LIMITS);
                let janitor = janitor.desired(APEX, &records);
                let run = janitor.run();
                let said = run.log_with("ERROR");
                (janitor, run, said)
            };
            // What else a message has, from the one that says by how much it is too large.
            let (_, run_of_much, said) = run(255);
            assert_eq!(run_of_much.exit_code(), 1, "{kind:?}");
            let (octets, room) = sizes(&said[0]).unwrap_or_else(|| panic!("{kind:?}: {said:?}"));
            let fits = 255 - (octets - room);

            let (_, beyond, said) = run(fits + 1);
            assert_eq!(beyond.exit_code(), 1, "{kind:?}");
            insta::allow_duplicates! {
                insta::assert_snapshot!(steady(&said[0]), @r#"ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="TXT of `big.example.com.`: the change and what it is conditional on have 65451 octets, more than the 65450 there is room for in a message""#);
            }
            assert_eq!(
                server.lines(APEX),
                ["other.example.com. 300 A 192.0.2.1"],
                "{kind:?}: the rest goes through"
            );
            server.update(APEX, "update delete other.example.com. A");

            let (janitor, run, _) = run(fits);
            assert_eq!(run.exit_code(), 0, "{kind:?}: {}", run.stderr());
            assert_eq!(server.lines(APEX).len(), rrs + 2, "{kind:?}");
            let clean = janitor.plan(&["--exit-code"]);
            assert_eq!(clean.exit_code(), 0, "{kind:?}: {}", clean.stdout());
        }
    }
}
