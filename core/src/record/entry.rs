//! One entry: an input and its time. Small things are in the head, whatever may be long
//! is the body, which is the very bytes that the host has, not a copy.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Outputs, RecordError};
use crate::engine::{Command, Input, Resume, StoreError};
use crate::id::InfoHash;
use crate::metainfo::Metainfo;
use crate::pieces::{Bitfield, Layout, PieceIndex, Priority, Strategy};
use crate::time::Time;
use crate::wire::relay::ServerMessage;

/// The layouts of the torrents that a recording has mentioned so far.
pub type Layouts = BTreeMap<InfoHash, Layout>;

/// One input as it was recorded, or the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) head: Head,
    pub(super) body: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) before: Outputs,
    pub(super) time: Duration,
    pub(super) what: What,
}

/// An [`Input`] without its body. The order of variants is the format: new ones go last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    /// Nothing more was recorded.
    End,
    Tick,
    TrackerUp,
    TrackerDown,
    /// Body: the message as it travels.
    Tracker,
    TrackerSent(u64),
    /// Body: the piece.
    Read(Of, Result<(), Failure>),
    Written(Of, Result<(), Failure>),
    Hashed(Of, [u8; 20]),
    /// Body: the info dictionary.
    AddTorrent {
        trackers: Vec<String>,
        resume: Here,
        paused: bool,
    },
    AddLink {
        info_hash: InfoHash,
        name: Option<String>,
        check: bool,
        paused: bool,
    },
    Pause(InfoHash),
    Resume(InfoHash),
    Remove(InfoHash),
    SetStrategy(InfoHash, Strategy),
    SetPriorities(InfoHash, Vec<Priority>),
    SetPlayPosition(InfoHash, u64),
    Lost(InfoHash, Vec<u32>),
    /// A stretch from this byte of the piece on. Body: its bytes.
    PartRead(Of, u32, Result<(), Failure>),
    PartWritten(Of, u32, Result<(), Failure>),
    Verified(Of, Result<[u8; 20], Failure>),
}

/// A piece of a torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Of(InfoHash, u32);

/// A [`StoreError`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failure {
    Missing,
    Full(String),
    Unreadable(String),
    Failed(String),
}

/// A [`Resume`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Here {
    Nothing,
    Pieces {
        count: u32,
        #[serde(with = "serde_bytes")]
        bits: Vec<u8>,
    },
    Check,
}

impl What {
    /// Takes an input apart. Bodies are shared, not copied. Without wildcards: an input
    /// or command that is added must be added here.
    pub(super) fn of(input: &Input) -> (Self, Bytes) {
        let none = Bytes::new();
        match input {
            Input::Tick => (What::Tick, none),
            Input::TrackerUp => (What::TrackerUp, none),
            Input::TrackerDown => (What::TrackerDown, none),
            Input::Tracker(message) => (What::Tracker, message.clone().encode()),
            Input::TrackerSent(bytes) => (What::TrackerSent(*bytes as u64), none),
            Input::Read {
                info_hash,
                piece,
                result,
            } => {
                let of = Of(*info_hash, piece.get());
                match result {
                    Ok(data) => (What::Read(of, Ok(())), data.clone()),
                    Err(error) => (What::Read(of, Err(error.into())), none),
                }
            }
            Input::Written {
                info_hash,
                piece,
                result,
            } => {
                let result = result.clone().map_err(|error| Failure::from(&error));
                (What::Written(Of(*info_hash, piece.get()), result), none)
            }
            Input::Hashed {
                info_hash,
                piece,
                digest,
            } => (What::Hashed(Of(*info_hash, piece.get()), *digest), none),
            Input::PartRead {
                info_hash,
                piece,
                begin,
                result,
            } => {
                let of = Of(*info_hash, piece.get());
                match result {
                    Ok(data) => (What::PartRead(of, *begin, Ok(())), data.clone()),
                    Err(error) => (What::PartRead(of, *begin, Err(error.into())), none),
                }
            }
            Input::PartWritten {
                info_hash,
                piece,
                begin,
                result,
            } => {
                let result = result.clone().map_err(|error| Failure::from(&error));
                let of = Of(*info_hash, piece.get());
                (What::PartWritten(of, *begin, result), none)
            }
            Input::Verified {
                info_hash,
                piece,
                result,
            } => {
                let result = result.clone().map_err(|error| Failure::from(&error));
                (What::Verified(Of(*info_hash, piece.get()), result), none)
            }
            Input::Command(command) => Self::of_command(command),
            Input::Lost { info_hash, pieces } => {
                let pieces = pieces.iter().map(|piece| piece.get()).collect();
                (What::Lost(*info_hash, pieces), none)
            }
        }
    }

    fn of_command(command: &Command) -> (Self, Bytes) {
        let what = match command {
            Command::AddTorrent {
                metainfo,
                resume,
                paused,
            } => {
                let what = What::AddTorrent {
                    trackers: metainfo.trackers().to_vec(),
                    resume: resume.into(),
                    paused: *paused,
                };
                return (what, metainfo.info().clone());
            }
            Command::AddLink {
                info_hash,
                name,
                check,
                paused,
            } => What::AddLink {
                info_hash: *info_hash,
                name: name.clone(),
                check: *check,
                paused: *paused,
            },
            Command::Pause(info_hash) => What::Pause(*info_hash),
            Command::Resume(info_hash) => What::Resume(*info_hash),
            Command::Remove(info_hash) => What::Remove(*info_hash),
            Command::SetStrategy(info_hash, strategy) => What::SetStrategy(*info_hash, *strategy),
            Command::SetPriorities(info_hash, priorities) => {
                What::SetPriorities(*info_hash, priorities.clone())
            }
            Command::SetPlayPosition(info_hash, byte) => What::SetPlayPosition(*info_hash, *byte),
        };
        (what, Bytes::new())
    }
}

impl Entry {
    /// When the host gave the input to the engine.
    pub fn time(&self) -> Time {
        Time::from_epoch(self.head.time)
    }

    /// What the engine had said since the entry before.
    pub fn before(&self) -> Outputs {
        self.head.before
    }

    /// Nothing more was recorded: this entry has no input.
    pub fn is_end(&self) -> bool {
        self.head.what == What::End
    }

    /// The torrent that it removes, if it removes one.
    pub fn removes(&self) -> Option<InfoHash> {
        match self.head.what {
            What::Remove(info_hash) => Some(info_hash),
            _ => None,
        }
    }

    /// The bytes of a message, a piece or an info dictionary.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The input, or none at the end. A piece is looked up in `layouts`, and the layout of
    /// a torrent that is added is put there.
    pub fn input(self, layouts: &mut Layouts) -> Result<Option<Input>, RecordError> {
        let Entry { head, body } = self;
        Ok(Some(match head.what {
            What::End => return Ok(None),
            What::Tick => Input::Tick,
            What::TrackerUp => Input::TrackerUp,
            What::TrackerDown => Input::TrackerDown,
            What::Tracker => Input::Tracker(ServerMessage::decode(body)?),
            What::TrackerSent(bytes) => {
                Input::TrackerSent(usize::try_from(bytes).map_err(|_| RecordError::Entry)?)
            }
            What::Read(of, result) => Input::Read {
                info_hash: of.0,
                piece: of.piece(layouts)?,
                result: result.map(|()| body).map_err(StoreError::from),
            },
            What::Written(of, result) => Input::Written {
                info_hash: of.0,
                piece: of.piece(layouts)?,
                result: result.map_err(StoreError::from),
            },
            What::Hashed(of, digest) => Input::Hashed {
                info_hash: of.0,
                piece: of.piece(layouts)?,
                digest,
            },
            What::PartRead(of, begin, result) => Input::PartRead {
                info_hash: of.0,
                piece: of.piece(layouts)?,
                begin,
                result: result.map(|()| body).map_err(StoreError::from),
            },
            What::PartWritten(of, begin, result) => Input::PartWritten {
                info_hash: of.0,
                piece: of.piece(layouts)?,
                begin,
                result: result.map_err(StoreError::from),
            },
            What::Verified(of, result) => Input::Verified {
                info_hash: of.0,
                piece: of.piece(layouts)?,
                result: result.map_err(StoreError::from),
            },
            What::AddTorrent {
                trackers,
                resume,
                paused,
            } => {
                let info_hash = InfoHash::of(&body);
                let metainfo = Metainfo::from_info(body, info_hash, trackers)?;
                let resume = resume.check(metainfo.layout())?;
                layouts.insert(info_hash, *metainfo.layout());
                Input::Command(Command::AddTorrent {
                    metainfo,
                    resume,
                    paused,
                })
            }
            What::AddLink {
                info_hash,
                name,
                check,
                paused,
            } => Input::Command(Command::AddLink {
                info_hash,
                name,
                check,
                paused,
            }),
            What::Pause(info_hash) => Input::Command(Command::Pause(info_hash)),
            What::Resume(info_hash) => Input::Command(Command::Resume(info_hash)),
            What::Remove(info_hash) => Input::Command(Command::Remove(info_hash)),
            What::SetStrategy(info_hash, strategy) => {
                Input::Command(Command::SetStrategy(info_hash, strategy))
            }
            What::SetPriorities(info_hash, priorities) => {
                Input::Command(Command::SetPriorities(info_hash, priorities))
            }
            What::SetPlayPosition(info_hash, byte) => {
                Input::Command(Command::SetPlayPosition(info_hash, byte))
            }
            What::Lost(info_hash, pieces) => {
                let pieces = pieces.into_iter();
                let pieces = pieces.map(|piece| Of(info_hash, piece).piece(layouts));
                Input::Lost {
                    info_hash,
                    pieces: pieces.collect::<Result<_, _>>()?,
                }
            }
        }))
    }
}

impl std::fmt::Display for Entry {
    /// On one line: the time in seconds, what it is, how long its body is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>14.6} s  ", self.head.time.as_secs_f64())?;
        match &self.head.what {
            What::Tracker => match ServerMessage::decode(self.body.clone()) {
                Ok(ServerMessage::Data(frame)) => {
                    let (channel, length) = (frame.channel().0, frame.payload_len());
                    write!(f, "Data through channel {channel}, {length} bytes")
                }
                Ok(message) => write!(f, "{message:?}"),
                Err(error) => write!(f, "a message that is none: {error}"),
            },
            What::AddTorrent { resume, paused, .. } => {
                let info_hash = InfoHash::of(&self.body);
                write!(f, "AddTorrent({info_hash}), {resume}")?;
                f.write_str(if *paused { ", paused" } else { "" })
            }
            What::Read(of, Ok(())) => write!(f, "Read({of:?}), {} bytes", self.body.len()),
            What::PartRead(of, begin, Ok(())) => {
                let bytes = self.body.len();
                write!(f, "PartRead({of:?}), {bytes} bytes from {begin}")
            }
            what => write!(f, "{what:?}"),
        }
    }
}

impl std::fmt::Display for Here {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Here::Nothing => f.write_str("nothing here"),
            Here::Pieces { count, bits } => {
                let have: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
                write!(f, "{have} of {count} pieces here")
            }
            Here::Check => f.write_str("to be checked"),
        }
    }
}

impl Of {
    fn piece(self, layouts: &Layouts) -> Result<PieceIndex, RecordError> {
        let layout = layouts.get(&self.0).ok_or(RecordError::Piece)?;
        layout.piece(self.1).ok_or(RecordError::Piece)
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        match error.clone() {
            StoreError::Missing => Failure::Missing,
            StoreError::Full(reason) => Failure::Full(reason),
            StoreError::Unreadable(reason) => Failure::Unreadable(reason),
            StoreError::Failed(reason) => Failure::Failed(reason),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing => StoreError::Missing,
            Failure::Full(reason) => StoreError::Full(reason),
            Failure::Unreadable(reason) => StoreError::Unreadable(reason),
            Failure::Failed(reason) => StoreError::Failed(reason),
        }
    }
}

impl From<&Resume> for Here {
    fn from(resume: &Resume) -> Self {
        match resume {
            Resume::Nothing => Here::Nothing,
            Resume::Pieces(pieces) => Here::Pieces {
                count: pieces.piece_count(),
                bits: pieces.as_bytes().to_vec(),
            },
            Resume::Check => Here::Check,
        }
    }
}

impl Here {
    /// The pieces must be those of the torrent.
    fn check(self, layout: &Layout) -> Result<Resume, RecordError> {
        Ok(match self {
            Here::Nothing => Resume::Nothing,
            Here::Pieces { count, bits } => {
                let pieces = Bitfield::from_bytes(&bits, count).ok();
                let pieces = pieces.filter(|pieces| pieces.piece_count() == layout.piece_count());
                Resume::Pieces(pieces.ok_or(RecordError::Piece)?)
            }
            Here::Check => Resume::Check,
        })
    }
}
