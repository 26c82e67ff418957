//! Getting the info dictionary (BEP 9), so that an info-hash is enough.
//!
//! Each source is asked for the whole of it: if the hash is wrong then, it is clear who lied.
//! Several are asked side by side, because any of them may be slow, or mean to be: all for
//! the first piece, which shows who answers at all, and a few for the rest. Of those, the
//! ones that promise to be done soonest go on, and who has not been tried yet is tried: a
//! peer that drips its pieces loses its turn within a second or two, and keeps what came
//! for the case that all the others are worse.

use std::time::Duration;

use bytes::Bytes;

use super::{Cx, Ending, Fault, Phase, Torrent};
use crate::chunk::Chunk;
use crate::engine::config::MetadataConfig;
use crate::engine::{Event, Resume};
use crate::metainfo::{Metainfo, MetainfoError};
use crate::peer::{SessionId, Upload};
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;
use crate::wire::extension::{METADATA_PIECE, MetadataMessage};
use crate::wire::peer::Message;

/// The state of a fetch.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    sources: SortedMap<SessionId, Source>,
    /// Sessions that could not, or would not, send it.
    tried: SortedSet<SessionId>,
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
    fn choose(&mut self, now: Time, config: &MetadataConfig) {
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
        let chosen: SortedSet<SessionId> = best
            .chain(untried)
            .chain(rest)
            .take(config.running)
            .collect();
        for (id, source) in &mut self.sources {
            source.run(now, chosen.contains(id));
        }
    }
}

impl<C: Chunk> Torrent<C> {
    /// Asks those who have the metadata, as far as there is room for more sources.
    pub(super) fn fetch_metadata(&mut self, cx: &mut Cx<'_, C>) {
        let mut able = self.untried_sources();
        self.rng.shuffle(&mut able);
        for (id, size) in able {
            let Phase::Metadata(fetch) = &mut self.phase else {
                return;
            };
            if fetch.sources.len() >= cx.config.metadata.sources {
                return;
            }
            let mut source = Source::new(size, cx.now);
            source.run(cx.now, fetch.running() < cx.config.metadata.running);
            fetch.sources.insert(id, source);
            self.ask_for_metadata(cx, id);
        }
    }

    /// Sessions that could be asked and are not, with the length that each claims.
    fn untried_sources(&self) -> Vec<(SessionId, u32)> {
        let Phase::Metadata(fetch) = &self.phase else {
            return Vec::new();
        };
        let acceptable = 1..=u32::try_from(Metainfo::MAX_LENGTH).expect("the limit is a few MiB");
        let able = self.sessions.iter().filter_map(|(id, session)| {
            let size = session
                .remote
                .metadata_size
                .filter(|size| acceptable.contains(size))?;
            let known = fetch.sources.contains_key(id) || fetch.tried.contains(id);
            (session.talk.ut_metadata.is_some() && !known).then_some((*id, size))
        });
        able.collect()
    }

    fn ask_for_metadata(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Phase::Metadata(fetch) = &mut self.phase else {
            return;
        };
        let remote = self.sessions.get(&id).and_then(|s| s.talk.ut_metadata);
        let (Some(source), Some(remote)) = (fetch.sources.get_mut(&id), remote) else {
            return;
        };
        let ahead = match source.running {
            Some(_) => source.here().saturating_add(cx.config.metadata.pipeline),
            None => 1,
        };
        let until = source.pieces().min(ahead);
        let wanted = source.next..until;
        if !wanted.is_empty() && !source.owes() {
            source.last_progress = cx.now;
        }
        source.next = source.next.max(until);
        for piece in wanted {
            let payload = MetadataMessage::Request { piece }.encode();
            let request = Message::Extended {
                id: remote,
                payload,
            };
            self.say(cx, id, &request);
        }
    }

    pub(super) fn handle_metadata(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        payload: &Bytes,
    ) -> Result<(), Fault> {
        match MetadataMessage::decode(payload)? {
            Some(MetadataMessage::Request { piece }) => {
                let session = self.session(id)?;
                if session.talk.outbox.upload_count() >= cx.config.max_incoming_requests {
                    return Err(Fault::TooManyRequests);
                }
                // For a while: it is no way to keep a place for ever.
                if cx.now - session.remote.since < cx.config.idle_timeout {
                    session.remote.giving.asked = Some(cx.now);
                }
                session.talk.outbox.push_upload(Upload::Metadata(piece));
                cx.waiting.add((self.info_hash, id));
            }
            Some(MetadataMessage::Data {
                piece,
                total_size,
                data,
            }) => {
                self.take_metadata(cx, id, piece, total_size, &data)?;
            }
            Some(MetadataMessage::Reject { .. }) => self.metadata_source_lost(cx, id),
            None => {}
        }
        Ok(())
    }

    fn take_metadata(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        piece: u32,
        total_size: u32,
        data: &[u8],
    ) -> Result<(), Fault> {
        let Phase::Metadata(fetch) = &mut self.phase else {
            return Ok(());
        };
        let Some(source) = fetch.sources.get_mut(&id) else {
            return Ok(());
        };
        // A channel keeps the order of what was asked.
        let begin = source.received.len() as u64;
        let expected = u64::from(METADATA_PIECE).min(u64::from(source.size) - begin);
        let in_order = u64::from(piece) * u64::from(METADATA_PIECE) == begin;
        let asked = in_order && piece < source.next;
        if total_size != source.size || !asked || data.len() as u64 != expected {
            return Err(Fault::UnaskedMetadata);
        }
        source.received.extend_from_slice(data);
        source.last_progress = cx.now;
        self.gained = cx.now;
        if let Some(session) = self.sessions.get_mut(&id) {
            session.remote.allowance.earn(cx.config.work.block);
        }
        if source.received.len() == source.size as usize {
            let info = Bytes::from(std::mem::take(&mut source.received));
            self.metadata_complete(cx, id, info);
            return Ok(());
        }
        if source.running.is_none() {
            fetch.run_instead_of_the_silent(cx.now, id, &cx.config.metadata);
        }
        self.bound_metadata(cx, id);
        self.ask_for_metadata(cx, id);
        Ok(())
    }

    /// Gives up the slowest copy while all together take too much memory.
    fn bound_metadata(&mut self, cx: &mut Cx<'_, C>, newest: SessionId) {
        let Phase::Metadata(fetch) = &mut self.phase else {
            return;
        };
        let held = |fetch: &Fetch| -> usize {
            let sources = fetch.sources.values();
            sources.map(|source| source.received.len()).sum()
        };
        while held(fetch) > cx.config.metadata.bytes {
            let others = fetch.sources.iter().filter(|(id, _)| **id != newest);
            let slowest = others
                .filter(|(_, source)| !source.received.is_empty())
                .max_by_key(|(_, source)| source.time_left(cx.now));
            let Some((&id, _)) = slowest else { return };
            fetch.sources.remove(&id);
            fetch.tried.insert(id);
        }
    }

    /// All that a source promised is here.
    fn metadata_complete(&mut self, cx: &mut Cx<'_, C>, id: SessionId, info: Bytes) {
        match Metainfo::from_info(info, self.info_hash, Vec::new()) {
            Ok(metainfo) => {
                if let Some(reason) = cx.config.refuses(metainfo.layout()) {
                    return self.fail(cx, reason);
                }
                cx.event(Event::Metadata(metainfo.clone()));
                let resume = if self.check_store {
                    Resume::Check
                } else {
                    Resume::Nothing
                };
                self.begin(cx, metainfo, resume);
            }
            Err(MetainfoError::WrongInfoHash) => {
                self.metadata_source_lost(cx, id);
                self.ban(cx, id, &Ending::WrongMetadata);
            }
            // The hash is right, so every peer would send the same.
            Err(error) => self.fail(cx, error.into()),
        }
    }

    /// A session won't send the metadata: others are asked.
    pub(super) fn metadata_source_lost(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let Phase::Metadata(fetch) = &mut self.phase else {
            return;
        };
        if fetch.sources.remove(&id).is_some() {
            fetch.tried.insert(id);
            self.go_on_with_metadata(cx);
        }
    }

    /// What was asked of a session will not come; it may be asked again.
    pub(super) fn ask_again_for_metadata(&mut self, id: SessionId) {
        if let Phase::Metadata(fetch) = &mut self.phase {
            fetch.sources.remove(&id);
        }
    }

    /// Gives up sources that are silent, and gives the turns to those that are fast; when all
    /// were tried, begins again.
    pub(super) fn metadata_upkeep(&mut self, cx: &mut Cx<'_, C>) {
        let waiting = !self.untried_sources().is_empty();
        let Phase::Metadata(fetch) = &mut self.phase else {
            return;
        };
        let config = &cx.config.metadata;
        fetch.tried.retain(|id| self.sessions.contains_key(id));
        // While others wait for its place, a source has less time to say something.
        let full = fetch.sources.len() >= config.sources;
        let patience = if waiting && full {
            config.patience
        } else {
            config.timeout
        };
        let silent = |source: &Source| source.is_silent_for(cx.now, patience);
        let lost: Vec<SessionId> = fetch
            .sources
            .iter()
            .filter(|(_, source)| silent(source))
            .map(|(&id, _)| id)
            .collect();
        for id in lost {
            fetch.sources.remove(&id);
            fetch.tried.insert(id);
        }
        if fetch.sources.is_empty() && !waiting {
            fetch.tried.clear();
        }
        self.go_on_with_metadata(cx);
    }

    fn go_on_with_metadata(&mut self, cx: &mut Cx<'_, C>) {
        let Phase::Metadata(fetch) = &mut self.phase else {
            return;
        };
        fetch.choose(cx.now, &cx.config.metadata);
        let ids: Vec<SessionId> = fetch.sources.keys().copied().collect();
        for id in ids {
            self.ask_for_metadata(cx, id);
        }
        self.fetch_metadata(cx);
    }
}
