//! What a reconciler can lie about.

use janitor_plugin_api::abi::abi_stable::erased_types::TD_Opaque;
use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RResult, RVec};
use janitor_plugin_api::abi::channel::{Sink, Source};
use janitor_plugin_api::abi::plugin::{RawReconciler, RawReconciler_TO, ReconcilerBox};
use janitor_plugin_api::abi::values::{AbiAnswer, AbiError, AbiQuestion, AnswerStatus};
use janitor_plugin_api::dns::Name;
use janitor_plugin_api::export::Role;
use janitor_plugin_api::ffi::{Receiver, Sender};
use janitor_plugin_api::{Error, Host, NoSettings};

use crate::lies::{CHANGES, ZONES, actual, changes, told};
use crate::tell::{block_on, silence, unexpected};

pub(crate) const ANSWERS_NONSENSE: u8 = 0;
pub(crate) const BREAKS_OFF: u8 = 1;

/// A reconciler that lies as `LIE` says.
pub(crate) struct Lying<const LIE: u8>;

impl<const LIE: u8> Role<ReconcilerBox> for Lying<LIE> {
    type Config = NoSettings;

    fn create(_: NoSettings, _: Host) -> Result<ReconcilerBox, Error> {
        Ok(RawReconciler_TO::from_value(Self, TD_Opaque))
    }
}

impl<const LIE: u8> RawReconciler for Lying<LIE> {
    fn run(
        &mut self,
        questions: Source<AbiQuestion>,
        answers: Sink<AbiAnswer>,
    ) -> RResult<(), AbiError> {
        let mut questions = Receiver::new(questions);
        let mut answers = Sender::new(answers);
        let told = block_on(async {
            while let Some(question) = questions.receive().await {
                let answer = answer(&question.apex).ok()?;
                answers.send(answer).await.ok()?;
            }
            if LIE != BREAKS_OFF {
                answers.finish();
            }
            Some(())
        });
        told.flatten().map_or_else(silence, RResult::ROk)
    }
}

/// The answer to a zone: one addition, with the lie that the zone is named after.
fn answer(apex: &[u8]) -> Result<AbiAnswer, Error> {
    let name = Name::from_wire(apex).map_err(unexpected)?;
    let text = name.to_string();
    let lie = text.split('.').next().unwrap_or_default();
    let served = actual(name.clone())?;
    let planned = changes(name)?;
    let mut answer = AbiAnswer {
        apex: apex.into(),
        status: AnswerStatus::COMPARED,
        changes: told(lie, CHANGES, planned.octets()).into(),
        actual: ROption::RSome(told(lie, ZONES, served.octets()).into()),
        reason: RVec::new(),
        hint: ROption::RNone,
    };
    match lie {
        "unknown-status" => answer.status = AnswerStatus(7),
        "without-a-reason" => answer.status = AnswerStatus::LEFT_OUT,
        "two-answers-in-one" => {
            answer.status = AnswerStatus::LEFT_OUT;
            answer.reason = std::iter::once("said to be left out".into()).collect();
        }
        _ => {}
    }
    Ok(answer)
}
