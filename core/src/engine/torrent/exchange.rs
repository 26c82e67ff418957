//! Which trackers we tell peers of, and of which they have told us.

use crate::engine::config::ExchangeConfig;
use crate::metainfo::TrackerAddress;
use crate::peer::SessionId;
use crate::sorted::SortedMap;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Those that we use.
    ours: Vec<String>,
    /// Counts how often they changed.
    edition: u64,
    /// Those that peers use, each once, in one way of writing, in the order in which they came.
    heard: Vec<String>,
    partners: SortedMap<SessionId, Partner>,
}

/// What passed between us and one peer.
#[derive(Debug, Default)]
struct Partner {
    /// When it was told, and which edition.
    told: Option<(Time, u64)>,
    /// When it last told us.
    heard: Option<Time>,
    /// How many of the addresses that we know are its.
    known: usize,
}

impl Exchange {
    pub(super) fn heard(&self) -> &[String] {
        &self.heard
    }

    /// These are used from now on.
    pub(super) fn set_ours(&mut self, ours: Vec<String>) {
        if self.ours != ours {
            self.ours = ours;
            self.edition += 1;
        }
    }

    /// What to tell a peer now, which counts as told.
    pub(super) fn news(
        &mut self,
        now: Time,
        id: SessionId,
        config: &ExchangeConfig,
    ) -> Option<&[String]> {
        let told = self.partners.get(&id).and_then(|partner| partner.told);
        let is_due = match told {
            Some((at, edition)) => edition != self.edition && now - at >= config.pause,
            None => !self.ours.is_empty(),
        };
        if !is_due {
            return None;
        }
        self.partners.entry(id).or_default().told = Some((now, self.edition));
        Some(&self.ours)
    }

    /// A peer tells us of trackers. Those that can't be one, and what is too much or too often,
    /// is passed over.
    pub(super) fn hear(
        &mut self,
        now: Time,
        id: SessionId,
        addresses: &[String],
        config: &ExchangeConfig,
    ) {
        let partner = self.partners.entry(id).or_default();
        if partner.heard.is_some_and(|at| now - at < config.pause / 2) {
            return;
        }
        partner.heard = Some(now);
        for address in addresses {
            let Ok(address) = TrackerAddress::parse(address) else {
                continue;
            };
            let address = address.as_str();
            let is_known = self.heard.iter().chain(&self.ours).any(|a| a == address);
            let has_room = self.heard.len() < config.known && partner.known < config.of_one;
            if has_room && !is_known {
                partner.known += 1;
                self.heard.push(address.to_owned());
            }
        }
    }

    /// A session is over.
    pub(super) fn forget(&mut self, id: SessionId) {
        self.partners.remove(&id);
    }
}
