//! `lab`: experiments with simulated swarms, and replays of real ones.

mod commands {
    pub(crate) mod replay;
    pub(crate) mod run;
}

use clap::{Parser, Subcommand};

/// Simulated swarms of real peers.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays a scenario and says how it went.
    Run(commands::run::Run),
    /// Runs a recorded session once more and compares: exit code 0 when every output is
    /// the same, 1 when one differs.
    Replay(commands::replay::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Run(run) => run.execute(),
        Command::Replay(arguments) => commands::replay::run(&arguments),
    }
}
