//! Experiments to begin with.

use swarm_core::pieces::Strategy;
use swarm_lab::scenario::{RelayUse, Start};

use super::{Leave, NUMBERS, Settings, Side};

/// An experiment, and what to look at.
#[derive(Debug)]
pub struct Preset {
    /// Its name in a link.
    pub key: &'static str,
    /// Its name on the page.
    pub name: &'static str,
    /// What is seen, and why.
    pub words: &'static str,
    /// How it differs from the first.
    changes: &'static [(&'static str, &'static str)],
}

impl Preset {
    /// It as it is before a person changes anything.
    pub fn settings(&self) -> Settings {
        let side = |strategy| Side {
            strategy,
            choking: true,
            relay: RelayUse::Only,
            spared: false,
        };
        let mut settings = Settings {
            preset: self.key,
            numbers: [0; NUMBERS.len()],
            start: Start::Centralized,
            stay: Leave::Never,
            a: side(Strategy::RarestFirst),
            b: side(Strategy::Sequential),
            compare: true,
        };
        for (key, value) in COMMON.iter().chain(self.changes) {
            settings.set(key, value);
        }
        settings
    }
}

/// With 36 leechers, the honeycomb has three full rings.
const COMMON: [(&str, &str); 18] = [
    ("peers", "36"),
    ("pieces", "120"),
    ("piece-size", "256"),
    ("seeders", "1"),
    ("seeder-leaves", "0"),
    ("up", "1000"),
    ("down", "4000"),
    ("seeder-up", "1000"),
    ("latency", "20"),
    ("free-riders", "0"),
    ("liars", "0"),
    ("arrivals", "0"),
    ("mean-stay", "60"),
    ("relay", "0"),
    ("unable", "20"),
    ("link-lasts", "0"),
    ("outage-lasts", "0"),
    ("seed", "1"),
];

/// Every preset; the page begins with the first.
pub const PRESETS: [Preset; 10] = [
    Preset {
        key: "centralized",
        name: "Centralized",
        words: "One peer in the middle has the whole file, everybody else has nothing. Who \
                takes the rarest piece first soon has something that the others lack, and \
                all can trade. Who takes the pieces in order has what everybody has: all \
                queue for the next piece.",
        changes: &[],
    },
    Preset {
        key: "spread-out",
        name: "Spread out",
        words: "Nobody has the whole file: one copy of each piece is somewhere in the swarm. \
                There is much to trade from the first second on, whatever the order.",
        changes: &[("start", "spread-out"), ("peers", "37")],
    },
    Preset {
        key: "free-riders",
        name: "Free-riders",
        words: "A third of the peers take and never give. With choking (A) peers serve those \
                who serve them, and free-riders get what is left over. With nobody choked (B) \
                they get as much as anybody, and everybody else pays for it.",
        changes: &[
            ("peers", "48"),
            ("seeder-up", "4000"),
            ("free-riders", "33"),
            ("b", "rarest-first"),
            ("b-choking", "no"),
        ],
    },
    Preset {
        key: "churn",
        name: "Churn",
        words: "Peers come one after the other and leave after a minute on average, complete \
                or not; the seeder leaves for good after the first minute. What has not been \
                spread by then is lost, and nobody can complete any more.",
        changes: &[
            ("peers", "90"),
            ("arrivals", "90"),
            ("stay", "anytime"),
            ("seeder-leaves", "60"),
        ],
    },
    Preset {
        key: "liars",
        name: "Liars",
        words: "A fifth of the peers claim to have everything and send rubbish (A). Every \
                piece is checked against its fingerprint, so nothing false is passed on; it \
                costs time and bytes until the liars are found and banned. B is the same \
                swarm without them.",
        changes: &[
            ("peers", "60"),
            ("liars", "20"),
            ("b", "rarest-first"),
            ("b-spared", "yes"),
        ],
    },
    Preset {
        key: "relay",
        name: "Relay with limited capacity",
        words: "Everything goes through a relay that can pass on 9 MB a second in all (A), a \
                quarter of what the peers could send. In B the relay has no limit.",
        changes: &[
            ("relay", "9000"),
            ("b", "rarest-first"),
            ("b-spared", "yes"),
        ],
    },
    Preset {
        key: "direct",
        name: "Direct links",
        words: "The relay passes on 9 MB a second. In A peers link directly as soon as they have                 met, and leave it; one pair in five can't be linked, and stays with the relay. \
                Now it is no bottleneck. In B everything goes through it.",
        changes: &[
            ("relay", "9000"),
            ("a-relay", "spare"),
            ("b", "rarest-first"),
        ],
    },
    Preset {
        key: "server-gone",
        name: "Server gone",
        words: "After ten seconds the server, tracker and relay in one, is gone for good. In A                 peers had linked directly, though the relay cost nothing, and go on: whoever is                 linked to somebody, who is linked to somebody, gets everything. In B that was                 the end.",
        changes: &[
            ("outage-lasts", "14400"),
            ("pieces", "200"),
            ("a-relay", "free"),
            ("b", "rarest-first"),
        ],
    },
    Preset {
        key: "outage",
        name: "Tracker outage",
        words: "After ten seconds the tracker and relay is away for fifteen, and comes back \
                with no memory (A). Peers keep what they have, connect again, and go on. B \
                is the same swarm without the outage.",
        changes: &[
            ("outage-lasts", "15"),
            ("b", "rarest-first"),
            ("b-spared", "yes"),
        ],
    },
    Preset {
        key: "large",
        name: "200 peers",
        words: "The first experiment with two hundred peers: with rarest first a swarm takes \
                hardly longer for two hundred than for ten, because everybody who comes also \
                brings an upload.",
        changes: &[("peers", "200"), ("pieces", "200")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_says_every_number_and_can_be_played() {
        for number in &NUMBERS {
            assert!(
                COMMON.iter().any(|(key, _)| *key == number.key),
                "{}",
                number.key
            );
        }
        for preset in &PRESETS {
            let settings = preset.settings();
            for (key, value) in preset.changes {
                assert_eq!(settings.get(key), *value, "{}: {key}", preset.key);
            }
            for scenario in settings.scenarios() {
                swarm_lab::Simulation::new(scenario).unwrap();
            }
        }
    }
}
