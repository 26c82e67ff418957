//! Everybody gets everything, whatever goes wrong on the way.

mod played;

use played::play;
use swarm_lab::scenario::{AccessLink, Arrivals, Outage, Start, Store};
use swarm_lab::snapshot::Role;
use swarm_lab::{Results, Scenario, ScenarioError, Simulation};

/// Twenty peers share 3 MiB.
fn small() -> Scenario {
    Scenario {
        pieces: 48,
        piece_length: 64 << 10,
        leechers: 20,
        time_limit: 3600.0,
        ..Scenario::default()
    }
}

fn assert_all_complete(results: &Results) {
    let times = &results.completion;
    assert!(times.of > 0);
    assert_eq!(times.count, times.of, "{times:?} after {} s", results.time);
}

#[test]
fn a_quiet_swarm_is_not_far_from_the_least_time() {
    let results = play(small());
    assert_all_complete(&results);
    let least = results.least_time.unwrap();
    assert!(results.completion.last >= least, "faster than possible");
    // Starting up weighs much in a download of a few seconds.
    assert!(results.completion.last < 4.0 * least, "{results:?}");
    assert_eq!(results.corrupt, 0);
}

#[test]
fn small_pieces_come_without_a_break_whatever_order_the_store_answers_in() {
    for (pieces, piece_length) in [(3, 16), (200, 16), (60, 64), (16, 256), (8, 1024)] {
        for seed in 0..4 {
            let scenario = Scenario {
                seed,
                pieces,
                piece_length: piece_length << 10,
                leechers: 3,
                seeder_link: AccessLink {
                    up: 1e7,
                    ..AccessLink::default()
                },
                store: Store {
                    rate: None,
                    jitter: 0.05,
                    ..Store::default()
                },
                ..small()
            };
            // To the hub, to the other peer, and back the same way; then the store.
            let way = scenario.seeder_link.latency + scenario.seeder_link.jitter;
            let round_trip = 4.0 * way + scenario.store.latency + scenario.store.jitter;
            let results = play(scenario);
            assert_all_complete(&results);
            // Announcing, opening a channel and greeting take some of them at the start.
            let stall = results.longest_stall;
            assert!(
                stall < 5.0 * round_trip,
                "{pieces} pieces of {piece_length} KiB, seed {seed}: {stall} s"
            );
        }
    }
}

#[test]
fn nobody_needs_a_seeder_that_has_everything() {
    let results = play(Scenario {
        start: Start::SpreadOut,
        seeders: 0,
        ..small()
    });
    assert_all_complete(&results);
    assert_eq!(results.least_time, None);
}

#[test]
fn all_complete_among_thirty_percent_liars() {
    let results = play(Scenario {
        liars: 0.3,
        ..small()
    });
    assert_all_complete(&results);
    assert_eq!(results.completion.of, 14);
    assert!(results.corrupt > 0, "the liars were asked");
    let bans: u32 = results.peers.iter().map(|peer| peer.banned).sum();
    assert!(bans > 0, "the liars were found");
}

#[test]
fn all_complete_after_an_outage_of_the_tracker() {
    let outage = Outage {
        at: 3.0,
        lasts: 20.0,
    };
    let results = play(Scenario {
        outages: vec![outage],
        ..small()
    });
    assert_all_complete(&results);
    assert!(results.completion.last > outage.at + outage.lasts);
}

/// All channels break in mid-piece, and others take over, between those who show that they are
/// the same.
#[test]
fn all_complete_when_channels_break_again_and_again() {
    let outages = [3.0, 9.0, 15.0, 21.0];
    let outages = outages.map(|at| Outage { at, lasts: 1.0 });
    let mut scenario = Scenario {
        pieces: 192,
        outages: outages.to_vec(),
        ..small()
    };
    scenario.engine.channels = Some(2);
    let results = play(scenario);
    assert_all_complete(&results);
    assert!(results.completion.last > outages[1].at, "some were there");
    assert_eq!(results.corrupt, 0);
    let bans: u32 = results.peers.iter().map(|peer| peer.banned).sum();
    assert_eq!(bans, 0, "nobody is blamed");
}

#[test]
fn all_complete_when_disks_fill_up_on_the_way() {
    let results = play(Scenario {
        store: Store {
            full_share: 0.5,
            room_after: Some(30.0),
            ..Store::default()
        },
        ..small()
    });
    assert_all_complete(&results);
    assert!(results.completion.last > 30.0, "half of them had to wait");
    assert!(results.completion.p50 < results.completion.last);
}

#[test]
fn all_complete_when_writes_fail_now_and_then() {
    let results = play(Scenario {
        store: Store {
            failures: 0.05,
            room_after: Some(2.0),
            ..Store::default()
        },
        ..small()
    });
    assert_all_complete(&results);
}

#[test]
fn a_run_ends_when_the_last_copy_of_a_piece_is_gone() {
    let results = play(Scenario {
        seeders_leave_after: Some(1.0),
        ..small()
    });
    assert_eq!(results.completion.count, 0);
    assert!(results.time < 200.0, "it went on for {} s", results.time);
    let leechers = results.peers.iter().skip(1);
    assert!(leechers.map(|peer| peer.pieces).max() < Some(48));
    // Nobody could get anything, so nobody was kept waiting by others.
    assert!(results.longest_stall < 30.0, "{}", results.longest_stall);
}

#[test]
fn those_who_come_later_complete_too() {
    let results = play(Scenario {
        arrivals: Arrivals::Poisson(0.5),
        ..small()
    });
    assert_all_complete(&results);
    let arrived = results.peers.iter().map(|peer| peer.arrived);
    assert!(arrived.fold(0.0, f64::max) > 10.0);
}

#[test]
fn bytes_that_were_sent_arrive() {
    let results = play(small());
    let sum = |count: fn(&swarm_lab::results::PeerResult) -> u64| -> u64 {
        results.peers.iter().map(count).sum()
    };
    let (sent, received) = (sum(|peer| peer.sent), sum(|peer| peer.received));
    let wanted = 20 * 48 * (64 << 10);
    // What is on its way at the end has been sent, and not received.
    assert!(sent >= received && received >= wanted);
    // A block that has not arrived whole counts already, and is not a duplicate yet.
    let unfinished = 20 * (16 << 10);
    assert!(received <= wanted + results.duplicate + unfinished);
    assert!(results.peers[0].role == Role::Seeder && results.peers[0].received == 0);
    assert!(results.utilisation > 0.1 && results.utilisation <= 1.0);
}

#[test]
fn nonsense_is_refused() {
    for (scenario, wrong) in [
        (
            Scenario {
                pieces: 0,
                ..small()
            },
            "pieces",
        ),
        (
            Scenario {
                piece_length: 1000,
                ..small()
            },
            "piece-length",
        ),
        (
            Scenario {
                liars: 0.7,
                free_riders: 0.7,
                ..small()
            },
            "liars",
        ),
        (
            Scenario {
                time_limit: f64::NAN,
                ..small()
            },
            "time-limit",
        ),
        (
            Scenario {
                start: Start::SpreadOut,
                ..small()
            },
            "seeders",
        ),
    ] {
        let ScenarioError::OutOfRange { name, .. } = Simulation::new(scenario).unwrap_err();
        assert_eq!(name, wrong);
    }
}
