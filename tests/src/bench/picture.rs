//! The picture of a swarm of a hundred: how long it takes to draw.

use anyhow::Result;

use super::Figure;
use crate::browser::Browser;
use crate::hundred::show;
use crate::server::Server;

const SCREEN: (u32, u32, f64) = (1200, 1100, 1.0);

/// On this machine, and on one that is as much slower as a phone.
const MACHINES: [(&str, f64); 2] = [("this machine", 1.0), ("four times slower", 4.0)];

/// Ten seconds of it on each.
pub async fn run() -> Result<Vec<Figure>> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let mut figures = Vec::new();
    for (machine, slower) in MACHINES {
        let (_tab, took) = show(&browser, &server.page(), SCREEN, &[], slower).await?;
        let seconds = 10.0;
        let parts = [
            (
                "pictures a second",
                f64::from(took.pictures) / seconds,
                "1/s",
                "at most 60",
            ),
            (
                "99% are drawn within",
                took.drawing[1],
                "ms",
                "8 ms at the most here",
            ),
            (
                "99% with the page's layout and paint",
                took.all[1],
                "ms",
                "16 ms are one of 60",
            ),
            ("99% of news are taken in within", took.news[1], "ms", ""),
            ("99% come within", took.gap[1], "ms", ""),
        ];
        for (what, value, unit, against) in parts {
            let name = format!("Picture of 100 peers, {machine}: {what}");
            figures.push(Figure::new(name, value, unit, against));
        }
    }
    browser.quit().await?;
    Ok(figures)
}
