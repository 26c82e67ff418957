//! Getting the info dictionary (BEP 9), so that an info-hash is enough.
//!
//! Each source is asked for the whole of it: if the hash is wrong then, it is clear who lied.
//! Several are asked side by side, because any of them may be slow, or mean to be: all for
//! the first piece, which shows who answers at all, and a few for the rest. Of those, the
//! ones that promise to be done soonest go on, and who has not been tried yet is tried: a
//! peer that drips its pieces loses its turn within a second or two, and keeps what came
//! for the case that all the others are worse.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::Fault;
use crate::engine::config::MetadataConfig;
use crate::peer::SessionId;
use crate::time::Time;
use crate::wire::extension::METADATA_PIECE;

/// The state of a fetch.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    sources: BTreeMap<SessionId, Source>,
    /// Sessions that could not, or would not, send it.
    tried: BTreeSet<SessionId>,
}

/// A piece of the dictionary, as a source sent it.
#[derive(Debug)]
pub(super) struct Data<'a> {
    pub(super) piece: u32,
    /// Bytes of the whole, as it says.
    pub(super) total_size: u32,
    pub(super) bytes: &'a [u8],
}

/// What came of a piece.
#[derive(Debug)]
pub(super) enum Taken {
    /// Its sender is not asked any more.
    Nothing,
    /// It is kept.
    Part,
    /// It was the last one: all of them.
    All(Bytes),
}

impl Fetch {
    /// Pieces that were asked for, of all sources together.
    pub(super) fn asked(&self) -> usize {
        self.sources
            .values()
            .map(|source| source.next as usize)
            .sum()
    }

    fn running(&self) -> usize {
        let running = |source: &&Source| source.running.is_some();
        self.sources.values().filter(running).count()
    }

    /// Who answers need not wait for those who don't.
    fn run_instead_of_the_silent(&mut self, now: Time, id: SessionId, config: &MetadataConfig) {
        let running = self.running();
        let mut others = self.sources.values_mut();
        let silent = others.find(|other| other.running.is_some() && other.received.is_empty());
        if running >= config.running {
            let Some(silent) = silent else { return };
            silent.run(now, false);
        }
        if let Some(source) = self.sources.get_mut(&id) {
            source.run(now, true);
        }
    }

    /// Says who goes on: the one that will be done first, then those that were not tried yet,
    /// then others by the time that they still take.
    pub(super) fn choose(&mut self, now: Time, config: &MetadataConfig) {
        let mut by_time: Vec<(Option<Duration>, SessionId)> = self
            .sources
            .iter()
            .filter(|(_, source)| !source.is_untried(now, config))
            .map(|(&id, source)| (source.time_left(now), id))
            .collect();
        // Of whom nothing came is last.
        by_time.sort_by_key(|&(left, id)| (left.unwrap_or(Duration::MAX), id));
        let untried: Vec<SessionId> = self
            .sources
            .iter()
            .filter(|(_, source)| source.is_untried(now, config))
            .map(|(&id, _)| id)
            .collect();
        let best = usize::from(by_time.first().is_some_and(|(left, _)| left.is_some()));
        let (best, rest) = by_time.split_at(best);
        let rest = rest.iter().map(|(_, id)| *id);
        let best = best.iter().map(|(_, id)| *id);
        let chosen: BTreeSet<SessionId> = best
            .chain(untried)
            .chain(rest)
            .take(config.running)
            .collect();
        for (id, source) in &mut self.sources {
            source.run(now, chosen.contains(id));
        }
    }

    /// It is asked, or was and could not, or would not, send it.
    pub(super) fn knows(&self, id: SessionId) -> bool {
        self.sources.contains_key(&id) || self.tried.contains(&id)
    }

    /// Those that are asked.
    pub(super) fn sources(&self) -> Vec<SessionId> {
        self.sources.keys().copied().collect()
    }

    /// One more, that says how many bytes there are; false if there is no room for it.
    pub(super) fn add(
        &mut self,
        now: Time,
        id: SessionId,
        size: u32,
        config: &MetadataConfig,
    ) -> bool {
        if self.sources.len() >= config.sources {
            return false;
        }
        let mut source = Source::new(size, now);
        source.run(now, self.running() < config.running);
        self.sources.insert(id, source);
        true
    }

    /// The pieces that a source is to be asked for now.
    pub(super) fn ask(&mut self, now: Time, id: SessionId, config: &MetadataConfig) -> Range<u32> {
        let source = self.sources.get_mut(&id);
        source.map_or(0..0, |source| source.ask(now, config))
    }

    /// A piece came.
    pub(super) fn take(
        &mut self,
        now: Time,
        id: SessionId,
        piece: &Data<'_>,
        config: &MetadataConfig,
    ) -> Result<Taken, Fault> {
        let Some(source) = self.sources.get_mut(&id) else {
            return Ok(Taken::Nothing);
        };
        if !source.take(now, piece) {
            return Err(Fault::UnaskedMetadata);
        }
        if source.received.len() == source.size as usize {
            return Ok(Taken::All(std::mem::take(&mut source.received).into()));
        }
        if source.running.is_none() {
            self.run_instead_of_the_silent(now, id, config);
        }
        self.bound(now, id, config.bytes);
        Ok(Taken::Part)
    }

    /// Gives up the slowest copy while all together take too much memory.
    fn bound(&mut self, now: Time, newest: SessionId, most: usize) {
        let held = |sources: &BTreeMap<SessionId, Source>| -> usize {
            sources.values().map(|source| source.received.len()).sum()
        };
        while held(&self.sources) > most {
            let others = self.sources.iter().filter(|(id, _)| **id != newest);
            let slowest = others
                .filter(|(_, source)| !source.received.is_empty())
                .max_by_key(|(_, source)| source.time_left(now));
            let Some((&id, _)) = slowest else { return };
            self.give_up(id);
        }
    }

    /// A source won't send it; false if it is none.
    pub(super) fn give_up(&mut self, id: SessionId) -> bool {
        let known = self.sources.remove(&id).is_some();
        if known {
            self.tried.insert(id);
        }
        known
    }

    /// What was asked of a source will not come; it may be asked again.
    pub(super) fn forget(&mut self, id: SessionId) {
        self.sources.remove(&id);
    }

    /// Gives up sources that are silent; when all were tried, begins again. Others may be
    /// `waiting` for their places.
    pub(super) fn give_up_silent(
        &mut self,
        now: Time,
        waiting: bool,
        is_here: impl Fn(SessionId) -> bool,
        config: &MetadataConfig,
    ) {
        self.tried.retain(|id| is_here(*id));
        // While others wait for its place, a source has less time to say something.
        let full = self.sources.len() >= config.sources;
        let patience = if waiting && full {
            config.patience
        } else {
            config.timeout
        };
        let silent = |source: &Source| source.is_silent_for(now, patience);
        let lost = self.sources.iter().filter(|(_, source)| silent(source));
        let lost: Vec<SessionId> = lost.map(|(&id, _)| id).collect();
        for id in lost {
            self.give_up(id);
        }
        if self.sources.is_empty() && !waiting {
            self.tried.clear();
        }
    }
}

/// One peer's copy of the dictionary.
#[derive(Debug)]
struct Source {
    /// Bytes, as it says.
    size: u32,
    /// What came so far, in order; grows as it comes, not as it was promised.
    received: Vec<u8>,
    /// The next piece to ask for.
    next: u32,
    /// It is asked for more than its first piece, since then.
    running: Option<Time>,
    /// For how long it was, before.
    ran: Duration,
    last_progress: Time,
}

impl Source {
    fn new(size: u32, now: Time) -> Self {
        Source {
            size,
            received: Vec::new(),
            next: 0,
            running: None,
            ran: Duration::ZERO,
            last_progress: now,
        }
    }

    fn pieces(&self) -> u32 {
        self.size.div_ceil(METADATA_PIECE)
    }

    /// Pieces that came.
    fn here(&self) -> u32 {
        u32::try_from(self.received.len()).unwrap_or(u32::MAX) / METADATA_PIECE
    }

    /// It was asked for something that did not come.
    fn owes(&self) -> bool {
        self.next > self.here()
    }

    fn is_silent_for(&self, now: Time, time: Duration) -> bool {
        self.owes() && now - self.last_progress >= time
    }

    /// For how long it was asked for more than its first piece.
    fn time(&self, now: Time) -> Duration {
        self.ran + self.running.map_or(Duration::ZERO, |since| now - since)
    }

    /// It answers, and had no turn that was long enough to see how fast it is.
    fn is_untried(&self, now: Time, config: &MetadataConfig) -> bool {
        !self.received.is_empty() && self.time(now) < config.trial
    }

    /// When it will be done at its pace; none if nothing came.
    fn time_left(&self, now: Time) -> Option<Duration> {
        let received = self.received.len() as u128;
        let left = u128::from(self.size).saturating_sub(received);
        let micros = (self.time(now).as_micros() * left).checked_div(received)?;
        Some(Duration::from_micros(
            u64::try_from(micros).unwrap_or(u64::MAX),
        ))
    }

    fn run(&mut self, now: Time, runs: bool) {
        if runs {
            self.running.get_or_insert(now);
        } else if let Some(since) = self.running.take() {
            self.ran += now - since;
        }
    }

    /// The pieces to be asked for now.
    fn ask(&mut self, now: Time, config: &MetadataConfig) -> Range<u32> {
        let ahead = match self.running {
            Some(_) => self.here().saturating_add(config.pipeline),
            None => 1,
        };
        let until = self.pieces().min(ahead);
        let wanted = self.next..until;
        if !wanted.is_empty() && !self.owes() {
            self.last_progress = now;
        }
        self.next = self.next.max(until);
        wanted
    }

    /// Takes what came; false if that is not what was asked for.
    fn take(&mut self, now: Time, came: &Data<'_>) -> bool {
        // A channel keeps the order of what was asked.
        let begin = self.received.len() as u64;
        let expected = u64::from(METADATA_PIECE).min(u64::from(self.size) - begin);
        let in_order = u64::from(came.piece) * u64::from(METADATA_PIECE) == begin;
        let asked = in_order && came.piece < self.next;
        if came.total_size != self.size || !asked || came.bytes.len() as u64 != expected {
            return false;
        }
        self.received.extend_from_slice(came.bytes);
        self.last_progress = now;
        true
    }
}
