//! A network of the DHT, and what the page is shown of it.

use swarm_lab::ScenarioError;
use swarm_lab::network::{Network, NetworkScenario};

use crate::messages::{NetworkFrame, ToNetwork};

/// Nobody reads figures that change more often. Milliseconds.
const FIGURES_EVERY: f64 = 250.0;

/// See the module.
pub(super) struct NetworkRun {
    pub(super) network: Network,
    /// Whose table the page shows.
    shown: Option<u32>,
    /// When figures were shown. Milliseconds.
    figures_at: Option<f64>,
}

impl NetworkRun {
    pub(super) fn new(
        scenario: NetworkScenario,
        trouble: Option<f64>,
    ) -> Result<Self, ScenarioError> {
        Ok(NetworkRun {
            network: Network::live(scenario, trouble)?,
            shown: None,
            figures_at: None,
        })
    }

    /// Does what the page says. Who did something wants to see what came of it.
    pub(super) fn tell(&mut self, message: &ToNetwork) {
        self.figures_at = None;
        let network = &mut self.network;
        match message {
            // A new one is made of it.
            ToNetwork::Start { .. } => {}
            ToNetwork::Show(node) => self.shown = *node,
            ToNetwork::LookUp {
                key,
                node,
                announces,
            } => network.look_up(*key, *node, *announces),
            ToNetwork::Kill(share) => network.kill(*share),
            ToNetwork::KillBootstrap => network.kill_bootstrap(),
            ToNetwork::Introduce => network.introduce(),
            ToNetwork::Heal => network.heal(),
        }
    }

    pub(super) fn frame(&mut self, race: u32, now: f64, is_paused: bool) -> NetworkFrame {
        let due = |at: f64| is_paused || now - at > FIGURES_EVERY;
        let with_figures = self.figures_at.is_none_or(due);
        if with_figures {
            self.figures_at = Some(now);
        }
        let network = &self.network;
        NetworkFrame {
            race,
            snapshot: network.snapshot(),
            table: self.shown.and_then(|node| network.table(node)),
            figures: with_figures.then(|| network.figures()),
        }
    }
}
