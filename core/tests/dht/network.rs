//! A network in memory, in virtual time: real nodes, and others that are scripted.

use std::collections::BTreeMap;
use std::time::Duration;

use swarm_core::dht::{
    Config, Contact, Dht, Failure, Family, Input, NodeAddress, NodeId, Output, Request, RequestId,
    Saved, Stats,
};
use swarm_core::rng::Rng;
use swarm_core::time::Time;

/// What a scripted node sends when it gets something.
pub(crate) type Script = Box<dyn FnMut(Time, NodeAddress, &[u8]) -> Vec<(NodeAddress, Vec<u8>)>>;

pub(crate) struct Network {
    pub(crate) now: Time,
    pub(crate) nodes: Vec<Node>,
    /// Share of datagrams that are lost.
    pub(crate) loss: f64,
    /// Even and odd ones don't reach each other.
    pub(crate) parted: bool,
    pub(crate) rng: Rng,
    pub(crate) addresses: BTreeMap<NodeAddress, Place>,
    scripts: Vec<Script>,
    queue: BTreeMap<(Time, u64), Event>,
    events: u64,
}

pub(crate) struct Node {
    pub(crate) dht: Dht,
    pub(crate) address: NodeAddress,
    /// Where it is in another family.
    pub(crate) other: Option<NodeAddress>,
    pub(crate) alive: bool,
    /// What it said, without datagrams.
    pub(crate) said: Vec<(Time, Output)>,
    armed: Option<Time>,
}

#[derive(Clone, Copy)]
pub(crate) enum Place {
    Node(usize),
    Script(usize),
}

enum Event {
    Deliver {
        from: NodeAddress,
        to: NodeAddress,
        bytes: Vec<u8>,
    },
    Wake(usize),
}

/// The address of a node: each in a network of its own, all over the Internet.
pub(crate) fn address(number: usize) -> NodeAddress {
    let number = u32::try_from(number).expect("there are not that many");
    NodeAddress::V4((0x1400_0001 + (number << 8)).into(), 6881)
}

/// The same, in the other family.
pub(crate) fn address_v6(number: usize) -> NodeAddress {
    let number = u16::try_from(number).expect("there are not that many");
    NodeAddress::V6([0x2600, number, 0, 0, 0, 0, 0, 1].into(), 6881)
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Network {
            now: Time::ZERO + seconds(1000),
            nodes: Vec::new(),
            loss: 0.0,
            parted: false,
            rng: Rng::new(seed),
            addresses: BTreeMap::new(),
            scripts: Vec::new(),
            queue: BTreeMap::new(),
            events: 0,
        }
    }

    /// As many nodes, all of which begin with the first one as their bootstrap node, and have
    /// joined.
    pub(crate) fn joined(seed: u64, count: usize, config: &Config) -> Self {
        let mut network = Network::new(seed);
        for number in 0..count {
            network.add(config.clone());
            if number > 0 {
                network.tell(number, Input::Bootstrap(vec![address(0)]));
            }
            network.run(Duration::from_millis(200));
        }
        network.run(seconds(60));
        network
    }

    /// A node at the next address.
    pub(crate) fn add(&mut self, config: Config) -> usize {
        self.add_at(address(self.nodes.len()), config)
    }

    pub(crate) fn add_at(&mut self, address: NodeAddress, config: Config) -> usize {
        let number = self.nodes.len();
        let seed = self.rng.next_u64();
        self.nodes.push(Node {
            dht: Dht::new(config, Saved::default(), seed, self.now),
            address,
            other: None,
            alive: true,
            said: Vec::new(),
            armed: None,
        });
        self.addresses.insert(address, Place::Node(number));
        number
    }

    /// Somebody who does what they like.
    pub(crate) fn script(&mut self, address: NodeAddress, script: Script) {
        let place = Place::Script(self.scripts.len());
        self.scripts.push(script);
        self.addresses.insert(address, place);
    }

    /// A node is told something.
    pub(crate) fn tell(&mut self, number: usize, input: Input) {
        let now = self.now;
        self.nodes[number].dht.handle(now, input);
        self.collect(number);
    }

    pub(crate) fn start(&mut self, number: usize, id: u64, request: Request) {
        self.tell(number, Input::Start(RequestId(id), request));
    }

    /// Somebody sends something that arrives later.
    pub(crate) fn send(&mut self, from: NodeAddress, to: NodeAddress, bytes: Vec<u8>) {
        let odd = |address: NodeAddress| match self.addresses.get(&address) {
            Some(Place::Node(number)) => number % 2 == 1,
            _ => false,
        };
        let lost = self.parted && odd(from) != odd(to);
        if lost || self.rng.unit() < self.loss {
            return;
        }
        // 20 to 70 ms each way, now and then much more.
        let slow = if self.rng.below(50) == 0 { 300 } else { 0 };
        let millis = 20 + self.rng.below(50) + slow;
        let at = self.now + Duration::from_millis(millis as u64);
        self.push(at, Event::Deliver { from, to, bytes });
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            match event {
                Event::Deliver { from, to, bytes } => self.deliver(from, to, bytes),
                Event::Wake(number) => {
                    let node = &mut self.nodes[number];
                    if node.alive && node.armed == Some(at) {
                        node.armed = None;
                        self.tell(number, Input::Tick);
                    }
                }
            }
        }
        self.now = end;
    }

    fn deliver(&mut self, from: NodeAddress, to: NodeAddress, bytes: Vec<u8>) {
        match self.addresses.get(&to) {
            Some(Place::Node(number)) if self.nodes[*number].alive => {
                self.tell(*number, Input::Datagram { from, bytes });
            }
            Some(Place::Script(number)) => {
                let answers = self.scripts[*number](self.now, from, &bytes);
                for (other, bytes) in answers {
                    self.send(to, other, bytes);
                }
            }
            _ => {}
        }
    }

    fn collect(&mut self, number: usize) {
        while let Some(output) = self.nodes[number].dht.poll_output() {
            match output {
                Output::Datagram { to, bytes } => {
                    let node = &self.nodes[number];
                    let own = [Some(node.address), node.other].into_iter().flatten();
                    let mut own = own.filter(|own| own.family() == to.family());
                    let Some(from) = own.next() else { continue };
                    self.send(from, to, bytes);
                }
                output => self.nodes[number].said.push((self.now, output)),
            }
        }
        let due = self.nodes[number].dht.poll_timeout();
        if let Some(due) = due
            && self.nodes[number]
                .armed
                .is_none_or(|armed| due < armed || armed < self.now)
        {
            let due = due.max(self.now);
            self.nodes[number].armed = Some(due);
            self.push(due, Event::Wake(number));
        }
    }

    fn push(&mut self, at: Time, event: Event) {
        self.events += 1;
        self.queue.insert((at, self.events), event);
    }

    /// Peers that a node was told of for a request.
    pub(crate) fn peers(&self, number: usize, id: u64) -> Vec<NodeAddress> {
        let said = self.nodes[number].said.iter();
        let peers = said.filter_map(|(_, output)| match output {
            Output::Peers { request, addresses } if request.0 == id => Some(addresses),
            _ => None,
        });
        peers.flatten().copied().collect()
    }

    /// How a request ended, the last time.
    pub(crate) fn ended(
        &self,
        number: usize,
        id: u64,
    ) -> Option<Result<(Stats, Vec<Contact>), Failure>> {
        let mut said = self.nodes[number].said.iter().rev();
        said.find_map(|(_, output)| match output {
            Output::Done {
                request,
                stats,
                closest,
            } if request.0 == id => Some(Ok((*stats, closest.clone()))),
            Output::Failed {
                request, reason, ..
            } if request.0 == id => Some(Err(reason.clone())),
            _ => None,
        })
    }

    pub(crate) fn done(&self, number: usize, id: u64) -> (Stats, Vec<Contact>) {
        match self.ended(number, id) {
            Some(Ok(done)) => done,
            other => panic!("request {id} of node {number} ended with {other:?}"),
        }
    }

    pub(crate) fn contacts(&self, number: usize) -> usize {
        let view = self.nodes[number].dht.view(self.now);
        let buckets = view.families.iter().flat_map(|family| &family.buckets);
        buckets.map(|bucket| bucket.contacts.len()).sum()
    }

    /// The nodes that really are the closest to a target.
    pub(crate) fn truly_closest(&self, target: NodeId, count: usize) -> Vec<NodeAddress> {
        let alive = self.nodes.iter().filter(|node| node.alive);
        let mut all: Vec<_> = alive
            .map(|node| {
                (
                    node.dht.id(Family::V4).expect("all are in IPv4"),
                    node.address,
                )
            })
            .collect();
        all.sort_by_key(|(id, _)| id.distance(target));
        all.into_iter()
            .take(count)
            .map(|(_, address)| address)
            .collect()
    }
}
