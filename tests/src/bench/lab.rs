//! The lab's page: how smoothly it draws while it simulates.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Figure;
use crate::browser::Browser;
use crate::server::Server;
use crate::wait::until;

/// Virtual time at which the measured part begins: pieces flow everywhere.
const BUSY_FROM: f64 = 10.0;

/// Counts the pictures of ten seconds, and takes the times between them.
const PICTURES: &str = r#"
    const done = arguments[arguments.length - 1];
    const lab = document.querySelector('[data-testid="lab"]');
    const time = () => Number(document.querySelector("[data-figure=time] [data-part=a]").dataset.value);
    const began = performance.now(), virtual = time(), times = [];
    const next = now => {
        times.push(now);
        if (now - began < 10_000) return requestAnimationFrame(next);
        const gaps = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
        done({
            state: lab.dataset.state,
            rate: (times.length - 1) / (times.at(-1) - times[0]) * 1000,
            slow: gaps[Math.floor(gaps.length * 0.99)],
            virtual: (time() - virtual) / (times.at(-1) - times[0]) * 1000,
        });
    };
    requestAnimationFrame(next);
"#;

/// Two swarms of 200 peers side by side, as fast as the worker can.
pub async fn run() -> Result<Vec<Figure>> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser
        .open(&format!("{}lab/#preset=large", server.page()))
        .await?;
    tab.run(
        "const speed = document.querySelector('[data-testid=speed]'); speed.value = 'max';
         speed.dispatchEvent(new Event('change', { bubbles: true }));",
    )
    .await?;
    let time = "return Number(document.querySelector('[data-figure=time] [data-part=a]').dataset.value ?? 0)";
    let is_busy = |time: &Value| time.as_f64() > Some(BUSY_FROM);
    until("a busy swarm", || tab.run(time), is_busy).await?;
    let measured = tab.run_async(PICTURES).await?;
    anyhow::ensure!(measured["state"] == "running", "it ended too soon");
    browser.quit().await?;
    let number = |key: &str| measured[key].as_f64().context("a number");
    Ok(vec![
        Figure::new(
            "Lab, twice 200 peers: pictures a second",
            number("rate")?,
            "1/s",
            "30 at least",
        ),
        Figure::new(
            "Lab, twice 200 peers: 99% of pictures come within",
            number("slow")?,
            "ms",
            "",
        ),
        Figure::new(
            "Lab, twice 200 peers: virtual seconds a second",
            number("virtual")?,
            "",
            "",
        ),
    ])
}
