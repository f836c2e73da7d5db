//! Knot DNS.

use std::path::Path;
use std::process::Command;

use super::{Access, INSPECTOR, Layout, Signing, has_ipv6, program};

/// What it says once all zones are loaded and it listens.
pub(super) const READY: &str = "server started";

pub(super) fn command(directory: &Path) -> Command {
    let mut command = Command::new(program("knotd"));
    command.arg("-c").arg(directory.join("knot.conf"));
    command
}

pub(super) fn configure(layout: &Layout<'_>) {
    let Layout {
        directory,
        port,
        options,
        ..
    } = layout;
    let directory = directory.display();
    let key = &options.key;
    let ipv6 = if has_ipv6() {
        format!(", ::1@{port}")
    } else {
        String::new()
    };
    let mut text = format!(
        "\
server:
    rundir: {directory}
    listen: [ 127.0.0.1@{port}{ipv6} ]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {directory}/db
    journal-db-max-size: 64M
    kasp-db-max-size: 8M
    timer-db-max-size: 8M
key:
  - id: {name}.
    algorithm: {algorithm}
    secret: {secret}
acl:
  - id: inspector
    address: {INSPECTOR}
    action: transfer
  - id: notify
    address: 127.0.0.0/8
    action: notify
",
        name = key.name,
        algorithm = key.algorithm,
        secret = key.secret,
    );
    let mut rules = vec!["inspector", "notify"];
    for (action, access) in [("transfer", options.transfer), ("update", options.update)] {
        if access != Access::Nobody {
            let name = &key.name;
            text += &format!("  - id: {action}-key\n    key: {name}.\n    action: {action}\n");
            rules.push(if action == "transfer" {
                "transfer-key"
            } else {
                "update-key"
            });
        }
        if access == Access::Anyone {
            text += &format!(
                "  - id: {action}\n    address: [ 127.0.0.0/8, \"::1\" ]\n    action: {action}\n"
            );
            rules.push(action);
        }
    }
    let rules = rules.join(", ");
    if let Some(primary) = options.primary {
        let (address, port, name) = (primary.ip(), primary.port(), &key.name);
        text +=
            &format!("remote:\n  - id: primary\n    address: {address}@{port}\n    key: {name}.\n");
    }
    if options.sign != Signing::No {
        let nsec3 = if options.sign == Signing::Nsec3 {
            "on"
        } else {
            "off"
        };
        text += &format!(
            "policy:\n  - id: signed\n    algorithm: ecdsap256sha256\n    nsec3: {nsec3}\n    \
             cds-cdnskey-publish: always\n"
        );
    }
    text += &format!(
        "\
template:
  - id: default
    storage: {directory}/zones
    semantic-checks: off
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: changes
    serial-policy: increment
    acl: [ {rules} ]
"
    );
    if options.primary.is_some() {
        text = text.replace(
            "    zonefile-load: difference\n",
            "    zonefile-load: none\n",
        );
        text = text.replace(
            "    journal-content: changes\n",
            "    journal-content: all\n",
        );
        text += "    master: primary\n";
    }
    if options.sign != Signing::No {
        text += "    dnssec-signing: on\n    dnssec-policy: signed\n    zonemd-generate: zonemd-sha384\n";
    }
    for line in options.per_zone.lines() {
        text += &format!("    {line}\n");
    }
    text += "zone:\n";
    for (number, apex) in layout.apexes() {
        text += &format!("  - domain: \"{apex}.\"\n    file: \"{number}\"\n");
    }
    // Knot does not make it, and works without until the first change.
    std::fs::create_dir(layout.path("db")).expect("a directory can be made");
    layout.write("knot.conf", &text);
}
