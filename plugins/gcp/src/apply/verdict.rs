//! What an answer of Cloud DNS to `changes.create` says, and what follows from it.
//!
//! The reasons are those of Google's page "Error messages" of Cloud DNS. An answer may name several parts of
//! a request: `entity.change.deletions[6]` by its number, or `entity.change.additions[a.example.][TXT]` by
//! what is there.

use janitor_plugin_api::dns::Name;

use super::served::Place;
use crate::http::{Fault, Part};

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// What is wrong, each with its reason and its message; at least one.
    pub(super) parts: Vec<Part>,
    /// What the operator can do about it, where that is known.
    pub(super) hint: Option<String>,
}

/// What to do about a refusal. Nothing was done, in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What is served is not as the change has it, or not in its spelling.
    Condition,
    /// Something else is served that the plan does not know.
    Moved,
    /// These record sets cannot be, whatever is served.
    Content(Vec<(Element, String)>),
    /// It is more than one change may have.
    TooMuch,
    /// It is refused, and what comes after it may not be.
    This,
    /// It is refused, and everything else would be.
    Everything,
}

/// A part of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) side: Side,
    pub(super) at: At,
}

/// Which of its lists it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Additions,
    Deletions,
}

/// Which one of the list it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Number(usize),
    Place(Place),
}

impl Refusal {
    /// What a fault says, if it is an answer. `needed` is what an account needs to be allowed a
    /// change.
    pub(super) fn of(fault: &Fault, needed: &str) -> Option<Self> {
        let hint = match (fault.answered()?, fault.reason().unwrap_or_default()) {
            // What Cloud DNS says of the change itself is clear enough.
            (400 | 404 | 409 | 412 | 413, _) => None,
            (403, "forbidden" | "IAM_PERMISSION_DENIED" | "PERMISSION_DENIED" | "") => {
                Some(needed.to_owned())
            }
            _ => fault.hint(),
        };
        Some(Self {
            status: fault.answered()?,
            parts: fault.parts(),
            hint,
        })
    }

    /// What follows from it.
    pub(super) fn verdict(&self) -> Verdict {
        let has = |reason: &str| self.parts.iter().any(|part| part.reason == reason);
        let names_parts = self.parts.iter().any(|part| element(part).is_some());
        match self.status {
            // A CNAME where others are, or others where a CNAME is: not in the plan, so by somebody else.
            400 | 409 if has("cnameResourceRecordSetConflict") => Verdict::Moved,
            400 | 422 => {
                // What is wrong with the zone is told beside what is wrong by itself.
                let (conditions, contents): (Vec<_>, Vec<_>) =
                    self.parts.iter().partition(|part| is_condition(part));
                let elements = contents
                    .into_iter()
                    .filter_map(|part| Some((element(part)?, told(part))));
                let elements: Vec<_> = elements.collect();
                if !elements.is_empty() {
                    Verdict::Content(elements)
                } else if conditions.into_iter().any(|part| element(part).is_some()) {
                    Verdict::Condition
                } else {
                    Verdict::This
                }
            }
            409 | 412 => Verdict::Condition,
            404 if names_parts => Verdict::Condition,
            413 => Verdict::TooMuch,
            403 if has("quotaExceeded") => {
                // In words, or by the name of the quota, such as `rrsetAdditionsPerChange`.
                let of_change = |part: &Part| {
                    let message = part.message.to_ascii_lowercase();
                    message.contains("per change") || message.contains("perchange")
                };
                match self.parts.iter().any(of_change) {
                    true => Verdict::TooMuch,
                    false => Verdict::This,
                }
            }
            _ => Verdict::Everything,
        }
    }

    /// The answer in words.
    pub(super) fn told(&self) -> String {
        const FEW: usize = 3;
        let parts = self.parts.iter().take(FEW).map(told);
        let mut text = format!(
            "Cloud DNS answers {}: {}",
            self.status,
            parts.collect::<Vec<_>>().join("; ")
        );
        if let Some(more) = self.parts.len().checked_sub(FEW).filter(|&more| more > 0) {
            text.push_str(&format!(" and {more} more"));
        }
        if let Some(hint) = &self.hint {
            text.push_str("; ");
            text.push_str(hint);
        }
        text
    }
}

/// Whether it says that something is not served as a change has it.
fn is_condition(part: &Part) -> bool {
    matches!(
        part.reason.as_str(),
        "conditionNotMet" | "notFound" | "alreadyExists"
    )
}

fn told(part: &Part) -> String {
    match (part.reason.is_empty(), part.message.is_empty()) {
        (true, _) => part.message.clone(),
        (false, true) => part.reason.clone(),
        (false, false) => format!("{} ({})", part.message, part.reason),
    }
}

/// The part of the request that a message names, if it does.
fn element(part: &Part) -> Option<Element> {
    let (_, rest) = part.message.split_once("entity.change.")?;
    let (side, rest) = match rest.strip_prefix("additions[") {
        Some(rest) => (Side::Additions, rest),
        None => (Side::Deletions, rest.strip_prefix("deletions[")?),
    };
    let (first, rest) = rest.split_once(']')?;
    if let Ok(number) = first.parse() {
        let at = At::Number(number);
        return Some(Element { side, at });
    }
    let owner: Name = first.parse().ok()?;
    let (rtype, _) = rest.strip_prefix('[')?.split_once(']')?;
    let at = At::Place((owner, rtype.parse().ok()?));
    Some(Element { side, at })
}
