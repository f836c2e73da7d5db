use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use janitor_plugin_api::in_one_line;

use super::{Key, KeySettings};

/// The key that `text` describes, in a directory with the files `janitor.key` and `secret`; faults
/// without that directory.
fn load(text: &str) -> Result<Key, String> {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(
        "janitor.key",
        b"key janitor { algorithm hmac-sha512; secret c2VjcmV0; };",
    );
    write("secret", b"c2VjcmV0\n");
    write("lines", b"c2Vj\r\ncmV0\n");
    write("no-secret", b"hunter2!\n");
    write("no-text", b"hunter2\xff");
    write("long", &vec![b'#'; (1 << 20) + 1]);
    let settings: KeySettings = toml::from_str(text).unwrap();
    let resolve = |path: &Path| directory.path().join(path);
    Key::read(&settings, resolve).map_err(|fault| {
        let root = format!("{}/", directory.path().display());
        let hint = fault.hint().map(|hint| format!("\n{hint}"));
        in_one_line(&fault).replace(&root, "") + &hint.unwrap_or_default()
    })
}

#[test]
fn a_key_comes_from_a_file_or_from_its_parts() {
    for (text, shown) in [
        ("file = 'janitor.key'", "Key(janitor HMAC-SHA512)"),
        (
            "file = 'janitor.key'\nname = 'Janitor'",
            "Key(janitor HMAC-SHA512)",
        ),
        (
            "name = 'a.B'\nsecret_file = 'secret'",
            "Key(a.b HMAC-SHA256)",
        ),
        ("name = 'a'\nsecret_file = 'lines'", "Key(a HMAC-SHA256)"),
        (
            "name = 'a'\nalgorithm = 'hmac-sha1'\nsecret_file = 'secret'",
            "Key(a HMAC-SHA1)",
        ),
    ] {
        let shown = shown.replace("HMAC-SHA", "hmac-sha");
        assert_eq!(
            load(text).map(|key| format!("{key:?}")),
            Ok(shown),
            "{text}"
        );
    }
}

#[test]
fn a_key_that_is_said_wrong_is_refused_with_the_next_step() {
    for (text, fault) in [
        (
            "",
            "it names neither a `file` nor a `name` with a `secret_file` or a `secret_env`\n\
             make a key with `tsig-keygen NAME > FILE` and set `file` to it",
        ),
        (
            "name = 'a'\nsecret = 'aHVudGVyMg=='",
            "the secret stands in the configuration itself, as `secret`\n\
             write it to a file that only the janitor's user can read, name that file in \
             `secret_file`, and make a new secret if the configuration was ever shared",
        ),
        ("secret_file = 'secret'", "its `name` is missing"),
        (
            "name = 'a'",
            "its secret is missing\nset `secret_file` or `secret_env`",
        ),
        (
            "name = 'a'\nsecret_file = 'secret'\nsecret_env = 'X'",
            "`secret_file` and `secret_env` are both given",
        ),
        (
            "file = 'janitor.key'\nalgorithm = 'hmac-sha1'",
            "`algorithm` stands beside `file`, which holds the whole key",
        ),
        (
            "name = 'a..b'\nsecret_file = 'secret'",
            "its name `a..b` is none: a label of the name is empty",
        ),
        (
            "file = 'missing.key'",
            "cannot read `missing.key`: No such file or directory (os error 2)",
        ),
        ("file = '/dev/zero'", "`/dev/zero` is not a regular file"),
        ("file = 'no-text'", "`no-text` is no text"),
        (
            "file = 'long'",
            "`long` has more than 1 MiB, so it holds something else than keys or certificates",
        ),
        (
            "file = 'janitor.key'\nname = 'other'",
            "cannot take a key from `janitor.key`: it holds no key of the name `other.`",
        ),
        (
            "name = 'a'\nsecret_file = 'no-secret'",
            "cannot take the secret from `no-secret`: the secret is no base64",
        ),
        (
            "name = 'a'\nsecret_env = 'JANITOR_TESTS_NEVER_SET'",
            "the environment variable that `secret_env` names is not set, or empty, or no text",
        ),
    ] {
        assert_eq!(load(text).unwrap_err(), fault, "{text}");
    }
}

#[test]
fn no_debug_shows_a_secret() {
    let settings: KeySettings = toml::from_str("secret = 'aHVudGVyMg=='").unwrap();
    assert!(!format!("{settings:?}").contains("aHVud"));
    let key = load("file = 'janitor.key'").unwrap();
    assert!(!format!("{key:?} {:?}", key.as_ref()).contains("c2Vj"));
}
