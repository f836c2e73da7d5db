//! What only a reconciler can do.

use janitor_plugin_api::dns::{
    ActualZone, Changes, ChangesBuilder, DesiredZone, Name, NameRef, ZoneBuilder,
};
use janitor_plugin_api::{ChangeSender, Error, Host, Question, Reconciler as Role, RrsetReceiver};

use crate::life::{Settings, name, ttl, unexpected};

pub(crate) const BEHAVES: u8 = 0;
pub(crate) const IS_SILENT: u8 = 1;
pub(crate) const ANSWERS_UNASKED: u8 = 2;
pub(crate) const REPEATS_ITSELF: u8 = 3;
pub(crate) const HIDES_WHAT_IS_SERVED: u8 = 4;
pub(crate) const INVENTS: u8 = 5;
pub(crate) const TOUCHES_THE_SOA: u8 = 6;
pub(crate) const LEAVES_OUT: u8 = 7;
pub(crate) const LEAVES_EARLY: u8 = 8;

/// A reconciler that does what `TRICK` says.
pub(crate) struct Reconciler<const TRICK: u8>;

impl<const TRICK: u8> Role for Reconciler<TRICK> {
    type Config = Settings;

    fn new(_: Settings, _: Host) -> Result<Self, Error> {
        tracing::info!("created");
        Ok(Self)
    }

    async fn run(
        &mut self,
        rrsets: &mut RrsetReceiver,
        changes: &mut ChangeSender,
    ) -> Result<(), Error> {
        tracing::info!("running");
        while let Some(question) = rrsets.receive().await {
            match question {
                Question::Compare(desired) => answer::<TRICK>(&desired, changes).await?,
                Question::Read(apex) => show::<TRICK>(&apex, changes).await?,
            }
            if TRICK == LEAVES_EARLY {
                return Ok(());
            }
        }
        if TRICK == ANSWERS_UNASKED {
            let mut builder = ChangesBuilder::new(name("unasked.test")?);
            let unasked = builder.build().map_err(unexpected)?;
            changes.compared(unasked, None).await?;
        }
        Ok(())
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        tracing::info!("cleaned up");
        Ok(())
    }
}

impl<const TRICK: u8> Drop for Reconciler<TRICK> {
    fn drop(&mut self) {
        tracing::info!("dropped");
    }
}

async fn answer<const TRICK: u8>(
    desired: &DesiredZone,
    changes: &mut ChangeSender,
) -> Result<(), Error> {
    let served = served(desired.apex())?;
    match TRICK {
        IS_SILENT => {}
        LEAVES_OUT => {
            let reason = Error::zone("cannot ask the servers", "they are asleep");
            changes.leave_out(desired.apex(), &reason).await?;
        }
        HIDES_WHAT_IS_SERVED => {
            let deletion = with_deletion(desired, "old", "A", "192.0.2.9")?;
            changes.compared(deletion, None).await?;
        }
        INVENTS => {
            let deletion = with_deletion(desired, "gone", "A", "192.0.2.9")?;
            changes.compared(deletion, Some(served)).await?;
        }
        TOUCHES_THE_SOA => {
            let deletion = with_deletion(desired, "@", "SOA", SOA)?;
            changes.compared(deletion, Some(served)).await?;
        }
        REPEATS_ITSELF => {
            let addition = additions(desired)?;
            changes
                .compared(addition.clone(), Some(served.clone()))
                .await?;
            changes.compared(addition, Some(served)).await?;
        }
        _ => {
            changes.compared(additions(desired)?, Some(served)).await?;
        }
    }
    Ok(())
}

/// Answers the question to read a zone, as wrongly as the trick has it.
async fn show<const TRICK: u8>(apex: &Name, changes: &mut ChangeSender) -> Result<(), Error> {
    match TRICK {
        IS_SILENT => {}
        LEAVES_OUT => {
            let reason = Error::zone("cannot ask the servers", "they are asleep");
            changes.leave_out(apex.as_ref(), &reason).await?;
        }
        REPEATS_ITSELF => {
            changes.read(served(apex.as_ref())?).await?;
            changes.read(served(apex.as_ref())?).await?;
        }
        INVENTS => {
            let builder = ChangesBuilder::new(apex.clone());
            let nothing = { builder }.build().map_err(unexpected)?;
            changes
                .compared(nothing, Some(served(apex.as_ref())?))
                .await?;
        }
        _ => changes.read(served(apex.as_ref())?).await?,
    }
    Ok(())
}

const SOA: &str = "ns hostmaster 1 3600 600 86400 60";

/// What the villain says is served: a SOA and `old`.
fn served(apex: NameRef<'_>) -> Result<ActualZone, Error> {
    let mut builder = ZoneBuilder::new(apex.to_owned());
    for (owner, rtype, rdata) in [("@", "SOA", SOA), ("old", "A", "192.0.2.9")] {
        builder
            .push_text(owner, ttl()?, rtype, rdata)
            .map_err(unexpected)?;
    }
    builder.build_actual().map_err(unexpected)
}

/// Adds all that is desired, apart from the SOA.
fn additions(desired: &DesiredZone) -> Result<Changes, Error> {
    builder(desired)?.build().map_err(unexpected)
}

/// Adds all that is desired, and deletes one RRset.
fn with_deletion(
    desired: &DesiredZone,
    owner: &str,
    rtype: &str,
    rdata: &str,
) -> Result<Changes, Error> {
    let mut builder = builder(desired)?;
    builder
        .deletions()
        .push_text(owner, ttl()?, rtype, rdata)
        .map_err(unexpected)?;
    builder.build().map_err(unexpected)
}

fn builder(desired: &DesiredZone) -> Result<ChangesBuilder, Error> {
    let mut builder = ChangesBuilder::new(desired.apex().to_owned());
    for rrset in desired.rrsets() {
        if rrset.owner() != desired.apex() {
            builder.additions().push_ref(rrset).map_err(unexpected)?;
        }
    }
    Ok(builder)
}
