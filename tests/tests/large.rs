//! A file that is larger than what a tab may hold: fetched, and saved while it comes.
//!
//! Ignored by a plain `cargo test`, because it needs the built page, programs and a browser:
//! `cargo xtask test tabs` builds those and runs it. With `TABSWARM_LARGE_MIB` set to 4096 it takes
//! a file of 4 GiB, three times that on the disk, and minutes; it prints what it measured.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use swarm_core::rng::Rng;
use swarm_tests::bench::process::{peak_mib_of_tabs, resident_mib_of_tabs};
use swarm_tests::browser::Browser;
use swarm_tests::programs;
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::tab::Tab;
use swarm_tests::wait::until;
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

/// How long the file is, in MiB.
const LENGTH: &str = "TABSWARM_LARGE_MIB";
const USUAL_LENGTH: u64 = 384;

/// How much more a tab may hold at the end than when it had the first tenth, in MiB. A tab that
/// kept what it got, or what it saves, would hold nine tenths of the file. A tab that is fast is given
/// buffers faster than they are collected.
const GROWTH: f64 = 256.0;

/// A file of this length with holes: 1 MiB that is like no other in each 32.
fn sparse(path: &Path, length: u64) -> Result<PathBuf> {
    let mut rng = Rng::new(51);
    let mut file = File::create(path)?;
    file.set_len(length)?;
    let mut bytes = vec![0; MIB as usize];
    for at in (0..length - MIB).step_by(32 * MIB as usize) {
        rng.fill(&mut bytes);
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&bytes)?;
    }
    Ok(path.to_owned())
}

/// Both have the same bytes.
fn is_same(left: &Path, right: &Path) -> Result<bool> {
    let length = left.metadata()?.len();
    if right.metadata()?.len() != length {
        return Ok(false);
    }
    let (mut left, mut right) = (File::open(left)?, File::open(right)?);
    let (mut ours, mut theirs) = (vec![0; MIB as usize], vec![0; MIB as usize]);
    let mut done = 0;
    while done < length {
        let part = usize::try_from(MIB.min(length - done))?;
        left.read_exact(&mut ours[..part])?;
        right.read_exact(&mut theirs[..part])?;
        if ours[..part] != theirs[..part] {
            return Ok(false);
        }
        done += part as u64;
    }
    Ok(true)
}

/// Waits until so much of the torrent is here.
async fn reaches(tab: &Tab, progress: f64) -> Result<f64> {
    let torrent = tab
        .torrent_that("further on", |torrent| torrent.progress >= progress)
        .await?;
    Ok(torrent.progress)
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_large_file_is_saved_while_it_comes_in_little_memory() -> Result<()> {
    let length = std::env::var(LENGTH).map_or(Ok(USUAL_LENGTH), |text| text.parse())?;
    let folder = TempDir::new()?;
    let file = sparse(&folder.path().join("large.bin"), length * MIB)?;
    let server = Server::start().await?;
    let (_seeder, link) = programs::seed(&file, &["--tracker", &server.tracker()]).await?;
    let (_, link) = link.split_once('#').context("a magnet link in it")?;
    let slow = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&slow.page()).await?;
    tab.click("relay-only").await?;
    // Nobody is there to say where it shall go.
    tab.run("delete window.showSaveFilePicker").await?;
    slow.set_rate(16 * MIB);
    tab.add_link(&format!("{}#{link}", server.page())).await?;
    let described = "return document.querySelector('[data-testid=save]')?.disabled === false";
    tab.until("something to save", described).await?;
    tab.run(
        "const order = document.querySelector('[data-testid=order]');
         order.selectedIndex = 1;
         order.dispatchEvent(new Event('change', { bubbles: true }));",
    )
    .await?;
    tab.click("save").await?;
    let begun = reaches(&tab, 0.0).await?;
    let root = std::process::id();
    reaches(&tab, 0.1).await?;
    let early = peak_mib_of_tabs(root);
    let mut most = early;
    println!(
        "save begun at {:.1} %; tabs held {early:.0} MiB at most",
        100.0 * begun
    );

    slow.set_rate(0);
    let begin = Instant::now();
    for step in 3..=20 {
        let progress = reaches(&tab, f64::from(step) / 20.0).await?;
        // The service worker's ends before the tab's, and its figures with it.
        most = most.max(peak_mib_of_tabs(root));
        println!(
            "{:6.1} s: {:3.0} % here, tabs hold {:.0} MiB at most",
            begin.elapsed().as_secs_f64(),
            100.0 * progress,
            resident_mib_of_tabs(root)
        );
    }
    let saving = "return document.querySelector('[data-testid=save]').textContent";
    let left = || tab.run(saving);
    until("the end of the save", left, |text| text == "Save").await?;
    println!("{:6.1} s: saved", begin.elapsed().as_secs_f64());
    let into = folder.path().join("saved");
    let saved = browser.take_download("large.bin", &into).await?;
    ensure!(is_same(&file, &saved)?, "other bytes were saved");
    println!("tabs held {most:.0} MiB at most");
    ensure!(begun < 1.0, "there was nothing left to come");
    ensure!(
        most < early + GROWTH,
        "{early:.0} MiB early on, {most:.0} at the end"
    );
    browser.quit().await
}
