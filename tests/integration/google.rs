//! The plugins for Google Cloud, against a server that answers as Google is documented to.

mod honesty;
mod applying;
mod gce;
mod gcloud;

use std::path::Path;
use std::sync::Arc;

use janitor_test_google::{Google, Judge, World};

use crate::janitor::{FILES, GCP, Janitor};
use crate::peers::skipped;

/// Google's discovery documents. None if they are not installed, which is said loudly.
fn judge() -> Option<Arc<Judge>> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("google-discovery");
    let judge = Judge::load(&directory);
    if judge.is_none() {
        skipped("needs the discovery documents (tests/run fetches them)");
    }
    judge
}

/// Google, judged by its own discovery documents where they are installed.
pub(crate) fn google(world: World) -> Google {
    Google::start_judged(world, judge())
}

/// A deployment with the libraries for Google and for zone files, the key of a service account, and short
/// patience; which plugins it has is up to the test.
pub(crate) fn deployment(google: &Google) -> Janitor {
    let janitor = Janitor::new().libraries(&[GCP, FILES]);
    let key_file = google.key_file(&janitor.path(""));
    let name = key_file
        .file_name()
        .expect("it has a name")
        .to_string_lossy();
    let shared = format!("[gcp]\nkeyfile = '{name}'\ntimeout = 5.0\ndeadline = 10.0\n");
    janitor.settings(&format!("{shared}{}", google.endpoints()))
}
