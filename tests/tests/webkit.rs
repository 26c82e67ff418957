//! The page in WebKit, alone, and in one swarm with Chromium.
//!
//! Ignored by a plain `cargo test`, because they need the built page, programs and both browsers:
//! `cargo xtask test webkit` builds those and runs these.

use anyhow::Result;
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::scenes::kept_after_a_reload;
use swarm_tests::server::Server;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// A page that can make no direct links says so, and no other does.
const SAYS_WHAT_IT_CAN: &str = "const only = document.querySelector('[data-testid=relay-only]');
    const can = 'RTCPeerConnection' in window;
    return only.disabled === !can && only.checked === !can";

/// One fetches from the other, and has the right bytes.
async fn fetched(from: &Browser, to: &Browser) -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("way.bin"), 40 * MIB, 24)?;
    let server = Server::start().await?;
    let (seeder, torrent) = from.seed(&server.page(), &[&file]).await?;
    let leecher = to.open(&torrent.share_link).await?;
    leecher.seeding().await?;
    for tab in [&seeder, &leecher] {
        assert_eq!(tab.run(SAYS_WHAT_IT_CAN).await?, true);
    }
    let into = folder.path().join("saved");
    let saved = to.save_like(&leecher, &file, &into).await?;
    assert_eq!(saved, digest(&file)?);
    Ok(())
}

/// `cargo xtask test tabs` leaves out what is in here.
mod in_webkit {
    use super::*;

    #[tokio::test]
    #[ignore = "needs two browsers: cargo xtask test webkit"]
    async fn it_and_chromium_fetch_from_each_other() -> Result<()> {
        let (webkit, chromium) = (Browser::webkit().await?, Browser::start().await?);
        fetched(&webkit, &chromium).await?;
        fetched(&chromium, &webkit).await?;
        webkit.quit().await?;
        chromium.quit().await
    }

    #[tokio::test]
    #[ignore = "needs a browser: cargo xtask test webkit"]
    async fn what_was_fetched_is_there_after_a_reload() -> Result<()> {
        let webkit = Browser::webkit().await?;
        kept_after_a_reload(&webkit).await?;
        webkit.quit().await
    }
}
