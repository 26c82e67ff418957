//! By what peers are known again on another channel, and who is waited for.
//!
//! [`super::proofs`] says what for.

use std::collections::BTreeMap;

use sha1::{Digest, Sha1};

use crate::id::InfoHash;
use crate::peer::{PathsConfig, Remote, SessionId};
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::extension::Token;

/// See the module.
#[derive(Debug)]
pub(super) struct Paths {
    /// What tokens are made of: our generator's own numbers are no secrets, and each token
    /// would say what the next will be.
    seed: [u8; 20],
    /// Tokens made so far.
    made: u64,
    /// Peers whose last channel broke, and until when they are waited for.
    adrift: BTreeMap<SessionId, (Remote, Time)>,
}

impl Paths {
    pub(super) fn new(rng: &Rng) -> Self {
        let mut seed = [0; 20];
        rng.fork("paths").fill(&mut seed);
        Paths {
            seed,
            made: 0,
            adrift: BTreeMap::new(),
        }
    }

    /// A token that nobody can guess.
    pub(super) fn token(&mut self, info_hash: InfoHash) -> Token {
        self.made += 1;
        let hash = Sha1::new()
            .chain_update(self.seed)
            .chain_update(info_hash.0)
            .chain_update(self.made.to_be_bytes())
            .finalize();
        let mut token = Token::default();
        let length = token.len();
        token.copy_from_slice(&hash[..length]);
        token
    }

    /// A peer's last channel broke.
    pub(super) fn lose(
        &mut self,
        now: Time,
        id: SessionId,
        mut remote: Remote,
        config: &PathsConfig,
    ) {
        remote.is_adrift();
        self.adrift.insert(id, (remote, now + config.grace));
        while self.adrift.len() > config.adrift {
            let first = self.adrift.iter().min_by_key(|(_, (_, until))| *until);
            let Some((&first, _)) = first else { return };
            self.adrift.remove(&first);
        }
    }

    /// It is back.
    pub(super) fn find(&mut self, id: SessionId) -> Option<Remote> {
        self.adrift.remove(&id).map(|(remote, _)| remote)
    }

    /// Those who did not come back in time are strangers when they do.
    pub(super) fn forget_late(&mut self, now: Time) {
        self.adrift.retain(|_, (_, until)| *until > now);
    }

    /// Nobody is waited for.
    pub(super) fn forget_all(&mut self) {
        self.adrift.clear();
    }

    /// Somebody is waited for.
    pub(super) fn waits(&self) -> bool {
        !self.adrift.is_empty()
    }

    /// Those who are waited for.
    pub(super) fn adrift(&self) -> impl Iterator<Item = (SessionId, &Remote)> {
        let adrift = self.adrift.iter();
        adrift.map(|(&id, (remote, _))| (id, remote))
    }
}
