//! Padding (BEP 47): known zeros, which nobody is asked for.

use super::*;
use crate::pieces::Padding;
use bytes::Bytes;

/// Two pieces of four blocks: the first block and a half of the first are a file's, the rest
/// of it is padding.
fn padded() -> Download {
    let layout = Layout::new(u64::from(2 * PIECE), PIECE).unwrap();
    let start = u64::from(BLOCK + BLOCK / 2);
    let limits = DownloadLimits::default();
    let have = Bitfield::empty(2);
    Download::new(layout, have, Strategy::Sequential, limits, Rng::new(7))
        .with_padding(Padding::new(Some(start..u64::from(PIECE))))
}

#[test]
fn blocks_of_nothing_but_padding_are_not_asked_for_and_are_zeros() {
    let mut download = padded();
    assert_eq!(
        download.bytes_missing(),
        u64::from(PIECE + BLOCK + BLOCK / 2)
    );
    assert_eq!(pick(&mut download, ANN, 3), [(0, 0), (0, 1), (1, 0)]);
    let kept = BlockOutcome::Kept { cancel: vec![] };
    let ones = |download: &mut Download, number| {
        let block = block(download, 0, number);
        download.receive(
            ANN,
            block,
            &Bytes::copy_from_slice(&vec![1; block.length as usize]),
        )
    };
    assert_eq!(ones(&mut download, 0), kept);
    let BlockOutcome::Complete { piece, data, .. } = ones(&mut download, 1) else {
        panic!("nothing else is needed");
    };
    // What came in the place of padding does not count either.
    let real = (BLOCK + BLOCK / 2) as usize;
    assert!(data[..real].iter().all(|byte| *byte == 1));
    assert!(data[real..].iter().all(|byte| *byte == 0));
    assert_eq!(data.len(), PIECE as usize);
    download.written(piece);
    assert_eq!(download.bytes_had(), real as u64);
    assert_eq!(download.bytes_missing(), u64::from(PIECE));
}

#[test]
fn padding_is_nobodys_lie() {
    let mut download = padded();
    pick(&mut download, ANN, 2);
    for number in [0, 1] {
        receive(&mut download, ANN, 0, number);
    }
    // One session sent everything that was sent, so it is to blame for certain.
    assert_eq!(download.rejected(PieceIndex(0)), [ANN]);
    assert_eq!(download.waste().corrupt, u64::from(BLOCK + BLOCK / 2));
}

#[test]
fn a_piece_of_which_only_padding_is_here_is_given_up_as_an_untouched_one() {
    let mut download = padded();
    let everything = all(&download);
    download.peer_joined(ANN, &everything);
    pick(&mut download, ANN, 2);
    download.peer_left(ANN, &everything);
    assert_eq!(in_progress(&download), []);
    assert_eq!(download.waste().total(), 0);
}

#[test]
fn a_lost_piece_takes_with_it_what_was_counted_of_it() {
    let mut download = padded();
    pick(&mut download, ANN, 2);
    for number in [0, 1] {
        receive(&mut download, ANN, 0, number);
    }
    download.written(PieceIndex(0));
    assert!(download.lost(PieceIndex(0)));
    assert_eq!(download.bytes_had(), 0);
}
