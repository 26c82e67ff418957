//! From one tab to another over a direct link, and the same with WebTorrent in both: a page of
//! theirs, at the same tracker, in the same browser.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::Figure;
use super::others::{Runs, beside, installed};
use super::process::{cpu_seconds_below, peak_mib_of_tabs};
use super::tabs::{WATCH, follow, moment};
use crate::browser::Browser;
use crate::clients::Site;
use crate::files::random;
use crate::server::Server;
use crate::tab::Tab;

const MIB: usize = 128;
/// Runs of each; the median counts.
const RUNS: usize = 5;

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
    input.dataset.testid = "file-input";
    document.body.append(input);
    window.seeded = Promise.withResolvers();
    input.onchange = () => client.seed(input.files[0], { announce: [TRACKER] }, it => seeded.resolve(it.magnetURI));
    window.get = magnet => {
        const torrent = client.add(magnet);
        torrent.once("download", () => reached("bytes"));
        torrent.once("done", () => reached("seeding"));
        return performance.timeOrigin + performance.now();
    };
"#;

/// Throughput, what it costs the browser, and the time to the first byte.
pub async fn run() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let others = installed("node_modules/webtorrent/dist/webtorrent.min.js").is_some();
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut relayed = 0.0_f64;
    for number in 0..RUNS {
        let file = random(&folder.path().join("tabs.bin"), MIB << 20, number as u64)?;
        let (run, bytes) = by_us(&file).await?;
        ours.push(run);
        relayed = relayed.max(100.0 * bytes as f64 / file.metadata()?.len() as f64);
        if others {
            theirs.push(by_webtorrent(&file).await?);
        }
    }
    let figures = |what: &str, unit, figure: fn(&Run) -> f64, aim| {
        let of = |name, runs: &[Run]| Runs {
            name,
            values: runs.iter().map(figure).collect(),
        };
        let runs = [of("ours", &ours), of("WebTorrent", &theirs)];
        beside(
            &format!("{MIB} MiB from tab to tab, direct, {what}"),
            unit,
            &runs,
            aim,
        )
    };
    let mut measured = figures("throughput", "MB/s", Run::throughput, "WebTorrent's");
    measured.extend(figures(
        "browser's CPU",
        "s",
        |run| run.cpu,
        "half of WebTorrent's",
    ));
    measured.extend(figures(
        "first byte",
        "s",
        |run| run.first,
        "half of WebTorrent's",
    ));
    measured.extend(figures(
        "largest tab's peak memory",
        "MiB",
        |run| run.peak_mib,
        "",
    ));
    let name = format!("{MIB} MiB from tab to tab, direct: most that went through the relay");
    measured.push(Figure::new(
        name,
        relayed,
        "%",
        "until the direct link was up",
    ));
    Ok(measured)
}

struct Run {
    seconds: f64,
    first: f64,
    cpu: f64,
    peak_mib: f64,
}

impl Run {
    fn throughput(&self) -> f64 {
        (MIB << 20) as f64 / 1e6 / self.seconds
    }
}

impl Run {
    /// Once the leecher has everything: since it began, in milliseconds of its clock, and since the
    /// browser had used so many seconds of CPU.
    async fn until_seeding(
        leecher: &Tab,
        server: &Server,
        begin: f64,
        before: f64,
    ) -> Result<Self> {
        let end = moment(leecher, "seeding").await?;
        let cpu = cpu_seconds_below(std::process::id(), server.pid()) - before;
        let first = moment(leecher, "bytes").await?;
        Ok(Run {
            seconds: (end - begin) / 1000.0,
            first: (first - begin) / 1000.0,
            cpu,
            peak_mib: peak_mib_of_tabs(std::process::id()),
        })
    }
}

/// Also how many bytes the relay carried.
async fn by_us(file: &Path) -> Result<(Run, u64)> {
    let server = Server::start_with(&["--relay", "spare"]).await?;
    let browser = Browser::start().await?;
    let seeder = browser.open(&server.page()).await?;
    seeder.share(&[file]).await?;
    let link = seeder.seeding().await?.share_link;
    let leecher = browser.open(&server.page()).await?;
    leecher.run(WATCH).await?;
    let before = cpu_seconds_below(std::process::id(), server.pid());
    let begin = follow(&leecher, &link).await?;
    let run = Run::until_seeding(&leecher, &server, begin, before).await?;
    let relayed = server.relayed_bytes().await?;
    browser.quit().await?;
    Ok((run, relayed))
}

async fn by_webtorrent(file: &Path) -> Result<Run> {
    // Of two origins: tabs of one share WebTorrent's storage, and the other would find all there.
    let (site, other) = (Site::start().await?, Site::start().await?);
    let origins = [site.origin(), other.origin()];
    let allowed = ["--allow-origin", &origins[0], "--allow-origin", &origins[1]];
    let server = Server::start_with(&allowed).await?;
    let script = OTHERS.replace("TRACKER", &format!("{:?}", server.tracker()));
    let browser = Browser::start().await?;
    let seeder = browser.open(&site.page()).await?;
    seeder.run(&script).await?;
    seeder.share(&[file]).await?;
    let link = seeder
        .run_async("seeded.promise.then(arguments[arguments.length - 1]);")
        .await?;
    let link = link.as_str().context("a link")?;
    let leecher = browser.open(&other.page()).await?;
    leecher.run(&script).await?;
    let before = cpu_seconds_below(std::process::id(), server.pid());
    let begin = leecher.run(&format!("return get({link:?});")).await?;
    let begin = begin.as_f64().context("a time")?;
    let run = Run::until_seeding(&leecher, &server, begin, before).await?;
    browser.quit().await?;
    Ok(run)
}
