//! Direct links between real tabs: they carry what the relay is spared, go on when the server is
//! gone, and are never made where somebody wants none.

use anyhow::Result;
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::scenes::linked_with_a_terminal;
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::tab::Torrent;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn tabs_go_on_directly_when_the_server_is_gone() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("long way.bin"), 192 * MIB, 11)?;
    let server = Server::start_with(&["--relay", "spare"]).await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;

    // Through the relay it would take minutes.
    let leecher = browser.open(&link.page()).await?;
    link.set_rate(MIB as u64);
    leecher.add_link(&torrent.share_link).await?;
    let direct = leecher
        .torrent_that("linked directly", Torrent::is_direct)
        .await?;
    assert_eq!(direct.state, "downloading", "{direct:?}");
    // What was under way through the relay has arrived when something came directly.
    leecher
        .torrent_that("fetched directly", |now| {
            now.downloaded > direct.downloaded + 2 * MIB as u64
        })
        .await?;
    let relayed = server.relayed_bytes().await?;
    let later = leecher
        .torrent_that("fetched more", |now| {
            now.downloaded > direct.downloaded + 16 * MIB as u64
        })
        .await?;
    let more = server.relayed_bytes().await? - relayed;
    assert!(more < 64 << 10, "{more} bytes went through the relay");
    assert!(later.progress < 1.0, "{later:?}");
    server.kill().await?;

    leecher.seeding().await?;
    leecher.click("save").await?;
    let saved = browser
        .take_download("long way.bin", &folder.path().join("saved"))
        .await?;
    assert_eq!(digest(&saved)?, digest(&file)?);
    browser.quit().await
}

/// Where neither way costs anybody anything, whoever waits for blocks finds out which is better.
#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_relay_that_is_slow_is_left_for_a_link_that_is_measured_to_be_faster() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("either way.bin"), 64 * MIB, 15)?;
    let server = Server::start_with(&["--relay", "free"]).await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    // Or it would all be here before the trial is over.
    seeder.fill("limit-up", "8000").await?;
    let leecher = browser.open(&link.page()).await?;
    link.set_rate(MIB as u64 / 2);
    leecher.add_link(&torrent.share_link).await?;

    let fetches = |now: &Torrent| now.downloaded > 0;
    let begun = leecher.torrent_that("fetched at first", fetches).await?;
    let paths: Vec<&str> = begun.peers.iter().map(|peer| &peer.path[..]).collect();
    assert_eq!(paths, ["relay"], "{begun:?}");
    let tried = leecher
        .torrent_that("fetched directly", Torrent::is_direct)
        .await?;
    assert_eq!(tried.state, "downloading", "{tried:?}");
    // After a trial that found nothing better, most of it would come by relay.
    leecher.seeding().await?;
    let relayed = server.relayed_bytes().await?;
    assert!(relayed < 24 * MIB as u64, "{relayed} bytes went by relay");
    let saved = folder.path().join("saved");
    let saved = browser.save(&leecher, "either way.bin", &saved).await?;
    assert_eq!(saved, digest(&file)?);
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn who_wants_no_direct_links_has_none() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("shy.bin"), 192 * MIB, 12)?;
    let server = Server::start_with(&["--relay", "spare"]).await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    let leecher = browser.open(&link.page()).await?;
    link.set_rate(4 * MIB as u64);
    leecher.add_link(&torrent.share_link).await?;
    leecher
        .torrent_that("linked directly", Torrent::is_direct)
        .await?;

    // From now on, and after a reload.
    let relayed = |torrent: &Torrent| {
        !torrent.peers.is_empty() && torrent.peers.iter().all(|peer| peer.path == "relay")
    };
    leecher.click("relay-only").await?;
    leecher.torrent_that("relayed again", relayed).await?;
    leecher.reload().await?;
    let back = leecher
        .torrent_that("relayed after a reload", relayed)
        .await?;
    leecher
        .torrent_that("fetching through the relay", |now| {
            assert!(!now.is_direct(), "{now:?}");
            now.downloaded > back.downloaded + 8 * MIB as u64
        })
        .await?;
    leecher.click("relay-only").await?;
    leecher
        .torrent_that("linked directly again", Torrent::is_direct)
        .await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_network_without_udp_is_served_by_the_relay() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("walled.bin"), 48 * MIB, 13)?;
    let server = Server::start_with(&["--relay", "spare"]).await?;
    // Chromium makes no UDP sockets for WebRTC then, and nothing listens by TCP.
    let walled = "--webrtc-ip-handling-policy=disable_non_proxied_udp";
    let browser = Browser::start_with(&[walled]).await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    let leecher = browser.open(&torrent.share_link).await?;
    let done = leecher.seeding().await?;
    assert!(
        done.peers.iter().all(|peer| peer.path == "relay"),
        "{done:?}"
    );
    leecher.click("save").await?;
    let saved = browser
        .take_download("walled.bin", &folder.path().join("saved"))
        .await?;
    assert_eq!(digest(&saved)?, digest(&file)?);
    browser.quit().await
}

/// Terminals are linked as tabs are.
#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_and_a_terminal_are_linked_directly() -> Result<()> {
    let browser = Browser::start().await?;
    linked_with_a_terminal(&browser).await?;
    browser.quit().await
}
