//! What a torrent is doing, in words.

use swarm_core::engine::{Standing, TorrentState, TorrentView};

use super::files::Choice;
use crate::page::format::{bytes, duration, rate};
use crate::page::words::{self, say};

/// One sentence. `sources` of the peers send something just now.
pub(crate) fn state(facts: &TorrentView, choice: &Choice, sources: usize) -> String {
    let peers = facts.peers.len();
    // Nobody comes who can't find it.
    let unseen = (peers == 0).then(|| unseen(&facts.standing)).flatten();
    match (facts.state, peers, unseen) {
        (TorrentState::Hashing, ..) => say!("Checking what is here already"),
        (TorrentState::Metadata | TorrentState::Downloading, 0, Some(why)) => {
            say!("Waiting: {why}", why = why)
        }
        (TorrentState::Metadata, 0, _) if is_alone(facts) => {
            say!("Nobody who has it is here now. It begins as soon as somebody is")
        }
        (TorrentState::Metadata, 0, _) => say!("Looking for somebody who has it"),
        (TorrentState::Metadata, ..) => say!("Asking {n} peer{s} what it is", n = peers),
        (TorrentState::Downloading, 0, _) => say!("Waiting for somebody who has it"),
        (TorrentState::Downloading, ..) if sources == 0 => {
            say!("Connected to {n} peer{s}, waiting for pieces", n = peers)
        }
        (TorrentState::Downloading, ..) => {
            say!(
                "Getting it from {sources} of {n} peer{s}",
                sources = sources,
                n = peers
            )
        }
        (TorrentState::Seeding, _, unseen) => complete(choice) + &seeding(facts, unseen),
        (TorrentState::Paused, ..) => say!("Paused: nothing is fetched and nothing passed on"),
        (TorrentState::Error, ..) => {
            let reason = facts.error.as_deref().unwrap_or("something went wrong");
            say!("Stopped: {reason}", reason = words::of(reason))
        }
    }
}

fn complete(choice: &Choice) -> String {
    match choice.is_all() {
        true => say!("Complete"),
        false => say!(
            "{wanted} of {n} file{s} complete",
            wanted = choice.wanted,
            n = choice.files
        ),
    }
}

/// What follows upon that it is complete.
fn seeding(facts: &TorrentView, unseen: Option<String>) -> String {
    match (facts.peers.len(), unseen) {
        (0, Some(why)) => say!(", but nobody can get it now: {why}", why = why),
        (0, None) => say!(". Send the link, and keep this tab open"),
        _ if facts.copies > 0 => {
            say!(". The others hold every piece between them: this tab may close")
        }
        (peers, _) if facts.up_rate > 0 => say!(", passing it on to {n} peer{s}", n = peers),
        (peers, _) => say!(", connected to {n} peer{s}", n = peers),
    }
}

/// Why others can't find it, if they can't.
fn unseen(standing: &Standing) -> Option<String> {
    match standing {
        // Most often it takes a blink.
        Standing::Joining | Standing::Member => None,
        Standing::Away => Some(say!("the tracker is not connected")),
        Standing::Waiting => Some(say!(
            "the tracker takes only so many at a time from one tab, and it is the turn of others"
        )),
        Standing::Refused(reason) => Some(say!(
            "the tracker says: {reason}. It is asked again in a while",
            reason = words::of(reason)
        )),
    }
}

/// Nobody is connected, and nobody can come.
pub(crate) fn is_unseen(facts: &TorrentView) -> bool {
    facts.peers.is_empty() && unseen(&facts.standing).is_some()
}

/// The tracker has answered, and knows of nobody but us.
fn is_alone(facts: &TorrentView) -> bool {
    (facts.complete, facts.incomplete) == (0, 1)
}

/// Of the files that are wanted.
pub(crate) fn size(facts: &TorrentView, choice: &Choice) -> Option<String> {
    let length = choice.length;
    let verified = (facts.progress * length as f64) as u64;
    match choice.files {
        0 => None,
        _ if facts.progress >= 1.0 => Some(bytes(length)),
        _ => Some(say!(
            "{verified} of {length}",
            verified = bytes(verified),
            length = bytes(length)
        )),
    }
}

pub(crate) fn down(facts: &TorrentView) -> Option<String> {
    (facts.state == TorrentState::Downloading).then(|| rate(facts.down_rate))
}

pub(crate) fn up(facts: &TorrentView) -> Option<String> {
    matches!(
        facts.state,
        TorrentState::Downloading | TorrentState::Seeding
    )
    .then(|| rate(facts.up_rate))
}

pub(crate) fn left(facts: &TorrentView) -> Option<String> {
    let is_coming = facts.state == TorrentState::Downloading && !facts.peers.is_empty();
    facts.eta.filter(|_| is_coming).map(duration)
}

pub(crate) fn sent(facts: &TorrentView) -> Option<String> {
    (facts.uploaded > 0).then(|| bytes(facts.uploaded))
}

pub(crate) fn wasted(facts: &TorrentView) -> Option<String> {
    (facts.wasted > 0).then(|| bytes(facts.wasted))
}

pub(crate) fn swarm(facts: &TorrentView, choice: &Choice) -> Option<String> {
    let (complete, members) = members(facts, choice).filter(|members| *members != (0, 1))?;
    Some(say!(
        "{complete} of {n} complete",
        complete = complete,
        n = members
    ))
}

/// How many are complete, of how many. The tracker's figures are as old as its last answer:
/// whoever is connected counts at once.
fn members(facts: &TorrentView, choice: &Choice) -> Option<(usize, usize)> {
    if facts.complete == 0 && facts.incomplete == 0 {
        return None;
    }
    let own = facts.state == TorrentState::Seeding && choice.is_all();
    let peers = facts.peers.iter().filter(|peer| peer.progress >= 1.0);
    let seen_complete = peers.count() + usize::from(own);
    let complete = seen_complete.max(facts.complete as usize);
    let told = facts.complete.saturating_add(facts.incomplete) as usize;
    let members = told.max(facts.peers.len() + 1).max(complete);
    Some((complete, members))
}

#[cfg(test)]
mod tests {
    use swarm_core::engine::{PeerPath, PeerView};
    use swarm_core::id::InfoHash;
    use swarm_core::pieces::{Strategy, Waste};
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn peer(progress: f64) -> PeerView {
        PeerView {
            peer_id: String::new(),
            client: String::new(),
            path: PeerPath::Relay,
            gateway: false,
            progress,
            down: 0,
            up: 0,
            down_rate: 0,
            up_rate: 0,
            unchoked_us: false,
            unchoked: false,
        }
    }

    /// A complete torrent.
    fn torrent(complete: u32, incomplete: u32, peers: Vec<PeerView>) -> TorrentView {
        TorrentView {
            info_hash: InfoHash([1; 20]),
            state: TorrentState::Seeding,
            progress: 1.0,
            down_rate: 0,
            up_rate: 0,
            downloaded: 0,
            uploaded: 0,
            wasted: 0,
            waste: Waste::default(),
            strategy: Strategy::default(),
            eta: None,
            complete,
            incomplete,
            copies: 0,
            standing: Standing::Member,
            peers,
            error: None,
        }
    }

    #[wasm_bindgen_test]
    fn a_peer_that_became_complete_counts_before_the_tracker_says_so() {
        let all = Choice::default();
        let members =
            |complete, incomplete, peers| members(&torrent(complete, incomplete, peers), &all);
        assert_eq!(members(0, 0, Vec::new()), None, "not announced yet");
        assert_eq!(members(1, 0, Vec::new()), Some((1, 1)));
        assert_eq!(members(1, 0, vec![peer(0.5)]), Some((1, 2)));
        assert_eq!(members(1, 0, vec![peer(1.0)]), Some((2, 2)));
        assert_eq!(members(1, 1, vec![peer(1.0)]), Some((2, 2)));
        assert_eq!(members(30, 12, vec![peer(1.0)]), Some((30, 42)));
    }
}
