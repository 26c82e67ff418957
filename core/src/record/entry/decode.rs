//! Entries put together to inputs again.

use bytes::Bytes;

use super::{Entry, Here, Of, Outcome, StoreFailure, What};
use crate::engine::{Command, Done, Input, Job, Resume, StoreError};
use crate::id::{InfoHash, LinkId};
use crate::metainfo::Metainfo;
use crate::net::{LaneLimits, RelayPolicy};
use crate::pieces::{Bitfield, Layout};
use crate::record::{RecordError, Torrents};

impl Entry {
    /// The input, or none at the end. `torrents` has what the entries before it said, and keeps
    /// what this one says.
    pub fn input(self, torrents: &mut Torrents) -> Result<Option<Input>, RecordError> {
        let Entry { head, body } = self;
        Ok(Some(match head.what {
            What::End => return Ok(None),
            What::Tick => Input::Tick,
            What::LinkUp {
                link,
                max_channels,
                max_payload,
            } => link_up(link, [max_channels, max_payload], RelayPolicy::Free)?,
            What::LinkGuided {
                link,
                max_channels,
                max_payload,
                policy,
            } => link_up(link, [max_channels, max_payload], policy)?,
            What::RelayOnly(only) => Input::RelayOnly(only),
            What::SetRates(rates) => Input::SetRates(rates),
            What::SetMaxPeers(most) => Input::SetMaxPeers(most),
            What::TellTrackers(info_hash, addresses) => Input::TellTrackers {
                info_hash,
                addresses,
            },
            What::Direct(id, news) => Input::Direct(id, news),
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
                opening,
                peer_id,
                room,
                crossing,
            } => Input::Offered {
                opening,
                peer_id,
                room,
                crossing,
            },
            What::Opened { opening, room } => Input::Opened { opening, room },
            What::Declined(info_hash, contact) => Input::Declined { info_hash, contact },
            What::Closed(channel) => Input::Closed { channel },
            What::Received(channel) => Input::Received {
                channel,
                bytes: body,
            },
            What::Room(channel, bytes) => Input::Room { channel, bytes },
            What::Read(of, result) => of.in_time(Outcome::Read(result), body, torrents)?,
            What::Written(of, result) => of.in_time(Outcome::Written(result), body, torrents)?,
            What::Hashed(of, digest) => of.in_time(Outcome::Hashed(digest), body, torrents)?,
            What::Verified(of, result) => of.in_time(Outcome::Verified(result), body, torrents)?,
            What::Stored { of, added, outcome } => {
                Input::Store(of.job(added, torrents)?, outcome.done(body))
            }
            What::AddTorrent {
                trackers,
                resume,
                paused,
            } => {
                let info_hash = InfoHash::of(&body);
                let metainfo = Metainfo::from_info(body, info_hash, trackers)?;
                let resume = resume.check(metainfo.layout())?;
                torrents.describe(&metainfo);
                torrents.add(info_hash);
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
            } => {
                torrents.add(info_hash);
                Input::Command(Command::AddLink {
                    info_hash,
                    name,
                    check,
                    paused,
                })
            }
            What::Pause(info_hash) => Input::Command(Command::Pause(info_hash)),
            What::Resume(info_hash) => Input::Command(Command::Resume(info_hash)),
            What::Remove(info_hash) => {
                torrents.remove(info_hash);
                Input::Command(Command::Remove(info_hash))
            }
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
                let pieces = pieces.map(|piece| torrents.piece(info_hash, piece));
                Input::Lost {
                    info_hash,
                    pieces: pieces.collect::<Result<_, _>>()?,
                }
            }
        }))
    }
}

impl Of {
    fn job(self, added: u32, torrents: &Torrents) -> Result<Job, RecordError> {
        Ok(Job {
            info_hash: self.info_hash,
            piece: torrents.piece(self.info_hash, self.piece)?,
            part: self.part,
            added,
        })
    }

    /// The input of an entry without a number.
    fn in_time(
        self,
        outcome: Outcome,
        body: Bytes,
        torrents: &Torrents,
    ) -> Result<Input, RecordError> {
        let added = torrents.number(self.info_hash);
        Ok(Input::Store(self.job(added, torrents)?, outcome.done(body)))
    }
}

impl Outcome {
    fn done(self, body: Bytes) -> Done {
        match self {
            Outcome::Read(result) => Done::Read(result.map(|()| body).map_err(StoreError::from)),
            Outcome::Written(result) => Done::Written(result.map_err(StoreError::from)),
            Outcome::Hashed(digest) => Done::Hashed(digest),
            Outcome::Verified(result) => Done::Verified(result.map_err(StoreError::from)),
        }
    }
}

fn link_up(
    link: LinkId,
    [max_channels, max_payload]: [u64; 2],
    policy: RelayPolicy,
) -> Result<Input, RecordError> {
    let limits = LaneLimits {
        max_channels: size(max_channels)?,
        max_payload: size(max_payload)?,
    };
    Ok(Input::LinkUp {
        link,
        limits,
        policy,
    })
}

/// A number of a 64-bit platform may be too large for this one.
fn size(number: u64) -> Result<usize, RecordError> {
    usize::try_from(number).map_err(|_| RecordError::Entry)
}

impl From<StoreFailure> for StoreError {
    fn from(failure: StoreFailure) -> Self {
        match failure {
            StoreFailure::Missing => StoreError::Missing,
            StoreFailure::Full(reason) => StoreError::Full(reason),
            StoreFailure::Unreadable(reason) => StoreError::Unreadable(reason),
            StoreFailure::Failed(reason) => StoreError::Failed(reason),
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
