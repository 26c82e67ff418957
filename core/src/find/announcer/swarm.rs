//! The trackers of one torrent, tier by tier.

use std::time::Duration;

use super::source::{Asked, Source, SourceView};
use super::{AnnounceError, Said};
use crate::engine::Urgency;
use crate::engine::config::AnnounceConfig;
use crate::id::{InfoHash, PeerId};
use crate::time::Time;
use crate::wire::tracker::http::{AnnounceQuery, Announced};
use crate::wire::tracker::{Announce, Event};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Swarm {
    sources: Vec<Source>,
    /// Which of them are in each tier, the one that is announced to first.
    tiers: Vec<Vec<usize>>,
    /// It got its last piece while it was here: that is told once, though a piece may be lost
    /// and fetched again.
    completed: bool,
}

/// What is wrong with which tracker.
pub(super) struct Trouble {
    url: String,
    trouble: AnnounceError,
}

impl Trouble {
    pub(super) fn said(self, info_hash: InfoHash) -> Said {
        Said::Trouble {
            info_hash,
            url: self.url,
            trouble: self.trouble,
        }
    }
}

impl Swarm {
    /// Trackers of which one is to be announced to; those that are known already stay where they
    /// are, and there are no more than `most` in all.
    pub(super) fn add_tier(&mut self, urls: Vec<String>, most: usize) {
        let mut tier = Vec::new();
        for url in urls {
            let known = self.sources.iter().any(|source| source.url == url);
            if !known && self.sources.len() < most {
                tier.push(self.sources.len());
                self.sources.push(Source::new(url));
            }
        }
        if !tier.is_empty() {
            self.tiers.push(tier);
        }
    }

    /// Those that are announced to: the first of each tier, and others that have an event to
    /// hear, as they believe that we are there.
    fn current(&self) -> impl Iterator<Item = usize> {
        let firsts = self.tiers.iter().filter_map(|tier| tier.first().copied());
        let owed = self.sources.iter().enumerate();
        let owed = owed.filter(|(_, source)| source.told && source.owes_complete);
        let owed = owed.map(|(index, _)| index);
        let mut current: Vec<usize> = firsts.chain(owed).collect();
        current.sort_unstable();
        current.dedup();
        current.into_iter()
    }

    pub(super) fn look(&mut self, now: Time, urgency: Urgency, config: &AnnounceConfig) {
        let pause = match urgency {
            Urgency::Now | Urgency::Soon => Duration::ZERO,
            Urgency::Lonely => config.least / 4,
        };
        let current: Vec<usize> = self.current().collect();
        for index in current {
            let source = &mut self.sources[index];
            if let Some(next) = source.next.filter(|_| source.failures == 0) {
                let soon = source.rests_until.unwrap_or(now).max(now + pause);
                source.next = Some(next.min(soon));
            }
        }
    }

    /// Those who know that we are there hear that we got the last piece, once.
    pub(super) fn complete(&mut self) {
        if !std::mem::replace(&mut self.completed, true) {
            for source in &mut self.sources {
                source.owes_complete = source.told || source.asked.is_some();
            }
        }
    }

    /// Forgets what trackers know of us. Returns those that are to hear that we leave.
    pub(super) fn leave(&mut self) -> Vec<usize> {
        let mut left = Vec::new();
        for (index, source) in self.sources.iter_mut().enumerate() {
            // One that was asked may have heard it.
            if source.told || source.asked.is_some() {
                left.push(index);
            }
            let (url, tracker_id) = (source.url.clone(), source.tracker_id.take());
            *source = Source {
                tracker_id,
                ..Source::new(url)
            };
        }
        left
    }

    pub(super) fn due(&self, config: &AnnounceConfig) -> Option<Time> {
        let times = self.current().map(|index| self.sources[index].due(config));
        times.min()
    }

    /// Those of whom no answer will come any more.
    pub(super) fn give_up(&self, now: Time, config: &AnnounceConfig) -> Vec<usize> {
        let late = |source: &Source| {
            let asked = source.asked;
            asked.is_some_and(|asked| now - asked.since >= config.timeout)
        };
        let sources = self.sources.iter().enumerate();
        let late = sources.filter(|(_, source)| late(source));
        late.map(|(index, _)| index).collect()
    }

    /// Those that are to be told something now, and what.
    pub(super) fn take_due(&self, now: Time) -> Vec<(usize, Event)> {
        let current = self.current();
        let due = current.filter_map(|index| Some((index, self.sources[index].event(now)?)));
        due.collect()
    }

    /// A question to a tracker, of which `fill_in` knows the rest.
    pub(super) fn question(
        &mut self,
        now: Time,
        index: usize,
        event: Event,
        number: u32,
        fill_in: impl FnOnce(&mut Announce),
    ) -> Option<(String, AnnounceQuery)> {
        let source = self.sources.get_mut(index)?;
        let mut announce = Announce {
            info_hash: InfoHash([0; 20]),
            peer_id: PeerId([0; 20]),
            port: 0,
            uploaded: 0,
            downloaded: 0,
            left: None,
            event,
            numwant: Some(0),
            key: None,
        };
        fill_in(&mut announce);
        if event == Event::Stopped {
            announce.numwant = Some(0);
        } else {
            source.asked = Some(Asked {
                number,
                since: now,
                event,
            });
        }
        let mut query = AnnounceQuery::new(announce);
        query.tracker_id.clone_from(&source.tracker_id);
        Some((source.url.clone(), query))
    }

    /// This is the question that the tracker was asked last.
    pub(super) fn awaits(&self, index: usize, number: u32) -> bool {
        let asked = self.sources.get(index).and_then(|source| source.asked);
        asked.is_some_and(|asked| asked.number == number)
    }

    /// A tracker took an announce. Returns its warning, if there is a new one.
    pub(super) fn answered(
        &mut self,
        now: Time,
        index: usize,
        announced: &Announced,
        config: &AnnounceConfig,
    ) -> Option<Trouble> {
        if let Some(tier) = self.tiers.iter_mut().find(|tier| tier.contains(&index)) {
            tier.retain(|other| *other != index);
            tier.insert(0, index);
        }
        let source = self.sources.get_mut(index)?;
        let least = announced.min_interval.unwrap_or_default();
        let least = seconds(least).clamp(config.least, config.most);
        let asked = source.asked.take();
        source.owes_complete &= asked.is_none_or(|asked| asked.event != Event::Completed);
        source.told = true;
        source.failures = 0;
        source.rests_until = Some(now + least);
        source.next = Some(now + seconds(announced.interval).clamp(least, config.most));
        source.counts = (
            announced.complete.unwrap_or_default(),
            announced.incomplete.unwrap_or_default(),
        );
        let id = announced.tracker_id.clone();
        source.tracker_id = id.or(source.tracker_id.take());
        let warning = announced.warning.clone();
        match warning {
            None => source.trouble = None,
            Some(warning) => return source.is_news(AnnounceError::Warning(warning)),
        }
        None
    }

    /// A tracker did not answer as it should: the next of its tier is asked at once, if there is
    /// one that is not failing as well. Returns what is wrong, if that is new.
    pub(super) fn failed(
        &mut self,
        now: Time,
        index: usize,
        error: AnnounceError,
        config: &AnnounceConfig,
    ) -> Option<Trouble> {
        let source = self.sources.get_mut(index)?;
        source.asked = None;
        let (first, most) = config.retry;
        let pause = first.saturating_mul(1 << source.failures.min(16)).min(most);
        source.failures = source.failures.saturating_add(1);
        source.next = Some(now + pause);
        source.rests_until = None;
        let trouble = source.is_news(error);
        if let Some(tier) = self.tiers.iter_mut().find(|tier| tier.contains(&index)) {
            tier.retain(|other| *other != index);
            tier.push(index);
            // Of those that fail the one that may be asked soonest.
            let sources = &self.sources;
            tier.sort_by_key(|index| {
                sources[*index]
                    .next
                    .filter(|_| sources[*index].failures > 0)
            });
        }
        trouble
    }

    /// Members that have everything, and that lack something; swarms of several trackers overlap.
    pub(super) fn counts(&self) -> (u32, u32) {
        let counts = self.sources.iter().map(|source| source.counts);
        counts
            .max_by_key(|(complete, incomplete)| u64::from(*complete) + u64::from(*incomplete))
            .unwrap_or_default()
    }

    pub(super) fn view(&self) -> Vec<SourceView> {
        self.sources.iter().map(Source::view).collect()
    }
}

impl Source {
    /// What is wrong with it, if that was not said before.
    fn is_news(&mut self, trouble: AnnounceError) -> Option<Trouble> {
        let words = trouble.to_string();
        let news = self.trouble.as_ref() != Some(&words);
        self.trouble = Some(words);
        news.then(|| Trouble {
            url: self.url.clone(),
            trouble,
        })
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}
