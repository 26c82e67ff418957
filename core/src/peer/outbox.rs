//! What waits to be sent to a peer.
//!
//! Small messages are encoded at once. Blocks are only noted, and copied from the
//! cache when the channel and the link have room: what waits costs no memory.

use std::collections::VecDeque;

use crate::pieces::{Block, PieceIndex};
use crate::wire::peer::{Message, encode_piece};
use crate::wire::relay::frame::FrameBuilder;

/// Something big that a peer asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// A block of a piece.
    Block(Block),
    /// A piece of the info dictionary (BEP 9), by its index.
    Metadata(u32),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Encoded messages; the first may have begun to leave.
    ready: Vec<u8>,
    /// Bytes of `ready` that have left.
    gone: usize,
    /// In the order in which they were asked.
    uploads: VecDeque<Upload>,
}

/// What [`Outbox::fill`] stopped at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing waits any more.
    Empty,
    /// The frame is as long as allowed.
    Full,
    /// The next block's piece is not in memory.
    Needs(PieceIndex),
    /// Blocks wait, but may not be sent now.
    Held,
}

impl Outbox {
    /// Queues a small message.
    pub fn push(&mut self, message: &Message) {
        self.close_up();
        message.encode(&mut self.ready);
    }

    /// Queues bytes that are no message (the handshake).
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.close_up();
        self.ready.extend_from_slice(bytes);
    }

    /// Moves what waits to the front once more has left than waits: each byte is moved once
    /// on average, however little leaves at a time.
    fn close_up(&mut self) {
        if self.gone > self.ready.len() / 2 {
            self.ready.drain(..self.gone);
            self.gone = 0;
        }
    }

    /// Bytes of small messages that wait.
    pub fn ready_len(&self) -> usize {
        self.ready.len() - self.gone
    }

    /// Notes a request.
    pub fn push_upload(&mut self, upload: Upload) {
        self.uploads.push_back(upload);
    }

    /// How many requests wait.
    pub fn upload_count(&self) -> usize {
        self.uploads.len()
    }

    /// Forgets a request that was cancelled; false if it does not wait any more.
    pub fn cancel(&mut self, block: Block) -> bool {
        let before = self.uploads.len();
        self.uploads
            .retain(|upload| *upload != Upload::Block(block));
        self.uploads.len() < before
    }

    /// Forgets all requests for blocks, but those of the pieces in `except`: the peer is
    /// choked now. Returns them in the order in which they were asked.
    pub fn drop_blocks(&mut self, except: &[PieceIndex]) -> Vec<Block> {
        let mut dropped = Vec::new();
        self.uploads.retain(|upload| match upload {
            Upload::Block(block) if !except.contains(&block.piece) => {
                dropped.push(*block);
                false
            }
            _ => true,
        });
        dropped
    }

    /// Forgets all requests for blocks of one piece, and returns them.
    pub fn drop_piece(&mut self, piece: PieceIndex) -> Vec<Block> {
        let mut dropped = Vec::new();
        self.uploads.retain(|upload| match upload {
            Upload::Block(block) if block.piece == piece => {
                dropped.push(*block);
                false
            }
            _ => true,
        });
        dropped
    }

    /// The first `count` different parts of pieces that are asked for; `parts` says which a
    /// block needs. At least all that the first block needs.
    pub fn next_parts(
        &self,
        count: usize,
        parts: impl Fn(&Block) -> Vec<(PieceIndex, u32)>,
    ) -> Vec<(PieceIndex, u32)> {
        let mut found = Vec::new();
        for upload in &self.uploads {
            if let Upload::Block(block) = upload {
                for part in parts(block) {
                    if !found.contains(&part) {
                        found.push(part);
                    }
                }
                if found.len() >= count {
                    break;
                }
            }
        }
        found
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.ready_len() == 0 && self.uploads.is_empty()
    }

    /// Appends what waits to `frame`, up to `room` bytes of payload; returns why it
    /// stopped and how many bytes of blocks went. Blocks leave only while `blocks` allows it.
    pub fn fill(
        &mut self,
        frame: &mut FrameBuilder,
        room: usize,
        blocks: bool,
        source: &mut impl Source,
    ) -> (Stop, u64) {
        let mut block_bytes = 0;
        let stop = loop {
            let left = room.saturating_sub(frame.payload_len());
            if self.ready_len() > 0 {
                let until = self.gone + self.ready_len().min(left);
                let leaving = &self.ready[self.gone..until];
                frame.buffer().extend_from_slice(leaving);
                self.gone = until;
                if self.ready_len() > 0 {
                    break Stop::Full;
                }
                // What it took is given back: it may have been much, once.
                self.ready = Vec::new();
                self.gone = 0;
                continue;
            }
            let Some(&next) = self.uploads.front() else {
                break Stop::Empty;
            };
            if left == 0 {
                break Stop::Full;
            }
            if !blocks {
                break Stop::Held;
            }
            match next {
                Upload::Block(block) => {
                    let Some(data) = source.block(block) else {
                        break Stop::Needs(block.piece);
                    };
                    encode_piece(block.piece.get(), block.begin, &data, frame.buffer());
                    block_bytes += u64::from(block.length);
                }
                Upload::Metadata(piece) => {
                    if let Some(message) = source.metadata(piece) {
                        message.encode(frame.buffer());
                    }
                }
            }
            self.uploads.pop_front();
            // A channel is a stream of bytes: what is too much leaves with the next frame.
            let over = frame.payload_len().saturating_sub(room);
            if over > 0 {
                let buffer = frame.buffer();
                let cut = buffer.len() - over;
                self.ready.extend_from_slice(&buffer[cut..]);
                buffer.truncate(cut);
                break Stop::Full;
            }
        };
        (stop, block_bytes)
    }
}

/// Where [`Outbox::fill`] takes bytes from.
pub trait Source {
    /// The block's bytes, if its piece is in memory.
    fn block(&mut self, block: Block) -> Option<bytes::Bytes>;
    /// The answer to a metadata request; none to stay silent.
    fn metadata(&mut self, piece: u32) -> Option<Message>;
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::id::ChannelId;
    use crate::pieces::Layout;

    struct Zeros(bool);
    impl Source for Zeros {
        fn block(&mut self, block: Block) -> Option<Bytes> {
            self.0.then(|| Bytes::from(vec![0; block.length as usize]))
        }
        fn metadata(&mut self, _: u32) -> Option<Message> {
            None
        }
    }

    fn outbox() -> (Outbox, Layout) {
        let layout = Layout::new(1 << 20, 1 << 18).unwrap();
        let mut outbox = Outbox::default();
        outbox.push(&Message::Unchoke);
        for piece in layout.pieces().take(2) {
            outbox.push_upload(Upload::Block(layout.block(piece, 0)));
        }
        (outbox, layout)
    }

    #[test]
    fn a_small_room_cuts_the_stream_without_losing_a_byte() {
        let whole = {
            let (mut outbox, _) = outbox();
            let mut frame = FrameBuilder::new(ChannelId(1), 0);
            assert_eq!(
                outbox.fill(&mut frame, 1 << 20, true, &mut Zeros(true)),
                (Stop::Empty, 32 << 10)
            );
            frame.finish().payload()
        };
        let (mut outbox, _) = outbox();
        let mut pieced = Vec::new();
        while !outbox.is_empty() {
            let mut frame = FrameBuilder::new(ChannelId(1), 0);
            outbox.fill(&mut frame, 1000, true, &mut Zeros(true));
            let payload = frame.finish().payload();
            assert!(payload.len() <= 1000);
            pieced.extend_from_slice(&payload);
        }
        assert_eq!(pieced, whole);
    }

    #[test]
    fn blocks_wait_for_their_piece_and_for_the_link() {
        let (mut outbox, layout) = outbox();
        let mut frame = FrameBuilder::new(ChannelId(1), 0);
        assert_eq!(
            outbox.fill(&mut frame, 1 << 20, false, &mut Zeros(true)),
            (Stop::Held, 0)
        );
        assert_eq!(frame.payload_len(), 5);
        let first = layout.pieces().next().unwrap();
        assert_eq!(
            outbox.fill(&mut frame, 1 << 20, true, &mut Zeros(false)),
            (Stop::Needs(first), 0)
        );
        assert_eq!(outbox.drop_blocks(&[]).len(), 2);
        assert!(outbox.is_empty());
    }
}
