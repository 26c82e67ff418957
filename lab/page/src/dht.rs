//! What a person chooses for a network of the DHT, as [`crate::settings`] is for swarms.
//!
//! A link to one begins with `dht=` and a preset; what it leaves out is as in that.

mod presets;

use std::fmt::Write as _;

use swarm_core::dht::NodeId;
use swarm_lab::network::{NetworkScenario, NodeOptions, Start};

use crate::settings::{Number, number};

pub use presets::{PRESETS, Preset};

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    /// The key of the preset that these began as.
    pub preset: &'static str,
    /// In the order of [`NUMBERS`].
    numbers: [u32; NUMBERS.len()],
    /// In the order of [`WORDS`].
    words: [usize; WORDS.len()],
}

/// Every number. Times are seconds, shares per cent.
pub const NUMBERS: [Number; 10] = [
    number("nodes", 8, 2000),
    number("bootstrap", 0, 3),
    number("joins", 0, 600),
    number("k", 1, 32),
    number("alpha", 1, 16),
    number("loss", 0, 50),
    number("dead", 0, 95),
    number("trouble-at", 0, 3600),
    number("partition", 0, 50),
    number("seed", 0, u32::MAX),
];

/// The choices that are words, and which words they can be.
pub const WORDS: [(&str, &[&str]); 4] = [
    ("start", &["ready", "joins"]),
    ("churn", &["none", "60", "10", "1.4"]),
    ("first-buckets", &["narrow", "wide"]),
    ("bootstrap-goes", &["no", "yes"]),
];

impl Choices {
    /// As a link's fragment says (without its `#`); none if it is not about a network of the DHT.
    /// What it does not know it ignores.
    pub fn from_fragment(fragment: &str) -> Option<Self> {
        let pairs = || fragment.split('&').filter_map(|pair| pair.split_once('='));
        let (_, name) = pairs().find(|(key, _)| *key == "dht")?;
        let preset = PRESETS.iter().find(|preset| preset.key == name);
        let mut choices = preset.unwrap_or(&PRESETS[0]).choices();
        for (key, value) in pairs() {
            choices.set(key, value);
        }
        Some(choices)
    }

    /// What [`Choices::from_fragment`] makes these of.
    pub fn to_fragment(&self) -> String {
        let preset = self.preset().choices();
        let mut fragment = format!("dht={}", self.preset);
        for key in Self::keys() {
            let value = self.get(key);
            if value != preset.get(key) {
                write!(fragment, "&{key}={value}").expect("memory takes all");
            }
        }
        fragment
    }

    /// What these began as.
    pub fn preset(&self) -> &'static Preset {
        let found = PRESETS.iter().find(|preset| preset.key == self.preset);
        found.expect("choices begin as a preset")
    }

    /// Every key.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        let numbers = NUMBERS.iter().map(|number| number.key);
        numbers.chain(WORDS.iter().map(|(key, _)| *key))
    }

    /// A number. Zero if there is no such key.
    pub fn number(&self, key: &str) -> u32 {
        let index = NUMBERS.iter().position(|number| number.key == key);
        index.map_or(0, |index| self.numbers[index])
    }

    /// What was chosen, as a form's field holds it.
    pub fn get(&self, key: &str) -> String {
        match WORDS.iter().position(|(word, _)| *word == key) {
            Some(index) => WORDS[index].1[self.words[index]].to_owned(),
            None => self.number(key).to_string(),
        }
    }

    /// Chooses. Numbers out of range become the nearest that are in it; what makes no sense
    /// changes nothing.
    pub fn set(&mut self, key: &str, value: &str) {
        if let Some(index) = NUMBERS.iter().position(|number| number.key == key)
            && let Ok(value) = value.trim().parse::<u32>()
        {
            let (least, most) = NUMBERS[index].range;
            self.numbers[index] = value.clamp(least, most);
        }
        if let Some(index) = WORDS.iter().position(|(word, _)| *word == key)
            && let Some(word) = WORDS[index].1.iter().position(|word| *word == value)
        {
            self.words[index] = word;
        }
    }

    /// What is played.
    pub fn scenario(&self) -> NetworkScenario {
        let share = |key| f64::from(self.number(key)) / 100.0;
        let count = |key| Some(self.number(key) as usize);
        NetworkScenario {
            seed: self.number("seed").into(),
            nodes: self.number("nodes"),
            start: match &self.get("start")[..] {
                "joins" => Start::Joins(self.number("joins").into()),
                _ => Start::Ready,
            },
            bootstrap: self.number("bootstrap"),
            bootstrap_goes: self.get("bootstrap-goes") == "yes",
            loss: share("loss"),
            dead: share("dead"),
            churn: self
                .get("churn")
                .parse()
                .ok()
                .map(|minutes: f64| minutes * 60.0),
            partition: share("partition"),
            node: NodeOptions {
                k: count("k"),
                alpha: count("alpha"),
                narrow: self.get("first-buckets") == "narrow",
                ..NodeOptions::default()
            },
            ..NetworkScenario::default()
        }
    }

    /// When what the scenario says goes wrong, in seconds; none if nothing does.
    pub fn trouble(&self) -> Option<f64> {
        let is_any = self.number("dead") > 0 || self.get("bootstrap-goes") == "yes";
        is_any.then(|| self.number("trouble-at").into())
    }
}

/// A key as a person types it: 40 hexadecimal digits are an identifier, other words stand for
/// their hash (SHA-1, as an info-hash is one of what is in a torrent). None of nothing.
pub fn key(typed: &str) -> Option<NodeId> {
    let typed = typed.trim();
    let hash = || swarm_core::dht::immutable_target(typed.as_bytes());
    (!typed.is_empty()).then(|| typed.parse().unwrap_or_else(|_| hash()))
}

/// The first digits of an identifier, by which a person knows a node: nobody has two of a
/// thousand nodes in mind that share five.
pub fn name(id: u32) -> String {
    format!("{:05x}", id >> 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_the_network() {
        for preset in &PRESETS {
            let choices = preset.choices();
            assert_eq!(choices.to_fragment(), format!("dht={}", preset.key));
            let mut changed = choices.clone();
            for number in &NUMBERS {
                changed.set(number.key, &(number.range.0 + 1).to_string());
            }
            for (key, words) in &WORDS {
                let other = words.iter().find(|word| choices.get(key) != **word);
                changed.set(key, other.unwrap());
                assert_ne!(changed.get(key), choices.get(key), "{key}");
            }
            assert_eq!(
                Choices::from_fragment(&changed.to_fragment()),
                Some(changed)
            );
        }
        assert_eq!(Choices::from_fragment("preset=churn&peers=12"), None);
    }

    #[test]
    fn what_makes_no_sense_is_ignored_or_brought_into_range() {
        let choices = Choices::from_fragment("dht=x&nodes=0&alpha=99999999999&k=x&churn=1&=&x=1");
        let choices = choices.unwrap();
        assert_eq!(choices.preset, PRESETS[0].key);
        assert_eq!(choices.number("nodes"), 8);
        let expected = PRESETS[0].choices();
        for key in ["alpha", "k", "churn"] {
            assert_eq!(choices.get(key), expected.get(key), "{key}");
        }
    }

    #[test]
    fn a_key_is_an_identifier_or_words() {
        let id = "2c6b6858d61da9543d4231a71db4b1c9264b0685";
        assert_eq!(key(id).unwrap().to_string(), id);
        // SHA-1 of "abc" (FIPS 180).
        let abc = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(key(" abc ").unwrap().to_string(), abc);
        assert_eq!(key("  "), None);
        assert_eq!(name(0x2c6b_6858), "2c6b6");
    }
}
