#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

use super::*;

const CROWD: Option<char> = Some('c');
const GUEST: Option<char> = Some('g');

fn taken(shares: &Arc<Shares<char>>, source: Option<char>, count: usize) -> Vec<Share<char>> {
    let all = (0..count).map(|_| shares.take(source, 1).unwrap());
    all.collect()
}

fn left(shares: &[Share<char>]) -> Vec<usize> {
    let all = shares.iter().enumerate();
    all.filter(|(_, share)| !share.taken_back.is_cancelled())
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn what_is_dropped_is_there_for_others() {
    let shares = Shares::new(2, Rule::Oldest);
    let crowd = taken(&shares, CROWD, 2);
    drop(crowd);
    assert_eq!(shares.used(), 0);
    let again = taken(&shares, CROWD, 2);
    let guest = taken(&shares, GUEST, 1);
    assert_eq!((shares.used(), shares.taken_back()), (2, 1));
    // What was taken back is not given back once more.
    drop(again);
    assert_eq!(shares.used(), 1);
    drop(guest);
    assert_eq!(shares.used(), 0);
}

#[test]
fn one_source_may_have_everything_until_others_want_some() {
    let shares = Shares::new(4, Rule::Oldest);
    let crowd = taken(&shares, CROWD, 9);
    assert_eq!(left(&crowd), [5, 6, 7, 8]);
    let guests = taken(&shares, GUEST, 7);
    assert_eq!(
        (left(&crowd).len(), left(&guests).len()),
        (2, 2),
        "both have half"
    );
}

#[test]
fn the_largest_of_the_largest_source_gives_way_to_growth() {
    let shares = Shares::new(100, Rule::Largest);
    let mut crowd = taken(&shares, CROWD, 3);
    let mut guests = taken(&shares, GUEST, 1);
    crowd[1].resize(60).unwrap();
    crowd[2].resize(10).unwrap();
    guests[0].resize(40).unwrap();
    assert_eq!(left(&crowd), [0, 2]);
    assert_eq!(left(&guests), [0]);
    // It is itself who has most.
    guests[0].resize(200).unwrap();
    assert_eq!(left(&guests), Vec::<usize>::new());
    crowd[2].resize(0).unwrap();
    assert_eq!(shares.used(), 1);
    // What was taken back does not grow any more.
    crowd[1].resize(50).unwrap();
    assert_eq!(shares.used(), 1);
}

#[test]
fn a_proxy_counts_and_is_spared() {
    let shares = Shares::new(3, Rule::Oldest);
    let proxy = taken(&shares, None, 3);
    assert_eq!(left(&proxy).len(), 3);
    assert_eq!(shares.take(GUEST, 1).unwrap_err(), Refused);
    drop(proxy);
    assert_eq!(shares.used(), 0);
}
