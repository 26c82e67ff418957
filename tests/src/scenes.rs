//! What a person does with a tab, which is the same in every browser.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::browser::Browser;
use crate::files::{assert_same, digest, random, unpack, write_all};
use crate::programs;
use crate::server::Server;
use crate::tab::{Tab, Torrent};

const MIB: usize = 1 << 20;

/// What was fetched is there after a reload, without anybody else, and can be saved.
pub async fn kept_after_a_reload(browser: &Browser) -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("kept.bin"), 24 * MIB, 22)?;
    let server = Server::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    let leecher = browser.open(&torrent.share_link).await?;
    leecher.seeding().await?;

    seeder.close().await?;
    leecher.reload().await?;
    let back = leecher.seeding().await?;
    assert_eq!(back.downloaded, 0, "{back:?}");
    let into = folder.path().join("saved");
    let saved = browser.save_like(&leecher, &file, &into).await?;
    assert_eq!(saved, digest(&file)?);
    Ok(())
}

/// Enough that it is not over before a link is there, at [`SLOW`].
const FILES: [(&str, usize); 3] = [
    ("way/short.txt", 700),
    ("way/below/long.bin", 17 * MIB),
    ("way/other.bin", 7 * MIB),
];
/// kB/s, until the server is gone.
const SLOW: &str = "400";

/// A tab and our command-line peer are linked directly. Each gets several files that only the other
/// has, and the server goes as soon as the link is there: the page says so, and the rest comes by it.
///
/// A browser's addresses may have names that only browsers look up: then it is the browser that
/// reaches the terminal.
pub async fn linked_with_a_terminal(browser: &Browser) -> Result<()> {
    let folder = TempDir::new()?;
    let [shared, saved, got] = ["shared", "saved", "got"].map(|name| folder.path().join(name));
    write_all(&shared, &FILES)?;

    // The terminal gives.
    let (server, tab) = with_a_spared_relay(browser).await?;
    tab.fill("limit-down", SLOW).await?;
    let page = server.page();
    let alone = ["--no-tcp", "--no-lsd", "--tracker", &page];
    let (mut seeder, link) = programs::seed(&shared.join("way"), &alone).await?;
    let (_, magnet) = link.split_once('#').context("a magnet link in it")?;
    tab.add_link(magnet).await?;
    without_a_server(server, &tab).await?;
    tab.fill("limit-down", "").await?;
    tab.torrent_that("all there, directly", |now| {
        now.state == "seeding" && now.is_direct()
    })
    .await?;
    tab.click("save").await?;
    unpack(&browser.take_download("way.zip", &saved).await?, &saved)?;
    assert_same(&shared, &saved, &FILES)?;
    seeder.kill().await?;

    // And the other way round.
    let (server, tab) = with_a_spared_relay(browser).await?;
    tab.fill("limit-up", SLOW).await?;
    let paths = FILES.map(|(name, _)| shared.join(name));
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    tab.share(&paths).await?;
    let link = tab.seeding().await?.share_link;
    let mut leecher = programs::native_peer();
    let leecher = leecher.arg("get").arg(&link).arg("--output").arg(&got);
    let mut leecher = leecher.args(&alone[..2]).kill_on_drop(true).spawn()?;
    without_a_server(server, &tab).await?;
    tab.fill("limit-up", "").await?;
    assert!(leecher.wait().await?.success());
    let got = std::fs::read_dir(&got)?.next().context("a folder")??.path();
    for path in paths {
        let name = path.file_name().context("a name")?;
        assert_eq!(digest(path)?, digest(&got.join(name))?, "{name:?}");
    }
    Ok(())
}

/// The page of a server whose relay carries nothing that goes another way.
async fn with_a_spared_relay(browser: &Browser) -> Result<(Server, Tab)> {
    let server = Server::start_with(&["--relay", "spare"]).await?;
    let tab = browser.open(&server.page()).await?;
    Ok((server, tab))
}

/// Pulls the server's plug as soon as a tab gives or gets something directly.
async fn without_a_server(server: Server, tab: &Tab) -> Result<()> {
    let total = FILES.map(|(_, length)| length as u64).iter().sum::<u64>();
    let so_far = |now: &Torrent| now.downloaded + now.uploaded;
    let begun = tab
        .torrent_that("linked directly", |now| now.is_direct() && so_far(now) > 0)
        .await?;
    assert!(so_far(&begun) < total / 2, "{begun:?}");
    server.kill().await
}
