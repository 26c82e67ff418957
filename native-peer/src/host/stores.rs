//! What the node wants of stores, and stores for what is carried for others.

use std::sync::Arc;

use swarm_core::engine::{Command, Job, Work};
use swarm_core::id::InfoHash;
use swarm_core::node::BridgeOutput;

use super::{Host, HostEvent};
use crate::carrying::{Carrying, Opened};
use crate::error::Error;
use crate::store::{FileStore, Store};

impl Host {
    /// Says where a torrent's pieces are. Until then, what the engine wants of its store
    /// waits: a link's torrent gets its store after [`Event::Metadata`].
    pub fn attach(&mut self, info_hash: InfoHash, store: Arc<dyn Store>) {
        self.stores.insert(info_hash, store);
        for (job, work) in std::mem::take(&mut self.unattached) {
            self.work(job, work);
        }
    }

    /// What tabs asked for, and what has become of it.
    pub(super) fn carry_for_others(&mut self, output: BridgeOutput) {
        match (output, &mut self.carrying) {
            (BridgeOutput::Keep(metainfo), Some(carrying)) => carrying.keep(metainfo),
            (BridgeOutput::Drop(info_hash), carrying) => {
                self.stores.remove(&info_hash);
                self.unattached
                    .retain(|(job, _)| job.info_hash != info_hash);
                if let Some(carrying) = carrying {
                    carrying.forget(info_hash);
                }
            }
            (BridgeOutput::Find(_) | BridgeOutput::Keep(_), _) => {}
        }
        self.follow_in_dht();
    }

    /// There is a store for what is carried, or there can be none.
    pub(super) fn store_carried(
        &mut self,
        info_hash: InfoHash,
        store: Result<Arc<FileStore>, Error>,
    ) {
        match store {
            Ok(store) if self.node.is_carried(info_hash) => self.attach(info_hash, store),
            // It is gone meanwhile.
            Ok(_) => {}
            Err(error) => {
                self.command(Command::Remove(info_hash));
                let words = format!("a torrent can't be carried for others: {error}");
                self.events.push_back(HostEvent::Trouble(words));
            }
        }
    }

    pub(super) fn work(&mut self, job: Job, work: Work) {
        if let Work::Hash { .. } = work {
            return self.disk.hash(job, work);
        }
        match self.stores.get(&job.info_hash) {
            Some(store) => self.disk.store(job, work, Arc::clone(store)),
            None => self.unattached.push((job, work)),
        }
    }
}

/// Stores for what is carried for others; waits forever if nothing is.
pub(super) async fn next_of_carrying(carrying: &mut Option<Carrying>) -> Opened {
    match carrying {
        Some(carrying) => carrying.next().await,
        None => std::future::pending().await,
    }
}
