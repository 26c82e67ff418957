//! Which direct links are being made, and what came of those before.

use crate::engine::DirectId;
use crate::id::{ChannelKey, Fingerprint};
use crate::peer::{DirectConfig, SessionId};
use crate::sorted::SortedMap;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Directs {
    of: SortedMap<SessionId, Direct>,
    /// Offers made so far.
    made: u32,
}

/// What there is between us and one peer.
#[derive(Debug, Default)]
struct Direct {
    attempt: Option<Attempt>,
    /// Tries in vain since the last that was not.
    in_vain: usize,
    /// Offers that were refused since.
    refused: u32,
    /// None is made before then.
    rests_until: Time,
}

/// A link in the making.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) id: DirectId,
    /// We offered it.
    pub(super) ours: bool,
    /// Whose certificate the other end's description has.
    pub(super) theirs: Option<Fingerprint>,
    /// The other end did its part.
    answered: bool,
    since: Time,
}

impl Directs {
    pub(super) fn under_way(&self) -> usize {
        let attempts = self.of.values().filter(|direct| direct.attempt.is_some());
        attempts.count()
    }

    pub(super) fn attempt(&self, session: SessionId) -> Option<Attempt> {
        self.of.get(&session)?.attempt
    }

    pub(super) fn begin(&mut self, now: Time, session: SessionId, id: DirectId, ours: bool) {
        let attempt = Attempt {
            id,
            ours,
            theirs: None,
            answered: false,
            since: now,
        };
        self.of.entry(session).or_default().attempt = Some(attempt);
    }

    /// The other end's description has this certificate.
    pub(super) fn names(&mut self, session: SessionId, theirs: Option<Fingerprint>) {
        let direct = self.of.get_mut(&session);
        if let Some(attempt) = direct.and_then(|direct| direct.attempt.as_mut()) {
            attempt.theirs = theirs;
        }
    }

    /// The next offer of ours through this channel.
    pub(super) fn number(&mut self, channel: ChannelKey) -> DirectId {
        self.made = self.made.wrapping_add(1);
        DirectId {
            channel,
            attempt: self.made,
        }
    }

    /// Those that were begun so long ago that nothing will come of them.
    pub(super) fn late(&self, now: Time, config: &DirectConfig) -> Vec<SessionId> {
        let late = self.of.iter().filter_map(|(session, direct)| {
            let attempt = direct.attempt?;
            (now - attempt.since >= config.timeout).then_some(*session)
        });
        late.collect()
    }

    /// Nothing came of the last attempt, not long ago.
    pub(super) fn rests(&self, now: Time, session: SessionId) -> bool {
        let direct = self.of.get(&session);
        direct.is_some_and(|direct| now < direct.rests_until)
    }

    /// A session is over; what was being made for it.
    pub(super) fn forget(&mut self, session: SessionId) -> Option<Attempt> {
        self.of.remove(&session)?.attempt
    }

    /// The other end answers.
    pub(super) fn answered(&mut self, session: SessionId) {
        let direct = self.of.get_mut(&session);
        if let Some(attempt) = direct.and_then(|direct| direct.attempt.as_mut()) {
            attempt.answered = true;
        }
    }

    /// The other end wants none, or not any more. Whoever refuses an offer of ours at once has
    /// its hands full, as a rule, and is asked again soon, but not for ever.
    pub(super) fn ended(&mut self, now: Time, session: SessionId, config: &DirectConfig) {
        let Some(direct) = self.of.get_mut(&session) else {
            return;
        };
        let refused = direct.attempt.is_some_and(|it| it.ours && !it.answered);
        let pause = config.busy.saturating_mul(1 << direct.refused.min(16));
        if !refused || pause >= config.retry[0] {
            return self.fail(now, session, config);
        }
        direct.attempt = None;
        direct.refused += 1;
        direct.rests_until = now + pause;
    }

    /// An attempt is over, and came to nothing: the next one is made later each time.
    pub(super) fn fail(&mut self, now: Time, session: SessionId, config: &DirectConfig) {
        if let Some(direct) = self.of.get_mut(&session) {
            let pause = config.retry.get(direct.in_vain).or(config.retry.last());
            direct.rests_until = now + pause.copied().unwrap_or_default();
            direct.in_vain += 1;
            direct.attempt = None;
        }
    }

    /// There is a link. Should it break, it is not made anew at once.
    pub(super) fn succeed(&mut self, now: Time, session: SessionId, config: &DirectConfig) {
        if let Some(direct) = self.of.get_mut(&session) {
            let pause = config.retry.first().copied().unwrap_or_default();
            *direct = Direct {
                rests_until: now + pause,
                ..Direct::default()
            };
        }
    }
}
