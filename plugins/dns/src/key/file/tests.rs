use janitor_plugin_api::in_one_line;
use proptest::prelude::*;

use super::{KeyFileFault, find};
use crate::key::KeyAlgorithm;

/// The name, algorithm and secret of the key called `name`, or the fault.
fn read(text: &str, name: Option<&str>) -> Result<(String, KeyAlgorithm, Vec<u8>), String> {
    let name = name.map(|name| name.parse().unwrap());
    let read = || -> Result<_, KeyFileFault> {
        let statement = find(text, name.as_ref())?;
        let (algorithm, secret) = (statement.algorithm()?, statement.secret()?);
        Ok((statement.name().to_string(), algorithm, secret.to_vec()))
    };
    read().map_err(|fault| in_one_line(&fault))
}

#[test]
fn keys_are_read_as_the_tools_of_bind_print_them() {
    let janitor = (
        "janitor.".to_owned(),
        KeyAlgorithm::HmacSha256,
        b"secret".to_vec(),
    );
    for text in [
        "key \"janitor\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n",
        "key janitor { secret c2VjcmV0; algorithm \"HMAC-SHA256.\"; };",
        "# Start of rndc.conf\nkey \"janitor.\" { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\n\
         options { default-key \"janitor\"; default-server 127.0.0.1; };\n# key \"other\" {\n# };\n",
        "// one\n/* two\n key x { */ key \"JANITOR\" { /* three */ algorithm hmac-sha256; # four\n\
         secret \"c2VjcmV0\"; // five\n};;",
        "update-policy { grant janitor zonesub ANY; };\nkey janitor{algorithm hmac-sha256;secret\"c2VjcmV0\";};",
    ] {
        assert_eq!(read(text, None), Ok(janitor.clone()), "{text}");
    }
    let slashes = "key k { algorithm hmac-sha1; secret \"//////8=\"; };";
    let found = ("k.".to_owned(), KeyAlgorithm::HmacSha1, vec![0xff; 5]);
    assert_eq!(read(slashes, None), Ok(found));
}

#[test]
fn keys_are_read_as_knot_prints_and_takes_them() {
    let janitor = (
        "janitor.".to_owned(),
        KeyAlgorithm::HmacSha256,
        b"secret".to_vec(),
    );
    for text in [
        "# hmac-sha256:janitor:c2VjcmV0\nkey:\n  - id: janitor\n    algorithm: hmac-sha256\n    secret: c2VjcmV0\n",
        "key:\n- id: \"janitor.\"   # ours\n  secret: c2VjcmV0\n\n  algorithm: hmac-sha256\nacl:\n- id: x\n  key: janitor\n",
    ] {
        assert_eq!(read(text, None), Ok(janitor.clone()), "{text}");
    }
}

#[test]
fn of_several_keys_the_name_says_which_one_is_taken() {
    let one = |name, algorithm| format!("key {name} {{ algorithm {algorithm}; secret YQ==; }};\n");
    let text =
        one("first", "hmac-sha384") + &one("second", "hmac-sha512") + &one("third", "hmac-md5");
    let second = (
        "second.".to_owned(),
        KeyAlgorithm::HmacSha512,
        b"a".to_vec(),
    );
    assert_eq!(read(&text, Some("Second.")), Ok(second));
    for (name, fault) in [
        (None, "it holds 3 keys, and `name` does not say which"),
        (Some("fourth"), "it holds no key of the name `fourth.`"),
        (
            Some("third"),
            "line 3, column 23: the algorithm `hmac-md5` cannot be used",
        ),
    ] {
        assert_eq!(read(&text, name), Err(fault.to_owned()));
    }
    let twice = one("first", "hmac-sha1") + &one("FIRST", "hmac-sha1");
    assert_eq!(
        read(&twice, Some("first")),
        Err("it holds 2 keys of this name".to_owned())
    );
}

#[test]
fn faults_name_the_place_and_never_what_stands_there() {
    for (text, fault) in [
        ("", "it holds no key"),
        ("# key\n", "it holds no key"),
        ("c2VjcmV0Cg==", "line 1, column 13: `;` is missing"),
        ("key", "line 1, column 4: the name of the key is missing"),
        ("key a", "line 1, column 6: `{` is missing"),
        (
            "key a..b { };",
            "line 1, column 5: the name of the key is none: a label of the name is empty",
        ),
        ("key a { };", "line 1, column 1: the key has no algorithm"),
        (
            "key a { algorithm hmac-sha1; };",
            "line 1, column 1: the key has no secret",
        ),
        (
            "key a {\n  algorithm hmac-sha1;\n  algorithm hmac-sha1;\n};",
            "line 3, column 3: the key has a second algorithm",
        ),
        (
            "key a { algorithm c2VjcmV0Cg==; secret hmac-sha1; };",
            "line 1, column 19: the algorithm here cannot be used",
        ),
        (
            "key a {\n  algorithm hmac-sha1;\n  secret \"c2Vjcm-V0\";\n};",
            "line 3, column 10: the secret is no base64",
        ),
        (
            "key a { algorithm hmac-sha1; secret \"\"; };",
            "line 1, column 37: the secret is empty",
        ),
        (
            "key a { algorithm hmac-sha1; secret \"c2VjcmV0\n\"; };",
            "line 1, column 37: the text in quotes does not end",
        ),
        (
            "key a { algorithm hmac-sha1; secret c2VjcmV0 }",
            "line 1, column 46: `;` is missing",
        ),
        (
            "key a { c2VjcmV0 }",
            "line 1, column 9: `algorithm`, `secret` or `}` is missing",
        ),
        ("/* c2VjcmV0", "line 1, column 1: the comment does not end"),
        ("é {\n} c2VjcmV0", "line 2, column 11: `;` is missing"),
        (
            "key a { secret; };",
            "line 1, column 15: a value is missing",
        ),
        ("key:\n", "it holds no key"),
        (
            "key:\n  algorithm: c2VjcmV0",
            "line 2, column 3: `- id:` is missing",
        ),
        (
            "key:\n  - id: a\n    c2VjcmV0",
            "line 3, column 5: `:` is missing",
        ),
        (
            "key:\n- id: a\n  secret: c2Vj-mV0",
            "line 2, column 3: the key has no algorithm",
        ),
        (
            "key:\n- id: a\n  algorithm: hmac-sha1\n  secret: c2Vj-mV0",
            "line 4, column 11: the secret is no base64",
        ),
        (
            "key:\n- id: a\n  id: b",
            "line 3, column 3: the key has a second id",
        ),
    ] {
        assert_eq!(read(text, None), Err(fault.to_owned()), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_or_tell_what_it_read(
        pieces in prop::collection::vec(
            prop_oneof![
                Just("key ".to_owned()), Just("{".to_owned()), Just("}".to_owned()),
                Just(";".to_owned()), Just("\"".to_owned()), Just("algorithm ".to_owned()),
                Just("secret ".to_owned()), Just("/*".to_owned()), Just("*/".to_owned()),
                Just("#".to_owned()), Just("\n".to_owned()), Just("hmac-sha256".to_owned()),
                Just("Zq9xZq9x".to_owned()), any::<char>().prop_map(String::from),
            ],
            0..24,
        )
    ) {
        if let Err(fault) = read(&pieces.concat(), None) {
            prop_assert!(!fault.contains("Zq9x"), "{}", fault);
        }
    }
}
