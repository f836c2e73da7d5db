//! Reads zones without comparing them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RString, RVec};
use janitor_plugin_api::abi::values::{AbiAnswer, AbiQuestion, AnswerStatus};
use janitor_plugin_api::dns::{ActualZone, Name};

use crate::channel;
use crate::crew::Crew;
use crate::manifest::Role;
use crate::offer::Shared;
use crate::plugin::Work;
use crate::report::{Report, links};
use crate::secrets;

/// Why a zone is not known: the error and its causes, and what to do about it.
pub(crate) type Unread = (Vec<String>, Option<String>);

/// Reads `zones`, each through the reconciler of the key beside it, and tells `each` of what was found,
/// in the order of the answers. A zone of which nothing was told when this returns was not answered.
///
/// False if a reconciler did not come to its end, or the run was cancelled.
pub(super) async fn read(
    zones: &[(Name, Arc<str>)],
    capacity: usize,
    shared: &Shared,
    crew: &mut Crew,
    report: &mut Report,
    each: &mut dyn FnMut(&Name, Result<ActualZone, Unread>),
) -> bool {
    let is_whole = read_each(zones, capacity, shared, crew, report, each).await;
    // A reconciler that was asked nothing would wait for its work.
    for reconciler in crew.of(Role::Reconciler) {
        reconciler.dismiss();
    }
    is_whole
}

async fn read_each(
    zones: &[(Name, Arc<str>)],
    capacity: usize,
    shared: &Shared,
    crew: &mut Crew,
    report: &mut Report,
    each: &mut dyn FnMut(&Name, Result<ActualZone, Unread>),
) -> bool {
    let mut by_reconciler: BTreeMap<&Arc<str>, BTreeSet<&Name>> = BTreeMap::new();
    for (zone, reconciler) in zones {
        by_reconciler.entry(reconciler).or_default().insert(zone);
    }
    for (reconciler, mut zones) in by_reconciler {
        let Some(plugin) = crew
            .of(Role::Reconciler)
            .find(|plugin| plugin.key() == reconciler)
        else {
            let gone = format!("the reconciler \"{reconciler}\" is not part of the run");
            for zone in zones {
                each(zone, Err((vec![gone.clone()], None)));
            }
            continue;
        };
        let activity = plugin.activity();
        let (receiving, sending) = (&activity.receiving, &activity.sending);
        let (outlet, questions) = channel::outlet(capacity, Arc::clone(receiving));
        let (sink, mut answers) = channel::inlet(capacity, Arc::clone(sending));
        plugin.run(Work::Reconciler(questions, sink));
        let asked = zones.iter().copied().cloned().collect::<Vec<_>>();
        let asking = async move {
            for zone in asked {
                let question = AbiQuestion {
                    apex: RVec::from(zone.as_wire()),
                    desired: ROption::RNone,
                };
                if !outlet.send(question).await {
                    return;
                }
            }
        };
        let answering = async {
            while let Some(answer) = answers.receive().await {
                let Ok(zone) = Name::from_wire(&answer.apex) else {
                    continue;
                };
                // What was not asked, or is answered already, is told by nobody.
                let Some(zone) = zones.take(&zone) else {
                    tracing::error!(
                        plugin = %reconciler, zone = %zone,
                        "the reconciler answered a zone that it was not asked for"
                    );
                    continue;
                };
                each(zone, judge(reconciler, zone, answer));
            }
        };
        tokio::select! {
            biased;
            ((), ()) = async { tokio::join!(asking, answering) } => {}
            () = shared.stop.cancelled() => return false,
        }
        if !answers.is_complete() {
            crew.ended_soon(&[Role::Reconciler], report).await;
            return false;
        }
    }
    true
}

/// What an answer to the question to read `zone` says.
fn judge(reconciler: &str, zone: &Name, answer: AbiAnswer) -> Result<ActualZone, Unread> {
    let fault =
        |text: &str, links: Vec<String>| Err(([vec![text.to_owned()], links].concat(), None));
    match (answer.status, answer.actual) {
        (AnswerStatus::READ, ROption::RSome(octets)) => ActualZone::check(zone.clone(), octets)
            .or_else(|error| fault("the reconciler sent a malformed actual zone", links(&error))),
        (AnswerStatus::LEFT_OUT, _) => {
            let covered = |link: RString| secrets::covered(reconciler, link.into_string());
            let mut reason = answer.reason.into_iter().map(covered).collect::<Vec<_>>();
            if reason.is_empty() {
                reason.push("the reconciler gave no reason".to_owned());
            }
            Err((reason, answer.hint.into_option().map(covered)))
        }
        _ => fault(
            "the reconciler was asked to read the zone, and answered something else",
            Vec::new(),
        ),
    }
}
