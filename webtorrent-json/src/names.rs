//! What things are called.

use swarm_core::wire::tracker::Event;

/// Numbers of JavaScript are whole up to here.
pub(crate) const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The actions.
pub(crate) const ANNOUNCE: &str = "announce";
pub(crate) const SCRAPE: &str = "scrape";

const EVENTS: [(Event, &str); 4] = [
    (Event::Started, "started"),
    (Event::Completed, "completed"),
    (Event::Stopped, "stopped"),
    (Event::Paused, "paused"),
];

pub(crate) fn event_of(name: Option<&str>) -> Event {
    let found = EVENTS.iter().find(|(_, it)| Some(*it) == name);
    found.map(|(event, _)| *event).unwrap_or_default()
}

pub(crate) fn event_name(event: Event) -> Option<&'static str> {
    let found = EVENTS.iter().find(|(it, _)| *it == event);
    found.map(|(_, name)| *name)
}
