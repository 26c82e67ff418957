//! What others ask of us.

use super::Dht;
use super::address::{Contact, Family, NodeAddress};
use super::calls::Purpose;
use super::id::NodeId;
use super::item::{Item, ItemError, MutableItem};
use super::krpc::{
    Ask, Body, KrpcError, Message, ParseError, Query, Response, Signed, Transaction, Want, code,
};
use super::secure;
use crate::time::Time;

/// Bytes of an answer beside nodes, peers, token and value: keys, lengths, an identifier, our
/// version, an address, and the longest transaction.
const FRAME: usize = 140;

/// Bytes of a token with its key.
const TOKEN: usize = 24;

impl Dht {
    /// A datagram came.
    pub(super) fn receive(&mut self, now: Time, from: NodeAddress, bytes: &[u8]) {
        self.traffic.received += 1;
        self.traffic.received_bytes += bytes.len() as u64;
        if self.network(from.family()).is_none() || !from.is_usable() {
            return;
        }
        match Message::parse(bytes) {
            Ok(Message {
                transaction,
                read_only,
                ip,
                body,
                ..
            }) => match body {
                Body::Query(query) => self.answer(now, from, transaction, query, read_only),
                Body::Response(response) => self.hear(now, from, &transaction, ip, response),
                Body::Error(error) => self.hear_error(now, from, &transaction, error),
            },
            Err(ParseError::Query { transaction, error }) => {
                self.traffic.malformed += 1;
                if self.may_answer(now, from) {
                    self.respond(from, transaction, Body::Error(error));
                }
            }
            Err(_) => self.traffic.malformed += 1,
        }
    }

    fn may_answer(&mut self, now: Time, from: NodeAddress) -> bool {
        if !self.watch.allows(now, from, &self.config) {
            self.traffic.flooded += 1;
            return false;
        }
        if self.config.read_only {
            return false;
        }
        let affordable = self.budget.has_room_for_others(now, &self.config);
        if !affordable {
            self.traffic.unaffordable += 1;
        }
        affordable
    }

    fn answer(
        &mut self,
        now: Time,
        from: NodeAddress,
        transaction: Transaction,
        query: Query,
        read_only: bool,
    ) {
        let asker = Contact {
            id: query.id,
            address: from,
        };
        // Whoever calls itself as we do is a liar, or we.
        if query.id == self.own(from.family()) || !self.may_answer(now, from) {
            return;
        }
        let body = match self.reply(now, asker, query) {
            Ok(response) => Body::Response(response),
            Err(error) => Body::Error(error),
        };
        self.respond(from, transaction, body);
        if !read_only {
            self.meet(now, asker);
        }
    }

    /// Somebody asked us. A stranger is asked back if it would find a place, so that nobody gets
    /// one who is not where it says.
    fn meet(&mut self, now: Time, asker: Contact) {
        let family = asker.address.family();
        let mut networks = self.networks.iter_mut();
        let Some(network) = networks.find(|network| network.family == family) else {
            return;
        };
        let known = network.table.asked_us(now, &asker);
        if !known
            && self.calls.checks() < self.config.max_checks
            && !self.calls.is_asking(asker.address)
            && network.table.wants(&asker, &self.config)
            && self.budget.has_room_for_others(now, &self.config)
        {
            let id = Some(asker.id);
            self.ask(now, asker.address, id, Purpose::Check, Ask::Ping);
        }
    }

    fn reply(&mut self, now: Time, asker: Contact, query: Query) -> Result<Response, KrpcError> {
        let (from, config) = (asker.address, &self.config);
        let response = Response {
            id: self.own(from.family()),
            ..Response::default()
        };
        Ok(match query.ask {
            Ask::Ping => response,
            Ask::FindNode { target } => Response {
                nodes: self.near(asker, target, query.want),
                ..response
            },
            Ask::GetPeers { info_hash } => {
                let token = self.tokens.make(now, from, info_hash, config);
                let nodes = self.near(asker, info_hash, query.want);
                let values = self.peers_for(asker, info_hash, &nodes);
                Response {
                    nodes,
                    values,
                    token: Some(token),
                    ..response
                }
            }
            Ask::AnnouncePeer {
                info_hash,
                port,
                implied_port,
                token,
            } => {
                self.check_token(now, asker, info_hash, &token)?;
                let peer = match implied_port {
                    true => from,
                    false => from.with_port(port),
                };
                let own = response.id;
                if !self
                    .storage
                    .announce(now, info_hash, peer, own, &self.config)
                {
                    return Err(refusal(code::SERVER, "Server Error: full"));
                }
                response
            }
            Ask::Get { target, seq } => {
                let token = Some(self.tokens.make(now, from, target, config));
                let mut response = Response { token, ..response };
                let newer = |item: &Item| match (item.seq(), seq) {
                    (Some(held), Some(asked)) => held > asked,
                    _ => true,
                };
                if let Some(item) = self.storage.item(target) {
                    response.seq = item.seq();
                    if newer(item) {
                        response.value = Some(item.value().to_vec());
                        if let Item::Mutable(item) = item {
                            response.signed = Some((item.key, item.signature));
                        }
                    }
                }
                // A value fills a datagram: there is room for one family beside it.
                let want = match response.value {
                    Some(_) => Want::default(),
                    None => query.want,
                };
                response.nodes = self.near(asker, target, want);
                response
            }
            Ask::Put {
                value,
                signed,
                cas,
                token,
            } => {
                let item = item(value, signed);
                self.check_token(now, asker, item.target(), &token)?;
                item.check().map_err(item_refusal)?;
                let own = response.id;
                let put = self.storage.put(now, item, cas, own, &self.config);
                put.map_err(|(code, words)| refusal(code, words))?;
                response
            }
        })
    }

    /// The closest nodes that we know, of the families that are wanted.
    fn near(&self, asker: Contact, target: NodeId, want: Want) -> Vec<Contact> {
        let carrier = asker.address.family();
        let want = match want.is_empty() {
            true => Want::only(carrier),
            false => want,
        };
        let networks = self.networks.iter();
        let mut near: Vec<Contact> = networks
            .filter(|network| want.has(network.family))
            .flat_map(|network| network.table.closest(target, self.config.bucket))
            .filter(|contact| *contact != asker)
            .collect();
        // Those that the asker surely can use first, should there be no room for all.
        near.sort_by_key(|contact| contact.address.family() != carrier);
        let mut room = self.config.max_answer.saturating_sub(FRAME + TOKEN);
        near.retain(|contact| {
            let length = 20 + compact_length(contact.address.family());
            let fits = length <= room;
            room -= if fits { length } else { 0 };
            fits
        });
        near
    }

    /// As many peers as fit beside these nodes.
    fn peers_for(
        &mut self,
        asker: Contact,
        info_hash: NodeId,
        nodes: &[Contact],
    ) -> Vec<NodeAddress> {
        let family = asker.address.family();
        let nodes = nodes.iter().map(|node| node.address.family());
        let nodes: usize = nodes.map(|family| 20 + compact_length(family)).sum();
        let room = self.config.max_answer.saturating_sub(FRAME + TOKEN + nodes);
        let count = room / (compact_length(family) + 3);
        let count = count.min(self.config.max_values);
        let rng = &mut self.rng;
        self.storage.peers(info_hash, family, count, rng)
    }

    fn check_token(
        &mut self,
        now: Time,
        asker: Contact,
        target: NodeId,
        token: &[u8],
    ) -> Result<(), KrpcError> {
        let config = &self.config;
        let ours = self
            .tokens
            .is_ours(now, asker.address, target, token, config);
        if !ours {
            self.traffic.bad_tokens += 1;
            return Err(refusal(code::PROTOCOL, "Protocol Error: bad token"));
        }
        if config.enforce_ids && !secure::fits(&asker) {
            let words = "Protocol Error: the id does not fit the address";
            return Err(refusal(code::PROTOCOL, words));
        }
        Ok(())
    }
}

fn compact_length(family: Family) -> usize {
    match family {
        Family::V4 => 6,
        Family::V6 => 18,
        Family::Tab => 8,
    }
}

fn item(value: Vec<u8>, signed: Option<Signed>) -> Item {
    match signed {
        None => Item::Immutable { value },
        Some(signed) => Item::Mutable(MutableItem {
            key: signed.key,
            salt: signed.salt,
            seq: signed.seq,
            value,
            signature: signed.signature,
        }),
    }
}

fn item_refusal(error: ItemError) -> KrpcError {
    let code = match error {
        ItemError::TooLong => code::VALUE_TOO_LONG,
        ItemError::SaltTooLong => code::SALT_TOO_LONG,
        ItemError::Signature => code::BAD_SIGNATURE,
        ItemError::NotBencoded => code::PROTOCOL,
    };
    refusal(code, &error.to_string())
}

fn refusal(code: i64, words: &str) -> KrpcError {
    KrpcError {
        code,
        message: words.to_owned(),
    }
}
