//! Nodes that come and go.

use swarm_lab::charts::{Series, line_chart};
use swarm_lab::network::{NetworkResults, NetworkScenario, NodeOptions};

use super::super::Writer;
use super::{base, estimate, figures, head};

/// Minutes: a desktop's sessions, and those of the worst that Bamboo was measured with (Rhea
/// and others, 2004).
const MEDIANS: [f64; 3] = [60.0, 10.0, 1.4];
/// Minutes from one point of the chart to the next.
const STEP: f64 = 2.5;

pub(in super::super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let nodes = writer.choose(200, 500);
    let span = writer.choose(300.0, 900.0);
    writer.paragraph(&format!(
        "{nodes} nodes, which stay for exponentially distributed times of the given median; for \
         each that goes, without a word, another joins at once through one of three bootstrap \
         nodes. The nodes that announce stay, and announce every 15 minutes (libtorrent's \
         interval), those that look are any that have joined. Lookups are spread over {:.0} \
         minutes from the first announce on. Nobody passes on what was announced to the nodes \
         that come into its neighbourhood (BEP 5 knows no such thing), so what is found decays \
         with those who took the announce, whatever the lookups do. *Reached* says how well \
         they do: the share of the eight closest nodes that are there. Traffic is of the \
         nodes' own upkeep and joins.",
        span / 60.0
    ));
    let seeds = writer.choose(1, 3);
    let scenario = |median: f64, announce: Option<f64>| NetworkScenario {
        churn: Some(60.0 * median),
        // The table has forgotten how it began.
        idle: (4.0 * 60.0 * median).clamp(300.0, 900.0),
        span,
        node: NodeOptions {
            announce_interval: announce,
            ..NodeOptions::default()
        },
        ..base(nodes)
    };
    let mut variants: Vec<((f64, f64), NetworkScenario)> = MEDIANS
        .iter()
        .map(|&median| ((median, 15.0), scenario(median, None)))
        .collect();
    variants.push(((1.4, 1.0), scenario(1.4, Some(60.0))));
    let played = writer.play_networks("churn of the DHT", &variants, |_| seeds)?;
    let mut rows = Vec::new();
    let mut series = Vec::new();
    for ((median, announce), results) in &played {
        let percent = |figure: &dyn Fn(&NetworkResults) -> f64| {
            format!("{} %", estimate(results, |run| 100.0 * figure(run)))
        };
        let mut row = vec![format!("{median} min"), format!("{announce:.0} min")];
        row.extend(figures(results));
        row.push(percent(&|run| run.recall()));
        row.push(percent(&|run| run.table.alive));
        row.push(format!("{} s", estimate(results, |run| run.joins.p50)));
        row.push(format!("{} B/s", estimate(results, |run| run.idle_sent)));
        rows.push(row);
        series.push(decay(
            &format!("{median} min, announced every {announce:.0}"),
            results,
        ));
    }
    writer.table(
        &head(
            &["Median stay", "Announced every"],
            &["Reached", "Table there", "Join took, p50", "Sent by a node"],
        ),
        &rows,
    );
    let svg = line_chart(
        "What is found, by when it was announced",
        "Minutes since the announce",
        "Found, %",
        &series,
    )?;
    writer.chart(
        "dht-churn",
        "Found against the time since the announce",
        &svg,
    )
}

/// What was found so long after the announce.
fn decay(name: &str, results: &[NetworkResults]) -> Series {
    let mut series = Series {
        name: name.to_owned(),
        ..Series::default()
    };
    let lookups = || results.iter().flat_map(|run| &run.lookups);
    for step in 0..6 {
        let from = f64::from(step) * STEP * 60.0;
        let within = lookups().filter(|lookup| {
            let since = lookup.announced.unwrap_or(f64::NAN);
            (from..from + STEP * 60.0).contains(&since)
        });
        let (mut all, mut found) = (0.0, 0.0);
        for lookup in within {
            all += 1.0;
            found += f64::from(u8::from(lookup.found));
        }
        // Of fewer nothing can be said.
        if all >= 20.0 {
            let at = (f64::from(step) + 0.5) * STEP;
            series.points.push((at, 100.0 * found / all));
        }
    }
    series
}
