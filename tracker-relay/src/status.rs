//! What the server tells of itself, for whoever runs it: as JSON, and as Prometheus reads it. Both
//! are made of the same figures.

use std::fmt::Write as _;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::reply::{Reply, set};

/// Where the figures are as JSON.
pub(crate) const HEALTH: &str = "/health";

/// Where the figures are in the text format of Prometheus.
pub(crate) const METRICS: &str = "/metrics";

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What grows since the start; the other figures are of now.
const GROW: [&str; 10] = [
    "relayed_bytes",
    "offers",
    "answers",
    "dht_answered",
    "dht_received_bytes",
    "dht_sent_bytes",
    "dht_malformed",
    "dht_refused_tokens",
    "dht_ignored_floods",
    "dht_ignored_for_rate",
];

/// Groups of figures that grow, and what sets those of one apart.
const GROUPS: [(&str, &str); 2] = [("answered", "what"), ("limited", "why")];

pub(crate) async fn health(context: &Context) -> Reply {
    let figures = figures(context).await;
    reply(figures.to_string(), "application/json")
}

pub(crate) async fn metrics(context: &Context) -> Reply {
    let text = match figures(context).await {
        Value::Object(figures) => in_text(&figures),
        _ => String::new(),
    };
    reply(text, TEXT_FORMAT)
}

fn reply(body: String, kind: &'static str) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    set(&mut reply, header::CONTENT_TYPE, kind);
    set(&mut reply, header::CACHE_CONTROL, "no-store");
    reply
}

async fn figures(context: &Context) -> Value {
    let stats = context.switchboard.stats();
    let mut limited = context.counters.to_json();
    for (name, count) in [
        ("closed_http_for_others", context.http.taken_back()),
        ("closed_unfinished", context.unfinished.taken_back()),
    ] {
        limited.insert(name.to_owned(), count.into());
    }
    for (name, count) in stats.limited.named() {
        limited.insert(name.to_owned(), count.into());
    }
    let dht = match &context.dht {
        Some(dht) => dht.to_json().await,
        None => Value::Null,
    };
    json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": context.started.elapsed().as_secs(),
        "page": context.assets.missing().is_none(),
        "http_connections": context.http.used(),
        "connections": stats.connections,
        "addresses": stats.sources,
        "swarms": stats.swarms,
        "memberships": stats.memberships,
        "channels": stats.channels,
        "offers": stats.offers,
        "answers": stats.answers,
        "relayed_bytes": stats.relayed_bytes,
        "queued_bytes": stats.queued_bytes,
        "queued_frames": stats.queued_frames,
        "bitfield_bytes": stats.bitfield_bytes,
        "credit_bytes": stats.credit_bytes,
        "unfinished_bytes": context.unfinished.used(),
        "answered": context.counters.answers_to_json(),
        "limited": limited,
        "dht": dht,
    })
}

/// Numbers become metrics of their names. Words are left out, and so is what is not there.
fn in_text(figures: &Map<String, Value>) -> String {
    let mut text = String::new();
    for (name, value) in figures {
        match value {
            Value::Number(_) => metric(&mut text, name, value),
            Value::Bool(there) => metric(&mut text, name, &u8::from(*there).into()),
            Value::Object(of_dht) if name == "dht" => {
                let numbers = of_dht.iter().filter(|(_, value)| value.is_number());
                for (name, value) in numbers {
                    metric(&mut text, &format!("dht_{name}"), value);
                }
            }
            Value::Object(group) => {
                if let Some((_, label)) = GROUPS.iter().find(|(group, _)| group == name) {
                    family(&mut text, name, label, group);
                }
            }
            _ => {}
        }
    }
    text
}

fn metric(text: &mut String, name: &str, value: &Value) {
    let (kind, total) = match GROW.contains(&name) {
        true => ("counter", "_total"),
        false => ("gauge", ""),
    };
    let name = format!("tabswarm_{name}{total}");
    let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {value}");
}

fn family(text: &mut String, name: &str, label: &str, group: &Map<String, Value>) {
    let name = format!("tabswarm_{name}_total");
    let _ = writeln!(text, "# TYPE {name} counter");
    for (what, count) in group {
        let _ = writeln!(text, "{name}{{{label}=\"{what}\"}} {count}");
    }
}
