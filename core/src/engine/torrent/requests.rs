//! Asking for blocks, and taking that back.

use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Config, Output};
use crate::peer::{RequestConfig, SessionId};
use crate::pieces::{BLOCK, Block, Download, PieceIndex};
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// Asks for more wherever there is room for requests.
    pub(in crate::engine) fn refill(&mut self, cx: &mut Cx<'_, C>) {
        if !self.refill.is_due() || cx.throttles.down.room(cx.now) == Some(0) {
            return;
        }
        let mut ids = self.refill.take(|| self.sessions.ids());
        // A random peer comes first, or the lowest number would always get the rarest piece.
        self.rng.shuffle(&mut ids);
        let left = self.phase.download().is_some_and(Download::is_any_left);
        self.make_way(&cx.config.requests);
        for id in ids {
            self.refill_session(cx, id);
        }
        // The endgame has begun: who had nothing to do may ask for what others owe. Or those
        // who had to leave the work to somebody better need not any more.
        let endgame = left && !self.phase.download().is_some_and(Download::is_any_left);
        let guarded = self.phase.download().is_some_and(Download::is_guarded);
        if self.refill.guarded(guarded) || endgame {
            self.refill.ask_everybody();
            self.refill(cx);
        }
    }

    /// Somebody may be asked for more, and was not yet.
    pub(in crate::engine) fn wants_refill(&self) -> bool {
        self.refill.is_due()
    }

    /// What is asked over a long way is in progress for as long, and has not come yet.
    fn make_way(&mut self, requests: &RequestConfig) {
        let Some(download) = self.phase.download_mut() else {
            return;
        };
        let depths = self
            .sessions
            .values()
            .filter(|s| !s.is_web_seed())
            .map(|s| s.remote.getting.pipeline.depth());
        let beyond: usize = depths
            .map(|depth| depth.saturating_sub(requests.queue.1))
            .sum();
        download.make_way(beyond.min(requests.far) as u64 * u64::from(BLOCK));
    }

    /// How many requests may be in flight to a session. What it may have beyond the queue of
    /// whoever is near is shared out: as many as it leaves free for others.
    fn depth(&self, config: &Config, id: SessionId) -> usize {
        let requests = &config.requests;
        let Some(session) = self.sessions.get(id) else {
            return 0;
        };
        let (depth, near) = (session.remote.getting.pipeline.depth(), requests.queue.1);
        if session.is_web_seed() {
            // Whole ranges at once, as long as it brings them.
            return match session.remote.getting.timed_out {
                None => config.web_seeds.ahead,
                Some(_) => depth.min(near),
            };
        }
        if depth <= near {
            return depth;
        }
        let others = self.sessions.iter().filter(|(other, _)| *other != id);
        let taken: usize = others
            .map(|(_, session)| session.talk.request_count().saturating_sub(near))
            .sum();
        depth.min(near + requests.far.saturating_sub(taken) / 2)
    }

    fn refill_session(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let depth = self.depth(cx.config, id);
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        if self.phase.download().is_none() || session.remote.pieces.known().is_none() {
            return;
        }
        // Who takes nothing may still choke and unchoke us as often as it likes.
        if session.choice.leaves()
            || !session.remote.getting.interested
            || session.talk.outbox.ready_len() > cx.config.max_waiting.0
        {
            return;
        }
        let free = depth.saturating_sub(session.talk.request_count());
        // Several at a time: each batch is a message through the hub. No more than that, or half
        // of a long way would be empty.
        let batch = depth.min(cx.config.requests.queue.1) / 2;
        if free == 0 || (free < batch && session.talk.owes()) {
            return;
        }
        if session.is_web_seed() && self.leaves_no_gaps() {
            return;
        }
        let most = cx.throttles.down.room(cx.now);
        let most = most.map_or(free, |bytes| blocks_of(bytes).min(free));
        if most == 0 {
            // It has room for more, and is asked when that may come.
            return self.refill.ask(id);
        }
        let held_back = most < free;
        let blocks = if session.is_web_seed() {
            self.pick_for_web_seed(id, most)
        } else {
            self.pick_for_peer(id, most)
        };
        let Some(session) = self.sessions.get_mut(id).filter(|_| !blocks.is_empty()) else {
            return;
        };
        if !session.talk.owes() && session.remote.getting.timed_out.is_none() {
            session.remote.getting.last_block = cx.now;
        }
        // Twice what is asked for while that is little, and a quarter more where it is much:
        // room is given back in quarters.
        let room = (2 * depth)
            .min(cx.config.requests.queue.1)
            .max(depth + depth / 4);
        cx.out.push_back(Output::Expect {
            channel: session.talk.channel,
            bytes: room as u64 * u64::from(BLOCK),
        });
        for block in blocks {
            cx.throttles.down.pass(cx.now, u64::from(block.length));
            session.talk.ask(block);
            session.remote.getting.pipeline.asked(cx.now, block);
            session.talk.outbox.push(&Message::Request(block.to_ref()));
        }
        cx.waiting.add((self.info_hash, id));
        if held_back {
            self.refill.ask(id);
        }
    }

    /// Chooses up to `count` blocks to ask of a peer.
    fn pick_for_peer(&mut self, id: SessionId, count: usize) -> Vec<Block> {
        let (Some(download), Some(session)) =
            (self.phase.download_mut(), self.sessions.get_mut(id))
        else {
            return Vec::new();
        };
        let Some(pieces) = session.remote.pieces.known() else {
            return Vec::new();
        };
        let getting = &mut session.remote.getting;
        if getting.unchoked_us {
            let suggested: &[PieceIndex] = getting.suggested.make_contiguous();
            return download.pick(id, pieces, count, suggested);
        }
        if getting.fast_pieces.is_empty() {
            return Vec::new();
        }
        let allowed: Vec<PieceIndex> = getting.fast_pieces.iter().copied().collect();
        download.pick_among(id, pieces, &allowed, count)
    }

    /// Others need not send this block any more.
    pub(super) fn cancel(&mut self, cx: &mut Cx<'_, C>, block: Block, sessions: &[SessionId]) {
        for id in sessions {
            let Some(session) = self.sessions.get_mut(*id) else {
                continue;
            };
            session.talk.give_up(block);
            self.refill.ask(*id);
            self.say(cx, *id, &Message::Cancel(block.to_ref()));
        }
    }

    /// A session won't send what it was asked for: others may.
    pub(super) fn release_requests(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        if let (Some(session), Some(download)) =
            (self.sessions.get_mut(id), self.phase.download_mut())
        {
            let given_up = session.talk.asked_bytes();
            cx.throttles.down.give_back(given_up);
            session.give_up_requests();
            download.release_all(id);
            self.refill.ask_everybody();
        }
    }
}

/// So many blocks, the last of which may be a part of one.
pub(super) fn blocks_of(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(u64::from(BLOCK))).unwrap_or(usize::MAX)
}
