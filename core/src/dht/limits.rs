//! How much others may ask, and how much we send.

use std::time::Duration;

use super::address::{NodeAddress, Site};
use super::config::Config;
use crate::sorted::SortedMap;
use crate::time::Time;

/// Who asks how much.
#[derive(Debug, Default)]
pub(super) struct Watch {
    hosts: SortedMap<Site, Asker>,
}

#[derive(Debug)]
struct Asker {
    since: Time,
    queries: u32,
    ignored: bool,
}

impl Watch {
    /// A query came. False if it is to be passed over.
    pub(super) fn allows(&mut self, now: Time, from: NodeAddress, config: &Config) -> bool {
        let host = from.host();
        if !self.hosts.contains_key(&host) && self.hosts.len() >= config.max_watched {
            self.forget_one(now, config);
        }
        let asker = self.hosts.entry(host).or_insert(Asker {
            since: now,
            queries: 0,
            ignored: false,
        });
        if asker.is_over(now, config) {
            *asker = Asker {
                since: now,
                queries: 0,
                ignored: false,
            };
        }
        asker.queries = asker.queries.saturating_add(1);
        if asker.queries > config.flood_queries && !asker.ignored {
            asker.ignored = true;
            asker.since = now;
        }
        !asker.ignored
    }

    /// Forgets whoever has been quiet.
    pub(super) fn tidy(&mut self, now: Time, config: &Config) {
        self.hosts.retain(|_, asker| !asker.is_over(now, config));
    }

    /// Makes room: whoever asked least, so that a crowd doesn't have a flooder forgotten.
    fn forget_one(&mut self, now: Time, config: &Config) {
        self.tidy(now, config);
        if self.hosts.len() < config.max_watched {
            return;
        }
        let least = self
            .hosts
            .iter()
            .min_by_key(|(_, asker)| (asker.ignored, asker.queries, asker.since));
        if let Some(host) = least.map(|(host, _)| *host) {
            self.hosts.remove(&host);
        }
    }
}

impl Asker {
    fn is_over(&self, now: Time, config: &Config) -> bool {
        let lasts = match self.ignored {
            true => config.flood_pause,
            false => config.flood_window,
        };
        now.saturating_since(self.since) >= lasts
    }
}

/// What we may send. Debts are allowed: whoever has room for one byte may send a datagram.
#[derive(Debug)]
pub(super) struct Budget {
    /// Thousandths of bytes, so that nothing depends on how often one looks.
    room: i64,
    counted: Time,
}

impl Budget {
    /// All of it.
    pub(super) fn new(now: Time, config: &Config) -> Self {
        Budget {
            room: full(config),
            counted: now,
        }
    }

    /// A query of ours may be sent.
    pub(super) fn has_room(&mut self, now: Time, config: &Config) -> bool {
        self.fill(now, config);
        self.room > 0
    }

    /// An answer may be sent: a quarter is kept for our own queries.
    pub(super) fn has_room_for_others(&mut self, now: Time, config: &Config) -> bool {
        self.fill(now, config);
        self.room > full(config) / 4
    }

    /// Something was sent.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.room -= bytes as i64 * 1000;
    }

    /// When [`Budget::has_room`] comes true.
    pub(super) fn room_at(&self, config: &Config) -> Time {
        let missing = (1 - self.room).max(0).unsigned_abs();
        let millis = missing.div_ceil(u64::from(config.bytes_per_second.max(1)));
        self.counted + Duration::from_millis(millis)
    }

    /// A byte a second is a thousandth of one a millisecond.
    fn fill(&mut self, now: Time, config: &Config) {
        let passed = now.saturating_since(self.counted).as_millis();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        self.counted += Duration::from_millis(passed.into());
        let new = i64::from(passed).saturating_mul(config.bytes_per_second.max(1).into());
        self.room = self.room.saturating_add(new).min(full(config));
    }
}

fn full(config: &Config) -> i64 {
    let burst = i64::from(config.burst_seconds.max(1));
    i64::from(config.bytes_per_second.max(1)).saturating_mul(burst * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> NodeAddress {
        address.parse::<std::net::SocketAddr>().unwrap().into()
    }

    fn seconds(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_flooder_is_ignored_for_a_while_and_nobody_else() {
        let config = Config::default();
        let mut watch = Watch::default();
        let answered = (0..100)
            .filter(|_| watch.allows(Time::ZERO, at("9.8.7.6:5"), &config))
            .count();
        assert_eq!(answered, 50);
        assert!(watch.allows(seconds(1), at("9.8.7.5:5"), &config));
        assert!(!watch.allows(seconds(299), at("9.8.7.6:1"), &config));
        assert!(watch.allows(seconds(300), at("9.8.7.6:5"), &config));
    }

    #[test]
    fn a_crowd_does_not_make_a_flooder_forgotten() {
        let config = Config::default();
        let mut watch = Watch::default();
        for _ in 0..100 {
            watch.allows(Time::ZERO, at("9.8.7.6:5"), &config);
        }
        for n in 0..10_000_u32 {
            let [a, b, c, d] = (0x1000_0000 + n * 256).to_be_bytes();
            watch.allows(Time::ZERO, at(&format!("{a}.{b}.{c}.{d}:5")), &config);
        }
        assert!(watch.hosts.len() <= config.max_watched);
        assert!(!watch.allows(seconds(1), at("9.8.7.6:5"), &config));
        watch.tidy(seconds(1000), &config);
        assert!(watch.hosts.is_empty());
    }

    #[test]
    fn what_is_sent_comes_to_so_many_bytes_a_second() {
        let config = Config::default();
        let mut budget = Budget::new(Time::ZERO, &config);
        let (mut now, mut sent) = (Time::ZERO, 0);
        while now < seconds(100) {
            match budget.has_room(now, &config) {
                true => {
                    budget.spend(100);
                    sent += 100;
                }
                false => now = now.max(budget.room_at(&config)),
            }
        }
        assert!((820_000..=830_000).contains(&sent), "{sent}");
    }
}
