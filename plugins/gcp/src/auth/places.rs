//! Where credentials are looked for: the setting `keyfile`, or else Application Default Credentials, in the
//! order of AIP-4110.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use janitor_plugin_api::Error;
use tracing::info;

use super::file::FileFault;
use super::key_file::{self, KeyFile, KeyFileFault};
use super::metadata::{Metadata, Search};
use super::source::Kind;
use crate::http::Url;
use crate::settings::Endpoints;

/// The name of gcloud's file, in its directory.
const GCLOUD_FILE: &str = "application_default_credentials.json";

/// What the metadata server is called where it is.
const METADATA_HOST: &str = "metadata.google.internal";

/// How long it is looked for there. It answers within milliseconds, and a machine that is not Google's should
/// not be waited for.
const SEARCH: Duration = Duration::from_secs(5);

/// What looking needs to know of the world.
pub(super) struct World<'a> {
    /// The value of an environment variable.
    pub(super) variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Makes a path of the configuration absolute.
    pub(super) resolve: &'a dyn Fn(&Path) -> PathBuf,
}

/// Credentials, and what is known of them.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kind: Kind,
    /// The file that they are in, if they are in one.
    pub(super) file: Option<PathBuf>,
    pub(super) quota_project: Option<String>,
    pub(super) universe: Option<String>,
}

/// Finds credentials. Files are read, the metadata server is not asked yet.
///
/// # Errors
///
/// [`Error::config`] for the first place that has some which cannot be used: the next one may be those
/// of somebody else.
pub(super) fn find(keyfile: Option<&Path>, world: &World<'_>) -> Result<Found, Error> {
    if let Some(path) = keyfile {
        let path = (world.resolve)(path);
        return Found::read(&path, world).map_err(|fault| {
            error(
                format!("cannot use the key file `{}`", path.display()),
                fault,
            )
        });
    }
    let mut found = default(world)?;
    // As Google's libraries have it, for default credentials alone.
    if let Some(project) = world.text("GOOGLE_CLOUD_QUOTA_PROJECT") {
        found.quota_project = Some(project);
    }
    Ok(found)
}

fn default(world: &World<'_>) -> Result<Found, Error> {
    if let Some(path) = world.path("GOOGLE_APPLICATION_CREDENTIALS") {
        return Found::read(&path, world).map_err(|fault| {
            let what = format!(
                "cannot use `{}`, which GOOGLE_APPLICATION_CREDENTIALS names",
                path.display()
            );
            error(what, fault)
        });
    }
    let mut looked_at = "GOOGLE_APPLICATION_CREDENTIALS is not set".to_owned();
    match gcloud_file(world) {
        None => looked_at.push_str(", neither CLOUDSDK_CONFIG nor HOME is"),
        Some(path) => match Found::read(&path, world) {
            Ok(found) => return Ok(found),
            Err(KeyFileFault::File(FileFault::Read(fault))) if is_absence(&fault) => {
                looked_at.push_str(&format!(", there is no `{}`", path.display()));
            }
            Err(fault) => {
                let what = format!("cannot use gcloud's `{}`", path.display());
                return Err(error(what, fault));
            }
        },
    }
    let kind = Kind::Metadata(metadata(world, looked_at)?);
    Ok(Found {
        kind,
        file: None,
        quota_project: None,
        universe: None,
    })
}

/// Where `gcloud auth application-default login` puts what it gets (AIP-4113).
fn gcloud_file(world: &World<'_>) -> Option<PathBuf> {
    let directory = world
        .path("CLOUDSDK_CONFIG")
        .or_else(|| Some(world.path("HOME")?.join(".config/gcloud")))?;
    Some(directory.join(GCLOUD_FILE))
}

/// A file that is not there, or could not be.
fn is_absence(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The metadata server. GCE_METADATA_ROOT is what GCE_METADATA_HOST was called before, and what the original
/// read. Whoever sets one says that there is a metadata server, and that it is to be waited for.
fn metadata(world: &World<'_>, looked_at: String) -> Result<Metadata, Error> {
    let given = ["GCE_METADATA_HOST", "GCE_METADATA_ROOT"]
        .into_iter()
        .find_map(|variable| Some((variable, world.text(variable)?)));
    let limit = SEARCH;
    let (host, search) = match &given {
        Some((_, host)) => (host.as_str(), None),
        None => (METADATA_HOST, Some(Search { limit, looked_at })),
    };
    let root = Url::parse(&format!("http://{host}/")).ok();
    let root = root.filter(|root| root.path() == "/" && root.query().is_none());
    match (root, &given) {
        (Some(root), _) => Ok(Metadata::new(root, search)),
        (None, Some((variable, host))) => {
            let what = format!("cannot use `{variable}={host}`");
            Err(Error::config(what, NotAHost))
        }
        (None, None) => Err(Error::bug("the metadata server's own name is no host")),
    }
}

fn error(what: String, fault: KeyFileFault) -> Error {
    let hint = fault.hint();
    let error = Error::config(what, fault);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

impl Found {
    fn read(path: &Path, world: &World<'_>) -> Result<Self, KeyFileFault> {
        let KeyFile {
            kind,
            quota_project,
            universe,
        } = key_file::read(path, world.resolve)?;
        Ok(Self {
            kind,
            file: Some(path.to_owned()),
            quota_project,
            universe,
        })
    }

    /// Tokens of another universe are of no use at googleapis.com, and should not get there.
    pub(super) fn check_universe(&self, endpoints: &Endpoints) -> Result<(), Error> {
        let Endpoints {
            dns,
            compute,
            resource_manager,
            pubsub,
        } = endpoints;
        let all = [dns, compute, resource_manager, pubsub];
        match &self.universe {
            Some(universe) if all.iter().any(|endpoint| endpoint.is_none()) => {
                let what = format!("cannot use {}", self.name());
                Err(error(what, KeyFileFault::Universe(universe.clone())))
            }
            _ => Ok(()),
        }
    }

    /// Says in the log which ones they are. Those of the metadata server are told when it has answered.
    pub(super) fn tell(&self) {
        if let Some(file) = &self.file {
            let (kind, file) = (self.kind.name(), file.display());
            match self.kind.account() {
                Some(account) => info!(kind, %file, account, "credentials found"),
                None => info!(kind, %file, "credentials found"),
            }
        }
    }

    /// What they are called in messages.
    pub(super) fn name(&self) -> String {
        let kind = self.kind.name();
        match (self.kind.account(), &self.file) {
            (Some(account), Some(file)) => {
                format!("the {kind} `{account}` of `{}`", file.display())
            }
            (None, Some(file)) => format!("the {kind} of `{}`", file.display()),
            (_, None) => "Application Default Credentials".to_owned(),
        }
    }
}

impl World<'_> {
    /// A variable that is empty is as one that is not set.
    fn path(&self, variable: &str) -> Option<PathBuf> {
        let value = (self.variable)(variable).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    }

    fn text(&self, variable: &str) -> Option<String> {
        let value = (self.variable)(variable)?.into_string().ok()?;
        (!value.is_empty()).then_some(value)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a host is written `name` or `name:port`")]
struct NotAHost;

#[cfg(test)]
mod tests;
