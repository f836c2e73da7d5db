//! Cloud DNS: <https://cloud.google.com/dns/docs/reference/rest/v1>.

pub(crate) mod zone;
mod change;
mod rrset;

use serde_json::{Value, json};

use self::zone::ManagedZone;
use crate::answer::{Wrong, classic, json as answer};
use crate::mask::masked;
use crate::paging::{self, Page};
use crate::tokens::authorised;
use crate::wire::{Request, Response};
use crate::world::{Quota, World};

const READ: &[&str] = &[
    "cloud-platform.read-only",
    "ndev.clouddns.readonly",
    "ndev.clouddns.readwrite",
];
const WRITE: &[&str] = &["ndev.clouddns.readwrite"];

/// The managed zones of a project.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    zones: Vec<ManagedZone>,
    pub(crate) quota: Quota,
}

impl Zones {
    /// "Must be unique within the project": a zone of the same name takes the place of the first.
    pub(crate) fn add(&mut self, zone: ManagedZone) {
        self.zones.retain(|there| there.name != zone.name);
        self.zones.push(zone);
    }

    /// "Can be the managed zone name or ID."
    pub(crate) fn find(&self, name: &str) -> Option<&ManagedZone> {
        let number = |number: usize| zone::id(number) == name;
        let found = self.zones.iter().enumerate();
        found
            .into_iter()
            .find(|(at, zone)| zone.name == name || number(*at))
            .map(|(_, zone)| zone)
    }

    pub(crate) fn find_mut(&mut self, name: &str) -> Option<&mut ManagedZone> {
        let found = self.zones.iter_mut().enumerate();
        found
            .into_iter()
            .find(|(at, zone)| zone.name == name || zone::id(*at) == name)
            .map(|(_, zone)| zone)
    }
}

/// Whatever is asked of Cloud DNS; `rest` is the path behind `/dns/v1/projects/`.
pub(crate) fn answered(world: &mut World, request: &Request, rest: &[&str]) -> Response {
    let scopes = if request.method == "GET" { READ } else { WRITE };
    if let Err(refused) = authorised(world, request, scopes) {
        return refused;
    }
    let found = found(world, request, rest).unwrap_or_else(|wrongs| classic(&wrongs));
    partial(request, found)
}

/// As much of an answer as the request asks for.
fn partial(request: &Request, response: Response) -> Response {
    let Some(fields) = request
        .parameter("fields")
        .filter(|_| response.status == 200)
    else {
        return response;
    };
    let body = serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
    match masked(&body, fields) {
        Ok(body) => answer(200, &body),
        Err(message) => classic(&[Wrong::new(400, "invalidParameter", message)]),
    }
}

fn found(world: &mut World, request: &Request, rest: &[&str]) -> Result<Response, Vec<Wrong>> {
    let no_project = |project: &str| {
        vec![Wrong::not_found(format!(
            "The 'parameters.project' resource named '{project}' does not exist."
        ))]
    };
    let no_zone = |zone: &str| {
        vec![Wrong::not_found(format!(
            "The 'parameters.managedZone' resource named '{zone}' does not exist."
        ))]
    };
    let pages = world.pages;
    let pending = world.pending;
    let Some((project, rest)) = rest.split_first() else {
        return Err(vec![Wrong::not_found("Not Found")]);
    };
    let zones = world
        .zones
        .get_mut(*project)
        .ok_or_else(|| no_project(project))?;
    let quota = zones.quota;
    match (request.method.as_str(), rest) {
        ("GET", []) => Ok(answer(200, &project_of(project, quota))),
        ("GET", ["managedZones"]) => managed_zones(zones, request, project, pages.managed_zones),
        ("GET", ["managedZones", name]) => {
            let number = zones.zones.iter().position(|zone| zone.name == *name);
            let zone = zones.find(name).ok_or_else(|| no_zone(name))?;
            Ok(answer(200, &zone.to_json(number.unwrap_or_default())))
        }
        ("GET", ["managedZones", name, "rrsets"]) => {
            let zone = zones.find(name).ok_or_else(|| no_zone(name))?;
            record_sets(zone, request, project, pages.record_sets)
        }
        ("POST", ["managedZones", name, "rrsets"]) => {
            let zone = zones.find_mut(name).ok_or_else(|| no_zone(name))?;
            let rrset = request.json();
            change::create(zone, &json!({"additions": [rrset]}), quota, pending)?;
            Ok(answer(200, &rrset))
        }
        ("POST", ["managedZones", name, "changes"]) => {
            let zone = zones.find_mut(name).ok_or_else(|| no_zone(name))?;
            let change = change::create(zone, &request.json(), quota, pending)?;
            Ok(answer(200, &change))
        }
        ("GET", ["managedZones", name, "changes"]) => {
            let zone = zones.find_mut(name).ok_or_else(|| no_zone(name))?;
            changes(zone, request, project, pages.changes)
        }
        ("GET", ["managedZones", name, "changes", id]) => {
            let zone = zones.find_mut(name).ok_or_else(|| no_zone(name))?;
            let change = zone.change(id).ok_or_else(|| {
                let message =
                    format!("The 'parameters.changeId' resource named '{id}' does not exist.");
                vec![Wrong::not_found(message)]
            })?;
            Ok(answer(200, &change))
        }
        _ => Err(vec![Wrong::not_found("Not Found")]),
    }
}

/// `projects.get`, which tells the quota.
fn project_of(project: &str, quota: Quota) -> Value {
    json!({
        "kind": "dns#project",
        "number": "123456789012",
        "id": project,
        "quota": {
            "kind": "dns#quota",
            "managedZones": 10_000,
            "rrsetsPerManagedZone": quota.record_sets,
            "rrsetAdditionsPerChange": quota.additions,
            "rrsetDeletionsPerChange": quota.deletions,
            "totalRrdataSizePerChange": quota.rrdata_size,
            "resourceRecordsPerRrset": quota.records,
            "dnsKeysPerManagedZone": 4,
            "whitelistedKeySpecs": [
                {"kind": "dns#dnsKeySpec", "keyType": "keySigning", "algorithm": "rsasha256", "keyLength": 2048},
            ],
            "networksPerManagedZone": 100,
            "managedZonesPerNetwork": 10_000,
        },
    })
}

fn managed_zones(
    zones: &Zones,
    request: &Request,
    project: &str,
    limit: usize,
) -> Result<Response, Vec<Wrong>> {
    // "Restricts the list to return only zones with this domain name."
    let name = request.parameter("dnsName");
    let kept = zones.zones.iter().enumerate();
    let kept = kept.filter(|(_, zone)| name.is_none_or(|name| name == zone.dns_name));
    let kept = kept
        .map(|(number, zone)| zone.to_json(number))
        .collect::<Vec<_>>();
    let listing = format!("zones {project} {}", name.unwrap_or_default());
    let page = paged(&kept, &listing, request, limit)?;
    Ok(listed(
        "dns#managedZonesListResponse",
        "managedZones",
        &page,
    ))
}

fn record_sets(
    zone: &ManagedZone,
    request: &Request,
    project: &str,
    limit: usize,
) -> Result<Response, Vec<Wrong>> {
    let (name, rtype) = (request.parameter("name"), request.parameter("type"));
    if rtype.is_some() && name.is_none() {
        // "You must also specify the `name` parameter."
        let message = "The 'parameters.name' parameter is required but was missing.";
        return Err(vec![Wrong::new(400, "required", message)]);
    }
    let kept = zone.rrsets.values().filter(|rrset| {
        name.is_none_or(|name| rrset["name"] == name)
            && rtype.is_none_or(|rtype| rrset["type"] == rtype)
    });
    let kept = kept.cloned().collect::<Vec<_>>();
    let listing = format!("rrsets {project} {} {name:?} {rtype:?}", zone.name);
    let page = paged(&kept, &listing, request, limit)?;
    Ok(listed(
        "dns#resourceRecordSetsListResponse",
        "rrsets",
        &page,
    ))
}

fn changes(
    zone: &mut ManagedZone,
    request: &Request,
    project: &str,
    limit: usize,
) -> Result<Response, Vec<Wrong>> {
    let mut kept = zone.changes();
    match request.parameter("sortOrder") {
        None | Some("ascending") => {}
        Some("descending") => kept.reverse(),
        Some(other) => {
            let message = format!("Invalid value for 'parameters.sortOrder': '{other}'");
            return Err(vec![Wrong::invalid(message)]);
        }
    }
    let listing = format!(
        "changes {project} {} {:?}",
        zone.name,
        request.parameter("sortOrder")
    );
    let page = paged(&kept, &listing, request, limit)?;
    Ok(listed("dns#changesListResponse", "changes", &page))
}

/// "Optional. Maximum number of results to be returned. If unspecified, the server decides how many
/// results to return."
fn paged<'a>(
    items: &'a [Value],
    listing: &str,
    request: &Request,
    limit: usize,
) -> Result<Page<'a, Value>, Vec<Wrong>> {
    let asked = request
        .parameter("maxResults")
        .map_or(Ok(limit), str::parse);
    let Ok(asked) = asked else {
        return Err(vec![Wrong::invalid(
            "Invalid value for 'parameters.maxResults'",
        )]);
    };
    let page = paging::page(items, listing, request.parameter("pageToken"), asked);
    page.ok_or_else(|| vec![Wrong::invalid("Invalid value for 'parameters.pageToken'")])
}

fn listed(kind: &str, field: &str, page: &Page<'_, Value>) -> Response {
    let mut body = json!({"kind": kind, field: page.items});
    if let Some(next) = &page.next {
        body["nextPageToken"] = json!(next);
    }
    answer(200, &body)
}
