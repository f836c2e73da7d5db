use super::{Grant, GrantFault, Token};

fn grant(json: &str) -> Result<Token, GrantFault> {
    serde_json::from_str::<Grant>(json).unwrap().token()
}

/// How many seconds a token of this answer lives, to the next tenth.
fn lives(expires_in: &str) -> Result<f64, GrantFault> {
    let token = grant(&format!(
        r#"{{"access_token": "tok-1", "expires_in": {expires_in}, "token_type": "Bearer"}}"#
    ))?;
    Ok((token.left().as_secs_f64() * 10.0).ceil() / 10.0)
}

#[test]
fn the_life_of_a_token_is_what_the_answer_says_within_reason() {
    assert_eq!(lives("3599"), Ok(3599.0));
    assert_eq!(lives("\"3599\""), Ok(3599.0));
    assert_eq!(lives("10.5"), Ok(10.5));
    // Not said, or null: an hour.
    assert_eq!(lives("null"), Ok(3600.0));
    // Nothing of Google's lives longer than twelve hours.
    for absurd in ["43201", "1e300", "9223372036854775807", "\"inf\""] {
        assert_eq!(lives(absurd), Ok(43200.0), "{absurd}");
    }
    for over in ["0", "-1", "-9223372036854775808", "-0.5", "\"-inf\""] {
        assert_eq!(lives(over), Err(GrantFault::Over), "{over}");
    }
    for senseless in ["\"soon\"", "\"NaN\"", "\"\""] {
        assert_eq!(lives(senseless), Err(GrantFault::Lives), "{senseless}");
    }
}

#[test]
fn what_no_request_could_carry_is_no_token() {
    let long = format!(r#"{{"access_token": "{}"}}"#, "a".repeat(16_385));
    for (answer, fault) in [
        ("{}", GrantFault::Missing),
        (r#"{"access_token": null}"#, GrantFault::Missing),
        (r#"{"access_token": ""}"#, GrantFault::Missing),
        (r#"{"access_token": "tok 1"}"#, GrantFault::NoToken),
        (r#"{"access_token": "tok-1\r\nX: y"}"#, GrantFault::NoToken),
        (r#"{"access_token": "tök"}"#, GrantFault::NoToken),
        (&long, GrantFault::NoToken),
        (
            r#"{"access_token": "tok-1", "token_type": "mac"}"#,
            GrantFault::Type("mac".to_owned()),
        ),
        // Somebody has mixed up the fields.
        (
            r#"{"access_token": "bearer", "token_type": "ya29.a0AfB_by"}"#,
            GrantFault::Type("***".to_owned()),
        ),
    ] {
        assert_eq!(grant(answer).err(), Some(fault), "{answer}");
    }
    let token = grant(r#"{"access_token": "tok-1", "token_type": "bearer"}"#).unwrap();
    assert_eq!(token.text().reveal(), "tok-1");
}
