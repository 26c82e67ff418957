//! The page's other half: a network of the DHT.
//!
//! Its markup is a template, and what is here is made, only once somebody wants to see it.

mod actions;
mod circle;
mod form;
mod tables;
mod words;

use std::cell::RefCell;
use std::rc::Rc;

use lab_page::dht::Choices;
use page_kit::dom::{by_id, make, part, set_attribute, set_class, set_flag, set_text};
use page_kit::worker::WorkerHandle;
use swarm_lab::network::{DotState, NetworkFigures, NetworkSnapshot, NodeTable};
use swarm_picture::animation::Animation;
use swarm_picture::surface::Surface;

use super::theme::Theme;
use crate::messages::{NetworkFrame, ToNetwork, ToWorker};
use circle::Circle;

pub(super) use form::from_address;

/// Sentences for screen readers come so often, in milliseconds of drawing.
const SAID_EVERY: f64 = 3_000.0;

/// Tables are filled in so often, in milliseconds: nobody reads faster.
const TABLES_EVERY: f64 = 100.0;

/// See the module.
pub(super) struct NetworkPage {
    worker: WorkerHandle<ToWorker>,
    choices: Choices,
    is_playing: bool,
    speed: f64,
    selected: Option<u32>,
    circle: Circle,
    theme: Theme,
    race: u32,
    frame: Option<Box<NetworkFrame>>,
    snapshot: NetworkSnapshot,
    table: Option<NodeTable>,
    figures: NetworkFigures,
    /// The walk that was asked for, while it has not been seen.
    awaited: Option<Awaited>,
    /// Walks that were seen.
    walks: u32,
    /// When tables were filled in, and when something was said. Milliseconds.
    shown_at: f64,
    said_at: f64,
    /// The walk whose end was said.
    said_of: Option<u32>,
    /// What was said last tells of that end, and stays until something else is said.
    tells_end: bool,
    pictures: u64,
}

impl NetworkPage {
    /// Puts itself on the page.
    pub(super) fn make(worker: WorkerHandle<ToWorker>, animation: &Animation) -> Shared {
        let added = part(&by_id("lab"), "modes").append_child(&make("network"));
        added.expect("the page takes a network");
        form::make_presets();
        let page = Rc::new(RefCell::new(NetworkPage {
            worker,
            choices: from_address().unwrap_or_else(form::first),
            is_playing: true,
            speed: 1.0,
            selected: None,
            circle: Circle::new(Surface::new(&by_id("net-circle"))),
            theme: Theme::read(),
            race: 0,
            frame: None,
            snapshot: NetworkSnapshot::default(),
            table: None,
            figures: NetworkFigures::default(),
            awaited: None,
            walks: 0,
            shown_at: 0.0,
            said_at: 0.0,
            said_of: None,
            tells_end: false,
            pictures: 0,
        }));
        actions::listen_to_everything(&page, animation);
        page
    }

    /// From the start, as chosen now.
    pub(super) fn restart(&mut self) {
        form::show(&self.choices);
        super::fail("");
        self.race += 1;
        self.frame = None;
        self.snapshot = NetworkSnapshot::default();
        self.said_of = None;
        self.said_at = 0.0;
        self.shown_at = 0.0;
        self.awaited = None;
        self.walks = 0;
        set_text(&by_id("net-summary"), "");
        self.tell(ToNetwork::Start {
            race: self.race,
            scenario: Box::new(self.choices.scenario()),
            trouble: self.choices.trouble(),
        });
        // The first that is nobody's beginning.
        self.select(Some(self.choices.number("bootstrap")));
        self.show_speed();
        self.fit();
        self.worker.send(&ToWorker::Frame, &[]);
    }

    /// Begins what an address says.
    pub(super) fn open(&mut self, choices: Choices) {
        self.choices = choices;
        self.is_playing = true;
        self.restart();
    }

    pub(super) fn take(&mut self, frame: Box<NetworkFrame>) {
        match frame.race == self.race {
            true => self.frame = Some(frame),
            // It had been asked for before this network was begun.
            false => self.worker.send(&ToWorker::Frame, &[]),
        }
    }

    /// It can't be played.
    pub(super) fn refuse(&mut self) {
        set_attribute(&by_id("net"), "data-state", "refused");
    }

    /// Size or colours have changed.
    pub(super) fn fit(&mut self) {
        self.theme = Theme::read();
        self.circle.fit();
    }

    /// Draws a picture. True when the next will differ.
    pub(super) fn draw(&mut self, now: f64) -> bool {
        if let Some(frame) = self.frame.take() {
            self.snapshot = frame.snapshot;
            self.table = frame.table;
            if let Some(figures) = frame.figures {
                self.figures = figures;
            }
            self.follow();
            self.worker.send(&ToWorker::Frame, &[]);
        }
        self.circle.draw(
            &self.snapshot,
            self.table.as_ref(),
            self.selected,
            &self.theme,
        );
        self.pictures += 1;
        let ended = self.ended();
        let is_shown = now - self.shown_at > TABLES_EVERY || !self.is_playing;
        if is_shown {
            self.shown_at = now;
            self.show_tables();
        }
        let is_known = !self.snapshot.nodes.is_empty();
        let is_due = self.said_at == 0.0 || now - self.said_at > SAID_EVERY || ended;
        if is_known && is_due {
            self.said_at = now;
            self.tells_end = ended;
            self.say(ended);
        } else if is_known && is_shown && !self.tells_end {
            // What is read is as new as the figures beside it.
            let text = words::of_network(&self.snapshot, &self.figures);
            set_text(&by_id("net-summary"), &text);
        }
        self.is_playing
    }

    /// A walk of which nothing was said has ended.
    fn ended(&mut self) -> bool {
        let walk = self.snapshot.walk.as_ref();
        let ended = walk.filter(|walk| walk.ended.is_some());
        let number = ended.map(|walk| walk.number);
        number.is_some() && std::mem::replace(&mut self.said_of, number) != number
    }

    /// Turns to the node that looks something up; of an announce, to the key, which somebody else
    /// will want to look up.
    fn follow(&mut self) {
        let Some(walk) = &self.snapshot.walk else {
            return;
        };
        if walk.number < self.walks {
            return;
        }
        self.walks = walk.number + 1;
        let (walker, key) = (walk.node, walk.key);
        match self.awaited.take() {
            Some(Awaited::LookUp) if self.selected != Some(walker) => self.select(Some(walker)),
            Some(Awaited::Announce) => actions::offer_key(key),
            _ => {}
        }
    }

    /// How things are, after what came of a walk if it has just `ended`.
    fn say(&self, ended: bool) {
        let text = words::of_network(&self.snapshot, &self.figures);
        let walk = self.snapshot.walk.as_ref().filter(|_| ended);
        let of_walk = walk.map(|walk| words::of_walk(walk, &self.snapshot));
        let said = [of_walk.unwrap_or_default(), text].join(" ");
        set_text(&by_id("net-summary"), said.trim());
        set_text(&by_id("net-said"), said.trim());
        let label = format!(
            "The nodes on a circle, in the order of their identifiers. Arrow keys choose a node. {said}"
        );
        set_attribute(&by_id("net-circle"), "aria-label", &label);
    }

    fn show_tables(&self) {
        let (snapshot, figures) = (&self.snapshot, &self.figures);
        tables::show_figures(snapshot.time, figures);
        tables::show_walk(snapshot);
        tables::show_buckets(snapshot, self.selected, self.table.as_ref());
        set_flag(&by_id("net-heal"), "disabled", !snapshot.parted);
        set_class(&by_id("net-heal"), "primary", snapshot.parted);
        set_flag(
            &by_id("net-kill-bootstrap"),
            "disabled",
            !snapshot.bootstrap,
        );
        set_class(&by_id("net-introduce"), "primary", !snapshot.bootstrap);
        let page = by_id("net");
        let walk = snapshot.walk.as_ref();
        let state = match walk.and_then(|walk| walk.ended.as_ref()) {
            Some(ending) if ending.is_success() => "found",
            Some(ending) if ending.failure.is_some() => "failed",
            Some(_) => "nothing",
            None if walk.is_some() => "walking",
            None => "running",
        };
        set_attribute(&page, "data-state", state);
        let joined = snapshot.nodes.iter();
        let joined = joined.filter(|dot| dot.state == DotState::Joined);
        set_attribute(&page, "data-joined", &joined.count().to_string());
        set_attribute(&page, "data-pictures", &self.pictures.to_string());
    }

    fn select(&mut self, node: Option<u32>) {
        self.selected = node;
        self.shown_at = 0.0;
        self.tell(ToNetwork::Show(node));
    }

    fn tell(&self, message: ToNetwork) {
        self.worker.send(&ToWorker::Network(message), &[]);
    }

    /// Tells the worker how fast to go on.
    fn show_speed(&self) {
        let speed = if self.is_playing { self.speed } else { 0.0 };
        self.worker.send(&ToWorker::Speed(speed), &[]);
        let button = by_id("net-play");
        let (words, icon) = match self.is_playing {
            true => ("Pause", "#icon-pause"),
            false => ("Go on", "#icon-play"),
        };
        set_text(&part(&button, "label"), words);
        set_attribute(&part(&button, "icon"), "href", icon);
    }
}

/// What a person waits for.
#[derive(Clone, Copy, Debug)]
enum Awaited {
    LookUp,
    Announce,
}

/// As listeners hold it.
pub(super) type Shared = Rc<RefCell<NetworkPage>>;
