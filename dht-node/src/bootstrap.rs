//! Nodes to join by, by their names: looked up until they are found.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Addresses of one name that are taken.
const ADDRESSES: usize = 8;
/// A name that is not found is looked up again after this long, then twice that, and so on.
const PAUSE: Duration = Duration::from_secs(5);
/// See [`PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// A node to join by as a person names it, a host and a port; whether there is such a host shows
/// later. `Err` says what is wanted.
pub fn host_and_port(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match port.map(|(_, port)| port.parse::<u16>()) {
        Some(Ok(1..)) => Ok(text.to_owned()),
        _ => Err("it must be a host and a port, such as 192.0.2.1:6881".to_owned()),
    }
}

/// See the module. Must be used within a Tokio runtime.
#[derive(Debug, Default)]
pub(crate) struct Names {
    looking: JoinSet<Found>,
}

/// What came of looking a name up.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nodes may be at these addresses.
    Addresses(Vec<SocketAddr>),
    /// The name is not known, in the system's words; it is looked up again.
    Nothing {
        /// The name.
        name: String,
        /// Why, in the system's words.
        reason: String,
        /// After which pause.
        pause: Duration,
    },
}

impl Names {
    /// Looks these up, each `HOST:PORT`.
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut looking = JoinSet::new();
        for name in names {
            looking.spawn(look_up(name, Duration::ZERO));
        }
        Names { looking }
    }

    /// The next addresses, or a name that is not known; waits forever once all are found.
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Found {
        let Some(found) = self.looking.join_next().await else {
            return std::future::pending().await;
        };
        let found = found.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        if let Found::Nothing { name, pause, .. } = &found {
            self.looking.spawn(look_up(name.clone(), *pause));
        }
        found
    }
}

async fn look_up(name: String, pause: Duration) -> Found {
    sleep(pause).await;
    let reason = match lookup_host(&name).await {
        Ok(addresses) => {
            let addresses: Vec<SocketAddr> = addresses.take(ADDRESSES).collect();
            if !addresses.is_empty() {
                return Found::Addresses(addresses);
            }
            "it has no address".to_owned()
        }
        Err(error) => error.to_string(),
    };
    let pause = (pause * 2).clamp(PAUSE, LONGEST_PAUSE);
    Found::Nothing {
        name,
        reason,
        pause,
    }
}
