//! Trackers that are asked, and answer: HTTP (BEP 3) and UDP (BEP 15). When to announce what to
//! which of them; how the question gets there is the host's business.
//!
//! Of each tier of a torrent's trackers (BEP 12) one is announced to, the first that answers, in
//! an order that was drawn once; who answered comes first from then on. Every tier has its turn:
//! trackers know different peers.

mod source;
mod swarm;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::chunk::Chunk;
use crate::engine::config::AnnounceConfig;
use crate::engine::{self, Engine, Found, Totals, Urgency};
use crate::id::{InfoHash, LinkId};
use crate::net::contact::may_tell;
use crate::net::{Contact, HAS_SOCKETS};
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::tracker::Event;
use crate::wire::tracker::http::{AnnounceQuery, Announced, ResponseError};
use crate::wire::tracker::udp::UdpError;

pub use source::{SourceState, SourceView};
use swarm::Swarm;

/// See the module.
#[derive(Debug)]
pub struct Announcer {
    rng: Rng,
    /// What no other peer knows of us (BEP 7 `key`).
    key: u32,
    swarms: SortedMap<InfoHash, Swarm>,
    /// Questions on their way, and of which swarm's which tracker each is asked.
    asked: SortedMap<u32, (InfoHash, usize)>,
    next: u32,
    out: VecDeque<Said>,
}

/// What an announcer wants.
#[derive(Clone, Debug)]
pub enum Said {
    /// Ask a tracker.
    Ask(Ask),
    /// A person should know that a tracker does not do what it should, or warns.
    Trouble {
        /// The torrent.
        info_hash: InfoHash,
        /// The tracker.
        url: String,
        /// What is wrong.
        trouble: AnnounceError,
    },
}

/// A question to a tracker. It is answered once, or never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// To be given back with the answer.
    pub number: u32,
    /// The tracker's address as somebody wrote it: `http`, `https` or `udp`.
    pub url: String,
    /// What to say.
    pub query: AnnounceQuery,
}

/// Why a tracker is of no use at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnounceError {
    /// Nobody is there, or no connection is possible; in the system's words.
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    /// Nothing came in time.
    #[error("it does not answer")]
    Silent,
    /// Its address can't be asked.
    #[error("its address is no tracker's")]
    Address,
    /// HTTP, and not the status that an answer has.
    #[error("it answers with HTTP status {0}")]
    Status(u16),
    /// It sends elsewhere again and again, to where nobody can be asked, or from the Internet into
    /// a local network.
    #[error("it sends us in circles, or to where we don't go on its word alone")]
    Redirect,
    /// It is in a local network, and may be anything there.
    #[error("it is in a local network, and its address does not end in /announce")]
    Local,
    /// More than any answer should have.
    #[error("its answer is too long")]
    TooLong,
    /// What it says is no answer.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// The same, by UDP.
    #[error(transparent)]
    Datagram(#[from] UdpError),
    /// It refuses, in these words.
    #[error("it says: {0}")]
    Refused(String),
    /// It took the announce, and has something to say to people.
    #[error("it warns: {0}")]
    Warning(String),
}

/// What came of an [`Ask`].
pub type Answer = Result<Reply, AnnounceError>;

/// A tracker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Where the tracker is: what it may tell us of depends on that.
    pub from: IpAddr,
    /// What it says.
    pub announced: Announced,
}

impl Announcer {
    /// One that knows no tracker.
    pub fn new(mut rng: Rng) -> Self {
        Announcer {
            key: u32::try_from(rng.next_u64() >> 32).unwrap_or_default(),
            rng,
            swarms: SortedMap::new(),
            asked: SortedMap::new(),
            next: 0,
            out: VecDeque::new(),
        }
    }

    /// The next thing that it wants.
    pub fn poll(&mut self) -> Option<Said> {
        if !HAS_SOCKETS {
            return None;
        }
        self.out.pop_front()
    }

    /// A torrent has these trackers, tier by tier.
    pub fn learn(&mut self, info_hash: InfoHash, tiers: Vec<Vec<String>>, config: &AnnounceConfig) {
        if !HAS_SOCKETS {
            return;
        }
        let swarm = self.swarms.entry(info_hash).or_default();
        for mut tier in tiers {
            self.rng.shuffle(&mut tier);
            swarm.add_tier(tier, config.trackers);
        }
    }

    /// A torrent looks for others.
    pub fn look(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        urgency: Urgency,
        config: &AnnounceConfig,
    ) {
        if HAS_SOCKETS && let Some(swarm) = self.swarms.get_mut(&info_hash) {
            swarm.look(now, urgency, config);
        }
    }

    /// A torrent has its last piece.
    pub fn complete(&mut self, info_hash: InfoHash) {
        if HAS_SOCKETS && let Some(swarm) = self.swarms.get_mut(&info_hash) {
            swarm.complete();
        }
    }

    /// A torrent leaves its swarm, and may come back.
    pub fn leave<C: Chunk>(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        totals: Totals,
        engine: &Engine<C>,
    ) {
        if !HAS_SOCKETS {
            return;
        }
        let Some(swarm) = self.swarms.get_mut(&info_hash) else {
            return;
        };
        let left = swarm.leave();
        for index in left {
            self.ask(now, (info_hash, index), Event::Stopped, totals, engine);
        }
        self.asked.retain(|_, (of, _)| *of != info_hash);
        if engine.contents(info_hash).is_none() {
            self.swarms.remove(&info_hash);
        }
    }

    /// When something is due.
    pub fn due<C: Chunk>(&self, engine: &Engine<C>) -> Option<Time> {
        if !HAS_SOCKETS {
            return None;
        }
        let running = self.swarms.iter();
        let running = running.filter(|(info_hash, _)| engine.is_running(**info_hash));
        running
            .filter_map(|(_, swarm)| swarm.due(&engine.config().announce))
            .min()
    }

    /// Announces where that is due.
    pub fn tell<C: Chunk>(&mut self, now: Time, engine: &Engine<C>) {
        if !HAS_SOCKETS {
            return;
        }
        let config = &engine.config().announce;
        let mut due = Vec::new();
        for (info_hash, swarm) in &mut self.swarms {
            if engine.is_running(*info_hash) {
                let silent = swarm.give_up(now, config);
                for index in silent {
                    self.asked.retain(|_, of| *of != (*info_hash, index));
                    let trouble = swarm.failed(now, index, AnnounceError::Silent, config);
                    self.out
                        .extend(trouble.map(|trouble| trouble.said(*info_hash)));
                }
                let events = swarm.take_due(now);
                due.extend(
                    events
                        .into_iter()
                        .map(|(index, event)| (*info_hash, index, event)),
                );
            }
        }
        for (info_hash, index, event) in due {
            if let Some(totals) = engine.totals(info_hash) {
                self.ask(now, (info_hash, index), event, totals, engine);
            }
        }
    }

    fn ask<C: Chunk>(
        &mut self,
        now: Time,
        (info_hash, index): (InfoHash, usize),
        event: Event,
        totals: Totals,
        engine: &Engine<C>,
    ) {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let key = self.key;
        let Some(swarm) = self.swarms.get_mut(&info_hash) else {
            return;
        };
        let Some((url, query)) = swarm.question(now, index, event, number, |announce| {
            announce.info_hash = info_hash;
            announce.key = Some(key);
            source::fill_in(announce, now, totals, engine);
        }) else {
            return;
        };
        if event != Event::Stopped {
            self.asked.insert(number, (info_hash, index));
        }
        self.out.push_back(Said::Ask(Ask { number, url, query }));
    }

    /// A tracker answered, or did not; whom that tells the engine of.
    pub fn answered<C: Chunk>(
        &mut self,
        now: Time,
        number: u32,
        answer: Answer,
        config: &AnnounceConfig,
    ) -> Option<engine::Input<C>> {
        if !HAS_SOCKETS {
            return None;
        }
        let (info_hash, index) = self.asked.remove(&number)?;
        let swarm = self.swarms.get_mut(&info_hash)?;
        if !swarm.awaits(index, number) {
            return None;
        }
        match answer {
            Err(error) => {
                let trouble = swarm.failed(now, index, error, config);
                self.out
                    .extend(trouble.map(|trouble| trouble.said(info_hash)));
                None
            }
            Ok(Reply { from, announced }) => {
                let warning = swarm.answered(now, index, &announced, config);
                self.out
                    .extend(warning.map(|warning| warning.said(info_hash)));
                let (complete, incomplete) = swarm.counts();
                let peers = announced.peers.iter().map(|peer| peer.address);
                let peers = peers.filter(|address| may_tell(from, *address));
                Some(engine::Input::Found {
                    info_hash,
                    link: LinkId::NETWORK,
                    complete,
                    incomplete,
                    contacts: peers.map(found).collect(),
                })
            }
        }
    }

    /// A torrent's trackers, for a person.
    pub fn view(&self, info_hash: InfoHash) -> Vec<SourceView> {
        self.swarms
            .get(&info_hash)
            .map(Swarm::view)
            .unwrap_or_default()
    }
}

/// Somebody is said to be at this address; what it has, nobody says.
pub fn found(address: SocketAddr) -> Found {
    Found {
        contact: Contact::Address(address),
        have: 1,
        seed: false,
    }
}
