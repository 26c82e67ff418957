//! Direct links beside the relay.

use swarm_lab::Scenario;
use swarm_lab::charts::{Series, line_chart};
use swarm_lab::scenario::{DirectLinks, RelayUse};
use swarm_lab::statistics::Estimate;

use super::{Writer, base, estimate, figures};

/// What a row is.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    relay: RelayUse,
    unable: f64,
    lifetime: Option<f64>,
}

pub(super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let peers = writer.choose(10, 30);
    writer.paragraph(&format!(
        "{peers} peers and a seeder, 400 pieces of 64 KiB. *Only*: everything goes through the \
         relay. *Fixed*: pairs link directly as well once they have been of use to each other, \
         but go on talking through the relay, and the links stand by. *Spare*: they link at \
         once, and leave the relay as soon as they have. A link is 20 to 25 ms long, so half \
         as long as the way through the relay, takes what the lines of its two ends give, and \
         is there five round trips after the two have agreed on it. Some pairs cannot be \
         linked (NAT): they try for 15 s and go on through the relay. Links that break do so \
         without a word, after an exponentially distributed time; both ends notice after 10 s, \
         and whatever was on its way is lost. The ratio is of mean completion times, to those \
         of *only*, seed by seed: above 1, sparing the relay costs time."
    ));
    let only = Key {
        relay: RelayUse::Only,
        unable: 0.0,
        lifetime: None,
    };
    let spare = |unable, lifetime| Key {
        relay: RelayUse::Spare,
        unable,
        lifetime,
    };
    let fixed = Key {
        relay: RelayUse::Fixed,
        ..spare(0.2, None)
    };
    let mut keys = vec![only, fixed];
    let shares = writer.choose(vec![0.0, 0.2, 0.8], vec![0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0]);
    keys.extend(shares.iter().map(|&share| spare(share, None)));
    let lifetimes = writer.choose(vec![30.0], vec![120.0, 30.0, 10.0]);
    keys.extend(lifetimes.iter().map(|&mean| spare(0.2, Some(mean))));
    let variants: Vec<(Key, Scenario)> = keys
        .iter()
        .map(|key| (*key, scenario(key, peers)))
        .collect();
    let seeds = writer.choose(2, 4);
    let played = writer.play("direct links", &variants, |_| seeds)?;
    let alone = figures(&played[0].1, |r| r.completion.mean);
    let mut rows = Vec::new();
    let mut relayed = Series {
        name: "through the relay".to_owned(),
        ..Series::default()
    };
    let mut unable = Series {
        name: "pairs that cannot be linked".to_owned(),
        ..Series::default()
    };
    for (key, results) in &played {
        let means = figures(results, |r| r.completion.mean);
        let ratio = Estimate::of_ratios(&means, &alone).expect("as many seeds of each");
        let share = estimate(results, |r| 100.0 * r.relayed_share());
        let links = estimate(results, |r| r.links as f64 / f64::from(peers + 1) * 2.0);
        let linked = key.relay != RelayUse::Only;
        let broken = estimate(results, |r| r.links_broken as f64);
        let if_linked = |text: String| if linked { text } else { "–".to_owned() };
        rows.push(vec![
            match key.relay {
                RelayUse::Only => "only",
                RelayUse::Free => "free",
                RelayUse::Fixed => "fixed",
                RelayUse::Spare => "spare",
            }
            .to_owned(),
            if_linked(format!("{:.0} %", key.unable * 100.0)),
            if_linked(key.lifetime.map_or("never".to_owned(), |mean| {
                format!("after {mean:.0} s: {broken}")
            })),
            if_linked(links.to_string()),
            format!("{share} %"),
            format!("{} s", estimate(results, |r| r.completion.mean)),
            format!("{} s", estimate(results, |r| r.completion.last)),
            if_linked(ratio.to_string()),
            format!("{} s", estimate(results, |r| r.longest_stall)),
        ]);
        if key.relay == RelayUse::Spare && key.lifetime.is_none() {
            let (low, high) = share.interval();
            relayed.points.push((100.0 * key.unable, share.mean));
            relayed.band.push((100.0 * key.unable, low, high));
            unable.points.push((100.0 * key.unable, 100.0 * key.unable));
        }
    }
    writer.table(
        &[
            "Relay",
            "Unable pairs",
            "Links that broke",
            "Links of a peer",
            "Through the relay",
            "Mean completion",
            "Last completion",
            "Ratio",
            "Longest stall",
        ],
        &rows,
    );
    let svg = line_chart(
        "What is left to a relay that is to be spared",
        "Pairs that cannot be linked, %",
        "Payload through the relay, %",
        &[relayed, unable],
    )?;
    writer.chart(
        "direct",
        "What the relay carries against the share of unable pairs",
        &svg,
    )
}

fn scenario(key: &Key, peers: u32) -> Scenario {
    Scenario {
        leechers: peers,
        relay: key.relay,
        direct: DirectLinks {
            unable: key.unable,
            lifetime: key.lifetime,
            ..DirectLinks::default()
        },
        time_limit: 7200.0,
        ..base()
    }
}
