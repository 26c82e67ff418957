//! The server as a program.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dht_node::{DhtNode, Listen, TableFile};
use tokio::net::{TcpListener, UdpSocket};
use tracker_relay::{Config, Sockets};

use crate::options::Options;

mod log;
mod options;

/// glibc's allocator keeps what a rush of large messages took, wherever something small that
/// came meanwhile and stayed lies behind it: hundreds of megabytes, for as long as the server
/// runs. This one has given it back after a few seconds, and is as fast.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::read()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "tracker-relay: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> anyhow::Result<()> {
    let (_written_on_drop, repeats) = log::start(&options.log)?;
    tokio::spawn(repeats.clone().report());
    // Before we say that we listen, so that whoever starts us may stop us from then on.
    let mut stop = std::pin::pin!(stop_signal().context("can't listen for signals")?);

    let mut config = options.config();
    // What is not allowed to be raised stays as it is.
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    let fewer = config.fit_files(files);
    let (connections, http_connections) = (config.hub.max_connections, config.max_http_connections);
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.with_context(|| format!("can't listen on {}", options.listen))?;
    let sockets = Sockets {
        http: listener,
        stun: bind_udp(options.stun).await?,
        udp: bind_udp(options.udp).await?,
        dht: open_dht(&options, &config)?,
    };
    let stun = sockets.stun.as_ref().map(UdpSocket::local_addr);
    let udp = sockets.udp.as_ref().map(UdpSocket::local_addr);
    let dht = sockets.dht.as_ref().map(DhtNode::address);
    let server = tracker_relay::serve(config, sockets).context("can't start")?;
    if let Some(address) = udp.transpose()? {
        tracing::info!(%address, "ordinary clients may announce over UDP");
    }
    if let Some(address) = stun.transpose()? {
        tracing::info!(%address, "peers may ask for their own addresses (STUN)");
    }
    if let Some(address) = dht {
        tracing::info!(%address, "the DHT may be joined here");
    }
    if fewer {
        tracing::info!(
            files,
            connections,
            http_connections,
            "fewer clients at once than --max-connections, because of the limit of open files \
             (`ulimit -n`)"
        );
    }
    if let Some(reason) = server.missing_page() {
        tracing::error!("{reason}");
    }
    // Not a log line: scripts read it.
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "http://{}", server.address()).and_then(|()| stdout.flush());

    tokio::select! {
        () = stop.as_mut() => {}
        // Half alive it would take connections and answer nobody.
        () = server.broken() => bail!(
            "a fault in the program (the panic above) left the tracker and relay unusable; \
             start it again, and please report what stands above"
        ),
    }
    tracing::info!("shutting down");
    server.shutdown().await;
    repeats.tell();
    Ok(())
}

fn open_dht(options: &Options, config: &Config) -> anyhow::Result<Option<DhtNode>> {
    let Some(address) = options.dht else {
        return Ok(None);
    };
    let file = options.dht_table.clone().map(|path| {
        let words = format!("can't keep the table of the DHT in {}", path.display());
        TableFile::open(path).context(words)
    });
    let node = DhtNode::open(dht_node::Options {
        config: config.dht.clone(),
        listen: Listen::At(address),
        bootstrap: options.dht_bootstrap.clone(),
        file: file.transpose()?,
    });
    let node = node.with_context(|| format!("can't listen on {address} (UDP, DHT)"))?;
    Ok(Some(node))
}

async fn bind_udp(address: Option<SocketAddr>) -> anyhow::Result<Option<UdpSocket>> {
    let Some(address) = address else {
        return Ok(None);
    };
    let socket = UdpSocket::bind(address).await;
    let socket = socket.with_context(|| format!("can't listen on {address} (UDP)"))?;
    Ok(Some(socket))
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
