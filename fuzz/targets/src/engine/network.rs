//! What there is beside servers: wires to addresses and from them, direct links, trackers that
//! are asked, and what a person says of all that.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};

use arbitrary::{Result, Unstructured};
use swarm_core::engine::{Config, DirectId, DirectWork, PeerPath};
use swarm_core::find::announcer::Ask;
use swarm_core::id::{ChannelId, ChannelKey, Fingerprint, InfoHash, LinkId, PeerId};
use swarm_core::net::Rates;
use swarm_core::node::{DirectInput, Input, WireInput, WireOutput, WireUp};
use swarm_core::sorted::SortedSet;
use swarm_core::wire::tracker::Event;

use super::fixtures::{FIXTURES, any_torrent};
use super::model::{Channel, Model};
use super::{LINKS, World, news, offers, talk, web};

/// Wires have numbers from here on.
const WIRES: u32 = 100;
/// See the module.
#[derive(Default)]
pub(super) struct Network {
    /// Addresses that may be dialled at once.
    dials: usize,
    /// Those that are.
    dialled: Vec<(InfoHash, SocketAddr)>,
    /// Wires that are open, and the bytes that each takes at once.
    pub(super) wires: BTreeMap<LinkId, usize>,
    /// Wires so far.
    made: u32,
    /// Direct links that are being made.
    pub(super) directs: BTreeSet<DirectId>,
    /// Of which torrents those are that a neighbour is to bring about, where it was heard.
    pub(super) introduced: BTreeMap<u32, InfoHash>,
    /// Questions to trackers that are not answered.
    pub(super) asked: Vec<u32>,
    /// A person wants no way but relays.
    pub(super) relay_only: bool,
    /// The servers of torrents for which not all are.
    lists: BTreeMap<InfoHash, SortedSet<LinkId>>,
}

impl Network {
    /// The engine asks a tracker.
    pub(super) fn hear_question(&mut self, ask: &Ask) {
        if ask.query.announce.event != Event::Stopped {
            self.asked.push(ask.number);
        }
    }
}

impl Model {
    /// The engine wants something of wires.
    pub(super) fn hear_wire(&mut self, output: WireOutput, us: PeerId, config: &Config) {
        match output {
            WireOutput::Dial { info_hash, address } => {
                assert!(!self.network.relay_only, "a dial beside relays");
                let dialled = &mut self.network.dialled;
                assert!(!dialled.contains(&(info_hash, address)), "dialled twice");
                dialled.push((info_hash, address));
                assert!(dialled.len() <= self.network.dials, "too many dials");
            }
            WireOutput::Send { wire, parts } => {
                assert!(!self.network.relay_only, "a wire beside relays");
                let key = key(wire);
                let bytes = parts.frame(key.channel).payload();
                self.hear_stretch(key, bytes, us, config);
            }
            WireOutput::Close { wire, .. } => {
                assert!(self.is_wire(wire), "only what is open is closed");
                self.down(wire);
            }
        }
    }

    /// The engine wants something of direct links.
    pub(super) fn hear_direct(&mut self, id: DirectId, work: &DirectWork) {
        if id.channel.link == LinkId::TRACKERS {
            self.hear_attempt(id, work);
        }
        let server = self.servers.get(&id.channel.link);
        let directs = &mut self.network.directs;
        match work {
            DirectWork::Offer | DirectWork::Answer(_) => {
                let only = server.is_none_or(|server| server.welcome.relay_only);
                let beside = [LinkId::TRACKERS, LinkId::INTRODUCED];
                let only = only && !beside.contains(&id.channel.link);
                assert!(!only && !self.network.relay_only, "a link beside relays");
                assert!(directs.insert(id), "one link is made twice");
                // Those of torrents, of offers, and the overlay's own of both ends.
                assert!(directs.len() <= 2 * FIXTURES.len() + 8, "too many at once");
            }
            DirectWork::Accept(_) => assert!(directs.contains(&id), "nothing is made"),
            DirectWork::Drop => assert!(directs.remove(&id), "nothing is made"),
        }
    }

    /// A server hears only of torrents whose tracker it is.
    pub(super) fn check_told(&self, info_hash: InfoHash, link: LinkId) {
        let list = self.network.lists.get(&info_hash);
        let told = list.is_none_or(|list| list.contains(&link));
        assert!(told, "a server that is none of its trackers");
    }

    /// Nor is anybody talked to through others.
    pub(super) fn check_paths(&self) {
        for (key, channel) in &self.channels {
            if !self.is_wire(key.link) {
                self.check_told(channel.info_hash, key.link);
            }
        }
    }
}

/// One input of a wide world.
pub(super) fn next(world: &mut World, kind: u32, u: &mut Unstructured<'_>) -> Result<()> {
    match kind {
        0 => {
            let dials = u.int_in_range(0..=3)?;
            set_dials(world, dials);
        }
        1..=3 => meet(world, u)?,
        4..=7 => answer_dial(world, u)?,
        8..=11 => call(world, u)?,
        12 => {
            if let Some(wire) = some_wire(world, u)? {
                wire_down(world, wire);
            }
        }
        13 => {
            if let Some(wire) = some_wire(world, u)? {
                let bytes = u.int_in_range(0..=100_000)?;
                world.model.sent(wire, bytes);
                world.handle(Input::Wire(wire, WireInput::Sent(bytes)));
            }
        }
        14..=17 => answer_direct(world, u)?,
        18 if u.ratio(1, 3)? => {
            let mut rate = || Ok(NonZeroU64::new(u.int_in_range(0..=1_000_000)?));
            let rates = Rates {
                up: rate()?,
                down: rate()?,
            };
            world.handle(Input::SetRates(rates));
            if u.ratio(1, 4)? {
                let most = NonZeroU32::new(u.int_in_range(0..=3)?);
                world.handle(Input::SetMaxPeers(most));
            }
        }
        18 => {
            let only = u.ratio(1, 3)?;
            world.model.network.relay_only = only;
            world.handle(Input::RelayOnly(only));
        }
        19 => {
            let bits: u8 = u.arbitrary()?;
            let some = (0..LINKS).filter(|link| bits >> link & 1 == 1);
            let links = some.map(LinkId).collect();
            let links = u.ratio(2, 3)?.then_some(links);
            set_links(world, any_torrent(u)?.info_hash(), links);
        }
        20 | 21 => news::trackers(world, u)?,
        22 | 23 => news::answer_question(world, u)?,
        24 => talk::begin(world, u)?,
        25..=28 => talk::take_over(world, u)?,
        29 if world.model.offers.may => offers::next(world, u)?,
        30 => web::next(world, u)?,
        _ => news::say_more(world, u)?,
    }
    Ok(())
}

/// Everybody whom the network leads to is gone, and every server may be told again.
pub(super) fn leave(world: &mut World) {
    if !world.model.wide {
        return;
    }
    web::leave(world);
    set_dials(world, 0);
    let wires: Vec<LinkId> = world.model.network.wires.keys().copied().collect();
    for wire in wires {
        wire_down(world, wire);
    }
    offers::leave(world);
    for fixture in &*FIXTURES {
        set_links(world, fixture.info_hash(), None);
    }
}

fn set_dials(world: &mut World, dials: usize) {
    world.model.network.dials = dials;
    if dials == 0 {
        // The host gives up those that are on their way.
        world.model.network.dialled.clear();
    }
    world.handle(Input::Network { dials });
}

fn set_links(world: &mut World, info_hash: InfoHash, links: Option<SortedSet<LinkId>>) {
    let lists = &mut world.model.network.lists;
    match &links {
        Some(links) => lists.insert(info_hash, links.clone()),
        None => lists.remove(&info_hash),
    };
    world.handle(Input::Links { info_hash, links });
}

fn key(link: LinkId) -> ChannelKey {
    ChannelKey {
        link,
        channel: ChannelId(0),
    }
}

/// What a browser says of its end: by the certificate of one of few, of whom the engine is the first.
pub(super) fn description(of: u32) -> String {
    let digits = vec![format!("{:02X}", of % 4); 32].join(":");
    format!("v=0\r\na=fingerprint:sha-256 {digits}\r\n")
}

/// What stands for that one.
pub(super) fn fingerprint(of: u32) -> Fingerprint {
    Fingerprint([(of % 4) as u8; 16])
}

/// Somebody's address: mostly one of few in our own network.
pub(super) fn address(u: &mut Unstructured<'_>) -> Result<SocketAddr> {
    let number = u.int_in_range(0..=5)?;
    let ip = match u.int_in_range(0..=7)? {
        0 => IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into())),
        1 => IpAddr::from([127, 0, 0, number]),
        2 => IpAddr::from([93, 184, 216, number]),
        _ => IpAddr::from([10, 0, 0, number]),
    };
    let port = if u.ratio(1, 16)? { 0 } else { 6881 };
    Ok(SocketAddr::new(ip, port))
}

pub(super) fn addresses(u: &mut Unstructured<'_>) -> Result<Vec<SocketAddr>> {
    let count = u.int_in_range(0..=3)?;
    (0..count).map(|_| address(u)).collect()
}

fn meet(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let met = Input::Met {
        info_hash: any_torrent(u)?.info_hash(),
        complete: u.arbitrary()?,
        incomplete: u.arbitrary()?,
        addresses: addresses(u)?,
    };
    world.handle(met);
    Ok(())
}

/// Somebody answers at an address that was dialled, or nobody does.
fn answer_dial(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let dialled = &mut world.model.network.dialled;
    let (info_hash, address) = match dialled.len() {
        // Nobody was asked.
        0 if u.ratio(7, 8)? => return Ok(()),
        0 => (any_torrent(u)?.info_hash(), address(u)?),
        count => dialled.swap_remove(u.int_in_range(0..=count - 1)?),
    };
    if u.ratio(1, 4)? {
        world.handle(Input::Undialled { info_hash, address });
        return Ok(());
    }
    let key = wire_up(world, info_hash, address, Some(info_hash), u)?;
    talk::hello(world, key, u)
}

/// Somebody calls us, and mostly says for which torrent.
fn call(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let info_hash = any_torrent(u)?.info_hash();
    let mut from = address(u)?;
    from.set_port(50_000 + u.int_in_range(0..=3)?);
    let key = wire_up(world, info_hash, from, None, u)?;
    if u.ratio(1, 8)? {
        let noise: [u8; 32] = u.arbitrary()?;
        let noise = noise.repeat(u.int_in_range(1..=4)?);
        world.handle(Input::Wire(key.link, WireInput::Received(noise.into())));
    }
    talk::hello(world, key, u)
}

fn wire_up(
    world: &mut World,
    info_hash: InfoHash,
    remote: SocketAddr,
    dialled: Option<InfoHash>,
    u: &mut Unstructured<'_>,
) -> Result<ChannelKey> {
    let local = SocketAddr::from(([10, 0, 0, 100], 6881));
    let (key, max_payload) = new_wire(world, info_hash, u)?;
    if let (IpAddr::V4(there), IpAddr::V4(here)) = (remote.ip(), local.ip()) {
        let ends = [there.octets(), here.octets()];
        world.model.ends.insert(key, ends);
    }
    let up = WireUp {
        path: PeerPath::Tcp,
        remote,
        local,
        dialled,
        max_payload,
    };
    world.handle(Input::Wire(key.link, WireInput::Up(up)));
    Ok(key)
}

/// A wire that is about to open.
pub(super) fn new_wire(
    world: &mut World,
    info_hash: InfoHash,
    u: &mut Unstructured<'_>,
) -> Result<(ChannelKey, usize)> {
    let max_payload = if u.ratio(1, 8)? { 100 } else { 1 << 16 };
    let network = &mut world.model.network;
    let key = key(LinkId(WIRES + network.made));
    network.made += 1;
    network.wires.insert(key.link, max_payload);
    let channel = Channel::new(info_hash, u32::MAX, u32::MAX);
    world.model.open(key, channel);
    Ok((key, max_payload))
}

fn some_wire(world: &World, u: &mut Unstructured<'_>) -> Result<Option<LinkId>> {
    let wires: Vec<LinkId> = world.model.network.wires.keys().copied().collect();
    if wires.is_empty() {
        return Ok(None);
    }
    Ok(Some(*u.choose(&wires)?))
}

fn wire_down(world: &mut World, wire: LinkId) {
    world.model.down(wire);
    world.handle(Input::Wire(wire, WireInput::Down));
}

/// The host is a step further with a direct link.
fn answer_direct(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let directs: Vec<DirectId> = world.model.network.directs.iter().copied().collect();
    let id = match directs.is_empty() {
        false => *u.choose(&directs)?,
        true if u.ratio(7, 8)? => return Ok(()),
        true => match talk::open_channel(world, u)? {
            // Nobody was asked.
            Some(channel) => DirectId {
                channel,
                attempt: u.int_in_range(0..=3)?,
            },
            None => return Ok(()),
        },
    };
    let input = match u.int_in_range(0..=5)? {
        0..=2 if id.channel.link == LinkId::TRACKERS => {
            DirectInput::Described(offers::description(id))
        }
        0..=2 => DirectInput::Described(description(0)),
        3 => {
            world.model.network.directs.remove(&id);
            DirectInput::Failed
        }
        _ => return linked(world, id, u),
    };
    world.handle(Input::Direct(id, input));
    Ok(())
}

fn linked(world: &mut World, id: DirectId, u: &mut Unstructured<'_>) -> Result<()> {
    if id.channel.link == LinkId::TRACKERS {
        world.model.network.directs.remove(&id);
        return offers::linked(world, id, u);
    }
    let model = &mut world.model;
    let introduced = id.channel.link == LinkId::INTRODUCED;
    let info_hash = match introduced {
        true => model.network.introduced.get(&id.attempt),
        false => model.torrents.get(&id.channel),
    };
    let Some(info_hash) = info_hash.copied() else {
        if !introduced {
            model.network.directs.remove(&id);
        }
        return Ok(());
    };
    model.network.directs.remove(&id);
    let (key, max_payload) = new_wire(world, info_hash, u)?;
    let ends = world.model.ends.get(&id.channel).copied();
    world.model.ends.extend(ends.map(|ends| (key, ends)));
    let wire = key.link;
    let linked = DirectInput::Linked { wire, max_payload };
    world.handle(Input::Direct(id, linked));
    talk::hello(world, key, u)
}
