//! A stream of the peer wire reads the same however it is cut, and its messages survive
//! being written.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use swarm_core::wire::extension::{ExtensionHandshake, MetadataMessage};
use swarm_core::wire::peer::{Decoder, Message, PeerWireError, Received};

const MAX_MESSAGE: u32 = 1 << 16;

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, bytes) = input;
    let whole = decode(bytes.chunks(bytes.len().max(1)));
    assert_eq!(whole, decode(bytes.chunks(usize::from(cut).max(1))));

    let mut encoded = Vec::new();
    for received in &whole.0 {
        match received {
            Received::Handshake(handshake) => encoded.extend_from_slice(&handshake.encode()),
            Received::Message(message) => {
                message.encode(&mut encoded);
                decode_extension(message);
            }
        }
    }
    assert_eq!(decode([&encoded[..]]), (whole.0, None));
});

fn decode<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Received>, Option<PeerWireError>) {
    let mut decoder = Decoder::new(MAX_MESSAGE);
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
    }
    (received, None)
}

fn decode_extension(message: &Message) {
    let Message::Extended { payload, .. } = message else {
        return;
    };
    if let Ok(handshake) = ExtensionHandshake::decode(payload) {
        assert_eq!(
            ExtensionHandshake::decode(&handshake.encode()),
            Ok(handshake)
        );
    }
    if let Ok(Some(metadata)) = MetadataMessage::decode(payload) {
        assert_eq!(
            MetadataMessage::decode(&metadata.encode()),
            Ok(Some(metadata))
        );
    }
}
