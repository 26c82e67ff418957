//! How many requests keep a peer busy.
//!
//! Too few, and its link idles for a round trip after each; too many, and a slow peer owes
//! us megabytes that others could have sent. So the depth follows bandwidth × delay: it
//! grows by one for each block that comes (slow start: it doubles every round trip) until
//! the rate stops growing or requests wait for [`RequestConfig::queue_time`] at the other
//! end, and is then what the peer sends in its least round trip and that time more.
//!
//! Beyond [`RequestConfig::queue`] a second rule bounds it, because nearby half a second of a
//! fast link is far more than keeps it busy: four times what came in a least round trip, as
//! measured in each, and that queue. Over a long way it goes on doubling. Four times, because
//! a busy machine makes a round trip two or three times as long as the least: with less, both
//! would settle at a fraction of what the line can do.

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
    /// When the answer to the last probe came, and how many blocks came since.
    round: Option<(Time, u32)>,
    /// Requests beyond the queue that bandwidth × delay is worth.
    far: usize,
    /// The longest queue that the peer takes (BEP 10 `reqq`); none while it has not said.
    told: Option<usize>,
    /// How often it owed us blocks for too long, since it last sent one.
    owing: u32,
    /// See [`RequestConfig::owing`].
    while_owing: (usize, usize),
    /// See [`RequestConfig::queue`].
    near: usize,
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
            round: None,
            far: 0,
            told: None,
            owing: 0,
            while_owing: config.owing,
            near: config.queue.1,
        }
    }

    /// How many requests may be in flight.
    pub fn depth(&self) -> usize {
        let depth = self.depth.min(self.taken());
        match self.owing {
            0 => depth,
            1 => depth.min(self.while_owing.0),
            2 => depth.min(self.while_owing.1),
            _ => 0,
        }
    }

    /// How many requests the peer takes. Of a long queue half is used: what we gave up may
    /// still stand in it. One that says nothing is asked for no more than whoever is near.
    fn taken(&self) -> usize {
        self.told
            .map_or(self.near, |told| told.min(self.near.max(told / 2)))
    }

    /// The peer keeps so many requests, and may drop what is beyond (BEP 10 `reqq`).
    pub fn takes(&mut self, requests: u32) {
        self.told = Some(usize::try_from(requests).unwrap_or(usize::MAX).max(1));
    }

    /// Requests beyond [`RequestConfig::queue`] that the length of the way was worth.
    pub fn far(&self) -> usize {
        self.far
    }

    /// A request leaves.
    pub fn asked(&mut self, now: Time, block: Block) {
        self.probe.get_or_insert((block, now));
    }

    /// A block that was asked for came.
    pub fn arrived(&mut self, now: Time, block: Block, config: &RequestConfig) {
        if let Some((_, blocks)) = &mut self.round {
            *blocks = blocks.saturating_add(1);
        }
        if self.slow_start {
            self.depth = (self.depth + 1).min(config.queue.1 + self.far);
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
            self.end_round(now, least, config);
        }
    }

    /// One probe after the other was answered: so much came meanwhile.
    fn end_round(&mut self, now: Time, least: Duration, config: &RequestConfig) {
        if let Some((began, blocks)) = self.round.replace((now, 0)) {
            let time = (now - began).as_micros().max(1);
            let wanted = 4 * u128::from(blocks) * least.as_micros() / time;
            let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
            // A moment's pause at the other end does not empty the way.
            self.far = wanted.max(self.far - self.far / 4).min(config.far);
        }
    }

    /// What was asked will not be answered, or the answer does not count any more.
    pub fn interrupted(&mut self) {
        self.probe = None;
        self.round = None;
    }

    /// The peer is reached by another way, which may be longer, or wider.
    pub fn takes_another_way(&mut self) {
        self.interrupted();
        self.delay = None;
        self.slow_start = true;
    }

    /// The least time that an answer took.
    pub fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// It owes us blocks, so many times without sending one: little is asked of it until it delivers,
    /// or nothing.
    pub fn owes(&mut self, times: u32) {
        self.owing = times;
        self.probe = None;
        self.round = None;
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
            self.depth = blocks.clamp(config.queue.0, config.queue.1 + self.far);
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

    fn other() -> Block {
        let layout = Layout::new(1 << 20, 1 << 18).unwrap();
        layout.block(layout.piece(0).unwrap(), 1)
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

    fn far_away() -> RequestConfig {
        RequestConfig {
            far: 4096,
            ..RequestConfig::default()
        }
    }

    /// A peer that answers everything in `delay`, `rounds` times.
    fn answer(pipeline: &mut Pipeline, delay: u64, rounds: u64, config: &RequestConfig) {
        for round in 0..rounds {
            pipeline.asked(Time::from_millis(round * delay), block());
            for _ in 0..pipeline.depth() {
                pipeline.arrived(Time::from_millis((round + 1) * delay), block(), config);
            }
        }
    }

    #[test]
    fn over_a_long_way_it_doubles_on_as_far_as_the_peer_takes_it() {
        let config = far_away();
        for (told, depth) in [(100, 100), (300, 256), (512, 256), (2000, 1000)] {
            let mut pipeline = Pipeline::new(&config);
            pipeline.takes(told);
            answer(&mut pipeline, 200, 12, &config);
            assert_eq!(pipeline.depth(), depth);
        }
        let mut silent = Pipeline::new(&config);
        answer(&mut silent, 200, 12, &config);
        assert_eq!(silent.depth(), 256);
    }

    #[test]
    fn beyond_the_queue_it_is_four_times_what_comes_in_the_least_round_trip() {
        let config = far_away();
        let mut pipeline = Pipeline::new(&config);
        pipeline.takes(8192);
        pipeline.asked(Time::from_millis(0), block());
        pipeline.arrived(Time::from_millis(10), block(), &config);
        // From then on 1000 blocks in each tenth of a second: a hundred on the way.
        for round in 1..20 {
            let (before, now) = (round * 100, round * 100 + 10);
            pipeline.asked(Time::from_millis(before), block());
            for _ in 1..1000 {
                pipeline.arrived(Time::from_millis(now), other(), &config);
            }
            pipeline.arrived(Time::from_millis(now), block(), &config);
        }
        assert_eq!(pipeline.depth(), 256 + 4 * 100);
    }
}
