//! Entries put together to inputs again.

use super::{Entry, Here, Layouts, Of, StoreFailure, What};
use crate::engine::{Command, Done, Input, Job, Resume, StoreError};
use crate::id::{InfoHash, LinkId};
use crate::metainfo::Metainfo;
use crate::net::{LaneLimits, RelayPolicy};
use crate::pieces::{Bitfield, Layout, PieceIndex};
use crate::record::RecordError;

impl Entry {
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

impl Of {
    fn job(self, layouts: &Layouts) -> Result<Job, RecordError> {
        Ok(Job {
            info_hash: self.info_hash,
            piece: piece_of(self.info_hash, self.piece, layouts)?,
            part: self.part,
            // Recorded answers are in time, and nobody asks.
            added: 0,
        })
    }
}

fn piece_of(info_hash: InfoHash, piece: u32, layouts: &Layouts) -> Result<PieceIndex, RecordError> {
    let layout = layouts.get(&info_hash).ok_or(RecordError::Piece)?;
    layout.piece(piece).ok_or(RecordError::Piece)
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
