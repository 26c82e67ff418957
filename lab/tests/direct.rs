//! Direct links beside the relay: everybody gets everything, whatever becomes of them.

mod played;

use played::play;
use swarm_lab::scenario::{DirectLinks, Outage, RelayUse};
use swarm_lab::{Results, Scenario};

/// Eight peers share 4 MiB over lines on which that takes a good while.
fn small(relay: RelayUse) -> Scenario {
    let mut scenario = Scenario {
        pieces: 64,
        piece_length: 64 << 10,
        leechers: 8,
        relay,
        time_limit: 120.0,
        ..Scenario::default()
    };
    scenario.seeder_link.up = 250e3;
    scenario.leecher_link.up = 250e3;
    scenario
}

/// With the right pieces: what is written was hashed.
fn assert_all_complete(results: &Results) {
    let times = &results.completion;
    assert_eq!(times.count, times.of, "{times:?} after {} s", results.time);
    for peer in results.peers.iter().filter(|peer| peer.role.is_leecher()) {
        assert_eq!(peer.pieces, 64);
    }
    let bans: u32 = results.peers.iter().map(|peer| peer.banned).sum();
    assert_eq!((results.corrupt, bans), (0, 0), "nobody is blamed");
}

#[test]
fn a_relay_that_is_to_be_spared_carries_less() {
    let only = play(small(RelayUse::Only));
    assert_eq!((only.links, only.direct), (0, 0));
    let fixed = play(small(RelayUse::Fixed));
    assert!(fixed.links > 0 && fixed.relayed_share() > 0.95, "{fixed:?}");
    let mut scenario = small(RelayUse::Spare);
    let spare = play(scenario.clone());
    scenario.direct.unable = 0.0;
    let linked = play(scenario);
    for results in [&only, &fixed, &spare, &linked] {
        assert_all_complete(results);
    }
    let shares = [&spare, &linked].map(Results::relayed_share);
    assert!(shares[0] < 0.5 && shares[1] < 0.25, "{shares:?}");
    // Everybody is linked to everybody.
    assert_eq!(linked.links, 9 * 8 / 2);
}

#[test]
fn all_complete_while_links_break_at_random() {
    for seed in 1..=2 {
        for relay in [RelayUse::Spare, RelayUse::Free, RelayUse::Fixed] {
            let mut scenario = small(relay);
            scenario.seed = seed;
            scenario.direct.lifetime = Some(5.0);
            let results = play(scenario);
            assert_all_complete(&results);
            assert!(results.links_broken > 5, "{}", results.links_broken);
        }
    }
}

#[test]
fn pairs_that_cannot_be_linked_cost_nothing() {
    let mut scenario = small(RelayUse::Spare);
    scenario.direct.unable = 1.0;
    let results = play(scenario);
    assert_all_complete(&results);
    assert_eq!((results.links, results.direct), (0, 0));
    let only = play(small(RelayUse::Only));
    assert!(results.completion.last < 1.1 * only.completion.last);
}

#[test]
fn links_go_on_when_the_server_is_gone_for_good() {
    for relay in [RelayUse::Spare, RelayUse::Free, RelayUse::Fixed] {
        let mut scenario = small(relay);
        scenario.direct.unable = 0.0;
        let outage = Outage {
            at: 13.0,
            lasts: 1e6,
        };
        scenario.outages = vec![outage];
        let results = play(scenario.clone());
        assert_all_complete(&results);
        assert!(results.completion.last > outage.at, "it was too late");
        // Without links nobody gets anywhere from then on.
        scenario.relay = RelayUse::Only;
        let alone = play(scenario);
        assert_eq!(alone.completion.count, 0);
    }
}

#[test]
fn a_peer_has_no_more_links_than_it_may() {
    let mut scenario = small(RelayUse::Spare);
    scenario.direct = DirectLinks {
        most: Some(2),
        unable: 0.0,
        ..DirectLinks::default()
    };
    let results = play(scenario);
    assert_all_complete(&results);
    let most = results.peers.iter().map(|peer| peer.links).max();
    // Some end, where two are complete, and others take their places.
    assert!((1..=4).contains(&most.unwrap_or(0)), "{most:?}");
    assert!(results.relayed_share() > 0.5);
}

/// A swarm in which the relay passes on a quarter of what the lines could, and each link carries
/// so much.
fn scarce(relay: RelayUse, rate: Option<f64>) -> Scenario {
    let mut scenario = small(relay);
    scenario.pieces = 256;
    scenario.relay_capacity = Some(9.0 * 250e3 / 4.0);
    scenario.direct.unable = 0.0;
    scenario.direct.rate = rate;
    scenario.time_limit = 900.0;
    scenario
}

#[test]
fn a_scarce_relay_is_left_and_nobody_is_the_worse_for_it() {
    let [fixed, free] = [RelayUse::Fixed, RelayUse::Free].map(|relay| play(scarce(relay, None)));
    for results in [&fixed, &free] {
        assert_eq!(results.completion.count, 8);
        assert_eq!(results.corrupt, 0);
    }
    let times = [&fixed, &free].map(|results| results.completion.mean);
    assert!(times[1] < 0.7 * times[0], "{times:?}");
    assert!(free.relayed_share() < 0.6, "{}", free.relayed_share());
}

#[test]
fn links_that_are_slower_than_the_relay_stand_by() {
    let slow = |relay| Scenario {
        relay_capacity: None,
        ..scarce(relay, Some(5e3))
    };
    let [fixed, free] = [RelayUse::Fixed, RelayUse::Free].map(|relay| play(slow(relay)));
    assert_eq!(free.completion.count, 8);
    let times = [&fixed, &free].map(|results| results.completion.mean);
    assert!(times[1] < 1.25 * times[0], "{times:?}");
    assert!(free.relayed_share() > 0.8, "{}", free.relayed_share());
}
