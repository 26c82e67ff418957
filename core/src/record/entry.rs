//! One entry: an input and its time. Small things are in the head, whatever may be long
//! is the body, which is the very bytes that the host has, not a copy.

mod decode;
mod encode;

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Outputs;
use crate::engine::{DirectId, DirectNews, Found};
use crate::id::{ChannelKey, InfoHash, LinkId, PeerId};
use crate::net::{Contact, Rates, RelayPolicy};
use crate::peer::Opening;
use crate::pieces::{Priority, Strategy};
use crate::time::Time;

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

/// An [`Input`](crate::engine::Input) without its body. The order of variants is the format: new ones go last.
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
        opening: Opening,
        peer_id: PeerId,
        room: u32,
        crossing: bool,
    },
    Opened {
        opening: Opening,
        room: u32,
    },
    Declined(InfoHash, Contact),
    Closed(ChannelKey),
    /// Body: the bytes.
    Received(ChannelKey),
    Room(ChannelKey, u32),
    /// This and the next three are of format 2, in which nothing came late: as `Stored`, for the
    /// torrent that is there. Body: what was read.
    Read(Of, Result<(), StoreFailure>),
    Written(Of, Result<(), StoreFailure>),
    Hashed(Of, [u8; 20]),
    Verified(Of, Result<[u8; 20], StoreFailure>),
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
    /// As `LinkUp`, where the relay is not free.
    LinkGuided {
        link: LinkId,
        max_channels: u64,
        max_payload: u64,
        policy: RelayPolicy,
    },
    Direct(DirectId, DirectNews),
    RelayOnly(bool),
    TellTrackers(InfoHash, Vec<String>),
    SetRates(Rates),
    SetMaxPeers(Option<NonZeroU32>),
    /// Body: what was read.
    Stored {
        of: Of,
        added: u32,
        outcome: Outcome,
    },
}

/// A [`Job`](crate::engine::Job) without the torrent's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Of {
    pub(super) info_hash: InfoHash,
    pub(super) piece: u32,
    pub(super) part: Option<u32>,
}

/// A [`Done`](crate::engine::Done), without what was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    Read(Result<(), StoreFailure>),
    Written(Result<(), StoreFailure>),
    Hashed([u8; 20]),
    Verified(Result<[u8; 20], StoreFailure>),
}

/// A [`StoreError`](crate::engine::StoreError).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum StoreFailure {
    Missing,
    Full(String),
    Unreadable(String),
    Failed(String),
}

/// A [`Resume`](crate::engine::Resume).
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
            What::Read(of, Ok(()))
            | What::Stored {
                of,
                outcome: Outcome::Read(Ok(())),
                ..
            } => write!(f, "Read({of:?}), {} bytes", self.body.len()),
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
