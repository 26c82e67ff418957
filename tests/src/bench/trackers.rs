//! What a tracker costs, ours and others' under the same load: WebTorrent's clients, ordinary ones
//! over HTTP and UDP.
//!
//! All comes from this machine and this process, so figures are for each second of the server's
//! processor time, not of the clock.

mod ordinary;
mod programs;
mod webtorrent;

use anyhow::Result;

use super::Figure;
use super::others::{Runs, beside};
use programs::Kind;

/// Runs of each; the median counts.
const RUNS: usize = 3;
/// WebTorrent's clients at once, and announces of each: few enough that ours holds back no offers as
/// too many.
const PEERS: [(u32, u32); 3] = [(1000, 8), (5000, 5), (10_000, 3)];
/// Those with which memory is looked at.
const MANY: u32 = 10_000;

/// The figures.
pub async fn run() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (peers, rounds) in PEERS {
        figures.extend(webtorrent_trackers(peers, rounds).await?);
    }
    figures.extend(ordinary_trackers().await?);
    Ok(figures)
}

async fn webtorrent_trackers(peers: u32, rounds: u32) -> Result<Vec<Figure>> {
    let kinds = Kind::of_webtorrent();
    let mut loads: Vec<Vec<webtorrent::Load>> = kinds.iter().map(|_| Vec::new()).collect();
    // In turns, so that a noisy minute of the machine hits all.
    for _ in 0..RUNS {
        for (kind, loads) in kinds.iter().zip(&mut loads) {
            let server = kind.start().await?;
            loads.push(webtorrent::load(&server, peers, rounds).await?);
            server.kill().await?;
        }
    }
    let runs = |figure: fn(&webtorrent::Load) -> f64| -> Vec<Runs> {
        let all = kinds.iter().zip(&loads);
        let of = |(kind, loads): (&Kind, &Vec<_>)| Runs {
            name: kind.name(),
            values: loads.iter().map(figure).collect(),
        };
        all.map(of).collect()
    };
    let name = |what: &str| format!("WebTorrent, {peers} peers, {what}");
    let mut figures = beside(
        &name("announces"),
        "/CPU s",
        &runs(|load| load.announces_per_second()),
        "1.5 × aquatic_ws",
    );
    figures.extend(beside(
        &name("messages in and out"),
        "/CPU s",
        &runs(|load| load.messages_per_second()),
        "",
    ));
    if peers == MANY {
        figures.extend(beside(
            &name("peak memory"),
            "MiB",
            &runs(|load| load.peak_mib),
            "at most 150",
        ));
    }
    Ok(figures)
}

async fn ordinary_trackers() -> Result<Vec<Figure>> {
    let kinds = Kind::of_ordinary();
    let mut rates: Vec<[Vec<f64>; 3]> = kinds.iter().map(|_| Default::default()).collect();
    for _ in 0..RUNS {
        for (kind, rates) in kinds.iter().zip(&mut rates) {
            let server = kind.start().await?;
            rates[0].push(ordinary::http(&server).await?);
            rates[1].push(ordinary::udp(&server).await?);
            if kind.keeps_connections() {
                rates[2].push(ordinary::http_kept(&server).await?);
            }
            server.kill().await?;
        }
    }
    let what = [
        "HTTP tracker, announces, a connection for each",
        "UDP tracker, announces",
        "HTTP tracker, announces, one connection",
    ];
    let mut figures = Vec::new();
    for (place, what) in what.iter().enumerate() {
        let all = kinds.iter().zip(&rates);
        let of = |(kind, rates): (&Kind, &[Vec<f64>; 3])| Runs {
            name: kind.name(),
            values: rates[place].clone(),
        };
        figures.extend(beside(what, "/CPU s", &all.map(of).collect::<Vec<_>>(), ""));
    }
    Ok(figures)
}
