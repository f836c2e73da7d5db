use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use janitor_plugin_api::dns::{LeftAlone, Name, diff};
use tempfile::TempDir;

use super::*;
use crate::zone_file::read_desired;

const SERVED: &str = "\
; a comment
$TTL 1h
@ SOA ns1 hostmaster 4294967295 1h 10m 1w 5m
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.10
old A 192.0.2.9
";

const DESIRED: &str = "\
$TTL 3600
@ SOA other other 7 1 1 1 1
@ NS other
ns1 A 192.0.2.1
www A 192.0.2.11
new A 192.0.2.12
";

struct Case {
    root: TempDir,
    directory: Directory,
    apex: Name,
}

impl Case {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::at(root.path());
        fs::write(root.path().join("example.com.zone"), SERVED).unwrap();
        Self {
            root,
            directory,
            apex: "example.com".parse().unwrap(),
        }
    }

    fn served(&self) -> PathBuf {
        self.root.path().join("example.com.zone")
    }

    /// The changes that make what is served now into `DESIRED`.
    fn changes(&self) -> Changes {
        let wanted = tempfile::tempdir().unwrap();
        let path = wanted.path().join("example.com.zone");
        fs::write(&path, DESIRED).unwrap();
        let apex = self.apex.as_ref();
        let desired = read_desired(&Directory::at(wanted.path()), &path, apex).unwrap();
        let (actual, _) = read_actual(&self.directory, &self.served(), apex).unwrap();
        diff(&desired, &actual, &LeftAlone::default()).unwrap()
    }

    fn apply(&self, changes: &Changes) -> Result<(), String> {
        apply(&self.directory, changes).map_err(|e| in_one_line(&e))
    }
}

#[test]
fn the_served_file_becomes_what_is_desired_and_its_serial_advances() {
    let case = Case::new();
    case.apply(&case.changes()).unwrap();
    assert_eq!(
        fs::read_to_string(case.served()).unwrap(),
        "\
example.com. 3600 IN SOA ns1.example.com. hostmaster.example.com. 1 3600 600 604800 300
example.com. 3600 IN NS ns1.example.com.
new.example.com. 3600 IN A 192.0.2.12
ns1.example.com. 3600 IN A 192.0.2.1
www.example.com. 3600 IN A 192.0.2.11
"
    );
    assert!(
        case.changes().is_empty(),
        "the second comparison finds nothing"
    );
}

#[test]
fn a_zone_that_is_another_one_by_now_is_not_touched() {
    let case = Case::new();
    let changes = case.changes();
    let moved_on = SERVED.replace("192.0.2.9", "192.0.2.8");
    fs::write(case.served(), &moved_on).unwrap();
    assert_eq!(
        case.apply(&changes).unwrap_err(),
        "the served zone is no longer the one that was planned for: \
         the change deletes A of `old.example.com.` in a form that is not served"
    );
    assert_eq!(fs::read_to_string(case.served()).unwrap(), moved_on);
}

#[test]
fn a_symbolic_link_is_not_replaced() {
    let case = Case::new();
    let changes = case.changes();
    let real = case.root.path().join("real");
    fs::rename(case.served(), &real).unwrap();
    symlink(&real, case.served()).unwrap();
    let refused = case.apply(&changes).unwrap_err();
    assert!(refused.contains("is a symbolic link"), "{refused}");
    assert_eq!(fs::read_to_string(&real).unwrap(), SERVED);
}

#[test]
fn permissions_stay_and_nothing_else_is_left_in_the_directory() {
    let case = Case::new();
    fs::set_permissions(case.served(), fs::Permissions::from_mode(0o640)).unwrap();
    case.apply(&case.changes()).unwrap();
    let mode = fs::metadata(case.served()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert_eq!(fs::read_dir(case.root.path()).unwrap().count(), 1);
}

#[test]
fn a_zone_without_a_file_is_refused() {
    let case = Case::new();
    let changes = case.changes();
    fs::remove_file(case.served()).unwrap();
    let refused = case.apply(&changes).unwrap_err();
    assert!(
        refused.ends_with("holds no file for it, so it is not served there"),
        "{refused}"
    );
    assert_eq!(fs::read_dir(case.root.path()).unwrap().count(), 0);
}

#[test]
fn owner_and_group_stay() {
    let case = Case::new();
    let nobody = 65534;
    if chown(case.served(), Some(nobody), Some(nobody)).is_err() {
        println!("skipped: needs root, to give a file to somebody else");
        return;
    }
    case.apply(&case.changes()).unwrap();
    let file = fs::metadata(case.served()).unwrap();
    assert_eq!((file.uid(), file.gid()), (nobody, nobody));
}
