//! What lies between the program and the emulator: it passes octets on until it has seen enough.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A relay before a server.
pub(super) struct Relay(SocketAddr);

/// How often the text was seen, and the act for when that is enough.
struct Watch {
    text: &'static [u8],
    left: usize,
    act: Box<dyn Fn() + Send + Sync>,
}

impl Relay {
    /// Passes everything on to the server at `host`, and acts once `text` has come `times` times from the
    /// program; what came with the last one is not passed on, and nothing after it.
    ///
    /// The text is the beginning of a request, which comes in one piece.
    pub(super) fn before(
        host: &str,
        text: &'static [u8],
        times: usize,
        act: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
        let address = listener.local_addr().expect("it has an address");
        let host = host.to_owned();
        let watch = Arc::new(Mutex::new(Watch {
            text,
            left: times,
            act: Box::new(act),
        }));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let watch = Arc::clone(&watch);
                // A server that is gone is one that hangs up.
                if let Ok(server) = TcpStream::connect(&host) {
                    relay(client, server, watch);
                }
            }
        });
        Self(address)
    }

    pub(super) fn host(&self) -> String {
        self.0.to_string()
    }
}

fn relay(client: TcpStream, server: TcpStream, watch: Arc<Mutex<Watch>>) {
    let clone = |stream: &TcpStream| stream.try_clone().expect("a socket can be cloned");
    let (back_from, back_to) = (clone(&server), clone(&client));
    thread::spawn(move || pass(client, server, |octets| watch.passes(octets)));
    thread::spawn(move || pass(back_from, back_to, |_| true));
}

trait Passes {
    fn passes(&self, octets: &[u8]) -> bool;
}

impl Passes for Mutex<Watch> {
    fn passes(&self, octets: &[u8]) -> bool {
        let mut watch = self.lock().unwrap_or_else(PoisonError::into_inner);
        if octets.starts_with(watch.text) {
            watch.left = watch.left.saturating_sub(1);
            if watch.left == 0 {
                (watch.act)();
            }
        }
        watch.left > 0
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, may_pass: impl Fn(&[u8]) -> bool) {
    let mut room = vec![0; 1 << 16];
    while let Ok(octets @ 1..) = from.read(&mut room) {
        if !may_pass(&room[..octets]) || to.write_all(&room[..octets]).is_err() {
            break;
        }
    }
    // Whichever side is gone already, the other is to know.
    let _ended = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
