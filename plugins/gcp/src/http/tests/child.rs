//! Tests of what depends on the environment, which belongs to the whole process.

use std::env;
use std::process::Command;

/// Runs `test` of `module`, which calls this, in a process of its own, with `environment` and no other variables about proxies.
/// False in that process, where what is to be tested follows.
pub(super) fn in_a_process_with(module: &str, test: &str, environment: &[(&str, &str)]) -> bool {
    const CHILD: &str = "JANITOR_TEST_CHILD";
    if env::var_os(CHILD).is_some() {
        return false;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUEST_METHOD",
    ] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let name = format!("{}::{test}", module.split_once("::").unwrap().1);
    let output = command
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && shown.contains("1 passed"),
        "{shown}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    true
}
