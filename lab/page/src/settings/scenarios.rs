//! What is simulated of what a person chose.

use swarm_lab::Scenario;
use swarm_lab::scenario::{AccessLink, Arrivals, DirectLinks, Outage, Start, Stay};

use super::{Leave, Settings, Side};

/// Virtual seconds after which a run ends though peers are waiting.
const TIME_LIMIT: f64 = 14_400.0;

/// When the tracker goes away, if it does. Seconds.
const OUTAGE_AT: f64 = 10.0;

impl Settings {
    /// The sides that take part.
    pub fn sides(&self) -> Vec<Side> {
        let b = self.compare.then_some(self.b);
        std::iter::once(self.a).chain(b).collect()
    }

    /// What is simulated, a scenario for each side.
    pub fn scenarios(&self) -> Vec<Scenario> {
        let sides = self.sides();
        sides.iter().map(|side| self.scenario(*side)).collect()
    }

    fn scenario(&self, side: Side) -> Scenario {
        let real = |key| f64::from(self.number(key));
        let some = |key| Some(real(key)).filter(|number| *number > 0.0);
        let centralized = self.start == Start::Centralized;
        let mut scenario = Scenario {
            seed: self.number("seed").into(),
            pieces: self.number("pieces"),
            piece_length: self.number("piece-size") << 10,
            strategy: side.strategy,
            choking: side.choking,
            relay: side.relay,
            direct: DirectLinks {
                unable: 0.0,
                latency: real("latency") / 1000.0,
                ..DirectLinks::default()
            },
            start: self.start,
            seeders: if centralized {
                self.number("seeders")
            } else {
                0
            },
            leechers: self.number("peers"),
            seeder_link: self.link("seeder-up"),
            leecher_link: self.link("up"),
            arrivals: match some("arrivals") {
                Some(a_minute) if centralized => Arrivals::Poisson(a_minute / 60.0),
                _ => Arrivals::AtOnce,
            },
            time_limit: TIME_LIMIT,
            ..Scenario::default()
        };
        if side.spared {
            return scenario;
        }
        scenario.seeders_leave_after = some("seeder-leaves").filter(|_| centralized);
        scenario.free_riders = real("free-riders") / 100.0;
        scenario.liars = real("liars") / 100.0;
        scenario.stay = match self.stay {
            Leave::Never => Stay::Forever,
            Leave::Complete => Stay::UntilComplete,
            Leave::Anytime => Stay::Exponential(real("mean-stay")),
        };
        scenario.direct.unable = real("unable") / 100.0;
        scenario.direct.lifetime = some("link-lasts");
        scenario.relay_capacity = some("relay").map(|kilobytes| kilobytes * 1000.0);
        let outage = some("outage-lasts").map(|lasts| Outage {
            at: OUTAGE_AT,
            lasts,
        });
        scenario.outages = outage.into_iter().collect();
        scenario
    }

    fn link(&self, up: &str) -> AccessLink {
        let rate = |key| f64::from(self.number(key)) * 1000.0;
        AccessLink {
            up: rate(up),
            down: rate("down"),
            latency: f64::from(self.number("latency")) / 1000.0,
            ..AccessLink::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_differ_in_what_was_chosen_alone() {
        let mut settings =
            Settings::from_fragment("free-riders=30&relay=500&outage-lasts=5&b-spared=yes");
        let scenarios = settings.scenarios();
        let [a, b] = &scenarios[..] else {
            panic!("two sides")
        };
        assert_eq!((a.free_riders, b.free_riders), (0.3, 0.0));
        assert_eq!(a.relay_capacity, Some(500_000.0));
        assert_eq!((a.outages.len(), b.outages.len()), (1, 0));
        assert_eq!((a.seed, a.leechers), (b.seed, b.leechers));
        settings.set("compare", "no");
        assert_eq!(settings.scenarios().len(), 1);
    }

    #[test]
    fn spread_out_has_neither_seeders_nor_late_comers() {
        let settings = Settings::from_fragment("start=spread-out&arrivals=60&seeders=3");
        for scenario in settings.scenarios() {
            assert_eq!(scenario.seeders, 0);
            assert_eq!(scenario.arrivals, Arrivals::AtOnce);
        }
    }
}
