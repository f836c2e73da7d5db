//! The fake by itself, for a person or another program to try.
//!
//! ```text
//! cargo run -p janitor-test-google --bin google-fake -- [--port PORT]
//! ```
//!
//! Prints its address, then a line for each request, until it is ended.

use std::error::Error;
use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use janitor_test_google::{Google, Instance, ManagedZone, World};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = match (arguments.next().as_deref(), arguments.next()) {
        (None, None) => 0,
        (Some("--port"), Some(port)) => port.parse()?,
        _ => return Err("usage: google-fake [--port PORT]".into()),
    };
    let google = Google::listen(world(), None, port);
    let mut out = io::stdout();
    writeln!(out, "{}", google.url())?;
    writeln!(out, "{}", google.endpoints())?;
    loop {
        for request in google.take_requests() {
            writeln!(out, "{}", request.line())?;
        }
        out.flush()?;
        thread::sleep(Duration::from_millis(100));
    }
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
