//! A shared library with everything that preflight reads, as small as it can be.

use janitor_plugin_api::manifest::API_VERSION;

const STRINGS: &[u8] = b"\0libfuzz.so.1\0libc.so.6\0GLIBC_2.4\0$ORIGIN/private\0FUZZ_1\0";

/// The place of a string in the string table.
fn string(text: &[u8]) -> u64 {
    let at = STRINGS.windows(text.len()).position(|found| found == text);
    at.expect("it is in the table") as u64
}

fn half(octets: &mut Vec<u8>, numbers: &[u16]) {
    numbers
        .iter()
        .for_each(|number| octets.extend(number.to_ne_bytes()));
}

fn word(octets: &mut Vec<u8>, numbers: &[u32]) {
    numbers
        .iter()
        .for_each(|number| octets.extend(number.to_ne_bytes()));
}

fn wide(octets: &mut Vec<u8>, numbers: &[u64]) {
    numbers
        .iter()
        .for_each(|number| octets.extend(number.to_ne_bytes()));
}

/// The octets of the library: file header, program headers, note, strings, versions, dynamic section.
pub fn library() -> Vec<u8> {
    const HEADERS: u64 = 64 + 4 * 56;
    let manifest = format!(
        "format = 1\napi = \"{API_VERSION}\"\npanic = \"unwind\"\npackage = \"f\"\nversion = \"1\"\n\
         [[plugin]]\nkey = \"f.a\"\nrole = \"authority\"\n"
    );
    let mut note = Vec::new();
    word(&mut note, &[14, manifest.len() as u32, 1]);
    note.extend(b"GordonJanitor\0\0\0");
    note.extend(manifest.bytes());
    note.resize(note.len().next_multiple_of(8), 0);

    let strings = HEADERS + note.len() as u64;
    let needs = (strings + STRINGS.len() as u64).next_multiple_of(8);
    let mut versions = Vec::new();
    half(&mut versions, &[1, 1]);
    word(&mut versions, &[string(b"libc.so.6\0") as u32, 16, 0]);
    word(&mut versions, &[0]);
    half(&mut versions, &[0, 2]);
    word(&mut versions, &[string(b"GLIBC_2.4\0") as u32, 0]);
    let offers = needs + versions.len() as u64;
    half(&mut versions, &[1, 0, 3, 1]);
    word(&mut versions, &[0, 20, 0, string(b"FUZZ_1\0") as u32, 0]);
    let dynamic = (needs + versions.len() as u64).next_multiple_of(8);

    let mut table = Vec::new();
    for (tag, value) in [
        (14, string(b"libfuzz.so.1\0")),
        (1, string(b"libc.so.6\0")),
        (29, string(b"$ORIGIN/private\0")),
        (5, strings),
        (10, STRINGS.len() as u64),
        (30, 0x10),
        (0x6fff_fffe, needs),
        (0x6fff_ffff, 1),
        (0x6fff_fffc, offers),
        (0x6fff_fffd, 1),
        (0, 0),
    ] {
        wide(&mut table, &[tag, value]);
    }
    let end = dynamic + table.len() as u64;

    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let machine = if cfg!(target_arch = "aarch64") {
        183
    } else {
        62
    };
    half(&mut file, &[3, machine]);
    word(&mut file, &[1]);
    wide(&mut file, &[0, 64, 0]);
    word(&mut file, &[0]);
    half(&mut file, &[64, 56, 4, 64, 0, 0]);
    let note_end = HEADERS + note.len() as u64;
    for (kind, from, to) in [
        (1_u32, 0, end),
        (4, HEADERS, note_end),
        (2, dynamic, end),
        (7, dynamic, dynamic + 8),
    ] {
        word(&mut file, &[kind, 4]);
        wide(&mut file, &[from, from, from, to - from, to - from, 8]);
    }
    file.extend(note);
    file.extend(STRINGS);
    file.resize(needs as usize, 0);
    file.extend(versions);
    file.resize(dynamic as usize, 0);
    file.extend(table);
    file
}
