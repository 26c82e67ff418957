//! Direct links, as browsers make them: two descriptions are exchanged, and a channel opens.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::collections::BTreeMap;

use bytes::Bytes;
use swarm_core::engine::{DirectId, DirectWork};
use swarm_core::id::LinkId;
use swarm_core::node::{DirectInput, Input, WireInput, WireOutput};

use super::Net;

/// A host's end of a link.
type End = (usize, LinkId);

/// See the module.
#[derive(Default)]
pub(crate) struct Directs {
    /// Nothing gets through: no link ever opens.
    pub(crate) blocked: bool,
    /// Who made which offer.
    offers: BTreeMap<u32, (usize, DirectId)>,
    /// Who answered it.
    answers: BTreeMap<u32, (usize, DirectId)>,
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
    let (_, number) = description.split_once(' ').unwrap();
    number.parse().unwrap()
}

impl Net {
    pub(super) fn link(&mut self, host: usize, id: DirectId, work: DirectWork) {
        match work {
            DirectWork::Offer => {
                let number = u32::try_from(self.directs.offers.len()).unwrap();
                self.directs.offers.insert(number, (host, id));
                self.describe(host, id, format!("offer {number}"));
            }
            DirectWork::Answer(offer) => {
                let number = number(&offer);
                self.directs.answers.insert(number, (host, id));
                self.describe(host, id, format!("answer {number}"));
            }
            DirectWork::Accept(answer) => {
                let number = number(&answer);
                let ends = [self.directs.offers[&number], self.directs.answers[&number]];
                assert_eq!(ends[0], (host, id), "an answer comes to whom it is for");
                if !self.directs.blocked {
                    self.open(ends);
                }
            }
            DirectWork::Drop => {}
        }
    }

    fn describe(&mut self, host: usize, id: DirectId, description: String) {
        let described = DirectInput::Described(description);
        self.queue.push_back((host, Input::Direct(id, described)));
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
            WireOutput::Dial { .. } => unreachable!("nobody here knows an address"),
            WireOutput::Send { wire, parts } => {
                let mut bytes = Vec::new();
                parts.iter().for_each(|part| part.append_to(&mut bytes));
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
