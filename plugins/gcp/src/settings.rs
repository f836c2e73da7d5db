//! The settings that all plugins of this library share: `[gcp]`.

use std::path::PathBuf;
use std::time::Duration;

/// Adds the shared settings to a plugin's own, and `google`, which gives them.
///
/// They are fields of every plugin's table, so that they can stand in `[gcp]` for all plugins, and in
/// `[gcp.gce]` for one.
macro_rules! with_google {
    ($(#[$($attribute:tt)*])* $visibility:vis struct $name:ident { $($own:tt)* }) => {
        $(#[$($attribute)*])*
        #[janitor_plugin_api::settings]
        $visibility struct $name {
            /// A file with credentials (JSON), such as the key of a service account. Without one,
            /// Application Default Credentials are looked for.
            keyfile: Option<std::path::PathBuf>,

            /// What an access token is to allow: names such as "cloud-platform", or whole URLs.
            #[setting(default = ["cloud-platform"])]
            scopes: Vec<String>,

            /// Addresses of Google's services, where they are not the public ones.
            #[setting(default)]
            endpoints: $crate::settings::Endpoints,

            /// How long connecting may take, and the wait for more of an answer.
            #[setting(default = 30.0, unit = "seconds", min = 0.1, max = 600)]
            timeout: f64,

            /// How long one request may take in all, with its repetitions.
            #[setting(default = 300.0, unit = "seconds", min = 0.1, max = 86400)]
            deadline: f64,

            $($own)*
        }

        impl $name {
            /// The settings that all plugins share.
            $visibility fn google(&self) -> $crate::settings::GoogleSettings {
                $crate::settings::GoogleSettings {
                    keyfile: self.keyfile.clone(),
                    scopes: self.scopes.clone(),
                    endpoints: self.endpoints.clone(),
                    timeout: std::time::Duration::from_secs_f64(self.timeout),
                    deadline: std::time::Duration::from_secs_f64(self.deadline),
                }
            }
        }
    };
}
pub(crate) use with_google;

/// The shared settings.
#[derive(Clone, Debug)]
pub(crate) struct GoogleSettings {
    pub(crate) keyfile: Option<PathBuf>,
    pub(crate) scopes: Vec<String>,
    pub(crate) endpoints: Endpoints,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Duration,
}

/// Where Google's services are.
#[janitor_plugin_api::settings]
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    /// Cloud DNS, "https://dns.googleapis.com/" unless given.
    pub(crate) dns: Option<String>,
    /// Compute Engine, "https://compute.googleapis.com/" unless given.
    pub(crate) compute: Option<String>,
    /// Resource Manager, "https://cloudresourcemanager.googleapis.com/" unless given.
    pub(crate) resource_manager: Option<String>,
    /// Pub/Sub, "https://pubsub.googleapis.com/" unless given.
    pub(crate) pubsub: Option<String>,
}
