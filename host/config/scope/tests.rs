use std::fs;

use insta::assert_snapshot;

use crate::config::Config;

fn problems(toml: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("gordon-janitor.toml"), toml).unwrap();
    let config = Config::load(directory.path()).unwrap();
    let problems = config.problems().iter().map(ToString::to_string);
    let text = problems.collect::<Vec<_>>().join("\n");
    text.replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn entries_that_are_no_patterns_are_told_with_place_and_reason() {
    assert_snapshot!(problems(
        "[core.scope]\n\
         include = ['a..example.com', '*.example.com AX', '']\n\
         exclude = ['www.example.com ANY', 7]\n\
         protect = 'vpn.example.com'\n\
         honour = ['externaldns']\n"
    ), @r#"
    error[GJ404]: core.scope.include has an entry that is no pattern of owners: "a..example.com"
      where: gordon-janitor.toml:2:12, core.scope.include
      2 | include = ['a..example.com', '*.example.com AX', '']
        |            ^^^^^^^^^^^^^^^^
      because: a label of the name is empty
      help: write an owner, with * for parts of it, and perhaps types behind it, such as "*.k8s.example.com A AAAA"
    error[GJ404]: core.scope.include has an entry that is no pattern of owners: "*.example.com AX"
      where: gordon-janitor.toml:2:30, core.scope.include
      2 | include = ['a..example.com', '*.example.com AX', '']
        |                              ^^^^^^^^^^^^^^^^^^
      because: unknown RR type `AX`; a type without a mnemonic is written `TYPE` and its number
      help: write an owner, with * for parts of it, and perhaps types behind it, such as "*.k8s.example.com A AAAA"
    error[GJ404]: core.scope.include has an entry that is no pattern of owners: ""
      where: gordon-janitor.toml:2:50, core.scope.include
      2 | include = ['a..example.com', '*.example.com AX', '']
        |                                                  ^^
      because: it is empty
      help: write an owner, with * for parts of it, and perhaps types behind it, such as "*.k8s.example.com A AAAA"
    error[GJ403]: core.scope.exclude must be a list of texts, in brackets, not a whole number
      where: gordon-janitor.toml:3:35, core.scope.exclude
      3 | exclude = ['www.example.com ANY', 7]
        |                                   ^
    error[GJ404]: core.scope.exclude has an entry that is no pattern of owners: "www.example.com ANY"
      where: gordon-janitor.toml:3:12, core.scope.exclude
      3 | exclude = ['www.example.com ANY', 7]
        |            ^^^^^^^^^^^^^^^^^^^^^
      because: no zone holds RRsets of type ANY
      help: write an owner, with * for parts of it, and perhaps types behind it, such as "*.k8s.example.com A AAAA"
    error[GJ403]: core.scope.protect must be a list of texts, in brackets, not a text
      where: gordon-janitor.toml:4:11, core.scope.protect
      4 | protect = 'vpn.example.com'
        |           ^^^^^^^^^^^^^^^^^
    error[GJ404]: core.scope.honour names "externaldns", whose markers are not known here
      where: gordon-janitor.toml:5:11, core.scope.honour
      5 | honour = ['externaldns']
        |           ^^^^^^^^^^^^^
      found: programs: external-dns, octodns
    "#);
}

#[test]
fn an_owner_without_a_zone_is_doubted() {
    assert_snapshot!(problems("[core.scope]\nprotect = ['vpn A', 'vpn.example.com', '*', '@ MX']"), @r#"
    warning[GJ842]: core.scope.protect names the top-level domain `vpn`, which no zone below one holds
      where: gordon-janitor.toml:2:12, core.scope.protect
      2 | protect = ['vpn A', 'vpn.example.com', '*', '@ MX']
        |            ^^^^^^^
      because: owners are whole names here, not relative to a zone
      help: write "vpn.example.com" for one zone, "vpn.*" for all, "@" for the apex
    "#);
}

#[test]
fn tables_of_zones_are_named_after_patterns_in_quotes() {
    assert_snapshot!(problems(
        "[core.scope.zones.example.com]\nexclude = []\n\
         [core.scope.zones.\"a..b\"]\n\
         [core.scope.zones.\"example.net\"]\nexcluded = ['a.example.net']\nprotect = ['b..c']\n\
         [core.scope.octodns]\nname = ['_owner.a']\n\
         [core.scope.external_dns]\nprefixes = []"
    ), @r#"
    error[GJ404]: core.scope.zones: "a..b" is no pattern of names
      where: gordon-janitor.toml:3:19, core.scope.zones
      3 | [core.scope.zones."a..b"]
        |                   ^^^^^^
      because: a label of the name is empty
      help: write a name, such as "example.com", or one with asterisks, such as "*.example.com"
    error[GJ401]: [core.scope.zones."example"] has no setting "com"
      where: gordon-janitor.toml:1:27, [core.scope.zones.example.com]
      1 | [core.scope.zones.example.com]
        |                           ^^^
      help: a pattern with dots stands in quotes: [core.scope.zones."example.com"]
    error[GJ404]: core.scope.zones."example.net".protect has an entry that is no pattern of owners: "b..c"
      where: gordon-janitor.toml:6:12, core.scope.zones."example.net".protect
      6 | protect = ['b..c']
        |            ^^^^^^
      because: a label of the name is empty
      help: write an owner, with * for parts of it, and perhaps types behind it, such as "*.k8s.example.com A AAAA"
    error[GJ401]: [core.scope.zones."example.net"] has no setting "excluded"; did you mean "exclude"?
      where: gordon-janitor.toml:5:1, [core.scope.zones."example.net"]
      5 | excluded = ['a.example.net']
        | ^^^^^^^^
      found: settings of [core.scope.zones."example.net"]: exclude, honour, include, name_servers, protect
    error[GJ401]: [core.scope.external_dns] has no setting "prefixes"; did you mean "prefix"?
      where: gordon-janitor.toml:10:1, [core.scope.external_dns]
      10 | prefixes = []
         | ^^^^^^^^
      found: settings of [core.scope.external_dns]: prefix, suffix, wildcard_replacement
    error[GJ404]: core.scope.octodns.name must be a list of labels without dots, such as ["_owner"]
      where: gordon-janitor.toml:8:8, core.scope.octodns.name
      8 | name = ['_owner.a']
        |        ^^^^^^^^^^^^
    "#);
}
