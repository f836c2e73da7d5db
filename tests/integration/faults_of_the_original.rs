//! The Python program that this one follows had faults, numbered B1 to B40. Here is one test for each
//! that could come back: the whole program, in a situation where the original went wrong.
//!
//! B23 to B36 are faults of its plugins for Google Cloud; what the host alone has to say about B26 and B36
//! is in `working`.

mod configuration;
mod credentials;
mod plugins;
mod telling;
mod working;
mod google;
mod requests;

use serde_json::Value;

use crate::janitor::Janitor;

/// A zone in which something is to be added, updated and deleted.
fn deployment() -> Janitor {
    Janitor::new()
        .desired("example.com", "new A 192.0.2.1\nwww A 192.0.2.2")
        .served("example.com", "old A 192.0.2.1\nwww A 192.0.2.1")
}

fn is_corrected(janitor: &Janitor) -> bool {
    let served = janitor.served_file("example.com");
    served.contains("new.example.com.") && !served.contains("old.example.com.")
}

fn is_untouched(janitor: &Janitor) -> bool {
    let served = janitor.served_file("example.com");
    served.contains("old A") && !served.contains("new")
}

/// What the plugin `key` receives of a configuration.
fn received(config: &str, key: &str) -> Value {
    let run = Janitor::new()
        .config(config)
        .command(&["config", key, "--json"]);
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    serde_json::from_str(&run.stdout()).expect("what a plugin receives is JSON")
}
