//! Walks through a sorted vector: each sees of its entries what it hands out.
//!
//! Types of their own, and not `impl Iterator`: of those the compiler must think that they still
//! look at the map when they are dropped.

use std::slice;

/// Implements a walk that hands out what `$entry => $item` makes of an entry.
macro_rules! walk {
    ($doc:literal, $name:ident, $inner:ident, $item:ty, $entry:pat => $value:expr) => {
        #[doc = $doc]
        pub struct $name<'a, K, V>(pub(super) slice::$inner<'a, (K, V)>);

        impl<'a, K, V> Iterator for $name<'a, K, V> {
            type Item = $item;

            fn next(&mut self) -> Option<Self::Item> {
                self.0.next().map(|$entry| $value)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }

            fn nth(&mut self, n: usize) -> Option<Self::Item> {
                self.0.nth(n).map(|$entry| $value)
            }
        }

        impl<K, V> DoubleEndedIterator for $name<'_, K, V> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back().map(|$entry| $value)
            }
        }

        impl<K, V> ExactSizeIterator for $name<'_, K, V> {}
    };
}

walk!("Keys with their values.", Iter, Iter, (&'a K, &'a V), (key, value) => (key, value));
walk!(
    "Keys with their values, to change these.",
    IterMut, IterMut, (&'a K, &'a mut V), (key, value) => (&*key, value)
);
walk!("Keys.", Keys, Iter, &'a K, (key, _) => key);
walk!("Values, in the order of their keys.", Values, Iter, &'a V, (_, value) => value);
walk!(
    "Values, in the order of their keys, to change them.",
    ValuesMut, IterMut, &'a mut V, (_, value) => value
);

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter(self.0.clone())
    }
}

impl<K, V> Clone for Keys<'_, K, V> {
    fn clone(&self) -> Self {
        Keys(self.0.clone())
    }
}

impl<K, V> Clone for Values<'_, K, V> {
    fn clone(&self) -> Self {
        Values(self.0.clone())
    }
}
