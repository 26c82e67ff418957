//! The ordinary clients of one swarm: who takes connections, and where.
//!
//! A client is known by its address and port, which is all that others need; who starts anew
//! there takes the place of who was there before.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::roster::{draw, saturate};
use crate::id::PeerId;
use crate::rng::Rng;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    peers: BTreeMap<SocketAddr, Peer>,
    /// By [`list_of`], each in an order of no meaning, so that some can be drawn at random; with
    /// what they call themselves, as they are looked up far less often than they are told of.
    lists: [Vec<(SocketAddr, PeerId)>; 4],
}

/// What is known of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// When it leaves unless it announces.
    pub(super) deadline: Time,
    /// When that is looked at: as it was when it was last looked at.
    pub(super) scheduled: Time,
    /// It lacks nothing.
    pub(super) seed: bool,
    /// Where it stands in its list.
    slot: usize,
}

const FAMILIES: usize = 2;

/// Leechers come first, then those who have everything; of each first IPv4.
fn list_of(address: SocketAddr, seed: bool) -> usize {
    usize::from(seed) * FAMILIES + usize::from(address.is_ipv6())
}

impl Sockets {
    /// What is known of whoever is there.
    pub(super) fn get(&self, address: SocketAddr) -> Option<Peer> {
        self.peers.get(&address).copied()
    }

    /// One of them.
    pub(super) fn first(&self) -> Option<SocketAddr> {
        self.peers.keys().next().copied()
    }

    /// How many have everything.
    pub(super) fn complete(&self) -> u32 {
        saturate(self.lists[FAMILIES].len() + self.lists[FAMILIES + 1].len())
    }

    /// How many lack something.
    pub(super) fn incomplete(&self) -> u32 {
        saturate(self.lists[0].len() + self.lists[1].len())
    }

    /// Joins or stays; returns what was known until now.
    pub(super) fn announce(
        &mut self,
        address: SocketAddr,
        peer_id: PeerId,
        seed: bool,
        deadline: Time,
    ) -> Option<Peer> {
        let known = self.peers.get_mut(&address);
        if let Some(peer) = known.filter(|peer| peer.seed == seed) {
            let before = *peer;
            peer.deadline = deadline;
            self.lists[list_of(address, seed)][peer.slot].1 = peer_id;
            return Some(before);
        }
        let before = self.leave(address);
        let list = &mut self.lists[list_of(address, seed)];
        let slot = list.len();
        list.push((address, peer_id));
        let peer = Peer {
            deadline,
            scheduled: before.map_or(deadline, |before| before.scheduled),
            seed,
            slot,
        };
        self.peers.insert(address, peer);
        before
    }

    /// Looks at the deadline of one that is there. If it is later than was scheduled, it is what
    /// is scheduled now.
    pub(super) fn postpone(&mut self, address: SocketAddr) -> Option<Time> {
        let peer = self.peers.get_mut(&address)?;
        let is_later = peer.deadline > peer.scheduled;
        peer.scheduled = peer.deadline;
        is_later.then_some(peer.deadline)
    }

    /// Takes one out, returns what it was.
    pub(super) fn leave(&mut self, address: SocketAddr) -> Option<Peer> {
        let peer = self.peers.remove(&address)?;
        let list = &mut self.lists[list_of(address, peer.seed)];
        list.swap_remove(peer.slot);
        if let Some((moved, _)) = list.get(peer.slot) {
            let moved = self.peers.get_mut(moved);
            moved.expect("only who is there is listed").slot = peer.slot;
        }
        Some(peer)
    }

    /// Up to `count` others than `asker`, drawn at random; to one that has everything only such
    /// as lack something. Those of its own family of addresses come first, and others only if
    /// it wants `both`.
    pub(super) fn sample(
        &self,
        asker: SocketAddr,
        seed: bool,
        both: bool,
        count: usize,
        rng: &mut Rng,
    ) -> Vec<(SocketAddr, PeerId)> {
        let own = usize::from(asker.is_ipv6());
        let mut told = Vec::with_capacity(count.min(self.peers.len()));
        for family in [own, 1 - own].into_iter().take(if both { 2 } else { 1 }) {
            let (leechers, seeds) = (&self.lists[family], &self.lists[FAMILIES + family]);
            let total = leechers.len() + if seed { 0 } else { seeds.len() };
            // One more than wanted, in case we draw who asks.
            let wanted = (count - told.len()).saturating_add(1);
            let drawn = draw(wanted, total, rng).into_iter();
            let drawn = drawn.map(|at| {
                leechers
                    .get(at)
                    .unwrap_or_else(|| &seeds[at - leechers.len()])
            });
            let others = drawn.filter(|(address, _)| *address != asker);
            let others = others.take(count - told.len());
            told.extend(others);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn address(number: u16, ipv6: bool) -> SocketAddr {
        let ip = if ipv6 { "2001:db8::1" } else { "192.0.2.1" };
        SocketAddr::new(ip.parse().unwrap(), number)
    }

    /// So many of both families, of which the first `seeds` have everything.
    fn sockets(count: u16, seeds: u16) -> Sockets {
        let mut sockets = Sockets::default();
        for number in 0..count {
            for ipv6 in [false, true] {
                let (peer_id, deadline) = (PeerId([1; 20]), Time::from_millis(0));
                sockets.announce(address(number, ipv6), peer_id, number < seeds, deadline);
            }
        }
        sockets
    }

    fn told(
        sockets: &Sockets,
        asker: SocketAddr,
        seed: bool,
        both: bool,
        count: usize,
    ) -> Vec<SocketAddr> {
        let told = sockets.sample(asker, seed, both, count, &mut Rng::new(1));
        let told: Vec<_> = told.into_iter().map(|(address, _)| address).collect();
        let different: BTreeSet<_> = told.iter().copied().collect();
        assert_eq!(different.len(), told.len());
        assert!(!different.contains(&asker));
        told
    }

    #[test]
    fn others_of_the_same_family_come_first() {
        let sockets = sockets(10, 0);
        let asker = address(3, true);
        let own = told(&sockets, asker, false, false, 50);
        assert_eq!(own.len(), 9);
        assert!(own.iter().all(SocketAddr::is_ipv6));
        let both = told(&sockets, asker, false, true, 12);
        assert_eq!(both.iter().filter(|it| it.is_ipv6()).count(), 9);
        assert_eq!(both.len(), 12);
    }

    #[test]
    fn a_seed_hears_of_those_that_lack_something() {
        let sockets = sockets(10, 4);
        assert_eq!((sockets.complete(), sockets.incomplete()), (8, 12));
        let to_seed = told(&sockets, address(0, false), true, false, 50);
        assert_eq!(to_seed.len(), 6);
        assert!(to_seed.iter().all(|it| it.port() >= 4));
    }

    #[test]
    fn everybody_is_listed_once_whoever_comes_and_goes() {
        let mut sockets = sockets(5, 2);
        for number in [1, 4, 0] {
            assert!(sockets.leave(address(number, false)).is_some());
        }
        assert!(sockets.leave(address(0, false)).is_none());
        let seed = sockets.announce(
            address(2, false),
            PeerId([2; 20]),
            true,
            Time::from_millis(1),
        );
        assert!(seed.is_some_and(|before| !before.seed));
        assert_eq!((sockets.complete(), sockets.incomplete()), (3, 4));
        assert_eq!(told(&sockets, address(9, false), false, true, 50).len(), 7);
    }
}
