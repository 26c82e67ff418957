//! What others want of one connection: how many channels to it each source has, and how
//! often each source asks.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::accounts::bucket::{Bucket, Rate};
use super::super::{HubConfig, Source};
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Offers {
    of: BTreeMap<Source, Offer>,
    /// How many sources there may be before those that are no news are forgotten.
    sweep_at: usize,
}

#[derive(Debug)]
struct Offer {
    channels: usize,
    /// Time that each question takes from it.
    patience: Bucket,
}

impl Offers {
    /// Channels that a source asked for and that are still there.
    pub(super) fn channels(&self, source: Source) -> usize {
        self.of.get(&source).map_or(0, |offer| offer.channels)
    }

    /// A source asks; false if it does so too often.
    pub(super) fn ask(&mut self, now: Time, source: Source, config: &HubConfig) -> bool {
        let rate = rate(config);
        if self.of.len() >= self.sweep_at.max(config.remembered_offers) {
            self.of
                .retain(|_, offer| offer.channels > 0 || !offer.patience.is_full(now, rate));
            self.sweep_at = 2 * self.of.len();
        }
        let offer = self.of.entry(source).or_insert_with(|| Offer {
            channels: 0,
            patience: Bucket::full(now, rate),
        });
        offer.patience.take(now, rate, config.offer_interval)
    }

    /// A channel that a source asked for is there.
    pub(super) fn opened(&mut self, source: Source) {
        self.of
            .get_mut(&source)
            .expect("it asked a moment ago")
            .channels += 1;
    }

    /// A channel that a source asked for is gone.
    pub(super) fn closed(&mut self, source: Source) {
        self.of
            .get_mut(&source)
            .expect("sources with channels are not forgotten")
            .channels -= 1;
    }
}

/// A second for each second, and a burst's worth.
fn rate(config: &HubConfig) -> Rate {
    let cap = config.offer_interval.saturating_mul(config.offer_burst);
    Rate::new(Duration::from_secs(1), cap)
}
