//! Inputs taken apart, to be recorded.

use bytes::Bytes;

use super::{Here, Of, Outcome, StoreFailure, What};
use crate::chunk::Chunk;
use crate::engine::{Command, Done, Input, Job, Resume, StoreError};
use crate::net::RelayPolicy;

impl What {
    /// Takes an input apart. Bodies are shared, not copied. Without wildcards: an input
    /// or command that is added must be added here.
    pub(in crate::record) fn of<C: Chunk>(input: &Input<C>) -> (Self, Bytes) {
        let none = Bytes::new();
        match input {
            Input::Tick => (What::Tick, none),
            Input::LinkUp {
                link,
                limits,
                policy,
            } => {
                let (link, max_channels) = (*link, limits.max_channels as u64);
                let max_payload = limits.max_payload as u64;
                let what = match *policy {
                    RelayPolicy::Free => What::LinkUp {
                        link,
                        max_channels,
                        max_payload,
                    },
                    policy => What::LinkGuided {
                        link,
                        max_channels,
                        max_payload,
                        policy,
                    },
                };
                (what, none)
            }
            Input::RelayOnly(only) => (What::RelayOnly(*only), none),
            Input::SetRates(rates) => (What::SetRates(*rates), none),
            Input::SetMaxPeers(most) => (What::SetMaxPeers(*most), none),
            Input::TellTrackers {
                info_hash,
                addresses,
            } => (What::TellTrackers(*info_hash, addresses.clone()), none),
            Input::Direct(id, news) => (What::Direct(*id, news.clone()), none),
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
                opening,
                peer_id,
                room,
                crossing,
            } => {
                let what = What::Offered {
                    opening: *opening,
                    peer_id: *peer_id,
                    room: *room,
                    crossing: *crossing,
                };
                (what, none)
            }
            Input::Opened { opening, room } => {
                let (opening, room) = (*opening, *room);
                (What::Opened { opening, room }, none)
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
        let (outcome, body) = match done {
            Done::Read(Ok(data)) => (Outcome::Read(Ok(())), data.to_bytes()),
            Done::Read(Err(error)) => (Outcome::Read(Err(error.into())), Bytes::new()),
            Done::Written(result) => {
                let result = result.as_ref().copied().map_err(StoreFailure::from);
                (Outcome::Written(result), Bytes::new())
            }
            Done::Hashed(digest) => (Outcome::Hashed(*digest), Bytes::new()),
            Done::Verified(result) => {
                let result = result.as_ref().copied().map_err(StoreFailure::from);
                (Outcome::Verified(result), Bytes::new())
            }
        };
        let added = job.added;
        (What::Stored { of, added, outcome }, body)
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

impl From<&StoreError> for StoreFailure {
    fn from(error: &StoreError) -> Self {
        match error.clone() {
            StoreError::Missing => StoreFailure::Missing,
            StoreError::Full(reason) => StoreFailure::Full(reason),
            StoreError::Unreadable(reason) => StoreFailure::Unreadable(reason),
            StoreError::Failed(reason) => StoreFailure::Failed(reason),
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
