use super::{Format, SubjectFault};

fn token(format: &Format, octets: &[u8]) -> Result<String, SubjectFault> {
    let token = format.token(octets)?;
    Ok(token.reveal().to_owned())
}

#[test]
fn a_token_is_what_the_file_has_or_a_field_of_it() {
    assert_eq!(token(&Format::Text, b"ey.J\n"), Ok("ey.J".to_owned()));
    let json = Format::Json("id_token".to_owned());
    let answer = br#"{"expires_on": 1, "id_token": "ey.J"}"#;
    assert_eq!(token(&json, answer), Ok("ey.J".to_owned()));
}

#[test]
fn what_is_no_token_is_told_without_being_shown() {
    let json = Format::Json("id_token".to_owned());
    assert_eq!(token(&Format::Text, b"\xff"), Err(SubjectFault::NoText));
    assert_eq!(token(&Format::Text, b" \n"), Err(SubjectFault::Empty));
    assert_eq!(
        token(&json, br#"{"id_token": ""}"#),
        Err(SubjectFault::Empty)
    );
    for other in [
        "",
        "ey.J",
        "[]",
        "{}",
        r#"{"id_token": 1}"#,
        r#"{"access_token": "hush"}"#,
    ] {
        assert_eq!(
            token(&json, other.as_bytes()),
            Err(SubjectFault::NoField),
            "{other}"
        );
    }
}
