//! Instances of Compute Engine, read from the pages of the aggregated list.

mod shape;
mod instance;
mod page;

use janitor_plugin_api::Error;

use crate::http::{Google, Service, Url};

pub(crate) use instance::{Instance, Interface, Wanted};
pub(crate) use page::read_page;
pub(crate) use shape::{Field, First, Text, text};

/// The address of the aggregated list of a project's instances, of all of them if `filter` is empty.
///
/// <https://docs.cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList>
///
/// # Errors
///
/// [`Error::config`] if `project` cannot be part of an address.
pub(crate) fn url(
    google: &Google,
    project: &str,
    page_size: u16,
    filter: &str,
) -> Result<Url, Error> {
    let path = [
        "compute",
        "v1",
        "projects",
        project,
        "aggregated",
        "instances",
    ];
    let mut url = google.url(Service::Compute, &path)?;
    let mut query = url.query_pairs_mut();
    query.append_pair("maxResults", &page_size.to_string());
    if !filter.is_empty() {
        query.append_pair("filter", filter);
    }
    drop(query);
    Ok(url)
}
