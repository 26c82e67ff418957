//! What every connection's task shares.

use std::sync::Arc;
use std::time::Instant;

use swarm_core::hub::Source;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::counters::Counters;
use crate::overlay::Overlay;
use crate::page::Assets;
use crate::shares::{Rule, Shares};
use crate::switchboard::Switchboard;

/// See the module.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) started: Instant,
    pub(crate) config: Config,
    pub(crate) assets: Assets,
    pub(crate) switchboard: Arc<Switchboard>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) counters: Arc<Counters>,
    /// One permit for each connection of whatever kind.
    pub(crate) sockets: Arc<Semaphore>,
    /// Connections that are no WebSocket yet.
    pub(crate) http: Arc<Shares<Source>>,
    /// Bytes of large messages that have begun to arrive.
    pub(crate) unfinished: Arc<Shares<Source>>,
    /// Connections that are told why they end.
    pub(crate) leaving: Semaphore,
    /// A node of the DHT, if there is one here.
    pub(crate) dht: Option<Overlay>,
}

impl Context {
    /// Members of swarms are drawn at random from `seed`.
    pub(crate) fn new(config: Config, seed: u64, dht: Option<Overlay>) -> Self {
        let switchboard = Switchboard::new(config.hub.clone(), seed, config.max_answers);
        let max_http = config.max_http_connections.max(1) as u64;
        Context {
            started: Instant::now(),
            assets: Assets::open(&config.page),
            switchboard: Arc::new(switchboard),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            counters: Arc::default(),
            sockets: Arc::new(Semaphore::new(
                config.max_sockets.min(Semaphore::MAX_PERMITS),
            )),
            http: Shares::new(max_http, Rule::Oldest),
            unfinished: Shares::new(config.max_unfinished, Rule::Largest),
            leaving: Semaphore::new(config.max_leaving),
            dht,
            config,
        }
    }
}
