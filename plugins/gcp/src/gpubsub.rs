//! Sends corrections to the Gordon service, by Pub/Sub.
//!
//! A change is published once Pub/Sub has acknowledged every message of it. What is sent, and what
//! becomes of it, is decided in rooms of their own:
//!
//! ```text
//! topic     the topic that is meant
//! parcel    the messages of one owner: what is sent of its changes, and what is left out
//! batch     what goes into one request
//! pace      when the next one may go
//! verdict   what an answer means
//! sending   batches under way, and what waits for them
//! left_out  what is told of changes that the service would drop
//! ```
//!
//! Here is what joins them: the changes of a run on one side, the client of Google on the other.

mod topic;
mod parcel;
mod batch;
mod pace;
mod verdict;
mod sending;
mod left_out;

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt as _;
use janitor_plugin_api::dns::Change;
use janitor_plugin_api::{ChangeReceiver, Error, Host, Outcome, Publisher, ZoneChanges};

use self::left_out::LeftOut;
use self::parcel::Sorter;
use self::sending::{CANCELLED, Manner, Sending, World};
use self::topic::Topic;
use self::verdict::Verdict;
use crate::http::{Google, Service, Url};
use crate::settings::with_google;

with_google! {
    /// The table of `gcp.gpubsub`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// The project of the topic, unless `topic` names another one.
        #[setting(example = "example-dns")]
        project: String,

        /// The topic that the Gordon service listens to: its name, or `projects/PROJECT/topics/NAME`.
        #[setting(example = "gordon-changes")]
        topic: String,

        /// Whether a topic that is not there is created.
        #[setting(default = false)]
        create_topic: bool,

        /// Whether messages have ordering keys, so that those about one owner can be kept in order. Each
        /// owner is a request of its own then.
        #[setting(default = true)]
        ordering_key: bool,

        /// The most messages in a request without ordering keys; those about one owner stay together.
        #[setting(default = 1000, unit = "messages", min = 1, max = 1000)]
        batch: u32,

        /// Requests that are under way at the same time.
        #[setting(default = 16, unit = "requests", min = 1, max = 256)]
        at_once: u32,

        /// The most messages in a second, on average. Without it nothing is held back.
        #[setting(unit = "messages", min = 0.1, max = 1000000)]
        messages_per_second: Option<f64>,

        /// How long to wait for Pub/Sub to acknowledge the last messages.
        #[setting(default = 60.0, unit = "seconds", min = 0, max = 86400)]
        cleanup_timeout: f64,
    }
}

/// The variable with the address of an emulator, as Google's own clients know it.
const EMULATOR: &str = "PUBSUB_EMULATOR_HOST";

/// The publisher `gcp.gpubsub`.
pub(crate) struct Gpubsub {
    google: Google,
    topic: Topic,
    publishing: Url,
    creating: Url,
    create_topic: bool,
    has_ordering_keys: bool,
    manner: Manner,
    host: Host,
}

impl Publisher for Gpubsub {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let topic = Topic::of(&settings.project, &settings.topic)?;
        if topic.is_doubtful() {
            tracing::warn!(
                %topic,
                "Pub/Sub creates topics only with names of 3 to 255 characters that do not begin with \
                 `goog`"
            );
        }
        let emulator = std::env::var_os(EMULATOR).filter(|address| !address.is_empty());
        let google = match emulator {
            Some(address) => {
                let address = address.to_string_lossy();
                tracing::info!(%address, "publishing to an emulator, without credentials ({EMULATOR})");
                Google::for_emulator(settings.google(), &host, &address)?
            }
            None => Google::new(settings.google(), &host)?,
        };
        let [publishing, creating] = [topic.publishing(), topic.path()].map(|segments| {
            let segments = segments.each_ref().map(String::as_str);
            google.url(Service::PubSub, &segments)
        });
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        // What is left of the grace is for the reports, and for whoever else has to end.
        let most = host.grace().mul_f64(0.9);
        let patience = Duration::from_secs_f64(settings.cleanup_timeout);
        Ok(Self {
            google,
            publishing: publishing?,
            creating: creating?,
            topic,
            create_topic: settings.create_topic,
            has_ordering_keys: settings.ordering_key,
            manner: Manner {
                batch: count(settings.batch),
                at_once: count(settings.at_once),
                messages_per_second: settings.messages_per_second,
                patience,
                patience_cancelled: patience.min(most),
            },
            host,
        })
    }

    async fn run(&mut self, changes: &mut ChangeReceiver) -> Result<(), Error> {
        let this = &*self;
        let mut sending = Sending::new(this.manner.clone(), this.world());
        let mut is_there = !this.create_topic;
        while let Some(zone) = sending.meanwhile(changes.receive()).await {
            if !is_there {
                is_there = true;
                if let Err(reason) = this.create().await {
                    sending.stop(reason);
                }
            }
            this.publish(zone, &mut sending).await;
        }
        let counts = sending.finish().await;
        for (result, messages) in [
            ("acknowledged", counts.acknowledged),
            ("refused", counts.refused),
            ("unknown", counts.unknown),
        ] {
            if messages > 0 {
                let context = [("result", result.into())];
                this.host.increment("pubsub-messages", messages, &context);
            }
        }
        this.google.measure(&this.host);
        tracing::info!("Finished sending reconciliation messages to Google Pub/Sub.");
        Ok(())
    }
}

impl Gpubsub {
    fn world(&self) -> World<'_, Rc<ZoneChanges>> {
        World {
            publish: Box::new(move |body, messages| {
                let answer = async move {
                    // Publishing twice is what a subscriber has to expect anyway: Pub/Sub itself
                    // delivers a message at least once.
                    let answer = self.google.post(&self.publishing, body, true).await;
                    Verdict::of(answer, messages, &self.topic)
                };
                answer.boxed_local()
            }),
            report: Box::new(|zone, change, outcome| zone.report(change, outcome)),
            cancelled: Box::pin(self.host.cancelled()),
        }
    }

    /// Hands on what is to be sent of the changes of a zone, and reports what is not.
    async fn publish(&self, zone: ZoneChanges, sending: &mut Sending<'_, Rc<ZoneChanges>>) {
        let zone = Rc::new(zone);
        let mut left_out = LeftOut::default();
        let sorter = Sorter::of(zone.changes(), self.has_ordering_keys);
        let mut changes = (0..).zip(zone.changes()).peekable();
        while let Some(first) = changes.next() {
            let mut at_owner = vec![first];
            let is_there = |(_, change): &(u32, Change<'_>)| change.owner() == first.1.owner();
            while let Some(next) = changes.next_if(is_there) {
                at_owner.push(next);
            }
            let now = SystemTime::now();
            let sorted = sorter.sort(&at_owner, now);
            for (number, reason) in sorted.left_out {
                zone.report(number, Outcome::Refused(reason.to_string()));
                // They are numbered without gaps.
                let at = usize::try_from(number - first.0).ok();
                if let Some((_, change)) = at.and_then(|at| at_owner.get(at)) {
                    left_out.note(*change, reason);
                }
            }
            if let Some(parcel) = sorted.parcel {
                sending.push(Rc::clone(&zone), parcel).await;
            }
        }
        left_out.tell(zone.apex(), &self.host);
    }

    /// Creates the topic unless it is there.
    async fn create(&self) -> Result<(), String> {
        let put = self.google.put(&self.creating, Bytes::from_static(b"{}"));
        // Whether it comes to be makes no difference to the changes, none of which was sent.
        let answer = tokio::select! {
            answer = put => answer,
            () = self.host.cancelled() => return Err(CANCELLED.to_owned()),
        };
        match answer {
            Ok(_) => {
                tracing::info!(topic = %self.topic, "created the topic");
                Ok(())
            }
            // ALREADY_EXISTS.
            Err(fault) if fault.answered() == Some(409) => Ok(()),
            Err(fault) => {
                let why = verdict::chain(&fault);
                let hint = match fault.answered() {
                    Some(403) => {
                        "create it by hand and take create_topic away, or give the account the \
                         permission pubsub.topics.create"
                    }
                    _ => "a topic that is there needs no create_topic",
                };
                let topic = &self.topic;
                Err(format!("cannot create the topic `{topic}`: {why} ({hint})"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
