//! Two command-line peers, each a long way from the server: what may be under way is what
//! bounds them.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use super::delay::FarLink;
use super::process::peak_mib;
use super::{Figure, median};
use crate::files::random;
use crate::programs::native_peer;
use crate::server::Server;

/// Bytes of one run.
const AMOUNT: usize = 1 << 30;
/// From a peer to the server, or back: 100 ms there and back, and twice that from a request
/// to its block.
const DELAY: Duration = Duration::from_millis(50);
/// Runs of each; the median counts.
const RUNS: usize = 3;
/// Bytes that a getter hears before the first block, and more.
const BEGUN: u64 = 64 << 10;

/// A GiB from one to the other, far away and, in turns, next door.
pub async fn run() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("far.bin"), AMOUNT, 8)?;
    let (mut near, mut far) = (Vec::new(), Vec::new());
    // In turns, so that a noisy minute of the machine hits both.
    for _ in 0..RUNS {
        near.push(transfer(&file, folder.path(), Duration::ZERO).await?);
        far.push(transfer(&file, folder.path(), DELAY).await?);
    }
    let middle = |runs: &[Run], figure: fn(&Run) -> f64| median(runs.iter().map(figure).collect());
    let most = |figure: fn(&Run) -> f64| far.iter().map(figure).fold(0.0, f64::max);
    let speed = |run: &Run| run.mb_per_second;
    let name = |what: &str| format!("native peers, 100 ms to the server: {what}");
    Ok(vec![
        Figure::new(
            name("speed"),
            middle(&far, speed),
            "MB/s",
            "aim: at least 100 MB/s",
        ),
        Figure::new(
            name("next door"),
            middle(&near, speed),
            "MB/s",
            "the same without delay",
        ),
        Figure::new(
            name("getter's peak memory"),
            most(|run| run.getter),
            "MiB",
            "",
        ),
        Figure::new(
            name("seeder's peak memory"),
            most(|run| run.seeder),
            "MiB",
            "",
        ),
        Figure::new(
            name("server's peak memory"),
            most(|run| run.server),
            "MiB",
            "",
        ),
    ])
}

struct Run {
    mb_per_second: f64,
    /// MiB at the most, of each.
    getter: f64,
    seeder: f64,
    server: f64,
}

async fn transfer(file: &Path, folder: &Path, delay: Duration) -> Result<Run> {
    let server = Server::start().await?;
    let there = FarLink::to(server.address, delay).await?;
    let here = FarLink::to(server.address, delay).await?;
    let (seeder, link) = seed(file, &there.tracker()).await?;
    // Not the link itself: it names the seeder's way to the server, which is not the getter's.
    let (_, hash) = link.split_once("btih:").context("a link")?;
    let hash = hash.get(..40).context("an info-hash")?;
    let output = TempDir::new_in(folder)?;
    let mut getter = native_peer()
        .args(["get", hash, "--tracker", &here.tracker()])
        .args(["--relay-only", "--output"])
        .arg(output.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let getter_id = getter.id().context("the getter runs")?;
    let began = here.delivers(BEGUN).await?;
    let ended = here.delivers(AMOUNT as u64).await?;
    let run = Run {
        mb_per_second: (AMOUNT as u64 - BEGUN) as f64 / 1e6 / (ended - began).as_secs_f64(),
        getter: peak_mib(getter_id),
        seeder: peak_mib(seeder.id().context("the seeder runs")?),
        server: peak_mib(server.pid()),
    };
    let status = getter.wait().await?;
    ensure!(status.success(), "the getter ended with {status}");
    Ok(run)
}

/// A seeding peer, and the link that it printed.
async fn seed(file: &Path, tracker: &str) -> Result<(Child, String)> {
    let mut child = native_peer()
        .arg("seed")
        .arg(file)
        .args(["--tracker", tracker, "--relay-only"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child
        .stdout
        .take()
        .context("its standard output is piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let link = lines.next_line().await?.context("it prints its link")?;
    Ok((child, link))
}
