//! Which of two ways to a peer carries the talk, by measuring.
//!
//! Where neither costs anybody anything, only a trial can tell: a relay nearby is several times as
//! fast as a data channel, and one that is far away or busy is the slower. One end decides, the
//! one that gets more than it gives ([`Session::chooses`](super::Session)), because who waits for
//! blocks sees what a way brings. Once the peer was busy for us for a while, the talk goes the other
//! way for some seconds, and stays there if that is clearly better. It is rare and bounded
//! ([`MeasureConfig`]), and before each change what was asked for is waited for, so that hardly
//! anything is sent twice.

use std::time::Duration;

use super::MeasureConfig;
use crate::pieces::BLOCK;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct PathChoice {
    /// What the present way brought, in how much time in which the peer owed us blocks.
    bytes: u64,
    time: Duration,
    /// What came since we last looked, and when that was, if it owed us something then.
    fresh: u64,
    looked: Option<Time>,
    phase: Phase,
    /// What the other way brought before the trial.
    before: Carried,
    /// When the last trial ended, or the other end changed over.
    ended: Option<Time>,
    /// Trials in a row that changed nothing.
    vain: usize,
    /// Bytes a second of the better way, as of the last trial.
    expected: u64,
}

/// What a way brings.
#[derive(Clone, Copy, Debug, Default)]
struct Carried {
    /// Bytes a second.
    rate: u64,
    /// The least time that an answer took.
    delay: Option<Duration>,
}

/// Where a trial stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Phase {
    /// There is none.
    #[default]
    Stays,
    /// Nothing more is asked for until what was has come: then the talk goes the other way, to
    /// try it, or back.
    Leaves { since: Time, back: bool },
    /// The other way is tried; what comes counts from a time on that the first block sets.
    Tries {
        since: Time,
        from: Option<Time>,
        bytes: u64,
    },
}

/// What is to be known of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// There is another way, as free as this, and we are the one who chooses.
    pub(crate) may: bool,
    /// Blocks were asked for and did not come yet.
    pub(crate) owes: bool,
    /// For how long nothing at all came.
    pub(crate) silent: Duration,
    /// The least time that an answer took this way.
    pub(crate) delay: Option<Duration>,
}

impl PathChoice {
    /// Nothing more is to be asked for, for the moment.
    pub(crate) fn leaves(&self) -> bool {
        matches!(self.phase, Phase::Leaves { .. })
    }

    /// A trial is under way.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Stays)
    }

    /// A block came by the way that carries the talk.
    pub(crate) fn arrived(&mut self, now: Time, length: usize, config: &MeasureConfig) {
        let length = length as u64;
        self.fresh += length;
        if let Phase::Tries { from, bytes, .. } = &mut self.phase {
            match from {
                Some(from) if *from <= now => *bytes += length,
                Some(_) => {}
                None => *from = Some(now + config.settle),
            }
        }
    }

    /// The talk goes another way, or there is none any more.
    pub(crate) fn begins(&mut self, phase: Phase) {
        (self.bytes, self.time, self.fresh) = (0, Duration::ZERO, 0);
        self.looked = None;
        self.phase = phase;
    }

    /// The other end chose.
    pub(crate) fn is_told(&mut self, now: Time) {
        self.ended = Some(now);
    }

    /// What to do; some, if the talk is to go the other way now.
    pub(crate) fn decide(
        &mut self,
        now: Time,
        seen: Seen,
        config: &MeasureConfig,
    ) -> Option<Phase> {
        match self.phase {
            Phase::Stays => self.consider(now, seen, config),
            Phase::Leaves { since, .. } if seen.owes && now - since < config.drain => None,
            Phase::Leaves { back: true, .. } => Some(Phase::Stays),
            Phase::Leaves { .. } if seen.may => Some(tries(now)),
            Phase::Leaves { .. } => {
                self.phase = Phase::Stays;
                None
            }
            Phase::Tries { since, from, bytes } => {
                self.judge(now, since, from.map(|from| (from, bytes)), seen, config)
            }
        }
    }

    /// Is it time for a trial?
    fn consider(&mut self, now: Time, seen: Seen, config: &MeasureConfig) -> Option<Phase> {
        let rate = self.look(now, seen.owes, config);
        let stuck = seen.silent >= config.stuck;
        // A shorter rest, where this way has become much worse.
        let worse = stuck || rate.is_some_and(|rate| 2 * rate < self.expected);
        if !seen.may || !seen.owes || config.enough == 0 || self.rests(now, worse, config) {
            return None;
        }
        if stuck {
            self.before = Carried::default();
            return Some(tries(now));
        }
        let rate = rate.filter(|rate| *rate < config.enough)?;
        let delay = seen.delay;
        self.before = Carried { rate, delay };
        self.phase = Phase::Leaves {
            since: now,
            back: false,
        };
        None
    }

    /// Counts what came while the peer owed us blocks; what this way brings, once that was for
    /// long enough.
    fn look(&mut self, now: Time, owes: bool, config: &MeasureConfig) -> Option<u64> {
        let fresh = std::mem::take(&mut self.fresh);
        let since = self.looked.take();
        if !owes {
            (self.bytes, self.time) = (0, Duration::ZERO);
            return None;
        }
        self.looked = Some(now);
        if let Some(since) = since {
            self.bytes += fresh;
            self.time += now - since;
        }
        if self.time >= 2 * config.busy {
            self.bytes /= 2;
            self.time /= 2;
        }
        (self.time >= config.busy).then(|| rate_of(self.bytes, self.time))
    }

    /// The last trial was a short while ago.
    fn rests(&self, now: Time, worse: bool, config: &MeasureConfig) -> bool {
        let times = if worse {
            0
        } else {
            self.vain.saturating_sub(1)
        };
        let pause = config.retry[times.min(config.retry.len() - 1)];
        self.ended.is_some_and(|ended| now - ended < pause)
    }

    fn judge(
        &mut self,
        now: Time,
        since: Time,
        counted: Option<(Time, u64)>,
        seen: Seen,
        config: &MeasureConfig,
    ) -> Option<Phase> {
        let Some((from, bytes)) = counted else {
            if now - since < config.patience {
                return None;
            }
            // It brings nothing, and neither will what was asked for.
            self.ends(now, self.before.rate, false);
            let goes_back = self.before.rate > 0;
            self.phase = Phase::Stays;
            return goes_back.then_some(Phase::Stays);
        };
        let time = now.saturating_since(from);
        if time < config.span.0 {
            return None;
        }
        let least = u128::from(self.before.rate / 2) * time.as_millis() / 1000;
        let hopeless = u128::from(bytes + 4 * u64::from(BLOCK)) < least;
        if time < config.span.1 && !hopeless {
            return None;
        }
        let rate = rate_of(bytes, time);
        let delay = seen.delay;
        if self.before.is_beaten_by(Carried { rate, delay }) {
            self.ends(now, rate, true);
            self.phase = Phase::Stays;
        } else {
            self.ends(now, self.before.rate, false);
            self.phase = Phase::Leaves {
                since: now,
                back: true,
            };
        }
        None
    }

    fn ends(&mut self, now: Time, expected: u64, changed: bool) {
        self.ended = Some(now);
        self.vain = if changed { 0 } else { self.vain + 1 };
        self.expected = expected;
    }
}

impl Carried {
    /// By half as much again, or as much by half as long a way: it is felt, and what comes and goes
    /// in a swarm does not bring it about often.
    fn is_beaten_by(&self, other: Carried) -> bool {
        let shorter = match (self.delay, other.delay) {
            (Some(here), Some(there)) => 2 * there <= here,
            _ => false,
        };
        let (here, there) = (u128::from(self.rate), u128::from(other.rate));
        2 * there > 3 * here || shorter && 10 * there >= 9 * here
    }
}

fn tries(now: Time) -> Phase {
    Phase::Tries {
        since: now,
        from: None,
        bytes: 0,
    }
}

fn rate_of(bytes: u64, time: Duration) -> u64 {
    let rate = u128::from(bytes) * 1000 / time.as_millis().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}
