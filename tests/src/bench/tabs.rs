//! Tabs of one browser, as a person would use them. Times are taken inside the pages,
//! so that the driver's own delays don't count.

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::Figure;
use super::process::{
    cpu_seconds, cpu_seconds_below, cpu_seconds_of_workers, peak_mib, peak_mib_of_tabs,
};
use super::report::Report;
use crate::browser::Browser;
use crate::files::random;
use crate::programs::Part;
use crate::server::Server;
use crate::tab::Tab;

const MIB: usize = 1 << 20;

/// WebTorrent 3.0.21 on two cores: seconds for 100 MiB to this many leeching tabs.
const WEBTORRENT: [(usize, f64); 3] = [(1, 7.8), (3, 22.3), (5, 40.1)];

/// Notes when the page's torrent enters a state, and when it first has bytes, on the clock
/// that all pages share.
pub(super) const WATCH: &str = r#"
    const moments = {};
    window.moment = what => (moments[what] ??= Promise.withResolvers()).promise;
    window.reached = what => {
        window.moment(what);
        moments[what].resolve(performance.timeOrigin + performance.now());
    };
    const look = () => {
        // A tab that nobody sees shows nothing, but what it has to say to a person.
        const notices = [...document.querySelectorAll('[data-testid="notice"]')];
        if (notices.some(notice => notice.textContent.endsWith("is complete."))) reached("seeding");
        const torrent = document.querySelector('[data-testid="torrent"]');
        if (!torrent) return;
        reached(torrent.dataset.state);
        if (Number(torrent.dataset.downloaded) > 0) reached("bytes");
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    look();
"#;

/// 100 MiB from one tab to 1, 3 and 5.
pub async fn swarms(report: &mut Report) {
    for (tabs, webtorrent) in WEBTORRENT {
        let measured = swarm(100 * MIB, tabs, Some(webtorrent)).await;
        report.take(format_args!("swarms, {tabs} tabs"), measured);
    }
}

/// 512 MiB from one tab to three.
pub async fn long_file() -> Result<Vec<Figure>> {
    swarm(512 * MIB, 3, None).await
}

/// So many bytes from one tab to several.
async fn swarm(size: usize, tabs: usize, webtorrent: Option<f64>) -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("shared.bin"), size, tabs as u64)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let seeder = browser.open(&server.page()).await?;
    seeder.share(&[&file]).await?;
    let link = seeder.seeding().await?.share_link;
    let mut leechers = Vec::new();
    for _ in 0..tabs {
        let tab = browser.open(&server.page()).await?;
        tab.run(WATCH).await?;
        leechers.push(tab);
    }
    let browser_cpu = cpu_seconds_below(std::process::id(), server.pid());
    let worker_cpu = cpu_seconds_of_workers(std::process::id());
    let server_cpu = cpu_seconds(server.pid());
    let mut begin = f64::MAX;
    for leecher in &leechers {
        begin = begin.min(follow(leecher, &link).await?);
    }
    let mut end = 0.0_f64;
    for leecher in &leechers {
        end = end.max(moment(leecher, "seeding").await?);
    }
    let seconds = (end - begin) / 1000.0;
    let length = file.metadata()?.len();
    let gb = (tabs as u64 * length) as f64 / 1e9;
    let browser_cpu = cpu_seconds_below(std::process::id(), server.pid()) - browser_cpu;
    let worker_cpu = cpu_seconds_of_workers(std::process::id()) - worker_cpu;
    let server_cpu = cpu_seconds(server.pid()) - server_cpu;
    let mib = length / MIB as u64;
    let name = |what: &str| format!("{mib} MiB to {tabs} tabs: {what}");
    let tab = peak_mib_of_tabs(std::process::id());
    let against = webtorrent.map_or(String::new(), |webtorrent| {
        let times = webtorrent / seconds;
        format!("WebTorrent {webtorrent} s, {times:.1} times as long")
    });
    let memory = peak_mib(server.pid());
    browser.quit().await?;
    Ok(vec![
        Figure::new(name("time"), seconds, "s", against),
        Figure::new(name("throughput"), gb * 1000.0 / seconds, "MB/s", ""),
        Figure::new(
            name("browser's CPU"),
            browser_cpu / gb,
            "s/GB",
            "WebTorrent 128–137 s/GB",
        ),
        Figure::new(
            name("workers' part of that"),
            100.0 * worker_cpu / browser_cpu,
            "%",
            "",
        ),
        Figure::new(name("the largest tab's peak memory"), tab, "MiB", ""),
        Figure::new(name("server's CPU"), server_cpu / gb, "s/GB", ""),
        Figure::new(name("server's peak memory"), memory, "MiB", ""),
    ])
}

/// What the largest tab takes when the file is four times as long.
pub async fn memory(report: &mut Report) {
    for mib in [100, 400] {
        let measured = memory_with(mib).await;
        report.take(format_args!("memory, {mib} MiB"), measured);
    }
}

async fn memory_with(mib: usize) -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("shared.bin"), mib * MIB, mib as u64)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let seeder = browser.open(&server.page()).await?;
    seeder.share(&[&file]).await?;
    let link = seeder.seeding().await?.share_link;
    let leecher = browser.open(&link).await?;
    leecher.run(WATCH).await?;
    moment(&leecher, "seeding").await?;
    let peak = peak_mib_of_tabs(std::process::id());
    browser.quit().await?;
    Ok(vec![Figure::new(
        format!("{mib} MiB to a tab: the largest tab's peak memory"),
        peak,
        "MiB",
        "",
    )])
}

/// From dropping 512 MiB until they are seeded.
pub async fn dropping() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("half a gigabyte.bin"), 512 * MIB, 512)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&server.page()).await?;
    tab.run(WATCH).await?;
    tab.run(
        r#"document.querySelector('[data-testid="file-input"]').addEventListener("change", () => {
            reached("dropped");
        }, { capture: true });"#,
    )
    .await?;
    tab.share(&[&file]).await?;
    let seeding = moment(&tab, "seeding").await?;
    let seconds = (seeding - moment(&tab, "dropped").await?) / 1000.0;
    browser.quit().await?;
    Ok(vec![Figure::new(
        "512 MiB dropped until it is seeding",
        seconds,
        "s",
        "WebTorrent 5.5 s",
    )])
}

/// Waits until a page has its engine and the engine its server: what comes of a link then is the
/// swarm's doing, and not the loading of the page.
pub(super) async fn settled(tab: &Tab) -> Result<()> {
    let is_up = "return document.getElementById('tracker').dataset.state === 'up'";
    tab.until("a page with its server", is_up).await?;
    Ok(())
}

/// Follows a share link in an open page, and says when.
pub(super) async fn follow(tab: &Tab, link: &str) -> Result<f64> {
    let (_, fragment) = link
        .split_once('#')
        .context("a share link has a fragment")?;
    let script =
        format!("location.hash = {fragment:?}; return performance.timeOrigin + performance.now();");
    tab.run(&script).await?.as_f64().context("a time")
}

/// When a page reached something. Awaited in the page: asking again and again would bring
/// the tab to the front each time, and cost what is to be measured.
pub(super) async fn moment(tab: &Tab, what: &str) -> Result<f64> {
    let script = format!("window.moment({what:?}).then(arguments[arguments.length - 1]);");
    tab.run_async(&script).await?.as_f64().context("a time")
}

/// What a visitor downloads, in kB: first the interface, and the engine beside it.
pub fn page_weight() -> Result<Vec<Figure>> {
    let figure = |what, part, extension, aim| -> Result<Figure> {
        let bytes = crate::programs::page_weight(part, extension)?;
        Ok(Figure::new(what, bytes as f64 / 1000.0, "kB", aim))
    };
    let aim = "aim: at most 120 kB together";
    let plain = "over plain HTTP in a LAN";
    Ok(vec![
        figure("interface, brotli", Part::Interface, "br", aim)?,
        figure("engine, brotli", Part::Engine, "br", aim)?,
        figure("interface, gzip", Part::Interface, "gz", plain)?,
        figure("engine, gzip", Part::Engine, "gz", plain)?,
    ])
}
