//! How the network comes about.

use std::net::IpAddr;

use swarm_core::dht::{Contact, Dht, Family, Input, NodeId, Saved};

use super::adversary::Kind;
use super::node::{Mind, Node, config, first, room};
use super::{Event, Index, Network, NetworkScenario, Start};
use crate::schedule::{nanos, time};

impl Network {
    /// Everybody is there, or on the way.
    pub(super) fn begin(&mut self) {
        match self.scenario.start {
            Start::Ready => {
                for index in first(&self.scenario) {
                    let serves = index < self.scenario.bootstrap;
                    let index = self.add(serves);
                    if serves {
                        self.servers.push(index);
                    }
                }
                self.add_sybils();
                self.fill_tables();
                // What is measured needs none: who is in has others to ask.
                if self.live.is_some() {
                    self.tell_of_servers();
                }
            }
            Start::Joins(over) => {
                for index in first(&self.scenario) {
                    let at = match index < self.scenario.bootstrap {
                        true => 0.0,
                        false => over * self.rng.unit(),
                    };
                    self.queue.push(nanos(at), Event::Join);
                }
                self.add_sybils();
            }
        }
    }

    /// Somebody comes who knows nobody yet. `serves`: others will begin with it.
    pub(super) fn add(&mut self, serves: bool) -> Index {
        let live = self.live.as_mut();
        let grave = live.and_then(|live| live.grave(self.now));
        let index = grave.unwrap_or(self.nodes.len() as Index);
        let address = self.internet.settle(index);
        let lot = if serves { 1.0 } else { self.rng.unit() };
        let NetworkScenario { liars, abusers, .. } = self.scenario;
        let kind = match lot {
            _ if lot < liars => Some(Kind::Liar),
            _ if lot < liars + abusers => Some(Kind::Abuser(self.scenario.abuse)),
            _ => None,
        };
        let side = self.rng.unit() < self.scenario.partition;
        let (mind, id) = match kind {
            Some(kind) => {
                let id = NodeId::random(&mut self.rng);
                (Mind::Adversary(kind), id)
            }
            None => self.honest(address.ip(), serves),
        };
        let honest = matches!(mind, Mind::Honest(_));
        let mut node = Node {
            address,
            id,
            mind,
            side,
            stays: serves,
            leaves: None,
            alone: false,
            came: self.now,
            joined: None,
            tick: None,
            place: self.alive.len(),
            requests: 0,
        };
        if honest {
            self.alive.push(index);
        }
        if let (Some(median), false) = (self.scenario.churn, serves) {
            let stays = -median / std::f64::consts::LN_2 * (1.0 - self.rng.unit()).ln();
            let leaves = self.now + nanos(stays);
            node.leaves = Some(leaves);
            self.queue.push(leaves, Event::Die(index));
        }
        if self.scenario.start == Start::Ready && self.now == 0 {
            node.joined = Some(0);
        }
        match grave {
            Some(_) => self.nodes[index as usize] = node,
            None => self.nodes.push(node),
        }
        self.arm(index);
        index
    }

    /// A node, and what it is called.
    fn honest(&mut self, ip: Option<IpAddr>, serves: bool) -> (Mind, NodeId) {
        let seed = self.rng.next_u64();
        let now = time(self.now);
        let config = config(&self.scenario, serves);
        let mut dht = Dht::new(config, Saved::default(), seed, now);
        if let Some(ip) = ip {
            // Otherwise all change their identifiers once others have told them where they are.
            dht.handle(now, Input::ExternalAddress(ip));
            while dht.poll_output().is_some() {}
        }
        let id = dht.id(Family::V4).unwrap_or_default();
        (Mind::Honest(Box::new(dht)), id)
    }

    /// Those who are as close to the torrents as can be. They are there first.
    fn add_sybils(&mut self) {
        let networks: Vec<u32> = (0..self.scenario.sybil_networks)
            .map(|_| self.internet.network())
            .collect();
        for number in 0..self.scenario.sybils {
            let index = self.nodes.len() as Index;
            let network = networks[number as usize % networks.len()];
            let number_in_it = number / networks.len() as u32;
            let address = self.internet.settle_in(index, network, number_in_it);
            let torrent = number as usize % self.scenario.torrents as usize;
            let target = NodeId::from(self.measure.torrents[torrent].info_hash);
            let id = self.ring.join(index, torrent, target, &mut self.rng);
            self.nodes.push(Node {
                address,
                id,
                mind: Mind::Adversary(Kind::Sybil),
                side: false,
                stays: true,
                leaves: None,
                alone: false,
                came: self.now,
                joined: Some(self.now),
                tick: None,
                place: 0,
                requests: 0,
            });
        }
    }

    /// Everybody knows as many others, at random, as its buckets have room for.
    fn fill_tables(&mut self) {
        let mut all: Vec<Contact> = self.nodes.iter().map(Contact::from).collect();
        all.sort_unstable_by_key(|contact| contact.id);
        for index in 0..self.nodes.len() {
            let serves = self.nodes[index].stays;
            let config = config(&self.scenario, serves);
            let known = self.draw(&all, self.nodes[index].id, |bits| room(&config, bits));
            self.feed(index as Index, Input::Assume(known));
        }
    }

    /// Everybody remembers the bootstrap nodes, and asks them when nobody else answers, and once
    /// an hour.
    fn tell_of_servers(&mut self) {
        let servers = self.servers.iter();
        let addresses: Vec<_> = servers.map(|i| self.nodes[*i as usize].address).collect();
        for index in 0..self.nodes.len() as Index {
            if !self.servers.contains(&index) {
                self.feed(index, Input::Bootstrap(addresses.clone()));
            }
        }
    }

    /// From each bucket of this identifier as many as there is room for, at random.
    fn draw(&mut self, all: &[Contact], id: NodeId, room: impl Fn(usize) -> usize) -> Vec<Contact> {
        let mut known = Vec::new();
        let mut same = all;
        for bits in 0..NodeId::BITS {
            // All of `same` have `bits` bits in common with us; the next one parts them.
            let split = same.partition_point(|contact| !contact.id.bit(bits));
            let (zeros, ones) = same.split_at(split);
            let (others, rest) = match id.bit(bits) {
                true => (zeros, ones),
                false => (ones, zeros),
            };
            let room = room(bits);
            if others.len() <= room {
                known.extend_from_slice(others);
            } else {
                let chosen = self.some(others.len(), room);
                known.extend(chosen.into_iter().map(|at| others[at]));
            }
            same = rest;
            if same.len() <= 1 {
                break;
            }
        }
        self.rng.shuffle(&mut known);
        known
    }

    /// So many different numbers below another.
    fn some(&mut self, below: usize, count: usize) -> Vec<usize> {
        // Floyd's algorithm (Bentley, "Programming pearls", CACM 30/9).
        let mut chosen = Vec::with_capacity(count);
        for limit in below - count..below {
            let drawn = self.rng.below(limit + 1);
            let drawn = match chosen.contains(&drawn) {
                true => limit,
                false => drawn,
            };
            chosen.push(drawn);
        }
        chosen
    }
}

impl From<&Node> for Contact {
    fn from(node: &Node) -> Self {
        Contact {
            id: node.id,
            address: node.address,
        }
    }
}
