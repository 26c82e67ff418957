//! The command-line peer in the swarms of ordinary clients, and between those and ours.

/// All of them need what `cargo xtask test clients` installs, and the network that it makes.
mod with_other_clients {
    use std::path::{Path, PathBuf};

    use anyhow::Result;
    use swarm_core::metainfo::Metainfo;
    use swarm_tests::browser::Browser;
    use swarm_tests::clients::{
        HOST, HOST6, Running, Watch, aria2, bootstrap, libtorrent, libtorrent_by_ipv6,
        make_torrent, native_peer, opentracker, qbittorrent, tracker, tracker_by_ipv6,
        transmission,
    };
    use swarm_tests::files::{STUFF, assert_same, unpack, write_all};
    use swarm_tests::programs::program;
    use swarm_tests::server::Server;
    use swarm_tests::tab::Torrent;
    use swarm_tests::web_server::{Manner, WebServer};
    use tempfile::TempDir;
    use tokio::process::Command;

    /// What our peer says when all is there.
    const COMPLETE: &str = "stuff, ";

    /// A torrent of several files, and the folders of those who have all and nothing of it.
    struct Scene {
        torrent: PathBuf,
        seed: PathBuf,
        got: PathBuf,
        _folder: TempDir,
    }

    impl Scene {
        async fn new(trackers: &[&str]) -> Result<Self> {
            let folder = TempDir::new()?;
            let [seed, got] = ["seed", "got"].map(|name| folder.path().join(name));
            std::fs::create_dir_all(&got)?;
            write_all(&seed, &STUFF)?;
            let torrent = folder.path().join("stuff.torrent");
            make_torrent(&seed.join("stuff"), &torrent, trackers).await?;
            Ok(Scene {
                torrent,
                seed,
                got,
                _folder: folder,
            })
        }

        fn assert_got(&self) -> Result<()> {
            assert_same(&self.seed, &self.got, &STUFF)
        }
    }

    /// A client gets everything from a web server that a torrent of ours names, and from nobody
    /// else.
    async fn from_a_web_seed(client: Client, port: u16) -> Result<()> {
        let scene = Scene::new(&[]).await?;
        let web = WebServer::start_on(HOST, &scene.seed, Manner::Honest).await?;
        let made = Command::new(program("native-peer"))
            .args(["create", "--web-seed", &web.url(), "--output"])
            .args([&scene.torrent, &scene.seed.join("stuff")])
            .status()
            .await?;
        assert!(made.success());
        let mut client = client(&scene.torrent, &scene.got, port)?;
        client.complete().await?;
        scene.assert_got()?;
        client.kill().await
    }

    type Client = fn(&Path, &Path, u16) -> Result<Running>;

    /// Our peer gets from a client what it has, then the client from our peer, found through
    /// this tracker.
    async fn exchange(client: Client, announce: &str, port: u16, options: &[&str]) -> Result<()> {
        let server = tracker(8080, 6969).await?;
        exchange_at(server, client, announce, port, options).await
    }

    async fn exchange_at(
        server: Running,
        client: Client,
        announce: &str,
        port: u16,
        options: &[&str],
    ) -> Result<()> {
        for we_seed in [false, true] {
            let scene = Scene::new(&[announce]).await?;
            let (ours, theirs) = match we_seed {
                true => (&scene.seed, &scene.got),
                false => (&scene.got, &scene.seed),
            };
            let mut peer = native_peer(&scene.torrent, ours, options)?;
            let mut client = client(&scene.torrent, theirs, port)?;
            peer.says(COMPLETE).await?;
            if we_seed {
                client.complete().await?;
            }
            scene.assert_got()?;
            peer.kill().await?;
            client.kill().await?;
        }
        server.kill().await
    }

    fn http() -> String {
        format!("http://{HOST}:8080/announce")
    }

    fn udp() -> String {
        format!("udp://{HOST}:6969/announce")
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn aria2_gets_all_from_a_web_seed_that_our_torrent_names() -> Result<()> {
        from_a_web_seed(aria2, 7101).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_gets_all_from_a_web_seed_that_our_torrent_names() -> Result<()> {
        from_a_web_seed(libtorrent, 7103).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_found_over_http() -> Result<()> {
        exchange(libtorrent, &http(), 6851, &[]).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_found_over_udp() -> Result<()> {
        exchange(libtorrent, &udp(), 6852, &[]).await
    }

    /// Trackers tell by UDP of peers of the family that they were asked by (BEP 15).
    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_found_over_udp_by_ipv6() -> Result<()> {
        let server = tracker_by_ipv6(8080, 6969).await?;
        let announce = format!("udp://{HOST6}:6969/announce");
        exchange_at(server, libtorrent_by_ipv6, &announce, 6854, &[]).await
    }

    /// Found through somebody else's tracker, by HTTP or UDP.
    async fn exchange_at_opentracker(announce: &str, tracker_port: u16, port: u16) -> Result<()> {
        let settings = TempDir::new()?;
        // Each scene has the same files.
        let torrent = std::fs::read(&Scene::new(&[announce]).await?.torrent)?;
        let swarm = Metainfo::from_torrent(&torrent)?.info_hash();
        let server = opentracker(tracker_port, settings.path(), swarm).await?;
        exchange_at(server, libtorrent, announce, port, &[]).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_found_through_opentracker_over_http() -> Result<()> {
        let announce = format!("http://{HOST}:6971/announce");
        exchange_at_opentracker(&announce, 6971, 6855).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_found_through_opentracker_over_udp() -> Result<()> {
        let announce = format!("udp://{HOST}:6972/announce");
        exchange_at_opentracker(&announce, 6972, 6856).await
    }

    /// Two of ours and a client exchange a torrent, while every packet is looked at. Ours are in
    /// the DHT and use local discovery.
    async fn watched(client: Client, private: bool, port: u16) -> Result<()> {
        let server = tracker(8080, 6969).await?;
        let (node, joins) = bootstrap(8081, 6991).await?;
        let scene = Scene::new(&[&http()]).await?;
        let mut create = Command::new(program("native-peer"));
        create.args(["create", "--tracker", &http(), "--output"]);
        create.args([&scene.torrent, &scene.seed.join("stuff")]);
        create.args(private.then_some("--private"));
        assert!(create.status().await?.success());
        let info_hash = Metainfo::from_torrent(&std::fs::read(&scene.torrent)?)?.info_hash();
        let mut watch = Watch::start(&info_hash, 6995).await?;
        let called = format!("{HOST}:{port}");
        let options = ["--dht-bootstrap", &joins, "--peer", &called];
        let mut seeder = native_peer(&scene.torrent, &scene.seed, &options)?;
        let other = scene.got.with_file_name("other");
        let mut ours = native_peer(&scene.torrent, &other, &options)?;
        let mut client = client(&scene.torrent, &scene.got, port)?;
        seeder.says(COMPLETE).await?;
        ours.says(COMPLETE).await?;
        client.complete().await?;
        scene.assert_got()?;
        if !private {
            let ways = ["by the DHT", "by local discovery", "by peer exchange"];
            watch.sees(&ways).await?;
        }
        for running in [seeder, ours, client] {
            running.kill().await?;
        }
        let leaks = watch.end().await?;
        assert_eq!(leaks == 0, private, "{leaks} packets tell of it");
        node.kill().await?;
        server.kill().await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_private_torrent_leaks_to_nobody_beside_libtorrent() -> Result<()> {
        watched(libtorrent, false, 6855).await?;
        watched(libtorrent, true, 6856).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_private_torrent_leaks_to_nobody_beside_aria2() -> Result<()> {
        watched(aria2, true, 6867).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_private_torrent_leaks_to_nobody_beside_transmission() -> Result<()> {
        watched(transmission, true, 6879).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn aria2_found_over_http() -> Result<()> {
        exchange(aria2, &http(), 6861, &[]).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn aria2_found_over_udp() -> Result<()> {
        exchange(aria2, &udp(), 6863, &[]).await
    }

    /// Transmission calls nobody at its own address, so it is called.
    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn transmission_is_called() -> Result<()> {
        let options = ["--peer", &format!("{HOST}:6871")];
        exchange(transmission, &http(), 6871, &options).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn qbittorrent_found_over_http() -> Result<()> {
        exchange(qbittorrent, &http(), 6875, &[]).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn qbittorrent_found_over_udp() -> Result<()> {
        exchange(qbittorrent, &udp(), 6877, &[]).await
    }

    /// Two that have nothing, and know of each other by our peer alone; and two of ours, by one of
    /// them.
    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn peers_are_told_of_peers_and_learned_from_them() -> Result<()> {
        let scene = Scene::new(&[]).await?;
        let folder = |name: &str| scene.got.with_file_name(name);
        let mut one = libtorrent(&scene.torrent, &folder("one"), 6891)?;
        let two = libtorrent(&scene.torrent, &folder("two"), 6892)?;
        let named = [6891, 6892].map(|port| format!("{HOST}:{port}"));
        let options = ["--peer", &named[0], "--peer", &named[1]];
        let ours = native_peer(&scene.torrent, &folder("three"), &options)?;
        one.says(&format!("{HOST}:6892 ")).await?;
        let mut other = native_peer(&scene.torrent, &folder("four"), &["--peer", &named[0]])?;
        other.says("3 peers (3 by TCP)").await?;
        for running in [one, two, ours, other] {
            running.kill().await?;
        }
        Ok(())
    }

    /// Two of ours that know nothing of each other, in one network.
    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn peers_in_one_network_find_each_other() -> Result<()> {
        let nobody = ["--tracker", "udp://10.77.0.1:9"];
        let scene = Scene::new(&[]).await?;
        let mut seeder = native_peer(&scene.torrent, &scene.seed, &nobody)?;
        seeder.says(COMPLETE).await?;
        let mut peer = native_peer(&scene.torrent, &scene.got, &nobody)?;
        peer.says(COMPLETE).await?;
        scene.assert_got()?;
        seeder.kill().await?;
        peer.kill().await
    }

    /// Who is only behind the relay, as tabs are, gets what only an ordinary client has, through
    /// a peer that stands in both swarms; neither knows.
    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn pieces_pass_between_an_ordinary_client_and_the_relay() -> Result<()> {
        let relay = format!("ws://{HOST}:8080/swarm");
        let server = tracker(8080, 6969).await?;
        for relayed_seeds in [false, true] {
            let scene = Scene::new(&[&http()]).await?;
            let (behind, outside) = match relayed_seeds {
                true => (&scene.seed, &scene.got),
                false => (&scene.got, &scene.seed),
            };
            let between = scene.got.with_file_name("between");
            let both = ["--tracker", relay.as_str()];
            let only = ["--tracker", relay.as_str(), "--relay-only"];
            let gateway = native_peer(&scene.torrent, &between, &both)?;
            let mut relayed = native_peer(&scene.torrent, behind, &only)?;
            let mut client = aria2(&scene.torrent, outside, 6881)?;
            relayed.says(COMPLETE).await?;
            if relayed_seeds {
                client.complete().await?;
            }
            scene.assert_got()?;
            relayed.kill().await?;
            client.kill().await?;
            gateway.kill().await?;
        }
        server.kill().await
    }

    /// A tab gets what only an ordinary client has, or the other way round, through a peer that
    /// stands in both swarms; the page says so.
    async fn a_tab_through_a_gateway(client: Client, port: u16) -> Result<()> {
        let outside = tracker(8080, 6969).await?;
        let server = Server::start().await?;
        let browser = Browser::start().await?;
        let by_gateway = |torrent: &Torrent| {
            let mut peers = torrent.peers.iter();
            peers.any(|peer| peer.path == "gateway" && peer.down + peer.up >= 8 << 20)
        };

        let scene = Scene::new(&[&http()]).await?;
        let between = scene.got.with_file_name("between");
        let called = format!("{HOST}:{port}");
        let both = ["--tracker", &server.tracker(), "--peer", &called];
        let mut seeder = client(&scene.torrent, &scene.seed, port)?;
        seeder.complete().await?;
        let gateway = native_peer(&scene.torrent, &between, &both)?;
        let info_hash = Metainfo::from_torrent(&std::fs::read(&scene.torrent)?)?.info_hash();
        let tab = browser.open(&server.page()).await?;
        tab.add_link(&format!("magnet:?xt=urn:btih:{info_hash}"))
            .await?;
        tab.seeding().await?;
        let path = tab.torrent_that("given by a gateway", by_gateway).await?;
        assert!(path.peers.iter().all(|peer| peer.path == "gateway"));
        tab.click("save").await?;
        let archive = browser.take_download("stuff.zip", &scene.got).await?;
        unpack(&archive, &scene.got)?;
        scene.assert_got()?;
        gateway.kill().await?;
        seeder.kill().await?;

        // The same torrent, which only the tab has now.
        let scene = Scene::new(&[&http()]).await?;
        let between = scene.got.with_file_name("between");
        let mut leecher = client(&scene.torrent, &scene.got, port)?;
        let gateway = native_peer(&scene.torrent, &between, &both)?;
        leecher.complete().await?;
        scene.assert_got()?;
        tab.torrent_that("giving to a gateway", by_gateway).await?;
        gateway.kill().await?;
        leecher.kill().await?;
        browser.quit().await?;
        server.kill().await?;
        outside.kill().await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_and_aria2_through_a_gateway() -> Result<()> {
        a_tab_through_a_gateway(aria2, 6883).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_and_libtorrent_through_a_gateway() -> Result<()> {
        a_tab_through_a_gateway(libtorrent, 6853).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn a_tab_and_transmission_through_a_gateway() -> Result<()> {
        a_tab_through_a_gateway(transmission, 6873).await
    }
}
