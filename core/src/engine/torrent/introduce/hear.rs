//! What neighbours say of links that they bring about: who offers one, who answers, what has ended.

use super::super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::{DirectId, DirectWork, Output};
use crate::id::Fingerprint;
use crate::peer::{Session, SessionId};
use crate::wire::fingerprint;
use crate::wire::introduce::{Introduction, Step, Unlinked};

impl<C: Chunk> Torrent<C> {
    /// Somebody says something about introductions.
    pub(in crate::engine::torrent) fn handle_introduction(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        payload: &[u8],
    ) -> Result<(), Fault> {
        if !self.takes_introductions(cx) {
            return Ok(());
        }
        // A description is long, and costs the browser more than us.
        self.charge(cx, id, cx.config.work.dictionary.saturating_mul(8))?;
        match Introduction::decode(payload)? {
            None => {}
            Some(Introduction::Peers { added, dropped }) => {
                let config = &cx.config.paths.introduce;
                self.introductions
                    .hear(cx.now, id, &added, &dropped, config);
            }
            Some(Introduction::Step {
                carried,
                peer,
                attempt,
                step,
            }) => match carried {
                true => self.hear_carried(cx, id, peer, attempt, step),
                false => self.carry(cx, id, peer, attempt, step),
            },
        }
        Ok(())
    }

    /// Something was carried to us.
    fn hear_carried(
        &mut self,
        cx: &mut Cx<'_, C>,
        via: SessionId,
        peer: Fingerprint,
        number: u32,
        step: Step,
    ) {
        let known = self.introductions.attempt_with(peer);
        let known = known.filter(|(ours, attempt)| {
            attempt.via == Some(via) && attempt.theirs.unwrap_or(*ours) == number
        });
        match (step, known) {
            (Step::Offer(description), _) => {
                match self.hear_introduced(cx, via, peer, &description) {
                    Ok(()) => {
                        let work = DirectWork::Answer(description);
                        self.begin_introduction(cx, Some(via), peer, Some(number), work);
                    }
                    Err(why) => self.say_step(cx, via, (false, peer, number), Step::End(why)),
                }
            }
            (Step::Answer(description), Some((ours, attempt))) => {
                if attempt.theirs.is_some() || attempt.answered {
                    return;
                }
                if fingerprint::of_description(&description) == Some(peer) {
                    self.introductions.answered(ours);
                    let work = DirectWork::Accept(description);
                    return cx.emit(Output::Direct(DirectId::introduced(ours), work));
                }
                // The answer of somebody else. Others may know the way.
                self.introductions.partner(via).altered += 1;
                self.introductions.unknown_to(via, peer);
                self.drop_introduction(cx, ours);
            }
            (Step::End(why), Some((ours, attempt))) => {
                self.drop_introduction(cx, ours);
                let config = &cx.config.paths;
                match why {
                    _ if attempt.theirs.is_some() => {}
                    Unlinked::NoSuchPeer | Unlinked::NotConnected | Unlinked::NoSupport => {
                        self.introductions.unknown_to(via, peer);
                    }
                    Unlinked::Busy => {
                        let pause = config.introduce.pause;
                        self.introductions.rest(cx.now, peer, pause);
                    }
                    Unlinked::Unwanted => {
                        self.introductions.fail(cx.now, peer, &config.direct);
                    }
                }
            }
            (Step::Answer(_) | Step::End(_), None) => {}
        }
    }

    /// Somebody offers a link through a neighbour: whether it may have one.
    fn hear_introduced(
        &mut self,
        cx: &mut Cx<'_, C>,
        via: SessionId,
        peer: Fingerprint,
        description: &str,
    ) -> Result<(), Unlinked> {
        let config = &cx.config.paths.introduce;
        let neighbour = self.sessions.get(via).and_then(Session::linked_as);
        let partner = self.introductions.partner(via);
        if neighbour.is_none() || !partner.brings.take(cx.now, config.a_minute) {
            return Err(Unlinked::Busy);
        }
        if fingerprint::of_description(description) != Some(peer) {
            partner.altered += 1;
            return Err(Unlinked::Unwanted);
        }
        self.may_be_introduced(cx, peer)
    }

    /// Whether somebody who offers a link may have one.
    pub(in crate::engine::torrent) fn may_be_introduced(
        &mut self,
        cx: &mut Cx<'_, C>,
        peer: Fingerprint,
    ) -> Result<(), Unlinked> {
        let may = self.introduces(cx) && self.is_running() && self.is_welcome(cx, peer);
        let new = self.introductions.ours != Some(peer) && !self.linked().contains(&peer);
        if !may || !new {
            return Err(Unlinked::Unwanted);
        }
        if let Some((number, earlier)) = self.introductions.attempt_with(peer) {
            // Of two that offer to each other, the one with the lower fingerprint goes on; of two
            // offers of one, the later one.
            if earlier.theirs.is_none() && self.introductions.ours < Some(peer) {
                return Err(Unlinked::Unwanted);
            }
            self.drop_introduction(cx, number);
        }
        let full = self.sessions.len() >= cx.config.max_peers;
        match full || !self.may_make_links(cx) {
            true => Err(Unlinked::Busy),
            false => Ok(()),
        }
    }
}
