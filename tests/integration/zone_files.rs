//! Zone files that cannot be used, all the way through: the zone is left out and stays as it is, the
//! others go on.

use insta::assert_snapshot;

use crate::janitor::{HEAD, Janitor};

/// What is said of `bad.test` when its desired zone file holds `text`.
fn left_out(text: &str) -> String {
    let janitor = Janitor::new()
        .file("desired/bad.test.zone", text)
        .served("bad.test", "www A 192.0.2.9")
        .desired("good.test", "www A 192.0.2.1")
        .served("good.test", "");
    left_out_of(&janitor)
}

fn left_out_of(janitor: &Janitor) -> String {
    let before = janitor.served_file("bad.test");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert_eq!(janitor.served_file("bad.test"), before);
    assert!(janitor.served_file("good.test").contains("www.good.test."));
    let left_out = run.left_out();
    let [line] = left_out.as_slice() else {
        panic!("{left_out:#?}");
    };
    line.clone()
}

#[test]
fn a_syntax_error() {
    assert_snapshot!(left_out(&format!("{HEAD}www A 192.0.2.1\nftp A 192.0.2\n")), @r#"bad.test. plugin=files.zones reason="cannot read `<root>/desired/bad.test.zone`, line 5, column 7: expected an IPv4 address, found `192.0.2`""#);
    assert_snapshot!(left_out(&format!("{HEAD}www TXT \"no end\n")), @r#"bad.test. plugin=files.zones reason="cannot read `<root>/desired/bad.test.zone`, line 4, column 9: expected `\"` before the end of the line: the quoted string that starts here is not closed""#);
    assert_snapshot!(left_out(&format!("{HEAD}www BOGUS 1\n")), @r#"bad.test. plugin=files.zones reason="cannot read `<root>/desired/bad.test.zone`, line 4, column 5: unknown RR type `BOGUS`; a type without a mnemonic is written `TYPE` and its number""#);
}

#[test]
fn a_record_outside_the_zone() {
    assert_snapshot!(left_out(&format!("{HEAD}www.other.test. A 192.0.2.1\n")), @r#"bad.test. plugin=files.zones reason="cannot read `<root>/desired/bad.test.zone`, line 4, column 1: `www.other.test.` is outside of the zone `bad.test.`""#);
}

#[test]
fn cname_beside_other_data() {
    assert_snapshot!(left_out(&format!("{HEAD}www A 192.0.2.1\nwww CNAME ftp\n")), @r#"bad.test. plugin=files.zones reason="cannot build zone: `www.bad.test.` has a CNAME and A beside it (`<root>/desired/bad.test.zone`, line 5, column 1)""#);
    assert_snapshot!(left_out(&format!("{HEAD}www CNAME ftp\nwww CNAME mail\n")), @r#"bad.test. plugin=files.zones reason="cannot build zone: `www.bad.test.` has more than one CNAME (`<root>/desired/bad.test.zone`, line 5, column 1)""#);
}

#[test]
fn no_soa() {
    assert_snapshot!(left_out("www 300 A 192.0.2.1\n"), @r#"bad.test. plugin=files.zones reason="`<root>/desired/bad.test.zone` has no SOA; a zone has one, at its apex""#);
    assert_snapshot!(left_out(""), @r#"bad.test. plugin=files.zones reason="`<root>/desired/bad.test.zone` has no SOA; a zone has one, at its apex""#);
}

#[test]
fn a_file_that_is_included_from_outside() {
    assert_snapshot!(left_out(&format!("{HEAD}$INCLUDE ../secret\n")), @r#"bad.test. plugin=files.zones reason="cannot open `../secret`, which `<root>/desired/bad.test.zone`, line 4, column 10 includes: No such file or directory (os error 2)""#);
    let janitor = Janitor::new()
        .file("secret", "www A 192.0.2.1\n")
        .file(
            "desired/bad.test.zone",
            format!("{HEAD}$INCLUDE ../secret\n"),
        )
        .served("bad.test", "")
        .desired("good.test", "www A 192.0.2.1")
        .served("good.test", "");
    assert_snapshot!(left_out_of(&janitor), @r#"bad.test. plugin=files.zones reason="cannot open `../secret`, which `<root>/desired/bad.test.zone`, line 4, column 10 includes: it lies outside `<root>/desired`""#);
}

#[test]
fn a_file_that_is_none() {
    let janitor = Janitor::new()
        .served("bad.test", "")
        .desired("good.test", "www A 192.0.2.1")
        .served("good.test", "");
    let path = janitor.path("desired/bad.test.zone");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).expect("a FIFO can be made");
    assert_snapshot!(left_out_of(&janitor), @r#"bad.test. plugin=files.zones reason="`<root>/desired/bad.test.zone` is not a regular file""#);
}

#[test]
fn a_file_that_names_no_zone() {
    let janitor = Janitor::new()
        .desired("good..test", "www A 192.0.2.1")
        .desired("good.test", "www A 192.0.2.1")
        .served("good.test", "");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    assert_snapshot!(run.left_out().join("\n"), @r#"<root>/desired/good..test.zone plugin=files.zones reason="a label of the name is empty""#);
    assert!(janitor.served_file("good.test").contains("www.good.test."));
}

#[test]
fn two_files_for_one_zone() {
    let janitor = Janitor::new()
        .desired("bad.test", "www A 192.0.2.1")
        .desired("BAD.test", "www A 192.0.2.2")
        .served("bad.test", "")
        .desired("good.test", "www A 192.0.2.1")
        .served("good.test", "");
    assert_snapshot!(left_out_of(&janitor), @r#"bad.test. plugin=files.zones reason="two files hold it: `<root>/desired/BAD.test.zone` and `<root>/desired/bad.test.zone`""#);
}

#[test]
fn a_served_file_that_cannot_be_read() {
    let janitor = Janitor::new()
        .desired("bad.test", "www A 192.0.2.1")
        .file("served/bad.test.zone", format!("{HEAD}www A nonsense\n"))
        .desired("good.test", "www A 192.0.2.1")
        .served("good.test", "");
    assert_snapshot!(left_out_of(&janitor), @r#"bad.test. plugin=files.served reason="cannot read the served zone: cannot read `<root>/served/bad.test.zone`, line 4, column 7: expected an IPv4 address, found `nonsense`""#);
}

#[test]
fn a_zone_that_is_not_served() {
    let janitor = Janitor::new().desired("new.test", "www A 192.0.2.1");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    assert_snapshot!(run.left_out().join("\n"), @r#"new.test. plugin=files.served reason="cannot read the served zone: `<root>/served` holds no file for it, so it is not served there""#);
    assert!(!janitor.path("served/new.test.zone").exists());
}

#[test]
fn a_zone_that_nobody_speaks_for_stays_as_it_is() {
    let janitor = Janitor::new()
        .desired("good.test", "www A 192.0.2.1")
        .served("good.test", "")
        .served("other.test", "www A 192.0.2.1");
    let before = janitor.served_file("other.test");
    assert_eq!(janitor.run().exit_code(), 0);
    assert_eq!(janitor.served_file("other.test"), before);
}

#[test]
fn a_link_in_the_place_of_a_served_file_is_not_replaced() {
    let janitor = Janitor::new()
        .desired("bad.test", "www A 192.0.2.1")
        .file("elsewhere.zone", HEAD)
        .desired("good.test", "www A 192.0.2.1")
        .served("good.test", "");
    let link = janitor.path("served/bad.test.zone");
    std::os::unix::fs::symlink(janitor.path("elsewhere.zone"), link).expect("a link can be made");
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(janitor.served_file("bad.test"), HEAD);
    assert!(janitor.served_file("good.test").contains("www.good.test."));
    assert_snapshot!(run.log_with("changes were not applied").join("\n"), @r#"ERROR: changes were not applied zone=bad.test. publisher=files.apply refused=1 unknown=0 reason="`<root>/served/bad.test.zone` is a symbolic link; apply to the file that it points to""#);
}
