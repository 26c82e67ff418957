use super::*;

/// Bytes a second that make five slots.
const RATE: u64 = 0;

fn at(seconds: u64) -> Time {
    Time::from_epoch(Duration::from_secs(seconds))
}

/// Peers that came long ago and give so much.
fn givers(gives: &[u64]) -> Vec<Candidate> {
    (0..)
        .zip(gives)
        .map(|(session, &gives)| Candidate {
            session,
            gives,
            takes: 0,
            debt: 0,
            overdrawn: false,
            pieces: 100,
            hoards: false,
            snubbed: false,
            since: Time::ZERO,
            unchoked: None,
            choked: None,
        })
        .collect()
}

fn round(choker: &mut Choker, now: Time, all: &[Candidate], seed: u64) -> SortedSet<SessionId> {
    let config = ChokeConfig::default();
    choker.choose(now, &config, all, RATE, false, &mut Rng::new(seed))
}

#[test]
fn all_are_served_while_there_are_slots() {
    let chosen = round(&mut Choker::default(), at(1000), &givers(&[0, 0, 9]), 1);
    assert_eq!(chosen, SortedSet::from([0, 1, 2]));
}

#[test]
fn those_who_give_most_win_and_one_slot_is_luck() {
    let all = givers(&[50, 40, 30, 20, 0, 0, 0, 0, 0, 0]);
    let mut lucky = SortedSet::new();
    for seed in 0..200 {
        let chosen = round(&mut Choker::default(), at(1000), &all, seed);
        assert_eq!(chosen.len(), 5);
        assert!([0, 1, 2, 3].iter().all(|s| chosen.contains(s)));
        lucky.extend(chosen.into_iter().filter(|session| *session > 3));
    }
    assert_eq!(lucky.len(), 6, "everybody has a chance");
}

#[test]
fn the_optimistic_slot_stays_for_half_a_minute_and_moves_on() {
    let all = givers(&[50, 40, 30, 20, 0, 0, 0, 0, 0, 0]);
    let mut choker = Choker::default();
    let first = round(&mut choker, at(1000), &all, 1);
    for (seed, seconds) in [(2, 1010), (3, 1020)] {
        assert_eq!(round(&mut choker, at(seconds), &all, seed), first);
    }
    let later: SortedSet<_> = (0..20)
        .map(|turn| round(&mut choker, at(1030 + 30 * turn), &all, turn))
        .collect();
    assert!(later.len() > 3, "{later:?}");
}

#[test]
fn newcomers_are_favoured_for_the_optimistic_slot() {
    let mut all = givers(&[50, 40, 30, 20, 0, 0, 0, 0]);
    all[7].since = at(990);
    let hits = (0..600)
        .filter(|&seed| round(&mut Choker::default(), at(1000), &all, seed).contains(&7))
        .count();
    // Three tickets of six.
    assert!((240..360).contains(&hits), "{hits}");
}

#[test]
fn who_took_much_and_gave_nothing_has_had_its_chance() {
    let mut all = givers(&[50, 40, 30, 20, 0, 0, 0, 0, 0, 0]);
    for candidate in &mut all[7..] {
        candidate.debt = 1 << 20;
    }
    let lucky = |session| {
        (0..1000)
            .filter(|&seed| round(&mut Choker::default(), at(1000), &all, seed).contains(&session))
            .count()
    };
    // Three with four tickets each, three with one.
    for solvent in 4..7 {
        assert!((200..340).contains(&lucky(solvent)));
    }
    for debtor in 7..10 {
        assert!((30..110).contains(&lucky(debtor)));
    }
}

#[test]
fn who_had_its_trial_makes_room_for_others() {
    let mut all = givers(&[50, 40, 30, 20, 0, 0, 0]);
    let mut choker = Choker::default();
    let first = round(&mut choker, at(1000), &all, 1);
    let lucky = first.into_iter().find(|session| *session > 3).unwrap();
    all[lucky as usize].overdrawn = true;
    for seed in 0..50 {
        let mut choker = choker.clone();
        assert!(!round(&mut choker, at(1010), &all, seed).contains(&lucky));
    }
    for candidate in &mut all[4..] {
        candidate.overdrawn = true;
    }
    assert_eq!(
        round(&mut choker, at(1020), &all, 1).len(),
        5,
        "rather than nobody"
    );
}

#[test]
fn a_trial_is_enough_to_trade_with() {
    let config = ChokeConfig::default();
    assert_eq!(config.trial(16 << 10), 128 << 10);
    assert_eq!(config.trial(1 << 20), 2 << 20);
}

#[test]
fn who_fell_behind_is_helped_unless_it_owes_us_much() {
    let mut all = givers(&[50, 40, 30, 20, 0, 0, 0, 0, 0, 0]);
    for candidate in &mut all[8..] {
        candidate.pieces = 90;
        candidate.debt = 1 << 20;
    }
    all[8].debt = 0;
    let lucky = |session| {
        (0..1000)
            .filter(|&seed| round(&mut Choker::default(), at(1000), &all, seed).contains(&session))
            .count()
    };
    // 32 tickets of 49; the other has one.
    assert!((600..710).contains(&lucky(8)));
    assert!(lucky(9) < 50);
    for candidate in &mut all[8..] {
        candidate.pieces = 96;
    }
    let lucky = (0..1000)
        .filter(|&seed| round(&mut Choker::default(), at(1000), &all, seed).contains(&8))
        .count();
    // Four of 21: chance makes such differences.
    assert!((140..240).contains(&lucky), "{lucky}");
}

#[test]
fn a_seeder_serves_those_last_who_pass_nothing_on() {
    let config = ChokeConfig::default();
    let mut all = givers(&[0; 12]);
    for candidate in &mut all[6..] {
        candidate.hoards = true;
        candidate.takes = 1000;
    }
    let mut served = 0;
    for seed in 0..100 {
        let mut choker = Choker::default();
        let chosen = choker.choose(at(9), &config, &all, RATE, true, &mut Rng::new(seed));
        let hoarders = chosen.iter().filter(|session| **session >= 6).count();
        assert!(hoarders <= 1, "at most the optimistic slot: {chosen:?}");
        served += hoarders;
    }
    assert!(served < 90, "{served}");
}

#[test]
fn a_peer_that_owes_blocks_earns_nothing() {
    let mut all = givers(&[50, 40, 30, 20, 10, 0]);
    all[0].snubbed = true;
    let chosen = round(&mut Choker::default(), at(1000), &all, 5);
    assert!([1, 2, 3, 4].iter().all(|s| chosen.contains(s)));
}

#[test]
fn a_seeder_serves_everybody_in_turns_and_keeps_the_fast() {
    let config = ChokeConfig::default();
    let mut all = givers(&[0; 20]);
    all[3].takes = 900;
    all[4].takes = 800;
    let mut choker = Choker::default();
    let mut served = SortedSet::new();
    for turn in 0..40 {
        let now = at(1000 + 10 * turn);
        let chosen = choker.choose(now, &config, &all, RATE, true, &mut Rng::new(turn));
        assert_eq!(chosen.len(), 5);
        assert!([3, 4].iter().all(|s| chosen.contains(s)), "{chosen:?}");
        for candidate in &mut all {
            match (candidate.unchoked, chosen.contains(&candidate.session)) {
                (None, true) => candidate.unchoked = Some(now),
                (Some(_), false) => (candidate.unchoked, candidate.choked) = (None, Some(now)),
                _ => {}
            }
        }
        served.extend(chosen);
    }
    assert_eq!(served.len(), 20, "all are served");
}

#[test]
fn slots_follow_the_upload_rate_within_limits() {
    let config = ChokeConfig::default();
    let all = givers(&[0; 100]);
    let slots = |rate| {
        let mut choker = Choker::default();
        choker
            .choose(at(1000), &config, &all, rate, false, &mut Rng::new(1))
            .len()
    };
    assert_eq!(slots(100 << 10), 5);
    assert_eq!(slots(1 << 20), 8);
    assert_eq!(slots(4 << 20), 16);
    assert_eq!(slots(1 << 30), 32);
}

#[test]
fn an_idle_link_opens_slots_and_a_busy_one_closes_them_again() {
    let config = ChokeConfig::default();
    let all = givers(&[0; 100]);
    let mut choker = Choker::default();
    for _ in 0..3 {
        choker.widen(&config, 1 << 20);
    }
    // A slow line has no slots to give away.
    choker.widen(&config, 30 << 10);
    let mut slots = Vec::new();
    for turn in 0..5 {
        let now = at(1000 + 10 * turn);
        let chosen = choker.choose(now, &config, &all, RATE, false, &mut Rng::new(turn));
        slots.push(chosen.len());
    }
    assert_eq!(slots, [8, 7, 6, 5, 5]);
}

#[test]
fn without_slots_nobody_is_served() {
    let config = ChokeConfig {
        slots: (0, 0),
        ..ChokeConfig::default()
    };
    let mut choker = Choker::default();
    let all = givers(&[1, 2, 3]);
    let chosen = choker.choose(at(0), &config, &all, 1 << 30, false, &mut Rng::new(1));
    assert!(chosen.is_empty());
}
