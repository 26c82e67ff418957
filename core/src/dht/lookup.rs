//! One walk towards a target: whom it knows, whom to ask next, when it is over.
//!
//! It asks the closest ones, a few at once, and they tell of closer ones (Kademlia, section
//! 2.3). It is over as soon as the closest [`Config::closest`] have answered. Beside whoever is
//! slow the next ones are asked, so that there is somebody in its place should it be dead.
//! Whoever is late is passed over without being given up: an answer that comes after all counts
//! as any other, for as long as the lookup lasts. Waiting for the dead is what most of the time of other
//! implementations' lookups goes into.

#[cfg(test)]
mod tests;

use super::address::{Contact, Family, NodeAddress};
use super::config::Config;
use super::id::{Distance, NodeId};
use super::io::RequestId;
use super::view::{CandidateState, CandidateView, LookupView};
use crate::time::Time;

/// A lookup of this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LookupId(pub(super) u64);

/// What a lookup is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// To find our own neighbourhood.
    Join,
    /// To fill a bucket.
    Fill,
    /// A host's request: nodes,
    Locate(RequestId),
    /// peers,
    Peers(RequestId),
    /// a value.
    Item(RequestId),
}

/// How far a lookup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It walks.
    Walking,
    /// It has arrived, and has something stored.
    Storing,
    /// It is over. Stores go on to those whose answers come late.
    Lingering {
        /// Until then.
        until: Time,
    },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) goal: Goal,
    pub(super) family: Family,
    pub(super) target: NodeId,
    pub(super) phase: Phase,
    pub(super) queries: usize,
    pub(super) answers: usize,
    /// Stores that are waited for.
    pub(super) storing: usize,
    /// Stores that were asked for before it was over.
    pub(super) store_queries: usize,
    candidates: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    /// What it is called, unless it is a bootstrap node.
    id: Option<NodeId>,
    distance: Distance,
    address: NodeAddress,
    hops: u8,
    state: CandidateState,
    /// It was asked, and takes longer than most.
    slow: bool,
    token: Option<Box<[u8]>>,
    stored: bool,
}

/// Somebody to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) address: NodeAddress,
    pub(super) id: Option<NodeId>,
}

/// What a lookup is to have stored with somebody.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) contact: Contact,
    pub(super) token: Vec<u8>,
}

impl Lookup {
    /// One that knows nobody.
    pub(super) fn new(goal: Goal, family: Family, target: NodeId) -> Self {
        Lookup {
            goal,
            family,
            target,
            phase: Phase::Walking,
            queries: 0,
            answers: 0,
            storing: 0,
            store_queries: 0,
            candidates: Vec::new(),
        }
    }

    /// Whose it is.
    pub(super) fn request(&self) -> Option<RequestId> {
        match self.goal {
            Goal::Join | Goal::Fill => None,
            Goal::Locate(request) | Goal::Peers(request) | Goal::Item(request) => Some(request),
        }
    }

    /// It knows nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// Somebody through whom one can join: asked first, since nobody knows where it stands.
    pub(super) fn offer_stranger(&mut self, address: NodeAddress) {
        if self.find(address).is_some() {
            return;
        }
        let candidate = Candidate::new(None, Distance([0; 20]), address, 1);
        self.candidates.insert(0, candidate);
    }

    /// Somebody is said to be there, by who is `hops` - 1 away.
    pub(super) fn offer(&mut self, contact: Contact, hops: u8, config: &Config) {
        let distance = contact.id.distance(self.target);
        let full = self.candidates.len() >= config.max_candidates;
        let farthest = self.candidates.last();
        if full && farthest.is_some_and(|farthest| farthest.distance <= distance) {
            return;
        }
        let rival = |other: &Candidate| {
            other.id == Some(contact.id)
                || other.address == contact.address
                || config.one_per_subnet && other.address.is_same_subnet(contact.address)
        };
        if self.candidates.iter().any(rival) {
            return;
        }
        let candidate = Candidate::new(Some(contact.id), distance, contact.address, hops);
        self.insert(candidate);
        self.candidates.truncate(config.max_candidates.max(1));
    }

    /// Whom to ask next, if somebody is to be asked now. It counts as asked.
    pub(super) fn next(&mut self, config: &Config) -> Option<Next> {
        let asked =
            |candidate: &&Candidate| candidate.state == CandidateState::Asked && !candidate.slow;
        if self.candidates.iter().filter(asked).count() >= config.alpha.max(1) {
            return None;
        }
        let mut closest = self.candidates.iter_mut().filter(|c| c.keeps_up());
        let next = closest
            .by_ref()
            .take(config.closest.max(1))
            .find(|candidate| candidate.state == CandidateState::New)?;
        next.state = CandidateState::Asked;
        self.queries += 1;
        Some(Next {
            address: next.address,
            id: next.id,
        })
    }

    /// Nobody is to be asked and nobody is waited for.
    pub(super) fn has_arrived(&self, config: &Config) -> bool {
        let open = |state| matches!(state, CandidateState::New | CandidateState::Asked);
        let mut closest = self.candidates.iter().filter(|c| c.counts());
        if closest
            .by_ref()
            .take(config.closest.max(1))
            .any(|candidate| open(candidate.state))
        {
            return false;
        }
        // Whoever has heard nobody at all waits for those who are late.
        let late = |candidate: &Candidate| candidate.state == CandidateState::Late;
        self.answers > 0 || !self.candidates.iter().any(late)
    }

    /// Somebody answered, and is called that. How far away it is, if it was asked.
    pub(super) fn answered(
        &mut self,
        address: NodeAddress,
        id: NodeId,
        token: Option<Vec<u8>>,
    ) -> Option<u8> {
        let at = self.find(address)?;
        let mut candidate = self.candidates.remove(at);
        candidate.state = CandidateState::Answered;
        candidate.token = token.map(Vec::into_boxed_slice);
        candidate.id = Some(id);
        candidate.distance = id.distance(self.target);
        let hops = candidate.hops;
        self.insert(candidate);
        self.answers += 1;
        Some(hops)
    }

    /// Somebody takes longer to answer than most.
    pub(super) fn slow(&mut self, address: NodeAddress) {
        if let Some(at) = self.find(address) {
            self.candidates[at].slow = true;
        }
    }

    /// Nobody waits for somebody any more.
    pub(super) fn late(&mut self, address: NodeAddress) {
        if let Some(at) = self.find(address) {
            self.candidates[at].state = CandidateState::Late;
        }
    }

    /// Somebody did not answer, or not sensibly.
    pub(super) fn failed(&mut self, address: NodeAddress) {
        if let Some(at) = self.find(address) {
            self.candidates[at].state = CandidateState::Failed;
        }
    }

    /// The closest that answered, and hops to the first of them.
    pub(super) fn closest(&self, count: usize) -> (Vec<Contact>, u8) {
        let answered = self.answered_ones();
        let hops = answered.clone().next().map_or(0, |(_, first)| first.hops);
        let contacts = answered.map(|(contact, _)| contact);
        (contacts.take(count).collect(), hops)
    }

    /// Where to store: those of the closest that answered and gave a token, and were not asked
    /// to before. They count as asked. While it walks there are some once all of the closest
    /// were asked: nothing is gained by waiting for those of them that may be dead.
    pub(super) fn places(&mut self, config: &Config) -> Vec<Place> {
        let target = self.target;
        let walks = self.phase == Phase::Walking;
        let closest = self.candidates.iter_mut().filter(|candidate| match walks {
            true => candidate.keeps_up(),
            false => candidate.state == CandidateState::Answered,
        });
        let closest: Vec<_> = closest.take(config.closest.max(1)).collect();
        let mut places = Vec::new();
        if closest.iter().any(|c| c.state == CandidateState::New) {
            return places;
        }
        let answered = closest
            .into_iter()
            .filter(|candidate| candidate.state == CandidateState::Answered);
        for candidate in answered {
            let (Some(id), Some(token)) = (candidate.id, &candidate.token) else {
                continue;
            };
            debug_assert_eq!(id.distance(target), candidate.distance);
            if !std::mem::replace(&mut candidate.stored, true) {
                let address = candidate.address;
                places.push(Place {
                    contact: Contact { id, address },
                    token: token.to_vec(),
                });
            }
        }
        places
    }

    /// What a person sees.
    pub(super) fn view(&self) -> LookupView {
        let candidates = self.candidates.iter().map(|candidate| CandidateView {
            id: candidate.id,
            address: candidate.address,
            hops: candidate.hops,
            state: candidate.state,
        });
        LookupView {
            request: self.request(),
            family: self.family,
            target: self.target,
            candidates: candidates.collect(),
        }
    }

    fn answered_ones(&self) -> impl Iterator<Item = (Contact, &Candidate)> + Clone {
        self.candidates.iter().filter_map(|candidate| {
            let answered = candidate.state == CandidateState::Answered;
            let (id, address) = (candidate.id?, candidate.address);
            answered.then_some((Contact { id, address }, candidate))
        })
    }

    fn find(&self, address: NodeAddress) -> Option<usize> {
        self.candidates
            .iter()
            .position(|candidate| candidate.address == address)
    }

    fn insert(&mut self, candidate: Candidate) {
        let at = self
            .candidates
            .partition_point(|other| other.distance < candidate.distance);
        self.candidates.insert(at, candidate);
    }
}

impl Candidate {
    fn new(id: Option<NodeId>, distance: Distance, address: NodeAddress, hops: u8) -> Self {
        Candidate {
            id,
            distance,
            address,
            hops,
            state: CandidateState::New,
            slow: false,
            token: None,
            stored: false,
        }
    }

    /// It is among those of whom the closest are wanted, and not known to be slow.
    fn keeps_up(&self) -> bool {
        self.counts() && !(self.slow && self.state == CandidateState::Asked)
    }

    /// It is among those of whom the closest are wanted.
    fn counts(&self) -> bool {
        !matches!(self.state, CandidateState::Late | CandidateState::Failed)
    }
}
