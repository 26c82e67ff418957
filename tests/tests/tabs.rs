//! What people do with tabs, done in a real browser against a real server.
//!
//! Ignored by a plain `cargo test`, because they need the built page and programs:
//! `cargo xtask test tabs` builds those and runs these.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;
use swarm_lab::replay::Report;
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::prefix::Prefix;
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::tab::{Tab, Torrent};
use swarm_tests::{liar, programs};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// The same link, opened at another address of the same server.
fn through(share_link: &str, page: &str) -> String {
    let (_, fragment) = share_link
        .split_once('#')
        .expect("a share link has a fragment");
    format!("{page}#{fragment}")
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn every_tab_gets_the_same_bytes_and_leechers_serve_each_other() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("holiday.bin"), 100 * MIB, 1)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;

    let mut leechers = Vec::new();
    for _ in 0..3 {
        leechers.push(browser.open(&torrent.share_link).await?);
    }
    for leecher in &leechers {
        leecher.seeding().await?;
    }
    let expected = digest(&file)?;
    for (index, leecher) in leechers.iter().enumerate() {
        let into = folder.path().join(index.to_string());
        assert_eq!(browser.save(leecher, "holiday.bin", &into).await?, expected);
    }
    let sent = seeder.seeding().await?.uploaded;
    let all = (leechers.len() * 100 * MIB) as u64;
    assert!(
        sent >= (100 * MIB) as u64,
        "somebody must have sent it: {sent}"
    );
    assert!(sent < all * 8 / 10, "the seeder sent {sent} of {all} bytes");
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_reloaded_tab_goes_on_from_the_pieces_it_kept() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("half way.bin"), 64 * MIB, 2)?;
    let server = Server::start().await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;

    let leecher = browser.open(&link.page()).await?;
    link.set_rate(8 * MIB as u64);
    leecher.add_link(&torrent.share_link).await?;
    leecher
        .torrent_that("half way", |torrent| torrent.progress > 0.4)
        .await?;
    leecher.reload().await?;
    let back = leecher
        .torrent_that("back", |torrent| torrent.progress > 0.0)
        .await?;
    assert!(back.progress >= 0.4, "{back:?}");
    link.set_rate(0);
    let done = leecher.seeding().await?;
    // What it had, it does not fetch again; a piece or two may have been under way.
    assert!(done.downloaded <= (64 * MIB) as u64 * 7 / 10, "{done:?}");
    assert_eq!(
        browser
            .save(&leecher, "half way.bin", &folder.path().join("saved"))
            .await?,
        digest(&file)?
    );
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn the_seeder_may_close_its_tab_once_the_others_hold_every_piece() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("relay race.bin"), 48 * MIB, 3)?;
    let server = Server::start().await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;

    let mut leechers = Vec::new();
    for _ in 0..3 {
        leechers.push(browser.open(&link.page()).await?);
    }
    link.set_rate(6 * MIB as u64);
    for leecher in &leechers {
        leecher.add_link(&torrent.share_link).await?;
    }
    seeder
        .torrent_that("held by the others", |torrent| torrent.copies >= 1)
        .await?;
    let states = [&leechers[0], &leechers[1], &leechers[2]];
    let mut unfinished = 0;
    for leecher in states {
        unfinished += usize::from(leecher.torrents().await?[0].state == "downloading");
    }
    seeder.close().await?;
    assert!(
        unfinished > 0,
        "the scenario needs somebody who is not done when the seeder leaves"
    );
    link.set_rate(0);
    for (index, leecher) in leechers.iter().enumerate() {
        leecher.seeding().await?;
        let into = folder.path().join(index.to_string());
        assert_eq!(
            browser.save(leecher, "relay race.bin", &into).await?,
            digest(&file)?
        );
    }
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn all_finish_by_themselves_after_the_tracker_was_restarted() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("restart.bin"), 48 * MIB, 4)?;
    // Through the server alone: direct links would go on without it.
    let server = Server::start_with(&["--relay-only"]).await?;
    let address = server.address;
    let link = SlowLink::to(address).await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;

    let leechers = [
        browser.open(&link.page()).await?,
        browser.open(&link.page()).await?,
    ];
    link.set_rate(6 * MIB as u64);
    for leecher in &leechers {
        leecher.add_link(&torrent.share_link).await?;
        leecher
            .torrent_that("under way", |torrent| torrent.progress > 0.1)
            .await?;
    }
    server.kill().await?;
    for leecher in &leechers {
        leecher
            .torrent_that("without peers", |torrent| torrent.peers.is_empty())
            .await?;
    }
    let _server = Server::start_on(address).await?;
    link.set_rate(0);
    for (index, leecher) in leechers.iter().enumerate() {
        leecher.seeding().await?;
        let into = folder.path().join(index.to_string());
        assert_eq!(
            browser.save(leecher, "restart.bin", &into).await?,
            digest(&file)?
        );
    }
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_liar_is_dropped_and_the_bytes_are_right() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("truth.bin"), 32 * MIB, 5)?;
    let torrent_file = folder.path().join("truth.torrent");
    let server = Server::start().await?;
    let status = programs::native_peer()
        .arg("create")
        .arg(&file)
        .arg("-o")
        .arg(&torrent_file)
        .status()
        .await?;
    assert!(status.success());
    let metainfo = swarm_core::metainfo::Metainfo::from_torrent(&std::fs::read(&torrent_file)?)?;
    let info_hash = metainfo.info_hash().to_string();
    let liar = liar::join(&server.tracker(), metainfo)?;

    let browser = Browser::start().await?;
    let leecher = browser.open(&server.page()).await?;
    leecher.add_link(&info_hash).await?;
    // Alone with the liar, it finds out.
    leecher
        .torrent_that("rid of the liar", |t| {
            t.downloaded > 0 && t.peers.is_empty()
        })
        .await?;
    let lied_to = leecher.torrents().await?.remove(0);
    assert!(lied_to.downloaded <= 16 * MIB as u64, "{lied_to:?}");
    assert_eq!(lied_to.progress, 0.0, "nothing corrupt is counted");

    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    assert_eq!(torrent.info_hash, info_hash);
    leecher.seeding().await?;
    assert_eq!(
        browser
            .save(&leecher, "truth.bin", &folder.path().join("saved"))
            .await?,
        digest(&file)?
    );
    liar.abort();
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_link_in_the_page_s_own_address_opens_at_load_and_removal_is_for_good() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("link.bin"), 3 * MIB, 6)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    let leecher = browser
        .open(&through(&torrent.share_link, &server.page()))
        .await?;
    leecher.seeding().await?;

    leecher.remove().await?;
    swarm_tests::wait::until("no torrent", || leecher.torrents(), Vec::is_empty).await?;
    leecher.goto(&server.page()).await?;
    leecher.add_link("this is no link").await?;
    swarm_tests::wait::until("an alert", || leecher.alerts(), |alerts| !alerts.is_empty()).await?;
    assert_eq!(leecher.torrents().await?, []);
    // A seeder that is reloaded seeds on.
    seeder.reload().await?;
    seeder.seeding().await?;
    browser.quit().await
}

/// Opens the list of files, and says which of them are ticked.
async fn ticks(tab: &Tab, files: usize) -> Result<Vec<bool>> {
    let script = "document.querySelector('.files').open = true;
        return [...document.querySelectorAll('[data-testid=want]')].map(box => box.checked)";
    let look = || tab.run(script);
    let is_there = |ticks: &Value| ticks.as_array().is_some_and(|ticks| ticks.len() == files);
    let ticks = swarm_tests::wait::until("a list of files", look, is_there).await?;
    Ok(serde_json::from_value(ticks)?)
}

/// Saves one file by its place in the list.
async fn save_file(
    browser: &Browser,
    tab: &Tab,
    place: usize,
    name: &str,
    into: &Path,
) -> Result<[u8; 32]> {
    let button = format!("document.querySelectorAll('[data-testid=save-file]')[{place}]");
    let script = format!("return {button}?.disabled === false");
    let is_here = || tab.run(&script);
    swarm_tests::wait::until("a file to save", is_here, |is| *is == true).await?;
    tab.run(&format!("{button}.click()")).await?;
    digest(&browser.take_download(name, into).await?)
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_file_without_its_tick_is_fetched_only_once_it_has_one() -> Result<()> {
    let folder = TempDir::new()?;
    let names = ["a.bin", "b.bin", "c.bin"];
    let mut files = Vec::new();
    for (seed, name) in (20..).zip(names) {
        files.push(random(&folder.path().join(name), 8 * MIB, seed)?);
    }
    let server = Server::start().await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let paths: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let (seeder, torrent) = browser.seed(&server.page(), &paths).await?;

    let leecher = browser.open(&link.page()).await?;
    link.set_rate(MIB as u64 / 4);
    leecher.add_link(&torrent.share_link).await?;
    leecher
        .torrent_that("known", |torrent| torrent.state == "downloading")
        .await?;
    assert_eq!(ticks(&leecher, 3).await?, [true, true, true]);
    leecher.click("want").await?;
    link.set_rate(0);
    leecher.seeding().await?;
    let sent = seeder.seeding().await?.uploaded;
    assert!(sent >= 16 * MIB as u64, "{sent} bytes are not two files");
    assert!(sent <= 21 * MIB as u64, "the seeder sent {sent} bytes");
    let into = folder.path().join("saved");
    for place in [1, 2] {
        let saved = save_file(&browser, &leecher, place, names[place], &into).await?;
        assert_eq!(saved, digest(&files[place])?);
    }

    leecher.reload().await?;
    let back = leecher.seeding().await?;
    assert_eq!(ticks(&leecher, 3).await?, [false, true, true]);
    assert_eq!(back.downloaded, 0, "{back:?}");
    leecher.click("want").await?;
    leecher
        .torrent_that("whole", |t| {
            t.state == "seeding" && t.downloaded > 3 * MIB as u64
        })
        .await?;
    let saved = save_file(&browser, &leecher, 0, names[0], &into).await?;
    assert_eq!(saved, digest(&files[0])?);
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn of_a_link_that_names_a_file_nothing_else_comes() -> Result<()> {
    let folder = TempDir::new()?;
    let mut files = Vec::new();
    for (seed, name) in (40..).zip(["a.bin", "b.bin", "c.bin"]) {
        files.push(random(&folder.path().join(name), 4 * MIB, seed)?);
    }
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let paths: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let (seeder, torrent) = browser.seed(&server.page(), &paths).await?;
    let leecher = browser.open(&server.page()).await?;
    let link = format!("{}&so=1", torrent.share_link);
    leecher.add_link(&link).await?;
    let got = leecher.seeding().await?;
    assert_eq!(ticks(&leecher, 3).await?, [false, true, false]);
    assert_eq!(got.downloaded, 4 * MIB as u64);
    let saved = save_file(&browser, &leecher, 1, "b.bin", &folder.path().join("saved")).await?;
    assert_eq!(saved, digest(&files[1])?);
    assert_eq!(seeder.seeding().await?.uploaded, 4 * MIB as u64);
    browser.quit().await
}

/// Begins to record a tab's session.
async fn record(tab: &Tab) -> Result<()> {
    tab.click("developers").await?;
    tab.click("record").await?;
    let is_on = || tab.run("return document.getElementById('recording').hasAttribute('data-on')");
    swarm_tests::wait::until("a recording", is_on, |is_on| is_on == true).await?;
    Ok(())
}

/// Ends the recording, and runs it once more, natively.
async fn replay(browser: &Browser, tab: &Tab, into: &Path) -> Result<Report> {
    tab.click("record").await?;
    let recording = browser.take_download_like(".swarmrec", into).await?;
    let file = std::fs::File::open(recording)?;
    Ok(swarm_lab::replay::replay(file, |_, _| Ok(()))?)
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_recorded_session_goes_on_and_replays_identically() -> Result<()> {
    let folder = TempDir::new()?;
    let length = 48 * MIB as u64;
    let file = random(&folder.path().join("recorded.bin"), 48 * MIB, 8)?;
    let server = Server::start().await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    record(&seeder).await?;
    seeder.seeding().await?;

    let leecher = browser.open(&link.page()).await?;
    link.set_rate(6 * MIB as u64);
    leecher.add_link(&torrent.share_link).await?;
    leecher
        .torrent_that("under way", |torrent| torrent.progress > 0.3)
        .await?;
    // In the middle of a download: what is here stays, and the rest comes by itself.
    record(&leecher).await?;
    link.set_rate(0);
    let done = leecher.seeding().await?;
    assert!(done.downloaded < length * 8 / 10, "{done:?}");
    let saved = browser
        .save(&leecher, "recorded.bin", &folder.path().join("out"))
        .await?;
    assert_eq!(saved, digest(&file)?);

    for tab in [&seeder, &leecher] {
        let report = replay(&browser, tab, &folder.path().join("recordings")).await?;
        assert!(report.is_identical() && report.complete, "{report}");
        assert!(report.inputs > 50 && report.outputs > 50, "{report}");
        assert_eq!(report.torrents[0].view.progress, 1.0, "{report}");
        // It goes on, unrecorded.
        tab.seeding().await?;
    }
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn under_a_path_behind_a_proxy_everything_is_beside_the_page() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("path.bin"), 3 * MIB, 12)?;
    let server = Server::start().await?;
    let proxy = Prefix::to(server.address, "/share").await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&proxy.page(), &[&file]).await?;
    assert!(
        torrent.share_link.starts_with(&proxy.page()),
        "{}",
        torrent.share_link
    );
    browser.open(&torrent.share_link).await?.seeding().await?;
    // The bare info-hash behind the `#` is as good.
    let address = format!("{}#{}", proxy.page(), torrent.info_hash);
    browser.open(&address).await?.seeding().await?;
    let outside = proxy.outside();
    assert!(
        outside.is_empty(),
        "asked for outside of the path: {outside:?}"
    );
    browser.quit().await
}

/// What a page does that nobody sees.
const WATCH_HIDDEN: &str = r#"
    window.hidden = { asked: 0, drawn: 0, state: "" };
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (...message) {
        if (document.hidden) window.hidden.asked += 1;
        return post.apply(this, message);
    };
    new MutationObserver(() => {
        if (!document.hidden) return;
        window.hidden.drawn += 1;
        window.hidden.state = document.querySelector('[data-testid="torrent"]').dataset.state;
    }).observe(document.querySelector("main"), { subtree: true, childList: true, attributes: true, characterData: true });
"#;

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_that_nobody_sees_does_nothing_for_show_and_is_right_once_it_is_seen() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("unseen.bin"), 24 * MIB, 30)?;
    // The page also makes direct links, seen or not.
    let server = Server::start_with(&["--relay-only"]).await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;

    let leecher = browser.open(&link.page()).await?;
    leecher.run(WATCH_HIDDEN).await?;
    link.set_rate(8 * MIB as u64);
    leecher.add_link(&torrent.share_link).await?;
    leecher
        .torrent_that("under way", |torrent| torrent.progress > 0.0)
        .await?;
    // The seeder's tab is in front, and shows when the other one has everything.
    let all = 24 * MIB as u64;
    seeder
        .torrent_that("sent", |torrent| torrent.uploaded >= all)
        .await?;
    seeder
        .torrent_that("held by the other", |torrent| torrent.copies >= 1)
        .await?;

    let shown = leecher.torrents().await?.remove(0);
    let hidden = leecher.run("return window.hidden").await?;
    assert_eq!(hidden["asked"], 0);
    // That it is complete is worth showing even where nobody looks, but it may not be yet.
    let once = hidden["drawn"] == 1 && hidden["state"] == "seeding";
    assert!(once || hidden["drawn"] == 0, "{hidden}");
    // It may still be writing the last piece, which nobody has to wait for to be shown the rest.
    assert!(shown.progress > 0.9, "{shown:?}");
    assert!(shown.downloaded >= all, "{shown:?}");
    let done = leecher.seeding().await?;
    assert_eq!(done.progress, 1.0);
    let into = folder.path().join("saved");
    let saved = browser.save(&leecher, "unseen.bin", &into).await?;
    assert_eq!(saved, digest(&file)?, "its pieces were all told of");
    browser.quit().await
}

/// What it says above everything is over when the torrent goes on, and when it is removed.
#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_stop_is_told_until_it_is_over() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("stop.bin"), 24 * MIB, 17)?;
    let server = Server::start().await?;
    let page = server.page();
    let origin = page.trim_end_matches('/');
    let browser = Browser::start().await?;
    let (_seeder, link) = programs::seed(&file, &["--no-lsd", "--tracker", &page]).await?;
    let tab = browser.open(&page).await?;
    let stopped = |torrent: &Torrent| torrent.state == "error";
    let is_told = "return document.querySelectorAll('[data-testid=alert]').length === 1";
    let is_over = "return !document.querySelector('[data-testid=alert]')";

    browser.set_quota(origin, Some(8 * MIB as u64)).await?;
    tab.add_link(&link).await?;
    tab.torrent_that("out of room", stopped).await?;
    tab.until("a word about it", is_told).await?;
    tab.remove().await?;
    tab.until("none about what is gone", is_over).await?;

    tab.add_link(&link).await?;
    tab.torrent_that("out of room again", stopped).await?;
    tab.until("a word about it", is_told).await?;
    browser.set_quota(origin, None).await?;
    // It says “Try again” then.
    tab.click("pause").await?;
    tab.seeding().await?;
    tab.until("none about what goes on", is_over).await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_full_storage_is_said_and_a_cleared_one_is_begun_anew() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("room.bin"), 40 * MIB, 13)?;
    let server = Server::start().await?;
    let page = server.page();
    let origin = page.trim_end_matches('/');
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    let leecher = browser.open(&server.page()).await?;
    let usage = || leecher.run("return navigator.storage.estimate().then(it => it.usage)");
    let is_copied = |usage: &Value| usage.as_u64() >= Some(40 * MIB as u64);
    let usage = swarm_tests::wait::until("the seeder's copy", usage, is_copied).await?;
    let usage = usage.as_u64().unwrap_or_default();

    browser
        .set_quota(origin, Some(usage + 24 * MIB as u64))
        .await?;
    leecher.add_link(&torrent.share_link).await?;
    leecher
        .torrent_that("out of room", |torrent| torrent.state == "error")
        .await?;
    let alerts = leecher.alerts().await?;
    assert!(alerts[0].contains("no room left"), "{alerts:?}");
    browser.set_quota(origin, None).await?;
    leecher.reload().await?;
    leecher.seeding().await?;
    let into = folder.path().join("saved");
    assert_eq!(
        browser.save(&leecher, "room.bin", &into).await?,
        digest(&file)?
    );

    // Slowly from here on, or it might be complete again before anybody looks.
    seeder.fill("limit-up", "20").await?;
    browser.clear_storage(origin).await?;
    leecher
        .torrent_that("begun anew", |t| {
            t.state == "downloading" && t.progress == 0.0
        })
        .await?;
    let alerts = leecher.alerts().await?;
    assert!(alerts[0].contains("was cleared"), "{alerts:?}");
    browser.quit().await
}
