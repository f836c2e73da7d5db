//! What is in a file decides whether it is loaded. Nothing here is opened: `plugins check` runs no code.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use janitor_plugin_api::manifest::RUSTC;
use memchr::memmem;

use crate::janitor::{FILES, Janitor, c, library, with_mount};

/// What `plugins check` says of the file that `make` makes.
fn judged(make: impl FnOnce(&Path)) -> String {
    let janitor = Janitor::new().libraries(&[FILES]);
    let path = janitor.path("plugins/libodd.so");
    make(&path);
    let run = janitor.command(&["plugins", "check", &path.display().to_string()]);
    assert_eq!(run.exit_code(), 2, "{}{}", run.stdout(), run.errors());
    let told = run.errors();
    told.replace(RUSTC.trim_start_matches("rustc "), "<rustc>")
        .replace("error: 1 error; nothing was run\n", "")
        .replace(std::env::consts::ARCH, "<arch>")
}

fn octets(make: impl FnOnce(&mut Vec<u8>)) -> impl FnOnce(&Path) {
    let mut octets = fs::read(library(FILES)).expect("the library can be read");
    make(&mut octets);
    move |path: &Path| fs::write(path, octets).expect("a file can be written")
}

fn text(text: &[u8]) -> impl FnOnce(&Path) {
    move |path: &Path| fs::write(path, text).expect("a file can be written")
}

#[test]
fn what_is_no_library_is_called_what_it_is() {
    assert_snapshot!(judged(text(b"")), @"
    error[GJ101]: libodd.so is not a shared library: it is empty
      where: <root>/plugins/libodd.so
      help: the download probably failed; fetch it again and compare its sha256 with the publisher's
    ");
    assert_snapshot!(judged(text(b"Not yet uploaded.\n")), @r#"
    error[GJ101]: libodd.so is not a shared library: it is a text of 18 octets
      where: <root>/plugins/libodd.so
      found: first bytes "Not yet uploaded"; expected 7f 45 4c 46 (ELF)
      help: move it out of the plugin directory, or install the library that should be here
    "#);
    assert_snapshot!(judged(text(b"<!DOCTYPE html><title>Not found</title>")), @r#"
    error[GJ101]: libodd.so is not a shared library: it is an HTML page of 39 octets
      where: <root>/plugins/libodd.so
      found: first bytes "<!DOCTYPE html><"; expected 7f 45 4c 46 (ELF)
      help: the download probably failed; fetch it again and compare its sha256 with the publisher's
    "#);
    assert_snapshot!(judged(text(b"\x1f\x8b\x08\0\0\0\0\0")), @"
    error[GJ101]: libodd.so is not a shared library: it is a gzip archive of 8 octets
      where: <root>/plugins/libodd.so
      found: first bytes 1f 8b 08 00 00 00 00 00; expected 7f 45 4c 46 (ELF)
      help: unpack it, and put the library inside it here
    ");
    assert_snapshot!(judged(text(b"/* GNU ld script */\nINPUT(-lm)\n")), @r#"
    error[GJ101]: libodd.so is not a shared library: it is a linker script of 31 octets
      where: <root>/plugins/libodd.so
      found: first bytes "/* GNU ld script"; expected 7f 45 4c 46 (ELF)
      help: move it out of the plugin directory, or install the library that should be here
    "#);
    assert_snapshot!(judged(text(b"!<arch>\nlibx.o/   ")), @r#"
    error[GJ101]: libodd.so is not a shared library: it is a static library or a package (ar archive) of 18 octets
      where: <root>/plugins/libodd.so
      found: first bytes 21 3c 61 72 63 68 3e 0a 6c 69 62 78 2e 6f 2f 20; expected 7f 45 4c 46 (ELF)
      help: a plugin is built with crate-type = ["cdylib"]
    "#);
}

#[test]
fn a_library_for_another_machine() {
    let machine = |number: u8| octets(move |octets| octets[18] = number);
    assert_snapshot!(judged(machine(183)), @"
    error[GJ106]: libodd.so is built for aarch64; this machine is <arch>
      where: <root>/plugins/libodd.so (files.apply, files.changes, files.served, files.zones; janitor-plugin-files 0.1.0, rustc <rustc>)
      help: install the build for <arch>
    ");
    assert_snapshot!(judged(machine(243)), @"
    error[GJ106]: libodd.so is built for riscv64; this machine is <arch>
      where: <root>/plugins/libodd.so (files.apply, files.changes, files.served, files.zones; janitor-plugin-files 0.1.0, rustc <rustc>)
      help: install the build for <arch>
    ");
    assert_snapshot!(judged(octets(|octets| (octets[4], octets[18]) = (1, 3))), @"
    error[GJ106]: libodd.so is built for x86, 32-bit; this machine is <arch>
      where: <root>/plugins/libodd.so
      help: install the build for <arch>
    ");
    assert_snapshot!(judged(octets(|octets| {
        octets[5] = 2;
        octets[16..20].copy_from_slice(&[0, 3, 0, 22]);
    })), @"
    error[GJ106]: libodd.so is built for s390x, big-endian; this machine is <arch>
      where: <root>/plugins/libodd.so
      help: install the build for <arch>
    ");
}

#[test]
fn a_program_an_object_file_and_a_core_dump() {
    assert_snapshot!(judged(|path| {
        fs::copy(env!("CARGO_BIN_EXE_gordon-janitor"), path).expect("a file can be copied");
    }), @r#"
    error[GJ101]: libodd.so is not a shared library: it is a program
      where: <root>/plugins/libodd.so
      help: a plugin is built with crate-type = ["cdylib"]
    "#);
    assert_snapshot!(judged(octets(|octets| octets[16] = 1)), @r#"
    error[GJ101]: libodd.so is not a shared library: it is an object file, not yet linked
      where: <root>/plugins/libodd.so
      help: a plugin is built with crate-type = ["cdylib"]
    "#);
    assert_snapshot!(judged(octets(|octets| octets[16] = 4)), @r#"
    error[GJ101]: libodd.so is not a shared library: it is a core dump
      where: <root>/plugins/libodd.so
      help: a plugin is built with crate-type = ["cdylib"]
    "#);
}

#[test]
fn a_library_that_is_cut_off() {
    let told = judged(octets(|octets| octets.truncate(300_000)));
    let whole = fs::metadata(library(FILES))
        .expect("the library is there")
        .len();
    assert_snapshot!(told.replace(&whole.to_string(), "<whole>"), @"
    error[GJ102]: libodd.so is incomplete: 300000 octets, its own headers describe <whole>
      where: <root>/plugins/libodd.so
      because: a copy may still be under way, or it ended early
      help: copy it again, to another name in the same directory, and rename it
    ");
}

#[test]
fn a_library_that_needs_a_newer_glibc() {
    // The newest release that the library names, raised beyond all there is.
    let mut newest = (0, Vec::new());
    let octets = fs::read(library(FILES)).expect("the library can be read");
    for at in memmem::find_iter(&octets, b"\0GLIBC_2.") {
        let digits = octets[at + 9..]
            .iter()
            .take_while(|octet| octet.is_ascii_digit());
        let digits = digits.copied().collect::<Vec<_>>();
        let number = String::from_utf8_lossy(&digits).parse::<u32>().unwrap_or(0);
        if octets[at + 9 + digits.len()] == 0 && number > newest.0 {
            newest = (number, [b"\0GLIBC_2.".as_slice(), &digits, b"\0"].concat());
        }
    }
    let (number, name) = newest;
    assert!(number > 0, "the library needs glibc");
    let told = judged(|path| {
        let mut octets = octets.clone();
        for at in memmem::find_iter(&octets.clone(), &name) {
            octets[at + 7] = b'9';
        }
        fs::write(path, octets).expect("a file can be written");
    });
    let here = told
        .split("this machine has ")
        .nth(1)
        .and_then(|rest| rest.split('\n').next());
    let here = here.unwrap_or_default().to_owned();
    assert!(here.starts_with("2."), "{told}");
    let told = told
        .replace(&here, "<here>")
        .replace(&format!("9.{number}"), "<needed>");
    assert_snapshot!(told, @"
    error[GJ105]: libodd.so needs glibc <needed>; this machine has <here>
      where: <root>/plugins/libodd.so (files.apply, files.changes, files.served, files.zones; janitor-plugin-files 0.1.0, rustc <rustc>)
      because: it was built on a newer distribution
      help: ask for a build against glibc <here> or older
    ");
}

#[test]
fn a_library_that_needs_one_that_is_not_there() {
    let janitor = Janitor::new().libraries(&[FILES]);
    let private = janitor.path("plugins/acme.d");
    fs::create_dir(&private).expect("a directory can be made");
    let needed = private.join("libacme-core.so.5");
    if !c::compile(
        "int acme_core(void) { return 5; }",
        &needed,
        &["-Wl,-soname,libacme-core.so.5"],
    ) {
        return;
    }
    let path = janitor.path("plugins/libacme.so");
    let source = c::plugin(
        "acme.a",
        "int acme_core(void); int acme(void) { return acme_core(); }",
    );
    let needed_path = needed.display().to_string();
    assert!(c::compile(
        &source,
        &path,
        &["-Wl,--enable-new-dtags,-rpath,$ORIGIN/acme.d", &needed_path]
    ));
    let check = || janitor.command(&["plugins", "check", &path.display().to_string()]);
    assert_eq!(check().exit_code(), 0, "{}", check().errors());
    // Whoever can replace the private library decides what runs, too.
    let writable = fs::Permissions::from_mode(0o777);
    fs::set_permissions(&private, writable).expect("a mode can be set");
    let janitor_of_it = janitor.authorities(&["acme.a"]);
    let told = janitor_of_it.command(&["check"]).errors();
    let told = told
        .lines()
        .filter(|line| !line.contains("owner ") && !line.contains("because: "));
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    error[GJ301]: libacme.so needs libacme-core.so.5, which is not safe: <root>/plugins/acme.d is writable by everyone (mode 0777); no plugin was loaded from it
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "acme.a"]
        |                                           ^^^^^^^^
      where: <root>/plugins/libacme.so (acme.a; c 0.1.0, rustc none)
      where: <root>/plugins/acme.d/libacme-core.so.5
      help: chmod go-w <root>/plugins/acme.d, then verify the files: gordon-janitor plugins list --sha256
      note: plugin "acme.a" is in libacme.so
    error: 1 error; nothing was run
    "#);
    let janitor = janitor_of_it;
    let check = || janitor.command(&["plugins", "check", &path.display().to_string()]);
    fs::remove_file(&needed).expect("a file can be removed");
    assert_snapshot!(check().errors(), @"
    error[GJ107]: libacme.so needs libacme-core.so.5, which was not found
      where: <root>/plugins/libacme.so (acme.a; c 0.1.0, rustc none)
      found: looked in its RUNPATH ($ORIGIN/acme.d), the system's library path
      help: install the package that provides libacme-core.so.5
    error: 1 error; nothing was run
    ");
}

#[test]
fn a_library_without_a_manifest() {
    let janitor = Janitor::new()
        .libraries(&[FILES])
        .authorities(&["acme.zones"]);
    let path = janitor.path("plugins/libcurl.so");
    let source = "int a(void) { return 1; } int b(void) { return 2; } static int c(void) { return 3; } int d(void) { return c(); }";
    if !c::compile(source, &path, &["-Wl,-soname,libcurl.so.4", "-nostdlib"]) {
        return;
    }
    let run = janitor.command(&["plugins", "check", &path.display().to_string()]);
    assert_eq!(run.exit_code(), 2);
    assert_snapshot!(run.errors(), @"
    error[GJ109]: libcurl.so is not a gordon-janitor plugin (no manifest note); it exports 3 symbols and looks like libcurl.so.4
      where: <root>/plugins/libcurl.so
      help: a plugin is built with the SDK's export!; private libraries belong in a sub-directory
    error: 1 error; nothing was run
    ");
    // It is nobody's fault, unless a plugin is missing.
    assert_snapshot!(janitor.command(&["check"]).errors(), @r#"
    error[GJ202]: Plugin "acme.zones" not installed
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "acme.zones"]
        |                                           ^^^^^^^^^^^^
      found: plugins in <root>/plugins: files.apply, files.changes, files.served, files.zones; nothing resembles "acme.zones"
      help: gordon-janitor plugins list; another directory: --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
      note: GJ109 libcurl.so is not a gordon-janitor plugin (no manifest note); it exports 3 symbols and looks like libcurl.so.4
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_manifest_that_is_none() {
    let note = |from: &'static str, to: &'static str| {
        octets(move |octets| {
            let at = memmem::find(octets, from.as_bytes()).expect("the manifest has it");
            octets[at..at + to.len()].copy_from_slice(to.as_bytes());
        })
    };
    assert_snapshot!(judged(note("format = 1", "format = 2")), @"
    error[GJ109]: the manifest of libodd.so cannot be used: it has format 2, this host reads format 1
      where: <root>/plugins/libodd.so
      help: install a build of this plugin made with a released SDK
    ");
    assert_snapshot!(judged(note("package = ", "pack\u{7f}ge = ")), @"
    error[GJ109]: the manifest of libodd.so cannot be used: invalid unquoted key, expected letters, numbers, `-`, `_`
      where: <root>/plugins/libodd.so
      help: install a build of this plugin made with a released SDK
    ");
    assert_snapshot!(judged(octets(|octets| {
        let at = memmem::find(octets, b"package = ").expect("the manifest has it");
        octets[at] = 0xff;
    })), @"
    error[GJ109]: the manifest of libodd.so cannot be used: it is not UTF-8
      where: <root>/plugins/libodd.so
      help: install a build of this plugin made with a released SDK
    ");
    // A second plugin gets the key of the first.
    assert_snapshot!(judged(note("key = \"files.zones\"", "key = \"files.apply\"")), @"
    error[GJ203]: the manifest of libodd.so cannot be used: it holds the key `files.apply` twice
      where: <root>/plugins/libodd.so
      help: install a build of this plugin made with a released SDK
    ");
    // The note says that it goes on behind the end of its segment.
    assert_snapshot!(judged(octets(|octets| {
        let at = memmem::find(octets, b"GordonJanitor\0").expect("there is a note");
        octets[at - 8..at - 4].copy_from_slice(&0x0010_0000_u32.to_le_bytes());
    })), @"
    error[GJ101]: libodd.so is not a shared library: its ELF headers are damaged (Invalid ELF note descsz)
      where: <root>/plugins/libodd.so
      help: copy it again and compare its sha256 with the publisher's
    ");
    // And one that has fields of a later host.
    let janitor = Janitor::new().libraries(&[FILES]);
    let path = janitor.path("plugins/libnew.so");
    note("rustc = ", "rusty = ")(&path);
    let run = janitor.command(&["plugins", "check", &path.display().to_string()]);
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
}

#[test]
fn a_file_that_is_too_large_for_a_library() {
    let large = |path: &Path| {
        let file = fs::File::create(path).expect("a file can be made");
        file.set_len((1 << 30) + 1).expect("a file can be long");
    };
    assert_snapshot!(judged(large), @"
    error[GJ110]: libodd.so has 1073741825 octets; no plugin library has more than 1073741824
      where: <root>/plugins/libodd.so
      help: move it out of the plugin directory
    ");
}

#[test]
fn a_plugin_directory_without_plugins_or_that_is_none() {
    let janitor = Janitor::new().libraries(&[]);
    assert_snapshot!(janitor.command(&["check"]).errors(), @r#"
    error[GJ202]: Plugin "files.apply" not installed
      where: <root>/gordon-janitor.toml:2:12, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zones"]
        |            ^^^^^^^^^^^^^
      found: no plugins in <root>/plugins (chosen by --plugin-dir)
      help: gordon-janitor plugins list; another directory: --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
    error[GJ202]: Plugin "files.served" not installed
      where: <root>/gordon-janitor.toml:2:27, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zones"]
        |                           ^^^^^^^^^^^^^^
      found: no plugins in <root>/plugins (chosen by --plugin-dir)
      help: gordon-janitor plugins list; another directory: --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
    error[GJ202]: Plugin "files.zones" not installed
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zones"]
        |                                           ^^^^^^^^^^^^^
      found: no plugins in <root>/plugins (chosen by --plugin-dir)
      help: gordon-janitor plugins list; another directory: --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
    error: 3 errors; nothing was run
    "#);
    let plugins = janitor.path("plugins");
    fs::remove_dir(&plugins).expect("a directory can be removed");
    fs::write(&plugins, "").expect("a file can be written");
    assert_snapshot!(janitor.command(&["check"]).errors(), @"
    error[GJ206]: the plugin directory <root>/plugins is not a directory
      found: chosen by --plugin-dir
      help: name another with --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
    error: 1 error; nothing was run
    ");
}

#[test]
fn libraries_that_insist_on_static_thread_locals() {
    let janitor = Janitor::new();
    let keys = (1..=20)
        .map(|number| format!("acme.{number}"))
        .collect::<Vec<_>>();
    let code = "__thread char local[128] __attribute__((tls_model(\"initial-exec\"))); char *acme(void) { return local; }";
    for key in &keys {
        let path = janitor.path(&format!("plugins/lib{key}.so"));
        if !c::compile(&c::plugin(key, code), &path, &[]) {
            return;
        }
    }
    let keys = keys.iter().map(String::as_str).collect::<Vec<_>>();
    let janitor = janitor.authorities(&keys);
    let checked = janitor.command(&["check"]);
    assert_eq!(checked.exit_code(), 0, "{}", checked.errors());
    assert_snapshot!(checked.errors(), @"
    warning[GJ112]: 20 libraries need 2560 octets of static thread-local storage; the loader keeps 1664 for them
      found: libacme.1.so 128, libacme.10.so 128, libacme.11.so 128, libacme.12.so 128, libacme.13.so 128, libacme.14.so 128, libacme.15.so 128, libacme.16.so 128, libacme.17.so 128, libacme.18.so 128, libacme.19.so 128, libacme.2.so 128, libacme.20.so 128, libacme.3.so 128, libacme.4.so 128, libacme.5.so 128, libacme.6.so 128, libacme.7.so 128, libacme.8.so 128, libacme.9.so 128
      because: the loader cannot enlarge it in a process that runs, and will refuse the last of them
      help: start gordon-janitor with GLIBC_TUNABLES=glibc.rtld.optional_static_tls=1536, or ask for builds without the initial-exec model
    ");
    // Opened, each one is named: those that lack an entry point, and those that the loader has no room for.
    let told = janitor.command(&["plan"]).errors();
    for key in &keys {
        let first = format!("error[GJ107]: lib{key}.so cannot be opened: ");
        assert_eq!(told.matches(&first).count(), 1, "{told}");
    }
    let without_room = told
        .matches("cannot allocate memory in static TLS block")
        .count();
    let without_entry = told
        .matches("it exports no entry point of a plugin")
        .count();
    assert!(without_room > 0, "{told}");
    assert_eq!(without_room + without_entry, keys.len(), "{told}");
}

#[test]
fn a_library_on_a_file_system_mounted_noexec() {
    let janitor = Janitor::new().libraries(&[]);
    let prepare = format!("cp '{}' libfiles.so", library(FILES).display());
    let Some(output) = with_mount(
        &janitor,
        "plugins",
        "noexec,mode=0755",
        &prepare,
        &["check"],
    ) else {
        return;
    };
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    let root = janitor.path("").display().to_string();
    let told = told.replace(root.trim_end_matches('/'), "<root>");
    assert_snapshot!(told, @"
    error[GJ111]: the plugin directory <root>/plugins lies on a file system mounted noexec: <root>/plugins (tmpfs)
      where: <root>/plugins
      because: the system does not map code from there
      help: install plugins elsewhere, or: mount -o remount,exec <root>/plugins
    error: 1 error; nothing was run
    ");
}
