//! A hub with clients that remember what they were told.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::{ConnId, Hub, HubConfig, HubInput, HubOutput, Source};
use crate::id::{ChannelId, InfoHash, MemberId, PeerId};
use crate::time::Time;
use crate::wire::relay::{Announce, ClientMessage, DataFrame, Have, Open, Peers, ServerMessage};

pub(super) const SWARM: InfoHash = InfoHash([7; 20]);

/// A hub, its clock, and what it told each connection.
pub(super) struct Scene {
    pub(super) hub: Hub,
    pub(super) now: Time,
    told: BTreeMap<u64, Vec<HubOutput>>,
}

impl Scene {
    pub(super) fn new(config: HubConfig) -> Self {
        Scene {
            hub: Hub::new(config, 1),
            now: Time::ZERO,
            told: BTreeMap::new(),
        }
    }

    pub(super) fn handle(&mut self, input: HubInput) {
        self.hub.handle(self.now, input);
    }

    /// A client connects from an address of its own; its number in swarms.
    pub(super) fn connect(&mut self, conn: u64) -> MemberId {
        self.connect_from(conn, source(conn))
    }

    pub(super) fn connect_from(&mut self, conn: u64, source: Source) -> MemberId {
        self.handle(HubInput::Connected(ConnId(conn), source));
        match self.told(conn).into_iter().next() {
            Some(HubOutput::Send(ServerMessage::Welcome(welcome))) => welcome.member,
            other => panic!("instead of a welcome: {other:?}"),
        }
    }

    /// A client connects and announces to [`SWARM`] as a leecher.
    pub(super) fn join(&mut self, conn: u64) -> MemberId {
        let member = self.connect(conn);
        self.announce(conn, announce());
        member
    }

    pub(super) fn join_from(&mut self, conn: u64, source: Source) -> MemberId {
        let member = self.connect_from(conn, source);
        self.announce(conn, announce());
        member
    }

    pub(super) fn announce(&mut self, conn: u64, announce: Announce) -> Peers {
        self.send(conn, ClientMessage::Announce(announce));
        match self.told(conn).pop() {
            Some(HubOutput::Send(ServerMessage::Peers(peers))) => peers,
            other => panic!("instead of peers: {other:?}"),
        }
    }

    pub(super) fn have(&mut self, conn: u64, pieces: &[u32], left: u64) {
        let pieces = pieces.to_vec();
        self.send(
            conn,
            ClientMessage::Have(Have {
                info_hash: SWARM,
                pieces,
                left,
            }),
        );
    }

    pub(super) fn send(&mut self, conn: u64, message: ClientMessage) {
        self.handle(HubInput::Message(ConnId(conn), message));
    }

    pub(super) fn open(&mut self, conn: u64, member: MemberId, credit: u32) {
        self.send(
            conn,
            ClientMessage::Open(Open {
                request: 5,
                info_hash: SWARM,
                member,
                credit,
            }),
        );
    }

    /// Opens a channel from one client to another: `credits` are what each end grants.
    pub(super) fn channel(
        &mut self,
        from: u64,
        to: u64,
        member: MemberId,
        credits: [u32; 2],
    ) -> ChannelId {
        self.open(from, member, credits[0]);
        let channel = match self.told(to).pop() {
            Some(HubOutput::Send(ServerMessage::Incoming(incoming))) => incoming.channel,
            other => panic!("instead of an offer: {other:?}"),
        };
        self.send(
            to,
            ClientMessage::Accept {
                channel,
                credit: credits[1],
            },
        );
        channel
    }

    pub(super) fn data(&mut self, conn: u64, channel: ChannelId, bytes: usize) {
        self.send(
            conn,
            ClientMessage::Data(DataFrame::new(channel, &vec![9; bytes])),
        );
    }

    pub(super) fn credit(&mut self, conn: u64, channel: ChannelId, bytes: u32) {
        self.send(conn, ClientMessage::Credit { channel, bytes });
    }

    pub(super) fn close(&mut self, conn: u64, channel: ChannelId) {
        let reason = "enough".to_owned();
        self.send(conn, ClientMessage::Close { channel, reason });
    }

    pub(super) fn disconnect(&mut self, conn: u64) {
        self.handle(HubInput::Disconnected(ConnId(conn)));
    }

    pub(super) fn written(&mut self, conn: u64, bytes: u64) {
        self.handle(HubInput::Written(ConnId(conn), bytes));
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.handle(HubInput::Tick);
    }

    /// What a client was told since it was last asked.
    pub(super) fn told(&mut self, conn: u64) -> Vec<HubOutput> {
        while let Some((to, output)) = self.hub.poll_output() {
            self.told.entry(to.0).or_default().push(output);
        }
        self.told.remove(&conn).unwrap_or_default()
    }

    /// The reasons of closed channels, refusals, errors and closed connections among
    /// what a client was told.
    pub(super) fn reasons(&mut self, conn: u64) -> Vec<String> {
        let reason = |output| match output {
            HubOutput::Send(
                ServerMessage::Close { reason, .. }
                | ServerMessage::Refused { reason, .. }
                | ServerMessage::Error { reason, .. },
            )
            | HubOutput::Close { reason } => Some(reason),
            _ => None,
        };
        self.told(conn).into_iter().filter_map(reason).collect()
    }

    /// The credit that a client got since it was last asked.
    pub(super) fn granted(&mut self, conn: u64) -> u64 {
        let credit = |output| match output {
            HubOutput::Send(ServerMessage::Accepted { credit, .. }) => credit.into(),
            HubOutput::Send(ServerMessage::Incoming(incoming)) => incoming.credit.into(),
            HubOutput::Send(ServerMessage::Credit { bytes, .. }) => bytes.into(),
            _ => 0,
        };
        self.told(conn).into_iter().map(credit).sum()
    }

    /// The client's connection was closed, for a reason that contains `why`.
    pub(super) fn assert_thrown_out(&mut self, conn: u64, why: &str) {
        match self.told(conn).pop() {
            Some(HubOutput::Close { reason }) => assert!(reason.contains(why), "{reason}"),
            other => panic!("instead of a close: {other:?}"),
        }
    }
}

/// Each connection comes from an address of its own.
pub(super) fn source(conn: u64) -> Source {
    Source::V6(conn.to_be_bytes())
}

/// An announce to [`SWARM`] of one who lacks something.
pub(super) fn announce() -> Announce {
    Announce {
        info_hash: SWARM,
        peer_id: PeerId([b'x'; 20]),
        left: Some(1),
        pieces: None,
        numwant: 50,
        rtc: false,
    }
}

/// An announce to [`SWARM`] of one who lacks nothing.
pub(super) fn announce_seed() -> Announce {
    Announce {
        left: Some(0),
        pieces: Some(Bytes::from_static(&[0xff, 0x80])),
        ..announce()
    }
}
