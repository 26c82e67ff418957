//! Who has which address, and how long it takes from one to another.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use swarm_core::dht::NodeAddress;
use swarm_core::rng::Rng;

use super::RoundTrip;
use crate::schedule::{Nanos, nanos};

/// The first numbers of addresses that mean something everywhere. Whole blocks in which some
/// are reserved (RFC 6890) are left out.
const EVERYWHERE: [(u8, u8); 7] = [
    (1, 9),
    (11, 99),
    (101, 126),
    (128, 168),
    (170, 171),
    (173, 191),
    (204, 223),
];
/// Where everybody listens.
const PORT: u16 = 6881;
/// Anything odd, so that neighbours in number are none in address.
const STRIDE: u32 = 2_654_435_761;

/// A node, by the order in which it came.
pub(super) type Index = u32;

/// See the module.
#[derive(Debug)]
pub(super) struct Internet {
    round_trip: RoundTrip,
    loss: f64,
    rng: Rng,
    /// Mixed into what is fixed for a pair.
    salt: u64,
    owners: HashMap<NodeAddress, Index>,
    /// Networks (/24) that were given out.
    networks: u32,
}

impl Internet {
    pub(super) fn new(round_trip: RoundTrip, loss: f64, mut rng: Rng) -> Self {
        Internet {
            round_trip,
            loss,
            salt: rng.next_u64(),
            rng,
            owners: HashMap::new(),
            networks: 0,
        }
    }

    /// An address in a network of its own.
    pub(super) fn settle(&mut self, index: Index) -> NodeAddress {
        let network = self.network();
        self.settle_in(index, network, 0)
    }

    /// The number of a network that nobody is in.
    pub(super) fn network(&mut self) -> u32 {
        self.networks += 1;
        self.networks - 1
    }

    /// The address of this number in a network.
    pub(super) fn settle_in(&mut self, index: Index, network: u32, number: u32) -> NodeAddress {
        let [a, b, c] = numbers(network);
        let host = Ipv4Addr::new(a, b, c, 1 + (number % 250) as u8);
        let address = NodeAddress::V4(host, PORT + (number / 250) as u16);
        self.owners.insert(address, index);
        address
    }

    /// An address at which nobody is.
    pub(super) fn nowhere(&mut self) -> NodeAddress {
        let [a, b, c] = numbers(self.rng.next_u64() as u32);
        NodeAddress::V4(Ipv4Addr::new(a, b, c, 254), PORT)
    }

    pub(super) fn owner(&self, address: NodeAddress) -> Option<Index> {
        self.owners.get(&address).copied()
    }

    /// It is gone for good.
    pub(super) fn leave(&mut self, address: NodeAddress) {
        self.owners.remove(&address);
    }

    /// How long a datagram takes; none if it is lost.
    pub(super) fn carry(&mut self, from: Index, to: Index) -> Option<Nanos> {
        if self.loss > 0.0 && self.rng.unit() < self.loss {
            return None;
        }
        let RoundTrip {
            median,
            sigma,
            jitter,
        } = self.round_trip;
        let round_trip = median * (sigma * self.deviate(from.min(to), from.max(to))).exp();
        let more = 1.0 + jitter * self.rng.unit();
        Some(nanos(round_trip / 2.0 * more))
    }

    /// A standard normal number that belongs to the pair (Box and Muller).
    fn deviate(&self, low: Index, high: Index) -> f64 {
        let pair = u64::from(low) << 32 | u64::from(high);
        let first = mix(self.salt ^ pair);
        let unit = |bits: u64| (bits >> 11) as f64 / (1_u64 << 53) as f64;
        let radius = (-2.0 * (1.0 - unit(first)).ln()).sqrt();
        radius * (std::f64::consts::TAU * unit(mix(first))).cos()
    }
}

/// The finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// The first three numbers of a network's addresses.
fn numbers(network: u32) -> [u8; 3] {
    let blocks = || EVERYWHERE.iter().flat_map(|(first, last)| *first..=*last);
    let count = blocks().count() as u64 * 65_536;
    let at = u64::from(network) * u64::from(STRIDE) % count;
    let first = blocks().nth((at >> 16) as usize).unwrap_or(1);
    [first, (at >> 8) as u8, at as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_another_and_means_something_everywhere() {
        let mut internet = Internet::new(RoundTrip::default(), 0.0, Rng::new(1));
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..20_000 {
            let address = internet.settle(index);
            assert!(address.is_global(), "{address}");
            let Some(std::net::IpAddr::V4(ip)) = address.ip() else {
                panic!("{address}")
            };
            let [a, b, c, _] = ip.octets();
            assert!(seen.insert([a, b, c]), "{address} twice");
            assert_eq!(internet.owner(address), Some(index));
        }
    }

    #[test]
    fn round_trips_are_lognormal_and_belong_to_pairs() {
        let mut internet = Internet::new(RoundTrip::default(), 0.0, Rng::new(1));
        let mut ways: Vec<Nanos> = (0..10_000)
            .map(|from| internet.carry(from, from + 1).unwrap_or_default())
            .collect();
        ways.sort_unstable();
        let seconds = |rank: usize| 2.0 * crate::schedule::seconds(ways[rank]);
        // exp(±1.2816 · 0.6) times 90 ms, and half of the jitter.
        for (rank, expected) in [(1000, 0.0438), (5000, 0.0945), (9000, 0.2039)] {
            let measured = seconds(rank);
            assert!(
                (measured / expected - 1.0).abs() < 0.05,
                "{rank}: {measured}"
            );
        }
        let (one, other) = (internet.carry(3, 7), internet.carry(7, 3));
        let ratio = one.unwrap() as f64 / other.unwrap() as f64;
        assert!((0.9..1.12).contains(&ratio), "{ratio}");
    }
}
