//! Looks into the byte stream of a channel, as little as is needed to know how much of it
//! is blocks, and which pieces are announced.

use super::channels::Claims;
use super::chunk::LabChunk;

/// `<length><id>`, and what follows it in the longest message that is looked at (`piece`).
const HEAD: usize = 4 + 1 + 8;
/// BEP 3's handshake.
const HANDSHAKE: usize = 68;
const HAVE: u8 = 4;
const PIECE: u8 = 7;

/// One direction of one channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    /// Bytes of the present message that are still to come and not looked at.
    skip: usize,
    /// They are a block.
    block: bool,
    head: [u8; HEAD],
    filled: usize,
}

impl Default for Stream {
    fn default() -> Self {
        Stream {
            skip: HANDSHAKE,
            block: false,
            head: [0; HEAD],
            filled: 0,
        }
    }
}

impl Stream {
    /// Bytes of blocks in the next part of the stream. Pieces that it announces are added
    /// to `claims`.
    pub(super) fn read(&mut self, mut bytes: &[u8], claims: &mut Claims) -> u64 {
        let mut blocks = 0;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let taken = self.skip.min(bytes.len());
                if self.block {
                    blocks += taken as u64;
                }
                self.skip -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            self.head[self.filled] = bytes[0];
            self.filled += 1;
            bytes = &bytes[1..];
            self.look(claims);
        }
        blocks
    }

    /// The same for a stretch that may be in several places.
    pub(super) fn read_all(&mut self, stretch: &LabChunk, claims: &mut Claims) -> u64 {
        let places = stretch.places();
        places.map(|place| self.read(place.bytes(), claims)).sum()
    }

    /// Acts once the head is long enough to know what comes.
    fn look(&mut self, claims: &mut Claims) {
        if self.filled < 4 {
            return;
        }
        let [a, b, c, d, id, ..] = self.head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length == 0 {
            self.filled = 0;
        } else if self.filled >= 5 {
            let wanted = match id {
                PIECE => 9,
                HAVE => 5,
                _ => 1,
            };
            let wanted = wanted.min(length);
            if self.filled == 4 + wanted {
                if id == HAVE && wanted == 5 {
                    let [.., e, f, g, h] = self.head[..9] else {
                        unreachable!("nine bytes are more than four");
                    };
                    claims.push(u32::from_be_bytes([e, f, g, h]));
                }
                self.block = id == PIECE;
                self.skip = length - wanted;
                self.filled = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use swarm_core::wire::peer::Message;

    use super::*;

    #[test]
    fn blocks_are_counted_however_the_stream_is_cut() {
        let mut bytes = vec![0; HANDSHAKE];
        for message in [
            Message::KeepAlive,
            Message::Have(7),
            Message::Piece {
                piece: 1,
                begin: 0,
                data: Bytes::from(vec![9; 1000]),
            },
            Message::Unchoke,
            Message::Have(300),
        ] {
            message.encode(&mut bytes);
        }
        for size in [1, 3, 64, 5000] {
            let (mut stream, mut claims) = (Stream::default(), Vec::new());
            let parts = bytes.chunks(size);
            let blocks: u64 = parts.map(|part| stream.read(part, &mut claims)).sum();
            assert_eq!((blocks, claims), (1000, vec![7, 300]));
        }
    }
}
