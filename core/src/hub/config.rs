//! What a hub allows. Every bound on its memory is here.

use std::time::Duration;

use crate::wire::relay::MAX_BITFIELD;

/// See the module. The defaults suit one server for a few thousand tabs.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Time between a client's announces.
    pub announce_interval: Duration,
    /// A member that has not announced for this long leaves the swarm.
    pub member_expiry: Duration,
    /// A wish for a channel that is not answered for this long is refused.
    pub open_timeout: Duration,
    /// Connections at once. One source may have half of them.
    pub max_connections: usize,
    /// Swarms at once.
    pub max_swarms: usize,
    /// Swarms that one connection may be in.
    pub max_swarms_per_connection: usize,
    /// Channels that one connection may be an end of, pending ones included.
    pub max_channels_per_connection: usize,
    /// Bytes of a bitfield that are kept for a member.
    pub max_bitfield: usize,
    /// Bytes of all bitfields. Beyond it only the number of pieces is kept.
    pub max_bitfields: usize,
    /// Members told of in one answer.
    pub max_numwant: usize,
    /// The longest payload of a data frame.
    pub max_payload: usize,
    /// The most credit outstanding on one channel in one direction.
    pub max_credit: u32,
    /// Bytes that may be queued for, or on credit towards, one connection.
    pub max_inflight_per_connection: u64,
    /// Bytes that may be queued or on credit in the whole hub.
    pub max_inflight: u64,
    /// Data frames that may be queued for one connection: tiny ones cost more than
    /// their bytes.
    pub max_queued_frames: usize,
}

impl Default for HubConfig {
    fn default() -> Self {
        HubConfig {
            announce_interval: Duration::from_secs(120),
            // Two announces may get lost, and a throttled tab may be late.
            member_expiry: Duration::from_secs(300),
            open_timeout: Duration::from_secs(30),
            max_connections: 20_000,
            max_swarms: 50_000,
            max_swarms_per_connection: 100,
            max_channels_per_connection: 256,
            max_bitfield: MAX_BITFIELD,
            max_bitfields: 256 << 20,
            max_numwant: 50,
            max_payload: 512 << 10,
            max_credit: 4 << 20,
            max_inflight_per_connection: 32 << 20,
            max_inflight: 1 << 30,
            max_queued_frames: 1 << 16,
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
