//! Ordinary clients: what they announce, and what anybody may ask about swarms.

use std::net::{IpAddr, SocketAddr};

use super::swarm::{Party, Swarm};
use super::{Registry, seconds};
use crate::id::InfoHash;
use crate::time::Time;
use crate::wire::tracker::http::{Announced, Peer};
use crate::wire::tracker::{Announce, Counts, Event, Scraped};

/// How many an ordinary client hears of that does not say.
const USUAL_NUMWANT: u32 = 50;

impl Registry {
    /// An ordinary client at this address joins a swarm, stays in it or leaves it. The answer,
    /// or why not.
    ///
    /// One that takes no connections hears of others, and nobody of it.
    pub(in crate::hub) fn announce_socket(
        &mut self,
        now: Time,
        from: IpAddr,
        announce: &Announce,
        both_families: bool,
    ) -> Result<Announced, &'static str> {
        let address = SocketAddr::new(from.to_canonical(), announce.port);
        let info_hash = announce.info_hash;
        let seed = announce.left == Some(0);
        if announce.event == Event::Stopped {
            self.leave_socket(address, info_hash);
        } else if announce.port != 0 {
            self.join_socket(now, address, announce, seed)?;
        }
        let wanted = match announce.event {
            Event::Stopped => 0,
            _ => announce.numwant.unwrap_or(USUAL_NUMWANT),
        };
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let wanted = wanted.min(self.config.max_numwant);
        let swarm = self.swarms.get(&info_hash);
        let counts = swarm.map(Swarm::socket_counts).unwrap_or_default();
        let rng = &mut self.rng;
        let peers = swarm.map(|swarm| {
            swarm
                .sockets
                .sample(address, seed, both_families, wanted, rng)
        });
        let peer = |(address, peer_id)| Peer {
            address,
            peer_id: Some(peer_id),
        };
        Ok(Announced {
            interval: seconds(self.config.socket_interval),
            complete: Some(counts.complete),
            incomplete: Some(counts.incomplete),
            downloaded: Some(counts.downloaded),
            peers: peers.into_iter().flatten().map(peer).collect(),
            external: Some(from.to_canonical()),
            ..Announced::default()
        })
    }

    /// How swarms stand among ordinary clients; of those that are not known, that nobody is
    /// there.
    pub(in crate::hub) fn scrape_sockets(&self, swarms: &[InfoHash]) -> Scraped {
        self.scrape(swarms, Swarm::socket_counts)
    }

    /// The same among WebTorrent's.
    pub(in crate::hub) fn scrape_webtorrent(&self, swarms: &[InfoHash]) -> Scraped {
        self.scrape(swarms, Swarm::webtorrent_counts)
    }

    fn scrape(&self, swarms: &[InfoHash], counts: impl Fn(&Swarm) -> Counts) -> Scraped {
        let told = |info_hash: &InfoHash| {
            let swarm = self.swarms.get(info_hash);
            (*info_hash, swarm.map(&counts).unwrap_or_default())
        };
        swarms.iter().map(told).collect()
    }

    fn join_socket(
        &mut self,
        now: Time,
        address: SocketAddr,
        announce: &Announce,
        seed: bool,
    ) -> Result<(), &'static str> {
        let (info_hash, party) = (announce.info_hash, Party::Socket(address));
        let source = address.ip().into();
        let swarm = self.swarms.get(&info_hash);
        let joins = swarm.is_none_or(|swarm| swarm.sockets.get(address).is_none());
        self.check_join(source, info_hash, joins)?;
        let deadline = now + self.config.socket_expiry;
        let swarm = self.found(party, source, info_hash);
        let before = swarm
            .sockets
            .announce(address, announce.peer_id, seed, deadline);
        let is_news = before.is_none_or(|before| !before.seed);
        if announce.event == Event::Completed && is_news {
            swarm.downloaded = swarm.downloaded.saturating_add(1);
        }
        // Whoever is there already has a later deadline from now on. That is seen when the one that
        // was scheduled comes, which for most is after many announces.
        if before.is_none() {
            self.hold(source, |holding| holding.memberships += 1);
            self.deadlines.insert((deadline, party, info_hash));
        }
        Ok(())
    }

    /// The deadline that was scheduled for one has come: it leaves the swarm, or has announced
    /// since then.
    pub(super) fn expire_socket(&mut self, address: SocketAddr, info_hash: InfoHash) {
        let swarm = self.swarms.get_mut(&info_hash);
        match swarm.and_then(|swarm| swarm.sockets.postpone(address)) {
            Some(later) => {
                let party = Party::Socket(address);
                self.deadlines.insert((later, party, info_hash));
            }
            None => drop(self.leave_socket(address, info_hash)),
        }
    }

    /// False if it was not in the swarm.
    pub(super) fn leave_socket(&mut self, address: SocketAddr, info_hash: InfoHash) -> bool {
        let party = Party::Socket(address);
        let swarm = self.swarms.get_mut(&info_hash);
        let Some(peer) = swarm.and_then(|swarm| swarm.sockets.leave(address)) else {
            return false;
        };
        self.deadlines.remove(&(peer.scheduled, party, info_hash));
        self.hold(address.ip().into(), |holding| holding.memberships -= 1);
        self.bequeath(party, info_hash);
        true
    }
}
