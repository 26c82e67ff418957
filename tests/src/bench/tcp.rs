//! A swarm of command-line peers over TCP, one that has a file and three that want it: ours, rqbit
//! and libtorrent. All know each other's addresses from the start, and nobody needs a tracker.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use super::Figure;
use super::others::{Process, Runs, beside, find, installed};
use crate::files::{digest, random};
use crate::programs::{native_peer, program};

const MIB: usize = 512;
const LEECHERS: u16 = 3;
/// Runs of each; the median counts.
const RUNS: usize = 5;
const PIECE: &str = "256K";
const HOST: &str = "127.0.0.1";
/// The seeder's; the leechers have the next ones.
const PORT: u16 = 26_800;
/// Where nobody is, for a seeder that wants some tracker.
const NOBODY: &str = "ws://127.0.0.1:9/swarm";

/// Seconds, processor seconds of all peers together, and the memory of the largest.
pub async fn run() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let scene = Scene::new(folder.path()).await?;
    let kinds = Kind::all();
    let mut all: Vec<Vec<Run>> = kinds.iter().map(|_| Vec::new()).collect();
    // In turns, so that a noisy minute of the machine hits all.
    for _ in 0..RUNS {
        for (kind, runs) in kinds.iter().zip(&mut all) {
            runs.push(scene.swarm(kind).await?);
        }
    }
    let figures = |what: &str, unit, figure: fn(&Run) -> f64, aim| {
        let of = |(kind, runs): (&Kind, &Vec<Run>)| Runs {
            name: kind.name(),
            values: runs.iter().map(figure).collect(),
        };
        let runs: Vec<Runs> = kinds.iter().zip(&all).map(of).collect();
        let what = format!("{MIB} MiB from 1 to {LEECHERS} by TCP, {what}");
        beside(&what, unit, &runs, aim)
    };
    let mut measured = figures("time", "s", |run| run.seconds, "rqbit's");
    measured.extend(figures("CPU of all", "s", |run| run.cpu, "rqbit's"));
    measured.extend(figures("the seeder's part", "s", |run| run.seeder, ""));
    measured.extend(figures(
        "largest peak memory",
        "MiB",
        |run| run.peak_mib,
        "",
    ));
    Ok(measured)
}

struct Run {
    seconds: f64,
    cpu: f64,
    seeder: f64,
    peak_mib: f64,
}

enum Kind {
    Ours,
    Rqbit(PathBuf),
    /// The Python that has it.
    Libtorrent(PathBuf),
}

impl Kind {
    /// Ours, and those of others that are there.
    fn all() -> Vec<Self> {
        let others = [
            find("rqbit").map(Kind::Rqbit),
            installed("venv/bin/python").map(Kind::Libtorrent),
        ];
        let others = others.into_iter().flatten();
        [Kind::Ours].into_iter().chain(others).collect()
    }

    fn name(&self) -> &'static str {
        match self {
            Kind::Ours => "ours",
            Kind::Rqbit(_) => "rqbit",
            Kind::Libtorrent(_) => "libtorrent",
        }
    }

    /// What it says when it has everything.
    fn complete(&self) -> &'static str {
        match self {
            Kind::Ours => "is in ",
            Kind::Rqbit(_) => "torrent finished downloading",
            Kind::Libtorrent(_) => "complete",
        }
    }

    /// What a seeder says when it is ready.
    fn ready(&self) -> &'static str {
        match self {
            Kind::Ours => "btih:",
            Kind::Rqbit(_) => "Initial check results",
            Kind::Libtorrent(_) => "complete",
        }
    }
}

struct Scene {
    torrent: PathBuf,
    /// The folder of the file.
    seed: PathBuf,
    file: PathBuf,
    digest: [u8; 32],
    /// Where leechers' folders come to be.
    folder: PathBuf,
}

impl Scene {
    async fn new(folder: &Path) -> Result<Self> {
        let seed = folder.join("seed");
        let file = random(&seed.join("half a gigabyte.bin"), MIB << 20, 31)?;
        let torrent = folder.join("half.torrent");
        let status = Command::new(program("native-peer"))
            .arg("create")
            .arg(&file)
            .args(["--piece-length", PIECE, "--output"])
            .arg(&torrent)
            .status()
            .await?;
        ensure!(status.success(), "no torrent was made");
        let digest = digest(&file)?;
        let folder = folder.to_owned();
        Ok(Scene {
            torrent,
            seed,
            file,
            digest,
            folder,
        })
    }

    async fn swarm(&self, kind: &Kind) -> Result<Run> {
        let got = TempDir::new_in(&self.folder)?;
        let mut seeder = Process::start(self.peer(kind, None, &self.seed))?;
        seeder.says(&[kind.ready()]).await?;
        seeder.listens(&format!("{HOST}:{PORT}")).await?;
        let before = seeder.cpu_seconds();
        let begin = Instant::now();
        let mut leechers = Vec::new();
        for number in 1..=LEECHERS {
            let folder = got.path().join(number.to_string());
            std::fs::create_dir(&folder)?;
            leechers.push(Process::start(self.peer(kind, Some(number), &folder))?);
        }
        for leecher in &mut leechers {
            leecher.says(&[kind.complete()]).await?;
        }
        let seconds = begin.elapsed().as_secs_f64();
        let given = seeder.cpu_seconds() - before;
        let taken: f64 = leechers.iter().map(Process::cpu_seconds).sum();
        let peak = leechers.iter().map(Process::peak_mib);
        let run = Run {
            seconds,
            cpu: given + taken,
            seeder: given,
            peak_mib: peak.fold(seeder.peak_mib(), f64::max),
        };
        for process in leechers.into_iter().chain([seeder]) {
            process.kill().await?;
        }
        for number in 1..=LEECHERS {
            let name = self.file.file_name().unwrap_or_default();
            let file = got.path().join(number.to_string()).join(name);
            ensure!(
                digest(&file)? == self.digest,
                "what {} got differs",
                kind.name()
            );
        }
        Ok(run)
    }

    /// One of the swarm; a leecher has a number, and calls those before it.
    fn peer(&self, kind: &Kind, leecher: Option<u16>, folder: &Path) -> Command {
        let number = leecher.unwrap_or(0);
        let port = PORT + number;
        let others: Vec<String> = (PORT..port).map(|port| format!("{HOST}:{port}")).collect();
        match kind {
            Kind::Ours => {
                let mut command = native_peer();
                match leecher {
                    None => command
                        .arg("seed")
                        .arg(&self.file)
                        .args(["--piece-length", PIECE]),
                    Some(_) => {
                        command.arg("get").arg(&self.torrent).arg("--seed");
                        command.arg("--output").arg(folder)
                    }
                };
                command.args(["--no-lsd", "--no-webrtc", "--port", &port.to_string()]);
                for other in &others {
                    command.args(["--peer", other]);
                }
                command.env("TABSWARM_TRACKER", NOBODY);
                command
            }
            Kind::Rqbit(program) => {
                let mut command = Command::new(program);
                command.args(["--disable-dht", "--disable-lsd", "--disable-trackers"]);
                command.args(["--disable-upnp-port-forward", "--ipv4-only"]);
                command.args(["--listen-ip", HOST, "--listen-port", &port.to_string()]);
                command.args(["download", "--disable-http-api", "--overwrite"]);
                command.arg("--output-folder").arg(folder);
                if leecher.is_some() {
                    command.args(["--initial-peers", &others.join(",")]);
                }
                command.arg(&self.torrent);
                command
            }
            Kind::Libtorrent(python) => {
                let mut command = Command::new(python);
                command.args(["-W", "ignore"]);
                let script = python.ancestors().nth(3).unwrap_or(Path::new("."));
                command.arg(script.join("libtorrent_quiet.py"));
                command.arg(&self.torrent).arg(folder);
                command.arg(format!("{HOST}:{port}")).args(&others);
                command
            }
        }
    }
}
