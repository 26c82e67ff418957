//! Messages of a tracker, and those to it, without copying what a channel carries more often than
//! must be.

use js_sys::{ArrayBuffer, Uint8Array};
use swarm_core::chunk::Chunk as _;
use swarm_core::id::ChannelId;
use swarm_core::net::{Part, Parts};
use swarm_core::node::LinkInput;
use swarm_core::wire::relay::frame::{self, HEADER};
use swarm_core::wire::relay::{RelayError, ServerMessage};

use super::chunk::{SMALL, TabChunk};

/// A message of the tracker. Long stretches of channels stay where they are.
pub(super) fn read(buffer: &ArrayBuffer) -> Result<LinkInput<TabChunk>, RelayError> {
    let array = Uint8Array::new(buffer);
    if array.length() < SMALL {
        return Ok(ServerMessage::decode(array.to_vec().into())?.into());
    }
    let message = TabChunk::of_array(array);
    let mut header = [0; HEADER];
    message.peek(0, &mut header);
    match frame::channel_of(&header) {
        Some(channel) => Ok(LinkInput::Data {
            channel,
            payload: message.slice(HEADER..message.len()),
        }),
        None => Ok(ServerMessage::decode(message.to_bytes())?.into()),
    }
}

/// Puts a frame together; it is good until the next one.
pub(super) fn compose(
    scratch: &mut Uint8Array,
    channel: ChannelId,
    parts: &Parts<TabChunk>,
) -> Uint8Array {
    gather(scratch, &frame::header(channel), parts)
}

/// Puts bytes together, small ones first; they are good until the next time.
pub(super) fn gather(scratch: &mut Uint8Array, head: &[u8], parts: &Parts<TabChunk>) -> Uint8Array {
    let length = u32::try_from(head.len() + parts.len()).expect("a message is short");
    if scratch.length() < length {
        *scratch = Uint8Array::new_with_length(length);
    }
    let mut at = 0;
    let mut put = |part: &Part<TabChunk>| {
        match part {
            Part::Head(head) => TabChunk::of(head.clone().into()).copy_to(scratch, at),
            Part::Payload(payload) => payload.copy_to(scratch, at),
        }
        at += u32::try_from(part.len()).expect("a message is short");
    };
    put(&Part::Head(head.to_vec()));
    parts.iter().for_each(put);
    scratch.subarray(0, length)
}
