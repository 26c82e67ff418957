//! People at home, each behind a router that translates addresses: links are made through the routers
//! by what the server tells of addresses, and where a router makes that impossible, the relay serves.

mod with_other_clients {
    use std::process::Stdio;

    use anyhow::{Context, Result};
    use swarm_tests::browser::Browser;
    use swarm_tests::files::{digest, random};
    use swarm_tests::homes::{Home, server};
    use swarm_tests::programs::linked;
    use swarm_tests::tab::Torrent;
    use tempfile::TempDir;
    use tokio::io::{AsyncBufReadExt, BufReader};

    const MIB: usize = 1 << 20;

    #[tokio::test]
    #[ignore = "needs a network of its own: cargo xtask test clients"]
    async fn tabs_behind_two_routers_are_linked_directly() -> Result<()> {
        let folder = TempDir::new()?;
        let file = random(&folder.path().join("holiday.bin"), 40 * MIB, 61)?;
        let server = server().await?;
        let left = Browser::at_home(Home::Left, &server.origin()).await?;
        let (_seeder, torrent) = left.seed(&server.page(), &[&file]).await?;

        let right = Browser::at_home(Home::Right, &server.origin()).await?;
        let leecher = right.open(&torrent.share_link).await?;
        let direct = leecher
            .torrent_that("linked directly", Torrent::is_direct)
            .await?;
        assert_eq!(direct.state, "downloading", "{direct:?}");
        let later = leecher
            .torrent_that("fetched directly", |now| {
                now.downloaded > direct.downloaded + 4 * MIB as u64
            })
            .await?;
        assert!(later.progress < 1.0, "{later:?}");
        server.kill().await?;

        leecher.seeding().await?;
        let into = folder.path().join("saved");
        let saved = right.save(&leecher, "holiday.bin", &into).await?;
        assert_eq!(saved, digest(&file)?);
        left.quit().await?;
        right.quit().await
    }

    #[tokio::test]
    #[ignore = "needs a network of its own: cargo xtask test clients"]
    async fn behind_a_router_that_no_answer_finds_the_relay_serves() -> Result<()> {
        let folder = TempDir::new()?;
        let file = random(&folder.path().join("strict.bin"), 24 * MIB, 62)?;
        let server = server().await?;
        let left = Browser::at_home(Home::Left, &server.origin()).await?;
        let (_seeder, torrent) = left.seed(&server.page(), &[&file]).await?;

        let strict = Browser::at_home(Home::Strict, &server.origin()).await?;
        let leecher = strict.open(&torrent.share_link).await?;
        let done = leecher.seeding().await?;
        let relayed = |torrent: &Torrent| torrent.peers.iter().all(|peer| peer.path == "relay");
        assert!(relayed(&done), "{done:?}");
        // Both had asked for their addresses outside, to try.
        assert!(server.told_addresses().await? >= 2);
        let into = folder.path().join("saved");
        let saved = strict.save(&leecher, "strict.bin", &into).await?;
        assert_eq!(saved, digest(&file)?);
        left.quit().await?;
        strict.quit().await
    }

    #[tokio::test]
    #[ignore = "needs a network of its own: cargo xtask test clients"]
    async fn terminals_behind_two_routers_are_linked_directly() -> Result<()> {
        let folder = TempDir::new()?;
        let file = random(&folder.path().join("holiday.bin"), 40 * MIB, 63)?;
        let server = server().await?;
        let mut seeder = Home::Left.native_peer();
        let seeder = seeder.args(["seed", "--tracker", &server.page()]);
        let (_seeder, link) = linked(seeder.arg(&file)).await?;

        // So slow that what it says now and then says of the link.
        let got = folder.path().join("got");
        let mut leecher = Home::Right.native_peer();
        let leecher = leecher
            .args(["get", &link, "--down", "1500K", "--output"])
            .arg(&got);
        let mut leecher = leecher.stderr(Stdio::piped()).spawn()?;
        let said = leecher.stderr.take().context("what it says is piped")?;
        let mut said = BufReader::new(said).lines();
        while !said
            .next_line()
            .await?
            .context("it ended without a link")?
            .contains("1 direct")
        {}
        server.kill().await?;
        while said.next_line().await?.is_some() {}
        assert!(leecher.wait().await?.success());
        assert_eq!(digest(&got.join("holiday.bin"))?, digest(&file)?);
        Ok(())
    }
}
