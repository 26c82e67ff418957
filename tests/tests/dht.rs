//! Our nodes of the DHT with those of others: what one announces or stores, all find.

/// All of them need what `cargo xtask test clients` installs, and the network that it makes.
mod with_other_clients {
    use std::ffi::OsString;
    use std::path::PathBuf;

    use anyhow::{Context, Result};
    use serde_json::Value;
    use swarm_core::metainfo::Metainfo;
    use swarm_tests::clients::{
        DhtMaker, HOST, Running, aria2_in_dht, ask_dht, bootstrap, dht_node, libtorrent_in_dht,
        make_torrent, native_peer, native_peer_of,
    };
    use swarm_tests::files::{digest, random};
    use swarm_tests::wait::until;
    use tempfile::TempDir;

    const FILE: &str = "large.bin";
    /// What our peer says when all is there.
    const COMPLETE: &str = "large.bin, ";

    /// A torrent that names no tracker, and the folders of those who have all and nothing of it.
    struct Scene {
        folder: TempDir,
        torrent: PathBuf,
        seed: PathBuf,
        got: PathBuf,
        info_hash: String,
    }

    impl Scene {
        async fn new() -> Result<Self> {
            let folder = TempDir::new()?;
            let [seed, got] = ["seed", "got"].map(|name| folder.path().join(name));
            std::fs::create_dir_all(&got)?;
            random(&seed.join(FILE), 3 << 20, 1)?;
            let torrent = folder.path().join("large.torrent");
            make_torrent(&seed.join(FILE), &torrent, &[]).await?;
            let metainfo = Metainfo::from_torrent(&std::fs::read(&torrent)?)?;
            Ok(Scene {
                torrent,
                seed,
                got,
                info_hash: metainfo.info_hash().to_string(),
                folder,
            })
        }

        /// All that a downloader is told.
        fn magnet(&self) -> OsString {
            format!("magnet:?xt=urn:btih:{}", self.info_hash).into()
        }

        fn assert_got(&self) -> Result<()> {
            assert_eq!(
                digest(&self.seed.join(FILE))?,
                digest(&self.got.join(FILE))?
            );
            Ok(())
        }

        /// Our peer seeds, and has said so in the DHT.
        async fn we_seed(&self, bootstrap: &str) -> Result<Running> {
            let options = ["--no-lsd", "--dht-bootstrap", bootstrap];
            let mut peer = native_peer(&self.torrent, &self.seed, &options)?;
            peer.says(COMPLETE).await?;
            Ok(peer)
        }

        /// Our peer gets it, and knows nothing but its hash.
        async fn we_get(&self, bootstrap: &str) -> Result<()> {
            let options = ["--no-lsd", "--dht-bootstrap", bootstrap];
            let mut peer = native_peer_of(self.info_hash.as_ref(), &self.got, &options)?;
            peer.says(COMPLETE).await?;
            self.assert_got()?;
            peer.kill().await
        }
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn announces_are_found_by_all() -> Result<()> {
        let (server, address) = bootstrap(8080, 7400).await?;
        let scene = Scene::new().await?;
        let hash = scene.info_hash.as_str();
        let mut nodes = Vec::new();
        for (maker, port) in [(DhtMaker::Libtorrent, 7401), (DhtMaker::Webtorrent, 7402)] {
            let announced = (port + 100).to_string();
            let command = ["announce", hash, &announced];
            nodes.push(dht_node(maker, port, &address, &command).await?);
        }
        let options = ["--no-lsd", "--dht-bootstrap", &address, "--port", "7503"];
        nodes.push(native_peer(&scene.torrent, &scene.seed, &options)?);
        let expected = [7501, 7502, 7503].map(|port| format!("{HOST}:{port}"));
        // An announce says nothing when it has arrived.
        let all = |found: &Value| {
            let peers = found["peers"].as_array();
            peers.is_some_and(|peers| {
                expected
                    .iter()
                    .all(|it| peers.contains(&it.as_str().into()))
            })
        };
        let state = scene.folder.path().join("state");
        let question = ["lookup", hash];
        let ask = || ask_dht(&state, &address, &question);
        until("all announces", ask, all).await?;
        let lines = expected.map(|peer| format!("peer {peer}"));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        for (maker, port) in [(DhtMaker::Libtorrent, 7404), (DhtMaker::Webtorrent, 7405)] {
            let mut node = dht_node(maker, port, &address, &["lookup", hash]).await?;
            node.says_all(&lines)
                .await
                .with_context(|| format!("{maker:?}"))?;
            nodes.push(node);
        }
        for node in nodes {
            node.kill().await?;
        }
        server.kill().await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn values_are_found_by_all() -> Result<()> {
        let (server, address) = bootstrap(8080, 7410).await?;
        let folder = TempDir::new()?;
        let mut nodes = Vec::new();
        for (maker, port) in [(DhtMaker::Libtorrent, 7411), (DhtMaker::Webtorrent, 7413)] {
            let mut node = dht_node(maker, port, &address, &["put", "theirs"]).await?;
            let key = node.tells("key ").await?;
            nodes.push(node);
            let question = ["get", &key];
            let ask = || ask_dht(folder.path(), &address, &question);
            // libtorrent tells the key before it has stored the value.
            let found = |result: &Option<Value>| result.is_some();
            let known = until("their value", async || Ok(ask().await.ok()), found).await?;
            assert_eq!(known.context("found")?["text"], "theirs");

            let ours = format!("ours for {maker:?}");
            let put = ask_dht(folder.path(), &address, &["put", &ours]).await?;
            let key = put["key"].as_str().context("a key")?;
            let mut node = dht_node(maker, port + 1, &address, &["get", key]).await?;
            node.says(&format!("value {ours}")).await?;
            nodes.push(node);
        }
        for node in nodes {
            node.kill().await?;
        }
        server.kill().await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_is_found_by_an_info_hash_and_finds_us() -> Result<()> {
        let (server, address) = bootstrap(8080, 7420).await?;
        let scene = Scene::new().await?;
        let seeder = libtorrent_in_dht(scene.torrent.as_ref(), &scene.seed, 7421, &address)?;
        scene.we_get(&address).await?;
        seeder.kill().await?;

        let scene = Scene::new().await?;
        let ours = scene.we_seed(&address).await?;
        let mut theirs = libtorrent_in_dht(&scene.magnet(), &scene.got, 7422, &address)?;
        theirs.complete().await?;
        scene.assert_got()?;
        theirs.kill().await?;
        ours.kill().await?;
        server.kill().await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn aria2_is_found_by_an_info_hash_and_finds_us() -> Result<()> {
        let (server, address) = bootstrap(8080, 7430).await?;
        let scene = Scene::new().await?;
        let seeder = aria2_in_dht(scene.torrent.as_ref(), &scene.seed, 7431, &address)?;
        scene.we_get(&address).await?;
        seeder.kill().await?;

        let scene = Scene::new().await?;
        let ours = scene.we_seed(&address).await?;
        let mut theirs = aria2_in_dht(scene.torrent.as_ref(), &scene.got, 7433, &address)?;
        theirs.complete().await?;
        scene.assert_got()?;
        theirs.kill().await?;
        ours.kill().await?;
        server.kill().await
    }
}
