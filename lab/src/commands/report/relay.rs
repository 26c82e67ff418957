//! A relay that can pass on only so much.

use swarm_lab::Scenario;
use swarm_lab::charts::{Series, line_chart};

use super::{Writer, base, estimate};

pub(super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let peers = writer.choose(10, 20);
    let scenario = Scenario {
        leechers: peers,
        ..base()
    };
    let all = f64::from(peers + 1) * scenario.leecher_link.up;
    writer.paragraph(&format!(
        "Every block goes through the relay. {peers} peers and a seeder can upload {:.2} MB/s \
         together; here the relay passes on so much and no more, all channels together. No \
         swarm can be faster than N·F over that capacity.",
        all / 1e6
    ));
    let mut variants = vec![(None, scenario.clone())];
    for part in [1.0, 0.75, 0.5, 0.25, 0.125] {
        let limited = Scenario {
            relay_capacity: Some(all * part),
            ..scenario.clone()
        };
        variants.push((Some(part), limited));
    }
    let seeds = writer.choose(1, 3);
    let played = writer.play("relay", &variants, |_| seeds)?;
    let bytes = f64::from(scenario.pieces) * f64::from(scenario.piece_length) * f64::from(peers);
    let mut rows = Vec::new();
    let mut measured = Series {
        name: "last completion".to_owned(),
        ..Series::default()
    };
    let mut bound = Series {
        name: "N·F over the capacity".to_owned(),
        ..Series::default()
    };
    for (part, results) in &played {
        let last = estimate(results, |r| r.completion.last);
        let least = part.map(|part| bytes / (all * part));
        rows.push(vec![
            part.map_or("no limit".to_owned(), |part| {
                format!("{:.2} MB/s", all * part / 1e6)
            }),
            format!("{last} s"),
            least.map_or("–".to_owned(), |least| format!("{least:.1} s")),
            least.map_or("–".to_owned(), |least| {
                format!("{:.2}", last.mean / least)
            }),
        ]);
        if let (Some(part), Some(least)) = (part, least) {
            let capacity = all * part / 1e6;
            measured.points.push((capacity, last.mean));
            bound.points.push((capacity, least));
        }
    }
    // In the order of x.
    measured.points.reverse();
    bound.points.reverse();
    writer.table(
        &["Capacity", "Last completion", "N·F ÷ capacity", "Ratio"],
        &rows,
    );
    let svg = line_chart(
        "A relay of limited capacity",
        "Capacity, MB/s",
        "Seconds",
        &[measured, bound],
    )?;
    writer.chart("relay", "The last completion against the capacity", &svg)
}
