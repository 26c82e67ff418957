//! Whether the tracker is still there.
//!
//! A connection can die without a word: the machine slept, the network changed, a router
//! forgot it. Whoever hears nothing for a while asks, and whoever gets no answer connects
//! anew. What a sleeper missed is no silence: it asks before it believes anything.

use crate::engine::config::TrackerConfig;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) enum Pulse {
    /// There is no connection, or it was given up.
    #[default]
    Off,
    /// It last spoke then.
    Heard(Time),
    /// It was asked then, so many times by now, and has not spoken since.
    Asked(Time, u32),
}

/// What the silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Ask whether it is there.
    Ask,
    /// It is not.
    Dead,
}

impl Pulse {
    /// A new connection: the tracker speaks first.
    pub(super) fn begin(now: Time) -> Self {
        Pulse::Asked(now, 1)
    }

    /// When to look again.
    pub(super) fn due(&self, config: &TrackerConfig) -> Option<Time> {
        match self {
            Pulse::Off => None,
            Pulse::Heard(at) => Some(*at + config.ask_after),
            Pulse::Asked(at, _) => Some(*at + config.answer_within),
        }
    }

    /// What is to be done about the silence, if anything.
    pub(super) fn look(&mut self, now: Time, config: &TrackerConfig) -> Option<Silence> {
        let due = self.due(config).filter(|due| *due <= now)?;
        let times = match *self {
            Pulse::Asked(_, times) if now - due < config.slept || times >= config.max_questions => {
                *self = Pulse::Off;
                return Some(Silence::Dead);
            }
            Pulse::Asked(_, times) => times,
            Pulse::Heard(_) | Pulse::Off => 0,
        };
        *self = Pulse::Asked(now, times + 1);
        Some(Silence::Ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    fn who_is_silent_is_asked_and_then_given_up() {
        let config = TrackerConfig::default();
        let mut pulse = Pulse::Heard(at(100));
        assert_eq!(pulse.due(&config), Some(at(130)));
        assert_eq!(pulse.look(at(129), &config), None);
        assert_eq!(pulse.look(at(130), &config), Some(Silence::Ask));
        assert_eq!(pulse.look(at(130), &config), None);
        assert_eq!(pulse.look(at(149), &config), None);
        assert_eq!(pulse.look(at(150), &config), Some(Silence::Dead));
        assert_eq!(pulse.due(&config), None);
        assert_eq!(pulse.look(at(999), &config), None);
    }

    #[test]
    fn who_slept_asks_first() {
        let config = TrackerConfig::default();
        let mut pulse = Pulse::Heard(at(0));
        assert_eq!(pulse.look(at(5000), &config), Some(Silence::Ask));
        // Asleep once more before the answer could be read.
        assert_eq!(pulse.look(at(9000), &config), Some(Silence::Ask));
        assert_eq!(pulse.look(at(9019), &config), None);
        assert_eq!(pulse.look(at(9020), &config), Some(Silence::Dead));
    }

    #[test]
    fn looks_that_are_always_late_end_as_well() {
        let config = TrackerConfig::default();
        let mut pulse = Pulse::Heard(at(0));
        let looks = [1, 2, 3, 4].map(|minute| pulse.look(at(60 * minute), &config));
        let ask = Some(Silence::Ask);
        assert_eq!(looks, [ask, ask, ask, Some(Silence::Dead)]);
    }
}
