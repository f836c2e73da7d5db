//! Plugins that break the rules of the boundary itself: they speak the ABI without the SDK.
//!
//! Safe code all the same: the types of [`abi`] can be filled with anything. What is told here no
//! author could tell by mistake, but a library of another version, a broken one or a hostile one may.
//!
//! The lies are data (`lies`): each has a name, and is told about the zone of that name. So one run
//! tells all of them, and every other zone of the run has to come out well.
//!
//! [`abi`]: janitor_plugin_api::abi

mod lies;
mod tell;
mod authority;
mod reconciler;
mod publisher;

janitor_plugin_api::export! {
    /// Sends a malformed zone for every lie it knows, and `honest.test` among them.
    authority "liar.authority.sends-nonsense" => authority::Lying<{ authority::SENDS_NONSENSE }>;
    /// Ends without finishing its stream, and without an error.
    authority "liar.authority.breaks-off" => authority::Lying<{ authority::BREAKS_OFF }>;
    /// Sends a zone after it has finished its stream.
    authority "liar.authority.goes-on" => authority::Lying<{ authority::GOES_ON }>;
    /// Finishes its stream and never ends.
    authority "liar.authority.stays" => authority::Lying<{ authority::STAYS }>;
    /// Fails with an error that says nothing.
    authority "liar.authority.mumbles" => authority::Lying<{ authority::MUMBLES }>;
    /// Asks for all the lies of the reconciler, as zones that are well formed.
    authority "liar.authority.asks-for-lies" => authority::Lying<{ authority::ASKS_FOR_LIES }>;

    /// Answers each zone with the lie that it is named after.
    reconciler "liar.reconciler.answers-nonsense" => reconciler::Lying<{ reconciler::ANSWERS_NONSENSE }>;
    /// Answers everything and ends without finishing its stream.
    reconciler "liar.reconciler.breaks-off" => reconciler::Lying<{ reconciler::BREAKS_OFF }>;

    /// Reports on changes that it was never given, and with outcomes that there are not.
    publisher "liar.publisher.boasts" => publisher::Boasting;
}
