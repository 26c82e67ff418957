//! The completion curve: how many are complete, and what part of all pieces there is,
//! against virtual time.

use swarm_picture::surface::Surface;
use web_sys::Element;

use super::theme::Theme;
use crate::messages::Figures;

/// Room for the axes' labels, in CSS pixels: left, right, top, bottom.
const MARGIN: (f64, f64, f64, f64) = (44.0, 14.0, 12.0, 30.0);

/// A track keeps at most so many points; it is thinned out when it has more.
const MOST_POINTS: usize = 1200;

/// Milliseconds between two drawings: a line that grows needs no more, and text is dear.
const DRAWN_EVERY: f64 = 100.0;

/// See the module.
pub(super) struct Curve {
    surface: Surface,
    tracks: Vec<Track>,
    /// Something has changed since it was drawn.
    is_stale: bool,
    /// When it was drawn. Milliseconds.
    drawn_at: f64,
}

/// One run.
#[derive(Default)]
struct Track {
    /// Time and part of all pieces.
    pieces: Vec<(f64, f64)>,
    /// When leechers completed, in order.
    completed: Vec<f64>,
    /// How many leechers there are.
    leechers: u32,
    least_time: Option<f64>,
    /// How far the run has come.
    time: f64,
}

impl Curve {
    pub(super) fn new(canvas: &Element) -> Self {
        Curve {
            surface: Surface::new(canvas),
            tracks: Vec::new(),
            is_stale: true,
            drawn_at: 0.0,
        }
    }

    /// As large as its place on the page.
    pub(super) fn fit(&mut self) {
        self.surface.fit();
        self.repaint();
    }

    /// Size, colours or everything has changed.
    pub(super) fn repaint(&mut self) {
        self.is_stale = true;
        self.drawn_at = 0.0;
    }

    /// Of so many runs, from the start.
    pub(super) fn restart(&mut self, runs: usize) {
        self.fit();
        self.tracks = (0..runs).map(|_| Track::default()).collect();
    }

    /// How much of all pieces there is at a time.
    pub(super) fn add_moment(&mut self, run: usize, time: f64, part: f64) {
        let Some(track) = self.tracks.get_mut(run) else {
            return;
        };
        self.is_stale = true;
        if track.pieces.last().is_none_or(|(last, _)| time > *last) {
            track.pieces.push((time, part));
        }
        if track.pieces.len() > MOST_POINTS {
            let mut index = 0;
            track.pieces.retain(|_| {
                index += 1;
                index % 2 == 0
            });
        }
        track.time = time;
    }

    pub(super) fn add_figures(&mut self, run: usize, figures: &Figures) {
        if let Some(track) = self.tracks.get_mut(run) {
            self.is_stale = true;
            track.completed.clone_from(&figures.completed);
            track.leechers = figures.completion.of + figures.free_rider_completion.of;
            track.least_time = figures.least_time;
        }
    }

    /// Draws, if it is time to. True when it must be drawn later.
    pub(super) fn draw(&mut self, theme: &Theme, now: f64) -> bool {
        let is_time = now - self.drawn_at >= DRAWN_EVERY;
        if self.is_stale && is_time {
            self.is_stale = false;
            self.drawn_at = now;
            self.paint(theme);
        }
        self.is_stale
    }

    fn paint(&self, theme: &Theme) {
        self.surface.clear();
        if self.surface.width <= MARGIN.0 + MARGIN.1 {
            return;
        }
        let (end, step) = self.time_axis();
        self.draw_axes(theme, end, step);
        self.draw_least_time(theme, end);
        for (track, colour) in self.tracks.iter().zip(&theme.sides).rev() {
            self.draw_track(track, colour, end);
        }
    }

    /// Where the time axis ends, and what is between two of its labels.
    fn time_axis(&self) -> (f64, f64) {
        let times = self.tracks.iter();
        let most = times.flat_map(|track| [track.time, track.least_time.unwrap_or(0.0)]);
        let end = most.fold(10.0, f64::max) * 1.06;
        let labels = (self.surface.width / 90.0).clamp(3.0, 10.0);
        let rough = end / labels;
        let magnitude = 10_f64.powf(rough.log10().floor());
        let nice = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
        let step = nice.into_iter().find(|step| *step >= rough);
        (end, step.unwrap_or(rough))
    }

    fn x(&self, time: f64, end: f64) -> f64 {
        MARGIN.0 + (self.surface.width - MARGIN.0 - MARGIN.1) * (time / end).min(1.0)
    }

    fn y(&self, part: f64) -> f64 {
        let height = self.surface.height - MARGIN.2 - MARGIN.3;
        MARGIN.2 + height * (1.0 - part.clamp(0.0, 1.0))
    }

    fn draw_axes(&self, theme: &Theme, end: f64, step: f64) {
        let context = &self.surface.context;
        context.set_font("12px system-ui, sans-serif");
        context.set_fill_style_str(&theme.soft);
        let label = |text: &str, x: f64, y: f64| {
            context.fill_text(text, x, y).expect("text can be drawn");
        };
        context.set_text_align("right");
        context.set_text_baseline("middle");
        let quarters = [0.0, 0.25, 0.5, 0.75, 1.0];
        for part in quarters {
            label(&format!("{}%", part * 100.0), MARGIN.0 - 8.0, self.y(part));
        }
        context.set_text_align("center");
        context.set_text_baseline("top");
        let mut time = 0.0;
        while time <= end {
            label(&format!("{time} s"), self.x(time, end), self.y(0.0) + 8.0);
            time += step;
        }
        self.surface.stroke(&theme.line, 1.0, || {
            for part in quarters {
                // Between two pixels a line of one pixel would be grey.
                let y = self.y(part).round() + 0.5;
                context.move_to(MARGIN.0, y);
                context.line_to(self.surface.width - MARGIN.1, y);
            }
        });
    }

    fn draw_least_time(&self, theme: &Theme, end: f64) {
        let least = self.tracks.first().and_then(|track| track.least_time);
        let Some(least) = least.filter(|least| *least > 0.0) else {
            return;
        };
        let x = self.x(least, end).round() + 0.5;
        self.surface.fill(&theme.soft, || {
            let mut y = self.y(1.0);
            while y < self.y(0.0) {
                self.surface.context.rect(x - 0.5, y, 1.0, 4.0);
                y += 8.0;
            }
        });
    }

    fn draw_track(&self, track: &Track, colour: &str, end: f64) {
        let context = &self.surface.context;
        context.set_line_join("round");
        context.set_global_alpha(0.55);
        self.surface.stroke(colour, 1.25, || {
            context.move_to(self.x(0.0, end), self.y(0.0));
            for (time, part) in &track.pieces {
                context.line_to(self.x(*time, end), self.y(*part));
            }
        });
        context.set_global_alpha(1.0);
        let of = f64::from(track.leechers.max(1));
        self.surface.stroke(colour, 3.0, || {
            let mut y = self.y(0.0);
            context.move_to(self.x(0.0, end), y);
            for (index, time) in track.completed.iter().enumerate() {
                let x = self.x(*time, end);
                context.line_to(x, y);
                y = self.y((index + 1) as f64 / of);
                context.line_to(x, y);
            }
            context.line_to(self.x(track.time, end), y);
        });
    }
}
