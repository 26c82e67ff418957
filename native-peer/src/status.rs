//! How a torrent is doing, in one line.

use indicatif::{DecimalBytes, FormattedDuration};
use std::time::Duration;
use swarm_core::engine::{PeerPath, TorrentState, TorrentView, TrackerView};
use tokio::time::Instant;

use crate::link::LinkStatus;
use crate::text::plain;

/// What happens, how fast, and with whom.
pub fn line(torrent: &TorrentView, tracker: TrackerView, link: Option<&LinkStatus>) -> String {
    let mut parts = Vec::new();
    match torrent.state {
        TorrentState::Hashing => parts.push("checking what is here".to_owned()),
        TorrentState::Metadata if torrent.peers.is_empty() => {
            parts.push("looking for somebody who has the torrent: nobody yet".to_owned());
        }
        TorrentState::Metadata => parts.push("asking peers what is in the torrent".to_owned()),
        TorrentState::Downloading => {
            parts.push(rate(torrent.down_rate));
            if let Some(seconds) = torrent.eta {
                parts.push(format!(
                    "{} left",
                    FormattedDuration(Duration::from_secs(seconds))
                ));
            }
        }
        TorrentState::Seeding => {
            parts.push("seeding".to_owned());
            parts.push(format!("{} sent", DecimalBytes(torrent.uploaded)));
        }
        TorrentState::Paused => parts.push("paused".to_owned()),
        TorrentState::Error => parts.push(plain(torrent.error.as_deref().unwrap_or("stopped"))),
    }
    if torrent.up_rate > 0 {
        parts.push(format!("{} up", rate(torrent.up_rate)));
    }
    if torrent.state != TorrentState::Metadata || !torrent.peers.is_empty() {
        parts.push(peers(torrent));
    }
    if torrent.state == TorrentState::Seeding && torrent.copies > 0 {
        parts.push("the others have it all between them".to_owned());
    }
    parts.extend(link.and_then(|link| trouble(tracker, link)));
    parts.join(", ")
}

/// How many, and how they are reached.
fn peers(torrent: &TorrentView) -> String {
    let count = |path| {
        torrent
            .peers
            .iter()
            .filter(|peer| peer.path == path)
            .count()
    };
    let mut all = match torrent.peers.len() {
        1 => "1 peer".to_owned(),
        n => format!("{n} peers"),
    };
    let ways = [
        (count(PeerPath::Tcp), "by TCP"),
        (count(PeerPath::Direct), "direct"),
        (count(PeerPath::WebTorrent), "by WebTorrent"),
        (count(PeerPath::Relay), "relayed"),
        (count(PeerPath::WebSeed), "by web seed"),
    ];
    let ways = ways.iter().filter(|(count, _)| *count > 0);
    let ways: Vec<String> = ways.map(|(count, how)| format!("{count} {how}")).collect();
    if !ways.is_empty() {
        all += &format!(" ({})", ways.join(", "));
    }
    all
}

/// What is wrong with the link to the tracker, if something is.
fn trouble(tracker: TrackerView, link: &LinkStatus) -> Option<String> {
    match link {
        LinkStatus::Connecting => Some("connecting to the tracker".to_owned()),
        LinkStatus::Down { reason, retry_at } => {
            let wait = retry_at.saturating_duration_since(Instant::now()).as_secs();
            let when = if wait > 0 {
                format!("next attempt in {wait} s")
            } else {
                "trying again".to_owned()
            };
            Some(format!("tracker unreachable ({}), {when}", plain(reason)))
        }
        LinkStatus::Up if tracker != TrackerView::Up => Some("waiting for the tracker".to_owned()),
        LinkStatus::Up => None,
    }
}

fn rate(bytes: u64) -> String {
    format!("{}/s", DecimalBytes(bytes))
}

/// How many bytes, for a person.
pub fn bytes(count: u64) -> String {
    DecimalBytes(count).to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use swarm_core::engine::Standing;
    use swarm_core::id::InfoHash;
    use swarm_core::pieces::{Strategy, Waste};

    pub(crate) fn torrent(state: TorrentState) -> TorrentView {
        TorrentView {
            info_hash: InfoHash([7; 20]),
            state,
            progress: 0.5,
            down_rate: 2_500_000,
            up_rate: 0,
            downloaded: 500,
            uploaded: 0,
            wasted: 0,
            waste: Waste::default(),
            strategy: Strategy::RarestFirst,
            eta: Some(83),
            complete: 1,
            incomplete: 1,
            copies: 0,
            standing: Standing::Member,
            peers: vec![],
            error: None,
        }
    }

    #[test]
    fn a_download_shows_speed_time_and_peers() {
        let line = line(
            &torrent(TorrentState::Downloading),
            TrackerView::Up,
            Some(&LinkStatus::Up),
        );
        assert_eq!(line, "2.50 MB/s, 00:01:23 left, 0 peers");
    }

    #[tokio::test]
    async fn a_lost_tracker_is_told_in_words() {
        let link = LinkStatus::Down {
            reason: "Connection refused".to_owned(),
            retry_at: Instant::now(),
        };
        let line = line(
            &torrent(TorrentState::Metadata),
            TrackerView::Down,
            Some(&link),
        );
        assert!(
            line.contains("tracker unreachable (Connection refused), trying again"),
            "{line}"
        );
    }

    #[test]
    fn an_error_is_shown_without_its_control_characters() {
        let torrent = TorrentView {
            error: Some("\x1b[31mdisk".to_owned()),
            ..torrent(TorrentState::Error)
        };
        let line = line(&torrent, TrackerView::Up, None);
        assert!(line.contains("disk") && !line.contains('\x1b'), "{line}");
    }
}
