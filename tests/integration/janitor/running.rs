//! The program while it runs, and what is left of it afterwards.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long the program may take before it is taken for hung. Nothing here takes a tenth of it.
const LIMIT: Duration = Duration::from_secs(120);

/// A program that was started.
pub(crate) struct Running {
    root: PathBuf,
    child: Child,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
}

/// What the program has written so far.
#[derive(Default)]
struct Output {
    written: Mutex<Written>,
    news: Condvar,
}

#[derive(Default)]
struct Written {
    stdout: String,
    stderr: String,
    /// Streams that have ended.
    ended: usize,
}

impl Running {
    pub(super) fn start(
        root: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
        stdout: Stdio,
    ) -> Self {
        let mut command = command(root, arguments, environment);
        command.stdout(stdout);
        Self::spawn(root, command)
    }

    pub(super) fn start_group(
        root: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Self {
        let mut command = command(root, arguments, environment);
        command.stdout(Stdio::piped()).process_group(0);
        Self::spawn(root, command)
    }

    pub(super) fn start_without_hangups(
        root: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Self {
        let command = command(root, arguments, environment);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self::spawn(root, shell)
    }

    fn spawn(root: &Path, mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program can be started");
        let output = Arc::new(Output::default());
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let mut readers = vec![read(stderr, Arc::clone(&output), |written| {
            &mut written.stderr
        })];
        if let Some(stdout) = child.stdout.take() {
            readers.push(read(stdout, Arc::clone(&output), |written| {
                &mut written.stdout
            }));
        }
        Self {
            root: root.to_owned(),
            child,
            output,
            readers,
        }
    }

    /// Sends a signal to every process of the group, as a terminal does.
    pub(crate) fn signal_group(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process_group(pid, signal).expect("the program is there to be signalled");
    }

    /// Waits until a line of standard error holds `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let streams = self.readers.len();
        let found = self.wait_until(|written| {
            written.stderr.lines().any(|line| line.contains(text)) || written.ended == streams
        });
        let written = self.output.written();
        assert!(
            found && written.stderr.contains(text),
            "the program never said `{text}`:\n{}",
            written.stderr
        );
    }

    /// The process that writes the log: the worker.
    pub(crate) fn worker(&self) -> u32 {
        let written = self.output.written();
        let process = written.stderr.lines().find_map(|line| {
            let (_, rest) = line.split_once(" gordon-janitor (")?;
            rest.split_once(')')?.0.parse().ok()
        });
        process.expect("the program has logged something")
    }

    /// Whether the program, apart from its worker, ignores `signal`.
    pub(crate) fn ignores(&self, signal: Signal) -> bool {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("the program is there");
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = u64::from_str_radix(ignored.expect("the kernel tells it").trim(), 16);
        let bit = signal.as_raw() - 1;
        ignored.expect("it is a number") >> bit & 1 == 1
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the program is there to be signalled");
    }

    /// Sends a signal again and again until a line of standard error holds `text`, as somebody does who
    /// loses patience: signals in a volley count as one.
    pub(crate) fn insist(&mut self, signal: Signal, text: &str) {
        let streams = self.readers.len();
        let limit = Instant::now() + LIMIT;
        let is_there = |written: &Written| written.stderr.contains(text);
        while !is_there(&self.output.written()) && Instant::now() < limit {
            self.signal(signal);
            self.wait_at_most(Duration::from_millis(300), |written| {
                is_there(written) || written.ended == streams
            });
        }
        self.wait_for(text);
    }

    /// Sends a signal to the worker alone.
    pub(crate) fn signal_worker(&self, signal: Signal) {
        let pid = i32::try_from(self.worker()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("it is a number of a process"), signal)
            .expect("the worker is there to be signalled");
    }

    /// Waits until the program has ended.
    pub(crate) fn finish(mut self) -> Run {
        let streams = self.readers.len();
        let ended = self.wait_until(|written| written.ended == streams);
        if !ended {
            self.child.kill().expect("the program can be killed");
        }
        let status = self.child.wait().expect("the program can be waited for");
        for reader in self.readers.drain(..) {
            reader.join().expect("reading does not panic");
        }
        let written = std::mem::take(&mut *self.output.written());
        assert!(
            ended,
            "the program hung and was killed after {LIMIT:?}:\n{}{}",
            written.stdout, written.stderr
        );
        Run {
            root: self.root.clone(),
            status,
            stdout: written.stdout,
            stderr: written.stderr,
        }
    }

    /// Waits until `is_so`, or the limit is reached; false then.
    fn wait_until(&self, is_so: impl Fn(&Written) -> bool) -> bool {
        self.wait_at_most(LIMIT, is_so)
    }

    fn wait_at_most(&self, patience: Duration, is_so: impl Fn(&Written) -> bool) -> bool {
        let limit = Instant::now() + patience;
        let mut written = self.output.written();
        while !is_so(&written) {
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            written = self
                .output
                .news
                .wait_timeout(written, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

/// The program, about to be started.
fn command(root: &Path, arguments: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gordon-janitor"));
    command
        .args(arguments)
        .arg("--config-root")
        .arg(root)
        .arg("--plugin-dir")
        .arg(root.join("plugins"))
        .env("STATE_DIRECTORY", root.join("state"))
        .env_remove("GORDON_JANITOR_PLUGIN_DIR")
        .env_remove("GORDON_JANITOR_LOG_FORMAT")
        .env_remove("SYSLOG_HOST")
        .env_remove("SYSLOG_PORT")
        .env_remove("CLICOLOR_FORCE")
        // That of cargo, which is another on every machine.
        .env_remove("LD_LIBRARY_PATH")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Drop for Running {
    /// A test that fails leaves nothing behind.
    fn drop(&mut self) {
        if !self.readers.is_empty() {
            // Whether it had ended by itself makes no difference any more.
            let _killed = self.child.kill().is_ok();
            let _waited = self.child.wait().is_ok();
        }
    }
}

impl Output {
    fn written(&self) -> std::sync::MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a stream line by line on a thread of its own.
fn read(
    stream: impl Read + Send + 'static,
    output: Arc<Output>,
    part: fn(&mut Written) -> &mut String,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            part(&mut output.written()).push_str(&String::from_utf8_lossy(&line));
            output.news.notify_all();
            line.clear();
        }
        output.written().ended += 1;
        output.news.notify_all();
    })
}

/// What came of the program.
pub(crate) struct Run {
    root: PathBuf,
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Run {
    /// The exit code.
    ///
    /// # Panics
    ///
    /// If a signal ended the program.
    pub(crate) fn exit_code(&self) -> i32 {
        let code = self.status.code();
        code.unwrap_or_else(|| panic!("{}:\n{}", self.status, self.stderr))
    }

    /// The signal that ended the program, if one did.
    pub(crate) fn signal(&self) -> Option<Signal> {
        Signal::from_named_raw(self.status.signal()?)
    }

    /// Standard output; the root of the deployment reads `<root>`.
    pub(crate) fn stdout(&self) -> String {
        self.shown(&self.stdout)
    }

    /// Standard error as it is; the root of the deployment reads `<root>`.
    pub(crate) fn stderr(&self) -> String {
        self.shown(&self.stderr)
    }

    /// Every line of standard error, read as JSON.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let shown = self.shown(&self.stderr);
        let lines = shown.lines().map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        });
        lines.collect()
    }

    /// The lines of the log as `LEVEL: message fields`, without time and process.
    pub(crate) fn log(&self) -> Vec<String> {
        let shown = self.shown(&self.stderr);
        let lines = shown.lines().filter_map(log_line);
        lines.map(str::to_owned).collect()
    }

    /// The lines of the log as they are, time and process included.
    pub(crate) fn raw_log(&self) -> impl Iterator<Item = &str> {
        let lines = self.stderr.lines();
        lines.filter(|line| log_line(line).is_some())
    }

    /// The lines of the log that hold `text`.
    pub(crate) fn log_with(&self, text: &str) -> Vec<String> {
        let mut lines = self.log();
        lines.retain(|line| line.contains(text));
        lines
    }

    /// Standard error without the log: errors as they are told to people.
    pub(crate) fn errors(&self) -> String {
        let shown = self.shown(&self.stderr);
        let lines = shown.lines().filter(|line| log_line(line).is_none());
        let lines = lines.map(|line| format!("{line}\n")).collect::<String>();
        without_build_tree(&lines)
    }

    /// What the log says of plugins that failed, in order.
    pub(crate) fn failures(&self) -> Vec<String> {
        let start = "ERROR: A fatal error occurred during the janitor run: ";
        let lines = self.log();
        let failures = lines.iter().filter_map(|line| line.strip_prefix(start));
        failures.map(str::to_owned).collect()
    }

    /// Plugins that did not end when they were asked to.
    pub(crate) fn abandoned(&self) -> Vec<String> {
        let start = "ERROR: plugin did not stop when it was asked to; ending without it plugin=";
        let lines = self.log();
        let abandoned = lines.iter().filter_map(|line| line.strip_prefix(start));
        abandoned.map(str::to_owned).collect()
    }

    /// What the publishers among the villains were given, one RR a line.
    pub(crate) fn given(&self) -> Vec<String> {
        let lines = self.log();
        let given = lines.iter().filter_map(|line| {
            let (line, _) = line.strip_prefix("INFO: given: ")?.split_once(" zone=")?;
            Some(line.to_owned())
        });
        given.collect()
    }

    /// The status that the metric `run-ended` was sent with, which happens once.
    pub(crate) fn status(&self) -> String {
        let sent = self.log_with("[run-ended]");
        let [line] = sent.as_slice() else {
            panic!(
                "`run-ended` was sent {} times:\n{}",
                sent.len(),
                self.stderr
            );
        };
        let status = line
            .strip_prefix("INFO: [run-ended] value: 1 context: {'status': '")
            .and_then(|rest| rest.strip_suffix("'}"));
        status
            .unwrap_or_else(|| panic!("a strange line: {line}"))
            .to_owned()
    }

    /// Zones and more that were left out, as the log has it, in order.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let lines = self.log();
        let left_out = lines
            .iter()
            .filter_map(|line| line.strip_prefix("WARNING: zone left out zone="));
        let mut left_out = left_out.map(str::to_owned).collect::<Vec<_>>();
        left_out.sort();
        left_out
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&self.root.display().to_string(), "<root>")
    }
}

/// Problems without those that come from the umask under which cargo built the libraries.
fn without_build_tree(text: &str) -> String {
    let mut problems: Vec<String> = Vec::new();
    for line in text.lines() {
        match problems.last_mut() {
            Some(problem) if line.starts_with(' ') => problem.push_str(line),
            _ => problems.push(line.to_owned()),
        }
        if let Some(problem) = problems.last_mut() {
            problem.push('\n');
        }
    }
    let accepted = "accepted, because this program lies in the same cargo target directory";
    problems.retain(|problem| !problem.contains(accepted));
    problems.concat()
}

/// What stands in a log line behind `<time> gordon-janitor (<pid>) `.
fn log_line(line: &str) -> Option<&str> {
    let (time, rest) = line.split_once(" gordon-janitor (")?;
    let (process, rest) = rest.split_once(") ")?;
    let is_time = time.len() == "1970-01-01T00:00:00.000Z".len() && time.ends_with('Z');
    (is_time && process.bytes().all(|octet| octet.is_ascii_digit())).then_some(rest)
}
