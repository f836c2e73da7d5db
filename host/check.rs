//! The commands that judge without running anything: `check` a deployment, `plugins check` files.

use std::path::{Path, PathBuf};

use crate::config::{Config, FILES};
use crate::discovery::{Discovered, Discovery, PluginDirectory};
use crate::error::{Error, print_warnings};
use crate::guard;
use crate::manifest::{Manifest, Plugin};
use crate::offer::state_root;
use crate::preflight::{Judged, Preflight, Subject, Trust, Verdict, stranger};
use crate::problem::{Code, Problem, Problems, escape};
use crate::record::{Access, Record};
use crate::resolve::{Purpose, resolve};
use crate::table::columns;

/// Judges the whole deployment as `user`, or this process's, would find it, and returns what would
/// run. Warnings are printed on standard error.
///
/// # Errors
///
/// Everything that would keep a run from starting, as far as that can be told without running plugins.
pub fn check(root: &Path, plugin_dir: Option<&Path>, user: Option<&str>) -> Result<String, Error> {
    let preflight = Preflight::new(trust(user)?);
    let mut found = judge_configuration(root, &preflight);
    let config = match Config::load(root) {
        Ok(config) => config,
        Err(problems) => {
            found.extend_from_slice(problems.list());
            return Err(Problems::check(found).err().unwrap_or(problems).into());
        }
    };
    let directory = PluginDirectory::choose(plugin_dir, Some(&config));
    let discovery = Discovery::scan_for(directory, &preflight);
    let deployment = match resolve(&config, &discovery, Purpose::Publish) {
        Ok(mut deployment) => {
            found.append(&mut deployment.warnings);
            Some(deployment)
        }
        Err(Error::Problems(problems)) => {
            found.extend_from_slice(problems.list());
            None
        }
        Err(Error::NoPlugins { warnings }) => {
            found.extend(warnings);
            None
        }
        Err(error) => return Err(error),
    };
    found.extend(judge_safeguards(&config, user));
    let warnings = Problems::check(found)?;
    let Some(deployment) = deployment else {
        return Err(Error::NoPlugins { warnings });
    };
    print_warnings(&warnings);
    let rows = deployment.plugins.iter().map(|plugin| {
        [
            plugin.key.clone(),
            plugin.role.to_string(),
            escape(&plugin.manifest.version),
            escape(&plugin.library.display().to_string()),
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    let count = match rows.len() {
        1 => "1 plugin".to_owned(),
        many => format!("{many} plugins"),
    };
    let mut out = columns(&rows);
    let refused = |file: &&Discovered| matches!(file.judged.verdict, Verdict::Refused(..));
    match discovery.files().iter().filter(refused).count() {
        0 => {}
        1 => out.push_str(
            "1 library that nothing here needs was refused: gordon-janitor plugins list\n",
        ),
        many => out.push_str(&format!(
            "{many} libraries that nothing here needs were refused: gordon-janitor plugins list\n"
        )),
    }
    out.push_str(&format!(
        "everything is in order: {count} would run as {}{}\n",
        preflight.trust().name(),
        match warnings.len() {
            0 => String::new(),
            1 => "; 1 warning".to_owned(),
            many => format!("; {many} warnings"),
        }
    ));
    Ok(out)
}

/// Limits and a history that would keep a run from publishing. What another user may read of the history
/// is for a run of that user to say.
fn judge_safeguards(config: &Config, user: Option<&str>) -> Vec<Problem> {
    let core = config.core();
    let mut found = Vec::new();
    if let Err(Error::Problems(problems)) = guard::prove(&core.guard) {
        found.extend_from_slice(problems.list());
    }
    if core.history.enabled && user.is_none() {
        let opened = Record::open(&state_root(Some(core)), Access::Read);
        found.extend(opened.err());
    }
    found
}

fn trust(user: Option<&str>) -> Result<Trust, Error> {
    let Some(name) = user else {
        return Ok(Trust::of_process());
    };
    Trust::of_user(name).ok_or_else(|| {
        Error::failed(
            "cannot judge for another user",
            format!("this system knows no user `{name}`"),
        )
        .hint("name the user that the service runs as, or its number")
    })
}

/// What others could do to the configuration, as warnings, and what keeps the user from reading it.
fn judge_configuration(root: &Path, preflight: &Preflight) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    let files = FILES.iter().map(|name| root.join(name));
    for path in files.filter(|path| path.symlink_metadata().is_ok()) {
        match preflight.judge_place(&path, Subject::Configuration) {
            Ok(warnings) => found.extend(warnings),
            Err(problem) if problem.code() == Code::Untrusted => {
                // Both files share their directories.
                let is_known = found
                    .iter()
                    .any(|known| known.summary() == problem.summary());
                found.extend((!is_known).then(|| problem.into_warning()));
            }
            Err(problem) if problem.code() == Code::UnreadableConfiguration => {
                found.push(problem);
            }
            // What this process cannot read is told when it is read.
            Err(_) => {}
        }
    }
    found
}

/// Judges files anywhere by what is in them, and returns what they say of themselves. Where they
/// lie is told, and is no fault.
///
/// # Errors
///
/// Those of the files that could not be loaded from anywhere on this machine.
pub fn files(paths: &[PathBuf]) -> Result<String, Error> {
    let preflight = Preflight::new(Trust::of_process());
    let mut out = String::new();
    let mut problems = Vec::new();
    for path in paths {
        let judged = preflight.judge_content(path);
        match &judged.verdict {
            Verdict::Plugin(manifest) => {
                out.push_str(&summary(path, manifest));
                if let Err(problem) = preflight.judge_place(path, Subject::Library) {
                    let note = escape(problem.summary());
                    out.push_str(&format!("  note: not to be loaded from there: {note}\n"));
                }
                remark(&judged, &mut out);
            }
            Verdict::NotAPlugin => problems.push(stranger(path)),
            Verdict::Refused(problem, _) => problems.push(problem.clone()),
        }
    }
    match Problems::check(problems) {
        Ok(_) => Ok(out),
        Err(problems) => {
            // The others are told as well.
            crate::print(&out)?;
            Err(problems.into())
        }
    }
}

fn remark(judged: &Judged, out: &mut String) {
    let octets: u64 = judged.static_tls.iter().map(|(_, octets)| octets).sum();
    if octets > 0 {
        out.push_str(&format!(
            "  note: takes {octets} octets of the loader's static thread-local storage\n"
        ));
    }
}

/// What a library says of itself: one line for it, one for each plugin.
fn summary(path: &Path, manifest: &Manifest) -> String {
    let Manifest {
        api,
        rustc,
        package,
        version,
        plugins,
        ..
    } = manifest;
    let rustc = rustc.strip_prefix("rustc ").unwrap_or(rustc);
    let mut out = format!(
        "{}: {} {}, plugin API {api}, rustc {}\n",
        escape(&path.display().to_string()),
        escape(package),
        escape(version),
        escape(rustc)
    );
    let rows = plugins.iter().map(|plugin| {
        let Plugin {
            key, role, summary, ..
        } = plugin;
        [format!("  {key}"), role.to_string(), escape(summary)]
    });
    out.push_str(&columns(&rows.collect::<Vec<_>>()));
    out
}
