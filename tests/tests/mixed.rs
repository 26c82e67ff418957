//! Tabs and terminals in one swarm.

use std::fs;

use anyhow::{Context, Result};
use swarm_tests::browser::Browser;
use swarm_tests::files::{assert_same, digest, random, unpack, write_all};
use swarm_tests::programs;
use swarm_tests::server::Server;
use swarm_tests::tab::Torrent;
use tempfile::TempDir;

/// Files with names in several scripts, one of them empty.
const NAMES: [(&str, usize); 5] = [
    ("readme.txt", 700),
    ("Ελληνικά/αρχείο.bin", 3 << 20),
    ("日本語/写真.jpg", 5 << 20),
    ("العربية.dat", 123_457),
    ("empty", 0),
];

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_terminal_seeds_a_folder_to_tabs() -> Result<()> {
    let folder = TempDir::new()?;
    let shared = folder.path().join("Много файлов");
    write_all(&shared, &NAMES)?;
    let server = Server::start().await?;
    let (_peer, link) = programs::seed(&shared, &["--tracker", &server.tracker()]).await?;

    let browser = Browser::start().await?;
    let tabs = [browser.open(&link).await?, browser.open(&link).await?];
    for (index, tab) in tabs.iter().enumerate() {
        tab.seeding().await?;
        tab.click("save").await?;
        let into = folder.path().join(index.to_string());
        let archive = browser.take_download("Много файлов.zip", &into).await?;
        unpack(&archive, &into)?;
        assert_same(&shared, &into.join("Много файлов"), &NAMES)?;
    }
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_terminal_gets_files_from_a_tab() -> Result<()> {
    let folder = TempDir::new()?;
    let names = ["eins.bin", "два.bin", "三.bin", "empty"];
    let mut files = Vec::new();
    for (seed, name) in (0..).zip(names) {
        let length = if name == "empty" { 0 } else { 2_500_000 };
        files.push(random(
            &folder.path().join("shared").join(name),
            length,
            seed,
        )?);
    }
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&server.page()).await?;
    tab.share(
        &files
            .iter()
            .map(std::path::PathBuf::as_path)
            .collect::<Vec<_>>(),
    )
    .await?;
    let torrent = tab.seeding().await?;

    let into = folder.path().join("got");
    let get = || {
        programs::native_peer()
            .arg("get")
            .arg(&torrent.share_link)
            .arg("-o")
            .arg(&into)
            .status()
    };
    assert!(get().await?.success());
    let got = fs::read_dir(&into)?.next().context("a folder")??.path();
    for (file, name) in files.iter().zip(names) {
        assert_eq!(digest(file)?, digest(&got.join(name))?, "{name}");
    }
    // Once more: all of it is on disk, nothing is fetched.
    let all = |torrent: &Torrent| torrent.uploaded >= 3 * 2_500_000;
    let sent = tab.torrent_that("all of it sent", all).await?.uploaded;
    assert!(get().await?.success());
    assert_eq!(tab.seeding().await?.uploaded, sent);
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_piece_that_no_tab_holds_whole_goes_through_a_tab() -> Result<()> {
    let folder = TempDir::new()?;
    // A piece of 32 MiB in parts, and one of 5 MiB that is held whole.
    let file = random(&folder.path().join("long pieces.bin"), 37 << 20, 7)?;
    let server = Server::start().await?;
    let tracker = server.tracker();
    let options = ["--tracker", &tracker, "--piece-length", "32M"];
    let (mut seeder, link) = programs::seed(&file, &options).await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&link).await?;
    tab.seeding().await?;
    seeder.kill().await?;

    // A reloaded tab has it, and is the only one that does.
    tab.reload().await?;
    assert_eq!(tab.seeding().await?.downloaded, 0);
    let into = folder.path().join("got");
    let get = programs::native_peer()
        .arg("get")
        .arg(&link)
        .arg("-o")
        .arg(&into)
        .status();
    assert!(get.await?.success());
    assert_eq!(digest(&file)?, digest(&into.join("long pieces.bin"))?);

    tab.click("save").await?;
    let saved = folder.path().join("saved");
    let saved = browser.take_download("long pieces.bin", &saved).await?;
    assert_eq!(digest(&file)?, digest(&saved)?);
    browser.quit().await
}
