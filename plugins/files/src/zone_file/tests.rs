use std::fs;

use tempfile::TempDir;

use super::*;

const HEAD: &str = "$TTL 300\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\n";

fn root(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// Reads `example.com.zone` of the directory; paths in errors are cut to its inside.
fn read(root: &Path) -> Result<DesiredZone, String> {
    let apex: Name = "example.com".parse().unwrap();
    let path = root.join("example.com.zone");
    read_desired(&Directory::at(root), &path, apex.as_ref()).map_err(|error| {
        let links = std::iter::successors(Some(&error as &dyn StdError), |&error| error.source());
        let text = links
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ");
        text.replace(&format!("{}/", root.display()), "")
    })
}

fn refusal(files: &[(&str, &str)]) -> String {
    read(root(files).path()).unwrap_err()
}

fn zone(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

#[test]
fn a_file_that_is_read_to_its_end_is_a_complete_zone() {
    let root = root(&[("example.com.zone", &zone("www A 192.0.2.1\n"))]);
    let zone = read(root.path()).unwrap();
    assert!(zone.is_complete());
    assert_eq!(zone.rrset_count(), 3);
}

#[test]
fn files_inside_the_directory_are_included() {
    let files = [
        ("example.com.zone", &*zone("$INCLUDE common/hosts\n")),
        ("common/hosts", "www A 192.0.2.1\n"),
    ];
    assert_eq!(read(root(&files).path()).unwrap().rrset_count(), 3);
}

#[test]
fn files_outside_the_directory_are_not_included() {
    for path in ["/etc/hostname", "../outside", "link"] {
        let outer = root(&[("outside", "www A 192.0.2.1\n"), ("in/x", "")]);
        let inner = outer.path().join("in");
        fs::write(
            inner.join("example.com.zone"),
            zone(&format!("$INCLUDE {path}\n")),
        )
        .unwrap();
        std::os::unix::fs::symlink("../outside", inner.join("link")).unwrap();
        let refused = read(&inner).unwrap_err();
        assert!(refused.contains("it lies outside"), "{path}: {refused}");
    }
}

#[test]
fn a_conflict_names_the_line_that_completes_it() {
    let text = zone("www CNAME ns\nns A 192.0.2.1\nWWW A 192.0.2.2\n");
    assert_eq!(
        refusal(&[("example.com.zone", &text)]),
        "cannot build zone: `www.example.com.` has a CNAME and A beside it \
         (`example.com.zone`, line 6, column 1)"
    );
}

#[test]
fn a_zone_has_one_soa() {
    assert_eq!(
        refusal(&[("example.com.zone", "www 300 A 192.0.2.1\n")]),
        "`example.com.zone` has no SOA; a zone has one, at its apex"
    );
    let twice = zone("@ SOA ns hostmaster 2 2 3 4 5\n");
    let refused = refusal(&[("example.com.zone", &twice)]);
    assert!(refused.contains("SOA"), "{refused}");
}

#[test]
fn a_fault_names_file_line_and_column() {
    assert_eq!(
        refusal(&[("example.com.zone", &zone("www A 192.0.2.400\n"))]),
        "cannot read `example.com.zone`, line 4, column 7: \
         expected an IPv4 address, found `192.0.2.400`"
    );
}

#[test]
fn records_of_one_rrset_in_a_row_have_the_ttl_of_the_first_as_in_bind() {
    let root = root(&[(
        "example.com.zone",
        &zone("www 300 A 192.0.2.1\nwww 5 TXT x\nwww 100 A 192.0.2.2\n"),
    )]);
    let zone = read(root.path()).unwrap();
    let ttls = zone
        .rrsets()
        .map(|rrset| rrset.ttl().as_secs())
        .collect::<Vec<_>>();
    assert_eq!(ttls, [300, 300, 300, 5]);
}

#[test]
fn records_of_one_rrset_that_stand_apart_have_one_ttl() {
    let text = zone("www 300 A 192.0.2.1\nns 300 A 192.0.2.9\nWWW 100 A 192.0.2.2\n");
    assert_eq!(
        refusal(&[("example.com.zone", &text)]),
        "an RRset of type A has the TTL 100 at `example.com.zone`, line 6, column 1, \
         and 300 further up; give all of its records one TTL"
    );
}

#[test]
fn signatures_that_stand_apart_have_the_ttls_of_what_they_cover() {
    let rrsig = |rtype: &str, ttl: u32| {
        format!("www {ttl} RRSIG {rtype} 13 3 {ttl} 20300101000000 20200101000000 1 @ AAAA\n")
    };
    let text = [
        "www 300 A 192.0.2.1\n",
        &rrsig("A", 300),
        "ns 300 A 192.0.2.9\nwww 60 TXT x\n",
        &rrsig("TXT", 60),
    ];
    let root = root(&[("example.com.zone", &zone(&text.concat()))]);
    let zone = read(root.path()).unwrap();
    let signatures = zone.rrsets().find(|rrset| rrset.rtype() == Rtype::RRSIG);
    let signatures = signatures.unwrap();
    assert_eq!(
        (signatures.rdata_count(), signatures.ttl().as_secs()),
        (2, 60)
    );
}
