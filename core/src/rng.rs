//! Seeded randomness, forked for each subsystem.
//!
//! The host draws one seed from its system. Everything random in the core comes
//! from it, so the same seed and the same inputs give the same outputs, on every
//! platform. A subsystem forks its own generator, so that a new draw in one never
//! shifts the draws of another.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng as _, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A deterministic random number generator (xoshiro256++). Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// A generator for this seed.
    pub fn new(seed: u64) -> Self {
        Rng(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// An independent generator for a subsystem. `label` names it.
    pub fn fork(&self, label: &str) -> Self {
        // FNV-1a over the label, mixed with a draw from an untouched copy of ourselves.
        let hash = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        let own = self.clone().0.next_u64();
        Rng::new(own ^ hash)
    }

    /// A uniform number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        match u64::try_from(bound) {
            Ok(0) | Err(_) => 0,
            // Drawn as u64 on every platform, or wasm32 and native would part ways.
            Ok(bound) => usize::try_from(self.0.random_range(0..bound)).unwrap_or(0),
        }
    }

    /// A uniform number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// A uniform 64-bit number.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Fills `buf` with random bytes.
    pub fn fill(&mut self, buf: &mut [u8]) {
        self.0.fill_bytes(buf);
    }

    /// Puts `items` into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }

    /// One of `items` at random, none when there are none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.choose(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers() {
        let draw = |seed| {
            let mut rng = Rng::new(seed);
            (rng.below(1000), rng.next_u64(), rng.below(7))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn forks_do_not_shift_each_other() {
        let root = Rng::new(9);
        let mut a = root.fork("picker");
        let mut b = root.fork("choker");
        let first_b = b.clone().next_u64();
        a.next_u64();
        assert_eq!(b.next_u64(), first_b);
        assert_ne!(root.fork("picker").next_u64(), first_b);
    }

    #[test]
    fn below_stays_below() {
        let mut rng = Rng::new(3);
        assert_eq!(rng.below(0), 0);
        assert!((0..1000).all(|_| rng.below(10) < 10));
    }
}
