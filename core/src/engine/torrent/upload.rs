//! Giving: slots, and filling frames from the cache.

use std::time::Duration;

use super::requests::blocks_of;
use super::shelf::{NoShelf, Shelf, parts_of};
use super::{Cx, Torrent};
use crate::choke::Candidate;
use crate::chunk::Chunk;
use crate::engine::{Job, Output, Work};
use crate::net::Parts;
use crate::peer::outbox::Stop;
use crate::peer::{PeerPath, Session, SessionId};
use crate::pieces::{BLOCK, Bitfield, Block};
use crate::wire::peer::{Message, PIECE_HEAD};

/// A block with what is before it.
const MESSAGE: usize = BLOCK as usize + PIECE_HEAD;

impl<C: Chunk> Torrent<C> {
    /// Gives a newly interested peer a free slot at once, without waiting for the next round.
    pub(super) fn unchoke_if_free(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        if !self.sessions.get(id).is_some_and(|s| self.wants(s)) {
            return;
        }
        let slots = self.slots.count(&cx.config.choke);
        let held = self.sessions.unchoked();
        let wasted = held < cx.config.choke.slots.1 && self.slots_are_idle(cx);
        if self.slots_taken(cx) < slots || wasted {
            self.set_unchoked(cx, id, true);
        }
    }

    /// Opens another slot when nobody who has one asks for anything.
    pub(super) fn use_idle_link(&mut self, cx: &mut Cx<'_, C>) {
        let idle = cx.channels.is_idle()
            && self
                .sessions
                .values()
                .all(|session| session.talk.outbox.upload_count() == 0);
        if !idle {
            return;
        }
        let next = [self.tried_next(cx, false), self.tried_next(cx, true)];
        let rate = self.traffic.up().long_rate(cx.now);
        for id in next.into_iter().flatten() {
            self.slots.widen(&cx.config.choke, rate);
            self.unchoke_if_free(cx, id);
        }
    }

    /// Who gets a slot beyond those that there are: who owes us least, and of those who waits
    /// longest. One who took or gave something before, or one who is to be tried.
    fn tried_next(&self, cx: &Cx<'_, C>, stranger: bool) -> Option<SessionId> {
        let time = self.time_to_pass_on(cx);
        let waiting = self.sessions.iter().filter(|(_, s)| {
            self.wants(s)
                && s.remote.giving.unchoked.is_none()
                && s.remote.is_stranger() == stranger
        });
        let next = waiting.min_by_key(|(_, session)| {
            let giving = &session.remote.giving;
            let last = giving.sat.is_some() || giving.hoards(cx.now, time);
            (last, session.remote.debt(), giving.choked)
        });
        next.map(|(id, _)| id)
    }

    /// WebTorrent's clients leave who keeps them choked for five seconds: those that wait get a
    /// slot beside the others, some at a time. Whoever has had its trial and gives nothing may
    /// leave.
    pub(super) fn keep_the_impatient(&mut self, cx: &mut Cx<'_, C>) {
        let (choke, patience) = (&cx.config.choke, cx.config.paths.rtc.choked);
        let trial = choke.trial(self.about.piece_length());
        let most = self.slots.count(choke) + choke.slots.0;
        let finished = self.is_finished();
        let waiting = self.sessions.iter().filter(|(_, s)| {
            let giving = &s.remote.giving;
            s.talk.path == PeerPath::WebTorrent
                && !giving.is_unchoked()
                && self.wants(s)
                && cx.now - giving.choked.unwrap_or(s.remote.since) >= patience
                && (finished || s.remote.debt() <= trial)
        });
        let free = most.saturating_sub(self.sessions.unchoked());
        let ids: Vec<SessionId> = waiting.map(|(id, _)| id).take(free).collect();
        for id in ids {
            self.set_unchoked(cx, id, true);
        }
    }

    pub(super) fn slots_taken(&self, cx: &Cx<'_, C>) -> usize {
        self.sessions
            .values()
            .filter(|session| session.remote.giving.is_unchoked() && self.wants(session))
            .filter(|session| !session.hesitates(cx.now, &cx.config.places))
            .count()
    }

    /// How long a peer may take to pass on what we gave it, before it counts as a hoarder:
    /// the others could have had it by then. For ever, where nobody else takes anything: others
    /// that are only there don't make a hoarder of the one who does.
    fn time_to_pass_on(&self, cx: &Cx<'_, C>) -> Duration {
        let takes = |s: &&Session<C>| s.remote.exchanged.is_some() && !s.remote.is_seed();
        if self.sessions.values().filter(takes).count() < 2 {
            return Duration::MAX;
        }
        let slots = self.slots.count(&cx.config.choke) as u64;
        let bytes = u64::from(self.about.piece_length()) * slots;
        let rate = self.traffic.up().long_rate(cx.now).max(1);
        let piece = Duration::from_secs(2 * bytes / rate);
        piece.max(cx.config.choke.hoarding)
    }

    /// We seed, and somebody who keeps what it gets to itself has a slot for which others
    /// wait.
    pub(super) fn wastes_a_slot(&self, cx: &Cx<'_, C>) -> bool {
        if !self.is_finished() {
            return false;
        }
        let time = self.time_to_pass_on(cx);
        let interested = |unchoked: bool, hoards: bool| {
            self.sessions.values().any(|session| {
                self.wants(session)
                    && session.remote.giving.is_unchoked() == unchoked
                    && (unchoked || session.remote.giving.sat.is_none())
                    && session.remote.giving.hoards(cx.now, time) == hoards
            })
        };
        interested(true, true) && interested(false, false)
    }

    /// Gives the slots out anew.
    pub(super) fn choke_round(&mut self, cx: &mut Cx<'_, C>) {
        let time = self.time_to_pass_on(cx);
        let trial = cx.config.choke.trial(self.about.piece_length());
        let candidates: Vec<Candidate> = self
            .sessions
            .iter()
            .filter(|(_, session)| self.wants(session))
            .map(|(id, session)| Candidate {
                session: id,
                gives: session.remote.down.long_rate(cx.now),
                takes: session.remote.up.long_rate(cx.now),
                debt: session.remote.debt(),
                overdrawn: session.remote.debt() > trial || session.remote.giving.sat.is_some(),
                pieces: session.remote.pieces.known().map_or(0, Bitfield::count),
                hoards: session.remote.giving.hoards(cx.now, time)
                    || session.remote.giving.sat.is_some(),
                snubbed: session.remote.getting.snubbed,
                since: session.remote.since,
                unchoked: session.remote.giving.unchoked,
                choked: session.remote.giving.choked,
            })
            .collect();
        let seeding = self.is_finished();
        let rate = self.traffic.up().long_rate(cx.now);
        let chosen = self.slots.choose(
            cx.now,
            &cx.config.choke,
            &candidates,
            rate,
            seeding,
            &mut self.rng,
        );
        let ids = self.sessions.ids();
        for id in ids {
            let unchoked = chosen.contains(&id) || self.is_on_trial(cx, id);
            self.set_unchoked(cx, id, unchoked);
        }
    }

    pub(super) fn set_unchoked(&mut self, cx: &mut Cx<'_, C>, id: SessionId, unchoked: bool) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if session.remote.giving.is_unchoked() == unchoked {
            return;
        }
        if unchoked {
            session.remote.giving.unchoke(cx.now);
            self.say(cx, id, &Message::Unchoke);
            self.deal_to(cx, id);
            return;
        }
        session.remote.giving.choke(cx.now);
        self.let_finish(cx, id);
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        // Without the Fast extension a choke drops what was asked (BEP 3); with it, each
        // dropped request is rejected in words (BEP 6).
        let dropped = session
            .talk
            .outbox
            .drop_blocks(&session.remote.giving.allowed_fast);
        let fast = session.talk.fast;
        self.say(cx, id, &Message::Choke);
        for block in dropped.into_iter().filter(|_| fast) {
            self.say(cx, id, &Message::RejectRequest(block.to_ref()));
        }
    }

    /// Sends one frame to a session. True if it sent something and has more to send.
    ///
    /// A session leaves `ready` only where something is certain to bring it back: room,
    /// something new to say, or the end of a read that is under way.
    pub(in crate::engine) fn serve(&mut self, cx: &mut Cx<'_, C>, id: SessionId) -> bool {
        let key = (self.info_hash, id);
        self.serve_spare(cx, id);
        let Some(session) = self.sessions.get_mut(id) else {
            cx.waiting.remove(key);
            return false;
        };
        let Some(lane) = cx.channels.lane(session.talk.channel.link) else {
            cx.waiting.remove(key);
            return false;
        };
        let budget = lane.budget(cx.config.pacing());
        let room = usize::try_from(session.talk.room)
            .unwrap_or(usize::MAX)
            .min(cx.config.frame_payload)
            .min(lane.max_payload())
            .min(budget);
        let blocks = lane.unsent() < budget;
        if session.talk.outbox.is_empty() || room == 0 {
            // Room, or something to say, brings it back.
            cx.waiting.remove(key);
            return false;
        }
        // Once it is known that there is somebody to wait for it.
        let paced = match session.talk.outbox.upload_count() {
            0 => None,
            _ => cx.throttles.up.room(cx.now),
        };
        let blocks = blocks && paced != Some(0);
        let room = match paced {
            // What has begun to leave is not held back.
            None | Some(0) => room,
            Some(bytes) => room.min(blocks_of(bytes).saturating_mul(MESSAGE)),
        };
        let most = cx.config.max_waiting.0;
        let took_nothing = session.talk.outbox.ready_len() > most;
        let mut parts = Parts::default();
        let mut source = Shelf {
            info_hash: self.info_hash,
            metainfo: self.about.metainfo(),
            cut: cx.config.cut(),
            ut_metadata: session.talk.ut_metadata,
            cache: cx.cache,
        };
        let (stop, block_bytes) = session
            .talk
            .outbox
            .fill(&mut parts, room, blocks, &mut source);
        let sent = parts.len();
        if sent > 0 {
            session.talk.leaves(cx.now, sent);
            session.remote.up.add(cx.now, block_bytes);
            let paid = u64::from(cx.config.work.block) * block_bytes / u64::from(BLOCK);
            let paid = u32::try_from(paid).unwrap_or(u32::MAX);
            session.remote.allowance.earn(paid);
            if block_bytes > 0 {
                session.remote.exchanged = Some(cx.now);
            }
            self.traffic.went(cx.now, block_bytes);
            cx.throttles.up.pass(cx.now, block_bytes);
            let channel = session.talk.channel;
            if let Some(lane) = cx.channels.lane_mut(channel.link) {
                lane.hand(cx.now, sent);
            }
            cx.out.push_back(Output::Send { channel, parts });
        }
        if took_nothing && session.talk.outbox.ready_len() <= most {
            // Nothing was asked of it meanwhile.
            self.refill.ask(id);
        }
        if stop != Stop::Held {
            // Not before: what the frame took is done with, and what it lacks comes first.
            self.read_ahead(cx, id);
        }
        match stop {
            Stop::Empty => {
                cx.waiting.remove(key);
                false
            }
            Stop::Needs(_) => {
                // The end of a read brings it back, whichever it is.
                if cx.cache.reads() > 0 {
                    cx.waiting.remove(key);
                }
                false
            }
            // It stays ready: the link's next report serves it.
            Stop::Held => false,
            Stop::Full => sent > 0,
        }
    }

    /// Sends what waits for the channel that stands by: the rest of what had begun to leave, and
    /// small messages.
    fn serve_spare(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let session = self.sessions.get_mut(id);
        let Some(spare) = session.and_then(|session| session.spare.as_mut()) else {
            return;
        };
        let link = spare.channel.link;
        while !spare.outbox.is_empty()
            && let Some(lane) = cx.channels.lane_mut(link)
        {
            let room = usize::try_from(spare.room).unwrap_or(usize::MAX);
            let room = room.min(cx.config.frame_payload).min(lane.max_payload());
            let mut parts = Parts::default();
            spare.outbox.fill(&mut parts, room, false, &mut NoShelf);
            let sent = parts.len();
            if sent == 0 {
                return;
            }
            spare.leaves(cx.now, sent);
            lane.hand(cx.now, sent);
            let channel = spare.channel;
            cx.out.push_back(Output::Send { channel, parts });
        }
    }

    /// Begins to read what a session is sent next, as far as it is not here.
    fn read_ahead(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let (Some(session), Some(metainfo)) = (self.sessions.get(id), self.about.metainfo()) else {
            return;
        };
        let (layout, cut) = (metainfo.layout(), cx.config.cut());
        let length = cut.stretch(layout.piece_length(), 0).1 as usize;
        let count = (cx.config.read_ahead / length.max(1)).max(cx.config.read_ahead_pieces);
        let parts = |block: &Block| {
            let parts = parts_of(cut, layout, *block);
            parts.map(|part| (block.piece, part)).collect()
        };
        for (piece, part) in session
            .talk
            .outbox
            .next_parts(count.min(cx.config.max_reads), parts)
        {
            let whole = layout.length(piece);
            let (begin, length) = cut.stretch(whole, part);
            let key = (self.info_hash, piece, part);
            if !cx.cache.begin_read(key, length) {
                continue;
            }
            let job = Job {
                part: cut.in_parts(whole).then_some(begin),
                ..self.job(piece)
            };
            cx.emit(Output::Store(job, Work::Read { length }));
        }
    }

    /// A read ended: whoever waits for blocks may find them now.
    pub(in crate::engine) fn wake_uploads(&mut self, cx: &mut Cx<'_, C>) {
        for (id, session) in self.sessions.iter() {
            if session.talk.outbox.upload_count() > 0 {
                cx.waiting.add((self.info_hash, id));
            }
        }
    }
}
