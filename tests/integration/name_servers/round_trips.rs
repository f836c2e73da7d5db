//! What is desired becomes what is served, whatever it is, at every server.
//!
//! `JANITOR_TESTS_SERVED_ZONES` says how many random zones for each server, `JANITOR_TESTS_SEED` which
//! ones.

use std::collections::BTreeSet;
use std::ops::Range;

use super::content::{Content, TYPES, is_refused, numbered};
use super::deployment::janitor_for;
use crate::janitor::{Run, WITHOUT_LIMITS};
use crate::peers::dns_client::Record;
use crate::peers::name_server::{Kind, NameServer, Options, Signing};
use crate::random::{Random, from_environment};

/// Zones for each server, unless the environment says otherwise.
const ZONES: u64 = 40;
/// Zones in one run of the program, at most.
const AT_ONCE: usize = 200;

/// A zone as it should be, and as it is.
struct Pair {
    apex: String,
    desired: String,
    actual: String,
}

/// Corrects the zones at a server, and compares what it then serves with what another one makes of what is
/// desired. A second run has nothing to do.
fn assert_corrected(kind: Kind, pairs: &[Pair], options: &Options, told: &str) {
    let desired = pairs.iter().map(|pair| (&*pair.apex, &*pair.desired));
    let desired = desired.collect::<Vec<_>>();
    let Some(reference) = NameServer::start(Kind::Bind, &desired, &Options::default()) else {
        return;
    };
    let Some(server) = serve_actual(kind, pairs, options) else {
        return;
    };
    let mut janitor = janitor_for(&server).settings(WITHOUT_LIMITS);
    for pair in pairs {
        janitor = janitor.file(&format!("desired/{}.zone", pair.apex), &pair.desired);
    }
    let run = janitor.run();
    assert_done(&run, kind, told);
    for pair in pairs {
        let served = compared(&server, &pair.apex);
        let wanted = compared(&reference, &pair.apex);
        let told = format!("{} at {kind:?}, {told}", pair.apex);
        assert_same(&served, &wanted, &told);
    }
    let again = janitor.plan(&["--exit-code"]);
    let said = format!("{}{}", again.stdout(), again.stderr());
    assert_eq!(again.exit_code(), 0, "{kind:?}, {told}: {said}");
}

/// A server of the zones as they are.
fn serve_actual(kind: Kind, pairs: &[Pair], options: &Options) -> Option<NameServer> {
    let zones = pairs
        .iter()
        .map(|pair| (pair.apex.clone(), pair.actual.clone()));
    let mut zones = zones.collect::<Vec<_>>();
    if kind == Kind::Bind {
        return NameServer::start(kind, &zones, options);
    }
    // It reads the mnemonics of all types.
    let reader = NameServer::start(Kind::Bind, &zones, &Options::default())?;
    if kind == Kind::PowerDns {
        let options = Options {
            primary: Some(reader.address()),
            ..options.clone()
        };
        let mut server = NameServer::start(kind, &zones, &options)?;
        server.promote()?;
        return Some(server);
    }
    for (apex, text) in &mut zones {
        let records = reader.transfer(apex);
        let lines = records
            .iter()
            .map(|record| format!("{}\n", record.generic()));
        *text = lines.collect();
    }
    NameServer::start(kind, &zones, options)
}

fn assert_done(run: &Run, kind: Kind, told: &str) {
    let said = format!("{}{}", run.stdout(), run.stderr());
    assert_eq!(run.exit_code(), 0, "{kind:?}, {told}: {said}");
}

fn assert_same(served: &BTreeSet<Record>, wanted: &BTreeSet<Record>, told: &str) {
    let missing = wanted.difference(served).collect::<Vec<_>>();
    let extra = served.difference(wanted).collect::<Vec<_>>();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{told}:\nmissing: {missing:#?}\nextra: {extra:#?}"
    );
}

/// What a server serves of a zone and the program answers for: not SOA and NS at the apex, nor what a
/// signer makes.
fn compared(server: &NameServer, apex: &str) -> BTreeSet<Record> {
    let records = server.transfer(apex).into_iter();
    let compared = records.filter(|record| !record.is_of_apex(apex) && !record.is_signers(apex));
    compared.collect()
}

/// Random zones from a seed of their own.
fn random_pairs(kind: Kind, indices: Range<u64>, seed: u64) -> Vec<Pair> {
    let pairs = indices.map(|index| {
        let mut random = Random::new(seed.wrapping_add(index << 32));
        let mut desired = Content::random(&mut random, kind);
        // Nothing desired would change nothing.
        desired.insert("always", "A", 300, &["192.0.2.1".to_owned()]);
        let actual = desired.drift(&mut random, kind);
        Pair {
            apex: format!("z{index}.test"),
            desired: desired.zone_file(&mut random),
            actual: actual.zone_file(&mut random),
        }
    });
    pairs.collect()
}

fn assert_random_zones_are_corrected(kind: Kind, sign: Signing) {
    let seed = from_environment("JANITOR_TESTS_SEED", 1);
    let count = from_environment("JANITOR_TESTS_SERVED_ZONES", ZONES);
    let options = Options {
        sign,
        ..Options::default()
    };
    // Signing servers take their time.
    let count = if sign == Signing::No {
        count
    } else {
        count / 10
    };
    for first in (0..count).step_by(AT_ONCE) {
        let pairs = random_pairs(kind, first..count.min(first + AT_ONCE as u64), seed);
        assert_corrected(kind, &pairs, &options, &format!("seed {seed}"));
    }
}

#[test]
fn random_zones_become_what_is_desired_at_knot() {
    assert_random_zones_are_corrected(Kind::Knot, Signing::No);
}

#[test]
fn random_zones_become_what_is_desired_at_bind() {
    assert_random_zones_are_corrected(Kind::Bind, Signing::No);
}

#[test]
fn random_zones_become_what_is_desired_at_power_dns() {
    assert_random_zones_are_corrected(Kind::PowerDns, Signing::No);
}

#[test]
fn random_zones_that_the_server_signs_become_what_is_desired() {
    for kind in Kind::UPDATED {
        for sign in [Signing::Nsec, Signing::Nsec3] {
            assert_random_zones_are_corrected(kind, sign);
        }
    }
}

#[test]
fn every_type_that_a_server_takes_is_corrected() {
    for kind in Kind::UPDATED {
        let zone = |skip: usize| {
            let mut content = Content::default();
            for (index, (rtype, rdata)) in TYPES.iter().enumerate() {
                // Some are to be added, some to be updated, some stay.
                if !is_refused(kind, rtype) && (skip == 0 || index % skip != 0) {
                    let number = if index % 3 == skip { "1" } else { "2" };
                    let rdata = numbered(rdata, number);
                    content.insert(&format!("t-{rtype}"), rtype, 300, &[rdata]);
                }
            }
            content.zone_file(&mut Random::new(0))
        };
        let pair = Pair {
            apex: "types.test".to_owned(),
            desired: zone(0),
            actual: zone(2),
        };
        assert_corrected(kind, &[pair], &Options::default(), "every type");
    }
}

#[test]
fn every_type_is_read_from_a_server_without_updates() {
    let mut content = Content::default();
    for (rtype, rdata) in TYPES {
        content.insert(&format!("t-{rtype}"), rtype, 300, &[numbered(rdata, "1")]);
    }
    let text = content.zone_file(&mut Random::new(0));
    let pair = Pair {
        apex: "types.test".to_owned(),
        desired: text.clone(),
        actual: text.clone(),
    };
    let Some(server) = serve_actual(Kind::Nsd, &[pair], &Options::default()) else {
        return;
    };
    let janitor = janitor_for(&server).file("desired/types.test.zone", &text);
    let plan = janitor.plan(&["--exit-code"]);
    assert_eq!(plan.exit_code(), 0, "{}{}", plan.stdout(), plan.stderr());
}

#[test]
fn random_zones_are_read_from_nsd_as_from_bind() {
    let seed = from_environment("JANITOR_TESTS_SEED", 1);
    let count = from_environment("JANITOR_TESTS_SERVED_ZONES", ZONES);
    for first in (0..count).step_by(AT_ONCE) {
        let indices = first..count.min(first + AT_ONCE as u64);
        let pairs = random_pairs(Kind::Nsd, indices, seed);
        let (Some(nsd), Some(bind)) = (
            serve_actual(Kind::Nsd, &pairs, &Options::default()),
            serve_actual(Kind::Bind, &pairs, &Options::default()),
        ) else {
            return;
        };
        let plans = [&nsd, &bind].map(|server| {
            let mut janitor = janitor_for(server).settings(WITHOUT_LIMITS);
            for pair in &pairs {
                janitor = janitor.file(&format!("desired/{}.zone", pair.apex), &pair.desired);
            }
            let plan = janitor.plan(&["--exit-code"]);
            assert_eq!(plan.exit_code(), 4, "seed {seed}: {}", plan.stderr());
            plan.stdout()
        });
        // What is planned from BIND is what the tests above carry out.
        assert_eq!(plans[0], plans[1], "seed {seed}");
    }
}
