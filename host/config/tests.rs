//! The configuration as a whole: the vectors of the Python original, and faults.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value as Json;
use tempfile::TempDir;

use super::*;

fn vectors(text: &str) -> Vec<Json> {
    let document: Json = serde_json::from_str(text).unwrap();
    document["vectors"].as_array().unwrap().clone()
}

fn directory(main: Option<&str>, user: Option<&str>) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in FILES.into_iter().zip([main, user]) {
        if let Some(text) = text {
            fs::write(directory.path().join(name), text).unwrap();
        }
    }
    directory
}

fn load(main: &str) -> Config {
    Config::load(directory(Some(main), None).path()).unwrap()
}

/// Everything wrong with a configuration, without the temporary directory.
fn problems(main: &str) -> String {
    let directory = directory(Some(main), None);
    let problems = match Config::load(directory.path()) {
        Ok(config) => config.problems().to_vec(),
        Err(problems) => problems.list().to_vec(),
    };
    let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
    text.join("\n")
        .replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn merging_gives_what_the_vectors_say() {
    let cases = vectors(include_str!("../../tests/vectors/config-merge.json"));
    assert_eq!(cases.len(), 25);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let directory = tempfile::tempdir().unwrap();
        for (name, file) in FILES
            .into_iter()
            .zip([&case["input"]["main"], &case["input"]["user"]])
        {
            let path = directory.path().join(name);
            match file {
                Json::Null => {}
                Json::String(text) => fs::write(path, text).unwrap(),
                _ => fs::create_dir(path).unwrap(),
            }
        }
        match (Config::load(directory.path()), &case["expect"]["error"]) {
            (Ok(config), Json::Null) => {
                assert_eq!(
                    config.json(Secrets::Shown),
                    case["expect"]["config"],
                    "{id}"
                );
            }
            (Err(problems), Json::String(expected)) => {
                let code = match expected.as_str() {
                    "no-configuration" => Code::NoConfiguration,
                    "toml-syntax" => Code::Syntax,
                    other => panic!("{id}: {other}"),
                };
                assert!(
                    problems.list().iter().any(|problem| problem.code() == code),
                    "{id}: {problems}"
                );
            }
            (result, expected) => panic!("{id}: {result:?}, not {expected}"),
        }
    }
}

#[test]
fn plugins_get_what_the_vectors_say() {
    let cases = vectors(include_str!(
        "../../tests/vectors/plugin-config-namespacing.json"
    ));
    assert_eq!(cases.len(), 28);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let input: toml::Table = serde_json::from_value(case["input"]["config"].clone()).unwrap();
        // An empty configuration is none; a table that nobody asks for is not.
        let config = load(&format!("unrelated = 1\n{input}"));
        let keys = |name: &str| -> Option<Vec<String>> {
            Some(
                case["input"]
                    .get(name)?
                    .as_array()?
                    .iter()
                    .map(|key| key.as_str().unwrap().to_owned())
                    .collect(),
            )
        };
        let active = keys("active").unwrap();
        let installed: InstalledKeys = keys("installed")
            .unwrap_or_else(|| active.clone())
            .into_iter()
            .collect();
        let mut configured = BTreeMap::new();
        let mut skipped = Vec::new();
        for key in &active {
            match config.plugin(key, &installed) {
                Ok(Some(table)) => {
                    let text = table.given().text().to_owned();
                    let read: toml::Table = text.parse().unwrap();
                    assert_eq!(
                        serde_json::to_value(read).unwrap(),
                        table.json(Secrets::Shown),
                        "{id}"
                    );
                    configured.insert(key.clone(), table.json(Secrets::Shown));
                }
                Ok(None) => skipped.push(key.as_str()),
                Err(problem) => {
                    assert_eq!(case["expect"]["error"], "not-a-table", "{id}: {problem}");
                    assert_eq!(case["expect"]["plugin"], key.as_str(), "{id}");
                    assert_eq!(problem.code(), Code::WrongType, "{id}");
                }
            }
        }
        if case["expect"].get("error").is_none() {
            assert_eq!(
                serde_json::to_value(&configured).unwrap(),
                case["expect"]["plugins"],
                "{id}"
            );
            let expected = case["expect"]
                .get("skipped")
                .cloned()
                .unwrap_or_else(|| Json::Array(Vec::new()));
            assert_eq!(serde_json::to_value(&skipped).unwrap(), expected, "{id}");
        }
    }
}

#[test]
fn the_table_of_an_inactive_plugin_stays_with_it() {
    let config = load(
        "[gcp]\nproject = 'p'\n[gcp.gce]\nz = 1\n[gcp.gpubsub]\nkeyfile = 'hush'\n[gcp.http]\nt = 5",
    );
    let installed = ["gcp.gce", "gcp.gpubsub"].into_iter().collect();
    let mut table = config.plugin("gcp.gce", &installed).unwrap().unwrap();
    assert_eq!(
        table.given().text(),
        "z = 1\nhttp = { t = 5 }\nproject = \"p\"\n"
    );
    let left = table.restrict(&accepts("project = { type = 'string' }"));
    assert_eq!(
        table.given().text(),
        "z = 1\nproject = \"p\"\n",
        "an inherited setting that the plugin does not know stays behind"
    );
    let left: Vec<_> = left
        .iter()
        .map(|left| (&*left.from, &*left.key.name))
        .collect();
    assert_eq!(left, [("gcp", "http")]);
}

/// A plugin that accepts these settings.
fn accepts(properties: &str) -> Accepts {
    let schema =
        format!("type = 'object'\nadditionalProperties = false\nproperties = {{ {properties} }}");
    Accepts::read(&toml::Value::Table(schema.parse().unwrap()))
}

#[test]
fn both_spellings_at_once_are_an_error_with_both_places() {
    let config = load("[a.b]\nk = 1\n[\"a.b\"]\nl = 2\n");
    let problem = config
        .plugin("a.b", &["a.b"].into_iter().collect())
        .unwrap_err();
    let text = problem.to_string();
    assert_eq!(problem.code(), Code::BothSpellings);
    assert!(
        text.contains(".toml:1:4") && text.contains(".toml:3:2"),
        "{text}"
    );
}

#[test]
fn a_table_that_only_holds_other_tables_is_no_second_spelling() {
    let config = load("[\"a.b\"]\nk = 1\n[a.b.c]\nm = 3\n");
    let installed = ["a.b", "a.b.c"].into_iter().collect();
    assert_eq!(
        config
            .plugin("a.b", &installed)
            .unwrap()
            .unwrap()
            .shown()
            .text(),
        "k = 1\n"
    );
    assert_eq!(
        config
            .plugin("a.b.c", &installed)
            .unwrap()
            .unwrap()
            .shown()
            .text(),
        "m = 3\nk = 1\n"
    );
}

#[test]
fn an_unreadable_file_is_an_error_even_beside_a_good_one() {
    if rustix::process::geteuid().is_root() {
        // Root reads everything; a link that leads nowhere is unreadable for everybody.
        let directory = directory(Some("a = 1"), None);
        std::os::unix::fs::symlink("nowhere", directory.path().join(FILES[1])).unwrap();
        let problems = Config::load(directory.path()).unwrap_err();
        assert_eq!(problems.list()[0].code(), Code::UnreadableConfiguration);
        return;
    }
    let directory = directory(Some("a = 1"), Some("b = 1"));
    fs::set_permissions(
        directory.path().join(FILES[1]),
        fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    let problems = Config::load(directory.path()).unwrap_err();
    assert_eq!(problems.list()[0].code(), Code::UnreadableConfiguration);
}

#[test]
fn no_configuration_says_where_it_was_looked_for() {
    let directory = tempfile::tempdir().unwrap();
    let problems = Config::load(directory.path()).unwrap_err();
    let path = directory.path().display();
    assert_eq!(
        problems.to_string(),
        format!(
            "error[GJ400]: Cannot load Gordon configuration file from \"{path}\".\n  \
             found: neither gordon-janitor.toml nor gordon-janitor-user.toml\n  \
             help: name the directory that holds them: gordon-janitor --config-root DIR\n\
             1 error; nothing was run"
        )
    );
}

#[test]
fn a_file_that_changes_while_it_is_read_is_read_again() {
    let directory = directory(Some("a = 1"), None);
    let path = directory.path().join(FILES[0]);
    let mut reads = 0;
    let octets = steadily(|| {
        reads += 1;
        let (octets, is_steady) = read_whole(&path)?;
        assert!(is_steady, "nobody else writes here");
        Ok((octets, reads == 2))
    });
    assert_eq!(
        (octets.unwrap().as_deref(), reads),
        (Some(&b"a = 1"[..]), 2)
    );
    let mut reads = 0;
    let octets = steadily(|| {
        reads += 1;
        Ok((Vec::new(), false))
    });
    assert_eq!((octets.unwrap(), reads), (None, ATTEMPTS));
    insta::assert_snapshot!(restless(Path::new("gordon-janitor.toml")), @"
    error[GJ411]: gordon-janitor.toml changed while it was read, 3 times in a row
      because: half of an old configuration and half of a new one is neither
      help: write it to another name in the same directory, and rename it; then run again
    ");
}

#[test]
fn syntax_errors_of_both_files_are_reported_together() {
    let directory = directory(Some("a = \n"), Some("[b\n"));
    let problems = Config::load(directory.path()).unwrap_err();
    let text = problems.to_string();
    assert!(
        text.contains("gordon-janitor.toml:1:") && text.contains("gordon-janitor-user.toml:1:"),
        "{text}"
    );
}

#[test]
fn nesting_without_end_is_refused_and_not_followed() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("a = {}", "{ b = ".repeat(100_000)),
        format!("{}b = 1", "a.".repeat(100_000)),
        format!("[{}b]", "a.".repeat(100_000)),
    ] {
        let directory = directory(Some(&text), None);
        let problems = Config::load(directory.path()).unwrap_err();
        assert_eq!(problems.list()[0].code(), Code::Syntax, "{}", &text[..20]);
    }
}

#[test]
fn what_the_user_file_says_is_shown_in_the_user_file() {
    let directory = directory(
        Some("[core]\ndebug = true\ngrace = 5\n"),
        Some("# mine\n[core]\ndebug = 1\n"),
    );
    let config = Config::load(directory.path()).unwrap();
    assert_eq!(config.core().grace.as_secs(), 5);
    let place = config.problems()[0].origin().unwrap().to_string();
    assert!(place.ends_with("/gordon-janitor-user.toml:3:9"), "{place}");
}

#[test]
fn a_byte_order_mark_is_accepted_and_takes_no_column() {
    let text = problems("\u{feff}core = 1");
    assert!(text.contains("gordon-janitor.toml:1:8"), "{text}");
    assert_eq!(load("\u{feff}a = 1").json(Secrets::Shown)["a"], 1);
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILES[0]), b"a = 1\nb = '\xe9'\n").unwrap();
    let problems = Config::load(directory.path()).unwrap_err();
    assert!(
        problems.to_string().contains("line 2 is not UTF-8"),
        "{problems}"
    );
}

#[test]
fn everything_wrong_with_core_is_reported_at_once() {
    insta::assert_snapshot!(problems(
        "[core]\nplugins = 'files.zones'\ndebug = 'false'\nmetric = 'x'\nmetrics = 3\ngrace = -1\n\
         channel_capacity = 0\n[core.logging]\nlevel = 'loud'\nhandlers = ['stream', 'printer', 3]\n\
         date_fmt = '%H'\nfmt = '%(mesage)s'\ndatefmt = '%!'\naddress = 'loghost'\nfacility = 24\nproto = 'quic'\n[core.plugin.files.zones]\nlevel = 'debug'\n[core.plugin.\"a\"]\nlevels = 1\n"
    ));
}

#[test]
fn defaults_are_those_of_the_original() {
    let config = load("[core]");
    let core = config.core();
    assert!(
        core.plugins.is_empty()
            && !core.debug
            && core.deadline.is_none()
            && core.plugin_dir.is_none()
    );
    assert_eq!(core.logging.handlers, [Handler::Syslog]);
    assert_eq!((core.channel_capacity, core.grace.as_secs()), (64, 10));
    assert!(config.problems().is_empty());
}

#[test]
fn relative_paths_start_at_the_configuration_root() {
    let directory = directory(Some("[core]\nplugin_dir = 'plugins'"), None);
    let config = Config::load(directory.path()).unwrap();
    assert_eq!(
        config.core().plugin_dir.as_ref().unwrap().0,
        directory.path().join("plugins")
    );
}

#[test]
fn what_a_plugin_complains_of_is_shown_in_the_users_file() {
    let config = load("[p]\nlimit = 5\n[p.c]\ndirecotry = 'x'\nlist = [\n  1,\n  'two',\n]\n");
    let table = config
        .plugin("p.c", &["p.c"].into_iter().collect())
        .unwrap()
        .unwrap();
    let given = table.given();
    let wrong = table.refused(
        &given,
        "invalid type: string \"two\", expected u32",
        Some((2, "list = [1, ".len() + 1)),
    );
    let nowhere = table.refused(&given, "too little tea", None);
    let text = [wrong, nowhere]
        .map(|problem| problem.to_string())
        .join("\n");
    let root = format!("{}/", config.root().display());
    insta::assert_snapshot!(text.replace(&root, ""));
}

#[test]
fn a_secret_is_in_no_text_for_people() {
    let secret = "hunter2";
    let config = load(&format!(
        "[p]\napi_token = '{secret}'\n[p.c]\nx = {{ password = '{secret}', port = 'y' }}\nlist = ['a', '{secret}']\n"
    ));
    let table = config
        .plugin("p.c", &["p.c"].into_iter().collect())
        .unwrap()
        .unwrap();
    assert!(
        table.given().text().contains(secret),
        "the plugin itself gets it"
    );
    let message = format!("invalid type: string \"{secret}\", expected u16");
    let refused = table.refused(&table.given(), &message, Some((2, 8)));
    for text in [
        config.shown().replace(&format!("\"a\", \"{secret}\""), ""),
        table
            .shown()
            .text()
            .replace(&format!("\"a\", \"{secret}\""), ""),
        refused.to_string(),
        format!("{table:?}").replace(&format!("\"a\", \"{secret}\""), ""),
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn what_a_plugin_describes_in_a_table_of_secrets_is_judged_by_its_own_name() {
    let accepts = accepts(
        "tsig_key = { type = 'object', additionalProperties = false, properties = { \
           file = { type = 'string', format = 'path' }, name = { type = 'string' }, \
           secret_file = { type = 'string', format = 'path' }, secret_env = { type = 'string' }, \
           login = { type = 'string' , writeOnly = true } } }",
    );
    let mut config = load(
        "[p]\ntsig_key = { file = 'f1', name = 'n1', secret_file = 'f2', secret_env = 'e1', \
         login = 'l1', typo = 't1' }\nother_key = { file = 'f3' }\n",
    );
    config.hide([("p.c", &accepts)]);
    let shown = config.shown();
    for text in ["f1", "n1", "f2"] {
        assert!(shown.contains(text), "{text} in {shown}");
    }
    for secret in ["e1", "l1", "t1", "f3"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn nothing_that_is_named_like_a_secret_is_shown_because_a_plugin_describes_it() {
    let path = accepts("password = { type = 'string', format = 'path' }");
    let text = accepts("password = { type = 'string' }");
    let table = accepts(
        "password = { type = 'object', additionalProperties = false, properties = { \
           user = { type = 'string' }, value = { type = 'string' } } }",
    );
    let map = accepts("password = { type = 'object', additionalProperties = { type = 'string' } }");
    let nested = accepts(
        "password = { type = 'object', additionalProperties = { type = 'object', \
           additionalProperties = false, properties = { value = { type = 'string' } } } }",
    );
    let marked = accepts(
        "password = { type = 'object', additionalProperties = false, properties = { \
           value = { type = 'string' }, pin = { type = 'string', writeOnly = true } } }",
    );
    let list = accepts("password = { type = 'array', items = { type = 'string' } }");
    let anything = Accepts::Anything;
    for (written, plugins) in [
        ("'hunter2'", &[&text][..]),
        ("'hunter2'", &[&path, &text]),
        // It may take it for something else than a path.
        ("'hunter2'", &[&path, &anything]),
        ("'hunter2'", &[&table]),
        ("['hunter2']", &[&list]),
        ("['hunter2']", &[&path, &list]),
        ("['hunter2']", &[&path]),
        // It does not say what is secret of it.
        ("{ user = 'u', value = 'hunter2' }", &[&table]),
        ("{ value = 'hunter2' }", &[&table, &marked]),
        ("{ value = 'hunter2' }", &[&marked, &map]),
        ("{ value = 'hunter2' }", &[&marked, &anything]),
        ("{ other = 'hunter2' }", &[&marked]),
        ("{ pin = 'hunter2' }", &[&marked]),
        ("{ value = { a = 'hunter2' } }", &[&marked, &nested]),
        // Its names are those of the configuration's author.
        ("{ alice = 'hunter2' }", &[&map]),
        ("{ hunter2 = 'x' }", &[&map]),
        ("{ alice = { value = 'hunter2' } }", &[&nested]),
    ] {
        let mut config = load(&format!("[p]\npassword = {written}\n"));
        let names = ["p.a", "p.b"];
        config.hide(names.into_iter().zip(plugins.iter().copied()));
        let shown = config.shown();
        assert!(!shown.contains("hunter2"), "{written}: {shown}");
        let password = config.table().get("p").unwrap().as_table().unwrap();
        let (origin, value) = (password.key("password").unwrap(), password.get("password"));
        let texts = format!(
            "{value:?} {}",
            Problem::error(Code::BothSpellings, "x").at(origin, "p")
        );
        assert!(!texts.contains("'hunter2'"), "{written}: {texts}");
    }
}

#[test]
fn a_secret_beside_a_syntax_error_is_not_shown() {
    let text = problems("[p]\npassword = 'hunter2\nx = 1\n");
    assert!(!text.contains("hunter2") && text.contains("***"), "{text}");
}

#[test]
fn the_most_similar_table_is_found() {
    let config = load("[files.zone]\n[other]\n");
    assert_eq!(config.similar_table("files.zones").unwrap().0, "files.zone");
    assert!(config.similar_table("gcp.gce").is_none());
}

#[test]
fn a_name_that_is_only_understood_is_not_offered() {
    let root = tempfile::tempdir().unwrap();
    let text = "[core.logging]\nform = 'x'\n[ffwd]\npor = 1\n";
    fs::write(root.path().join(FILES[0]), text).unwrap();
    let config = Config::load(root.path()).unwrap();
    let told: String = config.problems().iter().map(ToString::to_string).collect();
    assert!(told.contains("has no setting \"form\"\n"), "{told}");
    assert!(
        told.contains("settings of [ffwd]: ffwd_ip, ffwd_port, key, time_unit"),
        "{told}"
    );
    assert!(!told.contains("date_format"), "{told}");
}
