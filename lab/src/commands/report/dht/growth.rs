//! How lookups grow with the network.

use swarm_lab::charts::{Series, log_line_chart};
use swarm_lab::network::{NetworkScenario, NodeOptions};

use super::super::Writer;
use super::{estimate, figures, head, still};

pub(in super::super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let sizes: Vec<u32> = match writer.quick {
        true => vec![100, 1000],
        false => vec![100, 1000, 10_000, writer.largest_network],
    };
    writer.paragraph(
        "Networks of real nodes of the DHT, which send each other real datagrams. Round trips \
         between two of them are lognormal over pairs, with a median of 90 ms and σ = 0.6. All \
         know as many others, at random, as their buckets have room for, and all answer. \
         Torrents are announced by one node each, and a thousand times a node at random looks \
         for one of them. *Narrow*: k = 8 in all buckets; *wide*, the default: 128, 64, 32 and \
         16 in the first four. Hops are how many nodes told of one another on the way: 1 means \
         that whoever knew a peer was in one's own table. *Reached* is the share of the eight \
         nodes closest to the torrent, of those that are there, among the eight that a lookup \
         ends with.",
    );
    let mut variants = Vec::new();
    for narrow in [true, false] {
        for &nodes in sizes.iter().rev() {
            let scenario = NetworkScenario {
                node: NodeOptions {
                    narrow,
                    ..still(nodes).node
                },
                ..still(nodes)
            };
            variants.push(((narrow, nodes), scenario));
        }
    }
    let seeds = writer.choose(2, 3);
    let seeds = |scenario: &NetworkScenario| match scenario.nodes {
        50_000.. => 1,
        _ => seeds,
    };
    let mut played = writer.play_networks("networks", &variants, seeds)?;
    played.reverse();
    played.sort_by_key(|((narrow, nodes), _)| (!narrow, *nodes));
    let mut rows = Vec::new();
    let mut series: Vec<Series> = Vec::new();
    for ((narrow, nodes), results) in &played {
        let buckets = if *narrow { "narrow" } else { "wide" };
        let hops = estimate(results, |run| {
            run.quantiles(|lookup| f64::from(lookup.hops)).mean
        });
        let most = estimate(results, |run| {
            run.quantiles(|lookup| f64::from(lookup.hops)).max
        });
        let mut row = vec![buckets.to_owned(), nodes.to_string()];
        row.extend(figures(results));
        row.push(format!("{hops}, at most {:.0}", most.mean));
        row.push(format!(
            "{} %",
            estimate(results, |run| 100.0 * run.recall())
        ));
        rows.push(row);
        let to_first = estimate(results, |run| super::hops_to_first(run).mean);
        for (which, hops) in [("the closest node", hops), ("the first peer", to_first)] {
            let name = format!("{buckets}, to {which}");
            let at = f64::from(*nodes);
            let (low, high) = hops.interval();
            let index = series.iter().position(|series| series.name == name);
            let index = index.unwrap_or_else(|| {
                series.push(Series {
                    name,
                    ..Series::default()
                });
                series.len() - 1
            });
            series[index].points.push((at, hops.mean));
            if low.is_finite() {
                series[index].band.push((at, low, high));
            }
        }
    }
    writer.table(
        &head(
            &["Buckets", "Nodes"],
            &["Hops to the closest node", "Reached"],
        ),
        &rows,
    );
    let svg = log_line_chart(
        "Hops grow with the logarithm of the network",
        "Nodes",
        "Hops, mean",
        &series,
    )?;
    writer.chart("dht-growth", "Hops against the number of nodes", &svg)
}
