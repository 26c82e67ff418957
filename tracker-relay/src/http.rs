//! Requests: the page, the state of the server, and the way into a WebSocket.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use swarm_core::hub::Source;
use swarm_core::wire::relay::{ENDPOINT, SUBPROTOCOL};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tracing::debug;

use crate::connection;
use crate::server::Context;

pub(crate) type Reply = Response<Full<Bytes>>;

/// Where the counters are.
const HEALTH: &str = "/health";

/// Answers one request of a client that is charged to `from`. Never fails: what is wrong is an answer too.
pub(crate) async fn respond(
    context: Arc<Context>,
    request: Request<Incoming>,
    from: Source,
) -> Result<Reply, Infallible> {
    let path = request.uri().path();
    let mut reply = if path == ENDPOINT {
        upgrade(&context, request, from).unwrap_or_else(|refusal| *refusal)
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD");
        set(&mut reply, header::ALLOW, "GET, HEAD");
        reply
    } else if path == HEALTH {
        health(&context)
    } else {
        context.assets.respond(path, request.headers()).await
    };
    set(&mut reply, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut reply, header::REFERRER_POLICY, "no-referrer");
    Ok(reply)
}

/// A short answer for a person.
pub(crate) fn text(status: StatusCode, words: &str) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(format!("{words}\n"))));
    *reply.status_mut() = status;
    set(
        &mut reply,
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8",
    );
    set(&mut reply, header::CACHE_CONTROL, "no-store");
    reply
}

/// Sets a header whose value is known to be one.
pub(crate) fn set(reply: &mut Reply, name: HeaderName, value: &'static str) {
    reply
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

fn health(context: &Context) -> Reply {
    let stats = context.switchboard.stats();
    let body = serde_json::json!({
        "status": "ok",
        "page": context.assets.missing().is_none(),
        "connections": stats.connections,
        "swarms": stats.swarms,
        "channels": stats.channels,
        "relayed_bytes": stats.relayed_bytes,
        "queued_bytes": stats.queued_bytes,
        "credit_bytes": stats.credit_bytes,
    });
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    set(&mut reply, header::CONTENT_TYPE, "application/json");
    set(&mut reply, header::CACHE_CONTROL, "no-store");
    reply
}

/// Turns the connection into a WebSocket (RFC 6455 §4.2), or says why not.
fn upgrade(
    context: &Arc<Context>,
    mut request: Request<Incoming>,
    from: Source,
) -> Result<Reply, Box<Reply>> {
    let accept = check_upgrade(context, &request)?;
    let context = context.clone();
    let upgrade = hyper::upgrade::on(&mut request);
    context.tasks.clone().spawn(async move {
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => return debug!(%error, "a client left during the handshake"),
        };
        // Back to the bare socket: hyper's wrapper would cost a dynamic call and a copy.
        let parts = upgraded
            .downcast::<TokioIo<TcpStream>>()
            .expect("we gave hyper this type");
        let switchboard = context.switchboard.clone();
        let shutdown = context.shutdown.clone();
        connection::run(
            parts.io.into_inner(),
            from,
            parts.read_buf,
            switchboard,
            &context.config,
            shutdown,
        )
        .await;
    });
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    set(&mut reply, header::CONNECTION, "Upgrade");
    set(&mut reply, header::UPGRADE, "websocket");
    set(&mut reply, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    reply
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(reply)
}

/// The value of `Sec-WebSocket-Accept` if everything is in order.
fn check_upgrade(
    context: &Context,
    request: &Request<Incoming>,
) -> Result<HeaderValue, Box<Reply>> {
    let headers = request.headers();
    if request.method() != Method::GET
        || !has_token(headers, header::CONNECTION, "upgrade")
        || !has_token(headers, header::UPGRADE, "websocket")
    {
        let mut reply = text(
            StatusCode::UPGRADE_REQUIRED,
            "this address speaks WebSocket only",
        );
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
    if !has_token(headers, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(bad(&format!(
            "ask for the WebSocket subprotocol {SUBPROTOCOL}"
        )));
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && !is_allowed(&context.config.allowed_origins, origin)
    {
        let words = "pages of this origin may not connect here";
        return Err(Box::new(text(StatusCode::FORBIDDEN, words)));
    }
    let accept = derive_accept_key(key.as_bytes());
    Ok(HeaderValue::try_from(accept).expect("base64 is a header value"))
}

fn is_allowed(allowed: &[String], origin: &HeaderValue) -> bool {
    allowed.is_empty()
        || allowed
            .iter()
            .any(|a| a.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
}

/// A comma-separated header has this item.
pub(crate) fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}
