//! Changes that are hard to see from outside count as applied once they are served, and not before.

use super::deployment::janitor_for;
use crate::janitor::{HEAD, Janitor, WITHOUT_LIMITS};
use crate::peers::name_server::{Kind, NameServer, Options};

const APEX: &str = "example.com";

/// Answers from outside say nothing, or something else, about most of these.
const BEFORE: &str = "\
*.wild A 192.0.2.7
gone.wild A 192.0.2.1
same.wild A 192.0.2.7
sub NS ns.sub
ns.sub A 192.0.2.1
old NS ns.old
ns.old A 192.0.2.1
was-alias CNAME www
will-be-alias A 192.0.2.1
text 60 TXT \"the same\"
www A 192.0.2.1
";
const AFTER: &str = "\
*.wild A 192.0.2.7
sub NS ns.sub
ns.sub A 192.0.2.2
ns.sub AAAA 2001:db8::2
new NS ns.new
ns.new A 192.0.2.3
was-alias A 192.0.2.1
will-be-alias CNAME www
text 61 TXT \"the same\"
dname DNAME example.net.
www A 192.0.2.1
";

/// Corrects the zone and returns what the history says of the changes.
fn outcomes(janitor: Janitor) -> String {
    let janitor = janitor.settings(WITHOUT_LIMITS);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let history = janitor.command(&["history", "1"]).stdout();
    let again = janitor.plan(&["--exit-code"]);
    assert_eq!(again.exit_code(), 0, "{}", again.stdout());
    let mut lines = history.lines().filter(|line| line.contains("dns.update: "));
    lines.next().unwrap_or_default().trim().to_owned()
}

#[test]
fn what_is_hidden_or_made_up_by_wildcards_counts_as_applied() {
    for kind in Kind::UPDATED {
        let Some(server) = NameServer::of(kind, APEX, &format!("{HEAD}{BEFORE}")) else {
            return;
        };
        let outcomes = outcomes(janitor_for(&server).desired(APEX, AFTER));
        assert_eq!(outcomes, "dns.update: 14 applied", "{kind:?}");
    }
}

#[test]
fn a_zone_below_on_the_same_server_does_not_speak_for_the_delegation() {
    for kind in Kind::UPDATED {
        let parent = format!("{HEAD}sub NS ns.sub\nns.sub A 192.0.2.1\n");
        let child = format!("{HEAD}ns A 192.0.2.9\n@ NS ns\n");
        let zones = [(APEX, parent), ("sub.example.com", child)];
        let Some(server) = NameServer::start(kind, &zones, &Options::default()) else {
            return;
        };
        let janitor = janitor_for(&server).desired(APEX, "sub NS ns2.sub\nns2.sub A 192.0.2.2\n");
        assert_eq!(outcomes(janitor), "dns.update: 3 applied", "{kind:?}");
    }
}
