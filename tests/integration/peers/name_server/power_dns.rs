//! PowerDNS with its SQLite backend.

use std::path::Path;
use std::process::Command;

use super::{Access, INSPECTOR, Layout, Signing, has_ipv6, output, program, skipped};

/// What it says once it listens.
pub(super) const READY: &str = "Creating backend connection for TCP";

/// Where Debian's package of the backend has its tables.
const SCHEMA: &str = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

pub(super) fn command(directory: &Path) -> Command {
    let mut command = Command::new(program("pdns_server"));
    command.arg(format!("--config-dir={}", directory.display()));
    command
}

/// None if it is not installed, which is said loudly.
pub(super) fn configure(layout: &Layout<'_>) -> Option<()> {
    let Layout {
        directory,
        port,
        options,
        ..
    } = layout;
    let directory = directory.display();
    let ipv6 = if has_ipv6() { ", ::1" } else { "" };
    let allowed = match options.transfer {
        Access::Anyone => "127.0.0.0/8,::1".to_owned(),
        Access::Key | Access::Nobody => INSPECTOR.to_string(),
    };
    let updates = match options.update {
        Access::Nobody => "no",
        Access::Key | Access::Anyone => "yes",
    };
    layout.write(
        "pdns.conf",
        &format!(
            "\
launch=gsqlite3
gsqlite3-database={directory}/pdns.sqlite3
gsqlite3-pragma-synchronous=0
gsqlite3-dnssec=yes
local-address=127.0.0.1{ipv6}
local-port={port}
socket-dir={directory}
daemon=no
guardian=no
disable-syslog=yes
loglevel=5
allow-axfr-ips={allowed}
primary=yes
secondary=yes
dnsupdate={updates}
allow-dnsupdate-from=127.0.0.0/8,::1/128
allow-notify-from=127.0.0.0/8
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
only-notify=
receiver-threads=1
distributor-threads=1
signing-threads=1
webserver=no
security-poll-suffix=
"
        ),
    );
    let Ok(schema) = std::fs::read_to_string(SCHEMA) else {
        skipped("needs pdns-backend-sqlite3 (Debian: pdns-backend-sqlite3)");
        return None;
    };
    let database = rusqlite::Connection::open(layout.path("pdns.sqlite3"));
    let database = database.expect("a database can be made");
    let fill = |sql: &str| database.execute_batch(sql).expect("the database takes it");
    fill(&schema);
    fill(&zones(layout)?);
    fill(&metadata(layout));
    drop(database);
    if options.primary.is_none() {
        sign(layout)?;
    }
    Some(())
}

/// Makes a secondary that has ended the primary of its zones.
///
/// None if what that takes is not installed, which is said loudly.
pub(super) fn promote(layout: &Layout<'_>) -> Option<()> {
    let database = rusqlite::Connection::open(layout.path("pdns.sqlite3"));
    let database = database.expect("the database is there");
    let promoted = database.execute("UPDATE domains SET type = 'MASTER', master = ''", []);
    promoted.expect("the database takes it");
    drop(database);
    sign(layout)
}

/// The zones as SQL, by PowerDNS' own reader.
fn zones(layout: &Layout<'_>) -> Option<String> {
    if let Some(primary) = layout.options.primary {
        let rows = layout.apexes().map(|(_, apex)| {
            format!("INSERT INTO domains (name, type, master) VALUES ('{apex}', 'SLAVE', '{primary}');\n")
        });
        return Some(rows.collect());
    }
    let zones = layout.apexes().map(|(number, apex)| {
        let file = layout.zone_file(number);
        format!("zone \"{apex}\" {{ type master; file \"{file}\"; }};\n")
    });
    layout.write("zones.conf", &zones.collect::<String>());
    let mut zone2sql = Command::new("zone2sql");
    zone2sql.args(["--gsqlite", "--transactions"]);
    zone2sql.arg(format!(
        "--named-conf={}",
        layout.path("zones.conf").display()
    ));
    printed(&mut zone2sql, "pdns-tools")
}

/// The key and what it is for.
fn metadata(layout: &Layout<'_>) -> String {
    let options = layout.options;
    let key = &options.key;
    let mut sql = format!(
        "INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('{}', '{}', '{}');\n",
        key.name, key.algorithm, key.secret
    );
    let mut set = |kind: &str, content: &str| {
        sql += &format!(
            "INSERT INTO domainmetadata (domain_id, kind, content) SELECT id, '{kind}', '{content}' FROM domains;\n"
        );
    };
    if options.transfer != Access::Nobody {
        set("TSIG-ALLOW-AXFR", &key.name);
    }
    if options.update == Access::Key {
        set("TSIG-ALLOW-DNSUPDATE", &key.name);
    }
    if options.primary.is_some() {
        set("AXFR-MASTER-TSIG", &key.name);
    }
    set("SOA-EDIT-DNSUPDATE", "INCREASE");
    for line in options.per_zone.lines() {
        let (kind, content) = line.split_once(' ').expect("kind and content of metadata");
        set(kind, content);
    }
    sql
}

/// Signs the zones, if that is asked for.
fn sign(layout: &Layout<'_>) -> Option<()> {
    if layout.options.sign == Signing::No {
        return Some(());
    }
    for (_, apex) in layout.apexes() {
        let mut commands = vec![vec!["secure-zone", apex]];
        if layout.options.sign == Signing::Nsec3 {
            commands.push(vec!["set-nsec3", apex, "1 0 0 -"]);
        }
        commands.push(vec!["set-publish-cds", apex]);
        commands.push(vec!["set-publish-cdnskey", apex]);
        commands.push(vec!["rectify-zone", apex]);
        for arguments in commands {
            let mut pdnsutil = Command::new("pdnsutil");
            pdnsutil.arg(format!("--config-dir={}", layout.directory.display()));
            pdnsutil.args(arguments);
            printed(&mut pdnsutil, "pdns-server")?;
        }
    }
    Some(())
}

/// What a command prints. None if it is not installed, which is said loudly.
fn printed(command: &mut Command, package: &str) -> Option<String> {
    let output = output(command, package)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
