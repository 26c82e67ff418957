//! Identifiers of 160 bits, and how far they are from each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::InfoHash;
use crate::rng::Rng;

/// A point of the identifier space: a node, or what is looked for (BEP 5: an info-hash is
/// compared with nodes as if it were one).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub [u8; 20]);

/// The XOR of two identifiers, ordered as the unsigned number that it is (Kademlia, section 2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance(pub [u8; 20]);

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is 40 hexadecimal digits")]
pub struct InvalidNodeId;

impl NodeId {
    /// Bits of an identifier.
    pub const BITS: usize = 160;

    /// Any, all equally likely.
    pub fn random(rng: &mut Rng) -> Self {
        let mut id = [0; 20];
        rng.fill(&mut id);
        NodeId(id)
    }

    /// How far `other` is.
    pub fn distance(self, other: NodeId) -> Distance {
        let mut distance = self.0;
        for (byte, other) in distance.iter_mut().zip(other.0) {
            *byte ^= other;
        }
        Distance(distance)
    }

    /// Leading bits that both have; 160 if they are the same.
    pub fn common_bits(self, other: NodeId) -> usize {
        self.distance(other).leading_zeros()
    }

    /// One that has exactly `bits` leading bits in common with this one, and is random behind;
    /// this one itself if `bits` is 160 or more.
    pub fn random_at(self, bits: usize, rng: &mut Rng) -> Self {
        let mut id = NodeId::random(rng);
        for bit in 0..Self::BITS.min(bits + 1) {
            id.set(bit, self.bit(bit) != (bit == bits));
        }
        id
    }

    /// The bit at a place, counted from the most significant one.
    pub fn bit(self, at: usize) -> bool {
        self.0[at / 8] >> (7 - at % 8) & 1 == 1
    }

    fn set(&mut self, at: usize, value: bool) {
        let mask = 0x80 >> (at % 8);
        match value {
            true => self.0[at / 8] |= mask,
            false => self.0[at / 8] &= !mask,
        }
    }
}

impl Distance {
    /// Farther than everything.
    pub const MAX: Distance = Distance([0xff; 20]);

    /// Zero bits in front; 160 of zero.
    pub fn leading_zeros(self) -> usize {
        match self.0.iter().position(|byte| *byte != 0) {
            Some(at) => at * 8 + self.0[at].leading_zeros() as usize,
            None => NodeId::BITS,
        }
    }
}

impl From<InfoHash> for NodeId {
    fn from(info_hash: InfoHash) -> Self {
        NodeId(info_hash.0)
    }
}

impl From<NodeId> for InfoHash {
    fn from(id: NodeId) -> Self {
        InfoHash(id.0)
    }
}

impl FromStr for NodeId {
    type Err = InvalidNodeId;

    fn from_str(text: &str) -> Result<Self, InvalidNodeId> {
        if text.len() != 40 {
            return Err(InvalidNodeId);
        }
        let info_hash: InfoHash = text.parse().map_err(|_| InvalidNodeId)?;
        Ok(info_hash.into())
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl fmt::Debug for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Distance({})", NodeId(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(u: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<NodeId> {
        Ok(NodeId(u.arbitrary()?))
    }

    #[test]
    fn the_distance_is_a_metric_and_unidirectional() {
        arbtest::arbtest(|u| {
            let (a, b, c) = (any(u)?, any(u)?, any(u)?);
            assert_eq!(a.distance(b), b.distance(a));
            assert_eq!(a.distance(b) == Distance([0; 20]), a == b);
            // Of two different ones only one is as far from a third.
            assert_eq!(a.distance(b) == a.distance(c), b == c);
            let xor = NodeId(a.distance(b).0);
            assert_eq!(xor.distance(NodeId(b.distance(c).0)).0, a.distance(c).0);
            Ok(())
        });
    }

    #[test]
    fn random_ones_share_the_bits_that_they_are_to_share() {
        let mut rng = Rng::new(7);
        let own = NodeId::random(&mut rng);
        for bits in 0..160 {
            let other = own.random_at(bits, &mut rng);
            assert_eq!(own.common_bits(other), bits);
        }
        assert_eq!(own.random_at(160, &mut rng), own);
        assert_eq!(own.common_bits(own), 160);
    }

    #[test]
    fn text_is_read_as_it_is_written() {
        let text = "2c6b6858d61da9543d4231a71db4b1c9264b0685";
        let id: NodeId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for text in ["", "2c6b", "FRVWQWGWDWUVIPKCGGTR3NFRZETEWBUF"] {
            assert_eq!(text.parse::<NodeId>(), Err(InvalidNodeId));
        }
    }
}
