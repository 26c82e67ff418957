//! What the overlay does and allows. Every bound on its memory and its traffic is here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// See the module. "The network of the tests" is `core/tests/overlay.rs`'s: a thousand tabs that
/// begin as swarms of a dozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OverlayConfig {
    /// Links that are made for the overlay's sake, beside those that torrents have: none. A tab
    /// has 32: a bucket of two for each of ten doublings of the network, and as many that others
    /// want of us. None at all takes no part.
    pub links: usize,
    /// Neighbours in a bucket (Kademlia's k): two. Each is a WebRTC connection; one may go.
    pub bucket: usize,
    /// Links in the making at once, for the overlay's sake: two. A browser that makes many drops
    /// some, and torrents come first.
    pub at_once: usize,
    /// A question is sent this many ways (Kademlia's α): three. One of them may be a liar's.
    pub ways: usize,
    /// What a torrent's members say is kept by whoever is nearest to what stands for it, and by
    /// this many of its neighbours: three. Half of them may vanish.
    pub copies: usize,
    /// A question is given up after this long, at every hop: fifteen seconds, as direct links
    /// are, since an answer to an offer takes a browser up to some seconds.
    pub timeout: Duration,
    /// Time until we look around again: after the last meeting, or look that showed somebody whom we
    /// want, five seconds; and a minute where nothing changes.
    pub look: (Duration, Duration),
    /// A torrent's members are looked for again after this long, then twice that, and so on up
    /// to the latter, while it has too few links: five seconds, five minutes.
    pub seek: (Duration, Duration),
    /// The same, for being announced: five seconds, since near neighbours may have come, and five
    /// minutes.
    pub announce: (Duration, Duration),
    /// An announcement is forgotten after this long: fifteen minutes, three announcements.
    pub expiry: Duration,
    /// Topics of which announcements are kept; of more, those farthest from us go: 256.
    pub topics: usize,
    /// Members of one topic that are kept, the latest: 16, as many as an answer has. With
    /// `topics`, 131 kB.
    pub members: usize,
    /// Questions under way that we ask or pass on: 512, 64 bytes each.
    pub calls: usize,
    /// Of them, those of one neighbour: 64.
    pub calls_each: usize,
    /// Questions of one neighbour that are taken in a minute: 240.
    pub a_minute: usize,
    /// Offers of one neighbour that are taken in a minute: 30, of at most 4 KiB.
    pub offers_a_minute: usize,
    /// Tabs that we were told of, and may want: 32.
    pub candidates: usize,
    /// Whom no link came about with is left alone for this long, then twice that, and so on up to
    /// the latter: a minute, a quarter of an hour. In a large network everybody is wanted by more
    /// than it has links for.
    pub rest: (Duration, Duration),
    /// Bridges that are known at once, one of which is asked for what nobody has all of: none, since
    /// each that is asked learns an info-hash. A tab has four, so that one that lies is not always
    /// asked again.
    pub bridges: usize,
    /// What we do as a bridge.
    pub bridge: BridgeConfig,
}

/// What a bridge carries for others: torrents that tabs ask for, and that are in mainline. Others
/// choose what, so everything is bounded by what one of usual size takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BridgeConfig {
    /// Torrents at once: none, and then we are no bridge. Where a person says so eight, with up to
    /// `max_peers` connections each.
    pub torrents: usize,
    /// Of them, those that one neighbour asked for: two, the one that it wants now and the next.
    pub torrents_each: usize,
    /// Bytes that they may take on the disk, together: 8 GiB, a film in each half of the torrents.
    pub bytes: u64,
    /// Torrents that are looked for in a minute: 20. A look-up takes some 20 queries, so this is
    /// less than a node of mainline sends to stay one, times ten.
    pub a_minute: usize,
    /// Of them, those that one neighbour asked for: four, a person who pastes links.
    pub a_minute_each: usize,
    /// Whose info dictionary is not here after this long is let go of: a minute. Of those who were found
    /// in mainline many don't answer, and some ask for half a minute of patience.
    pub patience: Duration,
    /// A torrent with which no tab is linked any more is let go of after this long: ten minutes,
    /// within which a tab that was closed by mistake comes back.
    pub idle: Duration,
    /// After this long a torrent gives way to another that is asked for: an hour. Whoever stays
    /// linked for ever would have its place for ever.
    pub turn: Duration,
    /// What was not found is not looked for again for the first; what is private (BEP 27), or too
    /// long, for the second: five minutes, as mainline's pauses; a day, since it stays what it is.
    pub again: (Duration, Duration),
    /// Of so many it is remembered that they are not carried: 512, of 32 bytes.
    pub refused: usize,
}

impl BridgeConfig {
    /// What a person gets who says that others may be carried torrents.
    pub fn on() -> Self {
        BridgeConfig {
            torrents: 8,
            ..BridgeConfig::default()
        }
    }
}

impl Default for BridgeConfig {
    fn default() -> Self {
        BridgeConfig {
            torrents: 0,
            torrents_each: 2,
            bytes: 8 << 30,
            a_minute: 20,
            a_minute_each: 4,
            patience: Duration::from_secs(60),
            idle: Duration::from_secs(10 * 60),
            turn: Duration::from_secs(60 * 60),
            again: (
                Duration::from_secs(5 * 60),
                Duration::from_secs(24 * 60 * 60),
            ),
            refused: 512,
        }
    }
}

impl Default for OverlayConfig {
    fn default() -> Self {
        let seconds = |least, most| (Duration::from_secs(least), Duration::from_secs(most));
        OverlayConfig {
            links: 0,
            bucket: 2,
            at_once: 2,
            ways: 3,
            copies: 3,
            timeout: Duration::from_secs(15),
            look: seconds(5, 60),
            seek: seconds(5, 300),
            announce: seconds(5, 300),
            expiry: Duration::from_secs(15 * 60),
            topics: 256,
            members: 16,
            calls: 512,
            calls_each: 64,
            a_minute: 240,
            offers_a_minute: 30,
            candidates: 32,
            rest: seconds(60, 900),
            bridges: 0,
            bridge: BridgeConfig::default(),
        }
    }
}
