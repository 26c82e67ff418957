//! What waits to be sent to a peer.
//!
//! Small messages are encoded at once. Blocks are only noted, and copied from the
//! cache when the channel and the link have room: what waits costs no memory.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::chunk::Chunk;
use crate::net::Parts;
use crate::pieces::{Block, PieceIndex};
use crate::wire::peer::{Message, piece_head};

/// Something big that a peer asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// A block of a piece.
    Block(Block),
    /// A piece of the info dictionary (BEP 9), by its index.
    Metadata(u32),
}

/// See the module.
#[derive(Debug)]
pub struct Outbox<C = Bytes> {
    /// A block that has begun to leave.
    begun: Option<Begun<C>>,
    /// Encoded messages; the first may have begun to leave.
    ready: Vec<u8>,
    /// Bytes of `ready` that have left.
    gone: usize,
    /// In the order in which they were asked.
    uploads: VecDeque<Upload>,
}

/// What is left of a `piece` message.
#[derive(Debug)]
struct Begun<C> {
    head: Vec<u8>,
    data: C,
}

impl<C> Default for Outbox<C> {
    fn default() -> Self {
        Outbox {
            begun: None,
            ready: Vec::new(),
            gone: 0,
            uploads: VecDeque::new(),
        }
    }
}

impl<C: Chunk> Begun<C> {
    fn len(&self) -> usize {
        self.head.len() + self.data.len()
    }

    /// Moves as much of it as there is room for; true if that was all.
    fn leave(&mut self, parts: &mut Parts<C>, room: usize) -> bool {
        let head = self.head.len().min(room);
        if head > 0 {
            parts.write(|out| out.extend(self.head.drain(..head)));
        }
        let data = self.data.len().min(room - head);
        if data > 0 {
            parts.push(self.data.slice(0..data));
            // What stays must not keep the rest of its piece in memory.
            self.data = self.data.slice(data..self.data.len()).detached();
        }
        self.len() == 0
    }
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

impl<C: Chunk> Outbox<C> {
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

    /// Bytes that wait and are no requests: small messages, and what is left of a block.
    pub fn ready_len(&self) -> usize {
        self.begun.as_ref().map_or(0, Begun::<C>::len) + self.small_len()
    }

    fn small_len(&self) -> usize {
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

    /// Forgets all requests that have not begun to leave.
    pub fn drop_uploads(&mut self) {
        self.uploads.clear();
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

    /// Appends what waits to `parts`, up to `room` bytes; returns why it stopped and how many
    /// bytes of blocks went. Blocks leave only while `blocks` allows it.
    pub fn fill(
        &mut self,
        parts: &mut Parts<C>,
        room: usize,
        blocks: bool,
        source: &mut impl Source<C>,
    ) -> (Stop, u64) {
        let mut block_bytes = 0;
        let stop = loop {
            let left = room.saturating_sub(parts.len());
            if let Some(begun) = &mut self.begun {
                // A channel is a stream of bytes: what is too much leaves with the next part.
                if !begun.leave(parts, left) {
                    break Stop::Full;
                }
                self.begun = None;
                continue;
            }
            if self.small_len() > 0 {
                let until = self.gone + self.small_len().min(left);
                parts.write(|out| out.extend_from_slice(&self.ready[self.gone..until]));
                self.gone = until;
                if self.small_len() > 0 {
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
                    let head = piece_head(block.piece.get(), block.begin, data.len());
                    let head = head.to_vec();
                    self.begun = Some(Begun { head, data });
                    block_bytes += u64::from(block.length);
                }
                Upload::Metadata(piece) => {
                    if let Some(message) = source.metadata(piece) {
                        message.encode(&mut self.ready);
                    }
                }
            }
            self.uploads.pop_front();
        };
        (stop, block_bytes)
    }
}

/// Where [`Outbox::fill`] takes bytes from.
pub trait Source<C> {
    /// The block's bytes, if its piece is in memory.
    fn block(&mut self, block: Block) -> Option<C>;
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
    impl Source<Bytes> for Zeros {
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
            let mut parts = Parts::default();
            assert_eq!(
                outbox.fill(&mut parts, 1 << 20, true, &mut Zeros(true)),
                (Stop::Empty, 32 << 10)
            );
            parts.frame(ChannelId(1)).payload()
        };
        let (mut outbox, _) = outbox();
        let mut pieced = Vec::new();
        while !outbox.is_empty() {
            let mut parts = Parts::default();
            outbox.fill(&mut parts, 1000, true, &mut Zeros(true));
            let payload = parts.frame(ChannelId(1)).payload();
            assert!(payload.len() <= 1000);
            pieced.extend_from_slice(&payload);
        }
        assert_eq!(pieced, whole);
    }

    #[test]
    fn blocks_wait_for_their_piece_and_for_the_link() {
        let (mut outbox, layout) = outbox();
        let mut parts = Parts::default();
        assert_eq!(
            outbox.fill(&mut parts, 1 << 20, false, &mut Zeros(true)),
            (Stop::Held, 0)
        );
        assert_eq!(parts.len(), 5);
        let first = layout.pieces().next().unwrap();
        assert_eq!(
            outbox.fill(&mut parts, 1 << 20, true, &mut Zeros(false)),
            (Stop::Needs(first), 0)
        );
        assert_eq!(outbox.drop_blocks(&[]).len(), 2);
        assert!(outbox.is_empty());
    }
}
