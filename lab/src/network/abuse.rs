//! Nodes that ask for more than they may: more often, or in others' names.
//!
//! Each has the eight honest nodes around one torrent for its victims, from the moment in which
//! things go wrong to the end. What they ask is made to be refused; how often it was not is what
//! is measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use swarm_core::dht::krpc::{Ask, Body, Message, Query, Signed, Transaction, Want};
use swarm_core::dht::{NodeId, mutable_target};
use swarm_core::rng::Rng;

use super::adversary::Kind;
use super::node::{Mind, Node};
use super::{Event, Index, Network};
use crate::schedule::nanos;

/// Nodes that one asks in turns: all that take what is announced of a torrent.
const VICTIMS: usize = 8;

/// What one does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Abuse {
    /// Asks for peers, all the time.
    #[default]
    Floods,
    /// Announces itself with tokens that others were given, or none were.
    ReplaysTokens,
    /// Puts values under the key of somebody else, whose signatures it can't make.
    TakesKeys,
}

/// What they came to, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AbuseResult {
    /// Queries that they sent.
    pub asked: u64,
    /// Those that were answered at all, refusals among them.
    pub answered: u64,
    /// Announces and values that were taken.
    pub stored: u64,
}

/// What they know, together.
#[derive(Debug, Default)]
pub(super) struct Loot {
    /// The last token that each of them was given by each victim: two numbers of nodes.
    tokens: BTreeMap<(Index, Index), Vec<u8>>,
    victims: BTreeMap<NodeId, Vec<Index>>,
    pub(super) result: AbuseResult,
}

/// The transaction by which one knows what was answered.
const LOOKED: &[u8] = b"lk";
const STORED: &[u8] = b"st";

impl Loot {
    /// Somebody answered one of them.
    fn hear(&mut self, of: Index, victim: Index, message: &Message) {
        self.result.answered += 1;
        let Body::Response(response) = &message.body else {
            return;
        };
        if message.transaction.0 == STORED {
            self.result.stored += 1;
        }
        if let Some(token) = response.token.clone() {
            self.tokens.insert((victim, of), token);
        }
    }

    /// A token that a victim gave to this one, or to another.
    fn token(&self, own: Index, victim: Index, to_another: bool) -> Option<Vec<u8>> {
        let of = self.tokens.range((victim, 0)..=(victim, Index::MAX));
        let mut of = of.filter(|((_, to), _)| (*to != own) == to_another);
        of.next().map(|(_, token)| token.clone())
    }
}

impl Network {
    /// All of them begin.
    pub(super) fn abuse_begins(&mut self) {
        for index in 0..self.nodes.len() as Index {
            if let Mind::Adversary(Kind::Abuser(_)) = self.nodes[index as usize].mind {
                self.queue.push(self.now, Event::Abuse(index));
            }
        }
    }

    /// One asks once.
    pub(super) fn abuse(&mut self, index: Index) {
        let Mind::Adversary(Kind::Abuser(abuse)) = self.nodes[index as usize].mind else {
            return;
        };
        let torrent = index as usize % self.scenario.torrents as usize;
        let target = NodeId::from(self.measure.torrents[torrent].info_hash);
        let victims = self.around(target);
        if let Some(&victim) = victims.get(self.rng.below(victims.len().max(1))) {
            let own = self.nodes[index as usize].id;
            let to_another = abuse == Abuse::ReplaysTokens;
            let token = self.loot.token(index, victim, to_another);
            let ask = ask(abuse, target, token, &mut self.rng);
            let stores = !matches!(ask, Ask::GetPeers { .. } | Ask::Get { .. });
            let message = Message {
                transaction: Transaction(if stores { STORED } else { LOOKED }.to_vec()),
                version: None,
                read_only: false,
                ip: None,
                body: Body::Query(Query {
                    id: own,
                    want: Want::default(),
                    ask,
                }),
            };
            self.loot.result.asked += 1;
            self.send(index, victim, message.encode());
        }
        let pause = 1.0 / self.scenario.abuse_rate;
        self.queue.push(
            self.now + nanos(pause * (0.5 + self.rng.unit())),
            Event::Abuse(index),
        );
    }

    /// An answer came to one of them.
    pub(super) fn hear_abused(&mut self, index: Index, from: Index, bytes: &[u8]) {
        if let Ok(message) = Message::parse(bytes)
            && !matches!(message.body, Body::Query(_))
        {
            self.loot.hear(index, from, &message);
        }
    }

    /// The honest nodes that are closest to a torrent.
    fn around(&mut self, target: NodeId) -> Vec<Index> {
        let nodes = &self.nodes;
        let known = self.loot.victims.entry(target).or_insert_with(|| {
            let honest = nodes.iter().enumerate();
            let honest = honest.filter(|(_, node)| matches!(node.mind, Mind::Honest(_)));
            let mut all: Vec<(_, Index)> = honest
                .map(|(at, node): (usize, &Node)| (node.id.distance(target), at as Index))
                .collect();
            all.sort_unstable();
            all.truncate(VICTIMS);
            all.into_iter().map(|(_, index)| index).collect()
        });
        known.clone()
    }
}

/// What one asks next. Tokens are of the torrent, or of the value, that they were asked for with.
fn ask(abuse: Abuse, torrent: NodeId, token: Option<Vec<u8>>, rng: &mut Rng) -> Ask {
    let mut key = [0; 32];
    key[..20].copy_from_slice(&torrent.0);
    let salt = Vec::new();
    match (abuse, token) {
        (Abuse::Floods, _) | (Abuse::ReplaysTokens, None) => Ask::GetPeers { info_hash: torrent },
        (Abuse::ReplaysTokens, Some(token)) => Ask::AnnouncePeer {
            info_hash: torrent,
            port: 666,
            implied_port: false,
            token,
        },
        (Abuse::TakesKeys, None) => Ask::Get {
            target: mutable_target(&key, &salt),
            seq: None,
        },
        (Abuse::TakesKeys, Some(token)) => {
            let mut signature = [0; 64];
            rng.fill(&mut signature);
            Ask::Put {
                value: b"5:false".to_vec(),
                signed: Some(Signed {
                    key,
                    salt,
                    seq: 1,
                    signature,
                }),
                cas: None,
                token,
            }
        }
    }
}
