//! Bad pieces, and who is to blame.

use super::*;
use bytes::Bytes;

const EVE: SessionId = 5;

/// Three fill the first piece together, and Ann lies about its second block.
fn a_bad_piece(download: &mut Download) {
    for session in [ANN, BEN, CLEO] {
        download.peer_joined(session, &all(download));
    }
    // They join because there is nothing else.
    assert_eq!(pick(download, ANN, 2), [(0, 0), (0, 1)]);
    assert_eq!(pick(download, BEN, 1), [(1, 0)]);
    assert_eq!(pick(download, BEN, 1), [(0, 2)]);
    assert_eq!(pick(download, CLEO, 1), [(0, 3)]);
    receive(download, ANN, 0, 0);
    lie(download, ANN, 0, 1);
    receive(download, BEN, 0, 2);
    receive(download, CLEO, 0, 3);
    assert_eq!(download.rejected(PieceIndex(0)), [], "one of three");
}

fn fill(download: &mut Download, session: SessionId, piece: u32) {
    let has = some(download, &[piece]);
    let blocks = download.pick(session, &has, 9, &[]);
    assert_eq!(blocks.len(), 4, "nothing of it is there");
    for number in 0..4 {
        receive(download, session, piece, number);
    }
}

fn lie(download: &mut Download, session: SessionId, piece: u32, number: u32) {
    let block = block(download, piece, number);
    let data = vec![0xff; block.length as usize];
    download.receive(session, block, &Bytes::copy_from_slice(&data));
}

#[test]
fn the_liar_among_several_is_named_when_the_piece_is_right() {
    let mut download = download(2, 2);
    a_bad_piece(&mut download);
    download.peer_joined(DAN, &all(&download));
    fill(&mut download, DAN, 0);
    assert_eq!(download.verified(PieceIndex(0)), [ANN]);
    download.written(PieceIndex(0));
    assert_eq!(download.verified(PieceIndex(0)), [], "it was said once");
}

#[test]
fn a_liar_that_lies_again_alone_is_named_at_once_and_the_others_later() {
    let mut download = download(2, 2);
    a_bad_piece(&mut download);
    download.peer_joined(DAN, &all(&download));
    assert_eq!(pick(&mut download, DAN, 4).len(), 4);
    for number in 0..4 {
        lie(&mut download, DAN, 0, number);
    }
    assert_eq!(download.rejected(PieceIndex(0)), [DAN]);
    download.peer_left(ANN, &all(&download));
    fill(&mut download, BEN, 0);
    assert_eq!(
        download.verified(PieceIndex(0)),
        [ANN],
        "even after it left"
    );
}

#[test]
fn a_bad_piece_is_fetched_by_somebody_else_if_there_is_anybody() {
    let mut download = download(3, 10);
    for session in [ANN, BEN] {
        download.peer_joined(session, &all(&download));
    }
    pick(&mut download, ANN, 4);
    for number in 0..4 {
        lie(&mut download, ANN, 0, number);
    }
    assert_eq!(download.rejected(PieceIndex(0)), [ANN]);
    assert_eq!(pick(&mut download, ANN, 1), [(1, 0)], "not what it spoiled");
    assert_eq!(pick(&mut download, BEN, 1), [(0, 0)]);
}

#[test]
fn who_would_not_finish_a_bad_piece_is_not_asked_first_either() {
    let mut download = download(3, 10);
    for session in [ANN, BEN, CLEO] {
        download.peer_joined(session, &all(&download));
    }
    pick(&mut download, ANN, 4);
    for number in 0..4 {
        lie(&mut download, ANN, 0, number);
    }
    download.rejected(PieceIndex(0));
    assert_eq!(pick(&mut download, BEN, 3), [(0, 0), (0, 1), (0, 2)]);
    receive(&mut download, BEN, 0, 0);
    download.release(BEN, block(&download, 0, 1));
    assert_eq!(download.waste().given_up, u64::from(BLOCK));
    assert_eq!(download.load(BEN).asked, SortedSet::new());
    assert_eq!(pick(&mut download, BEN, 1), [(1, 0)]);
    assert_eq!(pick(&mut download, CLEO, 1), [(0, 0)]);
}

#[test]
fn contributors_fetch_it_if_nobody_else_can() {
    let mut download = download(3, 10);
    download.peer_joined(ANN, &all(&download));
    pick(&mut download, ANN, 4);
    for number in 0..4 {
        lie(&mut download, ANN, 0, number);
    }
    download.rejected(PieceIndex(0));
    assert_eq!(pick(&mut download, ANN, 1), [(0, 0)]);
}

#[test]
fn evidence_about_so_many_pieces_is_kept() {
    let mut download = download(3, 10);
    download.suspects = Suspects::new(1);
    for (piece, liar) in [(0, ANN), (1, CLEO)] {
        let has = some(&download, &[piece]);
        assert_eq!(download.pick(liar, &has, 4, &[]).len(), 4);
        lie(&mut download, liar, piece, 0);
        download.release(liar, block(&download, piece, 3));
        assert_eq!(numbers(&download.pick(BEN, &has, 1, &[])), [(piece, 3)]);
        receive(&mut download, liar, piece, 1);
        receive(&mut download, liar, piece, 2);
        receive(&mut download, BEN, piece, 3);
        assert_eq!(download.rejected(PieceIndex(piece)), []);
    }
    for (session, piece) in [(DAN, 0), (EVE, 1)] {
        download.peer_joined(session, &some(&download, &[piece]));
        fill(&mut download, session, piece);
    }
    assert_eq!(download.verified(PieceIndex(0)), [], "forgotten");
    assert_eq!(download.verified(PieceIndex(1)), [CLEO]);
}

#[test]
fn a_piece_that_failed_once_is_filled_by_one_session_alone() {
    let mut download = download(2, 2);
    pick(&mut download, ANN, 3);
    pick(&mut download, BEN, 2);
    for number in 0..3 {
        receive(&mut download, ANN, 0, number);
    }
    receive(&mut download, BEN, 0, 3);
    // The last piece goes out of the way.
    receive(&mut download, BEN, 1, 0);
    download.written(PieceIndex(1));
    assert_eq!(download.rejected(PieceIndex(0)), []);

    assert_eq!(pick(&mut download, BEN, 2), [(0, 0), (0, 1)]);
    assert_eq!(pick(&mut download, ANN, 9), [], "neither joins nor repeats");
    receive(&mut download, BEN, 0, 0);
    download.release_all(BEN);
    // Ben's block is forgotten, or Ann might be blamed for it.
    assert_eq!(
        pick(&mut download, ANN, 9),
        [(0, 0), (0, 1), (0, 2), (0, 3)]
    );
    for number in 0..4 {
        receive(&mut download, ANN, 0, number);
    }
    download.written(PieceIndex(0));
    assert!(download.is_complete());
}

#[test]
fn where_bad_blocks_were_found_newcomers_fill_pieces_of_their_own() {
    let mut download = download(4, 10);
    for session in [ANN, BEN] {
        download.peer_joined(session, &all(&download));
    }
    fill(&mut download, ANN, 0);
    assert_eq!(download.verified(PieceIndex(0)), []);
    download.written(PieceIndex(0));
    fill(&mut download, BEN, 1);
    assert_eq!(download.rejected(PieceIndex(1)), [BEN]);
    download.peer_left(BEN, &all(&download));
    // It comes back, as somebody else.
    download.peer_joined(CLEO, &all(&download));
    assert_eq!(pick(&mut download, ANN, 1), [(1, 0)]);
    assert_eq!(pick(&mut download, CLEO, 4).len(), 4);
    pick(&mut download, ANN, 9);
    assert_eq!(pick(&mut download, CLEO, 9), [], "it adds to nothing");
    for number in 0..4 {
        lie(&mut download, CLEO, 2, number);
    }
    assert_eq!(download.rejected(PieceIndex(2)), [CLEO]);
    download.peer_left(CLEO, &all(&download));
    // Nor is it given the next chance at a piece that was bad.
    download.peer_joined(DAN, &all(&download));
    assert_eq!(pick(&mut download, DAN, 9), []);
    // Unless there is nobody better.
    download.peer_left(ANN, &all(&download));
    assert!(!pick(&mut download, DAN, 9).is_empty());
}

#[test]
fn a_failed_write_blames_nobody() {
    let mut download = download(2, 2);
    pick(&mut download, ANN, 4);
    for number in 0..4 {
        receive(&mut download, ANN, 0, number);
    }
    download.write_failed(PieceIndex(0));
    assert_eq!(download.rejected(PieceIndex(0)), []);
    assert_eq!(pick(&mut download, ANN, 2), [(0, 0), (0, 1)]);
    assert_eq!(pick(&mut download, BEN, 2), [(1, 0), (0, 2)]);
}
