//! The command line of the server.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use swarm_core::hub::HubConfig;
use tokio::net::TcpListener;
use tracker_relay::{Config, Page};

/// Tracker, relay and web page of a swarm of browser tabs, on one port.
///
/// Open the address that it prints in a few tabs. Every option can also be given as the
/// environment variable that is named with it.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        env = "TABSWARM_LISTEN",
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,

    /// Serve the page from this folder instead of the one that is built in
    #[arg(long, env = "TABSWARM_PAGE", value_name = "DIR")]
    page: Option<PathBuf>,

    /// Origin whose pages may connect, such as https://example.org; may be repeated
    /// (comma-separated in the environment). Without it every page may
    #[arg(
        long = "allow-origin",
        env = "TABSWARM_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    allowed_origins: Vec<String>,

    /// What to log: error, warn, info, debug, trace, or filters such as tracker_relay=debug
    #[arg(
        long,
        env = "TABSWARM_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    log: String,

    #[command(flatten)]
    limits: Limits,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct Limits {
    /// WebSocket connections at once
    #[arg(long, env = "TABSWARM_MAX_CONNECTIONS", value_name = "N", default_value_t = HubConfig::default().max_connections)]
    max_connections: usize,

    /// Swarms at once
    #[arg(long, env = "TABSWARM_MAX_SWARMS", value_name = "N", default_value_t = HubConfig::default().max_swarms)]
    max_swarms: usize,

    /// Channels that one connection may have at once
    #[arg(long, env = "TABSWARM_MAX_CHANNELS", value_name = "N", default_value_t = HubConfig::default().max_channels_per_connection)]
    max_channels: usize,

    /// Mebibytes that may be on their way to one client
    #[arg(long, env = "TABSWARM_CLIENT_MEMORY", value_name = "MIB", default_value_t = HubConfig::default().max_inflight_per_connection >> 20)]
    client_memory: u64,

    /// Mebibytes that may be on their way to all clients together
    #[arg(long, env = "TABSWARM_MEMORY", value_name = "MIB", default_value_t = HubConfig::default().max_inflight >> 20)]
    memory: u64,

    /// Seconds between the announces of a client
    #[arg(long, env = "TABSWARM_INTERVAL", value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,

    /// Seconds after which a client that takes no data is disconnected
    #[arg(long, env = "TABSWARM_WRITE_TIMEOUT", value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    write_timeout: u64,
}

impl Options {
    fn config(&self) -> Config {
        let Limits {
            max_connections,
            max_swarms,
            max_channels,
            client_memory,
            memory,
            interval,
            write_timeout,
        } = self.limits;
        let interval = Duration::from_secs(interval);
        let mebibytes = |count: u64| count.saturating_mul(1 << 20);
        Config {
            page: self.page.clone().map_or(Page::BuiltIn, Page::Folder),
            hub: HubConfig {
                max_connections,
                max_swarms,
                max_channels_per_connection: max_channels,
                max_inflight_per_connection: mebibytes(client_memory),
                max_inflight: mebibytes(memory),
                announce_interval: interval,
                member_expiry: interval * 5 / 2,
                ..HubConfig::default()
            },
            allowed_origins: self.allowed_origins.clone(),
            write_timeout: Duration::from_secs(write_timeout),
            ..Config::default()
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tracker-relay: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> anyhow::Result<()> {
    let filter =
        tracing_subscriber::EnvFilter::try_new(&options.log).context("--log is no filter")?;
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .init();
    // Before we say that we listen, so that whoever starts us may stop us from then on.
    let mut stop = std::pin::pin!(stop_signal().context("can't listen for signals")?);

    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.with_context(|| format!("can't listen on {}", options.listen))?;
    let server = tracker_relay::serve(options.config(), listener).context("can't start")?;
    if let Some(reason) = server.missing_page() {
        tracing::error!("{reason}");
    }
    // Not a log line: scripts read it.
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "http://{}", server.address()).and_then(|()| stdout.flush());

    stop.as_mut().await;
    tracing::info!("shutting down");
    server.shutdown().await;
    Ok(())
}

/// Completes on Ctrl-C, and on SIGTERM where there is one.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Completes on Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
