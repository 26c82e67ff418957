//! Torrents with several trackers: tabs meet at any of them, nothing is lost with one, and a
//! person decides which are used.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use futures_util::StreamExt as _;
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::tab::{Tab, Torrent};
use swarm_tests::wait::until;
use tempfile::TempDir;
use tokio::net::TcpListener;

const MIB: usize = 1 << 20;

const TRACKERS: &str = r#"
    return [...document.querySelectorAll('[data-testid="tracker"]')]
        .map(tracker => tracker.dataset.state + " " + tracker.dataset.url);
"#;

/// A second server, where pages of the first may connect, too.
async fn another(page: &str) -> Result<Server> {
    let origin = page.trim_end_matches('/');
    Server::start_with(&["--allow-origin", origin]).await
}

/// A WebSocket server that chooses no subprotocol, as trackers of WebTorrent do.
async fn speaks_otherwise() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await {
                    while let Some(Ok(_)) = socket.next().await {}
                }
            });
        }
    });
    Ok(address)
}

async fn found(tab: &Tab) -> Result<Vec<String>> {
    let found = tab.run(TRACKERS).await?;
    let found = found.as_array().context("a list")?.iter();
    let found = found.map(|tracker| tracker.as_str().unwrap_or_default().to_owned());
    Ok(found.collect())
}

/// Waits until these are the trackers, with their states.
async fn trackers(tab: &Tab, expected: &[String]) -> Result<()> {
    let what = format!("the trackers {expected:?}");
    until(&what, || found(tab), |found| found == expected).await?;
    Ok(())
}

async fn seed(tab: &Tab, file: &Path, more: &str) -> Result<Torrent> {
    tab.share(&[file]).await?;
    let torrent = tab.seeding().await?;
    let link = format!("magnet:?xt=urn:btih:{}&tr={more}", torrent.info_hash);
    tab.add_link(&link).await?;
    let names_it = |torrent: &Torrent| torrent.share_link.matches("&tr=").count() == 2;
    tab.torrent_that("naming both trackers", names_it).await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_transfer_goes_on_when_one_of_two_trackers_is_gone() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("two ways.bin"), 64 * MIB, 31)?;
    let first = Server::start().await?;
    let slow = SlowLink::to(first.address).await?;
    let second = another(&slow.page()).await?;
    let other = SlowLink::to(second.address).await?;
    let urls = [slow.address, other.address].map(|address| format!("ws://{address}/swarm"));
    let both = |states: [&str; 2]| {
        let [one, two] = states;
        [format!("{one} {}", urls[0]), format!("{two} {}", urls[1])]
    };

    let browser = Browser::start().await?;
    let seeder = browser.open(&slow.page()).await?;
    // A direct link would not care for either.
    seeder.click("relay-only").await?;
    let torrent = seed(&seeder, &file, &urls[1]).await?;
    trackers(&seeder, &both(["up", "up"])).await?;
    for link in [&slow, &other] {
        link.set_rate(6 * MIB as u64);
    }
    let leecher = browser.open(&torrent.share_link).await?;
    trackers(&leecher, &both(["up", "up"])).await?;
    let early = leecher
        .torrent_that("fetching", |now| now.progress > 0.1)
        .await?;
    assert!(early.progress < 0.9, "{early:?}");
    first.kill().await?;
    trackers(&leecher, &both(["down", "up"])).await?;
    let later = leecher
        .torrent_that("fetching more", |now| {
            now.downloaded > early.downloaded + 16 * MIB as u64
        })
        .await?;
    assert!(later.progress > early.progress, "{later:?}");
    leecher.seeding().await?;
    leecher.click("save").await?;
    let saved = browser
        .take_download("two ways.bin", &folder.path().join("saved"))
        .await?;
    assert_eq!(digest(&saved)?, digest(&file)?);
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_that_knows_one_tracker_meets_one_that_knows_two() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("met.bin"), 4 * MIB, 32)?;
    let first = Server::start().await?;
    let second = another(&first.page()).await?;
    let browser = Browser::start().await?;
    let seeder = browser.open(&first.page()).await?;
    let torrent = seed(&seeder, &file, &second.tracker()).await?;

    let leecher = browser.open(&second.page()).await?;
    leecher.add_link(&torrent.info_hash).await?;
    let done = leecher.seeding().await?;
    assert_eq!(done.peers.len(), 1, "{done:?}");
    let first_known = found(&leecher).await?.into_iter().next();
    assert_eq!(first_known, Some(format!("up {}", second.tracker())));

    // Somebody who knows the first alone hears of the second from whoever uses both.
    let third = browser.open(&first.page()).await?;
    third.add_link(&torrent.info_hash).await?;
    third.seeding().await?;
    let both = [&first, &second].map(|server| format!("up {}", server.tracker()));
    trackers(&third, &both).await?;
    // Servers that peers name are none of those where nobody is to learn our address.
    let own = [format!("up {}", first.tracker())];
    for (expected, what) in [(&own[..], "without"), (&both[..], "with them again")] {
        third.click("relay-only").await?;
        trackers(&third, expected).await.context(what)?;
    }
    third.close().await?;

    // The second tracker is taken away from the torrent, and stays away.
    let remove = format!(
        r#"document.querySelector('[data-testid="remove-tracker"][data-url="{}"]').click();"#,
        second.tracker()
    );
    seeder.run(&remove).await?;
    let left = [format!("up {}", first.tracker())];
    trackers(&seeder, &left).await?;
    seeder.reload().await?;
    trackers(&seeder, &left).await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn trackers_that_are_of_no_use_say_why() -> Result<()> {
    let server = Server::start().await?;
    let stranger = format!("ws://{}/announce", speaks_otherwise().await?);
    let browser = Browser::start().await?;
    let tab = browser.open(&server.page()).await?;
    let link = format!(
        "magnet:?xt=urn:btih:{}&tr=udp://tracker.invalid:80&tr=ws://127.1/swarm&tr={stranger}",
        "ab".repeat(20)
    );
    tab.add_link(&link).await?;
    let expected = [
        format!("up {}", server.tracker()),
        "unsupported udp://tracker.invalid:80".to_owned(),
        "refused ws://127.1/swarm".to_owned(),
        format!("unsupported {stranger}"),
    ];
    trackers(&tab, &expected).await?;
    browser.quit().await
}
