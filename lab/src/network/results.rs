//! What a network measured.

use serde::{Deserialize, Serialize};
use swarm_core::dht::Family;

use super::node::Mind;
use super::node::Node;
use super::{AbuseResult, Network};
use crate::schedule::time;

/// See the module. Times are seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NetworkResults {
    /// Virtual seconds that were played.
    pub time: f64,
    /// Events that were played.
    pub events: u64,
    /// Datagrams that arrived.
    pub datagrams: u64,
    /// Nodes that are there in the end, without liars and Sybils.
    pub nodes: usize,
    /// Those of them that have joined.
    pub joined: usize,
    /// What joins took, of those that were seen.
    pub joins: Quantiles,
    /// Times that a node said that nobody answers.
    pub alone: u64,
    /// Every round of an announce.
    pub announces: Vec<AnnounceResult>,
    /// Every lookup that ended.
    pub lookups: Vec<LookupResult>,
    /// Lookups whose node went away before they ended.
    pub abandoned: u32,
    /// Lookups that were begun and have not ended.
    pub unended: u32,
    /// Bytes a second that a node sends while nobody wants anything.
    pub idle_sent: f64,
    /// Bytes a second that it receives.
    pub idle_received: f64,
    /// Queries a second that it sends.
    pub idle_queries: f64,
    /// What the tables are like in the end.
    pub table: TableResult,
    /// What abusers came to.
    pub abuse: AbuseResult,
}

/// A round of an announce.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AnnounceResult {
    /// When it was over.
    pub at: f64,
    /// Things had gone wrong by then.
    pub in_trouble: bool,
    /// Until the last node had taken it, or would not.
    pub took: f64,
    /// Nodes that took it.
    pub stored: usize,
    /// Queries that were sent for it.
    pub queries: usize,
    /// Share of the eight nodes closest to the torrent that it reached.
    pub recall: f64,
}

/// A lookup.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LookupResult {
    /// When it began.
    pub at: f64,
    /// The peer that has the torrent was found.
    pub found: bool,
    /// How long that took.
    pub first: Option<f64>,
    /// Peers that were found and are none.
    pub wrong: usize,
    /// To its end.
    pub took: f64,
    /// Queries that were sent.
    pub queries: usize,
    /// Those of them that were answered.
    pub answers: usize,
    /// How many nodes told of one another on the way to the closest node.
    pub hops: u8,
    /// The same, to the first that knew a peer.
    pub hops_to_first: Option<u8>,
    /// Share of the eight closest nodes that it reached.
    pub recall: f64,
    /// How long ago the torrent had been announced, if it had been at all.
    pub announced: Option<f64>,
    /// How long the node that looked had been there.
    pub age: f64,
    /// The peer was on the other side when the network was parted.
    pub across: bool,
}

/// What tables are like, on average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TableResult {
    /// Contacts.
    pub contacts: f64,
    /// Share of them that are there.
    pub alive: f64,
    /// Contacts that mean no good.
    pub hostile: f64,
    /// Buckets.
    pub buckets: f64,
}

/// Of a list of figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Quantiles {
    /// How many there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
}

impl Quantiles {
    /// Each is a figure that was measured (nearest rank).
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let Some(&max) = figures.last() else {
            return Quantiles::default();
        };
        let count = figures.len();
        let quantile = |share: f64| {
            let rank = (share * count as f64).ceil() as usize;
            figures[rank.clamp(1, count) - 1]
        };
        Quantiles {
            count,
            mean: figures.iter().sum::<f64>() / count as f64,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max,
        }
    }
}

impl NetworkResults {
    /// Share of lookups that found the peer; of those that ended or should have.
    pub fn found(&self) -> f64 {
        let found = self.lookups.iter().filter(|lookup| lookup.found).count();
        let all = self.lookups.len() + self.unended as usize;
        found as f64 / all.max(1) as f64
    }

    /// Of a figure of every lookup.
    pub fn quantiles(&self, figure: impl Fn(&LookupResult) -> f64) -> Quantiles {
        Quantiles::of(self.lookups.iter().map(figure))
    }

    /// Times to the first peer, of those lookups that found one.
    pub fn first(&self) -> Quantiles {
        Quantiles::of(self.lookups.iter().filter_map(|lookup| lookup.first))
    }

    /// Times that lookups took, of those that had anybody to ask.
    pub fn done(&self) -> Quantiles {
        let asked = self.lookups.iter().filter(|lookup| lookup.queries > 0);
        Quantiles::of(asked.map(|lookup| lookup.took))
    }

    /// Times that rounds of announces took that anybody took, once things had gone wrong.
    pub fn announced(&self) -> Quantiles {
        let late = self.announces.iter();
        let late = late.filter(|announce| announce.in_trouble && announce.stored > 0);
        Quantiles::of(late.map(|announce| announce.took))
    }

    /// Mean share of the closest nodes that lookups reached.
    pub fn recall(&self) -> f64 {
        self.quantiles(|lookup| lookup.recall).mean
    }
}

pub(super) fn results(network: &Network) -> NetworkResults {
    let measure = &network.measure;
    let [idle_sent, idle_received, idle_queries] = measure.idle.unwrap_or_default();
    let there = network.alive.iter();
    let joined = there.filter(|index| network.nodes[**index as usize].joined.is_some());
    let unended = measure.under_way().count() as u32 + measure.skipped;
    NetworkResults {
        time: network.seconds(),
        events: measure.events,
        datagrams: measure.datagrams,
        nodes: network.alive.len(),
        joined: joined.count(),
        joins: Quantiles::of(measure.joins.iter().copied()),
        alone: measure.alone,
        announces: measure.announces.clone(),
        lookups: measure.lookups.clone(),
        abandoned: measure.abandoned,
        unended,
        idle_sent,
        idle_received,
        idle_queries,
        table: table(network),
        abuse: network.loot.result,
    }
}

pub(super) fn table(network: &Network) -> TableResult {
    let mut sum = TableResult::default();
    let mind = |address| {
        let owner = network.internet.owner(address)?;
        let node: &Node = &network.nodes[owner as usize];
        Some(&node.mind)
    };
    // Looking at all tables of a large network would take longer than playing it.
    let looked_at = network.alive.iter().take(1000);
    let count = looked_at.len().max(1) as f64;
    for dht in looked_at.filter_map(|index| network.nodes[*index as usize].dht()) {
        let view = dht.view(time(network.now));
        let family = view.families.iter().find(|of| of.family == Family::V4);
        let Some(family) = family else { continue };
        let contacts = family.buckets.iter().flat_map(|bucket| &bucket.contacts);
        let (mut all, mut there, mut hostile) = (0, 0, 0);
        for contact in contacts {
            all += 1;
            match mind(contact.contact.address) {
                Some(Mind::Honest(_)) => there += 1,
                Some(Mind::Adversary(_)) => (there, hostile) = (there + 1, hostile + 1),
                Some(Mind::Gone) | None => {}
            }
        }
        sum.contacts += f64::from(all) / count;
        sum.alive += f64::from(there) / f64::from(all.max(1)) / count;
        sum.hostile += f64::from(hostile) / count;
        sum.buckets += family.buckets.len() as f64 / count;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_figures_that_were_measured() {
        let quantiles = Quantiles::of((1..=1000).rev().map(f64::from));
        let Quantiles { p50, p90, p99, .. } = quantiles;
        assert_eq!(
            (p50, p90, p99, quantiles.max),
            (500.0, 900.0, 990.0, 1000.0)
        );
        assert_eq!(Quantiles::of([]).count, 0);
    }
}
