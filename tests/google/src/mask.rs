//! Partial answers: the parameter `fields`.
//!
//! The forms that Google documents ("Partial response" of the pages "Performance tips"): `a,b`, `a/b`,
//! `a(b,c)`, `*`. Lists are passed through: `rrsets/name` is the name of each of them.

use serde_json::{Map, Value};

/// What of `value` the mask `fields` asks for.
///
/// # Errors
///
/// A mask that cannot be read, as the service says it.
pub(crate) fn masked(value: &Value, fields: &str) -> Result<Value, String> {
    let mut rest = fields;
    let tree = list(&mut rest).filter(|_| rest.is_empty());
    let tree = tree.ok_or_else(|| format!("Invalid field selection {fields}"))?;
    Ok(cut(value, &tree))
}

/// Fields, each with what is asked of it; nothing stands for all of it.
#[derive(Default)]
struct Tree(Vec<(String, Self)>);

fn list(rest: &mut &str) -> Option<Tree> {
    let mut tree = Tree::default();
    loop {
        let at = rest.find([',', '/', '(', ')']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(at);
        if name.is_empty() {
            return None;
        }
        *rest = behind;
        let inner = match rest.chars().next() {
            Some('/') => {
                *rest = &rest[1..];
                one(rest)?
            }
            Some('(') => {
                *rest = &rest[1..];
                let inner = list(rest)?;
                *rest = rest.strip_prefix(')')?;
                inner
            }
            _ => Tree::default(),
        };
        tree.0.push((name.to_owned(), inner));
        match rest.strip_prefix(',') {
            Some(more) => *rest = more,
            None => return Some(tree),
        }
    }
}

/// What stands behind a slash: one field, with what is asked of it.
fn one(rest: &mut &str) -> Option<Tree> {
    let end = rest.find([',', ')']);
    let is_group = rest
        .find('(')
        .is_some_and(|at| end.is_none_or(|end| at < end));
    let part = match (is_group, end) {
        (true, _) => {
            let close = rest.find(')')? + 1;
            let (part, behind) = rest.split_at(close);
            *rest = behind;
            part
        }
        (false, Some(end)) => {
            let (part, behind) = rest.split_at(end);
            *rest = behind;
            part
        }
        (false, None) => std::mem::take(rest),
    };
    let mut part = part;
    list(&mut part).filter(|_| part.is_empty())
}

fn cut(value: &Value, tree: &Tree) -> Value {
    match value {
        _ if tree.0.is_empty() => value.clone(),
        Value::Array(items) => items.iter().map(|item| cut(item, tree)).collect(),
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, inner) in &tree.0 {
                for (field, value) in fields {
                    if name == "*" || name == field {
                        join(
                            kept.entry(field.clone()).or_insert(Value::Null),
                            cut(value, inner),
                        );
                    }
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

/// `rrsets/name,rrsets/type` asks twice of the same list.
fn join(kept: &mut Value, more: Value) {
    match (kept, more) {
        (Value::Object(kept), Value::Object(more)) => {
            for (name, value) in more {
                join(kept.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(kept), Value::Array(more)) => {
            for (kept, more) in kept.iter_mut().zip(more) {
                join(kept, more);
            }
        }
        (kept, more) => *kept = more,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::masked;

    #[test]
    fn what_is_not_asked_for_is_not_there() {
        let page = json!({
            "kind": "k",
            "rrsets": [{"name": "a.", "ttl": 1, "kind": "r"}, {"name": "b.", "routingPolicy": {}}],
            "nextPageToken": "t",
        });
        for mask in [
            "rrsets/name,rrsets/ttl,nextPageToken",
            "rrsets(name,ttl),nextPageToken",
        ] {
            let cut = json!({
                "rrsets": [{"name": "a.", "ttl": 1}, {"name": "b."}],
                "nextPageToken": "t",
            });
            assert_eq!(masked(&page, mask), Ok(cut), "{mask}");
        }
    }

    #[test]
    fn scopes_of_any_name_are_a_star() {
        let page = json!({"items": {"zones/a": {"instances": [{"name": "x", "id": "1"}]}}});
        assert_eq!(
            masked(&page, "items/*/instances(name)"),
            Ok(json!({"items": {"zones/a": {"instances": [{"name": "x"}]}}}))
        );
        assert_eq!(masked(&page, "*"), Ok(page));
    }

    #[test]
    fn a_mask_that_is_none_is_refused() {
        for mask in ["", "a,", "a(b", "a)b", "a/"] {
            assert!(masked(&json!({}), mask).is_err(), "{mask}");
        }
    }
}
