//! Who is not talked to any more, or not for a while.
//!
//! By the contact, such as the number that a server gave to a connection, which nobody else
//! can have, or the machine at an address, and never by a peer id: an id is what somebody says of itself, so whoever misbehaves under
//! another's would have the other shunned. Whoever called us has another port each time, so
//! it is its machine that is shunned, and banned with all that listens there; where somebody
//! listens, only that is shunned: the fault may be one program's among many behind a router.
//! A number ends with its connection, so it is no
//! defence against those who come back with a new one; that is the probation in which
//! every session begins (see [`Download`](crate::pieces::Download)).

use std::collections::VecDeque;

use super::Ending;
use crate::engine::config::TrustConfig;
use crate::id::LinkId;
use crate::net::Contact;
use crate::peer::SessionId;
use crate::sorted::{SortedMap, SortedSet};
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outcasts {
    /// They sent corrupt blocks.
    banned: SortedSet<Contact>,
    /// They lost their place for a while, and until when.
    shunned: SortedMap<Contact, Time>,
    /// Who left after sending something: it may turn out later what that was worth.
    departed: VecDeque<(SessionId, Contact, String)>,
}

impl Outcasts {
    /// Why a contact is not to be talked to, if so.
    pub(super) fn unwelcome(&self, now: Time, contact: Contact) -> Option<Ending> {
        if self.banned.contains(&contact.host()) {
            return Some(Ending::Banned);
        }
        let shunned = self.shunned.get(&contact.caller_host());
        let shunned = shunned.is_some_and(|until| *until > now);
        shunned.then_some(Ending::Shunned)
    }

    /// It is not talked to for [`TrustConfig::shun`].
    pub(super) fn shun(&mut self, now: Time, contact: Contact, config: &TrustConfig) {
        self.shunned.retain(|_, until| *until > now);
        self.shunned
            .insert(contact.caller_host(), now + config.shun);
        if self.shunned.len() > config.outcasts {
            self.shunned.pop_first();
        }
    }

    /// It is not talked to again; false if that was so already.
    pub(super) fn ban(&mut self, contact: Contact, config: &TrustConfig) -> bool {
        let new = self.banned.insert(contact.host());
        if self.banned.len() > config.outcasts {
            self.banned.pop_first();
        }
        new
    }

    /// A session that gave us something is over.
    pub(super) fn departed(
        &mut self,
        session: SessionId,
        contact: Contact,
        name: String,
        config: &TrustConfig,
    ) {
        self.departed.push_back((session, contact, name));
        if self.departed.len() > config.departed {
            self.departed.pop_front();
        }
    }

    /// Whose session that was, and what it called itself.
    pub(super) fn who_was(&self, session: SessionId) -> Option<(Contact, String)> {
        let departed = self.departed.iter();
        let mut of_session = departed.filter(|(departed, ..)| *departed == session);
        of_session
            .next()
            .map(|(_, contact, name)| (*contact, name.clone()))
    }

    /// A link is gone: what was behind it has other numbers when it comes back.
    pub(super) fn forget(&mut self, link: LinkId) {
        self.banned.retain(|contact| contact.link() != link);
        self.shunned.retain(|contact, _| contact.link() != link);
        self.departed
            .retain(|(_, contact, _)| contact.link() != link);
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

    #[test]
    fn the_machine_that_lied_is_banned_whatever_its_port() {
        let mut outcasts = Outcasts::default();
        let config = TrustConfig::default();
        let now = Time::from_millis(0);
        let at = |address: &str| address.parse().unwrap();
        let caller = |address| Contact::Caller(at(address));
        let listens = |address| Contact::Address(at(address));
        outcasts.shun(now, listens("9.9.9.9:6881"), &config);
        assert!(outcasts.unwelcome(now, listens("9.9.9.9:6882")).is_none());
        assert!(outcasts.unwelcome(now, caller("9.9.9.9:6881")).is_none());
        outcasts.shun(now, caller("9.9.9.9:5000"), &config);
        assert!(outcasts.unwelcome(now, caller("9.9.9.9:5001")).is_some());
        assert!(outcasts.unwelcome(now, listens("9.9.9.9:6882")).is_none());
        outcasts.ban(caller("9.9.9.9:5000"), &config);
        let banned = outcasts.unwelcome(now, listens("9.9.9.9:6882"));
        assert_eq!(banned, Some(Ending::Banned));
        outcasts.ban(caller("127.0.0.1:5000"), &config);
        assert!(outcasts.unwelcome(now, listens("127.0.0.1:6882")).is_none());
        assert!(outcasts.unwelcome(now, caller("127.0.0.1:5001")).is_none());
        assert!(outcasts.unwelcome(now, caller("127.0.0.1:5000")).is_some());
    }

    #[test]
    fn floods_of_outcasts_take_no_more_memory_and_the_newest_are_known() {
        let mut outcasts = Outcasts::default();
        let config = TrustConfig::default();
        let now = Time::from_millis(0);
        let later = now + config.shun;
        for number in 0..5000 {
            outcasts.ban(contact(2 * number), &config);
            outcasts.shun(now, contact(2 * number + 1), &config);
            outcasts.departed(number, contact(number), String::new(), &config);
        }
        assert_eq!(outcasts.banned.len(), config.outcasts);
        assert_eq!(outcasts.shunned.len(), config.outcasts);
        assert_eq!(outcasts.departed.len(), config.departed);
        assert!(outcasts.unwelcome(now, contact(9998)).is_some());
        assert!(outcasts.unwelcome(now, contact(9999)).is_some());
        assert!(outcasts.unwelcome(later, contact(9998)).is_some());
        assert_eq!(outcasts.unwelcome(later, contact(9999)), None);
    }
}
