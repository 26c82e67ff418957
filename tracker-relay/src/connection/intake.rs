//! What has come from a client and was not handed over yet: whole messages, and what there
//! is of the next.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use swarm_core::hub::{ConnId, Reading, Source};
use swarm_core::wire::relay::{ClientMessage, MAX_MESSAGE};
use tokio_util::sync::WaitForCancellationFutureOwned;
use webtorrent_json::decode_client;

use super::End;
use super::close_code::CloseCode;
use crate::context;
use crate::pace::Pace;
use crate::shares::Share;
use crate::switchboard::{Spoken, Switchboard, Turn};

/// Bytes that are read before the hub hears of them: large enough to take the lock seldom,
/// small enough not to keep a receiver waiting.
pub(super) const READ_BATCH: usize = 64 << 10;

/// What a message costs beside its bytes, so that many small ones end a batch too.
const MESSAGE_COST: usize = 64;

/// So much of an unfinished message everybody may have here; what is beyond is taken from
/// what all have together.
pub(super) const FREE: u64 = 16 << 10;

/// An unfinished message is accounted for in steps of this.
const STEP: u64 = 16 << 10;

/// More bytes than this without a message are no message: the largest one in tens of
/// thousands of frames.
const MAX_UNFINISHED: u64 = MAX_MESSAGE as u64 + (256 << 10);

/// What the WebSocket adds to a message: a header with its mask, at the least, and always
/// this for a control frame (RFC 6455 §5.2).
const HEADER: u64 = 6;

pub(super) struct Intake {
    source: Source,
    context: Arc<context::Context>,
    inbox: VecDeque<Spoken>,
    /// What reading it cost, since the hub last heard of that.
    reading: Reading,
    pace: Pace,
    /// What the inbox costs.
    batch: usize,
    share: Option<Large>,
}

/// What an unfinished message that is no small one has of the memory for those.
struct Large {
    share: Share<Source>,
    booked: u64,
    taken_back: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Intake {
    pub(super) fn new(source: Source, context: Arc<context::Context>) -> Self {
        Intake {
            source,
            context,
            inbox: VecDeque::new(),
            reading: Reading::default(),
            pace: Pace::default(),
            batch: 0,
            share: None,
        }
    }

    /// More may be read before the hub hears of it.
    pub(super) fn has_room(&self) -> bool {
        self.batch < READ_BATCH
    }

    /// A message has come whole.
    pub(super) fn take(&mut self, message: Bytes) -> Result<(), End> {
        let length = message.len();
        self.batch += length + MESSAGE_COST;
        let message = ClientMessage::decode(message)
            .map_err(|error| End::Close(CloseCode::POLICY_VIOLATION, error.to_string()))?;
        if !matches!(message, ClientMessage::Data(_)) {
            self.reading.control += length as u64;
        }
        self.reading.framing += HEADER;
        self.inbox.push_back(Spoken::Tabswarm(message));
        Ok(())
    }

    /// A message of WebTorrent's protocol has come whole.
    pub(super) fn take_webtorrent(&mut self, text: &str) -> Result<(), End> {
        let message = decode_client(text, &self.context.config.webtorrent_limits)
            .map_err(|error| refuse(error.to_string()))?;
        self.batch += text.len() + MESSAGE_COST;
        self.reading.control += text.len() as u64;
        self.reading.framing += HEADER;
        self.inbox.push_back(Spoken::WebTorrent(message));
        Ok(())
    }

    /// The same, sent as bytes.
    pub(super) fn take_webtorrent_bytes(&mut self, message: &[u8]) -> Result<(), End> {
        let text = std::str::from_utf8(message);
        let text = text.map_err(|_| refuse("a message that is no text".to_owned()))?;
        self.take_webtorrent(text)
    }

    /// A control frame has come, which may stand between the frames of a message.
    pub(super) fn took_control(&mut self, length: usize) {
        self.reading.framing += HEADER;
        self.batch += length + MESSAGE_COST;
    }

    /// Ready when the client may be listened to; else the task will be woken.
    pub(super) fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        switchboard: &Switchboard,
        conn: ConnId,
    ) -> Poll<()> {
        ready!(self.pace.poll_turn(cx));
        if self.inbox.is_empty() {
            Poll::Ready(())
        } else {
            self.hand_over(cx, switchboard, conn)
        }
    }

    /// Gives the hub what is whole. Ready when more may be read; else the task will be woken.
    pub(super) fn hand_over(
        &mut self,
        cx: &mut Context<'_>,
        switchboard: &Switchboard,
        conn: ConnId,
    ) -> Poll<()> {
        if self.inbox.is_empty() && self.reading.framing == 0 {
            return Poll::Ready(());
        }
        let turn = self.tell_hub(switchboard, conn);
        self.batch = 0;
        if self.inbox.is_empty() {
            // Nobody who is idle keeps room for a rush.
            self.inbox = VecDeque::new();
        }
        self.pace.poll_next(cx, turn)
    }

    /// What a client said before it left counts, as far as it may say so much.
    pub(super) fn hand_over_last(&mut self, switchboard: &Switchboard, conn: ConnId) {
        while !self.inbox.is_empty() && self.tell_hub(switchboard, conn) == Turn::Yield {}
    }

    fn tell_hub(&mut self, switchboard: &Switchboard, conn: ConnId) -> Turn {
        let reading = std::mem::take(&mut self.reading);
        switchboard.handle(conn, &mut self.inbox, reading)
    }

    /// An error if others needed what an unfinished message has here; else the task will be
    /// woken when they do.
    pub(super) fn poll_taken_back(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        if let Some(large) = &mut self.share
            && large.taken_back.as_mut().poll(cx).is_ready()
        {
            return Err(no_memory());
        }
        Ok(())
    }

    /// So many bytes came of what is not a message yet: it takes its share of the memory for
    /// those. An error if others need it more; if they do later, the task will be woken.
    pub(super) fn account(&mut self, cx: &mut Context<'_>, unfinished: u64) -> Result<(), End> {
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
        self.poll_taken_back(cx)
    }
}

fn refuse(reason: String) -> End {
    End::Close(CloseCode::POLICY_VIOLATION, reason)
}

fn no_memory() -> End {
    let reason =
        "too many large messages are on their way here, and yours is the largest; try again";
    End::Close(CloseCode::SERVICE_OVERLOAD, reason.to_owned())
}
