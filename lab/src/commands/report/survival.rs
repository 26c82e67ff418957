//! The tracker and relay dies when half of the time is over.

use swarm_lab::Scenario;
use swarm_lab::charts::{Series, line_chart};
use swarm_lab::scenario::{DirectLinks, Outage, RelayUse};

use super::{Writer, base, estimate};

/// Half of the time that the whole takes, in seconds.
const HALF: f64 = 55.0;

pub(super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let peers = writer.choose(20, 30);
    writer.paragraph(&format!(
        "{peers} peers and a seeder, 400 pieces of 64 KiB, which take some 110 s. The relay is \
         free, so all talk through it, and links stand by; {HALF:.0} s after the beginning the \
         server, which is tracker and relay in one, dies for good. A peer agrees \
         on a link through the server only while it has fewer than so many; one pair in five \
         cannot be linked. *Without* introductions there are from then on the links that are \
         there. *With* them, as in tabs, whoever is linked tells of its neighbours and carries \
         descriptions for them, before and after, until each has twelve links. That joins no two \
         parts of a swarm between which there is not a single link; it makes each of them dense. Half of the \
         pieces are with the seeder alone when the server dies, so whoever is to complete needs a \
         way to it. Without a single link a transfer ends with the server."
    ));
    let limits: Vec<u32> = writer.choose(vec![0, 2, 4], vec![0, 1, 2, 3, 4, 6, 8, 12]);
    let variants: Vec<((bool, u32), Scenario)> = [false, true]
        .into_iter()
        .flat_map(|introductions| {
            let of = move |&most| ((introductions, most), scenario(peers, most, introductions));
            limits.iter().map(of)
        })
        .collect();
    let seeds = writer.choose(2, 4);
    let played = writer.play("survival", &variants, |_| seeds)?;
    let mut rows = Vec::new();
    let mut series = ["without introductions", "with introductions"].map(|name| Series {
        name: name.to_owned(),
        ..Series::default()
    });
    for ((introductions, most), results) in &played {
        let series = &mut series[usize::from(*introductions)];
        let complete = estimate(results, |r| 100.0 * r.complete_share());
        let pieces = estimate(results, |r| {
            let leechers = r.peers.iter().filter(|peer| peer.role.is_leecher());
            let had: u32 = leechers.map(|peer| peer.pieces).sum();
            f64::from(had) / 4.0 / f64::from(peers)
        });
        let links = estimate(results, |r| r.links as f64 / f64::from(peers + 1) * 2.0);
        let last = match complete.mean > 0.0 {
            true => format!("{} s", estimate(results, |r| r.completion.last)),
            false => "–".to_owned(),
        };
        rows.push(vec![
            if *introductions { "with" } else { "without" }.to_owned(),
            most.to_string(),
            links.to_string(),
            format!("{complete} %"),
            format!("{pieces} %"),
            last,
        ]);
        let (low, high) = complete.interval();
        let most = f64::from(*most);
        series.points.push((most, complete.mean));
        series.band.push((most, low.max(0.0), high.min(100.0)));
    }
    writer.table(
        &[
            "Introductions",
            "Links, most",
            "Links made, a peer",
            "Transfers that complete",
            "Pieces in the end",
            "Last completion",
        ],
        &rows,
    );
    let svg = line_chart(
        "The server dies at half time",
        "Direct links that a peer may have",
        "Transfers that complete, %",
        &series,
    )?;
    writer.chart(
        "survival",
        "Transfers that complete against the number of links",
        &svg,
    )
}

fn scenario(peers: u32, most: u32, introductions: bool) -> Scenario {
    Scenario {
        leechers: peers,
        relay: RelayUse::Fixed,
        direct: DirectLinks {
            most: Some(most),
            introductions,
            ..DirectLinks::default()
        },
        outages: vec![Outage {
            at: HALF,
            lasts: 1e6,
        }],
        // Whoever has not completed by then is cut off.
        time_limit: 400.0,
        ..base()
    }
}
