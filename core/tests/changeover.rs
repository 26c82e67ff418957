//! Two engines, several channels between them that break at any moment: they complete, nobody
//! is blamed, and in the end both talk through the same channel.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod content;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};
use swarm_core::engine::{
    Command, Config, Done, Ending, Engine, Event, Input, Output, PeerPath, Resume, Work,
};
use swarm_core::id::{ChannelId, ChannelKey, LinkId, MemberId};
use swarm_core::net::{Contact, LaneLimits, RelayPolicy};
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;
use swarm_core::time::Time;

const PIECE: u32 = 32 << 10;
const PIECES: u32 = 48;
/// Bytes a second that a channel carries, each way.
const RATE: u64 = 100_000;
/// Swarms that are tried: a thousand were, once.
const SEEDS: u64 = 10;
/// How long channels break.
const CHAOS: Duration = Duration::from_secs(40);
/// By then everything is here: both are offered a channel once a second.
const END: Duration = Duration::from_secs(240);

/// A channel between the two.
struct Pipe {
    delay: Duration,
    /// Until when each direction is busy.
    busy: [Time; 2],
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

struct Pair {
    now: Time,
    rng: Rng,
    engines: [Engine; 2],
    bytes: Bytes,
    pipes: BTreeMap<ChannelKey, Pipe>,
    /// What happens at which end, by its time and in order.
    events: BTreeMap<(Time, u64), (usize, ChannelKey, What)>,
    next: u64,
    completed: [bool; 2],
}

impl Pair {
    fn new(seed: u64) -> Self {
        let (metainfo, bytes) = content::of_one("file", u64::from(PIECES * PIECE), PIECE, 7);
        let now = Time::from_millis(1000);
        let mut config = Config::default();
        config.paths.channels = 2;
        let engines = [1, 2].map(|n| Engine::new(config.clone(), seed * 2 + n, now));
        let mut pair = Pair {
            now,
            rng: Rng::new(seed),
            engines,
            bytes,
            pipes: BTreeMap::new(),
            events: BTreeMap::new(),
            next: 0,
            completed: [false; 2],
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
                        policy: RelayPolicy::Spare,
                    },
                );
            }
            // Each has what the other lacks.
            let mut had = Bitfield::empty(PIECES);
            let layout = *metainfo.layout();
            for piece in layout.pieces().filter(|p| p.get() as usize % 2 == end) {
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

    /// The first end opens a channel through a link, if there is none.
    fn connect(&mut self, opener: usize, link: u32) {
        let used = |(key, pipe): (&ChannelKey, &Pipe)| {
            key.link == LinkId(link) && pipe.open.contains(&true)
        };
        if self.pipes.iter().any(used) {
            return;
        }
        let channel = ChannelKey {
            link: LinkId(link),
            channel: ChannelId(u32::try_from(self.pipes.len()).unwrap()),
        };
        let delay = Duration::from_millis(5 + self.rng.below(100) as u64);
        self.pipes.insert(
            channel,
            Pipe {
                delay,
                busy: [self.now; 2],
                open: [true; 2],
                dead: false,
            },
        );
        let path = match link {
            1 => PeerPath::Direct,
            _ => PeerPath::Relay,
        };
        let info_hash = content::of_one("file", u64::from(PIECES * PIECE), PIECE, 7)
            .0
            .info_hash();
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
                info_hash,
                channel,
                contact: contact(there),
                path,
                here: member(here).0.to_be_bytes(),
                room: 256 << 10,
            },
        );
        self.feed(
            there,
            Input::Offered {
                info_hash,
                channel,
                contact: contact(here),
                path,
                here: member(there).0.to_be_bytes(),
                peer_id,
                room: 256 << 10,
                crossing: false,
            },
        );
    }

    /// A channel breaks: what is under way is lost, and each end notices in its own time.
    fn cut(&mut self, channel: ChannelKey) {
        self.pipes.get_mut(&channel).unwrap().dead = true;
        self.events.retain(|_, (_, of, _)| *of != channel);
        for end in 0..2 {
            let after = Duration::from_millis(self.rng.below(3000) as u64);
            self.push(self.now + after, end, channel, What::Closed);
        }
    }

    fn push(&mut self, at: Time, end: usize, channel: ChannelKey, what: What) {
        self.next += 1;
        self.events.insert((at, self.next), (end, channel, what));
    }

    /// Something leaves an end through a channel.
    fn send(&mut self, end: usize, channel: ChannelKey, bytes: usize, what: What) {
        let pipe = self.pipes.get_mut(&channel).unwrap();
        if pipe.dead {
            return;
        }
        let took = Duration::from_micros(bytes as u64 * 1_000_000 / RATE);
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
                let room = What::Room(u32::try_from(bytes).unwrap());
                self.send(end, channel, 0, room);
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
                let done = match work {
                    Work::Read { .. } => {
                        let begin = (job.piece.get() * PIECE) as usize;
                        Done::Read(Ok(self.bytes.slice(begin..begin + PIECE as usize)))
                    }
                    Work::Hash { data } => Done::Hashed(Sha1::digest(&data).into()),
                    Work::Write { .. } => Done::Written(Ok(())),
                    Work::Verify => unreachable!("pieces are short"),
                };
                return Some(Input::Store(job, done));
            }
            Output::Event(Event::Completed(_)) => self.completed[end] = true,
            Output::Event(event) => panic!("{event:?}"),
            _ => {}
        }
        None
    }

    /// Time passes.
    fn run_until(&mut self, until: Time) {
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

    fn alive(&self) -> Vec<ChannelKey> {
        let alive = self.pipes.iter().filter(|(_, pipe)| !pipe.dead);
        let alive = alive.filter(|(_, pipe)| pipe.open == [true; 2]);
        alive.map(|(key, _)| *key).collect()
    }
}

#[test]
fn channels_that_break_at_any_moment_cost_time_and_nothing_else() {
    for seed in 0..SEEDS {
        let mut pair = Pair::new(seed);
        let begin = pair.now;
        while pair.now - begin < CHAOS {
            let (opener, link) = (pair.rng.below(2), pair.rng.below(3));
            pair.connect(opener, u32::try_from(link).unwrap());
            // Both at once, now and then.
            if pair.rng.below(3) == 0 {
                let link = pair.rng.below(3);
                pair.connect(1 - opener, u32::try_from(link).unwrap());
            }
            let pause = Duration::from_millis(pair.rng.below(2000) as u64);
            pair.run_until(pair.now + pause);
            let alive = pair.alive();
            if let Some(&channel) = pair.rng.choose(&alive) {
                pair.cut(channel);
            }
        }
        while pair.completed != [true; 2] && pair.now - begin < END {
            for link in 0..3 {
                pair.connect(0, link);
            }
            pair.run_until(pair.now + Duration::from_secs(1));
        }
        assert_eq!(pair.completed, [true; 2], "seed {seed}");
        // All are one, and the best of them carries the talk.
        pair.run_until(pair.now + Duration::from_secs(20));
        let paths = [0, 1].map(|end| {
            let peers = pair.engines[end].view(pair.now).torrents.remove(0).peers;
            peers.iter().map(|peer| peer.path).collect::<Vec<_>>()
        });
        assert!(paths[0].len() <= 1, "seed {seed}: {paths:?}");
        assert_eq!(paths[0], paths[1], "seed {seed}");
    }
}
