//! What a hub allows. Every bound on its memory and its work is here.

use std::time::Duration;

use crate::wire::relay::MAX_BITFIELD;

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
    /// Time between a client's announces.
    pub announce_interval: Duration,
    /// A member that has not announced for this long leaves the swarm.
    pub member_expiry: Duration,
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
    /// Bytes of a bitfield that are kept for a member.
    pub max_bitfield: usize,
    /// Bytes of all bitfields; shared out. Beyond it only the number of pieces is kept.
    pub max_bitfields: usize,
    /// Members told of in one answer.
    pub max_numwant: usize,
    /// The longest payload of a data frame.
    pub max_payload: usize,
    /// The most credit outstanding on one channel in one direction.
    pub max_credit: u32,
    /// Bytes that may be queued for, or on credit towards, one connection.
    pub max_inflight_per_connection: u64,
    /// Bytes that may be queued or on credit in the whole hub. What is beyond the reserves of
    /// channels is shared out. With the reserves it also bounds the channels of the hub, which
    /// are shared out too, and are charged to those who open them.
    pub max_inflight: u64,
    /// Data frames that may be queued for one connection: tiny ones cost more than
    /// their bytes. Shared out between its channels.
    pub max_queued_frames: usize,
    /// Data frames that may be queued in the whole hub; shared out between the sources that
    /// are to receive them.
    pub max_queued_frames_everywhere: usize,
    /// Time of the server that the connections of one source may use in each second, all
    /// together (see `work.rs`): who wants more waits,
    pub work_per_source: Duration,
    /// how much of it can be saved up,
    pub work_burst: Duration,
    /// and how much may be owed before the connection is ended. A shell that heeds
    /// [`super::Hub::paused_until`] lets nobody get that far.
    pub max_work_debt: Duration,
}

impl Default for HubConfig {
    fn default() -> Self {
        HubConfig {
            announce_interval: Duration::from_secs(120),
            // Two announces may get lost, and a throttled tab may be late.
            member_expiry: Duration::from_secs(300),
            open_timeout: Duration::from_secs(30),
            // Peers send a keep-alive every two minutes (BEP 3); one may be late.
            channel_idle: Duration::from_secs(300),
            // Ten thousand from one address, and as many from others.
            max_connections: 20_000,
            max_swarms: 50_000,
            // Ten each. About 250 bytes of memory for each of them.
            max_memberships: 200_000,
            max_swarms_per_connection: 100,
            max_channels_per_connection: 256,
            // Four a second, and all tabs of a classroom at once.
            offer_interval: Duration::from_millis(250),
            offer_burst: 256,
            max_bitfield: MAX_BITFIELD,
            max_bitfields: 256 << 20,
            max_numwant: 50,
            max_payload: 512 << 10,
            // A fifth of a second of 160 MB/s: between two peers of which each is 100 ms there
            // and back from here.
            max_credit: 32 << 20,
            // One channel may have half of the half that is no reserve: as much credit.
            max_inflight_per_connection: 128 << 20,
            max_inflight: 1 << 30,
            // A frame takes about 150 bytes beside its payload: 2.5 MiB, and 150 MiB.
            max_queued_frames: 1 << 14,
            max_queued_frames_everywhere: 1 << 20,
            // A third of one core: of two, one and two thirds are left for the others.
            work_per_source: Duration::from_millis(300),
            work_burst: Duration::from_millis(500),
            // The dearest message costs less than a millisecond.
            max_work_debt: Duration::from_secs(5),
        }
    }
}

/// Credit that every channel can count on, in bytes, where the budgets allow it.
const RESERVE: u64 = 4 << 10;

/// What follows from a configuration (see `credit.rs`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Credit set apart for each direction of each channel.
    pub(super) reserve: u32,
    /// Channels of one connection, so that each has its reserve.
    pub(super) channels_per_connection: usize,
    /// Channels of the whole hub, so that each has its two reserves.
    pub(super) channels: usize,
}

impl Limits {
    pub(super) fn of(config: &HubConfig) -> Self {
        let wanted = config.max_channels_per_connection;
        let share = config.max_inflight_per_connection / 2 / (wanted.max(1) as u64);
        let reserve = RESERVE.min(config.max_credit.into()).min(share).max(1);
        let fitting =
            |bytes: u64, each: u64| usize::try_from(bytes / 2 / each).unwrap_or(usize::MAX);
        Limits {
            reserve: u32::try_from(reserve).expect("the reserve is at most RESERVE"),
            channels_per_connection: wanted
                .min(fitting(config.max_inflight_per_connection, reserve)),
            channels: fitting(config.max_inflight, 2 * reserve),
        }
    }
}
