//! Prints benchmarks as a table, and as JSON where asked. Run it with `cargo xtask bench`,
//! which builds what it needs.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use anyhow::{Context, Result, bail};
use swarm_tests::bench::{
    Figure, direct, far, lab, picture, play, relay, start, tabs, tcp, trackers,
};

const PARTS: [&str; 15] = [
    "relay",
    "trackers",
    "tcp",
    "far",
    "direct",
    "swarms",
    "long-file",
    "dropping",
    "first-byte",
    "memory",
    "page-weight",
    "start",
    "play",
    "picture",
    "lab",
];

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
    let mut figures: Vec<Figure> = Vec::new();
    for part in &parts {
        let measured = match part.as_str() {
            "relay" => relay::run().await?,
            "trackers" => trackers::run().await?,
            "tcp" => tcp::run().await?,
            "direct" => direct::run().await?,
            "far" => far::run().await?,
            "swarms" => tabs::swarms().await?,
            "long-file" => tabs::long_file().await?,
            "dropping" => tabs::dropping().await?,
            "first-byte" => tabs::first_byte().await?,
            "memory" => tabs::memory().await?,
            "start" => start::run().await?,
            "play" => play::run().await?,
            "picture" => picture::run().await?,
            "lab" => lab::run().await?,
            _ => tabs::page_weight()?,
        };
        for figure in &measured {
            println!("{}", figure.to_line());
        }
        figures.extend(measured);
    }
    if let Some(path) = json {
        let list: Vec<_> = figures.iter().map(Figure::to_json).collect();
        std::fs::write(&path, serde_json::to_string_pretty(&list)?)
            .with_context(|| path.clone())?;
    }
    Ok(())
}
