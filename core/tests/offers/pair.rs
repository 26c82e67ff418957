//! Two tabs, and what is between them.

use std::collections::BTreeMap;

use swarm_core::engine::{DirectId, DirectWork};
use swarm_core::id::LinkId;
use swarm_core::node::{DirectInput, Input, WebTorrentInput, WireInput, WireOutput};
use swarm_core::wire::webtorrent::{ClientMessage, ServerMessage};

use crate::tab::{LINK, Tab, info_hash};

/// Two tabs that know each other by a tracker of WebTorrent's kind alone.
pub(crate) struct Pair {
    pub(crate) tabs: [Tab; 2],
    /// The other ends of those that are open.
    pub(crate) wires: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    pub(crate) made: u32,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Pair {
            tabs: [Tab::new(1, true), Tab::new(2, false)],
            wires: BTreeMap::new(),
            made: 1 << 16,
        }
    }

    fn tell(&mut self, tab: usize, message: ServerMessage) {
        let message = WebTorrentInput::Message(message);
        self.tabs[tab].feed(Input::WebTorrent(LINK, message));
    }

    /// Does what both want, one step of each; false if that is nothing.
    pub(crate) fn step(&mut self) -> bool {
        let mut moved = false;
        for at in [0, 1] {
            let told = std::mem::take(&mut self.tabs[at].told);
            let direct = self.tabs[at].take_direct();
            let wires = std::mem::take(&mut self.tabs[at].wires);
            moved |= !(told.is_empty() && direct.is_empty() && wires.is_empty());
            told.into_iter().for_each(|it| self.track(at, it));
            direct.into_iter().for_each(|it| self.connect(at, it));
            wires.into_iter().for_each(|it| self.carry(at, it));
        }
        moved
    }

    /// The tracker hands offers on to the other one, and answers back.
    fn track(&mut self, from: usize, message: ClientMessage) {
        let info_hash = info_hash();
        match message {
            ClientMessage::Announce(announce) => {
                for offer in announce.offers {
                    let peer_id = announce.peer_id;
                    let offer = ServerMessage::Offer {
                        info_hash,
                        peer_id,
                        offer,
                    };
                    self.tell(1 - from, offer);
                }
                let announced = ServerMessage::Announced {
                    info_hash,
                    interval: 600,
                    complete: 1,
                    incomplete: 1,
                };
                self.tell(from, announced);
            }
            ClientMessage::Answer(answer) => {
                let said = ServerMessage::Answer {
                    info_hash,
                    peer_id: answer.peer_id,
                    id: answer.id,
                    sdp: answer.sdp,
                };
                self.tell(1 - from, said);
            }
            ClientMessage::Scrape { .. } => unreachable!("nobody asks for that"),
        }
    }

    /// A description names its connection by its number at the end that offers.
    fn connect(&mut self, at: usize, (id, work): (DirectId, DirectWork)) {
        match work {
            DirectWork::Offer => {
                let sdp = format!("{at} {}", id.attempt);
                self.tabs[at].describe(id, &sdp);
            }
            DirectWork::Answer(offer) => {
                self.tabs[at].describe(id, &format!("{offer} {}", id.attempt));
            }
            DirectWork::Accept(answer) => {
                let there = answer.rsplit(' ').next().unwrap().parse().unwrap();
                let there = DirectId {
                    attempt: there,
                    ..id
                };
                self.made += 2;
                let ends = [(at, id), (1 - at, there)];
                let wires = [self.made, self.made + 1].map(LinkId);
                self.wires.insert((at, wires[0]), (1 - at, wires[1]));
                self.wires.insert((1 - at, wires[1]), (at, wires[0]));
                for ((tab, id), wire) in ends.into_iter().zip(wires) {
                    let max_payload = 64 << 10;
                    let linked = DirectInput::Linked { wire, max_payload };
                    self.tabs[tab].feed(Input::Direct(id, linked));
                }
            }
            DirectWork::Drop => {}
        }
    }

    fn carry(&mut self, at: usize, output: WireOutput) {
        match output {
            WireOutput::Send { wire, parts } => {
                if let Some(&(other, far)) = self.wires.get(&(at, wire)) {
                    let mut bytes = Vec::new();
                    parts.iter().for_each(|part| part.append_to(&mut bytes));
                    let received = WireInput::Received(bytes.into());
                    self.tabs[other].feed(Input::Wire(far, received));
                }
            }
            WireOutput::Close { wire, .. } => {
                if let Some((other, far)) = self.wires.remove(&(at, wire))
                    && self.wires.remove(&(other, far)).is_some()
                {
                    self.tabs[other].feed(Input::Wire(far, WireInput::Down));
                }
            }
            WireOutput::Dial { .. } => unreachable!("a tab dials nobody"),
        }
    }
}
