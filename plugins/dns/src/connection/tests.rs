use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::{Class, Rcode};
use domain::base::{Message, MessageBuilder, Rtype};
use domain::rdata::tsig::Time48;
use domain::tsig::ServerSequence;
use janitor_plugin_api::dns::Name;
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
