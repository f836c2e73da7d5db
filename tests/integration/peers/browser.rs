//! A browser without a screen, driven by the protocol that browsers have for it (WebDriver).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::daemon::Daemon;
use super::skipped;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser with one page, closed when it is dropped.
pub(crate) struct Browser {
    session: String,
    address: SocketAddr,
    _driver: Daemon,
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium. None if it is not installed, which is said loudly.
    pub(crate) fn start() -> Option<Self> {
        let is_there = Command::new("chromium").arg("--version").output().is_ok();
        if !is_there {
            skipped("needs chromium (Debian: chromium)");
            return None;
        }
        let mut command = Command::new("chromedriver");
        let mut driver = Daemon::start(command.arg("--port=0"), "chromium-driver")?;
        let line = driver.wait_for("started successfully on port");
        let port = line.trim_end_matches('.').rsplit(' ').next();
        let port = port.and_then(|port| port.parse::<u16>().ok());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.expect("a port is a number")));
        let profile = tempfile::tempdir().expect("a temporary directory can be made");
        let arguments = [
            "--headless",
            // Without rights of its own, as in a container, it has no sandbox either.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let mut arguments = arguments.map(ToOwned::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": arguments },
        } } });
        let answer = ask(address, "POST", "/session", &wanted);
        let session = answer["sessionId"].as_str().expect("a session has a name");
        Some(Self {
            session: format!("/session/{session}"),
            address,
            _driver: driver,
            _profile: profile,
        })
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        let path = format!("{}{command}", self.session);
        ask(self.address, "POST", &path, body)
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body)
    }

    /// Opens a file.
    pub(crate) fn open(&self, file: &Path) {
        self.post(
            "/url",
            &json!({ "url": format!("file://{}", file.display()) }),
        );
    }

    /// Shows the page on a screen of this size, in CSS pixels.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Says what the reader prefers: `dark` or `light` colours.
    pub(crate) fn prefer(&self, colours: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": colours }]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
    }

    /// Says whether scripts of the page may run.
    pub(crate) fn allow_scripts(&self, allowed: bool) {
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            &json!({ "value": !allowed }),
        );
    }

    /// Prints the page, and returns the number of octets of the PDF.
    pub(crate) fn print(&self) -> usize {
        let pdf = self.post("/print", &json!({}));
        pdf.as_str().expect("a PDF in base64").len() / 4 * 3
    }

    /// What `script`, the body of a function, returns.
    pub(crate) fn evaluate(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Types `text` into the element that `selector` selects.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let path = self.element(selector);
        self.post(&format!("{path}/value"), &json!({ "text": text }));
    }

    /// Clicks on the element that `selector` selects.
    pub(crate) fn click(&self, selector: &str) {
        let path = self.element(selector);
        self.post(&format!("{path}/click"), &json!({}));
    }

    fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.post("/element", &wanted);
        let found = found.as_object().and_then(|found| found.values().next());
        let element = found
            .and_then(Value::as_str)
            .expect("an element has a name");
        format!("/element/{element}")
    }

    /// What the page has complained of since this was last asked.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("a log is a list");
        entries
            .iter()
            .map(|entry| entry["message"].to_string())
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver would leave the browser behind.
        let _closed = send(self.address, "DELETE", &self.session, &json!({})).is_ok();
    }
}

/// What the driver says to a command.
fn ask(address: SocketAddr, method: &str, path: &str, body: &Value) -> Value {
    let answer = send(address, method, path, body).expect("the driver answers");
    let mut answer: Value = serde_json::from_str(&answer).expect("it answers in JSON");
    let value = answer["value"].take();
    assert!(value["error"].is_null(), "{method} {path}: {value}");
    value
}

fn send(address: SocketAddr, method: &str, path: &str, body: &Value) -> std::io::Result<String> {
    let body = body.to_string();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    // The driver does not hang up.
    let mut answer = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(number) = line.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap_or_default();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}
