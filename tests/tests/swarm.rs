//! The picture of a real swarm: what it shows and says of real tabs, and that it rests when it is
//! closed or out of view.

use anyhow::{Context, Result};
use serde_json::Value;
use swarm_tests::browser::Browser;
use swarm_tests::files::random;
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::tab::Tab;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// What the table says of each peer.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    path: String,
    have: f64,
    choked: String,
    words: String,
}

impl Row {
    /// It sends us something just now, as the words say.
    fn gives(&self) -> bool {
        self.words.contains("B/s")
    }
}

const ROWS: &str = r#"
    const rows = [...document.querySelectorAll('[data-testid="swarm-peer"]')];
    return rows.map(row => [row.dataset.path, row.dataset.have, row.dataset.choked, row.innerText]);
"#;

async fn rows(tab: &Tab) -> Result<Vec<Row>> {
    let found = tab.run(ROWS).await?;
    let text = |row: &Value, at: usize| row[at].as_str().unwrap_or_default().to_owned();
    let row = |row: &Value| Row {
        path: text(row, 0),
        have: text(row, 1).parse().unwrap_or(-1.0),
        choked: text(row, 2),
        words: text(row, 3),
    };
    Ok(found.as_array().context("rows")?.iter().map(row).collect())
}

async fn rows_that(tab: &Tab, what: &str, are: impl Fn(&[Row]) -> bool) -> Result<Vec<Row>> {
    swarm_tests::wait::until(what, || rows(tab), |rows| are(rows)).await
}

/// All that a screen reader says of it: how many peers do what, how rare pieces are, and the table.
async fn says_everything_out_of_view(tab: &Tab) -> Result<()> {
    tab.run(
        r#"scrollTo(0, 0);
        document.querySelector('[data-testid="swarm"] > summary').click();"#,
    )
    .await?;
    rows_that(tab, "both peers, unseen", |rows| rows.len() == 2).await?;
    let unseen = r#"const text = (part) => document.querySelector(`[data-part=${part}]`).textContent;
        const { top } = document.querySelector('[data-testid="swarm-picture"]').getBoundingClientRect();
        return [top > innerHeight, text("swarm-words"), text("swarm-rarest")]"#;
    let said = tab.run(unseen).await?;
    assert_eq!(said[0], true, "it is below what is seen");
    assert!(
        said[1].as_str().is_some_and(|it| it.contains("2 peers")),
        "{said}"
    );
    assert!(said[2].as_str().is_some_and(|it| !it.is_empty()), "{said}");
    Ok(())
}

/// Opens the picture, or closes it, as the keyboard does: what has the focus is in view.
async fn toggle(tab: &Tab) -> Result<()> {
    tab.run(
        r#"const summary = document.querySelector('[data-testid="swarm"] > summary');
        summary.scrollIntoView();
        summary.click();"#,
    )
    .await?;
    Ok(())
}

async fn pictures(tab: &Tab) -> Result<u64> {
    let drawn = tab.run("return Number(window.figure.dataset.pictures)");
    drawn.await?.as_u64().context("a number of pictures")
}

/// Addresses of what was loaded for the picture.
const LOADED: &str = "return performance.getEntriesByType('resource').map(it => it.name) \
     .filter(it => /picture|swarm-[0-9a-f]*\\.css|swarm\\.css/.test(it)).length";

/// Then it draws nothing, and what it says stays right, for those who hear it.
async fn rests_when_it_is_scrolled_out_of_view(tab: &Tab) -> Result<()> {
    tab.run(
        r#"const space = document.createElement("div");
        space.id = "space";
        space.style.height = "5000px";
        document.querySelector("main").before(space);
        scrollTo(0, 0);"#,
    )
    .await?;
    let is_away = "return !!document.querySelector('.swarm > [data-away]')";
    tab.until("a picture out of view", is_away).await?;
    let (drawn, said) = (pictures(tab).await?, rows(tab).await?);
    let before = tab.torrents().await?[0].downloaded;
    tab.torrent_that("further", |now| now.downloaded > before + 2 * MIB as u64)
        .await?;
    rows_that(tab, "what is new", |rows| *rows != said).await?;
    assert_eq!(pictures(tab).await?, drawn);

    tab.run("document.querySelector('[data-testid=\"swarm-picture\"]').scrollIntoView()")
        .await?;
    let goes_on = format!("return Number(window.figure.dataset.pictures) > {drawn}");
    tab.until("pictures again", &goes_on).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn the_picture_shows_who_gives_and_takes_and_rests_when_it_is_closed() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("swarm.bin"), 160 * MIB, 21)?;
    let server = Server::start_with(&["--relay", "free"]).await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    let mut leechers = Vec::new();
    for _ in 0..2 {
        leechers.push(browser.open(&link.page()).await?);
    }
    link.set_rate(2 * MIB as u64);
    for leecher in &leechers {
        leecher.add_link(&torrent.share_link).await?;
    }
    let tab = &leechers[0];
    tab.torrent_that("with both peers", |torrent| torrent.peers.len() == 2)
        .await?;
    assert_eq!(tab.run(LOADED).await?, 0, "nobody opened it yet");

    let offered = r#"return document.querySelector('[data-testid="swarm"]').checkVisibility()"#;
    tab.until("a place for the picture", offered).await?;
    toggle(tab).await?;
    let rows = rows_that(tab, "a seeder that gives, and a leecher", |rows| {
        let gives = |row: &Row| row.have == 1.0 && row.gives();
        rows.len() == 2 && rows.iter().any(gives) && rows.iter().any(|row| row.have < 1.0)
    })
    .await?;
    assert!(
        tab.run(LOADED).await?.as_u64() >= Some(3),
        "program, glue and style"
    );
    for row in &rows {
        assert!(["relay", "direct"].contains(&&row.path[..]), "{row:?}");
        assert!((0.0..=1.0).contains(&row.have), "{row:?}");
        assert!(["nobody", "us", "them", "both"].contains(&&row.choked[..]));
    }
    let seeder = rows.iter().find(|row| row.have == 1.0).expect("found");
    // Who sends has unchoked us.
    assert!(
        ["nobody", "them"].contains(&&seeder.choked[..]),
        "{seeder:?}"
    );

    // The keyboard chooses a peer, which is said and marked.
    tab.run(
        r#"document.querySelector('.swarm-star').dispatchEvent(
            new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }))"#,
    )
    .await?;
    let chosen = r#"return document.querySelectorAll('tr[data-chosen]').length === 1
        && document.querySelector('[data-part="swarm-said"]').textContent.includes('has ')"#;
    tab.until("a peer that is chosen", chosen).await?;

    // Closed, it draws nothing, whatever goes on; opened again it begins anew.
    tab.run(r#"window.figure = document.querySelector('[data-testid="swarm-picture"]')"#)
        .await?;
    tab.until(
        "pictures",
        "return Number(window.figure.dataset.pictures) > 10",
    )
    .await?;
    rests_when_it_is_scrolled_out_of_view(tab).await?;
    toggle(tab).await?;
    tab.until(
        "a closed picture",
        "return !document.querySelector('[data-testid=\"swarm-picture\"]')",
    )
    .await?;
    let drawn = pictures(tab).await?;
    let before = tab.torrents().await?[0].downloaded;
    tab.torrent_that("further", |now| now.downloaded > before + 2 * MIB as u64)
        .await?;
    assert_eq!(pictures(tab).await?, drawn);
    says_everything_out_of_view(tab).await?;
    browser.quit().await
}
