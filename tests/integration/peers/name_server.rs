//! Name servers of others, each with zones and a loopback port of its own.
//!
//! Whatever a test lets a server allow, its own eyes see everything: [`NameServer::transfer`] comes from
//! [`INSPECTOR`], an address that every server transfers to without a key.

mod bind;
mod knot;
mod nsd;
mod power_dns;
mod tls;

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::dns_client::{self, INSPECTOR, Record};
use super::port::{free_port, has_ipv6, is_of_a_taken_port};
use super::{Daemon, output, skipped};

/// How often another port is tried when somebody else has taken it meanwhile.
const ATTEMPTS: u32 = 5;

/// How long a server may take until it serves what it was given.
const LIMIT: Duration = Duration::from_secs(30);

/// A program that serves zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Knot,
    Bind,
    /// Without UPDATE.
    Nsd,
    PowerDns,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Knot, Self::Bind, Self::Nsd, Self::PowerDns];
    /// Those that take updates.
    pub(crate) const UPDATED: [Self; 3] = [Self::Knot, Self::Bind, Self::PowerDns];
}

/// Who may do something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever has the server's key.
    #[default]
    Key,
    /// Everybody, with the key or without.
    Anyone,
    Nobody,
}

/// A TSIG key. Its secret is public: servers here listen on the loopback only.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) algorithm: String,
    /// In base64.
    pub(crate) secret: String,
}

impl Default for Key {
    fn default() -> Self {
        Self {
            name: "janitor-test".to_owned(),
            algorithm: "hmac-sha256".to_owned(),
            secret: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned(),
        }
    }
}

impl Key {
    /// As `tsig-keygen` writes it, and BIND reads it.
    pub(crate) fn file(&self) -> String {
        let Self {
            name,
            algorithm,
            secret,
        } = self;
        format!("key \"{name}\" {{\n\talgorithm {algorithm};\n\tsecret \"{secret}\";\n}};\n")
    }
}

/// How a server is set up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) key: Key,
    pub(crate) transfer: Access,
    pub(crate) update: Access,
    /// Whether the server signs its zones.
    pub(crate) sign: Signing,
    /// Whether it also answers over TLS, on a port of its own: BIND and NSD.
    pub(crate) tls: bool,
    /// The server that its zones come from, with the same key; the texts of the zones do not matter.
    pub(crate) primary: Option<SocketAddr>,
    /// More for every zone, in the server's own language.
    pub(crate) per_zone: &'static str,
}

/// Whether, and how, a server signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Signing {
    #[default]
    No,
    Nsec,
    Nsec3,
}

/// What a server is started from.
struct Layout<'a> {
    directory: &'a Path,
    port: u16,
    tls_port: u16,
    /// Apex and zone file, whose name is its number in `zones/`.
    zones: &'a [(String, String)],
    options: &'a Options,
}

impl Layout<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file can be written");
    }

    fn zone_file(&self, number: usize) -> String {
        self.path(&format!("zones/{number}")).display().to_string()
    }

    fn apexes(&self) -> impl Iterator<Item = (usize, &str)> {
        let apexes = self.zones.iter().map(|(apex, _)| apex.as_str());
        apexes.enumerate()
    }
}

/// A name server that runs for the length of a test.
pub(crate) struct NameServer {
    kind: Kind,
    daemon: Daemon,
    directory: TempDir,
    port: u16,
    tls_port: u16,
    zones: Vec<(String, String)>,
    options: Options,
}

impl NameServer {
    /// Starts a server with zones, each an apex and its zone file, and waits until it serves them.
    ///
    /// None if it is not installed, which is said loudly.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub(crate) fn start(
        kind: Kind,
        zones: &[(impl AsRef<str>, impl AsRef<str>)],
        options: &Options,
    ) -> Option<Self> {
        let zones = zones.iter().map(|(apex, text)| {
            let apex = apex.as_ref().trim_end_matches('.');
            (apex.to_owned(), text.as_ref().to_owned())
        });
        let zones = zones.collect::<Vec<_>>();
        // Whoever has a server has something to change it with.
        output(Command::new("nsupdate").arg("-V"), "bind9-dnsutils")?;
        let mut said = String::new();
        for _ in 0..ATTEMPTS {
            let directory = tempfile::tempdir().expect("a temporary directory can be made");
            let (port, tls_port) = (free_port(), free_port());
            let daemon = launch(kind, directory.path(), port, tls_port, &zones, options)?;
            let mut server = Self {
                kind,
                daemon,
                directory,
                port,
                tls_port,
                zones: zones.clone(),
                options: options.clone(),
            };
            let is_ready = server.is_ready();
            said = server.said();
            // BIND goes on without an address that somebody else has.
            match (is_ready, is_of_a_taken_port(&said)) {
                (true, false) => {
                    server.wait_until_served();
                    return Some(server);
                }
                (_, true) => {}
                (false, false) => break,
            }
        }
        panic!("{kind:?} does not start:\n{said}");
    }

    /// A server of one zone and with nothing unusual.
    pub(crate) fn of(kind: Kind, apex: &str, zone_file: &str) -> Option<Self> {
        Self::start(kind, &[(apex, zone_file)], &Options::default())
    }

    /// Where it answers, over UDP and TCP.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Where it answers over IPv6; on machines that have it.
    pub(crate) fn address_of_ipv6(&self) -> Option<SocketAddr> {
        has_ipv6().then(|| (Ipv6Addr::LOCALHOST, self.port).into())
    }

    /// Where it answers over TLS, if it was asked to.
    pub(crate) fn address_of_tls(&self) -> SocketAddr {
        assert!(self.options.tls, "this server has no TLS");
        (Ipv4Addr::LOCALHOST, self.tls_port).into()
    }

    /// The certificate of the authority that signed the server's own, which is for `ns.test`.
    pub(crate) fn certificate_authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    pub(crate) fn key(&self) -> &Key {
        &self.options.key
    }

    /// What is served of a zone, as anybody may see it who asks the server.
    ///
    /// # Panics
    ///
    /// If the server does not tell all of it.
    pub(crate) fn transfer(&self, apex: &str) -> Vec<Record> {
        again_if_reset(|| dns_client::transfer(self.address(), apex))
            .unwrap_or_else(|error| panic!("cannot see {apex} at {:?}: {error}", self.kind))
    }

    /// The same in presentation format, in canonical order, without SOA and NS at the apex: what a test
    /// writes down.
    pub(crate) fn lines(&self, apex: &str) -> Vec<String> {
        let records = self.transfer(apex);
        let records = records.iter().filter(|record| !record.is_of_apex(apex));
        records.map(ToString::to_string).collect()
    }

    /// The serial of a zone.
    pub(crate) fn serial(&self, apex: &str) -> u32 {
        again_if_reset(|| dns_client::serial(self.address(), apex))
            .unwrap_or_else(|error| panic!("{:?} has no SOA of {apex}: {error}", self.kind))
    }

    /// Changes a zone, as somebody does by hand: `nsupdate` with the server's key. Each line is a command.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub(crate) fn update(&self, apex: &str, commands: &str) {
        self.by_hand(apex, commands)();
    }

    /// The same, at a moment that somebody else chooses.
    pub(crate) fn by_hand(&self, apex: &str, commands: &str) -> impl Fn() + Send + Sync + use<> {
        let (address, port, kind) = (self.address().ip(), self.port, self.kind);
        let script = format!("server {address} {port}\nzone {apex}\n{commands}\nsend\n");
        let key = self.options.key.file();
        move || {
            let directory = tempfile::tempdir().expect("a temporary directory can be made");
            let path = |name| directory.path().join(name);
            fs::write(path("key"), &key).expect("a file can be written");
            fs::write(path("script"), &script).expect("a file can be written");
            let mut nsupdate = Command::new("nsupdate");
            nsupdate.args(["-v", "-t", "20", "-k"]);
            nsupdate.arg(path("key")).arg(path("script"));
            let output = nsupdate.output().expect("nsupdate can be run");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{kind:?}: {said}");
        }
    }

    /// What ends the server at a moment that somebody else chooses.
    pub(crate) fn killer(&self) -> impl Fn() + Send + Sync + 'static {
        self.daemon.killer()
    }

    /// Replaces a zone file and has the server read it: Knot, BIND and NSD.
    pub(crate) fn reload(&self, apex: &str, zone_file: &str) {
        let number = self.zones.iter().position(|(zone, _)| zone == apex);
        let number = number.expect("the server has this zone");
        let path = self.directory.path().join(format!("zones/{number}"));
        fs::write(path, zone_file).expect("a file can be written");
        self.daemon.signal(rustix::process::Signal::HUP);
    }

    /// Tells it that its primary has changed a zone (RFC 1996).
    pub(crate) fn notify(&self, apex: &str) {
        self.notifier(apex)();
    }

    /// The same, at a moment that somebody else chooses.
    pub(crate) fn notifier(&self, apex: &str) -> impl Fn() + Send + Sync + use<> {
        let (address, apex, kind) = (self.address(), apex.to_owned(), self.kind);
        move || {
            dns_client::notify(address, &apex)
                .unwrap_or_else(|error| panic!("cannot notify {kind:?}: {error}"));
        }
    }

    /// Waits until it serves a zone with this serial.
    pub(crate) fn wait_for_serial(&mut self, apex: &str, serial: u32) {
        let address = self.address();
        self.wait_until(&format!("serial {serial} of {apex}"), || {
            // Of the processes of NSD some may still have the zone of before.
            (0..5).all(|_| dns_client::serial(address, apex).is_ok_and(|is| is == serial))
        });
    }

    /// Makes a secondary the primary of the zones that it has transferred: PowerDNS, which compares texts
    /// when it is updated, and writes others than people do.
    ///
    /// None if what that takes is not installed, which is said loudly.
    pub(crate) fn promote(&mut self) -> Option<()> {
        self.stop();
        power_dns::promote(&Layout {
            directory: self.directory.path(),
            port: self.port,
            tls_port: self.tls_port,
            zones: &self.zones,
            options: &self.options,
        })?;
        self.start_again();
        self.wait_until_served();
        Some(())
    }

    /// Ends the server; its port stays what it was.
    pub(crate) fn stop(&mut self) {
        self.daemon.stop();
    }

    /// Starts it again where it was, with what it had.
    pub(crate) fn start_again(&mut self) {
        self.daemon.stop();
        for _ in 0..ATTEMPTS {
            let daemon = start(self.kind, self.directory.path());
            self.daemon = daemon.expect("a server that ran is installed");
            let is_ready = self.is_ready();
            if is_ready && !is_of_a_taken_port(&self.said()) {
                return;
            }
        }
        let said = self.said();
        panic!("{:?} does not come back:\n{said}", self.kind);
    }

    /// What the server has written so far.
    pub(crate) fn said(&mut self) -> String {
        self.daemon.said()
    }

    fn is_ready(&mut self) -> bool {
        let ready = match self.kind {
            Kind::Knot => knot::READY,
            Kind::Bind => bind::READY,
            Kind::Nsd => nsd::READY,
            Kind::PowerDns => power_dns::READY,
        };
        self.daemon.says(ready, LIMIT).is_some()
    }

    /// Secondaries have nothing before their first transfer, and signers not before they have signed.
    fn wait_until_served(&mut self) {
        let address = self.address();
        // A secondary serves what its primary signs.
        let is_signed = self.options.sign != Signing::No && self.options.primary.is_none();
        let zones = self.zones.clone();
        for (apex, _) in zones {
            self.wait_until(&format!("{apex} to be served"), || {
                dns_client::serial(address, &apex).is_ok()
                    && (!is_signed || dns_client::is_signed(address, &apex))
            });
        }
    }

    /// Asks again whenever the server has said something, and now and then if it is silent.
    fn wait_until(&mut self, what: &str, is_so: impl Fn() -> bool) {
        let limit = std::time::Instant::now() + LIMIT;
        while !is_so() {
            let _said = self.daemon.says("", Duration::from_millis(20)).is_some();
            if std::time::Instant::now() > limit {
                let said = self.daemon.said();
                panic!("{:?}: waited in vain for {what}:\n{said}", self.kind);
            }
        }
    }
}

/// Asks again when NSD, which has read a zone anew, ends the process that was asked.
fn again_if_reset<T>(ask: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut answers = (1..=ATTEMPTS).map(|attempt| (attempt, ask()));
    let is_final = |(attempt, answer): &(u32, io::Result<T>)| {
        let is_reset = |error: &io::Error| error.kind() == ErrorKind::ConnectionReset;
        *attempt == ATTEMPTS || !answer.as_ref().is_err_and(is_reset)
    };
    let (_, answer) = answers.find(is_final).expect("the last attempt is final");
    answer
}

fn launch(
    kind: Kind,
    directory: &Path,
    port: u16,
    tls_port: u16,
    zones: &[(String, String)],
    options: &Options,
) -> Option<Daemon> {
    let layout = Layout {
        directory,
        port,
        tls_port,
        zones,
        options,
    };
    fs::create_dir(layout.path("zones")).expect("a directory can be made");
    if options.primary.is_none() {
        for (number, (_, text)) in zones.iter().enumerate() {
            layout.write(&format!("zones/{number}"), text);
        }
    }
    if options.tls {
        tls::make_certificates(directory)?;
    }
    match kind {
        Kind::Knot => knot::configure(&layout),
        Kind::Bind => bind::configure(&layout),
        Kind::Nsd => nsd::configure(&layout),
        Kind::PowerDns => power_dns::configure(&layout)?,
    }
    start(kind, directory)
}

/// Starts a server that is set up in a directory.
fn start(kind: Kind, directory: &Path) -> Option<Daemon> {
    let mut command = match kind {
        Kind::Knot => knot::command(directory),
        Kind::Bind => bind::command(directory),
        Kind::Nsd => nsd::command(directory),
        Kind::PowerDns => power_dns::command(directory),
    };
    Daemon::start(&mut command, package(kind))
}

fn package(kind: Kind) -> &'static str {
    match kind {
        Kind::Knot => "knot",
        Kind::Bind => "bind9",
        Kind::Nsd => "nsd",
        Kind::PowerDns => "pdns-server and pdns-backend-sqlite3",
    }
}

/// A program for administrators, which need not be in everybody's PATH.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = directories.map(|directory| directory.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| name.into())
}
