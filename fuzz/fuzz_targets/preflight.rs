//! Preflight has an answer for any octets: it neither crashes nor hangs, nor takes much memory.
//!
//! An input is judged as a file, laid over a library that has everything there is to be read, and read as a
//! manifest.

#![no_main]

use std::fs;

use gordon_janitor::manifest::Manifest;
use gordon_janitor::preflight::{Preflight, Trust, Verdict, stranger};
use gordon_janitor_fuzz::library;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static PLACE: (TempDir, Preflight) = (
        // In memory where that is possible.
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory can be made"),
        Preflight::new(Trust::of_process()),
    );
}

fn judge(octets: &[u8]) -> Verdict {
    PLACE.with(|(directory, preflight)| {
        let path = directory.path().join("libfuzzed.so");
        fs::write(&path, octets).expect("a file can be written");
        drop(stranger(&path));
        preflight.judge(&path, None).verdict
    })
}

fuzz_target!(
    init: assert!(matches!(judge(&library()), Verdict::Plugin(_)), "{:?}", judge(&library())),
    |octets: &[u8]| {
    drop(judge(octets));
    // Two octets say where, the others what.
    if let Some((at, patch)) = octets.split_first_chunk::<2>() {
        let mut file = library();
        let at = usize::from(u16::from_le_bytes(*at)) % file.len();
        let end = file.len().min(at + patch.len());
        file[at..end].copy_from_slice(&patch[..end - at]);
        drop(judge(&file));
    }
    drop(Manifest::parse(octets));
});
