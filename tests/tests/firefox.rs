//! The page in Firefox, alone, and in one swarm with Chromium.
//!
//! Ignored by a plain `cargo test`, because they need the built page, programs and both browsers:
//! `cargo xtask test firefox` builds those and runs these.

use anyhow::Result;
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::scenes::{kept_after_a_reload, linked_with_a_terminal};
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::tab::{Tab, Torrent};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// Takes from a page what browsers had late: data channels that a worker can be given.
const WITHOUT_TRANSFER: &str = r#"
    const post = Worker.prototype.postMessage;
    window.refused = 0;
    Worker.prototype.postMessage = function (message, attached) {
        if ([...attached ?? []].some(it => it instanceof RTCDataChannel)) {
            window.refused += 1;
            throw new DOMException("can't be cloned", "DataCloneError");
        }
        return post.apply(this, arguments);
    };
"#;

/// Whether the worker has the data channel, or the page passes on what comes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channels {
    Transferred,
    Forwarded,
}

impl Channels {
    async fn prepare(self, tab: &Tab) -> Result<()> {
        if self == Channels::Forwarded {
            tab.run(WITHOUT_TRANSFER).await?;
        }
        Ok(())
    }

    async fn check(self, tab: &Tab) -> Result<()> {
        let refused = tab.run("return (window.refused ?? 0) > 0").await?;
        assert_eq!(refused, self == Channels::Forwarded);
        Ok(())
    }
}

/// One fetches from the other, most of it directly, and has the right bytes.
async fn fetched_directly(from: &Browser, to: &Browser, channels: Channels) -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("way.bin"), 64 * MIB, 21)?;
    let server = Server::start_with(&["--relay", "spare"]).await?;
    let link = SlowLink::to(server.address).await?;
    let (seeder, torrent) = from.seed(&server.page(), &[&file]).await?;
    channels.prepare(&seeder).await?;

    // Slow enough that a direct link is there long before the relay is through.
    let leecher = to.open(&link.page()).await?;
    channels.prepare(&leecher).await?;
    link.set_rate(MIB as u64);
    leecher.add_link(&torrent.share_link).await?;
    leecher
        .torrent_that("linked directly", Torrent::is_direct)
        .await?;
    seeder
        .torrent_that("linked directly", Torrent::is_direct)
        .await?;
    leecher.seeding().await?;

    let relayed = server.relayed_bytes().await?;
    assert!(relayed < 32 * MIB as u64, "{relayed} bytes were relayed");
    channels.check(&seeder).await?;
    channels.check(&leecher).await?;
    let into = folder.path().join("saved");
    let saved = to.save_like(&leecher, &file, &into).await?;
    assert_eq!(saved, digest(&file)?);
    Ok(())
}

/// `cargo xtask test tabs` leaves out what is in here.
mod in_firefox {
    use super::*;

    #[tokio::test]
    #[ignore = "needs two browsers: cargo xtask test firefox"]
    async fn it_and_chromium_fetch_from_each_other_directly() -> Result<()> {
        let (firefox, chromium) = (Browser::firefox().await?, Browser::start().await?);
        fetched_directly(&firefox, &chromium, Channels::Transferred).await?;
        fetched_directly(&chromium, &firefox, Channels::Transferred).await?;
        firefox.quit().await?;
        chromium.quit().await
    }

    #[tokio::test]
    #[ignore = "needs two browsers: cargo xtask test firefox"]
    async fn pages_that_keep_their_channels_pass_everything_on() -> Result<()> {
        let (firefox, chromium) = (Browser::firefox().await?, Browser::start().await?);
        fetched_directly(&firefox, &chromium, Channels::Forwarded).await?;
        fetched_directly(&chromium, &firefox, Channels::Forwarded).await?;
        firefox.quit().await?;
        chromium.quit().await
    }

    #[tokio::test]
    #[ignore = "needs a browser: cargo xtask test firefox"]
    async fn it_and_a_terminal_are_linked_directly() -> Result<()> {
        let firefox = Browser::firefox_that_hides_addresses().await?;
        linked_with_a_terminal(&firefox).await?;
        firefox.quit().await
    }

    #[tokio::test]
    #[ignore = "needs a browser: cargo xtask test firefox"]
    async fn what_was_fetched_is_there_after_a_reload() -> Result<()> {
        let firefox = Browser::firefox().await?;
        kept_after_a_reload(&firefox).await?;
        firefox.quit().await
    }

    /// What is particular to it: it has no place on the disk that a page can be given, so a large
    /// file comes as a download, through the service worker.
    #[tokio::test]
    #[ignore = "needs a browser: cargo xtask test firefox"]
    async fn what_a_tab_offers_is_there() -> Result<()> {
        let folder = TempDir::new()?;
        let file = random(&folder.path().join("offered.bin"), 40 * MIB, 23)?;
        let server = Server::start().await?;
        let link = SlowLink::to(server.address).await?;
        let firefox = Browser::firefox().await?;
        let (seeder, torrent) = firefox.seed(&server.page(), &[&file]).await?;
        seeder.click("qr").await?;
        let drawn = r#"return document.getElementById("qr-dialog").dataset.link"#;
        let code = seeder.until("a code", drawn).await?;
        assert_eq!(code, torrent.share_link.as_str());
        seeder.click("qr-close").await?;

        let leecher = firefox.open(&link.page()).await?;
        leecher.click("relay-only").await?;
        link.set_rate(4 * MIB as u64);
        leecher.add_link(&torrent.share_link).await?;
        leecher
            .torrent_that("begun", |torrent| torrent.progress > 0.0)
            .await?;
        // The swarm, live, with its table.
        leecher
            .run(
                r#"const summary = document.querySelector('[data-testid="swarm"] > summary');
                summary.scrollIntoView();
                summary.click();"#,
            )
            .await?;
        let seen = r#"return document.querySelectorAll('[data-testid="swarm-peer"]').length === 1
            && Number(document.querySelector('[data-testid="swarm-picture"]').dataset.pictures) > 5"#;
        leecher.until("a picture with its table", seen).await?;
        let into = folder.path().join("saved");
        // Begun while it comes.
        assert_eq!(
            firefox.save_like(&leecher, &file, &into).await?,
            digest(&file)?
        );

        // A limit is kept, and a language.
        let set = r#"const limit = document.getElementById("limit-up");
            limit.value = "5000";
            limit.dispatchEvent(new Event("change", { bubbles: true }));"#;
        leecher.run(set).await?;
        let choose = r#"const choice = document.getElementById("language");
            choice.value = "de";
            choice.dispatchEvent(new Event("change", { bubbles: true }));"#;
        leecher.run(choose).await?;
        let german = r#"return document.documentElement.lang === "de"
            && document.body.innerText.includes("Teilen")
            && document.getElementById("limit-up").value === "5000""#;
        leecher.until("German words", german).await?;
        firefox.quit().await
    }
}
