//! Requests: the page, the state of the server, and the way into a WebSocket.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use swarm_core::hub::{Source, Visit};
use swarm_core::wire::relay::{ENDPOINT, SUBPROTOCOL};
use tracing::{debug, info};

use crate::client;
use crate::connection;
use crate::context::Context;
use crate::counters::ServerLimit;
use crate::reply::{Reply, set, text};
use crate::socket::Socket;
use crate::status;
use crate::switchboard::Protocol;
use crate::tracker;

/// What no page here needs, whatever may be embedded in it.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), \
    gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

/// Answers one request that came from the address `connected`. Never fails: what is wrong is
/// an answer too. It may have come `again` through the same connection.
pub(crate) async fn respond(
    context: Arc<Context>,
    request: Request<Incoming>,
    connected: IpAddr,
    again: bool,
) -> Result<Reply, Infallible> {
    // One request for each turn: whoever sends hundreds of them at once waits behind the others.
    if again {
        tokio::task::yield_now().await;
    }
    let from = client::address(&context.config, connected, request.headers());
    if let Err(refusal) = wait_for_turn(&context, from.into()).await {
        return Ok(refusal);
    }
    let path = request.uri().path();
    let is_websocket = has_token(request.headers(), header::UPGRADE, "websocket");
    let is_tracker =
        context.config.http_tracker && [tracker::ANNOUNCE, tracker::SCRAPE].contains(&path);
    let mut reply = if path == ENDPOINT || is_websocket {
        upgrade(&context, request, connected).unwrap_or_else(|refusal| *refusal)
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD");
        set(&mut reply, header::ALLOW, "GET, HEAD");
        reply
    } else if path == status::HEALTH {
        status::health(&context).await
    } else if path == status::METRICS {
        status::metrics(&context).await
    } else if is_tracker {
        track(&context, &request, from)
    } else {
        let mut reply = context
            .assets
            .respond(request.uri(), request.headers())
            .await;
        lend(&context, request.headers(), connected, &mut reply);
        reply
    };
    set(&mut reply, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut reply, header::REFERRER_POLICY, "no-referrer");
    // Nothing here is for other sites, and our pages need nothing of theirs.
    for (name, value) in [
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("permissions-policy", PERMISSIONS),
    ] {
        set(&mut reply, HeaderName::from_static(name), value);
    }
    Ok(reply)
}

/// Waits until there is time for what one of `source` asks; if that would take too long, the
/// refusal.
async fn wait_for_turn(context: &Context, source: Source) -> Result<(), Reply> {
    let most = context.config.hub.max_visit_wait;
    match context.switchboard.visit(source, Visit::Request) {
        Ok(Duration::ZERO) => Ok(()),
        Ok(wait) => {
            tokio::time::sleep(wait).await;
            Ok(())
        }
        Err(wait) => {
            // Whoever heard it at once would ask at once again, which costs as much as an answer.
            tokio::time::sleep(most).await;
            let words = "slow down: your address asks for more than its share of this server's \
                time";
            let mut reply = text(StatusCode::TOO_MANY_REQUESTS, words);
            let seconds = wait.saturating_sub(most).as_secs() + 1;
            reply
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
            set(&mut reply, header::CONNECTION, "close");
            Err(reply)
        }
    }
}

/// Lets pages that may connect here load what they need to embed the swarm: a module, and the
/// engine. Browsers ask for those by CORS and tell the page's origin.
fn lend(context: &Context, request: &HeaderMap, connected: IpAddr, reply: &mut Reply) {
    if context.config.allowed_origins.is_empty() {
        return;
    }
    let headers = reply.headers_mut();
    // Also where none was told: a browser keeps one answer for all of its pages.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = request.get(header::ORIGIN)
        && client::may_connect(&context.config, connected, request)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

/// Answers an ordinary client.
fn track(context: &Context, request: &Request<Incoming>, from: IpAddr) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    match request.uri().path() {
        tracker::ANNOUNCE => tracker::announce(context, from, query),
        _ => tracker::scrape(context, from, query),
    }
}

/// Turns the connection into a WebSocket (RFC 6455 §4.2), or says why not.
fn upgrade(
    context: &Arc<Context>,
    mut request: Request<Incoming>,
    connected: IpAddr,
) -> Result<Reply, Box<Reply>> {
    let (accept, protocol) = check_upgrade(context, &request, connected)?;
    if client::is_unknown_proxy(&context.config, connected, request.headers()) {
        info!(
            proxy = %connected,
            "a proxy speaks for its clients; with --trusted-proxy they count as different ones"
        );
    }
    let source = client::address(&context.config, connected, request.headers()).into();
    let context = context.clone();
    let upgrade = hyper::upgrade::on(&mut request);
    context.tasks.clone().spawn(async move {
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => return debug!(%error, "a client left during the handshake"),
        };
        // Back to the bare socket: hyper's wrapper would cost a dynamic call and a copy.
        let parts = upgraded
            .downcast::<TokioIo<Socket>>()
            .expect("we gave hyper this type");
        let mut socket = parts.io.into_inner();
        socket.unread(&parts.read_buf);
        drop(parts.read_buf);
        connection::run(socket, source, protocol, context).await;
    });
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    set(&mut reply, header::CONNECTION, "Upgrade");
    set(&mut reply, header::UPGRADE, "websocket");
    if protocol == Protocol::Tabswarm {
        set(&mut reply, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    }
    reply
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(reply)
}

/// The value of `Sec-WebSocket-Accept` if everything is in order, and what is spoken.
fn check_upgrade(
    context: &Context,
    request: &Request<Incoming>,
    connected: IpAddr,
) -> Result<(HeaderValue, Protocol), Box<Reply>> {
    let headers = request.headers();
    if request.method() != Method::GET
        || request.version() < Version::HTTP_11
        || !has_token(headers, header::CONNECTION, "upgrade")
        || !has_token(headers, header::UPGRADE, "websocket")
    {
        let words = "this address speaks WebSocket only, over HTTP/1.1";
        let mut reply = text(StatusCode::UPGRADE_REQUIRED, words);
        set(&mut reply, header::CONNECTION, "Upgrade");
        set(&mut reply, header::UPGRADE, "websocket");
        return Err(Box::new(reply));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        let mut reply = text(
            StatusCode::UPGRADE_REQUIRED,
            "WebSocket version 13 is spoken here",
        );
        set(&mut reply, header::SEC_WEBSOCKET_VERSION, "13");
        return Err(Box::new(reply));
    }
    let bad = |words: &str| Box::new(text(StatusCode::BAD_REQUEST, words));
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or_else(|| bad("Sec-WebSocket-Key is missing"))?;
    if BASE64.decode(key.as_bytes()).map(|key| key.len()) != Ok(16) {
        return Err(bad("Sec-WebSocket-Key is not 16 bytes in base64"));
    }
    let mut protocols = client::items(headers, header::SEC_WEBSOCKET_PROTOCOL).peekable();
    let protocol = if protocols.peek().is_none() && context.config.webtorrent {
        // WebTorrent's clients ask for none.
        Protocol::WebTorrent
    } else if request.uri().path() == ENDPOINT && protocols.any(|it| it == SUBPROTOCOL) {
        // Their names are case-sensitive, unlike the rest here (RFC 6455 §11.5).
        Protocol::Tabswarm
    } else {
        return Err(bad(&format!(
            "ask for the WebSocket subprotocol {SUBPROTOCOL} at {ENDPOINT}"
        )));
    };
    if !client::may_connect(&context.config, connected, headers) {
        let origin = headers.get(header::ORIGIN);
        info!(
            ?origin,
            "refused a page of another origin; --allow-origin lets it in"
        );
        context.counters.count(ServerLimit::Origin);
        let words = "pages of this origin may not connect here; the server's --allow-origin lets \
            them in";
        return Err(Box::new(text(StatusCode::FORBIDDEN, words)));
    }
    Ok((accept_key(key), protocol))
}

/// RFC 6455 §4.2.2, 5.4.
fn accept_key(key: &HeaderValue) -> HeaderValue {
    const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(BASE64.encode(&digest)).expect("base64 is a header value")
}

/// A comma-separated header has this item, in whatever case.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    client::items(headers, name).any(|item| item.eq_ignore_ascii_case(token))
}
