//! `lab`: experiments with simulated swarms.

mod commands {
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
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Run(run) => run.execute(),
    }
}
