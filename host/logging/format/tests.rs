use super::super::level::Severity;
use super::*;

/// The instant of the vectors, in milliseconds.
const MOMENT: i64 = 1_510_000_000_968;

fn entry(milliseconds: i64, severity: Severity, message: &str) -> Entry<'_> {
    // The number of the process that the vectors were made with.
    PROCESS.get_or_init(|| 63_079);
    Entry {
        time: Timestamp::from_millisecond(milliseconds).unwrap(),
        file: Some("host/run.rs"),
        line: Some(7),
        target: "gordon_janitor::run".into(),
        ..Entry::new(severity, message.to_owned())
    }
}

fn text(fmt: &str) -> String {
    let pattern = Pattern::read(fmt).unwrap();
    let format = Format::new(Some(&pattern), None, Default::Stream);
    format.text(&entry(MOMENT, Severity::Info, "done"))
}

fn refused(fmt: &str) -> String {
    Pattern::read(fmt).unwrap_err().to_string()
}

#[test]
fn lines_are_those_of_the_original() {
    let document = include_str!("../../../tests/vectors/log-format.json");
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    let cases = document["vectors"].as_array().unwrap();
    for case in cases {
        let input = &case["input"];
        let option = |name: &str| input["options"][name].as_str();
        let pattern = option("fmt").map(|fmt| Pattern::read(fmt).unwrap());
        let dates = option("datefmt").map(|datefmt| DateFormat::read(datefmt).unwrap());
        let default = match input["handler"].as_str().unwrap() {
            "stream" => Default::Stream,
            "syslog" => Default::Syslog,
            other => panic!("{other}"),
        };
        let severity = match input["level"].as_str().unwrap() {
            "DEBUG" => Severity::Debug,
            "INFO" => Severity::Info,
            "CRITICAL" => Severity::Critical,
            other => panic!("{other}"),
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of a date in 2017"
        )]
        let milliseconds = (input["epoch"].as_f64().unwrap() * 1000.0).round() as i64;
        let message = input["message"].as_str().unwrap();
        let format = Format::new(pattern.as_ref(), dates.as_ref(), default);
        assert_eq!(
            format.text(&entry(milliseconds, severity, message)),
            case["expect"]["text"].as_str().unwrap(),
            "{}",
            case["id"]
        );
    }
    assert_eq!(cases.len(), 10);
}

#[test]
fn every_attribute_has_a_value() {
    for (fmt, expected) in [
        ("%(asctime)s", "2017-11-06T20:26:40"),
        ("%(created)s", "1510000000.968"),
        ("%(filename)s", "run.rs"),
        ("%(funcName)s", "(unknown function)"),
        ("%(levelname)s", "INFO"),
        ("%(levelno)d", "20"),
        ("%(lineno)d", "7"),
        ("%(message)s", "done"),
        ("%(module)s", "run"),
        ("%(msecs)d", "968"),
        ("%(name)s", "gordon_janitor::run"),
        ("%(pathname)s", "host/run.rs"),
        ("%(process)d", "63079"),
        ("%(processName)s", "MainProcess"),
    ] {
        assert_eq!(text(fmt), expected, "{fmt}");
    }
    assert_eq!(
        text("%(threadName)s"),
        thread::current().name().unwrap_or("Thread")
    );
    assert!(text("%(thread)d").parse::<u32>().unwrap() > 0);
    assert!(text("%(relativeCreated)d").parse::<i64>().is_ok());
}

#[test]
fn flags_width_and_precision_are_those_of_python() {
    // Each was printed by Python's `%` operator.
    for (fmt, expected) in [
        ("%(levelname)-8s|", "INFO    |"),
        ("%(levelname)08s|", "    INFO|"),
        ("%(levelname)+.2s|", "IN|"),
        ("%(msecs)03d", "968"),
        ("%(msecs)06d", "000968"),
        ("%(msecs)-6d|", "968   |"),
        ("%(msecs)+.1f", "+968.0"),
        ("%(levelno)+05d", "+0020"),
        ("%(levelno)-05d|", "20   |"),
        ("%(levelno)x", "14"),
        ("%(levelno)#06x", "0x0014"),
        ("%(levelno) d", " 20"),
        ("%(levelno)ld", "20"),
        ("100%% %(levelno)s%%", "100% 20%"),
        ("", ""),
    ] {
        assert_eq!(text(fmt), expected, "{fmt}");
    }
}

#[test]
fn a_pattern_that_python_would_not_take_is_refused() {
    for (fmt, why) in [
        (
            "%(levelnam)s",
            "it has no attribute `levelnam`; did you mean `levelname`?",
        ),
        ("%(zone)s", "it has no attribute `zone`"),
        (
            "%s",
            "behind `%` stands neither `(` with the name of an attribute nor another `%`",
        ),
        (
            "100%",
            "behind `%` stands neither `(` with the name of an attribute nor another `%`",
        ),
        (
            "a %(message)",
            "`%(message)` ends before it says how the attribute is written, as `s` does in `%(message)s`",
        ),
        (
            "%(message",
            "`%(message` ends before it says how the attribute is written, as `s` does in `%(message)s`",
        ),
        (
            "%(message)d",
            "`%(message)d` asks for 'd', which cannot write this attribute; write one of s",
        ),
        (
            "%(created)x",
            "`%(created)x` asks for 'x', which cannot write this attribute; write one of sdiufFeEgG",
        ),
        (
            "%(message)99999s",
            "`%(message)` is wider than 1000 characters",
        ),
        (
            "%(message).99999s",
            "`%(message).` is wider than 1000 characters",
        ),
    ] {
        assert_eq!(refused(fmt), why, "{fmt}");
    }
}

#[test]
fn a_date_format_is_tried_before_it_is_used() {
    assert!(DateFormat::read("%d/%b/%Y %H:%M:%S %z").is_ok());
    assert!(DateFormat::read("%Q%").is_err());
}

#[test]
fn nothing_of_an_event_can_forge_a_line() {
    let pattern = Pattern::read("%(name)s %(pathname)s %(filename)s %(module)s").unwrap();
    let entry = Entry {
        target: "a\nb".into(),
        file: Some("c\u{1b}/d\u{202e}.rs"),
        ..entry(MOMENT, Severity::Info, "done")
    };
    assert_eq!(
        Format::new(Some(&pattern), None, Default::Stream).text(&entry),
        "a\\nb c\\x1b/d\\u202e.rs d\\u202e.rs d\\u202e"
    );
}
