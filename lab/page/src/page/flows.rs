//! Who sends to whom, fading when nothing comes any more.

use std::collections::BTreeMap;

use swarm_lab::snapshot::Flow;

/// More than these nobody could follow, and no phone could draw.
const MOST: usize = 220;

/// Seconds in which a flow that ended loses most of its strength.
const FADES_IN: f64 = 0.4;

/// What is weaker can't be seen.
const WEAKEST: f64 = 0.06;

/// Bytes that make a flow as strong as it can be at once.
const STRONG: f64 = 96.0 * 1024.0;

/// See the module. Strengths are 0 to 1.
#[derive(Default)]
pub(super) struct Flows(BTreeMap<(u32, u32), Strength>);

/// Of a flow, and whether it takes a direct link.
#[derive(Clone, Copy, Default)]
struct Strength {
    of: f64,
    direct: bool,
}

impl Flows {
    /// What went from peer to peer since the last time.
    pub(super) fn add(&mut self, flows: &[Flow]) {
        for flow in flows {
            let strength = self.0.entry((flow.from, flow.to)).or_default();
            strength.of = (strength.of + 0.2 + flow.bytes as f64 / STRONG).min(1.0);
            strength.direct = flow.direct;
        }
    }

    /// So many seconds go by.
    pub(super) fn fade(&mut self, seconds: f64) {
        let left = (-seconds / FADES_IN).exp();
        self.0.retain(|_, strength| {
            strength.of *= left;
            strength.of > WEAKEST
        });
        if self.0.len() > MOST {
            let mut strengths: Vec<f64> = self.0.values().map(|strength| strength.of).collect();
            let (_, least, _) = strengths.select_nth_unstable_by(MOST, |a, b| b.total_cmp(a));
            let least = *least;
            self.0.retain(|_, strength| strength.of > least);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sender, receiver, strength, of those that take direct links, or of the others.
    pub(super) fn iter(&self, direct: bool) -> impl Iterator<Item = (usize, usize, f64)> {
        let flows = self.0.iter();
        let flows = flows.filter(move |(_, strength)| strength.direct == direct);
        flows.map(|((from, to), strength)| (*from as usize, *to as usize, strength.of))
    }
}
