//! The program with the plugins for name servers, and the servers it works with.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use crate::janitor::{DNS, FILES, Janitor};
use crate::peers::name_server::{Key, NameServer};

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

/// A text without what is another one every time: ports of servers, IDs of messages, times.
pub(super) fn steady(text: &str) -> String {
    let mut shown = text.to_owned();
    for before in [
        "127.0.0.1:",
        "the ID ",
        "the request had ",
        "clock reads ",
        "ours ",
        "it is ",
    ] {
        let mut parts = shown.split(before);
        let mut without = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let is_part = |c: char| c.is_ascii_digit() || "-:TZ".contains(c);
            let rest = match part.starts_with(|c: char| c.is_ascii_digit()) {
                true if before.ends_with(':') => {
                    part.trim_start_matches(|c: char| c.is_ascii_digit())
                }
                true => part.trim_start_matches(is_part),
                false => part,
            };
            without += before;
            without += if rest.len() < part.len() { "<n>" } else { "" };
            without += rest;
        }
        shown = without;
    }
    // Which of both it is depends on what was on its way when somebody hung up.
    let mut parts = shown.split("the connection broke ");
    let mut closed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        closed += "the server closed the connection ";
        closed += &part.replacen(": Connection reset by peer (os error 104)", "", 1);
    }
    // And of what came of a question after that.
    let why = "cannot ask whether it was done: ";
    match closed.split_once(why) {
        Some((before, _)) => format!("{before}{why}…\""),
        None => closed,
    }
}
