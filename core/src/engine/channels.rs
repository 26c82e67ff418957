//! Channels: whose session each one carries, who is asked for one, and which lane it is in.

use crate::id::{ChannelKey, InfoHash, LinkId};
use crate::net::{Contact, Lane, LaneLimits, RelayPolicy};
use crate::peer::{PeerPath, SessionId};
use crate::sorted::{SortedMap, SortedSet};

/// A session of a torrent.
pub(super) type SessionKey = (InfoHash, SessionId);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Channels {
    lanes: SortedMap<LinkId, Lane>,
    /// What the relays behind links say of their use, where it is not [`RelayPolicy::Free`].
    policies: SortedMap<LinkId, RelayPolicy>,
    /// A person wants no other channels than those of relays.
    relay_only: bool,
    /// Whose session a channel carries.
    sessions: SortedMap<ChannelKey, SessionKey>,
    /// Contacts that were asked for a channel, and not answered.
    dialled: SortedSet<(InfoHash, Contact)>,
    /// Links that neighbours were to bring about so far, in all torrents.
    introductions: u32,
}

impl Channels {
    pub(super) fn link_up(&mut self, link: LinkId, limits: LaneLimits, policy: RelayPolicy) {
        match self.lanes.get_mut(&link) {
            // What is open and asked for stays.
            Some(lane) => lane.limit(limits),
            None => {
                self.lanes.insert(link, Lane::new(limits));
            }
        }
        match policy {
            RelayPolicy::Free => self.policies.remove(&link),
            policy => self.policies.insert(link, policy),
        };
    }

    /// What the relay behind a link says of its use, or a person does.
    pub(super) fn relay_policy(&self, link: LinkId) -> RelayPolicy {
        match self.relay_only {
            true => RelayPolicy::Only,
            false => self.policies.get(&link).copied().unwrap_or_default(),
        }
    }

    /// A person wants no other channels than those of relays, or takes that back.
    pub(super) fn set_relay_only(&mut self, only: bool) {
        self.relay_only = only;
    }

    /// There may be channels of this kind.
    pub(super) fn allows(&self, path: PeerPath) -> bool {
        path == PeerPath::Relay || !self.relay_only
    }

    /// Forgets all that went through a link.
    pub(super) fn link_down(&mut self, link: LinkId) {
        self.lanes.remove(&link);
        self.policies.remove(&link);
        self.sessions.retain(|channel, _| channel.link != link);
        self.dialled.retain(|(_, contact)| contact.link() != link);
    }

    /// The number of the next link that a neighbour is to bring about.
    pub(super) fn number_introduction(&mut self) -> u32 {
        self.introductions = self.introductions.wrapping_add(1);
        self.introductions
    }

    /// There is a link.
    pub(super) fn any_up(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// The lane of a link that is up.
    pub(super) fn lane(&self, link: LinkId) -> Option<&Lane> {
        self.lanes.get(&link)
    }

    /// The same, to hand something to it.
    pub(super) fn lane_mut(&mut self, link: LinkId) -> Option<&mut Lane> {
        self.lanes.get_mut(&link)
    }

    /// Nothing of blocks is in the host's hands.
    pub(super) fn is_idle(&self) -> bool {
        self.lanes.values().all(|lane| lane.unsent() == 0)
    }

    /// Somebody who is reached through this link may be asked for a channel.
    pub(super) fn may_dial(&self, link: LinkId) -> bool {
        let relays = link != LinkId::NETWORK;
        (relays || !self.relay_only) && self.lanes.get(&link).is_some_and(Lane::has_room)
    }

    /// The same, whoever it is.
    pub(super) fn may_dial_any(&self) -> bool {
        self.lanes.values().any(Lane::has_room)
    }

    /// Somebody is asked for a channel.
    pub(super) fn dial(&mut self, info_hash: InfoHash, contact: Contact) {
        if self.dialled.insert((info_hash, contact))
            && let Some(lane) = self.lanes.get_mut(&contact.link())
        {
            lane.opened();
        }
    }

    /// It was answered; false if nobody asked.
    pub(super) fn dialled(&mut self, info_hash: InfoHash, contact: Contact) -> bool {
        let asked = self.dialled.remove(&(info_hash, contact));
        if asked && let Some(lane) = self.lanes.get_mut(&contact.link()) {
            lane.closed();
        }
        asked
    }

    /// It is asked for a channel.
    pub(super) fn is_dialled(&self, info_hash: InfoHash, contact: Contact) -> bool {
        self.dialled.contains(&(info_hash, contact))
    }

    /// Who is asked for a channel for a torrent.
    pub(super) fn dialled_for(&self, info_hash: InfoHash) -> impl Iterator<Item = Contact> {
        let all = self.dialled.iter();
        all.filter(move |(of, _)| *of == info_hash)
            .map(|(_, contact)| *contact)
    }

    /// A channel carries a session from now on.
    pub(super) fn open(&mut self, channel: ChannelKey, session: SessionKey) {
        if self.sessions.insert(channel, session).is_none()
            && let Some(lane) = self.lanes.get_mut(&channel.link)
        {
            lane.opened();
        }
    }

    /// A channel carries another session from now on.
    pub(super) fn hand_over(&mut self, channel: ChannelKey, session: SessionKey) {
        if let Some(carries) = self.sessions.get_mut(&channel) {
            *carries = session;
        }
    }

    /// A channel carries nothing any more.
    pub(super) fn close(&mut self, channel: ChannelKey) {
        if self.sessions.remove(&channel).is_some()
            && let Some(lane) = self.lanes.get_mut(&channel.link)
        {
            lane.closed();
        }
    }

    /// Whose session a channel carries.
    pub(super) fn session(&self, channel: ChannelKey) -> Option<SessionKey> {
        self.sessions.get(&channel).copied()
    }
}
