//! Peers that come and go.

use swarm_lab::Scenario;
use swarm_lab::charts::{Series, log_line_chart};
use swarm_lab::scenario::{Arrivals, Stay};

use super::{Writer, base, estimate};

pub(super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let peers = writer.choose(100, 120);
    writer.paragraph(&format!(
        "{peers} peers come one after the other, one every two seconds on average, and leave \
         after an exponentially distributed time, complete or not; 200 pieces of 64 KiB, which \
         take a peer about a minute. *With a seeder* it stays to the end; *without*, it leaves \
         after two minutes, and what survives is what the peers keep between them. The share \
         is of all peers that ever came: who leaves early could not have completed in any \
         swarm, so even with a seeder it stays below 1."
    ));
    let stays = writer.choose(vec![60.0, 240.0], vec![30.0, 60.0, 120.0, 240.0, 480.0]);
    let mut variants = Vec::new();
    for leaves in [None, Some(120.0)] {
        for &stay in &stays {
            let scenario = Scenario {
                pieces: 200,
                leechers: peers,
                arrivals: Arrivals::Poisson(0.5),
                stay: Stay::Exponential(stay),
                seeders_leave_after: leaves,
                time_limit: 7200.0,
                ..base()
            };
            variants.push(((leaves.is_none(), stay), scenario));
        }
    }
    let seeds = writer.choose(3, 5);
    let played = writer.play("churn", &variants, |_| seeds)?;
    let mut rows = Vec::new();
    let mut series = [true, false].map(|seeder| Series {
        name: if seeder {
            "with a seeder".to_owned()
        } else {
            "the seeder leaves after 120 s".to_owned()
        },
        ..Series::default()
    });
    for ((seeder, stay), results) in &played {
        let complete = estimate(results, |r| r.complete_share());
        let late = estimate(results, |r| {
            let late = r
                .peers
                .iter()
                .filter(|p| p.role.is_leecher() && p.arrived > 150.0);
            let (mut all, mut done) = (0.0, 0.0);
            for peer in late {
                all += 1.0;
                done += f64::from(u8::from(peer.completed.is_some()));
            }
            done / f64::max(all, 1.0)
        });
        rows.push(vec![
            if *seeder { "stays" } else { "leaves" }.to_owned(),
            format!("{stay:.0} s"),
            format!("{complete}"),
            format!("{late}"),
        ]);
        let series = &mut series[usize::from(!seeder)];
        let (low, high) = complete.interval();
        series.points.push((*stay, complete.mean));
        series.band.push((*stay, low, high));
    }
    writer.table(
        &[
            "The seeder",
            "Mean stay",
            "Share that completed",
            "… of those who came after 150 s",
        ],
        &rows,
    );
    let svg = log_line_chart(
        "Peers that complete",
        "Mean stay, seconds",
        "Share of all that came",
        &series,
    )?;
    writer.chart("churn", "The share against the mean stay", &svg)
}
