//! What a person asks for.

use crate::id::InfoHash;
use crate::metainfo::Metainfo;
use crate::pieces::{Bitfield, Priority, Strategy};

/// Why a command could not be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is a torrent of this info-hash.
    #[error("this torrent is in the list already")]
    AlreadyThere,
}

/// What a torrent's store holds already.
#[derive(Clone, Debug)]
pub enum Resume {
    /// Nothing.
    Nothing,
    /// These verified pieces.
    Pieces(Bitfield),
    /// Nobody knows: read and hash every piece.
    Check,
}

/// What a person can ask for.
#[derive(Clone, Debug)]
pub enum Command {
    /// Takes part in a torrent whose metadata is known.
    AddTorrent {
        /// The torrent.
        metainfo: Metainfo,
        /// What is here already.
        resume: Resume,
        /// Begin paused.
        paused: bool,
    },
    /// Takes part in a torrent of which only the info-hash is known.
    AddLink {
        /// The torrent.
        info_hash: InfoHash,
        /// What to call it for now.
        name: Option<String>,
        /// Once the metadata is here, check what the store holds ([`Resume::Check`]).
        check: bool,
        /// Begin paused.
        paused: bool,
    },
    /// Stops transfers, keeps everything.
    Pause(InfoHash),
    /// Goes on; also after a store error.
    Resume(InfoHash),
    /// Forgets the torrent. Freeing its storage is the host's business.
    Remove(InfoHash),
    /// Changes how pieces are chosen.
    SetStrategy(InfoHash, Strategy),
    /// Says how much each file is wanted, in the order of the torrent; files beyond the end
    /// of the list are normal. May be said before the metadata is here. Pieces that are here
    /// are kept, whatever is said.
    SetPriorities(InfoHash, Vec<Priority>),
    /// Says where somebody reads ([`Strategy::Streaming`]), as a byte of the torrent.
    SetPlayPosition(InfoHash, u64),
}

impl Command {
    /// The torrent that it is about.
    pub fn info_hash(&self) -> InfoHash {
        match self {
            Command::AddTorrent { metainfo, .. } => metainfo.info_hash(),
            Command::AddLink { info_hash, .. }
            | Command::Pause(info_hash)
            | Command::Resume(info_hash)
            | Command::Remove(info_hash)
            | Command::SetStrategy(info_hash, _)
            | Command::SetPriorities(info_hash, _)
            | Command::SetPlayPosition(info_hash, _) => *info_hash,
        }
    }
}
