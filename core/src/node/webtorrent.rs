//! A link to a tracker of WebTorrent's kind, from a client's side: who is in a swarm is not told,
//! only met, by offers that go with an announce.

use std::collections::VecDeque;
use std::time::Duration;

use super::offers::{Partner, number_of};
use super::relay::NEWS;
use super::trackers::Trackers;
use super::{LinkOutput, Node, Output, TimerKind, WebTorrentInput};
use crate::chunk::Chunk;
use crate::engine::config::TrackerConfig;
use crate::engine::{self, Engine, Standing, TrackerView, Urgency};
use crate::find::Tracker;
use crate::id::{InfoHash, LinkId, PeerId};
use crate::peer::Allowance;
use crate::record::Sink;
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;
use crate::wire::relay;
use crate::wire::tracker::Event;
use crate::wire::webtorrent::{Announce, Answer, ClientMessage, Offer, ServerMessage};

/// See the module.
#[derive(Debug)]
pub(super) struct WebTorrentLink {
    id: LinkId,
    tracker: Tracker,
    /// It is told nothing, and was told that we left.
    held: bool,
    /// Swarms that we are in.
    joined: SortedSet<InfoHash>,
    /// Swarms of which we asked how they stand.
    asked: SortedSet<InfoHash>,
    /// Offers that wait for others, to leave together. As many as may be out at once.
    gathered: SortedMap<InfoHash, Vec<Offer>>,
    /// Spent on what it says that is worth nothing.
    idle_talk: Allowance,
    /// It said too much of that: nothing is heard until the connection is gone.
    given_up: bool,
}

/// What a tracker said, for the node.
#[derive(Debug)]
pub(super) enum Heard {
    /// Nothing that matters.
    Nothing,
    /// The swarm has so many members that may take offers; and its counts.
    Counts(InfoHash, usize, (u32, u32)),
    /// Somebody's offer.
    Offer(InfoHash, Partner, Offer),
    /// Somebody's answer.
    Answer(InfoHash, Partner, Offer),
    /// It does not have us in the swarm, for this reason.
    Refused(InfoHash, String, Refusal),
}

/// What a refusal is beside the one before it of that torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There was none.
    First,
    /// Another reason, which is a line more for a person to read.
    Other,
    Repeated,
}

impl Heard {
    /// What it costs of the allowance for what nobody asked for, as at our own servers.
    fn units(&self) -> u32 {
        match self {
            Heard::Counts(..) => 0,
            Heard::Refused(_, _, Refusal::Other) => NEWS,
            _ => 1,
        }
    }
}

impl WebTorrentLink {
    /// A connection that was just opened.
    pub(super) fn new(id: LinkId) -> Self {
        WebTorrentLink {
            id,
            tracker: Tracker::new(TrackerConfig::default(), usize::MAX),
            held: true,
            joined: SortedSet::new(),
            asked: SortedSet::new(),
            gathered: SortedMap::new(),
            idle_talk: Allowance::default(),
            given_up: false,
        }
    }

    /// How it is, for a person.
    pub(super) fn state(&self) -> TrackerView {
        TrackerView::Up
    }

    /// What a torrent is at the tracker.
    pub(super) fn standing(&self, info_hash: InfoHash) -> Standing {
        self.tracker.standing(info_hash)
    }

    /// When something is due, and what.
    pub(super) fn timeouts<C: Chunk>(&self, engine: &Engine<C>) -> [(Option<Time>, TimerKind); 2] {
        let [announce, have, _] = match self.held {
            true => [None; 3],
            false => self.tracker.timeouts(engine),
        };
        [(announce, TimerKind::Announce), (have, TimerKind::Have)]
    }

    /// It said something.
    pub(super) fn hear<C: Chunk>(
        &mut self,
        now: Time,
        message: ServerMessage,
        engine: &Engine<C>,
    ) -> Heard {
        let partner = |name| Partner {
            member: number_of(name),
            name,
        };
        match message {
            ServerMessage::Announced {
                info_hash,
                interval,
                complete,
                incomplete,
            } => {
                let (least, most) = engine.config().paths.rtc.interval;
                let interval = Duration::from_secs(interval.into()).clamp(least, most);
                let interval = u32::try_from(interval.as_secs()).unwrap_or(u32::MAX);
                let awaited = self.tracker.answered(now, info_hash, interval);
                if !awaited || !self.asked.remove(&info_hash) {
                    return Heard::Nothing;
                }
                // Ourselves among them, and a seed is to meet no other.
                let members = match engine.left(info_hash) {
                    Some(0) => incomplete,
                    _ => complete.saturating_add(incomplete).saturating_sub(1),
                };
                let members = usize::try_from(members).unwrap_or(usize::MAX);
                Heard::Counts(info_hash, members, (complete, incomplete))
            }
            ServerMessage::Offer {
                info_hash,
                peer_id,
                offer,
            } => Heard::Offer(info_hash, partner(peer_id), offer),
            ServerMessage::Answer {
                info_hash,
                peer_id,
                id,
                sdp,
            } => Heard::Answer(info_hash, partner(peer_id), Offer { id, sdp }),
            ServerMessage::Failure { info_hash, reason } => {
                self.joined.remove(&info_hash);
                let is_first = self.tracker.refusal(info_hash).is_none();
                let refusal = match self.tracker.refused(now, info_hash, &reason) {
                    true if is_first => Refusal::First,
                    true => Refusal::Other,
                    false => Refusal::Repeated,
                };
                Heard::Refused(info_hash, reason, refusal)
            }
            ServerMessage::Scraped(_) => Heard::Nothing,
        }
    }

    /// The engine wants something of whoever finds peers. `least` is how long to wait between
    /// two announces that nobody asked for.
    pub(super) fn find<C: Chunk>(
        &mut self,
        now: Time,
        output: &engine::Output<C>,
        least: Duration,
    ) {
        match *output {
            _ if self.held => {}
            engine::Output::Look { info_hash, urgency } => match urgency {
                Urgency::Now => self.tracker.look(now, info_hash, urgency),
                Urgency::Soon => self.tracker.announce_by(info_hash, now + least),
                // Whoever comes later makes offers by itself.
                Urgency::Lonely => {}
            },
            engine::Output::Have {
                info_hash,
                piece,
                complete: true,
            } => self.tracker.have(now, info_hash, piece, true),
            engine::Output::Leave { info_hash, .. } => self.tracker.leave(info_hash),
            _ => {}
        }
    }

    /// A torrent is to be announced again by then.
    pub(super) fn announce_by(&mut self, info_hash: InfoHash, due: Time) {
        self.tracker.announce_by(info_hash, due);
    }

    /// Tells it what is due. Where we take no offers there is nothing to be had of it, and it is
    /// told nothing.
    pub(super) fn tell<C: Chunk>(
        &mut self,
        now: Time,
        takes_offers: bool,
        engine: &Engine<C>,
        trackers: &Trackers,
        out: &mut VecDeque<Output<C>>,
    ) {
        let was_held = std::mem::replace(&mut self.held, !takes_offers);
        if !takes_offers {
            for info_hash in std::mem::take(&mut self.joined) {
                self.announce(info_hash, Event::Stopped, Vec::new(), engine, out);
            }
            self.gathered.clear();
            return;
        }
        if was_held {
            // From the beginning.
            self.tracker = Tracker::new(engine.config().tracker.clone(), usize::MAX);
            let told = engine.running();
            for info_hash in told.filter(|info_hash| trackers.has(*info_hash, self.id)) {
                self.tracker.look(now, info_hash, Urgency::Now);
            }
        }
        self.tracker.tell(now, engine);
        while let Some(message) = self.tracker.poll() {
            match message {
                relay::ClientMessage::Announce(announce) => {
                    let info_hash = announce.info_hash;
                    let event = match self.joined.insert(info_hash) {
                        true => Event::Started,
                        false => Event::Update,
                    };
                    self.asked.insert(info_hash);
                    self.announce(info_hash, event, Vec::new(), engine, out);
                }
                relay::ClientMessage::Have(have) => {
                    self.announce(have.info_hash, Event::Completed, Vec::new(), engine, out);
                }
                relay::ClientMessage::Leave { info_hash } if self.joined.remove(&info_hash) => {
                    self.announce(info_hash, Event::Stopped, Vec::new(), engine, out);
                }
                _ => {}
            }
        }
    }

    /// An offer of ours waits for others of its swarm.
    pub(super) fn gather(&mut self, info_hash: InfoHash, offer: Offer) {
        self.gathered.entry(info_hash).or_default().push(offer);
    }

    /// They leave.
    pub(super) fn say_offers<C: Chunk>(
        &mut self,
        info_hash: InfoHash,
        engine: &Engine<C>,
        out: &mut VecDeque<Output<C>>,
    ) {
        if let Some(offers) = self.gathered.remove(&info_hash)
            && self.joined.contains(&info_hash)
        {
            self.announce(info_hash, Event::Update, offers, engine, out);
        }
    }

    /// Our answer to somebody's offer.
    pub(super) fn answer<C: Chunk>(
        &self,
        info_hash: InfoHash,
        to: PeerId,
        Offer { id, sdp }: Offer,
        peer_id: PeerId,
        out: &mut VecDeque<Output<C>>,
    ) {
        let answer = Answer {
            info_hash,
            peer_id,
            to,
            id,
            sdp,
        };
        out.push_back(Output::WebTorrent(self.id, ClientMessage::Answer(answer)));
    }

    fn announce<C: Chunk>(
        &self,
        info_hash: InfoHash,
        event: Event,
        offers: Vec<Offer>,
        engine: &Engine<C>,
        out: &mut VecDeque<Output<C>>,
    ) {
        let totals = engine.totals(info_hash).unwrap_or_default();
        let announce = Announce {
            info_hash,
            peer_id: engine.peer_id(),
            uploaded: totals.uploaded,
            downloaded: totals.downloaded,
            left: Some(totals.left_as_said()),
            event,
            numwant: u32::try_from(offers.len()).ok(),
            offers,
        };
        let message = ClientMessage::Announce(announce);
        out.push_back(Output::WebTorrent(self.id, message));
    }
}

impl<S: Sink, C: Chunk> Node<S, C> {
    /// A tracker of WebTorrent's kind is there, or said something; what that means to the engine.
    pub(super) fn hear_webtorrent(
        &mut self,
        now: Time,
        id: LinkId,
        input: WebTorrentInput,
    ) -> engine::Input<C> {
        let message = match input {
            WebTorrentInput::Up => {
                self.links.remove(&id);
                self.foreign.insert(id, WebTorrentLink::new(id));
                return engine::Input::LinkDown { link: id };
            }
            WebTorrentInput::Message(message) => message,
        };
        let Some(link) = self.foreign.get_mut(&id) else {
            return engine::Input::Tick;
        };
        if link.given_up {
            return engine::Input::Tick;
        }
        let heard = link.hear(now, message, self.engine.engine());
        let work = &self.engine.engine().config().work;
        if !link.idle_talk.spend(now, work, heard.units()) {
            link.given_up = true;
            self.out.push_back(Output::Link(id, LinkOutput::Reconnect));
            return engine::Input::Tick;
        }
        match heard {
            Heard::Nothing => engine::Input::Tick,
            Heard::Counts(info_hash, members, (complete, incomplete)) => {
                self.invited(id, info_hash, members);
                engine::Input::Found {
                    info_hash,
                    link: id,
                    complete,
                    incomplete,
                    contacts: Vec::new(),
                }
            }
            Heard::Offer(info_hash, from, offer) => {
                self.hear_offer(now, (id, info_hash), from, offer);
                engine::Input::Tick
            }
            Heard::Answer(info_hash, from, offer) => {
                self.hear_answer(now, (id, info_hash), from, offer);
                engine::Input::Tick
            }
            Heard::Refused(info_hash, reason, refusal) => {
                if refusal != Refusal::Repeated {
                    self.out.push_back(Output::Refused {
                        link: id,
                        info_hash: Some(info_hash),
                        reason,
                    });
                }
                engine::Input::Unlisted {
                    info_hash,
                    link: id,
                }
            }
        }
    }

    /// Has trackers of WebTorrent's kind told what is due.
    pub(super) fn tell_webtorrent(&mut self, now: Time) {
        let ids: Vec<LinkId> = self.foreign.keys().copied().collect();
        for id in ids {
            let takes_offers = self.takes_offers(id);
            if let Some(link) = self.foreign.get_mut(&id) {
                let (engine, trackers) = (self.engine.engine(), &self.trackers);
                link.tell(now, takes_offers, engine, trackers, &mut self.out);
            }
        }
    }
}
