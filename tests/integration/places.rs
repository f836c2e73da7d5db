//! Who could replace a library decides whether it is loaded.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, c, library};
use crate::peers::not_permitted;

/// A deployment with a copy of the library of zone files: the build tree has rules of its own.
fn janitor() -> Janitor {
    let janitor = Janitor::new().libraries(&[]);
    let path = janitor.path("plugins/libfiles.so");
    fs::copy(library(FILES), &path).expect("a library can be copied");
    mode(&path, 0o644);
    janitor
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode can be set");
}

/// What `check` says, for whoever runs the tests.
fn checked(janitor: &Janitor) -> String {
    let run = janitor.command(&["check"]);
    assert_eq!(run.exit_code(), 2, "{}", run.stdout());
    named(&run.errors())
}

/// Users and groups under names that do not depend on who runs the tests.
fn named(text: &str) -> String {
    let me = uzers::get_current_username().expect("this user has a name");
    let me = me.to_string_lossy();
    let group = uzers::get_current_groupname().expect("this group has a name");
    let group = group.to_string_lossy();
    text.replace(&format!("user \"{me}\""), "user \"<me>\"")
        .replace(&format!("owner {me}:{group}"), "owner <me>:<us>")
        .replace(&format!("group \"{group}\""), "group \"<us>\"")
}

#[test]
fn what_is_in_order_would_run() {
    let janitor = janitor();
    let run = janitor.command(&["check"]);
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
    assert_snapshot!(named(&run.stdout()), @r#"
    files.zones   authority   0.1.0  <root>/plugins/libfiles.so
    files.served  reconciler  0.1.0  <root>/plugins/libfiles.so
    files.apply   publisher   0.1.0  <root>/plugins/libfiles.so
    everything is in order: 3 plugins would run as user "<me>"
    "#);
}

#[test]
fn a_directory_that_everyone_can_write_to() {
    let janitor = janitor();
    mode(&janitor.path("plugins"), 0o777);
    assert_snapshot!(checked(&janitor), @r#"
    error[GJ301]: <root>/plugins is writable by everyone (mode 0777); no plugin was loaded from it
      where: <root>/plugins
      because: any user could replace a library that runs as user "<me>"
      found: owner <me>:<us>, mode 0777; every directory up to / was checked, this is the only fault
      help: chmod go-w <root>/plugins, then verify the files: gordon-janitor plugins list --sha256
    error: 1 error; nothing was run
    "#);
    // The stickiness of a directory protects what is in it, and not from what is added.
    mode(&janitor.path("plugins"), 0o1777);
    assert!(checked(&janitor).contains("is writable by everyone (mode 1777)"));
}

#[test]
fn a_directory_above_that_everyone_can_write_to() {
    let janitor = janitor();
    mode(&janitor.path(""), 0o777);
    let told = checked(&janitor);
    assert!(
        told.contains(
            "error[GJ301]: <root> is writable by everyone (mode 0777); no plugin was loaded from it"
        ),
        "{told}"
    );
    // The configuration lies there, too.
    assert!(
        told.contains("warning[GJ301]: <root> is writable by everyone"),
        "{told}"
    );
}

#[test]
fn a_library_that_its_group_can_write_to() {
    let janitor = janitor();
    mode(&janitor.path("plugins/libfiles.so"), 0o664);
    assert_snapshot!(checked(&janitor), @r#"
    error[GJ301]: libfiles.so is writable by its group "<us>" (mode 0664); it was not loaded
      where: <root>/gordon-janitor.toml:2:12, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zones"]
        |            ^^^^^^^^^^^^^
      where: <root>/plugins/libfiles.so
      because: every member of the group "<us>" could replace what runs as user "<me>"
      found: owner <me>:<us>, mode 0664; every directory up to / was checked, this is the only fault
      help: chmod go-w <root>/plugins/libfiles.so, then verify the files: gordon-janitor plugins list --sha256
      note: plugin "files.apply" is in libfiles.so
      note: plugin "files.served" is in libfiles.so
      note: plugin "files.zones" is in libfiles.so
    error: 1 error; nothing was run
    "#);
}

#[test]
fn several_faults_on_one_way() {
    let janitor = janitor();
    mode(&janitor.path("plugins"), 0o775);
    mode(&janitor.path("plugins/libfiles.so"), 0o666);
    let run = janitor.command(&["plugins", "list"]);
    assert_eq!(run.exit_code(), 2);
    assert_snapshot!(named(&run.stdout()), @r#"
    KEY            ROLE        VERSION  API    STATE    FILE
    files.apply    publisher   0.1.0    1.0.0  refused  libfiles.so
    files.changes  publisher   0.1.0    1.0.0  refused  libfiles.so
    files.served   reconciler  0.1.0    1.0.0  refused  libfiles.so
    files.zones    authority   0.1.0    1.0.0  refused  libfiles.so

    GJ301: <root>/plugins is writable by its group "<us>" (mode 0775); no plugin was loaded from it
    "#);
    assert_snapshot!(named(&run.errors()), @r#"
    error[GJ301]: <root>/plugins is writable by its group "<us>" (mode 0775); no plugin was loaded from it
      where: <root>/plugins
      because: every member of the group "<us>" could replace a library that runs as user "<me>"
      found: owner <me>:<us>, mode 0775; every directory up to / was checked, this is the only fault
      help: chmod go-w <root>/plugins, then verify the files: gordon-janitor plugins list --sha256
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_link_is_as_safe_as_the_directory_it_lies_in() {
    let janitor = janitor();
    let elsewhere = janitor.path("elsewhere");
    fs::create_dir(&elsewhere).expect("a directory can be made");
    let library = janitor.path("plugins/libfiles.so");
    symlink(&library, elsewhere.join("link.so")).expect("a link can be made");
    let kept = janitor.path("plugins/libfiles.kept");
    fs::rename(&library, &kept).expect("a file can be renamed");
    symlink(elsewhere.join("link.so"), &library).expect("a link can be made");
    // A circle at first.
    assert!(checked(&janitor).contains("Too many levels of symbolic links"));
    fs::remove_file(elsewhere.join("link.so")).expect("a file can be removed");
    symlink(&kept, elsewhere.join("link.so")).expect("a link can be made");
    assert_eq!(janitor.command(&["check"]).exit_code(), 0);
    mode(&elsewhere, 0o777);
    assert_snapshot!(checked(&janitor), @r#"
    error[GJ301]: <root>/elsewhere is writable by everyone (mode 0777); no plugin was loaded from it
      where: <root>/gordon-janitor.toml:2:12, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zones"]
        |            ^^^^^^^^^^^^^
      where: <root>/plugins/libfiles.so
      because: any user could replace a library that runs as user "<me>"
      found: owner <me>:<us>, mode 0777; every directory up to / was checked, this is the only fault
      help: chmod go-w <root>/elsewhere, then verify the files: gordon-janitor plugins list --sha256
      note: plugin "files.apply" is in libfiles.so
      note: plugin "files.served" is in libfiles.so
      note: plugin "files.zones" is in libfiles.so
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_library_of_somebody_else() {
    let janitor = janitor();
    let path = janitor.path("plugins/libfiles.so");
    let nobody = Some(65534);
    let is_root = uzers::get_current_uid() == 0;
    if !is_root || std::os::unix::fs::chown(&path, nobody, nobody).is_err() {
        return not_permitted("needs the right to give files away (root)");
    }
    let somebody = uzers::get_user_by_uid(65534).map_or("65534".to_owned(), |user| {
        user.name().to_string_lossy().into_owned()
    });
    let told = checked(&janitor).replace(&format!("\"{somebody}\""), "\"<somebody>\"");
    let told = told.replace(
        &format!("owner {somebody}:nogroup"),
        "owner <somebody>:nogroup",
    );
    assert_snapshot!(told, @r#"
    error[GJ301]: libfiles.so belongs to user "<somebody>"; it was not loaded
      where: <root>/gordon-janitor.toml:2:12, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zones"]
        |            ^^^^^^^^^^^^^
      where: <root>/plugins/libfiles.so
      because: user "<somebody>" could replace what runs as user "<me>"
      found: owner <somebody>:nogroup, mode 0644; every directory up to / was checked, this is the only fault
      help: chown root <root>/plugins/libfiles.so, then verify the files: gordon-janitor plugins list --sha256
      note: plugin "files.apply" is in libfiles.so
      note: plugin "files.served" is in libfiles.so
      note: plugin "files.zones" is in libfiles.so
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_library_that_the_service_cannot_read() {
    let Some(nobody) = uzers::get_user_by_name("nobody") else {
        return not_permitted("needs the user nobody");
    };
    if rustix::process::geteuid().as_raw() != 0 {
        return not_permitted("needs files of root (root)");
    }
    let janitor = janitor();
    mode(&janitor.path(""), 0o755);
    let check = |user: &str| janitor.command(&["check", "--user", user]);
    assert_eq!(
        check("nobody").exit_code(),
        0,
        "{}",
        check("nobody").errors()
    );
    assert_eq!(check(&nobody.uid().to_string()).exit_code(), 0);
    mode(&janitor.path("plugins/libfiles.so"), 0o600);
    assert_snapshot!(check("nobody").errors(), @r#"
    error[GJ103]: libfiles.so cannot be read by user "nobody": its mode is 0600, its owner root:root
      where: <root>/gordon-janitor.toml:2:12, core.plugins
      2 | plugins = ["files.apply", "files.served", "files.zones"]
        |            ^^^^^^^^^^^^^
      where: <root>/plugins/libfiles.so
      help: chmod 0644 <root>/plugins/libfiles.so
      note: plugin "files.apply" is in libfiles.so
      note: plugin "files.served" is in libfiles.so
      note: plugin "files.zones" is in libfiles.so
    error: 1 error; nothing was run
    "#);
    mode(&janitor.path("plugins/libfiles.so"), 0o644);
    // It has to be listed, too.
    mode(&janitor.path("plugins"), 0o711);
    assert_snapshot!(check("nobody").errors(), @r#"
    error[GJ103]: <root>/plugins cannot be read by user "nobody": its mode is 0711, its owner root:root
      where: <root>/plugins
      help: chmod 0755 <root>/plugins
    error: 1 error; nothing was run
    "#);
    mode(&janitor.path("plugins"), 0o755);
    mode(&janitor.path("gordon-janitor.toml"), 0o600);
    assert_snapshot!(check("nobody").errors(), @r#"
    error[GJ408]: gordon-janitor.toml cannot be read by user "nobody": its mode is 0600, its owner root:root
      where: <root>/gordon-janitor.toml
      help: chgrp nogroup <root>/gordon-janitor.toml && chmod 0640 <root>/gordon-janitor.toml
    error: 1 error; nothing was run
    "#);
    let stranger = check("no-such-user");
    assert_eq!(stranger.exit_code(), 1);
    assert_snapshot!(stranger.errors(), @"
    error: cannot judge for another user
      caused by: this system knows no user `no-such-user`
    hint: name the user that the service runs as, or its number
    ");
}

#[test]
fn a_library_that_is_needed_by_one_that_is_needed_by_one_that_is_needed() {
    let janitor = Janitor::new().libraries(&[FILES]);
    let deep = janitor.path("plugins/deep");
    fs::create_dir(&deep).expect("a directory can be made");
    let path = |name: &str| match name {
        "c" => deep.join("libacme-c.so"),
        name => janitor.path(&format!("plugins/private-{name}.so.1")),
    };
    // The last one lies where everybody can write.
    let chain = [("c", None), ("b", Some("c")), ("a", Some("b"))];
    let rpath = "-Wl,--no-as-needed,--enable-new-dtags,-rpath,$ORIGIN:$ORIGIN/deep";
    let flags = |needed: Option<&str>| {
        let needed = needed.map(|needed| path(needed).display().to_string());
        [Some(rpath.to_owned()), needed]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    for (name, needed) in chain {
        let flags = flags(needed);
        let flags = flags.iter().map(String::as_str);
        let soname = path(name)
            .file_name()
            .unwrap_or_default()
            .display()
            .to_string();
        let soname = format!("-Wl,-soname,{soname}");
        let flags = flags.chain([soname.as_str()]).collect::<Vec<_>>();
        if !c::compile(&format!("int acme_{name};"), &path(name), &flags) {
            return;
        }
    }
    let of_plugin = flags(Some("a"));
    let of_plugin = of_plugin.iter().map(String::as_str).collect::<Vec<_>>();
    let plugin = c::plugin("acme.a", "int acme;");
    assert!(c::compile(
        &plugin,
        &janitor.path("plugins/libacme.so"),
        &of_plugin
    ));
    let list = || janitor.command(&["plugins", "list"]).stdout();
    assert!(list().contains("available  libacme.so"), "{}", list());
    mode(&deep, 0o777);
    let told = list();
    assert!(
        told.contains("GJ301: libacme.so needs libacme-c.so, which is not safe: <root>/plugins/deep is writable by everyone"),
        "{told}"
    );
}

#[test]
fn a_configuration_that_others_can_write_to_is_a_warning() {
    let janitor = janitor();
    assert_eq!(janitor.command(&["check"]).exit_code(), 0);
    mode(&janitor.path("gordon-janitor.toml"), 0o666);
    let run = janitor.command(&["check"]);
    assert_eq!(run.exit_code(), 0);
    assert_snapshot!(named(&run.errors()), @r#"
    warning[GJ301]: gordon-janitor.toml is writable by everyone (mode 0666); the configuration decides which code runs
      where: <root>/gordon-janitor.toml
      because: any user could choose what runs as user "<me>"
      found: owner <me>:<us>, mode 0666; every directory up to / was checked, this is the only fault
      help: chmod go-w <root>/gordon-janitor.toml, then verify it: gordon-janitor config
    "#);
    let last = run.stdout().lines().last().unwrap_or_default().to_owned();
    assert!(last.ends_with("; 1 warning"), "{last}");
}

#[test]
fn a_configuration_that_is_broken_and_open_to_all_is_both() {
    let janitor = janitor().config("oops = [");
    assert_eq!(janitor.command(&["check"]).exit_code(), 2);
    mode(&janitor.path("gordon-janitor.toml"), 0o666);
    let codes = checked(&janitor);
    let codes = codes.lines().filter(|line| line.contains("[GJ"));
    assert_snapshot!(codes.collect::<Vec<_>>().join("\n"), @"
    warning[GJ301]: gordon-janitor.toml is writable by everyone (mode 0666); the configuration decides which code runs
    error[GJ407]: <root>/gordon-janitor.toml is not valid TOML: unclosed array, expected `]`
    ");
}
