//! Suggesting pieces while we seed (BEP 6), so that each leaves once before any leaves
//! twice.
//!
//! Peers that know only us all see the same rarity everywhere, and peers that don't know
//! each other choose the same pieces: a seeder would send some of them several times while
//! others have never left it. So it deals pieces out in a random order of its own, each to
//! one of the peers that it serves. It is advice: a peer that knows a rarer piece takes that.

use std::collections::VecDeque;

use super::{Cx, Phase, Torrent};
use crate::peer::SessionId;
use crate::pieces::{Download, PieceIndex};
use crate::wire::peer::Message;

/// The pieces that nobody was advised to take yet.
#[derive(Debug, Default)]
pub(super) struct Deal {
    pieces: VecDeque<PieceIndex>,
}

impl Deal {
    /// Whoever was to take these pieces won't.
    pub(super) fn take_back(&mut self, pieces: &[PieceIndex]) {
        self.pieces.extend(pieces);
    }
}

impl Torrent {
    /// Every piece is here: from now on they are dealt out.
    pub(super) fn begin_dealing(&mut self) {
        let Some(metainfo) = &self.metainfo else {
            return;
        };
        let mut pieces: Vec<PieceIndex> = metainfo.layout().pieces().collect();
        self.rng.shuffle(&mut pieces);
        self.deal.pieces = pieces.into();
    }

    /// Advises a peer that we serve, if it has had what it was advised to take.
    pub(super) fn deal_to(&mut self, cx: &mut Cx<'_>, id: SessionId) {
        let (Phase::Active(download), Some(session)) = (&self.phase, self.sessions.get_mut(&id))
        else {
            return;
        };
        if !session.fast || session.unchoked.is_none() || !session.peer_interested {
            return;
        }
        let mut suggested = false;
        while session.dealt.len() < cx.config.suggestions {
            let Some(piece) = next(&mut self.deal, download) else {
                break;
            };
            session.dealt.push(piece);
            session.outbox.push(&Message::SuggestPiece(piece.get()));
            suggested = true;
        }
        if suggested {
            cx.link.ready.insert((self.info_hash, id));
        }
    }
}

/// A piece that no connected peer has. The others need no more advice: their number only
/// falls when their holder leaves, and then they are rare for all to see.
fn next(deal: &mut Deal, download: &Download) -> Option<PieceIndex> {
    loop {
        let piece = deal.pieces.pop_front()?;
        if download.availability(piece) == 0 {
            return Some(piece);
        }
    }
}
