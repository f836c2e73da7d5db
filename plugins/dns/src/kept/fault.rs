//! Why a kept copy of a zone cannot be used, or cannot be kept.

use std::fmt;
use std::io;
use std::path::PathBuf;

use janitor_plugin_api::dns::{BufferFault, EditFault, Name, Serial};

/// Why a kept copy of a zone cannot be used, or cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeptFault {
    #[error("cannot use directory `{}`", .path.display())]
    Directory {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("directory `{}` belongs to another user, or others may write to it", .path.display())]
    OthersDirectory { path: PathBuf },
    #[error("it is not a regular file")]
    NotAFile,
    #[error("the file belongs to another user, or others may write to it")]
    OthersFile,
    #[error("cannot open the file")]
    Open(#[source] io::Error),
    #[error("cannot read the file")]
    Read(#[from] io::Error),
    #[error("cannot write the file")]
    Write(#[source] io::Error),
    #[error("it is no kept zone")]
    Magic,
    #[error("it has format {0}, and this library reads format 1")]
    Format(u16),
    #[error("it was kept by version {0} of this library")]
    Version(String),
    #[error("the file ends too early")]
    Truncated,
    #[error("the {0} is not what was written")]
    Digest(Part),
    #[error("the head of the file is not as its format has it")]
    Head,
    #[error("it is a copy of zone `{0}`")]
    OtherZone(Name),
    #[error("it was served by {kept}, and {asked} is asked now")]
    OtherServer { kept: String, asked: String },
    #[error("it was transferred longer ago than max_kept_age allows")]
    TooOld,
    #[error("it was transferred in the future, so its age cannot be told")]
    FromTheFuture,
    #[error("the differences start from serial {differences}, and the copy has {kept}")]
    From { differences: Serial, kept: Serial },
    #[error("the differences lead to serial {expected}, but the zone then has {}", Shown(*.found))]
    To {
        expected: Serial,
        found: Option<Serial>,
    },
    #[error("the differences do not fit the copy")]
    Edits(#[from] EditFault),
    #[error("it does not hold an actual zone")]
    Zone(#[from] BufferFault),
    #[error(
        "the answer had RRs that the zone cannot tell apart: several TTLs in an RRset, or an RR twice"
    )]
    Inexact,
    #[error("the zone has no SOA")]
    NoSoa,
    #[error("the zone or what is said of it is too large to be kept")]
    TooLarge,
    #[error("another janitor is writing to the copy")]
    Busy,
    #[error("another janitor has written to the copy")]
    Moved,
}

/// A part of a file that has a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Head,
    Piece(usize),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("head of the file"),
            Self::Piece(index) => write!(f, "{}. piece of the zone", index + 1),
        }
    }
}

/// A serial that may be missing.
struct Shown(Option<Serial>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(serial) => serial.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl KeptFault {
    /// Whether the file is not what was written, or not what it says.
    ///
    /// Otherwise it is a copy that is of no use now, or was never one.
    pub(crate) const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Read(_)
                | Self::Magic
                | Self::Truncated
                | Self::Digest(_)
                | Self::Head
                | Self::Zone(_)
                | Self::OtherZone(_)
        )
    }
}
