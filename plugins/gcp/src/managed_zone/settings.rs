//! Settings about managed zones, which all plugins that use Cloud DNS share.

use std::collections::BTreeMap;

use janitor_plugin_api::Error;
use janitor_plugin_api::dns::Name;

use super::naming;

/// Adds to a plugin's own settings what all of Google's plugins have and what is about managed zones,
/// and `managed_zones`, which gives the latter.
macro_rules! with_managed_zones {
    ($(#[$($attribute:tt)*])* $visibility:vis struct $name:ident { $($own:tt)* }) => {
        $crate::settings::with_google! {
            $(#[$($attribute)*])*
            $visibility struct $name {
                /// The project of the managed zones.
                #[setting(example = "dns-project")]
                project: String,

                /// The version in the addresses of Cloud DNS.
                #[setting(default = "v1")]
                api_version: String,

                /// How the managed zone of a zone is found: by asking Cloud DNS for its DNS name, or by
                /// name alone, as the Gordon service names them.
                #[setting(default = "by-dns-name")]
                managed_zones: $crate::managed_zone::Lookup,

                /// Stands with a hyphen before the names of managed zones that are made of zones' names.
                #[setting(default)]
                default_zone_prefix: String,

                /// Which managed zones are meant: those that all the world sees, or those of networks.
                /// Without it either, and where a zone has both, the one with the name that the rule
                /// gives, or else none.
                visibility: Option<$crate::managed_zone::Visibility>,

                /// By name of a zone: its managed zone.
                #[setting(default)]
                zones: std::collections::BTreeMap<String, $crate::managed_zone::ZoneSettings>,

                $($own)*
            }
        }

        impl $name {
            /// The settings about managed zones.
            $visibility fn managed_zones(&self) -> $crate::managed_zone::ManagedZoneSettings {
                $crate::managed_zone::ManagedZoneSettings {
                    project: self.project.clone(),
                    api_version: self.api_version.clone(),
                    lookup: self.managed_zones,
                    prefix: self.default_zone_prefix.clone(),
                    visibility: self.visibility,
                    zones: self.zones.clone(),
                }
            }
        }
    };
}
pub(crate) use with_managed_zones;

/// How managed zones are found.
#[janitor_plugin_api::settings]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    ByDnsName,
    ByName,
}

/// Who sees a managed zone.
#[janitor_plugin_api::settings]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    Public,
    Private,
}

/// The settings of one zone.
#[janitor_plugin_api::settings]
#[derive(Clone, Debug)]
pub(crate) struct ZoneSettings {
    /// The name of its managed zone, in place of looking for it.
    managed_zone: String,
}

/// The settings about managed zones.
#[derive(Clone, Debug)]
pub(crate) struct ManagedZoneSettings {
    pub(crate) project: String,
    pub(crate) api_version: String,
    pub(crate) lookup: Lookup,
    pub(crate) prefix: String,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) zones: BTreeMap<String, ZoneSettings>,
}

impl ManagedZoneSettings {
    /// Checks the settings, and returns the managed zones that are named in them.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for the first setting that cannot be used.
    pub(crate) fn checked(&self) -> Result<BTreeMap<Name, String>, Error> {
        if self.project.is_empty() {
            let reason = "The GCP project where Cloud DNS is located is required.";
            return Err(Error::config("cannot use `project`", reason));
        }
        if self.api_version.is_empty() {
            return Err(Error::config("cannot use `api_version`", "it is empty"));
        }
        let mut named = BTreeMap::new();
        for (text, ZoneSettings { managed_zone }) in &self.zones {
            let context = || format!("cannot use `zones.\"{text}\"`");
            let apex: Name = text.parse().map_err(|e| Error::config(context(), e))?;
            naming::check(managed_zone).map_err(|e| Error::config(context(), e))?;
            if named.contains_key(&apex) {
                let reason = format!("`{apex}` stands there in another spelling, too");
                return Err(Error::config(context(), reason));
            }
            named.insert(apex, managed_zone.clone());
        }
        Ok(named)
    }
}
