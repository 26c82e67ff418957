//! Links of the overlay's own, and what goes through them.

use super::super::torrent::frame_cost;
use super::super::{Ending, Engine, Fault, Output};
use super::{OVERLAY, TS_OVERLAY};
use crate::chunk::Chunk;
use crate::id::{ChannelKey, Fingerprint, LinkId};
use crate::net::{Contact, Parts};
use crate::peer::allowance::Allowance;
use crate::peer::{Opening, PeerPath};
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::overlay::{MAX_MESSAGE, OverlayMessage};
use crate::wire::peer::{Decoder, Handshake, Message, Received, Reserved};

/// Bytes that may wait for one link: a few offers. What is beyond is lost, as a datagram is.
const MAX_UNSENT: usize = 64 << 10;

/// The overlay's own links, each with the one channel that it carries.
#[derive(Debug)]
pub(super) struct Wires<C: Chunk>(SortedMap<ChannelKey, Wire<C>>);

/// One of them.
#[derive(Debug)]
struct Wire<C: Chunk> {
    peer: Fingerprint,
    decoder: Decoder<C>,
    allowance: Allowance,
    /// The other end's handshake was here.
    greeted: bool,
}

impl<C: Chunk> Default for Wires<C> {
    fn default() -> Self {
        Wires(SortedMap::new())
    }
}

impl<C: Chunk> Wires<C> {
    fn open(&mut self, channel: ChannelKey, peer: Fingerprint) {
        let longest = u32::try_from(MAX_MESSAGE + 2).unwrap_or(u32::MAX);
        let wire = Wire {
            peer,
            decoder: Decoder::new(longest),
            allowance: Allowance::default(),
            greeted: false,
        };
        self.0.insert(channel, wire);
    }

    /// A link is gone; to whom it led, if it was one of these.
    fn remove(&mut self, channel: ChannelKey) -> Option<Fingerprint> {
        self.0.remove(&channel).map(|wire| wire.peer)
    }

    /// The channels of all.
    pub(super) fn channels(&self) -> Vec<ChannelKey> {
        self.0.keys().copied().collect()
    }

    /// The channel to somebody who has greeted.
    pub(super) fn to(&self, peer: Fingerprint) -> Option<ChannelKey> {
        let mut wires = self.0.iter();
        let found = wires.find(|(_, wire)| wire.peer == peer && wire.greeted);
        found.map(|(channel, _)| *channel)
    }

    /// There is one to somebody, greeted or not.
    pub(super) fn lead_to(&self, peer: Fingerprint) -> bool {
        self.0.values().any(|wire| wire.peer == peer)
    }
}

impl<C: Chunk> Engine<C> {
    /// A channel of the overlay's own is open; false if it is not one.
    pub(in crate::engine) fn overlay_opened(&mut self, now: Time, it: &Opening) -> bool {
        let Contact::Introduced(peer) = it.contact else {
            return false;
        };
        if it.info_hash != OVERLAY {
            return false;
        }
        let channel = it.channel;
        if self.tabs.wires.lead_to(peer) || !self.channels.allows(PeerPath::Direct) {
            let reason = Ending::NotWanted;
            self.out.push_back(Output::Close { channel, reason });
            return true;
        }
        self.tabs.wires.open(channel, peer);
        let handshake = Handshake {
            reserved: Reserved::EXTENSION,
            info_hash: OVERLAY,
            peer_id: self.peer_id,
        };
        self.send_by_wire(now, channel, &handshake.encode());
        true
    }

    /// Bytes came through a channel of the overlay's own; given back if it is not one.
    pub(in crate::engine) fn overlay_received(
        &mut self,
        now: Time,
        channel: ChannelKey,
        bytes: C,
    ) -> Option<C> {
        let Some(wire) = self.tabs.wires.0.get_mut(&channel) else {
            return Some(bytes);
        };
        let work = &self.config.work;
        let mut fault = None;
        if !wire
            .allowance
            .spend(now, work, frame_cost(bytes.len(), work))
        {
            fault = Some(Fault::Flood);
        }
        wire.decoder.push(bytes);
        while fault.is_none()
            && let Some(wire) = self.tabs.wires.0.get_mut(&channel)
        {
            fault = match wire.decoder.poll() {
                Ok(None) => break,
                Ok(Some(received)) => self.overlay_heard(now, channel, received).err(),
                Err(error) => Some(error.into()),
            };
        }
        if let Some(fault) = fault {
            self.close_wire(now, channel, fault.into());
        }
        None
    }

    fn overlay_heard(
        &mut self,
        now: Time,
        channel: ChannelKey,
        received: Received<C>,
    ) -> Result<(), Fault> {
        let tabs = &mut self.tabs;
        let wire = tabs.wires.0.get_mut(&channel).ok_or(Fault::Gone)?;
        let work = &self.config.work;
        let peer = wire.peer;
        match received {
            Received::Handshake(handshake) => {
                if handshake.info_hash != OVERLAY {
                    return Err(Fault::OtherTorrent);
                }
                wire.greeted = true;
                tabs.overlay.meet(now, peer, true);
            }
            Received::Message(Message::Extended {
                id: TS_OVERLAY,
                payload,
            }) => {
                if !wire.allowance.spend(now, work, work.dictionary) {
                    return Err(Fault::Flood);
                }
                if let Some(message) = OverlayMessage::decode(&payload)? {
                    tabs.overlay.hear(now, peer, message);
                }
            }
            Received::Message(_) => {
                if !wire.allowance.spend(now, work, work.message) {
                    return Err(Fault::Flood);
                }
            }
        }
        Ok(())
    }

    /// A link is gone, and what went through it.
    pub(in crate::engine) fn overlay_link_down(&mut self, now: Time, link: LinkId) {
        let mut gone = self.tabs.wires.channels();
        gone.retain(|key| key.link == link);
        for channel in gone {
            if let Some(peer) = self.tabs.wires.remove(channel) {
                self.tabs.lose(now, peer);
            }
        }
    }

    pub(super) fn send_by_wire(&mut self, now: Time, channel: ChannelKey, bytes: &[u8]) {
        let Some(lane) = self.channels.lane_mut(channel.link) else {
            return;
        };
        if lane.unsent() > MAX_UNSENT {
            return;
        }
        lane.hand(now, bytes.len());
        let mut parts = Parts::default();
        parts.write(|out| out.extend_from_slice(bytes));
        self.out.push_back(Output::Send { channel, parts });
    }

    pub(super) fn close_wire(&mut self, now: Time, channel: ChannelKey, reason: Ending) {
        if let Some(peer) = self.tabs.wires.remove(channel) {
            self.out.push_back(Output::Close { channel, reason });
            self.tabs.lose(now, peer);
        }
    }
}
