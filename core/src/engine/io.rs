//! What goes into an engine and what comes out.

use bytes::Bytes;

use crate::id::InfoHash;
use crate::metainfo::{Metainfo, MetainfoError};
use crate::pieces::{Bitfield, PieceIndex, Priority, Strategy};
use crate::wire::relay::{ClientMessage, ServerMessage};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The time of [`super::Engine::poll_timeout`] has come.
    Tick,
    /// The WebSocket to the tracker is open.
    TrackerUp,
    /// The WebSocket to the tracker closed, or could not be opened. The host reconnects
    /// by itself, with growing delays.
    TrackerDown,
    /// The tracker sent a message.
    Tracker(ServerMessage),
    /// The link has sent this many bytes of [`Output::Tracker`] messages (whole messages,
    /// as encoded) since it was last said.
    TrackerSent(usize),
    /// An [`Output::Read`] ended: the whole piece, or why not.
    Read {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// Its bytes.
        result: Result<Bytes, StoreError>,
    },
    /// An [`Output::Write`] ended. `Ok` means that it survives a reload.
    Written {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// What became of it.
        result: Result<(), StoreError>,
    },
    /// An [`Output::ReadPart`] ended: all of its bytes, or why not.
    PartRead {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// The first byte within the piece.
        begin: u32,
        /// The bytes.
        result: Result<Bytes, StoreError>,
    },
    /// An [`Output::WritePart`] ended.
    PartWritten {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// The first byte within the piece.
        begin: u32,
        /// What became of it.
        result: Result<(), StoreError>,
    },
    /// An [`Output::Verify`] ended. `Ok` with the right hash means that the piece survives a
    /// reload.
    Verified {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// The SHA-1 of its bytes, or why there is none.
        result: Result<[u8; 20], StoreError>,
    },
    /// An [`Output::Hash`] ended.
    Hashed {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// The SHA-1 of the bytes.
        digest: [u8; 20],
    },
    /// A person wants something.
    Command(Command),
    /// The store does not hold these pieces any more, or others in their places. They are not
    /// offered from now on, and fetched again where they are wanted ([`Priority::Skip`] for
    /// their files keeps a store that can't be written to from being given any).
    Lost {
        /// The torrent.
        info_hash: InfoHash,
        /// The pieces; those that we don't have are ignored.
        pieces: Vec<PieceIndex>,
    },
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The piece is not there: an ordinary answer while checking what is on disk. Of a piece
    /// that we have it says that it is lost.
    #[error("the piece is not there")]
    Missing,
    /// There is no room.
    #[error("there is no room left: {0}")]
    Full(String),
    /// A file that we share can't be read any more, or is not what it was: the piece is lost.
    #[error("the file can't be read any more: {0}")]
    Unreadable(String),
    /// Anything else; the torrent stops.
    #[error("the storage failed: {0}")]
    Failed(String),
}

/// Why a torrent stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Its store did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The metadata that peers have, whose hash is right, is not acceptable.
    #[error(transparent)]
    Metainfo(#[from] MetainfoError),
    /// Its pieces are longer than [`super::Config::max_piece`].
    #[error(
        "its pieces of {} MiB are too long: up to {} MiB are handled here",
        .length.div_ceil(1 << 20),
        .most >> 20
    )]
    LongPieces {
        /// Bytes of the longest.
        length: u32,
        /// Bytes that one may have.
        most: u32,
    },
}

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

/// Something for the host to do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a message to the tracker.
    Tracker(ClientMessage),
    /// Read a whole piece, then answer with [`Input::Read`].
    Read {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
    },
    /// Keep a verified piece, then answer with [`Input::Written`].
    Write {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// Its bytes.
        data: Bytes,
    },
    /// Hash (SHA-1), then answer with [`Input::Hashed`].
    Hash {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// Its bytes.
        data: Bytes,
    },
    /// Read a stretch of a piece longer than [`super::Config::whole_piece`], then answer with
    /// [`Input::PartRead`].
    ReadPart {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// The first byte within the piece.
        begin: u32,
        /// How many bytes.
        length: u32,
    },
    /// Put a stretch of such a piece in its place, though nobody knows yet whether it is
    /// right; then answer with [`Input::PartWritten`]. Padding is left out. Stretches of one
    /// piece may be written at once; none is written twice unless it was wrong.
    WritePart {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
        /// The first byte within the piece.
        begin: u32,
        /// Its bytes.
        data: Bytes,
    },
    /// Hash (SHA-1) such a piece where it lies, in as little memory as may be, padding being
    /// zeros; then answer with [`Input::Verified`]. If the hash is right, the piece is kept
    /// from now on.
    Verify {
        /// The torrent.
        info_hash: InfoHash,
        /// The piece.
        piece: PieceIndex,
    },
    /// The tracker does not answer any more: drop the connection, say so
    /// ([`Input::TrackerDown`]), and connect again.
    Reconnect,
    /// Something that the host or a person should know.
    Event(Event),
}

/// Something that the host or a person should know.
#[derive(Clone, Debug)]
pub enum Event {
    /// The metadata of a link's torrent is here. The host prepares its store: reads and
    /// writes follow.
    Metadata(Metainfo),
    /// What the store holds was read and hashed ([`Resume::Check`]): these pieces. The transfer
    /// begins.
    Checked(InfoHash, Bitfield),
    /// Every piece that is wanted is verified and written.
    Completed(InfoHash),
    /// The torrent stopped with an error; [`Command::Resume`] tries again.
    Failed {
        /// The torrent.
        info_hash: InfoHash,
        /// What is wrong.
        reason: Failure,
    },
    /// A piece that we had could not be read. It is lost, see [`Input::Lost`]; everything else
    /// goes on being shared.
    Lost {
        /// The torrent.
        info_hash: InfoHash,
        /// Which piece.
        piece: PieceIndex,
        /// Why.
        reason: StoreError,
    },
    /// A peer sent corrupt blocks and is not talked to any more.
    Banned {
        /// The torrent.
        info_hash: InfoHash,
        /// Who, as it calls itself.
        peer: String,
    },
    /// The tracker refused something.
    Tracker {
        /// The torrent that it is about, if it is about one. Its view has the words until the
        /// tracker takes it back.
        info_hash: Option<InfoHash>,
        /// What it said.
        reason: String,
    },
    /// A command could not be carried out.
    Refused {
        /// Why.
        reason: Refusal,
    },
}

/// Why a timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// A swarm is due to hear from us.
    Announce,
    /// Rates are measured, slots given out, old requests released, idle sessions closed.
    Housekeeping,
    /// Verified pieces are told to the tracker, gathered over a moment.
    Have,
    /// The tracker has been silent: it is asked for a sign of life, or given up.
    Pulse,
    /// A torrent that waits may be announced in the place of another.
    Turn,
}
