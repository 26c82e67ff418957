//! `lab dht`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use swarm_lab::network::{Network, NetworkScenario};

use super::interrupt::{self, Interrupt};
use super::options::{Wrong, read};
use super::output::{Destination, out};
use options::Options;

mod options;
mod summary;

/// Events between two looks at Ctrl-C and the progress line.
const SLICE: usize = 20_000;

/// What to play, and what to write.
#[derive(Debug, Args)]
pub(crate) struct Dht {
    /// A scenario, as TOML (*.toml) or JSON; what it leaves out has its default. The other
    /// options override it.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Print the scenario as TOML, to start from, and play nothing.
    #[arg(long)]
    print_scenario: bool,
    /// Where to write the results, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

impl Dht {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        let mut scenario = match &self.scenario {
            Some(path) => read(path)?,
            None => NetworkScenario::default(),
        };
        self.options.apply(&mut scenario);
        scenario
            .validate()
            .map_err(|error| Wrong(error.to_string()))?;
        if self.print_scenario {
            out().write_all(toml::to_string(&scenario)?.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let json = Destination::named(self.json.as_ref())?;
        let interrupt = Interrupt::listen()?;
        let before = resident();
        let began = Instant::now();
        let mut network = Network::new(scenario)?;
        play(&mut network, &interrupt);
        let took = began.elapsed();
        let results = network.results();
        let memory = resident().zip(before).map(|(now, before)| {
            let nodes = network.population().max(1) as f64;
            now.saturating_sub(before) as f64 / nodes
        });
        if let Some(file) = json {
            file.fill(&serde_json::to_vec_pretty(&results)?)?;
        }
        let summary = summary::summary(&network, &results, took, memory);
        out().write_all(summary.as_bytes())?;
        Ok(match network.is_over() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(interrupt::EXIT_CODE),
        })
    }
}

/// To its end, or until Ctrl-C.
fn play(network: &mut Network, interrupt: &Interrupt) {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} lookups, {msg}");
    let lookups = network.scenario().lookups;
    let bar = ProgressBar::new(lookups.into()).with_style(style.expect("a good template"));
    let began = Instant::now();
    let mut shown = began;
    while !network.is_over() && !interrupt.is_pressed() {
        network.play(Duration::MAX, SLICE);
        if !bar.is_hidden() && shown.elapsed() > Duration::from_millis(100) {
            shown = Instant::now();
            bar.set_position(network.ended() as u64);
            bar.set_message(format!(
                "{} nodes, {:.1} s of virtual time, {:.1} times as fast as real",
                network.population(),
                network.now().as_secs_f64(),
                network.now().as_secs_f64() / began.elapsed().as_secs_f64(),
            ));
        }
    }
    bar.finish_and_clear();
}

/// Bytes of memory that this process has, where the system says so.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
