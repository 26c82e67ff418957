//! Every state of the pages, seen by axe, on a phone and in other colours.
//!
//! Ignored by a plain `cargo test`, because it needs the built pages, programs, a browser and axe:
//! `cargo xtask test tabs` brings those and runs it. With `TABSWARM_PICTURES` set to a folder,
//! pictures of all states go there: what is ugly, no rule finds.

use std::path::{Path, PathBuf};

use anyhow::Result;
use swarm_tests::browser::Browser;
use swarm_tests::files::random;
use swarm_tests::media::{hostile, sound};
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// Opens all that opens and closes.
const OPEN_ALL: &str = "document.querySelectorAll('details').forEach(it => it.open = true)";

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn whoever_shares_is_kept_out_of_nothing() -> Result<()> {
    let folder = TempDir::new()?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&server.page()).await?;
    let connected = "return document.getElementById('tracker')?.dataset.state === 'up'";
    tab.until("a tracker", connected).await?;
    tab.is_for_all("empty").await?;

    tab.add_link("https://example.org/nothing to be found here")
        .await?;
    let refused = "return !!document.querySelector('[data-testid=alert]')";
    tab.until("a refusal", refused).await?;
    tab.is_for_all("refused").await?;
    tab.reload().await?;

    // Names as people give them, and as they should not.
    let mut files = hostile(folder.path())?;
    let long = "a name that is longer than any line of any page and has no end ".repeat(3);
    files.push(sound(
        &folder.path().join(format!("{}.wav", long.trim())),
        20,
    )?);
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    tab.share(&paths).await?;
    tab.seeding().await?;
    tab.is_for_all("shared").await?;
    tab.run(OPEN_ALL).await?;
    tab.is_for_all("shared, all open").await?;

    for index in 0..files.len() {
        let click = format!(
            "document.querySelectorAll('[data-testid=play-file]')[{index}].click();
             return document.querySelector('[data-part=playing-name]').textContent"
        );
        let name = tab.run(&click).await?;
        let shown = "return !!document.querySelector('[data-testid=playing]')";
        tab.until("something to see", shown).await?;
        let ending = name.as_str().and_then(|name| name.rsplit('.').next());
        tab.is_for_all(&format!("open, {}", ending.unwrap_or("?")))
            .await?;
    }
    tab.click("close-player").await?;
    tab.click("pause").await?;
    tab.torrent_that("paused", |torrent| torrent.state == "paused")
        .await?;
    tab.is_for_all("paused").await?;
    tab.click("remove").await?;
    tab.is_for_all("asked about its removal").await?;
    tab.click("keep-it").await?;

    server.kill().await?;
    let gone = "return document.getElementById('tracker')?.dataset.state === 'down'";
    tab.until("a tracker that is gone", gone).await?;
    tab.is_for_all("without its server").await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn whoever_fetches_is_kept_out_of_nothing() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("on its way.bin"), 24 * MIB, 41)?;
    let server = Server::start().await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;

    let tab = browser.open(&link.page()).await?;
    tab.click("relay-only").await?;
    // Nobody has it.
    tab.add_link(&"c".repeat(40)).await?;
    tab.torrent_that("looked for", |torrent| torrent.state == "metadata")
        .await?;
    tab.is_for_all("looked for").await?;
    tab.click("remove").await?;
    tab.until(
        "an empty page",
        "return !document.querySelector('[data-testid=torrent]')",
    )
    .await?;

    link.set_rate(MIB as u64 / 4);
    tab.add_link(&torrent.share_link).await?;
    tab.torrent_that("under way", |torrent| torrent.progress > 0.0)
        .await?;
    tab.run(OPEN_ALL).await?;
    tab.is_for_all("fetching").await?;
    link.set_rate(0);
    tab.seeding().await?;
    tab.is_for_all("complete").await?;
    tab.click("save").await?;
    tab.is_for_all("saved").await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn the_lab_keeps_nobody_out() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser
        .open(&format!(
            "{}lab/#preset=churn&peers=12&pieces=24",
            server.page()
        ))
        .await?;
    let drawn = "return Number(document.querySelector('[data-testid=lab]')?.dataset.pictures) > 0";
    tab.until("a picture", drawn).await?;
    // As it stands, so that all looks see the same.
    tab.click("play").await?;
    tab.run(OPEN_ALL).await?;
    tab.is_for_all("the lab").await?;
    // Its other half, with a look-up under way.
    tab.run("location.hash = 'dht=rest&nodes=40'").await?;
    let drawn = "return Number(document.querySelector('[data-testid=net]')?.dataset.pictures) > 0";
    tab.until("a picture of a network", drawn).await?;
    tab.click("net-look").await?;
    let walks = "return document.querySelectorAll('[data-testid=walk] tbody tr').length > 0";
    tab.until("a look-up", walks).await?;
    tab.click("net-play").await?;
    tab.run(OPEN_ALL).await?;
    tab.is_for_all("the lab, a network").await?;
    browser.quit().await
}
