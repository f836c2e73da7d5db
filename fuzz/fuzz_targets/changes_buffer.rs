//! No octets make the check of changes panic, and changes that were compared fit
//! the zone they were compared with.

#![no_main]

use gordon_janitor_fuzz::{apex, builder};
use janitor_plugin_api::dns::{Changes, ChangesBuilder, LeftAlone, diff};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (wanted, served) = data.split_at(data.len() / 2);
    let served = builder(served, false).build_actual().expect("it is small");
    if let Ok(changes) = Changes::check(apex(), data.into()) {
        read(&changes);
        drop(changes.verify(&served, &LeftAlone::default()));
        drop(changes.apply(&served));
    }
    let mut wanted = builder(wanted, false);
    wanted.set_complete();
    let Ok(wanted) = wanted.build_desired() else {
        return;
    };
    for left_alone in [LeftAlone::default(), LeftAlone::NOTHING] {
        let changes = diff(&wanted, &served, &left_alone).expect("it is small");
        assert_eq!(
            Changes::check(apex(), changes.octets().into()).as_ref(),
            Ok(&changes)
        );
        assert_eq!(changes.verify(&served, &left_alone), Ok(()));
        let result = changes.apply(&served).expect("it was verified");
        if left_alone == LeftAlone::NOTHING && !wanted.is_empty() {
            assert!(result.rrsets().eq(wanted.rrsets()));
        }
        read(&changes);
    }
});

/// Reads every part of a set of changes, and builds it again.
fn read(changes: &Changes) {
    let mut builder = ChangesBuilder::new(apex());
    for change in changes {
        if let Some(rrset) = change.addition() {
            builder.additions().push_ref(rrset).expect("it was checked");
        }
        if let Some(rrset) = change.deletion() {
            builder.deletions().push_ref(rrset).expect("it was checked");
        }
    }
    let rebuilt = builder.build().expect("it is small");
    assert!(rebuilt.iter().eq(changes.iter()));
    drop(changes.to_string());
    drop(changes.additions_only());
}
