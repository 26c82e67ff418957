//! What can be typed.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{Error as UsageError, ErrorKind};
use clap::{Parser, Subcommand};

use crate::arguments::{Create, Dht, Get, Seed, Show};
use crate::commands;
use crate::error::WRONG_USAGE;
use crate::text::{complain, plain};

/// Shares files with browser tabs and other BitTorrent clients, and fetches from them.
///
/// Ends with exit code 0 if all went well, 1 if something failed, 2 if what was asked for makes no
/// sense, 130 after Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "native-peer", version, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Share files and folders until Ctrl-C; prints the link to give to others.
    Seed(Seed),
    /// Fetch a torrent into a folder, going on from what is there.
    ///
    /// Ends with exit code 0 once every wanted piece is verified and on the disk. Interrupted, it
    /// keeps what it has: the same command goes on from there. Put links in quotes, because
    /// shells give # and & a meaning.
    Get(Get),
    /// Write a .torrent file without sharing anything; prints its info-hash.
    Create(Create),
    /// Say what is in a .torrent file, or in a link.
    Show(Show),
    /// Look into the DHT: find peers, fetch and store values, see the routing table.
    ///
    /// What was asked for goes to standard output, and how it was found to standard error.
    Dht(Dht),
}

/// Runs the program with these arguments, the first of which is its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            // Help and version. Whoever closed the pipe has read enough.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            complain(&usage(&error));
            return WRONG_USAGE.into();
        }
    };
    let result = match cli.command {
        Command::Seed(arguments) => commands::seed::run(arguments),
        Command::Get(arguments) => commands::get::run(arguments),
        Command::Create(arguments) => commands::create::run(arguments),
        Command::Show(arguments) => commands::show::run(&arguments),
        Command::Dht(arguments) => commands::dht::run(arguments),
    };
    result.unwrap_or_else(|error| {
        complain(&plain(&format!("error: {error}")));
        error.exit_code()
    })
}

/// What is wrong with the arguments, on one line.
fn usage(error: &UsageError) -> String {
    if error.kind() == ErrorKind::MissingSubcommand {
        return "error: one of seed, get, create, show and dht is needed (see --help)".to_owned();
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "error: one of dht lookup, get, put and table is needed (see --help)".to_owned();
    }
    let text = error.render().to_string();
    let what = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.split_whitespace().collect();
    plain(&format!("{} (see --help)", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_is_told_on_one_line() {
        for line in [
            "",
            "seed",
            "get",
            "frobnicate",
            "show --jsn x",
            "create a",
            "seed a --piece-length 7",
            "dht",
            "dht get 12",
            "dht table --dht-bootstrap host",
            "get x --no-dht --dht-port 1",
        ] {
            let arguments = ["native-peer"].into_iter().chain(line.split_whitespace());
            let text = usage(&Cli::try_parse_from(arguments).unwrap_err());
            assert!(
                text.starts_with("error: ") && !text.contains('\n'),
                "{line}: {text}"
            );
        }
    }
}
