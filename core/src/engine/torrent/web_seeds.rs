//! Web seeds (BEP 19), peers of last resort: what is asked of them.
//!
//! Somebody pays for what they send, and it could come from peers. So they are asked for what
//! none of the peers that give us something has; and for anything, as any peer, as long as all
//! peers together give too little. What is asked for lies side by side, for it to be one range
//! of a file. Everything else about them is as with peers: what they send is verified, and who
//! sends something wrong is banned.

use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::peer::{PeerPath, Session, SessionId};
use crate::pieces::{BLOCK, Bitfield, Block, Download, Strategy};

/// Pieces that are asked for at once at the most: a picker looks at no more.
const MAX_PIECES: usize = 64;

impl<C: Chunk> Torrent<C> {
    /// There is something that a web seed could bring.
    pub(in crate::engine) fn takes_web_seeds(&self) -> bool {
        let lacks = |download: &Download<C>| !download.is_finished();
        self.is_running() && self.phase.download().is_some_and(lacks)
    }

    /// Looks anew whether peers give enough; web seeds are asked accordingly.
    pub(super) fn look_for_gaps(&mut self, cx: &Cx<'_, C>) {
        let peers = || self.sessions.values().filter(|session| gives(session));
        let rate: u64 = peers().map(|s| s.remote.down.rate(cx.now)).sum();
        // Who has just come may have its chance.
        let begins = |session: &Session<C>| {
            let getting = &session.remote.getting;
            !getting.delivered && cx.now - getting.last_block < cx.config.requests.doubt
        };
        // No more than most of what a person allows is missed.
        let allowed = cx
            .throttles
            .down
            .rate()
            .map_or(u64::MAX, |most| most / 4 * 3);
        let enough = rate >= cx.config.web_seeds.enough.min(allowed) || peers().any(begins);
        self.gaps.set_everything(!enough);
        self.ask_web_seeds();
    }

    /// Something may be left to web seeds now.
    pub(super) fn ask_web_seeds(&mut self) {
        for (id, session) in self.sessions.iter() {
            if session.is_web_seed() {
                self.refill.ask(id);
            }
        }
    }

    /// Nothing is left to web seeds: somebody who gives enough has everything.
    pub(super) fn leaves_no_gaps(&self) -> bool {
        let mut peers = self.sessions.values();
        !self.gaps.is_everything() && peers.any(|s| gives(s) && s.remote.is_seed())
    }

    /// Chooses up to `count` blocks to ask of a web seed.
    pub(super) fn pick_for_web_seed(&mut self, id: SessionId, count: usize) -> Vec<Block> {
        let (Some(download), Some(metainfo)) = (self.phase.download_mut(), self.about.metainfo())
        else {
            return Vec::new();
        };
        let all = Bitfield::full(metainfo.layout().piece_count());
        let everything = self.gaps.is_everything();
        let givers = self.sessions.values().filter(|s| gives(s) && !everything);
        let given: Vec<&Bitfield> = givers.filter_map(|s| s.remote.pieces.known()).collect();
        let piece_length = metainfo.layout().piece_length() as usize;
        let pieces = (count * BLOCK as usize).div_ceil(piece_length);
        let from = match self.wishes.strategy() {
            Strategy::RarestFirst => self.gaps.next(),
            Strategy::Sequential => 0,
            Strategy::Streaming => self.wishes.play_piece(metainfo.layout()),
        };
        let is_given = |piece| given.iter().any(|pieces| pieces.has(piece));
        let ahead = download.in_order(id, from, pieces.clamp(1, MAX_PIECES), is_given);
        let mut blocks = if everything {
            download.pick(id, &all, count, &ahead)
        } else {
            download.pick_among(id, &all, &ahead, count)
        };
        if let Some(last) = ahead.last().filter(|_| !blocks.is_empty()) {
            self.gaps.pass(last.get());
        }
        blocks.sort_unstable();
        blocks
    }
}

/// It is a peer that sends what it is asked for, as far as is known.
fn gives<C: Chunk>(session: &Session<C>) -> bool {
    let getting = &session.remote.getting;
    !session.is_web_seed() && getting.unchoked_us && getting.timed_out.is_none()
}

impl<C: Chunk> Session<C> {
    /// It is no peer.
    pub(super) fn is_web_seed(&self) -> bool {
        self.talk.path == PeerPath::WebSeed
    }
}
