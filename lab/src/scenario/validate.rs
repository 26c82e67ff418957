//! What makes a scenario one that can be played.

use swarm_core::pieces::Layout;

use super::{AccessLink, Arrivals, Scenario, ScenarioError, Start, Stay};

/// The longest time that is played, in seconds: a year.
const MAX_TIME: f64 = 366.0 * 86_400.0;
/// The most peers; their numbers, and memory, have an end.
const MAX_PEERS: u32 = 100_000;

impl Scenario {
    /// Says what is wrong with it, if anything is.
    pub fn validate(&self) -> Result<(), ScenarioError> {
        let pieces = f64::from(self.pieces);
        within("pieces", pieces, 1.0, 1e6, "from 1 to 1,000,000")?;
        let length = f64::from(self.piece_length);
        let wanted = "a multiple of 16 KiB, at most 64 MiB";
        if !self.piece_length.is_multiple_of(16 << 10) {
            return Err(wrong("piece-length", length, wanted));
        }
        within("piece-length", length, 1.0, f64::from(64 << 20), wanted)?;
        let total = u64::from(self.pieces) * u64::from(self.piece_length);
        if Layout::new(total, self.piece_length).is_err() {
            return Err(wrong("pieces", pieces, "fewer for pieces so long"));
        }
        self.validate_peers()?;
        for (link, up, down, latency, jitter) in [
            (
                &self.seeder_link,
                "seeder-link.up",
                "seeder-link.down",
                "seeder-link.latency",
                "seeder-link.jitter",
            ),
            (
                &self.leecher_link,
                "leecher-link.up",
                "leecher-link.down",
                "leecher-link.latency",
                "leecher-link.jitter",
            ),
        ] {
            let AccessLink {
                up: u,
                down: d,
                latency: l,
                jitter: j,
            } = *link;
            rate(up, u)?;
            rate(down, d)?;
            within(latency, l, 0.0, 60.0, "from 0 to 60 seconds")?;
            within(jitter, j, 0.0, 60.0, "from 0 to 60 seconds")?;
        }
        self.relay_capacity
            .map_or(Ok(()), |capacity| rate("relay-capacity", capacity))?;
        self.validate_direct()?;
        self.validate_store()?;
        let mut end = 0.0;
        for outage in &self.outages {
            within(
                "outages.at",
                outage.at,
                end,
                MAX_TIME,
                "behind the end of the one before",
            )?;
            duration("outages.lasts", outage.lasts)?;
            end = outage.at + outage.lasts;
        }
        for (name, option) in [
            ("engine.max-peers", self.engine.max_peers),
            ("engine.target-peers", self.engine.target_peers),
        ] {
            let value = option.unwrap_or(1) as f64;
            within(name, value, 1.0, 250.0, "from 1 to 250")?;
        }
        let channels = self.engine.channels.unwrap_or(1) as f64;
        within("engine.channels", channels, 1.0, 2.0, "1 or 2")?;
        duration("time-limit", self.time_limit)
    }

    fn validate_peers(&self) -> Result<(), ScenarioError> {
        let attackers =
            u64::from(self.idle) + u64::from(self.promisers) + u64::from(self.impostors);
        let peers = u64::from(self.seeders) + u64::from(self.leechers) + attackers;
        let wanted = "at least one, and at most 100,000 with the seeders and attackers";
        within("leechers", peers as f64, 1.0, f64::from(MAX_PEERS), wanted)?;
        within(
            "leechers",
            self.leechers.into(),
            1.0,
            f64::from(MAX_PEERS),
            wanted,
        )?;
        if self.start == Start::SpreadOut && self.seeders > 0 {
            let wanted = "0 where the pieces are spread out over the leechers";
            return Err(wrong("seeders", self.seeders.into(), wanted));
        }
        share("free-riders", self.free_riders)?;
        share("liars", self.liars)?;
        share("liars", self.free_riders + self.liars)?;
        self.seeders_leave_after
            .map_or(Ok(()), |time| duration("seeders-leave-after", time))?;
        match &self.arrivals {
            Arrivals::AtOnce => {}
            Arrivals::Poisson(per_second) => {
                within("arrivals.poisson", *per_second, 1e-6, 1e6, "a rate above 0")?;
            }
            Arrivals::Trace(times) => {
                let mut before = 0.0;
                for &time in times {
                    within("arrivals.trace", time, before, MAX_TIME, "in order of time")?;
                    before = time;
                }
            }
        }
        match &self.stay {
            Stay::Forever | Stay::UntilComplete => Ok(()),
            Stay::SeedFor(time) => duration("stay.seed-for", *time),
            Stay::Exponential(mean) => within("stay.exponential", *mean, 1e-3, MAX_TIME, "above 0"),
            Stay::Trace(times) => times.iter().try_for_each(|t| duration("stay.trace", *t)),
        }
    }

    fn validate_direct(&self) -> Result<(), ScenarioError> {
        let direct = &self.direct;
        let wanted = "from 0 to 60 seconds";
        within("direct.latency", direct.latency, 0.0, 60.0, wanted)?;
        within("direct.jitter", direct.jitter, 0.0, 60.0, wanted)?;
        share("direct.unable", direct.unable)?;
        direct.rate.map_or(Ok(()), |of| rate("direct.rate", of))?;
        direct.lifetime.map_or(Ok(()), |mean| {
            within("direct.lifetime", mean, 1e-3, MAX_TIME, "above 0")
        })
    }

    fn validate_store(&self) -> Result<(), ScenarioError> {
        let store = &self.store;
        store
            .rate
            .map_or(Ok(()), |bytes| rate("store.rate", bytes))?;
        within(
            "store.latency",
            store.latency,
            0.0,
            60.0,
            "from 0 to 60 seconds",
        )?;
        let jitter = store.jitter;
        within("store.jitter", jitter, 0.0, 60.0, "from 0 to 60 seconds")?;
        share("store.full-share", store.full_share)?;
        share("store.full-at", store.full_at)?;
        store
            .room_after
            .map_or(Ok(()), |time| duration("store.room-after", time))?;
        share("store.failures", store.failures)
    }
}

fn share(name: &'static str, value: f64) -> Result<(), ScenarioError> {
    within(
        name,
        value,
        0.0,
        1.0,
        "a share from 0 to 1, together with other shares",
    )
}

fn rate(name: &'static str, value: f64) -> Result<(), ScenarioError> {
    within(name, value, 1.0, 1e12, "bytes a second, at least 1")
}

fn duration(name: &'static str, value: f64) -> Result<(), ScenarioError> {
    within(name, value, 0.0, MAX_TIME, "seconds, at most a year")
}

/// Not a number is in no range.
pub(crate) fn within(
    name: &'static str,
    value: f64,
    low: f64,
    high: f64,
    wanted: &'static str,
) -> Result<(), ScenarioError> {
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(wrong(name, value, wanted)),
    }
}

fn wrong(name: &'static str, value: f64, wanted: &'static str) -> ScenarioError {
    ScenarioError::OutOfRange {
        name,
        value,
        wanted,
    }
}
