//! Suggesting pieces while we seed (BEP 6), so that each leaves once before any leaves
//! twice.
//!
//! Peers that know only us all see the same rarity everywhere, and peers that don't know
//! each other choose the same pieces: a seeder would send some of them several times while
//! others have never left it. So it deals pieces out in a random order of its own, each to
//! one of the peers that it serves. It is advice: a peer that knows a rarer piece takes that.

use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::peer::SessionId;
use crate::pieces::{BLOCK, PieceIndex};
use crate::time::Time;
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// Every piece is here: from now on they are dealt out.
    pub(super) fn begin_dealing(&mut self) {
        let Some(metainfo) = self.about.metainfo() else {
            return;
        };
        let mut pieces: Vec<PieceIndex> = metainfo.layout().pieces().collect();
        self.rng.shuffle(&mut pieces);
        self.deal.begin(pieces);
    }

    /// A peer has a piece now: on our advice, or from the one whom we had advised.
    pub(super) fn follow_piece(&mut self, now: Time, id: SessionId, piece: PieceIndex) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if session.remote.giving.has_got(piece, now) {
            self.deal.arrived(piece, id);
        } else if let Some(holder) = self.deal.spread(piece)
            && let Some(holder) = self.sessions.get_mut(holder)
        {
            holder.remote.giving.passes_on(piece);
        }
    }

    /// A peer says what it has as a whole: some of what it was advised to take may be there.
    pub(super) fn follow_dealt(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        let has = |piece: &&PieceIndex| {
            let pieces = session.remote.pieces.known();
            pieces.is_some_and(|pieces| pieces.has(**piece))
        };
        let got: Vec<_> = session
            .remote
            .giving
            .dealt
            .iter()
            .filter(has)
            .copied()
            .collect();
        for piece in got {
            self.follow_piece(now, id, piece);
        }
    }

    /// A peer asks for a piece: as advised, or for one that is left to be dealt, which is its
    /// own then.
    pub(super) fn note_taken(&mut self, id: SessionId, piece: PieceIndex) {
        let (Some(download), Some(session)) = (self.phase.download(), self.sessions.get_mut(id))
        else {
            return;
        };
        let ours = session.remote.giving.dealt.contains(&piece);
        if ours || self.deal.is_over() {
            if ours {
                session.remote.giving.begun.insert(piece);
            }
            return;
        }
        if download.is_complete() && download.availability(piece) == 0 && self.deal.take(piece) {
            session.remote.giving.dealt.push(piece);
            session.remote.giving.begun.insert(piece);
        }
    }

    /// A peer is about to be choked. A piece that it has half of from us alone would have to
    /// leave once more, for somebody else: it may finish that, as an allowed-fast piece.
    pub(super) fn let_finish(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let finishing = self
            .sessions
            .iter()
            .filter(|(other, session)| {
                *other != id
                    && session.remote.giving.unchoked.is_none()
                    && !session.remote.giving.dealt.is_empty()
            })
            .count();
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let dealt = std::mem::take(&mut session.remote.giving.dealt);
        let (mut begun, mut rest): (Vec<_>, Vec<_>) = dealt
            .into_iter()
            .partition(|piece| session.remote.giving.begun.contains(piece));
        // Of long pieces, that would leave many with a little each for ever.
        if finishing >= self.slots.count(&cx.config.choke) || !session.talk.fast {
            rest.append(&mut begun);
        }
        self.deal.take_back(&rest);
        for &piece in &begun {
            session.talk.outbox.push(&Message::AllowedFast(piece.get()));
        }
        session.remote.giving.allowed_fast.extend(&begun);
        session.remote.giving.dealt = begun;
        cx.waiting.add((self.info_hash, id));
    }

    /// Advises a peer that we serve, if it has had what it was advised to take.
    pub(super) fn deal_to(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let (Some(download), Some(metainfo), Some(session)) = (
            self.phase.download(),
            self.about.metainfo(),
            self.sessions.get_mut(id),
        ) else {
            return;
        };
        let piece_length = u64::from(metainfo.layout().piece_length());
        if cx.config.suggestions == 0 {
            return;
        }
        if !session.talk.fast
            || session.remote.giving.unchoked.is_none()
            || !session.remote.giving.interested
        {
            return;
        }
        // As much as it asks for at once, and more.
        let blocks = session
            .talk
            .outbox
            .upload_count()
            .max(cx.config.requests.start) as u64;
        let at_once = (blocks * u64::from(BLOCK)).div_ceil(piece_length);
        let most = cx.config.max_suggestions;
        let at_once = usize::try_from(at_once).unwrap_or(most);
        let count = (at_once + cx.config.suggestions).min(most);
        let mut suggested = false;
        while session.remote.giving.dealt.len() < count {
            let Some(piece) = self.deal.next(download) else {
                break;
            };
            session.remote.giving.dealt.push(piece);
            session
                .talk
                .outbox
                .push(&Message::SuggestPiece(piece.get()));
            suggested = true;
        }
        if suggested {
            cx.waiting.add((self.info_hash, id));
        }
    }
}
