//! Blocks that come.

use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Output, Work};
use crate::id::ChannelKey;
use crate::peer::{Asked, SessionId};
use crate::pieces::BlockOutcome;
use crate::wire::peer::{BlockRef, Message};

impl<C: Chunk> Torrent<C> {
    pub(super) fn handle_block(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        (piece, begin): (u32, u32),
        data: &C,
    ) -> Result<(), Fault> {
        let length = u32::try_from(data.len()).expect("it came behind a four-byte length");
        if self.about.metainfo().is_none() {
            return Err(Fault::EarlyBlock);
        }
        let block = self.about.check_block(BlockRef {
            piece,
            begin,
            length,
        });
        let block = block.ok_or(Fault::NoSuchBlock)?;
        let session = self.sessions.find(id)?;
        let bytes = u64::from(length);
        self.traffic.came(cx.now, bytes);
        session.remote.down.add(cx.now, bytes);
        let stream = session.stream_mut(channel);
        let asked = stream.map_or(Asked::Never, |stream| stream.answered(block));
        match asked {
            Asked::Now | Asked::Again | Asked::Before => {
                session.remote.getting.delivers(cx.now);
                session.remote.allowance.earn(cx.config.work.block);
            }
            Asked::Never => {
                session.remote.unrequested += bytes;
                if session.remote.unrequested > cx.config.trust.max_unrequested {
                    return Err(Fault::Unrequested);
                }
            }
        }
        if asked == Asked::Before {
            // It was taken for one that will not come.
            cx.throttles.down.pass(cx.now, bytes);
        }
        if matches!(asked, Asked::Now | Asked::Again) {
            let pipeline = &mut session.remote.getting.pipeline;
            pipeline.arrived(cx.now, block, &cx.config.requests);
        }
        if asked == Asked::Again {
            // This answers the first request; the other is on its way, or waits behind it.
            self.say(cx, id, &Message::Cancel(block.to_ref()));
        }
        self.refill.ask(id);
        let Some(download) = self.phase.download_mut() else {
            return Ok(());
        };
        if download.is_wary() {
            self.refill.ask_everybody();
        }
        let received = if matches!(asked, Asked::Again | Asked::Before) {
            download.receive_late(id, block, data)
        } else {
            download.receive(id, block, data)
        };
        if matches!(
            received,
            BlockOutcome::Kept { .. } | BlockOutcome::Complete { .. }
        ) {
            self.traffic.gain(cx.now);
            if let Some(session) = self.sessions.get_mut(id) {
                session.remote.exchanged = Some(cx.now);
            }
        }
        self.write_stretches(cx);
        match received {
            BlockOutcome::Unrequested | BlockOutcome::Duplicate => {}
            BlockOutcome::Kept { cancel } => self.cancel(cx, block, &cancel),
            BlockOutcome::Complete {
                cancel,
                piece,
                data,
            } => {
                self.cancel(cx, block, &cancel);
                self.storing.hash(piece, data.clone());
                cx.emit(Output::Store(self.job(piece), Work::Hash { data }));
            }
        }
        Ok(())
    }

    /// A block came through a channel that does not carry the talk: if it was asked for again,
    /// it need not come.
    pub(super) fn need_not_again(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        (piece, begin, data): (u32, u32, &C),
    ) {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let block = self.about.check_block(BlockRef {
            piece,
            begin,
            length,
        });
        let session = self.sessions.get(id);
        if let (Some(block), Some(session)) = (block, session)
            && session.talk.asks_for(block)
        {
            self.cancel(cx, block, &[id]);
        }
    }
}
