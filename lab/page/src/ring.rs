//! Where the nodes of a DHT stand: on a circle in the order of their identifiers, as the leaves of
//! the tree of prefixes that is drawn inside.
//!
//! XOR distance is not the way along the circle: two neighbours at the very top share no bit.
//! What it is, is how small the smallest subtree is that has both. So the tree shows it, and the
//! circle gives each leaf its place.

use std::f64::consts::TAU;

/// Room around the circle for what stands at its edge, in CSS pixels.
const MARGIN: f64 = 24.0;

/// A circle in a rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ring {
    /// Its middle.
    pub middle: (f64, f64),
    /// Where the leaves stand.
    pub radius: f64,
}

/// From a subtree's root to one of its two halves: places on the circle and parts of the radius.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    /// Where it begins.
    pub from: (f64, f64),
    /// Where it ends.
    pub to: (f64, f64),
}

impl Ring {
    /// As large as it can be.
    pub fn fit(width: f64, height: f64) -> Self {
        Ring {
            middle: (width / 2.0, height / 2.0),
            radius: (width.min(height) / 2.0 - MARGIN).max(0.0),
        }
    }

    /// The point at a place from 0 to 1, clockwise from the top, so far from the middle as this
    /// part of the radius.
    pub fn point(&self, place: f64, part: f64) -> (f64, f64) {
        let (sin, cos) = (place * TAU).sin_cos();
        let radius = self.radius * part;
        (self.middle.0 + radius * sin, self.middle.1 - radius * cos)
    }

    /// The node nearest to a point, if one is near it. Nodes are given by the first bits of their
    /// identifiers.
    pub fn nearest(&self, ids: &[u32], (x, y): (f64, f64)) -> Option<usize> {
        let distance = |id: u32| {
            let point = self.point(place(id), 1.0);
            (point.0 - x).hypot(point.1 - y)
        };
        let nearest = ids.iter().enumerate().map(|(at, id)| (distance(*id), at));
        let (distance, at) = nearest.min_by(|(a, _), (b, _)| a.total_cmp(b))?;
        (distance <= MARGIN).then_some(at)
    }
}

/// Where on the circle, from 0 to 1.
pub fn place(id: u32) -> f64 {
    f64::from(id) / 2_f64.powi(32)
}

/// The part of the circle with identifiers that share so many leading bits with this one.
pub fn subtree(id: u32, bits: u32) -> (f64, f64) {
    let free = 32 - bits.min(32);
    let size = 2_f64.powi(free as i32 - 32);
    let begin = match free {
        32 => 0,
        free => id >> free << free,
    };
    (place(begin), place(begin) + size)
}

/// How far from the middle the root of a subtree is that shares so many bits, in a tree of this
/// depth.
pub fn level(bits: u32, depth: u32) -> f64 {
    f64::from(bits.min(depth)) / f64::from(depth + 1)
}

/// How many levels of the tree can be told apart, for so many nodes.
pub fn depth(nodes: usize) -> u32 {
    // At the lowest level a subtree has four nodes.
    (nodes.max(1).ilog2()).saturating_sub(2).clamp(2, 6)
}

/// All of a tree.
pub fn tree(depth: u32) -> impl Iterator<Item = Branch> {
    (0..depth).flat_map(move |bits| {
        (0..2_u32 << bits).map(move |child| Branch {
            from: (middle(child / 2, bits), level(bits, depth)),
            to: (middle(child, bits + 1), level(bits + 1, depth)),
        })
    })
}

/// The way from the root to the subtree that shares so many bits with an identifier, and on to its
/// place on the circle if that is all of the tree.
pub fn way(id: u32, bits: u32, depth: u32) -> Vec<(f64, f64)> {
    let level_of = |bits: u32| match bits {
        0 => (0.0, 0.0),
        _ => (middle(id >> (32 - bits), bits), level(bits, depth)),
    };
    let mut way: Vec<_> = (0..=bits.min(depth)).map(level_of).collect();
    if bits > depth {
        way.push((place(id), 1.0));
    }
    way
}

/// The middle of the subtree of a prefix of so many bits.
fn middle(prefix: u32, bits: u32) -> f64 {
    (f64::from(prefix) + 0.5) / 2_f64.powi(bits as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subtree_has_those_who_share_its_bits() {
        let key = 0xb3c4_5678;
        for bits in 0..=32 {
            let (begin, end) = subtree(key, bits);
            for id in [0, 1, key, key ^ 1, key ^ 0x0100_0000, !key, u32::MAX] {
                let is_in = (begin..end).contains(&place(id));
                assert_eq!(is_in, (id ^ key).leading_zeros() >= bits, "{bits} {id:x}");
            }
        }
    }

    #[test]
    fn the_tree_begins_in_the_middle_and_parts_at_every_bit() {
        let branches: Vec<_> = tree(3).collect();
        assert_eq!(branches.len(), 2 + 4 + 8);
        assert_eq!(branches[0].from.1, 0.0);
        let last = branches[13];
        assert_eq!((last.from, last.to), ((0.875, 0.5), (0.9375, 0.75)));
        // Who has all bits set stands at the end of the last branch.
        let way = way(u32::MAX, 9, 3);
        assert_eq!(way[2..4], [last.from, last.to]);
        assert_eq!(way.len(), 5);
        assert_eq!((depth(8), depth(200), depth(2000)), (2, 5, 6));
    }

    #[test]
    fn everybody_stands_inside_and_is_found_there() {
        let ring = Ring::fit(400.0, 300.0);
        let ids: Vec<u32> = (0..16).map(|n| n << 28).collect();
        for (index, id) in ids.iter().enumerate() {
            let (x, y) = ring.point(place(*id), 1.0);
            assert!((0.0..=400.0).contains(&x) && (0.0..=300.0).contains(&y));
            assert_eq!(ring.nearest(&ids, (x + 2.0, y - 2.0)), Some(index));
        }
        assert_eq!(ring.nearest(&ids, ring.middle), None);
        assert_eq!(Ring::fit(0.0, 0.0).radius, 0.0);
    }
}
