//! What `plugins list --json` prints: a format of its own, with a number.

use serde::Serialize;

use super::list::state;
use super::{Discovered, Discovery};
use crate::preflight::Verdict;
use crate::problem::Problem;

/// Raised when a field changes its meaning or goes; fields may be added.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    directory: String,
    chosen_by: &'a str,
    /// Why nothing in the directory is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Fault>,
    files: Vec<Library<'a>>,
    /// Keys that several libraries offer.
    problems: Vec<Fault>,
}

#[derive(Serialize)]
struct Library<'a> {
    file: String,
    /// Links resolved.
    path: String,
    state: &'static str,
    /// The name of the file in this directory that it is the same as.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Whether `plugins install` installed a library under this name.
    recorded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rustc: Option<&'a str>,
    plugins: Vec<Offered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Fault>,
}

#[derive(Serialize)]
struct Offered<'a> {
    key: &'a str,
    role: String,
    summary: &'a str,
    state: &'static str,
}

#[derive(Serialize)]
struct Fault {
    code: &'static str,
    summary: String,
    text: String,
}

impl From<&Problem> for Fault {
    fn from(problem: &Problem) -> Self {
        Self {
            code: problem.code().as_str(),
            summary: problem.summary().to_owned(),
            text: problem.to_string(),
        }
    }
}

/// Returns everything in the plugin directory, as one JSON document.
/// `enabled` are the keys in `core.plugins`; digests are there if `with_digest`.
#[must_use]
pub fn json(discovery: &Discovery, enabled: &[&str], with_digest: bool) -> String {
    let directory = discovery.directory();
    let files = discovery.files().iter();
    let document = Document {
        format: FORMAT,
        directory: directory.path().display().to_string(),
        chosen_by: directory.chosen_by(),
        problem: discovery.fault().map(Fault::from),
        files: files
            .map(|file| library(discovery, file, enabled, with_digest))
            .collect(),
        problems: discovery.clashes().iter().map(Fault::from).collect(),
    };
    // Strings, numbers and lists of them: there is nothing that JSON cannot hold.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    format!("{text}\n")
}

fn library<'a>(
    discovery: &Discovery,
    file: &'a Discovered,
    enabled: &[&str],
    with_digest: bool,
) -> Library<'a> {
    let refusal = match &file.judged.verdict {
        Verdict::Refused(problem, _) => Some(problem),
        Verdict::Plugin(_) | Verdict::NotAPlugin => None,
    };
    let same_as = file.same_as.and_then(|index| discovery.files().get(index));
    let manifest = file.manifest();
    let plugins = manifest.iter().flat_map(|manifest| &manifest.plugins);
    Library {
        file: file.name(),
        path: file.judged.path.display().to_string(),
        state: match (&file.judged.verdict, same_as) {
            (_, Some(_)) => "link",
            (Verdict::Plugin(_), None) => "plugins",
            (Verdict::NotAPlugin, None) => "not-a-plugin",
            (Verdict::Refused(..), None) => "refused",
        },
        same_as: same_as.map(Discovered::name),
        sha256: with_digest
            .then(|| file.digest())
            .flatten()
            .map(|digest| digest.to_string()),
        recorded: discovery.installed().get(&file.name()).is_some(),
        package: manifest.map(|manifest| manifest.package.as_str()),
        version: manifest.map(|manifest| manifest.version.as_str()),
        api: manifest.map(|manifest| manifest.api.to_string()),
        rustc: manifest.map(|manifest| manifest.rustc.as_str()),
        plugins: plugins
            .map(|plugin| Offered {
                key: &plugin.key,
                role: plugin.role.to_string(),
                summary: &plugin.summary,
                state: state(discovery, plugin, refusal, enabled),
            })
            .collect(),
        problem: refusal.map(Fault::from),
    }
}
