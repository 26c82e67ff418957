//! How fast virtual time goes by.

use std::time::Duration;

use lab_page::played::Played;

use super::bell::now;

/// So long a slice takes, in milliseconds: half a picture, so that the page need not wait
/// for its own.
const SLICE: f64 = 8.0;

/// Events between looks at the clock.
const EVENTS: usize = 256;

/// What is played before the other simulation has its turn. Virtual time.
const TURN: Duration = Duration::from_millis(100);

/// What the clock is ahead of the simulations at most, in milliseconds of real time: what
/// a slow computer can't catch up with is left out.
const MOST_BEHIND: f64 = 50.0;

/// Milliseconds until more virtual time has gone by.
const WAIT: i32 = 4;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Clockwork {
    /// Virtual seconds per second; infinity for as fast as it can.
    speed: f64,
    /// What should have been played.
    due: Duration,
    /// Where a step ends.
    step_until: Duration,
    /// When `due` was right. Milliseconds.
    looked_at: f64,
}

impl Clockwork {
    /// From virtual time zero on.
    pub(super) fn restart(&mut self) {
        *self = Clockwork {
            speed: self.speed,
            looked_at: now(),
            ..Clockwork::default()
        };
    }

    pub(super) fn set_speed(&mut self, speed: f64) {
        self.looked_at = now();
        self.speed = speed.max(0.0);
    }

    /// Virtual time stands still, once a step has been played.
    pub(super) fn is_paused(&self) -> bool {
        self.speed == 0.0
    }

    /// Plays so many virtual seconds and pauses.
    pub(super) fn step(&mut self, reached: Duration, seconds: f64) {
        self.speed = 0.0;
        self.due = reached.saturating_add(Duration::from_secs_f64(seconds));
        self.step_until = self.due;
    }

    /// Plays for a slice of time, or as far as it should. False when nothing was played.
    pub(super) fn play(&mut self, race: &mut dyn Played) -> bool {
        let began = now();
        let reached = race.reached();
        if self.speed.is_infinite() {
            self.due = Duration::MAX;
        } else {
            self.advance(began, reached, race.pace(self.speed));
        }
        let mut played = false;
        while race.play(self.due.min(race.reached().saturating_add(TURN)), EVENTS) {
            played = true;
            if now() - began > SLICE {
                break;
            }
        }
        if self.speed.is_infinite() {
            self.due = race.reached();
        }
        played
    }

    fn advance(&mut self, now: f64, reached: Duration, speed: f64) {
        let virtually =
            |milliseconds: f64| Duration::from_secs_f64(milliseconds.max(0.0) / 1000.0 * speed);
        let due = self.due.saturating_add(virtually(now - self.looked_at));
        let most = reached.saturating_add(virtually(MOST_BEHIND));
        self.due = due.min(most.max(self.step_until));
        self.looked_at = now;
    }

    /// How long to pause before the next slice, in milliseconds; none for ever.
    pub(super) fn pause(&self, race: &dyn Played) -> Option<i32> {
        match () {
            () if race.is_over() => None,
            () if self.speed.is_infinite() || race.reached() < self.due => Some(0),
            () if self.speed > 0.0 => Some(WAIT),
            () => None,
        }
    }
}
