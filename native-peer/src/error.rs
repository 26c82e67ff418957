//! What makes a command fail, in words for the person who typed it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use swarm_core::engine::StoreError;
use swarm_core::metainfo::{CreateError, MetainfoError, TorrentLinkError};

use crate::address::AddressError;
use crate::text::shown;

/// What was asked for makes no sense: the usual exit code for that, apart from that of what failed.
pub(crate) const WRONG_USAGE: u8 = 2;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder is not to be had.
    #[error("cannot {action} {}: {source}", shown(path))]
    File {
        /// The verb: read, write, create.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A recording would overwrite a file.
    #[error(
        "{} is there already, and a recording does not overwrite it: name another file",
        shown(_0)
    )]
    RecordingExists(PathBuf),
    /// A file that is no torrent.
    #[error("{} is not a torrent that can be used: {source}", shown(path))]
    Torrent {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: MetainfoError,
    },
    /// Neither a file nor a link.
    #[error("{text}: {source}, and no such file")]
    Link {
        /// What was typed.
        text: String,
        /// Why it is no link.
        source: TorrentLinkError,
    },
    /// A tracker address that can't be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Peers can't call us.
    #[error("cannot listen on port {port}: {error}")]
    Listen {
        /// Which port was asked for; any, if it is 0.
        port: u16,
        /// What the system said.
        error: io::Error,
    },
    /// The DHT can't be had.
    #[error("cannot listen on UDP port {port}: {error}")]
    ListenUdp {
        /// Which port was asked for; any, if it is 0.
        port: u16,
        /// What the system said.
        error: io::Error,
    },
    /// Files that can't be shared.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The disk did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was typed makes no sense, or not for this torrent.
    #[error("{0}")]
    Usage(String),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// What the program ends with: [`WRONG_USAGE`] if another command is what helps.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Link { .. } | Error::Address(_) | Error::Usage(_) => WRONG_USAGE.into(),
            Error::File { .. }
            | Error::RecordingExists(_)
            | Error::Torrent { .. }
            | Error::Listen { .. }
            | Error::ListenUdp { .. }
            | Error::Create(_)
            | Error::Store(_)
            | Error::Other(_) => ExitCode::FAILURE,
        }
    }

    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::File {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
