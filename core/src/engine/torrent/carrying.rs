//! What we do for neighbours: tell them of each other, and carry what two of them say until they
//! are linked.

use super::introductions::Carried;
use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::id::Fingerprint;
use crate::peer::{Session, SessionId};
use crate::wire::introduce::{Introduction, Step, Unlinked};

impl<C: Chunk> Torrent<C> {
    /// Tells those who were not told for a while what changed.
    pub(super) fn tell_of_links(&mut self, cx: &mut Cx<'_, C>) {
        let config = &cx.config.paths.introduce;
        let neighbours = self
            .sessions
            .iter()
            .filter_map(|(id, session)| Some((id, neighbour(session)?, session.remote.is_seed())));
        let neighbours: Vec<(SessionId, Fingerprint, bool)> = neighbours.collect();
        for &(id, its_own, _) in &neighbours {
            if self.sessions.get(id).is_none() {
                continue;
            }
            let partner = self.introductions.partner(id);
            let early = |at| cx.now - at < config.pause;
            if partner.told_at.is_some_and(early) {
                continue;
            }
            let others = neighbours.iter().filter(|(_, peer, _)| *peer != its_own);
            let others: Vec<_> = others.map(|(_, peer, seed)| (*peer, *seed)).collect();
            let is_here = |told: &Fingerprint| others.iter().any(|(peer, _)| peer == told);
            let gone = partner.told.iter().filter(|told| !is_here(told));
            let dropped: Vec<Fingerprint> = gone.copied().take(config.most).collect();
            let told = &partner.told;
            let mut added = others.clone();
            added.retain(|(peer, _)| !told.contains(peer));
            // Another few to each, so that what they do with it differs.
            self.rng.shuffle(&mut added);
            let room = config.names.saturating_sub(told.len());
            added.truncate(config.most.min(room));
            if added.is_empty() && dropped.is_empty() {
                continue;
            }
            partner.told_at = Some(cx.now);
            partner.told.retain(|told| !dropped.contains(told));
            partner.told.extend(added.iter().map(|(peer, _)| *peer));
            let message = Introduction::Peers { added, dropped };
            self.say_introduction(cx, id, &message);
        }
    }

    /// A neighbour has something for another one.
    pub(super) fn carry(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        peer: Fingerprint,
        attempt: u32,
        step: Step,
    ) {
        let sender = self.sessions.get(id).and_then(neighbour);
        let Some(sender) = sender.filter(|_| self.introduces(cx)) else {
            if let Step::Offer(_) = step {
                let why = Unlinked::NotConnected;
                self.say_step(cx, id, (true, peer, attempt), Step::End(why));
            }
            return;
        };
        if let Step::Offer(_) = step {
            match self.may_carry(cx, id, peer) {
                Ok(to) => {
                    self.introductions.carry(Carried {
                        from: id,
                        offerer: sender,
                        to,
                        target: peer,
                        attempt,
                        since: cx.now,
                    });
                    self.say_step(cx, to, (true, sender, attempt), step);
                }
                Err(why) => self.say_step(cx, id, (true, peer, attempt), Step::End(why)),
            }
            return;
        }
        // Whatever else is said ends it: an answer, or a word of either that there is none.
        let ended = self.introductions.take_carried(|it| {
            let by_target = it.to == id && it.offerer == peer;
            let by_offerer = it.from == id && it.target == peer && matches!(step, Step::End(_));
            it.attempt == attempt && (by_target || by_offerer)
        });
        if let Some(it) = ended.first() {
            let to = if it.to == id { it.from } else { it.to };
            self.say_step(cx, to, (true, sender, attempt), step);
        }
    }

    /// Whether an offer is carried, and to whom.
    fn may_carry(
        &mut self,
        cx: &Cx<'_, C>,
        from: SessionId,
        target: Fingerprint,
    ) -> Result<SessionId, Unlinked> {
        let config = &cx.config.paths.introduce;
        let mut linked = self.sessions.iter();
        let linked =
            linked.find(|(id, session)| *id != from && session.linked_as() == Some(target));
        let takes = linked.map(|(to, session)| (to, session.talk.ts_introduce.is_some()));
        let partner = self.introductions.partner(from);
        let (to, takes) = match takes {
            Some(takes) => takes,
            None if partner.told.contains(&target) => return Err(Unlinked::NotConnected),
            None => return Err(Unlinked::NoSuchPeer),
        };
        if !takes {
            return Err(Unlinked::NoSupport);
        }
        let may = partner.asks.take(cx.now, config.a_minute)
            && self.introductions.carried_for(from) < config.outstanding
            && self
                .introductions
                .partner(to)
                .given
                .take(cx.now, config.a_minute);
        may.then_some(to).ok_or(Unlinked::Busy)
    }

    /// A session is over: what was carried to it will not be answered.
    pub(super) fn uncarry(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let introductions = &mut self.introductions;
        for it in introductions.take_carried(|it| it.from == id || it.to == id) {
            let about = (true, it.target, it.attempt);
            let why = Unlinked::NotConnected;
            self.say_step(cx, it.from, about, Step::End(why));
        }
    }
}

/// Who it is, if it may be told of and asked.
fn neighbour<C: Chunk>(session: &Session<C>) -> Option<Fingerprint> {
    let takes = session.talk.ts_introduce.is_some();
    session.linked_as().filter(|_| takes)
}
