//! Every file of `testdata/zonefiles` read by us and by BIND's
//! `named-compilezone`: either both refuse it, or both find the same records.
//!
//! Where we differ, on purpose, a table here says so and why.

#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and says what it skips"
)]

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use janitor_plugin_api::dns::{Name, Rtype, Ttl, Zone, ZoneBuilder};
use janitor_plugin_api::zonefile::{self, Include};

/// Files that BIND reads and we refuse.
const REFUSED_HERE: &[(&str, &str)] = &[
    (
        "generate-out-of-zone",
        "BIND drops what is outside of the zone; for us it is an error",
    ),
    (
        "generate-range-trailing",
        "BIND overlooks what follows the range",
    ),
    (
        "owner-out-of-zone",
        "BIND drops what is outside of the zone; for us it is an error",
    ),
    (
        "owner-out-of-zone-by-suffix",
        "BIND drops what is outside of the zone; for us it is an error",
    ),
    (
        "ttl-above-31-bits",
        "BIND takes it for 0; nobody who writes it means that",
    ),
    (
        "type-eui-trailing",
        "BIND overlooks what follows the sixth pair",
    ),
    ("type-wks-names", "names of services depend on the machine"),
];

/// Files that BIND refuses and we read.
const REFUSED_BY_BIND: &[(&str, &str)] = &[
    (
        "byte-order-mark",
        "Windows editors write one, and it is not visible",
    ),
    (
        "line-end-missing-after-directive",
        "records need no line end at the end of a file either",
    ),
    (
        "ns-missing",
        "what a zone must have is for the caller of the reader to say",
    ),
    (
        "soa-missing",
        "what a zone must have is for the caller of the reader to say",
    ),
    ("txt-64-kib", "BIND has no room for rdata of 65,535 octets"),
    (
        "type-naptr-bad-expression",
        "the expression is data here; only clients apply it",
    ),
];

/// Files that both read, to different records.
const DIFFERENT: &[(&str, &str)] = &[(
    "ttl-differs-in-rrset-apart",
    "BIND takes the TTL that comes last, we take the lowest, whatever the order",
)];

#[test]
fn we_read_what_bind_reads_and_find_the_same_records() {
    if !bind_is_there() {
        return;
    }
    let mut complaints = Vec::new();
    for path in corpus() {
        let case = case(&path);
        let is_in = |table: &[(&str, &str)]| table.iter().any(|(name, _)| *name == case);
        let (ours, theirs) = (read_here(&path), read_by_bind(&path));
        let as_listed = match (&ours, &theirs) {
            (Err(_), Ok(_)) => is_in(REFUSED_HERE),
            (Ok(_), Err(_)) => is_in(REFUSED_BY_BIND),
            (Ok(ours), Ok(theirs)) if ours != theirs => is_in(DIFFERENT),
            _ => !is_in(REFUSED_HERE) && !is_in(REFUSED_BY_BIND) && !is_in(DIFFERENT),
        };
        if !as_listed {
            let verdict = |zone: &Result<Zone, String>| match zone {
                Ok(zone) => format!("reads {} RRs", zone.rr_count()),
                Err(error) => format!("refuses: {}", error.trim()),
            };
            let difference = match (&ours, &theirs) {
                (Ok(ours), Ok(theirs)) => difference(ours, theirs),
                _ => String::new(),
            };
            complaints.push(format!(
                "{case}:\n  ours {}\n  BIND {}{difference}",
                verdict(&ours),
                verdict(&theirs)
            ));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_file_says_what_it_shows() {
    for path in corpus() {
        let text = fs::read(&path).unwrap();
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text);
        assert!(text.starts_with(b"; "), "{}", path.display());
    }
}

#[test]
fn listed_files_exist() {
    let cases: BTreeSet<String> = corpus().iter().map(|path| case(path)).collect();
    for (name, _) in REFUSED_HERE.iter().chain(REFUSED_BY_BIND).chain(DIFFERENT) {
        assert!(cases.contains(*name), "{name}");
    }
    assert!(cases.len() > 150, "the corpus has {} files", cases.len());
}

#[test]
fn every_zone_reads_back_from_its_own_text() {
    for path in corpus() {
        let Ok(zone) = read_here(&path) else {
            continue;
        };
        let text: String = zone.rrsets().map(|rrset| format!("{rrset}\n")).collect();
        match read_text(text.as_bytes(), &path) {
            Ok(again) => assert!(
                again == zone,
                "{}{}",
                path.display(),
                difference(&again, &zone)
            ),
            Err(error) => panic!("{}: {error}\n{text}", path.display()),
        }
    }
}

fn corpus() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/zonefiles");
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "zone")
        })
        .collect();
    paths.sort();
    paths
}

fn case(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn apex() -> Name {
    "example.com.".parse().unwrap()
}

fn read_here(path: &Path) -> Result<Zone, String> {
    read_text(&fs::read(path).unwrap(), path)
}

/// Reads a zone whose included files are beside `path`.
fn read_text(text: &[u8], path: &Path) -> Result<Zone, String> {
    let directory = path.parent().unwrap();
    let mut open = |include: &Path| {
        if !include
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(io::Error::other("the path leaves the directory"));
        }
        Ok(Include {
            name: include.display().to_string(),
            input: Box::new(File::open(directory.join(include))?),
        })
    };
    let mut builder = ZoneBuilder::new(apex());
    zonefile::read(apex().as_ref(), "zone", text, &mut open, |record| {
        builder.push_wire(record.owner, record.rtype, record.ttl, record.rdata)
    })
    .map_err(|error| chain(&error))?;
    built(builder).map_err(|error| chain(&*error))
}

fn built(mut builder: ZoneBuilder) -> Result<Zone, Box<dyn Error>> {
    builder.set_complete();
    let zone = builder.build_desired()?;
    Ok(Zone::clone(&zone))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn difference(ours: &Zone, theirs: &Zone) -> String {
    let lines = |zone: &Zone| -> BTreeSet<String> {
        let text: String = zone.rrsets().map(|rrset| format!("{rrset}\n")).collect();
        text.lines().map(str::to_owned).collect()
    };
    let (ours, theirs) = (lines(ours), lines(theirs));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        a.difference(b)
            .map(|line| format!("\n    {line}"))
            .collect::<String>()
    };
    format!(
        "\n  only ours:{}\n  only BIND's:{}",
        only(&ours, &theirs),
        only(&theirs, &ours)
    )
}

fn bind_is_there() -> bool {
    let version = Command::new("named-compilezone").arg("-v").output();
    if version.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let message = "needs named-compilezone (Debian bind9-utils)";
    assert!(
        std::env::var_os("JANITOR_TESTS_NO_SKIP").is_none(),
        "{message}"
    );
    eprintln!("skipped: {message}");
    false
}

/// Reads a zone with `named-compilezone`, the checks off that look beyond the text.
fn read_by_bind(path: &Path) -> Result<Zone, String> {
    let raw = tempfile::NamedTempFile::new().unwrap();
    let checks = ["-k", "-n", "-m", "-r", "-M", "-S", "-W"];
    let output = Command::new("named-compilezone")
        .args(checks.iter().flat_map(|check| [check, "ignore"]))
        .args(["-i", "none", "-F", "raw", "-o"])
        .arg(raw.path())
        .arg("example.com")
        .arg(path.file_name().unwrap())
        .current_dir(path.parent().unwrap())
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Ok(zone_of_raw(&fs::read(raw.path()).unwrap()))
}

/// Reads BIND's raw form: a header, then RRsets in wire form.
fn zone_of_raw(raw: &[u8]) -> Zone {
    let mut builder = ZoneBuilder::new(apex());
    let mut rest = raw;
    let mut take = |count: usize| {
        let (head, tail) = rest.split_at(count);
        rest = tail;
        (head, tail.len())
    };
    let number = |octets: &[u8]| {
        octets
            .iter()
            .fold(0, |value, octet| value << 8 | usize::from(*octet))
    };
    assert_eq!(
        take(8).0,
        [0, 0, 0, 2, 0, 0, 0, 1],
        "the raw format, version 1"
    );
    // Time of the dump, flags, serial, time of the last transfer.
    let (_, mut left) = take(16);
    while left > 0 {
        // The length of the whole and the class come first, the type that
        // signatures cover behind the type.
        let rtype = Rtype(u16::try_from(number(&take(8).0[6..])).unwrap());
        let ttl = Ttl::from_secs(u32::try_from(number(&take(6).0[2..])).unwrap()).unwrap();
        let rrs = number(take(4).0);
        let octets = number(take(2).0);
        let owner = take(octets).0;
        for _ in 0..rrs {
            let octets = number(take(2).0);
            let (rdata, after) = take(octets);
            builder.push_wire(owner, rtype, ttl, rdata).unwrap();
            left = after;
        }
    }
    built(builder).unwrap()
}
