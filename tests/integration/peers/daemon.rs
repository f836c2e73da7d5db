//! A server of others that runs for the length of a test.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::skipped;

/// How long to wait for a line before the server is taken for hung.
const LIMIT: Duration = Duration::from_secs(60);

/// A server, killed when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    warden: Warden,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Daemon {
    /// Starts `command`. None if it is not installed, which is said loudly with the Debian `package`.
    pub(crate) fn start(command: &mut Command, package: &str) -> Option<Self> {
        let started = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match started {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let program = command.get_program().to_string_lossy();
                skipped(&format!("needs {program} (Debian: {package})"));
                return None;
            }
            started => started.expect("the server can be started"),
        };
        let warden = Warden::of(&child);
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let streams: [Box<dyn Read + Send>; 2] = [Box::new(stdout), Box::new(stderr)];
        for stream in streams {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    // Nobody listens any more when the test has ended.
                    let _heard = sender.send(line).is_ok();
                }
            });
        }
        let said = Vec::new();
        Some(Self {
            child,
            warden,
            lines,
            said,
        })
    }

    /// Waits until some line has held `text`, be it before what was waited for last.
    pub(crate) fn wait_until_said(&mut self, text: &str) {
        if !self.said.iter().any(|line| line.contains(text)) {
            self.wait_for(text);
        }
    }

    /// Waits for a line that holds `text`, and returns it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let line = self.says(text, LIMIT);
        line.unwrap_or_else(|| {
            panic!("the server never said `{text}`:\n{}", self.said.join("\n"));
        })
    }

    /// The next line that holds `text`, if it comes within `limit`.
    pub(crate) fn says(&mut self, text: &str, limit: Duration) -> Option<String> {
        let limit = Instant::now() + limit;
        loop {
            let left = limit.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).ok()?;
            self.said.push(line.clone());
            if line.contains(text) {
                return Some(line);
            }
        }
    }

    /// What ends it at a moment that somebody else chooses; with its children if it has a process group
    /// of its own.
    pub(crate) fn killer(&self) -> impl Fn() + Send + Sync + use<> {
        let pid = Pid::from_child(&self.child);
        move || {
            let _has_group = kill_process_group(pid, Signal::KILL).is_ok();
            // Whether it had ended by itself makes no difference.
            let _killed = kill_process(pid, Signal::KILL).is_ok();
        }
    }

    /// All that it has written, up to now.
    pub(crate) fn said(&mut self) -> String {
        while self.says("", Duration::ZERO).is_some() {}
        self.said.join("\n")
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the server is there to be signalled");
    }

    /// Ends it, and waits until it has ended; with its children if it has a process group of its own.
    pub(crate) fn stop(&mut self) {
        self.warden.dismiss();
        self.killer()();
        let _waited = self.child.wait().is_ok();
    }

    /// Waits for a line that holds `text` and the address behind `address=`.
    pub(crate) fn address(&mut self, text: &str) -> SocketAddr {
        let line = self.wait_for(text);
        let (_, address) = line.rsplit_once("address=").expect("an address");
        address.trim().parse().expect("an address is one")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What ends a server when the tests are gone, however they ended: who is killed drops nothing.
///
/// A shell that waits for the end of its standard input, whose other end this process alone has.
struct Warden(Child);

impl Warden {
    fn of(server: &Child) -> Self {
        // A process group, if it has one of its own, and itself.
        let script = r#"trap '' HUP INT TERM; read -r _; kill -9 "-$0" "$0" 2>/dev/null"#;
        let warden = Command::new("sh")
            .args(["-c", script, &server.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What is typed on the terminal of the tests is not for it.
            .process_group(0)
            .spawn();
        Self(warden.expect("there is a shell"))
    }

    /// The process that it watches is about to be somebody else's number.
    fn dismiss(&mut self) {
        let _killed = self.0.kill().is_ok();
        let _waited = self.0.wait().is_ok();
    }
}

/// The body of the page at `path`.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the server can be reached");
    stream
        .set_read_timeout(Some(LIMIT))
        .expect("a limit can be set");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("the request can be sent");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the server answers and hangs up");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains(" 200 "), "{answer}");
    body.to_owned()
}

#[test]
fn a_server_ends_with_the_tests_even_if_nobody_stops_it() {
    use std::os::unix::process::ExitStatusExt as _;

    let mut sleep = Command::new("sleep");
    let mut server = Daemon::start(sleep.arg("3600"), "coreutils").expect("everybody has it");
    // As if this process were gone.
    drop(server.warden.0.stdin.take());
    let status = server.child.wait().expect("it is ours");
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
}
