//! How long to wait before the tracker is tried again.

use std::time::Duration;

const FIRST: f64 = 0.5;
const LONGEST: f64 = 30.0;

/// The delay after `failures` tries in a row failed: doubling from half a second to half
/// a minute, and spread (`random` is from 0 to 1) so that the tabs of a whole swarm don't
/// come back in the same moment when their tracker restarts.
pub(super) fn delay(failures: u32, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = (FIRST * f64::from(1 << doublings)).min(LONGEST);
    Duration::from_secs_f64(full * (0.5 + random.clamp(0.0, 1.0) / 2.0))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn grows_and_stays_within_bounds() {
        assert_eq!(delay(1, 1.0), Duration::from_millis(500));
        assert_eq!(delay(2, 1.0), Duration::from_secs(1));
        assert_eq!(delay(2, 0.0), Duration::from_millis(500));
        for failures in 0..100 {
            let delay = delay(failures, 1.0);
            assert!(delay >= Duration::from_millis(500) && delay <= Duration::from_secs(30));
        }
        assert_eq!(delay(u32::MAX, 0.0), Duration::from_secs(15));
    }
}
