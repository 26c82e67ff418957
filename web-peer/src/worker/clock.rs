//! The engine's time: monotonic, counted from the worker's start.

use std::cell::Cell;
use std::time::Duration;

use js_sys::Reflect;
use swarm_core::time::Time;
use wasm_bindgen::JsCast as _;
use web_sys::Performance;

/// See the module.
#[derive(Debug)]
pub(super) struct Clock {
    performance: Performance,
    latest: Cell<Duration>,
}

impl Clock {
    pub(super) fn new() -> Self {
        let performance = Reflect::get(&js_sys::global(), &"performance".into());
        let performance = performance
            .expect("the global scope is an object")
            .unchecked_into();
        Clock {
            performance,
            latest: Cell::default(),
        }
    }

    pub(super) fn now(&self) -> Time {
        let millis = self.performance.now().max(0.0);
        // The specification promises monotony; some browsers have broken it after a sleep.
        let now = Duration::from_secs_f64(millis / 1000.0).max(self.latest.get());
        self.latest.set(now);
        Time::from_epoch(now)
    }
}
