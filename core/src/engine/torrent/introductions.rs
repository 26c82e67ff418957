//! Who of our neighbours is linked with whom, which links are being made through them, and what
//! is carried for them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::id::Fingerprint;
use crate::peer::{DirectConfig, IntroduceConfig, SessionId};
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;

/// Peers of whom it is remembered that no link to them came about; one more takes the place of
/// the one that would rest for the shortest time.
const MAX_RESTING: usize = 128;
/// For what [`IntroduceConfig::a_minute`] is said.
const MINUTE: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Introductions {
    /// Our own certificate, as the descriptions that we sent have it.
    pub(super) ours: Option<Fingerprint>,
    partners: SortedMap<SessionId, Partner>,
    /// By the number that the host knows them by.
    attempts: SortedMap<u32, Attempt>,
    carried: Vec<Carried>,
    resting: SortedMap<Fingerprint, Rest>,
}

/// What passed between us and one neighbour.
#[derive(Debug, Default)]
pub(super) struct Partner {
    /// Whom we told it of.
    pub(super) told: SortedSet<Fingerprint>,
    /// When we last did.
    pub(super) told_at: Option<Time>,
    /// When we last listened.
    heard_at: Option<Time>,
    /// With whom it is linked, as it says, and which of them have everything.
    names: SortedMap<Fingerprint, bool>,
    /// Offers of ours that it was asked to carry.
    pub(super) asked: Window,
    /// Offers of its that we carried.
    pub(super) asks: Window,
    /// Offers that we carried to it.
    pub(super) given: Window,
    /// Offers to us that it carried.
    pub(super) brings: Window,
    /// Descriptions that it carried, and that were not of whom it said.
    pub(super) altered: usize,
}

/// What happened within the last minute.
#[derive(Debug, Default)]
pub(super) struct Window(VecDeque<Time>);

/// A link in the making.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// To whom.
    pub(super) peer: Fingerprint,
    /// Through whom; nobody where the overlay carries descriptions.
    pub(super) via: Option<SessionId>,
    /// The offer's number at its other end, if the other end made it.
    pub(super) theirs: Option<u32>,
    /// The answer is known to both: nobody needs to carry anything any more.
    pub(super) answered: bool,
    /// Since when.
    pub(super) since: Time,
}

/// An offer that was carried, and not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    pub(super) from: SessionId,
    pub(super) offerer: Fingerprint,
    pub(super) to: SessionId,
    pub(super) target: Fingerprint,
    pub(super) attempt: u32,
    pub(super) since: Time,
}

#[derive(Debug, Default)]
struct Rest {
    in_vain: usize,
    until: Time,
}

impl Window {
    /// One more, unless there were so many.
    pub(super) fn take(&mut self, now: Time, most: usize) -> bool {
        self.0.retain(|at| now - *at < MINUTE);
        let may = self.0.len() < most;
        if may {
            self.0.push_back(now);
        }
        may
    }
}

impl Introductions {
    pub(super) fn partner(&mut self, id: SessionId) -> &mut Partner {
        self.partners.entry(id).or_default()
    }

    /// A neighbour says with whom it is linked. What is too much or too often is passed over.
    pub(super) fn hear(
        &mut self,
        now: Time,
        id: SessionId,
        added: &[(Fingerprint, bool)],
        dropped: &[Fingerprint],
        config: &IntroduceConfig,
    ) {
        let partner = self.partner(id);
        let early = |at| now - at < config.pause / 2;
        if partner.heard_at.is_some_and(early) {
            return;
        }
        partner.heard_at = Some(now);
        for peer in dropped.iter().take(config.most) {
            partner.names.remove(peer);
        }
        for (peer, seed) in added.iter().take(config.most) {
            if partner.names.len() < config.names {
                partner.names.insert(*peer, *seed);
            }
        }
    }

    /// Whom a neighbour knows, and who of them has everything.
    pub(super) fn known_to(&self, id: SessionId) -> impl Iterator<Item = (Fingerprint, bool)> {
        let partner = self.partners.get(&id).into_iter();
        let names = partner.flat_map(|partner| partner.names.iter());
        names.map(|(peer, seed)| (*peer, *seed))
    }

    /// It carried things that were not what they should be.
    pub(super) fn is_distrusted(&self, id: SessionId, config: &IntroduceConfig) -> bool {
        let partner = self.partners.get(&id);
        partner.is_some_and(|partner| partner.altered >= config.altered)
    }

    /// A neighbour does not know somebody after all.
    pub(super) fn unknown_to(&mut self, id: SessionId, peer: Fingerprint) {
        self.partner(id).names.remove(&peer);
    }

    /// It may not have got what it was told.
    pub(super) fn tell_anew(&mut self, id: SessionId) {
        if let Some(partner) = self.partners.get_mut(&id) {
            partner.told.clear();
        }
    }

    pub(super) fn under_way(&self) -> usize {
        self.attempts.len()
    }

    pub(super) fn begin(&mut self, number: u32, attempt: Attempt) {
        self.attempts.insert(number, attempt);
    }

    pub(super) fn attempt(&self, number: u32) -> Option<Attempt> {
        self.attempts.get(&number).copied()
    }

    /// The one with this peer, and its number.
    pub(super) fn attempt_with(&self, peer: Fingerprint) -> Option<(u32, Attempt)> {
        let mut attempts = self.attempts.iter();
        let found = attempts.find(|(_, attempt)| attempt.peer == peer);
        found.map(|(number, attempt)| (*number, *attempt))
    }

    pub(super) fn answered(&mut self, number: u32) {
        if let Some(attempt) = self.attempts.get_mut(&number) {
            attempt.answered = true;
        }
    }

    pub(super) fn end(&mut self, number: u32) -> Option<Attempt> {
        self.attempts.remove(&number)
    }

    /// The numbers of those of a kind.
    pub(super) fn attempts(&self, kind: impl Fn(&Attempt) -> bool) -> Vec<u32> {
        let attempts = self.attempts.iter().filter(|(_, attempt)| kind(attempt));
        attempts.map(|(number, _)| *number).collect()
    }

    /// It is left alone for a moment.
    pub(super) fn rest(&mut self, now: Time, peer: Fingerprint, pause: Duration) {
        let rest = self.resting.entry(peer).or_default();
        rest.until = rest.until.max(now + pause);
        if self.resting.len() > MAX_RESTING {
            let first = self.resting.iter().min_by_key(|(_, rest)| rest.until);
            let first = first.map(|(peer, _)| *peer);
            first.map(|first| self.resting.remove(&first));
        }
    }

    /// No link came about: the next is tried later each time.
    pub(super) fn fail(&mut self, now: Time, peer: Fingerprint, config: &DirectConfig) {
        let rest = self.resting.entry(peer).or_default();
        let pause = config.retry.get(rest.in_vain).or(config.retry.last());
        rest.in_vain += 1;
        self.rest(now, peer, pause.copied().unwrap_or_default());
    }

    /// A link came about. Should it break, it is not made anew at once.
    pub(super) fn succeed(&mut self, now: Time, peer: Fingerprint, config: &DirectConfig) {
        self.resting.remove(&peer);
        let pause = config.retry.first().copied();
        self.rest(now, peer, pause.unwrap_or_default());
    }

    pub(super) fn rests(&self, now: Time, peer: Fingerprint) -> bool {
        let rest = self.resting.get(&peer);
        rest.is_some_and(|rest| now < rest.until)
    }

    /// Offers that are carried for a neighbour, and not answered.
    pub(super) fn carried_for(&self, id: SessionId) -> usize {
        let carried = self.carried.iter();
        carried.filter(|carried| carried.from == id).count()
    }

    pub(super) fn carry(&mut self, carried: Carried) {
        self.carried.push(carried);
    }

    /// Takes those of a kind out.
    pub(super) fn take_carried(&mut self, kind: impl Fn(&Carried) -> bool) -> Vec<Carried> {
        self.carried
            .extract_if(.., |carried| kind(carried))
            .collect()
    }

    /// A session is over.
    pub(super) fn forget(&mut self, id: SessionId) {
        self.partners.remove(&id);
    }
}
