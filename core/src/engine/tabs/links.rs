//! Links of the overlay's own, in the making.

use super::super::{DirectId, DirectWork, Engine, Output};
use super::Attempt;
use crate::chunk::Chunk;
use crate::id::Fingerprint;
use crate::overlay::{self, ITSELF};
use crate::peer::PeerPath;
use crate::time::Time;
use crate::wire::fingerprint;
use crate::wire::introduce::Unlinked;

impl<C: Chunk> Engine<C> {
    /// Somebody offers a link: one of a torrent's, or one for the overlay.
    pub(super) fn overlay_offered(
        &mut self,
        now: Time,
        number: u32,
        from: Fingerprint,
        topic: overlay::Topic,
        description: String,
    ) {
        let may = if fingerprint::of_description(&description) != Some(from) {
            Err(Unlinked::Unwanted)
        } else if topic != ITSELF {
            let known = self.torrent_of(topic);
            let known = known.and_then(|info_hash| {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.offered_by_overlay(cx, number, from, description)
                })
            });
            known.unwrap_or(Err(Unlinked::Unwanted))
        } else {
            self.may_be_linked(now, from).map(|()| {
                let work = DirectWork::Answer(description);
                self.begin_link(now, from, Some(number), work);
            })
        };
        if let Err(why) = may {
            self.tabs.overlay.answer(number, Err(why));
        }
    }

    /// Whether an offer for the overlay is taken.
    pub(super) fn may_be_linked(&mut self, now: Time, from: Fingerprint) -> Result<(), Unlinked> {
        let tabs = &self.tabs;
        if !self.channels.allows(PeerPath::Direct) || !tabs.overlay.takes(from) {
            return Err(Unlinked::Unwanted);
        }
        if let Some((number, earlier)) = tabs.attempt_with(from) {
            // Of two that offer to each other, the one with the lower fingerprint goes on.
            if earlier.theirs.is_none() && tabs.overlay.ours() < Some(from) {
                return Err(Unlinked::Unwanted);
            }
            self.drop_link(now, number);
        }
        // Those that others want come beside those that we want.
        match self.tabs.attempts.len() >= 2 * self.config.overlay.at_once {
            true => Err(Unlinked::Busy),
            false => Ok(()),
        }
    }

    /// An offer of ours is answered.
    pub(super) fn overlay_answered(
        &mut self,
        now: Time,
        number: u32,
        answer: Result<String, Unlinked>,
    ) {
        let Some(attempt) = self.tabs.attempts.get(&number).copied() else {
            let torrents = self.torrents.iter();
            let mut of = torrents.filter(|(_, torrent)| torrent.is_introducing(number));
            if let Some(info_hash) = of.next().map(|(info_hash, _)| *info_hash) {
                self.with(now, info_hash, |torrent, cx| {
                    torrent.answered_by_overlay(cx, number, answer);
                });
            }
            return;
        };
        match answer {
            Ok(text) if fingerprint::of_description(&text) == Some(attempt.peer) => {
                let work = DirectWork::Accept(text);
                self.out
                    .push_back(Output::Direct(DirectId::introduced(number), work));
            }
            _ => self.drop_link(now, number),
        }
    }

    pub(super) fn begin_link(
        &mut self,
        now: Time,
        peer: Fingerprint,
        theirs: Option<u32>,
        work: DirectWork,
    ) {
        if !self.channels.allows(PeerPath::Direct) || self.tabs.attempt_with(peer).is_some() {
            return self.tabs.overlay.unlinked(now, peer);
        }
        let number = self.channels.number_introduction();
        let attempt = Attempt {
            peer,
            theirs,
            since: now,
        };
        self.tabs.attempts.insert(number, attempt);
        self.out
            .push_back(Output::Direct(DirectId::introduced(number), work));
    }

    pub(super) fn drop_link(&mut self, now: Time, number: u32) {
        if let Some(attempt) = self.tabs.attempts.remove(&number) {
            let work = DirectWork::Drop;
            self.out
                .push_back(Output::Direct(DirectId::introduced(number), work));
            self.link_failed(now, attempt);
        }
    }

    pub(super) fn link_failed(&mut self, now: Time, attempt: Attempt) {
        match attempt.theirs {
            Some(theirs) => self.tabs.overlay.answer(theirs, Err(Unlinked::Unwanted)),
            None => self.tabs.overlay.unlinked(now, attempt.peer),
        }
    }
}
