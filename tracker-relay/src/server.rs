//! Accepts connections, and shuts down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use swarm_core::hub::{HubStats, Source};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::config::Config;
use crate::http;
use crate::page::Assets;
use crate::switchboard::Switchboard;

/// How long a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long shutting down may take before connections are dropped.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);

/// How often it is checked what is due in the hub, where times are in whole seconds.
const TICK: Duration = Duration::from_secs(1);

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running server. Dropping it shuts it down too, without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    context: Arc<Context>,
}

/// What every connection's task shares.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) assets: Assets,
    pub(crate) switchboard: Arc<Switchboard>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// Serves on `listener` until the returned handle shuts it down. Call it inside a tokio
/// runtime.
pub fn serve(config: Config, listener: TcpListener) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let assets = Assets::open(&config.page);
    let seed = getrandom::u64()?;
    let switchboard = Switchboard::new(config.hub.clone(), seed, config.max_answers);
    let context = Arc::new(Context {
        assets,
        switchboard: Arc::new(switchboard),
        shutdown: CancellationToken::new(),
        tasks: TaskTracker::new(),
        config,
    });
    context.tasks.spawn(accept(context.clone(), listener));
    context.tasks.spawn(tick(context.clone()));
    Ok(Server { address, context })
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counters of the tracker and relay.
    pub fn stats(&self) -> HubStats {
        self.context.switchboard.stats()
    }

    /// Why there is no page to serve, in words; none if there is one.
    pub fn missing_page(&self) -> Option<String> {
        self.context.assets.missing()
    }

    /// Stops accepting, says goodbye to clients and waits until they are gone, or have
    /// been for too long.
    pub async fn shutdown(self) {
        self.context.shutdown.cancel();
        self.context.tasks.close();
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, self.context.tasks.wait())
            .await
            .is_err()
        {
            warn!(
                left = self.context.tasks.len(),
                "not all connections ended in time"
            );
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.context.shutdown.cancel();
    }
}

async fn accept(context: Arc<Context>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(context.config.max_http_connections.max(1)));
    let shutdown = context.shutdown.clone();
    let forever = async {
        loop {
            let place = places
                .clone()
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            match listener.accept().await {
                Ok((stream, from)) => {
                    debug!(%from, "a client connected");
                    context.tasks.spawn(serve_http(
                        context.clone(),
                        stream,
                        from.ip().into(),
                        place,
                    ));
                }
                Err(error) => {
                    warn!(%error, "can't accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    let _: Option<()> = shutdown.run_until_cancelled(forever).await;
}

async fn serve_http(
    context: Arc<Context>,
    stream: TcpStream,
    from: Source,
    place: OwnedSemaphorePermit,
) {
    // Without it small messages wait for the answer to those before them.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "can't switch off Nagle's algorithm");
    }
    let service = {
        let context = context.clone();
        service_fn(move |request| http::respond(context.clone(), request, from))
    };
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = context.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // What became a WebSocket goes on in its own task, bounded by the hub.
    drop(place);
    if let Err(error) = result {
        debug!(%error, "an HTTP connection broke");
    }
}

async fn tick(context: Arc<Context>) {
    let mut interval = tokio::time::interval(TICK);
    while context
        .shutdown
        .run_until_cancelled(interval.tick())
        .await
        .is_some()
    {
        context.switchboard.tick();
    }
}
