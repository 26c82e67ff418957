//! Peers tell each other of their nodes of the DHT (BEP 5): the host's, if it has one, by TCP.
//!
//! It says nothing of the torrent; in a private one, which has nothing to do with the DHT
//! (BEP 27), we say nothing either.

use std::net::SocketAddr;

use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::Event;
use crate::net::Contact;
use crate::peer::{PeerPath, SessionId};
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// The port of our node, if it is told to those who are reached like this.
    pub(super) fn dht_port(&self, cx: &Cx<'_, C>, path: PeerPath) -> Option<u16> {
        let private = self.about.metainfo().is_some_and(|it| it.is_private());
        let told = path == PeerPath::Tcp && !private;
        cx.config.dht_port.filter(|_| told)
    }

    /// Tells somebody who has a node of ours.
    pub(super) fn tell_of_dht(&mut self, cx: &Cx<'_, C>, id: SessionId) -> Result<(), Fault> {
        let talk = &self.sessions.find(id)?.talk;
        let (path, asked) = (talk.path, talk.dht);
        if let Some(port) = self.dht_port(cx, path).filter(|_| asked) {
            let talk = &mut self.sessions.find(id)?.talk;
            talk.outbox.push(&Message::Port(port));
        }
        Ok(())
    }

    /// Somebody tells of its node, which is where it is itself.
    pub(super) fn hear_of_dht(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        port: u16,
    ) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        let (path, contact) = (session.talk.path, session.remote.contact);
        if let Contact::Address(address) | Contact::Caller(address) = contact
            && port != 0
            && self.dht_port(cx, path).is_some()
        {
            cx.event(Event::DhtNode(SocketAddr::new(address.ip(), port)));
        }
        Ok(())
    }
}
