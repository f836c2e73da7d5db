use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::samples::{self, actual, actual_of, name, ttl};
use super::super::{BuildError, Piece, Rr, ZoneBuilder};
use super::*;

#[test]
fn a_zone_that_holds_owners_is_put_together_and_not_edited() {
    let zone = samples::actual_holding("a 1 A 192.0.2.1\n c 1 A 192.0.2.1", &["b", "c", "d"]);
    for octets in [1, usize::MAX] {
        let whole = revised(&zone, octets, Edits::new(zone.apex())).unwrap();
        assert_eq!(whole.zone, zone);
        for owner in ["0", "a", "b", "c", "cc", "z"] {
            let owner = name(&format!("{owner}.{}", samples::APEX));
            let mut edits = Edits::new(zone.apex());
            let rr = Rr {
                owner: owner.as_ref(),
                rtype: Rtype::A,
                ttl: ttl(1),
                rdata: &[192, 0, 2, 2],
            };
            edits.add(rr).unwrap();
            let fault = revised(&zone, octets, edits).map(|revised| revised.zone);
            assert!(matches!(fault, Err(EditFault::Zone(_))), "{owner}");
        }
    }
}

/// The zone with the edits, taken in pieces.
fn revised(zone: &ActualZone, octets: usize, edits: Edits<'_>) -> Result<Revised, EditFault> {
    let mut revision = Revision::new(edits, zone.octets().len())?;
    for piece in zone.pieces(octets) {
        revision.take(piece.last_entry(), |target| {
            target.extend_from_slice(piece.octets());
            Ok::<_, EditFault>(())
        })?;
    }
    revision.finish(zone.apex().to_owned())
}

/// A zone as a table: the slow and obvious way to make edits.
#[derive(Clone, Default)]
struct Table(BTreeMap<(Name, Rtype, Vec<u8>), Ttl>);

/// An RR that is deleted or added.
#[derive(Clone, Debug)]
struct Step {
    adds: bool,
    rr: samples::Rr,
}

impl Table {
    fn of(zone: &ActualZone) -> Self {
        let rrs = zone.rrsets().flat_map(RrsetRef::rrs);
        let rrs = rrs.map(|rr| {
            let ttl = told_ttl(rr.rtype, rr.ttl, rr.rdata).unwrap();
            ((rr.owner.to_owned(), rr.rtype, rr.rdata.to_vec()), ttl)
        });
        Self(rrs.collect())
    }

    /// Makes a step; says whether it fits.
    fn step(&mut self, Step { adds, rr }: &Step) -> bool {
        let owner = Name::from_wire(&rr.owner).unwrap();
        let key = (owner, rr.rtype, rr.rdata.clone());
        let there = self.0.get(&key).copied();
        if *adds {
            self.0.insert(key, rr.ttl);
            there.is_none_or(|there| there == rr.ttl)
        } else {
            self.0.remove(&key);
            there == Some(rr.ttl)
        }
    }

    /// The zone, if the TTL of every RR can be told from it.
    fn zone(&self) -> Option<ActualZone> {
        let mut builder = ZoneBuilder::new(name(samples::APEX));
        for ((owner, rtype, rdata), ttl) in &self.0 {
            let pushed = builder.push_wire(owner.as_wire(), *rtype, *ttl, rdata);
            pushed.unwrap();
        }
        let zone = builder.build_actual().unwrap();
        builder.tells_ttls().then_some(zone)
    }

    fn rr(&self, index: usize) -> Option<samples::Rr> {
        let ((owner, rtype, rdata), ttl) = self.0.iter().nth(index % self.0.len().max(1))?;
        Some(samples::Rr {
            owner: owner.as_wire().to_vec(),
            rtype: *rtype,
            ttl: *ttl,
            rdata: rdata.clone(),
        })
    }

    /// Steps that fit most of the time.
    fn steps(&self, wishes: &[(u8, usize, samples::Rr)]) -> Vec<Step> {
        let mut table = self.clone();
        let mut steps = Vec::new();
        for (kind, index, rr) in wishes {
            let from = steps.len();
            match (kind % 8, table.rr(*index)) {
                (0..3, Some(rr)) => steps.push(Step { adds: false, rr }),
                (0..6, _) => {
                    // The TTL of the RRset that is there.
                    let mut rr = rr.clone();
                    let owner = Name::from_wire(&rr.owner).unwrap();
                    let like = |key: &(Name, Rtype, Vec<u8>)| (&key.0, key.1) == (&owner, rr.rtype);
                    let there = table.0.iter().find(|(key, _)| like(key));
                    if let (Some((_, ttl)), false) = (there, rr.rtype == Rtype::RRSIG) {
                        rr.ttl = *ttl;
                    }
                    let key = (owner, rr.rtype, rr.rdata.clone());
                    let adds = !table.0.contains_key(&key);
                    rr.ttl = table.0.get(&key).copied().unwrap_or(rr.ttl);
                    steps.push(Step { adds, rr });
                }
                (6, Some(of)) => {
                    // All RRs of an RRset get another TTL.
                    let owner = Name::from_wire(&of.owner).unwrap();
                    let all = table.0.iter().enumerate();
                    let all = all.filter(|(_, (key, _))| (&key.0, key.1) == (&owner, of.rtype));
                    let all: Vec<_> = all.filter_map(|(at, _)| table.rr(at)).collect();
                    steps.extend(all.iter().cloned().map(|rr| Step { adds: false, rr }));
                    steps.extend(all.into_iter().map(|mut rr| {
                        rr.ttl = ttl(77);
                        Step { adds: true, rr }
                    }));
                }
                (_, _) => steps.push(Step {
                    adds: index % 2 == 0,
                    rr: rr.clone(),
                }),
            }
            steps[from..].iter().for_each(|step| {
                table.step(step);
            });
        }
        steps
    }
}

fn wishes() -> impl Strategy<Value = Vec<(u8, usize, samples::Rr)>> {
    let rr = prop_oneof![6 => samples::canonical_rr(), 1 => rrsig()];
    vec((0..8_u8, any::<usize>(), rr), 0..12)
}

fn rrsig() -> impl Strategy<Value = samples::Rr> {
    (samples::canonical_rr(), 0..3_u8, 0..9_u8).prop_map(|(mut rr, seconds, odd)| {
        rr.rtype = Rtype::RRSIG;
        rr.ttl = ttl(u32::from(seconds) * 100);
        rr.rdata = [0, 1, 13, 2].to_vec();
        let original = rr.ttl.as_secs() + u32::from(odd == 0);
        rr.rdata.extend_from_slice(&original.to_be_bytes());
        rr.rdata.extend_from_slice(&[0; 10]);
        rr.rdata.extend_from_slice(b"\x04test\0s");
        rr
    })
}

fn edits<'a>(apex: &'a Name, images: &[&'a [u8]], steps: &'a [Step]) -> Edits<'a> {
    let mut edits = Edits::new(apex.as_ref());
    images.iter().for_each(|images| edits.repeat(images));
    for Step { adds, rr } in steps {
        let rr = Rr {
            owner: NameRef::from_canonical_wire(&rr.owner).unwrap(),
            rtype: rr.rtype,
            ttl: rr.ttl,
            rdata: &rr.rdata,
        };
        let pushed = if *adds {
            edits.add(rr)
        } else {
            edits.delete(rr)
        };
        pushed.unwrap();
    }
    edits
}

fn revise(zone: &ActualZone, octets: usize, edits: Edits<'_>) -> Result<Revised, EditFault> {
    let mut revision = Revision::new(edits, zone.octets().len())?;
    let memory = revision.zone.capacity();
    for piece in zone.pieces(octets) {
        revision.take(piece.last_entry(), |zone| {
            zone.extend_from_slice(Piece::octets(piece));
            Ok::<_, EditFault>(())
        })?;
    }
    let revised = revision.finish(zone.apex().to_owned())?;
    assert!(
        memory >= revised.zone.octets().len(),
        "memory was taken once"
    );
    Ok(revised)
}

/// Lines `+owner TTL TYPE rdata` and `-owner TTL TYPE rdata` as steps.
fn steps(lines: &str) -> Vec<Step> {
    lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let zone = actual(&line[1..]);
            let rr = zone.rrsets().flat_map(RrsetRef::rrs).next().unwrap();
            Step {
                adds: line.starts_with('+'),
                rr: samples::Rr {
                    owner: rr.owner.as_wire().to_vec(),
                    rtype: rr.rtype,
                    ttl: rr.ttl,
                    rdata: rr.rdata.to_vec(),
                },
            }
        })
        .collect()
}

fn after(zone: &str, lines: &str) -> Result<String, String> {
    let (apex, steps) = (name(samples::APEX), steps(lines));
    match revise(&actual(zone), 1, edits(&apex, &[], &steps)) {
        Ok(revised) => Ok(revised.zone.to_string()),
        Err(fault) => Err(fault.to_string()),
    }
}

const ZONE: &str = "@ 60 SOA ns host 1 2 3 4 5\n a 60 A 192.0.2.1\n a 60 A 192.0.2.2\n b 60 TXT x";

#[test]
fn rrs_come_and_go_in_an_rrset_that_stays() {
    let text = after(ZONE, "-a 60 A 192.0.2.1\n +a 60 A 192.0.2.3");
    assert_eq!(
        text.unwrap(),
        "example.test. 60 IN SOA ns.example.test. host.example.test. 1 2 3 4 5\n\
         a.example.test. 60 IN A 192.0.2.2\n\
         a.example.test. 60 IN A 192.0.2.3\n\
         b.example.test. 60 IN TXT \"x\"\n"
    );
}

#[test]
fn what_does_not_fit_is_a_fault() {
    let added_ttl = "an RR A of `a.example.test.` is added that is there with another TTL";
    let not_there = "an RR A of `a.example.test.` is deleted that is not there";
    let deleted_ttl = "an RR A of `a.example.test.` is deleted with a TTL that it does not have";
    let ttls = "the RRs A of `a.example.test.` would have TTLs that the zone cannot tell";
    for (lines, fault) in [
        ("+a 61 A 192.0.2.1", added_ttl),
        ("+a 60 A 192.0.2.9\n +a 61 A 192.0.2.9", added_ttl),
        ("-a 60 A 192.0.2.9", not_there),
        ("-a 60 A 192.0.2.1\n -a 60 A 192.0.2.1", not_there),
        ("-a 61 A 192.0.2.1", deleted_ttl),
        ("+a 60 A 192.0.2.9\n -a 61 A 192.0.2.9", deleted_ttl),
        ("+a 61 A 192.0.2.9", ttls),
        ("-a 60 A 192.0.2.1\n +a 61 A 192.0.2.1", ttls),
        (
            "-c 60 A 192.0.2.1",
            "an RR A of `c.example.test.` is deleted that is not there",
        ),
    ] {
        assert_eq!(after(ZONE, lines), Err(fault.to_owned()), "{lines}");
    }
}

#[test]
fn to_add_what_is_there_changes_nothing() {
    for lines in [
        "+a 60 A 192.0.2.1",
        "+a 60 A 192.0.2.1\n -a 60 A 192.0.2.1\n +a 60 A 192.0.2.1",
        "+c 60 A 192.0.2.9\n +c 60 A 192.0.2.9\n -c 60 A 192.0.2.9",
    ] {
        assert_eq!(after(ZONE, lines), Ok(actual(ZONE).to_string()), "{lines}");
    }
    let without = ZONE.replace("a 60 A 192.0.2.1\n", "");
    let lines = "+a 60 A 192.0.2.1\n -a 60 A 192.0.2.1";
    assert_eq!(after(ZONE, lines), Ok(actual(&without).to_string()));
}

#[test]
fn what_cannot_be_in_the_zone_is_refused_at_once() {
    let apex = name(samples::APEX);
    for (owner, rtype, rdata, fault) in [
        (
            "elsewhere.test",
            Rtype::A,
            &[192, 0, 2, 1][..],
            "`elsewhere.test.` is outside the zone",
        ),
        (
            "test",
            Rtype::A,
            &[192, 0, 2, 1],
            "`test.` is outside the zone",
        ),
        (
            "example.test",
            Rtype::A,
            &[192, 0, 2],
            "cannot accept an RR A of `example.test.`",
        ),
        (
            "example.test",
            Rtype::NS,
            b"\x01A\0",
            "cannot accept an RR NS of `example.test.`",
        ),
        (
            "example.test",
            Rtype(252),
            b"",
            "an RR AXFR of `example.test.` is never zone data",
        ),
    ] {
        let owner = name(owner);
        let rr = Rr {
            owner: owner.as_ref(),
            rtype,
            ttl: ttl(1),
            rdata,
        };
        let mut edits = Edits::new(apex.as_ref());
        assert_eq!(edits.add(rr).unwrap_err().to_string(), fault);
        assert_eq!(edits.delete(rr).unwrap_err().to_string(), fault);
    }
}

#[test]
fn what_is_added_and_deleted_again_leaves_no_trace() {
    let (zone, apex) = (actual(ZONE), name(samples::APEX));
    let steps = steps("+c 60 A 192.0.2.9\n -b 60 TXT x\n -c 60 A 192.0.2.9\n +b 60 TXT x");
    let revised = revise(&zone, 1, edits(&apex, &[], &steps)).unwrap();
    assert_eq!(revised.zone, zone);
}

#[test]
fn what_is_no_zone_is_not_taken_for_one() {
    let apex = name(samples::APEX);
    let nothing = Revision::new(Edits::new(apex.as_ref()), 0).unwrap();
    assert!(matches!(
        nothing.finish(apex.clone()),
        Err(EditFault::Zone(_))
    ));
    let zone = actual(ZONE);
    let mut part = Revision::new(Edits::new(apex.as_ref()), 0).unwrap();
    let piece = zone.pieces(1).next().unwrap();
    part.take(piece.last_entry(), |zone| {
        zone.extend_from_slice(piece.octets());
        Ok::<_, EditFault>(())
    })
    .unwrap();
    assert!(matches!(part.finish(apex.clone()), Err(EditFault::Zone(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn edits_do_what_they_do_to_a_table(
        rrs in samples::rrs(25),
        wishes in wishes(),
        octets in 0..300_usize,
    ) {
        let zone = actual_of(&rrs);
        let mut table = Table::of(&zone);
        let steps = table.steps(&wishes);
        let fits = steps.iter().all(|step| table.step(step));
        let expected = table.zone().filter(|_| fits);
        let apex = name(samples::APEX);
        let revised = revise(&zone, octets, edits(&apex, &[], &steps));
        prop_assert_eq!(revised.as_ref().ok().map(|revised| &revised.zone), expected.as_ref());
        if let Ok(revised) = revised {
            let octets = revised.zone.octets();
            ActualZone::check(apex.clone(), octets.into()).unwrap();
            let again = revise(&zone, octets.len(), edits(&apex, &[&revised.images], &[]));
            prop_assert_eq!(&again.unwrap().zone, &revised.zone);
        }
    }

    #[test]
    fn revisions_can_be_made_one_after_the_other(
        rrs in samples::rrs(25),
        wishes in vec(wishes(), 1..4),
        octets in 0..300_usize,
    ) {
        let apex = name(samples::APEX);
        let zone = actual_of(&rrs);
        let (mut table, mut images) = (Table::of(&zone), Vec::new());
        for wishes in &wishes {
            let steps = table.steps(wishes);
            let before = table.clone();
            let fits = steps.iter().all(|step| table.step(step));
            let expected = table.zone().filter(|_| fits);
            let earlier: Vec<&[u8]> = images.iter().map(|images: &Vec<u8>| &images[..]).collect();
            let revised = revise(&zone, octets, edits(&apex, &earlier, &steps));
            prop_assert_eq!(revised.as_ref().ok().map(|revised| &revised.zone), expected.as_ref());
            match revised {
                Ok(revised) => images.push(revised.images),
                Err(_) => table = before,
            }
        }
    }
}

#[test]
fn a_zone_that_does_not_tell_its_ttls_is_known() -> Result<(), BuildError> {
    let mut builder = ZoneBuilder::new(name(samples::APEX));
    let owner = name(samples::APEX);
    let rrsig = |original: u8| [&[0, 1, 13, 2, 0, 0, 0, original][..], &[0; 10], b"\0s"].concat();
    for (ttls, tells, conflicts) in [
        (&[(60, 60), (70, 70)][..], true, 0),
        (&[(60, 61)], false, 0),
        (&[(60, 60), (60, 61)], false, 0),
    ] {
        for (seconds, original) in ttls {
            builder.push_wire(
                owner.as_wire(),
                Rtype::RRSIG,
                ttl(*seconds),
                &rrsig(*original),
            )?;
        }
        let zone = builder.build_actual()?;
        assert_eq!(
            (builder.tells_ttls(), builder.ttl_conflicts()),
            (tells, conflicts)
        );
        assert_eq!(zone.rrsets().next().map(RrsetRef::ttl), Some(ttl(60)));
    }
    let seconds = [60, 61, 60].map(ttl);
    for (last, seconds) in (0..).zip(seconds) {
        builder.push_wire(owner.as_wire(), Rtype::A, seconds, &[192, 0, 2, last])?;
    }
    builder.build_actual()?;
    assert_eq!((builder.tells_ttls(), builder.ttl_conflicts()), (false, 1));
    builder.build_actual()?;
    assert!(builder.tells_ttls());
    Ok(())
}
