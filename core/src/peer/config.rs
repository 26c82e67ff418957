//! Who has a place, how much is asked of a peer, and how much it may cost us.

mod paths;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use paths::{DirectConfig, IntroduceConfig, MeasureConfig, PathsConfig, RtcConfig};

/// Who has one of the places that `max_peers` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlacesConfig {
    /// A newcomer has this long to show that it is of use, and a member this long to answer
    /// when it is asked for a channel, before others are tried as well. Three seconds: ten
    /// round trips of a bad line.
    pub patience: Duration,
    /// A peer is of use for this long after a block went from one to the other: the window
    /// of tit-for-tat (BEP 3).
    pub exchange: Duration,
    /// Who lacks something and got nothing for this long takes a place from peers that have
    /// it and don't give it, too. Five seconds.
    pub starving: Duration,
    /// A peer that wants something, has an upload slot, and asks for nothing for this long
    /// wastes it: several round trips, and as long as a pause of garbage collection or of a
    /// hidden tab's timers.
    pub sitting: Duration,
    /// Such a peer comes last for slots for this long: two turns.
    pub sat: Duration,
    /// How long a member that refused, or was of no use, is left alone, at first and at most.
    /// It doubles each time. A second, because places change every few seconds; a minute,
    /// because each try is a few messages.
    pub knock: (Duration, Duration),
    /// Who gets nothing at all asks those that say to have everything again after this, at
    /// the latest. Eight seconds: of a thousand who wait for one seeder, that is a hundred
    /// small messages a second to it.
    pub haste: Duration,
    /// Members of one torrent that are remembered, with what came of asking them: ten times
    /// what the tracker tells of at once. 48 bytes each.
    pub prospects: usize,
    /// Who was asked so often in a row, and refuses again, is forgotten until the tracker tells
    /// of it anew: eight times, or three minutes with `knock` as it is.
    pub max_tries: u32,
}

impl PlacesConfig {
    /// Who has an upload slot and asked for nothing for so long hesitates, and others are tried
    /// beside it: a quarter of [`PlacesConfig::sitting`], half a second.
    pub fn hesitation(&self) -> Duration {
        self.sitting / 4
    }
}

/// How peers tell each other of peers (BEP 11).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PexConfig {
    /// A peer is told what changed no sooner than this after the last time: 65 seconds, as BEP 11
    /// wants no more than a message a minute, and libtorrent drops who sends seven. Who tells us
    /// twice as often is not listened to.
    pub pause: Duration,
    /// Addresses that are told, or listened to, at once: 50 (BEP 11).
    pub most: usize,
}

impl Default for PexConfig {
    fn default() -> Self {
        PexConfig {
            pause: Duration::from_secs(65),
            most: 50,
        }
    }
}

/// How much is asked of a peer at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestConfig {
    /// Requests in flight to a peer at the start. From there one more for each block that
    /// comes (slow start, as in TCP), until the rate stops growing. Four blocks are no
    /// burden on a slow link, and a fast one has doubled them often before a second is over.
    pub start: usize,
    /// Requests in flight at least, and at most to whoever answers soon; the most is 4 MiB, the
    /// window of a channel.
    pub queue: (usize, usize),
    /// Requests in flight to all peers of one torrent beyond that, where a peer is fast and far
    /// away: some times bandwidth × delay. They are shared out, a peer may have as many as it
    /// leaves free, so fifty have little more than one. What is asked in this way may be in
    /// progress beyond [`Config::bytes_in_progress`](crate::engine::Config::bytes_in_progress).
    /// None by default: 4 MiB from each are enough for a tab.
    pub far: usize,
    /// After the slow start: what the peer sends in its round trip and this time more.
    /// Half a second (libtorrent's `request_queue_time` is three): it bridges the moments in
    /// which the peer serves others, a peer that stops owes us no more than that, and no
    /// piece is late because it was asked of somebody long before its turn.
    pub queue_time: Duration,
    /// A peer that owes us blocks, and sends none for this long, is asked for little until
    /// it does, and the blocks are asked of others (libtorrent's `piece_timeout`). From a peer
    /// that was seen to be slow we wait for longer, at most as long as `snub`.
    pub timeout: Duration,
    /// A peer that owes us blocks, and sends none for this long, is doubted: others that have
    /// nothing else to do are asked for the same, and one that never sent anything is given
    /// up at once. Three seconds: thirty round trips of a bad line, and a block takes so
    /// long at 5 kB/s. Twice and four times that when it happens again, then it is asked for
    /// nothing until it sends something.
    pub doubt: Duration,
    /// Requests in flight to a peer that owes us blocks, until it delivers: after it did not for
    /// the first time, and after the second. Two and one: enough to show that it does, and
    /// little to lose. After the third time it is asked for nothing.
    pub owing: (usize, usize),
    /// Requests to one peer that are remembered after we gave them up, so that what comes of
    /// them late is no fault. 4096, many times the longest queue: only a peer that answers
    /// nothing at all comes near.
    pub max_given_up: usize,
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
            far: 0,
            queue_time: Duration::from_millis(500),
            timeout: Duration::from_secs(20),
            doubt: Duration::from_secs(3),
            owing: (2, 1),
            max_given_up: 4096,
            snub: Duration::from_secs(60),
            endgame_copies: 2,
            random_first: 4,
            streaming_window: 16 << 20,
        }
    }
}

/// What a peer's messages cost, in units of about the work that the smallest one makes (well
/// below a microsecond to take it apart, a few to take in a frame), and how many units it
/// has. What a transfer is made of is free: blocks that we asked for, the first news of each
/// piece; and each block that goes from one to the other pays for more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkConfig {
    /// Units that a peer may use at once. 20,000 is more than all that an honest peer says
    /// in an hour without a block exchanged, and a twentieth of a second of our time.
    pub burst: u32,
    /// Units a second that it gets back: fifty peers that use all of them cost some per cent
    /// of a core.
    pub rate: u32,
    /// For each data frame, or grant of less than `small_grant` bytes.
    pub frame: u32,
    /// A grant of at least so many bytes of credit is free: it moves enough. 1 KiB.
    pub small_grant: u32,
    /// For each message, and for each KiB of whatever comes.
    pub message: u32,
    /// For each dictionary (BEP 9, 10).
    pub dictionary: u32,
    /// What a block that was asked for pays back, in either direction: its bytes, its request,
    /// its cancellation, and the short frames that a hub without memory may cut it into.
    pub block: u32,
    /// What news of a piece pays back to those who are told: they may answer that they are
    /// interested now, or no longer.
    pub news: u32,
}

impl Default for WorkConfig {
    fn default() -> Self {
        WorkConfig {
            burst: 20_000,
            rate: 500,
            frame: 1,
            small_grant: 1 << 10,
            message: 1,
            dictionary: 16,
            block: 64,
            news: 8,
        }
    }
}

impl Default for PlacesConfig {
    fn default() -> Self {
        PlacesConfig {
            patience: Duration::from_secs(3),
            exchange: Duration::from_secs(20),
            starving: Duration::from_secs(5),
            sitting: Duration::from_secs(2),
            sat: Duration::from_secs(60),
            knock: (Duration::from_secs(1), Duration::from_secs(60)),
            haste: Duration::from_secs(8),
            prospects: 512,
            max_tries: 8,
        }
    }
}
