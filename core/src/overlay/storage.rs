//! Who said that it has what.

use super::OverlayConfig;
use crate::dht::NodeId;
use crate::id::Fingerprint;
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::overlay::{MAX_NAMED, Target};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Storage {
    /// The latest of each last.
    topics: SortedMap<Target, Vec<(Fingerprint, Time)>>,
}

impl Storage {
    /// Somebody has it. Of too many topics the one that is farthest from us goes, of too many
    /// members the one that was heard longest ago.
    pub(super) fn note(
        &mut self,
        now: Time,
        own: NodeId,
        topic: Target,
        tab: Fingerprint,
        config: &OverlayConfig,
    ) {
        let members = self.topics.entry(topic).or_default();
        members.retain(|(member, _)| *member != tab);
        members.push((tab, now));
        if members.len() > config.members {
            members.remove(0);
        }
        if self.topics.len() > config.topics {
            let topics = self.topics.keys();
            let farthest = topics.max_by_key(|topic| NodeId(**topic).distance(own));
            let farthest = farthest.copied();
            farthest.map(|farthest| self.topics.remove(&farthest));
        }
    }

    /// Who has it, but for whoever asks; the latest first.
    pub(super) fn members(&self, topic: Target, but: Fingerprint) -> Vec<Fingerprint> {
        let members = self.topics.get(&topic).into_iter().flatten().rev();
        let members = members.map(|(member, _)| *member).filter(|m| *m != but);
        members.take(MAX_NAMED).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.topics.len()
    }

    /// Forgets what is too old.
    pub(super) fn expire(&mut self, now: Time, config: &OverlayConfig) {
        for members in self.topics.values_mut() {
            members.retain(|(_, at)| now - *at < config.expiry);
        }
        self.topics.retain(|_, members| !members.is_empty());
    }
}
