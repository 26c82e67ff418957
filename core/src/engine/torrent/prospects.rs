//! Members that the tracker told of, and what came of asking them.
//!
//! A member that was never asked comes before one that was, and one that refused, or was of
//! no use, is asked again after growing pauses. Of equals, half of the time those come first
//! that say to have everything: it is what the tracker knows, and yet only a claim.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::MemberId;
use crate::peer::PlacesConfig;
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::relay::Member;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Prospects {
    members: BTreeMap<MemberId, Prospect>,
}

/// One member.
#[derive(Debug, Default)]
pub(super) struct Prospect {
    /// The tracker told of it; the others are remembered only to be left alone.
    told: bool,
    /// It says that it has everything.
    pub(super) seed: bool,
    /// How many pieces it says it has.
    pub(super) have: u32,
    /// How often it was asked since it was last of use.
    tries: u32,
    /// When it was last asked.
    asked: Option<Time>,
    /// It is left alone until then.
    rests_until: Time,
}

impl Prospect {
    fn is_ready(&self, now: Time, hasty: Option<Duration>) -> bool {
        let rested = |least| self.asked.is_none_or(|asked| now - asked >= least);
        self.rests_until <= now || self.seed && hasty.is_some_and(rested)
    }
}

impl Prospects {
    /// The tracker tells of a member. Beyond `most`, those that were asked most often are
    /// forgotten.
    pub(super) fn learn(&mut self, member: &Member, most: usize) {
        let prospect = self.entry(member.member, most);
        (prospect.told, prospect.seed, prospect.have) = (true, member.seed, member.have);
    }

    fn entry(&mut self, member: MemberId, most: usize) -> &mut Prospect {
        if self.members.len() >= most.max(1) && !self.members.contains_key(&member) {
            let worst = self.members.iter().max_by_key(|(_, known)| known.tries);
            if let Some(worst) = worst.map(|(member, _)| *member) {
                self.members.remove(&worst);
            }
        }
        self.members.entry(member).or_default()
    }

    /// A channel to it is asked for.
    pub(super) fn asked(&mut self, now: Time, member: MemberId, config: &PlacesConfig) {
        self.rest(now, member, config);
        if let Some(prospect) = self.members.get_mut(&member) {
            prospect.asked = Some(now);
        }
    }

    /// It is of no use for now: left alone for longer each time.
    pub(super) fn rest(&mut self, now: Time, member: MemberId, config: &PlacesConfig) {
        let prospect = self.entry(member, config.prospects);
        let (first, longest) = config.knock;
        let pause = first
            .saturating_mul(1 << prospect.tries.min(16))
            .min(longest);
        prospect.rests_until = now + pause;
        prospect.tries = prospect.tries.saturating_add(1);
    }

    /// It refused. Whoever does so for ever is forgotten.
    pub(super) fn refused(&mut self, member: MemberId, config: &PlacesConfig) {
        let tries = self.members.get(&member).map_or(0, |known| known.tries);
        if tries >= config.max_tries {
            self.members.remove(&member);
        }
    }

    /// It was of use.
    pub(super) fn of_use(&mut self, member: MemberId) {
        if let Some(prospect) = self.members.get_mut(&member) {
            prospect.tries = 0;
        }
    }

    /// It is to be left alone.
    pub(super) fn rests(&self, now: Time, member: MemberId) -> bool {
        let prospect = self.members.get(&member);
        prospect.is_some_and(|prospect| now < prospect.rests_until)
    }

    /// It was asked less than this ago, and may yet answer.
    pub(super) fn may_answer(&self, now: Time, member: MemberId, patience: Duration) -> bool {
        let asked = self.members.get(&member).and_then(|known| known.asked);
        asked.is_some_and(|asked| now - asked < patience)
    }

    /// There is one of a kind that was never asked.
    pub(super) fn any_untried(&self, kind: impl Fn(MemberId, &Prospect) -> bool) -> bool {
        let mut members = self.members.iter();
        members.any(|(member, known)| known.told && known.tries == 0 && kind(*member, known))
    }

    /// There is one of a kind at all.
    pub(super) fn any(&self, kind: impl Fn(&Prospect) -> bool) -> bool {
        self.members.values().any(|known| known.told && kind(known))
    }

    /// Whom to ask next, of a kind. With `hasty`, those that say to have everything don't
    /// rest for longer than that.
    pub(super) fn next(
        &self,
        now: Time,
        hasty: Option<Duration>,
        rng: &mut Rng,
        kind: impl Fn(MemberId, &Prospect) -> bool,
    ) -> Option<MemberId> {
        let ready: Vec<(&MemberId, &Prospect)> = self
            .members
            .iter()
            .filter(|(_, known)| known.told && known.is_ready(now, hasty))
            .filter(|(member, known)| kind(**member, known))
            .collect();
        let untried = ready.iter().any(|(_, known)| known.tries == 0);
        let ready = ready
            .into_iter()
            .filter(|(_, known)| !untried || known.tries == 0);
        let (seeds, others): (Vec<_>, Vec<_>) = ready.partition(|(_, known)| known.seed);
        let among = match (seeds.is_empty(), others.is_empty()) {
            (false, false) if rng.below(2) == 0 => &seeds,
            (_, false) => &others,
            (_, true) => &seeds,
        };
        rng.choose(among).map(|(member, _)| **member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PeerId;

    fn member(number: u32, seed: bool) -> Member {
        Member {
            member: MemberId(number),
            peer_id: PeerId([1; 20]),
            have: 0,
            seed,
        }
    }

    #[test]
    fn everybody_is_asked_once_before_anybody_is_asked_twice() {
        let config = PlacesConfig::default();
        let (mut prospects, mut rng) = (Prospects::default(), Rng::new(1));
        for number in 0..100 {
            prospects.learn(&member(number, number % 7 == 0), 512);
        }
        let mut asked = Vec::new();
        let mut now = Time::from_millis(0);
        while let Some(next) = prospects.next(now, None, &mut rng, |_, _| true) {
            prospects.asked(now, next, &config);
            asked.push(next);
        }
        asked.sort_unstable();
        let all: Vec<MemberId> = (0..100).map(MemberId).collect();
        assert_eq!(asked, all);
        // Again after a second, and then after two.
        for pause in [1000, 2000] {
            now += Duration::from_millis(pause - 1);
            assert_eq!(prospects.next(now, None, &mut rng, |_, _| true), None);
            now += Duration::from_millis(1);
            let next = prospects.next(now, None, &mut rng, |_, _| true).unwrap();
            assert!(!prospects.rests(now, next));
            for number in 0..100 {
                prospects.asked(now, MemberId(number), &config);
            }
        }
    }

    #[test]
    fn one_that_says_to_have_everything_comes_soon_among_many() {
        let (mut prospects, mut rng) = (Prospects::default(), Rng::new(1));
        let config = PlacesConfig::default();
        for number in 0..500 {
            prospects.learn(&member(number, number == 333), 512);
        }
        let now = Time::from_millis(0);
        let place = (0..500).position(|_| {
            let next = prospects.next(now, None, &mut rng, |_, _| true).unwrap();
            prospects.asked(now, next, &config);
            next == MemberId(333)
        });
        assert!(place < Some(10), "{place:?}");
    }

    #[test]
    fn memory_has_a_bound_and_keeps_the_untried() {
        let mut prospects = Prospects::default();
        let config = PlacesConfig {
            prospects: 10,
            ..PlacesConfig::default()
        };
        for number in 0..1000 {
            prospects.learn(&member(number, false), 10);
            if number < 990 {
                prospects.asked(Time::from_millis(0), MemberId(number), &config);
            }
        }
        assert_eq!(prospects.members.len(), 10);
        assert!(prospects.members.values().all(|known| known.tries == 0));
    }
}
