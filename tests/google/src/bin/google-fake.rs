//! The fake by itself, for a person or another program to try.
//!
//! ```text
//! cargo run -p janitor-test-google --bin google-fake -- [--port PORT]
//! cargo run -p janitor-test-google --bin google-fake -- --bulk PROJECTS INSTANCES PAGE DIRECTORY
//! ```
//!
//! Prints its address, then a line for each request, until it is ended. With `--bulk` it has very many
//! instances: it writes the key file of an account to DIRECTORY, and prints its address, the octets of an
//! instance, and the additions, updates and deletions that a plan has to find.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use janitor_test_google::{Bulk, Google, Instance, ManagedZone, World};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    match arguments.as_slice() {
        [] => tried(0),
        ["--port", port] => tried(port.parse()?),
        ["--bulk", projects, instances, page, directory] => {
            let bulk = Bulk::new(projects.parse()?, instances.parse()?, page.parse()?);
            measured(bulk, Path::new(directory))
        }
        _ => Err(
            "usage: google-fake [--port PORT | --bulk PROJECTS INSTANCES PAGE DIRECTORY]".into(),
        ),
    }
}

fn tried(port: u16) -> Result<(), Box<dyn Error>> {
    let google = Google::listen(world(), None, port);
    let mut out = io::stdout();
    writeln!(out, "{}\n{}", google.url(), google.endpoints())?;
    loop {
        for request in google.take_requests() {
            writeln!(out, "{}", request.line())?;
        }
        out.flush()?;
        thread::sleep(Duration::from_millis(100));
    }
}

fn measured(bulk: Bulk, directory: &Path) -> Result<(), Box<dyn Error>> {
    let (octets, changes) = (bulk.octets_of_an_instance(), bulk.changes());
    let google = Google::start(World::new().bulk(bulk));
    let _file = google.key_file(directory);
    let (additions, updates, deletions) = changes;
    let mut out = io::stdout();
    writeln!(
        out,
        "{} {octets} {additions} {updates} {deletions}",
        google.url()
    )?;
    out.flush()?;
    // Until whoever started it closes its standard input, or ends it.
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Two projects, a zone for their instances.
fn world() -> World {
    let zone = ManagedZone::public("example.com.")
        .with("www.example.com.", "A", 300, &["192.0.2.1"])
        .with("old.example.com.", "A", 300, &["192.0.2.9"]);
    World::new()
        .without_tokens()
        .instance("web", Instance::new("www").external("192.0.2.1"))
        .instance("web", Instance::new("new").external("192.0.2.2"))
        .instance(
            "mail",
            Instance::new("mx")
                .external("192.0.2.3")
                .in_zone("europe-west1-b"),
        )
        .managed_zone("dns", zone)
        .topic("dns", "corrections")
}
