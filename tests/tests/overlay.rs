//! The overlay: tabs of several swarms whose server is gone for good find each other through it, and
//! through a bridge they get what only other clients have.

use std::path::Path;

use anyhow::{Context, Result};
use swarm_tests::browser::Browser;
use swarm_tests::files::random;
use swarm_tests::programs;
use swarm_tests::server::Server;
use swarm_tests::tab::{Tab, Torrent};
use swarm_tests::wait::until;
use tempfile::TempDir;
use tokio::net::UdpSocket;
use tokio::process::{Child, Command};

const MIB: usize = 1 << 20;

/// Waits until one of a tab's torrents, of those that it has beside others, is as wanted.
async fn torrent_that(
    tab: &Tab,
    info_hash: &str,
    what: &str,
    is: impl Fn(&Torrent) -> bool,
) -> Result<()> {
    let of = |torrents: &Vec<Torrent>| {
        let mut torrents = torrents.iter();
        let found = torrents.find(|torrent| torrent.info_hash == info_hash);
        found.is_some_and(&is)
    };
    until(what, || tab.torrents(), of).await?;
    Ok(())
}

/// Shares one file more; its info-hash.
async fn share(tab: &Tab, file: &std::path::Path) -> Result<String> {
    let before = tab.torrents().await?;
    tab.share(&[file]).await?;
    let is_new = |torrent: &&Torrent| {
        let known = before.iter().any(|it| it.info_hash == torrent.info_hash);
        torrent.state == "seeding" && !known
    };
    let torrents = until(
        "one torrent more that is seeded",
        || tab.torrents(),
        |torrents| torrents.iter().any(|torrent| is_new(&torrent)),
    )
    .await?;
    let new = torrents.iter().find(is_new).context("it was there")?;
    Ok(new.info_hash.clone())
}

fn magnet(info_hash: &str) -> String {
    format!("magnet:?xt=urn:btih:{info_hash}")
}

fn complete(torrent: &Torrent) -> bool {
    torrent.state == "seeding"
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn tabs_that_share_only_a_neighbour_find_each_others_torrents_without_a_server() -> Result<()>
{
    let folder = TempDir::new()?;
    let file = |name: &str, seed| random(&folder.path().join(name), 2 * MIB, seed);
    let (shared, others, wanted) = (file("x", 61)?, file("y", 62)?, file("z", 63)?);
    let server = Server::start_with(&["--relay", "spare"]).await?;
    let browser = Browser::start().await?;

    // The first shares one torrent with the second, and that another one with the third, which
    // alone has the one that the first will want.
    let (first, x) = browser.seed(&server.page(), &[&shared]).await?;
    let (third, y) = browser.seed(&server.page(), &[&others]).await?;
    let z = share(&third, &wanted).await?;
    let second = browser.open(&server.page()).await?;
    for info_hash in [&x.info_hash, &y.info_hash] {
        second.add_link(&magnet(info_hash)).await?;
        torrent_that(&second, info_hash, "complete and linked directly", |it| {
            complete(it) && it.is_direct()
        })
        .await?;
    }
    server.kill().await?;

    first.add_link(&magnet(&z)).await?;
    torrent_that(&first, &z, "found without a server", |torrent| {
        complete(torrent) && torrent.is_direct()
    })
    .await?;
    // Nobody but whoever has it took part.
    let torrents = second.torrents().await?;
    assert!(torrents.iter().all(|torrent| torrent.info_hash != z));
    browser.quit().await
}

/// A command-line peer in the DHT that one joins by `dht`, which remembers it in `folder`.
fn native(folder: &Path, dht: &str, options: &[&str]) -> Command {
    let mut command = programs::native_peer();
    command
        .args(options)
        .args(["--no-lsd", "--dht-bootstrap", dht])
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("LOCALAPPDATA", folder.join("state"))
        .kill_on_drop(true);
    command
}

/// One that seeds a file, and the link that it prints.
async fn native_seed(file: &Path, dht: &str, options: &[&str]) -> Result<(Child, String)> {
    let folder = file.parent().context("a folder")?;
    let mut command = native(folder, dht, &["seed"]);
    programs::linked(command.args(options).arg(file)).await
}

/// One that is told of no server, and of no tab: whoever wants its file looks it up in the DHT. And the
/// info-hash.
async fn ordinary_seed(file: &Path, dht: &str) -> Result<(Child, String)> {
    let (child, link) = native_seed(file, dht, &["--no-webrtc"]).await?;
    let (_, hash) = link.split_once("btih:").context("a magnet link")?;
    let hash = hash.get(..40).context("an info-hash")?;
    Ok((child, hash.to_owned()))
}

/// A server that is a node of the DHT, and where others join that.
async fn server_in_dht() -> Result<(Server, String)> {
    let free = UdpSocket::bind("127.0.0.1:0").await?.local_addr()?;
    let dht = free.to_string();
    let server = Server::start_with(&["--relay", "spare", "--dht", &dht]).await?;
    Ok((server, dht))
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_gets_what_only_the_dht_knows_through_a_terminal_that_is_a_bridge() -> Result<()> {
    let folder = TempDir::new()?;
    let file = |name: &str, seed| random(&folder.path().join(name).join(name), 2 * MIB, seed);
    let (shared, wanted) = (file("x", 64)?, file("z", 65)?);
    let (server, dht) = server_in_dht().await?;
    let (_ordinary, z) = ordinary_seed(&wanted, &dht).await?;
    let tracker = server.tracker();
    let (_bridge, link) = native_seed(&shared, &dht, &["--bridge", "--tracker", &tracker]).await?;

    let browser = Browser::start().await?;
    let tab = browser.open(&link).await?;
    let x = tab.seeding().await?.info_hash;
    torrent_that(&tab, &x, "linked directly", |it| it.is_direct()).await?;
    tab.add_link(&magnet(&z)).await?;
    torrent_that(&tab, &z, "found through the bridge", |torrent| {
        complete(torrent) && torrent.is_direct()
    })
    .await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn what_a_terminal_finds_in_the_dht_reaches_the_tabs_of_its_swarm() -> Result<()> {
    let folder = TempDir::new()?;
    let wanted = random(&folder.path().join("seed").join("z"), 2 * MIB, 66)?;
    let (server, dht) = server_in_dht().await?;
    let (_ordinary, z) = ordinary_seed(&wanted, &dht).await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&server.page()).await?;
    tab.add_link(&magnet(&z)).await?;
    let options = ["get", &z, "--seed", "--tracker", &server.tracker()];
    let _gateway = native(folder.path(), &dht, &options).spawn()?;
    torrent_that(&tab, &z, "complete", complete).await?;
    browser.quit().await
}
