//! What is wanted, and in which order.

use super::*;

fn priorities(download: &mut Download, priorities: &[Priority]) {
    download.set_priorities(priorities);
}

#[test]
fn it_is_finished_when_everything_wanted_is_had() {
    let mut download = download(3, 10);
    download.peer_joined(ANN, &all(&download));
    priorities(&mut download, &[Priority::Skip, Priority::High]);
    assert_eq!(
        pick(&mut download, ANN, 9),
        [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0)]
    );
    for number in 0..4 {
        receive(&mut download, ANN, 1, number);
    }
    receive(&mut download, ANN, 2, 0);
    for piece in [1, 2] {
        let everything = all(&download);
        assert!(download.wants_any_of(ANN, &everything));
        download.written(PieceIndex(piece));
    }
    assert!(download.is_finished() && !download.is_complete());
    let everything = all(&download);
    assert!(!download.wants_any_of(ANN, &everything));
    assert_eq!(pick(&mut download, ANN, 9), []);

    priorities(&mut download, &[]);
    assert!(!download.is_finished());
    assert!(download.wants_any_of(ANN, &everything));
    assert_eq!(pick(&mut download, ANN, 9).len(), 4);
}

#[test]
fn a_skipped_piece_in_progress_gets_what_was_asked_and_no_more() {
    let mut download = download(3, 10);
    pick(&mut download, ANN, 4);
    pick(&mut download, BEN, 2);
    receive(&mut download, ANN, 0, 0);
    receive(&mut download, BEN, 1, 0);
    priorities(&mut download, &[Priority::Skip, Priority::Skip]);
    // All of the first was asked already.
    for number in 1..4 {
        receive(&mut download, ANN, 0, number);
    }
    download.written(PieceIndex(0));
    assert!(download.have().has(PieceIndex(0)));
    // Of the second more would have to be.
    assert_eq!(pick(&mut download, BEN, 9), [(2, 0)]);
    receive(&mut download, BEN, 1, 1);
    assert_eq!(in_progress(&download), [2]);
    assert_eq!(download.waste().given_up, 2 * u64::from(BLOCK));
}

#[test]
fn a_piece_that_is_wanted_again_goes_on() {
    let mut download = download(3, 10);
    pick(&mut download, BEN, 2);
    priorities(&mut download, &[Priority::Skip]);
    receive(&mut download, BEN, 0, 0);
    priorities(&mut download, &[Priority::Low]);
    assert_eq!(pick(&mut download, BEN, 2), [(0, 2), (0, 3)]);
}

#[test]
fn the_window_follows_the_play_position() {
    let limits = DownloadLimits {
        streaming_window: 3 * u64::from(PIECE),
        ..DownloadLimits::default()
    };
    let nothing = Bitfield::empty(20);
    let rng = Rng::new(1);
    let mut download = Download::new(layout(20), nothing, Strategy::Streaming, limits, rng);
    download.peer_joined(ANN, &all(&download));
    assert_eq!(pick(&mut download, ANN, 4)[0], (0, 0));
    download.set_play_position(PieceIndex(10));
    let pieces: Vec<u32> = pick(&mut download, ANN, 12)
        .iter()
        .step_by(4)
        .map(|(piece, _)| *piece)
        .collect();
    assert_eq!(pieces, [10, 11, 12]);
}

#[test]
fn random_pieces_come_first_until_there_is_something_to_trade() {
    let firsts: BTreeSet<u32> = (0..50)
        .map(|seed| {
            let nothing = Bitfield::empty(9);
            let limits = DownloadLimits {
                random_first: 1,
                ..DownloadLimits::default()
            };
            let strategy = Strategy::RarestFirst;
            let mut download = Download::new(layout(9), nothing, strategy, limits, Rng::new(seed));
            download.peer_joined(ANN, &all(&download));
            let common = some(&download, &[0, 1, 2, 3, 4, 5, 6, 7]);
            download.peer_joined(BEN, &common);
            let first = pick(&mut download, ANN, 1)[0].0;
            if first != 8 {
                pick(&mut download, ANN, 3);
                for number in 0..4 {
                    receive(&mut download, ANN, first, number);
                }
                download.written(PieceIndex(first));
                assert_eq!(
                    pick(&mut download, ANN, 1),
                    [(8, 0)],
                    "the rarest from now on"
                );
            }
            first
        })
        .collect();
    assert!(firsts.len() > 5);
}

#[test]
fn a_suggestion_is_followed_among_equals() {
    let mut download = download(9, 10);
    download.set_strategy(Strategy::RarestFirst);
    let everything = all(&download);
    download.peer_joined(ANN, &everything);
    let suggested = [PieceIndex(5)];
    let picked = download.pick(ANN, &everything, 1, &suggested);
    assert_eq!(numbers(&picked), [(5, 0)]);
}

#[test]
fn who_chokes_us_is_asked_for_the_pieces_it_allows() {
    let mut download = download(9, 2);
    let everything = all(&download);
    for session in [ANN, BEN] {
        download.peer_joined(session, &everything);
    }
    let allowed = [7, 3].map(PieceIndex);
    let picked = download.pick_among(ANN, &everything, &allowed, 6);
    assert_eq!(numbers(&picked)[..4], [(3, 0), (3, 1), (3, 2), (3, 3)]);
    assert_eq!(numbers(&picked)[4..], [(7, 0), (7, 1)]);
    // There is no room for another, but this one may be joined.
    let allowed = [7, 4].map(PieceIndex);
    let picked = download.pick_among(BEN, &everything, &allowed, 9);
    assert_eq!(numbers(&picked), [(7, 2), (7, 3)]);
    assert_eq!(download.pick_among(BEN, &everything, &allowed, 9), []);
    // What was left behind is adopted.
    receive(&mut download, ANN, 3, 0);
    download.release_all(ANN);
    let picked = download.pick_among(BEN, &everything, &allowed, 9);
    assert_eq!(numbers(&picked), [(7, 0), (7, 1)]);
}

#[test]
fn a_piece_of_which_nothing_is_awaited_is_given_up_when_it_becomes_skipped() {
    let mut download = download(3, 10);
    pick(&mut download, ANN, 1);
    receive(&mut download, ANN, 0, 0);
    priorities(&mut download, &[Priority::Skip]);
    assert_eq!(in_progress(&download), []);
    assert_eq!(download.waste().given_up, u64::from(BLOCK));
}
