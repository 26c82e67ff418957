//! Places for those who call us: nobody takes so many that there are none for others.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// See the module. An address may have as many as it leaves free.
#[derive(Clone, Debug)]
pub(super) struct Places {
    most: usize,
    taken: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    whose: IpAddr,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Places {
            most,
            taken: Arc::default(),
        }
    }

    /// A place for somebody, if there is one.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let whose = source(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.most.saturating_sub(taken.values().sum());
        let mine = taken.get(&whose).copied().unwrap_or_default();
        if mine >= free {
            return None;
        }
        taken.insert(whose, mine + 1);
        Some(Place {
            places: self.clone(),
            whose,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let taken = self.places.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = taken.get_mut(&self.whose) {
            *mine -= 1;
            if *mine == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

/// An IPv4 address, or the first half of an IPv6 one: whoever has one of those has all.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_as_many_as_it_takes() {
        let places = Places::new(8);
        let take = |address: &str| places.take(address.parse().unwrap());
        let greedy: Vec<_> = std::iter::from_fn(|| take("9.9.9.9")).collect();
        assert_eq!(greedy.len(), 4);
        assert!(
            take("::ffff:9.9.9.9").is_none(),
            "the same, written otherwise"
        );
        let other: Vec<_> = std::iter::from_fn(|| take("2001:db8::1")).collect();
        assert_eq!(other.len(), 2);
        assert!(take("2001:db8::2").is_none());
        assert!(take("8.8.8.8").is_some());
        drop(greedy);
        assert!(take("9.9.9.9").is_some());
    }
}
