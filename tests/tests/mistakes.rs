//! What somebody does by mistake, and how they get out of it; and what they need not be told.
//!
//! Ignored by a plain `cargo test`, as the other tests in tabs are: `cargo xtask test tabs`.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use swarm_tests::browser::Browser;
use swarm_tests::files::random;
use swarm_tests::server::Server;
use swarm_tests::wait::until;
use tempfile::TempDir;

/// How many torrents there are, and what a keyboard's user would act on next.
const WHERE: &str = "return [
    document.querySelectorAll('[data-testid=torrent]').length,
    document.activeElement.id || document.activeElement.dataset.infoHash,
]";

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_link_that_is_none_can_be_mended_and_what_nobody_has_is_let_go_of() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&server.page()).await?;

    tab.add_link("magnet:?no").await?;
    until("an alert", || tab.alerts(), |alerts| alerts.len() == 1).await?;
    let typed = "return document.getElementById('link').value";
    assert_eq!(tab.run(typed).await?, "magnet:?no");
    tab.run("document.getElementById('link').value = ''")
        .await?;
    tab.add_link(&"c".repeat(40)).await?;

    // The mistake is forgotten, and what can't be done yet is not offered.
    let words = "return document.querySelector('article .words')?.textContent.startsWith('Nobody')";
    tab.until("that nobody has it", words).await?;
    assert_eq!(tab.alerts().await?, Vec::<String>::new());
    let seen = tab
        .run(
            "const card = document.querySelector('article');
             const parts = ['order', 'save-torrent', 'swarm'];
             return parts.map(it => card.querySelector(`[data-part=${it}]`).checkVisibility());",
        )
        .await?;
    assert_eq!(seen, json!([false, false, false]));

    // Nothing of it is here: nothing is asked.
    tab.click("remove").await?;
    until("an empty page", || tab.torrents(), Vec::is_empty).await?;
    assert_eq!(tab.run(WHERE).await?, json!([0, "intake"]));

    // A limit that can't be is none.
    tab.run("document.getElementById('limits').open = true")
        .await?;
    tab.fill("limit-peers", "5000").await?;
    let kept = "return localStorage.getItem('tabswarm-limit-peers')";
    assert_eq!(tab.run(kept).await?, json!(null));
    tab.fill("limit-peers", "5").await?;
    assert_eq!(tab.run(kept).await?, "5");
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn nothing_that_is_here_goes_without_a_question() -> Result<()> {
    let folder = TempDir::new()?;
    let mut files = Vec::new();
    for (seed, name) in (60..).zip(["a.bin", "b.bin", "other.bin"]) {
        files.push(random(&folder.path().join(name), 300_000, seed)?);
    }
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let paths: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let (seeder, torrent) = browser.seed(&server.page(), &paths[..2]).await?;
    // Whoever shared it knows that it is here.
    let notices = "return document.querySelectorAll('[data-testid=notice]').length";
    assert_eq!(seeder.run(notices).await?, 0);
    let tab = browser.open(&torrent.share_link).await?;
    tab.seeding().await?;
    tab.until("that it came", notices).await?;
    // The torrent's own name is above its files, not before each of them.
    let listed = "const files = document.querySelector('.files');
        files.open = true;
        return [...files.querySelectorAll('.file-path')].map(it => it.textContent).join()";
    tab.until("a list", &format!("{listed} === 'a.bin,b.bin'"))
        .await?;

    tab.share(&paths[2..]).await?;
    until("both", || tab.torrents(), |all| all.len() == 2).await?;
    tab.torrent_that("complete, the newest", |it| it.state == "seeding")
        .await?;
    tab.click("remove").await?;
    tab.click("keep-it").await?;
    assert_eq!(tab.torrents().await?.len(), 2);
    tab.remove().await?;
    until("one of them", || tab.torrents(), |all| all.len() == 1).await?;
    let next = json!([1, torrent.info_hash]);
    assert_eq!(tab.run(WHERE).await?, next);
    browser.quit().await
}
