//! Makes records of the instances of Compute Engine.
//!
//! Projects come from Resource Manager or from the configuration, and are listed several at a time. A
//! page is read once and forgotten; what is kept until the last of them is read is a name and an
//! address. Only then is it known whose they are, and zones are sent.

mod address;
mod template;
mod reverse;
mod rule;
mod standing;
mod ledger;
mod survey;
mod contest;

use std::cell::RefCell;
use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use janitor_plugin_api::settings::{Part, SettingType};
use janitor_plugin_api::{Authority, Error, Host, RrsetSender, Scalar};
use serde::Deserialize;
use tracing::{debug, info, warn};

use self::address::Addresses;
use self::contest::Findings;
use self::rule::{Rules, ZoneSettings};
use self::survey::Survey;
use self::template::NameTemplate;
use crate::http::{Fault, Google};
use crate::instances;
use crate::projects::Projects;
use crate::settings::with_google;

/// What the Python original calls this plugin in its measurements.
const MEASURED_AS: (&str, Scalar<'static>) = ("plugin", Scalar::Text("gceauthority"));

with_google! {
    /// The table of `gcp.gce`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// The zone of the instances; where there are `zones`, of those that fit none of them.
        #[setting(example = "example.com.")]
        dns_zone: Option<String>,

        /// The projects whose instances are named. Without it all that the credentials may see.
        #[setting(default)]
        project_whitelist: Vec<String>,

        /// Projects that are not asked, of those that the credentials may see.
        #[setting(default)]
        project_blacklist: BTreeSet<String>,

        /// Network tags that keep an instance out.
        #[setting(default)]
        tag_blacklist: Vec<String>,

        /// Metadata that keep an instance out: lists of a key and a value.
        #[setting(default)]
        metadata_blacklist: Vec<Pair>,

        /// Which instances Compute Engine is to list, in its own language of filters.
        #[setting(default)]
        instance_filter: String,

        /// Which addresses of an instance its names have.
        #[setting(default = "external")]
        address: Addresses,

        /// How an instance is named, relative to the zone: {name}, {project}, {zone}, {region}, {id},
        /// {hostname}, and {label:KEY} for the label KEY.
        #[setting(default = "{name}")]
        name_template: NameTemplate,

        /// How long answers may be kept.
        #[setting(default = 300, unit = "seconds", max = 2147483647)]
        ttl: u32,

        /// Zones below "in-addr.arpa." and "ip6.arpa." that addresses have names in.
        #[setting(default)]
        reverse_zones: Vec<String>,

        /// Zones for instances that fit conditions: of certain projects, tags, labels, networks, regions
        /// or zones of Compute Engine.
        #[setting(default)]
        zones: Vec<ZoneSettings>,

        /// What a project comes to in which Compute Engine is not enabled.
        #[setting(default = "incomplete")]
        not_enabled: NotEnabled,

        /// Projects whose instances are listed at the same time.
        #[setting(default = 10, min = 1, max = 100)]
        at_once: u16,

        /// Instances that are asked for at once.
        #[setting(default = 100, min = 1, max = 500)]
        page_size: u16,
    }
}

/// What `not_enabled` says.
#[janitor_plugin_api::settings]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotEnabled {
    /// It was not seen.
    Incomplete,
    /// It has no instances.
    Empty,
}

/// A key and a value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Pair(String, String);

impl SettingType for Pair {
    const SCHEMA: &'static [Part] = <Vec<String>>::SCHEMA;
}

impl TryFrom<Vec<String>> for Pair {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        match <[String; 2]>::try_from(texts) {
            Ok([key, value]) => Ok(Self(key, value)),
            Err(texts) => Err(format!(
                "a list of {} where a key and a value belong, as in [\"dns\", \"off\"]",
                texts.len()
            )),
        }
    }
}

/// The authority `gcp.gce`.
pub(crate) struct Gce {
    google: Google,
    rules: Rules,
    settings: Settings,
    host: Host,
}

impl Authority for Gce {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let rules = Rules::new(&settings)?;
        let google = Google::new(settings.google(), &host)?;
        Ok(Self {
            google,
            rules,
            settings,
            host,
        })
    }

    async fn run(&mut self, rrsets: &mut RrsetSender) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.host.cancelled() => Err(Error::cancelled("not every project was listed")),
            ended = self.name_instances(rrsets) => ended,
        }
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.google.measure(&self.host);
        Ok(())
    }
}

impl Gce {
    async fn name_instances(&self, rrsets: &mut RrsetSender) -> Result<(), Error> {
        let (projects, findings) = survey(&self.google, &self.rules, &self.settings).await?;
        if let Some(projects) = projects {
            self.host.set("projects", projects, &[MEASURED_AS]);
        }
        if findings.left_to_others > 0 {
            let count = findings.left_to_others;
            self.host.set("duplicates", count, &[MEASURED_AS]);
        }
        for (zone, finding) in self.rules.zones.iter().zip(findings.zones) {
            let cannot = || format!("cannot name instances in `{}`", zone.apex);
            if finding.rrsets == 0 {
                // Sent empty, it would say the same; but another authority's words on this zone are not
                // whole without ours.
                let none = "no instance that was listed has a name in it";
                self.host
                    .leave_out(zone.apex.as_ref(), &Error::zone(cannot(), none));
                continue;
            }
            let context = [MEASURED_AS, ("zone", Scalar::Text(&zone.text))];
            info!(
                "[{}] Found {} rrsets for zone in GCE.",
                zone.text, finding.rrsets
            );
            self.host.set("rrsets", finding.rrsets, &context);
            match finding.zone {
                Ok(zone) => rrsets.send(zone).await?,
                Err(fault) => {
                    let reason = Error::zone(cannot(), fault);
                    self.host.leave_out(zone.apex.as_ref(), &reason);
                }
            }
        }
        info!("Finished processing GCE data.");
        Ok(())
    }
}

/// Lists the instances of all projects; how many projects there are, if they were listed, too.
///
/// # Errors
///
/// Whatever leaves it open which instances there are, but that a project does not exist or may not be
/// listed: then its names are not known, and its zones incomplete.
async fn survey(
    google: &Google,
    rules: &Rules,
    settings: &Settings,
) -> Result<(Option<usize>, Findings), Error> {
    let mut projects = Projects::default();
    if settings.project_whitelist.is_empty() {
        projects = Projects::list(google).await?;
        projects.remove(&settings.project_blacklist);
    } else {
        projects
            .active
            .extend(settings.project_whitelist.iter().cloned());
    }
    let is_listed = settings.project_whitelist.is_empty();
    let count = is_listed.then_some(projects.active.len());
    let Projects { active, unknown } = projects;
    let names: Vec<_> = active.into_iter().collect();
    let mut survey = Survey::new(rules, &names);
    for project in unknown {
        warn!(
            project,
            "project has no state, so that its instances are not listed"
        );
        survey.lacks(&project);
    }
    let survey = RefCell::new(survey);
    let is_empty =
        |fault: &Fault| settings.not_enabled == NotEnabled::Empty && is_not_enabled(fault);
    let survey_ref = &survey;
    let lists = names.iter().enumerate().map(async |(number, project)| {
        let url = instances::url(
            google,
            project,
            settings.page_size,
            &settings.instance_filter,
        )?;
        let mut pages = 0_usize;
        let take = |body: &[u8]| {
            pages += 1;
            survey_ref.borrow_mut().page(number, body)
        };
        match google.pages(&url, take).await {
            Ok(()) => Ok(()),
            Err(fault) if is_empty(&fault) && pages == 0 => {
                debug!(project, "Compute Engine is not enabled in the project");
                Ok(())
            }
            Err(fault) if is_no_project(&fault) => {
                let hint = if is_not_enabled(&fault) {
                    "say with `not_enabled` what a project without Compute Engine comes to"
                } else {
                    "a project without instances belongs into `project_blacklist`"
                };
                warn!(
                    project,
                    hint, "Could not fetch instance list for project, skipping: {project}: {fault}"
                );
                survey_ref.borrow_mut().lacks(project);
                Ok(())
            }
            Err(fault) => {
                let cannot = format!("cannot list the instances of project `{project}`");
                Err(fault.into_error(cannot))
            }
        }
    });
    stream::iter(lists)
        .buffer_unordered(usize::from(settings.at_once))
        .try_for_each(async |()| Ok::<(), Error>(()))
        .await?;
    Ok((count, survey.into_inner().settle()))
}

/// Whether the service itself says that a project is not there, or not ours to see.
fn is_no_project(fault: &Fault) -> bool {
    matches!(fault.answered(), Some(403 | 404 | 410))
}

/// Whether it says that nobody has enabled Compute Engine in a project: in the words of its own errors,
/// or of `google.rpc.ErrorInfo`.
fn is_not_enabled(fault: &Fault) -> bool {
    let is_reason = matches!(
        fault.reason(),
        Some("accessNotConfigured" | "SERVICE_DISABLED")
    );
    is_reason && fault.answered() == Some(403)
}

#[cfg(test)]
mod tests;
