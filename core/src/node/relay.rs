//! A link to a server that is tracker and relay: our own protocol, from a client's side.
//!
//! The relay's half is channels and their credit: the engine says what it consumed and what
//! it expects, and credit follows in few, large grants, since each is a message through the
//! hub. The tracker's half is [`Tracker`].

mod carry;
mod idle;
mod tell;

pub(super) use idle::NEWS;

use std::collections::VecDeque;

use super::flow::Flow;
use super::pulse::{Pulse, Silence};
use super::trackers::Trackers;
use super::{LinkOutput, Output, TimerKind};
use crate::chunk::Chunk;
use crate::engine::config::TrackerConfig;
use crate::engine::{self, Config, Engine, Found, Standing, TrackerView};
use crate::find::Tracker;
use crate::id::{ChannelId, ChannelKey, InfoHash, LinkId, MemberId};
use crate::net::{Contact, LaneLimits, RelayPolicy};
use crate::peer::{Allowance, Opening, PeerPath};
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::relay::{
    ClientMessage, Peers, RelayUse, ServerMessage, Signal, StunServer, Welcome,
};
use crate::wire::webtorrent::Offer;

/// See the module.
#[derive(Debug)]
pub(super) struct RelayLink {
    id: LinkId,
    pulse: Pulse,
    /// What the hub said at the start; none until then.
    welcome: Option<Welcome>,
    tracker: Tracker,
    /// Channels that we asked for, by the number of the request.
    opening: SortedMap<u32, (InfoHash, MemberId)>,
    next_request: u32,
    channels: SortedMap<ChannelId, Flow>,
    /// What it may say that is worth nothing.
    idle_talk: Allowance,
    /// It said more than that.
    given_up: bool,
    /// What it said last that was about no torrent.
    complaint: Option<String>,
}

impl RelayLink {
    /// A connection that was just opened: the server speaks first.
    pub(super) fn new(id: LinkId, now: Time, config: &TrackerConfig) -> Self {
        RelayLink {
            id,
            pulse: Pulse::begin(now),
            welcome: None,
            tracker: Tracker::new(config.clone(), usize::MAX),
            opening: SortedMap::new(),
            next_request: 0,
            channels: SortedMap::new(),
            idle_talk: Allowance::default(),
            given_up: false,
            complaint: None,
        }
    }

    /// How it is, for a person.
    pub(super) fn state(&self) -> TrackerView {
        match self.welcome {
            Some(_) => TrackerView::Up,
            None => TrackerView::Connecting,
        }
    }

    /// Where peers may ask for their own addresses.
    pub(super) fn stun(&self) -> &[StunServer] {
        self.welcome.as_ref().map_or(&[], |welcome| &welcome.stun)
    }

    /// Our own number, once it is known.
    pub(super) fn member(&self) -> Option<MemberId> {
        self.welcome.as_ref().map(|welcome| welcome.member)
    }

    /// The server said something that is for others here.
    pub(super) fn hears(&mut self, now: Time) {
        self.pulse = Pulse::Heard(now);
    }

    /// A torrent is to be announced again by then.
    pub(super) fn announce_by(&mut self, info_hash: InfoHash, due: Time) {
        self.tracker.announce_by(info_hash, due);
    }

    /// Sends an offer of ours, or our answer to one.
    pub(super) fn signal<C: Chunk>(
        &self,
        info_hash: InfoHash,
        offer: Offer,
        is_offer: bool,
        out: &mut VecDeque<Output<C>>,
    ) {
        let Offer { id, sdp } = offer;
        let signal = Signal { info_hash, id, sdp };
        let message = match is_offer {
            true => ClientMessage::Offer(signal),
            false => ClientMessage::Answer(signal),
        };
        self.send(message, out);
    }

    /// What a torrent is at the tracker.
    pub(super) fn standing(&self, info_hash: InfoHash) -> Standing {
        self.tracker.standing(info_hash)
    }

    /// Asks a server that is silent, and gives up one that does not answer.
    pub(super) fn feel_pulse<C: Chunk>(
        &mut self,
        now: Time,
        config: &TrackerConfig,
        out: &mut VecDeque<Output<C>>,
    ) {
        match self.pulse.look(now, config) {
            Some(Silence::Ask) => self.send(ClientMessage::Ping, out),
            Some(Silence::Dead) => out.push_back(Output::Link(self.id, LinkOutput::Reconnect)),
            None => {}
        }
    }

    /// When something is due, and what.
    pub(super) fn timeouts<C: Chunk>(&self, engine: &Engine<C>) -> [(Option<Time>, TimerKind); 4] {
        let [announce, have, turn] = match self.welcome {
            Some(_) => self.tracker.timeouts(engine),
            None => [None; 3],
        };
        [
            (announce, TimerKind::Announce),
            (have, TimerKind::Have),
            (turn, TimerKind::Turn),
            (self.pulse.due(&engine.config().tracker), TimerKind::Pulse),
        ]
    }

    /// The server said something; what that means to the engine.
    pub(super) fn hear<C: Chunk>(
        &mut self,
        now: Time,
        message: ServerMessage,
        engine: &Engine<C>,
        trackers: &Trackers,
        out: &mut VecDeque<Output<C>>,
    ) -> engine::Input<C> {
        self.pulse = Pulse::Heard(now);
        match message {
            ServerMessage::Welcome(welcome) => self.greet(now, welcome, engine, trackers),
            ServerMessage::Peers(peers) => self.found(now, &peers),
            ServerMessage::Incoming(incoming) if !trackers.has(incoming.info_hash, self.id) => {
                // It was not told of this torrent, or not to tell others any more.
                let channel = incoming.channel;
                let reason = engine::Ending::UnknownTorrent.to_string();
                self.send(ClientMessage::Close { channel, reason }, out);
                engine::Input::Tick
            }
            ServerMessage::Incoming(incoming) => engine::Input::Offered {
                opening: Opening {
                    info_hash: incoming.info_hash,
                    channel: self.key(incoming.channel),
                    contact: self.contact(incoming.member),
                    path: PeerPath::Relay,
                    here: self.here(),
                },
                peer_id: incoming.peer_id,
                room: incoming.credit,
                crossing: self.crosses(incoming.info_hash, incoming.member),
            },
            ServerMessage::Accepted {
                request,
                channel,
                credit,
            } => self.accepted(request, (channel, credit), engine.config(), trackers, out),
            ServerMessage::Refused { request, .. } => match self.opening.remove(&request) {
                Some((info_hash, member)) => engine::Input::Declined {
                    info_hash,
                    contact: self.contact(member),
                },
                None => engine::Input::Tick,
            },
            ServerMessage::Credit { channel, bytes } => engine::Input::Room {
                channel: self.key(channel),
                bytes,
            },
            ServerMessage::Close { channel, .. } => {
                self.forget(channel);
                engine::Input::Closed {
                    channel: self.key(channel),
                }
            }
            ServerMessage::Error { info_hash, reason } => self.refused(now, info_hash, reason, out),
            ServerMessage::Pong => engine::Input::Tick,
            // The node's business.
            ServerMessage::Offer(_) | ServerMessage::Answer(_) => engine::Input::Tick,
            ServerMessage::Data(frame) => {
                self.receive(now, frame.channel(), C::of(frame.payload()))
            }
        }
    }

    /// The server passed on a stretch of a channel.
    pub(super) fn receive<C: Chunk>(
        &mut self,
        now: Time,
        channel: ChannelId,
        bytes: C,
    ) -> engine::Input<C> {
        self.pulse = Pulse::Heard(now);
        engine::Input::Received {
            channel: self.key(channel),
            bytes,
        }
    }

    fn greet<C: Chunk>(
        &mut self,
        now: Time,
        welcome: Welcome,
        engine: &Engine<C>,
        trackers: &Trackers,
    ) -> engine::Input<C> {
        if self.welcome.is_some() {
            // Once is enough, and what it said then holds.
            return engine::Input::Tick;
        }
        let config = engine.config().tracker.clone();
        self.tracker = Tracker::new(config, size(welcome.max_swarms));
        let told = engine.running();
        for info_hash in told.filter(|info_hash| trackers.has(*info_hash, self.id)) {
            self.tracker.look(now, info_hash, engine::Urgency::Now);
        }
        let limits = LaneLimits {
            max_channels: size(welcome.max_channels),
            max_payload: size(welcome.max_payload),
        };
        let policy = match (welcome.relay_only, welcome.relay) {
            (true, _) => RelayPolicy::Only,
            (false, RelayUse::Spare) => RelayPolicy::Spare,
            (false, RelayUse::Free) => RelayPolicy::Free,
        };
        self.welcome = Some(welcome);
        engine::Input::LinkUp {
            link: self.id,
            limits,
            policy,
        }
    }

    fn found<C: Chunk>(&mut self, now: Time, peers: &Peers) -> engine::Input<C> {
        if !self.tracker.answered(now, peers.info_hash, peers.interval) {
            return engine::Input::Tick;
        }
        let contacts = peers.members.iter().map(|member| Found {
            contact: self.contact(member.member),
            have: member.have,
            seed: member.seed,
        });
        engine::Input::Found {
            info_hash: peers.info_hash,
            link: self.id,
            complete: peers.complete,
            incomplete: peers.incomplete,
            contacts: contacts.collect(),
        }
    }

    /// We asked a member for a channel, and it asks us: the lower number's wish is carried out,
    /// the other's declined.
    fn crosses(&self, info_hash: InfoHash, member: MemberId) -> bool {
        let ours = self.welcome.as_ref().map(|welcome| welcome.member);
        let mut opening = self.opening.values();
        ours < Some(member) && opening.any(|open| *open == (info_hash, member))
    }

    fn accepted<C: Chunk>(
        &mut self,
        request: u32,
        (channel, credit): (ChannelId, u32),
        config: &Config,
        trackers: &Trackers,
        out: &mut VecDeque<Output<C>>,
    ) -> engine::Input<C> {
        let open = self.opening.remove(&request);
        // The wish may be older than what a person says of the torrent's trackers.
        let wanted = open.filter(|(info_hash, _)| trackers.has(*info_hash, self.id));
        let Some((info_hash, member)) = wanted else {
            let reason = engine::Ending::UnknownTorrent.to_string();
            self.send(ClientMessage::Close { channel, reason }, out);
            return match open {
                Some((info_hash, member)) => engine::Input::Declined {
                    info_hash,
                    contact: self.contact(member),
                },
                None => engine::Input::Tick,
            };
        };
        self.open(channel, config);
        engine::Input::Opened {
            opening: Opening {
                info_hash,
                channel: self.key(channel),
                contact: self.contact(member),
                path: PeerPath::Relay,
                here: self.here(),
            },
            room: credit,
        }
    }

    fn refused<C: Chunk>(
        &mut self,
        now: Time,
        info_hash: Option<InfoHash>,
        reason: String,
        out: &mut VecDeque<Output<C>>,
    ) -> engine::Input<C> {
        let link = self.id;
        let news = match info_hash {
            Some(info_hash) => self.tracker.refused(now, info_hash, &reason),
            None => {
                let before = self.complaint.replace(reason.clone());
                before.as_ref() != Some(&reason)
            }
        };
        if news {
            out.push_back(Output::Refused {
                link,
                info_hash,
                reason,
            });
        }
        match info_hash {
            Some(info_hash) => engine::Input::Unlisted { info_hash, link },
            None => engine::Input::Tick,
        }
    }

    /// Sends a message, if there is anybody to send it to.
    fn send<C: Chunk>(&self, message: ClientMessage, out: &mut VecDeque<Output<C>>) {
        if self.welcome.is_some() {
            out.push_back(Output::Link(self.id, LinkOutput::Send(message)));
        }
    }

    fn key(&self, channel: ChannelId) -> ChannelKey {
        ChannelKey {
            link: self.id,
            channel,
        }
    }

    /// What others at this server know us by.
    fn here(&self) -> [u8; 4] {
        self.member()
            .map_or([0; 4], |member| member.0.to_be_bytes())
    }

    fn contact(&self, member: MemberId) -> Contact {
        Contact::Member {
            link: self.id,
            member,
        }
    }
}

/// What the other end says in 32 bits.
pub(super) fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
