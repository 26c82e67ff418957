//! How a torrent is doing where there is no terminal: a line now and then, and one at once when
//! the tracker goes away or comes back.

use std::time::Duration;

use swarm_core::engine::{TorrentState, TorrentView, TrackerView};
use tokio::time::Instant;

use crate::link::LinkStatus;
use crate::status;
use crate::text::plain;

/// How often a line is written.
const EVERY: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lines {
    last: Option<(Instant, TorrentState, String)>,
    /// Why the tracker is away, as it was told.
    away: Option<String>,
}

impl Lines {
    /// Something that happened to the link since this was last asked.
    pub(super) fn news(&mut self, link: Option<&LinkStatus>) -> Option<String> {
        match link? {
            LinkStatus::Down { reason, .. } if self.away.as_ref() != Some(reason) => {
                self.away = Some(reason.clone());
                Some(format!("tracker unreachable ({})", plain(reason)))
            }
            LinkStatus::Up if self.away.take().is_some() => {
                Some("connected to the tracker".to_owned())
            }
            LinkStatus::Down { .. } | LinkStatus::Up | LinkStatus::Connecting => None,
        }
    }

    /// How it goes, if that is to be written now.
    pub(super) fn progress(
        &mut self,
        now: Instant,
        torrent: &TorrentView,
        tracker: TrackerView,
        link: Option<&LinkStatus>,
    ) -> Option<String> {
        let line = status::line(torrent, tracker, link);
        if let Some((at, state, last)) = &self.last
            && *state == torrent.state
            && (now - *at < EVERY || *last == line)
        {
            return None;
        }
        self.last = Some((now, torrent.state, line.clone()));
        Some(match torrent.state {
            TorrentState::Hashing | TorrentState::Downloading => {
                format!("{:.0}%, {line}", (torrent.progress * 100.0).floor())
            }
            _ => line,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::tests::torrent;

    fn down(reason: &str, retry: u64) -> LinkStatus {
        LinkStatus::Down {
            reason: reason.to_owned(),
            retry_at: Instant::now() + Duration::from_secs(retry),
        }
    }

    #[test]
    fn a_tracker_that_goes_is_told_of_at_once_and_progress_now_and_then() {
        let mut lines = Lines::default();
        let begin = Instant::now();
        let mut view = torrent(TorrentState::Metadata);
        let progress = |lines: &mut Lines, after, view: &TorrentView| {
            let now = begin + Duration::from_secs(after);
            lines.progress(now, view, TrackerView::Down, None)
        };
        assert!(progress(&mut lines, 0, &view).is_some());
        assert_eq!(lines.news(Some(&LinkStatus::Connecting)), None);
        let told = lines.news(Some(&down("no\x1broute", 3)));
        assert_eq!(
            told.as_deref(),
            Some("tracker unreachable (no\u{fffd}route)")
        );
        assert_eq!(lines.news(Some(&down("no\x1broute", 2))), None);
        assert!(lines.news(Some(&down("refused", 5))).is_some());
        assert!(lines.news(Some(&LinkStatus::Up)).is_some());
        assert_eq!(lines.news(Some(&LinkStatus::Up)), None);

        view.up_rate = 1000;
        assert_eq!(progress(&mut lines, 9, &view), None);
        assert!(progress(&mut lines, 10, &view).is_some());
        assert_eq!(progress(&mut lines, 30, &view), None, "nothing is new");
        view.state = TorrentState::Downloading;
        let told = progress(&mut lines, 31, &view).unwrap_or_default();
        assert!(told.starts_with("50%, "), "{told}");
    }
}
