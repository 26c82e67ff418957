//! Takes the README's picture: a page that shares one torrent and fetches another. Needs
//! what the tests in real tabs need; writes to the path in its only argument.

use std::path::PathBuf;

use anyhow::{Context, Result};
use swarm_tests::browser::Browser;
use swarm_tests::files::random;
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::wait::until;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

#[tokio::main]
async fn main() -> Result<()> {
    let picture = PathBuf::from(
        std::env::args_os()
            .nth(1)
            .context("say where the picture goes")?,
    );
    let folder = TempDir::new()?;
    let talk = random(&folder.path().join("Conference talk.mp4"), 180 * MIB, 1)?;
    let photos = random(&folder.path().join("Summer photos.tar"), 40 * MIB, 2)?;

    let server = Server::start().await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let sharer = browser.open(&server.page()).await?;
    sharer.share(&[&talk]).await?;
    let shared = sharer.seeding().await?;

    let tab = browser.open(&link.page()).await?;
    tab.share(&[&photos]).await?;
    let own = tab.seeding().await?;
    let friend = browser.open(&own.share_link).await?;
    friend.seeding().await?;
    link.set_rate(8 * MIB as u64);
    tab.add_link(&shared.share_link).await?;
    let half = |torrents: &Vec<_>| {
        let under_way =
            |torrent: &swarm_tests::tab::Torrent| torrent.progress > 0.4 && torrent.progress < 1.0;
        torrents.iter().any(under_way)
    };
    until("a download half way", || tab.torrents(), half).await?;
    tab.run("scrollTo(0, 0)").await?;
    tab.screenshot(&picture).await?;
    browser.quit().await
}
