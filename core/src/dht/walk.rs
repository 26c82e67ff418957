//! How lookups go on.

use super::Dht;
use super::address::NodeAddress;
use super::calls::Purpose;
use super::krpc::{Ask, Response};
use super::lookup::{Goal, LookupId, Phase};
use super::rounds::Ended;
use crate::time::Time;

impl Dht {
    /// Does the next steps of all lookups. True if one came further than to ask somebody.
    pub(super) fn walk(&mut self, now: Time) -> bool {
        self.starved = false;
        if self.lookups.is_empty() {
            return false;
        }
        let mut moved = false;
        let ids: Vec<_> = self.lookups.keys().copied().collect();
        for id in ids {
            let Some(lookup) = self.lookups.get(&id) else {
                continue;
            };
            match lookup.phase {
                Phase::Walking => {
                    self.ask_next(now, id);
                    self.store(now, id);
                    moved |= self.arrive(now, id);
                }
                Phase::Storing if lookup.storing == 0 => {
                    self.end(now, id);
                    moved = true;
                }
                Phase::Storing => {}
                Phase::Lingering { until } => {
                    if now >= until {
                        self.lookups.remove(&id);
                    }
                }
            }
        }
        moved
    }

    fn ask_next(&mut self, now: Time, id: LookupId) {
        loop {
            let room = self.calls.len() < self.config.max_calls;
            if !room || !self.budget.has_room(now, &self.config) {
                // The end of a call makes room for another by itself.
                self.starved |= room;
                return;
            }
            let Some(lookup) = self.lookups.get_mut(&id) else {
                return;
            };
            let Some(next) = lookup.next(&self.config) else {
                return;
            };
            let target = lookup.target;
            let ask = match lookup.goal {
                Goal::Join | Goal::Fill | Goal::Locate(_) => Ask::FindNode { target },
                Goal::Peers(_) => Ask::GetPeers { info_hash: target },
                Goal::Item(_) => Ask::Get { target, seq: None },
            };
            self.ask(now, next.address, next.id, Purpose::Step(id), ask);
        }
    }

    /// Somebody whom a lookup asked answered.
    pub(super) fn step(&mut self, now: Time, id: LookupId, from: NodeAddress, said: Response) {
        let config = &self.config;
        let Some(lookup) = self.lookups.get_mut(&id) else {
            return;
        };
        let token = said.token.clone();
        let Some(hops) = lookup.answered(from, said.id, token) else {
            return;
        };
        if let Phase::Lingering { .. } = lookup.phase {
            // It is late, and may be closer than those who were told.
            self.store(now, id);
            return;
        }
        let (request, goal) = (lookup.request(), lookup.goal);
        // One who knows more than the closest is told of no more than others.
        let mut room = [config.bucket.max(config.closest) * 2; 3];
        for contact in &said.nodes {
            let family = contact.address.family();
            let room = &mut room[family as usize];
            if *room == 0 {
                continue;
            }
            *room -= 1;
            let siblings = self.lookups.iter_mut().filter(|(other, lookup)| {
                **other == id || request.is_some() && lookup.request() == request
            });
            for (_, lookup) in siblings {
                if lookup.family == family && lookup.phase == Phase::Walking {
                    lookup.offer(*contact, hops.saturating_add(1), config);
                }
            }
        }
        match goal {
            Goal::Peers(request) => self.found_peers(now, request, hops, said.values),
            Goal::Item(request) => self.found_value(now, request, hops, said),
            Goal::Join | Goal::Fill | Goal::Locate(_) => {}
        }
    }

    /// Sees whether a lookup has arrived, and what is to be done there. True if it has.
    fn arrive(&mut self, now: Time, id: LookupId) -> bool {
        let Some(lookup) = self.lookups.get(&id) else {
            return false;
        };
        if !lookup.has_arrived(&self.config) || lookup.is_empty() && self.has_sibling(id) {
            return false;
        }
        let Some(lookup) = self.lookups.get_mut(&id) else {
            return false;
        };
        lookup.phase = Phase::Storing;
        self.store(now, id);
        if self.lookups.get(&id).is_some_and(|it| it.storing == 0) {
            self.end(now, id);
        }
        true
    }

    /// Another family's lookup of the same request may still find somebody for this one.
    fn has_sibling(&self, id: LookupId) -> bool {
        let request = self.lookups.get(&id).and_then(|lookup| lookup.request());
        let mut others = self.lookups.iter().filter(|(other, _)| **other != id);
        request.is_some()
            && others.any(|(_, other)| {
                let walks = other.phase == Phase::Walking && !other.is_empty();
                other.request() == request && walks
            })
    }

    /// A lookup is over.
    fn end(&mut self, now: Time, id: LookupId) {
        let Some(lookup) = self.lookups.get_mut(&id) else {
            return;
        };
        let (closest, hops) = lookup.closest(self.config.closest);
        let ended = Ended {
            queries: lookup.queries,
            answers: lookup.answers,
            hops,
            store_queries: lookup.store_queries,
            closest,
        };
        let (goal, family) = (lookup.goal, lookup.family);
        let until = now + self.config.long_timeout;
        lookup.phase = Phase::Lingering { until };
        if ended.store_queries == 0 {
            self.lookups.remove(&id);
        }
        match goal {
            Goal::Join => self.looked_around(now, family, &ended),
            Goal::Fill => self.fill(now, family),
            Goal::Locate(request) | Goal::Peers(request) | Goal::Item(request) => {
                self.lookup_over(now, request, ended);
            }
        }
    }
}
