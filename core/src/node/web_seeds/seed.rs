//! A web seed of a torrent, and how it does.

use super::talk::Talk;
use super::{SeedTrouble, WebOutput};
use crate::id::{InfoHash, LinkId, PeerId};
use crate::metainfo::WebSeedAddress;
use crate::time::Time;

/// One address that a torrent names.
#[derive(Debug)]
pub(super) struct Seed<C> {
    pub(super) info_hash: InfoHash,
    pub(super) url: String,
    /// None if it can't be asked at all.
    pub(super) address: Option<WebSeedAddress>,
    /// The peer that the engine sees.
    pub(super) talk: Option<Box<Talk<C>>>,
    /// When it may be tried again; none if never.
    pub(super) again: Option<Time>,
    /// How often it failed in a row.
    pub(super) failures: u32,
    pub(super) trouble: Option<SeedTrouble>,
}

/// What it is called as a peer: in the manner of clients (BEP 20), and another for each.
pub(super) fn peer_id(link: LinkId) -> PeerId {
    let mut id = *b"-WS0000-------------";
    let number = format!("{:08x}", link.0);
    id[12..].copy_from_slice(number.as_bytes());
    PeerId(id)
}

impl<C> Seed<C> {
    pub(super) fn in_trouble(&self, trouble: SeedTrouble) -> WebOutput {
        WebOutput::Trouble {
            info_hash: self.info_hash,
            url: self.url.clone(),
            trouble,
        }
    }
}
