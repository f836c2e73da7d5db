//! Files of every kind, made here: nothing binary lies in the repository.

use std::os::unix::fs::symlink;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::problem::Code;

/// A library as small as it can be, with parts that tests change.
pub(crate) struct Elf {
    pub(crate) class: u8,
    pub(crate) machine: u16,
    pub(crate) kind: u16,
    pub(crate) note_name: &'static [u8],
    pub(crate) note: Vec<u8>,
}

impl Elf {
    /// A good library of `package` with the plugins `key:role`.
    pub(crate) fn plugin(package: &str, plugins: &[(&str, &str)]) -> Self {
        Self::with_manifest(&manifest(package, plugins))
    }

    pub(crate) fn with_manifest(text: &str) -> Self {
        Self {
            class: 2,
            machine: MACHINE,
            kind: 3,
            note_name: b"GordonJanitor\0",
            note: text.as_bytes().to_vec(),
        }
    }

    /// File header, one loaded segment, one note segment, and a section table after them.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut note = Vec::new();
        for size in [self.note_name.len(), self.note.len()] {
            note.extend(u32::try_from(size).unwrap().to_le_bytes());
        }
        note.extend(1_u32.to_le_bytes());
        for part in [self.note_name, &self.note] {
            note.extend(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        let start = 64 + 2 * 56;
        let sections = start + note.len();
        let mut file = vec![
            0x7f, b'E', b'L', b'F', self.class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let half = |file: &mut Vec<u8>, number: u16| file.extend(number.to_le_bytes());
        let word = |file: &mut Vec<u8>, number: u32| file.extend(number.to_le_bytes());
        let wide = |file: &mut Vec<u8>, number: usize| file.extend((number as u64).to_le_bytes());
        half(&mut file, self.kind);
        half(&mut file, self.machine);
        word(&mut file, 1);
        for number in [0, 64, sections] {
            wide(&mut file, number);
        }
        word(&mut file, 0);
        for number in [64, 56, 2, 64, 1, 0] {
            half(&mut file, number);
        }
        for (kind, offset, size) in [(1, 0, sections), (4, start, note.len())] {
            word(&mut file, kind);
            word(&mut file, 4);
            for number in [offset, offset, offset, size, size, 4] {
                wide(&mut file, number);
            }
        }
        file.extend(note);
        file.extend([0; 64]);
        file
    }
}

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

pub(crate) fn manifest(package: &str, plugins: &[(&str, &str)]) -> String {
    let mut text = format!(
        "format = 1\napi = \"{API_VERSION}\"\nrustc = \"rustc 1.95.0\"\npanic = \"unwind\"\npackage = \"{package}\"\nversion = \"0.1.0\"\n"
    );
    for (key, role) in plugins {
        text.push_str(&format!(
            "[[plugin]]\nkey = \"{key}\"\nrole = \"{role}\"\nsummary = \"\"\n"
        ));
    }
    text
}

use janitor_plugin_api::manifest::API_VERSION;

fn good() -> Elf {
    Elf::plugin("acme", &[("acme.a", "authority")])
}

fn judge_octets(octets: &[u8]) -> (TempDir, Verdict) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("libacme.so");
    fs::write(&path, octets).unwrap();
    let verdict = judge(&path).verdict;
    (directory, verdict)
}

/// The text of the refusal, without the temporary directory.
fn refusal(octets: &[u8]) -> String {
    match judge_octets(octets) {
        (directory, Verdict::Refused(problem, _)) => problem
            .to_string()
            .replace(&directory.path().display().to_string(), "/p"),
        (_, other) => panic!("{other:?}"),
    }
}

fn first_line(octets: &[u8]) -> String {
    refusal(octets).lines().next().unwrap().to_owned()
}

#[test]
fn a_good_library_gives_its_manifest_and_identity() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("libacme.so");
    fs::write(&path, good().octets()).unwrap();
    let judged = judge(&path);
    let Verdict::Plugin(manifest) = judged.verdict else {
        panic!("{:?}", judged.verdict)
    };
    assert_eq!(manifest.plugins[0].key, "acme.a");
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(judged.identity, Some(Identity::of(&metadata)));
}

#[test]
fn a_library_without_our_note_is_no_plugin_and_no_fault() {
    let stranger = Elf {
        note_name: b"GNU\0",
        ..good()
    };
    assert!(matches!(
        judge_octets(&stranger.octets()).1,
        Verdict::NotAPlugin
    ));
}

#[test]
fn files_that_are_not_elf_are_called_what_they_are() {
    for (octets, what) in [
        (&b""[..], "empty"),
        (b"hello\n", "a text of 6 octets"),
        ("é\n".as_bytes(), "a text of 3 octets"),
        (b"<!DOCTYPE html><html>", "an HTML page of 21 octets"),
        (b"\n <HTML>", "an HTML page of 8 octets"),
        (b"\x1f\x8b\x08\0", "a gzip archive of 4 octets"),
        (b"PK\x03\x04....", "a zip archive of 8 octets"),
        (b"\xfd7zXZ\0", "an xz archive of 6 octets"),
        (
            b"!<arch>\nx",
            "a static library or a package (ar archive) of 9 octets",
        ),
        (
            b"/* GNU ld script */\nINPUT(-lm)\n",
            "a linker script of 31 octets",
        ),
        (b"#!/bin/sh\n", "a script of 10 octets"),
        (
            b"\xcf\xfa\xed\xfe\0\0",
            "a Mach-O file, built for macOS of 6 octets",
        ),
        (b"MZ\x90\0", "a PE file, built for Windows of 4 octets"),
        (
            b"\0\0\0\0",
            "a file that begins with nothing but zeros of 4 octets",
        ),
        (b"\xde\xad\xbe\xef", "a file of unknown kind of 4 octets"),
        (b"\x7fEL", "a file of unknown kind of 3 octets"),
    ] {
        let expected = format!("error[GJ101]: libacme.so is not a shared library: it is {what}");
        assert_eq!(first_line(octets), expected);
    }
}

#[test]
fn a_page_instead_of_a_library_is_explained() {
    assert_eq!(
        refusal(b"<!DOCTYPE html><title>Not found</title>"),
        "error[GJ101]: libacme.so is not a shared library: it is an HTML page of 39 octets\n  \
         where: /p/libacme.so\n  \
         found: first bytes \"<!DOCTYPE html><\"; expected 7f 45 4c 46 (ELF)\n  \
         help: the download probably failed; fetch it again and compare its sha256 with the publisher's"
    );
}

#[test]
fn programs_object_files_and_core_dumps_are_named() {
    for (kind, what) in [
        (1, "an object file, not yet linked"),
        (2, "a program"),
        (4, "a core dump"),
    ] {
        let line = first_line(&Elf { kind, ..good() }.octets());
        assert_eq!(
            line,
            format!("error[GJ101]: libacme.so is not a shared library: it is {what}")
        );
    }
}

#[test]
fn a_position_independent_program_is_a_program() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("program.so");
    fs::copy("/proc/self/exe", &path).unwrap();
    let Verdict::Refused(problem, _) = judge(&path).verdict else {
        panic!("a program was accepted")
    };
    assert_eq!(
        problem.summary(),
        "program.so is not a shared library: it is a program"
    );
}

#[test]
fn the_libraries_of_this_system_are_no_plugins() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]))
        .find(|path| path.contains("/libc.so"));
    let Some(libc) = libc else { return };
    assert!(
        matches!(judge(Path::new(libc)).verdict, Verdict::NotAPlugin),
        "{libc}"
    );
}

#[test]
fn another_machine_is_named_with_the_plugins_that_are_lost() {
    let octets = Elf {
        machine: if MACHINE == 62 { 183 } else { 62 },
        ..good()
    }
    .octets();
    let (other, here) = if MACHINE == 62 {
        ("aarch64", "x86_64")
    } else {
        ("x86_64", "aarch64")
    };
    assert_eq!(
        refusal(&octets),
        format!(
            "error[GJ106]: libacme.so is built for {other}; this machine is {here}\n  \
             where: /p/libacme.so (acme.a; acme 0.1.0, rustc 1.95.0)\n  help: install the build for {here}"
        )
    );
}

#[test]
fn another_word_size_is_another_machine() {
    let line = first_line(
        &Elf {
            class: 1,
            machine: 3,
            ..good()
        }
        .octets(),
    );
    assert!(
        line.starts_with("error[GJ106]: libacme.so is built for x86, 32-bit; this machine is "),
        "{line}"
    );
}

#[test]
fn another_byte_order_is_another_machine() {
    let mut octets = good().octets();
    octets[5] = 2;
    let line = first_line(&octets);
    assert!(
        line.starts_with("error[GJ106]: libacme.so is built for machine "),
        "{line}"
    );
    assert!(line.contains(", big-endian; this machine is "), "{line}");
}

#[test]
fn a_stranger_for_another_machine_is_still_a_stranger() {
    let stranger = Elf {
        machine: 8,
        note_name: b"GNU\0",
        ..good()
    };
    assert!(matches!(
        judge_octets(&stranger.octets()).1,
        Verdict::NotAPlugin
    ));
}

#[test]
fn every_truncation_is_refused() {
    let whole = good().octets();
    for length in 4..whole.len() {
        let line = first_line(&whole[..length]);
        let described = if length < 64 { 64 } else { whole.len() };
        let expected = format!(
            "error[GJ102]: libacme.so is incomplete: {length} octets, its own headers describe {described}"
        );
        assert_eq!(line, expected);
    }
}

#[test]
fn no_mutation_crashes_or_hangs_the_judge() {
    let whole = good().octets();
    for index in 0..whole.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut octets = whole.clone();
            octets[index] = value;
            // Only that there is an answer; which one depends on the octet.
            drop(judge_octets(&octets));
        }
    }
}

#[test]
fn faults_of_the_manifest_are_named() {
    let text = manifest("acme", &[("acme.a", "authority")]);
    let of = |from: &str, to: &str| {
        assert!(text.contains(from));
        first_line(&Elf::with_manifest(&text.replace(from, to)).octets())
    };
    assert_eq!(
        of("format = 1", "format = 7"),
        "error[GJ109]: the manifest of libacme.so cannot be used: it has format 7, this host reads format 1"
    );
    assert_eq!(
        of(&format!("api = \"{API_VERSION}\""), "api = \"2.0.0\""),
        format!(
            "error[GJ104]: libacme.so needs plugin API 2.0.0; this gordon-janitor {} offers {API_VERSION}",
            env!("CARGO_PKG_VERSION")
        )
    );
    assert_eq!(
        of("unwind", "abort"),
        "error[GJ108]: libacme.so was built with panic = \"abort\"; a fault in it would end the whole process"
    );
    let twice = manifest("acme", &[("acme.a", "authority"), ("acme.a", "publisher")]);
    assert_eq!(
        first_line(&Elf::with_manifest(&twice).octets()),
        "error[GJ203]: the manifest of libacme.so cannot be used: it holds the key `acme.a` twice"
    );
    assert_eq!(
        first_line(&Elf::with_manifest("").octets()),
        "error[GJ109]: the manifest of libacme.so cannot be used: missing field `format`"
    );
    let long = Elf {
        note: vec![b' '; 1 << 19],
        ..good()
    };
    assert_eq!(
        first_line(&long.octets()),
        "error[GJ109]: the manifest of libacme.so cannot be used: it has 65537 octets, more than 65536"
    );
    let huge = Elf {
        note: vec![b' '; 1 << 20],
        ..good()
    };
    assert!(first_line(&huge.octets()).contains("more than 1048576 octets of notes"));
}

#[test]
fn links_and_special_files_are_named_without_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    symlink("nowhere", path("dangling.so")).unwrap();
    symlink("loop.so", path("loop.so")).unwrap();
    fs::create_dir(path("directory.so")).unwrap();
    symlink("/dev/null", path("device.so")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(path("socket.so")).unwrap());
    assert!(
        Command::new("mkfifo")
            .arg(path("pipe.so"))
            .status()
            .unwrap()
            .success()
    );
    let line = |name: &str| match judge(&path(name)).verdict {
        Verdict::Refused(problem, None) => format!("{} {}", problem.code(), problem.summary()),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(
        line("dangling.so"),
        "GJ103 dangling.so is a link to nowhere, which does not exist"
    );
    assert_eq!(
        line("loop.so"),
        "GJ103 cannot open loop.so, a link to loop.so: Too many levels of symbolic links (os error 40)"
    );
    assert_eq!(
        line("directory.so"),
        "GJ103 directory.so is a directory, not a library"
    );
    assert_eq!(
        line("device.so"),
        "GJ103 device.so is a device, not a library"
    );
    assert_eq!(
        line("socket.so"),
        "GJ103 socket.so is a socket, not a library"
    );
    assert_eq!(
        line("pipe.so"),
        "GJ103 pipe.so is a named pipe (FIFO), not a library"
    );
}

#[test]
fn a_file_beyond_the_limit_is_refused_unread() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.so");
    File::create(&path)
        .unwrap()
        .set_len(MAX_OCTETS + 1)
        .unwrap();
    let Verdict::Refused(problem, None) = judge(&path).verdict else {
        panic!("accepted")
    };
    assert_eq!(problem.code(), Code::TooLarge);
}

proptest::proptest! {
    #[test]
    fn any_octets_behind_an_elf_header_get_an_answer(
        tail in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
        kept in 16..232_usize,
    ) {
        let mut octets = good().octets();
        octets.truncate(kept);
        octets.extend(tail);
        let length = octets.len() as u64;
        // Only that it ends; a file that is cut or filled at random is hardly ever good.
        drop(elf::read(&ReadCache::new(io::Cursor::new(octets)), length));
    }
}
