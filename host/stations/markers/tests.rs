use janitor_plugin_api::dns::{Ttl, ZoneBuilder};
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    marker: Vec<Vector>,
}

/// As `tests/vectors/ownership-markers.toml` has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    what: String,
    owner: String,
    texts: Vec<String>,
    marks: Vec<String>,
    id: Option<String>,
    #[serde(default)]
    prefix: Vec<String>,
    #[serde(default)]
    suffix: Vec<String>,
    #[serde(default)]
    wildcard_replacement: Vec<String>,
    name: Option<Vec<String>>,
    #[serde(default)]
    itself: bool,
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The TXT rdata of a text, in strings of up to 255 octets as providers cut it.
fn rdata(text: &str) -> Vec<u8> {
    let strings = text.as_bytes().chunks(255);
    strings
        .flat_map(|string| [&[u8::try_from(string.len()).unwrap()], string].concat())
        .collect()
}

fn read(vector: &Vector, honour: &[Registry]) -> Option<Marker> {
    let lower = |texts: &[String]| texts.iter().map(|text| text.to_lowercase()).collect();
    let mut scope = Scope {
        external_dns: ExternalDns {
            prefix: lower(&vector.prefix),
            suffix: lower(&vector.suffix),
            wildcard_replacement: lower(&vector.wildcard_replacement),
        },
        ..Scope::default()
    };
    if let Some(name) = &vector.name {
        scope.octodns.name.clone_from(name);
    }
    let apex = name("example.com");
    let mut builder = ZoneBuilder::new(apex.clone());
    let owner = name(&vector.owner);
    for text in &vector.texts {
        builder
            .push_wire(owner.as_wire(), Rtype::TXT, Ttl::default(), &rdata(text))
            .unwrap();
    }
    let zone = builder.build_actual().unwrap();
    MarkerReader::new(&scope, honour, apex.as_ref()).read(zone.rrsets().next().unwrap())
}

#[test]
fn markers_mark_what_the_vectors_say() {
    let text = include_str!("../../../tests/vectors/ownership-markers.toml");
    let vectors: Vectors = toml::from_str(text).unwrap();
    assert!(vectors.marker.len() >= 30, "{}", vectors.marker.len());
    for vector in vectors.marker {
        let what = &vector.what;
        let marker = read(&vector, &Registry::ALL);
        assert_eq!(
            marker.is_some(),
            !vector.marks.is_empty() || vector.itself,
            "{what}"
        );
        let Some(marker) = marker else { continue };
        let mut marks = marker
            .marked
            .iter()
            .map(|(name, rtype)| {
                let name = name.to_string();
                let rtype = rtype.map_or("*".to_owned(), |rtype| rtype.to_string());
                format!("{} {rtype}", name.trim_end_matches('.'))
            })
            .collect::<Vec<_>>();
        marks.sort();
        assert_eq!(marks, vector.marks, "{what}");
        assert_eq!(marker.owner_id, vector.id, "{what}");
        assert_eq!(read(&vector, &[]), None, "{what}");
        let others = Registry::ALL.into_iter().filter(|r| *r != marker.registry);
        assert_eq!(read(&vector, &others.collect::<Vec<_>>()), None, "{what}");
    }
}
