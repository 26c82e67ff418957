//! Whoever talks to ordinary clients by TCP stands between their swarm and ours, and tells those
//! who can't be there themselves (`ts_gateway`): a person sees where pieces come from. It says
//! nothing else, and nothing is decided by it. In a private torrent only those are met by TCP
//! whom its own trackers named (BEP 27), so there it says no more than they do.

use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::peer::{PeerPath, Session, SessionId};
use crate::time::Time;
use crate::wire::extension::ExtensionHandshake;

/// A host without sockets meets nobody by TCP, and has no code for it.
const IS_HERE: bool = cfg!(feature = "ordinary");

/// What we said last, and when.
#[derive(Debug, Default)]
pub(super) struct Gateway {
    said: Option<Time>,
}

impl<C: Chunk> Torrent<C> {
    /// It is known what a session's peer speaks.
    pub(super) fn meets_somebody(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let ordinary = self.sessions.get(id).is_some_and(is_ordinary);
        if IS_HERE && ordinary && self.gateway.said.is_none() {
            self.gateway.said = Some(cx.now);
            self.tell_of_gateway(cx, true);
        }
    }

    /// Takes back what is not true any more. Whoever comes and goes is not to have everybody told
    /// each time: it holds for as long as upload slots do, at least.
    pub(super) fn gateway_upkeep(&mut self, cx: &mut Cx<'_, C>) {
        let rests = |said| cx.now - said >= cx.config.choke.interval;
        if IS_HERE && self.gateway.said.is_some_and(rests) && !self.is_gateway() {
            self.gateway.said = None;
            self.tell_of_gateway(cx, false);
        }
    }

    /// An ordinary client is here.
    pub(super) fn is_gateway(&self) -> bool {
        IS_HERE && self.gateway.said.is_some() && self.sessions.values().any(is_ordinary)
    }

    fn tell_of_gateway(&mut self, cx: &mut Cx<'_, C>, is: bool) {
        let handshake = ExtensionHandshake {
            gateway: Some(is),
            ..ExtensionHandshake::default()
        };
        for id in self.sessions.ids() {
            let session = self.sessions.get(id);
            if session.is_some_and(|s| s.talk.greeted && s.talk.extended && is_told(s)) {
                self.say_extension(cx, id, &handshake);
            }
        }
    }
}

/// It may be of interest to it.
pub(super) fn is_told<C: Chunk>(session: &Session<C>) -> bool {
    matches!(session.talk.path, PeerPath::Relay | PeerPath::Direct)
}

/// Somebody by TCP who knows nothing of our extensions.
fn is_ordinary<C: Chunk>(session: &Session<C>) -> bool {
    let talk = &session.talk;
    talk.path == PeerPath::Tcp && talk.greeted && talk.secret().is_none()
}
