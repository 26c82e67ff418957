//! A node of the DHT, by which a community's clients can join it, and which stores peers for
//! them as every node does.

use std::net::SocketAddr;

use dht_node::{DhtNode, Event};
use serde_json::{Value, json};
use swarm_core::dht::{Output, View};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// Who wants to know how the node stands.
type Asked = oneshot::Sender<View>;

/// Questions that may wait; who asks more waits to ask.
const WAITING: usize = 16;

/// Asks the node's task how it stands.
#[derive(Debug)]
pub(crate) struct Overlay {
    address: SocketAddr,
    questions: mpsc::Sender<Asked>,
}

/// The node's task.
pub(crate) struct Serving {
    node: DhtNode,
    questions: mpsc::Receiver<Asked>,
}

impl Overlay {
    pub(crate) fn new(node: DhtNode) -> (Self, Serving) {
        let (sender, questions) = mpsc::channel(WAITING);
        let overlay = Overlay {
            address: node.address(),
            questions: sender,
        };
        (overlay, Serving { node, questions })
    }

    /// For whoever runs the server; nothing while it shuts down.
    pub(crate) async fn to_json(&self) -> Value {
        let (sender, view) = oneshot::channel();
        if self.questions.send(sender).await.is_err() {
            return Value::Null;
        }
        let Ok(view) = view.await else {
            return Value::Null;
        };
        let buckets = view.families.iter().flat_map(|family| &family.buckets);
        let nodes: usize = buckets.map(|bucket| bucket.contacts.len()).sum();
        let traffic = view.traffic;
        json!({
            "address": self.address,
            "nodes": nodes,
            "torrents": view.torrents,
            "peers": view.peers,
            "values": view.items,
            "answered": traffic.answers,
            "received_bytes": traffic.received_bytes,
            "sent_bytes": traffic.sent_bytes,
            "malformed": traffic.malformed,
            "refused_tokens": traffic.bad_tokens,
            "ignored_floods": traffic.flooded,
            "ignored_for_rate": traffic.unaffordable,
        })
    }
}

impl Serving {
    /// Until the server shuts down.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                event = self.node.next() => tell(&event),
                Some(asked) = self.questions.recv() => {
                    // Whoever asked may be gone.
                    let _ = asked.send(self.node.view());
                }
                () = shutdown.cancelled() => return self.node.close(),
            }
        }
    }
}

fn tell(event: &Event) {
    match event {
        Event::Trouble(trouble) => warn!("{trouble}"),
        Event::Said(Output::Joined { family, contacts }) => {
            info!(?family, contacts, "the DHT is joined");
        }
        Event::Said(Output::IdChanged {
            family, address, ..
        }) => {
            info!(?family, %address, "the DHT knows this server by an address");
        }
        event => debug!(?event, "the DHT"),
    }
}
