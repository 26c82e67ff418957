//! Why a channel ends, or does not begin.
//!
//! Each reason has its name here, and the words that the other end reads in a `close`, and
//! people in a log. `docs/protocol.md` lists them, with what the other side may do.

use crate::pieces::BitfieldError;
use crate::wire::direct::SignalError;
use crate::wire::extension::ExtensionError;
use crate::wire::introduce::IntroductionError;
use crate::wire::overlay::OverlayError;
use crate::wire::peer::PeerWireError;
use crate::wire::trackers::TrackersError;

/// Why we end a channel, or decline one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ending {
    /// The peer did something wrong. It is not talked to for
    /// [`TrustConfig::shun`](super::config::TrustConfig::shun).
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It sent a block that is proven to be wrong. It is not talked to again.
    #[error("sent corrupt data")]
    CorruptData,
    /// Its info dictionary has another hash. It is not talked to again.
    #[error("sent wrong metadata")]
    WrongMetadata,

    /// Nothing came for [`Config::idle_timeout`](super::Config::idle_timeout).
    #[error("silent for too long")]
    Silent,
    /// More small messages wait for it than
    /// [`Config::max_waiting`](super::Config::max_waiting) allows.
    #[error("takes nothing of what it is sent")]
    TakesNothing,
    /// It was of least use, and somebody else wanted its place.
    #[error("its place went to another peer")]
    PlaceTaken,
    /// We can't read a piece any more of which it was told: only a new session says so.
    #[error("it lost pieces that it had: meet again")]
    LostPieces,

    /// A person paused the torrent.
    #[error("paused")]
    Paused,
    /// The torrent stopped, see [`Failure`](super::Failure).
    #[error("stopped")]
    Stopped,
    /// A person removed the torrent.
    #[error("removed")]
    Removed,
    /// The tracker takes fewer swarms than there are torrents.
    #[error("it is another torrent's turn")]
    TurnOver,
    /// Nobody hears of it: the tracker, through which all channels go, is gone.
    #[error("the link to the tracker is gone")]
    LinkLost,

    /// A person wants no way to others but relays.
    #[error("only through relays")]
    RelayOnly,

    /// We have no such torrent.
    #[error("not taking part in this torrent")]
    UnknownTorrent,
    /// We have the torrent, which is paused, has stopped, or is being checked.
    #[error("not taking part at the moment")]
    NotRunning,
    /// The channel that we asked for came when we had no use for it any more.
    #[error("no longer wanted")]
    NotWanted,
    /// All places are taken, and nobody's can be given up for it.
    #[error("enough peers")]
    EnoughPeers,
    /// It leads to a peer to whom there are two channels, and is no better than they are.
    #[error("enough channels to one peer")]
    EnoughChannels,
    /// There is a session with this member.
    #[error("connected already")]
    ConnectedAlready,
    /// Both asked at once, and our wish is the one that counts.
    #[error("crossing")]
    Crossing,
    /// It ended with [`Ending::CorruptData`] or [`Ending::WrongMetadata`] before.
    #[error("sent corrupt data earlier")]
    Banned,
    /// It ended with an [`Ending::Fault`], not long ago.
    #[error("misbehaved a moment ago")]
    Shunned,
}

/// What a peer did wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its bytes are not the peer wire.
    #[error(transparent)]
    Wire(#[from] PeerWireError),
    /// A message of the extension protocol (BEP 9, 10) is malformed.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// A message about a direct link is malformed.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// A message about introductions is malformed.
    #[error(transparent)]
    Introduction(#[from] IntroductionError),
    /// A message of the overlay is malformed.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    /// A message about trackers is malformed.
    #[error(transparent)]
    Trackers(#[from] TrackersError),
    /// Its bitfield does not fit the torrent.
    #[error(transparent)]
    Bitfield(#[from] BitfieldError),
    /// Its handshake names another info-hash.
    #[error("the handshake is for another torrent")]
    OtherTorrent,
    /// Its handshake has our own peer id.
    #[error("connected to ourselves")]
    Ourselves,

    /// A have message of a piece beyond the last one.
    #[error("has a piece that does not exist")]
    HasNoSuchPiece,
    /// More have messages before the metadata is known than are kept.
    #[error("too many have messages")]
    TooManyHaves,
    /// A suggestion (BEP 6) of a piece beyond the last one.
    #[error("suggests a piece that does not exist")]
    SuggestsNoSuchPiece,
    /// An allowed-fast message (BEP 6) of a piece beyond the last one.
    #[error("allows a piece that does not exist")]
    AllowsNoSuchPiece,

    /// A request beyond the torrent, or of a length that is not answered.
    #[error("asks for a block that does not exist")]
    AsksForNoSuchBlock,
    /// A request of a piece that was not announced, by one without the Fast extension, to
    /// whom it can't be rejected.
    #[error("asks for a piece that we don't have")]
    AsksForMissingPiece,
    /// More requests than [`Config::max_incoming_requests`](super::Config::max_incoming_requests).
    #[error("too many requests at once")]
    TooManyRequests,
    /// More answers wait for it than [`Config::max_waiting`](super::Config::max_waiting)
    /// allows, and it asks for another.
    #[error("asks on and takes no answers")]
    TakesNoAnswers,

    /// A block before the metadata is known, when nobody can have asked for any.
    #[error("a block that nobody asked for")]
    EarlyBlock,
    /// A block beyond the torrent.
    #[error("a block that does not exist")]
    NoSuchBlock,
    /// More blocks that nobody asked for than
    /// [`TrustConfig::max_unrequested`](super::config::TrustConfig::max_unrequested).
    #[error("sends what nobody asked for")]
    Unrequested,
    /// It rejects (BEP 6) a block beyond the torrent.
    #[error("rejects a block that does not exist")]
    RejectsNoSuchBlock,
    /// It rejects (BEP 6) a block that was not asked of it.
    #[error("rejects what nobody asked for")]
    RejectsUnasked,
    /// It left requests unanswered for
    /// [`TrustConfig::max_debt`](super::config::TrustConfig::max_debt), or broke
    /// [`max_broken_promises`](super::config::TrustConfig::max_broken_promises).
    #[error("claims pieces that it does not deliver")]
    BrokenPromises,
    /// A piece of the metadata (BEP 9) that is not the next one of those asked for.
    #[error("metadata that was not asked for")]
    UnaskedMetadata,

    /// It made more work than [`WorkConfig`](super::config::WorkConfig) allows.
    #[error("sends more than it may of what leads to nothing")]
    Flood,
    /// Nobody hears of it: what was said before ended the session already.
    #[error("the session is gone")]
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that an error of these files says, as they are written.
    fn words() -> Vec<&'static str> {
        let sources = [
            include_str!("ending.rs"),
            include_str!("../wire/peer.rs"),
            include_str!("../wire/extension.rs"),
            include_str!("../pieces/bitfield.rs"),
        ];
        let sources = sources.iter().flat_map(|source| source.lines());
        let words = sources.filter_map(|line| {
            let words = line.trim_start().strip_prefix("#[error(\"")?;
            words.strip_suffix("\")]")
        });
        words.collect()
    }

    /// With a dash for whatever differs from one time to the next.
    fn gist(words: &str, [begin, end]: [char; 2]) -> String {
        let mut gist = String::new();
        let mut rest = words;
        while let Some((before, behind)) = rest.split_once(begin) {
            let Some((_, behind)) = behind.split_once(end) else {
                break;
            };
            gist.push_str(before);
            gist.push('-');
            rest = behind;
        }
        gist + rest
    }

    #[test]
    fn the_documentation_lists_every_ending() {
        let documentation = include_str!("../../../docs/protocol.md");
        let list = documentation.split_once("### Every ending of a channel");
        let (_, list) = list.expect("there is a list");
        let (list, _) = list.split_once("\n### ").expect("something follows it");
        let list = gist(list, ['*', '*']);
        let said = words();
        assert!(said.len() > 40, "{said:?}");
        let mut unlisted: Vec<_> = said
            .into_iter()
            .map(|words| gist(words, ['{', '}']))
            .collect();
        unlisted.retain(|words| !list.contains(&format!("\"{words}\"")));
        // What is wrong with an extension message is said with one prefix, and one is never said.
        unlisted.retain(|words| !words.starts_with("bad extension message: "));
        assert_eq!(unlisted, [Fault::Gone.to_string()]);
    }
}
