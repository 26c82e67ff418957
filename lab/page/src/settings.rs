//! What a person chooses, as numbers and words of a form.
//!
//! Every choice has a key: the name of its field in the form and in the page's address,
//! so that a link holds an experiment. What a link leaves out is as in its preset.

mod presets;
mod scenarios;

use swarm_core::pieces::Strategy;
use swarm_lab::scenario::{RelayUse, Start};

pub use presets::{PRESETS, Preset};

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The key of the preset that these began as.
    pub preset: &'static str,
    /// What both sides have in common, in the order of [`NUMBERS`].
    numbers: [u32; NUMBERS.len()],
    /// Who has what at the start.
    pub start: Start,
    /// When leechers leave.
    pub stay: Leave,
    /// The first run.
    pub a: Side,
    /// The second run.
    pub b: Side,
    /// There is a second run.
    pub compare: bool,
}

/// When leechers leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Never: who is complete seeds.
    Never,
    /// With the last piece.
    Complete,
    /// After an exponentially distributed time, complete or not.
    Anytime,
}

/// What distinguishes one run from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// How pieces are chosen.
    pub strategy: Strategy,
    /// Peers choose whom they serve.
    pub choking: bool,
    /// What the relay is for, and whether there are direct links.
    pub relay: RelayUse,
    /// Without free-riders, liars, early leaving, outages, the relay's limit, and what keeps
    /// direct links from being made or breaks them.
    pub spared: bool,
}

/// A number that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its name in the form and in a link.
    pub key: &'static str,
    /// The least and the most.
    pub range: (u32, u32),
}

pub(crate) const fn number(key: &'static str, least: u32, most: u32) -> Number {
    Number {
        key,
        range: (least, most),
    }
}

/// Every number. Rates are kB/s, times seconds, shares per cent.
pub const NUMBERS: [Number; 18] = [
    number("peers", 1, 1000),
    number("pieces", 1, 2000),
    number("piece-size", 16, 4096),
    number("seeders", 1, 20),
    number("seeder-leaves", 0, 3600),
    number("up", 1, 100_000),
    number("down", 1, 100_000),
    number("seeder-up", 1, 100_000),
    number("latency", 0, 2000),
    number("free-riders", 0, 95),
    number("liars", 0, 80),
    number("arrivals", 0, 6000),
    number("mean-stay", 1, 3600),
    number("relay", 0, 1_000_000),
    number("unable", 0, 100),
    number("link-lasts", 0, 3600),
    number("outage-lasts", 0, 14_400),
    number("seed", 0, u32::MAX),
];

/// The choices that are words, and which words they can be.
pub const CHOICES: [(&str, &[&str]); 11] = [
    ("start", &["centralized", "spread-out"]),
    ("stay", &["never", "complete", "anytime"]),
    ("a", STRATEGIES),
    ("a-choking", NO_YES),
    ("a-relay", RELAYS),
    ("a-spared", NO_YES),
    ("compare", NO_YES),
    ("b", STRATEGIES),
    ("b-choking", NO_YES),
    ("b-relay", RELAYS),
    ("b-spared", NO_YES),
];

/// What [`RELAYS`] mean.
const USES: [RelayUse; 4] = [
    RelayUse::Only,
    RelayUse::Free,
    RelayUse::Fixed,
    RelayUse::Spare,
];

const STRATEGIES: &[&str] = &["rarest-first", "sequential", "streaming"];
const RELAYS: &[&str] = &["only", "free", "fixed", "spare"];
const NO_YES: &[&str] = &["no", "yes"];

impl Settings {
    /// As a link's fragment says (without its `#`); what it does not know it ignores.
    pub fn from_fragment(fragment: &str) -> Self {
        let pairs = || fragment.split('&').filter_map(|pair| pair.split_once('='));
        let named = pairs().find(|(key, _)| *key == "preset");
        let preset = PRESETS
            .iter()
            .find(|preset| named.is_some_and(|(_, name)| preset.key == name));
        let mut settings = preset.unwrap_or(&PRESETS[0]).settings();
        for (key, value) in pairs() {
            settings.set(key, value);
        }
        settings
    }

    /// What [`Settings::from_fragment`] makes these of.
    pub fn to_fragment(&self) -> String {
        let preset = self.preset().settings();
        let mut fragment = format!("preset={}", self.preset);
        for key in Self::keys() {
            let value = self.get(key);
            if value != preset.get(key) {
                fragment += &format!("&{key}={value}");
            }
        }
        fragment
    }

    /// What these began as.
    pub fn preset(&self) -> &'static Preset {
        let found = PRESETS.iter().find(|preset| preset.key == self.preset);
        found.expect("settings begin as a preset")
    }

    /// Every key.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        let numbers = NUMBERS.iter().map(|number| number.key);
        numbers.chain(CHOICES.iter().map(|(key, _)| *key))
    }

    /// A number. Zero if there is no such key.
    pub fn number(&self, key: &str) -> u32 {
        let index = NUMBERS.iter().position(|number| number.key == key);
        index.map_or(0, |index| self.numbers[index])
    }

    /// What was chosen, as a form's field holds it.
    pub fn get(&self, key: &str) -> String {
        let side = if key.starts_with('a') {
            &self.a
        } else {
            &self.b
        };
        match key {
            "start" => word(key, usize::from(self.start == Start::SpreadOut)),
            "stay" => word(key, self.stay as usize),
            "compare" => word(key, usize::from(self.compare)),
            "a" | "b" => strategy_word(side.strategy).to_owned(),
            "a-choking" | "b-choking" => word(key, usize::from(side.choking)),
            "a-relay" | "b-relay" => {
                let relay = USES.iter().position(|relay| *relay == side.relay);
                word(key, relay.unwrap_or(0))
            }
            "a-spared" | "b-spared" => word(key, usize::from(side.spared)),
            _ => self.number(key).to_string(),
        }
    }

    /// Chooses. Numbers out of range become the nearest that are in it; what makes no
    /// sense changes nothing.
    pub fn set(&mut self, key: &str, value: &str) {
        if let Some(index) = NUMBERS.iter().position(|number| number.key == key) {
            if let Ok(value) = value.trim().parse::<u32>() {
                let (least, most) = NUMBERS[index].range;
                self.numbers[index] = value.clamp(least, most);
            }
            return;
        }
        let choice = CHOICES.iter().find(|(choice, _)| *choice == key);
        let word = choice.and_then(|(_, words)| words.iter().position(|word| *word == value));
        let Some(word) = word else { return };
        let side = match key.starts_with('a') {
            true => &mut self.a,
            false => &mut self.b,
        };
        match key {
            "start" => self.start = [Start::Centralized, Start::SpreadOut][word],
            "stay" => self.stay = [Leave::Never, Leave::Complete, Leave::Anytime][word],
            "compare" => self.compare = word == 1,
            "a" | "b" => {
                let all = [
                    Strategy::RarestFirst,
                    Strategy::Sequential,
                    Strategy::Streaming,
                ];
                side.strategy = all[word];
            }
            "a-choking" | "b-choking" => side.choking = word == 1,
            "a-relay" | "b-relay" => side.relay = USES[word],
            _ => side.spared = word == 1,
        }
    }
}

impl Side {
    /// What it does, in a few words.
    pub fn words(self) -> String {
        let strategy = match self.strategy {
            Strategy::RarestFirst => "Rarest first",
            Strategy::Sequential => "Sequential",
            Strategy::Streaming => "Streaming",
        };
        let choking = if self.choking { "" } else { ", nobody choked" };
        let spared = if self.spared {
            ", spared the trouble"
        } else {
            ""
        };
        let relay = match self.relay {
            RelayUse::Only => "",
            RelayUse::Free => ", the better way",
            RelayUse::Fixed => ", links standing by",
            RelayUse::Spare => ", direct links",
        };
        format!("{strategy}{choking}{relay}{spared}")
    }
}

fn strategy_word(strategy: Strategy) -> &'static str {
    STRATEGIES[match strategy {
        Strategy::RarestFirst => 0,
        Strategy::Sequential => 1,
        Strategy::Streaming => 2,
    }]
}

fn word(key: &str, index: usize) -> String {
    let choice = CHOICES.iter().find(|(choice, _)| *choice == key);
    choice.map_or("", |(_, words)| words[index]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_the_experiment() {
        for preset in &PRESETS {
            let settings = preset.settings();
            assert_eq!(settings.to_fragment(), format!("preset={}", preset.key));
            let mut changed = settings.clone();
            for number in &NUMBERS {
                changed.set(number.key, &(number.range.0 + 3).to_string());
            }
            for (key, words) in &CHOICES {
                let other = words.iter().find(|word| settings.get(key) != **word);
                changed.set(key, other.unwrap());
                assert_ne!(changed.get(key), settings.get(key), "{key}");
            }
            assert_eq!(Settings::from_fragment(&changed.to_fragment()), changed);
        }
    }

    #[test]
    fn what_makes_no_sense_is_ignored_or_brought_into_range() {
        let settings =
            Settings::from_fragment("peers=0&pieces=99999999999&up=x&b=guess&=&nonsense&x=1");
        assert_eq!(settings.number("peers"), 1);
        let expected = PRESETS[0].settings();
        for key in ["pieces", "up", "b"] {
            assert_eq!(settings.get(key), expected.get(key), "{key}");
        }
    }
}
