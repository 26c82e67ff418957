//! How a node comes into a network, and stays in it.
//!
//! It looks for itself, through whom it knew before or through bootstrap nodes: those it meets
//! last are its neighbours, to whom it matters most that it is there, and whom it needs most.
//! Then it looks into each bucket with few contacts, the near ones first. Later it asks one
//! contact at a time, whoever was silent for the longest, for nodes of a bucket that has room.

use std::net::IpAddr;
use std::time::Duration;

use super::Dht;
use super::address::{Contact, Family, NodeAddress};
use super::calls::Purpose;
use super::io::Output;
use super::krpc::Ask;
use super::lookup::{Goal, Lookup};
use super::network::{Join, Network};
use super::rounds::Ended;
use super::secure;
use crate::time::Time;

impl Join {
    /// Nobody is there any more.
    pub(super) fn lost(&mut self, now: Time) {
        self.joined = false;
        if !self.running {
            self.at = Some(now);
        }
    }
}

impl Dht {
    /// Nodes through which one can join.
    pub(super) fn bootstrap(&mut self, now: Time, addresses: &[NodeAddress]) {
        for address in addresses.iter().filter(|address| address.is_usable()) {
            let Some(network) = self.network_mut(address.family()) else {
                continue;
            };
            let known = &mut network.bootstrap;
            known.retain(|other| other != address);
            known.insert(0, *address);
            let most = self.config.max_bootstrap;
            let Some(network) = self.network_mut(address.family()) else {
                continue;
            };
            network.bootstrap.truncate(most);
            if network.table.is_empty() && !network.join.running {
                network.join.at = Some(now);
                network.join.pause = None;
            }
        }
    }

    /// Nodes that are known to be there.
    pub(super) fn assume(&mut self, now: Time, contacts: &[Contact]) {
        let round_trip = self.config.first_timeout / 4;
        for contact in contacts {
            let mut networks = self.networks.iter_mut();
            let family = contact.address.family();
            if let Some(network) = networks.find(|network| network.family == family) {
                let config = &self.config;
                network.table.answered(now, *contact, round_trip, config);
                network.join.joined = true;
                network.join.at = None;
            }
        }
        for at in 0..self.networks.len() {
            if self.networks[at].join.joined && self.networks[at].join.at.is_none() {
                let wait = self.about(self.config.refresh);
                self.networks[at].join.at = Some(now + wait);
            }
        }
    }

    /// Our address is known, in the family that it is of.
    pub(super) fn is_at(&mut self, now: Time, address: IpAddr) {
        let endpoint = NodeAddress::from(std::net::SocketAddr::new(address, 1));
        let Some(address) = endpoint.ip() else { return };
        let family = endpoint.family();
        let mut networks = self.networks.iter_mut();
        let Some(network) = networks.find(|network| network.family == family) else {
            return;
        };
        network.address = Some(address);
        let now_called = Contact {
            id: network.table.own(),
            address: endpoint,
        };
        if secure::fits(&now_called) {
            return;
        }
        let id = secure::id_for(address, &mut self.rng);
        network.table.rename(now, id, &self.config);
        network.votes.clear();
        // Where we looked around so far is not where we are.
        self.lookups.retain(|_, lookup| {
            lookup.family != family || !matches!(lookup.goal, Goal::Join | Goal::Fill)
        });
        network.join.running = false;
        network.join.at = Some(now);
        self.out.push_back(Output::IdChanged {
            family,
            id,
            address,
        });
    }

    /// Looks for our neighbourhood where that is due.
    pub(super) fn join(&mut self, now: Time) {
        for at in 0..self.networks.len() {
            let network = &mut self.networks[at];
            if network.join.running || network.join.at.is_none_or(|due| now < due) {
                continue;
            }
            network.join.at = None;
            let (own, family) = (network.table.own(), network.family);
            let mut lookup = self.set_out(Lookup::new(Goal::Join, family, own));
            let network = &mut self.networks[at];
            let since = now.saturating_since(network.join.bootstrapped);
            if since >= self.config.bootstrap_again
                && let Some(address) = self.rng.choose(&network.bootstrap)
            {
                network.join.bootstrapped = now;
                lookup.offer_stranger(*address);
            }
            if lookup.is_empty() {
                // Those whom we know don't answer at the moment.
                let network = &mut self.networks[at];
                let again = now + self.config.bootstrap_most;
                network.join.at = Some(again).filter(|_| !network.table.is_empty());
                continue;
            }
            let join = &mut self.networks[at].join;
            join.running = true;
            join.begun = now;
            self.begin_lookup(lookup);
        }
    }

    /// We looked for ourselves.
    pub(super) fn looked_around(&mut self, now: Time, family: Family, ended: &Ended) {
        let Some(network) = self.network_mut(family) else {
            return;
        };
        if network.table.is_empty() {
            return self.is_alone(now, family);
        }
        network.join.pause = None;
        network.join.alone = false;
        if let Some(farthest) = ended.closest.last() {
            network.table.looked_around(now, farthest.id);
        }
        self.fill(now, family);
    }

    /// Nobody answered, or nobody does any more.
    fn is_alone(&mut self, now: Time, family: Family) {
        let (least, most) = (self.config.bootstrap_least, self.config.bootstrap_most);
        let Some(network) = self.network_mut(family) else {
            return;
        };
        let join = &mut network.join;
        join.running = false;
        join.joined = false;
        let pause = join.pause.unwrap_or(least);
        join.pause = Some((pause * 2).min(most));
        join.at = Some(now + pause);
        if !std::mem::replace(&mut join.alone, true) {
            self.out.push_back(Output::Alone { family });
        }
    }

    /// Looks into the next bucket with few contacts, if there is one.
    pub(super) fn fill(&mut self, now: Time, family: Family) {
        let refresh = self.config.refresh;
        let mut networks = self.networks.iter_mut();
        let Some(network) = networks.find(|network| network.family == family) else {
            return;
        };
        // Later, those that upkeep looked into meanwhile are passed over.
        let since = match network.join.joined {
            true => before(network.join.begun, refresh),
            false => network.join.begun,
        };
        let rng = &mut self.rng;
        let target = network.table.neglected(now, since, &self.config, rng);
        if let Some(target) = target {
            let lookup = self.set_out(Lookup::new(Goal::Fill, family, target));
            self.begin_lookup(lookup);
            return;
        }
        if network.table.is_empty() {
            return self.is_alone(now, family);
        }
        let wait = self.about(refresh);
        let Some(network) = self.network_mut(family) else {
            return;
        };
        network.join.running = false;
        network.join.at = Some(now + wait);
        if !std::mem::replace(&mut network.join.joined, true) {
            let contacts = network.table.len();
            self.out.push_back(Output::Joined { family, contacts });
        }
    }

    /// Keeps the tables alive, forgets what is old.
    pub(super) fn keep_up(&mut self, now: Time) {
        if now < self.upkeep_at || self.networks.iter().all(|n| n.table.is_empty()) {
            return;
        }
        self.upkeep_at = now + self.about(self.config.upkeep);
        self.upkeeps += 1;
        self.storage.expire(now, &self.config);
        self.watch.tidy(now, &self.config);
        if !self.budget.has_room(now, &self.config) {
            return;
        }
        // Families take turns, and in each those whom we know and those of whom we were told.
        let count = self.networks.len();
        let turn = (0..count).map(|n| (self.upkeeps + n) % count);
        let mut turn = turn.filter(|at| !self.networks[*at].table.is_empty());
        let Some(at) = turn.next() else { return };
        drop(turn);
        let network = &mut self.networks[at];
        if (self.upkeeps / count).is_multiple_of(2)
            && let Some(prospect) = network.prospect(&self.config)
        {
            let (id, address) = (Some(prospect.id), prospect.address);
            return self.ask(now, address, id, Purpose::Check, Ask::Ping);
        }
        let Some(stalest) = network.table.stalest(now, &self.config) else {
            return;
        };
        if self.calls.is_asking(stalest.address) {
            return;
        }
        let rng = &mut self.rng;
        let gap = network.table.gap(now, stalest.id, &self.config, rng);
        let ask = gap.map_or(Ask::Ping, |target| Ask::FindNode { target });
        let (id, address) = (Some(stalest.id), stalest.address);
        self.ask(now, address, id, Purpose::Upkeep, ask);
    }

    fn network_mut(&mut self, family: Family) -> Option<&mut Network> {
        let mut networks = self.networks.iter_mut();
        networks.find(|network| network.family == family)
    }
}

/// So long before.
fn before(time: Time, by: Duration) -> Time {
    Time::from_epoch(time.since_epoch().saturating_sub(by))
}
