//! The plugins for Google Cloud, against a server that answers as Google is documented to.

mod honesty;
mod gcloud;
mod gce;
mod zones;
mod applying;
mod publishing;
mod whole;
mod faults;

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

/// A deployment with the libraries for Google and for zone files, and the key of a service account; which
/// plugins it has is up to the test.
pub(crate) fn deployment(google: &Google) -> Janitor {
    deployment_with(google, "timeout = 30.0\ndeadline = 60.0")
}

/// As [`deployment`], with other patience in the table `[gcp]`.
fn deployment_with(google: &Google, patience: &str) -> Janitor {
    let janitor = Janitor::new().libraries(&[GCP, FILES]);
    let key_file = google.key_file(&janitor.path(""));
    let name = key_file
        .file_name()
        .expect("it has a name")
        .to_string_lossy();
    let shared = format!("[gcp]\nkeyfile = '{name}'\n{patience}\n");
    janitor.settings(&format!("{shared}{}", google.endpoints()))
}

/// More changes are let through than an operator would have it: the zones of tests are small.
const LARGE_CHANGES: &str = "[core.guard]\ndeletions_percent = 'off'\nupdates_percent = 'off'";

/// From instances to the zone `example.com.` of Cloud DNS, in the project `dns`.
pub(crate) fn corrected(google: &Google) -> Janitor {
    corrected_with(google, "")
}

/// As [`corrected`], with further settings of `gcp.gce`.
pub(crate) fn corrected_with(google: &Google, of_gce: &str) -> Janitor {
    correcting(deployment(google), of_gce)
}

fn correcting(janitor: Janitor, of_gce: &str) -> Janitor {
    compared(janitor, of_gce)
        .publishers(&["gcp.apply"])
        .settings("[gcp.apply]\nproject = 'dns'")
}

/// From instances to the topic `corrections` of the Gordon service.
pub(crate) fn told(google: &Google) -> Janitor {
    telling(deployment(google), "")
}

fn telling(janitor: Janitor, of_gpubsub: &str) -> Janitor {
    compared(janitor, "")
        .publishers(&["gcp.gpubsub"])
        .settings(&format!(
            "[gcp.gpubsub]\nproject = 'dns'\ntopic = 'corrections'\n{of_gpubsub}"
        ))
}

fn compared(janitor: Janitor, of_gce: &str) -> Janitor {
    janitor
        .authorities(&["gcp.gce"])
        .reconcilers(&["gcp.gdns"])
        .settings(&format!("[gcp.gce]\ndns_zone = 'example.com.'\n{of_gce}"))
        .settings("[gcp.gdns]\nproject = 'dns'")
        .settings(LARGE_CHANGES)
}
