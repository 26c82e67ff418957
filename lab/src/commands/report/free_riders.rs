//! Peers that take and never give, with choking on and off.

use swarm_lab::charts::{Series, line_chart};
use swarm_lab::snapshot::Role;
use swarm_lab::{Results, Scenario};

use super::{Writer, base, estimate};

pub(super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let pieces = 400;
    writer.paragraph(&format!(
        "30 peers and one seeder, {pieces} pieces of 64 KiB; a share of the peers never \
         uploads. Without choking everybody is unchoked at all times. Completion times are \
         means. The last column is what a free-rider had over what a contributor had at the \
         moment at which the mean contributor was complete: while contributors compete for \
         slots. After that they seed, and free-riders get the rest quickly, which is why all \
         complete."
    ));
    let shares = writer.choose(vec![0.0, 0.34], vec![0.0, 0.2, 0.34, 0.5]);
    let mut variants = Vec::new();
    for choking in [true, false] {
        for &share in &shares {
            let scenario = Scenario {
                pieces,
                leechers: 30,
                free_riders: share,
                choking,
                ..base()
            };
            variants.push(((choking, share), scenario));
        }
    }
    let seeds = writer.choose(3, 5);
    let played = writer.play("free-riders", &variants, |_| seeds)?;
    // The same once more, up to the moment at which the mean contributor is complete.
    let halves: Vec<_> = variants
        .iter()
        .zip(&played)
        .map(|((key, scenario), (_, results))| {
            let halfway = Scenario {
                time_limit: estimate(results, |r| r.completion.mean).mean,
                ..scenario.clone()
            };
            (*key, halfway)
        })
        .collect();
    let halfway = writer.play("free-riders, half way", &halves, |_| seeds)?;
    // The same contributors without any free-rider.
    let alone: Vec<(f64, Scenario)> = shares
        .iter()
        .map(|&share| {
            let free = (30.0 * share).round() as u32;
            let scenario = Scenario {
                pieces,
                leechers: 30 - free,
                ..base()
            };
            (share, scenario)
        })
        .collect();
    let alone = writer.play("contributors alone", &alone, |_| seeds)?;
    let mut rows = Vec::new();
    let mut series: Vec<Series> = Vec::new();
    for (((choking, share), results), (_, halfway)) in played.iter().zip(&halfway) {
        let contributors = estimate(results, |r| r.completion.mean);
        let riders = (*share > 0.0).then(|| estimate(results, |r| r.free_rider_completion.mean));
        let by_themselves = alone
            .iter()
            .find(|(other, _)| other == share)
            .map(|(_, results)| estimate(results, |r| r.completion.mean).mean)
            .unwrap_or(f64::NAN);
        rows.push(vec![
            if *choking { "on" } else { "off" }.to_owned(),
            format!("{:.0} %", share * 100.0),
            format!("{contributors} s"),
            format!("{:.2}", contributors.mean / by_themselves),
            riders.map_or("–".to_owned(), |riders| format!("{riders} s")),
            riders.map_or("–".to_owned(), |_| {
                format!("{:.0} %", 100.0 * estimate(halfway, share_had).mean)
            }),
        ]);
        let state = if *choking { "on" } else { "off" };
        let point = |time: f64| (share * 100.0, time);
        add(
            &mut series,
            &format!("contributors, choking {state}"),
            point(contributors.mean),
        );
        if let Some(riders) = riders {
            add(
                &mut series,
                &format!("free-riders, choking {state}"),
                point(riders.mean),
            );
        }
    }
    writer.table(
        &[
            "Choking",
            "Free-riders",
            "Contributors complete",
            "÷ without any",
            "Free-riders complete",
            "A free-rider had by then",
        ],
        &rows,
    );
    let svg = line_chart(
        "Mean completion time",
        "Free-riders, % of the peers",
        "Seconds",
        &series,
    )?;
    writer.chart(
        "free-riders",
        "Completion against the share of free-riders",
        &svg,
    )
}

/// Mean pieces at the end, of free-riders over contributors.
fn share_had(results: &Results) -> f64 {
    let had = |role: Role| {
        let peers = results.peers.iter().filter(|peer| peer.role == role);
        let pieces: Vec<f64> = peers.map(|peer| f64::from(peer.pieces)).collect();
        pieces.iter().sum::<f64>() / pieces.len().max(1) as f64
    };
    had(Role::FreeRider) / had(Role::Contributor)
}

fn add(series: &mut Vec<Series>, name: &str, point: (f64, f64)) {
    match series.iter_mut().find(|series| series.name == name) {
        Some(series) => series.points.push(point),
        None => series.push(Series {
            name: name.to_owned(),
            points: vec![point],
            band: Vec::new(),
        }),
    }
}
