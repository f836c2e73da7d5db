//! No octets make the check of a zone panic, and what it lets pass is what a
//! builder would have made.

#![no_main]

use gordon_janitor_fuzz::{apex, builder};
use janitor_plugin_api::dns::{ActualZone, DesiredZone, Zone, ZoneBuilder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(zone) = Zone::check(apex(), data.into()) {
        read(&zone);
    }
    drop(DesiredZone::check(apex(), data.into()));

    let zone = builder(data, false).build_actual().expect("it is small");
    assert_eq!(builder(data, true).build_actual().as_ref(), Ok(&zone));
    let checked = ActualZone::check(apex(), zone.octets().into());
    assert_eq!(checked.as_ref(), Ok(&zone));
    read(&zone);
});

/// Reads every part of a zone, and builds it again.
fn read(zone: &Zone) {
    let mut builder = ZoneBuilder::new(apex());
    for rrset in zone.rrsets() {
        builder.push_ref(rrset).expect("it was checked");
        assert_eq!(rrset.rdatas().len(), rrset.rdatas().count());
    }
    for owner in zone.held() {
        builder.hold(owner.to_owned()).expect("it was checked");
    }
    let rebuilt = builder.build_actual().expect("it is small");
    assert!(rebuilt.rrsets().eq(zone.rrsets()));
    assert!(rebuilt.held().eq(zone.held()));
    let restored = ActualZone::restored(apex(), rebuilt.octets().into());
    assert_eq!(restored.as_ref(), Ok(&rebuilt));
    let pieces = rebuilt.pieces(64).flat_map(|piece| piece.octets().to_vec());
    assert!(pieces.eq(rebuilt.octets().iter().copied()));
    assert_eq!(rebuilt.serial(), zone.serial());
    drop(zone.to_string());
}
