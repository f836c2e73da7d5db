//! BIND.

use std::path::Path;
use std::process::Command;

use super::{Access, INSPECTOR, Layout, Signing, has_ipv6, program};

/// What it says once all zones are loaded and it listens.
pub(super) const READY: &str = "all zones loaded";

pub(super) fn command(directory: &Path) -> Command {
    let mut command = Command::new(program("named"));
    command
        .args(["-g", "-n", "1", "-c"])
        .arg(directory.join("named.conf"));
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
    let mut listen = format!("listen-on port {port} {{ 127.0.0.1; }};\n");
    listen += &match has_ipv6() {
        true => format!("listen-on-v6 port {port} {{ ::1; }};\n"),
        false => "listen-on-v6 { none; };\n".to_owned(),
    };
    let mut tls = String::new();
    if options.tls {
        listen += &format!("listen-on port {tls_port} tls own {{ 127.0.0.1; }};\n");
        tls = format!(
            "tls own {{ cert-file \"{directory}/server.pem\"; key-file \"{directory}/server.key\"; }};\n"
        );
    }
    let who = |access| match access {
        Access::Key => format!("key \"{name}\"; "),
        Access::Anyone => "localhost; ".to_owned(),
        Access::Nobody => String::new(),
    };
    let transfer = format!("{}{INSPECTOR}; ", who(options.transfer));
    let update = match options.update {
        Access::Nobody => "none; ".to_owned(),
        access => who(access),
    };
    let nsec3 = match options.sign {
        Signing::Nsec3 => "nsec3param iterations 0 optout no salt-length 0;",
        _ => "",
    };
    let mut text = format!(
        "\
{tls}{key}options {{
directory \"{directory}\";
pid-file none;
session-keyfile \"{directory}/session.key\";
managed-keys-directory \"{directory}\";
lock-file none;
{listen}recursion no;
dnssec-validation no;
notify no;
allow-query {{ any; }};
allow-transfer {{ {transfer}}};
provide-ixfr yes;
minimal-responses yes;
empty-zones-enable no;
check-names primary ignore;
check-names secondary ignore;
check-integrity no;
check-spf ignore;
max-journal-size 10m;
// 100 unless this says otherwise.
max-records-per-type 0;
max-types-per-name 0;
masterfile-format text;
// A server that is told of a change is to ask at once.
serial-query-rate 1000;
max-refresh-time 3600;
min-refresh-time 60;
}};
dnssec-policy signed {{
keys {{ csk lifetime unlimited algorithm ecdsap256sha256; }};
{nsec3}
max-zone-ttl P30D;
}};
controls {{ }};
",
        key = key.file(),
    );
    for (number, apex) in layout.apexes() {
        let file = layout.zone_file(number);
        let of_kind = match options.primary {
            Some(primary) => format!(
                "type secondary; primaries {{ {} port {} key \"{name}\"; }}; allow-notify {{ localhost; }};",
                primary.ip(),
                primary.port(),
            ),
            // BIND takes one of the two.
            None if options.per_zone.contains("update-policy") => "type primary;".to_owned(),
            None => format!("type primary; allow-update {{ {update}}};"),
        };
        let signing = match options.sign {
            Signing::No => "",
            _ => " dnssec-policy signed;",
        };
        let more = options.per_zone;
        text += &format!("zone \"{apex}\" {{ {of_kind} file \"{file}\";{signing} {more} }};\n");
    }
    layout.write("named.conf", &text);
}
