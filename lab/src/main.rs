//! `lab`: experiments with simulated swarms, and replays of real ones.

mod commands {
    pub(crate) mod compare;
    pub(crate) mod dht;
    pub(crate) mod generate;
    pub(crate) mod interrupt;
    pub(crate) mod options;
    pub(crate) mod replay;
    pub(crate) mod report;
    pub(crate) mod run;
    pub(crate) mod units;
}

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    let result = match Arguments::parse().command {
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
