use std::collections::BTreeSet;

use super::*;

fn bits(pieces: u32, has: &[u32]) -> Bitfield {
    let mut bits = Bitfield::empty(pieces);
    has.iter().for_each(|&piece| {
        bits.insert(PieceIndex(piece));
    });
    bits
}

fn picker(pieces: u32, strategy: Strategy, seed: u64) -> Picker {
    Picker::new(&Bitfield::empty(pieces), strategy, Rng::new(seed))
}

fn pick_all(picker: &mut Picker, peer_has: &Bitfield) -> Vec<u32> {
    std::iter::from_fn(|| picker.pick(peer_has))
        .map(PieceIndex::get)
        .collect()
}

#[test]
fn sequential_takes_the_lowest_that_the_peer_has() {
    let mut picker = picker(5, Strategy::Sequential, 0);
    assert_eq!(pick_all(&mut picker, &bits(5, &[3, 1])), [1, 3]);
    assert_eq!(pick_all(&mut picker, &Bitfield::full(5)), [0, 2, 4]);
}

#[test]
fn the_rarest_comes_first_whatever_the_number_of_seeds() {
    let mut picker = picker(4, Strategy::RarestFirst, 0);
    for has in [&[0, 1, 2, 3][..], &[0, 1, 2], &[0, 1], &[0]] {
        picker.peer_joined(&bits(4, has));
    }
    assert_eq!(picker.availability(PieceIndex(0)), 4);
    assert_eq!(picker.availability(PieceIndex(3)), 1);
    assert_eq!(
        pick_all(&mut picker.clone(), &bits(4, &[0, 2, 1])),
        [2, 1, 0]
    );
    assert_eq!(pick_all(&mut picker, &Bitfield::full(4)), [3, 2, 1, 0]);
}

#[test]
fn ties_are_broken_at_random() {
    let firsts: BTreeSet<u32> = (0..100)
        .filter_map(|seed| picker(4, Strategy::RarestFirst, seed).pick(&Bitfield::full(4)))
        .map(PieceIndex::get)
        .collect();
    assert_eq!(firsts, BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn what_we_have_or_began_is_not_picked() {
    let mut picker = Picker::new(&bits(3, &[1]), Strategy::RarestFirst, Rng::new(1));
    let mut picked = pick_all(&mut picker, &Bitfield::full(3));
    picked.sort_unstable();
    assert_eq!(picked, [0, 2]);
    picker.put_back(PieceIndex(2));
    assert_eq!(pick_all(&mut picker, &Bitfield::full(3)), [2]);
}

#[test]
fn a_peer_that_became_a_seed_may_leave_before_one_that_joined_as_one() {
    let mut picker = picker(2, Strategy::RarestFirst, 0);
    picker.peer_joined(&Bitfield::full(2));
    picker.peer_joined(&bits(2, &[0]));
    picker.peer_has(PieceIndex(1));
    picker.peer_left(&Bitfield::full(2));
    assert_eq!(picker.availability(PieceIndex(0)), 1);
    assert!(picker.any_available());
    picker.peer_left(&Bitfield::full(2));
    assert_eq!(picker.availability(PieceIndex(0)), 0);
    assert!(!picker.any_available());
}

/// Whatever peers do, the picker knows what a plain list of bitfields knows.
#[test]
fn agrees_with_a_plain_model() {
    arbtest::arbtest(|u| {
        let pieces = u.int_in_range(1..=20)?;
        let mut picker = picker(pieces, Strategy::RarestFirst, u.arbitrary()?);
        let mut wanted: BTreeSet<u32> = (0..pieces).collect();
        let mut peers: Vec<Bitfield> = Vec::new();
        while !u.is_empty() {
            match u.int_in_range(0..=5)? {
                0 => {
                    let mut has = Bitfield::full(pieces);
                    if u.arbitrary()? {
                        for piece in (0..pieces).map(PieceIndex) {
                            if u.arbitrary()? {
                                has.remove(piece);
                            }
                        }
                    }
                    picker.peer_joined(&has);
                    peers.push(has);
                }
                1 if !peers.is_empty() => {
                    let has = peers.swap_remove(u.choose_index(peers.len())?);
                    picker.peer_left(&has);
                }
                2 if !peers.is_empty() => {
                    let peer = u.choose_index(peers.len())?;
                    let missing: Vec<_> = (0..pieces)
                        .map(PieceIndex)
                        .filter(|piece| !peers[peer].has(*piece))
                        .collect();
                    for piece in missing.into_iter().take(u.int_in_range(1..=20)?) {
                        peers[peer].insert(piece);
                        picker.peer_has(piece);
                    }
                }
                3 if wanted.len() < pieces as usize => {
                    let begun: Vec<u32> = (0..pieces).filter(|p| !wanted.contains(p)).collect();
                    let piece = *u.choose(&begun)?;
                    picker.put_back(PieceIndex(piece));
                    wanted.insert(piece);
                }
                _ if !peers.is_empty() => {
                    let has = u.choose(&peers)?;
                    let rarity = |p: u32| peers.iter().filter(|b| b.has(PieceIndex(p))).count();
                    let candidates = wanted.iter().filter(|p| has.has(PieceIndex(**p)));
                    let rarest = candidates.map(|p| rarity(*p)).min();
                    assert_eq!(picker.any_of(has), rarest.is_some());
                    let picked = picker.pick(has);
                    assert_eq!(picked.map(|p| rarity(p.get())), rarest);
                    if let Some(picked) = picked {
                        assert!(has.has(picked) && wanted.remove(&picked.get()));
                    }
                }
                _ => {}
            }
            for piece in 0..pieces {
                let holders = peers.iter().filter(|b| b.has(PieceIndex(piece))).count();
                assert_eq!(picker.availability(PieceIndex(piece)) as usize, holders);
                assert_eq!(picker.is_wanted(PieceIndex(piece)), wanted.contains(&piece));
            }
            let available = wanted
                .iter()
                .any(|p| picker.availability(PieceIndex(*p)) > 0);
            assert_eq!(picker.any_available(), available);
        }
        Ok(())
    });
}
