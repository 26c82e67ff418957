//! Swarms of several kinds of members: tabs, WebTorrent's clients and ordinary ones come and go
//! in any order; bounds hold, no two offers cross, and nothing stays behind.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use swarm_core::hub::{
    ConnId, Hub, HubConfig, HubInput, HubOutput, HubStats, TrackerQuestion, TrackerReply,
};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::time::Time;
use swarm_core::wire::relay::{self, ServerMessage};
use swarm_core::wire::tracker::{Announce, Event};
use swarm_core::wire::webtorrent::{self, Offer, OfferId};

use crate::trace;

/// Connections of tabs, and as many of WebTorrent's clients behind them.
const CONNS: u64 = 3;
/// Numbers of questions begin here.
const ASKS: u64 = 1000;
/// Inputs of a run.
const MAX_INPUTS: usize = 1000;
/// How often time passes so that all that is remembered is forgotten.
const AGES: Duration = Duration::from_secs(3600);

/// Clients of all kinds say what the bytes make of it.
pub fn swarms(input: &[u8]) {
    let mut u = Unstructured::new(input);
    // An end of the bytes is an end of the run.
    let _ = run(&mut u);
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let config = HubConfig {
        max_connections: u.int_in_range(2..=12)?,
        max_swarms: u.int_in_range(1..=3)?,
        max_memberships: u.int_in_range(1..=12)?,
        max_swarms_per_connection: 2,
        max_offers: u.int_in_range(0..=4)?,
        max_numwant: u.int_in_range(0..=5)?,
        work_per_source: Duration::from_micros(u.int_in_range(100..=5000)?),
        work_burst: Duration::from_micros(u.int_in_range(0..=5000)?),
        ..HubConfig::default()
    };
    let mut scene = Scene {
        hub: Hub::new(config.clone(), u.arbitrary()?),
        config,
        now: Time::ZERO,
        up: BTreeSet::new(),
        pairs: BTreeMap::new(),
        asked: ASKS,
    };
    for _ in 0..MAX_INPUTS {
        if u.is_empty() {
            break;
        }
        scene.step(u)?;
        scene.check();
    }
    scene.end();
    Ok(())
}

struct Scene {
    hub: Hub,
    config: HubConfig,
    now: Time,
    up: BTreeSet<u64>,
    /// When the last offer between two was handed on.
    pairs: BTreeMap<(InfoHash, [PeerId; 2]), Time>,
    asked: u64,
}

impl Scene {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let conn = u.int_in_range(0..=2 * CONNS - 1)?;
        match u.int_in_range(0..=9)? {
            0 => self.disconnect(conn),
            1 | 2 => self.connect(conn),
            3 => self.pass(Duration::from_secs(u.int_in_range(0..=400)?)),
            4..=6 => {
                let (from, question) = any_question(u)?;
                let asked = ConnId(self.asked);
                self.handle(HubInput::Asked(asked, from, question));
                self.asked += 1;
            }
            _ if conn < CONNS => {
                let message = any_relay(conn, u)?;
                if let relay::ClientMessage::Leave { info_hash } = &message {
                    self.left(conn, *info_hash);
                }
                self.handle(HubInput::Message(ConnId(conn), message));
            }
            _ => {
                let message = any_webtorrent(conn, u)?;
                if let webtorrent::ClientMessage::Announce(announce) = &message
                    && announce.event == Event::Stopped
                {
                    self.left(conn, announce.info_hash);
                }
                self.handle(HubInput::WebTorrent(ConnId(conn), message));
            }
        }
        Ok(())
    }

    fn connect(&mut self, conn: u64) {
        self.up.insert(conn);
        // Two of them share an address.
        let source = IpAddr::V4(Ipv4Addr::from([192, 0, 2, (conn / 2) as u8])).into();
        self.handle(match conn < CONNS {
            true => HubInput::Connected(ConnId(conn), source),
            false => HubInput::ConnectedWebTorrent(ConnId(conn), source),
        });
    }

    fn disconnect(&mut self, conn: u64) {
        self.gone(conn);
        self.handle(HubInput::Disconnected(ConnId(conn)));
    }

    /// Who comes back is somebody else to the hub.
    fn gone(&mut self, conn: u64) {
        self.up.remove(&conn);
        self.pairs
            .retain(|(_, pair), _| !pair.contains(&peer_id(conn)));
    }

    /// Who comes back to a swarm may be offered something anew.
    fn left(&mut self, conn: u64, swarm: InfoHash) {
        self.pairs
            .retain(|(of, pair), _| *of != swarm || !pair.contains(&peer_id(conn)));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.handle(HubInput::Tick);
        let due = self.hub.poll_timeout();
        assert!(due.is_none_or(|due| due > self.now), "a timer spins");
    }

    fn handle(&mut self, input: HubInput) {
        if trace() {
            eprintln!("{input:?}");
        }
        let asked = matches!(input, HubInput::Asked(..)).then_some(self.asked);
        self.hub.handle(self.now, input);
        let mut replies = 0;
        while let Some((ConnId(conn), output)) = self.hub.poll_output() {
            match output {
                HubOutput::Close { .. } => self.gone(conn),
                HubOutput::Forward(_) => panic!("nobody sends data"),
                HubOutput::Send(message) => {
                    assert!(conn < CONNS);
                    assert!(!matches!(message, ServerMessage::Incoming(_)));
                    if let ServerMessage::Offer(offer) = message {
                        self.offered(conn, offer.info_hash, offer.peer_id);
                    }
                }
                HubOutput::WebTorrent(message) => {
                    assert!((CONNS..2 * CONNS).contains(&conn));
                    self.hear(conn, &message);
                }
                HubOutput::Reply(reply) => {
                    assert_eq!(asked, Some(conn));
                    replies += 1;
                    if let TrackerReply::Announced(announced) = reply {
                        assert!(announced.peers.len() <= self.config.max_numwant);
                    }
                }
            }
        }
        assert_eq!(
            replies,
            usize::from(asked.is_some()),
            "who asks is answered"
        );
    }

    fn hear(&mut self, conn: u64, message: &webtorrent::ServerMessage) {
        if let webtorrent::ServerMessage::Offer {
            info_hash, peer_id, ..
        } = message
        {
            self.offered(conn, *info_hash, *peer_id);
        }
    }

    /// One was given an offer.
    fn offered(&mut self, conn: u64, info_hash: InfoHash, from: PeerId) {
        let mut pair = [from, peer_id(conn)];
        pair.sort();
        assert_ne!(pair[0], pair[1], "nobody is offered what is its own");
        let tabs = pair.map(|id| u64::from(id.0[0]) < CONNS);
        assert_ne!(tabs, [true; 2], "tabs need no offers of each other");
        let before = self.pairs.insert((info_hash, pair), self.now);
        let memory = self.config.offer_memory;
        assert!(
            before.is_none_or(|before| self.now.saturating_since(before) >= memory),
            "offers cross"
        );
    }

    fn check(&self) {
        let (stats, config) = (self.hub.stats(), &self.config);
        assert!(stats.connections <= config.max_connections);
        assert_eq!(stats.connections, self.up.len());
        assert!(stats.swarms <= config.max_swarms);
        assert!(stats.memberships <= config.max_memberships);
        assert!(stats.swarms <= stats.memberships);
    }

    fn end(&mut self) {
        for conn in 0..2 * CONNS {
            self.disconnect(conn);
        }
        self.pass(AGES);
        // Accounts are closed a moment after the last that they were for.
        self.pass(AGES);
        let HubStats {
            offers,
            answers,
            limited,
            ..
        } = self.hub.stats();
        let nothing = HubStats {
            offers,
            answers,
            limited,
            ..HubStats::default()
        };
        assert_eq!(self.hub.stats(), nothing);
        assert_eq!(self.hub.poll_timeout(), None);
    }
}

fn peer_id(conn: u64) -> PeerId {
    PeerId([conn as u8; 20])
}

fn any_swarm(u: &mut Unstructured<'_>) -> Result<InfoHash> {
    Ok(InfoHash([u.int_in_range(0..=3)?; 20]))
}

fn any_event(u: &mut Unstructured<'_>) -> Result<Event> {
    let events = [
        Event::Update,
        Event::Started,
        Event::Completed,
        Event::Stopped,
        Event::Paused,
    ];
    u.choose(&events).copied()
}

fn any_question(u: &mut Unstructured<'_>) -> Result<(IpAddr, TrackerQuestion)> {
    let host = u.int_in_range(0..=3)?;
    let from = match u.arbitrary()? {
        true => Ipv4Addr::from([192, 0, 2, host]).into(),
        false => Ipv6Addr::from([host; 16]).into(),
    };
    if u.ratio(1, 8)? {
        let swarms = vec![any_swarm(u)?; u.int_in_range(0..=5)?];
        return Ok((from, TrackerQuestion::Scrape { swarms }));
    }
    let announce = Announce {
        info_hash: any_swarm(u)?,
        peer_id: PeerId([200; 20]),
        port: u.int_in_range(0..=2)?,
        uploaded: 0,
        downloaded: 0,
        left: u.arbitrary()?,
        event: any_event(u)?,
        numwant: u.arbitrary()?,
        key: None,
    };
    let both_families = u.arbitrary()?;
    let question = TrackerQuestion::Announce {
        announce,
        both_families,
    };
    Ok((from, question))
}

fn any_webtorrent(conn: u64, u: &mut Unstructured<'_>) -> Result<webtorrent::ClientMessage> {
    let offer = |u: &mut Unstructured<'_>| {
        Ok(Offer {
            id: OfferId([u.int_in_range(0..=9)?; 20]),
            sdp: String::new(),
        })
    };
    Ok(match u.int_in_range(0..=5)? {
        0 => webtorrent::ClientMessage::Scrape {
            swarms: vec![any_swarm(u)?; u.int_in_range(0..=5)?],
        },
        1 => webtorrent::ClientMessage::Answer(webtorrent::Answer {
            info_hash: any_swarm(u)?,
            peer_id: peer_id(conn),
            to: peer_id(0),
            id: offer(u)?.id,
            sdp: String::new(),
        }),
        _ => webtorrent::ClientMessage::Announce(webtorrent::Announce {
            info_hash: any_swarm(u)?,
            peer_id: peer_id(conn),
            uploaded: 0,
            downloaded: 0,
            left: u.arbitrary()?,
            event: any_event(u)?,
            numwant: u.arbitrary()?,
            offers: (0..u.int_in_range(0..=5)?)
                .map(|_| offer(u))
                .collect::<Result<_>>()?,
        }),
    })
}

fn any_relay(conn: u64, u: &mut Unstructured<'_>) -> Result<relay::ClientMessage> {
    let signal = |u: &mut Unstructured<'_>| {
        Ok(relay::Signal {
            info_hash: any_swarm(u)?,
            id: OfferId([u.int_in_range(0..=9)?; 20]),
            sdp: String::new(),
        })
    };
    Ok(match u.int_in_range(0..=5)? {
        0 => relay::ClientMessage::Offer(signal(u)?),
        1 => relay::ClientMessage::Answer(signal(u)?),
        2 => relay::ClientMessage::Leave {
            info_hash: any_swarm(u)?,
        },
        _ => relay::ClientMessage::Announce(relay::Announce {
            info_hash: any_swarm(u)?,
            peer_id: peer_id(conn),
            left: Some(u.int_in_range(0..=1)?),
            pieces: None,
            numwant: 9,
            rtc: u.arbitrary()?,
        }),
    })
}
