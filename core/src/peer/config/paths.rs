//! How many ways there are to one peer, when others are made, and when one is tried.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
    /// two seconds, four times [`RequestConfig::queue_time`](super::RequestConfig::queue_time).
    pub drain: Duration,
    /// For so long at most the first block of a trial is waited for: three seconds, thirty round
    /// trips of a bad line, as [`RequestConfig::doubt`](super::RequestConfig::doubt).
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
