//! What is stored of torrents that are carried for tabs: in a folder that goes when we do.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::Error;
use crate::store::FileStore;
use crate::store::file::Wishes;

/// A store, or why there is none.
pub(crate) type Opened = (InfoHash, Result<Arc<FileStore>, Error>);

/// See the module.
#[derive(Debug)]
pub struct Carrying {
    folder: TempDir,
    opening: JoinSet<Opened>,
}

impl Carrying {
    /// In the system's folder for what is temporary (the environment variable `TMPDIR`).
    pub fn new() -> io::Result<Self> {
        Ok(Carrying {
            folder: tempfile::Builder::new().prefix("tabswarm-").tempdir()?,
            opening: JoinSet::new(),
        })
    }

    fn place(&self, info_hash: InfoHash) -> PathBuf {
        self.folder.path().join(info_hash.to_string())
    }

    /// Has a store made for a torrent; [`Carrying::next`] has it.
    pub(crate) fn keep(&mut self, metainfo: Metainfo) {
        let info_hash = metainfo.info_hash();
        let place = self.place(info_hash);
        self.opening.spawn_blocking(move || {
            let open = || {
                std::fs::create_dir_all(&place).map_err(Error::file("create", &place))?;
                FileStore::open(&place, &metainfo, Wishes::default())
            };
            (info_hash, open().map(Arc::new))
        });
    }

    /// Deletes what there is of a torrent. Whoever has a file of it open still may read it.
    pub(crate) fn forget(&mut self, info_hash: InfoHash) {
        let place = self.place(info_hash);
        // What can't be deleted now goes with the folder.
        tokio::task::spawn_blocking(move || std::fs::remove_dir_all(place));
    }

    /// The next store. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Opened {
        match self.opening.join_next().await {
            Some(Ok(opened)) => opened,
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => std::future::pending().await,
        }
    }
}
