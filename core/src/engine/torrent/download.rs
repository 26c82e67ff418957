//! Getting: requests, blocks, hashes, writes.

use super::{Cx, Ending, Fault, Phase, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Event, Job, Output, StoreError, Work};
use crate::id::ChannelKey;
use crate::peer::{Asked, RequestConfig, SessionId};
use crate::pieces::{BLOCK, Block, Download, PieceIndex, Received};
use crate::wire::peer::{BlockRef, Message};

impl<C: Chunk> Torrent<C> {
    /// Asks for more wherever there is room for requests.
    pub(in crate::engine) fn refill(&mut self, cx: &mut Cx<'_, C>) {
        let mut ids: Vec<SessionId> = if std::mem::take(&mut self.refill_all) {
            self.sessions.ids()
        } else if self.refill.is_empty() {
            return;
        } else {
            self.refill.iter().copied().collect()
        };
        self.refill.clear();
        // A random peer comes first, or the lowest number would always get the rarest piece.
        self.rng.shuffle(&mut ids);
        let left = self.download().is_some_and(Download::is_any_left);
        self.make_way(&cx.config.requests);
        for id in ids {
            self.refill_session(cx, id);
        }
        // The endgame has begun: who had nothing to do may ask for what others owe. Or those
        // who had to leave the work to somebody better need not any more.
        let endgame = left && !self.download().is_some_and(Download::is_any_left);
        let guarded = self.download().is_some_and(Download::is_guarded);
        let free = std::mem::replace(&mut self.guarded, guarded) && !guarded;
        if endgame || free {
            self.refill_all = true;
            self.refill(cx);
        }
    }

    /// Somebody may be asked for more, and was not yet.
    pub(in crate::engine) fn wants_refill(&self) -> bool {
        self.refill_all || !self.refill.is_empty()
    }

    /// What is asked over a long way is in progress for as long, and has not come yet.
    fn make_way(&mut self, requests: &RequestConfig) {
        let Phase::Active(download) = &mut self.phase else {
            return;
        };
        let depths = self
            .sessions
            .values()
            .map(|s| s.remote.getting.pipeline.depth());
        let beyond: usize = depths
            .map(|depth| depth.saturating_sub(requests.queue.1))
            .sum();
        download.make_way(beyond.min(requests.far) as u64 * u64::from(BLOCK));
    }

    /// How many requests may be in flight to a session. What it may have beyond the queue of
    /// whoever is near is shared out: as many as it leaves free for others.
    fn depth(&self, requests: &RequestConfig, id: SessionId) -> usize {
        let Some(session) = self.sessions.get(id) else {
            return 0;
        };
        let (depth, near) = (session.remote.getting.pipeline.depth(), requests.queue.1);
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
        let depth = self.depth(&cx.config.requests, id);
        let Phase::Active(download) = &mut self.phase else {
            return;
        };
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Some(pieces) = session.remote.pieces.known() else {
            return;
        };
        // Who takes nothing may still choke and unchoke us as often as it likes.
        if !session.remote.getting.interested
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
        let blocks = if session.remote.getting.unchoked_us {
            let suggested: &[PieceIndex] = session.remote.getting.suggested.make_contiguous();
            download.pick(id, pieces, free, suggested)
        } else if session.remote.getting.fast_pieces.is_empty() {
            return;
        } else {
            let allowed: Vec<PieceIndex> =
                session.remote.getting.fast_pieces.iter().copied().collect();
            download.pick_among(id, pieces, &allowed, free)
        };
        if blocks.is_empty() {
            return;
        }
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
            session.talk.ask(block);
            session.remote.getting.pipeline.asked(cx.now, block);
            session.talk.outbox.push(&Message::Request(block.to_ref()));
        }
        cx.waiting.add((self.info_hash, id));
    }

    pub(super) fn handle_block(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        (piece, begin): (u32, u32),
        data: &C,
    ) -> Result<(), Fault> {
        let length = u32::try_from(data.len()).expect("it came behind a four-byte length");
        if self.metainfo.is_none() {
            return Err(Fault::EarlyBlock);
        }
        let block = self.check_block(BlockRef {
            piece,
            begin,
            length,
        });
        let block = block.ok_or(Fault::NoSuchBlock)?;
        let session = self.sessions.find(id)?;
        let bytes = u64::from(length);
        self.down.add(cx.now, bytes);
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
        if matches!(asked, Asked::Now | Asked::Again) {
            let pipeline = &mut session.remote.getting.pipeline;
            pipeline.arrived(cx.now, block, &cx.config.requests);
        }
        self.refill.insert(id);
        let Phase::Active(download) = &mut self.phase else {
            return Ok(());
        };
        self.refill_all |= download.is_wary();
        let received = if matches!(asked, Asked::Again | Asked::Before) {
            download.receive_late(id, block, data)
        } else {
            download.receive(id, block, data)
        };
        if matches!(received, Received::Kept { .. } | Received::Complete { .. }) {
            self.gained = cx.now;
            if let Some(session) = self.sessions.get_mut(id) {
                session.remote.exchanged = Some(cx.now);
            }
        }
        self.write_stretches(cx);
        match received {
            Received::Unrequested | Received::Duplicate => {}
            Received::Kept { cancel } => self.cancel(cx, block, &cancel),
            Received::Complete {
                cancel,
                piece,
                data,
            } => {
                self.cancel(cx, block, &cancel);
                self.verifying.insert(piece, data.clone());
                cx.emit(Output::Store(self.job(piece), Work::Hash { data }));
            }
        }
        Ok(())
    }

    /// Something to be done with a whole piece.
    pub(super) fn job(&self, piece: PieceIndex) -> Job {
        Job {
            info_hash: self.info_hash,
            piece,
            part: None,
        }
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
        let block = self.check_block(BlockRef {
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

    /// Others need not send this block any more.
    fn cancel(&mut self, cx: &mut Cx<'_, C>, block: Block, sessions: &[SessionId]) {
        for id in sessions {
            let Some(session) = self.sessions.get_mut(*id) else {
                continue;
            };
            session.talk.give_up(block);
            self.refill.insert(*id);
            self.say(cx, *id, &Message::Cancel(block.to_ref()));
        }
    }

    /// A session won't send what it was asked for: others may.
    pub(super) fn release_requests(&mut self, id: SessionId) {
        if let (Some(session), Phase::Active(download)) =
            (self.sessions.get_mut(id), &mut self.phase)
        {
            session.give_up_requests();
            download.release_all(id);
            self.refill_all = true;
        }
    }

    /// The hash of a piece is known.
    pub(in crate::engine) fn hashed(
        &mut self,
        cx: &mut Cx<'_, C>,
        piece: PieceIndex,
        digest: [u8; 20],
    ) {
        let Some(metainfo) = &self.metainfo else {
            return;
        };
        let right = metainfo.piece_hash(piece) == digest;
        if matches!(self.phase, Phase::Checking(_)) {
            return self.checked_hash(cx, piece, right);
        }
        let Some(data) = self.verifying.remove(&piece) else {
            return;
        };
        if right {
            if let Phase::Active(download) = &mut self.phase {
                let liars = download.verified(piece);
                // Who sent it is no stranger any more.
                self.refill_all |= download.is_wary();
                self.blame(cx, &liars);
            }
            self.writing.insert(piece, (data.clone(), self.resumed));
            cx.emit(Output::Store(self.job(piece), Work::Write { data }));
            return;
        }
        let Phase::Active(download) = &mut self.phase else {
            return;
        };
        let liars = download.rejected(piece);
        self.refill_all = true;
        self.blame(cx, &liars);
    }

    /// These sessions sent bad blocks, that is certain.
    pub(super) fn blame(&mut self, cx: &mut Cx<'_, C>, liars: &[SessionId]) {
        for &id in liars {
            self.ban(cx, id, &Ending::CorruptData);
        }
    }

    /// A piece was kept, or could not be.
    pub(in crate::engine) fn written(
        &mut self,
        cx: &mut Cx<'_, C>,
        piece: PieceIndex,
        result: Result<(), StoreError>,
    ) {
        let Some((data, begun)) = self.writing.remove(&piece) else {
            return;
        };
        let Phase::Active(download) = &mut self.phase else {
            return;
        };
        self.refill_all = true;
        if let Err(error) = result {
            download.write_failed(piece);
            // What a person has mended since is no reason to stop again.
            if begun == self.resumed {
                self.fail(cx, error.into());
            }
            return;
        }
        // Who hears of a fresh piece asks for it soon.
        cx.cache.insert((self.info_hash, piece, 0), data);
        self.gain(cx, piece);
    }

    /// We have a piece now.
    pub(super) fn gain(&mut self, cx: &mut Cx<'_, C>, piece: PieceIndex) {
        let Phase::Active(download) = &mut self.phase else {
            return;
        };
        download.written(piece);
        let (complete, finished) = (download.is_complete(), download.is_finished());
        self.note_have(cx, piece);
        self.tell_peers(cx, piece);
        if complete {
            self.begin_dealing();
        }
        if finished {
            cx.event(Event::Completed(self.info_hash));
        }
    }

    /// Tells the peers of a new piece.
    fn tell_peers(&mut self, cx: &mut Cx<'_, C>, piece: PieceIndex) {
        // Who may request from us, or could at once, hears of it at once; to the others it
        // is news that may wait for company. In a large swarm these messages are most of all.
        let free_slots = self.slots_taken(cx) < self.choker.slots(&cx.config.choke);
        let ids = self.sessions.ids();
        for id in ids {
            let Some(session) = self
                .sessions
                .get_mut(id)
                .filter(|session| session.talk.greeted)
            else {
                // What it is told with its greeting says this too.
                continue;
            };
            session.remote.getting.needs_no_more(piece);
            session.remote.allowance.earn(cx.config.work.news);
            let has = session.remote.pieces.known().is_some_and(|p| p.has(piece));
            let urgent = !has && (free_slots || session.remote.giving.is_unchoked());
            if urgent {
                self.say(cx, id, &Message::Have(piece.get()));
            } else {
                session.talk.outbox.push(&Message::Have(piece.get()));
            }
            if has {
                self.update_interest(cx, id);
            }
        }
    }

    /// Tells a peer whether it has something that we lack.
    pub(super) fn update_interest(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Phase::Active(download) = &mut self.phase else {
            return;
        };
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Some(pieces) = session.remote.pieces.known() else {
            return;
        };
        let interesting = download.wants_any_of(id, pieces);
        if interesting {
            self.show_interest(cx, id);
        } else if std::mem::take(&mut session.remote.getting.interested) {
            self.say(cx, id, &Message::NotInterested);
        }
    }

    pub(super) fn show_interest(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if !std::mem::replace(&mut session.remote.getting.interested, true) {
            self.say(cx, id, &Message::Interested);
        }
    }
}
