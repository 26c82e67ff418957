//! What a client or a hub sends is read or refused, and survives being written.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use swarm_core::wire::relay::{ClientMessage, ServerMessage};

fuzz_target!(|input: &[u8]| {
    let input = Bytes::copy_from_slice(input);
    if let Ok(message) = ClientMessage::decode(input.clone()) {
        assert_eq!(ClientMessage::decode(message.clone().encode()), Ok(message));
    }
    if let Ok(message) = ServerMessage::decode(input) {
        assert_eq!(ServerMessage::decode(message.clone().encode()), Ok(message));
    }
});
