//! Sharing out what there is a fixed number of.
//!
//! Whoever asks may hold as much as would still be free for others (dynamic thresholds,
//! Choudhury and Hahne 1998): one that is alone may have half, two have a third each, and
//! with N that take all they can get, one part of N + 1 is left for whoever comes next.
//! There is nothing to tune, and nothing is kept back from those who share with nobody.

/// Whether one that holds `own` may have one more, when `used` of `limit` are in use.
pub(super) fn allows(own: usize, used: usize, limit: usize) -> bool {
    own < limit.saturating_sub(used)
}

/// How much more one that holds `own` may have, when `free` is not in use.
pub(super) fn room(own: u64, free: u64) -> u64 {
    free.saturating_sub(own) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_take_all_they_can_leave_a_part_for_the_next() {
        for takers in 1..10_usize {
            let limit = 1000;
            let mut held = vec![0; takers];
            let mut before = None;
            while before != Some(held.clone()) {
                before = Some(held.clone());
                for taker in 0..takers {
                    let used = held.iter().sum();
                    held[taker] += usize::from(allows(held[taker], used, limit));
                }
            }
            let left = limit - held.iter().sum::<usize>();
            assert!(left >= limit / (takers + 1) - 1, "{takers} leave {left}");
            assert!(
                held.iter().all(|&own| own >= left),
                "{takers} hold {held:?}"
            );
        }
    }

    #[test]
    fn the_last_one_may_be_had_by_one_who_has_none() {
        assert!(allows(0, 9, 10) && !allows(1, 9, 10) && !allows(0, 10, 10));
    }

    #[test]
    fn room_is_taken_up_until_as_much_is_free() {
        let mut own = 0;
        for _ in 0..40 {
            own += room(own, 1000 - own);
        }
        assert!((499..=500).contains(&own), "{own}");
    }
}
