//! Why a channel is not to be had, and what of it is a fault.

use crate::id::ChannelId;

/// Why a channel is not to be had, for a person to read, by what it counts as.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It makes no sense, or is there already.
    #[error("{0}")]
    Pointless(&'static str),
    /// Somebody has too many channels.
    #[error("{0}")]
    Channels(&'static str),
    /// Asked too often.
    #[error("{0}")]
    Offers(&'static str),
}

/// A client broke the protocol; in words that it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::hub) enum Violation {
    #[error("a data frame of {length} bytes, at most {max} are allowed")]
    TooLong { length: usize, max: usize },
    #[error("{length} bytes through channel {} on a credit of {credit}", channel.0)]
    BeyondCredit {
        length: usize,
        channel: ChannelId,
        credit: u32,
    },
    #[error("there is no channel {}", .0.0)]
    NoChannel(ChannelId),
    #[error("channel {} is not yours", .0.0)]
    NotYours(ChannelId),
    #[error("channel {} was not accepted yet", .0.0)]
    NotAccepted(ChannelId),
    #[error("channel {} is open already", .0.0)]
    OpenAlready(ChannelId),
    #[error("channel {} is for the other end to accept", .0.0)]
    NotYoursToAccept(ChannelId),
}
