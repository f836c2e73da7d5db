//! Where two descriptions of the boundary's types differ, in one line.

use std::fmt;

use janitor_plugin_api::abi::abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityErrors,
};
use janitor_plugin_api::abi::abi_stable::type_layout::{TLField, TLFieldOrFunction};

/// The crate whose types cross; those of others are only what it is made of.
const OURS: &str = "janitor-plugin-api";

/// The first difference between the host's types and a library's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The innermost type of ours that holds it.
    place: Option<&'static str>,
    what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "at {place}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Difference {
    /// One line for what `abi_stable` says in hundreds.
    pub(super) fn first(errors: &AbiInstabilityErrors) -> Self {
        let all = errors.errors.iter().flat_map(|error| {
            let stack = &error.stack_trace;
            error.errs.iter().map(move |kind| (kind, stack))
        });
        // What is said of the innermost type is the cause, the rest follows from it.
        let first = all.min_by_key(|(kind, stack)| (rank(kind), usize::MAX - stack.len()));
        let Some((kind, stack)) = first else {
            return Self {
                place: None,
                what: "they cannot be compared".to_owned(),
            };
        };
        let place = stack.iter().rev().find_map(|step| match step.expected {
            TLFieldOrFunction::Field(field) if field.layout().package() == OURS => {
                Some(field.full_type().name())
            }
            _ => None,
        });
        Self {
            place,
            what: describe(kind),
        }
    }
}

/// How much a reader learns from it; less is better.
fn rank(kind: &AbiInstability) -> u8 {
    match kind {
        AbiInstability::UnexpectedField(_) => 1,
        AbiInstability::FieldCountMismatch(_) | AbiInstability::TooManyVariants(_) => 2,
        AbiInstability::Name(_) | AbiInstability::MismatchedPrimitive(_) => 3,
        AbiInstability::PackageVersion(_) => 4,
        _ => 5,
    }
}

fn describe(kind: &AbiInstability) -> String {
    match kind {
        AbiInstability::UnexpectedField(fields) => format!(
            "the host has {} where the library has {}",
            described(&fields.expected),
            described(&fields.found)
        ),
        AbiInstability::FieldCountMismatch(count) => format!(
            "the host knows {} fields, the library {}",
            count.expected, count.found
        ),
        AbiInstability::Name(names) => format!(
            "the host has the type {}, the library {}",
            names.expected.name(),
            names.found.name()
        ),
        AbiInstability::PackageVersion(version) => format!(
            "the host has plugin API {}, the library {}",
            version.expected, version.found
        ),
        AbiInstability::Size(octets) => format!(
            "the host's has {} octets, the library's {}",
            octets.expected, octets.found
        ),
        // The name of the kind: what is in it are whole layouts.
        other => {
            let text = format!("{other:?}");
            let name = text.split(['(', '{']).next().unwrap_or_default();
            name.trim().to_owned()
        }
    }
}

fn described(field: &TLField) -> String {
    format!("`{}: {}`", field.name(), field.full_type().name())
}
