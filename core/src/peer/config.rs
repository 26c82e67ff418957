//! How much is asked of a peer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much is asked of a peer at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestConfig {
    /// Requests in flight to a peer at the start. From there one more for each block that
    /// comes (slow start, as in TCP), until the rate stops growing. Four blocks are no
    /// burden on a slow link, and a fast one has doubled them often before a second is over.
    pub start: usize,
    /// Requests in flight at least and at most; the most is 4 MiB, the window of a channel.
    pub queue: (usize, usize),
    /// After the slow start: what the peer sends in its round trip and this time more.
    /// Half a second (libtorrent's `request_queue_time` is three): it bridges the moments in
    /// which the peer serves others, a peer that stops owes us no more than that, and no
    /// piece is late because it was asked of somebody long before its turn.
    pub queue_time: Duration,
    /// A peer that owes us blocks, and sends none for this long, is asked for little until
    /// it does, and the blocks are asked of others (libtorrent's `piece_timeout`). From a peer
    /// that was seen to be slow we wait for longer, at most as long as `snub`.
    pub timeout: Duration,
    /// A peer that owes us blocks for this long earns no upload slot (anti-snubbing, BEP 3:
    /// a minute).
    pub snub: Duration,
    /// Of how many peers the last blocks are asked (endgame, BEP 3). Two: the second request
    /// rescues a block from a slow peer, a third mostly buys a duplicate.
    pub endgame_copies: u8,
    /// With [`Strategy::RarestFirst`](crate::pieces::Strategy::RarestFirst), so many pieces are had before the rarest are begun:
    /// until then whatever comes soonest is best, because it can be traded. Four, as
    /// libtorrent's `initial_picker_threshold`.
    pub random_first: u32,
    /// Bytes ahead of the play position that [`Strategy::Streaming`](crate::pieces::Strategy::Streaming) gets in order: 16 MiB,
    /// a quarter of a minute of video at 8 Mbit/s.
    pub streaming_window: u64,
}

impl Default for RequestConfig {
    fn default() -> Self {
        RequestConfig {
            start: 4,
            queue: (4, 256),
            queue_time: Duration::from_millis(500),
            timeout: Duration::from_secs(20),
            snub: Duration::from_secs(60),
            endgame_copies: 2,
            random_first: 4,
            streaming_window: 16 << 20,
        }
    }
}
