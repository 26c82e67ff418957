//! Which ways to others a torrent may use: those of the command line, its own, or the usual
//! ones.

use swarm_core::engine::Config;
use swarm_core::metainfo::Metainfo;

use crate::Error;
use crate::address::{Tracker, TrackerAddress, Trackers, link_to};
use crate::cli;
use crate::text::{complain, plain};
use crate::wires::{Wires, WiresConfig};

/// See the module.
#[derive(Debug)]
pub(super) struct Network {
    /// Servers that are tracker and relay.
    pub(super) relays: Option<Trackers>,
    /// Every tracker was named by the torrent or by a person.
    pub(super) named: bool,
    /// To listen at, if others are to be reached by TCP.
    port: Option<u16>,
    peers: Vec<String>,
}

/// Peers by TCP, and whom to call.
pub(super) struct Joined {
    pub(super) wires: Option<Wires>,
    pub(super) peers: Vec<String>,
}

impl Network {
    /// Of a torrent that is not private, or of which that is not known, and that names these
    /// trackers.
    pub(super) fn new(arguments: &cli::Network, own: &[String]) -> Result<Self, Error> {
        let mut trackers = chosen(arguments)?;
        trackers.extend(usable(own));
        let mut named = !trackers.is_empty();
        if !trackers.iter().any(Tracker::is_relay) {
            // Nothing is more usual than to be told by the environment.
            let alone = trackers.is_empty() && arguments.peers.is_empty();
            if let Some(usual) = TrackerAddress::from_environment(alone)? {
                named = false;
                trackers.push(Tracker::Relay(usual));
            }
        }
        Ok(Self::of(arguments, &trackers, named))
    }

    /// Of a private torrent, which is announced to its own trackers alone (BEP 27).
    pub(super) fn private(
        arguments: &cli::Network,
        name: &str,
        own: &[String],
    ) -> Result<Self, Error> {
        let (chosen, usable) = (chosen(arguments)?, usable(own));
        let (name, named) = (plain(name), plain(&own.join(", ")));
        if !own.is_empty() && chosen.iter().any(|tracker| !usable.contains(tracker)) {
            return Err(Error::Other(format!(
                "{name} is private: only its own trackers may be asked ({named})"
            )));
        }
        let trackers = if chosen.is_empty() { usable } else { chosen };
        if trackers.is_empty() && own.is_empty() {
            return Err(Error::Other(format!(
                "{name} is private and names no tracker: name one with --tracker"
            )));
        }
        if trackers.is_empty() {
            return Err(Error::Other(format!(
                "{name} is private, and none of its trackers is one that can be reached from here ({named})"
            )));
        }
        Ok(Self::of(arguments, &trackers, true))
    }

    fn of(arguments: &cli::Network, trackers: &[Tracker], named: bool) -> Self {
        let tcp = !arguments.no_tcp && !arguments.relay_only;
        Network {
            relays: Trackers::relays(trackers),
            named,
            port: tcp.then_some(arguments.port),
            peers: if tcp {
                arguments.peers.clone()
            } else {
                Vec::new()
            },
        }
    }

    /// What to give to others, so that they find us.
    pub(super) fn link(&self, metainfo: &Metainfo) -> String {
        match self
            .relays
            .as_ref()
            .and_then(|relays| relays.as_slice().first())
        {
            Some(relay) => relay.share_link(metainfo),
            None => link_to(metainfo).to_magnet(),
        }
    }

    /// Begins to listen, says where, and sets the configuration up for it. Must be called
    /// within a Tokio runtime.
    pub(super) fn join(&self, config: &mut Config) -> Result<Joined, Error> {
        let wires = self.port.map(|port| {
            Wires::listen(WiresConfig {
                port,
                ..WiresConfig::default()
            })
            .map_err(|error| Error::Listen { port, error })
        });
        let wires = wires.transpose()?;
        if let Some(wires) = &wires {
            complain(&format!("listening for peers on {}", wires.address()));
            config.listen_port = Some(wires.address().port());
            // Somebody may be behind the relay and on the network.
            config.paths.channels = 2;
        }
        Ok(Joined {
            wires,
            peers: self.peers.clone(),
        })
    }
}

/// The trackers that a person names.
fn chosen(arguments: &cli::Network) -> Result<Vec<Tracker>, Error> {
    let chosen = arguments.trackers.iter().map(|text| Tracker::typed(text));
    Ok(chosen.collect::<Result<_, _>>()?)
}

/// Those of a torrent's that are of a kind that can be reached.
fn usable(own: &[String]) -> Vec<Tracker> {
    own.iter().filter_map(|text| text.parse().ok()).collect()
}
