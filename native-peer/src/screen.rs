//! Standard error: a bar that moves on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use swarm_core::engine::{TorrentState, TorrentView, TrackerView};
use tokio::time::Instant;

use crate::link::LinkStatus;
use crate::share::Progress;
use crate::status;
use crate::text::{complain, plain};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// The bar counts in thousandths, because progress is a fraction.
const WHOLE: u64 = 1000;

const BAR: &str = "[{bar:24}] {percent:>3}%  {wide_msg}";
const SPINNER: &str = "{spinner} {wide_msg}";
const BYTES: &str =
    "[{bar:24}] {percent:>3}%  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left  {wide_msg}";

/// See the module.
#[derive(Debug)]
pub struct Screen {
    bar: ProgressBar,
    terminal: bool,
    /// The bar as it is styled now.
    shown: Option<TorrentState>,
    last_line: Option<(Instant, TorrentState, String)>,
}

impl Screen {
    /// A screen with nothing on it.
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Screen {
            bar: ProgressBar::with_draw_target(None, target),
            terminal,
            shown: None,
            last_line: None,
        }
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| complain(line));
    }

    /// How it goes.
    pub fn update(
        &mut self,
        torrent: &TorrentView,
        tracker: TrackerView,
        link: Option<&LinkStatus>,
    ) {
        let line = status::line(torrent, tracker, link);
        if self.terminal {
            self.draw(torrent, line);
        } else {
            self.write(torrent, line);
        }
    }

    fn draw(&mut self, torrent: &TorrentView, line: String) {
        if self.shown.replace(torrent.state) != Some(torrent.state) {
            let measured = matches!(
                torrent.state,
                TorrentState::Hashing | TorrentState::Downloading
            );
            self.bar
                .set_style(style(if measured { BAR } else { SPINNER }));
            self.bar.set_length(WHOLE);
        }
        // Rounded down: nearly all is not all.
        self.bar
            .set_position((torrent.progress * WHOLE as f64) as u64);
        self.bar.set_message(line);
        self.bar.tick();
    }

    fn write(&mut self, torrent: &TorrentView, line: String) {
        let now = Instant::now();
        if let Some((at, state, last)) = &self.last_line
            && *state == torrent.state
            && (now - *at < LINE_EVERY || *last == line)
        {
            return;
        }
        match torrent.state {
            TorrentState::Hashing | TorrentState::Downloading => {
                self.say(&format!(
                    "{:.0}%, {line}",
                    (torrent.progress * 100.0).floor()
                ));
            }
            _ => self.say(&line),
        }
        self.last_line = Some((now, torrent.state, line));
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Default for Screen {
    fn default() -> Self {
        Screen::new()
    }
}

impl Progress for Screen {
    fn begin(&self, name: &str, bytes: u64) {
        self.bar.set_style(style(BYTES));
        self.bar.set_length(bytes);
        self.bar.set_message(format!("hashing {}", plain(name)));
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are constant")
        .progress_chars("=> ")
}
