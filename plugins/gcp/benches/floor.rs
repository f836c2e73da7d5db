//! The least that a listing costs: its pages downloaded and parsed, and nothing made of them.
//!
//! `benches/peers/google` runs it beside the janitor, against the same server: the same client, as many
//! projects at a time, the same pages. Arguments: the server's address, how many projects there are, and
//! `value` or `typed` for what is made of a page: a `serde_json::Value`, or the fields that the janitor
//! wants, as texts.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::error::Error;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::Value;

/// As the janitor does unless told otherwise.
const PROJECTS_AT_ONCE: usize = 10;
const INSTANCES_A_PAGE: usize = 100;

type Failure = Box<dyn Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [url, projects, kind] = arguments.as_slice() else {
        return Err("usage: google-floor URL PROJECTS value|typed".into());
    };
    let take = match kind.as_str() {
        "value" => |body: &[u8]| Ok(next_of_value(&serde_json::from_slice(body)?)),
        "typed" => next_of_page,
        _ => return Err("the last argument is `value` or `typed`".into()),
    };
    let provider = tokio_rustls::rustls::crypto::ring::default_provider();
    if provider.install_default().is_err() {
        return Err("another provider is installed".into());
    }
    // Who does not say gzip here gets no compressed answers.
    let http = reqwest::Client::builder()
        .user_agent("google-floor (gzip)")
        .build()?;
    let http = &http;
    let listing = |project: usize| async move {
        let list = format!("{url}/compute/v1/projects/bulk-{project}/aggregated/instances");
        pages(http, &format!("{list}?maxResults={INSTANCES_A_PAGE}"), take).await
    };
    let instances = stream::iter(0..projects.parse()?).map(listing);
    let instances: Vec<usize> = instances
        .buffer_unordered(PROJECTS_AT_ONCE)
        .try_collect()
        .await?;
    let zone = format!("{url}/dns/v1/projects/bulk/managedZones/bulk-example/rrsets");
    let fields = "rrsets%2Fname%2Crrsets%2Fkind%2Crrsets%2Frrdatas%2Crrsets%2Ftype%2Crrsets%2Fttl%2CnextPageToken";
    let record_sets = pages(http, &format!("{zone}?fields={fields}"), take).await?;
    println!("{} {record_sets}", instances.into_iter().sum::<usize>());
    Ok(())
}

/// The octets of all pages of a listing.
async fn pages(
    http: &reqwest::Client,
    first: &str,
    take: fn(&[u8]) -> Result<Option<String>, Failure>,
) -> Result<usize, Failure> {
    let mut octets = 0;
    let mut url = first.to_owned();
    loop {
        let body = http
            .get(&url)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        octets += body.len();
        match take(&body)? {
            Some(token) => url = format!("{first}&pageToken={token}"),
            None => return Ok(octets),
        }
    }
}

fn next_of_value(page: &Value) -> Option<String> {
    page["nextPageToken"].as_str().map(str::to_owned)
}

fn next_of_page(body: &[u8]) -> Result<Option<String>, Failure> {
    let page = serde_json::from_slice::<Page>(body)?;
    std::hint::black_box((&page.items, &page.rrsets));
    Ok(page.next)
}

/// A page of either listing, as somebody writes it who does not think of speed.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    items: std::collections::HashMap<String, Scope>,
    #[serde(default)]
    rrsets: Vec<RecordSet>,
    #[serde(rename = "nextPageToken")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only made")]
struct Scope {
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only made")]
struct Instance {
    name: String,
    status: String,
    #[serde(rename = "creationTimestamp")]
    created: String,
    #[serde(rename = "networkInterfaces")]
    interfaces: Vec<Interface>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only made")]
struct Interface {
    #[serde(rename = "networkIP")]
    internal: String,
    #[serde(rename = "accessConfigs", default)]
    external: Vec<Access>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only made")]
struct Access {
    #[serde(rename = "natIP")]
    address: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only made")]
struct RecordSet {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    ttl: u32,
    rrdatas: Vec<String>,
}
