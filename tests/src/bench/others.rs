//! Other people's programs, which ours is measured beside: where they are, and what they cost.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::process::{cpu_seconds, peak_mib};
use super::{Figure, median};
use crate::clients::CLIENTS;

/// How long a program may take to begin, or to do what it is measured at.
pub(super) const LIMIT: Duration = Duration::from_secs(600);

/// A program of this name: where an environment variable says, else on the PATH. Says on standard
/// error when it is nowhere.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let variable = name.to_ascii_uppercase();
    let told = std::env::var_os(&variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = std::env::split_paths(&path).map(|folder| folder.join(name));
    let found = told.into_iter().chain(usual).find(|path| path.is_file());
    if found.is_none() {
        skipped(
            name,
            &format!("it is neither in {variable} nor on the PATH"),
        );
    }
    found
}

/// A file of those that `cargo xtask bench --others` installs for the project alone.
pub(super) fn installed(name: &str) -> Option<PathBuf> {
    let file = std::env::var_os(CLIENTS).map(|folder| PathBuf::from(folder).join(name));
    let file = file.filter(|file| file.exists());
    if file.is_none() {
        skipped(name, &format!("it is not in {CLIENTS}"));
    }
    file
}

/// Says that nothing is measured beside a program.
pub(super) fn skipped(name: &str, why: &str) {
    eprintln!("{name} is left out: {why}");
}

/// A running program. Killed when dropped.
pub(super) struct Process {
    child: Child,
    /// What it says on either standard stream.
    lines: mpsc::UnboundedReceiver<String>,
}

impl Process {
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?} does not start"))?;
        let (sender, lines) = mpsc::unbounded_channel();
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(pass_on(stdout, sender.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(pass_on(stderr, sender));
        }
        Ok(Process { child, lines })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    pub(super) fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.pid())
    }

    pub(super) fn peak_mib(&self) -> f64 {
        peak_mib(self.pid())
    }

    /// Waits for a line that contains one of these; returns it.
    pub(super) async fn says(&mut self, words: &[&str]) -> Result<String> {
        let mut said = String::new();
        let found = async {
            while let Some(line) = self.lines.recv().await {
                if words.iter().any(|words| line.contains(words)) {
                    return Ok(line);
                }
                said = line;
            }
            bail!("it ended")
        };
        let found = tokio::time::timeout(LIMIT, found).await;
        let found = found.unwrap_or_else(|_| bail!("it is silent"));
        found.with_context(|| format!("it never said {words:?}, but {said:?}"))
    }

    /// Waits until it takes connections there.
    pub(super) async fn listens(&mut self, address: &str) -> Result<()> {
        let begin = Instant::now();
        // Not all say when they do.
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                let mut last = String::new();
                while let Ok(line) = self.lines.try_recv() {
                    last = line;
                }
                bail!("it ended with {status}: {last}");
            }
            if begin.elapsed() > LIMIT {
                bail!("nobody listens at {address}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Ends it, and waits until its ports are free.
    pub(super) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

async fn pass_on(stream: impl AsyncRead + Unpin, lines: mpsc::UnboundedSender<String>) {
    let mut stream = BufReader::new(stream).lines();
    while let Ok(Some(line)) = stream.next_line().await {
        // Whoever does not listen any more still must not be the reason that it stops.
        let _ = lines.send(line);
    }
}

/// What several runs came to, of ours or of somebody else's.
pub(super) struct Runs {
    /// Whose.
    pub(super) name: &'static str,
    /// One value for each.
    pub(super) values: Vec<f64>,
}

/// The medians of all, each beside the first, which is ours, with the least and the most. Nothing
/// is said of one that has no runs.
pub(super) fn beside(what: &str, unit: &'static str, runs: &[Runs], aim: &str) -> Vec<Figure> {
    let middle = |runs: &Runs| (!runs.values.is_empty()).then(|| median(runs.values.clone()));
    let ours = runs.first().and_then(middle);
    let figure = |(place, runs): (usize, &Runs)| {
        let middle = middle(runs)?;
        let least = runs.values.iter().copied().fold(f64::MAX, f64::min);
        let most = runs.values.iter().copied().fold(0.0, f64::max);
        let mut against = format!("{least:.2}–{most:.2}");
        match ours {
            _ if place == 0 && !aim.is_empty() => against += &format!("; aim: {aim}"),
            Some(ours) if place > 0 && middle > 0.0 => {
                against += &format!("; ours {:.2} × this", ours / middle);
            }
            _ => {}
        }
        let name = format!("{what}: {}", runs.name);
        Some(Figure::new(name, middle, unit, against))
    };
    runs.iter().enumerate().filter_map(figure).collect()
}
