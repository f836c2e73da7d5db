//! Judges requests and answers by Google's discovery documents.
//!
//! `tests/run` puts them where [`Judge::load`] finds them: `tests/google/discovery.py` cuts what is needed
//! out of the documents that Google publishes with its Python client, and makes them stricter: objects that
//! declare their fields may have no others, numbers in strings look like numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::routes::is_outside_of_apis;
use crate::wire::{Request, Response};

/// What every document has to have, so that an empty directory is not taken for approval.
const APIS: &[&str] = &[
    "cloudresourcemanager.v1",
    "compute.v1",
    "dns.v1",
    "iamcredentials.v1",
    "pubsub.v1",
    "sts.v1",
];

/// Google's discovery documents.
#[derive(Debug)]
pub struct Judge {
    documents: Vec<Document>,
}

#[derive(Debug)]
struct Document {
    defs: Value,
    methods: Vec<Method>,
    /// By the name of the schema; made when they are needed first.
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

#[derive(Debug)]
struct Method {
    id: String,
    verb: String,
    /// Parts of the path; those in braces stand for anything.
    path: Vec<String>,
    query: BTreeMap<String, Value>,
    request: Option<String>,
    response: Option<String>,
}

impl Judge {
    /// The documents in `directory`; none if there are none. They are read once in a process.
    ///
    /// # Panics
    ///
    /// If a file there is none of these documents, or one is missing.
    #[must_use]
    pub fn load(directory: &Path) -> Option<Arc<Self>> {
        static LOADED: OnceLock<Option<Arc<Judge>>> = OnceLock::new();
        LOADED
            .get_or_init(|| Self::read(directory).map(Arc::new))
            .clone()
    }

    fn read(directory: &Path) -> Option<Self> {
        if !directory.is_dir() {
            return None;
        }
        let documents = APIS.iter().map(|api| {
            let path = directory.join(format!("{api}.json"));
            let text = fs::read(&path).expect("tests/run writes a document for every API");
            let value = serde_json::from_slice::<Value>(&text).expect("a document is JSON");
            Document::new(&value)
        });
        Some(Self {
            documents: documents.collect(),
        })
    }

    /// Whether a request is one that Google's services know.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn request(&self, request: &Request) -> Result<(), String> {
        if is_outside_of_apis(request) {
            return Ok(());
        }
        let line = request.line();
        let (document, method) = self
            .method(request)
            .ok_or_else(|| format!("{line}: no method of Google's"))?;
        for (name, value) in &request.query {
            let parameter = method.query.get(name);
            let parameter =
                parameter.ok_or_else(|| format!("{line}: {} knows no {name}", method.id))?;
            if !fits(parameter, value) {
                return Err(format!("{line}: {name} must be {parameter}"));
            }
        }
        match &method.request {
            None if request.body.is_empty() => Ok(()),
            None => Err(format!("{line}: {} takes no body", method.id)),
            // RFC 8693 has a form of its own, which the service takes as well.
            Some(_) if method.id == "sts.token" && !is_json(request.header("content-type")) => {
                Ok(())
            }
            Some(_) if !is_json(request.header("content-type")) => {
                Err(format!("{line}: the body is not said to be JSON"))
            }
            Some(schema) => {
                let body = serde_json::from_slice::<Value>(&request.body);
                let body = body.map_err(|error| format!("{line}: {error}"))?;
                document
                    .fits(schema, &body)
                    .map_err(|wrong| format!("{line}: the request: {wrong}"))
            }
        }
    }

    /// Whether an answer is one that Google's services give.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn answer(&self, request: &Request, response: &Response) -> Result<(), String> {
        let Some((document, method)) = self.method(request) else {
            return Ok(());
        };
        let line = request.line();
        let body = serde_json::from_slice::<Value>(&response.body);
        let body = body.map_err(|error| format!("{line}: the fake's answer: {error}"))?;
        if response.status != 200 {
            // Faults are in no document. Both forms have the code in one place.
            let is_fault = body["error"]["code"] == response.status || body["error"].is_string();
            let is_so = is_fault.then_some(());
            return is_so.ok_or_else(|| format!("{line}: the fake's answer is no fault: {body}"));
        }
        match &method.response {
            Some(schema) => document
                .fits(schema, &body)
                .map_err(|wrong| format!("{line}: the fake's answer: {wrong}")),
            None => Ok(()),
        }
    }

    fn method(&self, request: &Request) -> Option<(&Document, &Method)> {
        let segments = request.segments();
        let mut all = self.documents.iter().flat_map(|document| {
            document
                .methods
                .iter()
                .map(move |method| (document, method))
        });
        all.find(|(_, method)| method.verb == request.method && method.has_path(&segments))
    }
}

impl Document {
    fn new(value: &Value) -> Self {
        let methods = value["methods"]
            .as_object()
            .expect("a document has methods");
        let methods = methods.iter().map(|(id, method)| {
            let text = |field: &str| method[field].as_str().map(str::to_owned);
            let path = text("path").expect("a method has a path");
            let query = method["query"]
                .as_object()
                .expect("a method has parameters")
                .clone();
            Method {
                id: id.clone(),
                verb: text("httpMethod").expect("a method has a verb"),
                path: path
                    .trim_start_matches('/')
                    .split('/')
                    .map(str::to_owned)
                    .collect(),
                query: query.into_iter().collect(),
                request: text("request"),
                response: text("response"),
            }
        });
        Self {
            methods: methods.collect(),
            defs: value["$defs"].clone(),
            validators: Mutex::default(),
        }
    }

    fn fits(&self, schema: &str, value: &Value) -> Result<(), String> {
        let validator = self.validator(schema);
        let mut errors = validator.iter_errors(value);
        match errors.next() {
            Some(error) => Err(format!("{} at {}", error, error.instance_path())),
            None => Ok(()),
        }
    }

    fn validator(&self, schema: &str) -> Arc<Validator> {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let made = validators.entry(schema.to_owned()).or_insert_with(|| {
            let whole = json!({"$ref": format!("#/$defs/{schema}"), "$defs": self.defs});
            Arc::new(jsonschema::validator_for(&whole).expect("discovery.py writes JSON Schema"))
        });
        Arc::clone(made)
    }
}

impl Method {
    /// Whether the path of a request is this one. `{name}:verb` stands for a part that ends so.
    fn has_path(&self, segments: &[String]) -> bool {
        let is_part = |(part, segment): (&String, &String)| match part.strip_prefix('{') {
            Some(rest) => {
                let verb = rest.split_once('}').map_or("", |(_, verb)| verb);
                !segment.is_empty()
                    && if verb.is_empty() {
                        !segment.contains(':')
                    } else {
                        segment.ends_with(verb)
                    }
            }
            None => part == segment,
        };
        self.path.len() == segments.len() && self.path.iter().zip(segments).all(is_part)
    }
}

/// Whether the text of a parameter is of its type.
fn fits(parameter: &Value, text: &str) -> bool {
    let bound = |name: &str| {
        parameter[name]
            .as_str()
            .and_then(|bound| bound.parse::<i64>().ok())
    };
    match parameter["type"].as_str() {
        Some("integer") => text.parse::<i64>().is_ok_and(|number| {
            bound("minimum").is_none_or(|least| number >= least)
                && bound("maximum").is_none_or(|most| number <= most)
        }),
        Some("boolean") => matches!(text.to_ascii_lowercase().as_str(), "true" | "false"),
        _ => match parameter["enum"].as_array() {
            Some(values) => values.iter().any(|value| value == text),
            None => true,
        },
    }
}

fn is_json(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|value| value.starts_with("application/json"))
}
