//! Tabs whose servers are gone for good: they go on, introduce each other, and come back by
//! whatever else they have met.

use anyhow::Result;
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::tab::{Tab, Torrent};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// Linked directly with at least so many, and with nobody otherwise.
fn is_linked(torrent: &Torrent, with: usize) -> bool {
    torrent.is_direct() && torrent.peers.len() >= with
}

async fn linked(tab: &Tab, with: usize) -> Result<Torrent> {
    let what = format!("linked directly with {with}");
    tab.torrent_that(&what, |torrent| is_linked(torrent, with))
        .await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn six_tabs_go_on_without_a_server_and_introduce_a_seventh() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("orphan.bin"), 96 * MIB, 51)?;
    let server = Server::start_with(&["--relay", "spare"]).await?;
    // The same server under another origin, which is all that the second one lets in.
    let other_way = SlowLink::to(server.address).await?;
    let origin = other_way.page();
    let second = Server::start_with(&[
        "--relay",
        "spare",
        "--allow-origin",
        origin.trim_end_matches('/'),
    ])
    .await?;

    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    // Nothing moves until all are linked.
    seeder.click("pause").await?;
    let magnet = format!("magnet:?xt=urn:btih:{}", torrent.info_hash);
    let neighbour = browser.open(&other_way.page()).await?;
    let both = format!("{magnet}&tr={}", second.tracker());
    neighbour.add_link(&both).await?;
    let mut tabs = vec![neighbour];
    for _ in 0..4 {
        let tab = browser.open(&server.page()).await?;
        tab.add_link(&magnet).await?;
        tabs.push(tab);
    }
    for tab in &tabs {
        linked(tab, 4).await?;
    }
    seeder.click("pause").await?;
    linked(&seeder, 5).await?;
    server.kill().await?;
    let halfway = tabs[4].torrents().await?;
    assert!(halfway.iter().all(|it| it.progress < 1.0), "{halfway:?}");

    // It meets one of them, where nobody else is, and then that place is gone, too.
    let seventh = browser.open(&second.page()).await?;
    // So slowly that it still needs others when it hears of the last of them.
    seventh.fill("limit-down", "1000").await?;
    seventh.add_link(&magnet).await?;
    linked(&seventh, 1).await?;
    second.kill().await?;
    let introduced = linked(&seventh, 6).await?;
    assert_eq!(introduced.peers.len(), 6, "{introduced:?}");
    seventh.fill("limit-down", "").await?;
    for tab in &tabs {
        tab.seeding().await?;
    }
    seventh.seeding().await?;
    seventh.click("save").await?;
    let saved = browser
        .take_download("orphan.bin", &folder.path().join("saved"))
        .await?;
    assert_eq!(digest(&saved)?, digest(&file)?);
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_that_is_reloaded_comes_back_by_a_tracker_that_it_has_met() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("back.bin"), 4 * MIB, 52)?;
    // Where the tab's page comes from; nobody else is there.
    let own = Server::start().await?;
    let origin = own.page();
    let allow = ["--allow-origin", origin.trim_end_matches('/')];
    let first = Server::start_with(&allow).await?;
    let also = first.page();
    let second = Server::start_with(&[
        "--allow-origin",
        origin.trim_end_matches('/'),
        "--allow-origin",
        also.trim_end_matches('/'),
    ])
    .await?;

    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&first.page(), &[&file]).await?;
    let magnet = format!("magnet:?xt=urn:btih:{}", torrent.info_hash);
    let both = format!("{magnet}&tr={}", second.tracker());
    seeder.add_link(&both).await?;
    let tab = browser.open(&own.page()).await?;
    tab.add_link(&format!("{magnet}&tr={}", first.tracker()))
        .await?;
    tab.seeding().await?;
    let names = |state: &str| {
        format!(
            r#"return document.querySelector('[data-testid="tracker"][data-url="{}"][data-state="{state}"]') !== null;"#,
            second.tracker()
        )
    };
    let met = names("up");
    swarm_tests::wait::until("the second tracker", || tab.run(&met), |met| *met == true).await?;
    first.kill().await?;
    seeder.close().await?;

    // Somebody else has the second tracker alone.
    tab.reload().await?;
    let newcomer = browser.open(&second.page()).await?;
    newcomer.add_link(&magnet).await?;
    newcomer.seeding().await?;
    browser.quit().await
}
