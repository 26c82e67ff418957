//! From one tab to another over a direct link, the same through the relay, and with WebTorrent in
//! both: a page of theirs, at the same tracker, in a browser of the same kind. They take turns, so
//! that all see the same machine; a short file says how soon something comes. Every page has been
//! open for a while when the link is followed: ours has its server by then, theirs asks for it with
//! the first link.

mod alone;
mod bare;

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::Figure;
use super::others::{Runs, beside, installed};
use super::process::{cpu_seconds_below, peak_mib_of_tabs};
use super::tabs::{WATCH, follow, moment, settled};
use crate::browser::Browser;
use crate::clients::Site;
use crate::files::random;
use crate::server::Server;
use crate::tab::Tab;

/// What says how fast it is, and what says how soon.
const LONG: usize = 96 << 20;
const SHORT: usize = 1 << 20;
/// Runs of each; the median counts.
const RUNS: usize = 3;
/// What our server is told, to have tabs linked directly, or never.
const DIRECT: &[&str] = &["--relay", "spare"];
const RELAYED: &[&str] = &["--relay-only"];
/// A network in which no link comes about: Chromium makes no UDP sockets for WebRTC then.
const NO_UDP: &[&str] = &["--webrtc-ip-handling-policy=disable_non_proxied_udp"];

/// Notes the moments of [`WATCH`] in a page of WebTorrent's.
const OTHERS: &str = r#"
    const moments = {};
    window.moment = what => (moments[what] ??= Promise.withResolvers()).promise;
    window.reached = what => {
        window.moment(what);
        moments[what].resolve(performance.timeOrigin + performance.now());
    };
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.dataset.testid = "file-input";
    document.body.append(input);
    window.seeded = Promise.withResolvers();
    input.onchange = () => {
        const files = input.files.length > 1 ? input.files : input.files[0];
        client.seed(files, { name: "shared", announce: [TRACKER] }, it => seeded.resolve(it.magnetURI));
    };
    window.get = magnet => {
        const torrent = client.add(magnet);
        torrent.once("download", () => reached("bytes"));
        torrent.once("done", () => reached("seeding"));
        return performance.timeOrigin + performance.now();
    };
"#;

/// What a link costs that stands already.
pub async fn alone() -> Result<Vec<Figure>> {
    alone::run().await
}

/// Throughput, and what it costs the browser.
pub async fn run() -> Result<Vec<Figure>> {
    let runs = in_turn(LONG).await?;
    let of = |what, unit, figure, aim| figures(&runs, LONG, what, unit, figure, aim);
    let half = "half of WebTorrent's";
    let measured = [
        of("throughput", "MB/s", Run::throughput, "WebTorrent's"),
        of("browser's CPU", "s/GB", Run::cpu_of_a_gigabyte, half),
        of("largest tab's memory", "MiB", |run| run.peak_mib, ""),
        of("went through the relay", "%", Run::relayed, ""),
    ];
    Ok(measured.into_iter().flatten().collect())
}

/// The time from following a link in an open page to the first bytes, and to all of a short file.
pub async fn first_byte() -> Result<Vec<Figure>> {
    let runs = in_turn(SHORT).await?;
    let of = |what, figure| figures(&runs, SHORT, what, "s", figure, "half of WebTorrent's");
    let first = of("first bytes", |run| run.first);
    let all = of("all of it", |run| run.seconds);
    Ok([first, all].concat())
}

/// Transfers of so many bytes: direct, by relay, where no link comes about, and WebTorrent's.
async fn in_turn(length: usize) -> Result<[Vec<Run>; 4]> {
    let folder = TempDir::new()?;
    let others = installed("node_modules/webtorrent/dist/webtorrent.min.js").is_some();
    let mut runs = [const { Vec::new() }; 4];
    for number in 0..RUNS {
        let path = folder.path().join(format!("{number}.bin"));
        let file = random(&path, length, number as u64)?;
        runs[0].push(by_us(&file, DIRECT, &[]).await?);
        runs[1].push(by_us(&file, RELAYED, &[]).await?);
        runs[2].push(by_us(&file, DIRECT, NO_UDP).await?);
        if others {
            runs[3].push(by_webtorrent(&file).await?);
        }
    }
    Ok(runs)
}

fn figures(
    runs: &[Vec<Run>; 4],
    length: usize,
    what: &str,
    unit: &'static str,
    figure: fn(&Run) -> f64,
    aim: &str,
) -> Vec<Figure> {
    let of = |name, runs: &[Run]| Runs {
        name,
        values: runs.iter().map(figure).collect(),
    };
    let [direct, relayed, walled, theirs] = runs;
    let mib = length >> 20;
    beside(
        &format!("{mib} MiB from tab to tab, {what}"),
        unit,
        &[
            of("direct", direct),
            of("by relay", relayed),
            of("without UDP", walled),
            of("WebTorrent", theirs),
        ],
        aim,
    )
}

/// One transfer.
struct Run {
    /// Bytes of content.
    length: f64,
    /// From following the link to having everything, and to the first byte.
    seconds: f64,
    first: f64,
    /// Seconds of processor time of the whole browser.
    cpu: f64,
    peak_mib: f64,
    /// Bytes that our relay carried.
    relayed: f64,
}

impl Run {
    fn throughput(&self) -> f64 {
        self.length / 1e6 / self.seconds
    }

    fn cpu_of_a_gigabyte(&self) -> f64 {
        self.cpu / (self.length / 1e9)
    }

    fn relayed(&self) -> f64 {
        100.0 * self.relayed / self.length
    }

    /// Once the leecher has everything: since it began, in milliseconds of its clock, and since the
    /// browser had used so many seconds of CPU.
    async fn until_seeding(
        leecher: &Tab,
        server: &Server,
        file: &Path,
        begin: f64,
        before: f64,
    ) -> Result<Self> {
        let end = moment(leecher, "seeding").await?;
        let cpu = cpu_seconds_below(std::process::id(), server.pid()) - before;
        let first = moment(leecher, "bytes").await?;
        Ok(Run {
            length: file.metadata()?.len() as f64,
            seconds: (end - begin) / 1000.0,
            first: (first - begin) / 1000.0,
            cpu,
            peak_mib: peak_mib_of_tabs(std::process::id()),
            relayed: server.relayed_bytes().await? as f64,
        })
    }
}

async fn by_us(file: &Path, options: &[&str], browser: &[&str]) -> Result<Run> {
    let server = Server::start_with(options).await?;
    let browser = Browser::start_with(browser).await?;
    let seeder = browser.open(&server.page()).await?;
    seeder.share(&[file]).await?;
    let link = seeder.seeding().await?.share_link;
    let leecher = browser.open(&server.page()).await?;
    settled(&leecher).await?;
    leecher.run(WATCH).await?;
    let before = cpu_seconds_below(std::process::id(), server.pid());
    let begin = follow(&leecher, &link).await?;
    let run = Run::until_seeding(&leecher, &server, file, begin, before).await?;
    browser.quit().await?;
    Ok(run)
}

async fn by_webtorrent(file: &Path) -> Result<Run> {
    let theirs = Theirs::start().await?;
    let (_seeder, link) = theirs.seed(&[file]).await?;
    let leecher = theirs.leecher().await?;
    let before = cpu_seconds_below(std::process::id(), theirs.server.pid());
    let begin = leecher.run(&format!("return get({link:?});")).await?;
    let begin = begin.as_f64().context("a time")?;
    let run = Run::until_seeding(&leecher, &theirs.server, file, begin, before).await?;
    theirs.browser.quit().await?;
    Ok(run)
}

/// A browser for WebTorrent's page, and a tracker.
struct Theirs {
    /// Two origins: tabs of one share WebTorrent's storage, and the other would find all there.
    sites: [Site; 2],
    server: Server,
    browser: Browser,
    script: String,
}

impl Theirs {
    async fn start() -> Result<Self> {
        let sites = [Site::start().await?, Site::start().await?];
        let origins = [sites[0].origin(), sites[1].origin()];
        let allowed = ["--allow-origin", &origins[0], "--allow-origin", &origins[1]];
        let server = Server::start_with(&allowed).await?;
        let script = OTHERS.replace("TRACKER", &format!("{:?}", server.tracker()));
        let browser = Browser::start().await?;
        Ok(Theirs {
            sites,
            server,
            browser,
            script,
        })
    }

    /// Shares files in a tab, and says under which link.
    async fn seed(&self, files: &[&Path]) -> Result<(Tab, String)> {
        let seeder = self.browser.open(&self.sites[0].page()).await?;
        seeder.run(&self.script).await?;
        seeder.share(files).await?;
        let link = seeder
            .run_async("seeded.promise.then(arguments[arguments.length - 1]);")
            .await?;
        let link = link.as_str().context("a link")?.to_owned();
        Ok((seeder, link))
    }

    async fn leecher(&self) -> Result<Tab> {
        let leecher = self.browser.open(&self.sites[1].page()).await?;
        leecher.run(&self.script).await?;
        Ok(leecher)
    }
}
