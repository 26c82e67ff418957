//! The DHT: what comes in datagrams, and a node to which anything is said in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use swarm_core::dht::krpc::{Ask, Body, Message, Query, Response, Transaction, Want};
use swarm_core::dht::{
    AnnouncedPort, Config, Contact, Dht, Family, Input, Item, NodeAddress, NodeId, Output, Request,
    RequestId, Saved, SecretKey, TabTag,
};
use swarm_core::id::InfoHash;
use swarm_core::time::Time;

use crate::trace;

/// Nodes that talk to the one that is looked at.
const OTHERS: u8 = 24;

/// Inputs of a run.
const MAX_INPUTS: usize = 600;

/// A datagram is read or refused, and survives being written.
pub fn krpc(input: &[u8]) {
    if let Ok(message) = Message::parse(input) {
        let bytes = message.encode();
        assert_eq!(Message::parse(&bytes), Ok(message));
    }
}

/// A node is told what the bytes make of it.
pub fn dht(input: &[u8]) {
    let mut u = Unstructured::new(input);
    // An end of the bytes is an end of the run.
    let _ = run(&mut u);
}

/// A recording is replayed or refused.
pub fn dht_recording(input: &[u8]) {
    let _ = swarm_core::dht::record::replay(input, |_, _| {});
}

struct Scene {
    dht: Dht,
    config: Config,
    now: Time,
    /// Queries of ours that wait, by the number of whom they went to.
    asked: Vec<(NodeAddress, Message)>,
    tokens: BTreeMap<NodeAddress, Vec<u8>>,
    /// Rounds that may end, and requests whose last word was said.
    requests: BTreeMap<u64, bool>,
    sent: u64,
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let config = narrow(u)?;
    let now = Time::ZERO + Duration::from_secs(u.int_in_range(0..=100)?);
    let dht = Dht::new(config.clone(), Saved::default(), u.arbitrary()?, now);
    let mut scene = Scene {
        dht,
        config,
        now,
        asked: Vec::new(),
        tokens: BTreeMap::new(),
        requests: BTreeMap::new(),
        sent: 0,
    };
    for _ in 0..MAX_INPUTS {
        if u.is_empty() {
            break;
        }
        scene.step(u)?;
        scene.check();
    }
    scene.end();
    Ok(())
}

/// Bounds so narrow that small inputs meet all of them.
fn narrow(u: &mut Unstructured<'_>) -> Result<Config> {
    Ok(Config {
        v6: u.arbitrary()?,
        tabs: u.arbitrary()?,
        read_only: u.ratio(1, 8)?,
        bucket: u.int_in_range(1..=3)?,
        first_buckets: [u.int_in_range(0..=4)?, 0, 2, 0],
        replacements: u.int_in_range(0..=2)?,
        one_per_subnet: u.arbitrary()?,
        enforce_ids: u.ratio(1, 8)?,
        alpha: u.int_in_range(1..=3)?,
        closest: u.int_in_range(1..=4)?,
        max_calls: u.int_in_range(1..=8)?,
        max_lookups: u.int_in_range(1..=3)?,
        max_candidates: u.int_in_range(1..=8)?,
        max_requests: 3,
        max_found: 3,
        max_torrents: 2,
        max_peers_per_torrent: 2,
        max_peers: 3,
        max_items: 2,
        max_watched: 3,
        flood_queries: u.int_in_range(1..=20)?,
        bytes_per_second: u.int_in_range(100..=8000)?,
        address_votes: u.int_in_range(1..=3)?,
        max_bootstrap: 2,
        max_saved: 5,
        ..Config::default()
    })
}

fn address(u: &mut Unstructured<'_>) -> Result<NodeAddress> {
    let n = u.int_in_range(0..=OTHERS)?;
    Ok(match u.int_in_range(0..=9)? {
        0 => NodeAddress::V6([0x2600, n.into(), 0, 0, 0, 0, 0, 1].into(), 5),
        1 => NodeAddress::Tab(TabTag([n; 8])),
        2 => NodeAddress::V4([10, 0, 0, n].into(), 5),
        3 => NodeAddress::V4([9, 9, 9, n].into(), u.arbitrary()?),
        _ => NodeAddress::V4([9, n, 0, 1].into(), 5),
    })
}

/// What somebody is called, mostly what its address tells.
fn id(u: &mut Unstructured<'_>, address: NodeAddress) -> Result<NodeId> {
    let mut id = [0; 20];
    match address {
        NodeAddress::V4(ip, _) => id[..4].copy_from_slice(&ip.octets()),
        NodeAddress::V6(ip, _) => id[..16].copy_from_slice(&ip.octets()),
        NodeAddress::Tab(tag) => id[..8].copy_from_slice(&tag.0),
    }
    id.rotate_left(1);
    if u.ratio(1, 8)? {
        id = u.arbitrary()?;
    }
    Ok(NodeId(id))
}

fn contact(u: &mut Unstructured<'_>) -> Result<Contact> {
    let address = address(u)?;
    Ok(Contact {
        id: id(u, address)?,
        address,
    })
}

fn target(u: &mut Unstructured<'_>) -> Result<NodeId> {
    let mut id = [0; 20];
    id[0] = u.int_in_range(0..=3)?;
    Ok(NodeId(id))
}

fn item(u: &mut Unstructured<'_>) -> Result<Item> {
    let value = format!("i{}e", u.int_in_range(0..=2)?).into_bytes();
    let item = match u.arbitrary()? {
        false => Item::immutable(value),
        true => SecretKey::from_seed([1; 32]).sign(Vec::new(), u.int_in_range(0..=3)?, value),
    };
    Ok(item.expect("it is one"))
}

impl Scene {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let input = match u.int_in_range(0..=15)? {
            0 => {
                self.now += Duration::from_millis(u.int_in_range(0..=2000)?);
                Input::Tick
            }
            1 => {
                self.now += Duration::from_secs(u.int_in_range(0..=4000)?);
                Input::Tick
            }
            2 => Input::Bootstrap(vec![address(u)?, address(u)?]),
            3 => Input::Assume(vec![contact(u)?]),
            4 => Input::ExternalAddress([u.int_in_range(1..=9)?, 1, 1, 1].into()),
            5 => self.start(u)?,
            6 => {
                let request = u.int_in_range(0..=4)?;
                self.requests.remove(&request);
                Input::Stop(RequestId(request))
            }
            7 => Input::Datagram {
                from: address(u)?,
                bytes: u.bytes(u.len().min(30))?.to_vec(),
            },
            8..=10 => self.query(u)?,
            _ => self.answer(u)?,
        };
        self.tell(input);
        Ok(())
    }

    fn start(&mut self, u: &mut Unstructured<'_>) -> Result<Input> {
        let info_hash = InfoHash(target(u)?.0);
        let request = match u.int_in_range(0..=5)? {
            0 => Request::Locate(target(u)?),
            1 => Request::Search(info_hash),
            2 => Request::Announce {
                info_hash,
                port: AnnouncedPort::Port(u.int_in_range(1..=9)?),
            },
            3 => Request::Announce {
                info_hash,
                port: AnnouncedPort::Implied,
            },
            4 => Request::Get {
                target: item(u)?.target(),
                salt: Vec::new(),
            },
            _ => Request::Put {
                item: item(u)?,
                cas: u.arbitrary()?,
                keep: u.arbitrary()?,
            },
        };
        let repeated = matches!(
            request,
            Request::Announce { .. } | Request::Put { keep: true, .. }
        );
        let number = u.int_in_range(0..=4)?;
        self.requests.insert(number, repeated);
        Ok(Input::Start(RequestId(number), request))
    }

    fn query(&mut self, u: &mut Unstructured<'_>) -> Result<Input> {
        let from = address(u)?;
        let token = || self.tokens.get(&from).cloned().unwrap_or_default();
        let ask = match u.int_in_range(0..=6)? {
            0 => Ask::Ping,
            1 => Ask::FindNode { target: target(u)? },
            2 | 3 => Ask::GetPeers {
                info_hash: target(u)?,
            },
            4 => Ask::AnnouncePeer {
                info_hash: target(u)?,
                port: 7,
                implied_port: u.arbitrary()?,
                token: token(),
            },
            5 => Ask::Get {
                target: item(u)?.target(),
                seq: u.arbitrary()?,
            },
            _ => {
                let Item::Immutable { value } = item(u)? else {
                    return Ok(Input::Tick);
                };
                Ask::Put {
                    value,
                    signed: None,
                    cas: None,
                    token: token(),
                }
            }
        };
        let want = Want {
            v4: u.arbitrary()?,
            v6: u.arbitrary()?,
            tabs: u.arbitrary()?,
        };
        let query = Query {
            id: id(u, from)?,
            want,
            ask,
        };
        let message = Message {
            transaction: Transaction(vec![1, 2]),
            version: None,
            read_only: u.ratio(1, 8)?,
            ip: None,
            body: Body::Query(query),
        };
        let bytes = message.encode();
        Ok(Input::Datagram { from, bytes })
    }

    /// Answers one of the node's queries, perhaps from elsewhere.
    fn answer(&mut self, u: &mut Unstructured<'_>) -> Result<Input> {
        if self.asked.is_empty() {
            return Ok(Input::Tick);
        }
        let at = u.choose_index(self.asked.len())?;
        let (mut from, asked) = self.asked.swap_remove(at);
        if u.ratio(1, 16)? {
            from = address(u)?;
        }
        let mut response = Response {
            id: id(u, from)?,
            token: Some(b"token".to_vec()),
            ..Response::default()
        };
        for _ in 0..u.int_in_range(0..=4)? {
            response.nodes.push(contact(u)?);
        }
        for _ in 0..u.int_in_range(0..=2)? {
            response.values.push(address(u)?);
        }
        if u.ratio(1, 4)? {
            let item = item(u)?;
            response.value = Some(item.value().to_vec());
            if let Item::Mutable(item) = item {
                response.seq = Some(item.seq);
                response.signed = Some((item.key, item.signature));
            }
        }
        let message = Message {
            transaction: asked.transaction,
            version: None,
            read_only: false,
            ip: Some(NodeAddress::V4([u.int_in_range(1..=3)?, 1, 1, 1].into(), 5)),
            body: match u.ratio(1, 16)? {
                false => Body::Response(response),
                true => Body::Error(swarm_core::dht::krpc::KrpcError {
                    code: 201,
                    message: String::new(),
                }),
            },
        };
        let bytes = message.encode();
        Ok(Input::Datagram { from, bytes })
    }

    fn tell(&mut self, input: Input) {
        if trace() {
            eprintln!("{:?} {input:?}", self.now);
        }
        self.dht.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.dht.poll_output() {
            if trace() {
                eprintln!("    {output:?}");
            }
            self.note(output);
        }
    }

    /// What the node says is possible.
    fn note(&mut self, output: Output) {
        match output {
            Output::Datagram { to, bytes } => {
                self.sent += bytes.len() as u64;
                let message = Message::parse(&bytes).expect("a node's datagrams are messages");
                assert_eq!(message.encode(), bytes);
                let family = to.family();
                assert!(self.dht.id(family).is_some(), "a family that takes no part");
                match &message.body {
                    Body::Query(_) => self.asked.push((to, message)),
                    Body::Response(response) => {
                        assert!(!self.config.read_only);
                        assert!(bytes.len() <= 1500, "{}", bytes.len());
                        assert!(response.value.is_some() || bytes.len() <= self.config.max_answer);
                        if let Some(token) = &response.token {
                            self.tokens.insert(to, token.clone());
                        }
                    }
                    Body::Error(_) => assert!(!self.config.read_only),
                }
            }
            Output::Peers { request, addresses } => {
                assert!(self.requests.contains_key(&request.0));
                assert!(!addresses.is_empty());
            }
            Output::Value { request, item } => {
                assert!(self.requests.contains_key(&request.0));
                assert_eq!(item.check(), Ok(()));
            }
            Output::Done { request, .. } | Output::Failed { request, .. } => {
                let repeated = self.requests.get(&request.0).copied();
                let repeated = repeated.expect("nothing comes of a request that is over");
                if !repeated {
                    self.requests.remove(&request.0);
                }
            }
            Output::Joined { contacts, .. } => assert!(contacts > 0),
            Output::Alone { .. } | Output::IdChanged { .. } => {}
        }
    }

    /// The bounds hold, and a tick that nobody needs changes nothing.
    fn check(&mut self) {
        let view = self.dht.view(self.now);
        let config = &self.config;
        assert!(view.torrents <= config.max_torrents && view.peers <= config.max_peers);
        assert!(view.items <= config.max_items);
        assert!(view.requests <= config.max_requests);
        for family in &view.families {
            for bucket in &family.buckets {
                assert!(bucket.contacts.len() <= bucket.room);
                assert!(bucket.replacements <= config.replacements);
                let mut ids: Vec<_> = bucket.contacts.iter().map(|c| c.contact.id).collect();
                ids.sort();
                ids.dedup();
                assert_eq!(ids.len(), bucket.contacts.len(), "somebody is there twice");
                assert!(!ids.contains(&family.id), "we are there");
            }
        }
        for lookup in self.dht.lookups() {
            assert!(lookup.candidates.len() <= config.max_candidates + 2 * config.max_bootstrap);
        }
        assert!(self.dht.save().contacts.len() <= config.max_saved);
        let due = self.dht.poll_timeout();
        self.dht.handle(self.now, Input::Tick);
        assert!(
            self.dht.poll_output().is_none(),
            "a second tick said something"
        );
        assert_eq!(self.dht.poll_timeout(), due);
        assert!(
            due.is_none_or(|due| due > self.now),
            "the timer is in the past: {due:?}, not after {:?}",
            self.now
        );
    }

    /// Without answers everything comes to an end.
    fn end(&mut self) {
        let repeated = self.requests.iter().filter(|(_, repeated)| **repeated);
        let repeated: Vec<_> = repeated.map(|(number, _)| *number).collect();
        for number in repeated {
            self.requests.remove(&number);
            self.tell(Input::Stop(RequestId(number)));
        }
        for _ in 0..2000 {
            if self.requests.is_empty() {
                break;
            }
            let due = self.dht.poll_timeout();
            self.now = self.now.max(due.expect("something waits for time"));
            self.tell(Input::Tick);
        }
        assert!(self.requests.is_empty(), "requests never end");
        assert_eq!(self.dht.id(Family::V4).is_some(), self.config.v4);
        assert_eq!(self.sent, self.dht.traffic().sent_bytes);
    }
}
