//! What a peer says through a channel: mostly what makes sense, and sometimes not.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::id::PeerId;
use swarm_core::pieces::Bitfield;
use swarm_core::wire::extension::{
    ExtensionHandshake, HANDSHAKE_ID, METADATA_PIECE, MetadataMessage, Token,
};
use swarm_core::wire::peer::{BlockRef, Handshake, Message, Reserved};

use super::fixtures::Fixture;
use super::model::Channel;

/// The id under which peers take `ut_metadata` messages.
pub(super) const UT_METADATA: u8 = 3;
/// The same for `ts_direct`.
pub(super) const TS_DIRECT: u8 = 5;
/// The same for `ut_pex`.
pub(super) const UT_PEX: u8 = 6;
/// The same for `ts_trackers`.
pub(super) const TS_TRACKERS: u8 = 7;
/// The same for `ts_introduce`.
pub(super) const TS_INTRODUCE: u8 = 8;

/// The same for `ts_overlay`.
pub(super) const TS_OVERLAY: u8 = 9;

/// Appends a handshake, and mostly what makes the engine ask for something.
pub(super) fn say_hello(
    channel: &mut Channel,
    fixture: &Fixture,
    us: PeerId,
    token: Token,
    u: &mut Unstructured<'_>,
) -> Result<()> {
    channel.said_hello = true;
    let mut reserved = Reserved::default();
    if u.ratio(7, 8)? {
        reserved = reserved.with(Reserved::EXTENSION);
    }
    if u.arbitrary()? {
        reserved = reserved.with(Reserved::FAST);
    }
    let (mut info_hash, mut peer_id) = (fixture.info_hash(), PeerId([u.int_in_range(0..=4)?; 20]));
    match u.int_in_range(0..=31)? {
        0 => info_hash.0[0] ^= 1,
        1 => peer_id = us,
        _ => {}
    }
    let handshake = Handshake {
        reserved,
        info_hash,
        peer_id,
    };
    channel.backlog.extend_from_slice(&handshake.encode());
    let full = Bitfield::full(fixture.pieces());
    let wide = channel.wide;
    let mut say = |message: Message| message.encode(&mut channel.backlog);
    match u.int_in_range(0..=7)? {
        0 => {}
        1 => say(Message::HaveNone),
        2 => say(Message::HaveAll),
        _ => say(Message::Bitfield(Bytes::copy_from_slice(full.as_bytes()))),
    }
    if u.ratio(7, 8)? {
        say(extension_handshake(fixture, Some(token), wide, u)?);
        say(Message::Unchoke);
        say(Message::Interested);
    }
    Ok(())
}

fn extension_handshake(
    fixture: &Fixture,
    token: Option<Token>,
    wide: bool,
    u: &mut Unstructured<'_>,
) -> Result<Message> {
    let size = u32::try_from(fixture.metainfo.info().len()).expect("a short dictionary");
    let handshake = ExtensionHandshake {
        ut_metadata: u.ratio(7, 8)?.then_some(UT_METADATA),
        metadata_size: match u.int_in_range(0..=7)? {
            0 => None,
            1 => Some(u.arbitrary()?),
            _ => Some(size),
        },
        request_queue: u.arbitrary()?,
        token,
        ts_direct: wide.then_some(TS_DIRECT),
        ut_pex: wide.then_some(UT_PEX),
        ts_introduce: wide.then_some(TS_INTRODUCE),
        ts_trackers: wide.then_some(TS_TRACKERS),
        ts_overlay: wide.then_some(TS_OVERLAY),
        port: wide.then_some(6881),
        ..ExtensionHandshake::default()
    };
    Ok(Message::Extended {
        id: HANDSHAKE_ID,
        payload: handshake.encode(),
    })
}

/// Appends some message.
pub(super) fn say_something(
    channel: &mut Channel,
    fixture: &Fixture,
    who: &ExtensionHandshake,
    u: &mut Unstructured<'_>,
) -> Result<()> {
    let message = match u.int_in_range(0..=33)? {
        32 | 33 => Message::Extended {
            id: HANDSHAKE_ID,
            payload: who.encode(),
        },
        0..=9 => return answer(channel, fixture, u),
        10 => Message::Choke,
        11 | 12 => Message::Unchoke,
        13 => Message::Interested,
        14 => Message::NotInterested,
        15 => Message::Have(piece(fixture, u)?),
        16 => {
            let mut bits = Bitfield::full(fixture.pieces()).as_bytes().to_vec();
            for byte in &mut bits {
                *byte &= u.arbitrary::<u8>()?;
            }
            Message::Bitfield(bits.into())
        }
        17..=20 => Message::Request(block(fixture, u)?),
        21 => Message::Cancel(block(fixture, u)?),
        22 => {
            let block = block(fixture, u)?;
            let data = vec![0; block.length.min(40_000) as usize].into();
            let (piece, begin) = (block.piece, block.begin);
            Message::Piece { piece, begin, data }
        }
        23 => match channel.wanted.first() {
            Some(block) => Message::RejectRequest(*block),
            None => Message::RejectRequest(block(fixture, u)?),
        },
        24 => Message::SuggestPiece(piece(fixture, u)?),
        25 => Message::AllowedFast(piece(fixture, u)?),
        26 => extension_handshake(fixture, None, channel.wide, u)?,
        27..=29 => metadata(fixture, u)?,
        30 => match u.int_in_range(0..=3)? {
            0 => Message::HaveAll,
            1 => Message::HaveNone,
            2 => Message::KeepAlive,
            _ => Message::Port(u.arbitrary()?),
        },
        _ => {
            let noise: [u8; 6] = u.arbitrary()?;
            channel.backlog.extend_from_slice(&noise);
            return Ok(());
        }
    };
    message.encode(&mut channel.backlog);
    Ok(())
}

/// Appends some of the blocks that the engine asked for, mostly the right bytes.
fn answer(channel: &mut Channel, fixture: &Fixture, u: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..u.int_in_range(1..=4)? {
        let from_the_end = u.ratio(1, 4)?;
        let block = if from_the_end {
            channel.wanted.pop_last()
        } else {
            channel.wanted.pop_first()
        };
        let Some(block) = block else { return Ok(()) };
        let layout = fixture.metainfo.layout();
        let whole = fixture.piece(layout.piece(block.piece).expect("asked for what exists"));
        let begin = block.begin as usize;
        let mut data = whole[begin..begin + block.length as usize].to_vec();
        if u.ratio(1, 10)? {
            data[0] ^= 1;
        }
        let message = Message::Piece {
            piece: block.piece,
            begin: block.begin,
            data: data.into(),
        };
        message.encode(&mut channel.backlog);
    }
    Ok(())
}

/// A message about the info dictionary, mostly right.
fn metadata(fixture: &Fixture, u: &mut Unstructured<'_>) -> Result<Message> {
    let info = fixture.metainfo.info();
    let number = match u.int_in_range(0..=15)? {
        0 => u.arbitrary()?,
        n => u32::from(n % 2 == 0),
    };
    let begin = (number as usize).saturating_mul(METADATA_PIECE as usize);
    let begin = begin.min(info.len());
    let end = info.len().min(begin + METADATA_PIECE as usize);
    let mut data = info[begin..end].to_vec();
    if u.ratio(1, 8)?
        && let Some(byte) = data.first_mut()
    {
        *byte ^= 1;
    }
    let message = match u.int_in_range(0..=7)? {
        0 => MetadataMessage::Reject { piece: number },
        1 | 2 => MetadataMessage::Request { piece: number },
        _ => MetadataMessage::Data {
            piece: number,
            total_size: u32::try_from(info.len()).expect("a short dictionary"),
            data: data.into(),
        },
    };
    Ok(Message::Extended {
        id: 1,
        payload: message.encode(),
    })
}

fn piece(fixture: &Fixture, u: &mut Unstructured<'_>) -> Result<u32> {
    if u.ratio(1, 32)? {
        return u.arbitrary();
    }
    u.int_in_range(0..=fixture.pieces() - 1)
}

fn block(fixture: &Fixture, u: &mut Unstructured<'_>) -> Result<BlockRef> {
    if u.ratio(1, 16)? {
        return Ok(BlockRef {
            piece: piece(fixture, u)?,
            begin: u.arbitrary()?,
            length: u.arbitrary()?,
        });
    }
    let layout = fixture.metainfo.layout();
    let index = u.int_in_range(0..=fixture.pieces() - 1)?;
    let piece = layout.piece(index).expect("in range");
    let number = u.int_in_range(0..=layout.block_count(piece) - 1)?;
    Ok(layout.block(piece, number).to_ref())
}
