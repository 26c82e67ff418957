//! Which pieces a peer may ask for while it is choked (BEP 6 "Allowed Fast").

use sha1::{Digest, Sha1};

use super::PieceIndex;
use crate::id::InfoHash;

/// The allowed-fast set of one peer in a torrent of so many pieces: `count` of them, or all
/// if there are fewer, in the order of the BEP's canonical algorithm.
///
/// `requester` stands for the peer: the BEP takes the upper 24 bits of its IP address, so
/// that a peer does not get another set by coming again from the same network. Whatever the
/// caller knows of the peer that it can't choose freely serves as well.
pub fn allowed_fast_set(
    requester: &[u8],
    info_hash: InfoHash,
    pieces: u32,
    count: usize,
) -> Vec<PieceIndex> {
    if pieces as usize <= count {
        return (0..pieces).map(PieceIndex).collect();
    }
    let mut set: Vec<PieceIndex> = Vec::with_capacity(count);
    let first = [requester, &info_hash.0].concat();
    let mut digest: [u8; 20] = Sha1::digest(first).into();
    while set.len() < count {
        for number in digest.as_chunks::<4>().0 {
            let piece = PieceIndex(u32::from_be_bytes(*number) % pieces);
            if set.len() < count && !set.contains(&piece) {
                set.push(piece);
            }
        }
        digest = Sha1::digest(digest).into();
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(pieces: u32, count: usize) -> Vec<u32> {
        let info_hash = InfoHash([0xaa; 20]);
        let set = allowed_fast_set(&[80, 4, 4, 0], info_hash, pieces, count);
        set.into_iter().map(PieceIndex::get).collect()
    }

    /// The examples of BEP 6, whose peer is 80.4.4.200.
    #[test]
    fn agrees_with_the_bep() {
        let nine = [1059, 431, 808, 1217, 287, 376, 1188, 353, 508];
        assert_eq!(numbers(1313, 7), nine[..7]);
        assert_eq!(numbers(1313, 9), nine);
    }

    #[test]
    fn there_are_no_more_than_all_pieces() {
        assert_eq!(numbers(3, 10), [0, 1, 2]);
        assert_eq!(numbers(0, 10), []);
        let mut most = numbers(11, 10);
        most.sort_unstable();
        most.dedup();
        assert_eq!(most.len(), 10);
        assert!(most.iter().all(|piece| *piece < 11));
    }
}
