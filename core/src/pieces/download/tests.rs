use super::load::Standing;
use super::*;
use crate::pieces::BLOCK;
use bytes::Bytes;

mod endgame;
mod model;
mod padding;
mod trust;
mod wishes;

const ANN: SessionId = 1;
const BEN: SessionId = 2;
const CLEO: SessionId = 3;
const DAN: SessionId = 4;

/// Pieces of four blocks, the last piece of one short block.
const PIECE: u32 = 4 * BLOCK;

fn layout(pieces: u32) -> Layout {
    Layout::new(u64::from(pieces - 1) * u64::from(PIECE) + 100, PIECE).unwrap()
}

/// Sequential, so that scenarios can be told; room for `room` pieces.
fn download(pieces: u32, room: u64) -> Download {
    let limits = DownloadLimits {
        bytes_in_progress: room * u64::from(PIECE),
        ..DownloadLimits::default()
    };
    Download::new(
        layout(pieces),
        Bitfield::empty(pieces),
        Strategy::Sequential,
        limits,
        Rng::new(7),
    )
}

/// The session has shown that it delivers.
fn prove(download: &mut Download, session: SessionId) {
    download.set_standing(session, Standing::Delivers);
}

fn all(download: &Download) -> Bitfield {
    Bitfield::full(download.layout.piece_count())
}

fn some(download: &Download, has: &[u32]) -> Bitfield {
    let mut bits = Bitfield::empty(download.layout.piece_count());
    for &piece in has {
        bits.insert(PieceIndex(piece));
    }
    bits
}

/// Picks from a peer that has everything; piece and block numbers.
fn pick(download: &mut Download, session: SessionId, count: usize) -> Vec<(u32, u32)> {
    let everything = all(download);
    numbers(&download.pick(session, &everything, count, &[]))
}

fn numbers(blocks: &[Block]) -> Vec<(u32, u32)> {
    blocks
        .iter()
        .map(|b| (b.piece.get(), b.begin / BLOCK))
        .collect()
}

fn block(download: &Download, piece: u32, number: u32) -> Block {
    download.layout.block(PieceIndex(piece), number)
}

fn receive(download: &mut Download, session: SessionId, piece: u32, number: u32) -> BlockOutcome {
    let block = block(download, piece, number);
    let data = vec![number as u8; block.length as usize];
    download.receive(session, block, &Bytes::copy_from_slice(&data))
}

fn in_progress(download: &Download) -> Vec<u32> {
    download.in_progress().map(PieceIndex::get).collect()
}

#[test]
fn a_piece_is_asked_for_in_order_filled_verified_and_had() {
    let mut download = download(3, 10);
    assert_eq!(pick(&mut download, ANN, 3), [(0, 0), (0, 1), (0, 2)]);
    assert_eq!(pick(&mut download, ANN, 2), [(0, 3), (1, 0)]);
    for number in [2, 0, 1] {
        let kept = BlockOutcome::Kept { cancel: vec![] };
        assert_eq!(receive(&mut download, ANN, 0, number), kept);
    }
    assert_eq!(receive(&mut download, ANN, 0, 0), BlockOutcome::Duplicate);
    let BlockOutcome::Complete {
        cancel,
        piece,
        data,
    } = receive(&mut download, ANN, 0, 3)
    else {
        panic!("the last block completes the piece");
    };
    assert_eq!((cancel, piece), (vec![], PieceIndex(0)));
    let expected: Vec<u8> = (0..PIECE).map(|i| (i / BLOCK) as u8).collect();
    assert_eq!(data, expected);
    assert!(!download.have().has(piece));
    assert_eq!(receive(&mut download, ANN, 0, 3), BlockOutcome::Duplicate);

    download.written(piece);
    assert!(download.have().has(piece));
    assert_eq!(download.bytes_had(), u64::from(PIECE));
    assert_eq!(in_progress(&download), [1]);
    assert_eq!(receive(&mut download, ANN, 0, 3), BlockOutcome::Duplicate);
}

#[test]
fn only_what_was_asked_of_the_session_is_taken() {
    let mut download = download(3, 10);
    pick(&mut download, ANN, 1);
    assert_eq!(receive(&mut download, BEN, 0, 0), BlockOutcome::Unrequested);
    assert_eq!(receive(&mut download, ANN, 0, 1), BlockOutcome::Unrequested);
    assert_eq!(receive(&mut download, ANN, 2, 0), BlockOutcome::Unrequested);
    let asked = block(&download, 0, 0);
    let off_grid = Block { begin: 1, ..asked };
    let short = Block { length: 5, ..asked };
    assert_eq!(
        download.receive(ANN, off_grid, &Bytes::copy_from_slice(&[0; 16384])),
        BlockOutcome::Unrequested
    );
    assert_eq!(
        download.receive(ANN, short, &Bytes::copy_from_slice(&[0; 5])),
        BlockOutcome::Unrequested
    );
    assert_eq!(
        download.receive(ANN, asked, &Bytes::copy_from_slice(&[0; 5])),
        BlockOutcome::Unrequested
    );
    assert_eq!(
        receive(&mut download, ANN, 0, 0),
        BlockOutcome::Kept { cancel: vec![] }
    );
}

#[test]
fn sessions_begin_pieces_of_their_own_while_there_are_any() {
    let mut download = download(9, 8);
    assert_eq!(pick(&mut download, ANN, 1), [(0, 0)]);
    assert_eq!(pick(&mut download, BEN, 1), [(1, 0)]);
    assert_eq!(pick(&mut download, ANN, 1), [(0, 1)]);
    assert_eq!(
        pick(&mut download, BEN, 4),
        [(1, 1), (1, 2), (1, 3), (2, 0)]
    );
}

#[test]
fn at_the_limit_of_bytes_in_progress_others_join_in() {
    let mut download = download(9, 2);
    download.peer_joined(CLEO, &Bitfield::full(9));
    assert_eq!(pick(&mut download, ANN, 1), [(0, 0)]);
    assert_eq!(pick(&mut download, BEN, 1), [(1, 0)]);
    assert_eq!(
        pick(&mut download, CLEO, 4),
        [(0, 1), (0, 2), (0, 3), (1, 1)]
    );
    assert_eq!(pick(&mut download, ANN, 9), [(1, 2), (1, 3)]);
    assert_eq!(
        pick(&mut download, ANN, 9),
        [],
        "no endgame while pieces are left to begin"
    );
}

#[test]
fn two_pieces_are_allowed_whatever_the_limit() {
    let mut download = download(5, 0);
    assert_eq!(pick(&mut download, ANN, 20).len(), 8);
}

#[test]
fn a_piece_counts_against_the_limit_until_it_is_written() {
    let mut download = download(5, 2);
    assert_eq!(pick(&mut download, ANN, 20).len(), 8);
    for number in 0..4 {
        receive(&mut download, ANN, 0, number);
    }
    assert_eq!(pick(&mut download, ANN, 20), []);
    download.written(PieceIndex(0));
    assert_eq!(pick(&mut download, ANN, 1), [(2, 0)]);
}

#[test]
fn a_piece_whose_owner_choked_us_is_adopted_with_what_it_holds() {
    let mut download = download(5, 10);
    pick(&mut download, ANN, 3);
    receive(&mut download, ANN, 0, 1);
    download.release_all(ANN);
    assert_eq!(receive(&mut download, ANN, 0, 0), BlockOutcome::Unrequested);
    assert_eq!(
        pick(&mut download, BEN, 4),
        [(0, 0), (0, 2), (0, 3), (1, 0)]
    );
    for number in [0, 2, 3] {
        receive(&mut download, BEN, 0, number);
    }
    assert_eq!(download.rejected(PieceIndex(0)), [], "one of the two");
}

#[test]
fn a_piece_of_which_nothing_came_is_wanted_again_when_its_owner_leaves() {
    let mut download = download(5, 10);
    let everything = all(&download);
    download.peer_joined(ANN, &everything);
    pick(&mut download, ANN, 3);
    download.peer_left(ANN, &everything);
    assert_eq!(in_progress(&download), []);
    assert_eq!(download.availability(PieceIndex(0)), 0);
}

#[test]
fn a_request_that_failed_is_left_to_others_while_there_is_other_work() {
    let mut download = download(3, 2);
    pick(&mut download, ANN, 2);
    receive(&mut download, ANN, 0, 0);
    download.release(ANN, block(&download, 0, 1));
    assert_eq!(pick(&mut download, ANN, 1), [(1, 0)]);
    // But not for good: Ann may be the only one who has it.
    assert_eq!(
        pick(&mut download, ANN, 4),
        [(1, 1), (1, 2), (1, 3), (0, 1)]
    );
    download.release(ANN, block(&download, 0, 1));
    assert_eq!(pick(&mut download, BEN, 1), [(0, 1)]);
}

#[test]
fn pieces_that_nobody_can_finish_do_not_stop_the_download() {
    let mut download = download(6, 2);
    pick(&mut download, ANN, 8);
    for (piece, number) in [(0, 0), (0, 1), (1, 0)] {
        receive(&mut download, ANN, piece, number);
    }
    download.release_all(ANN);
    let has = some(&download, &[3]);
    download.peer_joined(BEN, &has);
    let picked = download.pick(BEN, &has, 1, &[]);
    assert_eq!(numbers(&picked), [(3, 0)]);
    assert_eq!(
        in_progress(&download),
        [0, 3],
        "the one with least in it was given up"
    );
    let has = some(&download, &[4]);
    download.peer_joined(CLEO, &has);
    assert_eq!(numbers(&download.pick(CLEO, &has, 1, &[])), [(4, 0)]);
    assert_eq!(in_progress(&download), [3, 4]);
    let has = some(&download, &[5]);
    download.peer_joined(DAN, &has);
    assert_eq!(
        numbers(&download.pick(DAN, &has, 1, &[])),
        [],
        "awaited pieces stay"
    );
}

#[test]
fn what_we_had_at_the_start_is_not_asked_for() {
    let have = Bitfield::from_bytes(&[0b1010_0000], 3).unwrap();
    let limits = DownloadLimits {
        bytes_in_progress: 1 << 20,
        ..DownloadLimits::default()
    };
    let mut download = Download::new(layout(3), have, Strategy::RarestFirst, limits, Rng::new(0));
    assert_eq!(download.bytes_had(), u64::from(PIECE) + 100);
    download.peer_joined(ANN, &all(&download));
    assert_eq!(pick(&mut download, ANN, 9).len(), 4);
    assert_eq!(in_progress(&download), [1]);
}
