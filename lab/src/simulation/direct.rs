//! Direct links: what browsers do (WebRTC), without a browser.
//!
//! Two peers agree on one through their session, as they do outside; what they hand each other
//! as descriptions names the agreement. A link has no line of its own: what it carries waits
//! for the sender's uplink and the receiver's downlink together with what goes to and comes
//! from the relay.

use std::collections::BTreeMap;

use swarm_core::engine::{DirectId, DirectWork};
use swarm_core::id::LinkId;
use swarm_core::net::Parts;
use swarm_core::node::{DirectInput, WireInput, WireOutput};
use swarm_core::rng::Rng;

use super::chunk::LabChunk;
use super::queue::Event;
use super::stream::Stream;
use super::{Input, Nanos, Simulation, nanos};
use crate::Scenario;
use crate::scenario::DirectLinks;

/// The first number that a peer knows a link by, above that of its connection to the relay.
const FIRST_WIRE: u32 = 1 << 16;
/// Bytes that leave at once, as in a tab.
const MAX_PAYLOAD: usize = 64 << 10;
/// What a browser's description is long, with its candidates.
const DESCRIPTION: usize = 1500;
/// Round trips from the moment at which both ends know of each other: connectivity checks
/// (RFC 8445), DTLS 1.2 (RFC 6347), SCTP (RFC 9260), and the channel's own (RFC 8832).
const ROUND_TRIPS: f64 = 5.0;
/// A browser takes some five seconds to see that nothing comes any more, and a host lets as
/// many pass in case that it comes back. Seconds.
const NOTICE: f64 = 10.0;

/// Which of two peers' talks about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Agreement(u64);

/// Which link: they are numbered in the order in which they come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkNumber(usize);

/// One of the two ends of a link: 0 is who offered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinkEnd {
    link: LinkNumber,
    side: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Directs {
    config: DirectLinks,
    rng: Rng,
    /// What the pairs that can't be linked are drawn from.
    pairs: Rng,
    agreements: u64,
    /// Who offered, and who answered.
    making: BTreeMap<Agreement, [Option<(usize, DirectId)>; 2]>,
    /// The same by those who make it.
    by: BTreeMap<(usize, DirectId), Agreement>,
    links: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    /// The peers, and their numbers for it.
    ends: [(usize, LinkId); 2],
    /// What each end has sent so far.
    streams: [Stream; 2],
    /// When each direction has carried all that was sent, if it has a rate of its own.
    busy: [Nanos; 2],
    /// When the last of what each end sent arrives.
    arrives: [Nanos; 2],
    /// Nothing gets through any more.
    broken: bool,
}

impl Agreement {
    /// Which one a description names.
    fn of(description: &str) -> Option<Self> {
        let first = description.lines().next()?;
        first.trim().parse().ok().map(Agreement)
    }
}

impl LinkEnd {
    fn other(self) -> Self {
        LinkEnd {
            side: 1 - self.side,
            ..self
        }
    }
}

impl Directs {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let rng = Rng::new(scenario.seed).fork("direct");
        Directs {
            config: scenario.direct,
            pairs: rng.fork("pairs"),
            rng,
            agreements: 0,
            making: BTreeMap::new(),
            by: BTreeMap::new(),
            links: Vec::new(),
        }
    }

    /// Where these two are lets them be linked; the same each time.
    fn can_link(&self, one: usize, other: usize) -> bool {
        let (low, high) = (one.min(other), one.max(other));
        self.pairs.fork(&format!("{low} {high}")).unit() >= self.config.unable
    }

    /// What names an agreement, and the certificate by which those who were introduced know each
    /// other. Without one nobody can be introduced.
    fn description(&self, peer: usize, agreement: Agreement) -> String {
        if !self.config.introductions {
            return format!("{:>DESCRIPTION$}", agreement.0);
        }
        let mut certificate = [0; 32];
        let mut rng = self.pairs.fork(&format!("certificate {peer}"));
        rng.fill(&mut certificate);
        let digits = certificate.map(|byte| format!("{byte:02X}")).join(":");
        let named = format!("{}\r\na=fingerprint:sha-256 {digits}\r\n", agreement.0);
        format!("{named:<DESCRIPTION$}")
    }

    /// Links that this peer is making.
    fn made_by(&self, peer: usize) -> usize {
        let all = self.by.range((peer, least())..);
        all.take_while(|((of, _), _)| *of == peer).count()
    }

    /// Nothing comes of it.
    fn give_up(&mut self, peer: usize, id: DirectId) {
        if let Some(agreement) = self.by.remove(&(peer, id)) {
            self.making.remove(&agreement);
        }
    }
}

impl Simulation {
    /// Does what a node says about a link in the making.
    pub(super) fn make_direct(&mut self, index: usize, id: DirectId, work: DirectWork) {
        let directs = &mut self.directs;
        let agreement = match work {
            DirectWork::Drop => return directs.give_up(index, id),
            DirectWork::Accept(_) => return self.reach(index, id),
            DirectWork::Offer => {
                directs.agreements += 1;
                let agreement = Agreement(directs.agreements);
                directs.making.insert(agreement, [Some((index, id)), None]);
                Some(agreement)
            }
            DirectWork::Answer(theirs) => {
                let agreement = Agreement::of(&theirs);
                agreement.filter(|agreement| {
                    let ends = directs.making.get_mut(agreement);
                    ends.is_some_and(|ends| ends[1].replace((index, id)).is_none())
                })
            }
        };
        let has = self.peers[index].wires.len() + self.directs.made_by(index);
        // Whoever carries descriptions for others knows nothing of the bound.
        let introduced = id.channel.link == LinkId::INTRODUCED;
        let most = self.directs.config.most.filter(|_| !introduced);
        let full = most.is_some_and(|most| has >= most as usize);
        match agreement.filter(|_| !full) {
            Some(agreement) => {
                self.directs.by.insert((index, id), agreement);
                let description = self.directs.description(index, agreement);
                // It asks a server beside the relay what its address is.
                let asked = self.now + nanos(2.0 * self.peers[index].part.link.latency);
                let event = Event::Described(index, id, description);
                self.queue.push(asked, event);
            }
            None => self.queue.push(self.now, Event::Unlinked(index, id)),
        }
    }

    pub(super) fn described(&mut self, index: usize, id: DirectId, description: String) {
        if self.directs.by.contains_key(&(index, id)) {
            let described = DirectInput::Described(description);
            self.feed(index, Input::Direct(id, described));
        }
    }

    pub(super) fn unlinked(&mut self, index: usize, id: DirectId) {
        self.feed(index, Input::Direct(id, DirectInput::Failed));
    }

    /// Both ends know of each other. If one can't reach the other, nothing happens, until
    /// somebody gives up.
    fn reach(&mut self, index: usize, id: DirectId) {
        let directs = &self.directs;
        let agreement = directs.by.get(&(index, id));
        let ends = agreement.and_then(|agreement| directs.making.get(agreement));
        let (Some(agreement), Some([Some((one, _)), Some((other, _))])) = (agreement, ends) else {
            return;
        };
        if directs.can_link(*one, *other) {
            let way = directs.config.latency + directs.config.jitter / 2.0;
            let at = self.now + nanos(2.0 * ROUND_TRIPS * way);
            self.queue.push(at, Event::Linked(*agreement));
        }
    }

    pub(super) fn linked(&mut self, agreement: Agreement) {
        let directs = &mut self.directs;
        let Some([Some(one), Some(other)]) = directs.making.remove(&agreement) else {
            return;
        };
        let both = [one, other];
        for end in &both {
            directs.by.remove(end);
        }
        if both.iter().any(|(peer, _)| !self.peers[*peer].is_present()) {
            return;
        }
        let link = LinkNumber(directs.links.len());
        let ends = both.map(|(index, _)| {
            let peer = &mut self.peers[index];
            let wire = LinkId(FIRST_WIRE + peer.links_made);
            peer.links_made += 1;
            peer.wires.insert(wire, link);
            peer.clock(self.now, &self.measure.available);
            self.log.note(self.now, "linked", index, &[link.0 as u64]);
            (index, wire)
        });
        directs.links.push(Link {
            ends,
            streams: Default::default(),
            busy: [self.now; 2],
            arrives: [self.now; 2],
            broken: false,
        });
        self.measure.linked += 1;
        if let Some(mean) = directs.config.lifetime {
            let lasts = -mean * (1.0 - directs.rng.unit()).ln();
            self.queue
                .push(self.now + nanos(lasts), Event::Breaks(link));
        }
        for ((index, wire), (_, id)) in ends.into_iter().zip(both) {
            let linked = DirectInput::Linked {
                wire,
                max_payload: MAX_PAYLOAD,
            };
            self.feed(index, Input::Direct(id, linked));
        }
    }

    /// Does what a node says about a link that it has.
    pub(super) fn work_on_wire(&mut self, index: usize, output: WireOutput<LabChunk>) {
        match output {
            WireOutput::Dial { .. } => unreachable!("nobody here knows an address"),
            WireOutput::Send { wire, parts } => self.send_by_wire(index, wire, &parts),
            WireOutput::Close { wire, .. } => self.hang_up(index, wire),
        }
    }

    fn send_by_wire(&mut self, index: usize, wire: LinkId, parts: &Parts<LabChunk>) {
        if let Some(end) = self.end(index, wire) {
            let mut left = self.peers[index].up.send(self.now, parts.len());
            if let Some(rate) = self.directs.config.rate {
                let busy = &mut self.directs.links[end.link.0].busy[end.side];
                *busy = (*busy).max(self.now) + nanos(parts.len() as f64 / rate);
                left = left.max(*busy);
            }
            let stretch = Some(parts.into());
            self.queue.push(left, Event::WireSent(end, stretch));
        }
    }

    fn end(&self, index: usize, wire: LinkId) -> Option<LinkEnd> {
        let link = *self.peers[index].wires.get(&wire)?;
        let [first, _] = self.directs.links[link.0].ends;
        let side = usize::from(first != (index, wire));
        Some(LinkEnd { link, side })
    }

    /// What was handed over before leaves, and then the other end hears that that was all.
    fn hang_up(&mut self, index: usize, wire: LinkId) {
        if let Some(end) = self.end(index, wire) {
            let peer = &mut self.peers[index];
            peer.wires.remove(&wire);
            peer.clock(self.now, &self.measure.available);
            let busy = self.directs.links[end.link.0].busy[end.side];
            let left = peer.up.send(self.now, 0).max(busy);
            self.queue.push(left, Event::WireSent(end, None));
        }
    }

    /// A tab that is closed closes its links, and makes no others.
    pub(super) fn hang_up_all(&mut self, index: usize) {
        let wires: Vec<LinkId> = self.peers[index].wires.keys().copied().collect();
        for wire in wires {
            self.hang_up(index, wire);
        }
        let making = self.directs.by.range((index, least())..);
        let making = making.take_while(|((of, _), _)| *of == index);
        let making: Vec<DirectId> = making.map(|((_, id), _)| *id).collect();
        for id in making {
            self.directs.give_up(index, id);
        }
    }

    pub(super) fn wire_sent(&mut self, end: LinkEnd, stretch: Option<LabChunk>) {
        use swarm_core::chunk::Chunk as _;
        let link = &mut self.directs.links[end.link.0];
        let (index, wire) = link.ends[end.side];
        let bytes = stretch.as_ref().map_or(0, |stretch| stretch.len());
        let mut claims = Vec::new();
        let blocks = stretch.as_ref().map_or(0, |stretch| {
            link.streams[end.side].read_all(stretch, &mut claims)
        });
        if !link.broken {
            let (to, _) = link.ends[1 - end.side];
            let config = &self.directs.config;
            let jitter = nanos(config.jitter * self.directs.rng.unit());
            let left = self.peers[to].down.send(self.now, bytes);
            let arrives = &mut link.arrives[end.side];
            *arrives = (*arrives).max(left + nanos(config.latency) + jitter);
            let event = Event::AtWire(end.other(), stretch, blocks);
            self.queue.push(*arrives, event);
        }
        self.check_claims(index, &claims);
        self.peers[index].sent += blocks;
        self.measure.sent(blocks);
        if bytes > 0 && self.peers[index].wires.contains_key(&wire) {
            let number = end.link.0 as u64;
            self.log
                .note(self.now, "wire", index, &[number, bytes as u64]);
            self.feed(index, Input::Wire(wire, WireInput::Sent(bytes)));
        }
    }

    pub(super) fn at_wire(&mut self, end: LinkEnd, stretch: Option<LabChunk>, blocks: u64) {
        let link = &self.directs.links[end.link.0];
        let (index, wire) = link.ends[end.side];
        let (from, _) = link.ends[1 - end.side];
        if link.broken || !self.peers[index].wires.contains_key(&wire) {
            return;
        }
        match stretch {
            Some(stretch) => {
                if blocks > 0 {
                    self.count(index, from, blocks, true);
                }
                self.feed(index, Input::Wire(wire, WireInput::Received(stretch)));
            }
            None => self.lose_wire(index, wire),
        }
    }

    /// Nothing gets through from now on; neither end knows.
    pub(super) fn breaks(&mut self, number: LinkNumber) {
        let link = &mut self.directs.links[number.0];
        let lives = |(index, wire): &(usize, LinkId)| self.peers[*index].wires.contains_key(wire);
        if link.ends.iter().all(lives) {
            link.broken = true;
            self.measure.broken += 1;
            self.queue
                .push(self.now + nanos(NOTICE), Event::Broken(number));
        }
    }

    pub(super) fn broken(&mut self, number: LinkNumber) {
        for (index, wire) in self.directs.links[number.0].ends {
            self.lose_wire(index, wire);
        }
    }

    fn lose_wire(&mut self, index: usize, wire: LinkId) {
        let peer = &mut self.peers[index];
        if peer.wires.remove(&wire).is_some() {
            peer.clock(self.now, &self.measure.available);
            self.log.note(self.now, "unlinked", index, &[]);
            self.feed(index, Input::Wire(wire, WireInput::Down));
        }
    }
}

/// What no peer's number is below.
fn least() -> DirectId {
    use swarm_core::id::{ChannelId, ChannelKey};
    DirectId {
        channel: ChannelKey {
            link: LinkId(0),
            channel: ChannelId(0),
        },
        attempt: 0,
    }
}
