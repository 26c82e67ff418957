//! What a hub allows. Every bound on its memory and its work is here; what the work costs is in
//! `accounts/cost.rs`. What the wire allows at most is in [`crate::wire::relay`].

use std::time::Duration;

use crate::id::MemberId;
use crate::wire::relay::{MAX_BITFIELD, MAX_MESSAGE, MAX_STUN, RelayUse, StunServer, Welcome};

/// See the module. The defaults suit one server for a few thousand tabs.
///
/// What is "shared out" is shared out between sources (see [`super::Source`]): a source may
/// hold as much as would still be free for others, so one that takes all it can get has half,
/// two have a third each. A classroom behind one address is one source. A hundred tabs there,
/// each in 20 swarms with 60 channels to others, take one in a hundred of
/// the memberships, one in ten of the channels and one in two hundred of the connections. They may relay without a bound, and have
/// half of [`HubConfig::max_inflight`] for it; in [`HubConfig::work_per_source`] each of them
/// may announce ten times, open twenty channels and send 200 tiny messages a second, all the
/// time and all at once.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Where peers may ask for their own addresses; of more than [`MAX_STUN`] the first.
    pub stun: Vec<StunServer>,
    /// Whether peers are told to spare the relay.
    pub relay: RelayUse,
    /// Peers are told to make no links of their own.
    pub relay_only: bool,
    /// Time between a client's announces.
    pub announce_interval: Duration,
    /// A member that has not announced for this long leaves the swarm.
    pub member_expiry: Duration,
    /// Time between the announces of an ordinary client, one that is not connected.
    pub socket_interval: Duration,
    /// One that has not announced for this long leaves the swarm.
    pub socket_expiry: Duration,
    /// A wish for a channel that is not answered for this long is refused.
    pub open_timeout: Duration,
    /// A channel that carries nothing for this long, either way, is closed.
    pub channel_idle: Duration,
    /// Connections at once; shared out.
    pub max_connections: usize,
    /// Swarms at once; shared out. A swarm is charged to the source of one of its members.
    pub max_swarms: usize,
    /// Memberships at once, of all connections in all swarms; shared out.
    pub max_memberships: usize,
    /// Swarms that one connection may be in.
    pub max_swarms_per_connection: usize,
    /// Channels that one connection may be an end of, pending ones included. Those that
    /// others open to it are shared out.
    pub max_channels_per_connection: usize,
    /// Time in which one source may ask one connection for one more channel,
    pub offer_interval: Duration,
    /// and how many it may ask for at once after it did not ask for long.
    pub offer_burst: u32,
    /// Sources that a connection remembers though they have no channels to it, before those are
    /// forgotten that may ask as if they never had.
    pub remembered_offers: usize,
    /// Channels at once between the same two connections in one swarm.
    pub max_channels_per_pair: usize,
    /// Bytes of a bitfield that are kept for a member.
    pub max_bitfield: usize,
    /// Bytes of all bitfields; shared out. Beyond it only the number of pieces is kept.
    pub max_bitfields: usize,
    /// How long it is remembered that one member made a WebRTC offer to another, and neither is
    /// given another offer of the two (see `signal.rs`).
    pub offer_memory: Duration,
    /// Offers of one member that are remembered at once; more are not handed on.
    pub max_offers: usize,
    /// Bytes of offers and answers that may wait for one client that is slow to take them; more
    /// are dropped.
    pub max_signals: usize,
    /// Members told of in one answer.
    pub max_numwant: usize,
    /// The longest payload of a data frame.
    pub max_payload: usize,
    /// The most credit outstanding on one channel in one direction.
    pub max_credit: u32,
    /// Credit that every channel can count on in each direction, in bytes, where the other
    /// bounds allow it (see `relay/credit.rs`).
    pub channel_reserve: u32,
    /// Credit of less than this many bytes is not passed on by itself while the sender has some
    /// left and bytes of it are still to be written, which is when it is looked at again.
    pub worthwhile_credit: u32,
    /// Bytes that may be queued for, or on credit towards, one connection.
    pub max_inflight_per_connection: u64,
    /// Bytes that may be queued or on credit in the whole hub. What is beyond the reserves of
    /// channels is shared out. With the reserves it also bounds the channels of the hub, which
    /// are shared out too, and are charged to those who open them.
    pub max_inflight: u64,
    /// A frame of at least this many bytes is worth its place in a queue, however long that is;
    /// for smaller ones there are the next two bounds.
    pub small_frame: u32,
    /// Data frames that may be queued for one connection: tiny ones cost more than
    /// their bytes. Shared out between its channels.
    pub max_queued_frames: usize,
    /// Data frames that may be queued in the whole hub; shared out between the sources that
    /// are to receive them.
    pub max_queued_frames_everywhere: usize,
    /// Time of the server that the connections of one source may use in each second, all
    /// together (see `accounts.rs`): who wants more waits,
    pub work_per_source: Duration,
    /// how much of it can be saved up,
    pub work_burst: Duration,
    /// how long it is between two messages that tell a connection of it,
    pub slow_down_interval: Duration,
    /// and how much may be owed before the connection is ended. A shell that heeds
    /// [`super::Hub::paused_until`] lets nobody get that far.
    pub max_work_debt: Duration,
    /// Of what one source asks for over HTTP, for which it has half of
    /// [`HubConfig::work_per_source`] beside: how much can be saved up,
    pub visit_burst: Duration,
    /// and how long a request may have to wait. One that had to wait for longer is refused.
    pub max_visit_wait: Duration,
}

impl HubConfig {
    /// What a client is told that may have so many channels.
    pub(super) fn welcome(&self, member: MemberId, max_channels: usize) -> Welcome {
        let clamped = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Welcome {
            member,
            max_channels: clamped(max_channels),
            max_payload: clamped(self.max_payload),
            max_credit: self.max_credit,
            max_swarms: clamped(self.max_swarms_per_connection),
            stun: self.stun.iter().take(MAX_STUN).cloned().collect(),
            relay: self.relay,
            relay_only: self.relay_only,
        }
    }
}

impl Default for HubConfig {
    fn default() -> Self {
        HubConfig {
            // Nobody is sent to a server of which its operator knows nothing.
            stun: Vec::new(),
            relay: RelayUse::Free,
            relay_only: false,
            // Trackers usually say half an hour, but tabs come and go.
            announce_interval: Duration::from_secs(120),
            // Two announces may get lost, and a throttled tab may be late.
            member_expiry: Duration::from_secs(300),
            // As others have it; half an hour is usual, and two minutes would be for nothing, as
            // libtorrent waits five at the least.
            socket_interval: Duration::from_secs(900),
            // Half an interval late.
            socket_expiry: Duration::from_secs(1350),
            // A tab in the background answers within a second, a phone that wakes up within some.
            open_timeout: Duration::from_secs(30),
            // Peers send a keep-alive every two minutes (BEP 3); one may be late.
            channel_idle: Duration::from_secs(300),
            // Ten thousand from one address, and as many from others.
            max_connections: 20_000,
            // Two or three for each connection. A swarm of one takes less than 1 KiB.
            max_swarms: 50_000,
            // Ten each. About 250 bytes of memory for each of them.
            max_memberships: 200_000,
            // A person's whole list of torrents, all of them active.
            max_swarms_per_connection: 100,
            // Five torrents with as many peers each as an engine has.
            max_channels_per_connection: 256,
            // Four a second, and all tabs of a classroom at once.
            offer_interval: Duration::from_millis(250),
            offer_burst: 256,
            // About 1 KiB; a small swarm's sources all fit.
            remembered_offers: 16,
            // Two wishes may cross, and the ends decide which one stays.
            max_channels_per_pair: 2,
            // Enough for the largest torrent.
            max_bitfield: MAX_BITFIELD,
            // Of torrents with 1,000 pieces, all memberships take a tenth.
            max_bitfields: 256 << 20,
            // Offers of WebTorrent live 50 s.
            offer_memory: Duration::from_secs(60),
            // Ten announces of WebTorrent, five of libtorrent; about 15 KiB.
            max_offers: 50,
            // A hundred offers of 10 KiB.
            max_signals: 1 << 20,
            // As many peers as an engine has.
            max_numwant: 50,
            // Fewer and larger messages cost less, and half of the longest message leaves a slow
            // line free for other channels soon enough.
            max_payload: MAX_MESSAGE / 2,
            // A fifth of a second of 160 MB/s: between two peers of which each is 100 ms there
            // and back from here.
            max_credit: 32 << 20,
            // What a peer says beside blocks fits, and 256 channels of one connection take 1 MiB of
            // the 16 that are set apart.
            channel_reserve: 4 << 10,
            // A block (BEP 3).
            worthwhile_credit: 16 << 10,
            // One channel may have half of the half that is no reserve: as much credit.
            max_inflight_per_connection: 128 << 20,
            // What a small server has to spare.
            max_inflight: 1 << 30,
            // Beside its payload a frame takes about 150 bytes here.
            small_frame: 1 << 10,
            // So 2.5 MiB, and 150 MiB.
            max_queued_frames: 1 << 14,
            max_queued_frames_everywhere: 1 << 20,
            // A third of one core: of two, one and two thirds are left for the others.
            work_per_source: Duration::from_millis(300),
            // A tab that comes back with all of its torrents.
            work_burst: Duration::from_millis(500),
            // It is for a person to read.
            slow_down_interval: Duration::from_secs(60),
            // The dearest message costs less than a millisecond.
            max_work_debt: Duration::from_secs(5),
            // Ten thousand tabs behind one address that all come back at once, or the page for a
            // few thousand of them.
            visit_burst: Duration::from_secs(1),
            // A person waits for so long; and who floods is answered so seldom.
            max_visit_wait: Duration::from_secs(2),
        }
    }
}
