use arbitrary::Unstructured;

use super::*;

const INFO_HASH: InfoHash = InfoHash(*b"abcdefghijklmnopqrst");
const PEER_ID: PeerId = PeerId(*b"-TS0100-0123456789ab");

pub(in crate::wire) fn any_handshake(u: &mut Unstructured<'_>) -> arbitrary::Result<Handshake> {
    Ok(Handshake {
        reserved: Reserved(u.arbitrary()?),
        info_hash: InfoHash(u.arbitrary()?),
        peer_id: PeerId(u.arbitrary()?),
    })
}

pub(in crate::wire) fn any_message(u: &mut Unstructured<'_>) -> arbitrary::Result<Message> {
    Ok(match u.int_in_range(0..=18_u8)? {
        0 => Message::KeepAlive,
        1 => Message::Choke,
        2 => Message::Unchoke,
        3 => Message::Interested,
        4 => Message::NotInterested,
        5 => Message::Have(u.arbitrary()?),
        6 => Message::Bitfield(any_bytes(u)?),
        7 => Message::Request(any_block(u)?),
        8 => Message::Piece {
            piece: u.arbitrary()?,
            begin: u.arbitrary()?,
            data: any_bytes(u)?,
        },
        9 => Message::Cancel(any_block(u)?),
        10 => Message::Port(u.arbitrary()?),
        11 => Message::SuggestPiece(u.arbitrary()?),
        12 => Message::HaveAll,
        13 => Message::HaveNone,
        14 => Message::RejectRequest(any_block(u)?),
        15 => Message::AllowedFast(u.arbitrary()?),
        16 => Message::Extended {
            id: u.arbitrary()?,
            payload: any_bytes(u)?,
        },
        17 => Message::Unknown(u.int_in_range(21..=255)?),
        _ => Message::Unknown(*u.choose(&[10, 11, 12, 18, 19])?),
    })
}

fn any_bytes(u: &mut Unstructured<'_>) -> arbitrary::Result<Bytes> {
    Ok(u.arbitrary::<Vec<u8>>()?.into())
}

fn any_block(u: &mut Unstructured<'_>) -> arbitrary::Result<BlockRef> {
    Ok(BlockRef {
        piece: u.arbitrary()?,
        begin: u.arbitrary()?,
        length: u.arbitrary()?,
    })
}

/// Reads the only message in `bytes`.
fn decode(bytes: &[u8]) -> Message {
    let mut decoder = Decoder::new(1 << 20);
    let handshake = Handshake {
        reserved: Reserved::default(),
        info_hash: INFO_HASH,
        peer_id: PEER_ID,
    };
    decoder.push(Bytes::from([&handshake.encode(), bytes].concat()));
    assert_eq!(
        decoder.poll(),
        Ok(Some(Received::Handshake(handshake))),
        "the handshake comes first"
    );
    let Ok(Some(Received::Message(message))) = decoder.poll() else {
        panic!("no message in {bytes:?}");
    };
    assert_eq!(decoder.poll(), Ok(None));
    message
}

#[test]
fn handshake_has_golden_bytes() {
    let handshake = Handshake {
        reserved: Reserved::EXTENSION.with(Reserved::FAST),
        info_hash: INFO_HASH,
        peer_id: PEER_ID,
    };
    let golden =
        b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x04abcdefghijklmnopqrst-TS0100-0123456789ab";
    assert_eq!(&handshake.encode(), golden);
    assert_eq!(Handshake::decode(golden), Ok(handshake));
    assert!(handshake.reserved.has(Reserved::FAST));
    assert!(!Reserved::FAST.has(handshake.reserved));
}

#[test]
fn messages_have_golden_bytes() {
    let block = BlockRef {
        piece: 1,
        begin: 0x4000,
        length: 0x3fff,
    };
    let golden: [(Message, &[u8]); 18] = [
        (Message::KeepAlive, b"\0\0\0\0"),
        (Message::Choke, b"\0\0\0\x01\0"),
        (Message::Unchoke, b"\0\0\0\x01\x01"),
        (Message::Interested, b"\0\0\0\x01\x02"),
        (Message::NotInterested, b"\0\0\0\x01\x03"),
        (
            Message::Have(0x0102_0304),
            b"\0\0\0\x05\x04\x01\x02\x03\x04",
        ),
        (
            Message::Bitfield(Bytes::from_static(b"\xff\x80")),
            b"\0\0\0\x03\x05\xff\x80",
        ),
        (
            Message::Request(block),
            b"\0\0\0\x0d\x06\0\0\0\x01\0\0\x40\0\0\0\x3f\xff",
        ),
        (
            Message::Piece {
                piece: 1,
                begin: 0x4000,
                data: Bytes::from_static(b"block"),
            },
            b"\0\0\0\x0e\x07\0\0\0\x01\0\0\x40\0block",
        ),
        (
            Message::Cancel(block),
            b"\0\0\0\x0d\x08\0\0\0\x01\0\0\x40\0\0\0\x3f\xff",
        ),
        (Message::Port(6881), b"\0\0\0\x03\x09\x1a\xe1"),
        (Message::SuggestPiece(7), b"\0\0\0\x05\x0d\0\0\0\x07"),
        (Message::HaveAll, b"\0\0\0\x01\x0e"),
        (Message::HaveNone, b"\0\0\0\x01\x0f"),
        (
            Message::RejectRequest(block),
            b"\0\0\0\x0d\x10\0\0\0\x01\0\0\x40\0\0\0\x3f\xff",
        ),
        (Message::AllowedFast(7), b"\0\0\0\x05\x11\0\0\0\x07"),
        (
            Message::Extended {
                id: 0,
                payload: Bytes::from_static(b"de"),
            },
            b"\0\0\0\x04\x14\0de",
        ),
        (Message::Unknown(99), b"\0\0\0\x01\x63"),
    ];
    for (message, bytes) in golden {
        let mut encoded = Vec::new();
        message.encode(&mut encoded);
        assert_eq!(encoded, bytes, "{message:?}");
        assert_eq!(decode(bytes), message);
    }
}

#[test]
fn every_message_round_trips() {
    arbtest::arbtest(|u| {
        let message = any_message(u)?;
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        assert_eq!(decode(&bytes), message);
        Ok(())
    });
}

#[test]
fn every_handshake_round_trips() {
    arbtest::arbtest(|u| {
        let handshake = any_handshake(u)?;
        assert_eq!(Handshake::decode(&handshake.encode()), Ok(handshake));
        Ok(())
    });
}
