//! What a person does with a tab, which is the same in every browser.

use anyhow::Result;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::files::{digest, random};
use crate::server::Server;

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
