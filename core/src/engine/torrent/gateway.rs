//! Whoever met ordinary clients by TCP stands between their swarm and ours, and tells those who
//! can't be there themselves (`ts_gateway`): a person sees where pieces come from. It says
//! nothing else, and nothing is decided by it. In a private torrent only those are met by TCP
//! whom its own trackers named (BEP 27), so there it says no more than they do.
//!
//! It holds while nobody of them is connected, too: two that have everything part, and others may
//! come.

use super::{Cx, Torrent};
use crate::chunk::Chunk;
use crate::net::HAS_SOCKETS;
use crate::peer::{PeerPath, Session, SessionId};
use crate::wire::extension::ExtensionHandshake;

impl<C: Chunk> Torrent<C> {
    /// It is known what a session's peer speaks.
    pub(super) fn meets_somebody(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        if HAS_SOCKETS && !self.gateway && self.sessions.get(id).is_some_and(is_ordinary) {
            self.tell_of_gateway(cx, true);
        }
    }

    /// Nobody is to be met by TCP any more.
    pub(super) fn leaves_ordinary_swarm(&mut self, cx: &mut Cx<'_, C>) {
        if HAS_SOCKETS && self.gateway {
            self.tell_of_gateway(cx, false);
        }
    }

    fn tell_of_gateway(&mut self, cx: &mut Cx<'_, C>, is: bool) {
        self.gateway = is;
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
