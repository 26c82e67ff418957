//! What others have us remember: peers of torrents, and values.

use super::address::{Family, NodeAddress};
use super::config::Config;
use super::id::NodeId;
use super::item::Item;
use super::krpc::code;
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;

/// See the module. Nothing is allocated before something is stored.
#[derive(Debug, Default)]
pub(super) struct Storage {
    torrents: SortedMap<NodeId, Vec<Peer>>,
    /// Of all torrents.
    peers: usize,
    items: SortedMap<NodeId, Stored>,
}

#[derive(Debug)]
struct Peer {
    address: NodeAddress,
    announced: Time,
}

#[derive(Debug)]
struct Stored {
    item: Item,
    put: Time,
}

impl Storage {
    /// Torrents, peers and values that are stored.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        (self.torrents.len(), self.peers, self.items.len())
    }

    /// Remembers a peer. False if there is no room: what is farthest from us goes, and that
    /// may be this.
    pub(super) fn announce(
        &mut self,
        now: Time,
        info_hash: NodeId,
        address: NodeAddress,
        own: NodeId,
        config: &Config,
    ) -> bool {
        if let Some(peers) = self.torrents.get_mut(&info_hash)
            && let Some(at) = peers.iter().position(|peer| peer.address == address)
        {
            // The oldest stay in front.
            let mut peer = peers.remove(at);
            peer.announced = now;
            peers.push(peer);
            return true;
        }
        if !self.make_room(info_hash, own, config) {
            return false;
        }
        let peers = self.torrents.entry(info_hash).or_default();
        if peers.len() >= config.max_peers_per_torrent.max(1) {
            peers.remove(0);
            self.peers -= 1;
        }
        peers.push(Peer {
            address,
            announced: now,
        });
        self.peers += 1;
        true
    }

    fn make_room(&mut self, info_hash: NodeId, own: NodeId, config: &Config) -> bool {
        let known = self.torrents.contains_key(&info_hash);
        while self.peers >= config.max_peers || !known && self.torrents.len() >= config.max_torrents
        {
            let others = self.torrents.keys().filter(|other| **other != info_hash);
            let farthest = others.max_by_key(|other| own.distance(**other)).copied();
            let Some(farthest) = farthest else {
                // All of the peers are of this one: one of them goes.
                return known;
            };
            if own.distance(farthest) < own.distance(info_hash) {
                return false;
            }
            let gone = self.torrents.remove(&farthest).unwrap_or_default();
            self.peers -= gone.len();
        }
        true
    }

    /// Peers of a torrent, those of one family, by lot if there are more than `count`.
    pub(super) fn peers(
        &self,
        info_hash: NodeId,
        family: Family,
        count: usize,
        rng: &mut Rng,
    ) -> Vec<NodeAddress> {
        let Some(peers) = self.torrents.get(&info_hash) else {
            return Vec::new();
        };
        let addresses = peers.iter().map(|peer| peer.address);
        let mut addresses: Vec<_> = addresses
            .filter(|address| address.family() == family)
            .collect();
        for at in 0..addresses.len().min(count) {
            let other = at + rng.below(addresses.len() - at);
            addresses.swap(at, other);
        }
        addresses.truncate(count);
        addresses
    }

    /// The value under a key.
    pub(super) fn item(&self, target: NodeId) -> Option<&Item> {
        self.items.get(&target).map(|stored| &stored.item)
    }

    /// Remembers a value that was checked; or the number of the error and its words.
    pub(super) fn put(
        &mut self,
        now: Time,
        item: Item,
        cas: Option<i64>,
        own: NodeId,
        config: &Config,
    ) -> Result<(), (i64, &'static str)> {
        let target = item.target();
        if let Some(stored) = self.items.get_mut(&target) {
            if let (Item::Mutable(old), Item::Mutable(new)) = (&stored.item, &item) {
                if cas.is_some_and(|cas| cas != old.seq) {
                    return Err((code::CAS_MISMATCH, "CAS mismatch"));
                }
                // The same number with another value is a fork that nobody could follow.
                let forks = new.seq == old.seq && new.value != old.value;
                if new.seq < old.seq || forks {
                    return Err((code::SEQ_TOO_LOW, "sequence number less than current"));
                }
            }
            *stored = Stored { item, put: now };
            return Ok(());
        }
        if self.items.len() >= config.max_items {
            let farthest = self.items.keys().max_by_key(|other| own.distance(**other));
            let Some(farthest) = farthest.copied() else {
                return Err((code::SERVER, "nothing is stored here"));
            };
            if own.distance(farthest) < own.distance(target) {
                return Err((code::SERVER, "full"));
            }
            self.items.remove(&farthest);
        }
        self.items.insert(target, Stored { item, put: now });
        Ok(())
    }

    /// Forgets what nobody repeated.
    pub(super) fn expire(&mut self, now: Time, config: &Config) {
        let mut gone = 0;
        self.torrents.retain(|_, peers| {
            let before = peers.len();
            peers.retain(|peer| now.saturating_since(peer.announced) < config.peer_expiry);
            gone += before - peers.len();
            !peers.is_empty()
        });
        self.peers -= gone;
        self.items
            .retain(|_, stored| now.saturating_since(stored.put) < config.item_expiry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dht::item::SecretKey;

    fn peer(n: u32) -> NodeAddress {
        NodeAddress::V4((0x0909_0000 + n).into(), 5)
    }

    fn key(first: u8) -> NodeId {
        let mut id = [0; 20];
        id[0] = first;
        NodeId(id)
    }

    #[test]
    fn peers_are_found_until_they_expire() {
        let (config, mut storage, mut rng) = (Config::default(), Storage::default(), Rng::new(1));
        let own = key(0);
        storage.announce(Time::ZERO, key(1), peer(1), own, &config);
        storage.announce(Time::ZERO, key(1), peer(2), own, &config);
        let later = Time::ZERO + config.peer_expiry / 2;
        storage.announce(later, key(1), peer(1), own, &config);
        assert_eq!(storage.counts(), (1, 2, 0));
        storage.expire(Time::ZERO + config.peer_expiry, &config);
        assert_eq!(storage.peers(key(1), Family::V4, 9, &mut rng), [peer(1)]);
        storage.expire(later + config.peer_expiry, &config);
        assert_eq!(storage.counts(), (0, 0, 0));
    }

    #[test]
    fn what_is_far_from_us_makes_room_for_what_is_near() {
        let config = Config {
            max_torrents: 3,
            max_peers: 10,
            max_peers_per_torrent: 4,
            ..Config::default()
        };
        let (mut storage, own) = (Storage::default(), key(0));
        for n in 0..100 {
            storage.announce(Time::ZERO, key(1), peer(n), own, &config);
        }
        assert_eq!(storage.counts(), (1, 4, 0));
        for first in [8, 4, 9, 2, 16] {
            storage.announce(Time::ZERO, key(first), peer(1), own, &config);
        }
        let kept: Vec<_> = storage.torrents.keys().copied().collect();
        assert_eq!(kept, [key(1), key(2), key(4)]);
    }

    #[test]
    fn counts_and_bounds_hold_whatever_is_announced() {
        arbtest::arbtest(|u| {
            let config = Config {
                max_torrents: 4,
                max_peers: 12,
                max_peers_per_torrent: 5,
                ..Config::default()
            };
            let (mut storage, mut now) = (Storage::default(), Time::ZERO);
            for _ in 0..u.int_in_range(0..=60)? {
                now += std::time::Duration::from_secs(u.int_in_range(0..=600)?);
                let (first, n) = (u.int_in_range(0..=9)?, u.int_in_range(0..=20)?);
                storage.announce(now, key(first), peer(n), key(3), &config);
                if u.ratio(1, 8)? {
                    storage.expire(now, &config);
                }
                let (torrents, peers, _) = storage.counts();
                assert!(torrents <= 4 && peers <= 12);
                let counted: usize = storage.torrents.values().map(Vec::len).sum();
                assert_eq!(peers, counted);
            }
            Ok(())
        });
    }

    #[test]
    fn a_mutable_value_goes_forward_only() {
        let (config, mut storage, own) = (Config::default(), Storage::default(), key(0));
        let secret = SecretKey::from_seed([1; 32]);
        let mut put = |seq, value: &[u8], cas| {
            let item = secret.sign(Vec::new(), seq, value.to_vec()).unwrap();
            let put = storage.put(Time::ZERO, item, cas, own, &config);
            put.map_err(|(code, _)| code)
        };
        assert_eq!(put(5, b"i1e", None), Ok(()));
        assert_eq!(put(5, b"i1e", None), Ok(()));
        assert_eq!(put(5, b"i2e", None), Err(code::SEQ_TOO_LOW));
        assert_eq!(put(4, b"i1e", None), Err(code::SEQ_TOO_LOW));
        assert_eq!(put(6, b"i1e", Some(4)), Err(code::CAS_MISMATCH));
        assert_eq!(put(6, b"i1e", Some(5)), Ok(()));
    }
}
