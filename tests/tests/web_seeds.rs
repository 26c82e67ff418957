//! Web seeds (BEP 19): ordinary web servers with the files, and what may be wrong with them.
//!
//! Ignored by a plain `cargo test`, as the tests in tabs are: `cargo xtask test tabs` builds what
//! they need and runs them.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::programs::program;
use swarm_tests::server::Server;
use swarm_tests::tab::Tab;
use swarm_tests::wait::until;
use swarm_tests::web_server::{Manner, WebServer};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const FILES: [(&str, usize); 4] = [
    ("Stoff & more/read me.txt", 700),
    ("Stoff & more/below/large #1.bin", 5 << 20),
    ("Stoff & more/below/ü.bin", 1_234_567),
    ("Stoff & more/other.bin", 3 << 20),
];

/// A folder that a web server has, and a torrent of it that names the server.
struct Scene {
    folder: TempDir,
    web: WebServer,
    torrent: PathBuf,
}

impl Scene {
    async fn new(manner: Manner) -> Result<Self> {
        let folder = TempDir::new()?;
        let files = folder.path().join("files");
        for (number, (name, length)) in (0..).zip(FILES) {
            random(&files.join(name), length, number)?;
        }
        let web = WebServer::start(&files, manner).await?;
        let torrent = folder.path().join("stuff.torrent");
        let made = Command::new(program("native-peer"))
            .args(["create", "--piece-length", "64K", "--web-seed", &web.url()])
            .arg("--output")
            .arg(&torrent)
            .arg(files.join("Stoff & more"))
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .await?;
        assert!(made.success());
        Ok(Scene {
            folder,
            web,
            torrent,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The digest of each file below a folder of these names.
    fn digests(&self, folder: &str) -> Result<Vec<[u8; 32]>> {
        let files = FILES.iter();
        let files = files.map(|(name, _)| digest(&self.path(folder).join(name)));
        files.collect()
    }

    /// The command-line peer, which gets the torrent.
    fn get(&self, options: &[&str]) -> Result<Peer> {
        let mut command = Command::new(program("native-peer"));
        command.arg("get").arg(&self.torrent).args(options);
        Peer::start(command.arg("--no-lsd").arg("-o").arg(self.path("got")))
    }

    /// The command-line peer, which has everything.
    fn seed(&self, options: &[&str]) -> Result<Peer> {
        let mut command = Command::new(program("native-peer"));
        command.args(["seed", "--no-lsd", "--piece-length", "64K"]);
        Peer::start(command.args(options).arg(self.path("files/Stoff & more")))
    }
}

/// A `native-peer`. Killed when dropped.
struct Peer {
    child: Child,
    said: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
}

impl Peer {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .env_remove("TABSWARM_TRACKER")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = child.stderr.take().context("it is piped")?;
        let said = BufReader::new(stderr).lines();
        Ok(Peer { child, said })
    }

    /// Waits for a line that has these words.
    async fn says(&mut self, words: &str) -> Result<()> {
        let mut lines = Vec::new();
        while let Some(line) = self.said.next_line().await? {
            if line.contains(words) {
                return Ok(());
            }
            lines.push(line);
        }
        bail!("it never said {words:?}, but {lines:#?}")
    }

    /// Waits until it has ended well.
    async fn ends(mut self) -> Result<()> {
        while self.said.next_line().await?.is_some() {}
        assert!(self.child.wait().await?.success());
        Ok(())
    }
}

/// It was banned for the first wrong piece; some of the ten mebibytes may have been under way.
fn assert_not_asked_on(scene: &Scene) {
    let asked = scene.web.asked();
    assert!(asked.len() <= 5, "it is not asked on: {asked:#?}");
}

/// A port at which nobody listens yet.
fn free_port() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port().to_string())
}

#[tokio::test]
#[ignore = "needs the programs: cargo xtask test tabs"]
async fn the_command_line_gets_everything_from_a_web_seed_alone() -> Result<()> {
    let scene = Scene::new(Manner::Honest).await?;
    scene.get(&["--no-tcp"])?.ends().await?;
    assert_eq!(scene.digests("got")?, scene.digests("files")?);
    let asked = scene.web.asked();
    assert!(
        asked.iter().all(|asked| asked.contains(" bytes=")),
        "{asked:#?}"
    );
    assert!(asked.len() < 30, "ranges are long: {asked:#?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the programs: cargo xtask test tabs"]
async fn the_command_line_bans_a_web_seed_that_lies_and_goes_on_with_peers() -> Result<()> {
    let scene = Scene::new(Manner::Lies).await?;
    let port = free_port()?;
    let mut peer = scene.get(&["--peer", &format!("127.0.0.1:{port}")])?;
    peer.says("it sent corrupt data and is not asked any more")
        .await?;
    let _seeder = scene.seed(&["--port", &port])?;
    peer.ends().await?;
    assert_eq!(scene.digests("got")?, scene.digests("files")?);
    assert_not_asked_on(&scene);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the programs: cargo xtask test tabs"]
async fn the_command_line_goes_on_with_a_web_seed_that_is_back() -> Result<()> {
    let scene = Scene::new(Manner::Stops(3 << 20)).await?;
    let mut peer = scene.get(&["--no-tcp"])?;
    peer.says("web seed http://").await?;
    scene.web.set_manner(Manner::Honest);
    peer.ends().await?;
    assert_eq!(scene.digests("got")?, scene.digests("files")?);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the programs: cargo xtask test tabs"]
async fn the_command_line_says_that_a_web_seed_knows_no_ranges() -> Result<()> {
    let scene = Scene::new(Manner::IgnoresRange).await?;
    let port = free_port()?;
    let mut peer = scene.get(&["--peer", &format!("127.0.0.1:{port}")])?;
    peer.says("it knows no ranges: it sends whole files only")
        .await?;
    let _seeder = scene.seed(&["--port", &port])?;
    peer.ends().await?;
    assert_eq!(scene.digests("got")?, scene.digests("files")?);
    Ok(())
}

/// The web seeds that a tab shows, each with its state and what is said of it.
const WEB_SEEDS: &str = r#"
    return [...document.querySelectorAll('[data-testid="web-seed"]')]
        .map(seed => `${seed.dataset.url} ${seed.dataset.state} ${seed.textContent}`).join("\n");
"#;

async fn said(tab: &Tab, words: &str) -> Result<()> {
    let shown = || tab.run(WEB_SEEDS);
    let has = |shown: &Value| shown.as_str().is_some_and(|shown| shown.contains(words));
    until(&format!("{words:?} of a web seed"), shown, has).await?;
    Ok(())
}

/// What a tab saves, file by file.
async fn saved(scene: &Scene, browser: &Browser, tab: &Tab) -> Result<Vec<[u8; 32]>> {
    tab.click("save").await?;
    let zip = browser
        .take_download_like(".zip", &scene.path("saved"))
        .await?;
    zip::ZipArchive::new(File::open(zip)?)?.extract(scene.path("unpacked"))?;
    scene.digests("unpacked")
}

async fn open(browser: &Browser, server: &Server, torrent: &Path) -> Result<Tab> {
    let tab = browser.open(&server.page()).await?;
    tab.share(&[torrent]).await?;
    Ok(tab)
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_gets_everything_from_a_web_seed_alone() -> Result<()> {
    let scene = Scene::new(Manner::Honest).await?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = open(&browser, &server, &scene.torrent).await?;
    let torrent = tab.seeding().await?;
    assert_eq!(
        saved(&scene, &browser, &tab).await?,
        scene.digests("files")?
    );
    assert!(
        torrent.share_link.contains("&ws=http%3A%2F%2F127.0.0.1"),
        "{torrent:?}"
    );
    let asked = scene.web.asked();
    let plain = |asked: &String| asked.starts_with("GET ") && asked.contains(" bytes=");
    assert!(
        asked.iter().all(plain),
        "and nobody is asked before: {asked:#?}"
    );
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_shows_a_web_seed_as_one_and_goes_on_when_it_is_back() -> Result<()> {
    let scene = Scene::new(Manner::Stops(3 << 20)).await?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = open(&browser, &server, &scene.torrent).await?;
    said(&tab, "it does not answer, or breaks off").await?;
    scene.web.set_manner(Manner::Honest);
    let by_web_seed = |torrent: &swarm_tests::tab::Torrent| {
        torrent.state == "seeding" || torrent.peers.iter().any(|peer| peer.path == "web-seed")
    };
    tab.torrent_that("fetched from a web seed", by_web_seed)
        .await?;
    tab.seeding().await?;
    assert_eq!(
        saved(&scene, &browser, &tab).await?,
        scene.digests("files")?
    );
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_bans_a_web_seed_that_lies_and_goes_on_with_peers() -> Result<()> {
    let scene = Scene::new(Manner::Lies).await?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = open(&browser, &server, &scene.torrent).await?;
    said(&tab, "it sent corrupt data and is not asked any more").await?;
    let _seeder = scene.seed(&["--tracker", &server.tracker()])?;
    tab.seeding().await?;
    assert_eq!(
        saved(&scene, &browser, &tab).await?,
        scene.digests("files")?
    );
    assert_not_asked_on(&scene);
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_tab_says_that_a_web_seed_knows_no_ranges_and_goes_on_with_peers() -> Result<()> {
    let scene = Scene::new(Manner::IgnoresRange).await?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = open(&browser, &server, &scene.torrent).await?;
    said(&tab, "it knows no ranges: it sends whole files only").await?;
    let _seeder = scene.seed(&["--tracker", &server.tracker()])?;
    tab.seeding().await?;
    assert_eq!(
        saved(&scene, &browser, &tab).await?,
        scene.digests("files")?
    );
    browser.quit().await
}
