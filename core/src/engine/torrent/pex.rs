//! Peers tell each other of peers (BEP 11): of those that they talk to by TCP, and can be
//! called. Never in a private torrent (BEP 27), nor while nobody knows whether it is one.
//!
//! What is told here is hearsay: whoever is named is called once, if nobody better is known.

use std::net::SocketAddr;

use super::{Cx, Fault, Torrent};
use crate::chunk::Chunk;
use crate::id::ChannelKey;
use crate::net::contact::may_tell;
use crate::net::{Contact, HAS_SOCKETS};
use crate::peer::{PeerPath, SessionId, Stream};
use crate::sorted::SortedSet;
use crate::wire::peer::Message;
use crate::wire::pex::{Added, PexMessage};

/// The id under which we take `ut_pex` messages.
pub(super) const UT_PEX: u8 = 3;

fn by_tcp<C: Chunk>(stream: &Stream<C>) -> bool {
    HAS_SOCKETS && stream.path == PeerPath::Tcp
}

impl<C: Chunk> Torrent<C> {
    /// Peers may be told of.
    pub(super) fn exchanges_peers(&self) -> bool {
        let metainfo = self.about.metainfo();
        metainfo.is_some_and(|metainfo| !metainfo.is_private())
    }

    /// Somebody tells of its peers. More often than we would, it is not listened to.
    pub(super) fn hear_peers(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        payload: &[u8],
    ) -> Result<(), Fault> {
        let exchanges = self.exchanges_peers();
        let session = self.sessions.find(id)?;
        let Some(stream) = session.stream_mut(channel).filter(|s| by_tcp(s)) else {
            return Ok(());
        };
        let message = PexMessage::decode(payload)?;
        let config = &cx.config.pex;
        let early = |heard| cx.now - heard < config.pause / 2;
        if !exchanges || stream.pex.heard.is_some_and(early) {
            return Ok(());
        }
        stream.pex.heard = Some(cx.now);
        let Some(teller) = stream.contact.socket() else {
            return Ok(());
        };
        let told = message.added.into_iter().take(config.most);
        let told = told.filter(|added| may_tell(teller.ip(), added.address));
        let told: Vec<Added> = told.collect();
        for added in told {
            self.swarm
                .prospects_mut()
                .hear(added.address, added.seed, &cx.config.places);
        }
        self.meet(cx);
        Ok(())
    }

    /// Tells those who want to know, and were not told for a while, what changed.
    pub(super) fn tell_of_peers(&mut self, cx: &mut Cx<'_, C>) {
        if !HAS_SOCKETS || !self.exchanges_peers() {
            return;
        }
        let pause = cx.config.pex.pause;
        for id in self.sessions.ids() {
            let Some(session) = self.sessions.get(id) else {
                continue;
            };
            let talk = &session.talk;
            let wants = by_tcp(talk) && talk.ut_pex.is_some();
            if wants && talk.pex.told_at.is_none_or(|at| cx.now - at >= pause) {
                self.tell_one_of_peers(cx, id);
            }
        }
    }

    fn tell_one_of_peers(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Some(to) = self.sessions.get(id).and_then(|s| s.talk.contact.socket()) else {
            return;
        };
        let others = self.sessions.iter().filter(|(other, _)| *other != id);
        let others = others.flat_map(|(_, session)| {
            let seed = session.remote.is_seed();
            session
                .streams()
                .filter_map(move |stream| known(stream, seed))
        });
        let now: Vec<Added> = others.filter(|it| may_tell(to.ip(), it.address)).collect();
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let (Some(taken_as), pex) = (session.talk.ut_pex, &mut session.talk.pex) else {
            return;
        };
        let most = cx.config.pex.most;
        let here: SortedSet<SocketAddr> = now.iter().map(|it| it.address).collect();
        let dropped: Vec<_> = pex
            .told
            .iter()
            .copied()
            .filter(|told| !here.contains(told))
            .take(most)
            .collect();
        let added = now.into_iter().filter(|it| !pex.told.contains(&it.address));
        let added: Vec<_> = added.take(most).collect();
        if added.is_empty() && dropped.is_empty() {
            return;
        }
        pex.told_at = Some(cx.now);
        for address in &dropped {
            pex.told.remove(address);
        }
        pex.told.extend(added.iter().map(|it| it.address));
        let payload = PexMessage { added, dropped }.encode();
        self.say(
            cx,
            id,
            &Message::Extended {
                id: taken_as,
                payload,
            },
        );
    }
}

/// Where somebody whom we talk to by TCP can be called.
fn known<C: Chunk>(stream: &Stream<C>, seed: bool) -> Option<Added> {
    let reachable = matches!(stream.contact, Contact::Address(_));
    let contact = if reachable {
        Some(stream.contact)
    } else {
        stream.listens
    };
    let address = contact?.socket()?;
    let talks = by_tcp(stream) && stream.greeted;
    talks.then_some(Added {
        address,
        seed,
        reachable,
    })
}
