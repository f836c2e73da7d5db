//! The program with a file system of its own somewhere, which no other process sees.

use std::process::{Command, Output};

use crate::peers::not_permitted;

use super::Janitor;

/// Carries out the program with a `tmpfs` of these options mounted at `at`, once the shell commands
/// `prepare` have been carried out in it. None, said loudly, without the right to mount.
pub(crate) fn with_mount(
    janitor: &Janitor,
    at: &str,
    options: &str,
    prepare: &str,
    arguments: &[&str],
) -> Option<Output> {
    janitor.write_configuration();
    let script = format!(
        "mount -t tmpfs -o \"$2\" tmpfs \"$1\" || exit 77; cd \"$1\" || exit 77; {prepare}\nshift 2; cd /; exec \"$@\""
    );
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script, "sh"])
        .arg(janitor.path(at))
        .arg(options)
        .arg(env!("CARGO_BIN_EXE_gordon-janitor"))
        .args(arguments)
        .arg("--config-root")
        .arg(janitor.path(""))
        .arg("--plugin-dir")
        .arg(janitor.path("plugins"))
        .env("STATE_DIRECTORY", janitor.path("state"))
        .env_remove("GORDON_JANITOR_PLUGIN_DIR")
        .env_remove("LD_LIBRARY_PATH")
        .envs(
            janitor
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .output();
    match output {
        // 77 is the script's; unshare itself fails with 1 and its own name.
        Ok(output)
            if output.status.code() != Some(77) && !output.stderr.starts_with(b"unshare: ") =>
        {
            Some(output)
        }
        _ => {
            not_permitted("needs the right to mount (root)");
            None
        }
    }
}
