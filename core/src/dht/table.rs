//! Whom a node knows in one family: buckets of contacts (Kademlia, section 2.4; BEP 5).
//!
//! Bucket `n` has contacts whose identifiers share exactly `n` leading bits with ours; the last
//! one also those that share more, and is split when it is full. Nobody gets in who has not
//! answered us: a stranger's word costs nothing. Whoever answers keeps its place; newcomers wait
//! in the bucket's queue for somebody to fail.

mod bucket;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::address::Contact;
use super::config::Config;
use super::id::NodeId;
use super::secure;
use super::view::BucketView;
use crate::rng::Rng;
use crate::time::Time;
use bucket::{Bucket, Node};

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    own: NodeId,
    buckets: Vec<Bucket>,
}

impl Table {
    /// An empty one.
    pub(super) fn new(own: NodeId) -> Self {
        Table {
            own,
            buckets: vec![Bucket::default()],
        }
    }

    /// What we are called.
    pub(super) fn own(&self) -> NodeId {
        self.own
    }

    /// Contacts.
    pub(super) fn len(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.nodes.len()).sum()
    }

    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.nodes.is_empty())
    }

    /// A node answered. If it finds no place, the contact whose place it would take if that one
    /// is gone: it was silent for so long that one should ask.
    pub(super) fn answered(
        &mut self,
        now: Time,
        contact: Contact,
        round_trip: Duration,
        config: &Config,
    ) -> Option<Contact> {
        let round_trip = u32::try_from(round_trip.as_millis()).unwrap_or(u32::MAX);
        if contact.id == self.own {
            return None;
        }
        if let Some(node) = self.node_mut(&contact) {
            node.heard = now;
            node.round_trip = round_trip;
            node.failures = 0;
            return None;
        }
        let fitting = secure::fits(&contact);
        if config.enforce_ids && !fitting || !self.clear_way(&contact, config) {
            return None;
        }
        let node = Node {
            contact,
            heard: now,
            asked: now,
            round_trip,
            failures: 0,
            fitting,
        };
        self.insert(now, node, config)
    }

    /// A contact, if it is one, asked us.
    pub(super) fn asked_us(&mut self, now: Time, contact: &Contact) -> bool {
        let Some(node) = self.node_mut(contact) else {
            return false;
        };
        if node.failures == 0 {
            node.heard = now;
        }
        true
    }

    /// Whether a stranger would find a place if it answered.
    pub(super) fn wants(&self, contact: &Contact, config: &Config) -> bool {
        if contact.id == self.own || config.enforce_ids && !secure::fits(contact) {
            return false;
        }
        let at = self.index(contact.id);
        let bucket = &self.buckets[at];
        let mut place = bucket.nodes.len() < room(at, config)
            || self.splits(at)
            || bucket.nodes.iter().any(|node| node.failures > 0);
        place &= bucket.allows(contact, config);
        let (one, address) = (config.one_per_subnet, contact.address);
        for Contact { id, address: other } in self.nodes().map(|node| node.contact) {
            if other == address {
                // One that has another name now, or its old one would be told for long.
                return id != contact.id;
            }
            place &= id != contact.id && !(one && other.is_same_host(address));
        }
        place
    }

    /// A contact did not answer. Whoever waits takes its place.
    pub(super) fn failed(&mut self, contact: &Contact, config: &Config) {
        let at = self.index(contact.id);
        let bucket = &mut self.buckets[at];
        let known = |node: &Node| node.contact == *contact;
        bucket.waiting.retain(|node| !known(node));
        let Some(place) = bucket.nodes.iter().position(known) else {
            return;
        };
        let node = &mut bucket.nodes[place];
        node.failures = node.failures.saturating_add(1);
        let gone = node.failures >= config.max_failures;
        if gone || !bucket.waiting.is_empty() {
            bucket.nodes.remove(place);
            bucket.promote(config);
        }
    }

    /// A contact is somebody else now.
    pub(super) fn remove(&mut self, contact: &Contact, config: &Config) {
        let at = self.index(contact.id);
        let bucket = &mut self.buckets[at];
        let before = bucket.nodes.len();
        bucket.waiting.retain(|node| node.contact != *contact);
        bucket.nodes.retain(|node| node.contact != *contact);
        if bucket.nodes.len() < before {
            bucket.promote(config);
        }
    }

    /// The contacts that are closest to a target, closest first, of those that answer.
    pub(super) fn closest(&self, target: NodeId, count: usize) -> Vec<Contact> {
        let mut found = Vec::with_capacity(count + 8);
        let take = |bucket: &Bucket, found: &mut Vec<Contact>| {
            let nodes = bucket.nodes.iter().filter(|node| node.failures == 0);
            found.extend(nodes.map(|node| node.contact));
        };
        // Everybody in the target's own bucket is closer than all others, those in the buckets
        // behind it are next, and then those in front of it, one bucket after the other.
        let at = self.index(target);
        take(&self.buckets[at], &mut found);
        if found.len() < count {
            for bucket in &self.buckets[at + 1..] {
                take(bucket, &mut found);
            }
        }
        for bucket in self.buckets[..at].iter().rev() {
            if found.len() >= count {
                break;
            }
            take(bucket, &mut found);
        }
        let distance = |contact: &Contact| contact.id.distance(target);
        if found.len() > count {
            found.select_nth_unstable_by_key(count, distance);
            found.truncate(count);
        }
        found.sort_unstable_by_key(distance);
        found
    }

    /// The contact that should be asked to keep the table alive: one that left something
    /// unanswered, or else was silent for the longest. It counts as asked.
    pub(super) fn stalest(&mut self, now: Time, config: &Config) -> Option<Contact> {
        let nodes = self.buckets.iter_mut().flat_map(|bucket| &mut bucket.nodes);
        let stalest = nodes.min_by_key(|node| {
            let asked = now.saturating_since(node.asked) < config.long_timeout;
            let fails = node.failures > 0 && !asked;
            (!fails, node.heard.max(node.asked))
        })?;
        stalest.asked = now;
        Some(stalest.contact)
    }

    /// A target near which somebody is missing: something in the bucket of a contact, if that
    /// has room, which counts as looked for then.
    pub(super) fn gap(
        &mut self,
        now: Time,
        near: NodeId,
        config: &Config,
        rng: &mut Rng,
    ) -> Option<NodeId> {
        let at = self.index(near);
        let bucket = &mut self.buckets[at];
        if bucket.nodes.len() >= room(at, config) {
            return None;
        }
        bucket.looked = Some(now);
        Some(self.inside(at, rng))
    }

    /// Somebody was looked for there.
    pub(super) fn looked(&mut self, now: Time, target: NodeId) {
        let at = self.index(target);
        self.buckets[at].looked = Some(now);
    }

    /// We looked for ourselves, and the farthest that was found is this one: there is nobody
    /// nearer whom we don't know. Its own bucket has a far half, in which nobody looked.
    pub(super) fn looked_around(&mut self, now: Time, farthest: NodeId) {
        let at = self.index(farthest);
        for bucket in &mut self.buckets[at + 1..] {
            bucket.looked = Some(now);
        }
    }

    /// A target in a bucket with few contacts that nobody looked for since then; the nearest
    /// one first. It counts as looked for.
    pub(super) fn neglected(
        &mut self,
        now: Time,
        since: Time,
        config: &Config,
        rng: &mut Rng,
    ) -> Option<NodeId> {
        let mut buckets = self.buckets.iter().enumerate();
        let (at, _) = buckets.rfind(|(at, bucket)| {
            let enough = config.bucket.max(room(*at, config) / 4);
            bucket.nodes.len() < enough && bucket.looked.is_none_or(|looked| looked < since)
        })?;
        self.buckets[at].looked = Some(now);
        // In the half of the last one that is far from us: the other was looked through before.
        Some(self.own.random_at(at, rng))
    }

    /// We are called otherwise: everybody has another distance.
    pub(super) fn rename(&mut self, now: Time, own: NodeId, config: &Config) {
        let old = std::mem::replace(self, Table::new(own));
        let (nodes, waiting): (Vec<_>, Vec<_>) = old
            .buckets
            .into_iter()
            .map(|bucket| (bucket.nodes, bucket.waiting))
            .unzip();
        for node in nodes.into_iter().chain(waiting).flatten() {
            if node.contact.id != own && self.clear_way(&node.contact, config) {
                self.insert(now, node, config);
            }
        }
    }

    /// Contacts to remember over restarts, those that were heard last first.
    pub(super) fn save(&self) -> Vec<(Time, Contact)> {
        let alive = self.nodes().filter(|node| node.failures == 0);
        alive.map(|node| (node.heard, node.contact)).collect()
    }

    /// What a person sees.
    pub(super) fn view(&self, now: Time, config: &Config) -> Vec<BucketView> {
        let buckets = self.buckets.iter().enumerate();
        buckets
            .map(|(at, bucket)| {
                let mut nodes: Vec<_> = bucket.nodes.iter().collect();
                nodes.sort_by_key(|node| node.heard);
                BucketView {
                    room: room(at, config),
                    contacts: nodes.into_iter().map(|node| node.view(now)).collect(),
                    replacements: bucket.waiting.len(),
                }
            })
            .collect()
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.buckets.iter().flat_map(|bucket| &bucket.nodes)
    }

    fn node_mut(&mut self, contact: &Contact) -> Option<&mut Node> {
        let at = self.index(contact.id);
        let bucket = &mut self.buckets[at];
        let mut nodes = bucket.nodes.iter_mut();
        nodes.find(|node| node.contact == *contact)
    }

    /// Any identifier that belongs into a bucket.
    fn inside(&self, at: usize, rng: &mut Rng) -> NodeId {
        // Nobody knows how far from us those in the last one are.
        let deeper = match at + 1 == self.buckets.len() {
            true => (rng.next_u64() | 1 << 63).trailing_zeros() as usize,
            false => 0,
        };
        self.own.random_at(at + deeper, rng)
    }

    fn index(&self, id: NodeId) -> usize {
        self.own.common_bits(id).min(self.buckets.len() - 1)
    }

    /// Removes those whom a newcomer shows to be gone or to have another name; whether nobody
    /// is in its way that stays.
    fn clear_way(&mut self, contact: &Contact, config: &Config) -> bool {
        let rivals = self.nodes().filter(|node| {
            node.contact.id == contact.id
                || node.contact.address == contact.address
                || config.one_per_subnet && node.contact.address.is_same_host(contact.address)
        });
        let rivals: Vec<(Contact, bool)> = rivals
            .map(|node| {
                let renamed = node.contact.address == contact.address;
                (node.contact, renamed || node.failures > 0)
            })
            .collect();
        for (rival, _) in rivals.iter().filter(|(_, gone)| *gone) {
            self.remove(rival, config);
        }
        rivals.iter().all(|(_, gone)| *gone)
    }

    fn insert(&mut self, now: Time, node: Node, config: &Config) -> Option<Contact> {
        let id = node.contact.id;
        loop {
            let at = self.index(id);
            if !self.buckets[at].allows(&node.contact, config) {
                return None;
            }
            if self.buckets[at].nodes.len() < room(at, config) {
                self.buckets[at].nodes.push(node);
                return None;
            }
            if !self.splits(at) {
                return self.buckets[at].queue(now, node, config);
            }
            self.split(config);
        }
    }

    /// A bucket is split when it is full: it is the last, which is ours.
    fn splits(&self, at: usize) -> bool {
        at + 1 == self.buckets.len() && at + 1 < NodeId::BITS
    }

    /// Splits the last bucket, and what comes of it if that is narrower than what is in it.
    fn split(&mut self, config: &Config) {
        loop {
            let (at, own) = (self.buckets.len() - 1, self.own);
            let last = &mut self.buckets[at];
            let nearer = |node: &Node| own.common_bits(node.contact.id) > at;
            let mut new = Bucket::default();
            (new.nodes, last.nodes) = std::mem::take(&mut last.nodes)
                .into_iter()
                .partition(nearer);
            (new.waiting, last.waiting) = std::mem::take(&mut last.waiting)
                .into_iter()
                .partition(nearer);
            last.trim(room(at, config), config);
            self.buckets.push(new);
            let fits = self.buckets[at + 1].nodes.len() <= room(at + 1, config);
            if fits || !self.splits(at + 1) {
                return self.buckets[at + 1].trim(room(at + 1, config), config);
            }
        }
    }
}

/// How many a bucket may have.
fn room(at: usize, config: &Config) -> usize {
    let wide = config.first_buckets.get(at).copied().unwrap_or_default();
    wide.max(config.bucket).max(1)
}
