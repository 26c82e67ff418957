//! Upload slots: how many there are, and when they are given out anew.

use std::collections::BTreeSet;

use crate::choke::{Candidate, ChokeConfig, Choker};
use crate::peer::SessionId;
use crate::rng::Rng;
use crate::time::Time;

/// See the module. Who has one is written down with each remote peer.
#[derive(Debug, Default)]
pub(super) struct Slots {
    choker: Choker,
    next_round: Time,
}

impl Slots {
    /// How many there are.
    pub(super) fn count(&self, config: &ChokeConfig) -> usize {
        self.choker.slots(config)
    }

    /// One more, if the upload rate allows it: nobody uses those that there are.
    pub(super) fn widen(&mut self, config: &ChokeConfig, rate: u64) {
        self.choker.widen(config, rate);
    }

    /// They are to be given out anew by then.
    pub(super) fn is_due(&self, at: Time) -> bool {
        self.next_round <= at
    }

    /// Somebody may have left one to others.
    pub(super) fn give_out_soon(&mut self, now: Time) {
        self.next_round = now;
    }

    /// They are given out now.
    pub(super) fn begin_round(&mut self, now: Time, config: &ChokeConfig) {
        self.next_round = now + config.interval;
    }

    /// Who of the candidates gets one.
    pub(super) fn choose(
        &mut self,
        now: Time,
        config: &ChokeConfig,
        candidates: &[Candidate],
        rate: u64,
        seeding: bool,
        rng: &mut Rng,
    ) -> BTreeSet<SessionId> {
        self.choker
            .choose(now, config, candidates, rate, seeding, rng)
    }
}
