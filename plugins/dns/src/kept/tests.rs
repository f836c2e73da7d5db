use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicUsize, Ordering};

use janitor_plugin_api::dns::{Name, RrsetRef, Ttl, ZoneBuilder};
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::transfer::samples::messages_of;
use super::super::transfer::{Axfr, Increment, Ixfr};
use super::*;

const IDENTITY: &str = "192.0.2.1:53 as janitor";
const DAY: Duration = Duration::from_secs(86_400);

fn apex() -> Name {
    "example.test".parse().unwrap()
}

/// When the tests take place.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// The zone with a SOA of that serial and lines `owner TTL TYPE rdata`.
fn zone(serial: u32, lines: &[&str]) -> ActualZone {
    let mut builder = ZoneBuilder::new(apex());
    let soa = format!("@ 60 SOA ns host {serial} 2 3 4 5");
    for line in lines.iter().copied().chain([&soa[..]]) {
        let mut fields = line.splitn(4, ' ');
        let mut field = || fields.next().unwrap();
        let (owner, seconds, rtype, rdata) = (field(), field(), field(), field());
        let ttl = Ttl::from_secs(seconds.parse().unwrap()).unwrap();
        builder.push_text(owner, ttl, rtype, rdata).unwrap();
    }
    builder.build_actual().unwrap()
}

fn transferred(zone: &ActualZone) -> Transferred {
    Transferred {
        serial: zone.serial().unwrap(),
        records: zone.rr_count() as u64,
        zone: zone.clone(),
        ttl_conflicts: 0,
        tells_ttls: true,
        messages: 1,
        octets: 0,
    }
}

/// What leads from one zone to the other: what is deleted, then what is added.
fn steps<'a>(from: &'a ActualZone, to: &'a ActualZone) -> Vec<(bool, Rr<'a>)> {
    let rrs = |zone: &'a ActualZone| zone.rrsets().flat_map(RrsetRef::rrs).collect::<Vec<_>>();
    let (old, new) = (rrs(from), rrs(to));
    let deleted = old.iter().filter(|rr| !new.contains(rr));
    let added = new.iter().filter(|rr| !old.contains(rr));
    let deleted = deleted.map(|rr| (false, *rr));
    deleted.chain(added.map(|rr| (true, *rr))).collect()
}

/// A directory of kept copies.
struct Copies {
    directory: TempDir,
    store: Store,
}

impl Copies {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let store = Store {
            place: Place::new(directory.path().join("state/kept")),
            max_age: DAY,
        };
        Self { directory, store }
    }

    /// A directory in which `zone` is kept.
    fn of(zone: &ActualZone) -> Self {
        let copies = Self::new();
        copies.keep(zone);
        copies
    }

    fn keep(&self, zone: &ActualZone) {
        let kept = self.store.keep_at(IDENTITY, &transferred(zone), now());
        kept.unwrap();
    }

    fn open(&self) -> Option<Kept> {
        self.store.open_at(apex().as_ref(), IDENTITY, now())
    }

    fn read(&self) -> Option<ActualZone> {
        self.open()?.read().ok()
    }

    /// Advances the copy to `to`, as a transfer of the differences does.
    fn advance(&self, from: &ActualZone, to: &ActualZone) -> Result<ActualZone, KeptFault> {
        advance(self.open().expect("a copy is kept"), from, to)
    }

    fn path(&self) -> PathBuf {
        self.store.place.path(apex().as_ref())
    }

    fn octets(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    /// Writes the file anew, whether it is there or not.
    fn write(&self, octets: &[u8]) {
        // To write over a file makes some file systems wait for the disk.
        place::remove(&self.path());
        fs::write(self.path(), octets).unwrap();
        fs::set_permissions(self.path(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path().join("state/kept")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

fn advance(kept: Kept, from: &ActualZone, to: &ActualZone) -> Result<ActualZone, KeptFault> {
    let (old, new) = (from.serial().unwrap(), to.serial().unwrap());
    kept.advance_by(old, new, steps(from, to).into_iter())
}

/// A copy of some pieces, and a journal of two records.
fn history() -> (Copies, [ActualZone; 3]) {
    let first = zone(1, &["a 60 A 192.0.2.1", "b 60 TXT x", "c 60 A 192.0.2.3"]);
    let second = zone(
        2,
        &["a 60 A 192.0.2.1", "a 60 A 192.0.2.2", "c 60 A 192.0.2.3"],
    );
    let third = zone(3, &["a 60 A 192.0.2.1", "c 90 A 192.0.2.3", "d 60 TXT y"]);
    let copies = Copies::of(&first);
    copies.advance(&first, &second).unwrap();
    copies.advance(&second, &third).unwrap();
    (copies, [first, second, third])
}

#[test]
fn a_kept_zone_is_read_back_to_the_octet() {
    let zone = zone(7, &["www 60 A 192.0.2.1", "\\000.x 60 TXT \"\""]);
    let copies = Copies::of(&zone);
    let kept = copies.open().unwrap();
    assert_eq!(kept.serial(), Serial(7));
    let soa = zone.soa().unwrap().rdatas().next().unwrap();
    assert_eq!(kept.soa(), soa);
    assert_eq!(kept.read().unwrap(), zone);
}

#[test]
fn what_is_not_kept_is_not_found() {
    assert!(Copies::new().open().is_none());
    let copies = Copies::of(&zone(1, &[]));
    let (apex, other) = (apex(), "other.test".parse::<Name>().unwrap());
    let open = |apex, identity, now| copies.store.open_at(apex, identity, now);
    assert!(open(other.as_ref(), IDENTITY, now()).is_none());
    assert!(open(apex.as_ref(), "192.0.2.2:53 as janitor", now()).is_none());
    assert!(open(apex.as_ref(), IDENTITY, now() + DAY).is_some());
    let second = Duration::from_secs(1);
    assert!(open(apex.as_ref(), IDENTITY, now() + DAY + second).is_none());
    assert!(open(apex.as_ref(), IDENTITY, now() - second).is_none());
    // It may be of use again: another server was asked only because the first was silent.
    assert!(copies.open().is_some());
}

#[test]
fn differences_are_kept_behind_the_copy() {
    let (copies, [first, _, third]) = history();
    let kept = copies.open().unwrap();
    assert_eq!(kept.serial(), Serial(3));
    let soa = third.soa().unwrap().rdatas().next().unwrap();
    assert_eq!(kept.soa(), soa);
    assert_eq!(kept.read().unwrap(), third);
    let base = Copies::of(&first).octets();
    assert!(copies.octets().starts_with(&base), "the base is as it was");
}

#[test]
fn a_journal_that_has_grown_goes_into_a_new_base_of_the_same_age() {
    let (copies, [first, second, third]) = history();
    let base = Copies::of(&first).octets();
    let mut served = third.clone();
    let mut longest = 0;
    for serial in 4..60 {
        let lines = if serial % 2 == 0 { &second } else { &third };
        let lines: Vec<_> = lines.to_string().lines().map(str::to_owned).collect();
        let lines: Vec<_> = lines
            .iter()
            .filter(|line| !line.contains("SOA"))
            .map(|line| line.replacen(" IN", "", 1))
            .collect();
        let next = zone(
            serial,
            &lines.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        assert_eq!(copies.advance(&served, &next).unwrap(), next);
        assert_eq!(copies.read().unwrap(), next);
        longest = longest.max(copies.octets().len());
        served = next;
    }
    assert!(!copies.octets().starts_with(&base), "there is a new base");
    assert!(longest < base.len() + 2048, "the journal has a limit");
    let later = now() + DAY + Duration::from_secs(1);
    let kept = copies.store.open_at(apex().as_ref(), IDENTITY, later);
    assert!(kept.is_none(), "only a whole transfer makes a copy younger");
}

#[test]
fn differences_that_do_not_fit_throw_the_copy_away() {
    let (served, next) = (
        zone(1, &["a 60 A 192.0.2.1"]),
        zone(2, &["a 60 A 192.0.2.2"]),
    );
    let other = zone(1, &["a 60 A 192.0.2.9"]);
    let copies = Copies::of(&served);
    let fault = copies.advance(&other, &next).unwrap_err();
    assert_eq!(
        in_one_line(&fault),
        "the differences do not fit the copy: an RR A of `a.example.test.` is deleted that is not there"
    );
    assert_eq!(copies.files(), [""; 0]);

    copies.keep(&served);
    let fault = copies.advance(&zone(5, &["a 60 A 192.0.2.1"]), &next);
    let expected = "the differences start from serial 5, and the copy has 1";
    assert_eq!(in_one_line(&fault.unwrap_err()), expected);
    assert_eq!(copies.files(), [""; 0]);

    copies.keep(&served);
    let kept = copies.open().unwrap();
    let fault = kept.advance_by(Serial(1), Serial(3), steps(&served, &next).into_iter());
    let expected = "the differences lead to serial 3, but the zone then has 2";
    assert_eq!(in_one_line(&fault.unwrap_err()), expected);
    assert_eq!(copies.files(), [""; 0]);
}

#[test]
fn a_zone_that_does_not_tell_its_rrs_apart_is_not_kept() {
    let zone = zone(1, &["a 60 A 192.0.2.1"]);
    let mut several_ttls = transferred(&zone);
    several_ttls.tells_ttls = false;
    let mut twice = transferred(&zone);
    twice.records += 1;
    let copies = Copies::new();
    for transferred in [several_ttls, twice] {
        let fault = copies.store.keep_at(IDENTITY, &transferred, now());
        assert!(matches!(fault, Err(KeptFault::Inexact)));
    }
    assert!(copies.open().is_none());
}

/// Octets of the file of [`history`] with none, one and both records of its journal.
fn lengths(states: &[ActualZone; 3]) -> [usize; 3] {
    let [first, second, third] = states;
    let copies = Copies::of(first);
    let base = copies.octets().len();
    copies.advance(first, second).unwrap();
    let one = copies.octets().len();
    copies.advance(second, third).unwrap();
    let all = copies.octets().len();
    assert!(base < one && one < all, "both records are in the journal");
    [base, one, all]
}

/// Reads the copy; checks that it is one of the states that were true, and returns which.
fn one_of(copies: &Copies, states: &[ActualZone]) -> Option<usize> {
    let kept = copies.open()?;
    let serial = kept.serial();
    let read = kept.read().ok()?;
    let index = states.iter().position(|state| *state == read);
    let index = index.expect("what is read was true once");
    assert_eq!(read.serial(), Some(serial));
    Some(index)
}

#[test]
fn no_flipped_bit_makes_a_wrong_zone() {
    let (copies, states) = history();
    let [base, first, all] = lengths(&states);
    let octets = copies.octets();
    assert_eq!(octets.len(), all);
    for at in 0..all {
        for bit in 0..8 {
            let mut flipped = octets.clone();
            flipped[at] ^= 1 << bit;
            copies.write(&flipped);
            // Of the journal, what stands before the damage counts.
            let expected = (at >= base).then_some(usize::from(at >= first));
            assert_eq!(
                one_of(&copies, &states),
                expected,
                "bit {bit} of octet {at}"
            );
        }
    }
}

#[test]
fn a_copy_that_was_cut_off_anywhere_is_an_older_one_or_none() {
    let (copies, states) = history();
    let [base, first, all] = lengths(&states);
    let octets = copies.octets();
    for length in 0..all {
        copies.write(&octets[..length]);
        let expected = (length >= base).then_some(usize::from(length >= first));
        assert_eq!(one_of(&copies, &states), expected, "{length} octets");
        // What was cut off comes from the server once more, and is kept behind what counts.
        if let Some(state) = expected {
            let [_, _, third] = &states;
            assert_eq!(&copies.advance(&states[state], third).unwrap(), third);
            assert_eq!(one_of(&copies, &states), Some(2), "{length} octets");
        }
    }
    copies.write(&[&octets[..], b"more"].concat());
    assert_eq!(one_of(&copies, &states), Some(2));
}

#[test]
fn a_damaged_copy_is_thrown_away() {
    let zone = zone(1, &["a 60 A 192.0.2.1"]);
    for at in [0, 20, 200] {
        let copies = Copies::of(&zone);
        let mut octets = copies.octets();
        octets[at] ^= 1;
        copies.write(&octets);
        assert_eq!(copies.read(), None);
        assert_eq!(copies.files(), [""; 0], "octet {at}");
    }
}

#[test]
fn a_copy_of_a_later_format_or_another_version_is_left_to_it() {
    let zone = zone(1, &["a 60 A 192.0.2.1"]);
    let copies = Copies::of(&zone);
    let octets = copies.octets();
    let mut later = octets.clone();
    later[9] = 2;
    let mut version = octets.clone();
    version[24] ^= 1;
    let (body, rest) = (
        u32::from_be_bytes(*version[10..].first_chunk().unwrap()),
        14,
    );
    let end = rest + body as usize;
    let digest = layout::digest(&version[..end]);
    version[end..end + digest.len()].copy_from_slice(&digest);
    for octets in [later, version] {
        copies.write(&octets);
        assert!(copies.open().is_none());
        assert_eq!(copies.octets(), octets);
    }
}

#[test]
fn what_is_not_our_own_file_is_not_read() {
    let served = zone(1, &["a 60 A 192.0.2.1"]);
    let copies = Copies::of(&served);
    let path = copies.path();
    let elsewhere = copies.directory.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    let octets = fs::read(&elsewhere).unwrap();

    symlink(&elsewhere, &path).unwrap();
    assert!(copies.open().is_none());
    copies.keep(&zone(2, &[]));
    assert_eq!(copies.open().unwrap().serial(), Serial(2));
    assert_eq!(
        fs::read(&elsewhere).unwrap(),
        octets,
        "the link was replaced"
    );

    fs::remove_file(&path).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(rustix::fs::CWD, &path, fifo, mode, 0).unwrap();
    assert!(copies.open().is_none());
    copies.keep(&served);
    assert!(copies.open().is_some());

    fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
    assert!(copies.open().is_none());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(copies.open().is_some());

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(copies.open().is_none());
    let fault = copies.store.keep_at(IDENTITY, &transferred(&served), now());
    assert!(matches!(fault, Err(KeptFault::Write(_))));
    assert_eq!(copies.files().len(), 1, "nothing is left half written");
}

#[test]
fn nobody_else_may_read_copies_or_put_them_there() {
    let copies = Copies::of(&zone(1, &[]));
    let directory = copies.directory.path().join("state/kept");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&directory), mode(&copies.path())), (0o700, 0o600));

    fs::set_permissions(&directory, fs::Permissions::from_mode(0o770)).unwrap();
    assert!(copies.open().is_none());
    let fault = copies
        .store
        .keep_at(IDENTITY, &transferred(&zone(1, &[])), now());
    assert!(matches!(fault, Err(KeptFault::OthersDirectory { .. })));
}

#[test]
fn a_place_that_cannot_be_written_to_keeps_nothing() {
    let copies = Copies::new();
    fs::write(copies.directory.path().join("state"), "").unwrap();
    let fault = copies
        .store
        .keep_at(IDENTITY, &transferred(&zone(1, &[])), now());
    assert!(matches!(fault, Err(KeptFault::Directory { .. })));
    assert!(copies.open().is_none());
}

#[test]
fn every_zone_has_a_file_of_its_own() {
    let copies = Copies::new();
    let longest = [
        "\\000".repeat(63),
        "/".repeat(63),
        "x".repeat(63),
        "y".repeat(61),
    ]
    .join(".");
    let apexes = [
        ".",
        "example.test",
        "example_.test",
        "example/.test",
        "..\\/test",
        "\\.\\..test",
        "-x.test",
        ".hidden.test",
        "a\\.b.test",
        "a.b.test",
        "\\195\\164.test",
        &longest,
    ];
    let apexes = apexes.iter().filter_map(|text| text.parse::<Name>().ok());
    let names: Vec<_> = apexes
        .map(|apex| {
            let path = copies.store.place.path(apex.as_ref());
            assert_eq!(path.parent(), copies.path().parent());
            path.file_name().unwrap().to_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names.len(), 10);
    assert_eq!(
        names[1],
        "example.test-769ebb29250fc39a54de2e3b61b450ef.kept"
    );
    for (index, name) in names.iter().enumerate() {
        assert!(!names[..index].contains(name), "{name}");
        assert!(name.len() <= 255 && !name.starts_with(['.', '-']), "{name}");
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
        assert!(name.bytes().all(plain), "{name}");
    }
}

#[test]
fn what_nobody_asks_for_any_more_is_removed() {
    let copies = Copies::of(&zone(1, &[]));
    let directory = copies.directory.path().join("state/kept");
    let hour = Duration::from_secs(3600);
    let write = |name: &str, age: Duration| {
        let file = File::create(directory.join(name)).unwrap();
        file.set_modified(now() - age).unwrap();
    };
    write("old.kept", DAY + hour);
    write("young.kept", DAY - hour);
    write(".writing-abc", 2 * hour);
    write(".writing-def", hour / 2);
    write("notes.txt", 9 * DAY);
    fs::remove_file(copies.path()).unwrap();
    copies.store.place.sweep(DAY, now());
    assert_eq!(copies.files(), [".writing-def", "notes.txt", "young.kept"]);
}

#[test]
fn of_two_that_append_the_second_keeps_nothing() {
    let (first, second) = (
        zone(1, &["a 60 A 192.0.2.1"]),
        zone(2, &["a 60 A 192.0.2.2"]),
    );
    let third = zone(3, &["a 60 A 192.0.2.3"]);
    let copies = Copies::of(&first);
    let (one, other) = (copies.open().unwrap(), copies.open().unwrap());
    assert_eq!(advance(one, &first, &second).unwrap(), second);
    let octets = copies.octets();
    assert_eq!(advance(other, &first, &third).unwrap(), third);
    assert_eq!(copies.octets(), octets);
    assert_eq!(copies.read(), Some(second.clone()));

    let busy = File::open(copies.path()).unwrap();
    busy.lock().unwrap();
    assert_eq!(copies.advance(&second, &third).unwrap(), third);
    assert_eq!(copies.read(), Some(second));
}

#[test]
fn whoever_reads_while_others_write_reads_what_was_true() {
    const ROUNDS: u32 = 60;
    let states: Vec<_> = (0..ROUNDS)
        .map(|serial| zone(serial, &[&format!("a 60 TXT {serial}"), "b 60 A 192.0.2.1"]))
        .collect();
    let copies = Copies::of(&states[0]);
    let (copies, states) = (&copies, &states[..]);
    let reads = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for writer in 0..2 {
            scope.spawn(move || {
                for next in 1..states.len() {
                    if next % 7 == writer {
                        copies.keep(&states[next]);
                    }
                    let Some(kept) = copies.open() else { continue };
                    let from = kept.serial().0 as usize;
                    if from < next {
                        advance(kept, &states[from], &states[next]).unwrap();
                    }
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..ROUNDS * 3 {
                    let found = one_of(copies, states);
                    reads.fetch_add(usize::from(found.is_some()), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(
        reads.into_inner(),
        ROUNDS as usize * 6,
        "there was a copy all the time"
    );
}

/// What servers answered, as the tests of transfers have it; NSD adds what is there.
#[test]
fn differences_of_servers_are_made() {
    let streams = [
        (
            &include_bytes!("../../testdata/knot-axfr.stream")[..],
            &include_bytes!("../../testdata/knot-ixfr.stream")[..],
        ),
        (
            include_bytes!("../../testdata/bind-axfr.stream"),
            include_bytes!("../../testdata/bind-ixfr.stream"),
        ),
        (
            include_bytes!("../../testdata/nsd-axfr.stream"),
            include_bytes!("../../testdata/nsd-ixfr.stream"),
        ),
    ];
    let apex: Name = "open.test".parse().unwrap();
    for (whole, increment) in streams {
        let mut axfr = Axfr::new(apex.clone());
        for message in messages_of(whole) {
            axfr.take(message).unwrap();
        }
        let transferred = axfr.finish().unwrap();
        let mut ixfr = Ixfr::new(apex.clone(), transferred.serial, 1 << 24);
        for message in messages_of(increment) {
            ixfr.take(message).unwrap();
        }
        let Increment::Differences(differences) = ixfr.finish().unwrap() else {
            panic!("these are differences");
        };
        let text = transferred.zone.to_string();
        let mut expected: BTreeSet<_> = text.lines().map(str::to_owned).collect();
        for step in differences.steps() {
            for rr in step.deleted() {
                assert!(expected.remove(&rr.to_string()), "{rr}");
            }
            expected.extend(step.added().map(|rr| rr.to_string()));
        }

        let copies = Copies::new();
        copies.store.keep_at(IDENTITY, &transferred, now()).unwrap();
        let open = || {
            copies
                .store
                .open_at(apex.as_ref(), IDENTITY, now())
                .unwrap()
        };
        let advanced = open().advance(&differences).unwrap();
        let text = advanced.to_string();
        assert_eq!(
            text.lines().map(str::to_owned).collect::<BTreeSet<_>>(),
            expected
        );
        assert_eq!(text.lines().count(), expected.len());
        assert_eq!(open().read().unwrap(), advanced);
    }
}

/// RRs below the apex, each owner and type with one TTL.
fn rrs() -> impl Strategy<Value = Vec<String>> {
    let rdata = prop_oneof![
        (0..9_u8).prop_map(|last| format!("A 192.0.2.{last}")),
        (0..9_u8).prop_map(|last| format!("TXT {last}")),
        (0..3_u8).prop_map(|last| format!("NS ns{last}")),
    ];
    let rr = (0..9_u8, rdata).prop_map(|(owner, rdata)| format!("o{owner} 60 {rdata}"));
    vec(rr, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_becomes_of_a_zone_is_kept(states in vec(rrs(), 1..12)) {
        let states: Vec<_> = (1..)
            .zip(&states)
            .map(|(serial, lines)| zone(serial, &lines.iter().map(String::as_str).collect::<Vec<_>>()))
            .collect();
        let copies = Copies::of(&states[0]);
        for pair in states.windows(2) {
            prop_assert_eq!(copies.read(), Some(pair[0].clone()));
            prop_assert_eq!(&copies.advance(&pair[0], &pair[1]).unwrap(), &pair[1]);
        }
        prop_assert_eq!(copies.read(), states.last().cloned());
    }
}
