//! Sequential against rarest first.

use swarm_core::pieces::{BLOCK, Strategy};
use swarm_lab::charts::{Labels, Series, dot_chart};
use swarm_lab::scenario::{AccessLink, Start};
use swarm_lab::statistics::Estimate;
use swarm_lab::{Results, Scenario};

use super::{Writer, base, estimate, figures, link};

/// Bytes a second up for the long pieces.
const SLOW: f64 = 62.5e3;

#[derive(Clone, PartialEq)]
struct Key {
    shape: &'static str,
    start: Start,
    peers: u32,
    strategy: Strategy,
}

pub(super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    writer.paragraph(
        "*Centralized*: one seeder has everything, the others nothing. *Spread out*: there is \
         one copy of each piece, spread uniformly over the peers, and no seeder. The torrents: \
         400 pieces of 64 KiB, and ten long pieces, as of ten files of 100 MB. Pieces of 100 MB \
         are neither allowed by the engine nor bearable in a simulator that moves real bytes, \
         so these are of 1.5 MiB, a 64th, over lines of 62.5 kB/s, a 16th of a megabyte a \
         second: each takes a line 25 seconds. The figure that counts is the ratio of the mean \
         completion times, sequential over rarest first, taken seed by seed: above 1, rarest \
         first is faster.",
    );
    let peers = writer.choose(vec![5, 10], vec![5, 10, 50, 200]);
    let mut variants = Vec::new();
    for shape in ["10 long pieces", "400 × 64 KiB"] {
        for start in [Start::Centralized, Start::SpreadOut] {
            for &count in &peers {
                for strategy in [Strategy::Sequential, Strategy::RarestFirst] {
                    let key = Key {
                        shape,
                        start,
                        peers: count,
                        strategy,
                    };
                    let scenario = scenario(&key);
                    variants.push((key, scenario));
                }
            }
        }
    }
    // With two or three seeds, Student's t makes an interval of any spread a wide one.
    let (few, many) = writer.choose((3, 2), (5, 4));
    let played = writer.play("strategies", &variants, |scenario| {
        if scenario.leechers >= 200 { many } else { few }
    })?;
    let of = |key: &Key| {
        let found = played.iter().find(|(played, _)| played == key);
        found
            .map(|(_, results)| results.as_slice())
            .unwrap_or_default()
    };
    let mut rows = Vec::new();
    let mut series: Vec<Series> = Vec::new();
    for (key, rarest) in &played {
        if key.strategy != Strategy::RarestFirst {
            continue;
        }
        let sequential = of(&Key {
            strategy: Strategy::Sequential,
            ..key.clone()
        });
        let Some(ratio) = Estimate::of_ratios(&means(sequential), &means(rarest)) else {
            continue;
        };
        let start = name(key.start);
        rows.push(vec![
            key.shape.to_owned(),
            start.to_owned(),
            key.peers.to_string(),
            format!("{} s", estimate(sequential, |r| r.completion.mean)),
            format!("{} s", estimate(rarest, |r| r.completion.mean)),
            format!("{ratio}"),
            ratio.runs.to_string(),
            words(&ratio).to_owned(),
        ]);
        let label = format!("{}, {start}", key.shape);
        let peers = f64::from(key.peers);
        let (low, high) = ratio.interval();
        match series.iter_mut().find(|series| series.name == label) {
            Some(series) => {
                series.points.push((peers, ratio.mean));
                series.band.push((peers, low, high));
            }
            None => series.push(Series {
                name: label,
                points: vec![(peers, ratio.mean)],
                band: vec![(peers, low, high)],
            }),
        }
    }
    writer.table(
        &[
            "Torrent",
            "Start",
            "Peers",
            "Sequential, mean",
            "Rarest first, mean",
            "Ratio",
            "Seeds",
            "",
        ],
        &rows,
    );
    let labels = Labels {
        title: "Mean completion time, sequential over rarest first",
        x: "Peers",
        y: "Ratio",
        logarithmic_x: true,
    };
    let svg = dot_chart(labels, &series)?;
    writer.chart("strategies", "The ratio against the number of peers", &svg)
}

fn scenario(key: &Key) -> Scenario {
    let long = key.shape.starts_with("10 ");
    let rate = if long { SLOW } else { link().up };
    let line = AccessLink {
        up: rate,
        down: 4.0 * rate,
        ..AccessLink::default()
    };
    Scenario {
        pieces: if long { 10 } else { 400 },
        piece_length: if long { 96 * BLOCK } else { 64 << 10 },
        strategy: key.strategy,
        start: key.start,
        seeders: u32::from(key.start == Start::Centralized),
        leechers: key.peers,
        seeder_link: line,
        leecher_link: line,
        ..base()
    }
}

fn means(results: &[Results]) -> Vec<f64> {
    figures(results, |r| r.completion.mean)
}

fn name(start: Start) -> &'static str {
    match start {
        Start::Centralized => "centralized",
        Start::SpreadOut => "spread out",
    }
}

fn words(ratio: &Estimate) -> &'static str {
    match ratio.excludes(1.0) {
        true if ratio.mean > 1.0 => "rarest first is faster",
        true => "sequential is faster",
        false => "no difference shown",
    }
}
