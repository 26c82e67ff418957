//! The overlay of tabs ([`crate::overlay`]) among the engine's channels: whose channel carries
//! what it says, and the links that are made for its sake alone.
//!
//! A neighbour of the overlay is somebody in a session who is linked directly and takes
//! `ts_overlay`, or whoever is at the other end of a link of the overlay's own. Such a link is made as
//! any direct link is; what goes through it is the peer wire, with a name of its own in the
//! place of an info-hash, and extended messages alone.

mod links;
mod wires;

use bytes::Bytes;

use super::channels::SessionKey;
use super::{DirectId, DirectNews, DirectWork, Ending, Engine, Event, Output};
use crate::chunk::Chunk;
use crate::id::{Fingerprint, InfoHash, LinkId};
use crate::net::{Contact, HAS_SOCKETS};
use crate::overlay::{self, BRIDGES, ITSELF, Overlay, OverlayConfig};
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::fingerprint;
use crate::wire::introduce::MAX_CARRIED;
use crate::wire::overlay::OverlayMessage;
use crate::wire::peer::Message;

use wires::Wires;

/// What the overlay's own links have in the place of an info-hash. It is no hash of anything.
const OVERLAY: InfoHash = InfoHash(*b"tabswarm overlay 001");
/// The id under which everybody takes `ts_overlay` messages.
pub(super) const TS_OVERLAY: u8 = 6;

/// See the module.
#[derive(Debug)]
pub(super) struct Tabs<C: Chunk> {
    overlay: Overlay,
    /// The overlay's own links.
    wires: Wires<C>,
    /// Those that are being made, by the number that the host knows them by.
    attempts: SortedMap<u32, Attempt>,
    /// Whose session leads to whom.
    carriers: SortedMap<Fingerprint, SessionKey>,
    /// Questions for torrents in whose swarms we are not yet, until when they wait: as many as the
    /// overlay takes.
    asked: Vec<(Time, u32, InfoHash)>,
}

/// A link in the making.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    peer: Fingerprint,
    /// The number of the offer that we answer, if it is not ours.
    theirs: Option<u32>,
    since: Time,
}

impl<C: Chunk> Tabs<C> {
    pub(super) fn new(config: OverlayConfig, rng: Rng) -> Self {
        Tabs {
            overlay: Overlay::new(config, rng),
            wires: Wires::default(),
            attempts: SortedMap::new(),
            carriers: SortedMap::new(),
            asked: Vec::new(),
        }
    }

    /// The overlay itself, for what torrents say to it.
    pub(super) fn overlay(&mut self) -> &mut Overlay {
        &mut self.overlay
    }

    /// Something is to be done as time passes.
    pub(super) fn waits(&self) -> bool {
        self.overlay.waits() || !self.attempts.is_empty()
    }

    /// Who is at the other end of a link in the making, and what stands for our own address.
    pub(super) fn who(&self, number: u32) -> Option<(InfoHash, Contact, [u8; 4])> {
        let attempt = self.attempts.get(&number)?;
        let ours = self.overlay.ours()?;
        let contact = Contact::Introduced(attempt.peer);
        Some((OVERLAY, contact, ours.address()))
    }

    /// A session's peer says something to us.
    pub(super) fn hear(
        &mut self,
        now: Time,
        from: Fingerprint,
        by: SessionKey,
        message: OverlayMessage,
    ) {
        if self.carriers.insert(from, by).is_none() {
            self.overlay.meet(now, from, false);
        }
        self.overlay.hear(now, from, message);
    }

    fn attempt_with(&self, peer: Fingerprint) -> Option<(u32, Attempt)> {
        let mut attempts = self.attempts.iter();
        let found = attempts.find(|(_, attempt)| attempt.peer == peer);
        found.map(|(number, attempt)| (*number, *attempt))
    }

    /// There is no channel to somebody any more, unless there is another.
    fn lose(&mut self, now: Time, peer: Fingerprint) {
        if !self.wires.lead_to(peer) && !self.carriers.contains_key(&peer) {
            self.overlay.part(now, peer);
        }
    }
}

impl<C: Chunk> Engine<C> {
    /// The host says something about a direct link: what is the overlay's in it. True if all of
    /// it is.
    pub(super) fn hear_of_link(&mut self, now: Time, id: DirectId, news: &DirectNews) -> bool {
        if self.config.overlay.links == 0 {
            return false;
        }
        if let DirectNews::Described(description) = news
            && let Some(ours) = fingerprint::of_description(description)
        {
            self.tabs.overlay.is_called(ours);
        }
        let introduced = id.channel.link == LinkId::INTRODUCED;
        let attempt = self.tabs.attempts.get(&id.attempt).copied();
        let Some(attempt) = attempt.filter(|_| introduced) else {
            return false;
        };
        match news {
            DirectNews::Described(description) if description.len() <= MAX_CARRIED => {
                let overlay = &mut self.tabs.overlay;
                let text = description.clone();
                match attempt.theirs {
                    Some(theirs) => overlay.answer(theirs, Ok(text)),
                    None => overlay.offer(now, id.attempt, attempt.peer, ITSELF, text),
                }
            }
            DirectNews::Described(_) => self.drop_link(now, id.attempt),
            // The host has nothing left to be dropped.
            DirectNews::Failed => {
                self.tabs.attempts.remove(&id.attempt);
                self.link_failed(now, attempt);
            }
            // Its channel comes with the next input.
            DirectNews::Linked => {
                self.tabs.attempts.remove(&id.attempt);
            }
        }
        true
    }

    /// A person wants no direct links.
    pub(super) fn leave_overlay(&mut self, now: Time) {
        for channel in self.tabs.wires.channels() {
            self.close_wire(now, channel, Ending::RelayOnly);
        }
        let attempts: Vec<_> = self.tabs.attempts.keys().copied().collect();
        for number in attempts {
            self.drop_link(now, number);
        }
        self.meet_sessions(now);
    }

    /// Lets the overlay's time pass.
    pub(super) fn overlay_upkeep(&mut self, now: Time) {
        if self.config.overlay.links == 0 {
            return;
        }
        self.meet_sessions(now);
        let timeout = self.config.overlay.timeout.saturating_mul(2);
        let attempts = self.tabs.attempts.iter();
        let late = attempts.filter(|(_, attempt)| now - attempt.since >= timeout);
        let late: Vec<u32> = late.map(|(number, _)| *number).collect();
        for number in late {
            self.drop_link(now, number);
        }
        let mut wants = Vec::new();
        if self.tabs.overlay.waits() {
            let (torrents, cx) = self.parts(now);
            let all = torrents.iter();
            let all = all.filter_map(|(hash, torrent)| Some((*hash, torrent.overlay_want(&cx)?)));
            wants.extend(all.map(|(hash, want)| (overlay::topic_of(hash), want)));
        }
        let bridge = HAS_SOCKETS && self.config.overlay.bridge.torrents > 0;
        if bridge {
            wants.push((BRIDGES, overlay::Want::BRIDGE));
        }
        self.tabs.overlay.want(now, &wants);
        self.tabs.overlay.tick(now);
        if bridge {
            self.answer_askers(now);
        }
    }

    /// A neighbour asks for a torrent.
    fn asked_to_carry(&mut self, now: Time, number: u32, by: Fingerprint, info_hash: InfoHash) {
        let until = now + self.config.overlay.timeout;
        self.tabs.asked.push((until, number, info_hash));
        self.answer_askers(now);
        if !self.torrents.contains_key(&info_hash) {
            let event = Event::Asked { info_hash, by };
            self.out.push_back(Output::Event(event));
        }
    }

    /// Tells those who asked for torrents in whose swarms we are. Nobody hears of one that is
    /// private (BEP 27), or may be.
    fn answer_askers(&mut self, now: Time) {
        let mut asked = std::mem::take(&mut self.tabs.asked);
        asked.retain(|(until, number, info_hash)| {
            let (torrents, cx) = self.parts(now);
            let want = torrents.get(info_hash).and_then(|it| it.overlay_want(&cx));
            let carries = want.is_some_and(|want| want.announce);
            if carries {
                self.tabs.overlay.carries(*number);
            }
            !carries && now < *until
        });
        self.tabs.asked = asked;
    }

    /// Who is linked with us in a session is a neighbour, and who was, is not.
    fn meet_sessions(&mut self, now: Time) {
        let mut carriers = SortedMap::new();
        let (torrents, cx) = self.parts(now);
        for (info_hash, torrent) in torrents.iter() {
            for (peer, session) in torrent.overlay_neighbours(&cx) {
                carriers.insert(peer, (*info_hash, session));
            }
        }
        let before = std::mem::replace(&mut self.tabs.carriers, carriers);
        for peer in before.keys() {
            self.tabs.lose(now, *peer);
        }
        let new: Vec<_> = self.tabs.carriers.keys().copied().collect();
        for peer in new {
            self.tabs.overlay.meet(now, peer, false);
        }
    }

    /// Does what the overlay says.
    pub(super) fn work_for_overlay(&mut self, now: Time) {
        while let Some(output) = self.tabs.overlay.poll() {
            match output {
                overlay::Output::Send { to, message } => self.say_to_tab(now, to, &message),
                overlay::Output::Link(peer) => self.begin_link(now, peer, None, DirectWork::Offer),
                overlay::Output::Part(peer) => {
                    if let Some(channel) = self.tabs.wires.to(peer) {
                        self.close_wire(now, channel, Ending::EnoughPeers);
                    }
                }
                overlay::Output::Peers { topic, peers } => {
                    if let Some(info_hash) = self.torrent_of(topic) {
                        self.with(now, info_hash, |torrent, cx| {
                            torrent.found_by_overlay(cx, &peers);
                        });
                    }
                }
                overlay::Output::Offered {
                    number,
                    from,
                    topic,
                    description,
                } => self.overlay_offered(now, number, from, topic, description),
                overlay::Output::Carry {
                    number,
                    from,
                    info_hash,
                } => {
                    if HAS_SOCKETS {
                        self.asked_to_carry(now, number, from, info_hash);
                    }
                }
                overlay::Output::Answered { attempt, answer } => {
                    self.overlay_answered(now, attempt, answer);
                }
            }
        }
    }

    fn torrent_of(&self, topic: overlay::Topic) -> Option<InfoHash> {
        let mut torrents = self.torrents.keys().copied();
        torrents.find(|info_hash| overlay::topic_of(*info_hash) == topic)
    }

    fn say_to_tab(&mut self, now: Time, to: Fingerprint, message: &OverlayMessage) {
        let payload = message.encode();
        if let Some(channel) = self.tabs.wires.to(to) {
            let id = TS_OVERLAY;
            let mut bytes = Vec::new();
            Message::<Bytes>::Extended { id, payload }.encode(&mut bytes);
            return self.send_by_wire(now, channel, &bytes);
        }
        if let Some((info_hash, session)) = self.tabs.carriers.get(&to).copied() {
            self.with(now, info_hash, |torrent, cx| {
                torrent.say_for_overlay(cx, session, payload);
            });
        }
    }
}
