//! How long the page takes to be read and to be of use, on a slow phone in a bad mobile network.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::report::Report;
use super::{Figure, median};
use crate::browser::Browser;
use crate::server::Server;

/// So many times slower than this machine.
const SLOWER: f64 = 4.0;

/// Bytes a second: 1.6 Mbit/s.
const RATE: u64 = 200_000;

/// Milliseconds until an answer begins, of each request: what a mobile network takes, and what it
/// takes a machine that is next door.
const LATENCIES: [(&str, u64); 2] = [("150 ms to the server", 150), ("a server next door", 0)];

/// Each is a browser without anything of the page.
const TIMES: usize = 3;

/// Notes when the page takes what a person gives it (`early.js` listens), when its program is there to
/// do it, and when the engine answers, from the beginning of the visit.
const WATCH: &str = r#"
    window.moments = {};
    const note = (what, is) => { if (is) window.moments[what] ??= performance.now(); };
    new MutationObserver(() => {
        const is_here = document.getElementById("tracker");
        note("usable", document.querySelector("[data-testid=link-add]:enabled"));
        note("program", document.body?.ariaBusy === null);
        note("engine", is_here && is_here.dataset.state !== "connecting");
    }).observe(document, { subtree: true, childList: true, attributes: true });
"#;

const MOMENTS: &str = r#"
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const { usable, program, engine } = window.moments;
    // Nobody uses what they don't see.
    const seen = paint && usable && Math.max(paint.startTime, usable);
    return seen && program && engine && [paint.startTime, seen, program, engine];
"#;

/// First paint, use, program and engine, for each latency.
pub async fn run(report: &mut Report) {
    for (network, latency) in LATENCIES {
        let measured = starts(network, latency).await;
        report.take(format_args!("start, {network}"), measured);
    }
}

async fn starts(network: &str, latency: u64) -> Result<Vec<Figure>> {
    let server = Server::start().await?;
    let mut all = [const { Vec::new() }; 4];
    for _ in 0..TIMES {
        let took = visit(&server.page(), latency).await?;
        for (index, times) in all.iter_mut().enumerate() {
            times.push(took[index].as_f64().context("milliseconds")?);
        }
    }
    let names = ["first paint", "usable", "program", "engine linked"];
    let figure = |(name, times)| {
        let name = format!("start on a slow phone, {network}: {name}");
        Figure::new(name, median(times) / 1000.0, "s", "")
    };
    Ok(names.into_iter().zip(all).map(figure).collect())
}

/// Milliseconds, as [`MOMENTS`] has them.
async fn visit(page: &str, latency: u64) -> Result<Value> {
    let browser = Browser::start().await?;
    let tab = browser.open("about:blank").await?;
    tab.run_first(WATCH).await?;
    tab.command("Network.enable", json!({})).await?;
    let network = json!({
        "offline": false, "latency": latency,
        "downloadThroughput": RATE, "uploadThroughput": RATE,
    });
    tab.command("Network.emulateNetworkConditions", network)
        .await?;
    browser.slow_down(SLOWER).await?;
    tab.goto(page).await?;
    let moments = tab.until("a page that has started", MOMENTS).await?;
    browser.quit().await?;
    Ok(moments)
}
