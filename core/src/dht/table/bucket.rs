//! One bucket: who has a place, and who waits for one.

use std::time::Duration;

use super::super::address::Contact;
use super::super::config::Config;
use super::super::view::ContactView;
use crate::time::Time;

#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) nodes: Vec<Node>,
    /// They answered once, and wait for a place; the latest last.
    pub(super) waiting: Vec<Node>,
    /// Somebody in it was last looked for.
    pub(super) looked: Option<Time>,
}

/// A contact and how it does.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) contact: Contact,
    /// It last answered, or asked.
    pub(super) heard: Time,
    /// We last asked it to keep the table alive.
    pub(super) asked: Time,
    /// Of its last answer. Milliseconds.
    pub(super) round_trip: u32,
    /// Queries left unanswered since.
    pub(super) failures: u8,
    pub(super) fitting: bool,
}

impl Bucket {
    /// Has those wait who came last, if there are too many.
    pub(super) fn trim(&mut self, room: usize, config: &Config) {
        let many = self.nodes.len() > room;
        let last = if many {
            self.nodes.split_off(room)
        } else {
            Vec::new()
        };
        self.waiting.extend(last);
        self.waiting.truncate(config.replacements);
    }

    /// Nobody of the same subnet is there.
    pub(super) fn allows(&self, contact: &Contact, config: &Config) -> bool {
        let same = |node: &Node| node.contact.address.is_same_subnet(contact.address);
        !config.one_per_subnet || !self.nodes.iter().any(same)
    }

    /// Takes the place of somebody who fails or doesn't fit, or waits.
    pub(super) fn queue(&mut self, now: Time, node: Node, config: &Config) -> Option<Contact> {
        let worse = |other: &Node| {
            let unfitting = node.fitting && !other.fitting;
            (other.failures > 0 || unfitting).then_some((other.failures, unfitting))
        };
        let places = self.nodes.iter().enumerate();
        let worst = places
            .filter_map(|(place, other)| Some((worse(other)?, place)))
            .max();
        if let Some((_, place)) = worst {
            self.nodes[place] = node;
            return None;
        }
        let address = node.contact.address;
        self.waiting
            .retain(|other| !other.contact.address.is_same_host(address));
        if config.replacements == 0 {
            return None;
        }
        if self.waiting.len() >= config.replacements {
            self.waiting.remove(0);
        }
        self.waiting.push(node);
        let silent = self
            .nodes
            .iter_mut()
            .min_by_key(|node| node.heard.max(node.asked))?;
        let since = now.saturating_since(silent.heard.max(silent.asked));
        (since >= config.questionable).then(|| {
            silent.asked = now;
            silent.contact
        })
    }

    /// Gives a free place to whoever came last.
    pub(super) fn promote(&mut self, config: &Config) {
        while let Some(node) = self.waiting.pop() {
            if self.allows(&node.contact, config) {
                return self.nodes.push(node);
            }
        }
    }
}

impl Node {
    pub(super) fn view(&self, now: Time) -> ContactView {
        ContactView {
            contact: self.contact,
            silent: now.saturating_since(self.heard),
            failures: self.failures,
            round_trip: Duration::from_millis(self.round_trip.into()),
            fitting: self.fitting,
        }
    }
}
