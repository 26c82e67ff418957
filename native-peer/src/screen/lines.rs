//! How a torrent is doing where there is no terminal: a line now and then, and one at once when
//! the tracker goes away or comes back.

use std::time::Duration;

use swarm_core::engine::{TorrentState, TorrentView, TrackerView};
use tokio::time::Instant;

use crate::link::LinkStatus;
use crate::news::Turn;
use crate::status;

/// How often a line is written.
const EVERY: Duration = Duration::from_secs(10);

const AWAY: &str = "tracker unreachable";
const BACK: &str = "connected to the tracker";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// When a line was written, and what it says that can be news.
    last: Option<(Instant, TorrentState, String)>,
    /// Why the tracker is away, as it was told.
    away: Option<String>,
}

impl Lines {
    /// Something that happened to the link since this was last asked.
    pub(super) fn news(&mut self, link: Option<&LinkStatus>) -> Option<Turn> {
        match link? {
            LinkStatus::Down { reason, .. } if self.away.as_ref() != Some(reason) => {
                self.away = Some(reason.clone());
                Some(Turn {
                    past: BACK,
                    line: format!("{AWAY} ({reason})"),
                })
            }
            LinkStatus::Up if self.away.take().is_some() => Some(Turn {
                past: AWAY,
                line: BACK.to_owned(),
            }),
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
        let lasting = status::line(torrent, tracker, link.map(due).as_ref());
        if let Some((at, state, last)) = &self.last
            && *state == torrent.state
            && (now - *at < EVERY || *last == lasting)
        {
            return None;
        }
        self.last = Some((now, torrent.state, lasting));
        Some(match torrent.state {
            TorrentState::Hashing | TorrentState::Downloading => {
                format!("{:.0}%, {line}", (torrent.progress * 100.0).floor())
            }
            _ => line,
        })
    }
}

/// The link without the seconds until it is tried again, which go by anyway.
fn due(link: &LinkStatus) -> LinkStatus {
    match link {
        LinkStatus::Down { reason, .. } => LinkStatus::Down {
            reason: reason.clone(),
            retry_at: Instant::now(),
        },
        LinkStatus::Up | LinkStatus::Connecting => link.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::news::News;
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
        let told = lines.news(Some(&down("no route", 3))).unwrap();
        assert_eq!(told.line, "tracker unreachable (no route)");
        assert_eq!(lines.news(Some(&down("no route", 2))), None);
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

    #[test]
    fn a_tracker_that_comes_and_goes_is_told_of_each_time() {
        let mut lines = Lines::default();
        let mut news = News::default();
        let (refused, up) = (down("refused", 3), LinkStatus::Up);
        let now = Instant::now();
        for _ in 0..3 {
            for (link, words) in [(&refused, "tracker unreachable (refused)"), (&up, BACK)] {
                let turn = lines.news(Some(link)).unwrap();
                assert_eq!(news.of_turn(now, &turn), [words]);
            }
        }
    }

    #[test]
    fn that_the_next_attempt_comes_nearer_is_no_progress() {
        let mut lines = Lines::default();
        let begin = Instant::now();
        let mut view = torrent(TorrentState::Metadata);
        let progress = |lines: &mut Lines, after, view: &TorrentView, link: &LinkStatus| {
            let now = begin + Duration::from_secs(after);
            lines.progress(now, view, TrackerView::Down, Some(link))
        };
        let told = progress(&mut lines, 0, &view, &down("refused", 60)).unwrap();
        assert!(told.contains("next attempt in"), "{told}");
        for (after, retry) in [(10, 50), (20, 40), (60, 0), (70, 60)] {
            let again = progress(&mut lines, after, &view, &down("refused", retry));
            assert_eq!(again, None);
        }
        assert!(progress(&mut lines, 80, &view, &down("no route", 60)).is_some());
        view.up_rate = 1000;
        assert!(progress(&mut lines, 90, &view, &down("no route", 50)).is_some());
    }
}
