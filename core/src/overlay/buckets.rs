//! With whom we are linked: Kademlia's buckets, of neighbours.
//!
//! Bucket `n` has those whose identifiers share exactly `n` leading bits with ours. Mainline keeps
//! in each whom it met first; a link is kept at both ends, so here both have to agree on it. In bucket
//! `n` those are best that are nearest to our own identifier with bit `n` flipped: whoever is best for us
//! has us for its best, as the corners of a cube have each other. Since that is so whoever was
//! there first, two networks that meet in one link grow together.

use std::collections::VecDeque;
use std::time::Duration;

use super::{OverlayConfig, id_of};
use crate::dht::NodeId;
use crate::id::Fingerprint;
use crate::sorted::SortedMap;
use crate::time::Time;

/// For what limits of the configuration are said.
const MINUTE: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub(super) struct Buckets {
    ours: Fingerprint,
    own: NodeId,
    tabs: SortedMap<Fingerprint, Neighbour>,
}

/// Somebody we are linked with.
#[derive(Debug)]
struct Neighbour {
    id: NodeId,
    /// There is a link that nothing but the overlay uses.
    alone: bool,
    /// Its questions of the last minute.
    questions: VecDeque<Time>,
    /// Those that carried an offer.
    offers: VecDeque<Time>,
}

impl Buckets {
    pub(super) fn new(ours: Fingerprint) -> Self {
        Buckets {
            ours,
            own: id_of(ours),
            tabs: SortedMap::new(),
        }
    }

    pub(super) fn ours(&self) -> Fingerprint {
        self.ours
    }

    pub(super) fn own_id(&self) -> NodeId {
        self.own
    }

    pub(super) fn len(&self) -> usize {
        self.tabs.len()
    }

    pub(super) fn has(&self, tab: Fingerprint) -> bool {
        self.tabs.contains_key(&tab)
    }

    pub(super) fn tabs(&self) -> impl Iterator<Item = Fingerprint> {
        self.tabs.keys().copied()
    }

    /// Somebody is linked with us; false if it was.
    pub(super) fn meet(&mut self, tab: Fingerprint, alone: bool) -> bool {
        if let Some(known) = self.tabs.get_mut(&tab) {
            known.alone |= alone;
            return false;
        }
        let neighbour = Neighbour {
            id: id_of(tab),
            alone,
            questions: VecDeque::new(),
            offers: VecDeque::new(),
        };
        tab != self.ours && self.tabs.insert(tab, neighbour).is_none()
    }

    /// Not any more; false if it was not.
    pub(super) fn part(&mut self, tab: Fingerprint) -> bool {
        self.tabs.remove(&tab).is_some()
    }

    /// What the best of a bucket are nearest to.
    pub(super) fn corner(&self, bucket: usize) -> NodeId {
        let mut id = self.own;
        if let Some(byte) = id.0.get_mut(bucket / 8) {
            *byte ^= 0x80 >> (bucket % 8);
        }
        id
    }

    /// Buckets with somebody in them, and one more.
    pub(super) fn depth(&self) -> usize {
        let tabs = self.tabs.values();
        let deepest = tabs.map(|tab| tab.id.common_bits(self.own)).max();
        deepest.map_or(1, |deepest| (deepest + 2).min(NodeId::BITS))
    }

    /// It would be one of the best of its bucket.
    pub(super) fn wants(&self, tab: Fingerprint, config: &OverlayConfig) -> bool {
        tab != self.ours && !self.has(tab) && self.is_good(id_of(tab), config)
    }

    fn is_good(&self, id: NodeId, config: &OverlayConfig) -> bool {
        let bucket = id.common_bits(self.own);
        let corner = self.corner(bucket);
        let distance = id.distance(corner);
        let better = self.tabs.values().filter(|other| {
            other.id.common_bits(self.own) == bucket && other.id.distance(corner) < distance
        });
        better.count() < config.bucket
    }

    /// Somebody who is none of the best: a link that was made for the overlay may go.
    pub(super) fn spare(&self, config: &OverlayConfig) -> Option<Fingerprint> {
        let mut tabs = self.tabs.iter();
        let spare = tabs.find(|(_, tab)| tab.alone && !self.is_good(tab.id, config));
        spare.map(|(tab, _)| *tab)
    }

    /// The neighbours that are nearest to a target, nearest first.
    pub(super) fn nearest(&self, target: NodeId, count: usize) -> Vec<Fingerprint> {
        let mut tabs: Vec<_> = self.tabs.iter().collect();
        tabs.sort_unstable_by_key(|(_, tab)| tab.id.distance(target));
        let tabs = tabs.into_iter().take(count);
        tabs.map(|(tab, _)| *tab).collect()
    }

    /// To whom a question goes on: whoever is nearest to its target, and nearer than we are, but
    /// not those.
    pub(super) fn next(&self, target: NodeId, but: &[Fingerprint]) -> Option<Fingerprint> {
        let tabs = self.tabs.iter().filter(|(tab, _)| !but.contains(tab));
        let (tab, nearest) = tabs.min_by_key(|(_, tab)| tab.id.distance(target))?;
        let nearer = nearest.id.distance(target) < self.own.distance(target);
        nearer.then_some(*tab)
    }

    /// One more question of a neighbour; false if that is too many.
    pub(super) fn takes_question(
        &mut self,
        now: Time,
        tab: Fingerprint,
        offer: bool,
        config: &OverlayConfig,
    ) -> bool {
        let Some(neighbour) = self.tabs.get_mut(&tab) else {
            return false;
        };
        let offers = &mut neighbour.offers;
        take(&mut neighbour.questions, now, config.a_minute)
            && (!offer || take(offers, now, config.offers_a_minute))
    }
}

/// One more, unless there were so many within a minute.
fn take(window: &mut VecDeque<Time>, now: Time, most: usize) -> bool {
    while window.front().is_some_and(|at| now - *at >= MINUTE) {
        window.pop_front();
    }
    let may = window.len() < most;
    if may {
        window.push_back(now);
    }
    may
}
