//! The project's own commands: `cargo xtask help` lists them.
//!
//! Thin on purpose: a subcommand makes sure that the tools it needs are there, then
//! calls them, and shows every command that it runs.

mod bench;
mod build;
mod compress;
mod dev;
mod embed;
mod fuzz;
mod lint;
mod serve;
mod setup;
mod shrink;
mod test;
mod together;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use workspace::{Workspace, forget_own_package};

/// Builds, serves and tests Tabswarm, and installs what that takes.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the page into dist/, prints what it weighs, and builds the programs with the page in them
    Build(build::Args),
    /// Builds the page and the server, and serves both
    Serve(serve::Args),
    /// Serves the page with live reload, against a tracker-relay that runs already
    Dev(dev::Args),
    /// Runs the tests: all of them, or one part
    Test(test::Args),
    /// Measures the server, peers, tabs and the page, as a table and as JSON
    Bench(bench::Args),
    /// Feeds the parsers, the engine and the hub what a fuzzer makes up (needs a nightly compiler)
    Fuzz(fuzz::Args),
    /// Checks formatting, clippy for native and wasm32, documentation, what depends on what, languages, types
    Lint,
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match forget_own_package().and_then(|()| run(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a back trace: what failed is the command, and that has had its say.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::open()?;
    match command {
        Command::Build(args) => build::run(&workspace, &args),
        Command::Serve(args) => serve::run(&workspace, &args),
        Command::Dev(args) => dev::run(&workspace, &args),
        Command::Test(args) => test::run(&workspace, &args),
        Command::Bench(args) => bench::run(&workspace, &args),
        Command::Fuzz(args) => fuzz::run(&workspace, &args),
        Command::Lint => lint::run(&workspace),
    }
}
