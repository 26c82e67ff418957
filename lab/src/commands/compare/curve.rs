//! Completion curves of many runs as one line and a band.

use swarm_lab::Results;
use swarm_lab::charts::Series;

use super::Variant;

/// How many times are looked at.
const STEPS: u32 = 240;

/// For each variant the mean over its runs, and the band in which all of them are.
pub(super) fn series(variants: &[Variant], runs: &[Vec<Results>]) -> Vec<Series> {
    let curves: Vec<Vec<Curve>> = runs
        .iter()
        .map(|runs| runs.iter().map(Results::completion_curve).collect())
        .collect();
    let ends = curves.iter().flatten().filter_map(|curve| curve.last());
    let end = ends.map(|(time, _)| *time).fold(0.0, f64::max) * 1.02;
    let times: Vec<f64> = (0..=STEPS)
        .map(|step| end * f64::from(step) / f64::from(STEPS))
        .collect();
    let line = |(variant, curves): (&Variant, &Vec<Curve>)| {
        let mut series = Series {
            name: variant.name.clone(),
            ..Series::default()
        };
        for &time in &times {
            let shares: Vec<f64> = curves.iter().map(|curve| share(curve, time)).collect();
            let mean = shares.iter().sum::<f64>() / shares.len() as f64;
            let low = shares.iter().copied().fold(1.0, f64::min);
            let high = shares.iter().copied().fold(0.0, f64::max);
            series.points.push((time, mean));
            series.band.push((time, low, high));
        }
        series
    };
    variants.iter().zip(&curves).map(line).collect()
}

type Curve = Vec<(f64, f64)>;

/// What was complete at this time.
fn share(curve: &Curve, time: f64) -> f64 {
    let after = curve.partition_point(|(at, _)| *at <= time);
    after.checked_sub(1).map_or(0.0, |last| curve[last].1)
}
