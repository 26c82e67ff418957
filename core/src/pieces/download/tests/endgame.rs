//! When every missing block is asked of somebody.

use super::*;
use bytes::Bytes;

#[test]
fn in_the_endgame_blocks_are_asked_for_again_and_cancelled() {
    let mut download = download(2, 10);
    let everything = all(&download);
    for session in [ANN, BEN, CLEO] {
        download.peer_joined(session, &everything);
        prove(&mut download, session);
    }
    assert_eq!(pick(&mut download, ANN, 9).len(), 5);
    let again = pick(&mut download, BEN, 9);
    assert_eq!(again, [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)]);
    assert_eq!(pick(&mut download, CLEO, 9), [], "two copies are the limit");
    assert_eq!(pick(&mut download, BEN, 9), []);

    let kept = BlockOutcome::Kept { cancel: vec![ANN] };
    assert_eq!(receive(&mut download, BEN, 0, 3), kept);
    assert_eq!(receive(&mut download, ANN, 0, 3), BlockOutcome::Duplicate);
    // One of two going away leaves the block with the other.
    download.release_all(ANN);
    assert_eq!(
        receive(&mut download, BEN, 0, 0),
        BlockOutcome::Kept { cancel: vec![] }
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
    prove(&mut download, BEN);
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
    prove(&mut download, BEN);
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
        prove(&mut download, session);
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
    assert_eq!(pick(&mut download, BEN, 99).len(), 2, "on probation");
    prove(&mut download, BEN);
    assert_eq!(pick(&mut download, BEN, 99).len(), 14);
    assert_eq!(pick(&mut download, BEN, 99), []);
}

#[test]
fn the_end_does_not_wait_for_those_who_only_promise() {
    let mut download = download(2, 10);
    for session in [ANN, BEN, CLEO, DAN] {
        download.peer_joined(session, &all(&download));
    }
    // The promises of two, which are as many copies as there may be.
    assert_eq!(pick(&mut download, ANN, 9).len(), 5);
    assert_eq!(pick(&mut download, BEN, 9).len(), 2);
    // Another may show that it is better than that.
    assert_eq!(pick(&mut download, CLEO, 9).len(), 2);
    assert_eq!(pick(&mut download, DAN, 9).len(), 2);
    let first = *download.load(DAN).asked.first().unwrap();
    let number = first.begin / BLOCK;
    receive(&mut download, DAN, first.piece.get(), number);
    // And is asked for the rest, whoever else was.
    pick(&mut download, DAN, 9);
    assert_eq!(download.load(DAN).asked.len(), 4);
    // Who delivers is asked for it by two, and no more.
    prove(&mut download, CLEO);
    pick(&mut download, CLEO, 9);
    prove(&mut download, BEN);
    assert_eq!(pick(&mut download, BEN, 9), []);
}

#[test]
fn what_is_owed_is_asked_of_another_even_at_the_limit_of_pieces_in_progress() {
    let mut download = download(9, 2);
    for session in [ANN, BEN, CLEO] {
        download.peer_joined(session, &all(&download));
    }
    prove(&mut download, ANN);
    prove(&mut download, BEN);
    assert_eq!(pick(&mut download, ANN, 4).len(), 4);
    assert_eq!(pick(&mut download, BEN, 4).len(), 4);
    prove(&mut download, CLEO);
    assert_eq!(pick(&mut download, CLEO, 8), [], "it is on its way");
    download.doubt(ANN);
    let theirs: Vec<_> = (0..4).map(|number| (0, number)).collect();
    assert_eq!(pick(&mut download, CLEO, 8), theirs);
    // A block that comes after all dispels the doubt.
    assert_eq!(
        receive(&mut download, ANN, 0, 0),
        BlockOutcome::Kept { cancel: vec![CLEO] }
    );
    assert!(download.asker(ANN).delivers);
}

#[test]
fn a_block_that_comes_late_is_as_good_as_any() {
    let mut download = download(2, 10);
    download.peer_joined(ANN, &all(&download));
    download.peer_joined(BEN, &all(&download));
    assert_eq!(pick(&mut download, ANN, 4).len(), 4);
    download.release_all(ANN);
    assert_eq!(pick(&mut download, BEN, 1), [(0, 0)]);
    let late = [block(&download, 0, 0), block(&download, 0, 1)];
    let data = vec![0; BLOCK as usize];
    let kept = download.receive_late(ANN, late[0], &Bytes::copy_from_slice(&data));
    assert_eq!(kept, BlockOutcome::Kept { cancel: vec![BEN] });
    let kept = download.receive_late(ANN, late[1], &Bytes::copy_from_slice(&data));
    assert_eq!(kept, BlockOutcome::Kept { cancel: vec![] });
    assert_eq!(pick(&mut download, BEN, 9).len(), 3);
    assert_eq!(download.waste(), Waste::default());
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
