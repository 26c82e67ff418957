//! Whom a torrent has to do with: a session for each remote peer.

use super::Fault;
use crate::chunk::Chunk;
use crate::id::{ChannelKey, LinkId};
use crate::net::Contact;
use crate::peer::{Opening, PeerPath, Session, SessionId};
use crate::sorted::{SortedMap, SortedSet};

/// See the module. They are gone through by their numbers, which grow: the eldest first.
#[derive(Debug)]
pub(super) struct Sessions<C: Chunk> {
    sessions: SortedMap<SessionId, Session<C>>,
    next: SessionId,
}

impl<C: Chunk> Default for Sessions<C> {
    fn default() -> Self {
        Sessions {
            sessions: SortedMap::new(),
            next: 0,
        }
    }
}

impl<C: Chunk> Sessions<C> {
    /// A number that no session of this torrent ever had.
    pub(super) fn number(&mut self) -> SessionId {
        let id = self.next;
        self.next += 1;
        id
    }

    pub(super) fn insert(&mut self, id: SessionId, session: Session<C>) {
        self.sessions.insert(id, session);
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<Session<C>> {
        self.sessions.remove(&id)
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session<C>> {
        self.sessions.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session<C>> {
        self.sessions.get_mut(&id)
    }

    /// One of which a peer's message speaks, which may have ended on account of that very
    /// message.
    pub(super) fn find(&mut self, id: SessionId) -> Result<&mut Session<C>, Fault> {
        self.sessions.get_mut(&id).ok_or(Fault::Gone)
    }

    pub(super) fn contains(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// The numbers of all, to go through them while some end.
    pub(super) fn ids(&self) -> Vec<SessionId> {
        self.sessions.keys().copied().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session<C>)> + Clone {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (SessionId, &mut Session<C>)> {
        self.sessions.iter_mut().map(|(id, session)| (*id, session))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Session<C>> + Clone {
        self.sessions.values()
    }

    /// How many have an upload slot.
    pub(super) fn unchoked(&self) -> usize {
        let held = self.values().filter(|s| s.remote.giving.is_unchoked());
        held.count()
    }

    /// How many have no place, and are here only to show that they are somebody who has one.
    pub(super) fn guests(&self) -> usize {
        self.values().filter(|session| session.guest).count()
    }

    /// The session of whoever is reached by this contact.
    pub(super) fn of(&self, contact: Contact) -> Option<SessionId> {
        let leads = |session: &Session<C>| session.streams().any(|s| s.leads_to(contact));
        let found = self.iter().find(|(_, session)| leads(session));
        found.map(|(id, _)| id)
    }

    /// Who is at the other end of a session's channel, and what stands for our own address
    /// there.
    pub(super) fn who(&self, id: SessionId, channel: ChannelKey) -> Option<(Contact, [u8; 4])> {
        let mut streams = self.sessions.get(&id)?.streams();
        let stream = streams.find(|stream| stream.channel == channel)?;
        Some((stream.contact, stream.here()))
    }

    /// A link is gone: whoever is still reached, by a wire, has no number there any more.
    pub(super) fn outlive(&mut self, link: LinkId) {
        let sessions = self.sessions.values_mut();
        let streams = sessions.flat_map(Session::streams_mut);
        for stream in streams.filter(|stream| stream.contact.link() == link) {
            stream.outlives_server();
        }
    }

    /// Everybody who is reached.
    pub(super) fn contacts(&self) -> SortedSet<Contact> {
        self.values().flat_map(Session::contacts).collect()
    }

    /// There is such a channel to this contact already. Where there may be `several`, one of
    /// another kind may lead to the same.
    pub(super) fn has_channel(&self, opening: &Opening, several: bool) -> bool {
        let mut streams = self.values().flat_map(Session::streams);
        streams.any(|stream| {
            stream.leads_to(opening.contact) && !(several && stream.path != opening.path)
        })
    }

    /// Another session with somebody of the same name at the same address, where neither can be
    /// known on another channel: an ordinary client's.
    pub(super) fn double_of(&self, id: SessionId) -> Option<(SessionId, &Session<C>)> {
        let wire = |session: &Session<C>| {
            let is_wire = session.talk.path == PeerPath::Tcp && session.talk.secret().is_none();
            is_wire.then_some((session.talk.contact.address(), session.remote.peer_id?))
        };
        let who = wire(self.get(id)?)?;
        let mut sessions = self.iter();
        sessions.find(|(other, session)| *other != id && wire(session) == Some(who))
    }

    /// Whose session this is, or was before it turned out to be with the same peer as another:
    /// its number, where it is reached, and what it calls itself.
    pub(super) fn whose(&self, id: SessionId) -> Option<(SessionId, Vec<Contact>, String)> {
        let is = |other: SessionId, session: &Session<C>| other == id || session.remote.was(id);
        let mut found = self.iter().filter(|(other, session)| is(*other, session));
        let (id, session) = found.next()?;
        Some((id, session.vouched(), session.remote.name()))
    }
}
