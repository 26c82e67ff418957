//! `lab run`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use swarm_core::pieces::Strategy;
use swarm_lab::results::Summary;
use swarm_lab::{Results, Scenario, Simulation};

/// What to play, and what to write.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A scenario, as JSON; what it leaves out has its default. The other options override it.
    #[arg(long)]
    scenario: Option<PathBuf>,
    /// Everything random comes from it.
    #[arg(long)]
    seed: Option<u64>,
    /// How many pieces the torrent has.
    #[arg(long)]
    pieces: Option<u32>,
    /// Bytes of a piece.
    #[arg(long)]
    piece_length: Option<u32>,
    /// Peers that have everything.
    #[arg(long)]
    seeders: Option<u32>,
    /// Peers that want everything.
    #[arg(long)]
    leechers: Option<u32>,
    /// Leechers that never upload, as a share of all.
    #[arg(long)]
    free_riders: Option<f64>,
    /// Leechers that send corrupt blocks, as a share of all.
    #[arg(long)]
    liars: Option<f64>,
    /// Pieces in order instead of the rarest first.
    #[arg(long)]
    sequential: bool,
    /// Everybody is unchoked at all times.
    #[arg(long)]
    no_choking: bool,
    /// Virtual seconds after which to stop.
    #[arg(long)]
    time_limit: Option<f64>,
    /// Where to write the results, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Run {
    #[allow(clippy::print_stdout, reason = "that is what it is for")]
    pub(crate) fn execute(self) -> anyhow::Result<()> {
        let json = self.json.clone();
        let mut simulation = Simulation::new(self.scenario()?)?;
        let started = Instant::now();
        while !simulation.is_over() {
            let next = simulation.now() + Duration::from_secs(10);
            simulation.play(next, usize::MAX);
        }
        let results = simulation.results();
        print(&simulation, &results, started.elapsed());
        if let Some(path) = json {
            std::fs::write(path, serde_json::to_vec_pretty(&results)?)?;
        }
        Ok(())
    }

    fn scenario(self) -> anyhow::Result<Scenario> {
        let mut scenario = match self.scenario {
            Some(path) => {
                let text = std::fs::read(&path);
                let text = text.with_context(|| format!("reading {}", path.display()))?;
                serde_json::from_slice(&text)?
            }
            None => Scenario::default(),
        };
        let set = |field: &mut u32, option: Option<u32>| *field = option.unwrap_or(*field);
        set(&mut scenario.pieces, self.pieces);
        set(&mut scenario.piece_length, self.piece_length);
        set(&mut scenario.seeders, self.seeders);
        set(&mut scenario.leechers, self.leechers);
        let set = |field: &mut f64, option: Option<f64>| *field = option.unwrap_or(*field);
        set(&mut scenario.free_riders, self.free_riders);
        set(&mut scenario.liars, self.liars);
        set(&mut scenario.time_limit, self.time_limit);
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        if self.sequential {
            scenario.strategy = Strategy::Sequential;
        }
        if self.no_choking {
            scenario.choking = false;
        }
        Ok(scenario)
    }
}

#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn print(simulation: &Simulation, results: &Results, took: Duration) {
    println!(
        "{:.1} s played in {:.1} s: {} events ({:.0} a second), {} blocks ({:.1} µs each), fingerprint {:016x}",
        results.time,
        took.as_secs_f64(),
        results.events,
        results.events as f64 / took.as_secs_f64(),
        results.blocks,
        took.as_secs_f64() * 1e6 / results.blocks.max(1) as f64,
        simulation.fingerprint(),
    );
    print_times("contributors", &results.completion);
    print_times("free-riders", &results.free_rider_completion);
    if let Some(least) = results.least_time {
        let last = results
            .completion
            .last
            .max(results.free_rider_completion.last);
        println!(
            "least time {least:.1} s, last completion {:.3} times that",
            last / least
        );
    }
    println!(
        "upload used {:.1} %, duplicates {} kB, corrupt {} kB, longest stall {:.1} s, false claims {}",
        results.utilisation * 100.0,
        results.duplicate / 1000,
        results.corrupt / 1000,
        results.longest_stall,
        simulation.false_claims(),
    );
    for (role, bytes) in &results.by_source {
        println!("{role:?} sent {:.1} MB", *bytes as f64 / 1e6);
    }
}

#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn print_times(who: &str, times: &Summary) {
    if times.of > 0 {
        println!(
            "{who}: {} of {} complete, mean {:.1} s, p50 {:.1} s, p95 {:.1} s, last {:.1} s",
            times.count, times.of, times.mean, times.p50, times.p95, times.last
        );
    }
}
