//! What a download may cost, and what it cost for nothing.

use serde::{Deserialize, Serialize};

use crate::pieces::Cut;
#[cfg(doc)]
use crate::pieces::Strategy;

/// What a download may hold in memory, and numbers of its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownloadLimits {
    /// Bytes of pieces that are begun and not yet written, hashing and writing included.
    /// At least two pieces are always allowed. 24 MiB by default.
    pub bytes_in_progress: u64,
    /// How many peers one block may be asked of in the endgame. Two by default: the second
    /// request rescues a block from a slow peer, a third mostly buys a duplicate.
    pub endgame_copies: u8,
    /// With [`Strategy::RarestFirst`], so many pieces are had before the rarest are begun.
    /// Four by default, as in libtorrent.
    pub random_first: u32,
    /// Bytes ahead of the play position that [`Strategy::Streaming`] gets in order; at least
    /// two pieces. 16 MiB by default: about a quarter of a minute of video at 8 Mbit/s, and
    /// few enough pieces that a swarm of viewers still spreads what is rare.
    pub streaming_window: u64,
    /// Bad pieces of which it is remembered who sent which block, 24 bytes for each
    /// block. 64 by default; the oldest are forgotten.
    pub suspects: usize,
    /// Which pieces are moved in parts. Those above 16 MiB by default, in parts of 1 MiB.
    pub cut: Cut,
}

impl DownloadLimits {
    /// Bytes that a piece of this length may take in memory: one that is moved in parts has
    /// a quarter of all, so that a few make progress at once.
    pub(in crate::pieces) fn memory(&self, piece_length: u32) -> u64 {
        if !self.cut.in_parts(piece_length) {
            return u64::from(piece_length);
        }
        let least = 2 * u64::from(self.cut.part);
        (self.bytes_in_progress / 4).max(least)
    }
}

impl Default for DownloadLimits {
    fn default() -> Self {
        DownloadLimits {
            bytes_in_progress: 24 << 20,
            endgame_copies: 2,
            random_first: 4,
            streaming_window: 16 << 20,
            suspects: 64,
            cut: Cut {
                whole: 16 << 20,
                part: 1 << 20,
            },
        }
    }
}

/// Bytes that arrived for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waste {
    /// Blocks that were here already: the price of the endgame.
    pub duplicate: u64,
    /// Blocks that were not asked of whoever sent them, or no longer.
    pub unrequested: u64,
    /// Pieces whose hash was wrong, the good blocks in them included.
    pub corrupt: u64,
    /// Blocks of pieces in progress that were given up.
    pub given_up: u64,
}

impl Waste {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.duplicate + self.unrequested + self.corrupt + self.given_up
    }
}
