//! Wires: connections that carry the stream of one peer and nothing else, such as TCP's.
//!
//! Each is a link of its own with one channel in it: its queue is shared with nobody. Whoever
//! calls us says in its handshake (BEP 3) for which torrent, so what it sends is held back
//! until that is here; what we dialled is for the torrent that asked for it.

use super::io::WireUp;
use crate::chunk::Chunk;
use crate::engine::{self, Ending, Engine, Fault};
use crate::id::{ChannelId, ChannelKey, LinkId};
use crate::net::contact::{Contact, four_bytes};
use crate::net::{LaneLimits, RelayPolicy};
use crate::peer::{Opening, PathsConfig, UNCOUNTED};
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;
use crate::wire::peer::{HANDSHAKE_LEN, Handshake};

/// The only channel of a wire.
const ONLY: ChannelId = ChannelId(0);

/// See the module.
#[derive(Debug)]
pub(super) struct Wires<C> {
    /// Those that carry a session.
    talking: SortedSet<LinkId>,
    /// Those that have not said yet for which torrent they are.
    strangers: SortedMap<LinkId, Stranger<C>>,
}

/// Somebody who called us.
#[derive(Debug)]
struct Stranger<C> {
    up: WireUp,
    since: Time,
    /// What it said so far, less than a handshake.
    held: Vec<C>,
    bytes: usize,
}

/// What a wire's news mean.
#[derive(Debug)]
pub(super) enum News<C> {
    /// This, to the engine, one after the other.
    Inputs(Vec<engine::Input<C>>),
    /// The host is to drop it.
    Drop(Ending),
}

impl<C> Default for Wires<C> {
    fn default() -> Self {
        Wires {
            talking: SortedSet::new(),
            strangers: SortedMap::new(),
        }
    }
}

impl<C: Chunk> Wires<C> {
    /// A wire is open. One more stranger than there is room for takes the place of the one
    /// that has been silent for longest.
    pub(super) fn up(
        &mut self,
        now: Time,
        id: LinkId,
        up: WireUp,
        config: &PathsConfig,
    ) -> (News<C>, Option<LinkId>) {
        if let Some(info_hash) = up.dialled {
            let opened = engine::Input::Opened {
                opening: Opening {
                    info_hash,
                    channel: key(id),
                    contact: Contact::Address(up.remote),
                    path: up.path,
                    here: four_bytes(up.local.ip()),
                },
                room: UNCOUNTED,
            };
            let inputs = vec![link_up(id, up.max_payload), opened];
            self.talking.insert(id);
            return (News::Inputs(inputs), None);
        }
        let stranger = Stranger {
            up,
            since: now,
            held: Vec::new(),
            bytes: 0,
        };
        self.strangers.insert(id, stranger);
        let oldest = self.strangers.iter().min_by_key(|(id, s)| (s.since, **id));
        let oldest = oldest.map(|(id, _)| *id);
        let crowded = self.strangers.len() > config.strangers;
        let dropped = oldest.filter(|_| crowded);
        if let Some(dropped) = dropped {
            self.strangers.remove(&dropped);
        }
        (News::Inputs(Vec::new()), dropped)
    }

    /// A direct link is there, and who is at its other end is known.
    pub(super) fn linked(&mut self, id: LinkId, max_payload: usize) -> engine::Input<C> {
        self.talking.insert(id);
        link_up(id, max_payload)
    }

    /// The next stretch of what comes through a wire.
    pub(super) fn receive(&mut self, id: LinkId, bytes: C, engine: &Engine<C>) -> News<C> {
        let Some(stranger) = self.strangers.get_mut(&id) else {
            let talks = self.talking.contains(&id);
            let received = engine::Input::Received {
                channel: key(id),
                bytes,
            };
            return News::Inputs(talks.then_some(received).into_iter().collect());
        };
        if bytes.is_empty() {
            return News::Inputs(Vec::new());
        }
        stranger.bytes += bytes.len();
        stranger.held.push(bytes);
        if stranger.bytes < HANDSHAKE_LEN {
            return News::Inputs(Vec::new());
        }
        let Some(stranger) = self.strangers.remove(&id) else {
            return News::Inputs(Vec::new());
        };
        match stranger.greets(engine) {
            Ok(handshake) => News::Inputs(self.meet(id, stranger, &handshake)),
            Err(ending) => News::Drop(ending),
        }
    }

    /// A stranger said for which torrent it comes.
    fn meet(
        &mut self,
        id: LinkId,
        stranger: Stranger<C>,
        handshake: &Handshake,
    ) -> Vec<engine::Input<C>> {
        let up = stranger.up;
        let offered = engine::Input::Offered {
            opening: Opening {
                info_hash: handshake.info_hash,
                channel: key(id),
                contact: Contact::Caller(up.remote),
                path: up.path,
                here: four_bytes(up.local.ip()),
            },
            peer_id: handshake.peer_id,
            room: UNCOUNTED,
            crossing: false,
        };
        let held = stranger.held.into_iter();
        let held = held.map(|bytes| engine::Input::Received {
            channel: key(id),
            bytes,
        });
        let inputs = [link_up(id, up.max_payload), offered]
            .into_iter()
            .chain(held)
            .collect();
        self.talking.insert(id);
        inputs
    }

    /// A wire has sent so many bytes.
    pub(super) fn sent(&self, id: LinkId, bytes: usize) -> News<C> {
        let sent = engine::Input::Sent { link: id, bytes };
        let talks = self.talking.contains(&id);
        News::Inputs(talks.then_some(sent).into_iter().collect())
    }

    /// A wire is gone, or is to go; what that means to the engine, if it knows it.
    pub(super) fn down(&mut self, id: LinkId) -> Option<engine::Input<C>> {
        self.strangers.remove(&id);
        let known = self.talking.remove(&id);
        known.then_some(engine::Input::LinkDown { link: id })
    }

    /// It is one of ours.
    pub(super) fn has(&self, id: LinkId) -> bool {
        self.talking.contains(&id)
    }

    /// Strangers that took too long to say what they want.
    pub(super) fn late(&mut self, now: Time, config: &PathsConfig) -> Vec<LinkId> {
        let late = self.strangers.iter();
        let late = late.filter(|(_, stranger)| now - stranger.since >= config.handshake);
        let late: Vec<LinkId> = late.map(|(id, _)| *id).collect();
        for id in &late {
            self.strangers.remove(id);
        }
        late
    }

    /// When the next one will have.
    pub(super) fn due(&self, config: &PathsConfig) -> Option<Time> {
        let since = self.strangers.values().map(|stranger| stranger.since);
        since.min().map(|since| since + config.handshake)
    }
}

impl<C: Chunk> Stranger<C> {
    /// Its handshake is here: whether it is for us.
    fn greets(&self, engine: &Engine<C>) -> Result<Handshake, Ending> {
        let mut bytes = [0; HANDSHAKE_LEN];
        let mut at = 0;
        for held in &self.held {
            let length = held.len().min(HANDSHAKE_LEN - at);
            held.slice(0..length).peek(0, &mut bytes[at..at + length]);
            at += length;
        }
        let handshake = Handshake::decode(&bytes).map_err(Fault::from)?;
        if !engine.is_running(handshake.info_hash) {
            return Err(Ending::UnknownTorrent);
        }
        Ok(handshake)
    }
}

pub(super) fn key(link: LinkId) -> ChannelKey {
    ChannelKey {
        link,
        channel: ONLY,
    }
}

pub(super) fn link_up<C>(link: LinkId, max_payload: usize) -> engine::Input<C> {
    let limits = LaneLimits {
        max_channels: 0,
        max_payload,
    };
    engine::Input::LinkUp {
        link,
        limits,
        policy: RelayPolicy::Free,
    }
}
