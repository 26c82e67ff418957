//! Pieces on their way into the store: being hashed, being written.

use std::collections::BTreeMap;

use crate::pieces::PieceIndex;

/// See the module. Each was begun in a life of the torrent: what a person has mended since is
/// no reason to stop again.
#[derive(Debug)]
pub(super) struct Storing<C> {
    /// Pieces whose hash is being computed.
    hashing: BTreeMap<PieceIndex, C>,
    /// Verified pieces that are being written.
    writing: BTreeMap<PieceIndex, (C, Life)>,
    /// Stretches of pieces in parts that are being written, by where they begin.
    writing_parts: BTreeMap<(PieceIndex, u32), Life>,
    /// Pieces in parts that are being hashed where they lie.
    verifying: BTreeMap<PieceIndex, Life>,
    life: Life,
}

/// How often the torrent had been resumed.
type Life = u32;

/// When something was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// Since the torrent was last resumed.
    Lately,
    /// Before.
    Before,
}

impl<C> Default for Storing<C> {
    fn default() -> Self {
        Storing {
            hashing: BTreeMap::new(),
            writing: BTreeMap::new(),
            writing_parts: BTreeMap::new(),
            verifying: BTreeMap::new(),
            life: 0,
        }
    }
}

impl<C> Storing<C> {
    /// The torrent is resumed.
    pub(super) fn resume(&mut self) {
        self.life += 1;
    }

    /// A piece is being hashed.
    pub(super) fn hash(&mut self, piece: PieceIndex, data: C) {
        self.hashing.insert(piece, data);
    }

    /// It was; none if nobody asked for it.
    pub(super) fn hashed(&mut self, piece: PieceIndex) -> Option<C> {
        self.hashing.remove(&piece)
    }

    /// A piece is being written.
    pub(super) fn write(&mut self, piece: PieceIndex, data: C) {
        self.writing.insert(piece, (data, self.life));
    }

    /// It was; none if nobody asked for it.
    pub(super) fn written(&mut self, piece: PieceIndex) -> Option<(C, Begun)> {
        let (data, life) = self.writing.remove(&piece)?;
        Some((data, self.begun(life)))
    }

    /// A stretch of a piece is being written.
    pub(super) fn write_part(&mut self, piece: PieceIndex, begin: u32) {
        self.writing_parts.insert((piece, begin), self.life);
    }

    /// It was; none if nobody asked for it.
    pub(super) fn part_written(&mut self, piece: PieceIndex, begin: u32) -> Option<Begun> {
        let life = self.writing_parts.remove(&(piece, begin))?;
        Some(self.begun(life))
    }

    /// A piece is being hashed where it lies.
    pub(super) fn verify(&mut self, piece: PieceIndex) {
        self.verifying.insert(piece, self.life);
    }

    /// It was; none if nobody asked for it.
    pub(super) fn verified(&mut self, piece: PieceIndex) -> Option<Begun> {
        let life = self.verifying.remove(&piece)?;
        Some(self.begun(life))
    }

    fn begun(&self, life: Life) -> Begun {
        if life == self.life {
            Begun::Lately
        } else {
            Begun::Before
        }
    }
}
