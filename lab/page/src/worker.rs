//! The worker: plays the simulations in slices, so that it hears what the page says.

mod bell;
mod clockwork;
mod frames;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use lab_page::race::Race;
use swarm_lab::Scenario;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::messages::{Frame, ToPage, ToWorker, pack, unpack};
use bell::{Bell, now};
use clockwork::Clockwork;
use frames::Frames;

/// Runs the worker.
pub(crate) fn run(scope: &DedicatedWorkerGlobalScope) {
    let worker = Rc::new_cyclic(|worker: &Weak<Worker>| {
        let ringing = worker.clone();
        let slice = move || {
            if let Some(worker) = ringing.upgrade() {
                worker.slice();
            }
        };
        Worker {
            scope: scope.clone(),
            bell: Bell::new(scope.clone(), slice),
            state: RefCell::default(),
        }
    });
    worker.say(&ToPage::Ready);
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some((message, _)) = unpack(&event.data()) {
            worker.handle(message);
        }
    });
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
}

struct Worker {
    scope: DedicatedWorkerGlobalScope,
    bell: Bell,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Which race is played.
    number: u32,
    race: Option<Race>,
    clockwork: Clockwork,
    frames: Frames,
    /// The page wants to see something.
    frame_wanted: bool,
    /// Something happened since it last did.
    has_changed: bool,
    /// The bell will ring.
    is_scheduled: bool,
}

impl Worker {
    fn handle(&self, message: ToWorker) {
        let state = &mut *self.state.borrow_mut();
        match message {
            ToWorker::Start { race, scenarios } => self.start(state, race, scenarios),
            ToWorker::Speed(speed) => {
                state.clockwork.set_speed(speed);
                // Who pauses reads the figures: they must be those of the picture.
                state.has_changed = true;
            }
            ToWorker::Step(seconds) => {
                if let Some(race) = &state.race {
                    state.clockwork.step(race.reached(), seconds);
                }
            }
            ToWorker::Frame => state.frame_wanted = true,
        }
        self.go_on(state);
    }

    fn start(&self, state: &mut State, number: u32, scenarios: Vec<Scenario>) {
        state.number = number;
        state.frames = Frames::default();
        state.clockwork.restart();
        state.has_changed = true;
        state.race = match Race::new(scenarios) {
            Ok(race) => Some(race),
            Err(error) => {
                self.say(&ToPage::Refused(error.to_string()));
                None
            }
        };
    }

    /// Plays for a while.
    fn slice(&self) {
        let state = &mut *self.state.borrow_mut();
        state.is_scheduled = false;
        if let Some(race) = &mut state.race {
            state.has_changed |= state.clockwork.play(race);
        }
        self.go_on(state);
    }

    /// Shows what is wanted, and comes back when there is more to play.
    fn go_on(&self, state: &mut State) {
        let Some(race) = &mut state.race else { return };
        if state.frame_wanted && state.has_changed {
            state.frame_wanted = false;
            state.has_changed = false;
            let frame = Frame {
                race: state.number,
                is_over: race.is_over(),
                runs: state.frames.take(race, now(), state.clockwork.is_paused()),
            };
            self.say(&ToPage::Frame(frame));
        }
        if let Some(pause) = state.clockwork.pause(race)
            && !state.is_scheduled
        {
            state.is_scheduled = true;
            self.bell.ring_after(pause);
        }
    }

    fn say(&self, message: &ToPage) {
        let said = self.scope.post_message(&pack(message, &[]));
        said.expect("bytes can be posted");
    }
}
