use jiff::Timestamp;

use super::*;

fn gone(number: usize) -> Vec<Unnamed> {
    let zones = (0..number).map(|at| Unnamed {
        zone: format!("z{at}.test").parse().unwrap(),
        desired: at + 1,
        run: 7,
        at: Timestamp::UNIX_EPOCH,
    });
    zones.collect()
}

#[test]
fn a_few_zones_that_nobody_names_are_told_one_by_one() {
    assert_eq!(unnamed(&[], true).len(), 0);
    assert_eq!(unnamed(&gone(MAX_TOLD), true).len(), MAX_TOLD);
    insta::assert_snapshot!(unnamed(&gone(1), true)[0], @r"
    warning[GJ826]: no authority names `z0.test.` any more; it stays as it is
      found: run 7 of 1970-01-01T00:00:00Z found it well, with 1 RRset desired
      help: if it is not this janitor's any more: gordon-janitor history forget z0.test
    ");
}

#[test]
fn many_zones_that_nobody_names_are_told_at_once() {
    let told = unnamed(&gone(5_000), true);
    assert_eq!(told.len(), 1);
    let text = told[0].to_string();
    assert_eq!(text.lines().count(), MAX_TOLD + 3);
    let lines: Vec<_> = text.lines().collect();
    let around = [&lines[..2], &lines[MAX_TOLD..]].concat().join("\n");
    insta::assert_snapshot!(around, @r"
    warning[GJ826]: no authority names 5000 zones any more; they stay as they are
      found: `z0.test.`: run 7 of 1970-01-01T00:00:00Z found it well, with 1 RRset desired
      found: `z19.test.`: run 7 of 1970-01-01T00:00:00Z found it well, with 20 RRsets desired
      note: and 4980 more; gordon-janitor plan names them all
      help: if it is not this janitor's any more: gordon-janitor history forget ZONE
    ");
}

#[test]
fn nobody_is_told_to_forget_a_zone_while_an_authority_is_missing() {
    for number in [1, 5_000] {
        let text = unnamed(&gone(number), false)[0].to_string();
        assert!(!text.contains("history forget"), "{text}");
    }
    insta::assert_snapshot!(unnamed(&gone(1), false)[0], @r"
    warning[GJ826]: no authority names `z0.test.` any more; it stays as it is
      found: run 7 of 1970-01-01T00:00:00Z found it well, with 1 RRset desired
      because: not every authority was heard in this run
      help: mend the authorities first, and forget nothing
    ");
}
