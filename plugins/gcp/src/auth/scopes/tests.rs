use std::error::Error as _;

use super::Scopes;

fn scopes(setting: &[&str]) -> Result<Scopes, String> {
    let setting: Vec<_> = setting.iter().map(|&scope| scope.to_owned()).collect();
    Scopes::new(&setting).map_err(|error| error.source().unwrap().to_string())
}

#[test]
fn short_names_become_urls_and_urls_stay() {
    let scopes = scopes(&[
        "cloud-platform",
        "ndev.clouddns.readonly",
        "https://www.googleapis.com/auth/compute.readonly",
        "https://mail.google.com/",
    ]);
    assert_eq!(
        scopes.unwrap().all(),
        [
            "https://www.googleapis.com/auth/cloud-platform",
            "https://www.googleapis.com/auth/ndev.clouddns.readonly",
            "https://www.googleapis.com/auth/compute.readonly",
            "https://mail.google.com/",
        ]
    );
}

#[test]
fn what_is_no_scope_is_refused() {
    insta::assert_snapshot!(scopes(&[]).unwrap_err(), @"the list is empty, and a token without scopes allows nothing");
    insta::assert_snapshot!(scopes(&["cloud-platform compute"]).unwrap_err(), @"`cloud-platform compute` is no scope: one such as `cloud-platform`, or a whole URL, is");
    for scope in ["", " ", "a\nb", "a,b", "\"a\"", "ä"] {
        assert!(scopes(&["cloud-platform", scope]).is_err(), "{scope}");
    }
}
