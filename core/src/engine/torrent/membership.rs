//! Membership: looking for others, meeting them, saying how far we are.

use super::places::Use;
use super::{Cx, Ending, Torrent};
use crate::chunk::Chunk;
use crate::engine::{Config, Found, Output, Report, Totals, Urgency};
use crate::id::{LinkId, PeerId};
use crate::net::Contact;
use crate::peer::{Opened, Opening};
use crate::pieces::{Download, PieceIndex};
use crate::time::Time;

impl<C: Chunk> Torrent<C> {
    /// Asks for others to be looked for.
    pub(super) fn look(&mut self, cx: &mut Cx<'_, C>, urgency: Urgency) {
        self.swarm.look();
        cx.emit(Output::Look {
            info_hash: self.info_hash,
            urgency,
        });
    }

    /// See [`crate::engine::Engine::report`].
    pub(in crate::engine) fn report(&self, now: Time, config: &Config) -> Option<Report> {
        if !self.is_running() {
            return None;
        }
        // Those that we have no use for don't count; some will refuse.
        let useful = self.count_useful(now, config, Use::Waits);
        Some(Report {
            left: self.left(),
            pieces: self
                .phase
                .download()
                .map(|download| bytes::Bytes::copy_from_slice(download.have().as_bytes())),
            wanted: 2 * config.target_peers.saturating_sub(useful),
        })
    }

    /// Bytes that we lack, if we know.
    pub(in crate::engine) fn left(&self) -> Option<u64> {
        let length = self.about.metainfo()?.length();
        self.phase
            .download()
            .map(|download| length - download.bytes_had())
    }

    pub(super) fn note_have(&mut self, cx: &mut Cx<'_, C>, piece: PieceIndex) {
        cx.emit(Output::Have {
            info_hash: self.info_hash,
            piece,
            complete: self.phase.download().is_some_and(Download::is_complete),
        });
    }

    /// Somebody says where it can be called.
    pub(super) fn hear_of(&mut self, cx: &Cx<'_, C>, contact: Contact) {
        let found = Found {
            contact,
            have: 1,
            seed: false,
        };
        let most = cx.config.places.prospects;
        self.swarm.prospects_mut().learn(&found, most);
    }

    /// What came of it so far.
    pub(in crate::engine) fn totals(&self) -> Totals {
        Totals {
            left: self.left(),
            uploaded: self.traffic.up().total(),
            downloaded: self.traffic.down().total(),
        }
    }

    /// Somebody was found behind a link, and the swarm there has so many members that have
    /// everything, and that lack something.
    pub(in crate::engine) fn found(
        &mut self,
        cx: &mut Cx<'_, C>,
        link: LinkId,
        counts: (u32, u32),
        contacts: &[Found],
    ) {
        if !self.is_running() {
            return;
        }
        self.swarm.count(link, counts);
        for found in contacts {
            self.swarm
                .prospects_mut()
                .learn(found, cx.config.places.prospects);
        }
        self.meet(cx);
        let alone = self.sessions.is_empty() && self.opening(cx).0 == 0;
        if alone && !self.is_finished() {
            self.look(cx, Urgency::Lonely);
        }
    }

    /// The swarm behind a link does not have us any more: who was found there is not asked.
    pub(in crate::engine) fn unlisted(&mut self, link: LinkId) {
        self.swarm.prospects_mut().untell(link);
    }

    /// The place in the swarm behind a link is another torrent's now.
    pub(in crate::engine) fn displaced(&mut self, cx: &mut Cx<'_, C>, link: LinkId) {
        self.close_link(cx, link, &Ending::TurnOver);
        self.swarm.leave(link);
    }

    /// Whoever is there is not talked to, for a while or for good.
    pub(in crate::engine) fn avoids(&self, now: Time, contact: Contact) -> bool {
        self.outcasts.unwelcome(now, contact).is_some()
    }

    /// Somebody wants a channel to us.
    pub(in crate::engine) fn offered(
        &mut self,
        cx: &mut Cx<'_, C>,
        offered: &Opened,
        peer_id: PeerId,
        crossing: bool,
    ) {
        let opening = &offered.opening;
        let channel = opening.channel;
        match self.welcome(cx, opening, crossing) {
            Err(reason) => cx.close(channel, reason),
            Ok(guest) => {
                cx.emit(Output::Accept { channel });
                self.open_session(cx, offered, Some(peer_id), guest);
            }
        }
    }

    /// Whether a place is to be had, or only that of a guest.
    fn welcome(
        &mut self,
        cx: &mut Cx<'_, C>,
        opening: &Opening,
        crossing: bool,
    ) -> Result<bool, Ending> {
        let contact = opening.contact;
        if !cx.channels.allows(opening.path) {
            return Err(Ending::RelayOnly);
        }
        if !self.is_running() {
            return Err(Ending::NotRunning);
        }
        if let Some(reason) = self.outcasts.unwelcome(cx.now, contact) {
            return Err(reason);
        }
        if self
            .sessions
            .has_channel(opening, cx.config.paths.several())
        {
            return Err(Ending::ConnectedAlready);
        }
        if crossing {
            return Err(Ending::Crossing);
        }
        let full = self.sessions.len() >= cx.config.max_peers;
        // Who was of no use a moment ago does not take another's place.
        let full =
            full && (self.swarm.prospects().rests(cx.now, contact) || !self.make_room(cx, false));
        if full && !self.has_room_for_guests(cx) {
            return Err(Ending::EnoughPeers);
        }
        Ok(full)
    }
}
