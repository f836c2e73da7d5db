//! Which directory the plugin libraries are taken from.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::preflight::Obstacle;
use crate::problem::{Code, Problem};

/// The environment variable that names the plugin directory.
pub const ENVIRONMENT: &str = "GORDON_JANITOR_PLUGIN_DIR";
/// The plugin directory of an installed host.
pub const INSTALLED: &str = "/usr/lib/gordon-janitor";

/// The plugin directory, and who chose it.
#[derive(Clone, Debug)]
pub struct PluginDirectory {
    path: PathBuf,
    chosen_by: String,
}

impl PluginDirectory {
    /// Chooses: `--plugin-dir`, else the environment, else `core.plugin_dir`,
    /// else the directory of this program if cargo built it there, else
    /// [`INSTALLED`].
    #[must_use]
    pub fn choose(argument: Option<&Path>, config: Option<&Config>) -> Self {
        let environment = env::var_os(ENVIRONMENT).map(PathBuf::from);
        let executable = env::current_exe().ok();
        Self::from_candidates(
            argument,
            environment.as_deref(),
            config,
            executable.as_deref(),
        )
    }

    fn from_candidates(
        argument: Option<&Path>,
        environment: Option<&Path>,
        config: Option<&Config>,
        executable: Option<&Path>,
    ) -> Self {
        let given = |path: &Path| !path.as_os_str().is_empty();
        let (path, chosen_by) = if let Some(path) = argument {
            (path.to_path_buf(), "--plugin-dir".to_owned())
        } else if let Some(path) = environment.filter(|path| given(path)) {
            (
                path.to_path_buf(),
                format!("the environment variable {ENVIRONMENT}"),
            )
        } else if let Some((path, origin)) =
            config.and_then(|config| config.core().plugin_dir.as_ref())
        {
            (path.clone(), format!("core.plugin_dir, {origin}"))
        } else if let Some(path) = executable
            .and_then(Path::parent)
            .filter(|path| is_cargo_output(path))
        {
            (
                path.to_path_buf(),
                "the cargo target directory of this program".to_owned(),
            )
        } else {
            (PathBuf::from(INSTALLED), "the default".to_owned())
        };
        Self {
            path: std::path::absolute(&path).unwrap_or(path),
            chosen_by,
        }
    }

    /// The directory, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What named it: `--plugin-dir`, `the default`.
    #[must_use]
    pub fn chosen_by(&self) -> &str {
        &self.chosen_by
    }

    /// Why it cannot be listed.
    pub(super) fn unreadable(&self, error: &io::Error) -> Problem {
        let path = self.path.display();
        let obstacle = match error.kind() {
            io::ErrorKind::PermissionDenied => Obstacle::to_reading(&self.path),
            _ => None,
        };
        let summary = match (error.kind(), &obstacle) {
            (io::ErrorKind::NotFound, _) => format!("the plugin directory {path} does not exist"),
            (io::ErrorKind::NotADirectory, _) => {
                format!("the plugin directory {path} is not a directory")
            }
            (_, Some(obstacle)) => format!(
                "the plugin directory {path} cannot be read by {}: {}",
                obstacle.who(),
                obstacle.describe(&self.path)
            ),
            (_, None) => format!("cannot list the plugin directory {path}: {error}"),
        };
        let problem = Problem::error(Code::PluginDirectory, summary)
            .found(format!("chosen by {}", self.chosen_by));
        let problem = match obstacle {
            Some(obstacle) => problem.help(obstacle.help(None)),
            None => problem,
        };
        problem.help(format!(
            "name another with --plugin-dir, {ENVIRONMENT} or core.plugin_dir"
        ))
    }
}

/// Whether cargo builds into `directory`: it keeps `.fingerprint` in the
/// directory of a profile, whose `deps` holds test programs, and marks the
/// target directory, one or two levels higher, with `CACHEDIR.TAG`.
fn is_cargo_output(directory: &Path) -> bool {
    let profile = match directory.file_name() {
        Some(name) if name == "deps" => directory.parent().unwrap_or(directory),
        _ => directory,
    };
    profile.join(".fingerprint").is_dir()
        || profile
            .ancestors()
            .skip(1)
            .take(2)
            .any(|above| above.join("CACHEDIR.TAG").is_file())
}

/// The target directory that cargo built `executable` in, if it did.
pub(crate) fn build_tree(executable: &Path) -> Option<PathBuf> {
    let directory = executable.parent().filter(|path| is_cargo_output(path))?;
    let mut marked = directory.ancestors().skip(1).take(3);
    let target = marked.find(|above| above.join("CACHEDIR.TAG").is_file());
    Some(target.unwrap_or(directory).to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn chosen(directory: &PluginDirectory) -> (&str, &str) {
        (directory.path.to_str().unwrap(), &directory.chosen_by)
    }

    #[test]
    fn the_nearest_choice_wins() {
        let root = tempfile::tempdir().unwrap();
        fs::write(
            root.path().join("gordon-janitor.toml"),
            "[core]\nplugin_dir = '/config'",
        )
        .unwrap();
        let config = Config::load(root.path()).unwrap();
        let choose = |argument: Option<&str>, environment: Option<&str>, config| {
            let directory = PluginDirectory::from_candidates(
                argument.map(Path::new),
                environment.map(Path::new),
                config,
                Some(Path::new("/usr/bin/gordon-janitor")),
            );
            let (path, by) = chosen(&directory);
            (path.to_owned(), by.split(',').next().unwrap().to_owned())
        };
        let owned = |path: &str, by: &str| (path.to_owned(), by.to_owned());
        assert_eq!(
            choose(Some("/a"), Some("/e"), Some(&config)),
            owned("/a", "--plugin-dir")
        );
        assert_eq!(
            choose(None, Some("/e"), Some(&config)),
            owned("/e", "the environment variable GORDON_JANITOR_PLUGIN_DIR")
        );
        assert_eq!(
            choose(None, Some(""), Some(&config)),
            owned("/config", "core.plugin_dir")
        );
        assert_eq!(choose(None, None, None), owned(INSTALLED, "the default"));
    }

    #[test]
    fn a_program_in_a_target_directory_uses_its_neighbours() {
        let root = tempfile::tempdir().unwrap();
        let of = |program: &str| {
            let program = root.path().join(program);
            PluginDirectory::from_candidates(None, None, None, Some(&program)).path
        };
        let profile = root.path().join("target/debug");
        fs::create_dir_all(profile.join("deps")).unwrap();
        assert_eq!(
            of("target/debug/gj"),
            PathBuf::from(INSTALLED),
            "an ordinary directory"
        );
        fs::write(root.path().join("target/CACHEDIR.TAG"), "").unwrap();
        assert_eq!(of("target/debug/gj"), profile);
        assert_eq!(of("target/debug/deps/gj-123"), profile.join("deps"));
        let for_target = root.path().join("target/x86_64-unknown-linux-gnu/release");
        assert_eq!(of("target/x86_64-unknown-linux-gnu/release/gj"), for_target);
        assert_eq!(
            of("gj"),
            PathBuf::from(INSTALLED),
            "above the target directory"
        );
    }
}
