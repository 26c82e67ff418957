//! When every missing block is asked of somebody.

use super::*;

#[test]
fn in_the_endgame_blocks_are_asked_for_again_and_cancelled() {
    let mut download = download(2, 10);
    let everything = all(&download);
    for session in [ANN, BEN, CLEO] {
        download.peer_joined(session, &everything);
    }
    assert_eq!(pick(&mut download, ANN, 9).len(), 5);
    let again = pick(&mut download, BEN, 9);
    assert_eq!(again, [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)]);
    assert_eq!(pick(&mut download, CLEO, 9), [], "two copies are the limit");
    assert_eq!(pick(&mut download, BEN, 9), []);

    let kept = Received::Kept { cancel: vec![ANN] };
    assert_eq!(receive(&mut download, BEN, 0, 3), kept);
    assert_eq!(receive(&mut download, ANN, 0, 3), Received::Duplicate);
    // One of two going away leaves the block with the other.
    download.release_all(ANN);
    assert_eq!(
        receive(&mut download, BEN, 0, 0),
        Received::Kept { cancel: vec![] }
    );
}

#[test]
fn a_latecomer_helps_with_what_slow_peers_owe() {
    let mut download = download(2, 10);
    download.peer_joined(ANN, &all(&download));
    assert_eq!(pick(&mut download, ANN, 9).len(), 5);
    receive(&mut download, ANN, 0, 0);

    let has = some(&download, &[0]);
    download.peer_joined(BEN, &has);
    let picked = download.pick(BEN, &has, 9, &[]);
    assert_eq!(numbers(&picked), [(0, 1), (0, 2), (0, 3)]);
    for number in 1..4 {
        receive(&mut download, BEN, 0, number);
    }
    download.written(PieceIndex(0));

    download.peer_has(BEN, PieceIndex(1));
    assert_eq!(pick(&mut download, BEN, 9), [(1, 0)]);
    receive(&mut download, BEN, 1, 0);
    download.written(PieceIndex(1));
    assert!(download.is_complete());
    assert_eq!(download.waste(), Waste::default());
}

#[test]
fn pieces_that_nobody_has_do_not_keep_it_from_beginning() {
    let mut download = download(3, 10);
    let has = some(&download, &[0]);
    download.peer_joined(ANN, &has);
    download.peer_joined(BEN, &has);
    assert_eq!(download.pick(ANN, &has, 4, &[]).len(), 4);
    assert_eq!(download.pick(BEN, &has, 4, &[]).len(), 4);

    // But somebody who has them does.
    download.peer_joined(DAN, &all(&download));
    download.peer_joined(CLEO, &has);
    download.release_all(BEN);
    assert_eq!(download.pick(CLEO, &has, 4, &[]), []);
}

#[test]
fn blocks_of_the_fewest_copies_are_asked_for_first() {
    let mut download = download(4, 10);
    download.limits.endgame_copies = 3;
    for session in [ANN, BEN, CLEO, DAN] {
        download.peer_joined(session, &all(&download));
    }
    assert_eq!(pick(&mut download, ANN, 20).len(), 13);
    let first = pick(&mut download, BEN, 6);
    let second = pick(&mut download, CLEO, 7);
    assert!(first.iter().all(|block| !second.contains(block)));
    assert_eq!(first.len() + second.len(), 13);
    assert_eq!(pick(&mut download, DAN, 20).len(), 13);
    assert_eq!(
        pick(&mut download, BEN, 20),
        [],
        "three copies are the limit"
    );
}

#[test]
fn no_session_is_given_more_than_bridges_a_round_trip() {
    let mut download = download(9, 10);
    download.peer_joined(ANN, &all(&download));
    download.peer_joined(BEN, &all(&download));
    assert_eq!(pick(&mut download, ANN, 99).len(), 33);
    assert_eq!(pick(&mut download, BEN, 99).len(), 16);
    assert_eq!(pick(&mut download, BEN, 99), []);
}

#[test]
fn every_wasted_byte_is_counted() {
    let mut download = download(2, 10);
    pick(&mut download, ANN, 5);
    pick(&mut download, BEN, 5);
    receive(&mut download, ANN, 0, 0);
    receive(&mut download, BEN, 0, 0);
    receive(&mut download, CLEO, 0, 1);
    receive(&mut download, CLEO, 1, 0);
    receive(&mut download, ANN, 1, 0);
    download.rejected(PieceIndex(1));
    let waste = Waste {
        duplicate: u64::from(BLOCK),
        unrequested: u64::from(BLOCK) + 100,
        corrupt: 100,
        given_up: 0,
    };
    assert_eq!(download.waste(), waste);
}
