//! What a person sees of a torrent.

use super::Torrent;
use super::phase::Phase;
use crate::chunk::Chunk;
use crate::engine::view::{Contents, PeerContents, PeerView, Standing, TorrentState, TorrentView};
use crate::peer::{Session, SessionId};
use crate::pieces::Download;
use crate::time::Time;

impl<C: Chunk> Torrent<C> {
    /// See [`crate::engine::Engine::contents`].
    pub(in crate::engine) fn contents(&self) -> Contents<'_> {
        Contents {
            name: self.about.name(),
            metainfo: self.about.metainfo(),
            priorities: self.wishes.priorities(),
            have: self.phase.have(),
            in_progress: self
                .phase
                .download()
                .map_or_else(Vec::new, |download| download.in_progress().collect()),
        }
    }

    fn state(&self) -> TorrentState {
        match &self.phase {
            _ if self.halt.failure().is_some() => TorrentState::Error,
            Phase::Checking(_) => TorrentState::Hashing,
            _ if self.halt.is_paused() => TorrentState::Paused,
            Phase::Metadata(_) => TorrentState::Metadata,
            Phase::Active(download) if download.is_finished() => TorrentState::Seeding,
            Phase::Active(_) => TorrentState::Downloading,
        }
    }

    /// See [`crate::engine::Engine::view`].
    pub(in crate::engine) fn view(&self, now: Time) -> TorrentView {
        let missing = self.phase.download().map_or(0, Download::bytes_missing);
        let waste = self
            .phase
            .download()
            .map(Download::waste)
            .unwrap_or_default();
        let down_rate = self.traffic.down().rate(now);
        let (complete, incomplete) = self.swarm.counts();
        TorrentView {
            info_hash: self.info_hash,
            state: self.state(),
            progress: self.phase.progress(),
            down_rate,
            up_rate: self.traffic.up().rate(now),
            downloaded: self.traffic.down().total(),
            uploaded: self.traffic.up().total(),
            wasted: waste.total(),
            waste,
            strategy: self.wishes.strategy(),
            eta: (down_rate > 0 && missing > 0).then(|| missing.div_ceil(down_rate)),
            complete,
            incomplete,
            copies: self.phase.download().map_or(0, Download::copies),
            standing: Standing::default(),
            peers: self.shown().map(|(_, s)| peer_view(s, now)).collect(),
            error: self.halt.failure().map(ToString::to_string),
        }
    }

    /// See [`crate::engine::Engine::peers`].
    pub(in crate::engine) fn peers(&self, now: Time) -> Vec<PeerContents<'_>> {
        let peers = self.shown().map(|(id, session)| PeerContents {
            session: id,
            view: peer_view(session, now),
            have: session.remote.pieces.known(),
        });
        peers.collect()
    }

    /// Those whom a person sees: they have said who they are.
    fn shown(&self) -> impl Iterator<Item = (SessionId, &Session<C>)> {
        let sessions = self.sessions.iter();
        sessions.filter(|(_, session)| session.talk.greeted)
    }
}

fn peer_view<C: Chunk>(session: &Session<C>, now: Time) -> PeerView {
    let pieces = session.remote.pieces.known();
    PeerView {
        peer_id: session.remote.name(),
        client: session.remote.client.clone(),
        path: session.talk.path,
        gateway: session.remote.gateway,
        progress: pieces.map_or(0.0, |p| {
            f64::from(p.count()) / f64::from(p.piece_count().max(1))
        }),
        down: session.remote.down.total(),
        up: session.remote.up.total(),
        down_rate: session.remote.down.rate(now),
        up_rate: session.remote.up.rate(now),
        unchoked_us: session.remote.getting.unchoked_us,
        unchoked: session.remote.giving.is_unchoked(),
    }
}
