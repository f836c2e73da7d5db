//! NSD: transfers, no updates.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::{Access, INSPECTOR, Layout, has_ipv6, program};

/// What it says once all zones are loaded and it listens.
pub(super) const READY: &str = "nsd started";

pub(super) fn command(directory: &Path) -> Command {
    let mut command = Command::new(program("nsd"));
    // Those of its processes that serve outlive the first one for a moment, unless they end with it.
    command.process_group(0);
    command.args(["-d", "-c"]).arg(directory.join("nsd.conf"));
    command
}

pub(super) fn configure(layout: &Layout<'_>) {
    let Layout {
        directory,
        port,
        tls_port,
        options,
        ..
    } = layout;
    let directory = directory.display();
    let key = &options.key;
    let name = &key.name;
    let mut listen = format!("    ip-address: 127.0.0.1@{port}\n");
    if has_ipv6() {
        listen += &format!("    ip-address: ::1@{port}\n");
    }
    if options.tls {
        listen += &format!(
            "    ip-address: 127.0.0.1@{tls_port}\n    tls-port: {tls_port}\n    \
             tls-service-key: \"{directory}/server.key\"\n    tls-service-pem: \"{directory}/server.pem\"\n"
        );
    }
    let mut text = format!(
        "\
server:
{listen}    username: \"\"
    chroot: \"\"
    zonesdir: \"{directory}/zones\"
    pidfile: \"{directory}/nsd.pid\"
    database: \"\"
    zonelistfile: \"{directory}/zone.list\"
    xfrdfile: \"{directory}/xfrd.state\"
    xfrdir: \"{directory}\"
    server-count: 1
    verbosity: 2
remote-control:
    control-enable: no
key:
    name: \"{name}.\"
    algorithm: {algorithm}
    secret: \"{secret}\"
pattern:
    name: all
    store-ixfr: yes
    create-ixfr: yes
    allow-notify: 127.0.0.0/8 NOKEY
    provide-xfr: {INSPECTOR} NOKEY
",
        algorithm = key.algorithm,
        secret = key.secret,
    );
    for network in ["127.0.0.0/8", "::1"] {
        if options.transfer != Access::Nobody {
            text += &format!("    provide-xfr: {network} {name}.\n");
        }
        if options.transfer == Access::Anyone {
            text += &format!("    provide-xfr: {network} NOKEY\n");
        }
    }
    if let Some(primary) = options.primary {
        let (address, port) = (primary.ip(), primary.port());
        text += &format!("    request-xfr: {address}@{port} {name}.\n");
    }
    for line in options.per_zone.lines() {
        text += &format!("    {line}\n");
    }
    for (number, apex) in layout.apexes() {
        text += &format!(
            "zone:\n    name: \"{apex}.\"\n    zonefile: \"{number}\"\n    include-pattern: all\n"
        );
    }
    layout.write("nsd.conf", &text);
}
