//! Which ways to others a torrent may use: those of the command line, its own, or the usual
//! ones.

use std::net::SocketAddr;

use dht_node::DhtNode;
use swarm_core::engine::Config;
use swarm_core::metainfo::Metainfo;
use swarm_core::overlay::BridgeConfig;
use url::form_urlencoded;

use super::dht_ways::open;
use crate::Error;
use crate::address::{Tracker, TrackerAddress, Trackers, link_to};
use crate::arguments::{DhtWays, Ways};
use crate::carrying::Carrying;
use crate::text::{complain, plain};
use crate::webrtc::WebRtc;
use crate::wires::{Wires, WiresConfig};

/// Links of the overlay (`OverlayConfig::links`): as many as a tab's.
const OVERLAY_LINKS: usize = 32;
/// Those of a bridge: tabs link with it to ask for something, and go when others come.
const BRIDGE_LINKS: usize = 128;

/// Servers that are remembered of those that peers speak of: twice as many as we connect to.
const KNOWN: usize = 8;

/// Direct links that are made at once (`DirectConfig::at_once`), and offers that are out at once
/// at trackers (`RtcConfig::at_once`): as those of a tab, which are said there.
const LINKS_AT_ONCE: usize = 4;
const OFFERS_AT_ONCE: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct Network {
    /// Servers that are tracker and relay.
    pub(super) relays: Option<Trackers>,
    /// Trackers by HTTP and UDP, tier by tier.
    pub(super) announce: Vec<Vec<String>>,
    /// Those of them that a person named.
    pub(super) typed: Vec<String>,
    /// Every tracker was named by the torrent or by a person.
    pub(super) named: bool,
    /// To listen at, if others are to be reached by TCP.
    port: Option<u16>,
    /// Others are reached by WebRTC.
    pub(super) webrtc: bool,
    /// Peers are looked for in the local network.
    pub(super) lsd: bool,
    /// How they are looked for in the DHT, if they are.
    dht: Option<DhtWays>,
    /// Torrents are carried for tabs.
    bridge: bool,
    /// By which nodes the torrent says that it is to be joined.
    dht_nodes: Vec<String>,
    /// Servers that peers speak of are followed.
    exchange: bool,
    peers: Vec<String>,
    /// Where the files can be had by HTTP (BEP 19).
    pub(super) web_seeds: Vec<String>,
}

/// Peers by TCP, and whom to call.
pub(super) struct Joined {
    pub(super) wires: Option<Wires>,
    pub(super) webrtc: Option<WebRtc>,
    pub(super) dht: Option<DhtNode>,
    pub(super) carrying: Option<Carrying>,
    pub(super) peers: Vec<String>,
}

impl Network {
    /// Of a torrent that is not private, or of which that is not known, and that names these
    /// trackers.
    pub(super) fn new(arguments: &Ways, own: &[Vec<String>]) -> Result<Self, Error> {
        let chosen = chosen(arguments)?;
        let mut tiers = chosen.clone();
        tiers.extend(usable(own));
        let mut named = !tiers.is_empty();
        if !tiers.iter().flatten().any(Tracker::is_relay) {
            // Nothing is more usual than to be told by the environment.
            let told = !arguments.peers.is_empty() || !arguments.dht.dht_bootstrap.is_empty();
            let alone = tiers.is_empty() && !told;
            if let Some(usual) = TrackerAddress::from_environment(alone)? {
                named = false;
                tiers.push(vec![Tracker::Relay(usual)]);
            }
        }
        Ok(Self::of(arguments, &chosen, &tiers, named))
    }

    /// Of a private torrent, which is announced to its own trackers alone (BEP 27).
    pub(super) fn private(
        arguments: &Ways,
        name: &str,
        own: &[Vec<String>],
    ) -> Result<Self, Error> {
        let (chosen, usable) = (chosen(arguments)?, usable(own));
        let (name, named) = (plain(name), plain(&own.concat().join(", ")));
        let is_own = |tracker| usable.iter().flatten().any(|own| own == tracker);
        if !own.is_empty() && !chosen.iter().flatten().all(is_own) {
            return Err(Error::Usage(format!(
                "{name} is private: only its own trackers may be asked ({named})"
            )));
        }
        let tiers = if chosen.is_empty() { &usable } else { &chosen };
        if tiers.is_empty() && own.is_empty() {
            return Err(Error::Usage(format!(
                "{name} is private and names no tracker: name one with --tracker"
            )));
        }
        let network = Network {
            dht: None,
            ..Self::of(arguments, &chosen, tiers, true)
        };
        if network.relays.is_none() && network.announce.is_empty() {
            return Err(Error::Other(format!(
                "{name} is private, and none of its trackers is one that can be reached from here ({named})"
            )));
        }
        Ok(network)
    }

    fn of(arguments: &Ways, chosen: &[Vec<Tracker>], tiers: &[Vec<Tracker>], named: bool) -> Self {
        let tcp = !arguments.no_tcp && !arguments.relay_only;
        let announced = |tracker: &Tracker| match tracker {
            // Whom they name is reached by TCP.
            Tracker::Announce(url) if tcp => Some(url.to_string()),
            _ => None,
        };
        let typed = chosen.iter().flatten().filter_map(announced).collect();
        let announce = tiers
            .iter()
            .map(|tier| tier.iter().filter_map(announced).collect());
        Network {
            relays: Trackers::relays(&tiers.concat()),
            announce: announce
                .filter(|tier: &Vec<String>| !tier.is_empty())
                .collect(),
            typed,
            named,
            port: tcp.then_some(arguments.port),
            webrtc: !arguments.no_webrtc && !arguments.relay_only,
            lsd: tcp && !arguments.no_lsd,
            dht: arguments.has_dht().then(|| arguments.dht.clone()),
            bridge: arguments.bridge,
            dht_nodes: Vec::new(),
            // A server that a peer names would learn our address.
            exchange: !arguments.relay_only,
            peers: if tcp {
                arguments.peers.clone()
            } else {
                Vec::new()
            },
            web_seeds: Vec::new(),
        }
    }

    /// What to give to others, so that they find us.
    pub(super) fn link(&self, metainfo: &Metainfo) -> String {
        let relays = self.relays.as_ref().map(Trackers::as_slice);
        let mut link = match relays.and_then(<[_]>::first) {
            Some(relay) => relay.share_link(metainfo),
            None => link_to(metainfo).to_magnet(),
        };
        let others = relays.unwrap_or_default().iter().skip(1);
        let others = others.map(TrackerAddress::as_str);
        let announce = self.announce.iter().flatten().map(String::as_str);
        for tracker in others.chain(announce) {
            link += "&tr=";
            link.extend(form_urlencoded::byte_serialize(tracker.as_bytes()));
        }
        link
    }

    /// Asks these web seeds, which the torrent or a link names, unless they would learn our
    /// address and are not to.
    pub(super) fn ask_web_seeds(&mut self, urls: &[String]) {
        if self.exchange {
            self.web_seeds = urls.to_vec();
        }
    }

    /// Joins the DHT by these nodes too, if at all.
    pub(super) fn join_by(&mut self, nodes: &[String]) {
        self.dht_nodes = nodes.to_vec();
    }

    /// Calls these too, if any are called.
    pub(super) fn call_too(&mut self, peers: &[SocketAddr]) {
        if self.port.is_some() {
            self.peers.extend(peers.iter().map(ToString::to_string));
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
        let webrtc = match self.webrtc {
            true => WebRtc::open().inspect_err(|error| {
                complain(&format!("no WebRTC connections can be made: {error}"));
            }),
            false => Err(std::io::ErrorKind::Unsupported.into()),
        };
        let webrtc = webrtc.ok();
        if webrtc.is_some() {
            // As a tab: as many as it makes.
            config.paths.channels = 2;
            config.paths.direct.at_once = LINKS_AT_ONCE;
            config.paths.rtc.at_once = OFFERS_AT_ONCE;
            config.overlay.links = OVERLAY_LINKS;
        }
        let dht = match &self.dht {
            Some(ways) => Some(open(
                ways,
                &self.dht_nodes,
                swarm_core::dht::Config::default(),
            )?),
            None => None,
        };
        if let Some(dht) = &dht {
            config.dht_port = Some(dht.address().port());
            complain(&format!(
                "looking for peers in the DHT, on UDP port {}: everybody can find there what is \
                 not private (--no-dht)",
                dht.address().port()
            ));
        }
        if self.exchange {
            config.exchange.known = KNOWN;
        }
        let carrying = match self.bridge {
            true if webrtc.is_some() && dht.is_some() => {
                config.overlay.bridge = BridgeConfig::on();
                config.overlay.links = BRIDGE_LINKS;
                let carrying = Carrying::new().map_err(|error| {
                    Error::Other(format!("no folder for what is carried: {error}"))
                })?;
                Some(carrying)
            }
            true => {
                complain("nothing is carried for tabs: that takes the DHT and WebRTC");
                None
            }
            false => None,
        };
        Ok(Joined {
            wires,
            webrtc,
            dht,
            carrying,
            peers: self.peers.clone(),
        })
    }
}

/// The trackers that a person names, each a tier of its own.
fn chosen(arguments: &Ways) -> Result<Vec<Vec<Tracker>>, Error> {
    let chosen = arguments.trackers.iter();
    let chosen = chosen.map(|text| Ok(vec![Tracker::typed(text)?]));
    chosen.collect()
}

/// Those of a torrent's that are of a kind that can be reached.
fn usable(own: &[Vec<String>]) -> Vec<Vec<Tracker>> {
    let tiers = own
        .iter()
        .map(|tier| tier.iter().filter_map(|text| text.parse().ok()).collect());
    tiers
        .filter(|tier: &Vec<Tracker>| !tier.is_empty())
        .collect()
}
