//! A network that somebody plays with: nothing is announced or looked for but by hand, and it
//! never ends.

use std::collections::VecDeque;

use swarm_core::dht::{AnnouncedPort, Input, NodeId, Request, RequestId};
use swarm_core::id::InfoHash;
use swarm_core::rng::Rng;

use super::node::Mind;
use super::watch::Watch;
use super::{Event, Index, Network, NetworkScenario, Walk};
use crate::ScenarioError;
use crate::schedule::{Nanos, nanos};

/// Everybody hears of a node that is introduced within so many seconds: at the same moment is
/// how nobody hears of anything.
const SPREAD: f64 = 5.0;
/// Announces that go on. The oldest ends when there are more: a person remembers fewer.
const MOST_ANNOUNCES: usize = 32;
/// A node that was gone for so many seconds has its place in the list taken by one that comes, or
/// churn would make the list longer and longer. No datagram is on its way for so long.
const GRAVE: f64 = 60.0;

/// See the module.
#[derive(Debug)]
pub(super) struct Live {
    /// Whom and what a person left open.
    rng: Rng,
    /// The last lookup or announce.
    pub(super) watch: Option<Watch>,
    announces: VecDeque<(Index, RequestId)>,
    /// Who is gone, since when; in order of time.
    graves: VecDeque<(Nanos, Index)>,
    /// Walks that were asked for.
    begun: u32,
    /// Walks that have ended, and those of them that came to what they were for.
    pub(super) ended: (u32, u32),
}

impl Live {
    pub(super) fn new(rng: Rng) -> Self {
        Live {
            rng,
            watch: None,
            announces: VecDeque::new(),
            graves: VecDeque::new(),
            begun: 0,
            ended: (0, 0),
        }
    }

    /// A place that nobody needs any more.
    pub(super) fn grave(&mut self, now: Nanos) -> Option<Index> {
        let (since, _) = self.graves.front()?;
        match now >= since + nanos(GRAVE) {
            true => self.graves.pop_front().map(|(_, index)| index),
            false => None,
        }
    }

    /// A node is gone, and what it wanted does not matter any more.
    pub(super) fn gone(&mut self, now: Nanos, index: Index) {
        self.graves.push_back((now, index));
        self.announces.retain(|(node, _)| *node != index);
        if let Some(watch) = &mut self.watch
            && watch.walk.node == index
            && watch.walk.ended.is_none()
        {
            watch.fail(now, "the node that looked is gone");
            self.ended.0 += 1;
        }
    }
}

impl Network {
    /// One to play with. `trouble`: when what the scenario says goes wrong (the dead, the
    /// bootstrap nodes), in seconds; by hand alone, if none. What is parted stays so until
    /// [`Network::heal`]; its torrents and lookups count for nothing.
    pub fn live(scenario: NetworkScenario, trouble: Option<f64>) -> Result<Self, ScenarioError> {
        let mut network = Network::empty(NetworkScenario {
            torrents: 1,
            lookups: 0,
            ..scenario
        })?;
        let root = Rng::new(network.scenario.seed).fork("live");
        network.live = Some(Live::new(root));
        network.end = Nanos::MAX;
        network.begin();
        if let Some(at) = trouble {
            network.queue.push(nanos(at), Event::Trouble);
        }
        Ok(network)
    }

    /// Somebody looks a key up, or announces that it has what the key stands for. Any key and any
    /// node, if none is given or the node is not there. Nothing if nobody is there, or if this
    /// network plays by itself.
    pub fn look_up(&mut self, key: Option<NodeId>, node: Option<u32>, announces: bool) {
        let node = node.filter(|index| self.dht(*index).is_some());
        let Some(index) = node.or_else(|| self.somebody()) else {
            return;
        };
        let Some(live) = &mut self.live else { return };
        let key = key.unwrap_or_else(|| NodeId::random(&mut live.rng));
        let request = self.nodes[index as usize].next_request();
        let number = live.begun;
        live.begun += 1;
        live.watch = Some(Watch::new(self.now, number, index, request, key, announces));
        let info_hash = InfoHash::from(key);
        if !announces {
            return self.feed(index, Input::Start(request, Request::Search(info_hash)));
        }
        // Who has something stays, as long as it is one of those that matter.
        self.nodes[index as usize].stays = true;
        live.announces.push_back((index, request));
        let oldest = match live.announces.len() > MOST_ANNOUNCES {
            true => live.announces.pop_front(),
            false => None,
        };
        if let Some((node, request)) = oldest {
            let goes_on = self.live.as_ref();
            let goes_on = goes_on.is_some_and(|it| it.announces.iter().any(|(n, _)| *n == node));
            self.nodes[node as usize].stays = goes_on || self.servers.contains(&node);
            self.feed(node, Input::Stop(request));
        }
        let announce = Request::Announce {
            info_hash,
            port: AnnouncedPort::Implied,
        };
        self.feed(index, Input::Start(request, announce));
    }

    /// A share of the nodes dies, without a word; those that everybody begins with, and those that
    /// announced something, stay.
    pub fn kill(&mut self, share: f64) {
        let mut others: Vec<Index> = (0..self.nodes.len() as Index).collect();
        others.retain(|index| {
            let node = &self.nodes[*index as usize];
            !node.stays && !matches!(node.mind, Mind::Gone)
        });
        self.rng.shuffle(&mut others);
        let wanted = (share.clamp(0.0, 1.0) * others.len() as f64).round() as usize;
        for index in others.into_iter().take(wanted) {
            self.bury(index);
        }
    }

    /// The bootstrap nodes are gone, and who comes knows nobody.
    pub fn kill_bootstrap(&mut self) {
        for index in std::mem::take(&mut self.servers) {
            self.bury(index);
        }
    }

    /// A bootstrap node comes, and everybody hears of it, as everybody who comes will.
    pub fn introduce(&mut self) {
        if self.live.is_none() {
            return;
        }
        let others = self.alive.clone();
        let index = self.add(true);
        // The first is the network.
        self.nodes[index as usize].joined = Some(self.now);
        self.servers.push(index);
        for node in others {
            let after = self.live.as_mut().map_or(0.0, |live| live.rng.unit());
            let event = Event::Hear { node, of: index };
            self.queue.push(self.now + nanos(SPREAD * after), event);
        }
    }

    /// What was parted is one network again, as far as nodes know of each other.
    pub fn heal(&mut self) {
        self.parted = false;
    }

    /// There is a bootstrap node.
    pub fn has_bootstrap(&self) -> bool {
        !self.servers.is_empty()
    }

    /// The last lookup or announce that was asked for.
    pub fn walk(&self) -> Option<&Walk> {
        let watch = self.live.as_ref()?.watch.as_ref()?;
        Some(&watch.walk)
    }

    /// It is under way.
    pub fn is_walking(&self) -> bool {
        self.walk().is_some_and(|walk| walk.ended.is_none())
    }

    /// A node hears of one by which it can join.
    pub(super) fn hear(&mut self, node: Index, of: Index) {
        let address = self.nodes[of as usize].address;
        self.nodes[node as usize].alone = false;
        self.feed(node, Input::Bootstrap(vec![address]));
    }

    /// An honest node that is there, and has joined if that can be.
    fn somebody(&mut self) -> Option<Index> {
        let live = self.live.as_mut()?;
        let mut chosen = None;
        for _ in 0..64 {
            let index = *live.rng.choose(&self.alive)?;
            chosen = chosen.or(Some(index));
            if self.nodes[index as usize].has_place() {
                return Some(index);
            }
        }
        chosen
    }
}
