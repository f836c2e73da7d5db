use super::*;

#[test]
fn codes_are_ascending_and_unique() {
    let texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
}

#[test]
fn every_line_after_the_first_has_a_label() {
    let problem = Problem::error(
        Code::DuplicateKey,
        "key \"a.b\" is exported by two libraries; none was loaded",
    )
    .found("/p/one.so")
    .found("/p/two.so")
    .help("move one away");
    assert_eq!(
        problem.to_string(),
        "error[GJ203]: key \"a.b\" is exported by two libraries; none was loaded\n  \
             found: /p/one.so\n  found: /p/two.so\n  help: move one away"
    );
}

#[test]
fn control_and_direction_characters_are_escaped() {
    assert_eq!(
        escape("a\u{1b}[2J\r\n\u{85}\u{202e}é"),
        "a\\x1b[2J\\r\\n\\x85\\u202eé"
    );
}

#[test]
fn warnings_alone_are_no_error() {
    let warnings = Problems::check(vec![Problem::warning(Code::UnknownSetting, "w")]).unwrap();
    assert_eq!(warnings.len(), 1);
}

#[test]
fn an_error_keeps_the_warnings_beside_it() {
    let found = vec![
        Problem::warning(Code::UnknownSetting, "w"),
        Problem::error(Code::WrongType, "e"),
    ];
    let problems = Problems::check(found).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "warning[GJ401]: w\nerror[GJ403]: e\n1 error; nothing was run"
    );
}
