//! One question to the DHT, from joining it to the answer.

use std::time::Duration;

use dht_node::{DhtNode, Event};
use swarm_core::dht::{
    Config, Contact, Failure, Item, NodeAddress, Output, Request, RequestId, Stats,
};
use tokio::time::{Instant, sleep_until};

use crate::Error;
use crate::arguments::DhtCommon;
use crate::commands::dht_ways::{names, open};
use crate::signals::Signals;
use crate::text::{complain, plain};

const ONLY: RequestId = RequestId(0);

/// See the module.
pub(super) struct Inquiry {
    pub(super) node: DhtNode,
    signals: Signals,
    /// Nodes to join by, for a person.
    names: String,
    began: Instant,
    /// Without an answer for so long there is no way into the DHT from here.
    patience: Duration,
}

/// All that came.
pub(super) struct Answer {
    pub(super) peers: Vec<NodeAddress>,
    /// The newest value.
    pub(super) item: Option<Item>,
    pub(super) stats: Stats,
    /// Nodes closest to what was asked for.
    pub(super) closest: Vec<Contact>,
    pub(super) failure: Option<Failure>,
}

impl Inquiry {
    /// Must be called within a Tokio runtime.
    pub(super) fn begin(common: &DhtCommon) -> Result<Self, Error> {
        let signals = Signals::listen()
            .map_err(|e| Error::Other(format!("cannot listen to signals: {e}")))?;
        // Others would put it into their tables, and lose time with it as soon as it has ended.
        let config = Config {
            read_only: true,
            ..Config::default()
        };
        Ok(Inquiry {
            node: open(&common.ways, &[], config)?,
            signals,
            names: names(&common.ways, &[]).join(", "),
            began: Instant::now(),
            patience: Duration::from_secs(common.timeout),
        })
    }

    /// The next thing that the node says, or the exit code of a signal.
    pub(super) async fn next(&mut self) -> Result<Result<Event, u8>, Error> {
        loop {
            let silent = self.node.view().traffic.answered == 0;
            tokio::select! {
                event = self.node.next() => match event {
                    Event::Trouble(trouble) => complain(&plain(&trouble)),
                    event => return Ok(Ok(event)),
                },
                code = self.signals.next() => return Ok(Err(code)),
                () = sleep_until(self.began + self.patience), if silent => return Err(self.nobody()),
            }
        }
    }

    /// Asks once somebody is known who can be asked, and waits for the end of it; `Err` if
    /// somebody stops it, with the exit code of that signal.
    pub(super) async fn ask(mut self, request: Request) -> Result<Result<Answer, u8>, Error> {
        let mut request = Some(request);
        let mut answer = Answer {
            peers: Vec::new(),
            item: None,
            stats: Stats::default(),
            closest: Vec::new(),
            failure: None,
        };
        loop {
            let output = match self.next().await? {
                Ok(Event::Said(output)) => output,
                Ok(Event::Found) => {
                    if let Some(request) = request.take() {
                        self.node.start(ONLY, request);
                    }
                    continue;
                }
                Ok(Event::Trouble(_)) => continue,
                Err(code) => return Ok(Err(code)),
            };
            match output {
                Output::Peers { addresses, .. } => answer.peers.extend(addresses),
                Output::Value { item, .. } => answer.item = Some(item),
                Output::Done { stats, closest, .. } => {
                    (answer.stats, answer.closest) = (stats, closest);
                    break;
                }
                Output::Failed {
                    reason: Failure::NoAnswer | Failure::NoNodes,
                    ..
                } => {
                    return Err(self.nobody());
                }
                Output::Failed { reason, stats, .. } => {
                    (answer.stats, answer.failure) = (stats, Some(reason));
                    break;
                }
                _ => {}
            }
        }
        self.node.close();
        Ok(Ok(answer))
    }

    fn nobody(&self) -> Error {
        Error::Other(format!(
            "no node of the DHT answered within {} s; to join by there were {}",
            self.began.elapsed().as_secs().max(1),
            plain(&self.names)
        ))
    }
}
