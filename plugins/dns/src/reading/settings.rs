//! The settings that the plugins which read zones share.

use std::time::Duration;

/// Adds to a plugin's own settings what all have and what is about reading zones, and `reading`, which
/// gives the latter.
macro_rules! with_reading {
    ($(#[$($attribute:tt)*])* $visibility:vis struct $name:ident { $($own:tt)* }) => {
        $crate::settings::with_network! {
            $(#[$($attribute)*])*
            $visibility struct $name {
                $($own)*

                /// How long one zone may take in all, from the first of its servers to the last.
                #[setting(default = 600.0, unit = "seconds", min = 0.1, max = 86_400)]
                deadline: f64,

                /// Zones that are read at the same time. That many are in memory, each with what it is
                /// compared with.
                #[setting(default = 8, min = 1, max = 1_000)]
                at_once: u16,

                /// Keeps a copy of every zone that was read, and transfers only what has changed since. Only
                /// for servers whose serials rise with every change.
                #[setting(default = false)]
                keep: bool,

                /// A copy whose zone was transferred whole longer ago is not used.
                #[setting(default = 86_400, unit = "seconds", min = 0)]
                max_kept_age: u64,
            }
        }

        impl $name {
            /// The settings about reading zones.
            $visibility fn reading(&self) -> $crate::reading::ReadingSettings {
                $crate::reading::ReadingSettings {
                    deadline: std::time::Duration::from_secs_f64(self.deadline),
                    at_once: self.at_once.into(),
                    max_kept_age: self
                        .keep
                        .then(|| std::time::Duration::from_secs(self.max_kept_age)),
                }
            }
        }
    };
}
pub(crate) use with_reading;

/// The settings about reading zones.
#[derive(Clone, Debug)]
pub(crate) struct ReadingSettings {
    pub(crate) deadline: Duration,
    pub(crate) at_once: usize,
    /// How old copies may be; none if there are none.
    pub(crate) max_kept_age: Option<Duration>,
}
