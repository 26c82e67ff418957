//! What happens because time passes: looking around, filling buckets, announcing torrents and
//! looking for their members.

use std::time::Duration;

use super::buckets::Buckets;
use super::calls::Purpose;
use super::{Output, Overlay, OverlayConfig, Want};
use crate::id::Fingerprint;
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;
use crate::wire::introduce::Unlinked;
use crate::wire::overlay::{MAX_HOPS, Question, Target};

/// Buckets for which a neighbour is asked, each time that we look around.
const ASKED: usize = 3;

/// How the table is kept.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    /// Neighbours that were not asked yet whom they know.
    strangers: Vec<Fingerprint>,
    /// When we look around again.
    look: Turn,
    /// Whom we have a place for, and may be linked with.
    candidates: Vec<Candidate>,
    /// Links in the making, since when.
    linking: SortedMap<Fingerprint, (Candidate, Time)>,
    /// No link came about, and none is tried before its turn.
    resting: SortedMap<Fingerprint, Turn>,
}

/// Somebody we heard of, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) tab: Fingerprint,
    /// The neighbour through which we did.
    pub(super) first: Fingerprint,
    /// Towards what the question had gone.
    pub(super) way: Target,
}

/// What a torrent wants, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) want: Want,
    seek: Turn,
    announce: Turn,
    /// A bridge is to be asked for it, as soon as one is linked with us.
    pub(super) uncarried: bool,
}

/// Something that is done again after growing pauses; at once when it is new.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    at: Time,
    pause: Duration,
}

impl Turn {
    /// It is due, and will be again.
    fn take(&mut self, now: Time, (least, most): (Duration, Duration), rng: &mut Rng) -> bool {
        let due = self.at <= now;
        if due {
            self.pause = self.pause.saturating_mul(2).max(least).min(most);
            self.at = now + some(self.pause, rng);
        }
        due
    }
}

impl Maintenance {
    /// There is news: we look around soon, and more often for a while.
    pub(super) fn look_soon(&mut self, now: Time, config: &OverlayConfig) {
        let soon = now + config.look.0;
        self.look.at = self.look.at.min(soon);
        self.look.pause = Duration::ZERO;
    }

    /// A new neighbour is to be asked whom it knows.
    pub(super) fn greet(&mut self, tab: Fingerprint) {
        self.strangers.push(tab);
    }

    /// Somebody is linked.
    pub(super) fn met(&mut self, tab: Fingerprint) {
        self.linking.remove(&tab);
        self.resting.remove(&tab);
        self.candidates.retain(|candidate| candidate.tab != tab);
    }

    /// No link came about.
    pub(super) fn failed(&mut self, now: Time, tab: Fingerprint, config: &OverlayConfig) {
        self.linking.remove(&tab);
        // Most of those who have no place for us won't have one soon.
        let rest = self.resting.entry(tab).or_default();
        rest.pause = rest
            .pause
            .saturating_mul(2)
            .max(config.rest.0)
            .min(config.rest.1);
        rest.at = now + rest.pause;
        if self.resting.len() > config.candidates {
            let first = self.resting.iter().min_by_key(|(_, rest)| rest.at);
            let first = first.map(|(tab, _)| *tab);
            first.map(|first| self.resting.remove(&first));
        }
    }

    /// Somebody may be linked with; false if that is no news.
    pub(super) fn consider(
        &mut self,
        now: Time,
        candidate: Candidate,
        config: &OverlayConfig,
    ) -> bool {
        let tab = candidate.tab;
        let rests = self.resting.get(&tab).is_some_and(|rest| now < rest.at);
        let known =
            self.linking.contains_key(&tab) || self.candidates.iter().any(|it| it.tab == tab);
        let new = !rests && !known && self.candidates.len() < config.candidates;
        if new {
            self.candidates.push(candidate);
        }
        new
    }

    /// A link to somebody is to be made, unless that was tried a moment ago.
    pub(super) fn begin(&mut self, now: Time, candidate: Candidate) -> bool {
        let tab = candidate.tab;
        let rests = self.resting.get(&tab).is_some_and(|rest| now < rest.at);
        !rests && self.linking.insert(tab, (candidate, now)).is_none()
    }

    /// How we heard of somebody who is to be linked with us.
    pub(super) fn heard_of(&self, tab: Fingerprint) -> Option<Candidate> {
        self.linking.get(&tab).map(|(candidate, _)| *candidate)
    }
}

impl Overlay {
    /// Says what every torrent wants, in the place of what was said before.
    pub fn want(&mut self, now: Time, wants: &[(Target, Want)]) {
        let named = |topic: &Target| wants.iter().any(|(of, _)| of == topic);
        self.wishes.retain(|topic, _| named(topic));
        for (topic, want) in wants {
            let turn = Turn {
                at: now,
                pause: Duration::ZERO,
            };
            let new = Wish {
                want: *want,
                seek: turn,
                announce: turn,
                uncarried: false,
            };
            let wish = self.wishes.entry(*topic).or_insert_with(|| new);
            if want.look && !wish.want.look {
                wish.seek = turn;
            }
            wish.want = *want;
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time) {
        let ours = self.ours();
        for (_, call) in self.calls.take(|call| call.until <= now) {
            // An offer that its owner left unanswered is "busy", whoever made it.
            if Some(call.to) != ours {
                self.fail(now, call, Unlinked::NotConnected);
            }
        }
        self.storage.expire(now, &self.config);
        let timeout = self.config.timeout.saturating_mul(2);
        let linking = self.maintenance.linking.iter();
        let late = linking.filter(|(_, (_, since))| now - *since >= timeout);
        let late: Vec<Fingerprint> = late.map(|(tab, _)| *tab).collect();
        for tab in late {
            self.unlinked(now, tab);
        }
        if self.buckets.as_ref().is_none_or(|b| b.len() == 0) {
            return;
        }
        self.ask_strangers(now);
        self.look_around(now);
        self.make_links(now);
        self.tend_wishes(now);
    }

    /// Asks new neighbours for the best of every bucket. If one leads to a network that we don't
    /// know, that is how the two grow together.
    fn ask_strangers(&mut self, now: Time) {
        for tab in std::mem::take(&mut self.maintenance.strangers) {
            let depth = self.buckets.as_ref().map_or(0, Buckets::depth);
            for bucket in 0..depth {
                self.ask_for(now, tab, bucket);
            }
        }
    }

    /// Asks a neighbour for the best of a bucket.
    fn ask_for(&mut self, now: Time, tab: Fingerprint, bucket: usize) {
        let buckets = self.buckets.as_ref();
        if let Some(buckets) = buckets.filter(|buckets| buckets.has(tab)) {
            let target = buckets.corner(bucket).0;
            let purpose = Purpose::Look {
                first: tab,
                way: target,
            };
            self.question(now, tab, (target, MAX_HOPS), Question::Find, purpose);
        }
    }

    /// Looks for the best of a few buckets, each through a neighbour at random.
    fn look_around(&mut self, now: Time) {
        let Some(buckets) = &self.buckets else {
            return;
        };
        let look = self.config.look;
        if !self.maintenance.look.take(now, look, &mut self.rng) {
            return;
        }
        let depth = buckets.depth();
        let tabs: Vec<Fingerprint> = buckets.tabs().collect();
        for _ in 0..ASKED {
            let bucket = self.rng.below(depth);
            if let Some(tab) = self.rng.choose(&tabs).copied() {
                self.ask_for(now, tab, bucket);
            }
        }
    }

    /// Has links made to those that we have a place for, and lets go of those without one where
    /// there are too many.
    fn make_links(&mut self, now: Time) {
        let Some(buckets) = &self.buckets else {
            return;
        };
        let maintenance = &mut self.maintenance;
        maintenance
            .candidates
            .retain(|it| buckets.wants(it.tab, &self.config));
        let own = buckets.own_id();
        while maintenance.linking.len() < self.config.at_once
            && buckets.len() + maintenance.linking.len() < self.config.links.saturating_mul(2)
        {
            // The nearest first: who is looked for in our neighbourhood has to be found.
            let candidates = maintenance.candidates.iter().enumerate();
            let near = |tab: Fingerprint| super::id_of(tab).distance(own);
            let Some((at, _)) = candidates.min_by_key(|(_, it)| near(it.tab)) else {
                break;
            };
            let candidate = maintenance.candidates.swap_remove(at);
            maintenance.linking.insert(candidate.tab, (candidate, now));
            self.out.push_back(Output::Link(candidate.tab));
        }
        if buckets.len() > self.config.links
            && let Some(tab) = buckets.spare(&self.config)
        {
            self.out.push_back(Output::Part(tab));
        }
    }

    /// Looks for those who announced a topic.
    pub(super) fn seek(&mut self, now: Time, topic: Target, ways: usize) {
        self.members_here(now, topic);
        self.ask(now, topic, &Question::Get, &Purpose::Seek(topic), ways);
    }

    fn tend_wishes(&mut self, now: Time) {
        let Overlay {
            wishes,
            config,
            rng,
            ..
        } = self;
        let mut due = Vec::new();
        for (topic, wish) in wishes.iter_mut() {
            let announce = wish.want.announce && wish.announce.take(now, config.announce, rng);
            let seek = wish.want.look && wish.seek.take(now, config.seek, rng);
            due.push((*topic, announce, seek));
        }
        let ways = self.config.ways;
        for (topic, announce, seek) in due {
            if announce {
                match self.is_nearest(topic) {
                    true => {
                        if let Some(ours) = self.ours() {
                            self.keep(now, topic, ours, true);
                        }
                    }
                    false => {
                        self.ask(now, topic, &Question::Announce, &Purpose::Announce, ways);
                    }
                }
            }
            if seek {
                self.seek(now, topic, ways);
                self.seek_bridges(now, topic, ways);
            }
        }
    }
}

/// About so long: not all at once.
fn some(about: Duration, rng: &mut Rng) -> Duration {
    let parts = u32::try_from(12 + rng.below(9)).unwrap_or(16);
    about / 16 * parts.min(20)
}
