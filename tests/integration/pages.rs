//! The plan as a page, in a real browser.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::janitor::Janitor;
use crate::peers::Browser;

/// What somebody might put into a zone to get hold of whoever looks at the plan.
const HOSTILE: &str = "\"</code></script><script>document.title='taken'</script><img src=x onerror=document.title='taken'>&amp;\"";

/// Zones with names and values that are long, many, or hostile.
fn deployment() -> Janitor {
    let long = ["averyveryverylonglabelthatgoesonandonandonandonandonandonandon"; 3].join(".");
    let key = format!(
        "\"v=DKIM1; k=rsa; p={}\"",
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A".repeat(7)
    );
    let pool = (1..=40).map(|number| format!("pool A 198.51.100.{number}\n"));
    let pool = pool.collect::<String>();
    Janitor::new()
        .desired(
            "a.test",
            &format!("{long} AAAA 2001:db8::1\nkey TXT {key}\nevil TXT {HOSTILE}\n\\<b\\>x A 192.0.2.1\nttl 600 A 192.0.2.1\npool A 192.0.2.1\n{pool}"),
        )
        .served(
            "a.test",
            &format!("old A 192.0.2.1\nold TXT bye\nttl A 192.0.2.1\npool A 192.0.2.2\n{pool}"),
        )
        .desired("b.test", "www A 192.0.2.1")
        .served("b.test", "")
        .desired("missing.test", "www A 192.0.2.1")
}

/// The plan as a file; the directory goes with it.
fn page(janitor: &Janitor) -> (TempDir, PathBuf) {
    let run = janitor.plan(&["--format", "html"]);
    assert_eq!(run.exit_code(), 3, "{}", run.stderr());
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("plan.html");
    fs::write(&file, run.stdout()).expect("a file can be written");
    (directory, file)
}

#[test]
fn nothing_is_wider_than_a_phone_and_nothing_is_cut_off() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (_directory, file) = page(&deployment());
    for (width, height) in [(320, 640), (768, 1024), (1280, 800)] {
        browser.resize(width, height);
        browser.open(&file);
        let measured = browser.evaluate(
            "const widest = [...document.querySelectorAll('body *')].map(e => e.getBoundingClientRect().right);\
             return [document.documentElement.scrollWidth, Math.ceil(Math.max(...widest))];",
        );
        let measured = measured.as_array().expect("two numbers");
        for number in measured {
            assert!(
                number.as_u64() <= Some(width.into()),
                "{width}: {measured:?}"
            );
        }
    }
}

#[test]
fn nothing_in_a_zone_becomes_a_part_of_the_page_and_nothing_comes_from_elsewhere() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (_directory, file) = page(&deployment());
    browser.open(&file);
    let found = browser.evaluate(
        "return { title: document.title, scripts: document.scripts.length, images: document.images.length,\
         bold: document.querySelectorAll('tbody b').length,\
         loaded: performance.getEntriesByType('resource').length,\
         shown: [...document.querySelectorAll('ins')].some(e => e.textContent.includes('<script>document.title')) }",
    );
    assert_eq!(
        found.to_string(),
        r#"{"bold":0,"images":0,"loaded":0,"scripts":1,"shown":true,"title":"DNS plan: 5 additions, 2 updates, 2 deletions"}"#
    );
    // What got past the escaping would still be stopped by the policy of the page.
    browser.evaluate(
        "const script = document.createElement('script'); script.textContent = \"document.title = 'taken'\";\
         document.body.append(script);",
    );
    assert_ne!(browser.evaluate("return document.title"), "taken");
    let complaints = browser.complaints();
    assert!(
        complaints.len() == 1 && complaints[0].contains("Content Security Policy"),
        "{complaints:?}"
    );
}

#[test]
fn names_can_be_looked_for_and_zones_closed() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (_directory, file) = page(&deployment());
    browser.resize(1280, 800);
    browser.open(&file);
    let visible = || {
        browser.evaluate(
            "return [...document.querySelectorAll('tbody th:not(.again)')]\
             .filter(e => e.checkVisibility()).map(e => e.textContent).join(' ')",
        )
    };
    browser.type_into("#filter", "WWW.b");
    assert_eq!(visible(), "www.b.test.");
    let found = browser.evaluate("return document.querySelector('output').textContent");
    assert_eq!(found, "1 name");
    browser.type_into("#filter", "\u{e003}".repeat(5).as_str());
    assert!(
        visible()
            .as_str()
            .is_some_and(|names| names.contains("old.a.test."))
    );
    browser.click("details:last-of-type summary");
    assert!(
        visible()
            .as_str()
            .is_some_and(|names| !names.contains("www.b.test."))
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn everything_is_read_without_a_script_and_on_paper() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (_directory, file) = page(&deployment());
    browser.allow_scripts(false);
    browser.open(&file);
    browser.allow_scripts(true);
    let found = browser.evaluate(
        "return { filter: document.querySelector('.filter').checkVisibility(),\
         names: [...document.querySelectorAll('tbody th:not(.again)')].every(e => e.checkVisibility()) }",
    );
    assert_eq!(found.to_string(), r#"{"filter":false,"names":true}"#);
    assert!(browser.print() > 1000);
}

#[test]
fn text_can_be_told_from_its_ground_in_light_and_dark_and_colour_is_never_the_only_sign() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (_directory, file) = page(&deployment());
    for colours in ["light", "dark"] {
        browser.prefer(colours);
        browser.open(&file);
        // WCAG 2.2, success criterion 1.4.3: a contrast of 4.5.
        let poor = browser.evaluate(CONTRAST);
        assert_eq!(poor.to_string(), "[]", "{colours}");
    }
    let signs = browser.evaluate(
        "const sign = e => getComputedStyle(e, '::before').content;\
         return [...new Set([...document.querySelectorAll('div > ins, div > del')].map(e => e.tagName + sign(e)))].sort()",
    );
    assert_eq!(
        signs.to_string(),
        "[\"DEL\\\"−\u{a0}\\\"\",\"INS\\\"+ \\\"\"]"
    );
    let words = browser.evaluate(
        "return [...new Set([...document.querySelectorAll('tbody tr')].map(e => e.className + '=' + e.cells[0].textContent))].sort().join(' ')",
    );
    assert_eq!(words, "add=add delete=delete update=update");
    let structure = browser.evaluate(
        "return { headings: [...document.querySelectorAll('h1, h2')].map(e => e.textContent).join(', '),\
         captions: [...document.querySelectorAll('table')].every(e => e.caption !== null),\
         labelled: document.querySelector('#filter').labels.length, language: document.documentElement.lang }",
    );
    assert_eq!(
        structure.to_string(),
        r#"{"captions":true,"headings":"DNS plan, Left out, a.test., b.test.","labelled":1,"language":"en"}"#
    );
}

/// Elements with text of their own whose contrast is too low.
const CONTRAST: &str = "\
const channels = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
  .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ground = e => {
  for (; e; e = e.parentElement) {
    const colour = channels(getComputedStyle(e).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
for (const e of document.querySelectorAll('body *')) {
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility() || e.tagName === 'SCRIPT') continue;
  const [a, b] = [light(channels(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) poor.push(e.tagName + ' ' + e.className + ' ' + ratio.toFixed(2));
}
return poor;";
