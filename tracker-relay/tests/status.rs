//! What the server tells whoever runs it.
#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

mod support;

use std::collections::BTreeMap;

use support::{get, health, open_socket, start};
use swarm_core::wire::relay::SUBPROTOCOL;
use tracker_relay::Config;

/// Every line as Prometheus' text format has it: a type for each family, then its values.
fn read(text: &str) -> BTreeMap<String, f64> {
    let mut family = "";
    let mut values = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            family = name;
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert_eq!(name.split('{').next(), Some(family), "{line}");
        let twice = values.insert(name.to_owned(), value.parse().unwrap());
        assert_eq!(twice, None, "{line}");
    }
    values
}

#[tokio::test]
async fn metrics_are_the_figures_of_health() {
    let server = start(Config::default()).await;
    let stranger = [
        ("Sec-WebSocket-Protocol", SUBPROTOCOL),
        ("Origin", "https://stranger.example"),
    ];
    assert!(open_socket(server.address(), &stranger).await.is_err());

    let answer = get(server.address(), "/metrics", "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    let metrics = read(body);
    assert_eq!(
        metrics["tabswarm_limited_total{why=\"refused_origin\"}"],
        1.0
    );
    assert_eq!(
        metrics["tabswarm_answered_total{what=\"udp_tracker\"}"],
        0.0
    );
    assert_eq!(metrics["tabswarm_connections"], 0.0);
    assert_eq!(metrics["tabswarm_relayed_bytes_total"], 0.0);
    assert!(!body.contains("tabswarm_dht"), "{body}");

    // Nothing is told in one place alone, but for words.
    let health = health(&server).await;
    let health = health.as_object().unwrap();
    let count = |name: &str| health[name].as_object().unwrap().len();
    let words = ["status", "version", "dht", "answered", "limited"];
    let numbers = health.keys().filter(|name| !words.contains(&name.as_str()));
    assert_eq!(
        metrics.len(),
        numbers.count() + count("answered") + count("limited")
    );
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
}
