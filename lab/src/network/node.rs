//! One node: what decides what it does, and what is known of it.

use swarm_core::dht::{Config, Dht, NodeAddress, NodeId, RequestId};

use super::adversary::Kind;
use super::{Index, NetworkScenario};
use crate::schedule::Nanos;

/// See the module.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) address: NodeAddress,
    pub(super) id: NodeId,
    pub(super) mind: Mind,
    /// On which side of a network that is parted.
    pub(super) side: bool,
    /// It stays to the end.
    pub(super) stays: bool,
    /// When it goes, unless it stays.
    pub(super) leaves: Option<Nanos>,
    /// It knows nobody by whom it could join, or nobody answers.
    pub(super) alone: bool,
    pub(super) came: Nanos,
    /// When its table was filled for the first time.
    pub(super) joined: Option<Nanos>,
    /// When it is woken next.
    pub(super) tick: Option<Nanos>,
    /// Its place among those that are alive.
    pub(super) place: usize,
    /// What it has asked for so far, as it numbers it.
    pub(super) requests: u64,
}

/// What decides what it does.
#[derive(Debug)]
pub(super) enum Mind {
    /// A real node.
    Honest(Box<Dht>),
    /// Somebody who means no good.
    Adversary(Kind),
    /// Nothing: it is gone.
    Gone,
}

impl Node {
    /// It is an honest one, and there.
    pub(super) fn dht(&self) -> Option<&Dht> {
        match &self.mind {
            Mind::Honest(dht) => Some(dht),
            _ => None,
        }
    }

    /// It has joined, and was not left alone since.
    pub(super) fn has_place(&self) -> bool {
        self.joined.is_some() && !self.alone
    }

    pub(super) fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }
}

/// What an honest node is told. `server`: others begin with it.
pub(super) fn config(scenario: &NetworkScenario, server: bool) -> Config {
    let default = Config::default();
    let options = &scenario.node;
    let seconds =
        |option: Option<f64>, default| option.map_or(default, std::time::Duration::from_secs_f64);
    let bucket = options.k.unwrap_or(default.bucket);
    Config {
        bucket,
        first_buckets: match options.narrow {
            true => [bucket; 4],
            false => default.first_buckets,
        },
        alpha: options.alpha.unwrap_or(default.alpha),
        closest: options.closest.unwrap_or(default.closest),
        replacements: options.replacements.unwrap_or(default.replacements),
        short_timeout: seconds(options.short_timeout, default.short_timeout),
        long_timeout: seconds(options.long_timeout, default.long_timeout),
        upkeep: seconds(options.upkeep, default.upkeep),
        announce_interval: seconds(options.announce_interval, default.announce_interval),
        // Without Sybils nobody shares a subnet, and looking for it is half of all work.
        one_per_subnet: !options.many_per_subnet && scenario.sybils > 0,
        // A server has a line of its own.
        bytes_per_second: match server {
            true => default.bytes_per_second.saturating_mul(100),
            false => default.bytes_per_second,
        },
        ..default
    }
}

/// How many the bucket of nodes that have so many bits in common with ours takes.
pub(super) fn room(config: &Config, bits: usize) -> usize {
    let first = config.first_buckets.get(bits).copied();
    first.unwrap_or(0).max(config.bucket)
}

/// The numbers of the nodes that take part from the start.
pub(super) fn first(scenario: &NetworkScenario) -> std::ops::Range<Index> {
    0..scenario.nodes
}
