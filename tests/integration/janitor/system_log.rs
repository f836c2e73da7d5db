//! A system log that takes everything and keeps it.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

/// A datagram that no program here sends: the end of what is received.
const END: &[u8] = b"end";

/// A local socket and what was sent to it. A socket that nobody reads is soon full.
pub(crate) struct SystemLog {
    path: PathBuf,
    reader: JoinHandle<Vec<String>>,
}

impl SystemLog {
    /// Listens at `path`.
    pub(crate) fn start(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("a socket can be bound");
        let reader = thread::spawn(move || {
            let mut octets = vec![0; 1 << 16];
            let mut messages = Vec::new();
            loop {
                let length = socket.recv(&mut octets).expect("a socket can be read");
                match &octets[..length] {
                    END => return messages,
                    message => messages.push(String::from_utf8_lossy(message).into_owned()),
                }
            }
        });
        Self {
            path: path.to_owned(),
            reader,
        }
    }

    /// Everything that was sent until now.
    pub(crate) fn finish(self) -> Vec<String> {
        let socket = UnixDatagram::unbound().expect("a socket can be made");
        let sent = socket.send_to(END, &self.path);
        sent.expect("the reader takes it");
        self.reader.join().expect("reading does not panic")
    }
}
