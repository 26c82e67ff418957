//! What has come from a client and was not handed over yet: whole messages, and what there
//! is of the next.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;

use bytes::Bytes;
use swarm_core::hub::{ConnId, Source};
use swarm_core::wire::relay::{ClientMessage, MAX_MESSAGE};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tokio_websockets::CloseCode;

use super::End;
use crate::server;
use crate::shares::Share;
use crate::switchboard::Switchboard;

/// Bytes that are read before the hub hears of them: large enough to take the lock seldom,
/// small enough not to keep a receiver waiting.
pub(super) const READ_BATCH: usize = 64 << 10;

/// What a message costs beside its bytes, so that many small ones end a batch too.
const MESSAGE_COST: usize = 64;

/// Messages below this are copied out of the buffer that they came in, which is twice as
/// large: a small one that waits for a slow receiver must not keep all of that.
const COPIED_BELOW: usize = 4 << 10;

/// A read buffer that was made for a message larger than this is not used again. What the
/// WebSocket library begins with is half as much.
const KEPT_BUFFER: usize = 16 << 10;

/// So much of an unfinished message everybody may have here; what is beyond is taken from
/// what all have together.
pub(super) const FREE: u64 = 16 << 10;

/// An unfinished message is accounted for in steps of this.
const STEP: u64 = 16 << 10;

/// More bytes than this without a message are no message: the largest one in two frames,
/// with a read buffer's worth of the next.
const MAX_UNFINISHED: u64 = MAX_MESSAGE as u64 + (256 << 10);

/// A control frame's header, with its mask (RFC 6455 §5.2).
const CONTROL_HEADER: u64 = 6;

pub(super) struct Intake {
    source: Source,
    context: Arc<server::Context>,
    inbox: Vec<ClientMessage>,
    /// What the inbox costs.
    batch: usize,
    /// A large message that came last. While it is here the WebSocket can't use its buffer
    /// for the next, and takes a small one.
    large: Option<Bytes>,
    /// How much was read when the last message ended.
    finished: u64,
    share: Option<Large>,
}

/// What an unfinished message that is no small one has of the memory for those.
struct Large {
    share: Share<Source>,
    booked: u64,
    taken_back: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Intake {
    pub(super) fn new(source: Source, context: Arc<server::Context>) -> Self {
        Intake {
            source,
            context,
            inbox: Vec::new(),
            batch: 0,
            large: None,
            finished: 0,
            share: None,
        }
    }

    /// More may be read before the hub hears of it.
    pub(super) fn has_room(&self) -> bool {
        self.batch < READ_BATCH
    }

    /// The WebSocket has made its buffer for what comes next.
    pub(super) fn let_go(&mut self) {
        self.large = None;
    }

    /// A message has come whole, when `read` bytes had been read.
    pub(super) fn take(&mut self, message: Bytes, read: u64) -> Result<(), End> {
        self.finished = read;
        self.batch += message.len() + MESSAGE_COST;
        self.large = (message.len() > KEPT_BUFFER).then(|| message.clone());
        let message = if message.len() < COPIED_BELOW {
            Bytes::copy_from_slice(&message)
        } else {
            message
        };
        let message = ClientMessage::decode(message)
            .map_err(|error| End::Close(CloseCode::POLICY_VIOLATION, error.to_string()))?;
        self.inbox.push(message);
        Ok(())
    }

    /// A control frame has come, which may stand between the frames of a message.
    pub(super) fn took_control(&mut self, length: usize) {
        self.finished += CONTROL_HEADER + length as u64;
        self.batch += length + MESSAGE_COST;
    }

    /// Gives the hub what is whole.
    pub(super) fn hand_over(&mut self, switchboard: &Switchboard, conn: ConnId) {
        if !self.inbox.is_empty() {
            switchboard.handle(conn, self.inbox.drain(..));
        }
        // Nobody who is idle keeps room for a rush.
        self.inbox = Vec::new();
        self.batch = 0;
    }

    /// `read` bytes were read so far: what is not a message yet takes its share of the memory
    /// for those. An error if others need it more; if they do later, the task will be woken.
    pub(super) fn account(&mut self, cx: &mut Context<'_>, read: u64) -> Result<(), End> {
        let unfinished = read.saturating_sub(self.finished);
        if unfinished > MAX_UNFINISHED {
            let reason = "a message has too many parts".to_owned();
            return Err(End::Close(CloseCode::POLICY_VIOLATION, reason));
        }
        if unfinished <= FREE {
            self.share = None;
            return Ok(());
        }
        let wanted = (unfinished - FREE).next_multiple_of(STEP);
        let resized = match &mut self.share {
            Some(large) if large.booked == wanted => Ok(()),
            Some(large) => {
                large.booked = wanted;
                large.share.resize(wanted)
            }
            none => self
                .context
                .unfinished
                .take(Some(self.source), wanted)
                .map(|share| {
                    let taken_back = Box::pin(share.until_taken_back());
                    *none = Some(Large {
                        share,
                        booked: wanted,
                        taken_back,
                    });
                }),
        };
        resized.map_err(|_| no_memory())?;
        if let Some(large) = &mut self.share
            && large.taken_back.as_mut().poll(cx).is_ready()
        {
            return Err(no_memory());
        }
        Ok(())
    }
}

fn no_memory() -> End {
    let reason =
        "too many large messages are on their way here, and yours is the largest; try again";
    End::Close(CloseCode::SERVICE_OVERLOAD, reason.to_owned())
}
