//! The hub: whatever clients send, in any order, its bounds hold and nothing stays behind.

mod messages;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::trace;
use arbitrary::{Result, Unstructured};
use messages::{announce, any_message};
use swarm_core::hub::{
    ConnId, Hub, HubConfig, HubInput, HubOutput, HubStats, Reading, Source, Visit,
};
use swarm_core::id::{ChannelId, InfoHash, MemberId};
use swarm_core::time::Time;
use swarm_core::wire::relay::{ClientMessage, DataFrame, Open, ServerMessage, frame::HEADER};

/// Connections of a run.
const CONNS: u64 = 4;
/// Addresses that they come from.
const SOURCES: u64 = 3;
/// Inputs of a run.
const MAX_INPUTS: usize = 1000;
/// Steps from here on are visits: a sixteenth of all.
const VISITS: u8 = 0xf0;

/// Several connections say what the bytes make of it.
pub fn hub(input: &[u8]) {
    let mut u = Unstructured::new(input);
    // An end of the bytes is an end of the run.
    let _ = run(&mut u);
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let config = narrow(u)?;
    let mut scene = Scene {
        hub: Hub::new(config.clone(), u.arbitrary()?),
        config,
        now: Time::ZERO,
        up: BTreeMap::new(),
    };
    if u.ratio(7, 8)? {
        scene.connect_a_ring();
    }
    for _ in 0..MAX_INPUTS {
        if u.is_empty() {
            break;
        }
        scene.step(u)?;
        scene.check();
    }
    for conn in 0..=CONNS {
        scene.disconnect(conn);
    }
    // What they owe is made up for in that time.
    scene.pass(Duration::from_secs(60));
    let HubStats {
        relayed_bytes,
        limited,
        ..
    } = scene.hub.stats();
    let nothing = HubStats {
        relayed_bytes,
        limited,
        ..HubStats::default()
    };
    assert_eq!(scene.hub.stats(), nothing);
    assert_eq!(scene.hub.poll_timeout(), None);
    Ok(())
}

/// Bounds so narrow that small inputs meet all of them.
fn narrow(u: &mut Unstructured<'_>) -> Result<HubConfig> {
    let config = HubConfig {
        max_connections: u.int_in_range(1..=8)?,
        max_swarms: 2,
        max_swarms_per_connection: 2,
        max_channels_per_connection: u.int_in_range(1..=4)?,
        max_bitfield: 4,
        max_bitfields: 6,
        max_payload: 300,
        max_credit: u.int_in_range(0..=400)?,
        max_inflight_per_connection: u.int_in_range(0..=1000)?,
        max_inflight: u.int_in_range(0..=2000)?,
        max_memberships: u.int_in_range(1..=8)?,
        max_queued_frames: 8,
        max_queued_frames_everywhere: u.int_in_range(1..=20)?,
        offer_burst: u.int_in_range(0..=4)?,
        work_per_source: Duration::from_micros(u.int_in_range(100..=2000)?),
        work_burst: Duration::from_micros(u.int_in_range(0..=2000)?),
        max_work_debt: Duration::from_micros(u.int_in_range(0..=2000)?),
        ..HubConfig::default()
    };
    Ok(HubConfig {
        visit_burst: config.work_burst,
        max_visit_wait: config.max_work_debt * 1000,
        ..config
    })
}

struct Scene {
    hub: Hub,
    config: HubConfig,
    now: Time,
    up: BTreeMap<u64, Client>,
}

/// What a connection has heard.
#[derive(Default)]
struct Client {
    member: Option<MemberId>,
    /// Credit that reached it and is not yet spent, by channel.
    credit: BTreeMap<ChannelId, u64>,
    /// Channels that were offered and are not answered.
    offered: BTreeSet<ChannelId>,
    /// Bytes for its socket, headers included, that are not written.
    unwritten: u64,
}

impl Scene {
    fn connect(&mut self, conn: u64) {
        self.up.entry(conn).or_default();
        self.handle(HubInput::Connected(ConnId(conn), source(conn)));
    }

    fn disconnect(&mut self, conn: u64) {
        self.up.remove(&conn);
        self.handle(HubInput::Disconnected(ConnId(conn)));
    }

    fn handle(&mut self, input: HubInput) {
        self.hub.handle(self.now, input);
        self.drain();
    }

    /// Members with channels between them, where the bounds allow it: random messages alone
    /// seldom get that far.
    fn connect_a_ring(&mut self) {
        for conn in 0..3 {
            self.connect(conn);
            self.send(conn, ClientMessage::Announce(announce(InfoHash([0; 20]))));
        }
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            let member = self.up.get(&to).and_then(|client| client.member);
            let Some(member) = member else { continue };
            let open = Open {
                request: 1,
                info_hash: InfoHash([0; 20]),
                member,
                credit: 300,
            };
            self.send(from, ClientMessage::Open(open));
            let offered = self.up.get(&to).and_then(|c| c.offered.first().copied());
            if let Some(channel) = offered {
                let credit = 300;
                self.send(to, ClientMessage::Accept { channel, credit });
            }
        }
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let conn = u.int_in_range(0..=CONNS)?;
        let choice: u8 = u.arbitrary()?;
        match choice % 16 {
            _ if choice >= VISITS => self.visit(source(conn), choice),
            0 => self.disconnect(conn),
            1 | 2 => self.connect(conn),
            3 | 4 => self.write(conn, u.int_in_range(0..=500)?),
            5 => {
                self.pass(Duration::from_millis(u.int_in_range(0..=400_000)?));
            }
            6..=8 => self.send_within_credit(conn, u)?,
            9 => {
                let offered = self.up.get(&conn).and_then(|c| c.offered.first().copied());
                if let Some(channel) = offered {
                    let credit = u.int_in_range(0..=500)?;
                    self.send(conn, ClientMessage::Accept { channel, credit });
                }
            }
            10 => {
                let reading = Reading {
                    framing: u.int_in_range(0..=1000)?,
                    control: u.int_in_range(0..=100_000)?,
                };
                self.handle(HubInput::Read(ConnId(conn), reading));
            }
            _ => {
                let message = any_message(u)?;
                self.send(conn, message);
            }
        }
        // A debt ends: nobody is shut up for ever.
        let pause = self.hub.paused_until(self.now, ConnId(conn));
        if let Some(until) = pause {
            assert!(until > self.now);
            assert!(until.saturating_since(self.now) < Duration::from_secs(600));
        }
        Ok(())
    }

    /// Somebody asks for something over HTTP, which takes nothing from sessions; who is refused is
    /// charged nothing.
    fn visit(&mut self, source: Source, choice: u8) {
        let visit = match choice % 2 {
            0 => Visit::Connection,
            _ => Visit::Request,
        };
        if trace() {
            eprintln!("{source:?} {visit:?}");
        }
        let paused = self.pauses();
        let refused = self.hub.stats().limited.visits;
        let most = self.config.max_visit_wait;
        let first = self.hub.visit(self.now, source, visit);
        let second = self.hub.visit(self.now, source, visit);
        let refusals = [first, second].iter().filter(|it| it.is_err()).count();
        assert_eq!(
            self.hub.stats().limited.visits - refused,
            refusals as u64,
            "each refusal is counted"
        );
        match (first, second) {
            (Ok(first), Ok(second)) => assert!(first <= second && second <= most),
            (Ok(first), Err(second)) => assert!(first <= most && most < second),
            (Err(first), _) => assert!(first > most && second == Err(first)),
        }
        assert_eq!(self.pauses(), paused);
    }

    /// Until when each is not listened to.
    fn pauses(&self) -> Vec<Option<Time>> {
        let conns = (0..=CONNS).map(ConnId);
        conns
            .map(|conn| self.hub.paused_until(self.now, conn))
            .collect()
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.handle(HubInput::Tick);
        assert!(
            self.hub.poll_timeout().is_none_or(|due| due > self.now),
            "a timer that was handled is due again"
        );
    }

    /// The socket took some of what waits, or says that it took more than there was.
    fn write(&mut self, conn: u64, bytes: u64) {
        if let Some(client) = self.up.get_mut(&conn) {
            client.unwritten = client.unwritten.saturating_sub(bytes);
        }
        self.handle(HubInput::Written(ConnId(conn), bytes));
    }

    fn send_within_credit(&mut self, conn: u64, u: &mut Unstructured<'_>) -> Result<()> {
        let Some(client) = self.up.get(&conn) else {
            return Ok(());
        };
        let open: Vec<_> = client
            .credit
            .iter()
            .filter(|(channel, credit)| **credit > 0 && !client.offered.contains(channel))
            .map(|(channel, credit)| (*channel, *credit))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let &(channel, credit) = u.choose(&open)?;
        let most = credit.min(self.config.max_payload as u64);
        let length = usize::try_from(u.int_in_range(1..=most)?).expect("a short payload");
        let crowded = self.hub.stats().queued_bytes > 0;
        let before = self.hub.stats().relayed_bytes;
        self.send(
            conn,
            ClientMessage::Data(DataFrame::new(channel, &vec![7; length])),
        );
        let moved = self.hub.stats().relayed_bytes - before;
        // It may have been ended for the work that it owes.
        let gone = !self.up.contains_key(&conn);
        assert!(
            moved == length as u64 || crowded || gone,
            "bytes within the credit were lost"
        );
        Ok(())
    }

    fn send(&mut self, conn: u64, message: ClientMessage) {
        if let (Some(client), ClientMessage::Data(frame)) = (self.up.get_mut(&conn), &message) {
            let credit = client.credit.entry(frame.channel()).or_default();
            *credit = credit.saturating_sub(frame.payload_len() as u64);
        }
        if let (
            Some(client),
            ClientMessage::Accept { channel, .. } | ClientMessage::Close { channel, .. },
        ) = (self.up.get_mut(&conn), &message)
        {
            client.offered.remove(channel);
            if matches!(message, ClientMessage::Close { .. }) {
                client.credit.remove(channel);
            }
        }
        if let (Some(client), ClientMessage::Leave { .. }) = (self.up.get_mut(&conn), &message) {
            // It knows which channels end with that; here it is enough to use none of them.
            client.credit.clear();
        }
        if trace() {
            eprintln!("{conn} {message:?}");
        }
        self.handle(HubInput::Message(ConnId(conn), message));
    }

    /// Hands out what the hub says, and checks it.
    fn drain(&mut self) {
        while let Some((ConnId(conn), output)) = self.hub.poll_output() {
            let Some(client) = self.up.get_mut(&conn) else {
                continue;
            };
            match output {
                HubOutput::Close { .. } => {
                    self.up.remove(&conn);
                }
                HubOutput::Forward(frame) => {
                    let message = frame.into_message();
                    assert!(message.len() > HEADER);
                    assert!(message.len() - HEADER <= self.config.max_payload);
                    assert!(DataFrame::parse(message.clone()).is_some());
                    client.unwritten += message.len() as u64;
                }
                HubOutput::WebTorrent(_) | HubOutput::Reply(_) => {
                    panic!("everybody here speaks our own protocol")
                }
                HubOutput::Send(message) => {
                    client.hear(&message);
                    let encoded = message.clone().encode();
                    assert_eq!(ServerMessage::decode(encoded), Ok(message));
                }
            }
        }
    }

    fn check(&self) {
        let (stats, config) = (self.hub.stats(), &self.config);
        assert!(stats.queued_bytes + stats.credit_bytes <= config.max_inflight);
        assert!(stats.connections <= config.max_connections);
        assert_eq!(stats.connections, self.up.len());
        assert!(stats.swarms <= config.max_swarms);
        assert!(stats.memberships <= config.max_memberships);
        assert!(stats.bitfield_bytes <= config.max_bitfields);
        assert!(stats.channels <= config.max_channels_per_connection * stats.connections);
        for client in self.up.values() {
            // Each byte may have come with a header of its own.
            let most = config.max_inflight_per_connection * (1 + HEADER as u64);
            assert!(client.unwritten <= most);
            for credit in client.credit.values() {
                assert!(*credit <= u64::from(config.max_credit), "too much credit");
            }
        }
    }
}

impl Client {
    fn hear(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => self.member = Some(welcome.member),
            ServerMessage::Incoming(incoming) => {
                self.offered.insert(incoming.channel);
                self.credit
                    .insert(incoming.channel, u64::from(incoming.credit));
            }
            ServerMessage::Accepted {
                channel, credit, ..
            } => {
                self.credit.insert(*channel, u64::from(*credit));
            }
            ServerMessage::Credit { channel, bytes } => {
                *self.credit.entry(*channel).or_default() += u64::from(*bytes);
            }
            ServerMessage::Close { channel, .. } => {
                self.credit.remove(channel);
                self.offered.remove(channel);
            }
            ServerMessage::Peers(_)
            | ServerMessage::Refused { .. }
            | ServerMessage::Error { .. }
            | ServerMessage::Data(_)
            | ServerMessage::Offer(_)
            | ServerMessage::Answer(_)
            | ServerMessage::Pong => {}
        }
    }
}

fn source(conn: u64) -> Source {
    Source::V6((conn % SOURCES).to_be_bytes())
}
