//! What the user that runs the program may not read or write, and what it says then.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, library};
use crate::peers::not_permitted;

/// The user and the group `nobody` of most systems: it owns nothing here.
const NOBODY: u32 = 65534;

/// A deployment of root with a library that was installed by command, and a program that all can run.
/// None if this is not root, who alone can be somebody else.
fn janitor() -> Option<Janitor> {
    if rustix::process::geteuid().as_raw() != 0 {
        not_permitted("needs the right to run as somebody else (root)");
        return None;
    }
    let janitor = Janitor::new().libraries(&[]);
    let program = env!("CARGO_BIN_EXE_gordon-janitor");
    fs::copy(program, janitor.path("program")).expect("the program can be copied");
    fs::copy(library(FILES), janitor.path("libfiles.so")).expect("a library can be copied");
    for path in ["", "libfiles.so", "program"] {
        mode(&janitor, path, 0o755);
    }
    let from = janitor.path("libfiles.so").display().to_string();
    let run = janitor.command(&["plugins", "install", &from]);
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    Some(janitor)
}

fn mode(janitor: &Janitor, path: &str, mode: u32) {
    let permissions = Permissions::from_mode(mode);
    fs::set_permissions(janitor.path(path), permissions).expect("a mode can be set");
}

/// What `nobody` is told, and the status.
fn told(janitor: &Janitor, arguments: &[&str]) -> String {
    let root = janitor.path("");
    let output = Command::new(janitor.path("program"))
        .args(["--plugin-dir", "plugins"])
        .args(arguments)
        .current_dir(&root)
        .env("NO_COLOR", "1")
        .env("STATE_DIRECTORY", janitor.path("state"))
        .stdin(Stdio::null())
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .expect("root can be somebody else");
    let told = String::from_utf8(output.stderr).expect("it is UTF-8");
    let somebody = uzers::get_user_by_uid(NOBODY).map_or("65534".to_owned(), |user| {
        format!("\"{}\"", user.name().to_string_lossy())
    });
    let root = root.display().to_string();
    let told = told.replace(&format!("user {somebody}"), "user <nobody>");
    let told = told.replace(root.trim_end_matches('/'), "<root>");
    format!("{told}[{}]", output.status.code().unwrap_or(-1))
}

#[test]
fn a_library_or_record_that_may_not_be_read() {
    let Some(janitor) = janitor() else { return };
    assert_eq!(told(&janitor, &["check"]), "[0]");
    let library = ["plugins", "check", "plugins/libfiles.so"];

    mode(&janitor, "plugins/libfiles.so", 0o600);
    assert_snapshot!(told(&janitor, &library), @"
    error[GJ103]: libfiles.so cannot be read by user <nobody>: its mode is 0600, its owner root:root
      where: plugins/libfiles.so
      help: chmod 0644 <root>/plugins/libfiles.so
    error: 1 error; nothing was run
    [2]
    ");
    mode(&janitor, "plugins/libfiles.so", 0o644);

    mode(&janitor, "plugins/.gordon-janitor-installed.toml", 0o600);
    assert_snapshot!(told(&janitor, &["check"]), @"
    error[GJ103]: .gordon-janitor-installed.toml cannot be read by user <nobody>: its mode is 0600, its owner root:root
      where: <root>/plugins/.gordon-janitor-installed.toml
      help: chmod 0644 <root>/plugins/.gordon-janitor-installed.toml
    error: 1 error; nothing was run
    [2]
    ");
    mode(&janitor, "plugins/.gordon-janitor-installed.toml", 0o644);

    // The link can be read; what it leads to is behind a directory that lets nobody through.
    fs::create_dir(janitor.path("private")).expect("a directory can be made");
    fs::copy(janitor.path("libfiles.so"), janitor.path("private/liba.so"))
        .expect("it can be copied");
    symlink("../private/liba.so", janitor.path("plugins/liba.so")).expect("a link can be made");
    mode(&janitor, "private", 0o700);
    assert_snapshot!(told(&janitor, &["plugins", "check", "plugins/liba.so"]), @"
    error[GJ103]: liba.so cannot be read by user <nobody>: <root>/private has mode 0700, owner root:root
      where: plugins/liba.so
      help: chmod 0755 <root>/private
    error: 1 error; nothing was run
    [2]
    ");
}

#[test]
fn a_directory_that_may_not_be_listed_or_searched() {
    let Some(janitor) = janitor() else { return };
    mode(&janitor, "plugins", 0o711);
    assert_snapshot!(told(&janitor, &["check"]), @"
    error[GJ206]: the plugin directory <root>/plugins cannot be read by user <nobody>: its mode is 0711, its owner root:root
      found: chosen by --plugin-dir
      help: chmod 0755 <root>/plugins
      help: name another with --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
    error: 1 error; nothing was run
    [2]
    ");
    mode(&janitor, "plugins", 0o744);
    assert_snapshot!(told(&janitor, &["check"]), @"
    error[GJ103]: .gordon-janitor-installed.toml cannot be read by user <nobody>: <root>/plugins has mode 0744, owner root:root
      where: <root>/plugins/.gordon-janitor-installed.toml
      help: chmod 0755 <root>/plugins
    error: 1 error; nothing was run
    [2]
    ");
}

#[test]
fn a_directory_that_may_not_be_written_to() {
    let Some(janitor) = janitor() else { return };
    let before = fs::read_dir(janitor.path("plugins"))
        .map(Iterator::count)
        .ok();
    let install = ["plugins", "install", "libfiles.so", "--as", "libfiles.so"];
    assert_snapshot!(told(&janitor, &install), @"
    error: cannot install `libfiles.so`
      caused by: user <nobody> may not write to <root>/plugins: its mode is 0755, its owner root:root
    hint: repeat it as the owner of the directory
    [1]
    ");
    assert_snapshot!(told(&janitor, &["plugins", "rollback", "files.zones"]), @"
    error: cannot roll back `files.zones`
      caused by: user <nobody> may not write to <root>/plugins: its mode is 0755, its owner root:root
    hint: repeat it as the owner of the directory
    [1]
    ");
    let after = fs::read_dir(janitor.path("plugins"))
        .map(Iterator::count)
        .ok();
    assert_eq!(after, before);
}

#[test]
fn a_history_that_this_user_may_not_look_for_stops_the_run_and_not_the_plan() {
    let Some(janitor) = janitor() else { return };
    fs::create_dir_all(janitor.path("state")).expect("a directory can be made");
    mode(&janitor, "state", 0o700);
    let run = told(&janitor, &["run"]);
    assert_snapshot!(run[run.find("error[").unwrap_or_default()..], @"
    error[GJ801]: cannot keep a history
      where: <root>/state
      found: <root>/state/lock: Permission denied (os error 13)
      because: this user may not look whether there is one; another run may be going on
      help: a directory that this user can write to: core.state_dir, or StateDirectory= of the service manager
      help: [core.history] enabled = false does without a history
    error: 1 error; nothing was run
    [1]
    ");
    let plan = told(&janitor, &["plan"]);
    assert!(
        plan.contains("warning[GJ801]: cannot use the history\n"),
        "{plan}"
    );

    // In one that it may look into, and not write to, there is none: that is how everybody begins.
    mode(&janitor, "state", 0o755);
    let run = told(&janitor, &["run"]);
    assert!(
        run.contains("warning[GJ801]: cannot keep a history\n"),
        "{run}"
    );
}
