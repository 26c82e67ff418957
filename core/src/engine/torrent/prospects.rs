//! Contacts that were found, and what came of asking them.
//!
//! One that was never asked comes before one that was, and one that refused, or was of
//! no use, is asked again after growing pauses. Of equals, half of the time those come first
//! that are said to have everything: it is what a tracker knows, and yet only a claim.

use std::net::SocketAddr;
use std::time::Duration;

use crate::engine::Found;
use crate::id::LinkId;
use crate::net::Contact;
use crate::peer::PlacesConfig;
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Prospects {
    contacts: SortedMap<Contact, Prospect>,
}

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Prospect {
    /// It was found; the others are remembered only to be left alone.
    told: bool,
    /// It was found by hearsay alone.
    hearsay: bool,
    /// It says that it has everything.
    seed: bool,
    /// How many pieces it says it has.
    have: u32,
    /// How often it was asked since it was last of use.
    tries: u32,
    /// When it was last asked.
    asked: Option<Time>,
    /// It is left alone until then.
    rests_until: Time,
}

impl Prospect {
    /// It says that it has everything.
    pub(super) fn is_seed(&self) -> bool {
        self.seed
    }

    /// By what it says, one of us has what the other lacks, if we lack something or `finished`.
    pub(super) fn promises(&self, finished: bool) -> bool {
        if finished {
            !self.seed
        } else {
            self.seed || self.have > 0
        }
    }

    fn is_ready(&self, now: Time, hasty: Option<Duration>) -> bool {
        let rested = |least| self.asked.is_none_or(|asked| now - asked >= least);
        self.rests_until <= now || self.seed && hasty.is_some_and(rested)
    }
}

impl Prospects {
    /// Somebody was found. Beyond `most`, those that were asked most often are forgotten.
    pub(super) fn learn(&mut self, found: &Found, most: usize) {
        let prospect = self.entry(found.contact, most);
        (prospect.told, prospect.seed, prospect.have) = (true, found.seed, found.have);
        prospect.hearsay = false;
    }

    /// A peer says that there is somebody. At most half of those that are remembered are known by
    /// such words alone, and nobody is forgotten for them.
    pub(super) fn hear(&mut self, address: SocketAddr, seed: bool, config: &PlacesConfig) {
        let contact = Contact::Address(address);
        let most = config.prospects;
        let hearsay = self.contacts.values().filter(|known| known.hearsay).count();
        let known = self.contacts.contains_key(&contact);
        if known || hearsay >= most / 2 || self.contacts.len() >= most {
            return;
        }
        let prospect = self.entry(contact, most);
        (prospect.told, prospect.hearsay) = (true, true);
        (prospect.seed, prospect.have) = (seed, 1);
    }

    /// A link is gone.
    pub(super) fn forget(&mut self, link: LinkId) {
        self.contacts.retain(|contact, _| contact.link() != link);
    }

    /// Nobody behind this link is to be asked until it is found again.
    pub(super) fn untell(&mut self, link: LinkId) {
        let behind = self.contacts.iter_mut();
        for (_, prospect) in behind.filter(|(contact, _)| contact.link() == link) {
            prospect.told = false;
        }
    }

    fn entry(&mut self, contact: Contact, most: usize) -> &mut Prospect {
        if self.contacts.len() >= most.max(1) && !self.contacts.contains_key(&contact) {
            let worst = self.contacts.iter().max_by_key(|(_, known)| known.tries);
            if let Some(worst) = worst.map(|(contact, _)| *contact) {
                self.contacts.remove(&worst);
            }
        }
        self.contacts.entry(contact).or_default()
    }

    /// A channel to it is asked for.
    pub(super) fn asked(&mut self, now: Time, contact: Contact, config: &PlacesConfig) {
        self.rest(now, contact, config);
        if let Some(prospect) = self.contacts.get_mut(&contact) {
            prospect.asked = Some(now);
        }
    }

    /// It is of no use for now: left alone for longer each time.
    pub(super) fn rest(&mut self, now: Time, contact: Contact, config: &PlacesConfig) {
        let prospect = self.entry(contact, config.prospects);
        let (first, longest) = config.knock;
        let pause = first
            .saturating_mul(1 << prospect.tries.min(16))
            .min(longest);
        prospect.rests_until = now + pause;
        prospect.tries = prospect.tries.saturating_add(1);
    }

    /// It refused. Whoever does so for ever is forgotten.
    pub(super) fn refused(&mut self, contact: Contact, config: &PlacesConfig) {
        let tries = self.contacts.get(&contact).map_or(0, |known| known.tries);
        if tries >= config.max_tries {
            self.contacts.remove(&contact);
        }
    }

    /// It was of use.
    pub(super) fn of_use(&mut self, contact: Contact) {
        if let Some(prospect) = self.contacts.get_mut(&contact) {
            prospect.tries = 0;
        }
    }

    /// It is to be left alone.
    pub(super) fn rests(&self, now: Time, contact: Contact) -> bool {
        let prospect = self.contacts.get(&contact);
        prospect.is_some_and(|prospect| now < prospect.rests_until)
    }

    /// It was asked less than this ago, and may yet answer.
    pub(super) fn may_answer(&self, now: Time, contact: Contact, patience: Duration) -> bool {
        let asked = self.contacts.get(&contact).and_then(|known| known.asked);
        asked.is_some_and(|asked| now - asked < patience)
    }

    /// There is one of a kind that was never asked.
    pub(super) fn any_untried(&self, kind: impl Fn(Contact, &Prospect) -> bool) -> bool {
        let mut contacts = self.contacts.iter();
        contacts.any(|(contact, known)| known.told && known.tries == 0 && kind(*contact, known))
    }

    /// There is one of a kind at all.
    pub(super) fn any(&self, kind: impl Fn(&Prospect) -> bool) -> bool {
        self.contacts
            .values()
            .any(|known| known.told && kind(known))
    }

    /// Whom to ask next, of a kind. With `hasty`, those that say to have everything don't
    /// rest for longer than that.
    pub(super) fn next(
        &self,
        now: Time,
        hasty: Option<Duration>,
        rng: &mut Rng,
        kind: impl Fn(Contact, &Prospect) -> bool,
    ) -> Option<Contact> {
        let ready: Vec<(&Contact, &Prospect)> = self
            .contacts
            .iter()
            .filter(|(_, known)| known.told && known.is_ready(now, hasty))
            .filter(|(contact, known)| kind(**contact, known))
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
        rng.choose(among).map(|(contact, _)| **contact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MemberId;

    fn contact(number: u32) -> Contact {
        Contact::Member {
            link: LinkId(0),
            member: MemberId(number),
        }
    }

    fn found(number: u32, seed: bool) -> Found {
        Found {
            contact: contact(number),
            have: 0,
            seed,
        }
    }

    #[test]
    fn everybody_is_asked_once_before_anybody_is_asked_twice() {
        let config = PlacesConfig::default();
        let (mut prospects, mut rng) = (Prospects::default(), Rng::new(1));
        for number in 0..100 {
            prospects.learn(&found(number, number % 7 == 0), 512);
        }
        let mut asked = Vec::new();
        let mut now = Time::from_millis(0);
        while let Some(next) = prospects.next(now, None, &mut rng, |_, _| true) {
            prospects.asked(now, next, &config);
            asked.push(next);
        }
        asked.sort_unstable();
        let all: Vec<Contact> = (0..100).map(contact).collect();
        assert_eq!(asked, all);
        // Again after a second, and then after two.
        for pause in [1000, 2000] {
            now += Duration::from_millis(pause - 1);
            assert_eq!(prospects.next(now, None, &mut rng, |_, _| true), None);
            now += Duration::from_millis(1);
            let next = prospects.next(now, None, &mut rng, |_, _| true).unwrap();
            assert!(!prospects.rests(now, next));
            for number in 0..100 {
                prospects.asked(now, contact(number), &config);
            }
        }
    }

    #[test]
    fn one_that_says_to_have_everything_comes_soon_among_many() {
        let (mut prospects, mut rng) = (Prospects::default(), Rng::new(1));
        let config = PlacesConfig::default();
        for number in 0..500 {
            prospects.learn(&found(number, number == 333), 512);
        }
        let now = Time::from_millis(0);
        let place = (0..500).position(|_| {
            let next = prospects.next(now, None, &mut rng, |_, _| true).unwrap();
            prospects.asked(now, next, &config);
            next == contact(333)
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
            prospects.learn(&found(number, false), 10);
            if number < 990 {
                prospects.asked(Time::from_millis(0), contact(number), &config);
            }
        }
        assert_eq!(prospects.contacts.len(), 10);
        assert!(prospects.contacts.values().all(|known| known.tries == 0));
    }
}
