//! A seeder whose every block is wrong: an honest engine over a lying store.

use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use native_peer::TrackerAddress;
use native_peer::host::Host;
use native_peer::store::Store;
use swarm_core::engine::{Command, Config, Resume, StoreError};
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::{Bitfield, PieceIndex};
use tokio::task::JoinHandle;

/// Answers every read with noise.
#[derive(Debug)]
struct Noise(Metainfo);

impl Store for Noise {
    fn read(&self, piece: PieceIndex) -> Result<Bytes, StoreError> {
        Ok(vec![0x55; self.0.layout().length(piece) as usize].into())
    }
    fn write(&self, _: PieceIndex, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
    fn read_part(&self, _: PieceIndex, _: u32, length: u32) -> Result<Bytes, StoreError> {
        Ok(vec![0x55; length as usize].into())
    }
    fn write_part(&self, _: PieceIndex, _: u32, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
    fn verify(&self, piece: PieceIndex) -> Result<[u8; 20], StoreError> {
        Ok(self.0.piece_hash(piece))
    }
    fn finish(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Joins the torrent's swarm as a seeder, until the handle is aborted.
pub fn join(tracker: &str, metainfo: Metainfo) -> Result<JoinHandle<()>> {
    let tracker: TrackerAddress = tracker.parse()?;
    let mut host = Host::new(Config::default(), tracker, 666);
    let pieces = metainfo.layout().piece_count();
    host.attach(metainfo.info_hash(), Arc::new(Noise(metainfo.clone())));
    host.command(Command::AddTorrent {
        metainfo,
        resume: Resume::Pieces(Bitfield::full(pieces)),
        paused: false,
    });
    Ok(tokio::spawn(async move {
        loop {
            host.next_event().await;
        }
    }))
}
