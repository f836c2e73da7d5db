//! Plugins that do everything wrong that safe code can: one key per misdeed.
//!
//! They are written with the SDK as any author would, so that what they show is what the SDK and the
//! host make of an honest library with a fault in it. What each has come to is in the log: a line
//! `created`, `running`, `cleaned up` or `dropped`. A few do nothing wrong and only tell what they
//! are given.
//!
//! - `tricks`: what any plugin can do wrong, whatever its role;
//! - `authority`, `reconciler`, `publisher`, `relay`: what only one role can;
//! - `allocator`: not a misdeed, but what notices memory that goes back to the wrong side.

#[expect(unsafe_code, reason = "allocators are")]
mod allocator;
mod life;
mod tricks;
mod authority;
mod reconciler;
mod publisher;
mod relay;

use authority::Authority;
use publisher::Publisher;
use reconciler::Reconciler;
use relay::Relay;
use tricks::Any;

janitor_plugin_api::export! {
    /// Panics while it is created.
    authority "villain.authority.panics-in-new" => Any<{ tricks::PANICS_IN_NEW }>;
    /// Cannot be created, and its configuration is not at fault.
    authority "villain.authority.trips-in-new" => Any<{ tricks::TRIPS_IN_NEW }>;
    /// Panics in `run`, once its zones are sent.
    authority "villain.authority.panics-in-run" => Any<{ tricks::PANICS_IN_RUN }>;
    /// Panics in a task that nobody waits for.
    authority "villain.authority.panics-in-a-task" => Any<{ tricks::PANICS_IN_A_TASK }>;
    /// Panics with a payload that panics when it is dropped.
    authority "villain.authority.panics-with-a-bomb" => Any<{ tricks::PANICS_WITH_A_BOMB }>;
    /// Panics while it is dropped.
    authority "villain.authority.panics-in-drop" => Any<{ tricks::PANICS_IN_DROP }>;
    /// Panics in `cleanup`.
    authority "villain.authority.panics-in-cleanup" => Any<{ tricks::PANICS_IN_CLEANUP }>;
    /// Is created only when somebody opens its gate.
    authority "villain.authority.waits-in-new" => Any<{ tricks::WAITS_IN_NEW }>;
    /// Runs until the run is cancelled, and then returns as asked.
    authority "villain.authority.waits" => Any<{ tricks::WAITS }>;
    /// Never ends, but gives its thread back.
    authority "villain.authority.hangs" => Any<{ tricks::HANGS }>;
    /// Never ends and keeps its thread.
    authority "villain.authority.blocks" => Any<{ tricks::BLOCKS }>;
    /// Never ends cleaning up.
    authority "villain.authority.hangs-in-cleanup" => Any<{ tricks::HANGS_IN_CLEANUP }>;
    /// Returns an error once its zones are sent.
    authority "villain.authority.fails" => Any<{ tricks::FAILS }>;
    /// Does not accept its configuration.
    authority "villain.authority.refuses-to-start" => Any<{ tricks::REFUSES_TO_START }>;
    /// Does as it should.
    authority "villain.authority.behaves" => Authority<{ authority::BEHAVES }>;
    /// Never says that its zones are complete.
    authority "villain.authority.is-unsure" => Authority<{ authority::IS_UNSURE }>;
    /// Empties the list of zones that it was given, and has nothing to send.
    authority "villain.authority.spends-its-list" => Authority<{ authority::SPENDS_ITS_LIST }>;
    /// Sends its zones twice.
    authority "villain.authority.repeats-itself" => Authority<{ authority::REPEATS_ITSELF }>;
    /// Leaves its zones out, and something that it cannot name.
    authority "villain.authority.leaves-out" => Authority<{ authority::LEAVES_OUT }>;
    /// Logs at every level, and what could forge a line.
    authority "villain.authority.talks" => Authority<{ authority::TALKS }>;
    /// Logs more than anybody can read, from 64 threads and from its own.
    authority "villain.authority.talks-without-end" => Authority<{ authority::TALKS_WITHOUT_END }>;
    /// Logs a line that is too long for anybody.
    authority "villain.authority.shouts" => Authority<{ authority::SHOUTS }>;
    /// Tells its secrets to everybody who listens, and fails with them.
    authority "villain.authority.tells-secrets" => Authority<{ authority::TELLS_SECRETS }>;
    /// Panics with its secrets.
    authority "villain.authority.panics-with-secrets" => Authority<{ authority::PANICS_WITH_SECRETS }>;
    /// Does not accept its secrets.
    authority "villain.authority.refuses-secrets" => Authority<{ authority::REFUSES_SECRETS }>;
    /// Says a sentence before and one after it waited at its gate.
    authority "villain.authority.talks-at-the-gate" => Authority<{ authority::TALKS_AT_THE_GATE }>;
    /// Measures something of every kind.
    authority "villain.authority.measures" => Authority<{ authority::MEASURES }>;
    /// Measures more than any relay takes in time.
    authority "villain.authority.measures-a-lot" => Authority<{ authority::MEASURES_A_LOT }>;
    /// Wants settings of several types.
    authority "villain.authority.is-choosy" => authority::Choosy;

    /// Panics while it is created.
    reconciler "villain.reconciler.panics-in-new" => Any<{ tricks::PANICS_IN_NEW }>;
    /// Cannot be created, and its configuration is not at fault.
    reconciler "villain.reconciler.trips-in-new" => Any<{ tricks::TRIPS_IN_NEW }>;
    /// Does not accept its configuration.
    reconciler "villain.reconciler.refuses-to-start" => Any<{ tricks::REFUSES_TO_START }>;
    /// Panics in `run`, with the first zone in its hands.
    reconciler "villain.reconciler.panics-in-run" => Any<{ tricks::PANICS_IN_RUN }>;
    /// Panics in a task that nobody waits for.
    reconciler "villain.reconciler.panics-in-a-task" => Any<{ tricks::PANICS_IN_A_TASK }>;
    /// Panics while it is dropped.
    reconciler "villain.reconciler.panics-in-drop" => Any<{ tricks::PANICS_IN_DROP }>;
    /// Runs until the run is cancelled, and then returns as asked.
    reconciler "villain.reconciler.waits" => Any<{ tricks::WAITS }>;
    /// Never ends and keeps its thread.
    reconciler "villain.reconciler.blocks" => Any<{ tricks::BLOCKS }>;
    /// Returns an error with the first zone in its hands.
    reconciler "villain.reconciler.fails" => Any<{ tricks::FAILS }>;
    /// Takes every zone for empty and adds what is desired.
    reconciler "villain.reconciler.behaves" => Reconciler<{ reconciler::BEHAVES }>;
    /// Answers nothing.
    reconciler "villain.reconciler.is-silent" => Reconciler<{ reconciler::IS_SILENT }>;
    /// Answers a zone that it was not asked for.
    reconciler "villain.reconciler.answers-unasked" => Reconciler<{ reconciler::ANSWERS_UNASKED }>;
    /// Answers every zone twice.
    reconciler "villain.reconciler.repeats-itself" => Reconciler<{ reconciler::REPEATS_ITSELF }>;
    /// Gives changes without the actual zone.
    reconciler "villain.reconciler.hides-what-is-served" => Reconciler<{ reconciler::HIDES_WHAT_IS_SERVED }>;
    /// Deletes what is not served.
    reconciler "villain.reconciler.invents" => Reconciler<{ reconciler::INVENTS }>;
    /// Replaces the SOA.
    reconciler "villain.reconciler.touches-the-soa" => Reconciler<{ reconciler::TOUCHES_THE_SOA }>;
    /// Leaves every zone out.
    reconciler "villain.reconciler.leaves-out" => Reconciler<{ reconciler::LEAVES_OUT }>;
    /// Returns before all zones are answered.
    reconciler "villain.reconciler.leaves-early" => Reconciler<{ reconciler::LEAVES_EARLY }>;

    /// Panics while it is created.
    publisher "villain.publisher.panics-in-new" => Any<{ tricks::PANICS_IN_NEW }>;
    /// Cannot be created, and its configuration is not at fault.
    publisher "villain.publisher.trips-in-new" => Any<{ tricks::TRIPS_IN_NEW }>;
    /// Does not accept its configuration.
    publisher "villain.publisher.refuses-to-start" => Any<{ tricks::REFUSES_TO_START }>;
    /// Panics in `run`, with the first changes in its hands.
    publisher "villain.publisher.panics-in-run" => Any<{ tricks::PANICS_IN_RUN }>;
    /// Panics while it is dropped.
    publisher "villain.publisher.panics-in-drop" => Any<{ tricks::PANICS_IN_DROP }>;
    /// Runs until the run is cancelled, and then returns as asked.
    publisher "villain.publisher.waits" => Any<{ tricks::WAITS }>;
    /// Never ends, but gives its thread back.
    publisher "villain.publisher.hangs" => Any<{ tricks::HANGS }>;
    /// Never ends and keeps its thread.
    publisher "villain.publisher.blocks" => Any<{ tricks::BLOCKS }>;
    /// Returns an error with the first changes in its hands.
    publisher "villain.publisher.fails" => Any<{ tricks::FAILS }>;
    /// Never ends cleaning up.
    publisher "villain.publisher.hangs-in-cleanup" => Any<{ tricks::HANGS_IN_CLEANUP }>;
    /// Tells the log what it is given, and reports it as applied.
    publisher "villain.publisher.behaves" => Publisher<{ publisher::BEHAVES }>;
    /// Says nothing about its changes.
    publisher "villain.publisher.is-silent" => Publisher<{ publisher::IS_SILENT }>;
    /// Refuses all changes.
    publisher "villain.publisher.refuses" => Publisher<{ publisher::REFUSES }>;
    /// Refuses the first change of each zone.
    publisher "villain.publisher.refuses-one" => Publisher<{ publisher::REFUSES_ONE }>;
    /// Only hands changes on.
    publisher "villain.publisher.accepts" => Publisher<{ publisher::ACCEPTS }>;
    /// Applies the changes of one zone, and those of the next when somebody opens its gate.
    publisher "villain.publisher.waits-after-the-first" => Publisher<{ publisher::WAITS_AFTER_THE_FIRST }>;
    /// Returns without receiving anything.
    publisher "villain.publisher.leaves-early" => Publisher<{ publisher::LEAVES_EARLY }>;

    /// Panics while it is created.
    metrics_relay "villain.relay.panics-in-new" => Any<{ tricks::PANICS_IN_NEW }>;
    /// Does not accept its configuration.
    metrics_relay "villain.relay.refuses-to-start" => Any<{ tricks::REFUSES_TO_START }>;
    /// Is created only when somebody opens its gate.
    metrics_relay "villain.relay.waits-in-new" => Any<{ tricks::WAITS_IN_NEW }>;
    /// Panics in `run`, with the first measurement in its hands.
    metrics_relay "villain.relay.panics-in-run" => Any<{ tricks::PANICS_IN_RUN }>;
    /// Never ends, but gives its thread back.
    metrics_relay "villain.relay.hangs" => Any<{ tricks::HANGS }>;
    /// Never ends and keeps its thread.
    metrics_relay "villain.relay.blocks" => Any<{ tricks::BLOCKS }>;
    /// Returns an error with the first measurement in its hands.
    metrics_relay "villain.relay.fails" => Any<{ tricks::FAILS }>;
    /// Tells the log what it is given, and meddles in what is not its own.
    metrics_relay "villain.relay.meddles" => Relay<{ relay::MEDDLES }>;
    /// Returns without receiving anything.
    metrics_relay "villain.relay.leaves-early" => Relay<{ relay::LEAVES_EARLY }>;
}
