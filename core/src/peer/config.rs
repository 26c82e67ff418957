//! Who has a place, how much is asked of a peer, and how much it may cost us.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// How many ways there are to one peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PathsConfig {
    /// Channels to one peer at once, one or two: the second is to take over when the first
    /// ends, or because it is better. One, unless the host has several kinds of links, or
    /// several links: where there is one, nobody needs to be told how to be known again.
    pub channels: usize,
    /// A peer whose last channel broke, and who comes back within this time, is the same to us:
    /// half a minute, in which a host connects again, or another way is found. Only where
    /// there may be two channels, and both have said so.
    pub grace: Duration,
    /// Peers that are waited for that way, in one torrent: 50, as many as may be connected.
    /// Less than a kilobyte each.
    pub adrift: usize,
    /// Channels for which there is no place, unless they turn out to lead to peers who have
    /// one: eight at once, for `places.patience` each.
    pub guests: usize,
    /// Whoever calls us by a wire says within this time for which torrent: ten seconds, as
    /// libtorrent's `handshake_timeout`.
    pub handshake: Duration,
    /// Callers that have not done so, at once; one more takes the place of the first. 64: as
    /// many as arrive in a burst, each a socket and less than a handshake.
    pub strangers: usize,
    /// Which of two ways to a peer is used, where none is to be spared.
    pub measure: MeasureConfig,
    /// Direct links beside the relay.
    pub direct: DirectConfig,
    /// Direct links where there is no relay.
    pub introduce: IntroduceConfig,
    /// WebRTC connections to peers that speak WebTorrent's protocol.
    pub rtc: RtcConfig,
}

/// When the other way to a peer is tried, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeasureConfig {
    /// A way that brings so many bytes a second is not left: 32 MiB, more than browsers' data
    /// channels carry between two tabs of one machine, so a trial could only cost. Nothing at all
    /// tries none.
    pub enough: u64,
    /// The peer owed us blocks for so long, without a pause, before another way is tried: five
    /// seconds. What takes less time than that is not worth a trial.
    pub busy: Duration,
    /// Where the peer owes us something, and nothing at all comes for so long, the other way is
    /// tried at once: five seconds, by which a browser sees that a link is gone.
    pub stuck: Duration,
    /// For so long at most what was asked for is waited for before the talk goes another way:
    /// two seconds, four times [`RequestConfig::queue_time`].
    pub drain: Duration,
    /// For so long at most the first block of a trial is waited for: three seconds, thirty round
    /// trips of a bad line, as [`RequestConfig::doubt`].
    pub patience: Duration,
    /// What comes in the first moments does not count: half a second, in which a data channel's
    /// window grows.
    pub settle: Duration,
    /// Then the trial lasts one second where it brings less than half, and three otherwise: a
    /// peer that serves others too gives all of them a turn in that.
    pub span: (Duration, Duration),
    /// How long until the next trial: a minute, and where it changed nothing, five, and thirty.
    /// A minute again as soon as the way brings less than half of what it did, or nothing.
    pub retry: [Duration; 3],
}

impl Default for MeasureConfig {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        MeasureConfig {
            enough: 32 << 20,
            busy: seconds(5),
            stuck: seconds(5),
            drain: seconds(2),
            patience: seconds(3),
            settle: Duration::from_millis(500),
            span: (seconds(1), seconds(3)),
            retry: [60, 300, 1800].map(seconds),
        }
    }
}

/// When WebRTC connections are made by way of trackers, as WebTorrent's clients do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RtcConfig {
    /// Offers of ours that are out at once, in all torrents together, and as many of others that
    /// are being answered; none at all takes part in nothing of it. None by default, because the
    /// host has to know how; eight where it does: WebTorrent has five in each announce, and a
    /// browser takes 500 connections.
    pub at_once: usize,
    /// The host describes its end within this time: ten seconds, of which gathering candidates
    /// takes two.
    pub describe: Duration,
    /// An offer that nobody has answered by then is given up: half a minute. WebTorrent's clients
    /// take up to five seconds to answer, and hold offers of their own for fifty.
    pub answer: Duration,
    /// A connection that is not there so long after the answer is given up: 25 seconds, as with
    /// WebTorrent.
    pub connect: Duration,
    /// Where a connection did not come about, or was closed by the other end, so long after it
    /// the tracker is told anew, and asked for others: a minute, for which our own hub hands on
    /// no second offer between the same two.
    pub retry: Duration,
    /// A tracker that is not ours is announced to no sooner than this after the last time,
    /// whatever it says: fifteen seconds, and an hour at the latest.
    pub interval: (Duration, Duration),
    /// A peer that wants something of us is not kept choked for longer than this, as WebTorrent
    /// leaves who does so after five seconds: three.
    pub choked: Duration,
}

impl Default for RtcConfig {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        RtcConfig {
            at_once: 0,
            describe: seconds(10),
            answer: seconds(30),
            connect: seconds(25),
            retry: seconds(60),
            interval: (seconds(15), seconds(3600)),
            choked: seconds(3),
        }
    }
}

/// When direct links (WebRTC) are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DirectConfig {
    /// Links of one torrent that are being made at once; none at all makes none. None by
    /// default, because the host has to know how; four where it does: each asks the browser
    /// for some sockets, and a swarm is linked in some seconds all the same.
    pub at_once: usize,
    /// How old a session is, or how many bytes it moved, before it is worth one: ten seconds,
    /// or 1 MiB. At once where the relay is to be spared.
    pub after: (Duration, u64),
    /// A link that is not there by then is given up: fifteen seconds; most take one.
    pub timeout: Duration,
    /// How long until the next offer to somebody who refused one at once, most likely because
    /// it makes as many links as it may; twice as long after each, until that is longer than
    /// the first of `retry`. Five seconds: most links take one, those that don't come about
    /// `timeout`. Where twenty peers meet at once, half of all pairs are refused at first.
    pub busy: Duration,
    /// How long until the next try, after the first that came to nothing, the second, and so
    /// on: one, five and thirty minutes. What stood in its way is most often there to stay.
    pub retry: [Duration; 3],
}

impl Default for DirectConfig {
    fn default() -> Self {
        DirectConfig {
            at_once: 0,
            after: (Duration::from_secs(10), 1 << 20),
            timeout: Duration::from_secs(15),
            busy: Duration::from_secs(5),
            retry: [60, 300, 1800].map(Duration::from_secs),
        }
    }
}

/// How those who are linked directly introduce each other, so that a swarm outlives its servers.
/// All of it is off where [`DirectConfig::at_once`] is nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntroduceConfig {
    /// Introductions are asked for while there are fewer direct links than that: twelve. When half
    /// of a thousand peers vanish, that leaves 99.9 % of the rest in one piece, eight 99.1 %. None
    /// at all takes no part in any of it.
    pub keep: usize,
    /// A neighbour is told what changed no sooner than this after the last time: ten seconds.
    /// Who tells us twice as often is not listened to.
    pub pause: Duration,
    /// Peers that are told at once, or not any more: eight, so that with `pause` there are fewer
    /// than fifty in a minute (BEP 11).
    pub most: usize,
    /// Peers that are remembered of what one neighbour tells: fifty, as many as it may be
    /// connected with. 24 bytes each.
    pub names: usize,
    /// Descriptions that are carried for one neighbour and not answered: eight.
    pub outstanding: usize,
    /// Offers that are carried for one neighbour, or to it, or heard through it, in a minute: ten,
    /// of at most 4 KiB.
    pub a_minute: usize,
    /// Where a neighbour has carried so many descriptions that are not of the certificate that
    /// it had told of, it is asked no more: three. One may be somebody else's fault.
    pub altered: usize,
}

impl Default for IntroduceConfig {
    fn default() -> Self {
        IntroduceConfig {
            keep: 12,
            pause: Duration::from_secs(10),
            most: 8,
            names: 50,
            outstanding: 8,
            a_minute: 10,
            altered: 3,
        }
    }
}

impl PathsConfig {
    /// There may be more channels to one peer than one.
    pub(crate) fn several(&self) -> bool {
        self.channels > 1
    }
}

impl Default for PathsConfig {
    fn default() -> Self {
        PathsConfig {
            channels: 1,
            grace: Duration::from_secs(30),
            adrift: 50,
            guests: 8,
            handshake: Duration::from_secs(10),
            strangers: 64,
            measure: MeasureConfig::default(),
            direct: DirectConfig::default(),
            introduce: IntroduceConfig::default(),
            rtc: RtcConfig::default(),
        }
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
