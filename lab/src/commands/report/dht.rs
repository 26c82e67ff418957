//! Networks of the DHT.

use swarm_lab::network::{NetworkResults, NetworkScenario, Quantiles};
use swarm_lab::statistics::Estimate;

pub(super) mod abuse;
pub(super) mod churn;
pub(super) mod dead;
pub(super) mod growth;
pub(super) mod trouble;

/// What the figures of a run are called, in the order of [`figures`].
const FIGURES: [&str; 8] = [
    "Found",
    "First peer, p50",
    "p99",
    "Lookup done, p50",
    "p99",
    "Announce done, p99",
    "Queries",
    "Hops to the first peer",
];

/// What every row has of a variant.
fn figures(results: &[NetworkResults]) -> Vec<String> {
    let milliseconds = |figure: &dyn Fn(&NetworkResults) -> f64| {
        let estimate = estimate(results, |run| 1000.0 * figure(run));
        match estimate.mean.is_finite() {
            true => format!("{estimate} ms"),
            false => "–".to_owned(),
        }
    };
    vec![
        format!("{} %", estimate(results, |run| 100.0 * run.found())),
        milliseconds(&|run| some(run.first(), |first| first.p50)),
        milliseconds(&|run| some(run.first(), |first| first.p99)),
        milliseconds(&|run| some(run.done(), |done| done.p50)),
        milliseconds(&|run| some(run.done(), |done| done.p99)),
        milliseconds(&|run| some(run.announced(), |announced| announced.p99)),
        estimate(results, |run| run.quantiles(|it| it.queries as f64).mean).to_string(),
        number(estimate(results, |run| hops_to_first(run).mean)),
    ]
}

/// Nothing where nothing was measured.
fn some(quantiles: Quantiles, figure: impl Fn(&Quantiles) -> f64) -> f64 {
    match quantiles.count {
        0 => f64::NAN,
        _ => figure(&quantiles),
    }
}

fn number(estimate: Estimate) -> String {
    match estimate.mean.is_finite() {
        true => estimate.to_string(),
        false => "–".to_owned(),
    }
}

fn hops_to_first(run: &NetworkResults) -> Quantiles {
    let hops = run.lookups.iter().filter_map(|it| it.hops_to_first);
    let hops = Quantiles::of(hops.map(f64::from));
    match hops.count {
        0 => Quantiles {
            mean: f64::NAN,
            ..hops
        },
        _ => hops,
    }
}

fn estimate(results: &[NetworkResults], figure: impl Fn(&NetworkResults) -> f64) -> Estimate {
    let figures: Vec<f64> = results.iter().map(figure).collect();
    Estimate::of(&figures).expect("every variant is played once at least")
}

/// A column for what varies, and those of every row.
fn head<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [first, &FIGURES, more].concat()
}

/// So many nodes that are there from the start. Their tables need no upkeep in the minute that
/// is played, which would be most of the work.
fn still(nodes: u32) -> NetworkScenario {
    let mut scenario = base(nodes);
    scenario.idle = 4.0;
    scenario.node.upkeep = Some(3600.0);
    scenario
}

/// So many nodes, of which nobody looks for anything for long.
fn base(nodes: u32) -> NetworkScenario {
    NetworkScenario {
        nodes,
        idle: 20.0,
        torrents: (nodes / 4).clamp(1, 250),
        lookups: 1000,
        ..NetworkScenario::default()
    }
}
