//! The answer for programs. `docs/why.md` has the fields.

use std::io::{self, Write};

use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{Action, Rrset, RrsetRef};
use serde_json::{Value, json};

use super::answer::{Answer, Decided, Place};
use super::inquiry::Content;
use super::past::PastChange;
use crate::plan::schema::LostEntry;

pub(super) fn write(answer: &Answer<'_>, out: &mut impl Write) -> io::Result<()> {
    let (nearest, left_out) = match &answer.place {
        Place::Nowhere(nearest) => (nearest.map(|name| name.to_string()), None),
        Place::LeftOut(_, reasons) => {
            let reasons = reasons.iter().map(|left_out| {
                json!({
                    "reason": left_out.reason,
                    "hint": left_out.hint,
                    "plugin": left_out.plugin.as_deref(),
                })
            });
            (None, Some(reasons.collect::<Vec<_>>()))
        }
        Place::Zone(_) => (None, None),
    };
    let verdict = match answer.place {
        Place::Zone(zone) => Some(zone.verdict.word()),
        _ => None,
    };
    let seen = &answer.seen;
    let wanted = seen.wanted.iter().map(|wanted| {
        let mut object = content(answer, &wanted.content);
        object["authority"] = json!(&*wanted.authority);
        object["complete"] = json!(wanted.content.is_complete);
        object["held"] = json!(wanted.content.is_held);
        object
    });
    let object = json!({
        "name": answer.name.to_string(),
        "type": answer.rtype.map(|rtype| rtype.to_string()),
        "zone": answer.place.apex().map(|apex| apex.to_string()),
        "nearest": nearest,
        "left_out": left_out,
        "verdict": verdict,
        "wanted": wanted.collect::<Vec<_>>(),
        "lost": answer.lost().map(|loser| LostEntry::of(&loser)).collect::<Vec<_>>(),
        "desired": seen.desired.as_ref().map(|desired| content(answer, desired)),
        "served": seen.served.as_ref().map(|served| {
            let mut object = content(answer, served);
            object["held"] = json!(served.is_held);
            object
        }),
        "decisions": answer.decisions.iter().map(decision).collect::<Vec<_>>(),
        "history": match &answer.past {
            Ok(past) => past.as_ref().map(|past| past.iter().map(change).collect::<Vec<_>>()),
            Err(_) => None,
        },
        "whole": answer.is_whole,
    });
    crate::json::write(&object, &mut *out)?;
    out.write_all(b"\n")
}

fn content(answer: &Answer<'_>, content: &Content) -> Value {
    json!({
        "rrsets": answer.asked(content).map(rrset).collect::<Vec<_>>(),
        "wildcard": content.wildcard.as_ref().map(|(wildcard, _)| wildcard.to_string()),
        "cut": content.cut.as_ref().map(ToString::to_string),
    })
}

fn rrset(rrset: &Rrset) -> Value {
    let rtype = rrset.rtype();
    let rdatas = rrset.rdatas();
    json!({
        "type": rtype.to_string(),
        "ttl": rrset.ttl().as_secs(),
        "rdata": rdatas.map(|rdata| rdata_display(rtype, rdata).to_string()).collect::<Vec<_>>(),
    })
}

fn decision(Decided { rtype, decision }: &Decided<'_>) -> Value {
    let change = decision.change();
    let side = |side: Option<RrsetRef<'_>>| side.map(|side| rrset(&side.to_owned()));
    json!({
        "type": rtype.to_string(),
        "decision": decision.word(),
        "text": decision.to_string(),
        "action": change.map(|change| action(change.action())),
        "deletion": change.and_then(|change| side(change.deletion())),
        "addition": change.and_then(|change| side(change.addition())),
    })
}

fn change(past: &PastChange) -> Value {
    json!({
        "run": past.run,
        "at": past.at.map(|at| at.to_string()),
        "type": past.rtype.to_string(),
        "action": action(past.action),
        "before": past.before,
        "after": past.after,
        "outcome": past.outcome,
    })
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Addition => "addition",
        Action::Deletion => "deletion",
        Action::Update => "update",
    }
}
