//! Who lied, when several contributed to a piece whose hash was wrong.

use std::collections::VecDeque;

use super::SessionId;
use crate::chunk::Chunk;
use crate::pieces::PieceIndex;
use crate::pieces::parts::Content;
use crate::sorted::{SortedMap, SortedSet};

/// How many sessions are remembered for each piece that should not be first to fetch it
/// again.
const MAX_AVOIDED: usize = 16;

/// Pieces whose hash was wrong, until it is right.
///
/// Such a piece is fetched again from one session alone. Either it is bad again, and that
/// session is a liar; or it is good, and whoever sent a block that differs from the good one
/// is. Each new try costs the liars one of them, so that it comes to an end.
#[derive(Debug)]
pub(super) struct Suspects {
    pieces: SortedMap<PieceIndex, Suspect>,
    /// Pieces with evidence, the oldest first.
    recorded: VecDeque<PieceIndex>,
    /// How many of these there may be.
    most: usize,
}

#[derive(Debug, Default)]
struct Suspect {
    /// Others should fetch it: those who contributed, and those who would not finish it.
    avoided: SortedSet<SessionId>,
    /// What each block was when the hash was wrong; empty if it was forgotten, or if
    /// the liar is known.
    evidence: Vec<Evidence>,
}

#[derive(Debug)]
struct Evidence {
    sender: SessionId,
    digest: [u8; 20],
}

impl Suspects {
    /// Keeps evidence about so many pieces; beyond that the oldest is forgotten.
    pub(super) fn new(most: usize) -> Self {
        Suspects {
            pieces: SortedMap::new(),
            recorded: VecDeque::new(),
            most,
        }
    }

    /// It may be filled by one session only.
    pub(super) fn contains(&self, piece: PieceIndex) -> bool {
        self.pieces.contains_key(&piece)
    }

    /// Others than this session should fetch the piece, and of the `holders` that are
    /// connected some are others for certain.
    pub(super) fn better_with_others(
        &self,
        piece: PieceIndex,
        session: SessionId,
        holders: u32,
    ) -> bool {
        self.pieces.get(&piece).is_some_and(|suspect| {
            suspect.avoided.contains(&session) && holders as usize > suspect.avoided.len()
        })
    }

    /// The session alone was to fill the piece, and did not.
    pub(super) fn avoid(&mut self, piece: PieceIndex, session: SessionId) {
        if let Some(suspect) = self.pieces.get_mut(&piece)
            && suspect.avoided.len() < MAX_AVOIDED
        {
            suspect.avoided.insert(session);
        }
    }

    /// The hash of these bytes was wrong; `senders` says for each block who sent it.
    /// Returns who is a liar for certain.
    pub(super) fn add<C: Chunk>(
        &mut self,
        piece: PieceIndex,
        content: &Content<C>,
        senders: &[SessionId],
    ) -> Vec<SessionId> {
        let contributors: SortedSet<SessionId> = senders.iter().copied().collect();
        let suspect = self.pieces.entry(piece).or_default();
        let avoided = suspect.avoided.len();
        let room = MAX_AVOIDED.saturating_sub(avoided);
        suspect
            .avoided
            .extend(contributors.iter().take(room).copied());
        if contributors.len() == 1 {
            return contributors.into_iter().collect();
        }
        let blocks = content.digests().into_iter().zip(senders);
        suspect.evidence = blocks
            .map(|(digest, &sender)| Evidence { sender, digest })
            .collect();
        self.recorded.retain(|other| *other != piece);
        self.recorded.push_back(piece);
        while self.recorded.len() > self.most
            && let Some(oldest) = self.recorded.pop_front()
            && let Some(suspect) = self.pieces.get_mut(&oldest)
        {
            suspect.evidence = Vec::new();
        }
        Vec::new()
    }

    /// These are the right bytes: it is no suspect any more. Returns who is a liar, now
    /// for certain.
    pub(super) fn clear<C: Chunk>(
        &mut self,
        piece: PieceIndex,
        content: &Content<C>,
    ) -> Vec<SessionId> {
        let Some(suspect) = self.pieces.remove(&piece) else {
            return Vec::new();
        };
        self.recorded.retain(|other| *other != piece);
        if suspect.evidence.is_empty() {
            return Vec::new();
        }
        let blocks = content.digests().into_iter().zip(&suspect.evidence);
        let liars: SortedSet<SessionId> = blocks
            .filter(|(digest, evidence)| evidence.digest != *digest)
            .map(|(_, evidence)| evidence.sender)
            .collect();
        liars.into_iter().collect()
    }
}
