//! Accepts connections, and shuts down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use dht_node::DhtNode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use swarm_core::hub::{HubStats, Source, Visit};
use swarm_core::wire::relay::StunServer;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tracing::{debug, warn};

use crate::client;
use crate::config::Config;
use crate::context::Context;
use crate::counters::ServerLimit;
use crate::datagrams;
use crate::http;
use crate::overlay::Overlay;
use crate::shares::Share;
use crate::socket::Socket;

/// How long shutting down may take before connections are dropped.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);

/// How often it is checked what is due in the hub, where times are in whole seconds.
const TICK: Duration = Duration::from_secs(1);

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What hyper wants for a request's head, at the least.
const MIN_HEAD: usize = 8 << 10;

/// What a connection hears for which there is no place.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\
    Retry-After: 10\r\nContent-Type: text/plain\r\n\r\n\
    the server has as many connections as it allows\n";

/// What one hears whose address asks for too much.
const TOO_MUCH: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\n\
    Retry-After: 2\r\nContent-Type: text/plain\r\n\r\n\
    slow down: your address asks for more than its share of this server's time\n";

/// A running server. Dropping it shuts it down too, without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    context: Arc<Context>,
}

/// What a server listens on.
#[derive(Debug)]
pub struct Sockets {
    /// For the page, WebSockets and all else that is HTTP.
    pub http: TcpListener,
    /// Where clients are told their own addresses (STUN, RFC 8489), if they are.
    pub stun: Option<UdpSocket>,
    /// Where ordinary clients announce in datagrams (BEP 15), if they may.
    pub udp: Option<UdpSocket>,
    /// A node by which the DHT can be joined, if there is to be one.
    pub dht: Option<DhtNode>,
}

impl From<TcpListener> for Sockets {
    /// HTTP alone.
    fn from(http: TcpListener) -> Self {
        Sockets {
            http,
            stun: None,
            udp: None,
            dht: None,
        }
    }
}

/// Serves until the returned handle shuts it down. Call it inside a tokio runtime.
///
/// Clients are told of the STUN server by its port, unless `config` names any: by which name
/// they reach this host they know themselves.
pub fn serve(mut config: Config, sockets: impl Into<Sockets>) -> io::Result<Server> {
    let Sockets {
        http,
        stun,
        udp,
        dht,
    } = sockets.into();
    let address = http.local_addr()?;
    if let Some(stun) = &stun
        && config.hub.stun.is_empty()
    {
        let port = stun.local_addr()?.port();
        config.hub.stun.extend(StunServer::beside_hub(port));
    }
    let (dht, serving_dht) = dht.map(Overlay::new).unzip();
    let context = Arc::new(Context::new(config, getrandom::u64()?, dht));
    if let Some(serving) = serving_dht {
        context.tasks.spawn(serving.run(context.shutdown.clone()));
    }
    context.tasks.spawn(accept(context.clone(), http));
    if let Some(socket) = stun {
        let serving = datagrams::serve_stun(context.clone(), socket);
        context.tasks.spawn(serving);
    }
    if let Some(socket) = udp {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let serving = datagrams::serve_tracker(context.clone(), socket, secret);
        context.tasks.spawn(serving);
    }
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

    /// Completes if the tracker and relay panicked: what they know can't be trusted any more,
    /// and nobody is answered.
    pub async fn broken(&self) {
        self.context.switchboard.broken().await;
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
    let forever = async {
        loop {
            match listener.accept().await {
                Ok((stream, from)) => {
                    debug!(%from, "a client connected");
                    if let Err((stream, words)) = admit(&context, stream, from) {
                        // It has just connected, and takes as little as this at once.
                        let _ = stream.try_write(words);
                    }
                }
                // The client's doing, and only this connection's.
                Err(error) if is_gone(&error) => debug!(%error, "a client left at once"),
                Err(error) => {
                    context.counters.count(ServerLimit::Accept);
                    warn!(%error, "can't accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    let shutdown = context.shutdown.clone();
    let _: Option<()> = shutdown.run_until_cancelled(forever).await;
}

/// Serves a client if there is a place for it; else what it is to hear.
fn admit(
    context: &Arc<Context>,
    stream: TcpStream,
    from: SocketAddr,
) -> Result<(), (TcpStream, &'static [u8])> {
    let proxy = client::is_trusted(&context.config, from.ip());
    let source: Option<Source> = (!proxy).then(|| from.ip().into());
    // Whether there is a wait is asked again with each request. Here it is seen that somebody
    // without end opens connections, which cost more than to close them.
    if let Some(source) = source
        && context
            .switchboard
            .visit(source, Visit::Connection)
            .is_err()
    {
        return Err((stream, TOO_MUCH));
    }
    let places = (
        context.sockets.clone().try_acquire_owned(),
        context.http.take(source, 1),
    );
    let (Ok(socket), Ok(http)) = places else {
        context.counters.count(ServerLimit::Sockets);
        return Err((stream, NO_PLACE));
    };
    // Without it small messages wait for the answer to those before them.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "can't switch off Nagle's algorithm");
    }
    let config = &context.config;
    let counters = context.counters.clone();
    let stream = Socket::new(stream, config.write_timeout, counters, socket);
    context
        .tasks
        .spawn(serve_http(context.clone(), stream, from, http));
    Ok(())
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

async fn serve_http(context: Arc<Context>, socket: Socket, from: SocketAddr, place: Share<Source>) {
    let service = {
        let context = context.clone();
        let asked = AtomicBool::new(false);
        service_fn(move |request| {
            let again = asked.swap(true, Relaxed);
            http::respond(context.clone(), request, from.ip(), again)
        })
    };
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(context.config.http_timeout)
            .max_buf_size(context.config.max_head.max(MIN_HEAD))
            .serve_connection(TokioIo::new(socket), service)
            .with_upgrades()
    );
    // What became a WebSocket goes on in its own task, bounded by the hub.
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = place.taken_back() => {
            return debug!(%from, "an HTTP connection gave way to a newer one");
        }
        () = context.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
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
