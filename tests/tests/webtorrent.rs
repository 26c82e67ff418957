//! Tabs and WebRTC clients of others in one swarm: each gets from the other what it has, found
//! through our tracker, and through somebody else's.

/// All of them need what `cargo xtask test clients` installs, and the network that it makes.
mod with_other_clients {
    use std::fs;
    use std::path::{Path, PathBuf};

    use anyhow::{Context, Result};
    use swarm_core::metainfo::Metainfo;
    use swarm_tests::browser::Browser;
    use swarm_tests::clients::{
        HOST, Running, Site, bittorrent_tracker, libtorrent, make_torrent, native_peer, webtorrent,
    };
    use swarm_tests::files::{STUFF, assert_same, digest, unpack, write_all};
    use swarm_tests::server::Server;
    use swarm_tests::tab::{Tab, Torrent};
    use swarm_tests::wait::until;
    use tempfile::TempDir;

    /// Clients announce often: a connection that did not come about is tried again soon.
    const OFTEN: [&str; 2] = ["--interval", "15"];

    /// A torrent of several files, and the folder of those who have all of it.
    struct Scene {
        folder: TempDir,
        torrent: PathBuf,
        seed: PathBuf,
        magnet: String,
    }

    impl Scene {
        async fn new(tracker: &str) -> Result<Self> {
            let folder = TempDir::new()?;
            let seed = folder.path().join("seed");
            write_all(&seed, &STUFF)?;
            let torrent = folder.path().join("stuff.torrent");
            make_torrent(&seed.join("stuff"), &torrent, &[tracker]).await?;
            let metainfo = Metainfo::from_torrent(&fs::read(&torrent)?)?;
            Ok(Scene {
                folder,
                torrent,
                seed,
                magnet: format!("magnet:?xt=urn:btih:{}&tr={tracker}", metainfo.info_hash()),
            })
        }

        fn empty(&self, name: &str) -> Result<PathBuf> {
            let path = self.folder.path().join(name);
            fs::create_dir_all(&path)?;
            Ok(path)
        }

        fn assert_all(&self, got: &Path) -> Result<()> {
            assert_same(&self.seed, got, &STUFF)
        }

        /// A client gets it.
        async fn get_by(&self, client: impl Fn(&Path, &Path) -> Result<Running>) -> Result<()> {
            let got = self.empty("got")?;
            let mut leecher = client(&self.torrent, &got)?;
            leecher.complete().await?;
            self.assert_all(&got)?;
            leecher.kill().await
        }

        /// A tab gets it.
        async fn get_by_tab(&self, browser: &Browser, tab: &Tab) -> Result<()> {
            tab.add_link(&self.magnet).await?;
            tab.seeding().await?;
            tab.click("save").await?;
            let saved = self.empty("saved")?;
            let archive = browser.take_download("stuff.zip", &saved).await?;
            unpack(&archive, &saved)?;
            self.assert_all(&saved)
        }
    }

    fn by_webtorrent(torrent: &Torrent) -> bool {
        torrent.peers.iter().any(|it| it.path == "webtorrent")
    }

    /// A client seeds and a tab gets it, then another one gets it of that tab. Nobody else is
    /// there, and no relay between them. Some `stay` when there is nothing left to get.
    async fn exchange(
        browser: Browser,
        server: &Server,
        tracker: &str,
        stays: bool,
        client: impl Fn(&Path, &Path) -> Result<Running>,
    ) -> Result<()> {
        let scene = Scene::new(tracker).await?;
        let mut seeder = client(&scene.torrent, &scene.seed)?;
        seeder.complete().await?;
        let tab = browser.open(&server.page()).await?;
        scene.get_by_tab(&browser, &tab).await?;
        if stays {
            tab.torrent_that("linked by way of WebTorrent", by_webtorrent)
                .await?;
        }
        seeder.kill().await?;

        scene.get_by(client).await?;
        browser.quit().await
    }

    /// What leaves our command-line peer WebRTC.
    const ALONE: [&str; 2] = ["--no-tcp", "--no-lsd"];

    /// The same with our command-line peer in the tab's place.
    async fn exchange_with_terminal(
        tracker: &str,
        client: impl Fn(&Path, &Path) -> Result<Running>,
    ) -> Result<()> {
        let scene = Scene::new(tracker).await?;
        let mut seeder = client(&scene.torrent, &scene.seed)?;
        seeder.complete().await?;
        let ours = scene.empty("ours")?;
        let mut peer = native_peer(&scene.torrent, &ours, &ALONE)?;
        peer.says("is in ").await?;
        scene.assert_all(&ours)?;
        seeder.kill().await?;

        scene.get_by(client).await?;
        peer.kill().await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_terminal_and_webtorrent() -> Result<()> {
        let server = Server::start_with(&OFTEN).await?;
        exchange_with_terminal(&server.tracker(), webtorrent).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_terminal_and_libtorrent() -> Result<()> {
        let server = Server::start_with(&OFTEN).await?;
        let client = |torrent: &Path, folder: &Path| libtorrent(torrent, folder, 6871);
        exchange_with_terminal(&server.tracker(), client).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_terminal_and_webtorrent_at_a_tracker_of_webtorrent() -> Result<()> {
        let _tracker = bittorrent_tracker(6862).await?;
        exchange_with_terminal(&format!("ws://{HOST}:6862"), webtorrent).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_and_webtorrent() -> Result<()> {
        let server = Server::start_with(&OFTEN).await?;
        let browser = Browser::start().await?;
        exchange(browser, &server, &server.tracker(), true, webtorrent).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_and_libtorrent() -> Result<()> {
        let server = Server::start_with(&OFTEN).await?;
        let client = |torrent: &Path, folder: &Path| libtorrent(torrent, folder, 6851);
        let browser = Browser::start().await?;
        exchange(browser, &server, &server.tracker(), false, client).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_and_webtorrent_at_a_tracker_of_webtorrent() -> Result<()> {
        let server = Server::start_with(&OFTEN).await?;
        let _tracker = bittorrent_tracker(6861).await?;
        let tracker = format!("ws://{HOST}:6861");
        let browser = Browser::start().await?;
        exchange(browser, &server, &tracker, true, webtorrent).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_of_firefox_and_webtorrent() -> Result<()> {
        let server = Server::start_with(&OFTEN).await?;
        let browser = Browser::firefox().await?;
        exchange(browser, &server, &server.tracker(), true, webtorrent).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_of_firefox_and_libtorrent() -> Result<()> {
        let server = Server::start_with(&OFTEN).await?;
        let client = |torrent: &Path, folder: &Path| libtorrent(torrent, folder, 6881);
        let browser = Browser::firefox().await?;
        exchange(browser, &server, &server.tracker(), false, client).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_and_webtorrent_in_a_tab() -> Result<()> {
        let site = Site::start().await?;
        let server =
            Server::start_with(&[OFTEN[0], OFTEN[1], "--allow-origin", &site.origin()]).await?;
        let scene = Scene::new(&server.tracker()).await?;
        let browser = Browser::start().await?;
        let other = browser.open(&site.page()).await?;
        let tab = browser.open(&server.page()).await?;
        let paths = STUFF.map(|(name, _)| scene.seed.join(name));
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        tab.share(&paths).await?;
        let link = tab.seeding().await?.share_link;
        let (_, magnet) = link.split_once('#').context("a magnet link in the link")?;

        other
            .run(&format!("client.add({magnet:?})"))
            .await
            .context("WebTorrent takes our link")?;
        let done = || async {
            let digests = other.run_async("digests().then(arguments[0])").await?;
            Ok(digests.as_object().cloned())
        };
        let digests = until("WebTorrent's files", done, Option::is_some).await?;
        let digests = digests.context("there")?;
        for (name, _) in STUFF {
            let file = name.rsplit('/').next().unwrap_or(name);
            let hex = |digest: [u8; 32]| digest.map(|byte| format!("{byte:02x}")).concat();
            let ours = hex(digest(&scene.seed.join(name))?);
            assert_eq!(digests[file].as_str(), Some(&ours[..]), "{name}");
        }
        tab.torrent_that("giving by way of WebTorrent", by_webtorrent)
            .await?;

        // And the other way round: what it has, as a torrent of its own.
        tab.remove().await?;
        let seed = format!("seed_again({:?}).then(arguments[0])", server.tracker());
        let again = other.run_async(&seed).await?;
        tab.add_link(again.as_str().context("a link")?).await?;
        tab.seeding().await?;
        tab.torrent_that("linked by way of WebTorrent", by_webtorrent)
            .await?;
        tab.click("save").await?;
        let saved = scene.empty("saved")?;
        let archive = browser.take_download("again.zip", &saved).await?;
        unpack(&archive, &saved)?;
        for (name, _) in STUFF {
            let file = Path::new(name).file_name().context("a name")?;
            let saved = saved.join("again").join(file);
            assert_eq!(digest(&saved)?, digest(&scene.seed.join(name))?, "{name}");
        }
        browser.quit().await
    }
}
