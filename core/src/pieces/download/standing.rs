//! What sessions have shown of themselves, and what follows from it.
//!
//! A session begins on probation. What it was asked for may be asked of others as if nobody
//! had been asked, once these have nothing else to do, and again so when it keeps us waiting
//! later: the end of a download never hangs on promises. And as soon as somebody has sent a
//! bad block, those of whom nothing was verified yet fill pieces of their own only, so that
//! each who comes back under another name spoils no more than what it sent itself.

use super::load::Standing;
use super::{Download, SessionId};
use crate::chunk::Chunk;
use crate::pieces::partial::Asker;

impl<C: Chunk> Download<C> {
    /// The session keeps us waiting: what it owes may be asked of others. A block that comes
    /// from it shows otherwise. False if that is known.
    pub fn doubt(&mut self, session: SessionId) -> bool {
        let known = self.load(session).standing == Standing::Doubted;
        self.set_standing(session, Standing::Doubted);
        !known
    }

    pub(super) fn set_standing(&mut self, session: SessionId, standing: Standing) {
        let load = self.load(session);
        let before = std::mem::replace(&mut load.standing, standing);
        let delivers = standing == Standing::Delivers;
        if delivers == (before == Standing::Delivers) {
            return;
        }
        for block in self.load(session).asked.clone() {
            if let Some(partial) = self.filling_mut(block.piece) {
                partial.reconsider(block, delivers);
                self.relist(block.piece);
            }
        }
    }

    /// A bad piece was found. From then on, whom a session may help depends on what others are
    /// asked for, and have shown: when that changes, all may be asked for more.
    pub fn is_wary(&self) -> bool {
        self.wary
    }

    pub(super) fn asker(&self, session: SessionId) -> Asker {
        let standing = self.loads.get(&session).map(|load| load.standing);
        Asker {
            session,
            delivers: standing == Some(Standing::Delivers),
        }
    }

    /// The session may add to what others fill. Where bad blocks were found, one of whom
    /// nothing was verified may not, as long as somebody who is beyond doubt, and has
    /// everything, is at work.
    pub(super) fn may_share(&self, session: SessionId) -> bool {
        !self.is_guarded() || self.loads.get(&session).is_some_and(|load| load.verified)
    }

    /// Bad blocks were found, and somebody beyond doubt who has everything is at work: those
    /// of whom nothing was verified have to wait. Whoever waits is to be asked again when it
    /// no longer holds.
    pub fn is_guarded(&self) -> bool {
        self.wary
            && self.loads.values().any(|load| {
                load.verified
                    && load.standing == Standing::Delivers
                    && load.pieces == self.layout.piece_count()
                    && !load.asked.is_empty()
            })
    }
}
