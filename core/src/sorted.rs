//! Maps and sets in the order of their keys, in one vector each.
//!
//! What the standard library's trees do for millions of entries these do for hundreds, in a
//! tenth of the code: every type of key and value has its own copy of a tree's code, and together
//! they were a fifth of the program that a tab downloads. Finding takes the logarithm of the
//! length; inserting and removing move what comes behind, a few microseconds with ten thousand
//! entries of a few words. So they are for what a configuration bounds to that: what grows with
//! files or with clients stays in trees.

use std::fmt;

mod iter;
mod map;
mod set;

pub use iter::{Iter, IterMut, Keys, Values, ValuesMut};
pub use map::{Entry, SortedMap};
pub use set::SortedSet;

/// How many of a sorted slice come before what is asked for, which is told by `is_before`.
fn find<T>(items: &[T], is_before: impl FnMut(&T) -> bool) -> usize {
    items.partition_point(is_before)
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for SortedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn maps_do_what_trees_do() {
        arbtest::arbtest(|u| {
            let mut map = SortedMap::new();
            let mut model = BTreeMap::new();
            for _ in 0..u.int_in_range(0..=100)? {
                let key: u8 = u.int_in_range(0..=40)?;
                let value: u8 = u.arbitrary()?;
                match u.int_in_range(0..=7)? {
                    0..3 => assert_eq!(map.insert(key, value), model.insert(key, value)),
                    3 => assert_eq!(map.remove(&key), model.remove(&key)),
                    4 => {
                        *map.entry(key).or_default() = value;
                        *model.entry(key).or_default() = value;
                    }
                    5 => assert_eq!(map.pop_first(), model.pop_first()),
                    6 => {
                        map.retain(|_, held| *held != value);
                        model.retain(|_, held| *held != value);
                    }
                    _ => assert_eq!(
                        map.get_mut(&key).map(std::mem::take),
                        model.get_mut(&key).map(std::mem::take)
                    ),
                }
                assert_eq!(map.get(&key), model.get(&key));
                assert_eq!(map.contains_key(&key), model.contains_key(&key));
                assert_eq!(map.len(), model.len());
                assert!(map.iter().eq(model.iter()));
                assert!(map.keys().eq(model.keys()) && map.values().eq(model.values()));
                assert!(map.range(key..).eq(model.range(key..)));
                let end = key.saturating_add(9);
                assert!(map.range(key..end).eq(model.range(key..end)));
                assert!(map.range(key..=end).eq(model.range(key..=end)));
            }
            let again: SortedMap<u8, u8> = map.clone().into_iter().rev().collect();
            assert_eq!(again, map);
            assert_eq!(format!("{map:?}"), format!("{model:?}"));
            Ok(())
        });
    }

    #[test]
    fn sets_do_what_trees_do() {
        arbtest::arbtest(|u| {
            let mut set = SortedSet::new();
            let mut model = BTreeSet::new();
            for _ in 0..u.int_in_range(0..=100)? {
                let item: u8 = u.int_in_range(0..=40)?;
                match u.int_in_range(0..=5)? {
                    0..3 => assert_eq!(set.insert(item), model.insert(item)),
                    3 => assert_eq!(set.remove(&item), model.remove(&item)),
                    4 => assert_eq!(set.pop_first(), model.pop_first()),
                    _ => {
                        set.retain(|held| held % 7 != item % 7);
                        model.retain(|held| held % 7 != item % 7);
                    }
                }
                assert_eq!(set.contains(&item), model.contains(&item));
                assert_eq!((set.first(), set.last()), (model.first(), model.last()));
                assert!(set.iter().eq(model.iter()));
                assert!(set.range(item..).eq(model.range(item..)));
            }
            let again: SortedSet<u8> = set.iter().rev().copied().collect();
            assert_eq!(again, set);
            assert_eq!(format!("{set:?}"), format!("{model:?}"));
            Ok(())
        });
    }
}
