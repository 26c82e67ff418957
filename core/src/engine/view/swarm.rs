//! Telling a viewer elsewhere who is connected and what each of them has: for a picture of a
//! torrent's swarm, as one of its peers sees it.
//!
//! It grows with peers and pieces, and few look at it: whoever does asks for it, and is told as
//! with [`super::Changes`].

use serde::{Deserialize, Serialize};

use super::{Contents, HaveChange, PeerView};
use crate::peer::SessionId;
use crate::pieces::Bitfield;

/// A connected peer, with what it says to have. Borrowed from the engine.
#[derive(Clone, Debug)]
pub struct PeerContents<'a> {
    /// Tells it from a torrent's other peers, for as long as it is connected.
    pub session: SessionId,
    /// How it is doing.
    pub view: PeerView,
    /// Its pieces; none while nobody knows how many there are.
    pub have: Option<&'a Bitfield>,
}

/// What is new about a torrent's swarm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SwarmChanges {
    /// How many pieces there are; 0 while it is not known.
    pub pieces: u32,
    /// Our own verified pieces.
    pub have: Option<HaveChange>,
    /// Every connected peer, the longest connected first.
    pub peers: Vec<PeerChange>,
}

/// A connected peer, with what is new about what it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerChange {
    /// See [`PeerContents::session`].
    pub session: SessionId,
    /// How it is doing.
    pub view: PeerView,
    /// Pieces that it came to have, or that turned out not to be there.
    pub have: Option<HaveChange>,
}

/// What a viewer was told of a torrent's swarm. As large as the bitfields of those who are
/// connected, of whom the engine bounds the number.
#[derive(Clone, Debug, Default)]
pub struct SwarmTold {
    pieces: u32,
    have: Vec<u8>,
    peers: Vec<KnownPeer>,
}

impl SwarmTold {
    /// What is to be told, which counts as told from now on; none if nothing is new.
    pub fn news(
        &mut self,
        contents: &Contents<'_>,
        peers: &[PeerContents<'_>],
    ) -> Option<SwarmChanges> {
        let metainfo = contents.metainfo;
        let pieces = metainfo.map_or(0, |metainfo| metainfo.layout().piece_count());
        let have = HaveChange::between(&mut self.have, bytes(contents.have));
        let mut is_new = have.is_some() || pieces != self.pieces || peers.len() != self.peers.len();
        self.pieces = pieces;
        let mut earlier = std::mem::take(&mut self.peers);
        let mut changes = Vec::with_capacity(peers.len());
        for peer in peers {
            let mut known = take(&mut earlier, peer.session);
            let have = HaveChange::between(&mut known.have, bytes(peer.have));
            is_new |= have.is_some() || known.view.as_ref() != Some(&peer.view);
            known.view = Some(peer.view.clone());
            self.peers.push(known);
            changes.push(PeerChange {
                session: peer.session,
                view: peer.view.clone(),
                have,
            });
        }
        is_new.then_some(SwarmChanges {
            pieces,
            have,
            peers: changes,
        })
    }
}

/// What a viewer knows of a torrent's swarm, from the [`SwarmChanges`] it was told in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SwarmKnown {
    /// How many pieces there are; 0 while it is not known.
    pub pieces: u32,
    /// Our own verified pieces, as the peer wire's bitfield; empty while nobody knows how many
    /// there are.
    pub have: Vec<u8>,
    /// Every connected peer, the longest connected first.
    pub peers: Vec<KnownPeer>,
}

/// A connected peer, with what it has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownPeer {
    /// See [`PeerContents::session`].
    pub session: SessionId,
    /// How it is doing; there is always one in a [`SwarmKnown`].
    pub view: Option<PeerView>,
    /// As [`SwarmKnown::have`].
    pub have: Vec<u8>,
}

impl SwarmKnown {
    /// Takes in what is new. Who is not named any more is gone.
    pub fn learn(&mut self, changes: SwarmChanges) {
        self.pieces = changes.pieces;
        if let Some(have) = changes.have {
            have.apply(&mut self.have);
        }
        let mut earlier = std::mem::take(&mut self.peers);
        for peer in changes.peers {
            let mut known = take(&mut earlier, peer.session);
            known.view = Some(peer.view);
            if let Some(have) = peer.have {
                have.apply(&mut known.have);
            }
            self.peers.push(known);
        }
    }
}

/// The peer of that number, if it was there, or a new one.
fn take(peers: &mut Vec<KnownPeer>, session: SessionId) -> KnownPeer {
    let found = peers.iter().position(|peer| peer.session == session);
    let known = found.map(|at| peers.remove(at));
    known.unwrap_or(KnownPeer {
        session,
        ..KnownPeer::default()
    })
}

fn bytes(pieces: Option<&Bitfield>) -> &[u8] {
    pieces.map_or(&[], Bitfield::as_bytes)
}
