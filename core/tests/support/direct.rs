//! Direct links, as browsers make them: two descriptions are exchanged, and a channel opens.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use swarm_core::engine::{DirectId, DirectWork, PeerPath};
use swarm_core::id::{Fingerprint, InfoHash, LinkId};
use swarm_core::node::{DirectInput, Input, WireInput, WireOutput, WireUp};
use swarm_core::wire::fingerprint;

use super::Net;

/// A host's end of a link.
type End = (usize, LinkId);

/// See the module.
#[derive(Default)]
pub(crate) struct Directs {
    /// Nothing gets through: no link ever opens.
    pub(crate) blocked: bool,
    /// A host that puts its own certificate in the place of others' in all that it sends by wire.
    pub(crate) alters: Option<usize>,
    /// A certificate of another was taken, and DTLS found out.
    pub(crate) intercepted: usize,
    /// Who made which offer.
    offers: BTreeMap<u32, (usize, DirectId)>,
    /// Who answered it, and to whose certificate.
    answers: BTreeMap<u32, (usize, DirectId, Option<Fingerprint>)>,
    wires: BTreeMap<End, End>,
    next_wire: u32,
}

impl Directs {
    /// Offers made so far.
    pub(crate) fn offers(&self) -> usize {
        self.offers.len()
    }

    /// Ends of links that are open.
    pub(crate) fn ends(&self) -> Vec<End> {
        self.wires.keys().copied().collect()
    }
}

/// Of which offer this is the description.
fn number(description: &str) -> u32 {
    let (_, rest) = description.split_once("s=").unwrap();
    let (number, _) = rest.split_once('\r').unwrap();
    number.parse().unwrap()
}

/// A host's end of an offer or its answer.
fn description(number: u32, host: usize) -> String {
    format!("v=0\r\ns={number}\r\n{}\r\n", certificate(host))
}

/// As a description has it, and always as long.
fn certificate(host: usize) -> String {
    let digits = vec![format!("{:02X}", host + 1); 32].join(":");
    format!("a=fingerprint:sha-256 {digits}")
}

/// Where a host is by TCP, if it is.
pub(crate) fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, u8::try_from(host + 1).unwrap()], 6881))
}

/// What the certificate of a host is known by.
pub(crate) fn fingerprint_of(host: usize) -> Fingerprint {
    Fingerprint([u8::try_from(host + 1).unwrap(); 16])
}

impl Net {
    pub(super) fn link(&mut self, host: usize, id: DirectId, work: DirectWork) {
        match work {
            DirectWork::Offer => {
                let number = u32::try_from(self.directs.offers.len()).unwrap();
                self.directs.offers.insert(number, (host, id));
                self.describe(host, id, description(number, host));
            }
            DirectWork::Answer(offer) => {
                let number = number(&offer);
                let theirs = fingerprint::of_description(&offer);
                self.directs.answers.insert(number, (host, id, theirs));
                self.describe(host, id, description(number, host));
            }
            DirectWork::Accept(answer) => {
                let number = number(&answer);
                let offerer = self.directs.offers[&number];
                assert_eq!(offerer, (host, id), "an answer comes to whom it is for");
                let (other, its_id, theirs) = self.directs.answers[&number];
                // DTLS: each end has the certificate that the other was told of.
                let told = fingerprint::of_description(&answer);
                let are_they = told == Some(fingerprint_of(other));
                if !are_they || theirs != Some(fingerprint_of(host)) {
                    self.directs.intercepted += 1;
                } else if !self.directs.blocked {
                    self.open([offerer, (other, its_id)]);
                }
            }
            DirectWork::Drop => {}
        }
    }

    fn describe(&mut self, host: usize, id: DirectId, description: String) {
        let described = DirectInput::Described(description);
        self.queue.push_back((host, Input::Direct(id, described)));
    }

    /// Somebody calls by TCP.
    fn dial(&mut self, host: usize, info_hash: InfoHash, to: SocketAddr) {
        let mut hosts = 0..self.hosts.len();
        let Some(other) = hosts.find(|other| address(*other) == to) else {
            let undialled = Input::Undialled {
                info_hash,
                address: to,
            };
            return self.queue.push_back((host, undialled));
        };
        let ends = [(host, other, Some(info_hash)), (other, host, None)];
        let wires = ends.map(|(host, other, dialled)| {
            self.directs.next_wire += 1;
            let wire = LinkId(1000 + self.directs.next_wire);
            let up = WireUp {
                path: PeerPath::Tcp,
                remote: address(other),
                local: address(host),
                dialled,
                max_payload: 64 << 10,
            };
            let up = WireInput::Up(up);
            self.queue.push_back((host, Input::Wire(wire, up)));
            (host, wire)
        });
        self.directs.wires.insert(wires[0], wires[1]);
        self.directs.wires.insert(wires[1], wires[0]);
    }

    fn open(&mut self, ends: [(usize, DirectId); 2]) {
        let wires = ends.map(|(host, id)| {
            self.directs.next_wire += 1;
            let wire = LinkId(1000 + self.directs.next_wire);
            let linked = DirectInput::Linked {
                wire,
                max_payload: 64 << 10,
            };
            self.queue.push_back((host, Input::Direct(id, linked)));
            (host, wire)
        });
        self.directs.wires.insert(wires[0], wires[1]);
        self.directs.wires.insert(wires[1], wires[0]);
    }

    pub(super) fn work_on_wire(&mut self, host: usize, output: WireOutput<Bytes>) {
        match output {
            WireOutput::Dial { info_hash, address } => self.dial(host, info_hash, address),
            WireOutput::Send { wire, parts } => {
                let mut bytes = Vec::new();
                parts.iter().for_each(|part| part.append_to(&mut bytes));
                if self.directs.alters == Some(host) {
                    self.alter(host, &mut bytes);
                }
                let sent = WireInput::Sent(bytes.len());
                self.queue.push_back((host, Input::Wire(wire, sent)));
                if let Some(&(other, far)) = self.directs.wires.get(&(host, wire)) {
                    let received = WireInput::Received(bytes.into());
                    self.queue.push_back((other, Input::Wire(far, received)));
                }
            }
            WireOutput::Close { wire, .. } => {
                if let Some((other, far)) = self.directs.wires.remove(&(host, wire)) {
                    self.directs.wires.remove(&(other, far));
                    let down = Input::Wire(far, WireInput::Down);
                    self.queue.push_back((other, down));
                }
            }
        }
    }

    /// A carrier writes itself into what it carries.
    fn alter(&self, host: usize, bytes: &mut [u8]) {
        let own = certificate(host).into_bytes();
        for other in 0..self.hosts.len() {
            let theirs = certificate(other).into_bytes();
            let mut places = bytes.windows(theirs.len());
            if let Some(at) = places.position(|place| place == theirs) {
                bytes[at..at + own.len()].copy_from_slice(&own);
            }
        }
    }

    /// A link breaks: what was on its way is lost, and both ends hear of it.
    pub(crate) fn cut(&mut self, end: End) {
        let Some(other) = self.directs.wires.remove(&end) else {
            return;
        };
        self.directs.wires.remove(&other);
        for (host, wire) in [end, other] {
            self.queue.retain(|(of, input)| {
                *of != host || !matches!(input, Input::Wire(id, _) if *id == wire)
            });
            let down = Input::Wire(wire, WireInput::Down);
            self.queue.push_back((host, down));
        }
    }
}
