//! Two engines without nodes, and channels between them, each with a rate and a delay of its own,
//! that break when a test says so.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

#[path = "../content/mod.rs"]
mod content;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use swarm_core::engine::{
    Command, Config, Ending, Engine, Event, Input, Opening, Output, PeerPath, Resume,
};
use swarm_core::id::{ChannelId, ChannelKey, LinkId, MemberId};
use swarm_core::metainfo::Metainfo;
use swarm_core::net::{Contact, LaneLimits, RelayPolicy};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::time::Time;

/// Bytes of a piece: two blocks.
pub(crate) const PIECE: u32 = 32 << 10;

/// A channel between the two.
struct Pipe {
    /// Bytes a second, each way.
    rate: u64,
    delay: Duration,
    /// Until when each direction is busy.
    busy: [Time; 2],
    /// What each end took and did not give credit for yet.
    consumed: [u32; 2],
    /// Each end has it.
    open: [bool; 2],
    /// Nothing comes through any more, though the ends may not know.
    dead: bool,
}

enum What {
    Bytes(Bytes),
    Room(u32),
    Closed,
}

pub(crate) struct Pair {
    pub(crate) now: Time,
    pub(crate) rng: Rng,
    engines: [Engine; 2],
    metainfo: Metainfo,
    bytes: Bytes,
    /// Credit of each channel.
    room: u32,
    pipes: BTreeMap<ChannelKey, Pipe>,
    /// What happens at which end, by its time and in order.
    events: BTreeMap<(Time, u64), (usize, ChannelKey, What)>,
    next: u64,
    pub(crate) completed: [bool; 2],
    /// Bytes that each end has sent.
    pub(crate) sent: [u64; 2],
}

impl Pair {
    /// Of so many pieces each has those that it is said to.
    pub(crate) fn new(
        seed: u64,
        pieces: u32,
        policy: RelayPolicy,
        has: impl Fn(usize, u32) -> bool,
    ) -> Self {
        let (metainfo, bytes) = content::of_one("file", u64::from(pieces * PIECE), PIECE, 7);
        let now = Time::from_millis(1000);
        let mut config = Config::default();
        config.paths.channels = 2;
        let engines = [1, 2].map(|n| Engine::new(config.clone(), seed * 2 + n, now));
        let mut pair = Pair {
            now,
            rng: Rng::new(seed),
            engines,
            metainfo: metainfo.clone(),
            bytes,
            room: 256 << 10,
            pipes: BTreeMap::new(),
            events: BTreeMap::new(),
            next: 0,
            completed: [false; 2],
            sent: [0; 2],
        };
        for end in 0..2 {
            for link in 0..3 {
                let limits = LaneLimits {
                    max_channels: 100,
                    max_payload: 64 << 10,
                };
                let link = LinkId(link);
                pair.feed(
                    end,
                    Input::LinkUp {
                        link,
                        limits,
                        policy,
                    },
                );
            }
            let mut had = Bitfield::empty(pieces);
            let layout = *metainfo.layout();
            for piece in layout.pieces().filter(|p| has(end, p.get())) {
                had.insert(piece);
            }
            pair.feed(
                end,
                Input::Command(Command::AddTorrent {
                    metainfo: metainfo.clone(),
                    resume: Resume::Pieces(had),
                    paused: false,
                }),
            );
        }
        pair
    }

    /// Channels that are opened from now on have so much credit.
    pub(crate) fn set_room(&mut self, room: u32) {
        self.room = room;
    }

    /// An end opens a channel through a link, 1 being a direct one, if there is none. True if
    /// it did.
    pub(crate) fn connect(&mut self, opener: usize, link: u32, rate: u64, delay: Duration) -> bool {
        let used = |(key, pipe): (&ChannelKey, &Pipe)| {
            key.link == LinkId(link) && pipe.open.contains(&true)
        };
        if self.pipes.iter().any(used) {
            return false;
        }
        let channel = ChannelKey {
            link: LinkId(link),
            channel: ChannelId(u32::try_from(self.pipes.len()).unwrap()),
        };
        self.pipes.insert(
            channel,
            Pipe {
                rate,
                delay,
                busy: [self.now; 2],
                consumed: [0; 2],
                open: [true; 2],
                dead: false,
            },
        );
        let path = match link {
            1 => PeerPath::Direct,
            _ => PeerPath::Relay,
        };
        let info_hash = self.metainfo.info_hash();
        let member = |end: usize| MemberId(link * 10 + u32::try_from(end).unwrap());
        let contact = |end: usize| Contact::Member {
            link: LinkId(link),
            member: member(end),
        };
        let (here, there) = (opener, 1 - opener);
        let peer_id = self.engines[here].peer_id();
        self.feed(
            here,
            Input::Opened {
                opening: Opening {
                    info_hash,
                    channel,
                    contact: contact(there),
                    path,
                    here: member(here).0.to_be_bytes(),
                },
                room: self.room,
            },
        );
        self.feed(
            there,
            Input::Offered {
                opening: Opening {
                    info_hash,
                    channel,
                    contact: contact(here),
                    path,
                    here: member(there).0.to_be_bytes(),
                },
                peer_id,
                room: self.room,
                crossing: false,
            },
        );
        true
    }

    /// A channel breaks: what is under way is lost, and each end notices so much later.
    pub(crate) fn cut(&mut self, channel: ChannelKey, after: [Duration; 2]) {
        self.pipes.get_mut(&channel).unwrap().dead = true;
        self.events.retain(|_, (_, of, _)| *of != channel);
        for (end, after) in after.into_iter().enumerate() {
            self.push(self.now + after, end, channel, What::Closed);
        }
    }

    fn push(&mut self, at: Time, end: usize, channel: ChannelKey, what: What) {
        self.next += 1;
        self.events.insert((at, self.next), (end, channel, what));
    }

    /// Something leaves an end through a channel.
    fn send(&mut self, end: usize, channel: ChannelKey, bytes: usize, what: What) {
        self.sent[end] += bytes as u64;
        let pipe = self.pipes.get_mut(&channel).unwrap();
        if pipe.dead {
            return;
        }
        let took = Duration::from_micros(bytes as u64 * 1_000_000 / pipe.rate);
        pipe.busy[end] = pipe.busy[end].max(self.now) + took;
        let at = pipe.busy[end] + pipe.delay;
        self.push(at, 1 - end, channel, what);
    }

    fn feed(&mut self, end: usize, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.engines[end].handle(self.now, input);
            while let Some(output) = self.engines[end].poll_output() {
                inputs.extend(self.carry_out(end, output));
            }
        }
    }

    fn carry_out(&mut self, end: usize, output: Output) -> Option<Input> {
        match output {
            Output::Send { channel, parts } => {
                let bytes = parts.frame(channel.channel).payload();
                let length = bytes.len();
                // As it may come: in pieces that end anywhere.
                let cut = self.rng.below(length + 1);
                let (first, rest) = (bytes.slice(..cut), bytes.slice(cut..));
                for part in [first, rest].into_iter().filter(|part| !part.is_empty()) {
                    self.send(end, channel, part.len(), What::Bytes(part));
                }
                let link = channel.link;
                return Some(Input::Sent {
                    link,
                    bytes: length,
                });
            }
            Output::Consumed { channel, bytes } => {
                // Few grants, and large, as a link makes them.
                let consumed = &mut self.pipes.get_mut(&channel).unwrap().consumed[end];
                *consumed += u32::try_from(bytes).unwrap();
                if *consumed >= self.room / 4 {
                    let room = What::Room(std::mem::take(consumed));
                    self.send(end, channel, 0, room);
                }
            }
            Output::Close { channel, reason } => {
                let innocent = matches!(
                    reason,
                    Ending::ConnectedAlready | Ending::NotWanted | Ending::EnoughChannels
                );
                assert!(innocent, "{reason}");
                self.pipes.get_mut(&channel).unwrap().open[end] = false;
                self.send(end, channel, 0, What::Closed);
            }
            Output::Store(job, work) => {
                let done = content::had(&self.bytes, PIECE, job, work);
                return Some(Input::Store(job, done));
            }
            Output::Event(Event::Completed(_)) => self.completed[end] = true,
            Output::Event(event) => panic!("{event:?}"),
            _ => {}
        }
        None
    }

    /// Time passes.
    pub(crate) fn run_until(&mut self, until: Time) {
        loop {
            let ticks = self.engines.each_ref().map(Engine::poll_timeout);
            let tick = (0..2).filter_map(|end| Some((ticks[end]?.0, end))).min();
            let event = self.events.keys().next().copied();
            let due = [tick.map(|(at, _)| at), event.map(|(at, _)| at)];
            let Some(due) = due.into_iter().flatten().min().filter(|due| *due < until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(due);
            match event.filter(|(at, _)| *at == due) {
                Some(key) => {
                    let (end, channel, what) = self.events.remove(&key).unwrap();
                    self.happens(end, channel, what);
                }
                None => self.feed(tick.unwrap().1, Input::Tick),
            }
        }
    }

    fn happens(&mut self, end: usize, channel: ChannelKey, what: What) {
        let input = match what {
            What::Bytes(bytes) => Input::Received { channel, bytes },
            What::Room(bytes) => Input::Room { channel, bytes },
            What::Closed => {
                self.pipes.get_mut(&channel).unwrap().open[end] = false;
                Input::Closed { channel }
            }
        };
        self.feed(end, input);
    }

    /// Channels that both ends have, and that have not broken.
    pub(crate) fn alive(&self) -> Vec<ChannelKey> {
        let alive = self.pipes.iter().filter(|(_, pipe)| !pipe.dead);
        let alive = alive.filter(|(_, pipe)| pipe.open == [true; 2]);
        alive.map(|(key, _)| *key).collect()
    }

    /// By which ways an end talks with the other.
    pub(crate) fn paths(&self, end: usize) -> Vec<PeerPath> {
        let peers = self.engines[end].view(self.now).torrents.remove(0).peers;
        peers.iter().map(|peer| peer.path).collect()
    }
}
