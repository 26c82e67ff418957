//! What a direct link costs by itself. From following a link on, most of a file has come through
//! the relay before a link between two tabs stands; so here it stands first. Both have fetched a
//! short file of two by then, the tracker ends, and what is measured is the other file: the same
//! bytes through data channels alone, in our page and in WebTorrent's, and in pages that do nothing
//! else.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::super::Figure;
use super::super::others::{Runs, beside, installed};
use super::super::process::{
    cpu_seconds_below, cpu_seconds_of_workers, forget_peaks_of_tabs, peak_mib_of_tabs,
};
use super::super::tabs::{WATCH, follow, moment};
use super::{DIRECT, RUNS, Theirs, bare};
use crate::browser::Browser;
use crate::files::random;
use crate::server::Server;
use crate::tab::{Tab, Torrent};

/// The file that brings the two together: whole pieces, whoever cuts them, so that both fetch the
/// same afterwards.
const FIRST: (&str, usize) = ("first.bin", 4 << 20);
/// The one that is measured.
pub(super) const REST: (&str, usize) = ("rest.bin", 192 << 20);

/// Asks for the other file too, and returns when; `seeding` is reached once more when it is here.
const GO_ON: &str = r#"
    const torrent = document.querySelector('[data-testid="torrent"]');
    let begun = false;
    new MutationObserver(() => {
        begun ||= torrent.dataset.state === "downloading";
        if (begun && torrent.dataset.state === "seeding") reached("all");
    }).observe(torrent, { attributes: true });
    const now = performance.timeOrigin + performance.now();
    torrent.querySelectorAll('[data-testid="want"]')[1].click();
    return now;
"#;

/// Shows the files of the torrent.
const SHOW_FILES: &str = r#"
    const wanted = document.querySelectorAll('[data-testid="want"]');
    if (wanted.length) return true;
    document.querySelector('[data-part="files"]').open = true;
"#;

/// The same in WebTorrent's page, with a torrent of which a file was fetched.
const THEIRS: &str = r#"
    window.begin = magnet => client.add(magnet, { deselect: true }, torrent => {
        torrent.once("done", () => reached("all"));
        const file = torrent.files.find(file => file.name === "first.bin");
        file.once("done", () => reached("first"));
        file.select();
    });
    window.goOn = () => {
        const now = performance.timeOrigin + performance.now();
        client.torrents[0].files.find(file => file.name === "rest.bin").select();
        return now;
    };
"#;

/// Throughput, processor time and memory.
pub(super) async fn run() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let others = installed("node_modules/webtorrent/dist/webtorrent.min.js").is_some();
    let (mut ours, mut bare, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..RUNS {
        let file = |(name, length): (&str, usize), seed| {
            random(
                &folder.path().join(number.to_string()).join(name),
                length,
                seed,
            )
        };
        let files = [
            file(FIRST, 2 * number as u64)?,
            file(REST, 2 * number as u64 + 1)?,
        ];
        ours.push(by_us(&files).await?);
        bare.push(bare::run().await?);
        if others {
            theirs.push(by_webtorrent(&files).await?);
        }
    }
    let of = |what: &str, unit, figure: fn(&Run) -> f64, aim| {
        let all = [
            ("ours", &ours),
            ("a bare channel", &bare),
            ("WebTorrent", &theirs),
        ];
        let runs = all.map(|(name, runs)| Runs {
            name,
            values: runs.iter().map(figure).collect(),
        });
        let mib = REST.1 >> 20;
        beside(
            &format!("{mib} MiB by a link that stands, {what}"),
            unit,
            &runs,
            aim,
        )
    };
    let figures = [
        of("throughput", "MB/s", |run| run.throughput, "WebTorrent's"),
        of(
            "browser's CPU",
            "s/GB",
            |run| run.cpu,
            "half of WebTorrent's",
        ),
        of("of that, workers", "s/GB", |run| run.workers, ""),
        of("largest tab's memory", "MiB", |run| run.peak_mib, ""),
    ];
    Ok(figures.into_iter().flatten().collect())
}

/// One transfer.
pub(super) struct Run {
    /// Megabytes a second.
    throughput: f64,
    /// Seconds of processor time for a gigabyte: of the whole browser, and of its workers.
    cpu: f64,
    workers: f64,
    peak_mib: f64,
}

impl Run {
    /// Ends the server, asks for the other file with this script, and waits until it is here.
    async fn of(leecher: &Tab, server: Server, go_on: &str) -> Result<Self> {
        server.kill().await?;
        let before = Run::cpu();
        let begin = leecher.run(go_on).await?;
        let begin = begin.as_f64().context("a time")?;
        let end = moment(leecher, "all").await?;
        Ok(Run::since(before, end - begin))
    }

    /// Seconds of processor time until now, of browsers and of their workers. Peaks of memory are
    /// those from now on.
    pub(super) fn cpu() -> (f64, f64) {
        let root = std::process::id();
        forget_peaks_of_tabs(root);
        (cpu_seconds_below(root, 0), cpu_seconds_of_workers(root))
    }

    /// A transfer that took so many milliseconds, before which so much had been used.
    pub(super) fn since(before: (f64, f64), milliseconds: f64) -> Self {
        let root = std::process::id();
        let cpu = cpu_seconds_below(root, 0) - before.0;
        let workers = cpu_seconds_of_workers(root) - before.1;
        let gigabytes = REST.1 as f64 / 1e9;
        Run {
            throughput: gigabytes * 1e6 / milliseconds,
            cpu: cpu / gigabytes,
            workers: workers / gigabytes,
            peak_mib: peak_mib_of_tabs(root),
        }
    }
}

async fn by_us(files: &[PathBuf; 2]) -> Result<Run> {
    let server = Server::start_with(DIRECT).await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser
        .seed(&server.page(), &[&files[0], &files[1]])
        .await?;
    let leecher = browser.open(&server.page()).await?;
    leecher.run(WATCH).await?;
    follow(&leecher, &format!("{}&so=0", torrent.share_link)).await?;
    moment(&leecher, "seeding").await?;
    leecher
        .torrent_that("linked directly", Torrent::is_direct)
        .await?;
    leecher.until("the list of files", SHOW_FILES).await?;
    let run = Run::of(&leecher, server, GO_ON).await?;
    browser.quit().await?;
    Ok(run)
}

async fn by_webtorrent(files: &[PathBuf; 2]) -> Result<Run> {
    let theirs = Theirs::start().await?;
    let (_seeder, link) = theirs.seed(&[&files[0], &files[1]]).await?;
    let leecher = theirs.leecher().await?;
    leecher.run(THEIRS).await?;
    leecher.run(&format!("begin({link:?});")).await?;
    moment(&leecher, "first").await?;
    let Theirs {
        browser, server, ..
    } = theirs;
    let run = Run::of(&leecher, server, "return goOn();").await?;
    browser.quit().await?;
    Ok(run)
}
