//! Where a node stands in one family.

use std::net::IpAddr;
use std::time::Duration;

use super::address::{Contact, Family, NodeAddress};
use super::config::Config;
use super::id::NodeId;
use super::table::Table;
use super::view::FamilyView;
use super::votes::Votes;
use crate::time::Time;

/// Nodes that were heard of and not asked yet, at most: upkeep asks one in ten seconds.
const MAX_PROSPECTS: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) family: Family,
    pub(super) table: Table,
    pub(super) votes: Votes,
    /// Our address, once others agree on it.
    pub(super) address: Option<IpAddr>,
    pub(super) join: Join,
    /// Nodes through which one can join.
    pub(super) bootstrap: Vec<NodeAddress>,
    /// Nodes that may be there: known before a restart, or told of by another family's.
    pub(super) known: Vec<Contact>,
    /// Nodes that we were told of, for which the table has room.
    prospects: Vec<Contact>,
}

/// How a node comes into a network, and looks around again later.
#[derive(Debug)]
pub(super) struct Join {
    /// When to look for our neighbourhood.
    pub(super) at: Option<Time>,
    /// When the last look began.
    pub(super) begun: Time,
    /// When a bootstrap node was last asked though there were contacts.
    pub(super) bootstrapped: Time,
    /// It is under way.
    pub(super) running: bool,
    /// It succeeded once, and there are contacts.
    pub(super) joined: bool,
    /// The host knows that nobody answers.
    pub(super) alone: bool,
    /// How long to wait after the next failure.
    pub(super) pause: Option<Duration>,
}

impl Network {
    /// One that is joined at once if somebody is known.
    pub(super) fn new(family: Family, id: NodeId, known: Vec<Contact>, now: Time) -> Self {
        Network {
            family,
            table: Table::new(id),
            votes: Votes::default(),
            address: None,
            join: Join {
                at: (!known.is_empty()).then_some(now),
                begun: now,
                bootstrapped: now,
                running: false,
                joined: false,
                alone: false,
                pause: None,
            },
            bootstrap: Vec::new(),
            known,
            prospects: Vec::new(),
        }
    }

    /// A node is said to be there.
    pub(super) fn told_of(&mut self, now: Time, contact: Contact, config: &Config) {
        if self.table.is_empty() {
            if self.known.len() < config.max_bootstrap && !self.known.contains(&contact) {
                self.known.push(contact);
                if !self.join.running {
                    self.join.at = Some(now);
                }
            }
            return;
        }
        let room = self.prospects.len() < MAX_PROSPECTS;
        if room && !self.prospects.contains(&contact) && self.table.wants(&contact, config) {
            self.prospects.push(contact);
        }
    }

    /// A node that may be there, to be asked.
    pub(super) fn prospect(&mut self, config: &Config) -> Option<Contact> {
        while let Some(contact) = self.prospects.pop().or_else(|| self.known.pop()) {
            if self.table.wants(&contact, config) {
                return Some(contact);
            }
        }
        None
    }

    /// Contacts to remember, and when they were heard.
    pub(super) fn save(&self) -> Vec<(Time, Contact)> {
        let known = self.known.iter().map(|contact| (Time::ZERO, *contact));
        match self.table.is_empty() {
            true => known.collect(),
            false => self.table.save(),
        }
    }

    /// What a person sees.
    pub(super) fn view(&self, now: Time, config: &Config) -> FamilyView {
        FamilyView {
            family: self.family,
            id: self.table.own(),
            address: self.address,
            joined: self.join.joined,
            buckets: self.table.view(now, config),
        }
    }
}
