//! What others' answers mean.

use std::net::IpAddr;
use std::time::Duration;

use super::Dht;
use super::address::{Contact, Family, NodeAddress};
use super::calls::{Call, Passed, Purpose};
use super::krpc::{Ask, KrpcError, Response, Transaction};
use crate::time::Time;

impl Dht {
    /// Somebody answered.
    pub(super) fn hear(
        &mut self,
        now: Time,
        from: NodeAddress,
        transaction: &Transaction,
        told: Option<NodeAddress>,
        mut response: Response,
    ) {
        let Some((call, took)) = self.calls.end(now, from, &transaction.0, &self.config) else {
            self.traffic.unasked += 1;
            return;
        };
        self.traffic.answered += 1;
        let id = response.id;
        // We, or somebody who calls itself as we do.
        if id == self.own(from.family()) {
            return self.fail(now, &call);
        }
        let renamed = call.contact().filter(|contact| contact.id != id);
        self.met(now, Contact { id, address: from }, renamed, took);
        if let Some(address) = told.and_then(NodeAddress::ip) {
            self.vote(now, from, address);
        }
        if renamed.is_some() {
            // It is there, and is not whom we were told of.
            return self.give_up(&call);
        }
        self.clean(from, &mut response);
        for contact in &response.nodes {
            let family = contact.address.family();
            let mut networks = self.networks.iter_mut();
            if let Some(network) = networks.find(|network| network.family == family) {
                network.told_of(now, *contact, &self.config);
            }
        }
        match call.purpose {
            Purpose::Upkeep | Purpose::Check => {}
            Purpose::Step(lookup) => self.step(now, lookup, from, response),
            Purpose::Store(lookup) => self.stored(lookup, &call, Ok(())),
        }
    }

    /// Somebody refused.
    pub(super) fn hear_error(
        &mut self,
        now: Time,
        from: NodeAddress,
        transaction: &Transaction,
        error: KrpcError,
    ) {
        let Some((call, took)) = self.calls.end(now, from, &transaction.0, &self.config) else {
            self.traffic.unasked += 1;
            return;
        };
        self.traffic.answered += 1;
        // It is there, though it doesn't say who it is: only a contact can be known by that.
        if let Some(contact) = call.contact() {
            let mut networks = self.networks.iter_mut();
            let network = networks.find(|network| network.family == from.family());
            let known = network.is_some_and(|network| network.table.asked_us(now, &contact));
            if known {
                self.met(now, contact, None, took);
            }
        }
        match call.purpose {
            Purpose::Store(lookup) => self.stored(lookup, &call, Err(error)),
            _ => self.give_up(&call),
        }
    }

    /// Somebody is there, and perhaps no longer who it was.
    fn met(&mut self, now: Time, contact: Contact, was: Option<Contact>, took: Duration) {
        let family = contact.address.family();
        let mut networks = self.networks.iter_mut();
        let Some(network) = networks.find(|network| network.family == family) else {
            return;
        };
        if let Some(was) = was {
            network.table.remove(&was, &self.config);
        }
        let silent = network.table.answered(now, contact, took, &self.config);
        if let Some(silent) = silent
            && !self.calls.is_asking(silent.address)
        {
            let id = Some(silent.id);
            self.ask(now, silent.address, id, Purpose::Upkeep, Ask::Ping);
        }
    }

    /// Removes what who is there can't know, and ourselves.
    fn clean(&self, from: NodeAddress, response: &mut Response) {
        let is_tab = |address: &NodeAddress| address.family() == Family::Tab;
        let may_be =
            |address: &NodeAddress| address.may_come_from(from) && is_tab(address) == is_tab(&from);
        response.nodes.retain(|contact| {
            let own = self.id(contact.address.family());
            may_be(&contact.address) && own.is_some_and(|own| own != contact.id)
        });
        response.values.retain(may_be);
    }

    /// Somebody says where we are.
    fn vote(&mut self, now: Time, voter: NodeAddress, address: IpAddr) {
        let family = voter.family();
        let mut networks = self.networks.iter_mut();
        let network = networks.find(|network| network.family == family);
        let same = NodeAddress::from(std::net::SocketAddr::new(address, 1)).family() == family;
        if let Some(network) = network
            && same
            && let Some(agreed) = network.votes.cast(voter, address, &self.config)
        {
            self.is_at(now, agreed);
        }
    }

    /// Time passed.
    pub(super) fn pass_calls(&mut self, now: Time) {
        while let Some(passed) = self.calls.pass(now, &self.config) {
            match passed {
                Passed::Slow(call) => self.slow(&call),
                Passed::Late(call) => self.late(&call),
                Passed::Over(call) => self.fail(now, &call),
            }
        }
    }

    /// An answer takes longer than most.
    fn slow(&mut self, call: &Call) {
        if let Purpose::Step(lookup) = call.purpose
            && let Some(lookup) = self.lookups.get_mut(&lookup)
        {
            lookup.slow(call.to);
        }
    }

    /// Nobody waits for an answer any more.
    fn late(&mut self, call: &Call) {
        match call.purpose {
            Purpose::Upkeep | Purpose::Check => {}
            Purpose::Step(lookup) => {
                if let Some(lookup) = self.lookups.get_mut(&lookup) {
                    lookup.late(call.to);
                }
            }
            Purpose::Store(lookup) => {
                if let Some(lookup) = self.lookups.get_mut(&lookup) {
                    lookup.storing = lookup.storing.saturating_sub(1);
                }
            }
        }
    }

    /// There is no answer, or none by who was asked.
    fn fail(&mut self, now: Time, call: &Call) {
        if let Some(contact) = call.contact() {
            let family = call.to.family();
            let mut networks = self.networks.iter_mut();
            if let Some(network) = networks.find(|network| network.family == family) {
                network.table.failed(&contact, &self.config);
                if network.table.is_empty() && network.join.joined {
                    network.join.lost(now);
                }
            }
        }
        self.give_up(call);
    }

    /// Nothing comes of a query.
    fn give_up(&mut self, call: &Call) {
        let (Purpose::Step(id) | Purpose::Store(id)) = call.purpose else {
            return;
        };
        let Some(lookup) = self.lookups.get_mut(&id) else {
            return;
        };
        match call.purpose {
            Purpose::Step(_) => lookup.failed(call.to),
            _ if !call.is_late() => lookup.storing = lookup.storing.saturating_sub(1),
            _ => {}
        }
    }
}
