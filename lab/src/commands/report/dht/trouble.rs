//! Losses, lies, Sybils, a network that is parted, and one that never was.

use swarm_lab::network::{NetworkResults, NetworkScenario, NodeOptions, Start};

use super::super::Writer;
use super::{base, estimate, figures, head, still};

pub(in super::super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let nodes = writer.choose(200, 1000);
    let seeds = writer.choose(1, 3);
    writer.paragraph(&format!(
        "{nodes} nodes. *Liars* answer every question with eight nodes that are not there, \
         closer to the target than any that is, and forget what they are told; they are in \
         everybody's table. *Sybils* are identities of one party, 64 around each torrent, \
         which tell of each other and forget what they are told; they may be in one network \
         (/24), or in as many as there are identities. *Parted*: half of the nodes can't reach \
         the other half for ten minutes, in which everything is announced on one side or the \
         other; lookups begin when they can again, *across* are those whose peer was on the \
         other side. *Joins*: nobody knows anybody but a few bootstrap nodes, and all join \
         within two minutes. *Alone*: the same without a bootstrap node, so that every node \
         assumes that it is the first of the network, which is the failure from which this \
         project began. What mends it is one node that all have heard of."
    ));
    let base = || NetworkScenario {
        torrents: 50,
        ..base(nodes)
    };
    let still = || NetworkScenario {
        torrents: 50,
        ..still(nodes)
    };
    let lossy = |loss| NetworkScenario { loss, ..still() };
    let lying = |liars| NetworkScenario { liars, ..still() };
    let sybils = |networks, many_per_subnet| NetworkScenario {
        sybils: 64 * 10,
        sybil_networks: networks,
        torrents: 10,
        node: NodeOptions {
            many_per_subnet,
            ..still().node
        },
        ..still()
    };
    let joins = |bootstrap| NetworkScenario {
        start: Start::Joins(120.0),
        bootstrap,
        idle: 120.0,
        ..base()
    };
    let variants: Vec<(&str, NetworkScenario)> = vec![
        ("nothing", still()),
        ("5 % of datagrams lost", lossy(0.05)),
        ("20 % lost", lossy(0.2)),
        ("10 % liars", lying(0.1)),
        ("30 % liars", lying(0.3)),
        ("Sybils in one network", sybils(1, false)),
        (
            "… without the rule of one place for a network",
            sybils(1, true),
        ),
        ("Sybils in 640 networks", sybils(640, false)),
        (
            "parted for ten minutes",
            NetworkScenario {
                partition: 0.5,
                idle: 580.0,
                ..base()
            },
        ),
        ("joins, 3 bootstrap nodes", joins(3)),
        (
            "… which are gone afterwards",
            NetworkScenario {
                bootstrap_goes: true,
                ..joins(3)
            },
        ),
        ("joins, 1 bootstrap node", joins(1)),
        ("alone, no bootstrap node", joins(0)),
    ];
    let played = writer.play_networks("trouble", &variants, |_| seeds)?;
    let mut rows = Vec::new();
    for (what, results) in &played {
        let percent = |figure: &dyn Fn(&NetworkResults) -> f64| {
            format!("{} %", estimate(results, |run| 100.0 * figure(run)))
        };
        let mut row = vec![(*what).to_owned()];
        row.extend(figures(results));
        row.push(percent(&|run| run.recall()));
        row.push(format!(
            "{:.0}",
            estimate(results, |run| run.table.contacts).mean
        ));
        row.push(match what.starts_with("parted") {
            true => percent(&across),
            false => "–".to_owned(),
        });
        rows.push(row);
    }
    writer.table(
        &head(
            &["What goes wrong"],
            &["Reached", "Contacts", "Found across"],
        ),
        &rows,
    );
    Ok(())
}

/// Of the lookups whose peer was on the other side.
fn across(run: &NetworkResults) -> f64 {
    let across = run.lookups.iter().filter(|lookup| lookup.across);
    let (mut all, mut found) = (0.0, 0.0);
    for lookup in across {
        all += 1.0;
        found += f64::from(u8::from(lookup.found));
    }
    found / f64::max(all, 1.0)
}
