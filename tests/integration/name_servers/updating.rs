//! What can go wrong while a zone is corrected: every change is told, nothing is half done, and the next
//! run does the rest.

use super::deployment::{janitor, janitor_for, steady};
use crate::janitor::{HEAD, Janitor, Run, WITHOUT_LIMITS};
use crate::peers::name_server::{Access, Kind, NameServer, Options};
use crate::peers::proxy::{Exchange, Fault, Proxy, Spot};

const APEX: &str = "example.com";

/// What is served before: one update, one deletion, one CNAME to be replaced, one addition to come.
const SERVED: &str = "\
www A 192.0.2.1
www A 192.0.2.2
old TXT \"to be deleted\"
alias CNAME www
stays A 192.0.2.9
";

const DESIRED: &str = "\
www A 192.0.2.1
www A 192.0.2.3
alias A 192.0.2.4
new TXT \"to be added\"
stays A 192.0.2.9
";

const BEFORE: [&str; 5] = [
    "alias.example.com. 300 CNAME www.example.com.",
    "old.example.com. 300 TXT \"to be deleted\"",
    "stays.example.com. 300 A 192.0.2.9",
    "www.example.com. 300 A 192.0.2.1",
    "www.example.com. 300 A 192.0.2.2",
];
const AFTER: [&str; 5] = [
    "alias.example.com. 300 A 192.0.2.4",
    "new.example.com. 300 TXT \"to be added\"",
    "stays.example.com. 300 A 192.0.2.9",
    "www.example.com. 300 A 192.0.2.1",
    "www.example.com. 300 A 192.0.2.3",
];

fn server(kind: Kind) -> Option<NameServer> {
    NameServer::of(kind, APEX, &format!("{HEAD}{SERVED}"))
}

fn deployment(janitor: Janitor) -> Janitor {
    janitor.settings(WITHOUT_LIMITS).desired(APEX, DESIRED)
}

/// What a run says of changes that did not come about, without ports and times, and its exit code.
fn told(run: &Run) -> String {
    let mut told = format!("exit code {}\n", run.exit_code());
    for line in run.log() {
        if !line.starts_with("INFO") && !line.starts_with("DEBUG") {
            told += &format!("{}\n", steady(&line));
        }
    }
    told
}

#[test]
fn an_update_that_meets_no_fault_is_one_message() {
    for kind in Kind::UPDATED {
        let Some(server) = server(kind) else { continue };
        let proxy = Proxy::before(server.address());
        let janitor = deployment(janitor(&[proxy.address()], server.key()));
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{kind:?}: {}", run.stderr());
        assert_eq!(server.lines(APEX), AFTER, "{kind:?}");
        assert_eq!(proxy.requests(Exchange::Update), 1, "{kind:?}");
    }
}

#[test]
fn whatever_happens_to_an_update_it_is_done_or_not_and_the_next_run_does_it() {
    let request = Spot::request(Exchange::Update);
    let answer = Spot::answer(Exchange::Update, 1);
    let flip = |octet: usize, bits: u8| Fault::change(move |message| message[octet] ^= bits);
    let cases = [
        ("hung up on", request, Fault::Cut(0)),
        ("hung up on in the request", request, Fault::Cut(100)),
        ("the request is lost", request, Fault::Drop),
        ("the request comes twice", request, Fault::Twice),
        ("the request is changed", request, flip(80, 1)),
        (
            "the request is shortened",
            request,
            Fault::change(|message| message.truncate(100)),
        ),
        ("the answer is lost", answer, Fault::Drop),
        ("hung up on before the answer", answer, Fault::Cut(0)),
        ("hung up on in the answer", answer, Fault::Cut(10)),
        ("silence in the answer", answer, Fault::Stall(10)),
        ("the answer comes twice", answer, Fault::Twice),
        ("another ID", answer, flip(1, 1)),
        ("another opcode", answer, flip(2, 0x28)),
        ("another RCODE than was signed", answer, flip(3, 5)),
        (
            "the answer is shortened",
            answer,
            Fault::change(|message| message.truncate(12)),
        ),
        ("an empty answer", answer, Fault::change(Vec::clear)),
    ];
    let mut all = String::new();
    for (name, spot, fault) in cases {
        for times in [1, usize::MAX] {
            let Some(server) = server(Kind::Knot) else {
                return;
            };
            let proxy = Proxy::before(server.address());
            let janitor = janitor(&[proxy.address()], server.key()).settings("timeout = 0.5");
            let janitor = deployment(janitor);
            proxy.times(times, spot, fault.clone());
            let run = janitor.run();
            let served = server.lines(APEX);
            let is_done = served == AFTER;
            assert!(is_done || served == BEFORE, "{name}: {served:#?}");
            let often = if times == 1 { "once" } else { "always" };
            let what = if is_done { "done" } else { "not done" };
            all += &format!("{name}, {often}: {what}, {}", told(&run));
            // What is told fits what is: success is never claimed for what did not happen.
            assert!(is_done || run.exit_code() != 0, "{name}: {}", run.stderr());
            proxy.heal();
            let again = janitor.run();
            assert_eq!(again.exit_code(), 0, "{name}: {}", again.stderr());
            assert_eq!(server.lines(APEX), AFTER, "{name}");
        }
    }
    insta::assert_snapshot!(all, @r#"
    hung up on, once: done, exit code 0
    hung up on, always: not done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    hung up on in the request, once: done, exit code 0
    hung up on in the request, always: not done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    the request is lost, once: done, exit code 0
    the request is lost, always: not done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: no answer within 0.5 s (`timeout`); cannot ask whether it was done: …"
    the request comes twice, once: done, exit code 0
    the request comes twice, always: done, exit code 0
    the request is changed, once: done, exit code 0
    the request is changed, always: not done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the answer is not signed (FORMERR), the request was; the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it; cannot ask whether it was done: …"
    the request is shortened, once: done, exit code 0
    the request is shortened, always: not done, exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=5 unknown=0 reason="`127.0.0.1:<n>`: the answer is not signed (FORMERR), the request was; the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it; the serial is still 1, so it was not done"
    the answer is lost, once: done, exit code 0
    the answer is lost, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: no answer within 0.5 s (`timeout`); cannot ask whether it was done: …"
    hung up on before the answer, once: done, exit code 0
    hung up on before the answer, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    hung up on in the answer, once: done, exit code 0
    hung up on in the answer, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection in the middle of a message; cannot ask whether it was done: …"
    silence in the answer, once: done, exit code 0
    silence in the answer, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: no answer within 0.5 s (`timeout`); cannot ask whether it was done: …"
    the answer comes twice, once: done, exit code 0
    the answer comes twice, always: done, exit code 0
    another ID, once: done, exit code 0
    another ID, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the answer has the ID <n>, the request had <n>; cannot ask whether it was done: …"
    another opcode, once: done, exit code 0
    another opcode, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the answer has the opcode QUERY(0), another one than the request; cannot ask whether it was done: …"
    another RCODE than was signed, once: done, exit code 0
    another RCODE than was signed, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the signature of the answer is wrong: it was changed on its way, or signed with another secret; the secret of `tsig_key` has to be that of the key at the server; cannot ask whether it was done: …"
    the answer is shortened, once: done, exit code 0
    the answer is shortened, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the answer breaks off within its question; cannot ask whether it was done: …"
    an empty answer, once: done, exit code 0
    an empty answer, always: done, exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the answer has 0 octets, less than the header of a message; cannot ask whether it was done: …"
    "#);
}

#[test]
fn a_server_killed_before_or_after_an_update_is_told_and_loses_nothing() {
    let mut all = String::new();
    for kind in Kind::UPDATED {
        for (name, spot) in [
            ("before", Spot::request(Exchange::Update)),
            ("after", Spot::answer(Exchange::Update, 1)),
        ] {
            let Some(mut server) = server(kind) else {
                return;
            };
            let proxy = Proxy::before(server.address());
            let janitor = janitor(&[proxy.address()], server.key());
            let janitor = deployment(janitor.settings("timeout = 0.5\n[dns.update]\nsettle = 1"));
            proxy.once(spot, Fault::instead(server.killer()));
            let run = janitor.run();
            assert_eq!(run.exit_code(), 1, "{kind:?}, {name}: {}", run.stderr());
            all += &format!("{kind:?}, killed {name}: {}", told(&run));
            server.start_again();
            let again = janitor.run();
            assert_eq!(again.exit_code(), 0, "{kind:?}, {name}: {}", again.stderr());
            assert_eq!(server.lines(APEX), AFTER, "{kind:?}, {name}");
        }
    }
    insta::assert_snapshot!(all, @r#"
    Knot, killed before: exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    Knot, killed after: exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    Bind, killed before: exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    Bind, killed after: exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    PowerDns, killed before: exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    PowerDns, killed after: exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered; cannot ask whether it was done: …"
    "#);
}

#[test]
fn a_serial_that_moves_after_the_plan_refuses_the_zone() {
    let mut all = String::new();
    for kind in Kind::UPDATED {
        let Some(server) = server(kind) else { return };
        let proxy = Proxy::before(server.address());
        let janitor = deployment(janitor(&[proxy.address()], server.key()));
        let elsewhere = server.by_hand(APEX, "update add elsewhere.example.com 60 A 192.0.2.7");
        proxy.once(Spot::request(Exchange::Update), Fault::first(elsewhere));
        let run = janitor.run();
        assert_eq!(run.exit_code(), 1, "{kind:?}: {}", run.stderr());
        all += &format!("{kind:?}: {}", told(&run));
        let mut served = BEFORE.map(str::to_owned).to_vec();
        served.insert(1, "elsewhere.example.com. 60 A 192.0.2.7".to_owned());
        assert_eq!(server.lines(APEX), served, "{kind:?}");
    }
    insta::assert_snapshot!(all, @r#"
    Knot: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=5 unknown=0 reason="the zone has serial 2 by now, and the changes were planned from serial 1; run again, or set `if_moved = \"compare\"` to let each RRset decide for itself"
    Bind: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=5 unknown=0 reason="the zone has serial 2 by now, and the changes were planned from serial 1; run again, or set `if_moved = \"compare\"` to let each RRset decide for itself"
    PowerDns: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=5 unknown=0 reason="the zone has serial 2 by now, and the changes were planned from serial 1; run again, or set `if_moved = \"compare\"` to let each RRset decide for itself"
    "#);
}

#[test]
fn where_conditions_decide_only_what_another_writer_touched_is_refused() {
    let mut all = String::new();
    for kind in Kind::UPDATED {
        let Some(server) = server(kind) else { return };
        let proxy = Proxy::before(server.address());
        let janitor = janitor(&[proxy.address()], server.key());
        let janitor = deployment(janitor.settings("[dns.update]\nif_moved = 'compare'"));
        let writer = "update add www.example.com 300 A 192.0.2.77\nupdate add elsewhere.example.com 60 A 192.0.2.7";
        let writer = server.by_hand(APEX, writer);
        proxy.once(Spot::request(Exchange::Update), Fault::first(writer));
        let run = janitor.run();
        assert_eq!(run.exit_code(), 1, "{kind:?}: {}", run.stderr());
        all += &format!("{kind:?}: {}", told(&run));
        let served = [
            "alias.example.com. 300 A 192.0.2.4",
            "elsewhere.example.com. 60 A 192.0.2.7",
            "new.example.com. 300 TXT \"to be added\"",
            "stays.example.com. 300 A 192.0.2.9",
            "www.example.com. 300 A 192.0.2.1",
            "www.example.com. 300 A 192.0.2.2",
            "www.example.com. 300 A 192.0.2.77",
        ];
        assert_eq!(server.lines(APEX), served, "{kind:?}");
    }
    insta::assert_snapshot!(all, @r#"
    Knot: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="A of `www.example.com.`: what the plan replaces is not served as it was planned from (NXRRSET)"
    Bind: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="A of `www.example.com.`: what the plan replaces is not served as it was planned from (NXRRSET)"
    PowerDns: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="A of `www.example.com.`: what the plan replaces is not served as it was planned from (NXRRSET)"
    "#);
}

#[test]
fn a_stored_plan_is_refused_when_the_serial_moved_and_applied_when_not() {
    for kind in Kind::UPDATED {
        let Some(server) = server(kind) else { continue };
        let janitor = deployment(janitor_for(&server));
        let plan = janitor.path("stored").display().to_string();
        assert_eq!(janitor.plan(&["--out", &plan]).exit_code(), 0);
        server.update(APEX, "update add elsewhere.example.com 60 A 192.0.2.7");
        let refused = janitor.command(&["apply", &plan]);
        assert_eq!(refused.exit_code(), 1, "{kind:?}: {}", refused.stderr());
        assert_eq!(server.lines(APEX).len(), BEFORE.len() + 1, "{kind:?}");
        let plan = janitor.path("anew").display().to_string();
        assert_eq!(janitor.plan(&["--out", &plan]).exit_code(), 0);
        let applied = janitor.command(&["apply", &plan]);
        assert_eq!(applied.exit_code(), 0, "{kind:?}: {}", applied.stderr());
        assert_eq!(server.lines(APEX), AFTER, "{kind:?}");
    }
}

#[test]
fn servers_that_take_no_updates_say_so_in_their_own_way() {
    let mut all = String::new();
    for kind in Kind::ALL {
        let options = Options {
            update: Access::Nobody,
            ..Options::default()
        };
        let zones = [(APEX, format!("{HEAD}{SERVED}"))];
        let Some(server) = NameServer::start(kind, &zones, &options) else {
            return;
        };
        let janitor = deployment(janitor_for(&server));
        let run = janitor.run();
        assert_eq!(run.exit_code(), 1, "{kind:?}: {}", run.stderr());
        assert_eq!(server.lines(APEX), BEFORE, "{kind:?}");
        all += &format!("{kind:?}: {}", told(&run));
    }
    insta::assert_snapshot!(all, @r#"
    Knot: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=5 unknown=0 reason="`127.0.0.1:<n>`: the server does not know the key `janitor-test`; name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    Bind: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=5 unknown=0 reason="CNAME, A of `alias.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED); TXT of `new.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED); A of `www.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED); TXT of `old.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)"
    Nsd: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=5 unknown=0 reason="`127.0.0.1:<n>`: the answer is not signed (NOTIMP), the request was; if it is the server's own, the server takes no updates; name the zone's primary first in `servers` (NOTIMP); the serial is still 1, so it was not done"
    PowerDns: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=5 unknown=0 reason="CNAME, A of `alias.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED); TXT of `new.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED); A of `www.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED); TXT of `old.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)"
    "#);
}

/// A primary, and a secondary that asks it when somebody tells it to.
fn pair() -> Option<(NameServer, NameServer)> {
    let primary = server(Kind::Knot)?;
    let options = Options {
        primary: Some(primary.address()),
        ..Options::default()
    };
    let secondary = NameServer::start(Kind::Bind, &[(APEX, "")], &options)?;
    Some((primary, secondary))
}

#[test]
fn a_secondary_that_is_late_makes_changes_accepted_and_not_applied() {
    let Some((primary, secondary)) = pair() else {
        return;
    };
    let servers = [primary.address(), secondary.address()];
    let janitor = janitor(&servers, primary.key()).settings("[dns.update]\nsettle = 1");
    let janitor = deployment(janitor);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(primary.lines(APEX), AFTER);
    assert_eq!(secondary.lines(APEX), BEFORE);
    insta::assert_snapshot!(told(&run), @r#"
    exit code 0
    WARNING: changes are not served everywhere yet zone=example.com. changes=5 reason="`127.0.0.1:<n>`: it serves the serial 1, the primary 2" plugin=dns.update
    "#);
    let history = janitor.command(&["history", "1"]);
    insta::assert_snapshot!(steady(&outcomes(&history)), @"dns.update: 5 accepted");
}

#[test]
fn a_secondary_that_follows_in_time_makes_changes_applied() {
    let Some((primary, secondary)) = pair() else {
        return;
    };
    let proxy = Proxy::before(secondary.address());
    let servers = [primary.address(), proxy.address()];
    let janitor = deployment(janitor(&servers, primary.key()));
    // Asked for its serial, it hears that there is another one.
    let notify = secondary.notifier(APEX);
    proxy.always(Spot::request(Exchange::Soa), Fault::first(notify));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(secondary.lines(APEX), AFTER);
    let history = janitor.command(&["history", "1"]);
    insta::assert_snapshot!(steady(&outcomes(&history)), @"dns.update: 5 applied");
}

#[test]
fn a_primary_that_is_down_during_the_read_back_leaves_changes_accepted() {
    let Some(server) = server(Kind::Bind) else {
        return;
    };
    let proxy = Proxy::before(server.address());
    let janitor = janitor(&[proxy.address()], server.key());
    let janitor = deployment(janitor.settings("timeout = 0.5\n[dns.update]\nsettle = 1"));
    // The answer is on its way already.
    proxy.once(
        Spot::answer(Exchange::Update, 1),
        Fault::first(server.killer()),
    );
    let run = janitor.run();
    insta::assert_snapshot!(told(&run), @r#"
    exit code 0
    WARNING: changes are not served everywhere yet zone=example.com. changes=5 reason="`127.0.0.1:<n>`: the server closed the connection before it answered" plugin=dns.update
    "#);
    let history = janitor.command(&["history", "1"]);
    insta::assert_snapshot!(steady(&outcomes(&history)), @"dns.update: 5 accepted");
}

/// What the history says of a run's changes.
fn outcomes(history: &Run) -> String {
    let stdout = history.stdout();
    let lines = stdout.lines().filter(|line| line.contains("dns.update: "));
    lines.map(|line| format!("{}\n", line.trim())).collect()
}
