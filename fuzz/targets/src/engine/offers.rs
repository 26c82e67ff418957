//! WebRTC connections that are agreed on by way of servers, and of trackers of WebTorrent's kind.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use swarm_core::engine::{DirectId, DirectWork};
use swarm_core::id::{InfoHash, LinkId, MemberId, PeerId};
use swarm_core::node::{DirectInput, Input, LinkInput, WebTorrentInput};
use swarm_core::wire::relay::{Peers, ServerMessage, Signalled};
use swarm_core::wire::tracker::Event;
use swarm_core::wire::webtorrent::{
    self as webtorrent, ClientMessage, Offer, OfferId, ServerMessage as Said,
};

use super::fixtures::any_torrent;
use super::model::Model;
use super::{LINKS, World, network, talk};

/// Trackers of WebTorrent's kind have numbers from here on.
const FOREIGN: u32 = 10;

/// See the module.
#[derive(Default)]
pub(super) struct Offers {
    /// There are any in this world.
    pub(super) may: bool,
    /// Trackers of WebTorrent's kind that are there.
    foreign: BTreeSet<LinkId>,
    /// For which torrent a connection is, as far as that is known.
    attempts: BTreeMap<u32, InfoHash>,
    /// Offers that the engine made, and where.
    out: Vec<(LinkId, InfoHash, OfferId)>,
}

impl Offers {
    pub(super) fn new(may: bool) -> Self {
        Offers {
            may,
            ..Offers::default()
        }
    }
}

/// How the host describes one.
pub(super) fn description(id: DirectId) -> String {
    format!("number {}", id.attempt)
}

impl Model {
    /// The engine wants something of a connection; offers of others say for which torrent.
    pub(super) fn hear_attempt(&mut self, id: DirectId, work: &DirectWork) {
        assert!(self.offers.may, "nobody asked for connections");
        if let DirectWork::Answer(sdp) = work {
            let info_hash = sdp.parse().expect("as it was said");
            self.offers.attempts.insert(id.attempt, info_hash);
        }
    }

    /// The engine made an offer.
    pub(super) fn offered(&mut self, link: LinkId, info_hash: InfoHash, id: OfferId, sdp: &str) {
        assert!(!self.network.relay_only, "an offer beside relays");
        let number = sdp.strip_prefix("number ").and_then(|n| n.parse().ok());
        let number = number.expect("as the host described it");
        self.offers.attempts.insert(number, info_hash);
        self.offers.out.push((link, info_hash, id));
    }

    /// The engine said something to a tracker of WebTorrent's kind.
    pub(super) fn hear_foreign(&mut self, link: LinkId, message: ClientMessage) {
        assert!(self.offers.foreign.contains(&link), "it is not there");
        let quiet = self.network.relay_only;
        match message {
            ClientMessage::Announce(announce) => {
                let leaves = announce.event == Event::Stopped;
                assert!(leaves || !quiet, "an announce beside relays");
                if !leaves {
                    self.check_told(announce.info_hash, link);
                }
                assert!(announce.left.is_some());
                for webtorrent::Offer { id, sdp } in announce.offers {
                    self.offered(link, announce.info_hash, id, &sdp);
                }
            }
            ClientMessage::Answer(_) => assert!(!quiet, "an answer beside relays"),
            ClientMessage::Scrape { .. } => panic!("nobody asked for that"),
        }
    }
}

/// A server or a tracker says something of offers.
pub(super) fn next(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let foreign = LinkId(FOREIGN + u.int_in_range(0..=1)?);
    let is_there = world.model.offers.foreign.contains(&foreign);
    let server = LinkId(u.int_in_range(0..=LINKS - 1)?);
    let link = match u.arbitrary()? {
        true => foreign,
        false => server,
    };
    match u.int_in_range(0..=7)? {
        0 if is_there => {
            world.model.offers.foreign.remove(&foreign);
            world.handle(Input::Link(foreign, LinkInput::Down));
        }
        0 | 1 => {
            world.model.offers.foreign.insert(foreign);
            world.handle(Input::WebTorrent(foreign, WebTorrentInput::Up));
        }
        2 | 3 => invite(world, link, u)?,
        4 | 5 => {
            let info_hash = any_torrent(u)?.info_hash();
            let id = OfferId([u.int_in_range(0..=3)?; 20]);
            say(world, link, info_hash, id, info_hash.to_string(), true, u)?;
        }
        _ => {
            let out = &mut world.model.offers.out;
            if out.is_empty() {
                return Ok(());
            }
            let (link, info_hash, id) = out.swap_remove(u.int_in_range(0..=out.len() - 1)?);
            say(world, link, info_hash, id, "answer".to_owned(), false, u)?;
        }
    }
    Ok(())
}

/// It says how many there are.
fn invite(world: &mut World, link: LinkId, u: &mut Unstructured<'_>) -> Result<()> {
    let info_hash = any_torrent(u)?.info_hash();
    let (interval, complete) = (u.arbitrary()?, u.int_in_range(0..=3)?);
    if world.model.offers.foreign.contains(&link) {
        let announced = Said::Announced {
            info_hash,
            interval,
            complete,
            incomplete: u.arbitrary()?,
        };
        let message = WebTorrentInput::Message(announced);
        world.handle(Input::WebTorrent(link, message));
    } else if world.model.servers.contains_key(&link) {
        let peers = Peers {
            info_hash,
            interval: interval % 1000,
            complete,
            incomplete: 1,
            members: Vec::new(),
            rtc: u.int_in_range(0..=5)?,
        };
        world.hear(link, ServerMessage::Peers(peers));
    }
    Ok(())
}

/// It hands on an offer, or an answer.
fn say(
    world: &mut World,
    link: LinkId,
    info_hash: InfoHash,
    id: OfferId,
    sdp: String,
    is_offer: bool,
    u: &mut Unstructured<'_>,
) -> Result<()> {
    let member = u.int_in_range(0..=3)?;
    let peer_id = PeerId([member; 20]);
    if world.model.offers.foreign.contains(&link) {
        let said = match is_offer {
            true => Said::Offer {
                info_hash,
                peer_id,
                offer: Offer { id, sdp },
            },
            false => Said::Answer {
                info_hash,
                peer_id,
                id,
                sdp,
            },
        };
        let message = WebTorrentInput::Message(said);
        world.handle(Input::WebTorrent(link, message));
    } else if world.model.servers.contains_key(&link) {
        let said = Signalled {
            info_hash,
            member: MemberId(member.into()),
            peer_id,
            id,
            sdp,
        };
        world.hear(
            link,
            match is_offer {
                true => ServerMessage::Offer(said),
                false => ServerMessage::Answer(said),
            },
        );
    }
    Ok(())
}

/// A connection is there.
pub(super) fn linked(world: &mut World, id: DirectId, u: &mut Unstructured<'_>) -> Result<()> {
    let Some(info_hash) = world.model.offers.attempts.get(&id.attempt).copied() else {
        // The host knows of no answer.
        world.handle(Input::Direct(id, DirectInput::Failed));
        return Ok(());
    };
    let (key, max_payload) = network::new_wire(world, info_hash, u)?;
    let wire = key.link;
    let linked = DirectInput::Linked { wire, max_payload };
    world.handle(Input::Direct(id, linked));
    talk::hello(world, key, u)
}

/// All trackers are gone.
pub(super) fn leave(world: &mut World) {
    for link in std::mem::take(&mut world.model.offers.foreign) {
        world.handle(Input::Link(link, LinkInput::Down));
    }
}
