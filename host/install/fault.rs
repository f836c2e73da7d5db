//! Why nothing was written, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::preflight::Obstacle;

/// Something in a plugin directory that could not be written.
#[derive(Debug, thiserror::Error)]
enum Unwritten {
    #[error("{who} may not write to {}: {why}", directory.display())]
    Denied {
        who: String,
        directory: PathBuf,
        why: String,
    },
    #[error("cannot change what is in {}", directory.display())]
    Failed {
        directory: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// That `what` was not done, because writing to the plugin directory failed.
pub(super) fn unwritten(what: String, directory: &Path, source: io::Error) -> Error {
    let obstacle = match source.kind() {
        io::ErrorKind::PermissionDenied => Obstacle::to_writing_in(directory),
        _ => None,
    };
    let directory = directory.to_owned();
    match obstacle {
        Some(obstacle) => {
            let denied = Unwritten::Denied {
                who: obstacle.who().to_owned(),
                why: obstacle.describe(&directory),
                directory,
            };
            Error::failed(what, denied).hint("repeat it as the owner of the directory")
        }
        None => Error::failed(what, Unwritten::Failed { directory, source }),
    }
}
