//! `lab`: experiments with simulated swarms, and replays of real ones.

mod commands {
    pub(crate) mod compare;
    pub(crate) mod dht;
    pub(crate) mod generate;
    pub(crate) mod interrupt;
    pub(crate) mod options;
    pub(crate) mod output;
    pub(crate) mod replay;
    pub(crate) mod report;
    pub(crate) mod run;
    pub(crate) mod units;
}

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use serde::Serialize;
use swarm_lab::Scenario;
use swarm_lab::network::NetworkScenario;

use commands::options::Wrong;

/// Simulates swarms of real peers, and networks of real nodes of the DHT.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays a scenario and says how it went.
    Run(Box<commands::run::Run>),
    /// Plays variants of a scenario with many seeds, and says how sure their difference is.
    Compare(Box<commands::compare::Compare>),
    /// Plays a network of nodes of the DHT and says how lookups went.
    Dht(Box<commands::dht::Dht>),
    /// Makes test files out of a seed: the same bytes everywhere.
    Generate(commands::generate::Generate),
    /// Reruns the project's experiments and writes docs/experiments.md with charts.
    Report(commands::report::Report),
    /// Runs a recorded session once more and compares: exit code 0 when every output is
    /// the same, 1 when one differs.
    Replay(commands::replay::Arguments),
}

/// Exit codes: 0 if all went well, 1 if something failed, 2 if what was asked for makes no
/// sense, 130 after Ctrl-C.
#[allow(clippy::print_stderr, reason = "that is where errors go")]
fn main() -> ExitCode {
    let result = match parse().command {
        Command::Run(run) => run.execute(),
        Command::Compare(compare) => compare.execute(),
        Command::Dht(dht) => dht.execute(),
        Command::Generate(generate) => generate.execute(),
        Command::Report(report) => report.execute(),
        Command::Replay(arguments) => commands::replay::run(&arguments).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(if error.is::<Wrong>() { 2 } else { 1 })
    })
}

/// The command line, whose help says what a scenario is by default.
fn parse() -> Arguments {
    let swarm = defaults(&Scenario::default());
    let network = defaults(&NetworkScenario::default());
    let command = Arguments::command()
        .mut_subcommand("run", |it| it.after_help(swarm.clone()))
        .mut_subcommand("compare", |it| it.after_help(swarm))
        .mut_subcommand("dht", |it| it.after_help(network));
    Arguments::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
}

/// How values are written, and those that count where nothing else is said.
fn defaults(scenario: &impl Serialize) -> String {
    let scenario = toml::to_string(scenario).unwrap_or_default();
    format!(
        "Values:\n  SIZE is written as 256KiB, 1.5MB or 4096, RATE as 1MB or 512KiB (a second), TIME \
         as 20ms, 30s, 5min or 2h,\n  SHARE as a number from 0 to 1.\n\nThe scenario by default, in \
         bytes and seconds:\n  {}",
        scenario.trim_end().replace('\n', "\n  ")
    )
}
