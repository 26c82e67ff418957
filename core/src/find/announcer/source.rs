//! One tracker of one torrent: what it knows of us, and when it is to know more.

use crate::chunk::Chunk;
use crate::engine::config::AnnounceConfig;
use crate::engine::{Engine, Totals};
use crate::time::Time;
use crate::wire::tracker::{Announce, Event};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) url: String,
    /// The question on its way.
    pub(super) asked: Option<Asked>,
    /// It was told that we are there, and may believe so still.
    pub(super) told: bool,
    /// It is to hear that we got the last piece.
    pub(super) owes_complete: bool,
    /// When it is asked next; at once, if it never was.
    pub(super) next: Option<Time>,
    /// It is not asked before, unless there is an event to tell.
    pub(super) rests_until: Option<Time>,
    /// Answers that were none, in a row.
    pub(super) failures: u32,
    /// What it wants to be sent along.
    pub(super) tracker_id: Option<Vec<u8>>,
    /// What is wrong with it, in words.
    pub(super) trouble: Option<String>,
    /// Peers that have everything, and that lack something, as it says.
    pub(super) counts: (u32, u32),
}

/// A question that was not answered yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) number: u32,
    pub(super) since: Time,
    pub(super) event: Event,
}

/// A tracker of a torrent, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceView {
    /// Its address.
    pub url: String,
    /// How it is.
    pub state: SourceState,
}

/// How a tracker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Another one of its tier is made use of.
    Spare,
    /// It was asked, and has not answered yet.
    Asked,
    /// It knows of us.
    Member,
    /// Something is wrong with it.
    Trouble(String),
}

impl Source {
    pub(super) fn new(url: String) -> Self {
        Source {
            url,
            ..Source::default()
        }
    }

    /// When there is something to be done.
    pub(super) fn due(&self, config: &AnnounceConfig) -> Time {
        match self.asked {
            Some(asked) => asked.since + config.timeout,
            None if self.owes_complete && self.told && self.failures == 0 => Time::default(),
            None => self.next.unwrap_or_default(),
        }
    }

    /// What to tell it, if it is to be told anything now.
    pub(super) fn event(&self, now: Time) -> Option<Event> {
        if self.asked.is_some() {
            return None;
        }
        let due = self.next.is_none_or(|next| next <= now);
        let failing = self.failures > 0;
        match (self.told, self.owes_complete) {
            (true, true) if due || !failing => Some(Event::Completed),
            (true, _) if due => Some(Event::Update),
            (false, _) if due => Some(Event::Started),
            _ => None,
        }
    }

    pub(super) fn view(&self) -> SourceView {
        let state = match &self.trouble {
            Some(trouble) => SourceState::Trouble(trouble.clone()),
            None if self.told => SourceState::Member,
            None if self.asked.is_some() => SourceState::Asked,
            None => SourceState::Spare,
        };
        SourceView {
            url: self.url.clone(),
            state,
        }
    }
}

/// Says how far we are.
pub(super) fn fill_in<C: Chunk>(
    announce: &mut Announce,
    now: Time,
    totals: Totals,
    engine: &Engine<C>,
) {
    let config = engine.config();
    announce.peer_id = engine.peer_id();
    announce.port = config.listen_port.unwrap_or_default();
    announce.left = Some(totals.left_as_said());
    announce.uploaded = totals.uploaded;
    announce.downloaded = totals.downloaded;
    if let Some(report) = engine.report(now, announce.info_hash) {
        let wanted = u32::try_from(report.wanted).unwrap_or(u32::MAX);
        announce.numwant = Some(wanted.min(config.announce.numwant));
    }
}
