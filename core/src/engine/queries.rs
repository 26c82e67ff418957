//! What an engine is asked: nothing of it changes anything.

use bytes::Bytes;

use super::{Config, Contents, Engine, PeerContents, Torrent, Totals, TrackerView, View};
use crate::chunk::Chunk;
use crate::id::{ChannelKey, InfoHash, LinkId, PeerId};
use crate::net::{Contact, RelayPolicy};
use crate::time::Time;

/// What is said of a torrent to whoever looks for peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Bytes that we lack, if we know.
    pub left: Option<u64>,
    /// The pieces that we have, as the peer wire's bitfield (BEP 3), if we know how many there
    /// are.
    pub pieces: Option<Bytes>,
    /// How many contacts would be of use.
    pub wanted: usize,
}

impl<C: Chunk> Engine<C> {
    /// What to say of a torrent to whoever looks for peers; none while it does not take part.
    pub fn report(&self, now: Time, info_hash: InfoHash) -> Option<Report> {
        self.torrents.get(&info_hash)?.report(now, &self.config)
    }

    /// What came of a torrent so far, if there is one.
    pub fn totals(&self, info_hash: InfoHash) -> Option<Totals> {
        self.torrents.get(&info_hash).map(Torrent::totals)
    }

    /// Bytes of a torrent that we lack, if we know.
    pub fn left(&self, info_hash: InfoHash) -> Option<u64> {
        self.torrents.get(&info_hash)?.left()
    }

    /// It takes part in the swarm of this torrent.
    pub fn is_running(&self, info_hash: InfoHash) -> bool {
        let torrent = self.torrents.get(&info_hash);
        torrent.is_some_and(Torrent::is_running)
    }

    /// The torrents, in the order in which they came.
    pub fn torrents(&self) -> impl Iterator<Item = InfoHash> {
        self.order.iter().copied()
    }

    /// All that was sent has left the host.
    pub fn is_quiet(&self) -> bool {
        self.channels.is_idle()
    }

    /// Nobody is connected for this torrent.
    pub fn is_alone(&self, info_hash: InfoHash) -> bool {
        let torrent = self.torrents.get(&info_hash);
        torrent.is_none_or(Torrent::is_alone)
    }

    /// There is something that a web seed could bring of it.
    pub(crate) fn takes_web_seeds(&self, info_hash: InfoHash) -> bool {
        let torrent = self.torrents.get(&info_hash);
        torrent.is_some_and(Torrent::takes_web_seeds)
    }

    /// Who is at the other end of a channel, or will be, for which torrent, and what stands for our own
    /// address there.
    pub(crate) fn who(&self, channel: ChannelKey) -> Option<(InfoHash, Contact, [u8; 4])> {
        if channel.link == LinkId::INTRODUCED {
            let mut torrents = self.torrents.iter();
            let overlays = self.tabs.who(channel.channel.0);
            return overlays.or_else(|| {
                torrents.find_map(|(info_hash, torrent)| {
                    let (contact, here) = torrent.introduced(channel.channel.0)?;
                    Some((*info_hash, contact, here))
                })
            });
        }
        let (info_hash, session) = self.channels.session(channel)?;
        let (contact, here) = self.torrents.get(&info_hash)?.who(session, channel)?;
        Some((info_hash, contact, here))
    }

    /// Whoever is there did something for which it is not talked to.
    pub(crate) fn avoids(&self, now: Time, info_hash: InfoHash, contact: Contact) -> bool {
        let torrent = self.torrents.get(&info_hash);
        torrent.is_some_and(|torrent| torrent.avoids(now, contact))
    }

    /// What the relay behind a link says of its use, or a person does of all.
    pub(crate) fn relay_policy(&self, link: LinkId) -> RelayPolicy {
        self.channels.relay_policy(link)
    }

    /// Every torrent that takes part in its swarm.
    pub fn running(&self) -> impl Iterator<Item = InfoHash> {
        let running = self.torrents.iter().filter(|(_, t)| t.is_running());
        running.map(|(info_hash, _)| *info_hash)
    }

    /// Addresses of trackers that peers use for a torrent, at most
    /// [`ExchangeConfig::known`](super::config::ExchangeConfig::known); there may be more of them later, and never fewer.
    pub fn heard_trackers(&self, info_hash: InfoHash) -> &[String] {
        let torrent = self.torrents.get(&info_hash);
        torrent.map_or(&[], Torrent::heard_trackers)
    }

    /// How it was set up.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What a person sees: what changes often, of every torrent.
    pub fn view(&self, now: Time) -> View {
        let torrents = self
            .order
            .iter()
            .filter_map(|info_hash| self.torrents.get(info_hash));
        View {
            tracker: TrackerView::default(),
            held: self.throttles.held(now),
            torrents: torrents.map(|torrent| torrent.view(now)).collect(),
        }
    }

    /// What a torrent is and has, if there is one of this hash.
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.torrents.get(&info_hash).map(Torrent::contents)
    }

    /// Who a torrent is exchanged with and what each of them has, the longest connected first;
    /// the same peers as in [`TorrentView::peers`](super::TorrentView::peers). Nobody if there is no torrent of this hash.
    pub fn peers(&self, now: Time, info_hash: InfoHash) -> Vec<PeerContents<'_>> {
        let torrent = self.torrents.get(&info_hash);
        torrent.map_or_else(Vec::new, |torrent| torrent.peers(now))
    }

    /// What we call ourselves to other peers.
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }
}
