//! What can go wrong while a zone is read: it is left out, with what happened, and stays as it is.

use std::time::Duration;

use super::deployment::{janitor, janitor_for, steady, unsigned};
use crate::janitor::{HEAD, Janitor};
use crate::peers::clock_off;
use crate::peers::name_server::{Access, Key, Kind, NameServer, Options};
use crate::peers::proxy::{Exchange, Fault, Proxy, Spot};

const APEX: &str = "example.com";

/// Records of a zone whose transfer takes several messages.
fn many() -> String {
    let records = (0..3000).map(|n| format!("host-{n} TXT \"{}\"\n", "x".repeat(40)));
    records.collect()
}

/// The desired state: the same, and a name more.
fn desiring_more(janitor: Janitor) -> Janitor {
    janitor.desired(APEX, &format!("{}more A 192.0.2.1", many()))
}

/// The plan's exit code, and why it leaves the zone out.
fn left_out(janitor: &Janitor, told: &str) -> String {
    let plan = janitor.plan(&["--exit-code"]);
    let [reason] = plan.left_out().try_into().unwrap_or_else(|_| {
        panic!(
            "{told}: nothing is left out: {}{}",
            plan.stdout(),
            plan.stderr()
        );
    });
    assert_eq!(plan.exit_code(), 3, "{told}: {}", plan.stderr());
    steady(&reason)
}

fn assert_is_read(janitor: &Janitor, told: &str) {
    let plan = janitor.plan(&["--exit-code"]);
    let said = format!("{}{}", plan.stdout(), plan.stderr());
    assert_eq!(plan.exit_code(), 4, "{told}: {said}");
    assert!(plan.stdout().contains("1 addition"), "{told}: {said}");
}

#[test]
fn whatever_happens_to_a_signed_transfer_leaves_the_zone_out() {
    let text = format!("{HEAD}{}", many());
    let Some(server) = NameServer::of(Kind::Knot, APEX, &text) else {
        return;
    };
    let proxy = Proxy::before(server.address());
    let janitor = desiring_more(janitor(&[proxy.address()], server.key()))
        .settings("timeout = 0.5\n[dns.axfr]\ndeadline = 5");
    let request = Spot::request(Exchange::Axfr);
    let first = Spot::answer(Exchange::Axfr, 1);
    let second = Spot::answer(Exchange::Axfr, 2);
    let flip = |octet: usize, bits: u8| Fault::change(move |message| message[octet] ^= bits);
    let cases = [
        ("hung up on", request, Fault::Cut(0)),
        ("never answered", request, Fault::Stall(0)),
        ("hung up on in the first message", first, Fault::Cut(500)),
        ("hung up on between messages", second, Fault::Cut(0)),
        ("hung up on in a message", second, Fault::Cut(500)),
        ("silence between messages", second, Fault::Stall(0)),
        ("silence in a message", second, Fault::Stall(500)),
        ("a message is lost", second, Fault::Drop),
        ("a message comes twice", second, Fault::Twice),
        ("two messages are swapped", second, Fault::Swap),
        ("a bit of a record is flipped", second, flip(600, 1)),
        ("another ID", second, flip(1, 1)),
        ("another ID at first", first, flip(1, 1)),
        ("a request comes back", first, flip(2, 0x80)),
        ("another opcode", first, flip(2, 0x28)),
        ("marked as truncated", first, flip(2, 2)),
        ("another RCODE than was signed", first, flip(3, 5)),
        ("another question", first, flip(20, 1)),
        (
            "a message is shortened",
            second,
            Fault::change(|message| message.truncate(600)),
        ),
        (
            "a message without a header",
            second,
            Fault::change(|message| message.truncate(7)),
        ),
        ("an empty message", second, Fault::change(Vec::clear)),
        (
            "a message of zeros",
            second,
            Fault::change(|message| message.fill(0)),
        ),
    ];
    let mut reasons = String::new();
    for (told, spot, fault) in cases {
        proxy.always(spot, fault);
        let reason = left_out(&janitor, told);
        reasons += &format!("{told}: {reason}\n");
        proxy.heal();
    }
    insta::assert_snapshot!(reasons, @r#"
    hung up on: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server closed the connection before it answered"
    never answered: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: no answer within 0.5 s (`timeout`)"
    hung up on in the first message: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server closed the connection in the middle of a message"
    hung up on between messages: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server closed the connection before the answer was complete"
    hung up on in a message: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server closed the connection in the middle of a message"
    silence between messages: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: no further message of the answer within 0.5 s (`timeout`)"
    silence in a message: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: no further message of the answer within 0.5 s (`timeout`)"
    a message is lost: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the signature of the answer is wrong: it was changed on its way, or signed with another secret" hint="the secret of `tsig_key` has to be that of the key at the server"
    a message comes twice: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the signature of the answer is wrong: it was changed on its way, or signed with another secret" hint="the secret of `tsig_key` has to be that of the key at the server"
    two messages are swapped: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the signature of the answer is wrong: it was changed on its way, or signed with another secret" hint="the secret of `tsig_key` has to be that of the key at the server"
    a bit of a record is flipped: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the signature of the answer is wrong: it was changed on its way, or signed with another secret" hint="the secret of `tsig_key` has to be that of the key at the server"
    another ID: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer has the ID <n>, the request had <n>"
    another ID at first: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer has the ID <n>, the request had <n>"
    a request comes back: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server sends a request in place of an answer"
    another opcode: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer has the opcode UPDATE(5), another one than the request"
    marked as truncated: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is truncated, which has no place in TCP"
    another RCODE than was signed: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the signature of the answer is wrong: it was changed on its way, or signed with another secret" hint="the secret of `tsig_key` has to be that of the key at the server"
    another question: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer breaks off within its question"
    a message is shortened: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the signature of the answer is not where RFC 8945 wants it, or makes no sense"
    a message without a header: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer has 7 octets, less than the header of a message"
    an empty message: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer has 0 octets, less than the header of a message"
    a message of zeros: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer has the ID <n>, the request had <n>"
    "#);
    assert_is_read(&janitor, "without a fault");
}

#[test]
fn a_server_that_gives_an_octet_at_a_time_is_left_at_the_deadline() {
    let Some(server) = NameServer::of(Kind::Bind, APEX, &format!("{HEAD}{}", many())) else {
        return;
    };
    let proxy = Proxy::before(server.address());
    let janitor = desiring_more(janitor(&[proxy.address()], server.key()))
        .settings("timeout = 5\n[dns.axfr]\ndeadline = 1");
    let spot = Spot::answer(Exchange::Axfr, 1);
    proxy.always(spot, Fault::Trickle(Duration::from_millis(50)));
    insta::assert_snapshot!(left_out(&janitor, "slow"), @r#"example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: not done within the 1 s for one zone (`deadline`)""#);
}

#[test]
fn a_server_that_is_slow_but_not_too_slow_is_read() {
    let Some(server) = NameServer::of(Kind::Bind, APEX, &format!("{HEAD}{}", many())) else {
        return;
    };
    let proxy = Proxy::before(server.address());
    let janitor = desiring_more(janitor(&[proxy.address()], server.key()));
    let spot = Spot::answer(Exchange::Axfr, 2);
    proxy.always(spot, Fault::Trickle(Duration::ZERO));
    assert_is_read(&janitor, "octet by octet");
}

#[test]
fn a_server_killed_in_mid_transfer_leaves_the_zone_out_and_the_next_one_is_asked() {
    for kind in Kind::ALL {
        let zones = [(APEX, format!("{HEAD}{}", many()))];
        let Some(mut first) = NameServer::start(kind, &zones, &Options::default()) else {
            continue;
        };
        let Some(second) = NameServer::start(Kind::Knot, &zones, &Options::default()) else {
            return;
        };
        let proxy = Proxy::before(first.address());
        let spot = Spot::answer(Exchange::Axfr, 2);
        // What the server had sent already would arrive; what a dead machine had, would not.
        proxy.always(spot, Fault::instead(first.killer()));
        let alone = desiring_more(janitor(&[proxy.address()], first.key()));
        let reason = left_out(&alone, &format!("{kind:?}"));
        assert!(
            reason.contains("closed the connection") || reason.contains("broke"),
            "{kind:?}: {reason}"
        );
        first.start_again();
        let both = desiring_more(janitor(&[proxy.address(), second.address()], first.key()));
        assert_is_read(&both, &format!("{kind:?}"));
    }
}

#[test]
fn keys_that_a_server_does_not_accept_are_told_apart() {
    let mut reasons = String::new();
    for kind in Kind::ALL {
        let Some(server) = NameServer::of(kind, APEX, &format!("{HEAD}www A 192.0.2.1\n")) else {
            return;
        };
        let right = server.key().clone();
        let keys = [
            (
                "wrong secret",
                Key {
                    secret: right.secret.replace("MDEy", "MDEx"),
                    ..right.clone()
                },
            ),
            (
                "unknown key",
                Key {
                    name: "stranger".to_owned(),
                    ..right.clone()
                },
            ),
            (
                "other algorithm",
                Key {
                    algorithm: "hmac-sha512".to_owned(),
                    ..right.clone()
                },
            ),
        ];
        for (told, key) in keys {
            let janitor = desiring_more(janitor(&[server.address()], &key));
            let reason = left_out(&janitor, told);
            reasons += &format!("{kind:?}, {told}: {reason}\n");
        }
        let without = desiring_more(unsigned(&[server.address()]));
        reasons += &format!("{kind:?}, no key: {}\n", left_out(&without, "no key"));
    }
    insta::assert_snapshot!(reasons, @r#"
    Knot, wrong secret: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server finds our signature with the key `janitor-test` wrong" hint="the secret of `tsig_key` has to be that of the key at the server"
    Knot, unknown key: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server does not know the key `stranger`" hint="name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    Knot, other algorithm: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server does not know the key `janitor-test`" hint="name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    Knot, no key: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers NOTAUTH" hint="the server does not serve this zone, or only in another view; Knot and PowerDNS also say so where they do not allow this to the key, or to the address of this machine"
    Bind, wrong secret: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server finds our signature with the key `janitor-test` wrong" hint="the secret of `tsig_key` has to be that of the key at the server"
    Bind, unknown key: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server does not know the key `stranger`" hint="name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    Bind, other algorithm: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server does not know the key `janitor-test`" hint="name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    Bind, no key: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers REFUSED" hint="the server has to allow this to the key, or to the address of this machine: BIND `allow-transfer` and `allow-update`, Knot `acl`, NSD `provide-xfr`, PowerDNS `allow-axfr-ips`, `TSIG-ALLOW-AXFR` and `TSIG-ALLOW-DNSUPDATE`"
    Nsd, wrong secret: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server finds our signature with the key `janitor-test` wrong" hint="the secret of `tsig_key` has to be that of the key at the server"
    Nsd, unknown key: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server does not know the key `stranger`" hint="name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    Nsd, other algorithm: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers REFUSED" hint="the server has to allow this to the key, or to the address of this machine: BIND `allow-transfer` and `allow-update`, Knot `acl`, NSD `provide-xfr`, PowerDNS `allow-axfr-ips`, `TSIG-ALLOW-AXFR` and `TSIG-ALLOW-DNSUPDATE`"
    Nsd, no key: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers REFUSED" hint="the server has to allow this to the key, or to the address of this machine: BIND `allow-transfer` and `allow-update`, Knot `acl`, NSD `provide-xfr`, PowerDNS `allow-axfr-ips`, `TSIG-ALLOW-AXFR` and `TSIG-ALLOW-DNSUPDATE`"
    PowerDns, wrong secret: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is not signed (NOTAUTH), the request was" hint="the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    PowerDns, unknown key: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is not signed (NOTAUTH), the request was" hint="the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    PowerDns, other algorithm: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is not signed (NOTAUTH), the request was" hint="the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    PowerDns, no key: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers NOTAUTH" hint="the server does not serve this zone, or only in another view; Knot and PowerDNS also say so where they do not allow this to the key, or to the address of this machine"
    "#);
}

#[test]
fn a_clock_that_is_off_by_more_than_the_fudge_leaves_the_zone_out() {
    let mut reasons = String::new();
    for kind in Kind::ALL {
        for by in ["-1h", "+1h"] {
            let Some(server) = NameServer::of(kind, APEX, &format!("{HEAD}www A 192.0.2.1\n"))
            else {
                return;
            };
            let Some(clock) = clock_off(by) else {
                return;
            };
            let mut janitor = desiring_more(janitor_for(&server));
            for (name, value) in clock {
                janitor = janitor.environment(&name, &value);
            }
            let reason = left_out(&janitor, by);
            reasons += &format!("{kind:?}, {by}: {reason}\n");
        }
    }
    insta::assert_snapshot!(reasons, @r#"
    Knot, -1h: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server refuses the time of our signature: its clock reads <n>, ours <n>; it is <n> s ahead" hint="set the clocks of both machines; signatures hold for five minutes"
    Knot, +1h: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server refuses the time of our signature: its clock reads <n>, ours <n>; it is <n> s behind" hint="set the clocks of both machines; signatures hold for five minutes"
    Bind, -1h: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server refuses the time of our signature: its clock reads <n>, ours <n>; it is <n> s ahead" hint="set the clocks of both machines; signatures hold for five minutes"
    Bind, +1h: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server refuses the time of our signature: its clock reads <n>, ours <n>; it is <n> s behind" hint="set the clocks of both machines; signatures hold for five minutes"
    Nsd, -1h: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server refuses the time of our signature: its clock reads <n>, ours <n>; it is <n> s ahead" hint="set the clocks of both machines; signatures hold for five minutes"
    Nsd, +1h: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server refuses the time of our signature: its clock reads <n>, ours <n>; it is <n> s behind" hint="set the clocks of both machines; signatures hold for five minutes"
    PowerDns, -1h: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is not signed (NOTAUTH), the request was" hint="the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    PowerDns, +1h: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is not signed (NOTAUTH), the request was" hint="the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    "#);
}

#[test]
fn a_server_that_refuses_or_has_no_such_zone_leaves_it_out() {
    let mut reasons = String::new();
    for kind in Kind::ALL {
        let options = Options {
            transfer: Access::Nobody,
            ..Options::default()
        };
        let zones = [(APEX, format!("{HEAD}www A 192.0.2.1\n"))];
        let Some(server) = NameServer::start(kind, &zones, &options) else {
            return;
        };
        let refused = left_out(&desiring_more(janitor_for(&server)), "refused");
        let unknown = janitor_for(&server).desired("example.net", "www A 192.0.2.1");
        let unknown = left_out(&unknown, "unknown");
        reasons += &format!("{kind:?}, refused: {refused}\n{kind:?}, unknown: {unknown}\n");
    }
    insta::assert_snapshot!(reasons, @r#"
    Knot, refused: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server does not know the key `janitor-test`" hint="name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    Knot, unknown: example.net. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is not signed (NOTAUTH), the request was" hint="the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    Bind, refused: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers REFUSED" hint="the server has to allow this to the key, or to the address of this machine: BIND `allow-transfer` and `allow-update`, Knot `acl`, NSD `provide-xfr`, PowerDNS `allow-axfr-ips`, `TSIG-ALLOW-AXFR` and `TSIG-ALLOW-DNSUPDATE`"
    Bind, unknown: example.net. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers NOTAUTH" hint="the server does not serve this zone, or only in another view; Knot and PowerDNS also say so where they do not allow this to the key, or to the address of this machine"
    Nsd, refused: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers REFUSED" hint="the server has to allow this to the key, or to the address of this machine: BIND `allow-transfer` and `allow-update`, Knot `acl`, NSD `provide-xfr`, PowerDNS `allow-axfr-ips`, `TSIG-ALLOW-AXFR` and `TSIG-ALLOW-DNSUPDATE`"
    Nsd, unknown: example.net. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the server answers NOTAUTH" hint="the server does not serve this zone, or only in another view; Knot and PowerDNS also say so where they do not allow this to the key, or to the address of this machine"
    PowerDns, refused: example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is not signed (NOTAUTH), the request was" hint="the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    PowerDns, unknown: example.net. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n>: the answer is not signed (NOTAUTH), the request was" hint="the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    "#);
}
