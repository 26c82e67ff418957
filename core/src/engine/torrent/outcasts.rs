//! Who is not talked to any more, or not for a while.
//!
//! By the number that the tracker gave to the connection, which nobody else can have, and
//! never by a peer id: an id is what somebody says of itself, so whoever misbehaves under
//! another's would have the other shunned. A number ends with its connection, so it is no
//! defence against those who come back with a new one; that is the probation in which
//! every session begins (see [`Download`](crate::pieces::Download)).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Ending;
use crate::engine::config::TrustConfig;
use crate::id::MemberId;
use crate::peer::SessionId;
use crate::time::Time;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outcasts {
    /// They sent corrupt blocks.
    banned: BTreeSet<MemberId>,
    /// They lost their place for a while, and until when.
    shunned: BTreeMap<MemberId, Time>,
    /// Who left after sending something: it may turn out later what that was worth.
    departed: VecDeque<(SessionId, MemberId, String)>,
}

impl Outcasts {
    /// Why a member is not to be talked to, if so.
    pub(super) fn unwelcome(&self, now: Time, member: MemberId) -> Option<Ending> {
        if self.banned.contains(&member) {
            return Some(Ending::Banned);
        }
        let shunned = self.shunned.get(&member).is_some_and(|until| *until > now);
        shunned.then_some(Ending::Shunned)
    }

    /// It is not talked to for [`TrustConfig::shun`].
    pub(super) fn shun(&mut self, now: Time, member: MemberId, config: &TrustConfig) {
        self.shunned.retain(|_, until| *until > now);
        self.shunned.insert(member, now + config.shun);
        if self.shunned.len() > config.outcasts {
            self.shunned.pop_first();
        }
    }

    /// It is not talked to again; false if that was so already.
    pub(super) fn ban(&mut self, member: MemberId, config: &TrustConfig) -> bool {
        let new = self.banned.insert(member);
        if self.banned.len() > config.outcasts {
            self.banned.pop_first();
        }
        new
    }

    /// A session that gave us something is over.
    pub(super) fn departed(
        &mut self,
        session: SessionId,
        member: MemberId,
        name: String,
        config: &TrustConfig,
    ) {
        self.departed.push_back((session, member, name));
        if self.departed.len() > config.departed {
            self.departed.pop_front();
        }
    }

    /// Whose session that was, and what it called itself.
    pub(super) fn who_was(&self, session: SessionId) -> Option<(MemberId, String)> {
        let departed = self.departed.iter();
        let mut of_session = departed.filter(|(departed, ..)| *departed == session);
        of_session
            .next()
            .map(|(_, member, name)| (*member, name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floods_of_outcasts_take_no_more_memory_and_the_newest_are_known() {
        let mut outcasts = Outcasts::default();
        let config = TrustConfig::default();
        let now = Time::from_millis(0);
        let later = now + config.shun;
        for number in 0..5000 {
            outcasts.ban(MemberId(2 * number), &config);
            outcasts.shun(now, MemberId(2 * number + 1), &config);
            outcasts.departed(number, MemberId(number), String::new(), &config);
        }
        assert_eq!(outcasts.banned.len(), config.outcasts);
        assert_eq!(outcasts.shunned.len(), config.outcasts);
        assert_eq!(outcasts.departed.len(), config.departed);
        assert!(outcasts.unwelcome(now, MemberId(9998)).is_some());
        assert!(outcasts.unwelcome(now, MemberId(9999)).is_some());
        assert!(outcasts.unwelcome(later, MemberId(9998)).is_some());
        assert_eq!(outcasts.unwelcome(later, MemberId(9999)), None);
    }
}
