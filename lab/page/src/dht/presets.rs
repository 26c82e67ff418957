//! Networks to begin with.

use super::{Choices, NUMBERS, WORDS};

/// A network, and what to look at.
#[derive(Debug)]
pub struct Preset {
    /// Its name in a link.
    pub key: &'static str,
    /// Its name on the page.
    pub name: &'static str,
    /// What is seen, and why.
    pub words: &'static str,
    /// How it differs from [`COMMON`].
    changes: &'static [(&'static str, &'static str)],
}

impl Preset {
    /// It as it is before a person changes anything.
    pub fn choices(&self) -> Choices {
        let mut choices = Choices {
            preset: self.key,
            numbers: [0; NUMBERS.len()],
            words: [0; WORDS.len()],
        };
        for (key, value) in COMMON.iter().chain(self.changes) {
            choices.set(key, value);
        }
        choices
    }
}

/// A network small enough to tell its nodes apart, in which look-ups take several hops.
const COMMON: [(&str, &str); 14] = [
    ("nodes", "200"),
    ("bootstrap", "1"),
    ("joins", "10"),
    ("k", "8"),
    ("alpha", "3"),
    ("loss", "0"),
    ("dead", "0"),
    ("trouble-at", "0"),
    ("partition", "0"),
    ("seed", "1"),
    ("start", "ready"),
    ("churn", "none"),
    ("first-buckets", "narrow"),
    ("bootstrap-goes", "no"),
];

/// Every preset; the page begins with the first.
pub const PRESETS: [Preset; 5] = [
    Preset {
        key: "rest",
        name: "A network at rest",
        words: "Two hundred nodes that know each other. Each has a table of buckets: at most \
                k nodes that share no leading bit with it, k that share one, and so on: few \
                of the many that are far, nearly all of the few that are near. Announce a \
                key, and look it up from another node: every answer names nodes that share \
                more bits with the key, until nobody knows a nearer one.",
        changes: &[],
    },
    Preset {
        key: "alone",
        name: "Everybody alone",
        words: "The same nodes, but none has ever heard of another: each would just assume \
                it is the first node in the network. All tables are empty, nothing can be \
                announced, nothing is found, and waiting does not help: nobody knows whom to \
                ask. Give them one node in common, and watch: through it each finds its own \
                neighbours, and tables fill.",
        changes: &[("bootstrap", "0"), ("start", "joins"), ("joins", "5")],
    },
    Preset {
        key: "bootstrap-gone",
        name: "Bootstrap gone",
        words: "Nodes come and go, and those who come join through the one node that \
                everybody knows. After half a minute it dies. Those who are in have each \
                other and notice nothing; those who come later are alone, and as the old \
                ones leave, the network dies out. Give them one node in common again before \
                that.",
        changes: &[
            ("nodes", "120"),
            ("start", "joins"),
            ("churn", "1.4"),
            ("trouble-at", "30"),
            ("bootstrap-goes", "yes"),
        ],
    },
    Preset {
        key: "partition",
        name: "Partition that heals",
        words: "No datagram passes between two halves of the network any more. What is \
                announced on one side is not found from the other, and half of those asked \
                do not answer. Heal the partition: the halves grow together by themselves, \
                because both remember nodes of the other. Wait ten minutes, and they have \
                forgotten: then it takes the one node that all know, which each asks once an \
                hour, to bring them together.",
        changes: &[("partition", "50")],
    },
    Preset {
        key: "half",
        name: "Half of them die",
        words: "After twenty seconds half of the nodes die at once, without a word. Every \
                table is half wrong now, and look-ups lose time on nodes that do not answer. \
                Yet they arrive: α nodes are asked at once, and a key is with eight nodes \
                and not with one. Announce a key before, look it up afterwards. By and by \
                tables notice who is gone.",
        changes: &[("dead", "50"), ("trouble-at", "20")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_says_everything_and_can_be_played() {
        for key in Choices::keys() {
            assert!(COMMON.iter().any(|(common, _)| *common == key), "{key}");
        }
        for preset in &PRESETS {
            let choices = preset.choices();
            for (key, value) in preset.changes {
                assert_eq!(choices.get(key), *value, "{}: {key}", preset.key);
            }
            let (scenario, trouble) = (choices.scenario(), choices.trouble());
            swarm_lab::network::Network::live(scenario, trouble).unwrap();
        }
    }
}
