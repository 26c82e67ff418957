//! Whether the better of two ways is found, and what that is worth.

use swarm_lab::scenario::{DirectLinks, RelayUse};
use swarm_lab::statistics::Estimate;
use swarm_lab::{Results, Scenario};

use super::{Writer, base, estimate, figures};

/// What becomes of the relay, from the first, which the others are compared with.
const USES: [(RelayUse, &str); 3] = [
    (RelayUse::Fixed, "fixed"),
    (RelayUse::Free, "free"),
    (RelayUse::Spare, "spare"),
];

pub(super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let peers = writer.choose(10, 30);
    writer.paragraph(&format!(
        "Which way is the better depends on where the relay is and what it has to do. In the same \
         swarm the relay now passes on a quarter of what all lines could send, or is 150 ms away \
         from everybody, or links carry {SLOW} kB/s each; where nothing else is said, all pairs can be \
         linked. *Fixed*: the relay carries everything as long as it is there. *Free*: of each \
         pair, the one that gets more tries the link once it has waited for blocks for 5 s, and stays \
         there if it brings half as much again, or as much by half as long a way. *Spare*: the link, \
         as soon as it is there. The ratio is of mean completion times, to those of *fixed*, seed \
         by seed: below 1, links save time."
    ));
    let swarms = swarms(peers);
    let mut variants = Vec::new();
    for (name, scenario) in &swarms {
        for (relay, word) in USES {
            let scenario = Scenario {
                relay,
                ..scenario.clone()
            };
            variants.push(((*name, word), scenario));
        }
    }
    let seeds = writer.choose(2, 4);
    let played = writer.play("the better way", &variants, |_| seeds)?;
    let mut rows = Vec::new();
    for of_one in played.chunks(USES.len()) {
        let fixed = figures(&of_one[0].1, mean);
        for ((name, word), results) in of_one {
            let ratio = Estimate::of_ratios(&figures(results, mean), &fixed);
            rows.push(vec![
                (*name).to_owned(),
                (*word).to_owned(),
                format!("{} %", estimate(results, |r| 100.0 * r.relayed_share())),
                format!("{} s", estimate(results, mean)),
                format!("{} s", estimate(results, |r| r.completion.last)),
                ratio.expect("as many seeds of each").to_string(),
                format!("{} s", estimate(results, |r| r.longest_stall)),
            ]);
        }
    }
    writer.table(
        &[
            "Swarm",
            "Relay",
            "Through the relay",
            "Mean completion",
            "Last completion",
            "Ratio",
            "Longest stall",
        ],
        &rows,
    );
    Ok(())
}

/// What a slow link carries, in kB/s: less than a tenth of a line.
const SLOW: u32 = 20;

fn mean(results: &Results) -> f64 {
    results.completion.mean
}

fn swarms(peers: u32) -> Vec<(&'static str, Scenario)> {
    let near = Scenario {
        leechers: peers,
        direct: DirectLinks {
            unable: 0.0,
            ..DirectLinks::default()
        },
        time_limit: 7200.0,
        ..base()
    };
    let mut scarce = near.clone();
    scarce.relay_capacity = Some(f64::from(peers + 1) * near.leecher_link.up / 4.0);
    let mut hidden = scarce.clone();
    hidden.direct.unable = 0.6;
    let mut breaking = scarce.clone();
    breaking.direct.lifetime = Some(30.0);
    let mut far = near.clone();
    far.leecher_link.latency = 0.15;
    far.seeder_link.latency = 0.15;
    let mut slow = near.clone();
    slow.direct.rate = Some(f64::from(SLOW) * 1e3);
    vec![
        ("a relay nearby, with room for all", near),
        ("a scarce one", scarce),
        ("a scarce one, 60 % of pairs unable", hidden),
        ("a scarce one, links break after 30 s", breaking),
        ("a relay far away", far),
        ("slow links", slow),
    ]
}
