//! Dead nodes, and what each rule of Kademlia, and of those who came after, is worth.

use swarm_lab::charts::{Series, line_chart};
use swarm_lab::network::{NetworkScenario, NodeOptions};

use super::super::Writer;
use super::{estimate, figures, head, still};

pub(in super::super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let nodes = writer.choose(1000, 10_000);
    let seeds = writer.choose(2, 3);
    shares(writer, nodes, seeds)?;
    rules(writer, writer.choose(1000, 3000), seeds)
}

fn shares(writer: &mut Writer, nodes: u32, seeds: u64) -> anyhow::Result<()> {
    writer.paragraph(&format!(
        "{nodes} nodes as above; once everything is announced, a share of them dies at once, \
         without a word, and lookups begin in the same moment, so that nobody has had time to \
         forget the dead. No lookup can find a torrent of which all eight nodes that took the \
         announce are dead: the bound is 1 less that share to the power of eight."
    ));
    let dead = [0.0, 0.1, 0.3, 0.5, 0.7];
    let variants: Vec<(f64, NetworkScenario)> = dead
        .iter()
        .map(|&dead| {
            let scenario = NetworkScenario {
                dead,
                ..still(nodes)
            };
            (dead, scenario)
        })
        .collect();
    let played = writer.play_networks("dead nodes", &variants, |_| seeds)?;
    let mut rows = Vec::new();
    let mut found = Series {
        name: "found".to_owned(),
        ..Series::default()
    };
    let mut bound = Series {
        name: "bound".to_owned(),
        ..Series::default()
    };
    for (dead, results) in &played {
        let possible = 100.0 * (1.0 - dead.powi(8));
        let mut row = vec![format!("{:.0} %", 100.0 * dead), format!("{possible:.2} %")];
        row.extend(figures(results));
        rows.push(row);
        let share = estimate(results, |run| 100.0 * run.found());
        let (low, high) = share.interval();
        found.points.push((100.0 * dead, share.mean));
        found.band.push((100.0 * dead, low, high.min(100.0)));
        bound.points.push((100.0 * dead, possible));
    }
    writer.table(&head(&["Dead", "Bound"], &[]), &rows);
    let svg = line_chart(
        "Torrents that are found among the dead",
        "Dead nodes, %",
        "Found, %",
        &[found, bound],
    )?;
    writer.chart("dht-dead", "Found against the share of dead nodes", &svg)
}

fn rules(writer: &mut Writer, nodes: u32, seeds: u64) -> anyhow::Result<()> {
    writer.paragraph(&format!(
        "What each rule is worth: {nodes} nodes, 30 % of them dead and 2 % of all datagrams lost, one \
         rule changed at a time. The short timeout is the least time after which a lookup goes on \
         without an answer, 0.5 s by default; 15 s is to wait as libtorrent waits for whoever is among the closest. A narrow k of 20 \
         is IPFS's."
    ));
    let node = || still(nodes).node;
    let rules: Vec<(&str, NodeOptions)> = vec![
        ("the default", node()),
        (
            "narrow buckets",
            NodeOptions {
                narrow: true,
                ..node()
            },
        ),
        (
            "k = 4, narrow",
            NodeOptions {
                k: Some(4),
                narrow: true,
                ..node()
            },
        ),
        (
            "k = 20, narrow",
            NodeOptions {
                k: Some(20),
                narrow: true,
                ..node()
            },
        ),
        (
            "20 closest",
            NodeOptions {
                closest: Some(20),
                ..node()
            },
        ),
        (
            "α = 1",
            NodeOptions {
                alpha: Some(1),
                ..node()
            },
        ),
        (
            "α = 3",
            NodeOptions {
                alpha: Some(3),
                ..node()
            },
        ),
        (
            "α = 8",
            NodeOptions {
                alpha: Some(8),
                ..node()
            },
        ),
        (
            "short timeout 0.25 s",
            NodeOptions {
                short_timeout: Some(0.25),
                ..node()
            },
        ),
        (
            "short timeout 1 s",
            NodeOptions {
                short_timeout: Some(1.0),
                ..node()
            },
        ),
        (
            "short timeout 15 s",
            NodeOptions {
                short_timeout: Some(15.0),
                ..node()
            },
        ),
    ];
    let variants: Vec<(&str, NetworkScenario)> = rules
        .into_iter()
        .map(|(rule, node)| {
            let scenario = NetworkScenario {
                dead: 0.3,
                loss: 0.02,
                node,
                ..still(nodes)
            };
            (rule, scenario)
        })
        .collect();
    let played = writer.play_networks("rules", &variants, |_| seeds)?;
    let rows: Vec<Vec<String>> = played
        .iter()
        .map(|(rule, results)| {
            let mut row = vec![(*rule).to_owned()];
            row.extend(figures(results));
            row
        })
        .collect();
    writer.table(&head(&["Rule"], &[]), &rows);
    Ok(())
}
