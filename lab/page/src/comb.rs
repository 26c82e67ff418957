//! Where the peers stand: on the cells of a honeycomb, the first in the middle, each ring
//! around it full before the next begins. Cells point upwards.

use swarm_picture::hexagon::HALF_WIDTH;

/// From one cell to its neighbours, around it: columns (slanted) and rows.
const AROUND: [(i32, i32); 6] = [(-1, 1), (-1, 0), (0, -1), (1, -1), (1, 0), (0, 1)];

/// Places for a number of peers in a rectangle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comb {
    /// The middle of each peer's cell.
    pub places: Vec<(f64, f64)>,
    /// From a cell's middle to its corners.
    pub radius: f64,
}

impl Comb {
    /// As large as it can be. An empty rectangle gives cells without extent.
    pub fn fit(peers: usize, width: f64, height: f64) -> Self {
        let cells: Vec<_> = spiral().take(peers).collect();
        let rings = rings_for(peers) as f64;
        let radius = (width / ((2.0 * rings + 1.0) * 2.0 * HALF_WIDTH))
            .min(height / (3.0 * rings + 2.0))
            .max(0.0);
        let place = |(column, row): (i32, i32)| {
            let (column, row) = (f64::from(column), f64::from(row));
            let x = width / 2.0 + (2.0 * column + row) * HALF_WIDTH * radius;
            (x, height / 2.0 + 1.5 * row * radius)
        };
        Comb {
            places: cells.into_iter().map(place).collect(),
            radius,
        }
    }

    /// The peer whose cell is here.
    pub fn at(&self, x: f64, y: f64) -> Option<usize> {
        let distance = |&(px, py): &(f64, f64)| (px - x).hypot(py - y);
        let nearest = self
            .places
            .iter()
            .enumerate()
            .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))?;
        (distance(nearest.1) <= self.radius).then_some(nearest.0)
    }

    /// The nearest cell in a direction: what lies more that way than aside.
    pub fn towards(&self, from: usize, dx: f64, dy: f64) -> Option<usize> {
        let (x, y) = *self.places.get(from)?;
        let distance = |(px, py): (f64, f64)| (px - x).hypot(py - y);
        let is_there = |&(px, py): &(f64, f64)| {
            let ahead = (px - x) * dx + (py - y) * dy;
            ahead > distance((px, py)) * 0.7
        };
        let candidates = self.places.iter().enumerate();
        let nearest = candidates
            .filter(|(_, place)| is_there(place))
            .min_by(|(_, a), (_, b)| distance(**a).total_cmp(&distance(**b)))?;
        Some(nearest.0)
    }
}

/// Rings around the first cell that so many peers take.
fn rings_for(peers: usize) -> usize {
    let mut rings = 0;
    while 1 + 3 * rings * (rings + 1) < peers {
        rings += 1;
    }
    rings
}

/// Every cell, ring after ring, as slanted column and row.
fn spiral() -> impl Iterator<Item = (i32, i32)> {
    let ring = |ring: i32| {
        // Each ring begins to the right of the middle and is walked side by side.
        AROUND.iter().enumerate().flat_map(move |(side, _)| {
            let corner = AROUND[(side + 4) % 6];
            let step = AROUND[side];
            (0..ring).map(move |n| (corner.0 * ring + step.0 * n, corner.1 * ring + step.1 * n))
        })
    };
    std::iter::once((0, 0)).chain((1..).flat_map(ring))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use swarm_picture::hexagon::corners;

    use super::*;

    #[test]
    fn cells_are_all_different_and_touch_the_ring_before() {
        let cells: Vec<_> = spiral().take(217).collect();
        assert_eq!(cells.iter().collect::<BTreeSet<_>>().len(), 217);
        let distance = |(q, r): (i32, i32)| (q.abs() + r.abs() + (q + r).abs()) / 2;
        for (index, &cell) in cells.iter().enumerate() {
            assert_eq!(distance(cell) as usize, rings_for(index + 1), "{index}");
        }
    }

    #[test]
    fn arrow_keys_lead_to_a_neighbour_and_to_nobody_at_the_edge() {
        let comb = Comb::fit(19, 400.0, 400.0);
        for (dx, dy) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
            let mut at = 0;
            let mut steps = 0;
            while let Some(next) = comb.towards(at, dx, dy) {
                let moved = (comb.places[next].0 - comb.places[at].0) * dx
                    + (comb.places[next].1 - comb.places[at].1) * dy;
                assert!(moved > 0.0);
                at = next;
                steps += 1;
            }
            assert!((1..=2).contains(&steps), "{steps} steps to ({dx}, {dy})");
        }
    }

    #[test]
    fn everybody_has_a_place_inside_and_is_found_there() {
        for peers in [1, 2, 7, 8, 37, 200] {
            let comb = Comb::fit(peers, 400.0, 300.0);
            assert_eq!(comb.places.len(), peers);
            for (index, &(x, y)) in comb.places.iter().enumerate() {
                let corners = corners((x, y), comb.radius);
                let inside = |&(x, y): &(f64, f64)| {
                    (-1e-6..=400.0 + 1e-6).contains(&x) && (-1e-6..=300.0 + 1e-6).contains(&y)
                };
                assert!(corners.iter().all(inside), "{peers} {index} {corners:?}");
                assert_eq!(comb.at(x + comb.radius / 3.0, y), Some(index));
            }
            assert_eq!(comb.at(-50.0, 0.0), None);
        }
        assert_eq!(Comb::fit(9, 0.0, 0.0).radius, 0.0);
    }
}
