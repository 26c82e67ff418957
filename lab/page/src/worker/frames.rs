//! What the page is shown.

use lab_page::race::Race;
use swarm_lab::Simulation;
use swarm_lab::snapshot::{Flow, Role, Snapshot};

use crate::messages::{Figures, RunFrame};

/// More flows than these nobody could tell from each other.
const MOST_FLOWS: usize = 300;

/// Nobody reads figures that change more often. Milliseconds.
const FIGURES_EVERY: f64 = 200.0;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// When figures were shown. Milliseconds.
    figures_at: f64,
}

impl Frames {
    /// The next.
    pub(super) fn take(&mut self, race: &mut Race, now: f64, is_paused: bool) -> Vec<RunFrame> {
        let with_figures = is_paused || race.is_over() || now - self.figures_at > FIGURES_EVERY;
        if with_figures {
            self.figures_at = now;
        }
        let frame = |simulation: &mut Simulation| RunFrame {
            snapshot: strongest(simulation.snapshot()),
            figures: with_figures.then(|| figures(simulation)),
        };
        race.simulations().map(frame).collect()
    }
}

fn strongest(mut snapshot: Snapshot) -> Snapshot {
    let flows = &mut snapshot.flows;
    if flows.len() > MOST_FLOWS {
        let rank = |flow: &Flow| (u64::MAX - flow.bytes, flow.from, flow.to);
        flows.select_nth_unstable_by_key(MOST_FLOWS, rank);
        flows.truncate(MOST_FLOWS);
    }
    snapshot
}

fn figures(simulation: &Simulation) -> Figures {
    let results = simulation.results();
    let leechers = results
        .peers
        .iter()
        .filter(|peer| matches!(peer.role, Role::Contributor | Role::FreeRider));
    let mut completed: Vec<f64> = leechers.filter_map(|peer| peer.completed).collect();
    completed.sort_by(f64::total_cmp);
    Figures {
        time: results.time,
        events: results.events,
        completion: results.completion,
        free_rider_completion: results.free_rider_completion,
        least_time: results.least_time,
        utilisation: results.utilisation,
        relayed: results.relayed_share(),
        duplicate: results.duplicate,
        corrupt: results.corrupt,
        completed,
        is_over: simulation.is_over(),
    }
}
