//! What is shown of what others wrote.

use proptest::prelude::*;

use crate::http::shown;

#[test]
fn whatever_looks_like_a_credential_is_covered() {
    for (text, expected) in [
        ("no ya29.a0Af_-x/y=1 here", "no *** here"),
        ("token=ya29.c.b0A", "token=***"),
        (r#"{"token":"ya29.abc"}"#, r#"{"token":"***"}"#),
        (
            "Authorization: Bearer abc.def-1",
            "Authorization: Bearer ***",
        ),
        ("bearer x y", "bearer *** y"),
        ("refresh 1//0gAbc-d was revoked", "refresh *** was revoked"),
        ("client GOCSPX-a_b-c", "client ***"),
        ("assertion=eyJhbGciOi.eyJpc3Mi.c2ln&x", "assertion=***&x"),
        (
            "http://user:pa55@proxy:3128/",
            "http://user:***@proxy:3128/",
        ),
        (
            "a token that is known: tok-1, tok-12",
            "a token that is known: ***, ***2",
        ),
        // And nothing else is.
        (
            "Zone 'example.com.' has 1//2 of a.b.c",
            "Zone 'example.com.' has 1//2 of a.b.c",
        ),
        ("mail a@example.com: 12:30", "mail a@example.com: 12:30"),
        ("eyJ without dots", "eyJ without dots"),
    ] {
        assert_eq!(shown(text, &["tok-1"]), expected);
    }
    assert_eq!(
        shown("a secret that is empty", &[""]),
        "a secret that is empty"
    );
}

/// It is covered before the text is cut: the beginning of a secret is none of anybody's business.
#[test]
fn a_credential_across_the_end_is_covered() {
    for length in 480..510 {
        let text = format!("{} ya29.abcdefghijklmnop", "a".repeat(length));
        assert!(!shown(&text, &[]).contains("ya29"), "{length}");
    }
}

proptest! {
    #[test]
    fn a_text_is_one_line_of_what_a_terminal_shows(text in any::<String>()) {
        let shown = shown(&text, &[]);
        prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
        prop_assert!(shown.chars().count() <= 500 * 8 + 1);
    }

    #[test]
    fn a_known_secret_is_never_in_a_text(before in ".{0,600}", secret in "[a-zA-Z0-9._-]{8,40}", after in ".{0,600}") {
        let text = format!("{before}{secret}{after}");
        prop_assert!(!shown(&text, &[&secret]).contains(&secret));
    }
}
