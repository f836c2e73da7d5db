//! What the forms for people show, and what becomes of hostile texts in them.

use std::sync::Arc;

use insta::assert_snapshot;
use janitor_plugin_api::dns::{LeftAlone, Name, Rtype, Ttl, ZoneBuilder, diff};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::problem::escape;
use crate::report::{LeftOut, LeftOutKind, ZoneReport};
use crate::stations::guard::{GuardRule, Reason, Unnamed, Verdict};
use crate::stations::planned::{PlannedZone, Rule, RuleKind};
use crate::stations::provenance::Provenance;
use crate::stations::route::{ListedPublisher, Route};

type Record<'a> = (&'a str, u32, &'a str, &'a str);

fn builder(apex: &Name, records: &[Record<'_>]) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new(apex.clone());
    for (owner, ttl, rtype, rdata) in records {
        let ttl = Ttl::from_secs(*ttl).unwrap();
        builder.push_text(owner, ttl, rtype, rdata).unwrap();
    }
    builder
}

fn zone(apex: &str, desired: &[Record<'_>], served: &[Record<'_>]) -> PlannedZone {
    let apex: Name = apex.parse().unwrap();
    let mut desired = builder(&apex, desired);
    desired.set_complete();
    let desired = desired.build_desired().unwrap();
    let served = builder(&apex, served).build_actual().unwrap();
    let changes = diff(&desired, &served, &LeftAlone::NOTHING).unwrap();
    PlannedZone::new(changes, Arc::new(Route::to_all("files.served".into())))
}

fn outcome(mut plan: Vec<PlannedZone>) -> Outcome {
    let mut outcome = Outcome::default();
    for zone in &mut plan {
        zone.provenance = Provenance::only("files.zones".into(), 1);
    }
    outcome.report.zones = plan.iter().map(report).collect();
    outcome.plan = plan;
    outcome.publishers = vec![ListedPublisher {
        key: "files.apply".into(),
        conditional: true,
    }];
    outcome
}

fn report(zone: &PlannedZone) -> ZoneReport {
    ZoneReport::of(zone, Some("files.zones".into()))
}

fn text(outcome: &Outcome, extent: Extent, width: Option<usize>) -> String {
    let mut styled = Vec::new();
    write_text(outcome, extent, width, &mut styled).unwrap();
    anstream::adapter::strip_str(&String::from_utf8(styled).unwrap()).to_string()
}

fn markdown(outcome: &Outcome, length: Option<usize>) -> String {
    let mut out = Vec::new();
    write_markdown(outcome, Extent::default(), length, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const ALL: Extent = Extent {
    all: true,
    changes: None,
};

/// Something of every kind.
fn sample() -> PlannedZone {
    zone(
        "a.test",
        &[
            (
                "a-name-that-is-longer-than-its-column",
                300,
                "A",
                "192.0.2.1",
            ),
            ("both", 60, "A", "192.0.2.1"),
            ("mx", 300, "MX", "10 a"),
            ("mx", 300, "MX", "20 b"),
            ("new", 300, "A", "192.0.2.1"),
            ("new", 300, "AAAA", "2001:db8::1"),
            ("pool", 300, "A", "192.0.2.1"),
            ("pool", 300, "A", "192.0.2.2"),
            ("pool", 300, "A", "192.0.2.3"),
            ("pool", 300, "A", "192.0.2.4"),
            ("pool", 300, "A", "192.0.2.5"),
            ("ttl", 600, "A", "192.0.2.1"),
        ],
        &[
            ("both", 30, "A", "192.0.2.2"),
            ("mx", 300, "MX", "10 a"),
            ("mx", 300, "MX", "20 c"),
            ("old", 300, "A", "192.0.2.1"),
            ("old", 300, "TXT", "bye"),
            ("pool", 300, "A", "192.0.2.1"),
            ("pool", 300, "A", "192.0.2.2"),
            ("pool", 300, "A", "192.0.2.3"),
            ("pool", 300, "A", "192.0.2.4"),
            ("ttl", 300, "A", "192.0.2.1"),
        ],
    )
}

#[test]
fn text_has_columns_and_what_differs_stands_side_by_side() {
    assert_snapshot!(text(&outcome(vec![sample()]), Extent::default(), Some(60)), @r#"
    a.test. 3 additions, 4 updates, 2 deletions
      + a-name-that-is-longer-than-its-column.a.test.
      +               300        A     192.0.2.1
      ~ both.a.test.  30 → 60    A     192.0.2.2 → 192.0.2.1
      ~ mx.a.test.    300        MX    10 a.a.test.
      -                                20 c.a.test.
      +                                20 b.a.test.
      + new.a.test.   300        A     192.0.2.1
      +               300        AAAA  2001:db8::1
      ~ pool.a.test.  300        A     4 values stay
      +                                192.0.2.5
      ~ ttl.a.test.   300 → 600  A     192.0.2.1
      - old.a.test.   300        A     192.0.2.1
      -               300        TXT   "bye"
    desired by files.zones, compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 0 left out: 3 additions, 4 updates, 2 deletions
    "#);
}

#[test]
fn values_change_places_on_two_lines_where_one_is_too_short() {
    let outcome = outcome(vec![zone(
        "a.test",
        &[("w", 300, "TXT", "desired")],
        &[("w", 300, "TXT", "served")],
    )]);
    assert_snapshot!(text(&outcome, Extent::default(), Some(45)), @r#"
    a.test. 1 update
      ~ w.a.test.  300  TXT  "served" → "desired"
    desired by files.zones, compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 update
    "#);
    assert_snapshot!(text(&outcome, Extent::default(), Some(44)), @r#"
    a.test. 1 update
      ~ w.a.test.  300  TXT
      -                      "served"
      +                      "desired"
    desired by files.zones, compared by files.served, published by files.apply
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 update
    "#);
}

#[test]
fn all_shows_zones_as_desired_values_that_stay_and_what_was_set_aside() {
    let mut guarded = sample();
    guarded.set_aside(|change| {
        (change.rtype() == Rtype::TXT).then(|| Rule {
            kind: RuleKind::Protected,
            text: "core.scope.protected = [\"old.a.test\"]".into(),
        })
    });
    let outcome = outcome(vec![guarded, zone("same.test", &[], &[])]);
    let usual = text(&outcome, Extent::default(), None);
    assert!(usual.contains("  ! 1 change set aside (protected): core.scope.protected"));
    assert!(usual.contains("4 values stay"));
    assert!(!usual.contains("\"bye\"") && !usual.contains("same.test"));
    assert_snapshot!(text(&outcome, ALL, None), @r#"
    a.test. 3 additions, 4 updates, 1 deletion
      ! 1 change set aside (protected): core.scope.protected = ["old.a.test"]
      + a-name-that-is-longer-than-its-column.a.test.
      +               300        A     192.0.2.1
      ~ both.a.test.  30 → 60    A     192.0.2.2 → 192.0.2.1
      ~ mx.a.test.    300        MX    10 a.a.test.
      -                                20 c.a.test.
      +                                20 b.a.test.
      + new.a.test.   300        A     192.0.2.1
      +               300        AAAA  2001:db8::1
      ~ pool.a.test.  300        A     192.0.2.1
                                       192.0.2.2
                                       192.0.2.3
                                       192.0.2.4
      +                                192.0.2.5
      ~ ttl.a.test.   300 → 600  A     192.0.2.1
      - old.a.test.   300        A     192.0.2.1
      set aside (protected): core.scope.protected = ["old.a.test"]
      - old.a.test.   300        TXT   "bye"
    same.test. no changes
    desired by files.zones, compared by files.served, published by files.apply
    2 zones compared, 1 to change, 1 as desired, 0 left out: 3 additions, 4 updates, 1 deletion
    1 change in 1 zone set aside
    "#);
}

#[test]
fn a_zone_that_is_withheld_says_so_in_every_form() {
    let mut withheld = sample();
    withheld.verdict = Verdict::Withheld(vec![Reason {
        rule: GuardRule::Deletions,
        found: "2 RRsets would be deleted".to_owned(),
        allowed: "1 is allowed".to_owned(),
        setting: "core.guard.deletions = 1".to_owned(),
        place: None,
    }]);
    let outcome = outcome(vec![
        withheld,
        zone("b.test", &[("new", 300, "A", "192.0.2.1")], &[]),
    ]);
    let shown = text(&outcome, Extent::default(), None);
    let told =
        "withheld: 2 RRsets would be deleted; 1 is allowed by core.guard.deletions = 1 (default)";
    assert!(shown.starts_with("a.test. 3 additions, 4 updates, 2 deletions, withheld\n"));
    assert!(shown.contains(&format!("\n  ! {told}\n")), "{shown}");
    assert!(
        shown.ends_with(
            "2 zones compared, 1 to change, 1 withheld, 0 as desired, 0 left out: 1 addition\n\
             9 changes in 1 zone withheld by the guard: nothing of it is published\n"
        ),
        "{shown}"
    );
    let shown = markdown(&outcome, None);
    assert!(
        shown.contains(&format!("**Attention:** `{told}`")),
        "{shown}"
    );
    let shown = html(&outcome);
    assert!(shown.contains(&format!("<p class=\"grave\"><b>Attention: </b>{told}</p>")));
}

#[test]
fn a_terminal_is_told_how_much_it_is_not_shown() {
    let extent = Extent {
        all: false,
        changes: Some(7),
    };
    let shown = text(&outcome(vec![sample()]), extent, None);
    assert!(
        shown.contains("\n  … and 2 more; --all shows them\n"),
        "{shown}"
    );
    assert!(!shown.contains("old.a.test."));
    let extent = Extent {
        all: false,
        changes: Some(9),
    };
    assert!(!text(&outcome(vec![sample()]), extent, None).contains("more"));
}

fn html(outcome: &Outcome) -> String {
    let mut page = Vec::new();
    write_html(outcome, Extent::default(), &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// Whatever ends, begins or means something somewhere.
const HOSTILE: &str = "a | b \\| ``` ` </code></details><script>x</script> **b** _i_ @you #1 www.example.com <!-- [l](http://x) ~~s~~ &amp; \u{1b}[2J\r\n\u{7f}\u{9b}31m\u{202e}";

fn hostile() -> Outcome {
    let rdata = "\"| ` \\\\| `` </td><b> @all www.example.com\"";
    let owner = "\\|x\\`\\<b\\>";
    let mut outcome = outcome(vec![zone("a.test", &[(owner, 300, "TXT", rdata)], &[])]);
    outcome.report.left_out.push(LeftOut {
        zone: None,
        what: HOSTILE.to_owned(),
        plugin: None,
        kind: LeftOutKind::Fault,
        reason: vec![HOSTILE.to_owned()],
        hint: Some(HOSTILE.to_owned()),
    });
    outcome
}

#[test]
fn no_form_has_control_characters_from_elsewhere() {
    let outcome = hostile();
    for shown in [
        text(&outcome, ALL, None),
        markdown(&outcome, None),
        html(&outcome),
    ] {
        let control = |c: char| (c.is_control() || c == '\u{202e}') && c != '\n';
        assert!(!shown.contains(control), "{shown:?}");
        assert!(shown.contains("x1b[2J"), "{shown}");
    }
}

/// What a reader of Markdown makes of a text: the words in code, the cells of each row, and whatever
/// else there should not be.
#[derive(Default)]
struct Read {
    codes: Vec<String>,
    rows: Vec<Vec<String>>,
    row: Option<Vec<String>>,
    strange: Vec<String>,
    html: String,
}

fn read(markdown: &str) -> Read {
    let mut read = Read::default();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut code = None;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Start(Tag::TableRow) => read.row = Some(Vec::new()),
            Event::End(TagEnd::TableRow) => read.rows.extend(read.row.take()),
            Event::Start(Tag::TableCell) => {
                if let Some(row) = &mut read.row {
                    row.push(String::new());
                }
            }
            Event::Code(text) => {
                read.codes.push(text.to_string());
                put(&mut read, &text);
            }
            // What a cell cannot have in a code span is in an element.
            Event::InlineHtml(tag) if &*tag == "<code>" => code = Some(String::new()),
            Event::InlineHtml(tag) if &*tag == "</code>" => {
                let text = code.take().unwrap_or_default();
                put(&mut read, &text);
                read.codes.push(text);
            }
            Event::InlineHtml(tag) if &*tag == "<br>" => {}
            Event::Html(text) => read.html.push_str(&text),
            Event::Text(text) => match &mut code {
                Some(code) => code.push_str(&text),
                None => put(&mut read, &text),
            },
            Event::Start(
                tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strikethrough),
            ) => read.strange.push(format!("{tag:?}")),
            Event::InlineHtml(tag) => read.strange.push(tag.to_string()),
            _ => {}
        }
    }
    read
}

fn put(read: &mut Read, text: &str) {
    if let Some(cell) = read.row.as_mut().and_then(|row| row.last_mut()) {
        cell.push_str(text);
    }
}

#[test]
fn nothing_in_a_zone_is_markup() {
    let shown = markdown(&hostile(), None);
    let read = read(&shown);
    assert_eq!(read.strange, [""; 0], "{shown}");
    let expected = escape(HOSTILE);
    let told = read.codes.iter().filter(|code| **code == expected);
    assert_eq!(told.count(), 3, "{:#?}\n{shown}", read.codes);
    let row = [
        "add",
        "|x`<b>.a.test.",
        "300",
        "TXT",
        "\"| ` \\\\| `` </td><b> @all www.example.com\"",
    ];
    assert_eq!(read.rows, [row.map(str::to_owned).to_vec()], "{shown}");
    assert_eq!(
        read.html,
        "<details><summary><code>a.test.</code> 1 addition</summary>\n</details>\n"
    );
}

#[test]
fn markdown_is_whole_at_every_length_and_counts_what_is_missing() {
    let mut outcome = hostile();
    outcome.plan.extend([sample(), sample()]);
    outcome.report.zones = outcome.plan.iter().map(report).collect();
    let whole = markdown(&outcome, None);
    let length = whole.chars().count();
    assert!(!whole.contains("No room"));
    for length in (700..length + 310).step_by(7) {
        let shown = markdown(&outcome, Some(length));
        assert!(shown.chars().count() <= length, "{length}");
        let read = read(&shown);
        let count = |text: &str| read.html.matches(text).count();
        assert_eq!(count("<details>"), count("</details>"), "{length}: {shown}");
        assert!(
            read.rows.iter().all(|row| row.len() == 5),
            "{length}: {shown}"
        );
        let missing = shown.split_once("No room here for ").map(|(_, rest)| {
            let number = rest.split(' ').next().and_then(|word| word.parse().ok());
            match rest.contains(" change") {
                true => number.unwrap_or(0),
                false => 0,
            }
        });
        assert_eq!(
            read.rows.len() + missing.unwrap_or(0),
            19,
            "{length}: {shown}"
        );
    }
    assert_eq!(markdown(&outcome, Some(length + 300)), whole);
    let unnamed = |number| Unnamed {
        zone: format!("z{number}.test").parse().unwrap(),
        desired: 3,
        run: 1,
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    outcome.report.unnamed = (0..1000).map(unnamed).collect();
    let shown = markdown(&outcome, Some(2000));
    assert!(shown.chars().count() <= 2000, "{shown}");
    let remarks = shown.matches("no authority names").count();
    let missing = format!("No room here for {} remarks and ", 1000 - remarks);
    assert!(remarks > 0 && shown.contains(&missing), "{shown}");
}
