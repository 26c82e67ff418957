//! Tabs and terminals in one swarm.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::programs;
use swarm_tests::server::Server;
use swarm_tests::tab::Torrent;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

/// Files with names in several scripts, one of them empty.
const NAMES: [(&str, usize); 5] = [
    ("readme.txt", 700),
    ("Ελληνικά/αρχείο.bin", 3 << 20),
    ("日本語/写真.jpg", 5 << 20),
    ("العربية.dat", 123_457),
    ("empty", 0),
];

fn many_files(folder: &Path) -> Result<()> {
    for (seed, (name, length)) in (0..).zip(NAMES) {
        random(&folder.join(name), length, seed)?;
    }
    Ok(())
}

fn assert_same_files(left: &Path, right: &Path) -> Result<()> {
    for (name, length) in NAMES {
        assert_eq!(
            fs::metadata(right.join(name)).context(name)?.len(),
            length as u64,
            "{name}"
        );
        assert_eq!(
            digest(&left.join(name))?,
            digest(&right.join(name))?,
            "{name}"
        );
    }
    Ok(())
}

/// A seeding `native-peer`, and the link that it printed.
async fn native_seed(server: &Server, path: &Path, more: &[&str]) -> Result<(Child, String)> {
    let mut child = programs::native_peer()
        .args(["seed", "--tracker", &server.tracker()])
        .args(more)
        .arg(path)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().context("standard output is piped")?;
    let link = BufReader::new(stdout)
        .lines()
        .next_line()
        .await?
        .context("a first line")?;
    Ok((child, link))
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_terminal_seeds_a_folder_to_tabs() -> Result<()> {
    let folder = TempDir::new()?;
    let shared = folder.path().join("Много файлов");
    many_files(&shared)?;
    let server = Server::start().await?;
    let (_peer, link) = native_seed(&server, &shared, &[]).await?;

    let browser = Browser::start().await?;
    let tabs = [browser.open(&link).await?, browser.open(&link).await?];
    for (index, tab) in tabs.iter().enumerate() {
        tab.seeding().await?;
        tab.click("save").await?;
        let into = folder.path().join(index.to_string());
        let archive = browser.take_download("Много файлов.zip", &into).await?;
        zip::ZipArchive::new(fs::File::open(archive)?)?.extract(&into)?;
        assert_same_files(&shared, &into.join("Много файлов"))?;
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
    let (mut seeder, link) = native_seed(&server, &file, &["--piece-length", "32M"]).await?;
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
