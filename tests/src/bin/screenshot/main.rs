//! Takes the README's pictures: a page that shares one torrent and fetches another, with `swarm`
//! as its second argument a real swarm as one of its tabs shows it, with `lab` two swarms in the
//! lab. Needs what the tests in real tabs need; writes to the path in its first argument.
//!
//! With `hundred` it shows a swarm of a hundred peers that is made up, with all that a person may
//! have told the browser, into files whose names begin with the first argument, and says how long
//! a picture takes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use swarm_tests::browser::Browser;
use swarm_tests::files::random;
use swarm_tests::hundred;
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::wait::until;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let picture = PathBuf::from(args.next().context("say where the picture goes")?);
    match args.next() {
        Some(what) if what == "lab" => lab(&picture).await,
        Some(what) if what == "swarm" => swarm(&picture).await,
        Some(what) if what == "hundred" => hundred(&picture).await,
        _ => page(&picture).await,
    }
}

/// Names of pictures, the screens, what the person told the browser, and how many times slower
/// than this machine theirs computes.
type Scene = (
    &'static str,
    (u32, u32, f64),
    &'static [(&'static str, &'static str)],
    f64,
);

const DESK: (u32, u32, f64) = (1200, 1100, 1.0);
const PHONE: (u32, u32, f64) = (390, 844, 3.0);

const SCENES: [Scene; 7] = [
    ("light", DESK, &[], 1.0),
    ("slow", DESK, &[], 4.0),
    ("dark", DESK, &[("prefers-color-scheme", "dark")], 1.0),
    ("forced", DESK, &[("forced-colors", "active")], 1.0),
    ("phone", PHONE, &[], 1.0),
    ("slow-phone", PHONE, &[], 4.0),
    ("still", DESK, &[("prefers-reduced-motion", "reduce")], 1.0),
];

/// A swarm of a hundred, as it looks in each of them.
async fn hundred(pictures: &Path) -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    for (name, screen, features, times) in SCENES {
        let (tab, took) = hundred::show(&browser, &server.page(), screen, features, times).await?;
        eprintln!("{name}: {took:?}");
        let path = pictures.with_file_name(format!(
            "{}-{name}.png",
            pictures.file_name().unwrap_or_default().to_string_lossy()
        ));
        tab.screenshot(&path).await?;
    }
    browser.quit().await
}

/// Two swarms, half way.
async fn lab(picture: &Path) -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&format!("{}lab/", server.page())).await?;
    let share = "return parseInt(document.querySelector('[data-part=share]')?.textContent ?? '0')";
    let half = |share: &serde_json::Value| share.as_u64() >= Some(45);
    until("a swarm half way", || tab.run(share), half).await?;
    tab.run("document.getElementById('sides').scrollIntoView()")
        .await?;
    tab.screenshot(picture).await?;
    browser.quit().await
}

/// One torrent that is shared and one that is fetched.
async fn page(picture: &Path) -> Result<()> {
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
    tab.screenshot(picture).await?;
    browser.quit().await
}

/// A tab in the middle of a swarm of six.
async fn swarm(picture: &Path) -> Result<()> {
    let folder = TempDir::new()?;
    let film = random(&folder.path().join("Holiday film.mp4"), 180 * MIB, 3)?;
    let server = Server::start_with(&["--relay", "free"]).await?;
    let link = SlowLink::to(server.address).await?;
    let browser = Browser::start().await?;
    let (_seeder, shared) = browser.seed(&link.page(), &[&film]).await?;
    let mut tabs = Vec::new();
    link.set_rate(3 * MIB as u64);
    for _ in 0..5 {
        let tab = browser.open(&link.page()).await?;
        tab.add_link(&shared.share_link).await?;
        tabs.push(tab);
    }
    let tab = &tabs[2];
    tab.torrent_that("with all peers", |torrent| torrent.peers.len() == 5)
        .await?;
    browser.emulate((1000, 955, 1.0), &[]).await?;
    tab.run(
        r#"const summary = document.querySelector('[data-testid="swarm"] > summary');
        summary.scrollIntoView();
        summary.click();"#,
    )
    .await?;
    tab.torrent_that("a third", |torrent| torrent.progress > 0.3)
        .await?;
    let rows = "return document.querySelectorAll('[data-testid=\"swarm-peer\"]').length === 5";
    tab.until("rows of peers", rows).await?;
    tab.run(
        r#"document.querySelector('details.peers').open = false;
        document.querySelector('[data-testid="torrent"]').scrollIntoView();"#,
    )
    .await?;
    // Nothing glows any more that came while nobody saw it.
    let drawn = "const it = document.querySelector('[data-testid=\"swarm-picture\"]').dataset;
        window.begun ??= Number(it.pictures);
        return Number(it.pictures) > window.begun + 30";
    tab.until("a picture that moves", drawn).await?;
    tab.screenshot(picture).await?;
    browser.quit().await
}
