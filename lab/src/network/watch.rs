//! A lookup, watched step by step.

use serde::{Deserialize, Serialize};
use swarm_core::dht::{
    CandidateState, Contact, LookupView, NodeAddress, NodeId, Output, RequestId, Stats,
};

use super::internet::Internet;
use super::{Index, Network};
use crate::schedule::{Nanos, seconds};

/// Nodes that a lookup should have reached: as many as are told of an announce.
const CLOSEST: usize = 8;
/// Nodes that are remembered to have what was looked for.
const MOST_FOUND: usize = 16;

/// One lookup, or an announce, which is a lookup that tells the nodes where it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// Walks that were asked for before it.
    pub number: u32,
    /// Who looks.
    pub node: u32,
    /// For what.
    pub key: NodeId,
    /// It announces.
    pub announces: bool,
    /// Virtual seconds since the start of the network.
    pub began: f64,
    /// Nodes that were asked, in this order.
    pub hops: Vec<Hop>,
    /// What came of it.
    pub ended: Option<Ending>,
}

/// A node that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// Which; none if nobody is there.
    pub node: Option<u32>,
    /// What it is called; none of a bootstrap node that has not answered.
    pub id: Option<NodeId>,
    /// Leading bits that it shares with the key.
    pub bits: u8,
    /// By which hop we heard of it, by its place in [`Walk::hops`]; none if we knew it.
    pub by: Option<u32>,
    /// Seconds since the walk began.
    pub asked: f64,
    /// The same.
    pub answered: Option<f64>,
    /// What became of it.
    pub state: HopState,
    /// Nodes that it told us of and that we had not heard of.
    pub told: u32,
    /// It told us who has what we look for.
    pub found: bool,
}

/// What became of a node that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HopState {
    /// It is waited for.
    Waiting,
    /// It answered.
    Answered,
    /// It did not answer in time, and nobody waits for it any more.
    Late,
    /// The walk was over before.
    Unneeded,
}

/// What came of a walk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// Seconds since the walk began.
    pub took: f64,
    /// Why it came to nothing, if it did.
    pub failure: Option<String>,
    /// Nodes that have what was looked for.
    pub found: Vec<u32>,
    /// Nodes that took an announce.
    pub stored: u32,
    /// Of the nodes that are nearest to the key, those that it reached,
    pub reached: u32,
    /// and how many there are, up to eight.
    pub of: u32,
}

impl Walk {
    /// The most leading bits that a node which answered shares with the key.
    pub fn bits(&self) -> u8 {
        let answered = self.hops.iter();
        let answered = answered.filter(|hop| hop.state == HopState::Answered);
        answered.map(|hop| hop.bits).max().unwrap_or(0)
    }
}

impl Ending {
    /// It came to what it was for: it found or stored something.
    pub fn is_success(&self) -> bool {
        self.failure.is_none() && (self.stored > 0 || !self.found.is_empty())
    }
}

/// A walk, and what is needed to follow it.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) walk: Walk,
    request: RequestId,
    since: Nanos,
    /// Of the hops.
    addresses: Vec<NodeAddress>,
    /// Nodes that the walk has heard of, and by which hop. Those that it forgot again too: at most
    /// sixteen for each answer.
    heard: Vec<(NodeAddress, Option<u32>)>,
    found: Vec<u32>,
    /// Peers came, of whoever answers just now.
    finds: bool,
}

impl Watch {
    pub(super) fn new(
        now: Nanos,
        number: u32,
        node: Index,
        request: RequestId,
        key: NodeId,
        announces: bool,
    ) -> Self {
        Watch {
            walk: Walk {
                number,
                node,
                key,
                announces,
                began: seconds(now),
                hops: Vec::new(),
                ended: None,
            },
            request,
            since: now,
            addresses: Vec::new(),
            heard: Vec::new(),
            found: Vec::new(),
            finds: false,
        }
    }

    /// It came to nothing.
    pub(super) fn fail(&mut self, now: Nanos, reason: &str) {
        self.end(
            now,
            Ending {
                failure: Some(reason.to_owned()),
                ..Ending::default()
            },
        );
    }

    fn end(&mut self, now: Nanos, ending: Ending) {
        for hop in &mut self.walk.hops {
            if hop.state == HopState::Waiting {
                hop.state = HopState::Unneeded;
            }
        }
        self.walk.ended = Some(Ending {
            took: seconds(now - self.since),
            found: std::mem::take(&mut self.found),
            ..ending
        });
    }

    /// What has changed since the last time.
    fn observe(&mut self, now: Nanos, view: &LookupView, internet: &Internet) {
        let at = seconds(now - self.since);
        let mut answering = None;
        for (index, address) in self.addresses.iter().enumerate() {
            let mut candidates = view.candidates.iter();
            let hop = &mut self.walk.hops[index];
            let Some(candidate) = candidates.find(|it| it.address == *address) else {
                continue;
            };
            match candidate.state {
                CandidateState::Answered if hop.state != HopState::Answered => {
                    hop.state = HopState::Answered;
                    hop.answered = Some(at);
                    hop.id = candidate.id;
                    hop.bits = bits(candidate.id, self.walk.key);
                    hop.found |= self.finds;
                    answering = Some(index as u32);
                }
                CandidateState::Late | CandidateState::Failed => hop.state = HopState::Late,
                _ => {}
            }
        }
        self.finds = false;
        for candidate in &view.candidates {
            if !self.heard.iter().any(|(it, _)| *it == candidate.address) {
                self.heard.push((candidate.address, answering));
                if let Some(by) = answering {
                    self.walk.hops[by as usize].told += 1;
                }
            }
            if candidate.state == CandidateState::New || self.addresses.contains(&candidate.address)
            {
                continue;
            }
            let heard = self.heard.iter().find(|(it, _)| *it == candidate.address);
            self.addresses.push(candidate.address);
            self.walk.hops.push(Hop {
                node: internet.owner(candidate.address),
                id: candidate.id,
                bits: bits(candidate.id, self.walk.key),
                by: heard.and_then(|(_, by)| *by),
                asked: at,
                answered: None,
                state: HopState::Waiting,
                told: 0,
                found: false,
            });
        }
    }
}

fn bits(id: Option<NodeId>, key: NodeId) -> u8 {
    id.map_or(0, |id| id.common_bits(key) as u8)
}

impl Network {
    /// What a node says about the walk that is watched.
    pub(super) fn hear_of_walk(&mut self, index: Index, output: &Output) {
        let Some(watch) = self.watched(index) else {
            return;
        };
        let (request, key) = (watch.request, watch.walk.key);
        let ending = match output {
            Output::Peers {
                request: of,
                addresses,
            } if *of == request => {
                let owners = addresses.iter();
                let owners = owners.filter_map(|address| self.internet.owner(*address));
                let owners: Vec<_> = owners.take(MOST_FOUND).collect();
                if let Some(watch) = self.watched(index) {
                    watch.found.extend(owners);
                    watch.found.truncate(MOST_FOUND);
                    watch.finds = true;
                }
                return;
            }
            Output::Done {
                request: of,
                stats,
                closest,
            } if *of == request => self.arrived(index, key, stats, closest),
            Output::Failed {
                request: of,
                reason,
                ..
            } if *of == request => Ending {
                failure: Some(reason.to_string()),
                ..Ending::default()
            },
            _ => return,
        };
        let now = self.now;
        if let Some(watch) = self.watched(index) {
            // What it has heard by its last answer is not seen in the lookup any more.
            if let Output::Done { closest, .. } = output {
                let at = seconds(now - watch.since);
                for (hop, address) in watch.walk.hops.iter_mut().zip(&watch.addresses) {
                    let reached = closest.iter().any(|contact| contact.address == *address);
                    if reached && hop.state == HopState::Waiting {
                        hop.state = HopState::Answered;
                        hop.answered = Some(at);
                        hop.found |= watch.finds;
                    }
                }
            }
            watch.end(now, ending);
        }
        if let Some(live) = &mut self.live {
            let ended = live.watch.as_ref().and_then(|it| it.walk.ended.as_ref());
            live.ended.0 += 1;
            live.ended.1 += u32::from(ended.is_some_and(Ending::is_success));
        }
    }

    /// Looks at the walk that is watched, after something happened to its node.
    pub(super) fn look_at_walk(&mut self, index: Index) {
        let now = self.now;
        let Some(request) = self.watched(index).map(|watch| watch.request) else {
            return;
        };
        let Some(dht) = self.dht(index) else { return };
        let mut lookups = dht.lookups().into_iter();
        let view = lookups.find(|lookup| lookup.request == Some(request));
        let watch = self.live.as_mut().and_then(|live| live.watch.as_mut());
        if let (Some(view), Some(watch)) = (view, watch) {
            watch.observe(now, &view, &self.internet);
        }
    }

    /// It has to be one of this node, and not over.
    fn watched(&mut self, index: Index) -> Option<&mut Watch> {
        let watch = self.live.as_mut()?.watch.as_mut()?;
        (watch.walk.node == index && watch.walk.ended.is_none()).then_some(watch)
    }

    fn arrived(&self, index: Index, key: NodeId, stats: &Stats, closest: &[Contact]) -> Ending {
        let there = self.alive.iter().filter(|other| **other != index);
        let mut all: Vec<NodeId> = there.map(|other| self.nodes[*other as usize].id).collect();
        all.sort_unstable_by_key(|id| id.distance(key));
        all.truncate(CLOSEST);
        let reached = all.iter().filter(|id| {
            let mut closest = closest.iter();
            closest.any(|contact| contact.id == **id)
        });
        Ending {
            stored: stats.stored as u32,
            reached: reached.count() as u32,
            of: all.len() as u32,
            ..Ending::default()
        }
    }
}
