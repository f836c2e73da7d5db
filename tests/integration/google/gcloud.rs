//! Google's own command line understands what stands for Google here.

use std::process::Command;

use insta::assert_snapshot;
use janitor_test_google::{Google, Instance, ManagedZone, World};
use tempfile::TempDir;

use super::google;
use crate::peers::say_skipped;

/// `gcloud`, which takes the fake for Google.
struct Gcloud<'a> {
    google: &'a Google,
    room: TempDir,
}

impl<'a> Gcloud<'a> {
    /// None if it is not installed, which is said loudly. No registry has it, so that is no failure.
    fn of(google: &'a Google) -> Option<Self> {
        let version = Command::new("gcloud").arg("--version").output();
        if !version.is_ok_and(|output| output.status.success()) {
            say_skipped("needs gcloud (https://cloud.google.com/sdk/docs/install)");
            return None;
        }
        let room = tempfile::tempdir().expect("a temporary directory can be made");
        Some(Self { google, room })
    }

    /// What `gcloud` prints, errors behind all else.
    fn says(&self, arguments: &str) -> String {
        let url = self.google.url();
        let output = Command::new("gcloud")
            .args(arguments.split_whitespace())
            .current_dir(&self.room)
            .env("CLOUDSDK_CONFIG", self.room.path())
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1")
            .env("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
            .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_DNS", format!("{url}/"))
            .env(
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE",
                format!("{url}/compute/v1/"),
            )
            .env(
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
                format!("{url}/"),
            )
            .output()
            .expect("gcloud can be run");
        let lines = [output.stdout, output.stderr].concat();
        let lines = String::from_utf8_lossy(&lines).replace(&url, "<url>");
        let lines = lines.lines().map(str::trim_end);
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn gcloud_lists_projects_and_instances() {
    let instance = Instance::new("www")
        .external("192.0.2.1")
        .that_is("TERMINATED");
    let world = World::new()
        .without_tokens()
        .instance("web", instance)
        .instance("web", Instance::new("db").in_zone("europe-west1-b"))
        .project_that_is("gone", "DELETE_REQUESTED");
    let google = google(world);
    let Some(gcloud) = Gcloud::of(&google) else {
        return;
    };

    assert_eq!(
        gcloud.says("projects list --format value(projectId)"),
        "web"
    );
    let columns = "name,zone.basename(),status,networkInterfaces[0].accessConfigs[0].natIP";
    let list = |project: &str| {
        gcloud.says(&format!(
            "compute instances list --project {project} --format value({columns})"
        ))
    };
    assert_snapshot!(list("web"), @"
    db	europe-west1-b	RUNNING
    www	us-east1-b	TERMINATED	192.0.2.1
    ");
    assert!(list("strange").contains("The resource 'projects/strange' was not found"));

    // It asks for what the documents of today's Compute Engine no longer have.
    let mut violations = google.take_violations();
    violations.retain(|violation| !violation.ends_with("knows no returnPartialSuccess"));
    assert_eq!(violations, [""; 0]);
}

#[test]
fn gcloud_reads_and_changes_record_sets() {
    let zone =
        ManagedZone::public("example.com.").with("www.example.com.", "A", 300, &["192.0.2.1"]);
    let google = google(World::new().without_tokens().managed_zone("dns", zone));
    let Some(gcloud) = Gcloud::of(&google) else {
        return;
    };
    let of_zone = "--zone example-com --project dns";
    let add = |owner: &str, rrdata: &str| {
        format!("dns record-sets create {owner} --type A --ttl 60 --rrdatas {rrdata} {of_zone}")
    };

    let added = gcloud.says(&add("new.example.com.", "192.0.2.2"));
    assert!(added.contains("new.example.com."), "{added}");
    let twice = gcloud.says(&add("www.example.com.", "192.0.2.2"));
    assert!(
        twice.contains("409") && twice.contains("already exists"),
        "{twice}"
    );
    let outside = gcloud.says(&add("www.example.net.", "192.0.2.2"));
    assert!(
        outside.contains("400") && outside.contains("Invalid value"),
        "{outside}"
    );
    let columns = "--format value(name,type,ttl,rrdatas.list())";
    let list = gcloud.says(&format!(
        "dns record-sets list {of_zone} --page-size 2 {columns}"
    ));
    assert_snapshot!(list, @"
    example.com.	NS	21600	ns-cloud-a1.googledomains.com.,ns-cloud-a2.googledomains.com.,ns-cloud-a3.googledomains.com.,ns-cloud-a4.googledomains.com.
    example.com.	SOA	21600	ns-cloud-a1.googledomains.com. cloud-dns-hostmaster.google.com. 2 21600 3600 259200 300
    new.example.com.	A	60	192.0.2.2
    www.example.com.	A	300	192.0.2.1
    ");
}

#[test]
fn gcloud_makes_a_change_of_several_record_sets() {
    let zone =
        ManagedZone::public("example.com.").with("www.example.com.", "A", 300, &["192.0.2.1"]);
    let google = google(World::new().without_tokens().managed_zone("dns", zone));
    let Some(gcloud) = Gcloud::of(&google) else {
        return;
    };
    let of_zone = "--zone example-com --project dns";
    let transaction =
        |rest: &str| gcloud.says(&format!("dns record-sets transaction {rest} {of_zone}"));

    transaction("start");
    transaction("remove --name www.example.com. --ttl 300 --type A 192.0.2.1");
    transaction("add --name www.example.com. --ttl 60 --type A 192.0.2.2");
    transaction("add --name mail.example.com. --ttl 60 --type A 192.0.2.3");
    let executed = transaction("execute");
    assert!(
        executed.contains("managedZones/example-com/changes/1"),
        "{executed}"
    );
    assert_snapshot!(google.world(|world| world.served("dns", "example-com")), @"
    example.com. 21600 NS ns-cloud-a1.googledomains.com.
    example.com. 21600 NS ns-cloud-a2.googledomains.com.
    example.com. 21600 NS ns-cloud-a3.googledomains.com.
    example.com. 21600 NS ns-cloud-a4.googledomains.com.
    example.com. 21600 SOA ns-cloud-a1.googledomains.com. cloud-dns-hostmaster.google.com. SERIAL 21600 3600 259200 300
    mail.example.com. 60 A 192.0.2.3
    www.example.com. 60 A 192.0.2.2
    ");

    // What is not so any more when it is to be removed: nothing of the change is done.
    transaction("start");
    transaction("add --name other.example.com. --ttl 60 --type A 192.0.2.3");
    transaction("remove --name mail.example.com. --ttl 60 --type A 192.0.2.3");
    google.world(|world| {
        let zone = world.zone_mut("dns", "example-com");
        zone.put("mail.example.com.", "A", 61, &["192.0.2.3"]);
    });
    let before = google.world(|world| world.served("dns", "example-com"));
    let refused = transaction("execute");
    assert!(
        refused.contains("412") && refused.contains("Precondition not met"),
        "{refused}"
    );
    assert_eq!(
        google.world(|world| world.served("dns", "example-com")),
        before
    );
}
