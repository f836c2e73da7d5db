use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::{Class, Rcode};
use domain::base::{Message, MessageBuilder, Rtype};
use domain::rdata::tsig::Time48;
use domain::tsig::ServerSequence;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use janitor_plugin_api::dns::Name;
use janitor_plugin_api::in_one_line;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::fault::Fault;
use crate::key::{Key, KeyAlgorithm};
use crate::message::{Request, wire_name};
use crate::server::Server;

const ENOUGH: Duration = Duration::from_secs(30);

fn apex() -> Name {
    "example.com".parse().unwrap()
}

fn key(secret: &[u8]) -> Key {
    Key::new(
        &"janitor".parse().unwrap(),
        KeyAlgorithm::HmacSha256,
        secret,
    )
}

/// Runs `client` against a listener whose connections `serve` gets one after the other.
fn with_server<S, SF, C, CF, T>(serve: S, client: C) -> T
where
    S: FnOnce(TcpListener) -> SF,
    SF: Future<Output = ()>,
    C: FnOnce(SocketAddr) -> CF,
    CF: Future<Output = T>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (serve, client) = (serve(listener), client(address));
        tokio::pin!(serve, client);
        tokio::select! {
            result = &mut client => result,
            () = &mut serve => client.await,
        }
    })
}

/// Reads one request from a connection.
async fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let length = stream.read_u16().await.ok()?;
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}

/// An answer without records.
fn answer(request: &[u8]) -> Vec<u8> {
    let request = Message::from_octets(request).unwrap();
    let answer = MessageBuilder::new_vec().start_answer(&request, Rcode::NOERROR);
    answer.unwrap().finish()
}

async fn send(stream: &mut TcpStream, message: &[u8]) {
    stream
        .write_u16(message.len().try_into().unwrap())
        .await
        .unwrap();
    stream.write_all(message).await.unwrap();
}

/// Asks for the SOA once.
async fn ask(server: &Arc<Server>) -> Result<Vec<u8>, Fault> {
    let mut connection = server.connection().await?;
    let mut exchange = connection.ask(Request::Soa(apex())).await?;
    let answer = exchange.next().await?.octets().to_owned();
    exchange.done()?;
    Ok(answer)
}

#[test]
fn an_exchange_gives_its_connection_to_the_next_one() {
    let serve = async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        while let Some(request) = request(&mut stream).await {
            send(&mut stream, &answer(&request)).await;
        }
    };
    with_server(serve, async |address| {
        let server = Server::at(address, None, ENOUGH);
        for _ in 0..3 {
            let answer = ask(&server).await.unwrap();
            assert_eq!(answer.len(), 12 + 13 + 4);
        }
    });
}

#[test]
fn a_signed_answer_in_several_messages_comes_without_its_signatures() {
    let serve = async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut octets = request(&mut stream).await.unwrap();
        let mut request = Message::from_octets(octets.as_mut_slice().to_vec()).unwrap();
        let key = key(b"secret");
        let mut sequence = ServerSequence::request(&key, &mut request, Time48::now())
            .unwrap()
            .unwrap();
        for _ in 0..250 {
            let answer = MessageBuilder::new_vec();
            let mut answer = answer
                .start_answer(&request, Rcode::NOERROR)
                .unwrap()
                .additional();
            let txt = domain::base::rdata::UnknownRecordData::from_octets(Rtype::TXT, b"\x01x");
            let apex = apex();
            let owner = wire_name(apex.as_ref());
            answer.push((owner, Class::IN, 0, txt.unwrap())).unwrap();
            sequence.answer(&mut answer, Time48::now()).unwrap();
            send(&mut stream, &answer.finish()).await;
        }
    };
    with_server(serve, async |address| {
        let server = Server::at(address, Some(key(b"secret")), ENOUGH);
        let mut connection = server.connection().await.unwrap();
        let mut exchange = connection.ask(Request::Axfr(apex())).await.unwrap();
        for _ in 0..250 {
            let answer = exchange.next().await.unwrap();
            let counts = answer.message().header_counts();
            assert_eq!(
                (counts.arcount(), answer.octets().len()),
                (1, 12 + 17 + 13 + 10 + 2)
            );
        }
        exchange.done().unwrap();
    });
}

/// The fault that comes of asking a server that answers with `octets` and then closes the connection.
fn fault_of(octets: Vec<u8>) -> String {
    let serve = async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await.unwrap();
        stream.write_all(&octets).await.unwrap();
        stream.shutdown().await.unwrap();
        // Until the client is gone, or what was sent could be lost with a reset.
        let _end = stream.read(&mut [0]).await;
    };
    with_server(serve, async |address| {
        let server = Server::at(address, None, ENOUGH);
        in_one_line(&ask(&server).await.unwrap_err())
    })
}

#[test]
fn whatever_comes_in_place_of_an_answer_is_told() {
    for (octets, fault) in [
        (
            &b""[..],
            "the server closed the connection before it answered",
        ),
        (
            b"\0",
            "the server closed the connection in the middle of a message",
        ),
        (
            b"\0\x0c\0",
            "the server closed the connection in the middle of a message",
        ),
        (
            b"\0\0",
            "the answer has 0 octets, less than the header of a message",
        ),
        (
            b"\0\x0b",
            "the answer has 11 octets, less than the header of a message",
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "the server closed the connection in the middle of a message",
        ),
        (b"\x15\x03\x03\0\x02\x02\x46", "the server speaks TLS there"),
    ] {
        assert_eq!(fault_of(octets.to_vec()), fault, "{octets:?}");
    }
}

#[test]
fn a_server_that_is_silent_is_given_up_after_the_timeout() {
    let serve = async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = request(&mut stream).await.unwrap();
        send(&mut stream, &answer(&request)).await;
        stream.write_all(b"\0").await.unwrap();
        std::future::pending::<()>().await;
    };
    let fault = with_server(serve, async |address| {
        let server = Server::at(address, None, Duration::from_millis(100));
        let mut connection = server.connection().await.unwrap();
        let mut exchange = connection.ask(Request::Axfr(apex())).await.unwrap();
        exchange.next().await.unwrap();
        exchange.next().await.map(|_| ()).unwrap_err()
    });
    assert_eq!(
        in_one_line(&fault),
        "no further message of the answer within 0.1 s (`timeout`)"
    );
    assert!(fault.may_have_been_done() && fault.is_worth_repeating());
}

#[test]
fn a_server_that_nobody_listens_at_is_told_with_its_address() {
    let fault = with_server(
        async |listener| drop(listener),
        async |address| {
            // The listener is gone by then.
            tokio::task::yield_now().await;
            let fault = ask(&Server::at(address, None, ENOUGH)).await.unwrap_err();
            assert!(!fault.may_have_been_done());
            in_one_line(&fault).replace(&address.to_string(), "ADDRESS")
        },
    );
    assert_eq!(
        fault,
        "cannot connect to ADDRESS: Connection refused (os error 111)"
    );
}

/// A server that closes every connection after one answer, having been asked for the second one or not.
async fn one_answer_each(
    listener: TcpListener,
    waits_for_second: bool,
    mut asked: impl FnMut(&[u8]),
) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let first = request(&mut stream).await.unwrap();
        asked(&first);
        send(&mut stream, &answer(&first)).await;
        if waits_for_second && let Some(second) = request(&mut stream).await {
            asked(&second);
        }
    }
}

#[test]
fn a_question_on_a_connection_that_was_closed_meanwhile_is_asked_again() {
    for waits in [false, true] {
        let count = std::cell::Cell::new(0);
        with_server(
            async |listener| one_answer_each(listener, waits, |_| count.set(count.get() + 1)).await,
            async |address| {
                let server = Server::at(address, None, ENOUGH);
                for _ in 0..3 {
                    ask(&server).await.unwrap();
                }
            },
        );
        assert_eq!(count.get(), if waits { 5 } else { 3 });
    }
}

#[test]
fn an_update_is_never_sent_twice_by_itself() {
    let updates = std::cell::Cell::new(0);
    let is_update = |request: &[u8]| request[2] >> 3 == 5;
    let count = |request: &[u8]| updates.set(updates.get() + u8::from(is_update(request)));
    let fault = with_server(
        async |listener| one_answer_each(listener, true, count).await,
        async |address| {
            let server = Server::at(address, None, ENOUGH);
            ask(&server).await.unwrap();
            let mut update = MessageBuilder::new_vec();
            update
                .header_mut()
                .set_opcode(domain::base::iana::Opcode::UPDATE);
            let mut update = update.question();
            let apex = apex();
            update
                .push((wire_name(apex.as_ref()), Rtype::SOA, Class::IN))
                .unwrap();
            let mut connection = server.connection().await.unwrap();
            let update = Request::Update(update.additional());
            let mut exchange = connection.ask(update).await.unwrap();
            exchange.next().await.map(|_| ()).unwrap_err()
        },
    );
    assert_eq!(updates.get(), 1);
    assert!(fault.may_have_been_done(), "{fault}");
}

#[test]
fn an_exchange_that_was_left_costs_its_connection() {
    let serve = async |listener: TcpListener| {
        let mut streams = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = request(&mut stream).await.unwrap();
            let answer = answer(&request);
            send(&mut stream, &answer).await;
            send(&mut stream, &answer).await;
            streams.push(stream);
        }
    };
    with_server(serve, async |address| {
        let server = Server::at(address, None, ENOUGH);
        let mut connection = server.connection().await.unwrap();
        let mut exchange = connection.ask(Request::Axfr(apex())).await.unwrap();
        exchange.next().await.unwrap();
        // Neither the second message nor its connection is of use to the next exchange.
        let mut exchange = connection.ask(Request::Soa(apex())).await.unwrap();
        exchange.next().await.unwrap();
        exchange.done().unwrap();
    });
}

#[test]
fn no_more_connections_are_open_to_a_server_than_it_permits() {
    let open = std::cell::Cell::new((0_u32, 0_u32));
    let serve = async |listener: TcpListener| {
        let mut all = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (mut stream, _) = accepted.unwrap();
                    let (now, most) = open.get();
                    open.set((now + 1, most.max(now + 1)));
                    all.push(async {
                        while let Some(request) = request(&mut stream).await {
                            tokio::task::yield_now().await;
                            send(&mut stream, &answer(&request)).await;
                        }
                        let (now, most) = open.get();
                        open.set((now - 1, most));
                        drop(stream);
                    });
                }
                Some(()) = all.next() => {}
            }
        }
    };
    with_server(serve, async |address| {
        let server = Server::at(address, None, ENOUGH);
        let asked = (0..40).map(|_| ask(&server));
        let answers = futures_util::future::join_all(asked).await;
        assert!(answers.iter().all(Result::is_ok));
    });
    assert_eq!(open.get().1, 4);
}

/// Questions for three types at once, on a server that answers the requests that `order` says.
fn several(order: &'static [usize]) -> (Vec<(usize, u8)>, Option<String>) {
    let serve = async |listener: TcpListener| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut requests = Vec::new();
        for _ in 0..3 {
            requests.push(request(&mut stream).await.unwrap());
        }
        for number in order {
            send(&mut stream, &answer(&requests[*number])).await;
        }
    };
    with_server(serve, async |address| {
        let server = Server::at(address, None, ENOUGH);
        let mut connection = server.connection().await.unwrap();
        let rtype = |number| janitor_plugin_api::dns::Rtype(number);
        let requests = [1, 2, 3].map(|number| Request::Query {
            owner: apex(),
            rtype: rtype(number),
        });
        let mut answers = connection.ask_several(&requests).await.unwrap();
        let mut found = Vec::new();
        loop {
            match answers.next().await {
                Ok(Some((number, answer))) => found.push((number, answer.octets()[26])),
                Ok(None) => return (found, None),
                Err(fault) => return (found, Some(in_one_line(&fault))),
            }
        }
    })
}

#[test]
fn answers_to_several_questions_are_told_apart_in_any_order() {
    assert_eq!(several(&[2, 0, 1]), (vec![(2, 3), (0, 1), (1, 2)], None));
    let closed = "the server closed the connection before it answered".to_owned();
    assert_eq!(several(&[2, 0]), (vec![(2, 3), (0, 1)], Some(closed)));
    let (found, fault) = several(&[2, 2, 0]);
    assert_eq!(found, [(2, 3)]);
    let fault = fault.unwrap();
    assert!(fault.starts_with("the answer has the ID "), "{fault}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However the octets of an answer are cut up on their way, its messages are the same.
    #[test]
    fn messages_do_not_depend_on_how_they_arrive(
        sizes in prop::collection::vec(prop_oneof![29_usize..600, Just(65_535), 20_000_usize..65_535], 1..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let padded = |request: &[u8], size: usize| {
            let mut answer = answer(request);
            answer.resize(size.max(answer.len()), 7);
            answer
        };
        let serve = async |listener: TcpListener| {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = request(&mut stream).await.unwrap();
            let mut octets = Vec::new();
            for &size in &sizes {
                octets.extend(u16::try_from(size.max(29)).unwrap().to_be_bytes());
                octets.extend(padded(&request, size));
            }
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(octets.len())).collect();
            cuts.sort_unstable();
            cuts.push(octets.len());
            let mut from = 0;
            for to in cuts {
                stream.write_all(&octets[from..to]).await.unwrap();
                tokio::task::yield_now().await;
                from = to;
            }
        };
        with_server(serve, async |address| {
            let server = Server::at(address, None, ENOUGH);
            let mut connection = server.connection().await.unwrap();
            let mut exchange = connection.ask(Request::Axfr(apex())).await.unwrap();
            for &size in &sizes {
                let answer = exchange.next().await.unwrap();
                assert_eq!(answer.octets().len(), size.max(29));
                assert!(answer.octets()[29..].iter().all(|octet| *octet == 7));
            }
            exchange.done().unwrap();
        });
    }

    /// Octets of whatever kind end an exchange, and quickly.
    #[test]
    fn no_octets_hang_or_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        fault_of(octets);
    }
}
