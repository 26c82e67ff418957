//! Any input.

use super::*;

pub(super) fn arbitrary_input(u: &mut Unstructured<'_>, metainfo: &Metainfo) -> Result<Input> {
    let info_hash = metainfo.info_hash();
    let piece = u.int_in_range(0..=metainfo.layout().piece_count() - 1)?;
    let piece = metainfo.layout().piece(piece).expect("within the torrent");
    let job = Job {
        info_hash,
        piece,
        part: u.arbitrary()?,
        added: u.arbitrary()?,
    };
    let channel = ChannelKey {
        link: LinkId(u.arbitrary()?),
        channel: ChannelId(u.arbitrary()?),
    };
    let link = channel.link;
    let contact = Contact::Member {
        link,
        member: MemberId(u.arbitrary()?),
    };
    Ok(match u.int_in_range(0..=24)? {
        24 => Input::SetMaxPeers(NonZeroU32::new(u.arbitrary()?)),
        23 => Input::SetRates(Rates {
            up: NonZeroU64::new(u.arbitrary()?),
            down: NonZeroU64::new(u.arbitrary()?),
        }),
        22 => Input::TellTrackers {
            info_hash,
            addresses: u.arbitrary()?,
        },
        21 => Input::RelayOnly(u.arbitrary()?),
        20 => Input::Direct(
            DirectId {
                channel,
                attempt: u.arbitrary()?,
            },
            match u.int_in_range(0..=2)? {
                0 => DirectNews::Described(u.arbitrary()?),
                1 => DirectNews::Failed,
                _ => DirectNews::Linked,
            },
        ),
        0 => Input::Tick,
        1 => Input::LinkUp {
            link,
            limits: LaneLimits {
                max_channels: u.arbitrary::<u32>()? as usize,
                max_payload: u.arbitrary::<u32>()? as usize,
            },
            policy: match u.int_in_range(0..=2)? {
                0 => RelayPolicy::Free,
                1 => RelayPolicy::Spare,
                _ => RelayPolicy::Only,
            },
        },
        2 => Input::LinkDown { link },
        3 => Input::Sent {
            link,
            bytes: u.arbitrary::<u32>()? as usize,
        },
        4 => Input::Found {
            info_hash,
            link,
            complete: u.arbitrary()?,
            incomplete: u.arbitrary()?,
            contacts: vec![
                Found {
                    contact,
                    have: u.arbitrary()?,
                    seed: u.arbitrary()?,
                };
                u.int_in_range(0..=2)?
            ],
        },
        5 => Input::Unlisted { info_hash, link },
        6 => Input::Displaced { info_hash, link },
        7 => Input::Offered {
            opening: Opening {
                info_hash,
                channel,
                contact,
                path: PeerPath::Direct,
                here: u.arbitrary()?,
            },
            peer_id: PeerId(u.arbitrary()?),
            room: u.arbitrary()?,
            crossing: u.arbitrary()?,
        },
        8 => Input::Opened {
            opening: Opening {
                info_hash,
                channel,
                contact,
                path: PeerPath::Relay,
                here: u.arbitrary()?,
            },
            room: u.arbitrary()?,
        },
        9 => Input::Declined { info_hash, contact },
        10 => Input::Closed { channel },
        11 => Input::Received {
            channel,
            bytes: Bytes::from(Vec::<u8>::arbitrary(u)?),
        },
        12 => Input::Room {
            channel,
            bytes: u.arbitrary()?,
        },
        13 => Input::Lost {
            info_hash,
            pieces: vec![piece; u.int_in_range(0..=2)?],
        },
        14 => Input::Store(
            job,
            Done::Read(match arbitrary_failure(u)? {
                None => Ok(Bytes::from(Vec::<u8>::arbitrary(u)?)),
                Some(error) => Err(error),
            }),
        ),
        15 => {
            let result = arbitrary_failure(u)?.map_or(Ok(()), Err);
            Input::Store(job, Done::Written(result))
        }
        16 => Input::Store(job, Done::Hashed(u.arbitrary()?)),
        17 => Input::Store(
            job,
            Done::Verified(match arbitrary_failure(u)? {
                None => Ok(u.arbitrary()?),
                Some(error) => Err(error),
            }),
        ),
        _ => Input::Command(arbitrary_command(u, metainfo)?),
    })
}

fn arbitrary_failure(u: &mut Unstructured<'_>) -> Result<Option<StoreError>> {
    Ok(match u.int_in_range(0..=4)? {
        0 => None,
        1 => Some(StoreError::Missing),
        2 => Some(StoreError::Full(u.arbitrary()?)),
        3 => Some(StoreError::Unreadable(u.arbitrary()?)),
        _ => Some(StoreError::Failed(u.arbitrary()?)),
    })
}

fn arbitrary_command(u: &mut Unstructured<'_>, metainfo: &Metainfo) -> Result<Command> {
    let info_hash = InfoHash(u.arbitrary()?);
    Ok(match u.int_in_range(0..=7)? {
        0 => Command::AddTorrent {
            metainfo: metainfo.clone(),
            resume: match u.int_in_range(0..=2)? {
                0 => Resume::Nothing,
                1 => Resume::Check,
                _ => {
                    let mut pieces = Bitfield::empty(metainfo.layout().piece_count());
                    for piece in metainfo.layout().pieces() {
                        if u.arbitrary()? {
                            pieces.insert(piece);
                        }
                    }
                    Resume::Pieces(pieces)
                }
            },
            paused: u.arbitrary()?,
        },
        1 => Command::AddLink {
            info_hash,
            name: u.arbitrary()?,
            check: u.arbitrary()?,
            paused: u.arbitrary()?,
        },
        2 => Command::Pause(info_hash),
        3 => Command::Resume(info_hash),
        4 => Command::Remove(info_hash),
        5 => Command::SetStrategy(
            info_hash,
            *u.choose(&[Strategy::Sequential, Strategy::RarestFirst])?,
        ),
        6 => Command::SetPlayPosition(info_hash, u.arbitrary()?),
        _ => {
            let wanted: Vec<bool> = u.arbitrary()?;
            let priority = |wanted| {
                if wanted {
                    Priority::High
                } else {
                    Priority::Skip
                }
            };
            let priorities = wanted.into_iter().map(priority).collect();
            Command::SetPriorities(info_hash, priorities)
        }
    })
}
