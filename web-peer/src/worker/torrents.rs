//! The torrents as the host knows them: what is kept of each, and where its bytes are.

use std::cell::RefCell;

use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;

use super::source::Source;
use super::store::{Content, Record};

/// One torrent.
#[derive(Clone, Debug)]
pub(super) struct Torrent {
    pub(super) record: Record,
    /// None until a link's metadata is here.
    pub(super) metainfo: Option<Metainfo>,
    /// Its bytes, if it was made here; else they are in the store.
    pub(super) source: Option<Source>,
}

/// All of them. A list: a tab has a handful.
#[derive(Debug, Default)]
pub(super) struct Torrents(RefCell<Vec<Torrent>>);

impl Torrents {
    /// Adds one, in place of what was known of it.
    pub(super) fn insert(&self, torrent: Torrent) {
        self.remove(torrent.record.info_hash);
        self.0.borrow_mut().push(torrent);
    }

    pub(super) fn remove(&self, info_hash: InfoHash) {
        let mut torrents = self.0.borrow_mut();
        torrents.retain(|torrent| torrent.record.info_hash != info_hash);
    }

    /// The info-hashes, in the order in which they were added.
    pub(super) fn all(&self) -> Vec<InfoHash> {
        let torrents = self.0.borrow();
        torrents.iter().map(|t| t.record.info_hash).collect()
    }

    pub(super) fn contains(&self, info_hash: InfoHash) -> bool {
        self.look(info_hash, |_| ()).is_some()
    }

    /// What `look` sees in a torrent; none if there is no such torrent.
    pub(super) fn look<T>(
        &self,
        info_hash: InfoHash,
        look: impl FnOnce(&Torrent) -> T,
    ) -> Option<T> {
        let torrents = self.0.borrow();
        let found = torrents.iter().find(|t| t.record.info_hash == info_hash);
        found.map(look)
    }

    /// Changes a torrent; returns its record, or none if there is no such torrent.
    pub(super) fn change(
        &self,
        info_hash: InfoHash,
        change: impl FnOnce(&mut Torrent),
    ) -> Option<Record> {
        let mut torrents = self.0.borrow_mut();
        let mut known = torrents.iter_mut();
        let torrent = known.find(|t| t.record.info_hash == info_hash)?;
        change(torrent);
        Some(torrent.record.clone())
    }

    /// A torrent's description.
    pub(super) fn metainfo(&self, info_hash: InfoHash) -> Option<Metainfo> {
        self.look(info_hash, |torrent| torrent.metainfo.clone())?
    }

    /// The bytes of a torrent that was made here.
    pub(super) fn source(&self, info_hash: InfoHash) -> Option<Source> {
        self.look(info_hash, |torrent| torrent.source.clone())?
    }

    /// What to call a torrent.
    pub(super) fn name(&self, info_hash: InfoHash) -> String {
        let name = self.look(info_hash, |torrent| {
            match (&torrent.metainfo, &torrent.record.content) {
                (Some(metainfo), _) => Some(metainfo.name().to_owned()),
                (None, Content::Link(name)) => name.clone(),
                (None, _) => None,
            }
        });
        name.flatten().unwrap_or_else(|| info_hash.to_string())
    }
}
