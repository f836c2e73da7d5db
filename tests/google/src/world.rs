//! What there is: projects, instances, managed zones, topics, and who may ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bulk::Bulk;
use crate::dns::Zones;
use crate::dns::zone::ManagedZone;
use crate::instance::Instance;
use crate::pubsub::Message;
use crate::tokens::Tokens;

/// How many entries a page has at most when the client does not say.
///
/// Google lets its services decide, and change it; these are what they are known to do.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// Of Resource Manager's listing, whatever the client asks for.
    pub projects: usize,
    /// Of a project's instances, whatever the client asks for.
    pub instances: usize,
    /// Of a managed zone's record sets.
    pub record_sets: usize,
    /// Of a project's managed zones.
    pub managed_zones: usize,
    /// Of a managed zone's changes.
    pub changes: usize,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            projects: 1000,
            instances: 500,
            record_sets: 100,
            managed_zones: 100,
            changes: 100,
        }
    }
}

/// What Cloud DNS lets a project have: defaults of <https://cloud.google.com/dns/quotas>.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// `rrsetAdditionsPerChange`.
    pub additions: usize,
    /// `rrsetDeletionsPerChange`.
    pub deletions: usize,
    /// `totalRrdataSizePerChange`, in characters.
    pub rrdata_size: usize,
    /// `resourceRecordsPerRrset`.
    pub records: usize,
    /// `rrsetsPerManagedZone`.
    pub record_sets: usize,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            additions: 1000,
            deletions: 1000,
            rrdata_size: 100_000,
            records: 100,
            record_sets: 10_000,
        }
    }
}

/// A project as Resource Manager lists it.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) state: String,
}

/// Everything the server knows.
#[derive(Debug)]
pub struct World {
    pub(crate) projects: Vec<Project>,
    pub(crate) instances: BTreeMap<String, Vec<Instance>>,
    pub(crate) scopes: Vec<String>,
    pub(crate) zones: BTreeMap<String, Zones>,
    pub(crate) topics: BTreeMap<String, Vec<Message>>,
    pub(crate) tokens: Tokens,
    pub(crate) pages: Pages,
    /// How often a change is asked for before it is done; none: it never is.
    pub(crate) pending: Option<usize>,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// What a client did that no client of Google's may.
    pub(crate) offences: Vec<String>,
    pub(crate) bulk: Option<Arc<Bulk>>,
    next_host: u32,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Nothing but the account that [`crate::Google::key_file`] belongs to.
    #[must_use]
    pub fn new() -> Self {
        let scopes = ["us-central1-a", "us-east1-b", "europe-west1-b"];
        Self {
            projects: Vec::new(),
            instances: BTreeMap::new(),
            scopes: scopes.iter().map(|zone| format!("zones/{zone}")).collect(),
            zones: BTreeMap::new(),
            topics: BTreeMap::new(),
            tokens: Tokens::new(),
            pages: Pages::default(),
            pending: Some(0),
            url: String::new(),
            offences: Vec::new(),
            bulk: None,
            next_host: 2,
        }
    }

    /// An active project.
    #[must_use]
    pub fn project(self, id: &str) -> Self {
        self.project_that_is(id, "ACTIVE")
    }

    /// A project in a state of Resource Manager: `DELETE_REQUESTED`.
    #[must_use]
    pub fn project_that_is(mut self, id: &str, state: &str) -> Self {
        self.projects.retain(|project| project.id != id);
        self.projects.push(Project {
            id: id.to_owned(),
            state: state.to_owned(),
        });
        self.instances.entry(id.to_owned()).or_default();
        self
    }

    /// An instance, in a project that is active unless it is there already.
    #[must_use]
    pub fn instance(mut self, project: &str, instance: Instance) -> Self {
        self.add_instance(project, instance);
        self
    }

    /// As [`Self::instance`].
    pub fn add_instance(&mut self, project: &str, instance: Instance) {
        if !self.instances.contains_key(project) {
            let this = std::mem::take(self);
            *self = this.project(project);
        }
        let instance = instance.placed(project, self.next_host);
        self.next_host += 1;
        let scope = format!("zones/{}", instance.zone());
        if !self.scopes.contains(&scope) {
            self.scopes.push(scope);
        }
        let instances = self.instances.entry(project.to_owned()).or_default();
        instances.push(instance);
    }

    /// Takes the instances of this name out of a project.
    pub fn remove_instance(&mut self, project: &str, name: &str) {
        let instances = self.instances.entry(project.to_owned()).or_default();
        instances.retain(|instance| instance.name() != name);
    }

    /// A managed zone. Its project need not be one that Resource Manager lists.
    #[must_use]
    pub fn managed_zone(mut self, project: &str, zone: ManagedZone) -> Self {
        let zones = self.zones.entry(project.to_owned()).or_default();
        zones.add(zone);
        self
    }

    /// A topic: `topic("p", "corrections")`.
    #[must_use]
    pub fn topic(mut self, project: &str, topic: &str) -> Self {
        let name = format!("projects/{project}/topics/{topic}");
        self.topics.insert(name, Vec::new());
        self
    }

    /// What was published to a topic, in order.
    #[must_use]
    pub fn published(&self, project: &str, topic: &str) -> &[Message] {
        let name = format!("projects/{project}/topics/{topic}");
        self.topics.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Whether there is such a topic.
    #[must_use]
    pub fn has_topic(&self, project: &str, topic: &str) -> bool {
        self.topics
            .contains_key(&format!("projects/{project}/topics/{topic}"))
    }

    /// Very many instances, and their names in a zone. Their pages are not judged, and no fault meets them.
    #[must_use]
    pub fn bulk(mut self, bulk: Bulk) -> Self {
        for number in 0..bulk.projects {
            self = self.project(&format!("bulk-{number}"));
        }
        self = self.managed_zone("bulk", ManagedZone::public("bulk.example."));
        self.bulk = Some(Arc::new(bulk));
        self
    }

    /// How long pages are.
    #[must_use]
    pub const fn pages(mut self, pages: Pages) -> Self {
        self.pages = pages;
        self
    }

    /// What Cloud DNS lets a project have.
    #[must_use]
    pub fn quota(mut self, project: &str, quota: Quota) -> Self {
        self.zones.entry(project.to_owned()).or_default().quota = quota;
        self
    }

    /// Changes are done when they have been asked for this often; none: they never are.
    ///
    /// Without this they are done at once.
    #[must_use]
    pub const fn changes_take(mut self, asked: Option<usize>) -> Self {
        self.pending = asked;
        self
    }

    /// Tokens live this long, in seconds.
    #[must_use]
    pub const fn tokens_live(mut self, seconds: i64) -> Self {
        self.tokens.lives = seconds;
        self
    }

    /// Requests need no token, as those of `gcloud` without credentials.
    #[must_use]
    pub const fn without_tokens(mut self) -> Self {
        self.tokens.are_needed = false;
        self
    }

    /// The tokens that were given out, in order.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.tokens.given()
    }

    /// Takes all tokens back that were given out.
    pub fn revoke_tokens(&mut self) {
        self.tokens.revoke();
    }

    /// The record sets of a managed zone, one a line, the SOA's serial as `SERIAL`.
    ///
    /// # Panics
    ///
    /// If there is no such zone.
    #[must_use]
    pub fn served(&self, project: &str, managed_zone: &str) -> String {
        self.zone(project, managed_zone).to_text()
    }

    /// A managed zone, by its name.
    ///
    /// # Panics
    ///
    /// If there is no such zone.
    #[must_use]
    pub fn zone(&self, project: &str, managed_zone: &str) -> &ManagedZone {
        let zones = self.zones.get(project);
        zones
            .and_then(|zones| zones.find(managed_zone))
            .expect("the managed zone was made by the test")
    }

    /// A managed zone, by its name, for whoever else writes there.
    ///
    /// # Panics
    ///
    /// If there is no such zone.
    pub fn zone_mut(&mut self, project: &str, managed_zone: &str) -> &mut ManagedZone {
        let zones = self.zones.get_mut(project);
        zones
            .and_then(|zones| zones.find_mut(managed_zone))
            .expect("the managed zone was made by the test")
    }
}
