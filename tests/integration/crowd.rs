//! Directories with very many libraries: bounded memory, and no code of them runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use memchr::memmem;

use crate::janitor::{FILES, Janitor, c};
use crate::peers::say;

/// `check` within `kib` of address space, which is more than what it uses of memory.
fn check_within(janitor: &Janitor, kib: u32) -> (Option<i32>, String, String) {
    let script = format!("ulimit -v {kib}; \"$@\"; status=$?; times >&2; exit $status");
    let output = Command::new("bash")
        .args([
            "-c",
            &script,
            "bash",
            env!("CARGO_BIN_EXE_gordon-janitor"),
            "check",
        ])
        .arg("--config-root")
        .arg(janitor.path(""))
        .arg("--plugin-dir")
        .arg(janitor.path("plugins"))
        .env_remove("GORDON_JANITOR_PLUGIN_DIR")
        .output()
        .expect("a shell can be started");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// `0m0.123s 0m0.045s` as seconds.
fn seconds(times: &str) -> f64 {
    let words = times.split_whitespace();
    let each = words.filter_map(|word| {
        let (minutes, seconds) = word.trim_end_matches('s').split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    });
    each.sum()
}

/// The CPU time that reading every file takes, as something to compare with.
fn read_all(directory: &Path) -> f64 {
    let script = "cat \"$1\"/*.so >/dev/null; times";
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .arg(directory)
        .output()
        .expect("a shell can be started");
    let times = String::from_utf8_lossy(&output.stdout).into_owned();
    seconds(times.lines().last().unwrap_or_default())
}

#[test]
fn a_thousand_libraries_are_checked_in_64_mib_and_none_is_run() {
    let janitor = Janitor::new().libraries(&[FILES]);
    let trace = janitor.path("trace");
    let code = format!(
        "#include <fcntl.h>\n__attribute__((constructor)) static void run(void) {{ creat({:?}, 0600); }}",
        trace.display().to_string()
    );
    let first = janitor.path("plugins/libacme-0000.so");
    if !c::compile(&c::plugin("acme.k0000", &code), &first, &[]) {
        return;
    }
    let octets = fs::read(&first).expect("the library can be read");
    let key = memmem::find(&octets, b"acme.k0000").expect("the manifest has the key");
    let owner = memmem::find(&octets, b"GordonJanitor").expect("there is a note");
    for number in 1..1000 {
        let mut octets = octets.clone();
        octets[key..key + 10].copy_from_slice(format!("acme.k{number:04}").as_bytes());
        // Every second one is a stranger.
        octets[owner] = if number % 2 == 0 { b'G' } else { b'X' };
        let path = janitor.path(&format!("plugins/libacme-{number:04}.so"));
        fs::write(path, octets).expect("a file can be written");
    }
    // The harness writes the configuration.
    assert_eq!(janitor.command(&["check"]).exit_code(), 0);
    let (code, stdout, stderr) = check_within(&janitor, 65_536);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(
        stdout.contains("everything is in order: 3 plugins"),
        "{stdout}"
    );
    assert!(!trace.exists(), "an initialiser ran");
    let used = seconds(stderr.lines().last().unwrap_or_default());
    let floor = read_all(&janitor.path("plugins"));
    say(&format!(
        "measured: check of 1,000 libraries used {used:.3} s of CPU time, {:.1} times what cat needs to read them",
        used / floor.max(0.001)
    ));

    // The bar of a second is for a machine at work with other things; CPU time knows nothing of those.
    assert!(used < 1.0, "{used} s");

    // That it can be seen if one runs, and readable lists of so many.
    let list = janitor.command(&["plugins", "list"]);
    let list = list.stdout();
    assert_eq!(
        list.lines()
            .filter(|line| line.contains(" available "))
            .count(),
        501
    );
    assert!(
        list.contains("500 other libraries in <root>/plugins without plugins: libacme-0001.so, "),
        "{list}"
    );
    let janitor = janitor.authorities(&["acme.k0998"]);
    let run = janitor.command(&["plan"]);
    assert!(trace.exists(), "the trap does not work: {}", run.errors());
}

#[test]
fn ten_thousand_strangers_and_one_of_2_gib() {
    let janitor = Janitor::new().libraries(&[FILES]);
    let first = janitor.path("plugins/libx.so");
    if !c::compile("int x(void) { return 1; }", &first, &["-nostdlib"]) {
        return;
    }
    let octets = fs::read(&first).expect("the library can be read");
    for number in 0..10_000 {
        let path = janitor.path(&format!("plugins/libx-{number}.so"));
        fs::write(path, &octets).expect("a file can be written");
    }
    let large = janitor.path("plugins/lib-large.so");
    let large = fs::File::create(large).expect("a file can be made");
    large.set_len(2 << 30).expect("a file can be long");
    assert_eq!(janitor.command(&["check"]).exit_code(), 0);
    let (code, stdout, stderr) = check_within(&janitor, 131_072);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let list = janitor.command(&["plugins", "list"]).stdout();
    insta::assert_snapshot!(list, @"
    KEY            ROLE        VERSION  API    STATE      FILE
    -              -           -        -      refused    lib-large.so
    files.apply    publisher   0.1.0    1.0.0  enabled    libjanitor_plugin_files.so
    files.changes  publisher   0.1.0    1.0.0  available  libjanitor_plugin_files.so
    files.served   reconciler  0.1.0    1.0.0  enabled    libjanitor_plugin_files.so
    files.zones    authority   0.1.0    1.0.0  enabled    libjanitor_plugin_files.so

    GJ110: lib-large.so has 2147483648 octets; no plugin library has more than 1073741824

    10001 other libraries in <root>/plugins without plugins: libx-0.so, libx-1.so, libx-10.so, libx-100.so, libx-1000.so, libx-1001.so, libx-1002.so, libx-1003.so and 9993 more
    ");
}
