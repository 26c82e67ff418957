//! Trackers by HTTP and UDP: gets the node's questions there, a task for each, and the answers
//! back.

mod http;
pub(crate) mod reach;
pub(crate) mod tls;
mod udp;

use std::time::Duration;

pub(crate) use http::{AGENT, REDIRECTS, redirected};

use swarm_core::find::announcer::{AnnounceError, Answer, Ask};
use swarm_core::node::Input;
use swarm_core::wire::tracker::Event;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

/// See the module. Must be used within a Tokio runtime; dropping it gives up what is under way.
#[derive(Debug, Default)]
pub(crate) struct Announces {
    /// Those that a person named, who knows what is in their own network.
    typed: Vec<String>,
    asking: JoinSet<Input>,
    /// Trackers that are told that we leave.
    leaving: JoinSet<Answer>,
}

impl Announces {
    /// These were named by a person, and not by a torrent.
    pub(crate) fn are_typed(&mut self, urls: Vec<String>) {
        self.typed = urls;
    }

    /// Asks a tracker.
    pub(crate) fn ask(&mut self, ask: Ask) {
        let typed = self.typed.contains(&ask.url);
        if ask.query.announce.event == Event::Stopped {
            self.leaving.spawn(announce(ask, typed));
            return;
        }
        self.asking.spawn(async move {
            let number = ask.number;
            let answer = announce(ask, typed).await;
            Input::Answered { number, answer }
        });
    }

    /// The next answer; waits forever while none is on its way. Dropping the future loses
    /// nothing.
    pub(crate) async fn next(&mut self) -> Input {
        loop {
            let ended = tokio::select! {
                Some(ended) = self.asking.join_next() => ended,
                Some(_) = self.leaving.join_next() => continue,
                else => return std::future::pending().await,
            };
            match ended {
                Ok(input) => return input,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
    }

    /// Gives those that are told that we leave some time to hear it.
    pub(crate) async fn finish(mut self, patience: Duration) {
        self.asking.abort_all();
        let all = async { while self.leaving.join_next().await.is_some() {} };
        let _ = timeout(patience, all).await;
    }
}

async fn announce(ask: Ask, typed: bool) -> Answer {
    let url = Url::parse(&ask.url).map_err(|_| AnnounceError::Address)?;
    match url.scheme() {
        "http" | "https" => http::announce(&url, &ask.query, typed).await,
        "udp" => udp::announce(&url, ask.query.announce).await,
        _ => Err(AnnounceError::Address),
    }
}

/// The host of an address as the system looks it up, with its port.
pub(crate) fn authority(url: &Url) -> Option<(String, u16)> {
    let host = match url.host()? {
        url::Host::Domain(name) => name.to_owned(),
        url::Host::Ipv4(address) => address.to_string(),
        url::Host::Ipv6(address) => address.to_string(),
    };
    Some((host, url.port_or_known_default()?))
}

fn unreachable(error: &std::io::Error) -> AnnounceError {
    AnnounceError::Unreachable(error.to_string())
}
