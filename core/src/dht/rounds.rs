//! What becomes of the host's requests.

use std::time::Duration;

use super::Dht;
use super::address::NodeAddress;
use super::calls::Call;
use super::id::Distance;
use super::io::{Failure, Output, Request, RequestId, Stats};
use super::item::{Item, MutableItem, immutable_target, mutable_target};
use super::krpc::{KrpcError, Response};
use super::lookup::{Lookup, LookupId, Phase};
use super::requests::Round;
use crate::time::Time;

impl Dht {
    /// The host wants something.
    pub(super) fn start(&mut self, now: Time, id: RequestId, request: Request) {
        self.stop(id);
        let checked = match &request {
            Request::Put { item, .. } => item.check().map_err(Failure::Item),
            _ => Ok(()),
        };
        let room = match self.requests.len() < self.config.max_requests {
            true => Ok(()),
            false => Err(Failure::TooMany),
        };
        match checked.and(room) {
            Ok(()) => self.requests.add(now, id, request),
            Err(reason) => self.out.push_back(Output::Failed {
                request: id,
                reason,
                stats: Stats::default(),
            }),
        }
    }

    /// The host doesn't want it any more.
    pub(super) fn stop(&mut self, id: RequestId) {
        if self.requests.remove(id).is_some() {
            self.lookups
                .retain(|_, lookup| lookup.request() != Some(id));
        }
    }

    /// Begins what is due, as far as there is room.
    pub(super) fn begin_rounds(&mut self, now: Time) {
        while self.walking() < self.config.max_lookups
            && let Some(id) = self.requests.pop_due(now)
        {
            self.begin_round(now, id);
        }
    }

    fn begin_round(&mut self, now: Time, id: RequestId) {
        let Some(ongoing) = self.requests.get(id) else {
            return;
        };
        let (target, goal) = (ongoing.request.target(), ongoing.request.goal(id));
        for network in &mut self.networks {
            network.table.looked(now, target);
        }
        let families = self.networks.iter();
        let lookups: Vec<_> = families
            .map(|network| self.set_out(Lookup::new(goal, network.family, target)))
            .collect();
        let mut round = Round::new(now);
        let somebody = lookups.iter().any(|lookup| !lookup.is_empty());
        if somebody {
            round.lookups = lookups.len();
            for lookup in lookups {
                self.begin_lookup(lookup);
            }
        }
        if let Some(ongoing) = self.requests.get_mut(id) {
            ongoing.round = Some(Box::new(round));
        }
        self.look_here(now, id);
        if !somebody {
            self.end_round(now, id, Some(Failure::NoNodes));
        }
    }

    /// Gives a lookup those whom we know to be close, and whoever may help if they are few.
    pub(super) fn set_out(&self, mut lookup: Lookup) -> Lookup {
        let config = &self.config;
        let Some(network) = self.network(lookup.family) else {
            return lookup;
        };
        let near = network
            .table
            .closest(lookup.target, config.max_candidates / 2);
        // Where we are the nearest that we know of, others of ours may know as little: young ones
        // met each other while they looked for themselves, and nobody of the other half.
        let own = network.table.own().distance(lookup.target);
        let nearest = near
            .first()
            .map(|contact| contact.id.distance(lookup.target));
        let blind = own > Distance([0; 20]) && nearest.is_some_and(|nearest| own < nearest);
        let few = near.len() < config.closest || blind;
        for contact in near {
            lookup.offer(contact, 1, config);
        }
        if few {
            for contact in &network.known {
                lookup.offer(*contact, 1, config);
            }
            for address in network.bootstrap.iter().take(config.closest) {
                lookup.offer_stranger(*address);
            }
        }
        lookup
    }

    pub(super) fn begin_lookup(&mut self, lookup: Lookup) -> LookupId {
        let id = LookupId(self.begun_lookups);
        self.begun_lookups += 1;
        self.lookups.insert(id, lookup);
        id
    }

    /// We may be one of those who were told what is looked for.
    fn look_here(&mut self, now: Time, id: RequestId) {
        let Some(request) = self.requests.get(id).map(|ongoing| &ongoing.request) else {
            return;
        };
        match request {
            Request::Search(_) | Request::Announce { .. } => {
                let target = request.target();
                for at in 0..self.networks.len() {
                    let (family, most) = (self.networks[at].family, self.config.max_found);
                    let rng = &mut self.rng;
                    let peers = self.storage.peers(target, family, most, rng);
                    self.found_peers(now, id, 0, peers);
                }
            }
            Request::Get { target, .. } => {
                let item = self.storage.item(*target).cloned();
                if let Some(item) = item {
                    self.found_item(now, id, 0, item);
                }
            }
            Request::Locate(_) | Request::Put { .. } => {}
        }
    }

    /// Somebody told of peers.
    pub(super) fn found_peers(
        &mut self,
        now: Time,
        id: RequestId,
        hops: u8,
        mut peers: Vec<NodeAddress>,
    ) {
        let most = self.config.max_found;
        let Some(round) = self.requests.round_mut(id) else {
            return;
        };
        peers.retain(|peer| round.peers.len() < most && round.peers.insert(*peer));
        round.found(now, hops, peers.len());
        if !peers.is_empty() {
            self.out.push_back(Output::Peers {
                request: id,
                addresses: peers,
            });
        }
    }

    /// Somebody told of a value; whether it is that which was asked for is seen here.
    pub(super) fn found_value(&mut self, now: Time, id: RequestId, hops: u8, said: Response) {
        let Some(ongoing) = self.requests.get(id) else {
            return;
        };
        let Request::Get { target, salt } = &ongoing.request else {
            return;
        };
        let Some(value) = said.value else { return };
        let item = match (said.signed, said.seq) {
            (Some((key, signature)), Some(seq)) if mutable_target(&key, salt) == *target => {
                Item::Mutable(MutableItem {
                    key,
                    salt: salt.clone(),
                    seq,
                    value,
                    signature,
                })
            }
            _ if immutable_target(&value) == *target => Item::Immutable { value },
            _ => return,
        };
        let known = ongoing
            .round
            .as_deref()
            .and_then(|round| round.value.as_ref());
        // What is not newer need not be checked, which is the costly part.
        let newer = known.is_none_or(|known| item.seq() > known.seq());
        if newer && item.check().is_ok() {
            self.found_item(now, id, hops, item);
        }
    }

    fn found_item(&mut self, now: Time, id: RequestId, hops: u8, item: Item) {
        if let Some(round) = self.requests.round_mut(id) {
            round.found(now, hops, 1);
            round.value = Some(item.clone());
            self.out.push_back(Output::Value { request: id, item });
        }
    }

    /// Has something stored where a lookup arrived, or is about to.
    pub(super) fn store(&mut self, now: Time, id: LookupId) {
        let Some(lookup) = self.lookups.get_mut(&id) else {
            return;
        };
        let Some(ongoing) = lookup.request().and_then(|id| self.requests.get(id)) else {
            return;
        };
        let early = lookup.phase == Phase::Walking;
        // One more who takes a value that the closest refuse would make a success of it; one more
        // who hears of a peer does no harm.
        if !ongoing.request.stores() || early && !ongoing.request.announces() {
            return;
        }
        let places = lookup.places(&self.config);
        if places.is_empty() {
            return;
        }
        let asks = places.into_iter().filter_map(|place| {
            let contact = place.contact;
            Some((contact, ongoing.request.store(place)?))
        });
        let asks: Vec<_> = asks.collect();
        if !matches!(lookup.phase, Phase::Lingering { .. }) {
            lookup.storing += asks.len();
            lookup.store_queries += asks.len();
        }
        for (contact, ask) in asks {
            let purpose = super::calls::Purpose::Store(id);
            self.ask(now, contact.address, Some(contact.id), purpose, ask);
        }
    }

    /// Somebody stored something, or did not.
    pub(super) fn stored(&mut self, id: LookupId, call: &Call, result: Result<(), KrpcError>) {
        let Some(lookup) = self.lookups.get_mut(&id) else {
            return;
        };
        if let Phase::Lingering { .. } = lookup.phase {
            return;
        }
        if !call.is_late() {
            lookup.storing = lookup.storing.saturating_sub(1);
        }
        let Some(request) = lookup.request() else {
            return;
        };
        if let Some(round) = self.requests.round_mut(request) {
            match result {
                Ok(()) => round.stats.stored += 1,
                Err(error) => round.refusal = Some((error.code, error.message)),
            }
        }
    }

    /// A lookup of a request is over.
    pub(super) fn lookup_over(&mut self, now: Time, request: RequestId, ended: Ended) {
        let Some(round) = self.requests.round_mut(request) else {
            return;
        };
        let stats = &mut round.stats;
        stats.queries += ended.queries;
        stats.answers += ended.answers;
        stats.hops = stats.hops.max(ended.hops);
        stats.store_queries += ended.store_queries;
        round.closest.extend(ended.closest);
        round.lookups = round.lookups.saturating_sub(1);
        if round.lookups == 0 {
            self.end_round(now, request, None);
        }
    }

    fn end_round(&mut self, now: Time, id: RequestId, failure: Option<Failure>) {
        let Some(ongoing) = self.requests.get_mut(id) else {
            return;
        };
        let Some(round) = ongoing.round.take() else {
            return;
        };
        let mut stats = round.stats;
        stats.took = now.saturating_since(round.begun);
        let here = stats.found > 0 && !ongoing.request.stores();
        let failure = match failure {
            Some(_) if here => None,
            Some(failure) => Some(failure),
            None if stats.answers == 0 && !here => Some(Failure::NoAnswer),
            None => match &ongoing.request {
                Request::Get { .. } if round.value.is_none() => Some(Failure::NotFound),
                request if request.stores() && stats.stored == 0 => Some(match round.refusal {
                    Some((code, message)) => Failure::Refused { code, message },
                    None => Failure::NotStored,
                }),
                _ => None,
            },
        };
        let again = match ongoing.request {
            Request::Announce { .. } => Some(self.config.announce_interval),
            Request::Put { keep: true, .. } => Some(self.config.put_interval),
            _ => None,
        };
        let target = ongoing.request.target();
        match again {
            Some(interval) => {
                let wait = match failure {
                    None => interval,
                    Some(_) => interval.min(self.config.retry),
                };
                let wait = self.about(wait);
                self.requests.again(now + wait, id);
            }
            None => {
                self.requests.remove(id);
            }
        }
        self.out.push_back(match failure {
            None => {
                let mut closest = round.closest;
                closest.sort_by_key(|contact| contact.id.distance(target));
                Output::Done {
                    request: id,
                    stats,
                    closest,
                }
            }
            Some(reason) => Output::Failed {
                request: id,
                reason,
                stats,
            },
        });
    }

    /// About as long, so that not all nodes do the same at the same time.
    pub(super) fn about(&mut self, wait: Duration) -> Duration {
        wait.mul_f64(0.95 + self.rng.unit() / 10.0)
    }
}

/// What a lookup came to.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) queries: usize,
    pub(super) answers: usize,
    pub(super) hops: u8,
    pub(super) store_queries: usize,
    pub(super) closest: Vec<super::address::Contact>,
}
