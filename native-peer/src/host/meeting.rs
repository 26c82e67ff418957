//! Who else may be there, beside those of whom trackers know: in the local network, in the DHT, and
//! those that are named.

use std::net::SocketAddr;

use swarm_core::id::InfoHash;
use swarm_core::node::Input;

use super::{Host, HostEvent};
use crate::dht::{DhtNews, DhtPeers};
use crate::lsd::{Lsd, LsdEvent};

impl Host {
    /// Somebody may be at these addresses, for every torrent.
    pub(super) fn meet(&mut self, addresses: &[SocketAddr]) {
        for torrent in self.view().torrents {
            self.meet_for(torrent.info_hash, addresses.to_vec());
        }
    }

    /// Somebody may be at these addresses, for a torrent.
    fn meet_for(&mut self, info_hash: InfoHash, addresses: Vec<SocketAddr>) {
        self.handle(Input::Met {
            info_hash,
            complete: 0,
            incomplete: 0,
            addresses,
        });
    }

    /// Something about the local network: only torrents that are known not to be private are
    /// talked of there (BEP 27).
    pub(super) fn hear_locally(&mut self, event: LsdEvent) {
        match event {
            LsdEvent::Due => {
                self.told.clear();
                self.tell_locally();
            }
            LsdEvent::Heard(address, torrents) => {
                let ours = torrents.into_iter().filter(|it| self.told.contains(it));
                let ours: Vec<InfoHash> = ours.collect();
                for info_hash in ours {
                    self.meet_for(info_hash, vec![address]);
                }
            }
        }
    }

    /// Tells the local network of torrents that it was not told of.
    pub(super) fn tell_locally(&mut self) {
        let now = self.now();
        let Some(lsd) = &mut self.lsd else {
            return;
        };
        for torrent in self.node.view(now).torrents {
            let contents = self.node.contents(torrent.info_hash);
            let open = contents
                .and_then(|contents| contents.metainfo)
                .is_some_and(|it| !it.is_private());
            if open && self.told.insert(torrent.info_hash) {
                lsd.tell(torrent.info_hash);
            }
        }
    }

    /// Something about the DHT.
    pub(super) fn hear_of_dht(&mut self, news: DhtNews) {
        match news {
            DhtNews::Found(info_hash, addresses) => self.meet_for(info_hash, addresses),
            DhtNews::Due => self.follow_in_dht(),
            DhtNews::Trouble(trouble) => self.events.push_back(HostEvent::Trouble(trouble)),
        }
    }

    /// Tells the DHT of what has become of torrents.
    pub(super) fn follow_in_dht(&mut self) {
        let now = self.now();
        if let Some(dht) = &mut self.dht {
            dht.follow(&self.node, now);
        }
    }
}

/// What happens in the local network; waits forever if that is of no interest.
pub(super) async fn next_of_lsd(lsd: &mut Option<Lsd>) -> LsdEvent {
    match lsd {
        Some(lsd) => lsd.next().await,
        None => std::future::pending().await,
    }
}

/// What happens in the DHT; waits forever if we are not in it.
pub(super) async fn next_of_dht(dht: &mut Option<DhtPeers>) -> DhtNews {
    match dht {
        Some(dht) => dht.next().await,
        None => std::future::pending().await,
    }
}
