//! What is read and what is described, side by side.

use super::*;
use crate::manifest::text;

/// The schema as a library would carry it.
macro_rules! schema_of {
    ($of_type:ty) => {
        format!(
            "settings = {{ {} }}",
            text(<$of_type as SettingType>::SCHEMA)
        )
    };
}

/// Everything that can be said.
#[crate::settings]
#[derive(Debug, PartialEq)]
struct Everything {
    /// Where it all starts;
    /// a "path" with a \ in it.
    ///
    /// Second paragraph.
    #[setting(example = "/srv/zones")]
    directory: PathBuf,
    #[setting(default = 5, min = 1, max = 600, unit = "seconds")]
    wait: u16,
    #[setting(default = 2)]
    factor: f64,
    #[setting(default = "calm")]
    mood: Mood,
    #[setting(default = ["a", "b"])]
    tags: BTreeSet<String>,
    #[setting(secret, alias = "token", deprecated_alias = "pass")]
    password: Option<String>,
    #[setting(default, rename = "type")]
    kind: String,
    #[setting(default)]
    hosts: Vec<Host>,
    #[setting(default)]
    r#loop: bool,
}

#[crate::settings]
#[derive(Debug, PartialEq, Default)]
enum Mood {
    /// Nothing happens.
    #[default]
    Calm,
    VeryAngry,
    #[setting(rename = "OFF")]
    Off,
}

#[crate::settings]
#[derive(Debug, PartialEq)]
struct Host {
    /// Its address.
    address: IpAddr,
    #[setting(default = -1)]
    weight: i8,
}

#[test]
fn the_schema_says_what_the_struct_says() {
    let text = schema_of!(Everything);
    let read: toml::Table = text.parse().expect("a schema is TOML");
    insta::assert_snapshot!(toml::to_string_pretty(&read).expect("TOML"), @r#"
    [settings]
    additionalProperties = false
    required = ["directory"]
    type = "object"

    [settings.properties.directory]
    description = '''
    Where it all starts; a "path" with a \ in it.
    Second paragraph.'''
    examples = ["/srv/zones"]
    format = "path"
    type = "string"

    [settings.properties.factor]
    default = 2
    format = "double"
    type = "number"

    [settings.properties.hosts]
    default = []
    type = "array"

    [settings.properties.hosts.items]
    additionalProperties = false
    required = ["address"]
    type = "object"

    [settings.properties.hosts.items.properties.address]
    description = "Its address."
    format = "ip"
    type = "string"

    [settings.properties.hosts.items.properties.weight]
    default = -1
    format = "int8"
    type = "integer"

    [settings.properties.loop]
    default = false
    type = "boolean"

    [settings.properties.mood]
    default = "calm"
    enum = [
        "calm",
        "very-angry",
        "OFF",
    ]
    enumDescriptions = [
        "Nothing happens.",
        "",
        "",
    ]
    type = "string"

    [settings.properties.password]
    aliases = ["token"]
    deprecatedAliases = ["pass"]
    type = "string"
    writeOnly = true

    [settings.properties.tags]
    default = [
        "a",
        "b",
    ]
    type = "array"
    uniqueItems = true

    [settings.properties.tags.items]
    type = "string"

    [settings.properties.type]
    default = ""
    type = "string"

    [settings.properties.wait]
    default = 5
    format = "uint16"
    maximum = 600
    minimum = 1
    type = "integer"
    unit = "seconds"
    "#);
}

#[test]
fn what_is_not_there_has_the_default_that_the_schema_shows() {
    let read: Everything = toml::from_str("directory = '/x'\nhosts = [{ address = '192.0.2.1' }]")
        .expect("the rest has defaults");
    let expected = Everything {
        directory: PathBuf::from("/x"),
        wait: 5,
        factor: 2.0,
        mood: Mood::Calm,
        tags: ["a", "b"].map(str::to_owned).into(),
        password: None,
        kind: String::new(),
        hosts: vec![Host {
            address: IpAddr::from([192, 0, 2, 1]),
            weight: -1,
        }],
        r#loop: false,
    };
    assert_eq!(read, expected);
}

#[test]
fn every_name_is_understood_and_no_other() {
    let read = |text: &str| toml::from_str::<Everything>(&format!("directory = ''\n{text}"));
    for name in ["password", "token", "pass"] {
        let read = read(&format!("{name} = 'x'")).expect("a name of the setting");
        assert_eq!(read.password.as_deref(), Some("x"));
    }
    assert_eq!(read("type = 'x'").expect("renamed").kind, "x");
    assert_eq!(
        read("mood = 'very-angry'").expect("kebab case").mood,
        Mood::VeryAngry
    );
    assert_eq!(read("mood = 'OFF'").expect("renamed").mood, Mood::Off);
    for text in ["kind = 'x'", "mood = 'Calm'", "mood = 'off'", "unknown = 1"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn no_settings_accept_none() {
    assert_eq!(toml::from_str(""), Ok(NoSettings {}));
    assert!(toml::from_str::<NoSettings>("a = 1").is_err());
    assert_eq!(
        schema_of!(NoSettings),
        "settings = { type = \"object\", additionalProperties = false, required = [], properties = { } }"
    );
}

#[test]
fn a_default_that_is_none_panics_with_the_name_of_its_setting() {
    let panic = std::panic::catch_unwind(|| default_of::<Mood, _>("mood", "merry"))
        .expect_err("there is no such mood");
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(
        text.starts_with("the default of `mood` is no value of its type: "),
        "{text}"
    );
}

#[test]
fn a_map_takes_any_name() {
    assert_eq!(
        schema_of!(BTreeMap<String, Vec<u8>>),
        "settings = { type = \"object\", additionalProperties = { type = \"array\", items = { type = \"integer\", format = \"uint8\" } } }"
    );
}
