//! The figures that are compared.

use serde::Serialize;
use swarm_lab::Results;
use swarm_lab::statistics::Estimate;

use super::Variant;

/// One run's figures. None where there is nothing to measure.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Figures {
    pub(super) seed: u64,
    /// Share of the leechers.
    pub(super) complete: f64,
    /// Seconds from arrival, over all leechers that completed.
    pub(super) mean_completion: Option<f64>,
    pub(super) last_completion: Option<f64>,
    /// Share of the upload capacity.
    pub(super) utilisation: f64,
    /// Share of what leechers received that was for nothing.
    pub(super) waste: Option<f64>,
    /// Jain's index over the contributors.
    pub(super) fairness: Option<f64>,
    /// Seconds.
    pub(super) longest_stall: f64,
}

impl Figures {
    fn new(seed: u64, results: &Results) -> Self {
        let (first, second) = (&results.completion, &results.free_rider_completion);
        let count = f64::from(first.count + second.count);
        let sum = first.mean * f64::from(first.count) + second.mean * f64::from(second.count);
        let leechers = results.peers.iter().filter(|peer| peer.role.is_leecher());
        let received: u64 = leechers.map(|peer| peer.received).sum();
        Figures {
            seed,
            complete: results.complete_share(),
            mean_completion: (count > 0.0).then(|| sum / count),
            last_completion: (count > 0.0).then(|| first.last.max(second.last)),
            utilisation: results.utilisation,
            waste: (received > 0).then(|| results.wasted() as f64 / received as f64),
            fairness: results.fairness_index,
            longest_stall: results.longest_stall,
        }
    }
}

/// What is known of one variant.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) complete: Option<Estimate>,
    pub(super) mean_completion: Option<Estimate>,
    pub(super) last_completion: Option<Estimate>,
    pub(super) utilisation: Option<Estimate>,
    pub(super) waste: Option<Estimate>,
    pub(super) fairness: Option<Estimate>,
    pub(super) longest_stall: Option<Estimate>,
    /// Of the mean completion, to the first variant's, seed by seed.
    pub(super) mean_ratio: Option<Estimate>,
    /// Of the last completion.
    pub(super) last_ratio: Option<Estimate>,
    pub(super) runs: Vec<Figures>,
}

/// All variants, the first is what the others are compared with.
#[derive(Clone, Debug)]
pub(super) struct Compared(pub(super) Vec<Known>);

impl Compared {
    pub(super) fn new(variants: &[Variant], results: &[Vec<Results>]) -> Self {
        let figures = |(variant, results): (&Variant, &Vec<Results>)| -> Vec<Figures> {
            let seeds = variant.scenario.seed..;
            let runs = seeds.zip(results);
            runs.map(|(seed, results)| Figures::new(seed, results))
                .collect()
        };
        let all: Vec<Vec<Figures>> = variants.iter().zip(results).map(figures).collect();
        let known = |(number, runs): (usize, &Vec<Figures>)| {
            known(variants[number].name.clone(), runs, &all[0], number > 0)
        };
        Compared(all.iter().enumerate().map(known).collect())
    }
}

fn known(name: String, runs: &[Figures], first: &[Figures], compare: bool) -> Known {
    let of = |figure: fn(&Figures) -> Option<f64>| {
        let figures: Vec<f64> = runs.iter().filter_map(figure).collect();
        Estimate::of(&figures)
    };
    // Runs in which both have a figure.
    let ratio = |figure: fn(&Figures) -> Option<f64>| {
        let pairs = runs.iter().zip(first);
        let both = pairs.filter_map(|(run, first)| Some((figure(run)?, figure(first)?)));
        let (runs, first): (Vec<f64>, Vec<f64>) = both.filter(|(_, first)| *first > 0.0).unzip();
        Estimate::of_ratios(&runs, &first).filter(|_| compare)
    };
    Known {
        name,
        complete: of(|run| Some(run.complete)),
        mean_completion: of(|run| run.mean_completion),
        last_completion: of(|run| run.last_completion),
        utilisation: of(|run| Some(run.utilisation)),
        waste: of(|run| run.waste),
        fairness: of(|run| run.fairness),
        longest_stall: of(|run| Some(run.longest_stall)),
        mean_ratio: ratio(|run| run.mean_completion),
        last_ratio: ratio(|run| run.last_completion),
        runs: runs.to_vec(),
    }
}
