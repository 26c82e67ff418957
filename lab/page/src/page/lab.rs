//! What the page knows, and what it draws.

use lab_page::settings::Settings;
use page_kit::dom::{by_id, part, set_attribute, set_flag, set_text, window};
use page_kit::worker::WorkerHandle;

use super::curve::Curve;
use super::hive::Look;
use super::side::SideView;
use super::theme::Theme;
use super::{fail, figures, form, peer, words};
use crate::messages::{Frame, ToWorker};

/// Sentences for screen readers come so often, in milliseconds of drawing.
const SAID_EVERY: f64 = 5_000.0;

/// Longer between two pictures than this nothing moved, because nobody saw the page.
/// Seconds.
const LONGEST: f64 = 0.1;

/// See the module.
pub(super) struct Lab {
    pub worker: Option<WorkerHandle<ToWorker>>,
    pub settings: Settings,
    /// What goes on by itself: not paused.
    pub is_playing: bool,
    /// All runs have ended.
    pub is_over: bool,
    /// Virtual seconds per second.
    pub speed: f64,
    /// Clicked, or chosen with the keyboard.
    pub selected: Option<usize>,
    /// Pointed at.
    pub hovered: Option<usize>,
    pub sides: Vec<SideView>,
    curve: Curve,
    theme: Theme,
    is_still: bool,
    /// The worker listens.
    pub is_ready: bool,
    race: u32,
    /// Came since the last picture.
    frame: Option<Frame>,
    /// Seconds of movement so far.
    phase: f64,
    /// When the last picture was drawn, in milliseconds.
    drawn_at: f64,
    said_at: f64,
    /// Pictures so far.
    pictures: u64,
}

impl Lab {
    pub(super) fn new() -> Self {
        let mut lab = Lab {
            worker: None,
            settings: form::from_address(),
            is_playing: true,
            is_over: false,
            speed: 2.0,
            selected: None,
            hovered: None,
            sides: Vec::new(),
            curve: Curve::new(&by_id("curve")),
            theme: Theme::read(),
            is_still: false,
            is_ready: false,
            race: 0,
            frame: None,
            phase: 0.0,
            drawn_at: 0.0,
            said_at: 0.0,
            pictures: 0,
        };
        lab.read_preferences();
        lab
    }

    /// What the person told the browser.
    pub(super) fn read_preferences(&mut self) {
        let still = window().match_media("(prefers-reduced-motion: reduce)");
        self.is_still = still.ok().flatten().is_some_and(|query| query.matches());
        self.theme = Theme::read();
        self.sides.iter_mut().for_each(SideView::repaint);
        self.curve.repaint();
    }

    pub(super) fn say(&self, message: &ToWorker) {
        // Before the worker listens there is no race; then it is told everything.
        if let Some(worker) = self.worker.as_ref().filter(|_| self.is_ready) {
            worker.send(message, &[]);
        }
    }

    /// The worker, once it listens.
    pub(super) fn ready_worker(&self) -> Option<WorkerHandle<ToWorker>> {
        self.worker.clone().filter(|_| self.is_ready)
    }

    pub(super) fn handle(&mut self, frame: Frame) {
        match frame.race == self.race {
            true => self.frame = Some(frame),
            // It had been asked for before the race that is on now was begun.
            false => self.say(&ToWorker::Frame),
        }
    }

    /// Begins anew with the settings as they are.
    pub(super) fn restart(&mut self) {
        fail("");
        form::show(&self.settings);
        let chosen = self.settings.sides();
        let (peers, pieces) = (self.peers(), self.settings.number("pieces"));
        self.make_sides(chosen.len());
        for (side, view) in chosen.iter().zip(&mut self.sides) {
            view.restart(*side, peers, pieces);
        }
        self.curve.restart(chosen.len());
        self.is_over = false;
        self.frame = None;
        self.race += 1;
        self.said_at = 0.0;
        set_attribute(&by_id("lab"), "data-state", "running");
        set_text(&by_id("summary"), "");
        self.say(&ToWorker::Start {
            race: self.race,
            scenarios: self.settings.scenarios(),
        });
        self.show_speed();
        self.say(&ToWorker::Frame);
    }

    /// Nothing goes on any more.
    pub(super) fn end(&mut self, state: &str) {
        self.is_over = true;
        self.show_speed();
        set_attribute(&by_id("lab"), "data-state", state);
    }

    /// Tells the worker how fast to go on.
    pub(super) fn show_speed(&self) {
        let speed = if self.is_playing { self.speed } else { 0.0 };
        self.say(&ToWorker::Speed(speed));
        let goes_on = self.is_playing && !self.is_over;
        let button = by_id("play");
        let words = match (self.is_over, goes_on) {
            (true, _) => "Again",
            (_, true) => "Pause",
            (_, false) => "Go on",
        };
        set_text(&part(&button, "label"), words);
        let icon = if goes_on { "#icon-pause" } else { "#icon-play" };
        set_attribute(&part(&button, "icon"), "href", icon);
    }

    /// How many cells there are: the settings say so before anybody has come.
    fn peers(&self) -> usize {
        let scenario = self.settings.scenarios().into_iter().next();
        scenario.map_or(0, |scenario| {
            (scenario.seeders + scenario.leechers) as usize
        })
    }

    fn make_sides(&mut self, count: usize) {
        let parent = by_id("sides");
        set_flag(&parent, "data-alone", count < 2);
        for view in self.sides.drain(count.min(self.sides.len())..) {
            view.element.remove();
        }
        while self.sides.len() < count {
            let view = SideView::new(self.sides.len());
            let added = parent.append_child(&view.element);
            added.expect("the page takes sides");
            self.sides.push(view);
        }
    }

    /// The page's size has changed.
    pub(super) fn fit(&mut self) {
        let peers = self.peers();
        for view in &mut self.sides {
            view.fit(peers);
        }
        self.curve.fit();
    }

    /// Draws a picture. True when the next will differ.
    pub(super) fn draw(&mut self, now: f64) -> bool {
        let seconds = ((now - self.drawn_at) / 1000.0).clamp(0.0, LONGEST);
        self.drawn_at = now;
        let came = self.frame.take();
        let has_come = came.is_some();
        if let Some(frame) = came {
            self.take(frame);
            self.say(&ToWorker::Frame);
        }
        let goes_on = self.is_playing && !self.is_over;
        if goes_on {
            self.phase += seconds;
        }
        let look = Look {
            theme: &self.theme,
            selected: self.hovered.or(self.selected),
            phase: self.phase,
            is_still: self.is_still,
            pieces: self.settings.number("pieces"),
        };
        let mut moves = false;
        // What is paused does not fade either.
        let fading = if goes_on || self.is_over || has_come {
            seconds
        } else {
            0.0
        };
        for view in &mut self.sides {
            moves |= view.draw(&look, fading);
        }
        let is_late = self.curve.draw(&self.theme, now);
        self.show_peer();
        self.pictures += 1;
        goes_on || is_late || (moves && fading > 0.0)
    }

    fn take(&mut self, frame: Frame) {
        let pieces = self.settings.number("pieces");
        let has_figures = frame.runs.iter().any(|run| run.figures.is_some());
        for (index, (run, view)) in frame.runs.into_iter().zip(&mut self.sides).enumerate() {
            view.take(run);
            let part = words::part_of_pieces(&view.snapshot, pieces);
            self.curve.add_moment(index, view.snapshot.time, part);
            if let Some(figures) = &view.figures {
                self.curve.add_figures(index, figures);
            }
        }
        let has_ended = frame.is_over && !self.is_over;
        if has_figures {
            self.show_figures();
        }
        if has_ended {
            self.end("over");
        }
        let is_due = has_ended || self.drawn_at - self.said_at > SAID_EVERY;
        if is_due {
            self.said_at = self.drawn_at;
        }
        // What is read is as new as the figures beside it.
        if is_due || has_figures {
            self.tell(is_due);
        }
    }

    fn show_figures(&self) {
        let all: Vec<_> = self.sides.iter().map(|view| view.figures.clone()).collect();
        figures::show(&all);
        let pictures = self.pictures.to_string();
        set_attribute(&by_id("lab"), "data-pictures", &pictures);
    }

    /// Shows how things are, and says it if it `is_due`.
    fn tell(&self, is_due: bool) {
        let chosen = self.settings.sides();
        let pieces = self.settings.number("pieces");
        let runs: Vec<String> = ["A", "B"]
            .iter()
            .zip(&chosen)
            .zip(&self.sides)
            .map(|((name, side), view)| words::of_run(name, *side, &view.snapshot, pieces))
            .collect();
        let all: Vec<_> = self.sides.iter().map(|view| view.figures.clone()).collect();
        let verdict = words::verdict(&chosen, &all).filter(|_| self.is_over);
        let text = verdict.unwrap_or_else(|| runs.join(" "));
        set_text(&by_id("summary"), &text);
        if !is_due {
            return;
        }
        set_text(&by_id("said"), &text);
        for (view, words) in self.sides.iter().zip(&runs) {
            let label = format!("The swarm as a honeycomb. Arrow keys choose a peer. {words}");
            set_attribute(&part(&view.element, "hive"), "aria-label", &label);
        }
    }

    fn show_peer(&self) {
        let snapshots: Vec<_> = self.sides.iter().map(|view| &view.snapshot).collect();
        let pieces = self.settings.number("pieces");
        peer::show(self.hovered.or(self.selected), &snapshots, pieces);
    }

    /// Chooses the next cell in a direction.
    pub(super) fn select_towards(&mut self, dx: f64, dy: f64) {
        if let Some(view) = self.sides.first() {
            let comb = &view.hive.comb;
            let next = match self.selected {
                Some(index) => comb.towards(index, dx, dy).or(Some(index)),
                None => Some(0),
            };
            self.selected = next.filter(|index| *index < comb.places.len());
        }
    }
}
