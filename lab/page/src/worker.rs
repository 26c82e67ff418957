//! The worker: plays the simulations in slices, so that it hears what the page says.

mod bell;
mod clockwork;
mod frames;
mod network;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use lab_page::played::Played;
use lab_page::race::Race;
use swarm_lab::Scenario;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::messages::{Frame, ToNetwork, ToPage, ToWorker, pack, unpack};
use bell::{Bell, now};
use clockwork::Clockwork;
use frames::Frames;
use network::NetworkRun;

/// A page that wants to see nothing for so long is not seen itself. Milliseconds.
const UNSEEN: f64 = 1_000.0;

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
    /// Instead of a race.
    network: Option<NetworkRun>,
    clockwork: Clockwork,
    frames: Frames,
    /// The page wants to see something.
    frame_wanted: bool,
    /// When it last said so. Milliseconds.
    wanted_at: f64,
    /// Something happened since it last did.
    has_changed: bool,
    /// The bell will ring.
    is_scheduled: bool,
}

/// What is played, whichever it is.
fn played<'a>(
    race: &'a mut Option<Race>,
    network: &'a mut Option<NetworkRun>,
) -> Option<&'a mut dyn Played> {
    match (race, network) {
        (Some(race), _) => Some(race),
        (None, Some(run)) => Some(&mut run.network),
        (None, None) => None,
    }
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
                if let Some(played) = played(&mut state.race, &mut state.network) {
                    state.clockwork.step(played.reached(), seconds);
                }
            }
            ToWorker::Frame => {
                state.frame_wanted = true;
                state.wanted_at = now();
            }
            ToWorker::Network(message) => self.tell_network(state, message),
        }
        self.go_on(state);
    }

    fn start(&self, state: &mut State, number: u32, scenarios: Vec<Scenario>) {
        state.number = number;
        state.network = None;
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

    fn tell_network(&self, state: &mut State, message: ToNetwork) {
        state.has_changed = true;
        match message {
            ToNetwork::Start {
                race,
                scenario,
                trouble,
            } => {
                state.number = race;
                state.race = None;
                state.clockwork.restart();
                state.network = match NetworkRun::new(*scenario, trouble) {
                    Ok(network) => Some(network),
                    Err(error) => {
                        self.say(&ToPage::Refused(error.to_string()));
                        None
                    }
                };
            }
            other => {
                if let Some(run) = &mut state.network {
                    run.tell(&other);
                }
            }
        }
    }

    /// Plays for a while.
    fn slice(&self) {
        let state = &mut *self.state.borrow_mut();
        state.is_scheduled = false;
        if let Some(played) = played(&mut state.race, &mut state.network) {
            state.has_changed |= state.clockwork.play(played);
        }
        self.go_on(state);
    }

    /// Shows what is wanted, and comes back when there is more to play.
    fn go_on(&self, state: &mut State) {
        if state.frame_wanted && state.has_changed {
            let is_paused = state.clockwork.is_paused();
            let frame = if let Some(race) = &mut state.race {
                Some(ToPage::Frame(Frame {
                    race: state.number,
                    is_over: race.is_over(),
                    runs: state.frames.take(race, now(), is_paused),
                }))
            } else {
                let network = state.network.as_mut();
                network
                    .map(|run| ToPage::Network(Box::new(run.frame(state.number, now(), is_paused))))
            };
            if let Some(frame) = frame {
                state.frame_wanted = false;
                state.has_changed = false;
                self.say(&frame);
            }
        }
        // A network never ends: it goes on for those who look at it.
        let is_seen =
            state.network.is_none() || state.frame_wanted || now() - state.wanted_at < UNSEEN;
        let played = played(&mut state.race, &mut state.network);
        let pause = played.and_then(|played| state.clockwork.pause(played));
        if let Some(pause) = pause.filter(|_| is_seen)
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
