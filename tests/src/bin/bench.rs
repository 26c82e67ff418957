//! Prints benchmarks as a table, and as JSON where asked. Run it with `cargo xtask bench`,
//! which builds what it needs.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use anyhow::{Context, Result, bail};
use swarm_tests::bench::report::Report;
use swarm_tests::bench::{
    Figure, direct, far, lab, picture, play, relay, start, tabs, tcp, trackers,
};

const PARTS: [&str; 16] = include!("../bench/parts.in");

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut json, mut parts) = (None, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            relay::FORWARDER => return relay::forward(|address| println!("{address}")).await,
            "--json" => json = Some(args.next().context("--json takes a file")?),
            part if PARTS.contains(&part) => parts.push(part.to_owned()),
            other => bail!(
                "there is no benchmark {other}; there are {}",
                PARTS.join(", ")
            ),
        }
    }
    if parts.is_empty() {
        parts = PARTS.map(str::to_owned).to_vec();
    }
    let mut report = Report::new(|figure| println!("{}", figure.to_line()));
    for part in &parts {
        match part.as_str() {
            "relay" => relay::run(&mut report).await,
            "trackers" => trackers::run(&mut report).await,
            "tcp" => report.take(part, tcp::run().await),
            "direct" => report.take(part, direct::run().await),
            "direct-alone" => report.take(part, direct::alone().await),
            "far" => report.take(part, far::run().await),
            "swarms" => tabs::swarms(&mut report).await,
            "long-file" => report.take(part, tabs::long_file().await),
            "dropping" => report.take(part, tabs::dropping().await),
            "first-byte" => report.take(part, direct::first_byte().await),
            "memory" => tabs::memory(&mut report).await,
            "start" => start::run(&mut report).await,
            "play" => report.take(part, play::run().await),
            "picture" => report.take(part, picture::run().await),
            "lab" => report.take(part, lab::run().await),
            _ => report.take(part, tabs::page_weight()),
        }
    }
    if let Some(path) = json {
        let list: Vec<_> = report.figures().iter().map(Figure::to_json).collect();
        std::fs::write(&path, serde_json::to_string_pretty(&list)?)
            .with_context(|| path.clone())?;
    }
    match report.failures() {
        0 => Ok(()),
        1 => bail!("one measurement failed, see above"),
        many => bail!("{many} measurements failed, see above"),
    }
}
