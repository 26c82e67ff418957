//! Standard error: a bar that moves on a terminal, a line now and then elsewhere.

mod lines;

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use swarm_core::engine::{TorrentState, TorrentView, TrackerView};
use tokio::time::Instant;

use crate::link::LinkStatus;
use crate::news::News;
use crate::share::Progress;
use crate::status;
use crate::text::{complain, plain};

use lines::Lines;

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
    /// Where there is no terminal.
    lines: Option<Lines>,
    news: News,
    /// The bar as it is styled now.
    shown: Option<TorrentState>,
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
            lines: (!terminal).then(Lines::default),
            news: News::default(),
            shown: None,
        }
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| complain(line));
    }

    fn say_all(&self, lines: &[String]) {
        for line in lines {
            self.say(line);
        }
    }

    /// A line of something that may happen again and again: not always told.
    pub fn tell(&mut self, news: &str) {
        let lines = self.news.of(Instant::now(), news);
        self.say_all(&lines);
    }

    /// How it goes.
    pub fn update(
        &mut self,
        torrent: &TorrentView,
        tracker: TrackerView,
        link: Option<&LinkStatus>,
    ) {
        let Some(lines) = &mut self.lines else {
            return self.draw(torrent, status::line(torrent, tracker, link));
        };
        let now = Instant::now();
        let turn = lines.news(link);
        let progress = lines.progress(now, torrent, tracker, link);
        if let Some(turn) = turn {
            let news = self.news.of_turn(now, &turn);
            self.say_all(&news);
        }
        if let Some(progress) = progress {
            self.say(&progress);
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
