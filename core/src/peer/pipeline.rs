//! How many requests keep a peer busy.
//!
//! Too few, and its link idles for a round trip after each; too many, and a slow peer owes
//! us megabytes that others could have sent. So the depth follows bandwidth × delay: it
//! grows by one for each block that comes (slow start: it doubles every round trip) until
//! the rate stops growing or requests wait for [`RequestConfig::queue_time`] at the other
//! end, and is then what the peer sends in its least round trip and that time more.

use std::time::Duration;

use super::RequestConfig;
use crate::pieces::{BLOCK, Block};
use crate::time::Time;

/// See the module.
#[derive(Debug)]
pub struct Pipeline {
    depth: usize,
    slow_start: bool,
    /// The rate at the last measurement, in bytes a second.
    rate: u64,
    /// A request whose answer is timed, and when it was made.
    probe: Option<(Block, Time)>,
    /// The least time that an answer took: the way there and back without queues.
    delay: Option<Duration>,
    /// How often it owed us blocks for too long, since it last sent one.
    owing: u32,
    /// See [`RequestConfig::owing`].
    while_owing: (usize, usize),
}

impl Pipeline {
    /// For a peer of which nothing is known.
    pub fn new(config: &RequestConfig) -> Self {
        Pipeline {
            depth: config.start,
            slow_start: true,
            rate: 0,
            probe: None,
            delay: None,
            owing: 0,
            while_owing: config.owing,
        }
    }

    /// How many requests may be in flight.
    pub fn depth(&self) -> usize {
        match self.owing {
            0 => self.depth,
            1 => self.depth.min(self.while_owing.0),
            2 => self.depth.min(self.while_owing.1),
            _ => 0,
        }
    }

    /// A request leaves.
    pub fn asked(&mut self, now: Time, block: Block) {
        self.probe.get_or_insert((block, now));
    }

    /// A block that was asked for came.
    pub fn arrived(&mut self, now: Time, block: Block, config: &RequestConfig) {
        if self.slow_start {
            self.depth = (self.depth + 1).min(config.queue.1);
        }
        if let Some((probe, asked)) = self.probe
            && probe == block
        {
            self.probe = None;
            let took = now - asked;
            let least = self.delay.map_or(took, |least| least.min(took));
            self.delay = Some(least);
            if took >= least + config.queue_time {
                self.slow_start = false;
            }
        }
    }

    /// What was asked will not be answered, or the answer does not count any more.
    pub fn interrupted(&mut self) {
        self.probe = None;
    }

    /// It owes us blocks, so many times without sending one: little is asked of it until it delivers,
    /// or nothing.
    pub fn owes(&mut self, times: u32) {
        self.owing = times;
        self.probe = None;
    }

    /// It delivers, be it late.
    pub fn delivers(&mut self) {
        self.owing = 0;
    }

    /// Once a second: `rate` is what comes, in bytes a second.
    pub fn measure(&mut self, rate: u64, config: &RequestConfig) {
        if rate == 0 {
            return;
        }
        if self.slow_start && rate <= self.rate + self.rate / 10 {
            self.slow_start = false;
        }
        self.rate = rate;
        if !self.slow_start {
            let time = self.delay.unwrap_or_default() + config.queue_time;
            let bytes = u128::from(rate) * time.as_millis() / 1000;
            let blocks = usize::try_from(bytes / u128::from(BLOCK)).unwrap_or(usize::MAX);
            self.depth = blocks.clamp(config.queue.0, config.queue.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::Layout;

    fn block() -> Block {
        let layout = Layout::new(1 << 20, 1 << 18).unwrap();
        layout.block(layout.piece(0).unwrap(), 0)
    }

    #[test]
    fn it_grows_while_the_rate_does_and_then_follows_bandwidth_times_delay() {
        let config = RequestConfig::default();
        let mut pipeline = Pipeline::new(&config);
        assert_eq!(pipeline.depth(), 4);
        pipeline.asked(Time::from_millis(0), block());
        for _ in 0..100 {
            pipeline.arrived(Time::from_millis(200), block(), &config);
        }
        assert_eq!(pipeline.depth(), 104);
        pipeline.measure(1_000_000, &config);
        assert_eq!(pipeline.depth(), 104, "still growing");
        pipeline.measure(1_050_000, &config);
        // 0.7 seconds of 1.05 MB/s.
        assert_eq!(pipeline.depth(), 44);
        pipeline.measure(100, &config);
        assert_eq!(pipeline.depth(), config.queue.0);
        pipeline.measure(u64::MAX, &config);
        assert_eq!(pipeline.depth(), config.queue.1);
    }

    #[test]
    fn it_grows_no_further_once_requests_wait_for_long() {
        let config = RequestConfig::default();
        let mut pipeline = Pipeline::new(&config);
        for (asked, came) in [(0, 100), (100, 700), (700, 800)] {
            pipeline.asked(Time::from_millis(asked), block());
            pipeline.arrived(Time::from_millis(came), block(), &config);
        }
        assert_eq!(pipeline.depth(), 6);
    }

    #[test]
    fn a_peer_that_owes_is_asked_for_little_until_it_delivers() {
        let config = RequestConfig::default();
        let mut pipeline = Pipeline::new(&config);
        for (times, depth) in [(1, 2), (2, 1), (3, 0), (4, 0)] {
            pipeline.owes(times);
            assert_eq!(pipeline.depth(), depth);
        }
        pipeline.delivers();
        assert_eq!(pipeline.depth(), config.start);
    }
}
