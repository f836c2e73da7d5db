use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use domain::base::Message;
use domain::base::iana::Rcode;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use janitor_plugin_api::dns::{
    ActualZone, Changes, LeftAlone, Name, Serial, Ttl, ZoneBuilder, diff,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::sight::tests::answer;
use super::{Question, Seen, read_back};
use crate::server::Server;

const ENOUGH: Duration = Duration::from_secs(30);
/// For what never comes; long enough for everything that does.
const SHORT: Duration = Duration::from_secs(2);

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A zone `example.com` of lines: owner, TTL, type, rdata.
fn zone(lines: &str) -> ZoneBuilder {
    let mut zone = ZoneBuilder::new(name("example.com"));
    for line in lines.lines() {
        let words: Vec<_> = line.trim().splitn(4, ' ').collect();
        let ttl = Ttl::from_secs(words[1].parse().unwrap()).unwrap();
        zone.push_text(words[0], ttl, words[2], words[3]).unwrap();
    }
    zone
}

fn changes(actual: &str, desired: &str) -> Changes {
    let actual: ActualZone = zone(actual).build_actual().unwrap();
    let mut desired = zone(desired);
    desired.set_complete();
    diff(
        &desired.build_desired().unwrap(),
        &actual,
        &LeftAlone::default(),
    )
    .unwrap()
}

/// A server of a test: what it answers to an owner and a type, and how often it was asked for what.
type Answers<'a> = &'a dyn Fn(&str) -> ((bool, Rcode), [String; 2]);

/// Answers the next request of a connection.
async fn answer_once(stream: &mut TcpStream, answers: Answers<'_>) -> io::Result<()> {
    let mut octets = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut octets).await?;
    let request = Message::from_octets(octets).unwrap();
    let question = request.sole_question().unwrap();
    let asked = format!("{} {}", question.qname(), question.qtype());
    let (header, [first, second]) = answers(&asked);
    let reply = answer(&request, header, [first.as_str(), second.as_str()]);
    let mut frame = u16::try_from(reply.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(reply);
    stream.write_all(&frame).await
}

/// Serves on `listener` for ever.
async fn serve(listener: TcpListener, answers: Answers<'_>) {
    let mut streams = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (mut stream, _) = accepted.unwrap();
                streams.push(async move {
                    while answer_once(&mut stream, answers).await.is_ok() {}
                });
            }
            Some(()) = streams.next() => {}
        }
    }
}

/// Reads `changes` back from servers that answer so, the first of which is the primary.
fn seen(changes: &Changes, before: u32, settle: Duration, all: &[Answers<'_>]) -> Vec<Seen> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(async {
        let mut servers = Vec::new();
        let mut serving = FuturesUnordered::new();
        for answers in all {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            servers.push(Server::at(address, None, ENOUGH));
            serving.push(serve(listener, *answers));
        }
        let made: Vec<u32> = (0..).take(changes.len()).collect();
        let apex = name("example.com");
        let question = Question {
            apex: apex.as_ref(),
            primary: &servers[0],
            servers: &servers,
            changes,
            made: &made,
            before: Some(Serial(before)),
        };
        let seen = tokio::select! {
            seen = read_back(question, settle) => seen,
            _ = serving.next() => unreachable!("servers go on"),
        };
        // The ports are chance.
        let plain = |text: String| {
            let shown = |text: String, (number, server): (usize, &Arc<Server>)| {
                text.replace(
                    &format!("`{}`", server.shown()),
                    &format!("`server {number}`"),
                )
            };
            servers.iter().enumerate().fold(text, shown)
        };
        seen.into_iter()
            .map(|seen| match seen {
                Seen::NotYet(text) => Seen::NotYet(plain(text)),
                Seen::NotAtPrimary(text) => Seen::NotAtPrimary(plain(text)),
                seen => seen,
            })
            .collect()
    })
}

const YES: (bool, Rcode) = (true, Rcode::NOERROR);
const REFERRAL: (bool, Rcode) = (false, Rcode::NOERROR);

fn soa(serial: u32) -> String {
    format!("example.com. 60 SOA a. b. {serial} 2 3 4 5")
}

/// Answers from RRs alone, without wildcards or cuts.
fn plain<'a>(serial: u32, rrs: &'a str) -> impl Fn(&str) -> ((bool, Rcode), [String; 2]) + 'a {
    move |asked| {
        if asked == "example.com SOA" {
            return (YES, [soa(serial), String::new()]);
        }
        let (owner, rtype) = asked.split_once(' ').unwrap();
        let fits = |line: &&str| {
            line.starts_with(&format!("{owner}. ")) && line.split(' ').nth(2) == Some(rtype)
        };
        let found: Vec<_> = rrs.lines().map(str::trim).filter(fits).collect();
        match found.is_empty() {
            true => (YES, [String::new(), soa(serial)]),
            false => (YES, [found.join("\n"), String::new()]),
        }
    }
}

const BEFORE: &str = "a.example.com. 300 A 192.0.2.1\nb.example.com. 300 A 192.0.2.2";
const AFTER: &str = "a.example.com. 300 A 192.0.2.9\nc.example.com. 300 TXT \"new\"";

#[test]
fn what_every_server_serves_is_seen() {
    let changes = changes(BEFORE, AFTER);
    let seen = seen(&changes, 1, ENOUGH, &[&plain(2, AFTER), &plain(3, AFTER)]);
    assert_eq!(seen, [const { Seen::Everywhere }; 3]);
}

#[test]
fn a_server_that_lags_is_waited_for() {
    let count = RefCell::new(0);
    let late = |asked: &str| {
        *count.borrow_mut() += u32::from(asked == "example.com SOA");
        match *count.borrow() {
            0..4 => plain(1, BEFORE)(asked),
            _ => plain(2, AFTER)(asked),
        }
    };
    let changes = changes(BEFORE, AFTER);
    let seen = seen(&changes, 1, ENOUGH, &[&plain(2, AFTER), &late]);
    assert_eq!(seen, [const { Seen::Everywhere }; 3]);
    assert_eq!(*count.borrow(), 4);
}

#[test]
fn a_server_that_does_not_follow_is_named_with_its_reason() {
    let changes = changes(BEFORE, AFTER);
    let refuses = |_: &str| ((false, Rcode::REFUSED), [String::new(), String::new()]);
    let half = "a.example.com. 300 A 192.0.2.9\nb.example.com. 300 A 192.0.2.2";
    let servers: [Answers<'_>; 4] = [
        &plain(2, AFTER),
        &plain(1, BEFORE),
        &refuses,
        &plain(2, half),
    ];
    let lags = "`server 1`: it serves the serial 1, the primary 2; `server 2`: it answers REFUSED";
    let shown: Vec<_> = changes
        .iter()
        .map(|change| change.owner().to_string())
        .collect();
    assert_eq!(
        shown,
        ["a.example.com.", "c.example.com.", "b.example.com."]
    );
    assert_eq!(
        seen(&changes, 1, SHORT, &servers),
        [
            Seen::NotYet(lags.to_owned()),
            Seen::NotYet(format!("{lags}; `server 3`: it does not serve the RRset")),
            Seen::NotYet(format!("{lags}; `server 3`: it serves another RRset")),
        ]
    );
}

#[test]
fn a_server_that_answers_nothing_but_errors_is_not_asked_until_the_end() {
    let changes = changes(BEFORE, AFTER);
    let count = RefCell::new(0);
    let fails = |asked: &str| match asked {
        "example.com SOA" => (YES, [soa(2), String::new()]),
        _ => {
            *count.borrow_mut() += 1;
            ((false, Rcode::SERVFAIL), [String::new(), String::new()])
        }
    };
    let seen = seen(&changes, 1, ENOUGH, &[&fails]);
    let fails = Seen::NotYet("`server 0`: it answers SERVFAIL".to_owned());
    assert_eq!(seen, [fails.clone(), fails.clone(), fails]);
    assert_eq!(*count.borrow(), 5 * changes.len());
}

#[test]
fn a_wildcard_does_not_keep_what_is_gone_alive() {
    let wildcard = "*.example.com. 300 A 192.0.2.7";
    let with_wildcard = format!("{wildcard}\na.b.example.com. 300 A 192.0.2.1");
    let changes = changes(&with_wildcard, wildcard);
    let serves = |serial, rrs: &'static str| {
        move |asked: &str| match asked {
            "a.b.example.com A" => (YES, [rrs.to_owned(), String::new()]),
            asked => plain(serial, wildcard)(asked),
        }
    };
    let made_up = "a.b.example.com. 300 A 192.0.2.7";
    assert_eq!(
        seen(&changes, 1, ENOUGH, &[&serves(2, made_up)]),
        [Seen::Everywhere]
    );
    // The same answer, and a primary that did not raise its serial.
    assert_eq!(
        seen(&changes, 1, ENOUGH, &[&serves(1, made_up)]),
        [Seen::CannotTell]
    );
    let kept = "a.b.example.com. 300 A 192.0.2.1";
    let still = Seen::NotAtPrimary("`server 0`: it serves another RRset".to_owned());
    assert_eq!(seen(&changes, 1, SHORT, &[&serves(2, kept)]), [still]);
}

#[test]
fn another_zone_of_the_server_does_not_speak_for_its_parent() {
    let before = "sub.example.com. 300 NS ns.sub.example.com.\nns.sub.example.com. 300 A 192.0.2.1";
    let after = "sub.example.com. 300 NS ns.sub.example.com.\nns.sub.example.com. 300 A 192.0.2.2";
    let changes = changes(before, after);
    let child = |serial| {
        move |asked: &str| match asked {
            "ns.sub.example.com A" => (
                YES,
                ["ns.sub.example.com. 60 A 192.0.2.8".into(), "".into()],
            ),
            "sub.example.com NS" => (
                YES,
                [
                    "sub.example.com. 60 NS ns.sub.example.com.".into(),
                    "".into(),
                ],
            ),
            asked => plain(serial, "")(asked),
        }
    };
    assert_eq!(seen(&changes, 1, ENOUGH, &[&child(2)]), [Seen::Everywhere]);
    assert_eq!(seen(&changes, 1, ENOUGH, &[&child(1)]), [Seen::CannotTell]);
    let referral = |asked: &str| match asked {
        "example.com SOA" => (YES, [soa(2), String::new()]),
        _ => (
            REFERRAL,
            [
                String::new(),
                "sub.example.com. 300 NS ns.sub.example.com.".into(),
            ],
        ),
    };
    assert_eq!(seen(&changes, 1, ENOUGH, &[&referral]), [Seen::Everywhere]);
}

#[test]
fn thousands_of_changes_are_asked_for_in_a_few_messages_each_way() {
    let rrs = |last: u8| -> String {
        let rr = |number| format!("n{number}.example.com. 300 A 192.0.2.{last}");
        (0..3000).map(rr).collect::<Vec<_>>().join("\n")
    };
    let changes = changes(&rrs(1), &rrs(2));
    let of_any = |asked: &str| match asked.split_once(' ') {
        Some((owner, "A")) => (YES, [format!("{owner}. 300 A 192.0.2.2"), String::new()]),
        _ => (YES, [soa(2), String::new()]),
    };
    let seen = seen(&changes, 1, ENOUGH, &[&of_any]);
    assert_eq!(seen, vec![Seen::Everywhere; 3000]);
}

#[test]
fn a_server_that_closes_the_connection_after_each_answer_is_asked_one_by_one() {
    let changes = changes(BEFORE, AFTER);
    let answers = plain(2, AFTER);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let servers = [Server::at(listener.local_addr().unwrap(), None, ENOUGH)];
        let serving = async {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                // Requests behind the first one make closing a reset, which must do no harm either.
                let _gone = answer_once(&mut stream, &answers).await;
            }
        };
        let apex = name("example.com");
        let question = Question {
            apex: apex.as_ref(),
            primary: &servers[0],
            servers: &servers,
            changes: &changes,
            made: &[0, 1, 2],
            before: Some(Serial(1)),
        };
        let seen = tokio::select! {
            seen = read_back(question, ENOUGH) => seen,
            () = serving => unreachable!("servers go on"),
        };
        assert_eq!(seen, [const { Seen::Everywhere }; 3]);
    });
}
