//! One entry: an input and its time. Small things are in the head, whatever may be long
//! is the body, which is the very bytes that the host has, not a copy.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Outputs, RecordError};
use crate::chunk::Chunk;
use crate::engine::{Command, Done, Found, Input, Job, Resume, StoreError};
use crate::id::{ChannelKey, InfoHash, LinkId, PeerId};
use crate::metainfo::Metainfo;
use crate::net::{Contact, LaneLimits};
use crate::peer::PeerPath;
use crate::pieces::{Bitfield, Layout, PieceIndex, Priority, Strategy};
use crate::sorted::SortedMap;
use crate::time::Time;

/// The layouts of the torrents that a recording has mentioned so far.
pub type Layouts = SortedMap<InfoHash, Layout>;

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
    LinkUp {
        link: LinkId,
        max_channels: u64,
        max_payload: u64,
    },
    LinkDown(LinkId),
    Sent(LinkId, u64),
    Found {
        info_hash: InfoHash,
        link: LinkId,
        complete: u32,
        incomplete: u32,
        contacts: Vec<Found>,
    },
    Unlisted(InfoHash, LinkId),
    Displaced(InfoHash, LinkId),
    Offered {
        info_hash: InfoHash,
        channel: ChannelKey,
        contact: Contact,
        path: PeerPath,
        here: [u8; 4],
        peer_id: PeerId,
        room: u32,
        crossing: bool,
    },
    Opened {
        info_hash: InfoHash,
        channel: ChannelKey,
        contact: Contact,
        path: PeerPath,
        here: [u8; 4],
        room: u32,
    },
    Declined(InfoHash, Contact),
    Closed(ChannelKey),
    /// Body: the bytes.
    Received(ChannelKey),
    Room(ChannelKey, u32),
    /// Body: what was read.
    Read(Of, Result<(), Failure>),
    Written(Of, Result<(), Failure>),
    Hashed(Of, [u8; 20]),
    Verified(Of, Result<[u8; 20], Failure>),
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
}

/// A [`Job`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Of {
    info_hash: InfoHash,
    piece: u32,
    part: Option<u32>,
}

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
    pub(super) fn of<C: Chunk>(input: &Input<C>) -> (Self, Bytes) {
        let none = Bytes::new();
        match input {
            Input::Tick => (What::Tick, none),
            Input::LinkUp { link, limits } => {
                let what = What::LinkUp {
                    link: *link,
                    max_channels: limits.max_channels as u64,
                    max_payload: limits.max_payload as u64,
                };
                (what, none)
            }
            Input::LinkDown { link } => (What::LinkDown(*link), none),
            Input::Sent { link, bytes } => (What::Sent(*link, *bytes as u64), none),
            Input::Found {
                info_hash,
                link,
                complete,
                incomplete,
                contacts,
            } => {
                let what = What::Found {
                    info_hash: *info_hash,
                    link: *link,
                    complete: *complete,
                    incomplete: *incomplete,
                    contacts: contacts.clone(),
                };
                (what, none)
            }
            Input::Unlisted { info_hash, link } => (What::Unlisted(*info_hash, *link), none),
            Input::Displaced { info_hash, link } => (What::Displaced(*info_hash, *link), none),
            Input::Offered {
                info_hash,
                channel,
                contact,
                path,
                here,
                peer_id,
                room,
                crossing,
            } => {
                let what = What::Offered {
                    info_hash: *info_hash,
                    channel: *channel,
                    contact: *contact,
                    path: *path,
                    here: *here,
                    peer_id: *peer_id,
                    room: *room,
                    crossing: *crossing,
                };
                (what, none)
            }
            Input::Opened {
                info_hash,
                channel,
                contact,
                path,
                here,
                room,
            } => {
                let what = What::Opened {
                    info_hash: *info_hash,
                    channel: *channel,
                    contact: *contact,
                    path: *path,
                    here: *here,
                    room: *room,
                };
                (what, none)
            }
            Input::Declined { info_hash, contact } => (What::Declined(*info_hash, *contact), none),
            Input::Closed { channel } => (What::Closed(*channel), none),
            Input::Received { channel, bytes } => (What::Received(*channel), bytes.to_bytes()),
            Input::Room { channel, bytes } => (What::Room(*channel, *bytes), none),
            Input::Store(job, done) => Self::of_done(job, done),
            Input::Command(command) => Self::of_command(command),
            Input::Lost { info_hash, pieces } => {
                let pieces = pieces.iter().map(|piece| piece.get()).collect();
                (What::Lost(*info_hash, pieces), none)
            }
        }
    }

    fn of_done<C: Chunk>(job: &Job, done: &Done<C>) -> (Self, Bytes) {
        let of = Of {
            info_hash: job.info_hash,
            piece: job.piece.get(),
            part: job.part,
        };
        let what = match done {
            Done::Read(Ok(data)) => return (What::Read(of, Ok(())), data.to_bytes()),
            Done::Read(Err(error)) => What::Read(of, Err(error.into())),
            Done::Written(result) => {
                What::Written(of, result.as_ref().copied().map_err(Failure::from))
            }
            Done::Hashed(digest) => What::Hashed(of, *digest),
            Done::Verified(result) => {
                What::Verified(of, result.as_ref().copied().map_err(Failure::from))
            }
        };
        (what, Bytes::new())
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
            What::LinkUp {
                link,
                max_channels,
                max_payload,
            } => Input::LinkUp {
                link,
                limits: LaneLimits {
                    max_channels: size(max_channels)?,
                    max_payload: size(max_payload)?,
                },
            },
            What::LinkDown(link) => Input::LinkDown { link },
            What::Sent(link, bytes) => Input::Sent {
                link,
                bytes: size(bytes)?,
            },
            What::Found {
                info_hash,
                link,
                complete,
                incomplete,
                contacts,
            } => Input::Found {
                info_hash,
                link,
                complete,
                incomplete,
                contacts,
            },
            What::Unlisted(info_hash, link) => Input::Unlisted { info_hash, link },
            What::Displaced(info_hash, link) => Input::Displaced { info_hash, link },
            What::Offered {
                info_hash,
                channel,
                contact,
                path,
                here,
                peer_id,
                room,
                crossing,
            } => Input::Offered {
                info_hash,
                channel,
                contact,
                path,
                here,
                peer_id,
                room,
                crossing,
            },
            What::Opened {
                info_hash,
                channel,
                contact,
                path,
                here,
                room,
            } => Input::Opened {
                info_hash,
                channel,
                contact,
                path,
                here,
                room,
            },
            What::Declined(info_hash, contact) => Input::Declined { info_hash, contact },
            What::Closed(channel) => Input::Closed { channel },
            What::Received(channel) => Input::Received {
                channel,
                bytes: body,
            },
            What::Room(channel, bytes) => Input::Room { channel, bytes },
            What::Read(of, result) => {
                let result = result.map(|()| body).map_err(StoreError::from);
                Input::Store(of.job(layouts)?, Done::Read(result))
            }
            What::Written(of, result) => {
                let result = result.map_err(StoreError::from);
                Input::Store(of.job(layouts)?, Done::Written(result))
            }
            What::Hashed(of, digest) => Input::Store(of.job(layouts)?, Done::Hashed(digest)),
            What::Verified(of, result) => {
                let result = result.map_err(StoreError::from);
                Input::Store(of.job(layouts)?, Done::Verified(result))
            }
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
                let pieces = pieces.map(|piece| piece_of(info_hash, piece, layouts));
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
            What::Received(channel) => {
                let (channel, length) = (channel.channel.0, self.body.len());
                write!(f, "Received through channel {channel}, {length} bytes")
            }
            What::AddTorrent { resume, paused, .. } => {
                let info_hash = InfoHash::of(&self.body);
                write!(f, "AddTorrent({info_hash}), {resume}")?;
                f.write_str(if *paused { ", paused" } else { "" })
            }
            What::Read(of, Ok(())) => write!(f, "Read({of:?}), {} bytes", self.body.len()),
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
    fn job(self, layouts: &Layouts) -> Result<Job, RecordError> {
        Ok(Job {
            info_hash: self.info_hash,
            piece: piece_of(self.info_hash, self.piece, layouts)?,
            part: self.part,
        })
    }
}

fn piece_of(info_hash: InfoHash, piece: u32, layouts: &Layouts) -> Result<PieceIndex, RecordError> {
    let layout = layouts.get(&info_hash).ok_or(RecordError::Piece)?;
    layout.piece(piece).ok_or(RecordError::Piece)
}

/// A number of a 64-bit platform may be too large for this one.
fn size(number: u64) -> Result<usize, RecordError> {
    usize::try_from(number).map_err(|_| RecordError::Entry)
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
