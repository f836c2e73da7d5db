//! Google's own emulator of Pub/Sub, as the installed google-cloud-sdk has it.
//!
//! It is asked in plain HTTP, as the tests themselves are no client of Google's: what they see of a topic
//! is what any subscriber does.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::port::{free_port, is_of_a_taken_port};
use super::{Daemon, not_to_be_had};

/// Where the emulator lies below an installed google-cloud-sdk.
const LIBRARIES: &str = "platform/pubsub-emulator/lib";

/// Where a google-cloud-sdk lies: as packages put it, and as its own installer does.
const PLACES: [&str; 3] = [
    "/usr/lib/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
];

/// How often another port is tried when somebody else has taken it meanwhile.
const ATTEMPTS: u32 = 5;

/// How long it may take to answer.
const LIMIT: Duration = Duration::from_secs(60);

/// A running emulator, without any topics.
pub(crate) struct Emulator {
    /// In a lock as what it says comes from a channel, of which there is one end.
    daemon: Mutex<Daemon>,
    address: SocketAddr,
}

/// A message as a subscriber gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) data: String,
    pub(crate) key: String,
    /// All else that it has, but for what Pub/Sub itself adds.
    pub(crate) more: Value,
}

impl Emulator {
    /// The one that all tests share, each with topics of its own. None if it is not installed, which is
    /// said loudly.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Emulator>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// One of its own. None if it is not installed, which is said loudly.
    pub(crate) fn start() -> Option<Self> {
        let missing = |what: &str| {
            not_to_be_had(&format!("needs Google's Pub/Sub emulator ({what})"));
        };
        let Some(jar) = jar() else {
            missing("in no package; `gcloud components install pubsub-emulator`");
            return None;
        };
        if Command::new("java").arg("-version").output().is_err() {
            missing("and java to run it");
            return None;
        }
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut java = Command::new("java");
            // Small and quick to start, as it lives for some seconds.
            java.args([
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
            ])
            .arg(&jar)
            .arg("--host=127.0.0.1")
            .arg(format!("--port={port}"));
            let mut daemon = Daemon::start(&mut java, "default-jre-headless")?;
            if daemon.says("Server started", LIMIT).is_some() {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                let daemon = Mutex::new(daemon);
                return Some(Self { daemon, address });
            }
            let said = daemon.said();
            assert!(
                is_of_a_taken_port(&said),
                "the emulator does not start:\n{said}"
            );
        }
        panic!("no port was free for the emulator");
    }

    /// As `PUBSUB_EMULATOR_HOST` has it.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// What ends it at once.
    pub(crate) fn killer(&self) -> impl Fn() + Send + Sync + use<> {
        let daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner);
        daemon.killer()
    }

    /// The name of a topic that nobody else has; it is not there yet.
    pub(crate) fn new_topic(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        format!("topic-{}", NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether there is such a topic.
    pub(crate) fn has_topic(&self, project: &str, topic: &str) -> bool {
        self.ask(
            "GET",
            &format!("/v1/projects/{project}/topics/{topic}"),
            None,
        )
        .0 == 200
    }

    /// Creates a topic, with a subscription of the same name that keeps messages in order.
    pub(crate) fn create_topic(&self, project: &str, topic: &str) {
        let path = format!("/v1/projects/{project}/topics/{topic}");
        let (status, answer) = self.ask("PUT", &path, Some(&json!({})));
        assert_eq!(status, 200, "{answer}");
        self.subscribe(project, topic);
    }

    /// Subscribes to a topic, under its name.
    pub(crate) fn subscribe(&self, project: &str, topic: &str) {
        let path = format!("/v1/projects/{project}/subscriptions/{topic}");
        let subscription = json!({
            "topic": format!("projects/{project}/topics/{topic}"),
            "enableMessageOrdering": true,
        });
        let (status, answer) = self.ask("PUT", &path, Some(&subscription));
        assert_eq!(status, 200, "{answer}");
    }

    /// The next `count` messages of a topic, in the order in which a subscriber gets them, and acknowledged.
    pub(crate) fn pull(&self, project: &str, topic: &str, count: usize) -> Vec<Message> {
        let path = format!("/v1/projects/{project}/subscriptions/{topic}");
        let mut messages = Vec::new();
        while messages.len() < count {
            let wanted = json!({ "maxMessages": 1000 });
            let (status, answer) = self.ask("POST", &format!("{path}:pull"), Some(&wanted));
            assert_eq!(status, 200, "{answer}");
            let received = answer["receivedMessages"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let told = messages.len();
            assert!(!received.is_empty(), "of {count} messages only {told} came");
            let acknowledged = received.iter().map(|received| received["ackId"].clone());
            let acknowledged = json!({ "ackIds": acknowledged.collect::<Vec<_>>() });
            let (status, answer) =
                self.ask("POST", &format!("{path}:acknowledge"), Some(&acknowledged));
            assert_eq!(status, 200, "{answer}");
            messages.extend(received.into_iter().map(Message::of));
        }
        assert_eq!(messages.len(), count, "there are more messages");
        messages
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(LIMIT))
            .proxy(None)
            .build()
            .new_agent();
        let url = format!("http://{}{path}", self.address);
        let body = body.map(ToString::to_string).unwrap_or_default();
        let answer = match method {
            "GET" => agent.get(url).call(),
            "PUT" => agent.put(url).send(body),
            _ => agent.post(url).send(body),
        };
        let mut answer = answer.expect("the emulator answers");
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_string();
        let body = body.expect("the emulator answers to the end");
        (
            status,
            serde_json::from_str(&body).unwrap_or_else(|_| body.into()),
        )
    }
}

impl Message {
    fn of(mut received: Value) -> Self {
        let mut message = received["message"].take();
        let fields = message.as_object_mut().expect("an object");
        let mut text = |name: &str| {
            let text = fields.remove(name).unwrap_or_default();
            text.as_str().unwrap_or_default().to_owned()
        };
        let [data, key, ..] = ["data", "orderingKey", "messageId", "publishTime"].map(&mut text);
        let data = STANDARD.decode(data).expect("base64");
        Self {
            data: String::from_utf8(data).expect("text"),
            key,
            more: message,
        }
    }

    /// The data as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).expect("JSON")
    }
}

/// The emulator, in its newest version.
fn jar() -> Option<PathBuf> {
    let libraries = PLACES.iter().map(|place| Path::new(place).join(LIBRARIES));
    let mut jars = libraries
        .filter_map(|libraries| fs::read_dir(libraries).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with("-all.jar"))
        .collect::<Vec<_>>();
    jars.sort();
    jars.pop()
}
