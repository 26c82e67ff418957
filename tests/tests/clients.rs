//! Other people's clients find each other through our tracker, and exchange files.

/// All of them need what `cargo xtask test clients` installs, and the network that it makes.
mod with_other_clients {
    use std::path::PathBuf;

    use anyhow::Result;
    use swarm_tests::clients::{HOST, aria2, libtorrent, make_torrent, tracker, webtorrent};
    use swarm_tests::files::{STUFF, assert_same, write_all};
    use tempfile::TempDir;

    /// A torrent of several files, which `seed/` in it has.
    async fn torrent(folder: &TempDir, tracker: &str) -> Result<(PathBuf, PathBuf)> {
        let seed = folder.path().join("seed");
        write_all(&seed, &STUFF)?;
        let torrent = folder.path().join("stuff.torrent");
        make_torrent(&seed.join("stuff"), &torrent, &[tracker]).await?;
        Ok((torrent, seed))
    }

    fn empty(folder: &TempDir, name: &str) -> Result<PathBuf> {
        let path = folder.path().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn webtorrent_and_libtorrent_meet_through_offers() -> Result<()> {
        let folder = TempDir::new()?;
        let server = tracker(8080, 6969).await?;
        let announce = format!("ws://{HOST}:8080/announce");
        let (torrent, seed) = torrent(&folder, &announce).await?;
        let [one, two, three] = ["one", "two", "three"].map(|name| empty(&folder, name));
        let (one, two, three) = (one?, two?, three?);

        let mut seeder = webtorrent(&torrent, &seed)?;
        seeder.complete().await?;
        let mut first = webtorrent(&torrent, &one)?;
        let mut second = libtorrent(&torrent, &two, 6801)?;
        first.complete().await?;
        second.complete().await?;
        assert_same(&seed, &one, &STUFF)?;
        assert_same(&seed, &two, &STUFF)?;

        // And the other way round: libtorrent alone has it.
        first.kill().await?;
        seeder.kill().await?;
        let mut third = webtorrent(&torrent, &three)?;
        third.complete().await?;
        assert_same(&seed, &three, &STUFF)?;
        third.kill().await?;
        second.kill().await?;
        server.kill().await
    }

    /// One seeds and another gets it, then the other way round.
    async fn exchange(announce: &str, ports: [u16; 2]) -> Result<()> {
        let server = tracker(8080, 6969).await?;
        let [lib, aria] = ports;
        for libtorrent_seeds in [true, false] {
            let folder = TempDir::new()?;
            let (torrent, seed) = torrent(&folder, announce).await?;
            let got = empty(&folder, "got")?;
            let (has, gets) = match libtorrent_seeds {
                true => (&seed, &got),
                false => (&got, &seed),
            };
            let mut library = libtorrent(&torrent, has, lib)?;
            let mut program = aria2(&torrent, gets, aria)?;
            library.complete().await?;
            program.complete().await?;
            assert_same(&seed, &got, &STUFF)?;
            library.kill().await?;
            program.kill().await?;
        }
        server.kill().await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_and_aria2_meet_over_http() -> Result<()> {
        exchange(&format!("http://{HOST}:8080/announce"), [6811, 6821]).await
    }

    #[tokio::test]
    #[ignore = "needs other clients: cargo xtask test clients"]
    async fn libtorrent_and_aria2_meet_over_udp() -> Result<()> {
        exchange(&format!("udp://{HOST}:6969/announce"), [6831, 6841]).await
    }
}
