//! How much the browser may hold unsent while the engine is told that it has been sent.
//!
//! Nobody says when the browser has sent something; the link looks at `bufferedAmount`
//! every few milliseconds, and in between the line must not run dry. So it is what the line
//! takes in two looks. More would only stand in a slow line's way: what the browser holds
//! can be neither cancelled nor overtaken.

use std::time::Duration;

use swarm_core::time::Time;

/// How often to look while more than the headroom is unsent.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(4);
/// At least: a block. At most: two looks at 64 MB/s.
const BOUNDS: (u64, u64) = (16 << 10, 512 << 10);
/// Until the line is known.
const FIRST: u64 = 64 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Headroom {
    bytes: u64,
    /// When the stretch began that is measured.
    since: Time,
    /// What was unsent then, and what was handed to the browser since.
    to_send: u64,
}

impl Headroom {
    pub(super) fn new(now: Time) -> Self {
        Headroom {
            bytes: FIRST,
            since: now,
            to_send: 0,
        }
    }

    /// So much was handed to the browser.
    pub(super) fn handed(&mut self, bytes: usize) {
        self.to_send += bytes as u64;
    }

    /// So much is unsent. Returns how much of that counts as sent.
    pub(super) fn look(&mut self, now: Time, unsent: u32) -> u64 {
        let took = now - self.since;
        if took >= LOOK_AGAIN {
            let sent = self.to_send.saturating_sub(u64::from(unsent));
            let looks = took.as_secs_f64() / LOOK_AGAIN.as_secs_f64();
            let (least, most) = BOUNDS;
            let wanted = ((2.0 * sent as f64 / looks) as u64).clamp(least, most);
            // With nothing unsent the line may well be faster than that.
            if unsent > 0 || wanted > self.bytes {
                self.bytes = wanted;
            }
            self.since = now;
            self.to_send = u64::from(unsent);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    /// What is the headroom of a line of so many bytes a second that always has work?
    fn of_line(rate: u64, looks: u64) -> u64 {
        let mut headroom = Headroom::new(Time::ZERO);
        let mut bytes = 0;
        headroom.handed(8 << 20);
        for look in 1..=looks {
            let sent = (rate * look / 250).min(8 << 20);
            bytes = headroom.look(Time::from_millis(4 * look), (8 << 20) - sent as u32);
        }
        bytes
    }

    #[wasm_bindgen_test]
    fn it_is_what_the_line_takes_in_two_looks() {
        assert_eq!(of_line(10_000_000, 9), 80_000);
        assert_eq!(of_line(100_000, 9), 16 << 10);
        assert_eq!(of_line(500_000_000, 2), 512 << 10);
    }

    #[wasm_bindgen_test]
    fn an_idle_line_does_not_get_slow() {
        let mut headroom = Headroom::new(Time::ZERO);
        assert_eq!(headroom.look(Time::from_millis(1000), 0), FIRST);
        headroom.handed(400 << 10);
        assert_eq!(headroom.look(Time::from_millis(1004), 0), 512 << 10);
        headroom.handed(1000);
        assert_eq!(headroom.look(Time::from_millis(2000), 0), 512 << 10);
        headroom.handed(200_000);
        assert_eq!(headroom.look(Time::from_millis(2004), 190_000), 20_000);
    }
}
