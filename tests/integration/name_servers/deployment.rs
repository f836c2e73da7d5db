//! The program with the plugins for name servers, and the servers it works with.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use crate::janitor::{DNS, FILES, Janitor};
use crate::peers::name_server::{Key, NameServer};

/// Random changes are larger than any limit allows.
pub(super) const WITHOUT_LIMITS: &str = "\
[core.guard]
deletions_percent = 'off'
updates_percent = 'off'
[core.guard.run]
deletions_percent = 'off'
updates_percent = 'off'
zones_percent = 'off'
";

/// A deployment that takes desired zones from files, reads what is served from `servers`, and corrects it
/// there, with this key. What is added to its settings continues the table `[dns]`.
pub(super) fn janitor(servers: &[SocketAddr], key: &Key) -> Janitor {
    let janitor = unsigned(servers)
        .file("janitor.key", key.file())
        .settings("tsig_key = { file = 'janitor.key' }");
    // Others must not read a key.
    let path = janitor.path("janitor.key");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
    janitor
}

/// The same without a key.
pub(super) fn unsigned(servers: &[SocketAddr]) -> Janitor {
    let servers = servers.iter().map(ToString::to_string).collect::<Vec<_>>();
    Janitor::new()
        .libraries(&[FILES, DNS])
        .reconcilers(&["dns.axfr"])
        .publishers(&["dns.update"])
        .settings(&format!("[dns]\nservers = {servers:?}"))
}

/// The same for one server.
pub(super) fn janitor_for(server: &NameServer) -> Janitor {
    janitor(&[server.address()], server.key())
}

/// A text without what is another one every time: the ports of servers, the IDs of messages.
pub(super) fn steady(text: &str) -> String {
    let mut shown = text.to_owned();
    for before in ["127.0.0.1:", "the ID ", "the request had "] {
        let mut parts = shown.split(before);
        let mut without = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            without += before;
            without += "<n>";
            without += part.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        shown = without;
    }
    shown
}
