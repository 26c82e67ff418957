//! How completion grows with the number of peers.

use swarm_lab::charts::{Series, log_line_chart};
use swarm_lab::scenario::AccessLink;
use swarm_lab::{Results, Scenario};

use super::{Writer, base, estimate, link};

pub(super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    writer.paragraph(
        "One seeder and N peers with equal lines. No way of distributing F bytes can be faster \
         than max(F/u_s, F/d_min, N·F/(u_s + Σu_i)): the seeder must send everything once, the \
         slowest line must take everything, and all lines together must send it N times. The \
         ratios are of the last, and of the mean, completion time to that bound. With 100 \
         pieces, over lines a quarter as fast, each piece takes four times as large a part of \
         the whole, and so does the time until everybody has one to trade.",
    );
    let many = writer.choose(vec![10, 50], vec![10, 50, 200, 1000]);
    let few = writer.choose(vec![10, 50, 200], vec![10, 50, 200, 1000, 5000]);
    let within = |peers: &u32| *peers <= writer.largest;
    let many: Vec<u32> = many.into_iter().filter(within).collect();
    let few: Vec<u32> = few.into_iter().filter(within).collect();
    // The longest run first, so that no core ends alone with it.
    let mut variants: Vec<((u32, u32), Scenario)> = Vec::new();
    for &peers in few.iter().rev() {
        let up = link().up / 4.0;
        let line = AccessLink {
            up,
            down: 4.0 * up,
            ..link()
        };
        let scenario = Scenario {
            pieces: 100,
            leechers: peers,
            seeder_link: line,
            leecher_link: line,
            ..base()
        };
        variants.push(((100, peers), scenario));
    }
    for &peers in many.iter().rev() {
        let scenario = Scenario {
            leechers: peers,
            ..base()
        };
        variants.push(((400, peers), scenario));
    }
    let mut played = writer.play("growth", &variants, |scenario| match scenario.leechers {
        1000.. => 1,
        200.. => 2,
        _ => 3,
    })?;
    played.sort_by_key(|(key, _)| *key);
    let ratio = |time: fn(&Results) -> f64| {
        move |results: &Results| time(results) / results.least_time.unwrap_or(f64::NAN)
    };
    let last = ratio(|results| results.completion.last);
    let mean = ratio(|results| results.completion.mean);
    let mut rows = Vec::new();
    let mut series: Vec<Series> = Vec::new();
    for ((pieces, peers), results) in &played {
        let least = estimate(results, |r| r.least_time.unwrap_or(f64::NAN));
        let (last, mean) = (estimate(results, last), estimate(results, mean));
        rows.push(vec![
            pieces.to_string(),
            peers.to_string(),
            format!("{:.1} s", least.mean),
            last.to_string(),
            mean.to_string(),
            format!("{:.1} %", 100.0 * estimate(results, |r| r.utilisation).mean),
            format!(
                "{:.2} %",
                estimate(results, |r| {
                    let sent: u64 = r.by_source.iter().map(|(_, bytes)| bytes).sum();
                    100.0 * r.wasted() as f64 / sent.max(1) as f64
                })
                .mean
            ),
            results.len().to_string(),
        ]);
        for (which, figure) in [("last", last), ("mean", mean)] {
            let name = format!("{pieces} pieces, {which}");
            let point = (f64::from(*peers), figure.mean);
            match series.iter_mut().find(|series| series.name == name) {
                Some(series) => series.points.push(point),
                None => series.push(Series {
                    name,
                    points: vec![point],
                    band: Vec::new(),
                }),
            }
        }
    }
    writer.table(
        &[
            "Pieces",
            "Peers",
            "Least time",
            "Last ÷ least",
            "Mean ÷ least",
            "Upload used",
            "Thrown away",
            "Seeds",
        ],
        &rows,
    );
    let svg = log_line_chart(
        "Completion over the least possible time",
        "Peers",
        "Ratio",
        &series,
    )?;
    writer.chart("growth", "The ratios against the number of peers", &svg)
}
