//! What a torrent is doing, in words.

use swarm_core::engine::{Standing, TorrentState, TorrentView};

use super::files::Choice;
use crate::page::format::{bytes, count, duration, rate};

/// One sentence. `sources` of the peers send something just now.
pub(crate) fn state(facts: &TorrentView, choice: &Choice, sources: usize) -> String {
    let peers = facts.peers.len();
    // Nobody comes who can't find it.
    let unseen = (peers == 0).then(|| unseen(&facts.standing)).flatten();
    match (facts.state, peers) {
        (TorrentState::Hashing, _) => "Checking what is here already".to_owned(),
        (TorrentState::Metadata | TorrentState::Downloading, 0) if unseen.is_some() => {
            format!("Waiting: {}", unseen.unwrap_or_default())
        }
        (TorrentState::Metadata, 0) => "Looking for somebody who has it".to_owned(),
        (TorrentState::Metadata, _) => format!("Asking {} what it is", count(peers, "peer")),
        (TorrentState::Downloading, 0) => "Waiting for somebody who has it".to_owned(),
        (TorrentState::Downloading, _) if sources == 0 => {
            format!("Connected to {}, waiting for pieces", count(peers, "peer"))
        }
        (TorrentState::Downloading, _) => {
            format!("Getting it from {sources} of {}", count(peers, "peer"))
        }
        (TorrentState::Seeding, _) => {
            let end = match (peers, unseen) {
                (0, Some(why)) => format!(", but nobody can get it now: {why}"),
                (0, None) => ". Send the link, and keep this tab open".to_owned(),
                _ if facts.copies > 0 => {
                    ". The others hold every piece between them: this tab may close".to_owned()
                }
                _ if facts.up_rate > 0 => format!(", passing it on to {}", count(peers, "peer")),
                _ => format!(", connected to {}", count(peers, "peer")),
            };
            match choice.is_all() {
                true => format!("Complete{end}"),
                false => format!("{} complete{end}", choice.count()),
            }
        }
        (TorrentState::Paused, _) => "Paused: nothing is fetched and nothing passed on".to_owned(),
        (TorrentState::Error, _) => {
            let reason = facts.error.as_deref().unwrap_or("something went wrong");
            format!("Stopped: {reason}")
        }
    }
}

/// Why others can't find it, if they can't.
fn unseen(standing: &Standing) -> Option<String> {
    match standing {
        // Most often it takes a blink.
        Standing::Joining | Standing::Member => None,
        Standing::Away => Some("the tracker is not connected".to_owned()),
        Standing::Waiting => Some(
            "the tracker takes only so many at a time from one tab, and it is the turn of others"
                .to_owned(),
        ),
        Standing::Refused(reason) => Some(format!(
            "the tracker says: {reason}. It is asked again in a while"
        )),
    }
}

/// Of the files that are wanted.
pub(crate) fn size(facts: &TorrentView, choice: &Choice) -> Option<String> {
    let length = choice.length;
    let verified = (facts.progress * length as f64) as u64;
    match choice.files {
        0 => None,
        _ if facts.progress >= 1.0 => Some(bytes(length)),
        _ => Some(format!("{} of {}", bytes(verified), bytes(length))),
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
    let is_downloading = facts.state == TorrentState::Downloading;
    facts.eta.filter(|_| is_downloading).map(duration)
}

pub(crate) fn sent(facts: &TorrentView) -> Option<String> {
    (facts.uploaded > 0).then(|| bytes(facts.uploaded))
}

pub(crate) fn wasted(facts: &TorrentView) -> Option<String> {
    (facts.wasted > 0).then(|| bytes(facts.wasted))
}

/// The tracker's figures are as old as its last answer: whoever is connected counts at once.
pub(crate) fn swarm(facts: &TorrentView, choice: &Choice) -> Option<String> {
    if facts.complete == 0 && facts.incomplete == 0 {
        return None;
    }
    let own = facts.state == TorrentState::Seeding && choice.is_all();
    let peers = facts.peers.iter().filter(|peer| peer.progress >= 1.0);
    let seen_complete = peers.count() + usize::from(own);
    let complete = seen_complete.max(facts.complete as usize);
    let told = facts.complete.saturating_add(facts.incomplete) as usize;
    let members = told.max(facts.peers.len() + 1).max(complete);
    Some(format!("{complete} of {members} complete"))
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
        let swarm =
            |complete, incomplete, peers| swarm(&torrent(complete, incomplete, peers), &all);
        let said = |words: &str| Some(words.to_owned());
        assert_eq!(swarm(0, 0, Vec::new()), None, "not announced yet");
        assert_eq!(swarm(1, 0, Vec::new()), said("1 of 1 complete"));
        assert_eq!(swarm(1, 0, vec![peer(0.5)]), said("1 of 2 complete"));
        assert_eq!(swarm(1, 0, vec![peer(1.0)]), said("2 of 2 complete"));
        assert_eq!(swarm(1, 1, vec![peer(1.0)]), said("2 of 2 complete"));
        assert_eq!(swarm(30, 12, vec![peer(1.0)]), said("30 of 42 complete"));
    }
}
