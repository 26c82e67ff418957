//! What a tracker costs, ours and others' under the same load: WebTorrent's clients, ordinary ones
//! over HTTP and UDP.
//!
//! All comes from this machine and this process, so figures are for each second of the server's
//! processor time, not of the clock.

mod ordinary;
mod programs;
mod webtorrent;

use anyhow::Result;

use super::others::{Runs, beside};
use super::report::Report;
use programs::{Kind, Server};

/// Runs of each; the median counts.
const RUNS: usize = 3;
/// WebTorrent's clients at once, and announces of each: few enough that ours holds back no offers as
/// too many.
const PEERS: [(u32, u32); 3] = [(1000, 8), (5000, 5), (10_000, 3)];
/// Those with which memory is looked at.
const MANY: u32 = 10_000;

/// The figures.
pub async fn run(report: &mut Report) {
    for (peers, rounds) in PEERS {
        webtorrent_trackers(report, peers, rounds).await;
    }
    ordinary_trackers(report, Ways::Http).await;
    ordinary_trackers(report, Ways::Udp).await;
    ordinary_trackers(report, Ways::HttpKept).await;
}

async fn webtorrent_trackers(report: &mut Report, peers: u32, rounds: u32) {
    let what = format!("WebTorrent, {peers} peers");
    let kinds = Kind::of_webtorrent();
    let load = async |server: &Server| webtorrent::load(server, peers, rounds).await;
    let loads = in_turns(report, &what, &kinds, load).await;
    let runs = |figure: fn(&webtorrent::Load) -> f64| runs(&kinds, &loads, figure);
    let name = |figure| format!("{what}, {figure}");
    report.add_all(beside(
        &name("announces"),
        "/CPU s",
        &runs(webtorrent::Load::announces_per_second),
        "1.5 × aquatic_ws",
    ));
    report.add_all(beside(
        &name("offers and answers handed on"),
        "/CPU s",
        &runs(webtorrent::Load::handed_per_second),
        "",
    ));
    if peers == MANY {
        report.add_all(beside(
            &name("peak memory"),
            "MiB",
            &runs(|load| load.peak_mib),
            "at most 150",
        ));
    }
}

/// How ordinary clients announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ways {
    /// With a connection for each.
    Http,
    Udp,
    /// All through one connection.
    HttpKept,
}

async fn ordinary_trackers(report: &mut Report, way: Ways) {
    let what = match way {
        Ways::Http => "HTTP tracker, announces, a connection for each",
        Ways::Udp => "UDP tracker, announces",
        Ways::HttpKept => "HTTP tracker, announces, one connection",
    };
    let mut kinds = Kind::of_ordinary();
    kinds.retain(|kind| way != Ways::HttpKept || kind.keeps_connections());
    let ask = async |server: &Server| match way {
        Ways::Http => ordinary::http(server).await,
        Ways::Udp => ordinary::udp(server).await,
        Ways::HttpKept => ordinary::http_kept(server).await,
    };
    let rates = in_turns(report, what, &kinds, ask).await;
    report.add_all(beside(what, "/CPU s", &runs(&kinds, &rates, |it| *it), ""));
}

/// Several runs of each, in turns, so that a noisy minute of the machine hits all. What fails is
/// left out.
async fn in_turns<T>(
    report: &mut Report,
    what: &str,
    kinds: &[Kind],
    measure: impl AsyncFn(&Server) -> Result<T>,
) -> Vec<Vec<T>> {
    let once = async |kind: &Kind| {
        let server = kind.start().await?;
        let measured = measure(&server).await;
        server.kill().await?;
        measured
    };
    let mut all: Vec<Vec<T>> = kinds.iter().map(|_| Vec::new()).collect();
    for _ in 0..RUNS {
        for (kind, all) in kinds.iter().zip(&mut all) {
            match once(kind).await {
                Ok(measured) => all.push(measured),
                Err(error) => report.fail(format_args!("{what}: {}", kind.name()), &error),
            }
        }
    }
    all
}

/// One figure of each run.
fn runs<T>(kinds: &[Kind], measured: &[Vec<T>], figure: impl Fn(&T) -> f64) -> Vec<Runs> {
    let of = |(kind, measured): (&Kind, &Vec<T>)| Runs {
        name: kind.name(),
        values: measured.iter().map(&figure).collect(),
    };
    kinds.iter().zip(measured).map(of).collect()
}
