use std::collections::BTreeSet;

use super::*;

mod model;

const ANN: SessionId = 1;
const SEED: SessionId = 2;

fn bits(pieces: u32, has: impl IntoIterator<Item = u32>) -> Bitfield {
    let mut bits = Bitfield::empty(pieces);
    for piece in has {
        bits.insert(PieceIndex(piece));
    }
    bits
}

/// With a seed connected; the streaming window is three pieces.
fn picker(pieces: u32, strategy: Strategy, seed: u64) -> Picker {
    let mut picker = Picker::new(&Bitfield::empty(pieces), strategy, 3, Rng::new(seed));
    picker.peer_joined(SEED, &Bitfield::full(pieces));
    picker
}

/// What the seed is asked for, until nothing is left.
fn pick_all(picker: &mut Picker) -> Vec<u32> {
    let everything = Bitfield::full(picker.unbegun.piece_count());
    pick_all_of(picker, SEED, &everything)
}

fn pick_all_of(picker: &mut Picker, session: SessionId, has: &Bitfield) -> Vec<u32> {
    std::iter::from_fn(|| picker.pick(session, has, &[]))
        .map(PieceIndex::get)
        .collect()
}

#[test]
fn sequential_takes_the_lowest_that_the_peer_has() {
    let mut picker = picker(5, Strategy::Sequential, 0);
    let has = bits(5, [3, 1]);
    picker.peer_joined(ANN, &has);
    assert_eq!(pick_all_of(&mut picker, ANN, &has), [1, 3]);
    picker.put_back(PieceIndex(1));
    assert_eq!(pick_all_of(&mut picker, ANN, &has), [1]);
    assert_eq!(pick_all(&mut picker), [0, 2, 4]);
}

#[test]
fn the_rarest_comes_first_whatever_the_number_of_seeds() {
    let mut picker = picker(4, Strategy::RarestFirst, 0);
    for (session, pieces) in [(10, 3), (11, 2), (12, 1)] {
        picker.peer_joined(session, &bits(4, 0..pieces));
    }
    assert_eq!(picker.availability(PieceIndex(0)), 4);
    assert_eq!(picker.availability(PieceIndex(3)), 1);
    let has = bits(4, 0..3);
    assert_eq!(pick_all_of(&mut picker.clone(), 10, &has), [2, 1, 0]);
    assert_eq!(pick_all(&mut picker), [3, 2, 1, 0]);
}

#[test]
fn ties_are_broken_at_random() {
    let firsts: BTreeSet<u32> = (0..100)
        .map(|seed| pick_all(&mut picker(4, Strategy::RarestFirst, seed))[0])
        .collect();
    assert_eq!(firsts, BTreeSet::from([0, 1, 2, 3]));
}

/// Every engine of a swarm hears of the same pieces in the same order.
#[test]
fn ties_are_broken_at_random_also_for_peers_that_have_next_to_nothing() {
    let has = bits(50_000, (0..50_000).step_by(10_000));
    let others = bits(50_000, (0..50_000).filter(|piece| piece % 10_000 != 0));
    let firsts: BTreeSet<PieceIndex> = (0..50)
        .filter_map(|seed| {
            let mut picker = picker(50_000, Strategy::RarestFirst, seed);
            picker.peer_joined(10, &others);
            picker.peer_joined(ANN, &has);
            picker.pick(ANN, &has, &[])
        })
        .collect();
    assert_eq!(firsts.len(), 5);
}

#[test]
fn the_first_pieces_are_random_even_if_others_are_rarer() {
    let firsts: BTreeSet<u32> = (0..100)
        .map(|seed| {
            let mut picker = picker(4, Strategy::RarestFirst, seed);
            picker.peer_joined(ANN, &bits(4, [0, 1]));
            picker.set_random_first(true);
            pick_all(&mut picker)[0]
        })
        .collect();
    assert_eq!(firsts, BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn streaming_takes_the_window_in_order_then_the_rarest() {
    let mut picker = picker(8, Strategy::Streaming, 0);
    picker.peer_joined(10, &bits(8, [0, 1, 2, 3, 4, 5, 7]));
    picker.peer_joined(11, &bits(8, [1, 2, 3, 4, 5, 7]));
    picker.set_play_position(PieceIndex(3));
    let has = bits(8, [0, 1, 4]);
    picker.peer_joined(ANN, &has);
    assert_eq!(pick_all_of(&mut picker.clone(), ANN, &has), [4, 0, 1]);
    assert_eq!(pick_all(&mut picker.clone())[..5], [3, 4, 5, 6, 7]);
    picker.set_play_position(PieceIndex(7));
    assert_eq!(pick_all(&mut picker.clone())[..2], [7, 6]);
    picker.set_strategy(Strategy::Sequential);
    assert_eq!(pick_all(&mut picker), [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn priority_comes_before_strategy_and_skipped_pieces_are_not_begun() {
    use Priority::{High, Low, Normal, Skip};
    for strategy in [
        Strategy::Sequential,
        Strategy::RarestFirst,
        Strategy::Streaming,
    ] {
        let mut picker = picker(5, strategy, 0);
        picker.peer_joined(ANN, &bits(5, [1, 3]));
        picker.set_priorities(&[Low, Normal, Skip, High]);
        assert_eq!(picker.priority(PieceIndex(4)), Normal);
        let expected = match strategy {
            Strategy::RarestFirst => [3, 4, 1, 0],
            Strategy::Sequential | Strategy::Streaming => [3, 1, 4, 0],
        };
        assert_eq!(pick_all(&mut picker), expected);
        picker.set_priorities(&[]);
        assert_eq!(pick_all(&mut picker), [2]);
    }
}

#[test]
fn a_suggested_piece_is_taken_among_equals_only() {
    let suggested = [3, 1, 2].map(PieceIndex);
    let everything = Bitfield::full(4);
    let mut picker = picker(4, Strategy::RarestFirst, 0);
    picker.peer_joined(ANN, &bits(4, [3]));
    let mut pick = |suggested: &[PieceIndex]| picker.pick(SEED, &everything, suggested);
    assert_eq!(pick(&suggested), Some(PieceIndex(1)));
    assert_eq!(pick(&suggested), Some(PieceIndex(2)));
    assert_eq!(pick(&suggested), Some(PieceIndex(0)));
    assert_eq!(pick(&suggested), Some(PieceIndex(3)));
    assert_eq!(pick(&suggested), None);
}

#[test]
fn what_we_have_or_began_is_not_picked() {
    let rng = Rng::new(1);
    let mut picker = Picker::new(&bits(3, [1]), Strategy::RarestFirst, 3, rng);
    let mut picked = pick_all(&mut picker);
    picked.sort_unstable();
    assert_eq!(picked, [0, 2]);
    picker.put_back(PieceIndex(2));
    assert_eq!(pick_all(&mut picker), [2]);
}

#[test]
fn a_peer_that_became_a_seed_may_leave_before_one_that_joined_as_one() {
    let mut picker = picker(2, Strategy::RarestFirst, 0);
    picker.peer_joined(ANN, &bits(2, [0]));
    picker.peer_has(ANN, PieceIndex(1));
    picker.peer_left(ANN, &Bitfield::full(2));
    assert_eq!(picker.availability(PieceIndex(0)), 1);
    assert!(picker.any_available());
    picker.peer_left(SEED, &Bitfield::full(2));
    assert_eq!(picker.availability(PieceIndex(0)), 0);
    assert!(!picker.any_available());
}
