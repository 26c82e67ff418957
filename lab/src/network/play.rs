//! What happens.

use swarm_core::dht::{AnnouncedPort, Input, Output, Request};

use super::adversary::Kind;
use super::node::Mind;
use super::{Event, Index, Network};
use crate::schedule::{Nanos, time};

impl Network {
    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Tick(index) => {
                let due = &mut self.nodes[index as usize].tick;
                if *due == Some(self.now) {
                    *due = None;
                    self.feed(index, Input::Tick);
                }
            }
            Event::Datagram { from, to, bytes } => self.receive(from, to, bytes),
            Event::Join => self.join(),
            Event::Die(index) => self.die(index),
            Event::Hear { node, of } => self.hear(node, of),
            Event::Idle => self.measure.idle_begins(self.now, &self.nodes),
            Event::Busy => self.measure.idle_ends(self.now, &self.nodes),
            Event::Announce(torrent) => self.announce(torrent),
            Event::Trouble => self.trouble(),
            Event::Abuse(index) => self.abuse(index),
            Event::Lookup => self.search(),
        }
    }

    /// The host's loop: handle, drain, arm one timer.
    pub(super) fn feed(&mut self, index: Index, input: Input) {
        let node = &mut self.nodes[index as usize];
        let mind = std::mem::replace(&mut node.mind, Mind::Gone);
        let Mind::Honest(mut dht) = mind else {
            node.mind = mind;
            return;
        };
        dht.handle(time(self.now), input);
        while let Some(output) = dht.poll_output() {
            self.hear_of_walk(index, &output);
            self.carry_out(index, output);
        }
        self.nodes[index as usize].mind = Mind::Honest(dht);
        self.look_at_walk(index);
        self.arm(index);
    }

    pub(super) fn arm(&mut self, index: Index) {
        let node = &mut self.nodes[index as usize];
        let Some(due) = node.dht().and_then(|dht| dht.poll_timeout()) else {
            return;
        };
        let due = (due.since_epoch().as_nanos() as Nanos).max(self.now);
        if node.tick.is_none_or(|tick| due < tick) {
            node.tick = Some(due);
            self.queue.push(due, Event::Tick(index));
        }
    }

    fn carry_out(&mut self, index: Index, output: Output) {
        match output {
            Output::Datagram { to, bytes } => {
                if let Some(to) = self.internet.owner(to) {
                    self.send(index, to, bytes);
                }
            }
            Output::Joined { .. } => {
                let now = self.now;
                let node = &mut self.nodes[index as usize];
                node.alone = false;
                if node.joined.is_none() {
                    node.joined = Some(now);
                    // Nobody asks for it where it never ends.
                    if self.live.is_none() {
                        self.measure.joined(node.came, now);
                    }
                }
            }
            Output::Alone { .. } => {
                self.nodes[index as usize].alone = true;
                self.measure.alone += 1;
            }
            Output::IdChanged { id, .. } => self.nodes[index as usize].id = id,
            Output::Peers { request, addresses } => {
                self.measure.peers(self.now, index, request, &addresses);
            }
            Output::Done {
                request,
                stats,
                closest,
            } => {
                let taken = self.measure.take(index, request);
                if let Some(asked) = taken {
                    let recall = self.recall(asked.target, &closest);
                    self.measure
                        .ended(self.now, asked, Some(recall), stats, &self.nodes);
                }
            }
            Output::Failed { request, stats, .. } => {
                if let Some(asked) = self.measure.take(index, request) {
                    self.measure
                        .ended(self.now, asked, None, stats, &self.nodes);
                }
            }
            Output::Value { .. } => {}
        }
    }

    pub(super) fn send(&mut self, from: Index, to: Index, bytes: Vec<u8>) {
        if self.parted && self.nodes[from as usize].side != self.nodes[to as usize].side {
            return;
        }
        if let Some(takes) = self.internet.carry(from, to) {
            let event = Event::Datagram { from, to, bytes };
            self.queue.push(self.now + takes, event);
        }
    }

    fn receive(&mut self, from: Index, to: Index, bytes: Vec<u8>) {
        self.measure.note(self.now, from, to, bytes.len());
        match self.nodes[to as usize].mind {
            Mind::Gone => {}
            Mind::Honest(_) => {
                let from = self.nodes[from as usize].address;
                self.feed(to, Input::Datagram { from, bytes });
            }
            Mind::Adversary(kind) => {
                let own = &self.nodes[to as usize];
                let answer = self
                    .ring
                    .answer(own, kind, &bytes, &self.nodes, &mut self.internet);
                if let Some(answer) = answer {
                    self.send(to, from, answer);
                } else if let Kind::Abuser(_) = kind {
                    self.hear_abused(to, from, &bytes);
                }
            }
        }
    }

    /// Somebody comes, and knows the bootstrap nodes.
    fn join(&mut self) {
        let serves = (self.nodes.len() as Index) < self.scenario.bootstrap;
        let servers = self.servers.iter();
        let addresses: Vec<_> = servers.map(|i| self.nodes[*i as usize].address).collect();
        let index = self.add(serves);
        let node = &mut self.nodes[index as usize];
        if addresses.is_empty() && serves {
            // The first is the network.
            node.joined = Some(self.now);
        } else if addresses.is_empty() {
            node.alone = true;
        }
        if serves {
            self.servers.push(index);
        }
        self.feed(index, Input::Bootstrap(addresses));
    }

    fn die(&mut self, index: Index) {
        let node = &mut self.nodes[index as usize];
        if node.leaves != Some(self.now) || node.stays || matches!(node.mind, Mind::Gone) {
            return;
        }
        self.bury(index);
        if self.scenario.churn.is_some() {
            self.queue.push(self.now, Event::Join);
        }
    }

    pub(super) fn bury(&mut self, index: Index) {
        let node = &mut self.nodes[index as usize];
        let was = std::mem::replace(&mut node.mind, Mind::Gone);
        self.internet.leave(node.address);
        if let Mind::Honest(_) = was {
            let place = node.place;
            self.alive.swap_remove(place);
            if let Some(moved) = self.alive.get(place) {
                self.nodes[*moved as usize].place = place;
            }
            self.measure.gone(index);
        }
        if let Some(live) = &mut self.live {
            live.gone(self.now, index);
        }
    }

    fn announce(&mut self, torrent: usize) {
        let Some(index) = self.anybody() else {
            return;
        };
        let node = &mut self.nodes[index as usize];
        node.stays = true;
        let request = node.next_request();
        let address = node.address;
        let info_hash = self
            .measure
            .announces(self.now, torrent, index, request, address);
        let announce = Request::Announce {
            info_hash,
            port: AnnouncedPort::Implied,
        };
        self.feed(index, Input::Start(request, announce));
    }

    /// What goes wrong, goes wrong; what was wrong is mended, unless somebody does that by hand.
    fn trouble(&mut self) {
        self.measure.trouble = true;
        self.parted &= self.live.is_some();
        self.abuse_begins();
        if self.scenario.bootstrap_goes {
            self.kill_bootstrap();
        }
        self.kill(self.scenario.dead);
    }

    /// Somebody looks for a torrent.
    fn search(&mut self) {
        let torrent = self.rng.below(self.scenario.torrents as usize);
        let Some(index) = self.anybody() else {
            return self.measure.skipped += 1;
        };
        let node = &mut self.nodes[index as usize];
        let request = node.next_request();
        let info_hash = self
            .measure
            .looks(self.now, torrent, index, request, &self.nodes);
        self.feed(index, Input::Start(request, Request::Search(info_hash)));
    }

    /// An honest node that is there, and has joined if any has.
    fn anybody(&mut self) -> Option<Index> {
        for _ in 0..64 {
            let at = self.rng.below(self.alive.len());
            let index = *self.alive.get(at)?;
            if self.nodes[index as usize].joined.is_some() {
                return Some(index);
            }
        }
        let at = self.rng.below(self.alive.len());
        self.alive.get(at).copied()
    }
}
