//! What links, wires and attempts at connections say, as what it means to the engine.

use super::relay::{self, RelayLink};
use super::wire::{self, News};
use super::{DirectInput, LinkInput, Node, WireInput};
use crate::chunk::Chunk;
use crate::engine::{self, DirectId, DirectNews, Ending, Opening, PeerPath};
use crate::id::{ChannelKey, LinkId};
use crate::peer::UNCOUNTED;
use crate::record::Sink;
use crate::time::Time;
use crate::wire::relay::{ServerMessage, StunServer};

impl<S: Sink, C: Chunk> Node<S, C> {
    /// A link has something to say; what that means to the engine.
    pub(super) fn hear(&mut self, now: Time, id: LinkId, input: LinkInput<C>) -> engine::Input<C> {
        if let LinkInput::Up = input {
            // Whatever there was before is over.
            self.foreign.remove(&id);
            let config = &self.engine.engine().config().tracker;
            let before = self.links.insert(id, RelayLink::new(id, now, config));
            return match before {
                Some(_) => engine::Input::LinkDown { link: id },
                None => engine::Input::Tick,
            };
        }
        if let LinkInput::Message(message) = &input {
            self.end_namesake(now, id, message);
        }
        let Some(link) = self.links.get_mut(&id) else {
            let down = matches!(input, LinkInput::Down) && self.foreign.remove(&id).is_some();
            return match down {
                true => engine::Input::LinkDown { link: id },
                false => engine::Input::Tick,
            };
        };
        let work = &self.engine.engine().config().work;
        if !link.bears(now, &input, work, &mut self.out) {
            return engine::Input::Tick;
        }
        match input {
            LinkInput::Message(message @ (ServerMessage::Offer(_) | ServerMessage::Answer(_))) => {
                link.hears(now);
                self.hear_signal(now, id, &message);
                engine::Input::Tick
            }
            LinkInput::Up => engine::Input::Tick,
            LinkInput::Down => {
                self.links.remove(&id);
                engine::Input::LinkDown { link: id }
            }
            LinkInput::Sent(bytes) => engine::Input::Sent { link: id, bytes },
            LinkInput::Message(message) => {
                if let ServerMessage::Welcome(welcome) = &message
                    && link.member().is_none()
                {
                    self.offers.is_strict(id, welcome.relay_only);
                }
                let invited = match &message {
                    ServerMessage::Peers(peers) => Some((peers.info_hash, peers.rtc)),
                    _ => None,
                };
                let engine = self.engine.engine();
                let input = link.hear(now, message, engine, &self.trackers, &mut self.out);
                if let Some((info_hash, count)) = invited {
                    self.invited(id, info_hash, relay::size(count));
                }
                input
            }
            LinkInput::Data { channel, payload } => link.receive(now, channel, payload),
        }
    }

    /// A number that is given out is a new channel's. A server that gives out one that is in use
    /// has forgotten whose it was: that channel is over, and two sessions never share one.
    fn end_namesake(&mut self, now: Time, id: LinkId, message: &ServerMessage) {
        let channel = match message {
            ServerMessage::Incoming(incoming) => incoming.channel,
            ServerMessage::Accepted { channel, .. } => *channel,
            _ => return,
        };
        let link = self.links.get_mut(&id);
        if link.is_some_and(|link| link.forget(channel)) {
            let channel = ChannelKey { link: id, channel };
            self.feed(now, engine::Input::Closed { channel });
        }
    }

    /// A direct link that is being made has something to say; the last of what that means to
    /// the engine.
    pub(super) fn hear_direct(
        &mut self,
        now: Time,
        id: DirectId,
        input: DirectInput,
    ) -> engine::Input<C> {
        if id.channel.link == LinkId::TRACKERS {
            return self.hear_attempt(now, id.attempt, input);
        }
        let (wire, max_payload) = match input {
            DirectInput::Described(text) => {
                return engine::Input::Direct(id, DirectNews::Described(text));
            }
            DirectInput::Failed => return engine::Input::Direct(id, DirectNews::Failed),
            DirectInput::Linked { wire, max_payload } => (wire, max_payload),
        };
        let Some((info_hash, contact, here)) = self.engine.engine().who(id.channel) else {
            // Whoever agreed on it is gone.
            self.drop_wire(wire, Ending::NotWanted);
            return engine::Input::Tick;
        };
        self.feed(now, engine::Input::Direct(id, DirectNews::Linked));
        let up = self.wires.linked(wire, max_payload);
        self.feed(now, up);
        engine::Input::Opened {
            opening: Opening {
                info_hash,
                channel: wire::key(wire),
                contact,
                path: PeerPath::Direct,
                here,
            },
            room: UNCOUNTED,
        }
    }

    /// Where a host may ask for its own addresses (STUN), to make this direct link: the server
    /// behind a link, and what it names. It is the one through which the two know each other, or,
    /// where that is not ours, or none at all, the first that names any.
    pub fn stun(&self, id: DirectId) -> Option<(LinkId, &[StunServer])> {
        let through = self.agreed_through(id);
        let known = |(id, link): (&LinkId, &'_ RelayLink)| (*id, link.stun().is_empty());
        let mut links = self.links.iter();
        let any = through == LinkId::INTRODUCED || self.foreign.contains_key(&through);
        let link = match any {
            true => links.map(known).find(|(_, none)| !none)?.0,
            false => links.find(|(id, _)| **id == through).map(|(id, _)| *id)?,
        };
        Some((link, self.links.get(&link)?.stun()))
    }

    /// A wire has something to say; the last of what that means to the engine.
    pub(super) fn hear_wire(
        &mut self,
        now: Time,
        id: LinkId,
        input: WireInput<C>,
    ) -> engine::Input<C> {
        let config = &self.engine.engine().config().paths;
        let news = match input {
            WireInput::Up(up) => {
                let (news, crowded_out) = self.wires.up(now, id, up, config);
                if let Some(id) = crowded_out {
                    self.drop_wire(id, Ending::EnoughChannels);
                }
                news
            }
            WireInput::Received(bytes) => self.wires.receive(id, bytes, self.engine.engine()),
            WireInput::Sent(bytes) => self.wires.sent(id, bytes),
            WireInput::Down => {
                self.forget_met(now, id, true);
                News::Inputs(self.wires.down(id).into_iter().collect())
            }
        };
        match news {
            News::Inputs(mut inputs) => {
                let last = inputs.pop();
                for input in inputs {
                    self.feed(now, input);
                }
                last.unwrap_or(engine::Input::Tick)
            }
            News::Drop(reason) => {
                self.drop_wire(id, reason);
                engine::Input::Tick
            }
        }
    }
}
