//! A hundred ways in which Google's services can fail, and what becomes of a run.
//!
//! Each is a run of the whole program from instances to Cloud DNS, or to the Gordon service, in which one
//! kind of request always fails in one way. Whatever it is: nothing is deleted but by a run that read
//! everything, the exit code tells it, and so does a text that names the place. All texts are in one file,
//! to be read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::thread;

use janitor_test_google::{Fault, Google, Instance, ManagedZone, Pages, Response, World};
use serde_json::{Value, json};

use super::{correcting, deployment_with, google, telling};
use crate::janitor::Run;

/// Where something fails: its name, the requests, what it is that fails, and the faults it is tried with.
struct Place {
    name: &'static str,
    requests: &'static str,
    /// What the texts have to name.
    names: &'static [&'static str],
    publisher: Publisher,
    /// Whether a run can do its work without such an answer, or the answer comes too late to matter.
    may_do_without: bool,
    faults: Vec<(&'static str, Fault)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Publisher {
    Apply,
    Gpubsub,
}

/// What may be seen of the zone afterwards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    Untouched,
    OnlyAddedTo,
    /// Corrected, but for the name of the instance `db`.
    WithoutOne,
    /// Corrected, but for the name that is to go.
    WithOld,
    Corrected,
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untouched => "untouched",
            Self::OnlyAddedTo => "only added to",
            Self::WithoutOne => "corrected, but not at db.example.com.",
            Self::WithOld => "corrected, but old.example.com. is still there",
            Self::Corrected => "corrected",
        })
    }
}

/// Later than any deadline: whoever is told so gives up at once, and the test is quick.
const MUCH_LATER: &str = "3600";

/// What any request can meet.
fn everywhere() -> Vec<(&'static str, Fault)> {
    let login = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
    vec![
        (
            "400",
            Fault::status(400, "badRequest").saying("Bad Request"),
        ),
        ("403", Fault::status(403, "forbidden")),
        ("404", Fault::status(404, "notFound")),
        (
            "429",
            Fault::status(429, "rateLimitExceeded").retry_after(MUCH_LATER),
        ),
        (
            "500",
            Fault::status(500, "backendError").retry_after(MUCH_LATER),
        ),
        (
            "503",
            Fault::status(503, "backendError").retry_after(MUCH_LATER),
        ),
        ("cut in its head", Fault::CutHead(20)),
        ("cut in its body", Fault::CutBody(15)),
        ("silence", Fault::Silence),
        ("cut JSON", Fault::body("application/json", "{\"items\": [")),
        ("a login page", Fault::body("text/html", login)),
        (
            "redirect",
            Fault::redirect(302, "https://login.example.net/"),
        ),
    ]
}

/// What services meet, but not the token's endpoint.
fn of_services() -> Vec<(&'static str, Fault)> {
    let mut faults = everywhere();
    faults.push(("401", Fault::status(401, "authError")));
    faults.push(("broken gzip", Fault::BrokenGzip));
    faults
}

/// What the older ones of them meet, Compute Engine and Cloud DNS: they tell of too many requests by 403,
/// too.
fn of_older_services() -> Vec<(&'static str, Fault)> {
    let busy = Fault::status(403, "rateLimitExceeded").retry_after(MUCH_LATER);
    let mut faults = of_services();
    faults.push(("403 for the rate", busy));
    faults
}

fn places() -> Vec<Place> {
    let with = |mut faults: Vec<(&'static str, Fault)>, more: Vec<(&'static str, Fault)>| {
        faults.extend(more);
        faults
    };
    let gone = ("410", Fault::status(410, "gone"));
    let gateway =
        Response::new(502, "text/html", "<html>Bad Gateway</html>").with("Retry-After", MUCH_LATER);
    let gateway = ("502 by a proxy", Fault::Answer(gateway));
    let token = vec![
        (
            "a refusal",
            Fault::grant(400, "invalid_grant", "Invalid JWT Signature."),
        ),
        (
            "403",
            Fault::grant(403, "access_denied", "Account disabled"),
        ),
        (
            "no token",
            Fault::edited(|body| {
                drop(
                    body.as_object_mut()
                        .and_then(|body| body.remove("access_token")),
                );
            }),
        ),
        (
            "a token that is none",
            Fault::edited(|body| body["access_token"] = json!({"a": 1})),
        ),
        (
            "503",
            Fault::status(503, "backendError").retry_after(MUCH_LATER),
        ),
        ("cut in its body", Fault::CutBody(15)),
        ("silence", Fault::Silence),
        (
            "a login page",
            Fault::body("text/html", "<html>Sign in</html>"),
        ),
    ];
    let few = |names: &[&str]| {
        let mut faults = of_services();
        faults.retain(|(name, _)| names.contains(name));
        faults
    };
    vec![
        Place {
            name: "the token",
            requests: "POST /token",
            names: &["token", "janitor@tests.iam.gserviceaccount.com"],
            publisher: Publisher::Apply,
            may_do_without: false,
            faults: token,
        },
        Place {
            name: "the list of projects",
            requests: "GET /v1/projects",
            names: &["projects"],
            publisher: Publisher::Apply,
            may_do_without: false,
            faults: with(of_services(), vec![
                gateway.clone(),
                ("no list", Fault::edited(|body| body["projects"] = json!({"web": {}}))),
                ("a project that is none", Fault::edited(|body| body["projects"][0] = json!("web"))),
                ("pages without end", Fault::endless()),
            ]),
        },
        Place {
            name: "the instances of a project",
            requests: "GET /compute/v1/projects/data/",
            names: &["data"],
            publisher: Publisher::Apply,
            may_do_without: false,
            faults: with(of_older_services(), vec![
                gone,
                gateway.clone(),
                ("no scopes", Fault::edited(|body| body["items"] = json!([]))),
                ("a scope that is none", Fault::edited(|body| body["items"]["zones/europe-west1-b"] = json!("none"))),
                ("instances that are none", Fault::edited(|body| {
                    body["items"]["zones/europe-west1-b"]["instances"] = json!("none");
                })),
                ("an unreachable scope", Fault::edited(|body| {
                    let warning = json!({"code": "UNREACHABLE", "message": "Zone is unreachable."});
                    body["items"]["zones/europe-west1-b"] = json!({"warning": warning});
                })),
                ("an instance without name", Fault::edited(|body| instance(body, |it| drop(it.remove("name"))))),
                ("an instance without interfaces", Fault::edited(|body| {
                    instance(body, |it| drop(it.remove("networkInterfaces")));
                })),
                ("an address that is none", Fault::edited(|body| instance(body, |it| {
                    it["networkInterfaces"][0]["accessConfigs"][0]["natIP"] = json!("192.0.2.300");
                }))),
                ("a name that is none", Fault::edited(|body| instance(body, |it| it["name"] = json!("d b!")))),
                ("pages without end", Fault::endless()),
            ]),
        },
        Place {
            name: "the second page of instances",
            requests: "GET /compute/v1/projects/web/*pageToken",
            names: &["web"],
            publisher: Publisher::Apply,
            may_do_without: false,
            faults: few(&["403", "404", "503", "cut in its body", "cut JSON"]),
        },
        Place {
            name: "the managed zone",
            requests: "GET /dns/v1/projects/dns/managedZones?",
            names: &["example.com."],
            publisher: Publisher::Apply,
            may_do_without: true,
            faults: with(few(&["400", "403", "404", "429", "503", "cut in its head", "silence", "a login page", "401"]), vec![
                ("none", Fault::edited(|body| body["managedZones"] = json!([]))),
                ("no zones", Fault::edited(|body| body["managedZones"] = json!("none"))),
                ("another one", Fault::edited(|body| body["managedZones"][0]["dnsName"] = json!("example.net."))),
            ]),
        },
        Place {
            name: "the record sets",
            requests: "GET /dns/*/rrsets?",
            names: &["example.com."],
            publisher: Publisher::Apply,
            may_do_without: false,
            faults: with(of_older_services(), vec![
                gateway,
                ("nothing", Fault::body("application/json", "{}")),
                ("no record sets", Fault::edited(|body| body["rrsets"] = json!("none"))),
                ("no SOA", Fault::edited(|body| {
                    let rrsets = body["rrsets"].as_array_mut().expect("a page has record sets");
                    rrsets.retain(|rrset| rrset["type"] != "SOA");
                })),
                ("a record set without name", Fault::edited(|body| rrset(body, |it| drop(it.remove("name"))))),
                ("a record set without type", Fault::edited(|body| rrset(body, |it| drop(it.remove("type"))))),
                ("a record set of another zone", Fault::edited(|body| {
                    rrset(body, |it| it["name"] = json!("www.example.net."));
                })),
                ("pages without end", Fault::endless()),
            ]),
        },
        Place {
            name: "the second page of record sets",
            requests: "GET /dns/*/rrsets?*pageToken",
            names: &["example.com."],
            publisher: Publisher::Apply,
            may_do_without: false,
            faults: few(&["403", "404", "503", "cut in its body", "cut JSON", "silence"]),
        },
        Place {
            name: "the quota",
            requests: "GET /dns/v1/projects/dns$",
            names: &[],
            publisher: Publisher::Apply,
            may_do_without: true,
            faults: few(&["403", "503", "cut JSON"]),
        },
        Place {
            name: "the change",
            requests: "POST /dns/*/changes",
            names: &["example.com."],
            publisher: Publisher::Apply,
            may_do_without: true,
            faults: with(of_older_services(), vec![
                ("409", Fault::status(409, "alreadyExists").saying(
                    "The resource 'entity.change.additions[0]' named 'new.example.com. (A)' already exists")),
                ("412", Fault::status(412, "conditionNotMet").saying("Precondition not met for 'entity.change.deletions[0]'")),
                ("done and not answered", Fault::Unanswered),
                ("done and silent", Fault::SilenceAfter),
                ("no change", Fault::body("application/json", "{}")),
            ]),
        },
        Place {
            name: "whether the change is done",
            requests: "GET /dns/*/changes/",
            names: &["example.com."],
            publisher: Publisher::Apply,
            may_do_without: true,
            faults: few(&["403", "404", "503", "cut JSON", "silence"]),
        },
        Place {
            name: "publishing",
            requests: "POST /v1/projects/dns/topics/corrections:publish",
            names: &["corrections"],
            publisher: Publisher::Gpubsub,
            may_do_without: false,
            faults: with(of_services(), vec![
                ("too few ids", Fault::edited(|body| body["messageIds"] = json!([]))),
                ("too many ids", Fault::edited(|body| body["messageIds"] = json!(["1", "2", "3", "4", "5"]))),
                ("ids that are none", Fault::edited(|body| body["messageIds"] = json!({"1": 1}))),
                ("done and not answered", Fault::Unanswered),
            ]),
        },
    ]
}

/// The one instance of the project `data`, edited.
fn instance(body: &mut Value, edit: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    let instance = &mut body["items"]["zones/europe-west1-b"]["instances"][0];
    edit(instance.as_object_mut().expect("there is an instance"));
}

/// The record set `old.example.com.` on the page that has it, edited.
fn rrset(body: &mut Value, edit: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    let rrsets = body["rrsets"]
        .as_array_mut()
        .expect("a page has record sets");
    let found = rrsets
        .iter_mut()
        .find(|rrset| rrset["name"] == "old.example.com.");
    if let Some(Value::Object(rrset)) = found {
        edit(rrset);
    }
}

/// As in the other tests of whole runs, with a name that is to be added, one to be updated, one to be
/// deleted, and listings of two pages.
fn world() -> World {
    let zone = ManagedZone::public("example.com.")
        .with("www.example.com.", "A", 300, &["192.0.2.1"])
        .with("db.example.com.", "A", 300, &["192.0.2.99"])
        .with("old.example.com.", "A", 300, &["192.0.2.9"]);
    let pages = Pages {
        instances: 1,
        record_sets: 3,
        ..Pages::default()
    };
    World::new()
        .instance("web", Instance::new("www").external("192.0.2.1"))
        .instance("web", Instance::new("new").external("192.0.2.2"))
        .instance(
            "data",
            Instance::new("db")
                .external("192.0.2.3")
                .in_zone("europe-west1-b"),
        )
        .managed_zone("dns", zone)
        .topic("dns", "corrections")
        .pages(pages)
        .changes_take(Some(1))
}

/// One run with one fault, and what is to be said of it.
fn tried(place: &Place, name: &str, fault: &Fault) -> Result<String, String> {
    let google = google(world());
    google.fault(place.requests, fault.clone());
    // Long enough for what is well on a machine that is busy, and all that a silent peer costs: how long a
    // silence lasts does not count then.
    let janitor = deployment_with(&google, "timeout = 30.0\ndeadline = 2.0");
    let run = match place.publisher {
        Publisher::Apply => correcting(janitor, "").run(),
        Publisher::Gpubsub => telling(janitor, "ordering_key = false").run(),
    };

    let zone = zone(&google);
    let text = text(&run, &google);
    let mut wrong = Vec::new();
    if google.met()[0] == 0 {
        wrong.push("nobody asked");
    }
    match zone {
        None => wrong.push("the zone lost what it should have"),
        Some(Zone::Corrected) if !place.may_do_without => {
            wrong.push("the zone is corrected all the same");
        }
        Some(Zone::OnlyAddedTo | Zone::WithoutOne) if !place.requests.contains("/compute/") => {
            wrong.push("the zone is corrected in part");
        }
        Some(Zone::Untouched) if run.exit_code() == 0 => {
            wrong.push("nobody says that nothing came of it");
        }
        Some(Zone::WithOld) => {
            wrong.push("the zone is corrected in part");
        }
        Some(_) => {}
    }
    let is_done = matches!(zone, Some(Zone::Corrected | Zone::WithOld));
    if !is_done && place.names.iter().any(|name| !text.contains(name)) {
        wrong.push("the text does not say where");
    }
    let told = run.stderr();
    if google.secrets().iter().any(|secret| told.contains(secret)) {
        wrong.push("a secret is told");
    }
    let what = format!("== {}: {name}", place.name);
    if wrong.is_empty() {
        let zone = zone.expect("it lost nothing");
        Ok(format!(
            "{what}: exit code {}, the zone is {zone}\n{text}\n",
            run.exit_code()
        ))
    } else {
        Err(format!("{what}: {}\n{told}", wrong.join(", ")))
    }
}

/// What the run made of the zone. None if it lost something that it should not.
fn zone(google: &Google) -> Option<Zone> {
    let served = google.world(|world| world.served("dns", "example-com"));
    let has = |line: &str| served.contains(&format!("{line}\n"));
    let [www, new] = [
        "www.example.com. 300 A 192.0.2.1",
        "new.example.com. 300 A 192.0.2.2",
    ]
    .map(has);
    let [was, is] = [
        "db.example.com. 300 A 192.0.2.99",
        "db.example.com. 300 A 192.0.2.3",
    ]
    .map(has);
    let old = has("old.example.com. 300 A 192.0.2.9");
    match (www, new, was, is, old) {
        (true, false, true, false, true) => Some(Zone::Untouched),
        (true, true, true, false, true) => Some(Zone::OnlyAddedTo),
        (true, true, true, false, false) => Some(Zone::WithoutOne),
        (true, true, false, true, true) => Some(Zone::WithOld),
        (true, true, false, true, false) => Some(Zone::Corrected),
        _ => None,
    }
}

/// What an operator reads, but for what differs from run to run.
fn text(run: &Run, google: &Google) -> String {
    let is_told = |line: &String| {
        (line.starts_with("WARNING") || line.starts_with("ERROR"))
            && !line.contains("request is repeated after a pause")
    };
    let mut lines = run.log();
    lines.retain(is_told);
    let errors = run.errors();
    let errors = errors
        .lines()
        .filter(|line| !line.contains("GJ824") && !line.contains("user.toml"));
    let errors = errors.filter(|line| !line.contains("gordon-janitor guard test shows"));
    let lines = lines.into_iter().chain(errors.map(str::to_owned));
    let lines = lines.map(|line| without_count(&line.replace(&google.host(), "127.0.0.1:PORT")));
    lines.collect::<Vec<_>>().join("\n")
}

/// How often something is tried until a deadline depends on pauses, which are random.
fn without_count(line: &str) -> String {
    match (line.find("given up after "), line.find(" attempts: ")) {
        (Some(start), Some(end)) => {
            format!("{}given up after N{}", &line[..start], &line[end..])
        }
        _ => line.to_owned(),
    }
}

#[test]
fn of_a_hundred_faults_each_is_told_and_none_deletes() {
    let places = places();
    let all = places
        .iter()
        .flat_map(|place| place.faults.iter().map(move |fault| (place, fault)));
    let all = all.enumerate().collect::<Vec<_>>();
    assert!(all.len() >= 100, "there are only {}", all.len());

    let queue = Mutex::new(all.into_iter());
    let texts = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        // Most of the time is spent waiting for deadlines.
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("nobody panics here").next();
                    let Some((number, (place, (name, fault)))) = next else {
                        return;
                    };
                    let text = tried(place, name, fault);
                    texts
                        .lock()
                        .expect("nobody panics here")
                        .insert(number, text);
                }
            });
        }
    });
    let texts = texts.into_inner().expect("nobody panics here");
    let wrong = texts
        .values()
        .filter_map(|text| text.as_ref().err().cloned());
    let wrong = wrong.collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let whole = texts.into_values().flatten().collect::<Vec<_>>();
    insta::assert_snapshot!("faults", whole.join("\n"));
}
