//! A remote peer and the channel through which we talk with it.

use bytes::Bytes;

use super::{PathChoice, PeerPath, Phase, PlacesConfig, Remote, Secret, Stream};
use crate::chunk::Chunk;
use crate::id::{ChannelKey, Fingerprint};
use crate::net::Contact;
use crate::time::Time;

pub use crate::pieces::download::SessionId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Session<C: Chunk = Bytes> {
    /// Who it is, and what is between us.
    pub(crate) remote: Remote,
    /// The channel through which we talk.
    pub(crate) talk: Stream<C>,
    /// Another one, that stands by.
    pub(crate) spare: Option<Stream<C>>,
    /// Which of them carries the talk, by measuring.
    pub(crate) choice: PathChoice,
    /// There is no place for it, unless it turns out to be somebody who has one.
    pub(crate) guest: bool,
}

impl<C: Chunk> Session<C> {
    /// Its channels.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &Stream<C>> {
        [&self.talk].into_iter().chain(&self.spare)
    }

    /// Its channels.
    pub(crate) fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream<C>> {
        [&mut self.talk].into_iter().chain(&mut self.spare)
    }

    /// One of its channels.
    pub(crate) fn stream_mut(&mut self, channel: ChannelKey) -> Option<&mut Stream<C>> {
        let mut streams = self.streams_mut();
        streams.find(|stream| stream.channel == channel)
    }

    /// Who it is, as DTLS shows on the direct link that there is to it.
    pub(crate) fn linked_as(&self) -> Option<Fingerprint> {
        let mut streams = self.streams();
        let linked = streams.any(|stream| stream.path == PeerPath::Direct);
        self.remote.fingerprint.filter(|_| linked)
    }

    /// What both ends know of its channels, of the one that carries the talk first, and of
    /// earlier ones.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = Secret> {
        let streams = self.streams().filter_map(Stream::secret);
        streams.chain(self.remote.secrets().copied())
    }

    /// What comes through this channel counts.
    pub(crate) fn heeds(&self, channel: ChannelKey) -> bool {
        self.talk.channel == channel && self.talk.heeded
    }

    /// Who is at the other ends, and where they can be called back.
    pub(crate) fn contacts(&self) -> Vec<Contact> {
        let contacts = self.streams().flat_map(|s| [Some(s.contact), s.listens]);
        contacts.flatten().collect()
    }

    /// Who is at the other ends, as is vouched for.
    pub(crate) fn vouched(&self) -> Vec<Contact> {
        let linked = self.linked_as().map(Contact::Introduced);
        let contacts = self.streams().map(|stream| stream.contact);
        contacts.chain(linked).collect()
    }

    /// We talk through the other channel from now on.
    pub(crate) fn changes_over(&mut self) {
        if let Some(spare) = &mut self.spare {
            self.talk.stands_by();
            std::mem::swap(&mut self.talk, spare);
            self.takes_another_way();
        }
    }

    /// The channel that carries the talk is gone: the other one does from now on, if there is
    /// one.
    pub(crate) fn falls_back(&mut self) -> bool {
        let spare = self.spare.take();
        let falls = spare.is_some();
        if let Some(spare) = spare {
            self.talk = spare;
            self.takes_another_way();
        }
        falls
    }

    /// The channel that stood by is gone.
    pub(crate) fn loses_spare(&mut self) {
        self.spare = None;
        self.choice.begins(Phase::Stays);
    }

    /// There are two ways, neither of which costs anybody anything.
    pub(crate) fn has_choice(&self) -> bool {
        self.spare.as_ref().is_some_and(Stream::is_free) && self.talk.is_free()
    }

    fn takes_another_way(&mut self) {
        self.choice.begins(Phase::Stays);
        self.remote.getting.pipeline.takes_another_way();
    }

    /// We are the one who chooses between two ways, if there is a choice: whoever gets more, or at least half as much, at the end that opened the
    /// channel with the lower lot; at the other one who gets more than twice as much. What was
    /// sent is counted before what came, so it is never both.
    pub(crate) fn chooses(&self) -> bool {
        let Some(spare) = self.spare.as_ref().filter(|_| self.has_choice()) else {
            return false;
        };
        let lots = [&self.talk, spare].map(|s| s.secret().map(|secret| secret.lot()));
        let first = if lots[0] <= lots[1] {
            &self.talk
        } else {
            spare
        };
        let (got, gave) = (self.remote.down.total(), self.remote.up.total());
        if first.ours {
            gave <= got.saturating_mul(2)
        } else {
            got / 2 > gave
        }
    }

    /// The other channel is better than the one that carries the talk.
    pub(crate) fn has_better(&self) -> bool {
        let spare = self.spare.as_ref();
        spare.is_some_and(|spare| spare.rank() > self.talk.rank())
    }

    /// What we asked of it will not come: whoever is asked next is timed anew.
    pub(crate) fn give_up_requests(&mut self) {
        self.talk.give_up_requests();
        self.remote.getting.pipeline.interrupted();
    }

    /// It has an upload slot, and asked for something a moment ago, or had no time to.
    pub(crate) fn uses_slot(&self, now: Time, config: &PlacesConfig) -> bool {
        let time = config.hesitation();
        let lately = |at: Option<Time>| at.is_some_and(|at| now - at < time);
        let giving = &self.remote.giving;
        self.talk.outbox.upload_count() > 0 || lately(giving.asked) || lately(giving.unchoked)
    }

    /// It has an upload slot, and does not use it: others may be tried beside it.
    pub(crate) fn hesitates(&self, now: Time, config: &PlacesConfig) -> bool {
        self.remote.giving.sat.is_some()
            || !self.uses_slot(now, config) && !self.trades(now, config)
    }

    /// Who traded with us lately may just have enough for the moment.
    fn trades(&self, now: Time, config: &PlacesConfig) -> bool {
        let exchanged = self.remote.exchanged;
        exchanged.is_some_and(|at| now - at < config.exchange)
    }

    /// Looks whether it uses its upload slot. Whoever does not comes last for a while.
    pub(crate) fn watch_slot(&mut self, now: Time, config: &PlacesConfig) {
        let giving = &mut self.remote.giving;
        let Some(since) = giving.unchoked.filter(|_| giving.interested) else {
            if giving.sat.is_some_and(|sat| now - sat >= config.sat) {
                giving.sat = None;
            }
            return;
        };
        let since = giving.asked.map_or(since, |asked| asked.max(since));
        let sits = self.talk.outbox.upload_count() == 0 && now - since >= config.sitting;
        if sits && !self.trades(now, config) {
            self.remote.giving.sat = Some(now);
        }
    }
}
