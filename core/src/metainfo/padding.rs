//! Pieces that need not be fetched, because all of their bytes are known (BEP 47).

use sha1::{Digest, Sha1};

use super::Metainfo;
use crate::pieces::PieceIndex;

/// The pieces that are padding and nothing else, and have the hash of zeros. (Others can't
/// be had: they are no zeros, or there is a lie in the torrent.)
pub(super) fn pieces(metainfo: &Metainfo) -> Vec<PieceIndex> {
    let layout = metainfo.layout();
    let length = u64::from(layout.piece_length());
    let mut found = Vec::new();
    let mut known = None;
    for range in metainfo.padding().ranges() {
        let last_end = match range.end == layout.total_length() {
            true => u64::from(layout.piece_count()),
            false => range.end / length,
        };
        for index in range.start.div_ceil(length)..last_end {
            let index = u32::try_from(index).expect("pieces are counted in u32");
            let piece = layout.piece(index).expect("padding ends with the torrent");
            // The same for all but the last piece.
            let length = layout.length(piece);
            let zeros = match known {
                Some((known, hash)) if known == length => hash,
                _ => hash_of_zeros(length),
            };
            known = Some((length, zeros));
            if metainfo.piece_hash(piece) == zeros {
                found.push(piece);
            }
        }
    }
    found
}

fn hash_of_zeros(length: u32) -> [u8; 20] {
    const STEP: usize = 16 << 10;
    let mut hasher = Sha1::new();
    let mut left = length as usize;
    while left > 0 {
        let step = left.min(STEP);
        hasher.update(&[0; STEP][..step]);
        left -= step;
    }
    hasher.finalize().into()
}
