//! A Kademlia overlay of tabs: how those of one swarm find each other through those of others, when no
//! server is left.
//!
//! A tab can't send a datagram to whom it likes: what it can talk to are those whom it is linked
//! with, and each link costs about a second and a connection. So the buckets of a table
//! ([`crate::dht`]'s) have linked neighbours in them, and a question goes from link to link, each time to
//! whoever is nearest to its target, until nobody is nearer (recursive routing, where mainline's
//! is iterative). What is answered comes back the same way; every hop remembers for a few seconds
//! from whom it had the question, and nothing else.
//!
//! A tab's identifier is the SHA-1 of its certificate's fingerprint: DTLS shows who has it, and
//! whoever wants another place has to make another certificate. What stands for a torrent is a
//! hash of its info-hash: those who pass a question on don't learn the info-hash.
//!
//! Whoever owns an [`Overlay`] says with whom there is a channel ([`Overlay::meet`]), what came
//! through one ([`Overlay::hear`]), and lets time pass ([`Overlay::tick`]); then drains
//! [`Overlay::poll`]. Links that the overlay wants are its owner's to make.

mod bridges;
mod buckets;
mod calls;
mod config;
mod hear;
mod storage;
mod upkeep;

use std::collections::VecDeque;

use sha1::{Digest, Sha1};

pub use bridges::BRIDGES;
pub use config::{BridgeConfig, OverlayConfig};

use crate::dht::NodeId;
use crate::id::{Fingerprint, InfoHash};
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::introduce::Unlinked;
use crate::wire::overlay::{MAX_HOPS, OverlayMessage, Question, Target};
use bridges::Bridges;
use buckets::Buckets;
use calls::{Back, Calls, Offer, Purpose};
use storage::Storage;
use upkeep::{Maintenance, Wish};

/// What stands for a torrent.
pub type Topic = Target;

/// What stands for the overlay itself in an offer, where others have what stands for a torrent.
pub const ITSELF: Topic = [0; 20];

/// See the module.
#[derive(Debug)]
pub struct Overlay {
    config: OverlayConfig,
    rng: Rng,
    buckets: Option<Buckets>,
    calls: Calls,
    storage: Storage,
    maintenance: Maintenance,
    wishes: SortedMap<Target, Wish>,
    bridges: Bridges,
    out: VecDeque<Output>,
}

/// Something to do, or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this to a neighbour.
    Send {
        /// Which one.
        to: Fingerprint,
        /// What.
        message: OverlayMessage,
    },
    /// Have a link made, then say [`Overlay::meet`] or [`Overlay::unlinked`].
    Link(Fingerprint),
    /// A link that nobody needs is to be closed, if it is the overlay's alone.
    Part(Fingerprint),
    /// These say that they have what a topic stands for.
    Peers {
        /// The topic.
        topic: Target,
        /// Who.
        peers: Vec<Fingerprint>,
    },
    /// Somebody offers a link: to be answered by [`Overlay::answer`].
    Offered {
        /// The offer's number.
        number: u32,
        /// Who, as those say who passed it on.
        from: Fingerprint,
        /// For what.
        topic: Target,
        /// The session description.
        description: String,
    },
    /// A neighbour wants a torrent that nobody whom it knows has all of: [`Overlay::carries`] says
    /// that we are in its swarm.
    Carry {
        /// The question's number.
        number: u32,
        /// Which neighbour.
        from: Fingerprint,
        /// Which torrent.
        info_hash: InfoHash,
    },
    /// An offer of ours is answered.
    Answered {
        /// The number that was said to [`Overlay::offer`].
        attempt: u32,
        /// The other end's description, or why there is none.
        answer: Result<String, Unlinked>,
    },
}

/// What a torrent wants of the overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Others may find us for it.
    pub announce: bool,
    /// Others are looked for.
    pub look: bool,
    /// Nobody is known who has all of it: bridges may learn that this torrent is wanted.
    pub carry: Option<InfoHash>,
}

impl Want {
    /// To be found as a bridge, under [`BRIDGES`].
    pub const BRIDGE: Want = Want {
        announce: true,
        look: false,
        carry: None,
    };
}

/// What a tab is called.
pub fn id_of(tab: Fingerprint) -> NodeId {
    NodeId(Sha1::digest(tab.0).into())
}

/// What stands for a torrent.
pub fn topic_of(info_hash: InfoHash) -> Topic {
    let mut hash = Sha1::new();
    hash.update(b"tabswarm overlay");
    hash.update(info_hash.0);
    hash.finalize().into()
}

impl Overlay {
    /// One that nobody is in yet.
    pub fn new(config: OverlayConfig, rng: Rng) -> Self {
        Overlay {
            config,
            rng,
            buckets: None,
            calls: Calls::default(),
            storage: Storage::default(),
            maintenance: Maintenance::default(),
            wishes: SortedMap::new(),
            bridges: Bridges::default(),
            out: VecDeque::new(),
        }
    }

    /// Our own certificate is known. Until then nothing happens.
    pub fn is_called(&mut self, ours: Fingerprint) {
        if self.ours() != Some(ours) {
            self.buckets = Some(Buckets::new(ours));
        }
    }

    /// Our own certificate, once it is known.
    pub fn ours(&self) -> Option<Fingerprint> {
        self.buckets.as_ref().map(Buckets::ours)
    }

    /// There is a channel to somebody, which is the overlay's alone or not.
    pub fn meet(&mut self, now: Time, tab: Fingerprint, alone: bool) {
        let Some(buckets) = &mut self.buckets else {
            return;
        };
        self.maintenance.met(tab);
        if buckets.meet(tab, alone) {
            self.maintenance.greet(tab);
            self.maintenance.look_soon(now, &self.config);
            self.ask_bridges(now);
        }
    }

    /// There is none any more: what went that way is lost, and those who asked hear of it.
    pub fn part(&mut self, now: Time, tab: Fingerprint) {
        let met = self.buckets.as_mut().is_some_and(|b| b.part(tab));
        if met {
            // Somebody else may have its place.
            self.maintenance.look_soon(now, &self.config);
            for (_, call) in self.calls.take(|call| call.to == tab) {
                self.fail(now, call, Unlinked::NotConnected);
            }
        }
    }

    /// A link that was to be made is not.
    pub fn unlinked(&mut self, now: Time, tab: Fingerprint) {
        self.maintenance.failed(now, tab, &self.config);
    }

    /// Somebody may be linked with us for the overlay's sake.
    pub fn takes(&self, tab: Fingerprint) -> bool {
        let buckets = self.buckets.as_ref();
        buckets.is_some_and(|buckets| {
            let new = buckets.ours() != tab && !buckets.has(tab);
            // Near ones are always welcome: whoever is looked for there has to be found.
            new && (buckets.len() < self.config.links || buckets.wants(tab, &self.config))
        })
    }

    /// Topics of which we remember who has them.
    pub fn topics(&self) -> usize {
        self.storage.len()
    }

    /// With whom there are channels.
    pub fn neighbours(&self) -> impl Iterator<Item = Fingerprint> {
        let buckets = self.buckets.iter();
        buckets.flat_map(Buckets::tabs)
    }

    /// There is a channel to somebody.
    pub fn knows(&self, tab: Fingerprint) -> bool {
        self.buckets.as_ref().is_some_and(|b| b.has(tab))
    }

    /// Something is to be done as time passes.
    pub fn waits(&self) -> bool {
        self.buckets.as_ref().is_some_and(|b| b.len() > 0) || !self.calls.is_empty()
    }

    /// Offers somebody a link; [`Output::Answered`] says what came of it.
    pub fn offer(
        &mut self,
        now: Time,
        attempt: u32,
        to: Fingerprint,
        topic: Target,
        description: String,
    ) {
        let offer = Offer {
            attempt,
            to,
            topic,
            description,
            tried: Vec::new(),
        };
        self.try_offer(now, offer, Unlinked::NotConnected);
    }

    /// Sends an offer another way, or says that none is left.
    fn try_offer(&mut self, now: Time, mut offer: Offer, why: Unlinked) {
        let target = id_of(offer.to);
        let ways = self.config.ways;
        // Back to where we heard of it; if that was nowhere, or fails, as near as we know.
        let heard = self.maintenance.heard_of(offer.to);
        let heard = heard.filter(|it| offer.topic == ITSELF && self.knows(it.first));
        let heard = heard.filter(|it| !offer.tried.contains(&it.first));
        let way = heard.map_or(target.0, |it| it.way);
        let nearest = self.buckets.iter().flat_map(|b| b.nearest(target, ways));
        let nearest = heard.map(|it| it.first).into_iter().chain(nearest);
        let mut untried = nearest.filter(|tab| !offer.tried.contains(tab));
        let next = untried.next().filter(|_| offer.tried.len() < ways);
        let Some(next) = next else {
            let (attempt, answer) = (offer.attempt, Err(why));
            return self.out.push_back(Output::Answered { attempt, answer });
        };
        offer.tried.push(next);
        let question = Question::Offer {
            way,
            topic: offer.topic,
            description: offer.description.clone(),
        };
        let purpose = Purpose::Offer(Box::new(offer));
        self.question(now, next, (target.0, MAX_HOPS), question, purpose);
    }

    /// Answers an offer, see [`Output::Offered`].
    pub fn answer(&mut self, number: u32, answer: Result<String, Unlinked>) {
        self.reply_to_offer(number, answer);
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Asks the neighbours that are nearest to a target, so many of them at most; how many
    /// there were.
    fn ask(
        &mut self,
        now: Time,
        target: Target,
        question: &Question,
        purpose: &Purpose,
        ways: usize,
    ) -> usize {
        let Some(buckets) = &self.buckets else {
            return 0;
        };
        let nearest = buckets.nearest(NodeId(target), ways);
        for to in &nearest {
            let question = question.clone();
            self.question(now, *to, (target, MAX_HOPS), question, purpose.clone());
        }
        nearest.len()
    }

    /// Asks a neighbour something of our own; `hops` is how much farther it may go.
    fn question(
        &mut self,
        now: Time,
        to: Fingerprint,
        (target, hops): (Target, u8),
        question: Question,
        purpose: Purpose,
    ) {
        let until = now + self.config.timeout;
        let number = self.calls.begin(to, Back::Ours(purpose), until);
        let message = OverlayMessage::Question {
            number,
            hops,
            origin: None,
            target,
            question,
        };
        self.out.push_back(Output::Send { to, message });
    }
}
