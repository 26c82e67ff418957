//! Answers to HTTP requests.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

pub(crate) type Reply = Response<Full<Bytes>>;

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
