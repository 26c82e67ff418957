use super::*;
use crate::wire::peer::tests::{any_handshake, any_message};

const MAX: u32 = 1 << 20;

/// Everything that comes out of `chunks`, and the error that ended it, if one did.
fn decode_all<'a>(
    max_message: u32,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Received>, Option<PeerWireError>) {
    let mut decoder = Decoder::new(max_message);
    let mut received = Vec::new();
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.poll() {
                Ok(Some(item)) => received.push(item),
                Ok(None) => break,
                Err(error) => return (received, Some(error)),
            }
        }
        assert!(decoder.chunk.is_empty(), "nothing of a chunk is left over");
        assert!(decoder.partial.capacity() <= max_message.max(68) as usize);
    }
    (received, None)
}

/// `bytes` cut at arbitrary places.
fn any_cut<'a>(
    u: &mut arbitrary::Unstructured<'_>,
    mut bytes: &'a [u8],
) -> arbitrary::Result<Vec<&'a [u8]>> {
    let mut chunks = Vec::new();
    while !bytes.is_empty() {
        let most = if u.ratio(1, 2)? { 8 } else { bytes.len() };
        let (chunk, rest) = bytes.split_at(u.int_in_range(0..=most.min(bytes.len()))?);
        // Out of randomness every cut would be empty.
        if u.is_empty() {
            chunks.push(bytes);
            break;
        }
        chunks.push(chunk);
        bytes = rest;
    }
    Ok(chunks)
}

fn greeted(max_message: u32) -> Decoder {
    let mut decoder = Decoder::new(max_message);
    let mut handshake = [0; HANDSHAKE_LEN];
    handshake[..20].copy_from_slice(b"\x13BitTorrent protocol");
    decoder.push(Bytes::copy_from_slice(&handshake));
    assert!(matches!(decoder.poll(), Ok(Some(Received::Handshake(_)))));
    assert_eq!(decoder.poll(), Ok(None));
    decoder
}

#[test]
fn a_stream_reads_the_same_however_it_is_cut() {
    arbtest::arbtest(|u| {
        let handshake = any_handshake(u)?;
        let mut bytes = handshake.encode().to_vec();
        let mut sent = vec![Received::Handshake(handshake)];
        for _ in 0..u.int_in_range(0..=8)? {
            let message = any_message(u)?;
            message.encode(&mut bytes);
            sent.push(Received::Message(message));
        }
        let chunks = any_cut(u, &bytes)?;
        assert_eq!(decode_all(MAX, chunks), (sent, None));
        Ok(())
    });
}

#[test]
fn nothing_that_is_kept_holds_a_large_buffer() {
    // A short message at the end of a long read, whole and in part, then nothing more.
    for (id, body) in [(5, 3), (20, 3), (99, 3), (7, 12), (4, 4)] {
        for cut in [0, 2] {
            let mut message = vec![0, 0, 0, body + 1, id];
            message.extend(vec![1; usize::from(body) - cut]);
            let mut read = vec![0; 1 << 20];
            let begin = read.len() - message.len();
            read[begin..].copy_from_slice(&message);
            let read = Bytes::from(read);
            let mut decoder = greeted(MAX);
            decoder.push(read.slice(begin..));
            let mut kept = Vec::new();
            while let Some(received) = decoder.poll().unwrap() {
                match received {
                    // Copied into its piece at once.
                    Received::Message(Message::Piece { .. }) => {}
                    received => kept.push(received),
                }
            }
            assert_eq!(kept.len() == 1, cut == 0 && id != 7, "{id}");
            assert!(read.is_unique(), "message {id} keeps a MiB alive");
        }
    }
}

#[test]
fn arbitrary_bytes_read_the_same_however_they_are_cut() {
    arbtest::arbtest(|u| {
        let max_message = u.int_in_range(0..=300)?;
        let mut bytes = Vec::new();
        if u.ratio(7, 8)? {
            bytes.extend_from_slice(&any_handshake(u)?.encode());
        }
        for _ in 0..u.int_in_range(0..=8)? {
            if u.ratio(1, 2)? {
                // Lengths that are likely to be accepted, before anything at all.
                bytes.extend_from_slice(&u.int_in_range(0..=20_u32)?.to_be_bytes());
            }
            bytes.extend(u.arbitrary::<Vec<u8>>()?);
        }
        let chunks = any_cut(u, &bytes)?;
        assert_eq!(
            decode_all(max_message, chunks),
            decode_all(max_message, [&bytes[..]])
        );
        Ok(())
    });
}

#[test]
fn a_block_within_a_chunk_is_not_copied() {
    let mut decoder = greeted(MAX);
    let mut bytes = Vec::new();
    super::super::encode_piece(3, 0, &[7; 1000], &mut bytes);
    let chunk = Bytes::from(bytes);
    decoder.push(chunk.clone());
    let Ok(Some(Received::Message(Message::Piece { data, .. }))) = decoder.poll() else {
        panic!("a piece message was pushed");
    };
    assert_eq!(data.as_ptr(), chunk[13..].as_ptr());
}

#[test]
fn a_cut_message_is_collected_in_a_buffer_of_its_size() {
    let mut decoder = greeted(MAX);
    let mut bytes = Vec::new();
    super::super::encode_piece(3, 0, &[7; 100_000], &mut bytes);
    let length = bytes.len() - 4;
    for chunk in bytes[..bytes.len() - 1].chunks(1000) {
        decoder.push(Bytes::copy_from_slice(chunk));
        assert_eq!(decoder.poll(), Ok(None));
        assert!(decoder.partial.capacity() <= 2 * decoder.partial.len() + 4);
    }
    assert_eq!(decoder.partial.capacity(), length);
}

#[test]
fn a_claimed_length_costs_nothing() {
    let mut decoder = greeted(MAX);
    decoder.push(Bytes::from_static(b"\0\x0f\xff\xff\x07"));
    assert_eq!(decoder.poll(), Ok(None));
    assert!(decoder.partial.capacity() <= 16);
}

#[test]
fn the_longest_message_is_the_longest() {
    let mut decoder = greeted(5);
    decoder.push(Bytes::from_static(b"\0\0\0\x05\x04\0\0\0\x01"));
    assert_eq!(
        decoder.poll(),
        Ok(Some(Received::Message(Message::Have(1))))
    );
    decoder.set_max_message(6);
    decoder.push(Bytes::from_static(b"\0\0\0\x06\x05\0\0\0\x01\0\0\0\0\x07"));
    assert!(matches!(decoder.poll(), Ok(Some(_))));
    assert_eq!(decoder.poll(), Err(PeerWireError::TooLong(7)));
}

#[test]
fn an_error_lasts() {
    let mut decoder = Decoder::new(MAX);
    decoder.push(Bytes::from(vec![0x13; 100]));
    assert_eq!(decoder.poll(), Err(PeerWireError::NotAHandshake));
    decoder.push(Bytes::from_static(b"\0\0\0\0"));
    decoder.push(Bytes::from_static(b"\0\0\0\0"));
    assert_eq!(decoder.poll(), Err(PeerWireError::NotAHandshake));
}

#[test]
fn a_length_that_does_not_fit_the_id_is_an_error() {
    for (id, length) in [
        (0, 1),
        (1, 4),
        (2, 1),
        (3, 1),
        (4, 3),
        (4, 5),
        (6, 11),
        (6, 13),
        (7, 7),
        (8, 0),
        (9, 1),
        (13, 0),
        (14, 1),
        (15, 1),
        (16, 8),
        (17, 2),
        (20, 0),
    ] {
        let mut decoder = greeted(MAX);
        let mut bytes = vec![0, 0, 0, length + 1, id];
        bytes.resize(5 + usize::from(length), 0);
        decoder.push(bytes.into());
        let length = u32::from(length);
        assert_eq!(decoder.poll(), Err(PeerWireError::BadLength { id, length }));
    }
}
